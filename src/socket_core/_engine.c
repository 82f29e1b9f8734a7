/* The loop: made, run on its thread, asked, ended; see _engine.h. */
#include "_engine_parts.h"

#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#endif

enum {
    FIRST_RUN_NS = 100000000,
    KEEP_LEAST = 128,  /* records: fewer are too little for an allocator to give back */
    KEEP_BYTES = 32768 /* more than there is room for in between; never touched */
};

static const backend_t *backend_of(int backend) {
#ifdef __linux__
    if (backend != BACKEND_UDP)
        return &backend_poll;
#else
    if (backend == BACKEND_POLL)
        return NULL;
#endif
    return &backend_udp;
}

static int init_parts(engine_t *engine, size_t ring_bytes) {
    int error = uv_mutex_init(&engine->lock);
    if (error != 0)
        return error;
    error = uv_cond_init(&engine->answered);
    if (error == 0) {
        error = wake_init(&engine->wake);
        if (error == 0) {
            if (ring_init(&engine->ring, ring_bytes) == 0)
                return 0;
            wake_free(&engine->wake);
            error = UV_ENOMEM;
        }
        uv_cond_destroy(&engine->answered);
    }
    uv_mutex_destroy(&engine->lock);
    return error;
}

int engine_new(engine_t **made, size_t ring_bytes, int backend) {
    const backend_t *chosen = backend_of(backend);
    if (chosen == NULL)
        return UV_ENOTSUP;
    engine_t *engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return UV_ENOMEM;
    engine->backend = chosen;
    engine->asked_end = &engine->asked;
    engine->untold_end = &engine->untold;
    atom32_put(&engine->owners, 1);
    int error = init_parts(engine, ring_bytes);
    if (error != 0) {
        free(engine);
        return error;
    }
    fork_enter(engine);
    *made = engine;
    return 0;
}

void engine_release(engine_t *engine) {
    if (atom32_add(&engine->owners, (uint32_t)-1) != 1)
        return;
    if (atom32_load(&engine->state) == ENGINE_FORKED)
        return; /* its locks may be held by threads that there are not: it is left as it is */
    ring_free(&engine->ring);
    wake_free(&engine->wake);
    uv_cond_destroy(&engine->answered);
    uv_mutex_destroy(&engine->lock);
    free(engine->batch);
    free(engine->parked);
    free(engine->result);
    free(engine->sends);
    free(engine->keeper);
    free(engine);
}

void engine_free(engine_t *engine) {
    if (atom32_load(&engine->state) != ENGINE_FORKED) {
        fork_leave(engine);
        events_forget(engine);
    }
    engine_release(engine);
}

int engine_state(const engine_t *engine) {
    return (int)atom32_load(&engine->state);
}

int engine_is_guest(const engine_t *engine) {
    return engine->guest;
}

const char *engine_backend(const engine_t *engine) {
    return engine->backend->name;
}

int engine_fd(const engine_t *engine) {
    return engine->wake.read_fd;
}

size_t engine_count(engine_t *engine) {
    size_t count = 0;
    uv_mutex_lock(&engine->lock);
    for (const handle_t *handle = engine->handles; handle != NULL; handle = handle->next)
        count++;
    uv_mutex_unlock(&engine->lock);
    return count;
}

/* Running. */

void engine_look_again(engine_t *engine) {
    if (engine->async_open && (engine->guest || engine_state(engine) == ENGINE_ENDING))
        uv_async_send(&engine->async);
}

void engine_publish(engine_t *engine) {
    if (ring_publish(&engine->ring))
        wake_reader(&engine->wake);
    if (!engine->hungry || !engine->async_open)
        return;
    /* As with sleeping: this is said before it is looked, and the reader looks after it has read. */
    atom32_swap(&engine->starved, 1);
    atom_fence();
    if (ring_used(&engine->ring) <= engine->ring.size / 2 && atom32_swap(&engine->starved, 0))
        uv_async_send(&engine->async);
}

/* The last one of a guest ends it; with a loop of our own, the loop does, which has nothing left to run. */
void engine_part_closed(engine_t *engine) {
    if (--engine->parts > 0 || !engine->guest)
        return;
    uv_mutex_lock(&engine->lock);
    atom32_store(&engine->state, ENGINE_ENDED);
    handle_count(HANDLE_LOOP, -1);
    uv_cond_broadcast(&engine->answered);
    uv_mutex_unlock(&engine->lock);
    wake_all(&engine->wake);
    engine_release(engine);
}

static void async_closed(uv_handle_t *async) {
    engine_part_closed(PART_OF(engine_t, async, async));
}

/* Whether everything is closed but the engine's own parts: then these are closed, too. */
static void end_if_done(engine_t *engine) {
    uv_mutex_lock(&engine->lock);
    int done = engine->async_open && engine->handles == NULL && engine->links == NULL;
    if (done)
        engine->async_open = 0;
    uv_mutex_unlock(&engine->lock);
    if (!done)
        return;
    engine->backend->stop(engine);
    uv_close((uv_handle_t *)&engine->async, async_closed);
}

