/* How a reader sleeps until the loop's thread has something for it: on a file descriptor that other loops watch, or in
 * `wake_wait`.
 *
 * The reader arms the wake, looks once more whether there is something, and only then sleeps. The writer publishes, and
 * then looks whether the wake is armed. Each does its write before its look, and both pairs stand in one order for all
 * threads (`swap` and `atom_fence`): so either the writer sees it armed, or the reader sees what was published. Nothing
 * is lost. Who disarms it (one of them, since `swap` tells) makes the descriptor readable: so it is written to once for
 * each sleep, however much arrives meanwhile.
 *
 * The descriptor is readable as long as the wake is not armed, but for the instant between disarming and writing. Where
 * that instant was long, a reader may find nothing: then it clears, arms and looks again.
 */
#ifndef SOCKET_CORE_WAKE_H
#define SOCKET_CORE_WAKE_H

#include "_system.h"

#include <stdint.h>
#include <uv.h>

#include "_atomic.h"

typedef struct wake {
    atom32_t armed;
    atom32_t sleepers; /* in wake_wait */
    int read_fd;       /* -1 where the system has none that a loop could watch: Windows */
    int write_fd;
    uv_mutex_t lock;
    uv_cond_t cond;
    unsigned calls; /* wake_call: how many sleepers are to return */
} wake_t;

/* Whether there is something to wake up for. */
typedef int (*wake_look_fn)(void *state);

/* Armed. Returns 0 or an error of libuv. */
int wake_init(wake_t *wake);
void wake_free(wake_t *wake);
/* Only the descriptors: in a child after a fork, whose locks may be held by threads that it has not. */
void wake_abandon(wake_t *wake);

/* Disarms it and wakes the reader; to be called when it was published. */
void wake_reader(wake_t *wake);
/* Of the reader, when nothing is left: the descriptor is made unreadable, unless `look` now finds something. `found`:
 * there was something this time; if not, it may have been woken in vain, by a write that came late. */
void wake_rest(wake_t *wake, int found, wake_look_fn look, void *state);
/* Sleeps until `look` finds something (1), it was called (1), or the time is over (0). UINT64_MAX: for ever. */
int wake_wait(wake_t *wake, uint64_t ns, wake_look_fn look, void *state);
/* Makes one wake_wait return, the next one where nobody sleeps. */
void wake_call(wake_t *wake);
/* Makes all look again. */
void wake_all(wake_t *wake);

#endif
