/* What a summary of a cache is made of: the beginnings of its ids, sorted, and questions about ranges of them.
 *
 * A bound is the beginning of an id, 0 to STORE_PREFIX_BYTES bytes, as if zeros followed; a range is from its lower
 * bound on, up to its upper one and without it. The essay is in _cache.pyx.
 */
#ifndef SOCKET_CORE_STORE_SUMMARY_H
#define SOCKET_CORE_STORE_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

#include "_store.h"

enum { SUMMARY_KEY_BYTES = 16, SUMMARY_FINGERPRINT_BYTES = 16 };

/* Sorts; `spare` has room for as many. */
void summary_sort(store_prefix_t *ids, store_prefix_t *spare, size_t count);
/* How many are below a bound: the place of the first that is not. */
size_t summary_place(const store_prefix_t *ids, size_t count, const uint8_t *bound, size_t bound_bytes);
/* The sum modulo 2**128 of SipHash-2-4-128(key, id), as 16 bytes, little-endian. */
void summary_fingerprint(const store_prefix_t *ids, size_t count, const uint8_t key[SUMMARY_KEY_BYTES],
                         uint8_t fingerprint[SUMMARY_FINGERPRINT_BYTES]);
/* The length of the shortest bound that has `after` on its upper side and `before`, which is less, on its lower. */
size_t summary_bound_bytes(const store_prefix_t *before, const store_prefix_t *after);

#endif
