/* Sending: at once where the system has room, from whatever thread; what it has no room for waits in the socket's queue,
 * which the loop empties when there is room again; what the queue has no room for is refused.
 *
 * The order of what one thread sends is kept: as long as the queue holds something, what comes is put behind it. A
 * datagram leaves the queue when the system has taken it, and not before, so nothing overtakes it on its way.
 */
#include "_engine_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Counted for each datagram in the queue beside its bytes, so that empty ones do not go uncounted (F12). */
    QUEUED_LEAST_BYTES = 64
};

/* Under the lock. An empty queue takes any datagram, or one longer than the queue could never be sent. */
static int has_room(const socket_t *socket, size_t size) {
    size_t count = atomz_peek(&socket->queue_count);
    if (socket->queue_most == 0)
        return 0;
    return count == 0 || (atomz_peek(&socket->queue_bytes) + size <= socket->queue_most &&
                          (count + 1) * QUEUED_LEAST_BYTES <= socket->queue_most);
}

static int append(socket_t *socket, const outgoing_t *item) {
    queued_t *queued = malloc(sizeof(*queued) + item->size);
    if (queued == NULL)
        return 0;
    uint8_t *data = (uint8_t *)(queued + 1);
    memcpy(data, item->data, item->size);
    queued->next = NULL;
    queued->item = *item;
    queued->item.data = data;
    if (socket->last != NULL)
        socket->last->next = queued;
    else
        socket->first = queued;
    socket->last = queued;
    atomz_add(&socket->queue_bytes, item->size);
    atomz_add(&socket->queue_count, 1);
    return 1;
}

/* How many of the first the queue takes. */
static size_t enqueue(socket_t *socket, const outgoing_t *items, size_t count) {
    size_t taken = 0;
    uv_mutex_lock(&socket->lock);
    while (taken < count && has_room(socket, items[taken].size) && append(socket, &items[taken]))
        taken++;
    if (taken < count)
        socket->wants_room = 1;
    uv_mutex_unlock(&socket->lock);
    atomz_add(&socket->queued, taken);
    atomz_add(&socket->refused, count - taken);
    handle_ask(&socket->handle, ASK_FLUSH);
    return taken;
}

static void count_sent(socket_t *socket, const outgoing_t *items, size_t count) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += items[i].size;
    atomz_add(&socket->sent, count);
    atomz_add(&socket->sent_bytes, bytes);
}

/* For the loop's thread to tell of: only it may write to the ring. */
static void leave_failure(socket_t *socket, int error, const address_t *address) {
    socket_note(socket, error);
    uv_mutex_lock(&socket->lock);
    socket->failure = error;
    socket->failure_address = *address;
    uv_mutex_unlock(&socket->lock);
    handle_ask(&socket->handle, ASK_TELL);
}

void socket_tell_failure(socket_t *socket) {
    uv_mutex_lock(&socket->lock);
    int error = socket->failure;
    address_t address = socket->failure_address;
    socket->failure = 0;
    uv_mutex_unlock(&socket->lock);
    if (error != 0)
        events_failed(&socket->handle, error, &address);
}

size_t socket_send(handle_t *handle, const outgoing_t *items, size_t count, send_mode_t mode, int *error) {
    socket_t *socket = socket_of(handle);
    size_t done = 0;
    *error = handle_enter(handle);
    if (*error != 0)
        return 0;
    while (done < count) {
        if (atomz_load(&socket->queue_count) == 0) {
            size_t sent = net_send(&socket->net, items + done, count - done, error);
            count_sent(socket, items + done, sent);
            done += sent;
            if (*error == 0)
                break;
            if (*error != UV_EAGAIN && mode == SEND_STRICT) {
                socket_note(socket, *error);
                break;
            }
            if (*error != UV_EAGAIN) {
                leave_failure(socket, *error, &items[done].address);
                *error = 0;
                done++;
                continue;
            }
        }
        *error = 0;
        done += enqueue(socket, items + done, count - done);
        break;
    }
    handle_leave(handle);
    return done;
}

size_t socket_queued(handle_t *handle) {
    return atomz_load(&socket_of(handle)->queue_bytes);
}

/* The loop's thread alone takes from the queue, so what it has seen at its front stays there. */
static size_t front(socket_t *socket, outgoing_t *items) {
    size_t count = 0;
    uv_mutex_lock(&socket->lock);
    for (queued_t *queued = socket->first; queued != NULL && count < NET_BATCH; queued = queued->next)
        items[count++] = queued->item;
    uv_mutex_unlock(&socket->lock);
    return count;
}

static void take(socket_t *socket, size_t count) {
    while (count-- > 0) {
        uv_mutex_lock(&socket->lock);
        queued_t *queued = socket->first;
        socket->first = queued->next;
        if (socket->first == NULL)
            socket->last = NULL;
        atomz_add(&socket->queue_bytes, (size_t)0 - queued->item.size);
        atomz_add(&socket->queue_count, (size_t)-1);
        uv_mutex_unlock(&socket->lock);
        free(queued);
    }
}

/* Who was refused is told when half of the queue is free. */
static void tell_room(socket_t *socket) {
    int tell = 0;
    uv_mutex_lock(&socket->lock);
    if (socket->wants_room && atomz_peek(&socket->queue_bytes) <= socket->queue_most / 2 &&
        atomz_peek(&socket->queue_count) * QUEUED_LEAST_BYTES <= socket->queue_most / 2) {
        socket->wants_room = 0;
        tell = 1;
    }
    uv_mutex_unlock(&socket->lock);
    if (tell)
        events_tell(&socket->handle, TELL_WRITABLE);
}

static void flush(socket_t *socket, int has_room_now) {
    outgoing_t items[NET_BATCH];
    size_t count;
    int error = 0;
    while ((count = front(socket, items)) > 0) {
        size_t sent = net_send(&socket->net, items, count, &error);
        count_sent(socket, items, sent);
        take(socket, sent);
        has_room_now = 1;
        if (error == UV_EAGAIN)
            break;
        if (error != 0) {
            socket_note(socket, error);
            events_failed(&socket->handle, error, &items[sent].address);
            take(socket, 1);
        }
    }
    if (has_room_now)
        tell_room(socket);
}

/* Somebody was refused, or the system has room. A queue of no bytes says nothing of room: then the system has to. */
void socket_flush(socket_t *socket) {
    flush(socket, socket->queue_most > 0);
    socket->handle.engine->backend->watch(socket);
}

void socket_writable(socket_t *socket) {
    flush(socket, 1);
    socket->handle.engine->backend->watch(socket);
}

void socket_drop_queue(socket_t *socket) {
    while (socket->first != NULL) {
        queued_t *queued = socket->first;
        socket->first = queued->next;
        free(queued);
    }
    socket->last = NULL;
}
