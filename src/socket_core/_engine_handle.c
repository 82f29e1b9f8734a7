/* The life of a handle, and what the loop is asked to do with it; see _engine_parts.h. */
#include "_engine_parts.h"

#include <stdlib.h>

static atom32_t alive[HANDLE_KINDS];

uint32_t handles_alive(int kind) {
    return atom32_load(&alive[kind]);
}

void handle_count(int kind, int by) {
    atom32_add(&alive[kind], (uint32_t)by);
}

void handle_count_reset(void) {
    for (int kind = 0; kind < HANDLE_KINDS; kind++)
        atom32_store(&alive[kind], 0);
}

void handle_init(handle_t *handle, engine_t *engine, int kind) {
    handle->engine = engine;
    handle->kind = (uint8_t)kind;
    atom32_put(&handle->owners, 1);
    atom32_add(&engine->owners, 1);
}

void handle_release(handle_t *handle) {
    if (atom32_add(&handle->owners, (uint32_t)-1) != 1)
        return;
    engine_t *engine = handle->engine;
    if (handle->kind == HANDLE_SOCKET)
        socket_free(socket_of(handle));
    else
        free(handle);
    engine_release(engine);
}

uint32_t handle_number(const handle_t *handle) {
    return handle->number;
}

int handle_is_closing(const handle_t *handle) {
    return (atom32_load(&handle->gate) & GATE_CLOSING) != 0;
}

int handle_enter(handle_t *handle) {
    uint32_t gate;
    do {
        gate = atom32_load(&handle->gate);
        if (gate & GATE_CLOSING)
            return UV_EBADF;
    } while (!atom32_replace(&handle->gate, gate, gate + 1));
    return 0;
}

/* Once it is closing the users only become fewer, so one of them, or who closed it, is the last. */
void handle_leave(handle_t *handle) {
    if (atom32_add(&handle->gate, (uint32_t)-1) == (GATE_CLOSING | 1))
        handle_ask(handle, ASK_CLOSE);
}

void handle_close(handle_t *handle) {
    if (atom32_set_bits(&handle->gate, GATE_CLOSING) == 0)
        handle_ask(handle, ASK_CLOSE);
}

/* Under the lock. Returns the number of the question, or 0 where nobody would answer. */
static uint64_t ask_locked(handle_t *handle, uint32_t asks) {
    engine_t *engine = handle->engine;
    if (handle->gone || !engine->async_open)
        return 0;
    if (handle->asks == 0) {
        handle->next_asked = NULL;
        *engine->asked_end = handle;
        engine->asked_end = &handle->next_asked;
    }
    handle->asks |= asks;
    if (engine->guest && engine->unreferenced && engine_is_home(engine)) {
        /* It has run and may have ended; on its own thread we may see to it that the next run finds something to do. */
        uv_ref((uv_handle_t *)&engine->async);
        engine->unreferenced = 0;
    }
    uv_async_send(&engine->async);
    return ++engine->questions;
}

void handle_ask(handle_t *handle, uint32_t asks) {
    uv_mutex_lock(&handle->engine->lock);
    ask_locked(handle, asks);
    uv_mutex_unlock(&handle->engine->lock);
}

static void wait_for_answer(engine_t *engine, uint64_t question) {
    while (!engine->guest && engine->answers < question && engine->async_open)
        uv_cond_wait(&engine->answered, &engine->lock);
}

void handle_ask_and_wait(handle_t *handle, uint32_t asks) {
    engine_t *engine = handle->engine;
    uv_mutex_lock(&engine->lock);
    wait_for_answer(engine, ask_locked(handle, asks));
    uv_mutex_unlock(&engine->lock);
}

static void enter_list(handle_t *handle) {
    engine_t *engine = handle->engine;
    handle->number = ++engine->last_number;
    handle->next = engine->handles;
    if (engine->handles != NULL)
        engine->handles->previous = handle;
    engine->handles = handle;
    atom32_add(&handle->owners, 1);
    handle_count(handle->kind, 1);
}

static void leave_list(handle_t *handle) {
    engine_t *engine = handle->engine;
    if (handle->previous != NULL)
        handle->previous->next = handle->next;
    else
        engine->handles = handle->next;
    if (handle->next != NULL)
        handle->next->previous = handle->previous;
    handle->next = handle->previous = NULL;
    handle_count(handle->kind, -1);
}

