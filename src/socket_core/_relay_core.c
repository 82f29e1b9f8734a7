/* The way of a batch through a relay. Its order is the defence:
 *
 * 1. What costs next to nothing comes first, and all that a flood can send ends there (F12): is the sender blocked, is
 *    it a frame at all, has the sender paid for it?
 * 2. The ids of all that is left are computed side by side, before anything is looked up (F8 F9): a packet is known by
 *    what it says, and never by what somebody claims that it is.
 * 3. One after the other, in the order in which they came: seen? cache, choose, send on, hand on. So the second of two
 *    copies in one batch is a duplicate, like any other.
 */
#include "_relay.h"

#include <stdlib.h>
#include <string.h>

#include "_fork.h"
#include "_frame.h"
#include "_lock.h"
#include "_relay_limits.h"
#include "_relay_seen.h"
#include "_relay_tables.h"
#include "_sip.h"

_Static_assert((int)HANDLER_FRAME_BYTES >= (int)FRAME_MAX_BYTES, "a frame fits where it is put");
_Static_assert((int)HANDLER_CHANGED_AT == (int)FRAME_AT_HOPS, "only the hops are changed");

/* After a long sleep everything has expired at once: 320 packets a second are sent again, and no more. */
enum { TICK_PAUSE_MS = 100 };

/* In the seen set, beside an id: it came with its hops used up, and was not sent on. It shares the line of the id. */
#define SPENT_MARK 0x5A3C96F10Fu

struct relay {
    lock_t lock;
    fork_guard_t guard;
    store_t *store;
    frame_ids_fn ids;
    uint64_t key[2];
    uint64_t random;
    uint32_t fanout, nearest, max_hops;
    uint8_t actions[256];
    peer_table_t peers;
    id_table_t clusters, identities; /* our own */
    address_table_t blocked;
    limits_t limits;
    seen_t seen;
    uint64_t resume_ms; /* not before is anything sent again */
    relay_stats_t stats;
};

/* Whom the last datagram came from: several often come from one. */
typedef struct sender {
    address_t address;
    uint64_t host;
    uint32_t peer; /* or NO_PEER */
    int blocked;
} sender_t;

typedef enum verdict { DROPPED, CONTROL, RELAYED } verdict_t;

typedef struct batch {
    datagram_t *datagrams;
    size_t count;
    uint64_t now_ms;
    handler_result_t *result;
    verdict_t verdicts[HANDLER_BATCH];
    uint32_t senders[HANDLER_BATCH];
    /* Of those that are relayed, one after the other: */
    size_t relayed;
    const uint8_t *frames[HANDLER_BATCH];
    size_t sizes[HANDLER_BATCH];
    uint64_t hashes[HANDLER_BATCH];
    uint8_t ids[HANDLER_BATCH][FRAME_ID_BYTES];
} batch_t;

/* A packet on its way. */
typedef struct packet {
    datagram_t *datagram;
    const uint8_t *id;
    uint64_t hash;
    uint32_t sender;
    uint8_t actions;
    uint32_t flags; /* DELIVERY_ */
    /* Filled by look_at: */
    uint32_t hops_on; /* what its hops are when it is sent on */
    int own;          /* it is of our cluster, or to us */
    const id_entry_t *recipients, *members; /* peers that it is for, and peers of its cluster; or NULL */
} packet_t;

