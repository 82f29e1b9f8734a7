/* The loop of a node, as Python sees it: a libuv loop, mostly on a thread of its own, which never takes the GIL.
 *
 * Three parties meet here. The loop's thread owns every libuv handle and all that is not marked otherwise in
 * _engine_parts.h. Other threads ask it for something (`asks`, under one lock), or act on a socket directly: sending,
 * options and names are calls of the system, which any thread may make. Python's reader takes records out of the ring.
 *
 * Functions may be called from any thread but where it says so; none needs the GIL. Errors are those of libuv.
 */
#ifndef SOCKET_CORE_ENGINE_H
#define SOCKET_CORE_ENGINE_H

#include "_system.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "_address.h"
#include "_handler.h"
#include "_net.h"
#include "_ring.h"

typedef struct engine engine_t;
typedef struct handle handle_t;

/* Kinds, as they are counted. */
enum { HANDLE_LOOP = 0, HANDLE_SOCKET = 1, HANDLE_TIMER = 2, HANDLE_KINDS = 3 };

enum {
    ENGINE_NEW = 0,     /* no thread yet: that comes with the first handle */
    ENGINE_RUNNING = 1,
    ENGINE_ENDING = 2,  /* all is being closed */
    ENGINE_ENDED = 3,
    ENGINE_FORKED = 4   /* in the child of a fork: nothing works, and nothing of the parent's is touched */
};

enum { BACKEND_AUTO = 0, BACKEND_POLL = 1, BACKEND_UDP = 2 };

/* Nothing runs yet. `ring_bytes` as of ring_init. UV_ENOTSUP: no such backend on this system. */
int engine_new(engine_t **made, size_t ring_bytes, int backend);
/* As a guest of a loop that somebody else runs. To be called on the thread that runs it, or before it runs. */
int engine_new_guest(engine_t **made, size_t ring_bytes, int backend, uv_loop_t *loop);
/* Gives it up; it has to be new, ended or forked. What its reader has not taken is lost. */
void engine_free(engine_t *engine);

int engine_state(const engine_t *engine);
int engine_is_guest(const engine_t *engine);
const char *engine_backend(const engine_t *engine);
int engine_fd(const engine_t *engine);
/* How many handles there are that are not closed. */
size_t engine_count(engine_t *engine);

/* Asks all handles, and then the loop, to close. */
void engine_close(engine_t *engine);
/* Waits until it has ended, for so long (UINT64_MAX: for ever), and for the thread: 0 or UV_ETIMEDOUT. */
int engine_wait_end(engine_t *engine, uint64_t ns);
/* Whether this thread may wait for the loop's: it is not, nor may it be, the one that runs it. */
int engine_may_wait(engine_t *engine);

/* The reader: one thread at a time. */
const record_t *engine_next(engine_t *engine);
void engine_taken(engine_t *engine, const record_t *record);
/* At the end of each reading; `found` records were taken. */
void engine_rest(engine_t *engine, size_t found);
/* Whether it has something; from any thread. */
int engine_filled(engine_t *engine);
/* Whether there is something, or it was woken, or it has ended; 0: the time is over. */
int engine_wait(engine_t *engine, uint64_t ns);
void engine_wake(engine_t *engine);

/* Handles. Who made one has a reference, to be given back. */

typedef struct socket_options {
    net_options_t net;
    size_t queue_bytes;
    const handler_t *handler; /* NULL: datagrams go to Python as they are */
} socket_options_t;

int socket_new(engine_t *engine, const socket_options_t *options, handle_t **made);
int timer_new(engine_t *engine, uint64_t delay_ms, uint64_t repeat_ms, handle_t **made);
void handle_release(handle_t *handle);
uint32_t handle_number(const handle_t *handle);
/* Whether it was asked to close. */
int handle_is_closing(const handle_t *handle);
void handle_close(handle_t *handle);

/* UINT64_MAX: it stops. */
void timer_set(handle_t *handle, uint64_t delay_ms, uint64_t repeat_ms);
/* How often it has fired since this was last asked: of the reader, at RING_FIRED. */
uint32_t timer_take_fired(handle_t *handle);

/* Sockets: UV_EBADF where it is closing. */

typedef enum send_mode {
    SEND_STRICT, /* ends at the first error, which is told */
    SEND_LOOSE   /* errors are counted, told of by an event, and passed over */
} send_mode_t;

/* How many of the first were taken: sent, or queued, or (loose) refused by the system. */
size_t socket_send(handle_t *handle, const outgoing_t *items, size_t count, send_mode_t mode, int *error);
int socket_connect(handle_t *handle, const address_t *address);
/* Family 0: to nobody. */
void socket_peer(handle_t *handle, address_t *address);
void socket_bound(const handle_t *handle, address_t *address);
int socket_get(handle_t *handle, net_option_t option, int *value);
int socket_set(handle_t *handle, net_option_t option, int value);
int socket_multicast_interface(handle_t *handle, const char *interface_text);
int socket_membership(handle_t *handle, const address_t *group, const char *interface_text, const address_t *source,
                      int join);
void socket_pause(handle_t *handle, int paused);
size_t socket_queued(handle_t *handle);

enum { SOCKET_ERRORS = 24 }; /* kinds of errors that are counted; libuv names about 80, UDP knows some 20 */

typedef struct socket_stats {
    uint64_t received, received_bytes, sent, sent_bytes;
    uint64_t queued;     /* datagrams that had to wait for room in the system */
    uint64_t refused;    /* not taken: the queue was full */
    uint64_t dropped;    /* received, and no room in the ring */
    uint64_t overflowed; /* lost in the system's buffer, where it tells */
    uint64_t truncated;
    int32_t codes[SOCKET_ERRORS]; /* errors of libuv, 0 for none */
    uint64_t counts[SOCKET_ERRORS];
} socket_stats_t;

void socket_stats(handle_t *handle, socket_stats_t *stats);

/* How many of a kind are not closed, in this process. */
uint32_t handles_alive(int kind);

/* Whether the library in this file, which is loaded, calls the same libuv as we do: 1, 0, or UV_ENOTSUP where that
 * cannot be told. */
int guest_shares_libuv(const char *path);

/* Around a fork: before it, after it in the parent, and in the child. */
void engine_fork_prepare(void);
void engine_fork_parent(void);
void engine_fork_child(void);

#endif
