#include "_relay_limits.h"

#include <stdlib.h>
#include <string.h>

#include "_sip.h"

enum { TOKENS_OF_A_PACKET = 1000 };
#define ELAPSED_MAX_MS 0xFFFFFFFFu

bucket_t bucket_full(rate_t rate, uint64_t now_ms) {
    bucket_t bucket = {(uint64_t)rate.burst * TOKENS_OF_A_PACKET, now_ms};
    return bucket;
}

static void bucket_fill(bucket_t *bucket, rate_t rate, uint64_t now_ms) {
    uint64_t most = (uint64_t)rate.burst * TOKENS_OF_A_PACKET;
    if (now_ms > bucket->last_ms) {
        uint64_t elapsed = now_ms - bucket->last_ms;
        bucket->tokens += rate.rate * (elapsed < ELAPSED_MAX_MS ? elapsed : ELAPSED_MAX_MS);
        bucket->last_ms = now_ms;
    }
    if (bucket->tokens > most)
        bucket->tokens = most;
}

int bucket_has(bucket_t *bucket, rate_t rate, uint64_t now_ms) {
    bucket_fill(bucket, rate, now_ms);
    return bucket->tokens >= TOKENS_OF_A_PACKET;
}

void bucket_pay(bucket_t *bucket) {
    bucket->tokens -= TOKENS_OF_A_PACKET;
}

static int bucket_is_full(bucket_t *bucket, rate_t rate, uint64_t now_ms) {
    bucket_fill(bucket, rate, now_ms);
    return bucket->tokens >= (uint64_t)rate.burst * TOKENS_OF_A_PACKET;
}

static limit_set_t *set_of(const limit_table_t *table, const uint64_t hash_key[2], uint64_t key) {
    return &table->sets[sip_words(hash_key, &key, 1) & (table->set_count - 1)];
}

/* The place of `key`: its own, a free one, or that of a bucket that is full again; -1 where there is none. */
static int place_in(limit_set_t *set, uint64_t key, rate_t rate, uint64_t now_ms) {
    int place = -1;
    for (int i = 0; i < LIMIT_WAYS; i++) {
        if (set->keys[i] == key)
            return i;
    }
    for (int i = 0; i < LIMIT_WAYS && place < 0; i++) {
        if (set->keys[i] == 0 || bucket_is_full(&set->buckets[i], rate, now_ms))
            place = i;
    }
    if (place >= 0) {
        set->keys[place] = key;
        set->buckets[place] = bucket_full(rate, now_ms);
    }
    return place;
}

/* Twice the sets, and each key in that of the two where it now belongs. 0, or -1: it is as large as it may be. */
static int table_grow(limit_table_t *table, const uint64_t hash_key[2]) {
    uint32_t count = table->set_count == 0 ? 1 : table->set_count * 2;
    if (count > table->sets_max)
        return -1;
    limit_set_t *sets = calloc(count, sizeof(limit_set_t));
    if (sets == NULL)
        return -1;
    limit_table_t grown = *table;
    grown.sets = sets;
    grown.set_count = count;
    for (uint32_t i = 0; i < table->set_count; i++) {
        for (int way = 0; way < LIMIT_WAYS; way++) {
            uint64_t key = table->sets[i].keys[way];
            if (key == 0)
                continue;
            limit_set_t *set = set_of(&grown, hash_key, key);
            int place = 0;
            while (set->keys[place] != 0) /* a set has no more of them than the one they came from had */
                place++;
            set->keys[place] = key;
            set->buckets[place] = table->sets[i].buckets[way];
        }
    }
    free(table->sets);
    *table = grown;
    return 0;
}

static bucket_t *bucket_of(limit_table_t *table, const uint64_t hash_key[2], uint64_t key, rate_t rate,
                           uint64_t now_ms) {
    do {
        if (table->set_count == 0)
            continue;
        limit_set_t *set = set_of(table, hash_key, key);
        int place = place_in(set, key, rate, now_ms);
        if (place >= 0)
            return &set->buckets[place];
    } while (table_grow(table, hash_key) == 0);
    if (!table->common_used) {
        table->common = bucket_full(rate, now_ms);
        table->common_used = 1;
    }
    return &table->common;
}

static void table_clear(limit_table_t *table) {
    free(table->sets);
    table->sets = NULL;
    table->set_count = 0;
    table->common_used = 0;
}

void limits_init(limits_t *limits, const relay_limits_t *rates) {
    memset(limits, 0, sizeof(*limits));
    limits->sources.sets_max = LIMIT_SOURCES_MAX / LIMIT_WAYS;
    limits->groups.sets_max = LIMIT_GROUPS_MAX / LIMIT_WAYS;
    limits->rates = *rates;
}

void limits_clear(limits_t *limits) {
    table_clear(&limits->sources);
    table_clear(&limits->groups);
    free(limits->offenders);
    limits->offenders = NULL;
}

void limits_set(limits_t *limits, const relay_limits_t *rates) {
    table_clear(&limits->sources);
    table_clear(&limits->groups);
    limits->strangers_used = 0;
    limits->rates = *rates;
}

