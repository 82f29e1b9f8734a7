/* What Python is told: records in the ring. Datagrams come and go; the news of handles is never lost.
 *
 * Where the ring has no room for such news, it is kept with its handle, one of each kind, in the order in which handles had something to say, and written as soon as there is room.
 */
#include "_engine_parts.h"

#include <string.h>

static record_t *reserve(engine_t *engine, size_t extra, uint16_t kind, uint32_t number) {
    record_t *record = ring_reserve(&engine->ring, sizeof(record_t) + extra);
    if (record == NULL) {
        engine->hungry = 1;
        return NULL;
    }
    record->kind = kind;
    record->handle = number;
    return record;
}

static record_t *write_news(handle_t *handle, uint16_t kind, uint32_t size) {
    record_t *record = reserve(handle->engine, 0, kind, handle->number);
    if (record == NULL)
        return NULL;
    record->flags = 0;
    record->size = size;
    record->time = net_clock();
    memset(&record->address, 0, sizeof(record->address));
    return record;
}

/* Writes one kind of news, if it is there and there is room; returns 0 if there is none. */
static int tell_one(handle_t *handle, uint32_t tell, uint16_t kind, uint32_t size) {
    if (!(handle->tells & tell))
        return 1;
    record_t *record = write_news(handle, kind, size);
    if (record == NULL)
        return 0;
    if (tell == TELL_FAILED)
        record->address = handle->failed_address;
    handle->tells &= ~tell;
    return 1;
}

static int tell_all(handle_t *handle) {
    return tell_one(handle, TELL_FIRED, RING_FIRED, 0) &&
           tell_one(handle, TELL_FAILED, RING_FAILED, (uint32_t)handle->failed) &&
           tell_one(handle, TELL_WRITABLE, RING_WRITABLE, 0) && tell_one(handle, TELL_CLOSED, RING_CLOSED, 0);
}

static int tell_dropped(engine_t *engine) {
    if (engine->dropped == 0)
        return 1;
    record_t *record = reserve(engine, 0, RING_DROPPED, 0);
    if (record == NULL)
        return 0;
    record->flags = 0;
    record->size = 0;
    record->time = engine->dropped; /* a count that 32 bits may not hold */
    memset(&record->address, 0, sizeof(record->address));
    engine->dropped = 0;
    return 1;
}

int events_flush(engine_t *engine) {
    handle_t *handle;
    if (!tell_dropped(engine))
        return 0;
    while ((handle = engine->untold) != NULL) {
        int closed = (handle->tells & TELL_CLOSED) != 0;
        if (!tell_all(handle))
            return 0;
        engine->untold = handle->next_untold;
        if (engine->untold == NULL)
            engine->untold_end = &engine->untold;
        if (closed)
            handle_release(handle);
    }
    return 1;
}

/* What is told while it waits to be told is put to it: that it fired again, that it is closed. */
void events_tell(handle_t *handle, uint32_t tells) {
    engine_t *engine = handle->engine;
    if (handle->tells == 0) {
        handle->next_untold = NULL;
        *engine->untold_end = handle;
        engine->untold_end = &handle->next_untold;
    }
    handle->tells |= tells;
    events_flush(engine);
}

void events_failed(handle_t *handle, int error, const address_t *address) {
    handle->failed = error;
    if (address != NULL)
        handle->failed_address = *address;
    else
        memset(&handle->failed_address, 0, sizeof(handle->failed_address));
    events_tell(handle, TELL_FAILED);
}

/* Nobody will read it any more. */
void events_forget(engine_t *engine) {
    handle_t *handle;
    while ((handle = engine->untold) != NULL) {
        engine->untold = handle->next_untold;
        if (handle->tells & TELL_CLOSED)
            handle_release(handle);
    }
    engine->untold_end = &engine->untold;
}

int events_datagram(socket_t *socket, const uint8_t *data, uint32_t size, const address_t *address, uint64_t time,
                    uint32_t flags, const uint8_t *id) {
    engine_t *engine = socket->handle.engine;
    size_t id_bytes = id != NULL ? 32 : 0;
    if ((engine->untold != NULL || engine->dropped != 0) && !events_flush(engine))
        return 0; /* they were first */
    record_t *record = reserve(engine, id_bytes + size, RING_DATAGRAM, socket->handle.number);
    if (record == NULL)
        return 0;
    record->flags = (uint16_t)(id != NULL ? flags | DELIVERY_HASHED : flags & ~(uint32_t)DELIVERY_HASHED);
    record->size = size;
    record->time = time;
    record->address = *address;
    uint8_t *at = (uint8_t *)(record + 1);
    if (id != NULL)
        memcpy(at, id, 32);
    memcpy(at + id_bytes, data, size);
    return 1;
}
