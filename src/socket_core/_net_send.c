/* Sending many datagrams with few calls of the system; see _net.h.
 *
 * On Linux one `sendmmsg` takes up to 64 messages, and a message may be a run of datagrams of one size to one address,
 * which the kernel takes apart at the last moment (UDP_SEGMENT): its way through the network code is then walked once
 * for all of them. Elsewhere each datagram is a call.
 */
#include "_net.h"

#include <string.h>

#ifndef _WIN32
#include <errno.h>
#endif
#ifdef __linux__
#include <linux/errqueue.h>
#include <netinet/udp.h>
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#endif

enum {
    /* A call fails with the error of an earlier datagram and does nothing else; then it is made again, so often. */
    BELATED_REFUSED = 64,
    BELATED_OTHERS = 2
};

int net_is_belated(int error) {
    return error == UV_ECONNREFUSED || error == UV_ECONNRESET;
}

/* Of a route, of this datagram or of an earlier one: told apart by trying again. */
static int may_be_belated(int error) {
    return error == UV_EHOSTUNREACH || error == UV_ENETUNREACH || error == UV_EPROTO || error == UV_EHOSTDOWN ||
           error == UV_ENOPROTOOPT || error == UV_EMSGSIZE || error == UV_EACCES || error == UV_ENOTSUP;
}

/* Whether to try the same again, for the `tries`th time. */
static int try_again(int error, int tries) {
    if (error == UV_EINTR)
        return 1;
    if (net_is_belated(error))
        return tries < BELATED_REFUSED;
    return may_be_belated(error) && tries < BELATED_OTHERS;
}

#ifdef __linux__

enum {
    SEGMENTS = 64,      /* of one message: more the kernel does not take */
    PIECES = 512,       /* datagrams in one call */
    RUN_BYTES = 65000   /* of one message: it has to pass for a datagram */
};

typedef union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
} control_t;

/* What one call is made of; lives on the stack. */
typedef struct call {
    struct mmsghdr messages[NET_BATCH];
    net_name_t names[NET_BATCH];
    control_t controls[NET_BATCH];
    struct iovec pieces[PIECES];
    size_t starts[NET_BATCH + 1]; /* the first datagram of each message */
    size_t count;
    int error; /* of the datagram at starts[count] */
} call_t;

/* How many datagrams from the first on may go as one message. */
static size_t run_length(const outgoing_t *items, size_t count, size_t segment_most) {
    size_t size = items[0].size, total = size, length = 1;
    if (size == 0 || size > segment_most)
        return 1;
    while (length < count && length < SEGMENTS) {
        const outgoing_t *item = &items[length];
        total += item->size;
        if (item->size == 0 || item->size > size || total > RUN_BYTES || !address_equal(&item->address, &items[0].address))
            break;
        length++;
        if (item->size < size)
            break; /* a shorter one ends it */
    }
    return length;
}

static void put_segment_size(struct msghdr *head, control_t *control, size_t size) {
    uint16_t segment = (uint16_t)size;
    head->msg_control = control->bytes;
    head->msg_controllen = sizeof(control->bytes);
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(head);
    cmsg->cmsg_level = IPPROTO_UDP;
    cmsg->cmsg_type = UDP_SEGMENT;
    cmsg->cmsg_len = CMSG_LEN(sizeof(segment));
    memcpy(CMSG_DATA(cmsg), &segment, sizeof(segment));
}

static void fill_call(call_t *call, const net_t *net, const outgoing_t *items, size_t count, size_t segment_most) {
    size_t at = 0, piece = 0;
    call->count = 0;
    call->error = 0;
    call->starts[0] = 0;
    while (at < count && call->count < NET_BATCH && piece < PIECES) {
        const outgoing_t *first = &items[at];
        struct msghdr *head = &call->messages[call->count].msg_hdr;
        net_name_t *name = &call->names[call->count];
        memset(head, 0, sizeof(*head));
        if (first->address.family != 0) {
            call->error = net_name_of(net, &first->address, name, &head->msg_namelen);
            if (call->error != 0)
                return;
            head->msg_name = name;
        }
        size_t room = PIECES - piece < count - at ? PIECES - piece : count - at;
        size_t length = run_length(first, room, segment_most);
        if (length > 1)
            put_segment_size(head, &call->controls[call->count], first->size);
        head->msg_iov = &call->pieces[piece];
        head->msg_iovlen = length;
        for (size_t i = 0; i < length; i++, piece++) {
            call->pieces[piece].iov_base = (void *)(uintptr_t)first[i].data;
            call->pieces[piece].iov_len = first[i].size;
        }
        at += length;
        call->starts[++call->count] = at;
    }
}

