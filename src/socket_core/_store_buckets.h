/* The buckets of a hash table, and looking up: in one piece with who looks up. The essay is in _store_index.c. */
#ifndef SOCKET_CORE_STORE_BUCKETS_H
#define SOCKET_CORE_STORE_BUCKETS_H

#include "_store_parts.h"

#if defined(__SSE2__) && (defined(__GNUC__) || defined(__clang__))
#include <emmintrin.h>
#define STORE_SSE2 1
#endif

enum {
    MARK_BITS = 7,
    DISTANT = 3,   /* buckets away from home, or more */
    WAY_SHIFT = 4, /* sixteen slots, 64 bytes */
    WAYS = 1 << WAY_SHIFT
};

#define ITEM_MASK ((1u << ITEM_BITS) - 1)
#define AWAY_SHIFT (ITEM_BITS + MARK_BITS)
#define AWAY ((uint32_t)DISTANT << AWAY_SHIFT)

static inline uint32_t page_buckets_shift(const store_t *store) {
    return store->page_shift - 2 - WAY_SHIFT;
}

static inline uint32_t buckets_of(const store_t *store, const table_t *table) {
    return table->page_count << page_buckets_shift(store);
}

static inline uint32_t home_of(const table_t *table, uint64_t hash) {
    return (uint32_t)(((hash >> 32) * table->range) >> 32);
}

/* Seven bits of a hash, in their place in a slot; never zero, so that no empty slot has them. */
static inline uint32_t mark_of(uint64_t hash) {
    return (1 + (((uint32_t)hash & 0xFFFF) * 127 >> 16)) << ITEM_BITS;
}

static inline uint32_t away(uint32_t buckets) {
    return (buckets < DISTANT ? buckets : DISTANT) << AWAY_SHIFT;
}

static inline uint32_t item_of(uint32_t slot) {
    return slot & ITEM_MASK;
}

/* Where there is no page, nothing was ever put: a bucket that is empty, and is never written to. */
extern uint32_t store_no_bucket[WAYS];
#define NO_BUCKET store_no_bucket

static inline uint32_t *bucket_at(const store_t *store, const table_t *table, uint32_t bucket) {
    uint32_t shift = page_buckets_shift(store), page = bucket >> shift;
    if (page >= table->page_count || table->pages[page] == NO_PAGE)
        return NO_BUCKET;
    return (uint32_t *)(void *)page_at(store, table->pages[page]) +
           ((size_t)(bucket & ((1u << shift) - 1)) << WAY_SHIFT);
}

/* The slots that have this value below the mask, as bits. */
#ifdef STORE_SSE2

static inline __m128i four_with(const uint32_t *slots, __m128i mask, __m128i value) {
    return _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128((const __m128i *)(const void *)slots), mask), value);
}

static inline uint32_t slots_with(const uint32_t *bucket, uint32_t mask, uint32_t value) {
    __m128i masks = _mm_set1_epi32((int)mask), values = _mm_set1_epi32((int)value);
    __m128i low = _mm_packs_epi32(four_with(bucket, masks, values), four_with(bucket + 4, masks, values));
    __m128i high = _mm_packs_epi32(four_with(bucket + 8, masks, values), four_with(bucket + 12, masks, values));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

#else

static inline uint32_t slots_with(const uint32_t *bucket, uint32_t mask, uint32_t value) {
    uint32_t found = 0;
    for (int i = 0; i < WAYS; i++)
        found |= (uint32_t)((bucket[i] & mask) == value) << i;
    return found;
}

#endif

static inline uint32_t empty_slots(const uint32_t *bucket) {
    return slots_with(bucket, ~0u, 0);
}

static inline const table_t *table_for(const index_t *index, uint64_t hash) {
    return index->moving && (hash >> 32) >= index->border ? &index->old : &index->now;
}

/* ---- Looking up ---- */

/* All items that may be under one hash, one after the other. */
typedef struct probe {
    const table_t *table;
    const uint32_t *at;
    uint32_t home, distance, found, mark;
} probe_t;

static inline probe_t index_seek(const store_t *store, const index_t *index, uint64_t hash) {
    const table_t *table = table_for(index, hash);
    probe_t probe = {table, NULL, home_of(table, hash), 0, 0, mark_of(hash)};
    probe.at = bucket_at(store, table, probe.home);
    probe.found = slots_with(probe.at, ~ITEM_MASK, probe.mark);
    return probe;
}

static inline uint32_t index_next(const store_t *store, probe_t *probe) {
    while (probe->found == 0) {
        if (empty_slots(probe->at))
            return 0;
        probe->at = bucket_at(store, probe->table, probe->home + ++probe->distance);
        probe->found = slots_with(probe->at, ~ITEM_MASK, probe->mark | away(probe->distance));
    }
    uint32_t slot = lowest_bit(probe->found);
    probe->found &= probe->found - 1;
    return item_of(probe->at[slot]);
}

static inline void index_prefetch(const store_t *store, const index_t *index, uint64_t hash) {
    const table_t *table = table_for(index, hash);
    STORE_PREFETCH(bucket_at(store, table, home_of(table, hash)));
}

#endif
