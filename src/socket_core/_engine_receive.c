/* Receiving: what a backend has read is handed on, to Python or to a handler.
 *
 * Without a handler, what does not fit into the ring is kept where it is ("parked"), and these sockets are not read
 * until Python has emptied half of the ring: so what comes too fast waits in the system's buffers, and is lost, and
 * counted, only there. With a handler, reading never stops: a relay's work goes on whatever Python does, and what it
 * would have told Python is dropped and counted.
 */
#include "_engine_parts.h"

#include <stdlib.h>

batch_t *receive_begin(engine_t *engine) {
    if (engine->batch == NULL)
        engine->batch = engine->backend->new_batch();
    if (engine->batch != NULL && engine->batch->count == 0)
        engine->batch->at = engine->batch->offset = 0;
    return engine->batch;
}

/* The next datagram of a message, from the batch's offset on; the last one may be shorter. */
static uint32_t next_size(const batch_t *batch, const message_t *message) {
    uint32_t left = message->size - batch->offset;
    return message->segment != 0 && message->segment < left ? message->segment : left;
}

static void next_message(batch_t *batch) {
    batch->at++;
    batch->offset = 0;
}

/* To Python; 0 when the ring is full. */
static int hand_on_plain(batch_t *batch, message_t *message) {
    socket_t *socket = message->socket;
    do {
        uint32_t size = next_size(batch, message);
        if (!events_datagram(socket, message->data + batch->offset, size, &message->address, batch->time, 0, NULL))
            return 0;
        count_own(&socket->received, 1);
        count_own(&socket->received_bytes, size);
        batch->offset += size;
    } while (batch->offset < message->size);
    next_message(batch);
    return 1;
}

/* To the handler of this and the following messages, as many as one call takes. */
static void hand_on_relayed(batch_t *batch) {
    datagram_t datagrams[HANDLER_BATCH];
    size_t count = 0;
    socket_t *first = batch->messages[batch->at].socket;
    while (batch->at < batch->count && count < HANDLER_BATCH) {
        message_t *message = &batch->messages[batch->at];
        socket_t *socket = message->socket;
        if (socket == NULL || socket->link != first->link)
            break;
        uint32_t size = next_size(batch, message);
        datagrams[count++] = (datagram_t){message->data + batch->offset, size, socket->handle.number, message->address};
        count_own(&socket->received, 1);
        count_own(&socket->received_bytes, size);
        batch->offset += size;
        if (batch->offset >= message->size)
            next_message(batch);
    }
    relay_batch(first->link, first, datagrams, count, batch->time);
}

/* All that is for handlers; it does not wait for what is not. */
static void hand_on_all_relayed(batch_t *batch) {
    while (batch->at < batch->count) {
        socket_t *socket = batch->messages[batch->at].socket;
        if (socket != NULL && socket->link != NULL) {
            size_t from = batch->at;
            hand_on_relayed(batch);
            for (; from < batch->at; from++)
                batch->messages[from].socket = NULL;
        } else {
            next_message(batch);
        }
    }
    batch->at = 0;
    batch->offset = 0;
}

static int hand_on_all_plain(batch_t *batch) {
    while (batch->at < batch->count) {
        message_t *message = &batch->messages[batch->at];
        if (message->socket == NULL)
            next_message(batch);
        else if (!hand_on_plain(batch, message))
            return 0;
    }
    batch->count = 0;
    return 1;
}

void receive_batch(engine_t *engine) {
    batch_t *batch = engine->batch;
    if (batch == NULL || batch->count == 0)
        return;
    batch->time = net_clock();
    hand_on_all_relayed(batch);
    if (engine->parked == NULL && hand_on_all_plain(batch))
        return;
    /* A second batch of such sockets cannot come while one is parked: they are not read then. */
    if (engine->parked == NULL) {
        engine->parked = batch;
        engine->batch = NULL;
    } else {
        batch->count = 0;
    }
}

void receive_stall(socket_t *socket) {
    engine_t *engine = socket->handle.engine;
    if (socket->stalled)
        return;
    socket->stalled = 1;
    socket->next_stalled = engine->stalled;
    engine->stalled = socket;
    engine->backend->watch(socket);
}

static int resume_parked(engine_t *engine) {
    if (engine->parked == NULL)
        return 1;
    if (!hand_on_all_plain(engine->parked))
        return 0;
    if (engine->batch == NULL)
        engine->batch = engine->parked;
    else
        free(engine->parked);
    engine->parked = NULL;
    return 1;
}

void receive_resume(engine_t *engine) {
    if (!events_flush(engine) || !resume_parked(engine))
        return;
    socket_t *socket = engine->stalled;
    engine->stalled = NULL;
    while (socket != NULL) {
        socket_t *next = socket->next_stalled;
        socket->stalled = 0;
        if (socket->handle.is_open)
            engine->backend->watch(socket);
        socket = next;
    }
}

static void forget_in(batch_t *batch, const socket_t *socket) {
    for (size_t i = 0; batch != NULL && i < batch->count; i++) {
        if (batch->messages[i].socket != socket)
            continue;
        batch->messages[i].socket = NULL;
        if (i == batch->at)
            batch->offset = 0; /* it may have been handed on in part */
    }
}

/* It is closed: what is left of its datagrams is let go. */
void receive_forget(socket_t *socket) {
    engine_t *engine = socket->handle.engine;
    forget_in(engine->parked, socket);
    forget_in(engine->batch, socket);
    socket_t **at = &engine->stalled;
    while (*at != NULL && *at != socket)
        at = &(*at)->next_stalled;
    if (*at == socket)
        *at = socket->next_stalled;
}