/* After a run was refused: it is sent one by one from now on, if the system cannot at all, or not of this size. */
static int give_up_runs(net_t *net, const call_t *call, int error) {
    size_t length = call->starts[1] - call->starts[0];
    if (call->count == 0 || length == 1)
        return 0;
    if (error == UV_EIO || error == UV_ENOTSUP || error == UV_ENOPROTOOPT)
        atom32_put(&net->segment_most, 0);
    else if (error == UV_EINVAL || error == UV_EMSGSIZE)
        atom32_put(&net->segment_most, (uint32_t)(call->pieces[0].iov_len - 1));
    else
        return 0;
    return 1;
}

size_t net_send(net_t *net, const outgoing_t *items, size_t count, int *error) {
    call_t call;
    size_t done = 0;
    int tries = 0;
    *error = 0;
    while (done < count) {
        fill_call(&call, net, items + done, count - done, atom32_peek(&net->segment_most));
        if (call.count == 0) {
            *error = call.error;
            break;
        }
        int sent = sendmmsg(net->fd, call.messages, (unsigned)call.count, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            done += call.starts[sent];
            tries = 0;
            continue;
        }
        *error = net_error();
        if (give_up_runs(net, &call, *error))
            continue;
        if (!try_again(*error, ++tries))
            break;
    }
    if (done == count)
        *error = 0;
    return done;
}

/* Where the error came from is in `extended`; what it is about, in `name`. */
int net_take_error(const net_t *net, int *error, address_t *address) {
    net_name_t name;
    char control[512];
    struct msghdr head = {.msg_name = &name, .msg_namelen = sizeof(name), .msg_control = control,
                          .msg_controllen = sizeof(control)};
    if (recvmsg(net->fd, &head, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return 0;
    memset(address, 0, sizeof(*address));
    *error = 0;
    if (head.msg_namelen >= sizeof(name.v4))
        net_address_of(&name.any, address);
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&head); cmsg != NULL; cmsg = CMSG_NXTHDR(&head, cmsg)) {
        int four = cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR;
        int six = cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR;
        if (!four && !six)
            continue;
        struct sock_extended_err extended;
        memcpy(&extended, CMSG_DATA(cmsg), sizeof(extended));
        *error = uv_translate_sys_error((int)extended.ee_errno);
    }
    return 1;
}

#else

int net_take_error(const net_t *net, int *error, address_t *address) {
    (void)net;
    (void)error;
    (void)address;
    return 0;
}

static int send_one(const net_t *net, const outgoing_t *item) {
    net_name_t name;
    socklen_type_t length = 0;
    if (item->address.family != 0) {
        int error = net_name_of(net, &item->address, &name, &length);
        if (error != 0)
            return error;
    }
    const struct sockaddr *to = length == 0 ? NULL : &name.any;
#ifdef _WIN32
    if (item->size > NET_DATAGRAM_MOST)
        return UV_EMSGSIZE;
    int sent = sendto(net->fd, (const char *)item->data, (int)item->size, 0, to, length);
#else
    ssize_t sent = sendto(net->fd, item->data, item->size, 0, to, length);
#endif
    if (sent >= 0)
        return 0;
    int error = net_error();
    /* Of BSD descent: the queue of the interface is full. Nothing tells when it is not, so it is as good as lost. */
    return error;
}

size_t net_send(net_t *net, const outgoing_t *items, size_t count, int *error) {
    size_t done = 0;
    int tries = 0;
    *error = 0;
    while (done < count) {
        *error = send_one(net, &items[done]);
        if (*error == 0) {
            done++;
            tries = 0;
        } else if (!try_again(*error, ++tries)) {
            break;
        }
    }
    return done;
}

#endif
