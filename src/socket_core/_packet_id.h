/* The id of a packet, worked out once, on first demand, by whichever thread asks first.
 *
 * Threads may ask at the same time, with or without the GIL: one of them writes the bytes, and the others go by their
 * own result until the bytes are there. Nobody waits.
 */
#ifndef SOCKET_CORE_PACKET_ID_H
#define SOCKET_CORE_PACKET_ID_H

#include <stdint.h>
#include <string.h>

#include "_atomic.h"

typedef struct packet_id {
    atom32_t state; /* 0 unknown, 1 being written, 2 known */
    uint8_t bytes[32];
} packet_id_t;

/* Copies the id out; 0 where it is not known yet. */
static inline int packet_id_get(packet_id_t *id, uint8_t *bytes) {
    if (atom32_load(&id->state) != 2)
        return 0;
    memcpy(bytes, id->bytes, sizeof(id->bytes));
    return 1;
}

static inline void packet_id_put(packet_id_t *id, const uint8_t *bytes) {
    if (atom32_replace(&id->state, 0, 1)) {
        memcpy(id->bytes, bytes, sizeof(id->bytes));
        atom32_store(&id->state, 2);
    }
}

#endif
