#include "_fork.h"

#ifdef _WIN32

int fork_guard_init(void) {
    return 0;
}

void fork_guard_add(fork_guard_t *guard, lock_t *lock) {
    guard->lock = lock;
}

void fork_guard_remove(fork_guard_t *guard) {
    (void)guard;
}

#else

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static fork_guard_t list = {NULL, &list, &list};

static void before_fork(void) {
    pthread_mutex_lock(&list_lock);
    for (fork_guard_t *guard = list.next; guard != &list; guard = guard->next)
        lock_acquire(guard->lock);
}

/* In the parent and in the child, where the thread that has forked is the only one. */
static void after_fork(void) {
    for (fork_guard_t *guard = list.next; guard != &list; guard = guard->next)
        lock_release(guard->lock);
    pthread_mutex_unlock(&list_lock);
}

int fork_guard_init(void) {
    static int done;
    if (!done && pthread_atfork(before_fork, after_fork, after_fork) != 0)
        return -1;
    done = 1;
    return 0;
}

void fork_guard_add(fork_guard_t *guard, lock_t *lock) {
    guard->lock = lock;
    pthread_mutex_lock(&list_lock);
    guard->next = list.next;
    guard->previous = &list;
    list.next->previous = guard;
    list.next = guard;
    pthread_mutex_unlock(&list_lock);
}

void fork_guard_remove(fork_guard_t *guard) {
    pthread_mutex_lock(&list_lock);
    guard->previous->next = guard->next;
    guard->next->previous = guard->previous;
    pthread_mutex_unlock(&list_lock);
}

#endif
