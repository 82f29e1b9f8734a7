#include "_relay_tables.h"

#include <stdlib.h>
#include <string.h>

#include "_sip.h"

uint64_t hash_host(const uint64_t key[2], const address_t *address) {
    uint64_t words[3] = {sip_load(address->ip), sip_load(address->ip + 8),
                         (uint64_t)address->scope << 8 | address->family};
    return sip_words(key, words, 3);
}

/* The finalizer of MurmurHash3: one to one, so that ports of one host are spread as its hash, which is keyed, is. */
uint64_t hash_port(uint64_t of_host, uint16_t port) {
    uint64_t hash = of_host ^ ((uint64_t)port << 48 | port);
    hash ^= hash >> 33;
    hash *= 0xFF51AFD7ED558CCDu;
    hash ^= hash >> 33;
    hash *= 0xC4CEB9FE1A85EC53u;
    return hash ^ (hash >> 33);
}

/* Slots for so many: at most half of them are used, so that a search is short and ends. */
static uint32_t slots_for(size_t count) {
    uint32_t slots = 4;
    while (slots < 2 * count)
        slots *= 2;
    return slots;
}

/* The entry of an id, which is made if there is none. */
static id_entry_t *entry_for(id_table_t *table, const uint8_t *id, uint64_t hash) {
    uint32_t mask = table->slot_count - 1;
    uint32_t at = (uint32_t)hash & mask;
    for (; table->slots[at] != 0; at = (at + 1) & mask) {
        id_entry_t *entry = &table->entries[table->slots[at] - 1];
        if (memcmp(entry->id, id, 32) == 0)
            return entry;
    }
    id_entry_t *entry = &table->entries[table->entry_count++];
    memcpy(entry->id, id, 32);
    table->slots[at] = table->entry_count;
    return entry;
}

int id_table_init(id_table_t *table, const uint64_t key[2], const id_pair_t *pairs, size_t count) {
    memset(table, 0, sizeof(*table));
    if (count == 0)
        return 0;
    table->slot_count = slots_for(count);
    table->slots = calloc(table->slot_count, sizeof(*table->slots));
    table->entries = calloc(count, sizeof(*table->entries));
    table->numbers = calloc(count, sizeof(*table->numbers));
    if (table->slots == NULL || table->entries == NULL || table->numbers == NULL) {
        id_table_clear(table);
        return RELAY_NO_MEMORY;
    }
    /* How many numbers each has decides where they begin; then they are put there. */
    for (size_t i = 0; i < count; i++)
        entry_for(table, pairs[i].id, sip_id(key, pairs[i].id))->count++;
    for (uint32_t i = 0; i < table->entry_count; i++) {
        table->entries[i].start = table->number_count;
        table->number_count += table->entries[i].count;
        table->entries[i].count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        id_entry_t *entry = entry_for(table, pairs[i].id, sip_id(key, pairs[i].id));
        uint16_t *numbers = table->numbers + entry->start;
        if (entry->count == 0 || numbers[entry->count - 1] != pairs[i].number)
            numbers[entry->count++] = pairs[i].number;
    }
    return 0;
}

void id_table_clear(id_table_t *table) {
    free(table->slots);
    free(table->entries);
    free(table->numbers);
    memset(table, 0, sizeof(*table));
}

const id_entry_t *id_table_find(const id_table_t *table, const uint8_t id[32], uint64_t hash) {
    if (table->slot_count == 0)
        return NULL;
    uint32_t mask = table->slot_count - 1;
    for (uint32_t at = (uint32_t)hash & mask; table->slots[at] != 0; at = (at + 1) & mask) {
        const id_entry_t *entry = &table->entries[table->slots[at] - 1];
        if (memcmp(entry->id, id, 32) == 0)
            return entry;
    }
    return NULL;
}

size_t id_table_bytes(const id_table_t *table) {
    return table->slot_count * sizeof(*table->slots) + table->entry_count * sizeof(*table->entries) +
           table->number_count * sizeof(*table->numbers);
}

static int same(const address_slot_t *slot, const address_t *address, uint16_t port) {
    return slot->address.port == port && slot->address.family == address->family &&
           slot->address.scope == address->scope && memcmp(slot->address.ip, address->ip, 16) == 0;
}

int address_table_init(address_table_t *table, const uint64_t key[2], const address_t *addresses, size_t stride,
                       size_t count) {
    memset(table, 0, sizeof(*table));
    if (count == 0)
        return 0;
    table->slot_count = slots_for(count);
    table->slots = calloc(table->slot_count, sizeof(*table->slots));
    if (table->slots == NULL)
        return RELAY_NO_MEMORY;
    uint32_t mask = table->slot_count - 1;
    for (size_t i = 0; i < count; i++) {
        const address_t *address = (const address_t *)(const void *)((const char *)addresses + i * stride);
        uint32_t at = (uint32_t)hash_port(hash_host(key, address), address->port) & mask;
        for (; table->slots[at].address.family != 0; at = (at + 1) & mask) {
            if (same(&table->slots[at], address, address->port)) {
                address_table_clear(table);
                return RELAY_TWICE;
            }
        }
        table->slots[at].address = *address;
        table->slots[at].number = (uint32_t)i;
    }
    return 0;
}

