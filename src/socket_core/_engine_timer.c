/* Timers; see _engine.h. libuv counts in milliseconds. */
#include "_engine_parts.h"

#include <stdlib.h>

static ticker_t *ticker_of(handle_t *handle) {
    return (ticker_t *)(void *)handle;
}

int timer_new(engine_t *engine, uint64_t delay_ms, uint64_t repeat_ms, handle_t **made) {
    ticker_t *ticker = calloc(1, sizeof(*ticker));
    if (ticker == NULL)
        return UV_ENOMEM;
    handle_init(&ticker->handle, engine, HANDLE_TIMER);
    ticker->delay = delay_ms;
    ticker->repeat = repeat_ms;
    int error = handle_start(&ticker->handle);
    if (error != 0)
        handle_release(&ticker->handle);
    else
        *made = &ticker->handle;
    return error;
}

static void fired(uv_timer_t *uv) {
    ticker_t *ticker = PART_OF(ticker_t, uv, uv);
    engine_t *engine = ticker->handle.engine;
    if (atom32_add(&ticker->fired, 1) != 0)
        return; /* the reader has been told, and takes the count when it comes to that */
    ring_begin(&engine->ring);
    events_tell(&ticker->handle, TELL_FIRED);
    engine_publish(engine);
}

int timer_open(ticker_t *ticker) {
    int error = uv_timer_init(ticker->handle.engine->loop, &ticker->uv);
    if (error != 0)
        return error;
    ticker->uv.data = NULL;
    timer_apply(ticker);
    return 0;
}

void timer_apply(ticker_t *ticker) {
    engine_t *engine = ticker->handle.engine;
    uv_mutex_lock(&engine->lock);
    uint64_t delay = ticker->delay, repeat = ticker->repeat;
    uv_mutex_unlock(&engine->lock);
    if (delay == UINT64_MAX) {
        uv_timer_stop(&ticker->uv);
        return;
    }
    /* libuv counts from the millisecond in which its loop last woke up: so that nothing is early, that is now, and the
     * millisecond that has begun does not count. */
    uv_update_time(engine->loop);
    uv_timer_start(&ticker->uv, fired, delay > 0 ? delay + 1 : 0, repeat);
}

static void closed(uv_handle_t *uv) {
    ticker_t *ticker = PART_OF(ticker_t, uv, uv);
    engine_t *engine = ticker->handle.engine;
    handle_gone(&ticker->handle);
    engine_publish(engine);
}

void timer_close(ticker_t *ticker) {
    uv_close((uv_handle_t *)&ticker->uv, closed);
}

uint32_t timer_take_fired(handle_t *handle) {
    return atom32_swap(&ticker_of(handle)->fired, 0);
}

void timer_set(handle_t *handle, uint64_t delay_ms, uint64_t repeat_ms) {
    engine_t *engine = handle->engine;
    uv_mutex_lock(&engine->lock);
    ticker_of(handle)->delay = delay_ms;
    ticker_of(handle)->repeat = repeat_ms;
    uv_mutex_unlock(&engine->lock);
    handle_ask(handle, ASK_TIMER);
}