/* splitmix64 (Steele, Lea and Flood, 2014). Which peers are chosen is no secret worth more. */
static uint64_t random_next(relay_t *relay) {
    uint64_t z = relay->random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint32_t random_below(relay_t *relay, uint32_t limit) {
    return (uint32_t)(((random_next(relay) >> 32) * limit) >> 32);
}

/* ---- 1. Who may pass */

static void look_up(const relay_t *relay, const address_t *address, sender_t *sender) {
    if (address_equal(&sender->address, address))
        return;
    sender->address = *address;
    sender->host = hash_host(relay->key, address);
    uint64_t hash = hash_port(sender->host, address->port);
    sender->peer = address_table_find(&relay->peers.addresses, address, address->port, hash);
    sender->blocked = relay->blocked.slot_count != 0 &&
                      (address_table_find(&relay->blocked, address, address->port, hash) != NO_PEER ||
                       address_table_find(&relay->blocked, address, 0, hash_port(sender->host, 0)) != NO_PEER);
}

static void count_malformed(relay_stats_t *stats, int reason) {
    stats->malformed_short += reason == FRAME_SHORT;
    stats->malformed_long += reason == FRAME_LONG;
    stats->malformed_version += reason == FRAME_BAD_VERSION;
    stats->malformed_type += reason == FRAME_BAD_TYPE;
}

static int has_paid(relay_t *relay, const sender_t *sender, uint64_t now_ms) {
    if (sender->peer == NO_PEER || !relay->peers.peers[sender->peer].trusted)
        return limits_admit(&relay->limits, relay->key, &sender->address, now_ms);
    peer_t *peer = &relay->peers.peers[sender->peer];
    rate_t rate = {relay->limits.rates.peer_rate, relay->limits.rates.peer_burst};
    if (!peer->bucket_used) {
        peer->bucket = bucket_full(rate, now_ms);
        peer->bucket_used = 1;
    }
    if (!bucket_has(&peer->bucket, rate, now_ms))
        return 0;
    bucket_pay(&peer->bucket);
    return 1;
}

static verdict_t admit(relay_t *relay, const datagram_t *datagram, const sender_t *sender, uint64_t now_ms) {
    if (sender->blocked) {
        relay->stats.blocked++;
        return DROPPED;
    }
    int reason = frame_check(datagram->data, datagram->size);
    if (reason != FRAME_OK) {
        count_malformed(&relay->stats, reason);
        limits_blame(&relay->limits, sender->host, &sender->address, OFFENCE_MALFORMED);
        return DROPPED;
    }
    if (!has_paid(relay, sender, now_ms)) {
        relay->stats.limited++;
        limits_blame(&relay->limits, sender->host, &sender->address, OFFENCE_LIMITED);
        return DROPPED;
    }
    uint8_t actions = relay->actions[datagram->data[FRAME_AT_TYPE]];
    if (actions & (RELAY_CACHE | RELAY_FORWARD | RELAY_DELIVER_OWN))
        return RELAYED;
    relay->stats.control += actions != 0;
    relay->stats.ignored += actions == 0;
    return actions != 0 ? CONTROL : DROPPED;
}

static void admit_all(relay_t *relay, batch_t *batch) {
    sender_t sender = {.address = {0}, .peer = NO_PEER};
    for (size_t i = 0; i < batch->count; i++) {
        const datagram_t *datagram = &batch->datagrams[i];
        relay->stats.bytes += datagram->size;
        look_up(relay, &datagram->address, &sender);
        batch->senders[i] = sender.peer;
        batch->verdicts[i] = admit(relay, datagram, &sender, batch->now_ms);
        if (batch->verdicts[i] == RELAYED) {
            batch->frames[batch->relayed] = datagram->data;
            batch->sizes[batch->relayed++] = datagram->size;
        }
    }
    relay->stats.received += batch->count;
}

/* ---- 2. What they are */

static void identify(relay_t *relay, batch_t *batch) {
    relay->ids(batch->frames, batch->sizes, batch->relayed, batch->ids);
    for (size_t i = 0; i < batch->relayed; i++) {
        batch->hashes[i] = sip_id(relay->key, batch->ids[i]);
        seen_prefetch(&relay->seen, batch->hashes[i]);
    }
}

/* What a frame says about where it belongs. */
static void look_at(const relay_t *relay, const uint8_t *frame, packet_t *packet) {
    static const uint8_t nobody[FRAME_ID_BYTES] = {0};
    const uint8_t *cluster = frame + FRAME_AT_CLUSTER, *to = frame + FRAME_AT_TO;
    uint64_t hash = sip_id(relay->key, cluster);
    int own_cluster = id_table_find(&relay->clusters, cluster, hash) != NULL;
    packet->members = id_table_find(&relay->peers.clusters, cluster, hash);
    packet->own = own_cluster;
    packet->recipients = NULL;
    if (memcmp(to, nobody, FRAME_ID_BYTES) != 0) {
        hash = sip_id(relay->key, to);
        packet->recipients = id_table_find(&relay->peers.identities, to, hash);
        packet->own |= id_table_find(&relay->identities, to, hash) != NULL;
    }
    /* Hops were clamped, or are of the cache, which clamps them too. */
    packet->hops_on = frame_load_u32(frame + FRAME_AT_HOPS) + (own_cluster ? 2 : 1);
}

/* ---- 3. What is done with them */

/* Adds peers to `chosen`, at random out of the first `nearest` that can be had; never the sender, none twice. */
static uint32_t choose_from(relay_t *relay, const uint16_t *numbers, uint32_t count, uint32_t sender, uint16_t *chosen,
                            uint32_t chosen_count) {
    uint16_t window[RELAY_NEAREST_MAX];
    uint32_t size = 0;
    for (uint32_t i = 0; i < count && size < relay->nearest && chosen_count < relay->fanout; i++) {
        int taken = numbers[i] == sender;
        for (uint32_t j = 0; j < chosen_count; j++)
            taken |= chosen[j] == numbers[i];
        if (!taken)
            window[size++] = numbers[i];
    }
    while (chosen_count < relay->fanout && size > 0) {
        uint32_t at = random_below(relay, size);
        chosen[chosen_count++] = window[at];
        window[at] = window[--size];
    }
    return chosen_count;
}

/* Asks for a frame to be sent to the recipient, members of its cluster, and others, in this order, `fanout` in all. */
static uint32_t send_on(relay_t *relay, const packet_t *packet, const uint8_t *frame, uint32_t size,
                        handler_result_t *result) {
    const peer_table_t *peers = &relay->peers;
    uint16_t chosen[RELAY_FANOUT_MAX];
    uint32_t count = 0;
    if (packet->recipients != NULL)
        count = choose_from(relay, peers->identities.numbers + packet->recipients->start, packet->recipients->count,
                            packet->sender, chosen, count);
    if (packet->members != NULL)
        count = choose_from(relay, peers->clusters.numbers + packet->members->start, packet->members->count,
                            packet->sender, chosen, count);
    count = choose_from(relay, peers->forward, peers->forward_count, packet->sender, chosen, count);
    for (uint32_t i = 0; i < count; i++) {
        outgoing_t *outgoing = &result->sends[result->send_count++];
        outgoing->data = frame;
        outgoing->size = size;
        outgoing->socket = peers->peers[chosen[i]].socket;
        outgoing->address = peers->peers[chosen[i]].address;
    }
    return count;
}

static store_outcome_t keep(relay_t *relay, packet_t *packet, uint64_t now_ms) {
    const datagram_t *datagram = packet->datagram;
    store_kind_t kind = packet->own ? STORE_CLUSTER : STORE_FOREIGN;
    store_outcome_t outcome = store_insert(relay->store, datagram->data, datagram->size, packet->id, kind,
                                           &datagram->address, now_ms);
    relay->stats.cached += outcome == STORE_KEPT;
    relay->stats.refused += outcome == STORE_REFUSED;
    if (outcome == STORE_KEPT)
        packet->flags |= DELIVERY_CACHED;
    return outcome;
}

/* Another copy: the cache notes the fewest hops, and that is all. */
static void note_duplicate(relay_t *relay, packet_t *packet, uint64_t now_ms) {
    relay->stats.duplicate++;
    if ((packet->actions & RELAY_CACHE) && relay->store != NULL && store_contains(relay->store, packet->id)) {
        look_at(relay, packet->datagram->data, packet);
        keep(relay, packet, now_ms);
    }
}

static uint32_t hops_of(const datagram_t *datagram) {
    return frame_load_u32(datagram->data + FRAME_AT_HOPS);
}

/* Any relay may write anything: what is beyond the limit is as good as just beyond it. */
static uint32_t clamp_hops(const relay_t *relay, datagram_t *datagram) {
    if (hops_of(datagram) > relay->max_hops)
        frame_store_u32(datagram->data + FRAME_AT_HOPS, relay->max_hops + 1);
    return hops_of(datagram);
}

/* Returns whether Python is to have it. Its hops have been clamped. */
static int relay_packet(relay_t *relay, packet_t *packet, uint64_t now_ms, handler_result_t *result) {
    datagram_t *datagram = packet->datagram;
    if (seen_contains(&relay->seen, packet->hash)) {
        note_duplicate(relay, packet, now_ms);
        return 0;
    }
    look_at(relay, datagram->data, packet);
    /* Anybody can send a copy on with its hops used up, and be the first; the true copy still finds its way (F8). */
    int spent = (packet->actions & RELAY_FORWARD) && packet->hops_on > relay->max_hops;
    int was_spent = seen_contains(&relay->seen, packet->hash ^ SPENT_MARK);
    store_outcome_t outcome = STORE_REFUSED;
    if (was_spent && spent) {
        note_duplicate(relay, packet, now_ms);
        return 0;
    }
    if ((packet->actions & RELAY_CACHE) && relay->store != NULL)
        outcome = keep(relay, packet, now_ms);
    if (outcome == STORE_KNOWN && !was_spent) { /* the cache remembers for longer */
        seen_add(&relay->seen, packet->hash);
        relay->stats.duplicate++;
        return 0;
    }
    seen_add(&relay->seen, spent ? packet->hash ^ SPENT_MARK : packet->hash);
    relay->stats.fresh += !was_spent;
    relay->stats.revived += was_spent != 0;
    relay->stats.hops_exceeded += spent != 0;
    if ((packet->actions & RELAY_FORWARD) && !spent) {
        uint32_t sent = send_on(relay, packet, datagram->data, datagram->size, result);
        relay->stats.forwarded += sent;
        if (sent > 0) {
            /* After it was cached: the cache keeps the hops that it came with. */
            frame_store_u32(datagram->data + FRAME_AT_HOPS, packet->hops_on);
            packet->flags |= DELIVERY_FORWARDED;
        }
    }
    int wanted = (packet->actions & RELAY_DELIVER) || ((packet->actions & RELAY_DELIVER_OWN) && packet->own);
    return wanted && !was_spent;
}

static void deliver(relay_t *relay, handler_result_t *result, size_t index, uint32_t flags, uint32_t hops,
                    const uint8_t *id) {
    delivery_t *delivery = &result->deliveries[result->delivery_count++];
    delivery->index = (uint32_t)index;
    delivery->flags = flags;
    frame_store_u32(delivery->came, hops);
    if (id != NULL)
        memcpy(delivery->id, id, FRAME_ID_BYTES);
    else
        memset(delivery->id, 0, FRAME_ID_BYTES);
    relay->stats.delivered++;
}

static void act_on_all(relay_t *relay, batch_t *batch) {
    size_t next = 0;
    for (size_t i = 0; i < batch->relayed && relay->store != NULL; i++)
        store_prefetch(relay->store, batch->ids[i]);
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->verdicts[i] == CONTROL)
            deliver(relay, batch->result, i, DELIVERY_CHECKED, hops_of(&batch->datagrams[i]), NULL);
        if (batch->verdicts[i] != RELAYED)
            continue;
        packet_t packet = {.datagram = &batch->datagrams[i],
                           .id = batch->ids[next],
                           .hash = batch->hashes[next],
                           .sender = batch->senders[i],
                           .actions = relay->actions[batch->datagrams[i].data[FRAME_AT_TYPE]],
                           .flags = DELIVERY_CHECKED | DELIVERY_HASHED};
        next++;
        uint32_t hops = clamp_hops(relay, packet.datagram);
        if (relay_packet(relay, &packet, batch->now_ms, batch->result))
            deliver(relay, batch->result, i, packet.flags, hops, packet.id);
    }
}