int handle_start(handle_t *handle) {
    engine_t *engine = handle->engine;
    int error = engine_start(engine);
    if (error != 0)
        return error;
    uv_mutex_lock(&engine->lock);
    if (atom32_load(&engine->state) != ENGINE_RUNNING) {
        error = UV_ECANCELED;
    } else {
        enter_list(handle);
        wait_for_answer(engine, ask_locked(handle, ASK_OPEN));
        error = handle->opened < 0 ? handle->opened : 0;
        if (handle->opened == 0 && !engine->guest)
            error = UV_ECANCELED;
    }
    uv_mutex_unlock(&engine->lock);
    return error;
}

/* Takes it out of those that were asked for something. */
static void forget_asks(handle_t *handle) {
    engine_t *engine = handle->engine;
    if (handle->asks == 0)
        return;
    handle_t **at = &engine->asked;
    while (*at != NULL && *at != handle)
        at = &(*at)->next_asked;
    if (*at == handle) {
        *at = handle->next_asked;
        if (engine->asked_end == &handle->next_asked)
            engine->asked_end = at;
    }
    handle->asks = 0;
}

void handle_gone(handle_t *handle) {
    engine_t *engine = handle->engine;
    uv_mutex_lock(&engine->lock);
    forget_asks(handle);
    handle->gone = 1;
    handle->is_open = 0;
    leave_list(handle);
    int told = handle->opened == 1;
    uv_mutex_unlock(&engine->lock);
    if (told)
        events_tell(handle, TELL_CLOSED); /* which lets go of it in the end */
    engine_look_again(engine);
    if (!told)
        handle_release(handle);
}

static void open_handle(handle_t *handle) {
    engine_t *engine = handle->engine;
    int error = handle->kind == HANDLE_SOCKET ? socket_open(socket_of(handle)) : timer_open((ticker_t *)(void *)handle);
    uv_mutex_lock(&engine->lock);
    /* A guest's maker does not wait for an answer: it is told of an error, and that the handle is closed, by events. */
    handle->opened = error == 0 || engine->guest ? 1 : error;
    handle->is_open = error == 0;
    uv_mutex_unlock(&engine->lock);
    if (error == 0)
        return;
    atom32_set_bits(&handle->gate, GATE_CLOSING);
    if (engine->guest)
        events_failed(handle, error, NULL);
    if (handle->kind != HANDLE_SOCKET)
        handle_gone(handle);
    else if (socket_of(handle)->has_uv)
        engine->backend->close(socket_of(handle));
    else
        socket_closed(socket_of(handle));
}

static void close_handle(handle_t *handle) {
    if (!handle->is_open)
        return;
    handle->is_open = 0;
    if (handle->kind == HANDLE_SOCKET) {
        socket_count_lost(socket_of(handle));
        handle->engine->backend->close(socket_of(handle));
    } else {
        timer_close((ticker_t *)(void *)handle);
    }
}

static void do_asks(handle_t *handle, uint32_t asks) {
    if (asks & ASK_OPEN)
        open_handle(handle);
    if (!handle->is_open)
        return;
    if (asks & ASK_TIMER)
        timer_apply((ticker_t *)(void *)handle);
    if (asks & ASK_TELL)
        socket_tell_failure(socket_of(handle));
    if (asks & ASK_FLUSH)
        socket_flush(socket_of(handle));
    else if (asks & ASK_READ)
        handle->engine->backend->watch(socket_of(handle));
    if (asks & ASK_CLOSE)
        close_handle(handle);
}

/* A handle may be freed while it is answered: opening failed, and its maker does not wait. It is held meanwhile. */
void handle_answer_asks(engine_t *engine) {
    uv_mutex_lock(&engine->lock);
    uint64_t upto = engine->questions;
    handle_t *handle;
    while ((handle = engine->asked) != NULL) {
        uint32_t asks = handle->asks;
        engine->asked = handle->next_asked;
        if (engine->asked == NULL)
            engine->asked_end = &engine->asked;
        handle->asks = 0;
        atom32_add(&handle->owners, 1);
        uv_mutex_unlock(&engine->lock);
        do_asks(handle, asks);
        handle_release(handle);
        uv_mutex_lock(&engine->lock);
    }
    engine->answers = upto;
    uv_cond_broadcast(&engine->answered);
    uv_mutex_unlock(&engine->lock);
}

void handle_close_all(engine_t *engine) {
    for (handle_t *handle = engine->handles; handle != NULL; handle = handle->next) {
        uint32_t gate = atom32_set_bits(&handle->gate, GATE_CLOSING);
        if (gate == 0)
            ask_locked(handle, ASK_CLOSE);
    }
}
