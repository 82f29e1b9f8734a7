/* Locks that a fork leaves in order: held by whoever forks, while it does, and free afterwards on both sides.
 *
 * A thread that has a lock at that moment is not there in the child, and would never give it back: the child would wait
 * for ever where it first needs it. One list for each module. Modules are asked in the reverse order of their import,
 * so a lock that is taken while another is held belongs to a module that is imported before.
 */
#ifndef SOCKET_CORE_FORK_H
#define SOCKET_CORE_FORK_H

#include "_lock.h"

typedef struct fork_guard {
    lock_t *lock;
    struct fork_guard *next, *previous;
} fork_guard_t;

/* Once, when the module is imported: 0, or -1 for lack of memory. */
int fork_guard_init(void);
void fork_guard_add(fork_guard_t *guard, lock_t *lock);
void fork_guard_remove(fork_guard_t *guard);

#endif
