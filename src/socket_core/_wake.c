/* Sleeping and being woken; see _wake.h. */
#include "_wake.h"

#ifndef _WIN32
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#ifdef __linux__

static int open_pair(wake_t *wake) {
    wake->read_fd = wake->write_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return wake->read_fd < 0 ? uv_translate_sys_error(errno) : 0;
}

#elif !defined(_WIN32)

static int open_pair(wake_t *wake) {
    int pair[2];
    if (pipe(pair) != 0)
        return uv_translate_sys_error(errno);
    for (int i = 0; i < 2; i++) {
        fcntl(pair[i], F_SETFD, FD_CLOEXEC);
        fcntl(pair[i], F_SETFL, O_NONBLOCK);
    }
    wake->read_fd = pair[0];
    wake->write_fd = pair[1];
    return 0;
}

#endif

#ifdef _WIN32

static int open_pair(wake_t *wake) {
    wake->read_fd = wake->write_fd = -1;
    return 0;
}

void wake_abandon(wake_t *wake) {
    (void)wake;
}

static void raise_fd(wake_t *wake) {
    (void)wake;
}

static void clear_fd(wake_t *wake) {
    (void)wake;
}

#else

void wake_abandon(wake_t *wake) {
    if (wake->write_fd != wake->read_fd)
        close(wake->write_fd);
    close(wake->read_fd);
    wake->read_fd = wake->write_fd = -1;
}

static void raise_fd(wake_t *wake) {
    uint64_t one = 1;
    ssize_t written;
    do
        written = write(wake->write_fd, &one, sizeof(one));
    while (written < 0 && errno == EINTR); /* full is as good: it is readable */
}

static void clear_fd(wake_t *wake) {
    uint64_t bytes[16];
    ssize_t count;
    do
        count = read(wake->read_fd, bytes, sizeof(bytes));
    while ((count < 0 && errno == EINTR) || (count == (ssize_t)sizeof(bytes)));
}

#endif

int wake_init(wake_t *wake) {
    atom32_put(&wake->armed, 1);
    atom32_put(&wake->sleepers, 0);
    wake->calls = 0;
    int error = open_pair(wake);
    if (error != 0)
        return error;
    error = uv_mutex_init(&wake->lock);
    if (error == 0) {
        error = uv_cond_init(&wake->cond);
        if (error == 0)
            return 0;
        uv_mutex_destroy(&wake->lock);
    }
    wake_abandon(wake);
    return error;
}

void wake_free(wake_t *wake) {
    uv_cond_destroy(&wake->cond);
    uv_mutex_destroy(&wake->lock);
    wake_abandon(wake);
}

void wake_reader(wake_t *wake) {
    atom_fence();
    if (!atom32_peek(&wake->armed) || !atom32_swap(&wake->armed, 0))
        return;
    raise_fd(wake);
    if (atom32_load(&wake->sleepers) != 0)
        wake_all(wake);
}

/* What was written is cleared before it is armed, and looked for after: so what is cleared away is what is found. */
static int arm(wake_t *wake, wake_look_fn look, void *state) {
    clear_fd(wake);
    atom32_swap(&wake->armed, 1);
    atom_fence();
    return look(state);
}

void wake_rest(wake_t *wake, int found, wake_look_fn look, void *state) {
    if (found && atom32_load(&wake->armed))
        return; /* nobody has disarmed it, so nobody has written */
    if (arm(wake, look, state))
        wake_reader(wake);
}

/* Whether there is something, for a sleeper: as in wake_rest, what is found then is signalled to others too. */
static int arm_sleeper(wake_t *wake, wake_look_fn look, void *state) {
    atom_fence(); /* it is known as a sleeper before it looks */
    if (look(state))
        return 1;
    if (atom32_load(&wake->armed) ? !look(state) : !arm(wake, look, state))
        return 0;
    if (atom32_swap(&wake->armed, 0))
        raise_fd(wake);
    return 1;
}

int wake_wait(wake_t *wake, uint64_t ns, wake_look_fn look, void *state) {
    uint64_t start = uv_hrtime();
    int woken = 0;
    uv_mutex_lock(&wake->lock);
    atom32_add(&wake->sleepers, 1); /* before it is armed: who disarms it then knows that somebody sleeps */
    for (;;) {
        if (wake->calls > 0) {
            wake->calls--;
            woken = 1;
            break;
        }
        woken = arm_sleeper(wake, look, state);
        if (woken)
            break;
        if (ns == UINT64_MAX) {
            uv_cond_wait(&wake->cond, &wake->lock);
            continue;
        }
        uint64_t gone = uv_hrtime() - start;
        if (gone >= ns)
            break;
        uv_cond_timedwait(&wake->cond, &wake->lock, ns - gone);
    }
    atom32_add(&wake->sleepers, (uint32_t)-1);
    uv_mutex_unlock(&wake->lock);
    return woken;
}

void wake_call(wake_t *wake) {
    uv_mutex_lock(&wake->lock);
    if (wake->calls == 0 || wake->calls < atom32_peek(&wake->sleepers))
        wake->calls++;
    uv_cond_signal(&wake->cond);
    uv_mutex_unlock(&wake->lock);
}

void wake_all(wake_t *wake) {
    uv_mutex_lock(&wake->lock);
    uv_cond_broadcast(&wake->cond);
    uv_mutex_unlock(&wake->lock);
}
