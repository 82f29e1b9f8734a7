/* A lock between threads: the system's own, a few bytes, quick where nobody else wants it.
 *
 * Who holds one never waits for the GIL; a thread that holds the GIL tries first, and lets the GIL go before it waits.
 * So the socket's loop, which never has the GIL, waits for no longer than the work that is done under the lock.
 */
#ifndef SOCKET_CORE_LOCK_H
#define SOCKET_CORE_LOCK_H

#ifdef _WIN32

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

typedef SRWLOCK lock_t;

/* 0, or -1 where the system has no more of them. */
static inline int lock_init(lock_t *lock) {
    InitializeSRWLock(lock);
    return 0;
}

static inline void lock_acquire(lock_t *lock) {
    AcquireSRWLockExclusive(lock);
}

/* 1 if the lock is now ours, 0 if somebody has it. */
static inline int lock_try(lock_t *lock) {
    return TryAcquireSRWLockExclusive(lock) != 0;
}

static inline void lock_release(lock_t *lock) {
    ReleaseSRWLockExclusive(lock);
}

static inline void lock_destroy(lock_t *lock) {
    (void)lock;
}

#else

#include <pthread.h>

typedef pthread_mutex_t lock_t;

static inline int lock_init(lock_t *lock) {
    return pthread_mutex_init(lock, NULL) == 0 ? 0 : -1;
}

static inline void lock_acquire(lock_t *lock) {
    pthread_mutex_lock(lock);
}

static inline int lock_try(lock_t *lock) {
    return pthread_mutex_trylock(lock) == 0;
}

static inline void lock_release(lock_t *lock) {
    pthread_mutex_unlock(lock);
}

static inline void lock_destroy(lock_t *lock) {
    pthread_mutex_destroy(lock);
}

#endif

#endif
