/* SipHash-1-3 (Aumasson and Bernstein, 2012) of whole 64-bit words: where something falls in a table.
 *
 * Others choose addresses and grind ids, so that the place of each in a table depends on a secret of this process, and
 * nobody can make many fall into one place. Not for the network: words are taken as the machine has them.
 */
#ifndef SOCKET_CORE_SIP_H
#define SOCKET_CORE_SIP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t sip_load(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

static inline uint64_t sip_rotate(uint64_t word, unsigned bits) {
    return (word << bits) | (word >> (64 - bits));
}

static inline void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = sip_rotate(v[1], 13) ^ v[0];
    v[3] = sip_rotate(v[3], 16) ^ v[2];
    v[0] = sip_rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = sip_rotate(v[1], 17) ^ v[2];
    v[3] = sip_rotate(v[3], 21) ^ v[0];
    v[2] = sip_rotate(v[2], 32);
}

static inline uint64_t sip_words(const uint64_t key[2], const uint64_t *words, size_t count) {
    uint64_t v[4] = {key[0] ^ 0x736F6D6570736575u, key[1] ^ 0x646F72616E646F6Du, key[0] ^ 0x6C7967656E657261u,
                     key[1] ^ 0x7465646279746573u};
    for (size_t i = 0; i < count; i++) {
        v[3] ^= words[i];
        sip_round(v);
        v[0] ^= words[i];
    }
    uint64_t length = (uint64_t)count << 59; /* the last block of a message of whole words: its bytes modulo 256 */
    v[3] ^= length;
    sip_round(v);
    v[0] ^= length;
    v[2] ^= 0xFF;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Of an id: all of its 32 bytes, since others may choose the most of them. */
static inline uint64_t sip_id(const uint64_t key[2], const uint8_t id[32]) {
    uint64_t words[4] = {sip_load(id), sip_load(id + 8), sip_load(id + 16), sip_load(id + 24)};
    return sip_words(key, words, 4);
}

#endif