void relay_receive_held(relay_t *relay, datagram_t *datagrams, size_t count, uint64_t now_ms,
                        handler_result_t *result) {
    batch_t batch;
    batch.datagrams = datagrams;
    batch.count = count < HANDLER_BATCH ? count : HANDLER_BATCH;
    batch.now_ms = now_ms;
    batch.result = result;
    batch.relayed = 0;
    admit_all(relay, &batch);
    if (batch.relayed > 0)
        identify(relay, &batch);
    store_t *store = batch.relayed > 0 ? relay->store : NULL;
    if (store != NULL)
        store_lock(store);
    act_on_all(relay, &batch);
    if (store != NULL)
        store_unlock(store);
}

/* Sends one packet whose term has ended once more. 0: there is none, and *next_ms is when there will be one. */
static int rebroadcast(relay_t *relay, uint64_t now_ms, handler_result_t *result, uint8_t *frame, uint64_t *next_ms) {
    uint32_t size = 0;
    if (!store_expire(relay->store, now_ms, frame, &size, next_ms))
        return 0;
    packet_t packet = {.sender = NO_PEER};
    look_at(relay, frame, &packet);
    if (packet.hops_on <= relay->max_hops) {
        frame_store_u32(frame + FRAME_AT_HOPS, packet.hops_on);
        relay->stats.rebroadcast += send_on(relay, &packet, frame, size, result);
    }
    return 1;
}