void address_table_clear(address_table_t *table) {
    free(table->slots);
    memset(table, 0, sizeof(*table));
}

uint32_t address_table_find(const address_table_t *table, const address_t *address, uint16_t port, uint64_t hash) {
    if (table->slot_count == 0)
        return NO_PEER;
    uint32_t mask = table->slot_count - 1;
    uint32_t at = (uint32_t)hash & mask;
    for (; table->slots[at].address.family != 0; at = (at + 1) & mask) {
        if (same(&table->slots[at], address, port))
            return table->slots[at].number;
    }
    return NO_PEER;
}

size_t address_table_bytes(const address_table_t *table) {
    return table->slot_count * sizeof(*table->slots);
}

/* The table of what the peers want: of their clusters, or of their identities. */
static int wanted_init(id_table_t *table, const uint64_t key[2], const relay_peer_t *peers, size_t count,
                       int identities) {
    size_t pair_count = 0;
    for (size_t i = 0; i < count; i++)
        pair_count += identities ? peers[i].identity_count : peers[i].cluster_count;
    id_pair_t *pairs = calloc(pair_count + 1, sizeof(*pairs));
    if (pairs == NULL)
        return RELAY_NO_MEMORY;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t(*ids)[32] = identities ? peers[i].identities : peers[i].clusters;
        size_t id_count = identities ? peers[i].identity_count : peers[i].cluster_count;
        for (size_t j = 0; peers[i].forward && j < id_count; j++) {
            pairs[used].id = ids[j];
            pairs[used++].number = (uint16_t)i;
        }
    }
    int error = id_table_init(table, key, pairs, used);
    free(pairs);
    return error;
}

static int fill_peers(peer_table_t *table, const relay_peer_t *peers, size_t count) {
    table->peers = calloc(count + 1, sizeof(*table->peers));
    table->forward = calloc(count + 1, sizeof(*table->forward));
    if (table->peers == NULL || table->forward == NULL)
        return RELAY_NO_MEMORY;
    table->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        peer_t *peer = &table->peers[i];
        peer->address = peers[i].address;
        peer->socket = peers[i].socket;
        peer->forward = peers[i].forward;
        peer->trusted = peers[i].trusted;
        if (peer->forward)
            table->forward[table->forward_count++] = (uint16_t)i;
    }
    return 0;
}

int peer_table_init(peer_table_t *table, const uint64_t key[2], const relay_peer_t *peers, size_t count) {
    size_t ids = 0;
    memset(table, 0, sizeof(*table));
    for (size_t i = 0; i < count && count <= RELAY_PEERS_MAX && ids <= RELAY_PEER_IDS_MAX; i++)
        ids += peers[i].cluster_count + peers[i].identity_count;
    if (count > RELAY_PEERS_MAX || ids > RELAY_PEER_IDS_MAX)
        return RELAY_TOO_MANY;
    int error = fill_peers(table, peers, count);
    if (!error)
        error = address_table_init(&table->addresses, key, &table->peers->address, sizeof(peer_t), count);
    if (!error)
        error = wanted_init(&table->clusters, key, peers, count, 0);
    if (!error)
        error = wanted_init(&table->identities, key, peers, count, 1);
    if (error)
        peer_table_clear(table);
    return error;
}

void peer_table_clear(peer_table_t *table) {
    free(table->peers);
    free(table->forward);
    address_table_clear(&table->addresses);
    id_table_clear(&table->clusters);
    id_table_clear(&table->identities);
    memset(table, 0, sizeof(*table));
}

void peer_table_inherit(peer_table_t *table, const peer_table_t *old, const uint64_t key[2]) {
    for (uint32_t i = 0; i < table->count; i++) {
        peer_t *peer = &table->peers[i];
        uint64_t hash = hash_port(hash_host(key, &peer->address), peer->address.port);
        uint32_t before = address_table_find(&old->addresses, &peer->address, peer->address.port, hash);
        if (before != NO_PEER && old->peers[before].trusted) {
            peer->bucket = old->peers[before].bucket;
            peer->bucket_used = old->peers[before].bucket_used;
        }
    }
}

size_t peer_table_bytes(const peer_table_t *table) {
    return table->count * sizeof(peer_t) + table->count * sizeof(uint16_t) + address_table_bytes(&table->addresses) +
           id_table_bytes(&table->clusters) + id_table_bytes(&table->identities);
}
