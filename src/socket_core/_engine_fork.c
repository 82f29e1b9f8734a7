/* Forks: a child has a copy of every loop, and none of their threads.
 *
 * It also shares what the copies point to: to change the parent's epoll set from the child would change it for the
 * parent. So in the child nothing of libuv is ever called again for these loops; their descriptors are closed, which
 * the parent does not notice, and every use says that the loop is closed. While the process forks, the list of
 * engines and each one's list of handles is held, so that the child finds them whole.
 */
#include "_engine_parts.h"

#include <stdlib.h>

#ifndef _WIN32
#include <unistd.h>
#endif

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t registry_lock;
static engine_t *registry;

static void make_lock(void) {
    if (uv_mutex_init(&registry_lock) != 0)
        abort(); /* as libuv does where it cannot have a lock */
}

void fork_enter(engine_t *engine) {
    uv_once(&once, make_lock);
    uv_mutex_lock(&registry_lock);
    engine->next_engine = registry;
    registry = engine;
    uv_mutex_unlock(&registry_lock);
}

void fork_leave(engine_t *engine) {
    uv_mutex_lock(&registry_lock);
    engine_t **at = &registry;
    while (*at != NULL && *at != engine)
        at = &(*at)->next_engine;
    if (*at == engine)
        *at = engine->next_engine;
    uv_mutex_unlock(&registry_lock);
}

void engine_fork_prepare(void) {
    uv_once(&once, make_lock);
    uv_mutex_lock(&registry_lock);
    for (engine_t *engine = registry; engine != NULL; engine = engine->next_engine)
        uv_mutex_lock(&engine->lock);
}

void engine_fork_parent(void) {
    for (engine_t *engine = registry; engine != NULL; engine = engine->next_engine)
        uv_mutex_unlock(&engine->lock);
    uv_mutex_unlock(&registry_lock);
}

#ifndef _WIN32

static void close_one(int fd) {
    if (fd >= 0)
        close(fd);
}

/* What a libuv loop holds open, by the public layout of its structure. A guest's loop is its owner's business. */
static void close_loop(uv_loop_t *loop) {
    close_one(loop->backend_fd);
    close_one(loop->async_io_watcher.fd);
    if (loop->async_wfd != loop->async_io_watcher.fd)
        close_one(loop->async_wfd);
    close_one(loop->signal_pipefd[0]);
    close_one(loop->signal_pipefd[1]);
    close_one(loop->emfile_fd);
}

static void abandon(engine_t *engine) {
    int state = engine_state(engine);
    atom32_store(&engine->state, ENGINE_FORKED);
    engine->async_open = 0;
    for (handle_t *handle = engine->handles; handle != NULL; handle = handle->next) {
        atom32_set_bits(&handle->gate, GATE_CLOSING);
        if (handle->kind == HANDLE_SOCKET)
            net_close(&socket_of(handle)->net);
    }
    wake_abandon(&engine->wake);
    if (!engine->guest && (state == ENGINE_RUNNING || state == ENGINE_ENDING))
        close_loop(engine->loop);
}

#else

static void abandon(engine_t *engine) {
    (void)engine; /* there is no fork */
}

#endif

void engine_fork_child(void) {
    for (engine_t *engine = registry; engine != NULL; engine = engine->next_engine)
        abandon(engine);
    engine_fork_parent();
    registry = NULL;
    handle_count_reset();
}
