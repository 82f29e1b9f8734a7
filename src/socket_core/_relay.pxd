"""What other compiled modules may `cimport`: the handler of a Relay, for a loop to call; and the C behind it."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from socket_core._address cimport address_t
from socket_core._cache cimport Cache, store_t
from socket_core._handler cimport datagram_t, handler_result_t, handler_t


cdef extern from '_lock.h' nogil:
    ctypedef struct lock_t:
        pass
    int lock_init(lock_t *lock)
    bint lock_try(lock_t *lock)
    void lock_release(lock_t *lock)


cdef extern from '_fork.h' nogil:
    int fork_guard_init()


cdef extern from '_relay.h' nogil:
    enum:
        RELAY_CACHE
        RELAY_FORWARD
        RELAY_DELIVER
        RELAY_DELIVER_OWN
        RELAY_PEERS_MAX
        RELAY_PEER_IDS_MAX
        RELAY_IDS_MAX
        RELAY_BLOCKED_MAX
        RELAY_FANOUT_MAX
        RELAY_NEAREST_MAX
        RELAY_HOPS_MAX
        RELAY_NO_MEMORY
        RELAY_TOO_MANY
        RELAY_TWICE
        RELAY_NOT_RELAYED

    ctypedef struct relay_t:
        pass

    ctypedef void (*frame_ids_fn)(const uint8_t **frames, const size_t *sizes, size_t count, uint8_t (*ids)[32])

    ctypedef struct relay_peer_t:
        address_t address
        uint32_t socket
        uint8_t forward, trusted
        const void *clusters  # const uint8_t (*)[32], and so below
        size_t cluster_count
        const void *identities
        size_t identity_count

    ctypedef struct relay_limits_t:
        uint32_t stranger_rate, stranger_burst
        uint32_t peer_rate, peer_burst
        uint32_t group_rate, group_burst
        uint32_t total_rate, total_burst

    ctypedef struct relay_config_t:
        store_t *store
        frame_ids_fn ids
        uint64_t[2] key
        uint32_t fanout, nearest, max_hops, seen_bytes
        relay_limits_t limits

    ctypedef struct relay_stats_t:
        uint64_t received

    ctypedef struct relay_offender_t:
        address_t address
        uint32_t malformed, limited

    relay_t *relay_new(const relay_config_t *config)
    void relay_free(relay_t *relay)
    handler_t relay_handler(relay_t *relay)
    void relay_lock(relay_t *relay)
    bint relay_try(relay_t *relay)
    void relay_unlock(relay_t *relay)
    void relay_receive_held(relay_t *relay, datagram_t *batch, size_t count, uint64_t now_ms, handler_result_t *result)
    uint64_t relay_tick_held(relay_t *relay, uint64_t now_ms, handler_result_t *result)
    int relay_set_peers(relay_t *relay, const relay_peer_t *peers, size_t count)
    int relay_set_clusters(relay_t *relay, const void *ids, size_t count)
    int relay_set_identities(relay_t *relay, const void *ids, size_t count)
    int relay_set_blocked(relay_t *relay, const address_t *addresses, size_t count)
    void relay_set_types(relay_t *relay, const uint8_t *actions)
    void relay_set_limits(relay_t *relay, const relay_limits_t *limits)
    int relay_publish_held(
        relay_t *relay, const uint8_t *frame, uint32_t size, uint64_t now_ms, uint8_t *id, handler_result_t *result
    )
    void relay_stats_held(const relay_t *relay, relay_stats_t *stats)
    size_t relay_offenders_held(relay_t *relay, relay_offender_t *offenders, size_t room)


cdef extern from '_relay_seen.h' nogil:
    const uint32_t SEEN_BYTES_MIN
    const uint32_t SEEN_BYTES_MAX


cdef extern from '_relay_limits.h' nogil:
    enum:
        OFFENDERS_MAX


# All that one call into C writes to.
cdef struct call_t:
    datagram_t[64] batch
    handler_result_t result
    uint8_t[64][1168] frames


cdef class Relay:
    # Alive as long as the Relay is; a loop keeps a reference to the Relay until its last call has returned.
    cdef handler_t handler
    cdef relay_t *relay
    cdef Cache store

    cdef void run(self, call_t *call, Py_ssize_t count, uint64_t now_ms) noexcept
