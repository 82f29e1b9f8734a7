/* The hot way of a relay in one place: check, limit, id, seen?, cache, choose, send on. A `handler_t`.
 *
 * It runs without the GIL and makes no system call. What it does is set by tables (peers, clusters, identities, types,
 * limits), which Python replaces as a whole and which hold from the next batch on.
 *
 * One lock guards all of it. A call takes the lock itself; who may not wait (a thread that holds the GIL) asks
 * `relay_try` first, and between that and `relay_unlock` calls what ends in `_held`.
 */
#ifndef SOCKET_CORE_RELAY_H
#define SOCKET_CORE_RELAY_H

#include "_handler.h"
#include "_store.h"

typedef struct relay relay_t;

/* What is done with a type of packet; a set of these for each. */
enum {
    RELAY_CACHE = 1,      /* new ones are put into the cache */
    RELAY_FORWARD = 2,    /* new ones are sent to `fanout` peers */
    RELAY_DELIVER = 4,    /* Python gets them all; alone: unhashed, and as often as they come (control packets) */
    RELAY_DELIVER_OWN = 8 /* Python gets the new ones of own clusters or to own identities */
};

/* What the tables may hold, so that a mistake or a flood above us cannot fill the memory (F12 F18). */
enum {
    RELAY_PEERS_MAX = 4096,
    RELAY_PEER_IDS_MAX = 65536, /* clusters and identities of all peers together */
    RELAY_IDS_MAX = 4096,       /* own clusters; own identities */
    RELAY_BLOCKED_MAX = 65536,
    RELAY_FANOUT_MAX = HANDLER_SENDS / HANDLER_BATCH,
    RELAY_NEAREST_MAX = 64,
    RELAY_HOPS_MAX = 16
};

typedef struct relay_peer { /* in the order of preference */
    address_t address;      /* no two have the same */
    uint32_t socket;        /* HANDLER_ANY_SOCKET, or the one through which its mapping was made */
    uint8_t forward;        /* whether packets may be sent on to it (a Hard peer never picks Hard ones) */
    uint8_t trusted;        /* has answered: the higher limit holds */
    const uint8_t (*clusters)[32];
    size_t cluster_count;
    const uint8_t (*identities)[32];
    size_t identity_count;
} relay_peer_t;

typedef struct relay_limits { /* token buckets, packets a second and at once */
    uint32_t stranger_rate, stranger_burst; /* for one address (IPv6: /64) that is no trusted peer */
    uint32_t peer_rate, peer_burst;         /* for a trusted peer */
    uint32_t group_rate, group_burst;       /* for all strangers of one network group (/24, /48) together */
    uint32_t total_rate, total_burst;       /* for all strangers together: source addresses can be made up */
} relay_limits_t;

typedef struct relay_config {
    store_t *store;         /* NULL: nothing is cached */
    frame_ids_fn ids;
    uint64_t key[2];        /* secret of the tables, and seed of the choice of peers */
    uint32_t fanout;        /* 3 */
    uint32_t nearest;       /* the peers are chosen at random from so many of the first, 16; at least `fanout` */
    uint32_t max_hops;      /* 16 */
    uint32_t seen_bytes;    /* memory of the seen set */
    relay_limits_t limits;
} relay_config_t;

typedef struct relay_stats {
    /* Every datagram is `received`, and one of these: */
    uint64_t malformed_short, malformed_long, malformed_version, malformed_type;
    uint64_t blocked, limited;    /* dropped unread: from a blocked address, over a limit */
    uint64_t ignored;             /* its type has no action */
    uint64_t control;             /* handed on as it came */
    uint64_t fresh, duplicate;    /* seen for the first time, or not */
    uint64_t revived;             /* seen before, but with its hops used up; this copy has some left (F8) */
    /* And beside that: */
    uint64_t received, bytes;
    uint64_t cached, refused, hops_exceeded;
    uint64_t forwarded;           /* datagrams sent on for what was received, */
    uint64_t published;           /* for own packets, */
    uint64_t rebroadcast;         /* and for packets whose term has ended */
    uint64_t delivered;
    uint64_t seen, seen_capacity; /* ids in the seen set, and how many at least it holds when it has once been full */
    uint64_t used_bytes;          /* all memory of the relay, without the cache */
} relay_stats_t;

relay_t *relay_new(const relay_config_t *config); /* NULL: no memory */
void relay_free(relay_t *relay);
handler_t relay_handler(relay_t *relay);

void relay_lock(relay_t *relay);
int relay_try(relay_t *relay);
void relay_unlock(relay_t *relay);

void relay_receive_held(relay_t *relay, datagram_t *batch, size_t count, uint64_t now_ms, handler_result_t *result);
uint64_t relay_tick_held(relay_t *relay, uint64_t now_ms, handler_result_t *result);

/* Each replaces the whole table, copies what it is given and returns 0, or a negative number: then the old holds. */
enum { RELAY_NO_MEMORY = -1, RELAY_TOO_MANY = -2, RELAY_TWICE = -3 };
int relay_set_peers(relay_t *relay, const relay_peer_t *peers, size_t count);
int relay_set_clusters(relay_t *relay, const uint8_t (*ids)[32], size_t count);
int relay_set_identities(relay_t *relay, const uint8_t (*ids)[32], size_t count);
int relay_set_blocked(relay_t *relay, const address_t *addresses, size_t count); /* port 0: all ports */
void relay_set_types(relay_t *relay, const uint8_t actions[256]);
void relay_set_limits(relay_t *relay, const relay_limits_t *limits);

/* An own frame, which has been checked: cached as own, noted as seen, and `result` says to whom it goes, as it is. It
 * goes to nobody if the cache refuses it, so that nothing that is our own is sent and then lost. Returns the outcome of
 * the cache (STORE_KEPT where there is none), or RELAY_NOT_RELAYED if packets of its type are not sent on. */
enum { RELAY_NOT_RELAYED = -1 };
int relay_publish_held(relay_t *relay, const uint8_t *frame, uint32_t size, uint64_t now_ms, uint8_t id[32],
                       handler_result_t *result);

void relay_stats_held(const relay_t *relay, relay_stats_t *stats);
/* Who sent most that was malformed or over a limit since the last call: at most `room`; then forgotten. Counted by
 * host; the port is 0 where it was more than one. */
typedef struct relay_offender { address_t address; uint32_t malformed, limited; } relay_offender_t;
size_t relay_offenders_held(relay_t *relay, relay_offender_t *offenders, size_t room);

#endif
