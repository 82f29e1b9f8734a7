/* The backend of Linux: libuv only says that a socket is ready, and the system is called from here.
 *
 * One `recvmmsg` reads up to 64 messages, and a message may be a train of datagrams that the kernel has joined
 * (UDP_GRO): so each place has room for 64 KiB. Most messages are shorter than 2 KiB. The first 2 KiB of all places
 * stand side by side, 128 KiB in all, and the rest of each elsewhere, in memory that is touched only where something
 * is that long; then its beginning is copied in front of it. (Places of 64 KiB in a row would also fall on the same few
 * lines of the processor's cache.)
 */
#include "_engine_parts.h"

#ifdef __linux__

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    HEAD_BYTES = 2048,
    PLACE_BYTES = NET_DATAGRAM_MOST /* HEAD_BYTES of it free, for the head to be put before the rest */
};

/* For what comes with a message: the size of its segments. */
typedef union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
} control_t;

typedef struct poll_batch {
    batch_t batch;
    struct mmsghdr calls[NET_BATCH];
    struct iovec pieces[NET_BATCH][2];
    net_name_t names[NET_BATCH];
    control_t controls[NET_BATCH];
    uint8_t heads[NET_BATCH][HEAD_BYTES];
    uint8_t places[NET_BATCH][PLACE_BYTES]; /* 4 MiB that are not there until they are touched */
} poll_batch_t;

static batch_t *new_batch(void) {
    /* So large that malloc asks the system for it, page by page as it is touched. */
    poll_batch_t *made = malloc(sizeof(*made));
    if (made == NULL)
        return NULL;
    memset(made, 0, offsetof(poll_batch_t, heads));
    for (size_t i = 0; i < NET_BATCH; i++) {
        struct msghdr *head = &made->calls[i].msg_hdr;
        made->pieces[i][0] = (struct iovec){made->heads[i], HEAD_BYTES};
        made->pieces[i][1] = (struct iovec){made->places[i] + HEAD_BYTES, PLACE_BYTES - HEAD_BYTES};
        head->msg_iov = made->pieces[i];
        head->msg_iovlen = 2;
        head->msg_name = &made->names[i];
        head->msg_control = made->controls[i].bytes;
    }
    return &made->batch;
}

static int start(engine_t *engine) {
    (void)engine;
    return 0;
}

static void stop(engine_t *engine) {
    (void)engine;
}

/* The size of each datagram in a message where it is several, or 0. */
static uint32_t segment_of(struct msghdr *head, uint32_t size) {
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(head); cmsg != NULL; cmsg = CMSG_NXTHDR(head, cmsg)) {
        if (cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
            return segment > 0 && (uint32_t)segment < size ? (uint32_t)segment : 0;
        }
    }
    return 0;
}

static void take_message(socket_t *socket, poll_batch_t *own, size_t index) {
    struct mmsghdr *call = &own->calls[index];
    struct msghdr *head = &call->msg_hdr;
    message_t *message = &own->batch.messages[own->batch.count];
    message->socket = socket;
    message->size = call->msg_len;
    message->segment = head->msg_controllen > 0 ? segment_of(head, message->size) : 0;
    message->data = own->heads[index];
    if (head->msg_flags & MSG_TRUNC) {
        count_own(&socket->truncated, 1);
        return;
    }
    if (call->msg_len > HEAD_BYTES) {
        message->data = own->places[index];
        memcpy(message->data, own->heads[index], HEAD_BYTES);
    }
    net_address_of(&own->names[index].any, &message->address);
    own->batch.count++;
}

/* How many messages came, or an error. */
static int read_batch(socket_t *socket, poll_batch_t *own) {
    for (size_t i = 0; i < NET_BATCH; i++) {
        own->calls[i].msg_hdr.msg_namelen = sizeof(net_name_t);
        own->calls[i].msg_hdr.msg_controllen = sizeof(control_t);
    }
    int count = recvmmsg(socket->net.fd, own->calls, NET_BATCH, MSG_DONTWAIT, NULL);
    if (count < 0)
        return net_error();
    for (int i = 0; i < count; i++)
        take_message(socket, own, (size_t)i);
    return count;
}

static void read_socket(socket_t *socket) {
    engine_t *engine = socket->handle.engine;
    for (int round = 0; round < READ_ROUNDS && socket_wants_read(socket); round++) {
        if (socket->link == NULL && engine->parked != NULL) {
            receive_stall(socket);
            return;
        }
        batch_t *batch = receive_begin(engine);
        if (batch == NULL) {
            socket_note(socket, UV_ENOMEM);
            return;
        }
        int count = read_batch(socket, (poll_batch_t *)(void *)batch);
        if (count == UV_EAGAIN)
            return;
        if (count < 0) {
            /* An error that came back for a datagram: it stands in the queue of errors, too. */
            if (count != UV_EINTR && !net_is_belated(count))
                socket_note(socket, count);
            socket_take_errors(socket);
            continue;
        }
        receive_batch(engine);
        if (count < NET_BATCH)
            return;
    }
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    socket_t *socket = PART_OF(socket_t, uv.poll, poll);
    engine_t *engine = socket->handle.engine;
    ring_begin(&engine->ring);
    if (status < 0 || (events & UV_PRIORITIZED))
        socket_take_errors(socket);
    if (status < 0) {
        /* libuv has stopped it: for an error that came back, where the kernel does not tell these apart. */
        socket->events = 0;
        socket->handle.engine->backend->watch(socket);
        events |= UV_READABLE;
    }
    if (events & UV_WRITABLE)
        socket_writable(socket);
    if (events & UV_READABLE)
        read_socket(socket);
    engine_publish(engine);
}

static int open_poll(socket_t *socket) {
    socket->events = 0;
    int error = uv_poll_init_socket(socket->handle.engine->loop, &socket->uv.poll, socket->net.fd);
    socket->uv.poll.data = NULL;
    socket->has_uv = error == 0;
    return error;
}

static void watch(socket_t *socket) {
    int events = UV_PRIORITIZED;
    if (socket_wants_read(socket))
        events |= UV_READABLE;
    if (socket_wants_room(socket))
        events |= UV_WRITABLE;
    if (events == socket->events)
        return;
    socket->events = events;
    uv_poll_start(&socket->uv.poll, events, on_ready);
}

static void closed(uv_handle_t *handle) {
    socket_closed(PART_OF(socket_t, uv.poll, handle));
}

static void close_poll(socket_t *socket) {
    uv_close((uv_handle_t *)&socket->uv.poll, closed);
}

const backend_t backend_poll = {
    .name = "poll",
    .joins = 1,
    .new_batch = new_batch,
    .start = start,
    .stop = stop,
    .open = open_poll,
    .watch = watch,
    .close = close_poll,
};

#endif
