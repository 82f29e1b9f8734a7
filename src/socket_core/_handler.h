/* What stands between sockets and what is done with datagrams: the socket's loop calls a handler with a batch, and the
 * handler says what to send on and what to hand to Python. It neither receives nor sends, and has no clock.
 *
 * Everything is borrowed: `data` of what comes in is valid, and may be written to (a relay sets the hops), until the
 * call returns and the loop has carried out what was asked for; what goes out points into it, or into the room that the
 * caller lends (`frames` of the result), so that several loops may share one handler. Handlers run on the loop's thread,
 * without the GIL, one call at a time for each loop, and never block longer than a batch of another thread takes.
 */
#ifndef SOCKET_CORE_HANDLER_H
#define SOCKET_CORE_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#include "_address.h"

enum {
    HANDLER_BATCH = 64,           /* datagrams in one call, at most */
    HANDLER_SENDS = 64 * 4,       /* what one call may send */
    HANDLER_DELIVERIES = 64,      /* what one call may hand on; each datagram at most once */
    HANDLER_FRAMES = 32,          /* what one call may send of its own, beside what came in */
    HANDLER_FRAME_BYTES = 1168    /* room for one of them: FRAME_MAX_BYTES, aligned */
};

typedef struct datagram {
    uint8_t *data;
    uint32_t size;   /* 0 to 65,507; more than a frame may have is the handler's to refuse */
    uint32_t socket; /* the number of the socket in its loop */
    address_t address;
} datagram_t;

/* Flags of a delivery, as Python reads them from `Datagram.flags`. */
enum {
    DELIVERY_CHECKED = 1, /* it is a frame */
    DELIVERY_HASHED = 2,  /* `id` is its id */
    DELIVERY_CACHED = 4,  /* it was put into the cache */
    DELIVERY_FORWARDED = 8 /* it is sent on, too: `data` is as it goes on, `came` tells how it came */
};

/* The bytes of a datagram that a handler may change: the hops. */
enum { HANDLER_CHANGED_AT = 2, HANDLER_CHANGED_BYTES = 4 };

typedef struct delivery {
    uint32_t index; /* of the datagram in the batch */
    uint32_t flags;
    uint8_t came[HANDLER_CHANGED_BYTES]; /* before it was changed; hops beyond the limit are clamped */
    uint8_t id[32];
} delivery_t;

typedef struct outgoing {
    const uint8_t *data;
    uint32_t size;
    uint32_t socket; /* HANDLER_ANY_SOCKET: the one that the batch came from, or the first one attached, for a tick */
    address_t address;
} outgoing_t;

#define HANDLER_ANY_SOCKET 0xFFFFFFFFu

typedef struct handler_result {
    outgoing_t sends[HANDLER_SENDS];
    size_t send_count;
    delivery_t deliveries[HANDLER_DELIVERIES];
    size_t delivery_count;
    uint8_t frames[HANDLER_FRAMES][HANDLER_FRAME_BYTES]; /* room that a handler may use, and `sends` may point into */
} handler_result_t;

/* What one batch did is written to `result`, whose counts the caller has set to 0. */
typedef void (*handler_receive_fn)(void *state, datagram_t *batch, size_t count, uint64_t now_ms,
                                   handler_result_t *result);
/* What is due at `now_ms`; returns the time of the next call in ms, or UINT64_MAX. May be called early or late. */
typedef uint64_t (*handler_tick_fn)(void *state, uint64_t now_ms, handler_result_t *result);

typedef struct handler {
    void *state;
    handler_receive_fn receive;
    handler_tick_fn tick; /* NULL: nothing is ever due */
} handler_t;

#endif
