/* The way from the loop's thread to Python: a ring of bytes with records of any length, one writer and one reader.
 *
 * Both sides count bytes up for ever (`head` what was written, `tail` what was read); the place in the memory is the
 * count modulo the size, which is a power of two. Each side writes its own count only, and the two stand in different
 * cache lines, as do the private parts of each. A record is never split: where it does not fit before the end, the
 * writer leaves a record that says "go on at the start".
 *
 * The writer writes any number of records, and then makes them seen all at once (`ring_publish`). So a batch costs one
 * store to the shared line, and one look at whether the reader sleeps (`_wake.h`).
 *
 * A ring that is empty when a batch comes is begun anew at its first byte (`ring_begin`), unless it was lately filled
 * further than that leaves room for: so a quiet program touches the first pages only, and a busy one has all of it.
 */
#ifndef SOCKET_CORE_RING_H
#define SOCKET_CORE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "_address.h"
#include "_atomic.h"

/* What a record is. RING_SKIP is the ring's own. */
enum {
    RING_SKIP = 0,
    RING_DATAGRAM = 1,
    RING_WRITABLE = 2,
    RING_FAILED = 3,
    RING_DROPPED = 4,
    RING_FIRED = 5,
    RING_CLOSED = 6
};

enum {
    RING_ALIGN = 8,
    RING_FETCH_BYTES = 1280, /* a frame and what stands before it */
    RING_LEAST_BYTES = 256 * 1024, /* twice the longest record, so that an empty ring has room for it wherever it is */
    RING_MOST_BYTES = 1024 * 1024 * 1024
};

/* The head of every record; 48 bytes. The bytes of a datagram follow, after its id where `flags` has DELIVERY_HASHED. */
typedef struct record {
    uint32_t length; /* of all of it, a multiple of RING_ALIGN */
    uint16_t kind;
    uint16_t flags;
    uint32_t handle; /* its number in the loop */
    uint32_t size;   /* of the datagram; or a count; or, bit by bit, an int32_t with an error of libuv */
    uint64_t time;   /* ns */
    address_t address;
} record_t;

typedef struct ring {
    uint8_t *bytes;
    size_t size;

    uint8_t line_of_writer[ATOM_LINE];
    size_t next;      /* what has been written, seen or not */
    size_t tail_seen; /* the reader's count when the writer last looked */
    size_t most;      /* how full it lately was */

    uint8_t line_of_head[ATOM_LINE];
    atomz_t head;

    uint8_t line_of_tail[ATOM_LINE];
    atomz_t tail;
    size_t head_seen;
    uint8_t line_of_others[ATOM_LINE];
} ring_t;

/* Of `size` bytes: a power of two from RING_LEAST_BYTES to RING_MOST_BYTES. Returns 0, or -1 for lack of memory. */
int ring_init(ring_t *ring, size_t size);
void ring_free(ring_t *ring);

/* The writer's side. */

/* Before a batch of records. */
void ring_begin(ring_t *ring);
/* Room for a record of `length` bytes or a little more: its `length` is filled in. NULL: there is none now. */
record_t *ring_reserve(ring_t *ring, size_t length);
/* Makes all seen that was reserved since. Returns whether there was anything. */
int ring_publish(ring_t *ring);
/* How many bytes the reader has yet to read, as the writer knows when it asks. */
size_t ring_used(ring_t *ring);

/* The reader's side: inline, since it is the way of every datagram. */

/* The next record, or NULL. It is valid until `ring_taken`. */
static inline const record_t *ring_next(ring_t *ring) {
    for (;;) {
        size_t tail = atomz_peek(&ring->tail);
        if (tail == ring->head_seen) {
            ring->head_seen = atomz_load(&ring->head);
            if (tail == ring->head_seen)
                return NULL;
        }
        const record_t *record = (const record_t *)(const void *)(ring->bytes + (tail & (ring->size - 1)));
        if (record->kind != RING_SKIP)
            return record;
        atomz_store(&ring->tail, tail + record->length);
    }
}

/* Asks for the record behind this one, while this one is worked on: both come from another processor's cache. */
static inline void ring_fetch_ahead(const ring_t *ring, const record_t *record) {
#if defined(__GNUC__) || defined(__clang__)
    size_t next = atomz_peek(&ring->tail) + record->length;
    if (next == ring->head_seen)
        return;
    const uint8_t *at = ring->bytes + (next & (ring->size - 1));
    const uint8_t *end = ring->bytes + ring->size;
    for (size_t i = 0; i < RING_FETCH_BYTES && at + i < end; i += 64)
        __builtin_prefetch(at + i);
#else
    (void)ring;
    (void)record;
#endif
}

static inline void ring_taken(ring_t *ring, const record_t *record) {
    atomz_store(&ring->tail, atomz_peek(&ring->tail) + record->length);
}

/* Whether there is something to read; from any thread. */
static inline int ring_filled(const ring_t *ring) {
    return atomz_load(&ring->tail) != atomz_load(&ring->head);
}

#endif
