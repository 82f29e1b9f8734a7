/* What a relay is told: its peers and what they want, its own clusters and identities, and whom it does not hear.
 *
 * A table is built aside, from plain values, and never changed but for the peers' buckets; a new one takes its place.
 * Peers announce their clusters and identities themselves, so every table is hashed by a key that they do not know, and
 * by all of an id.
 */
#ifndef SOCKET_CORE_RELAY_TABLES_H
#define SOCKET_CORE_RELAY_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "_address.h"
#include "_relay.h"
#include "_relay_limits.h"

/* Keyed hashes, so that one is computed and then used for several tables. */
uint64_t hash_host(const uint64_t key[2], const address_t *address);
uint64_t hash_port(uint64_t of_host, uint16_t port);

/* Ids, and for each the numbers that were given with it, in that order and each once. */
typedef struct id_entry {
    uint8_t id[32];
    uint32_t start, count; /* of its numbers */
} id_entry_t;

typedef struct id_table {
    id_entry_t *entries;
    uint16_t *numbers;
    uint32_t *slots; /* number of the entry and 1, or 0 */
    uint32_t slot_count; /* a power of two, or 0 for an empty table */
    uint32_t entry_count, number_count;
} id_table_t;

typedef struct id_pair {
    const uint8_t *id;
    uint16_t number;
} id_pair_t;

/* 0, or -1 for lack of memory. */
int id_table_init(id_table_t *table, const uint64_t key[2], const id_pair_t *pairs, size_t count);
void id_table_clear(id_table_t *table);
const id_entry_t *id_table_find(const id_table_t *table, const uint8_t id[32], uint64_t hash);
size_t id_table_bytes(const id_table_t *table);

typedef struct address_slot {
    address_t address; /* family 0: free */
    uint32_t number;
} address_slot_t;

typedef struct address_table {
    address_slot_t *slots;
    uint32_t slot_count; /* a power of two, or 0 for an empty table */
} address_table_t;

#define NO_PEER 0xFFFFFFFFu

/* The number of an address is its place in the order given. 0, RELAY_NO_MEMORY, or RELAY_TWICE. */
int address_table_init(address_table_t *table, const uint64_t key[2], const address_t *addresses, size_t stride,
                       size_t count);
void address_table_clear(address_table_t *table);
/* The number of the address with this port in place of its own, or NO_PEER. */
uint32_t address_table_find(const address_table_t *table, const address_t *address, uint16_t port, uint64_t hash);
size_t address_table_bytes(const address_table_t *table);

typedef struct peer {
    address_t address;
    uint32_t socket;
    uint8_t forward, trusted;
    uint8_t bucket_used;
    bucket_t bucket;
} peer_t;

typedef struct peer_table {
    peer_t *peers; /* in the order of preference */
    uint32_t count;
    uint16_t *forward; /* those to whom packets may be sent on */
    uint32_t forward_count;
    address_table_t addresses;
    id_table_t clusters, identities; /* of those */
} peer_table_t;

/* 0, or one of the errors of relay_set_peers. */
int peer_table_init(peer_table_t *table, const uint64_t key[2], const relay_peer_t *peers, size_t count);
void peer_table_clear(peer_table_t *table);
/* Who was a trusted peer before, and still is, goes on with the bucket that it had. */
void peer_table_inherit(peer_table_t *table, const peer_table_t *old, const uint64_t key[2]);
size_t peer_table_bytes(const peer_table_t *table);

#endif
