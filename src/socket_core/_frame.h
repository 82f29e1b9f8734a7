/* The packet's frame: offsets, limits and the check that every datagram passes first.
 *
 * Big-endian; 142 bytes of header, then 0 to 1024 bytes of message. The message's length is the
 * datagram's length less the header. Kept as plain C so that code without the GIL, and C itself,
 * use the same numbers as Python does.
 */
#ifndef SOCKET_CORE_FRAME_H
#define SOCKET_CORE_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_VERSION = 1,

    FRAME_ID_BYTES = 32,
    FRAME_HEADER_BYTES = 142,
    FRAME_MESSAGE_MAX_BYTES = 1024,
    FRAME_MAX_BYTES = FRAME_HEADER_BYTES + FRAME_MESSAGE_MAX_BYTES,

    FRAME_AT_TYPE = 0,
    FRAME_AT_VERSION = 1,
    FRAME_AT_HOPS = 2,
    FRAME_AT_CLOCK = 6,
    FRAME_AT_INDEX = 10,
    FRAME_AT_CLUSTER = 14,
    FRAME_AT_PREVIOUS_ID = 46,
    FRAME_AT_NEXT_ID = 78,
    FRAME_AT_TO = 110,

    FRAME_TYPE_MIN = 1,
    FRAME_TYPE_MAX = 10
};

/* Why a datagram is not a frame; 0 when it is one. */
enum {
    FRAME_OK = 0,
    FRAME_SHORT = 1,
    FRAME_LONG = 2,
    FRAME_BAD_VERSION = 3,
    FRAME_BAD_TYPE = 4
};

/* Byte by byte: datagrams are not aligned, and compilers make one load and one swap of it. */
static inline uint32_t frame_load_u32(const uint8_t *at) {
    return ((uint32_t)at[0] << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | (uint32_t)at[3];
}

static inline void frame_store_u32(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* Reads at most two bytes, and none of a datagram that is too short to have them. */
static inline int frame_check(const uint8_t *data, size_t size) {
    if (size < FRAME_HEADER_BYTES)
        return FRAME_SHORT;
    if (size > FRAME_MAX_BYTES)
        return FRAME_LONG;
    if (data[FRAME_AT_VERSION] != FRAME_VERSION)
        return FRAME_BAD_VERSION;
    if (data[FRAME_AT_TYPE] < FRAME_TYPE_MIN || data[FRAME_AT_TYPE] > FRAME_TYPE_MAX)
        return FRAME_BAD_TYPE;
    return FRAME_OK;
}

#endif