/* A guest keeps the loop alive as long as it has handles, and until it has first been asked. */
static void keep_alive(engine_t *engine) {
    uv_mutex_lock(&engine->lock);
    engine->home = uv_thread_self();
    engine->has_run = 1;
    int idle = engine->handles == NULL && engine->asked == NULL &&
               atom32_load(&engine->state) == ENGINE_RUNNING;
    if (idle && !engine->unreferenced)
        uv_unref((uv_handle_t *)&engine->async);
    else if (!idle && engine->unreferenced)
        uv_ref((uv_handle_t *)&engine->async);
    engine->unreferenced = idle;
    uv_cond_broadcast(&engine->answered);
    uv_mutex_unlock(&engine->lock);
}

/* Asked for something, or the reader has made room, or something has been closed. */
static void on_async(uv_async_t *async) {
    engine_t *engine = PART_OF(engine_t, async, async);
    ring_begin(&engine->ring);
    handle_answer_asks(engine);
    if (engine->hungry) {
        engine->hungry = 0;
        receive_resume(engine);
    }
    if (atom32_load(&engine->state) == ENGINE_ENDING) {
        end_if_done(engine);
    }
    engine_publish(engine);
    if (engine->guest && engine->async_open)
        keep_alive(engine);
}

/* The libuv handles of the engine itself. After an error there may be some, that run_down has to close. */
static int start_parts(engine_t *engine) {
    int error = uv_async_init(engine->loop, &engine->async, on_async);
    if (error != 0)
        return error;
    engine->async.data = NULL;
    engine->async_open = 1;
    engine->parts = 1;
    return engine->backend->start(engine);
}

static void name_thread(void) {
#ifdef __APPLE__
    pthread_setname_np("socket-core");
#elif defined(__linux__)
    pthread_setname_np(pthread_self(), "socket-core");
#endif
}

static void run(void *argument) {
    engine_t *engine = argument;
    name_thread();
    uv_run(engine->loop, UV_RUN_DEFAULT);
    uv_loop_close(engine->loop);
    uv_mutex_lock(&engine->lock);
    atom32_store(&engine->state, ENGINE_ENDED);
    handle_count(HANDLE_LOOP, -1);
    uv_cond_broadcast(&engine->answered);
    uv_mutex_unlock(&engine->lock);
    wake_all(&engine->wake);
    /* The maker joins this thread before it gives the engine up. */
}

/* Signals are Python's main thread's: none is ever delivered to ours, which inherits what is blocked here. */
static int start_thread(engine_t *engine) {
#ifndef _WIN32
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
    int error = uv_thread_create(&engine->thread, run, engine);
#ifndef _WIN32
    pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
    return error;
}

static void run_down(engine_t *engine) {
    engine->async_open = 0;
    engine->backend->stop(engine);
    uv_close((uv_handle_t *)&engine->async, async_closed);
    uv_run(engine->loop, UV_RUN_DEFAULT);
    uv_loop_close(engine->loop);
}

/* The first loop of a process makes libuv open a pipe after it has opened something else, and end the process where it
 * cannot: so it is tried before whether there are so many descriptors, and one to spare. */
static int try_files(void) {
    int error = 0;
#ifndef _WIN32
    int files[4] = {-1, -1, -1, -1};
    if (pipe(files) != 0 || (files[2] = dup(files[0])) < 0 || (files[3] = dup(files[0])) < 0)
        error = net_error();
    for (int i = 0; i < 4; i++) {
        if (files[i] >= 0)
            close(files[i]);
    }
#endif
    return error;
}

/* With the first handle; under the lock. */
static int start_own(engine_t *engine) {
    int error = try_files();
    if (error == 0)
        error = uv_loop_init(&engine->own);
    if (error != 0)
        return error;
    engine->loop = &engine->own;
    error = start_parts(engine);
    if (error == 0)
        error = start_thread(engine);
    if (error != 0) {
        if (engine->parts > 0)
            run_down(engine);
        else
            uv_loop_close(&engine->own);
        return error;
    }
    engine->has_thread = 1;
    atom32_store(&engine->state, ENGINE_RUNNING);
    handle_count(HANDLE_LOOP, 1);
    return 0;
}

int engine_start(engine_t *engine) {
    int error = 0;
    uv_mutex_lock(&engine->lock);
    int state = engine_state(engine);
    if (state == ENGINE_NEW)
        error = start_own(engine);
    else if (state != ENGINE_RUNNING)
        error = UV_ECANCELED;
    uv_mutex_unlock(&engine->lock);
    return error;
}

int engine_new_guest(engine_t **made, size_t ring_bytes, int backend, uv_loop_t *loop) {
    int error = engine_new(made, ring_bytes, backend);
    if (error != 0)
        return error;
    engine_t *engine = *made;
    engine->guest = 1;
    engine->loop = loop;
    engine->home = uv_thread_self();
    error = start_parts(engine);
    if (error != 0 && engine->parts == 0) {
        engine_free(engine);
        return error;
    }
    atom32_add(&engine->owners, 1); /* of the loop, until its parts are closed */
    handle_count(HANDLE_LOOP, 1);
    atom32_store(&engine->state, error == 0 ? ENGINE_RUNNING : ENGINE_ENDING);
    uv_async_send(&engine->async); /* so that the first run makes itself known */
    return error;
}