uint64_t relay_tick_held(relay_t *relay, uint64_t now_ms, handler_result_t *result) {
    if (relay->store == NULL)
        return UINT64_MAX;
    if (now_ms < relay->resume_ms)
        return relay->resume_ms;
    uint64_t next_ms = UINT64_MAX, latest_ms = now_ms + store_life_ms(relay->store);
    size_t count = 0;
    store_lock(relay->store);
    while (count < HANDLER_FRAMES && rebroadcast(relay, now_ms, result, result->frames[count], &next_ms))
        count++;
    store_unlock(relay->store);
    /* Nobody says when a packet has come that will be due before the others: none is, before one life from now. */
    if (count < HANDLER_FRAMES)
        return next_ms < latest_ms ? next_ms : latest_ms;
    relay->resume_ms = now_ms + TICK_PAUSE_MS;
    return relay->resume_ms;
}

int relay_publish_held(relay_t *relay, const uint8_t *frame, uint32_t size, uint64_t now_ms, uint8_t id[32],
                       handler_result_t *result) {
    uint8_t actions = relay->actions[frame[FRAME_AT_TYPE]];
    if (!(actions & (RELAY_CACHE | RELAY_FORWARD)))
        return RELAY_NOT_RELAYED;
    size_t length = size;
    store_outcome_t outcome = STORE_KEPT;
    relay->ids(&frame, &length, 1, (uint8_t(*)[FRAME_ID_BYTES])id);
    if ((actions & RELAY_CACHE) && relay->store != NULL) {
        store_lock(relay->store);
        outcome = store_insert(relay->store, frame, size, id, STORE_OWN, NULL, now_ms);
        store_unlock(relay->store);
        if (outcome == STORE_REFUSED) {
            relay->stats.refused++;
            return STORE_REFUSED;
        }
        relay->stats.cached += outcome == STORE_KEPT;
    }
    uint64_t hash = sip_id(relay->key, id);
    if (!seen_contains(&relay->seen, hash))
        seen_add(&relay->seen, hash);
    packet_t packet = {.sender = NO_PEER};
    look_at(relay, frame, &packet);
    if (actions & RELAY_FORWARD)
        relay->stats.published += send_on(relay, &packet, frame, size, result);
    return (int)outcome;
}

