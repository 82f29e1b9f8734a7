/* The backend for all systems: libuv reads (`uv_udp_t`), by many at once where the system can (UV_UDP_RECVMMSG).
 *
 * libuv hands over one datagram a call, and says when a train of them ends; where it reads them one by one, it does not
 * always say so. What has come is gathered, each in its place, and handed on when the places are full, when the train
 * ends, and at the latest when libuv has been through with all that was ready (`check`).
 *
 * Sending does not go through libuv: its queue belongs to its thread, and ours send from wherever they are. Where the
 * system has no room, it is tried again after a moment: such systems do not tell when there is room, or have none only
 * for moments.
 */
#include "_engine_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    PLACES = 20,                     /* libuv reads no more at once */
    PLACE_BYTES = NET_DATAGRAM_MOST, /* and counts on these */
    RETRY_MS = 2
};

typedef struct udp_batch {
    batch_t batch;
    uint8_t places[PLACES][PLACE_BYTES]; /* 1.25 MiB, of which a page each is touched for what is short */
} udp_batch_t;

static batch_t *new_batch(void) {
    udp_batch_t *made = malloc(sizeof(*made));
    if (made != NULL)
        memset(&made->batch, 0, sizeof(made->batch));
    return made != NULL ? &made->batch : NULL;
}

static void on_check(uv_check_t *check) {
    engine_t *engine = PART_OF(engine_t, check, check);
    uv_check_stop(check);
    ring_begin(&engine->ring);
    receive_batch(engine);
    engine_publish(engine);
}

/* Every queue that has something gets its turn; the timer runs as long as there is one. */
static void on_retry(uv_timer_t *timer) {
    engine_t *engine = PART_OF(engine_t, retry, timer);
    ring_begin(&engine->ring);
    uv_timer_stop(timer);
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        for (socket_t *socket = engine->table[i]; socket != NULL; socket = socket->next_in_table) {
            if (socket->handle.is_open && socket_wants_room(socket))
                socket_writable(socket); /* which starts the timer again, if need be */
        }
    }
    engine_publish(engine);
}

static int start(engine_t *engine) {
    int error = uv_check_init(engine->loop, &engine->check);
    if (error != 0)
        return error;
    engine->parts++;
    engine->check.data = NULL;
    error = uv_timer_init(engine->loop, &engine->retry);
    if (error != 0)
        return error;
    engine->parts++;
    engine->retry.data = NULL;
    return 0;
}

static void check_closed(uv_handle_t *check) {
    engine_part_closed(PART_OF(engine_t, check, check));
}

static void retry_closed(uv_handle_t *retry) {
    engine_part_closed(PART_OF(engine_t, retry, retry));
}

static void stop(engine_t *engine) {
    /* In the order of start, as far as that came. */
    if (engine->check.loop != NULL)
        uv_close((uv_handle_t *)&engine->check, check_closed);
    if (engine->retry.loop != NULL)
        uv_close((uv_handle_t *)&engine->retry, retry_closed);
}

/* The first free place, or all of them where libuv reads many at once. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    socket_t *socket = PART_OF(socket_t, uv.udp, handle);
    engine_t *engine = socket->handle.engine;
    (void)suggested;
    buffer->base = NULL;
    buffer->len = 0;
    if (socket->link == NULL && engine->parked != NULL)
        return; /* it is stalled, in on_receive */
    int many = uv_udp_using_recvmmsg(&socket->uv.udp);
    if (engine->batch != NULL && engine->batch->count > (many ? 0 : PLACES - 1))
        receive_batch(engine);
    if (socket->link == NULL && engine->parked != NULL)
        return;
    udp_batch_t *own = (udp_batch_t *)(void *)receive_begin(engine);
    if (own == NULL)
        return;
    size_t first = own->batch.count;
    buffer->base = (char *)own->places[first];
    buffer->len = many ? sizeof(own->places) : PLACE_BYTES;
}

static void gather(socket_t *socket, char *base, size_t size, const struct sockaddr *name) {
    engine_t *engine = socket->handle.engine;
    batch_t *batch = engine->batch;
    message_t *message = &batch->messages[batch->count++];
    message->data = (uint8_t *)base;
    message->size = (uint32_t)size;
    message->segment = 0;
    message->socket = socket;
    net_address_of(name, &message->address);
    if (!uv_is_active((uv_handle_t *)&engine->check))
        uv_check_start(&engine->check, on_check);
}

/* Nothing to read, an error, or the end of a train. */
static void on_no_datagram(socket_t *socket, ssize_t result) {
    engine_t *engine = socket->handle.engine;
    receive_batch(engine);
    if (result == UV_ENOBUFS && socket->link == NULL && engine->parked != NULL) {
        receive_stall(socket);
        return;
    }
    if (result < 0) {
        if (result == UV_ENOBUFS || !net_is_belated((int)result))
            socket_note(socket, result == UV_ENOBUFS ? UV_ENOMEM : (int)result);
#ifndef __linux__
        else {
            socket_note(socket, (int)result);
            events_failed(&socket->handle, (int)result, NULL);
        }
#endif
    }
}

static void on_receive(uv_udp_t *udp, ssize_t result, const uv_buf_t *buffer, const struct sockaddr *name,
                       unsigned flags) {
    socket_t *socket = PART_OF(socket_t, uv.udp, udp);
    engine_t *engine = socket->handle.engine;
    ring_begin(&engine->ring);
    if (result < 0 || name == NULL) {
        on_no_datagram(socket, result);
        if (!(flags & UV_UDP_MMSG_FREE))
            socket_take_errors(socket); /* libuv is woken for them too, and finds nothing to read */
    } else if (flags & UV_UDP_PARTIAL) {
        count_own(&socket->truncated, 1);
    } else {
        gather(socket, buffer->base, (size_t)result, name);
    }
    engine_publish(engine);
}

static int open_udp(socket_t *socket) {
    int error = uv_udp_init_ex(socket->handle.engine->loop, &socket->uv.udp, AF_UNSPEC | UV_UDP_RECVMMSG);
    if (error != 0)
        return error;
    socket->uv.udp.data = NULL;
    socket->has_uv = 1;
    error = uv_udp_open(&socket->uv.udp, socket->net.fd);
    if (error != 0)
        return error;
    /* Some versions of libuv make every socket that they are given one whose port may be shared. */
    return net_restore_sharing(&socket->net);
}

static void watch(socket_t *socket) {
    engine_t *engine = socket->handle.engine;
    int events = socket_wants_read(socket) ? UV_READABLE : 0;
    if (events != socket->events) {
        socket->events = events;
        if (events)
            uv_udp_recv_start(&socket->uv.udp, on_alloc, on_receive);
        else
            uv_udp_recv_stop(&socket->uv.udp);
    }
    if (socket_wants_room(socket) && !uv_is_active((uv_handle_t *)&engine->retry))
        uv_timer_start(&engine->retry, on_retry, RETRY_MS, 0);
}

static void closed(uv_handle_t *handle) {
    socket_closed(PART_OF(socket_t, uv.udp, handle));
}

static void close_udp(socket_t *socket) {
    uv_os_fd_t fd;
    if (uv_fileno((const uv_handle_t *)&socket->uv.udp, &fd) == 0)
        socket->net.fd = NET_NONE; /* libuv has it, and closes it */
    uv_close((uv_handle_t *)&socket->uv.udp, closed);
}

const backend_t backend_udp = {
    .name = "udp",
    .new_batch = new_batch,
    .start = start,
    .stop = stop,
    .open = open_udp,
    .watch = watch,
    .close = close_udp,
};