int engine_is_home(engine_t *engine) {
    uv_thread_t self = uv_thread_self();
    return uv_thread_equal(&engine->home, &self);
}

/* Before it has first run, whoever asks may be the very thread that is just running it for the first time: it has a
 * moment to make itself known. */
int engine_may_wait(engine_t *engine) {
    int may = 1;
    if (!engine->guest)
        return 1;
    uv_mutex_lock(&engine->lock);
    while (!engine->has_run && may && engine->async_open && !engine_is_home(engine))
        may = uv_cond_timedwait(&engine->answered, &engine->lock, FIRST_RUN_NS) == 0;
    may = engine->has_run && !engine_is_home(engine);
    uv_mutex_unlock(&engine->lock);
    return may;
}

/* Ending. */

void engine_close(engine_t *engine) {
    uv_mutex_lock(&engine->lock);
    int state = engine_state(engine);
    if (state == ENGINE_NEW) {
        atom32_store(&engine->state, ENGINE_ENDED);
    } else if (state == ENGINE_RUNNING) {
        atom32_store(&engine->state, ENGINE_ENDING);
        handle_close_all(engine);
        if (engine->guest && engine->unreferenced && engine_is_home(engine)) {
            uv_ref((uv_handle_t *)&engine->async);
            engine->unreferenced = 0;
        }
        uv_async_send(&engine->async);
    }
    uv_mutex_unlock(&engine->lock);
    wake_all(&engine->wake);
}

int engine_wait_end(engine_t *engine, uint64_t ns) {
    uint64_t start = uv_hrtime();
    int error = 0, join = 0;
    if (engine_state(engine) == ENGINE_FORKED)
        return 0;
    uv_mutex_lock(&engine->lock);
    while (engine_state(engine) != ENGINE_ENDED && error == 0) {
        uint64_t gone = uv_hrtime() - start;
        if (ns == UINT64_MAX)
            uv_cond_wait(&engine->answered, &engine->lock);
        else if (gone >= ns || uv_cond_timedwait(&engine->answered, &engine->lock, ns - gone) != 0)
            error = engine_state(engine) == ENGINE_ENDED ? 0 : UV_ETIMEDOUT;
    }
    if (error == 0 && engine->has_thread && !engine->joined)
        join = engine->joined = 1;
    uv_mutex_unlock(&engine->lock);
    if (join)
        uv_thread_join(&engine->thread);
    return error;
}

/* The reader. */

static int look(void *state) {
    engine_t *engine = state;
    return ring_filled(&engine->ring) || (engine_state(engine) == ENGINE_ENDED && engine->untold != NULL);
}

/* A sleeper is not left behind when the loop ends. */
static int look_or_ended(void *state) {
    return look(state) || engine_state(state) >= ENGINE_ENDED;
}

const record_t *engine_next(engine_t *engine) {
    const record_t *record = ring_next(&engine->ring);
    if (record == NULL && engine_state(engine) == ENGINE_ENDED && engine->untold != NULL) {
        /* Its thread is no more, so what it could not tell for want of room is written here. */
        events_flush(engine);
        ring_publish(&engine->ring);
        record = ring_next(&engine->ring);
    }
    if (record != NULL)
        ring_fetch_ahead(&engine->ring, record);
    return record;
}

void engine_taken(engine_t *engine, const record_t *record) {
    ring_taken(&engine->ring, record);
}

static void nudge(engine_t *engine) {
    uv_mutex_lock(&engine->lock);
    if (engine->async_open)
        uv_async_send(&engine->async);
    uv_mutex_unlock(&engine->lock);
}

/* What a large batch takes, Python gives back all at once when it is done with it. Where that is the end of the heap,
 * some allocators hand it to the system at once, page by page, and ask for it again for the next batch: for half of the
 * time of a batch. A block behind the largest batch so far keeps it in the heap. */
static void keep_heap(engine_t *engine, size_t found) {
    if (found < KEEP_LEAST || found <= engine->kept_for)
        return;
    free(engine->keeper);
    engine->keeper = malloc(KEEP_BYTES);
    engine->kept_for = found + found / 4;
}

void engine_rest(engine_t *engine, size_t found) {
    keep_heap(engine, found);
    atom_fence();
    if (atom32_peek(&engine->starved)) {
        size_t used = atomz_load(&engine->ring.head) - atomz_peek(&engine->ring.tail);
        if (used <= engine->ring.size / 2 && atom32_swap(&engine->starved, 0))
            nudge(engine);
    }
    if (!ring_filled(&engine->ring))
        wake_rest(&engine->wake, found > 0, look, engine);
}

int engine_filled(engine_t *engine) {
    return look(engine);
}

int engine_wait(engine_t *engine, uint64_t ns) {
    return wake_wait(&engine->wake, ns, look_or_ended, engine);
}

void engine_wake(engine_t *engine) {
    wake_call(&engine->wake);
}