/* ---- The relay itself */

static void receive(void *state, datagram_t *batch, size_t count, uint64_t now_ms, handler_result_t *result) {
    relay_t *relay = state;
    lock_acquire(&relay->lock);
    relay_receive_held(relay, batch, count, now_ms, result);
    lock_release(&relay->lock);
}

static uint64_t tick(void *state, uint64_t now_ms, handler_result_t *result) {
    relay_t *relay = state;
    lock_acquire(&relay->lock);
    uint64_t next_ms = relay_tick_held(relay, now_ms, result);
    lock_release(&relay->lock);
    return next_ms;
}

handler_t relay_handler(relay_t *relay) {
    handler_t handler = {relay, receive, tick};
    return handler;
}

relay_t *relay_new(const relay_config_t *config) {
    relay_t *relay = calloc(1, sizeof(relay_t));
    if (relay == NULL || lock_init(&relay->lock) != 0) {
        free(relay);
        return NULL;
    }
    relay->store = config->store;
    relay->ids = config->ids;
    memcpy(relay->key, config->key, sizeof(relay->key));
    relay->random = config->key[0] ^ sip_words(config->key, NULL, 0);
    relay->fanout = config->fanout < RELAY_FANOUT_MAX ? config->fanout : RELAY_FANOUT_MAX;
    relay->nearest = config->nearest < RELAY_NEAREST_MAX ? config->nearest : RELAY_NEAREST_MAX;
    if (relay->nearest < relay->fanout)
        relay->nearest = relay->fanout;
    relay->max_hops = config->max_hops < RELAY_HOPS_MAX ? config->max_hops : RELAY_HOPS_MAX;
    limits_init(&relay->limits, &config->limits);
    if (seen_init(&relay->seen, config->seen_bytes) != 0) {
        lock_destroy(&relay->lock);
        free(relay);
        return NULL;
    }
    fork_guard_add(&relay->guard, &relay->lock);
    return relay;
}

