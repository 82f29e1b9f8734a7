/* How much of a relay's time anybody may have (F12): token buckets, and the list of those who asked for more.
 *
 * A bucket is paid before anything is hashed. A trusted peer has one of its own, so that no flood of others touches it.
 * A stranger pays three: that of its address, that of its network group, and that of all strangers together, since
 * source addresses can be made up.
 *
 * A bucket that is full again is the same as one that was never there, so its place may be given away and nothing is
 * forgotten. The tables begin with one set of eight places, grow to a fixed size, and where all eight places of a set
 * are in use even then, the rest of that set share one bucket.
 */
#ifndef SOCKET_CORE_RELAY_LIMITS_H
#define SOCKET_CORE_RELAY_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "_address.h"
#include "_relay.h"

enum {
    LIMIT_WAYS = 8,
    LIMIT_SOURCES_MAX = 4096, /* addresses with a bucket of their own (F12 F18): 96 KiB */
    LIMIT_GROUPS_MAX = 1024,
    LIMIT_SOURCE_BITS_V6 = 64, /* one household has so many addresses at least */
    LIMIT_GROUP_BITS_V4 = 24,
    LIMIT_GROUP_BITS_V6 = 48,
    OFFENDER_WAYS = 8,
    OFFENDERS_MAX = 128
};

typedef struct bucket {
    uint64_t tokens;  /* thousandths of a packet: a rate in packets a second is so many of them in a millisecond */
    uint64_t last_ms; /* when they were counted */
} bucket_t;

typedef struct rate {
    uint32_t rate; /* packets a second */
    uint32_t burst;
} rate_t;

bucket_t bucket_full(rate_t rate, uint64_t now_ms);
/* Counts the tokens up to now, and says whether there is one for a packet. Time that goes back is no time. */
int bucket_has(bucket_t *bucket, rate_t rate, uint64_t now_ms);
void bucket_pay(bucket_t *bucket);

typedef struct limit_set {
    uint64_t keys[LIMIT_WAYS]; /* 0: free */
    bucket_t buckets[LIMIT_WAYS];
} limit_set_t;

typedef struct limit_table {
    limit_set_t *sets;
    uint32_t set_count; /* a power of two, or 0 */
    uint32_t sets_max;
    bucket_t common; /* of all that found no place */
    int common_used;
} limit_table_t;

typedef struct offender_entry {
    relay_offender_t offender; /* family 0: free; port 0: it used several */
    uint32_t weight;           /* what it takes to push it out */
} offender_entry_t;

typedef struct limits {
    relay_limits_t rates;
    limit_table_t sources, groups;
    bucket_t strangers;
    int strangers_used;
    offender_entry_t *offenders; /* OFFENDERS_MAX of them, made when there is a first */
} limits_t;

void limits_init(limits_t *limits, const relay_limits_t *rates);
void limits_clear(limits_t *limits);
/* New rates; all buckets are full again. */
void limits_set(limits_t *limits, const relay_limits_t *rates);

/* Whether a stranger may send a packet now; if so, it has paid. */
int limits_admit(limits_t *limits, const uint64_t key[2], const address_t *address, uint64_t now_ms);

typedef enum offence { OFFENCE_MALFORMED, OFFENCE_LIMITED } offence_t;

/* `hash`: keyed, of the host. */
void limits_blame(limits_t *limits, uint64_t hash, const address_t *address, offence_t offence);
size_t limits_offenders(limits_t *limits, relay_offender_t *offenders, size_t room);

size_t limits_bytes(const limits_t *limits);

#endif
