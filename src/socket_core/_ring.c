/* The writer's side of the ring; see _ring.h. */
#include "_ring.h"

#include <stdlib.h>

int ring_init(ring_t *ring, size_t size) {
    ring->bytes = calloc(1, size); /* so large that the system gives pages only when they are touched */
    if (ring->bytes == NULL)
        return -1;
    ring->size = size;
    ring->next = ring->tail_seen = ring->most = ring->head_seen = 0;
    atomz_put(&ring->head, 0);
    atomz_put(&ring->tail, 0);
    return 0;
}

void ring_free(ring_t *ring) {
    free(ring->bytes);
    ring->bytes = NULL;
}

size_t ring_used(ring_t *ring) {
    ring->tail_seen = atomz_load(&ring->tail);
    return ring->next - ring->tail_seen;
}

/* Only `length` and `kind` of it: near the end there may be room for no more. */
static void skip_to_start(ring_t *ring) {
    size_t place = ring->next & (ring->size - 1);
    record_t *record = (record_t *)(void *)(ring->bytes + place);
    record->length = (uint32_t)(ring->size - place);
    record->kind = RING_SKIP;
    ring->next += ring->size - place;
}

void ring_begin(ring_t *ring) {
    size_t used = ring_used(ring);
    size_t place = ring->next & (ring->size - 1);
    if (used > ring->most)
        ring->most = used;
    /* What stands before `place` is all the room there is until the reader has seen the skip: a quarter of the ring,
     * and four times of what was lately needed. */
    if (used == 0 && place >= ring->size / 4 && place / 4 >= ring->most) {
        skip_to_start(ring);
        ring->most -= ring->most / 8;
    }
}

record_t *ring_reserve(ring_t *ring, size_t length) {
    size_t aligned = (length + RING_ALIGN - 1) & ~(size_t)(RING_ALIGN - 1);
    size_t to_end = ring->size - (ring->next & (ring->size - 1));
    size_t needed = aligned <= to_end ? aligned : to_end + aligned;
    if (ring->size - (ring->next - ring->tail_seen) < needed && ring->size - ring_used(ring) < needed)
        return NULL;
    if (aligned > to_end)
        skip_to_start(ring);
    record_t *record = (record_t *)(void *)(ring->bytes + (ring->next & (ring->size - 1)));
    record->length = (uint32_t)aligned;
    ring->next += aligned;
    return record;
}

int ring_publish(ring_t *ring) {
    if (atomz_peek(&ring->head) == ring->next)
        return 0;
    atomz_store(&ring->head, ring->next);
    return 1;
}