void relay_free(relay_t *relay) {
    if (relay == NULL)
        return;
    fork_guard_remove(&relay->guard);
    peer_table_clear(&relay->peers);
    id_table_clear(&relay->clusters);
    id_table_clear(&relay->identities);
    address_table_clear(&relay->blocked);
    limits_clear(&relay->limits);
    seen_clear(&relay->seen);
    lock_destroy(&relay->lock);
    free(relay);
}

void relay_lock(relay_t *relay) {
    lock_acquire(&relay->lock);
}

int relay_try(relay_t *relay) {
    return lock_try(&relay->lock);
}

void relay_unlock(relay_t *relay) {
    lock_release(&relay->lock);
}

int relay_set_peers(relay_t *relay, const relay_peer_t *peers, size_t count) {
    peer_table_t table;
    int error = peer_table_init(&table, relay->key, peers, count);
    if (error)
        return error;
    lock_acquire(&relay->lock);
    peer_table_t old = relay->peers;
    peer_table_inherit(&table, &old, relay->key);
    relay->peers = table;
    lock_release(&relay->lock);
    peer_table_clear(&old);
    return 0;
}

/* Own ids need no numbers: whether they are there is all. */
static int set_ids(relay_t *relay, id_table_t *held, const uint8_t (*ids)[32], size_t count) {
    id_table_t table;
    if (count > RELAY_IDS_MAX)
        return RELAY_TOO_MANY;
    id_pair_t *pairs = calloc(count + 1, sizeof(*pairs));
    if (pairs == NULL)
        return RELAY_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        pairs[i].id = ids[i];
    int error = id_table_init(&table, relay->key, pairs, count);
    free(pairs);
    if (error)
        return error;
    lock_acquire(&relay->lock);
    id_table_t old = *held;
    *held = table;
    lock_release(&relay->lock);
    id_table_clear(&old);
    return 0;
}

int relay_set_clusters(relay_t *relay, const uint8_t (*ids)[32], size_t count) {
    return set_ids(relay, &relay->clusters, ids, count);
}

int relay_set_identities(relay_t *relay, const uint8_t (*ids)[32], size_t count) {
    return set_ids(relay, &relay->identities, ids, count);
}

int relay_set_blocked(relay_t *relay, const address_t *addresses, size_t count) {
    address_table_t table;
    if (count > RELAY_BLOCKED_MAX)
        return RELAY_TOO_MANY;
    int error = address_table_init(&table, relay->key, addresses, sizeof(address_t), count);
    if (error)
        return error;
    lock_acquire(&relay->lock);
    address_table_t old = relay->blocked;
    relay->blocked = table;
    lock_release(&relay->lock);
    address_table_clear(&old);
    return 0;
}

void relay_set_types(relay_t *relay, const uint8_t actions[256]) {
    lock_acquire(&relay->lock);
    memcpy(relay->actions, actions, sizeof(relay->actions));
    lock_release(&relay->lock);
}

void relay_set_limits(relay_t *relay, const relay_limits_t *limits) {
    lock_acquire(&relay->lock);
    limits_set(&relay->limits, limits);
    for (uint32_t i = 0; i < relay->peers.count; i++)
        relay->peers.peers[i].bucket_used = 0;
    lock_release(&relay->lock);
}

void relay_stats_held(const relay_t *relay, relay_stats_t *stats) {
    *stats = relay->stats;
    stats->seen = seen_count(&relay->seen);
    stats->seen_capacity = seen_capacity(&relay->seen);
    stats->used_bytes = sizeof(relay_t) + peer_table_bytes(&relay->peers) + id_table_bytes(&relay->clusters) +
                        id_table_bytes(&relay->identities) + address_table_bytes(&relay->blocked) +
                        limits_bytes(&relay->limits) + seen_bytes(&relay->seen);
}

size_t relay_offenders_held(relay_t *relay, relay_offender_t *offenders, size_t room) {
    return limits_offenders(&relay->limits, offenders, room);
}
