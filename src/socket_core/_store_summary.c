#include "_store_summary.h"

#include <string.h>

#include "_sip.h"

/* ---- Order ---- */

static inline int is_less(const uint8_t *one, const uint8_t *other) {
    return memcmp(one, other, STORE_PREFIX_BYTES) < 0;
}

/* Two sorted runs into one. */
static void merge(const store_prefix_t *left, size_t left_count, const store_prefix_t *right, size_t right_count,
                  store_prefix_t *into) {
    const store_prefix_t *left_end = left + left_count, *right_end = right + right_count;
    while (left < left_end && right < right_end) {
        if (is_less(right->bytes, left->bytes))
            *into++ = *right++;
        else
            *into++ = *left++;
    }
    memcpy(into, left, (size_t)(left_end - left) * STORE_PREFIX_BYTES);
    memcpy(into + (left_end - left), right, (size_t)(right_end - right) * STORE_PREFIX_BYTES);
}

/* By merging: others choose ids, and its time depends on their number only. */
void summary_sort(store_prefix_t *ids, store_prefix_t *spare, size_t count) {
    store_prefix_t *from = ids, *into = spare;
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t left = count - at < run ? count - at : run;
            size_t right = count - at - left < run ? count - at - left : run;
            merge(from + at, left, from + at + left, right, into + at);
        }
        store_prefix_t *other = from;
        from = into;
        into = other;
    }
    if (from != ids)
        memcpy(ids, from, count * STORE_PREFIX_BYTES);
}

size_t summary_place(const store_prefix_t *ids, size_t count, const uint8_t *bound, size_t bound_bytes) {
    uint8_t whole[STORE_PREFIX_BYTES] = {0};
    size_t low = 0, high = count;
    memcpy(whole, bound, bound_bytes < STORE_PREFIX_BYTES ? bound_bytes : STORE_PREFIX_BYTES);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_less(ids[middle].bytes, whole))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t summary_bound_bytes(const store_prefix_t *before, const store_prefix_t *after) {
    size_t same = 0;
    while (same < STORE_PREFIX_BYTES - 1 && before->bytes[same] == after->bytes[same])
        same++;
    return same + 1;
}

/* ---- Fingerprints. These go over the network, so the order of bytes is fixed: little-endian. ---- */

static uint64_t load_le(const uint8_t *at, size_t bytes) {
    uint64_t word = 0;
    for (size_t i = 0; i < bytes; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static void store_le(uint8_t *at, uint64_t word) {
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(word >> (8 * i));
}

/* SipHash-2-4 with 128 bits of output (as in the reference implementation), of one id. */
static void sip_128(const uint64_t key[2], const uint8_t *id, uint64_t out[2]) {
    uint64_t v[4] = {key[0] ^ 0x736F6D6570736575u, key[1] ^ 0x646F72616E646F6Du ^ 0xEE, key[0] ^ 0x6C7967656E657261u,
                     key[1] ^ 0x7465646279746573u};
    uint64_t blocks[2] = {load_le(id, 8), load_le(id + 8, STORE_PREFIX_BYTES - 8)};
    blocks[1] |= (uint64_t)STORE_PREFIX_BYTES << 56;
    for (int i = 0; i < 2; i++) {
        v[3] ^= blocks[i];
        sip_round(v);
        sip_round(v);
        v[0] ^= blocks[i];
    }
    v[2] ^= 0xEE;
    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 4; i++)
            sip_round(v);
        out[half] = v[0] ^ v[1] ^ v[2] ^ v[3];
        v[1] ^= 0xDD;
    }
}

void summary_fingerprint(const store_prefix_t *ids, size_t count, const uint8_t key[SUMMARY_KEY_BYTES],
                         uint8_t fingerprint[SUMMARY_FINGERPRINT_BYTES]) {
    uint64_t words[2] = {load_le(key, 8), load_le(key + 8, 8)}, low = 0, high = 0, hash[2];
    for (size_t i = 0; i < count; i++) {
        sip_128(words, ids[i].bytes, hash);
        low += hash[0];
        high += hash[1] + (low < hash[0]);
    }
    store_le(fingerprint, low);
    store_le(fingerprint + 8, high);
}
