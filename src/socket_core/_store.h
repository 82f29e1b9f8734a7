/* The relay cache: packets in one stretch of memory, found by id and by nextId, in the order of preference.
 *
 * Plain memory: no clock and no randomness of its own. The caller holds the store's lock (`store_lock`) around each
 * call, or a run of calls. What is asked for is copied out. The essay in _cache.pyx tells how it is made, and why.
 */
#ifndef SOCKET_CORE_STORE_H
#define SOCKET_CORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "_address.h"
#include "_frame.h"

typedef struct store store_t;

/* How a packet is preferred: the lower is kept longer. */
typedef enum store_kind { STORE_OWN = 0, STORE_CLUSTER = 1, STORE_FOREIGN = 2, STORE_KINDS } store_kind_t;

typedef enum store_outcome {
    STORE_KEPT = 0,
    STORE_KNOWN,   /* it was there; fewer hops, and a kind that is preferred, are noted */
    STORE_REFUSED, /* no room that this packet may take: everything else is preferred to it, or the share of its kind
                      or source is used up by packets that are */
    STORE_OUTCOMES
} store_outcome_t;

typedef void (*frame_ids_fn)(const uint8_t *const *frames, const size_t *sizes, size_t count, uint8_t (*ids)[32]);

enum {
    STORE_BUDGET_MIN_BYTES = 256 * 1024,
    STORE_BUDGET_MAX_BYTES = 1024 * 1024 * 1024,
    STORE_POSTAGE_MAX = 15,
    STORE_HOPS_MAX = 17,    /* more are not told apart: from 17 on nothing is forwarded */
    STORE_PREVIOUS_MAX = 4, /* packets that are indexed under one nextId (F15) */
    STORE_PREFIX_BYTES = 14 /* of an id, in the store and in summaries: nobody finds a second one for 112 bits */
};

typedef struct store_config {
    size_t budget_bytes;       /* everything that the store ever has, at once: STORE_BUDGET_MIN_BYTES and more */
    uint64_t life_ms;          /* of one term, 6 h; 1 and more */
    uint32_t postage;          /* terms, 8; 1 to STORE_POSTAGE_MAX */
    uint32_t source_permille;  /* of the budget: the share of one source when memory is short, 40 */
    uint32_t group_permille;   /* of one network group, 80 */
    uint32_t own_permille;     /* of own packets, always, 500 */
    uint32_t cluster_permille; /* of packets of own clusters when memory is short, 750 */
    uint8_t group_bits_v4;     /* prefix that makes a network group, 24; at most 32 */
    uint8_t group_bits_v6;     /* 48; at most 64, which is a source */
    uint64_t key[2];           /* secret of the hash tables, from the system's randomness */
    frame_ids_fn ids;          /* computes ids anew, for store_check; NULL: they are not checked */
} store_config_t;

typedef struct store_packet { /* a copy of a cached packet */
    uint32_t size;
    uint32_t hops;
    uint32_t postage;
    store_kind_t kind;
    uint64_t expires_ms;
    uint8_t frame[FRAME_MAX_BYTES]; /* as received, its hops the fewest seen, at most STORE_HOPS_MAX */
} store_packet_t;

typedef struct store_stats {
    uint64_t packets, own, cluster, foreign; /* in the store */
    uint64_t frame_bytes;                    /* of them, the frames alone */
    uint64_t used_bytes;                     /* all memory that the store holds now, indexes and all: <= budget */
    uint64_t sources, groups;                /* that have packets in the store */
    uint64_t inserted, known, refused, evicted, expired, removed;
} store_stats_t;

/* NULL: no memory, or a number of the configuration is out of its range. */
store_t *store_new(const store_config_t *config);
void store_free(store_t *store);

void store_lock(store_t *store);
/* 1 if the lock is now the caller's, 0 if somebody else has it. */
int store_try_lock(store_t *store);
void store_unlock(store_t *store);

/* `source` is whom it came from; NULL for own packets, and for others that count against nobody's share. The frame has
 * been checked and `id` belongs to it. Where it is refused, packets that it may displace may have gone all the same. */
store_outcome_t store_insert(store_t *store, const uint8_t *frame, uint32_t size, const uint8_t id[32],
                             store_kind_t kind, const address_t *source, uint64_t now_ms);
/* Insertion touches many cache lines; asking for them early, for a batch, hides the wait. */
void store_prefetch(const store_t *store, const uint8_t id[32]);
/* These know a packet by the beginning of its id; who needs the whole computes it from the frame (F9, F13). */
int store_contains(const store_t *store, const uint8_t id[32]);
int store_find(const store_t *store, const uint8_t id[32], store_packet_t *packet);
int store_remove(store_t *store, const uint8_t id[32]);
/* Packets whose nextId is `id`, all of its 32 bytes: up to `room`, at most STORE_PREVIOUS_MAX. Returns how many. */
size_t store_previous(const store_t *store, const uint8_t id[32], store_packet_t *packets, size_t room);

/* The packets with the fewest hops, youngest first among equals. Returns how many. */
size_t store_fewest_hops(const store_t *store, store_packet_t *packets, size_t room);

/* One packet whose term has ended at `now_ms`, copied to `frame` (FRAME_MAX_BYTES): its postage has fallen by one, and
 * it is kept for another term (1) or has been dropped (2). 0: none is due, and *next_ms is when one will be, or
 * UINT64_MAX for never. */
int store_expire(store_t *store, uint64_t now_ms, uint8_t *frame, uint32_t *size, uint64_t *next_ms);
/* When the next term ends, in ms; UINT64_MAX: never. */
uint64_t store_next_expiry(const store_t *store);
/* How long a term is, in ms: no packet that comes after `now_ms` ends one before `now_ms` and so much more. */
uint64_t store_life_ms(const store_t *store);

typedef struct store_prefix { /* of an id */
    uint8_t bytes[STORE_PREFIX_BYTES];
} store_prefix_t;

/* The beginnings of all ids, in no order; at most `room` are written. Returns how many there are. */
size_t store_ids(const store_t *store, store_prefix_t *ids, size_t room);

void store_stats(const store_t *store, store_stats_t *stats);
/* Every invariant of the structure, checked the slow way: NULL, or what is wrong. For tests. */
const char *store_check(const store_t *store);

#endif