/* The first bits of an address as a number that is not 0. An IPv4 address looks like one of ff..., which is nobody's. */
static uint64_t prefix_of(const address_t *address, unsigned bits_v4, unsigned bits_v6) {
    uint64_t prefix = 0;
    if (address->family == 4) {
        for (int i = 0; i < 4; i++)
            prefix = prefix << 8 | address->ip[i];
        return 0xFFFFFFFF00000000u | (prefix & (0xFFFFFFFFu << (32 - bits_v4)));
    }
    for (int i = 0; i < 8; i++)
        prefix = prefix << 8 | address->ip[i];
    prefix &= UINT64_MAX << (64 - bits_v6);
    return prefix != 0 ? prefix : 1;
}

int limits_admit(limits_t *limits, const uint64_t key[2], const address_t *address, uint64_t now_ms) {
    const relay_limits_t *rates = &limits->rates;
    rate_t total = {rates->total_rate, rates->total_burst};
    rate_t stranger = {rates->stranger_rate, rates->stranger_burst};
    rate_t group = {rates->group_rate, rates->group_burst};
    if (!limits->strangers_used) {
        limits->strangers = bucket_full(total, now_ms);
        limits->strangers_used = 1;
    }
    if (!bucket_has(&limits->strangers, total, now_ms))
        return 0;
    uint64_t source = prefix_of(address, 32, LIMIT_SOURCE_BITS_V6);
    bucket_t *of_source = bucket_of(&limits->sources, key, source, stranger, now_ms);
    if (!bucket_has(of_source, stranger, now_ms))
        return 0;
    uint64_t network = prefix_of(address, LIMIT_GROUP_BITS_V4, LIMIT_GROUP_BITS_V6);
    bucket_t *of_group = bucket_of(&limits->groups, key, network, group, now_ms);
    if (!bucket_has(of_group, group, now_ms))
        return 0;
    bucket_pay(&limits->strangers);
    bucket_pay(of_source);
    bucket_pay(of_group);
    return 1;
}

static int same_host(const address_t *one, const address_t *other) {
    return one->family == other->family && one->scope == other->scope && memcmp(one->ip, other->ip, 16) == 0;
}

/* The entry of an address. A new one takes the place of the lightest of its set once it has outweighed it: so a flood
 * from made-up addresses does not push out those who stay. NULL: not yet, or no memory. */
static offender_entry_t *entry_of(offender_entry_t *entries, uint64_t hash, const address_t *address) {
    size_t set = (size_t)(hash % (OFFENDERS_MAX / OFFENDER_WAYS));
    offender_entry_t *lightest = &entries[set * OFFENDER_WAYS];
    for (int i = 0; i < OFFENDER_WAYS; i++) {
        offender_entry_t *entry = &entries[set * OFFENDER_WAYS + (size_t)i];
        if (same_host(&entry->offender.address, address))
            return entry;
        if (entry->weight < lightest->weight)
            lightest = entry;
    }
    if (lightest->weight > 0) {
        lightest->weight--;
        return NULL;
    }
    memset(lightest, 0, sizeof(*lightest));
    lightest->offender.address = *address;
    return lightest;
}

void limits_blame(limits_t *limits, uint64_t hash, const address_t *address, offence_t offence) {
    if (limits->offenders == NULL)
        limits->offenders = calloc(OFFENDERS_MAX, sizeof(offender_entry_t));
    if (limits->offenders == NULL)
        return;
    offender_entry_t *entry = entry_of(limits->offenders, hash, address);
    if (entry == NULL)
        return;
    if (entry->offender.address.port != address->port)
        entry->offender.address.port = 0;
    uint32_t *count = offence == OFFENCE_MALFORMED ? &entry->offender.malformed : &entry->offender.limited;
    *count += *count < UINT32_MAX;
    entry->weight += entry->weight < UINT32_MAX;
}

static int heavier_first(const void *one, const void *other) {
    const relay_offender_t *a = one, *b = other;
    uint64_t of_a = (uint64_t)a->malformed + a->limited, of_b = (uint64_t)b->malformed + b->limited;
    if (of_a != of_b)
        return of_a > of_b ? -1 : 1;
    return memcmp(&a->address, &b->address, sizeof(address_t));
}

size_t limits_offenders(limits_t *limits, relay_offender_t *offenders, size_t room) {
    relay_offender_t found[OFFENDERS_MAX];
    size_t count = 0;
    if (limits->offenders == NULL)
        return 0;
    for (size_t i = 0; i < OFFENDERS_MAX; i++) {
        if (limits->offenders[i].offender.address.family != 0)
            found[count++] = limits->offenders[i].offender;
    }
    qsort(found, count, sizeof(*found), heavier_first);
    count = count < room ? count : room;
    memcpy(offenders, found, count * sizeof(*found));
    free(limits->offenders);
    limits->offenders = NULL;
    return count;
}

size_t limits_bytes(const limits_t *limits) {
    size_t sets = limits->sources.set_count + limits->groups.set_count;
    return sets * sizeof(limit_set_t) + (limits->offenders == NULL ? 0 : OFFENDERS_MAX * sizeof(offender_entry_t));
}
