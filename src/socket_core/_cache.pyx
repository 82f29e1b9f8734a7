"""The relay cache: packets in memory, in the order of preference, within a budget of bytes.

A relay keeps what it has seen, so that whoever was away can ask for it. What it keeps it is sent by strangers, so
every choice here is made with a flood in mind.

Who stays. Own packets, then packets of own clusters, then others by fewest hops and age. Own packets never give
way; where their share is used up, `insert` refuses and says so. Packets of own clusters give way to own ones and to
each other. A source (an IPv4 address, an IPv6 /64) and a network group (a /24, a /48) each have a share, which binds
when memory is short: then whoever is over it gives way before everybody else, and a sender who is over it only
displaces packets of its own. So a flood can take free memory, and of the rest no more than its share; an honest peer
may fill a cache that nobody else wants (F12).

What it costs. At 16 MiB a packet of the full length costs 42 bytes beyond its frame, and no mix of lengths costs 48,
all indexes counted. It is so:

* All memory is one stretch, reserved at once and used by pages of 1 KiB; nothing else is ever allocated. So what is
  used is known exactly, and cannot exceed the budget; memory that was never needed costs nothing.
* A packet's cell holds its frame, exact to 8 bytes, and a footer of 34: the first 14 bytes of its id, four links of
  24 bits, and its numbers, among them those of the frame's head that need not be stored as they came. The cells of one
  size are a pile without holes, which goes on from page to page; where one is taken out, the last one takes its place.
  So pages come back whole, any size can have them, and a flood of small packets leaves nothing behind.
* Each packet is in two chains, oldest first: of its shelf, which is its kind and hops, and of its source. The end of
  a term is the same time away for all, so the oldest of each shelf is the next to end.
* Two tables find packets by id and by nextId, at 4 bytes a slot (`_store_index.c`).

A packet is known here by 14 bytes of its id: nobody finds another packet for 112 given bits. `find` compares the whole
id none the less, by computing it, since what it returns is handed to others (F9, F13); `in` does not.

Chains. Ids commit forward: a fragment's id is in the one before it, so that a circle would be a fixed point of SHA-256.
`walk` is bounded and looks out for one all the same; of packets that name one nextId, four are indexed, and those of
own clusters come before others (F15).

Summaries. Two caches find their difference by asking about ranges of ids: how many, and which fingerprint? Ranges that
differ are split; a small one is sent as it is. A fingerprint is the sum, modulo 2**128, of SipHash-2-4-128 of each id
under a key of 16 bytes that the asking side draws anew for each session. A sum without a key, or an XOR, would be
forged: with some thousands of packets of his own, someone finds a set of them with the same sum as an honest packet
(Wagner's k-list), and hides it from all who reconcile.

Terms, shares and the clock are the caller's. No method reads a clock, and time is given in seconds of one that never
goes back. Everything may be called from any thread; whoever waits for the cache's lock has let the GIL go.

Source: docs/protocol.md, "Hops, clock, life" and "Exchange"; docs/core.md for the measurements.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport UINT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

import os

from socket_core._address cimport Address, address_t
from socket_core._packet cimport (
    FRAME_ID_BYTES,
    FRAME_MAX_BYTES,
    FRAME_OK,
    Packet,
    frame_check,
    frame_ids,
    get_id,
    packet_id_t,
    put_id,
    view,
)

cimport cython

__all__ = [
    'CLUSTER',
    'Cache',
    'CacheStats',
    'Cached',
    'DEFAULT_BUDGET_BYTES',
    'FOREIGN',
    'KEPT',
    'KNOWN',
    'OWN',
    'PREFIX_BYTES',
    'REFUSED',
    'Summary',
]

cdef extern from '_fork.h' nogil:
    int fork_guard_init()

cdef extern from '_packet_id.h' nogil:
    int packet_id_get(packet_id_t *id, uint8_t *out)

cdef extern from '_store.h' nogil:
    enum:
        STORE_OWN
        STORE_CLUSTER
        STORE_FOREIGN
        STORE_KEPT
        STORE_KNOWN
        STORE_REFUSED
        STORE_BUDGET_MIN_BYTES
        STORE_BUDGET_MAX_BYTES
        STORE_POSTAGE_MAX
        STORE_PREVIOUS_MAX
        STORE_PREFIX_BYTES

    ctypedef int store_kind_t
    ctypedef int store_outcome_t
    ctypedef void (*frame_ids_fn)(
        const uint8_t **frames, const size_t *sizes, size_t count, uint8_t (*ids)[32]
    ) noexcept

    ctypedef struct store_config_t:
        size_t budget_bytes
        uint64_t life_ms
        uint32_t postage
        uint32_t source_permille
        uint32_t group_permille
        uint32_t own_permille
        uint32_t cluster_permille
        uint8_t group_bits_v4
        uint8_t group_bits_v6
        uint64_t key[2]
        frame_ids_fn ids

    ctypedef struct store_packet_t:
        uint32_t size
        uint32_t hops
        uint32_t postage
        store_kind_t kind
        uint64_t expires_ms
        uint8_t frame[1166]

    ctypedef struct store_stats_t:
        uint64_t packets
        uint64_t own
        uint64_t cluster
        uint64_t foreign
        uint64_t frame_bytes
        uint64_t used_bytes
        uint64_t sources
        uint64_t groups
        uint64_t inserted
        uint64_t known
        uint64_t refused
        uint64_t evicted
        uint64_t expired
        uint64_t removed

    ctypedef struct store_prefix_t:
        uint8_t bytes[14]

    store_t *store_new(const store_config_t *config)
    void store_free(store_t *store)
    void store_lock(store_t *store)
    int store_try_lock(store_t *store)
    void store_unlock(store_t *store)
    store_outcome_t store_insert(store_t *store, const uint8_t *frame, uint32_t size, const uint8_t *id,
                                 store_kind_t kind, const address_t *source, uint64_t now_ms)
    void store_prefetch(const store_t *store, const uint8_t *id)
    int store_contains(const store_t *store, const uint8_t *id)
    int store_find(const store_t *store, const uint8_t *id, store_packet_t *packet)
    size_t store_previous(const store_t *store, const uint8_t *id, store_packet_t *packets, size_t room)
    int store_remove(store_t *store, const uint8_t *id)
    size_t store_fewest_hops(const store_t *store, store_packet_t *packets, size_t room)
    int store_expire(store_t *store, uint64_t now_ms, uint8_t *frame, uint32_t *size, uint64_t *next_ms)
    uint64_t store_next_expiry(const store_t *store)
    size_t store_ids(const store_t *store, store_prefix_t *ids, size_t room)
    void store_stats(const store_t *store, store_stats_t *stats)
    const char *store_check(const store_t *store)

OWN = STORE_OWN
CLUSTER = STORE_CLUSTER
FOREIGN = STORE_FOREIGN
KEPT = STORE_KEPT
KNOWN = STORE_KNOWN
REFUSED = STORE_REFUSED
DEFAULT_BUDGET_BYTES = 16 * 1024 * 1024
PREFIX_BYTES = STORE_PREFIX_BYTES

cdef int KEY_BYTES = 16
# The number of milliseconds fits a double, and so every one of them is told from the next.
cdef double SECONDS_MAX = 9e12
cdef double LIFE_MAX = 10 * 365.25 * 86400
# Packets that are inserted between two changes of the lock, so that the relay's thread waits for no longer.
cdef enum:
    BATCH = 64
# What one call returns at most: 4 MiB of messages (F15).
cdef int WALK_MAX = 4096
cdef int FEWEST_MAX = 1024
cdef int PARTS_MAX = 4096

if fork_guard_init() != 0:
    raise MemoryError
assert sizeof(store_prefix_t) == STORE_PREFIX_BYTES
assert sizeof(((<store_packet_t *>NULL).frame)) == FRAME_MAX_BYTES


# ---- What comes in ----

cdef uint64_t milliseconds(object now) except? 0xFFFFFFFFFFFFFFFF:
    cdef double seconds = now
    if not 0 <= seconds <= SECONDS_MAX:
        raise ValueError('now must be the seconds of a clock that goes forward, 0 to 9e12')
    return <uint64_t>(seconds * 1000.0 + 0.5)


cdef int64_t whole(object value, str name, int64_t least, int64_t most) except? -1:
    cdef int64_t number
    if not isinstance(value, int):
        raise TypeError(f'{name} must be int, not {value.__class__.__name__}')
    try:
        number = value
    except OverflowError:
        number = least - 1
    if not least <= number <= most:
        raise ValueError(f'{name} must be {least} to {most}')
    return number


cdef uint32_t permille(object share, str name) except? 0xFFFFFFFF:
    cdef double part = share
    if not 0 <= part <= 1:
        raise ValueError(f'{name} must be 0 to 1')
    return <uint32_t>(part * 1000 + 0.5)


cdef const uint8_t *id_of(object value) except NULL:
    if not isinstance(value, bytes):
        raise TypeError(f'id must be bytes, not {value.__class__.__name__}')
    if PyBytes_GET_SIZE(value) != FRAME_ID_BYTES:
        raise ValueError(f'id must be {FRAME_ID_BYTES} bytes long')
    return <const uint8_t *>PyBytes_AS_STRING(value)


cdef store_kind_t kind_of(object kind) except -1:
    return <store_kind_t>whole(kind, 'kind', STORE_OWN, STORE_FOREIGN)


cdef int check_packet(object packet) except -1:
    """A Packet can be had that was never parsed; it points at zeros."""
    if not isinstance(packet, Packet):
        raise TypeError(f'packet must be Packet, not {packet.__class__.__name__}')
    if frame_check((<Packet>packet).frame, <size_t>(<Packet>packet).size) != FRAME_OK:
        raise ValueError('packet is not one that was parsed')
    return 0


cdef const address_t *address_of_source(object source) except? NULL:
    if source is None:
        return NULL
    if not isinstance(source, Address):
        raise TypeError(f'source must be Address or None, not {source.__class__.__name__}')
    return &(<Address>source).raw


cdef void lock(store_t *store) noexcept:
    """Take the store's lock; the GIL is not held for as long as somebody else has it.

    Nor is the lock held for as long as somebody else has the GIL: the socket's loop wants it, and so may a thread that
    has the GIL (a relay's), which would wait for ever. So it is only waited for, and then tried again.
    """
    while not store_try_lock(store):
        with nogil:
            store_lock(store)
            store_unlock(store)


include '_cache_values.pxi'


# ---- The cache ----

@cython.final
@cython.auto_pickle(False)
cdef class Cache:
    """A relay's packets.

    Args:
        budget: bytes for everything, 256 KiB to 1 GiB.
        life: seconds of one term.
        postage: terms that a packet stays for, 1 to 15.
        source_share, group_share: the part of the budget that the packets of one source, and of one network group, may
            take from others when memory is short, 0 to 1.
        own_share: the part that own packets may have.
        cluster_share: the part that packets of own clusters may have when memory is short.
        group_bits: the prefixes that make a network group: IPv4, at most 32; IPv6, at most 64.
        key: secret of the tables, 16 bytes; None, as it should be outside tests, draws one.

    Raises:
        ValueError: an argument is out of its range.
        MemoryError: there is no memory for it.
    """

    def __cinit__(
        self,
        budget=DEFAULT_BUDGET_BYTES,
        *,
        life=21600.0,
        postage=8,
        source_share=0.04,
        group_share=0.08,
        own_share=0.5,
        cluster_share=0.75,
        group_bits=(24, 48),
        key=None,
    ):
        cdef store_config_t config
        cdef double seconds = life
        memset(&config, 0, sizeof(config))
        config.budget_bytes = <size_t>whole(budget, 'budget', STORE_BUDGET_MIN_BYTES, STORE_BUDGET_MAX_BYTES)
        if not 0.001 <= seconds <= LIFE_MAX:
            raise ValueError('life must be a millisecond to ten years')
        config.life_ms = <uint64_t>(seconds * 1000 + 0.5)
        config.postage = <uint32_t>whole(postage, 'postage', 1, STORE_POSTAGE_MAX)
        config.source_permille = permille(source_share, 'source_share')
        config.group_permille = permille(group_share, 'group_share')
        config.own_permille = permille(own_share, 'own_share')
        config.cluster_permille = permille(cluster_share, 'cluster_share')
        bits_v4, bits_v6 = group_bits
        config.group_bits_v4 = <uint8_t>whole(bits_v4, 'group_bits[0]', 0, 32)
        config.group_bits_v6 = <uint8_t>whole(bits_v6, 'group_bits[1]', 0, 64)
        secret = os.urandom(KEY_BYTES) if key is None else key
        if not isinstance(secret, bytes):
            raise TypeError(f'key must be bytes, not {secret.__class__.__name__}')
        if PyBytes_GET_SIZE(secret) != KEY_BYTES:
            raise ValueError(f'key must be {KEY_BYTES} bytes long')
        memcpy(config.key, PyBytes_AS_STRING(secret), KEY_BYTES)
        config.ids = <frame_ids_fn>frame_ids
        self.store = store_new(&config)
        if self.store == NULL:
            raise MemoryError

    def __dealloc__(self):
        store_free(self.store)

    def insert(self, packet, *, kind=FOREIGN, source=None, now, id=None):
        """Keep a packet, if it may have the room.

        Another copy of a packet that is here changes nothing, but where it came with fewer hops or is of a kind that
        is preferred: then the packet is kept as that from now on, for a new term.

        Args:
            kind: `OWN`, `CLUSTER` or `FOREIGN`.
            source: whom it came from; None for own packets, and for others that count against nobody's share.
            now: seconds.
            id: the packet's id, where it is known already; it is not checked.

        Returns:
            `KEPT`; `KNOWN`, where it was here; `REFUSED`, where everything else is preferred to it, or where it is an
            own packet and the share of own packets is used up.

        Raises:
            ValueError: a number is out of its range, or the id is not 32 bytes long.
        """
        cdef uint8_t[FRAME_ID_BYTES] own_id
        cdef const uint8_t *known = own_id
        cdef store_kind_t preferred = kind_of(kind)
        cdef const address_t *address = address_of_source(source)
        cdef uint64_t now_ms = milliseconds(now)
        cdef store_outcome_t outcome
        check_packet(packet)
        if id is None:
            get_id(packet, own_id)
        else:
            known = id_of(id)
        cdef Packet kept = <Packet>packet
        lock(self.store)
        outcome = store_insert(self.store, kept.frame, <uint32_t>kept.size, known, preferred, address, now_ms)
        store_unlock(self.store)
        return outcome

    def insert_many(self, packets, *, kind=FOREIGN, source=None, now):
        """Keep many packets of one kind and from one source: as `insert`, one after the other.

        Ids that are not known are worked out together, and other threads run meanwhile.

        Returns:
            What `insert` would return, for each.
        """
        cdef store_kind_t preferred = kind_of(kind)
        cdef const address_t *address = address_of_source(source)
        cdef uint64_t now_ms = milliseconds(now)
        cdef tuple held = tuple(packets)
        cdef list outcomes = []
        for packet in held:
            check_packet(packet)
        for at in range(0, len(held), BATCH):
            insert_batch(self.store, held[at:at + BATCH], preferred, address, now_ms, outcomes)
        return outcomes

    def find(self, id):
        """The packet with this id, or None. The whole id is compared: the packet's is computed."""
        cdef store_packet_t found
        if not find_exactly(self.store, id_of(id), &found):
            return None
        cdef Cached cached = cached_of(&found)
        put_id(cached.packet, id_of(id))
        return cached

    def previous(self, id):
        """The packets whose nextId this is, up to four."""
        cdef store_packet_t[4] found
        cdef const uint8_t *wanted = id_of(id)
        cdef size_t count, at
        lock(self.store)
        count = store_previous(self.store, wanted, found, STORE_PREVIOUS_MAX)
        store_unlock(self.store)
        return [cached_of(&found[at]) for at in range(count)]

    def walk(self, id, limit=WALK_MAX):
        """The packet with this id and those that follow it by their nextId, as far as they are here.

        Args:
            limit: how many at most, 0 to 4096.
        """
        cdef int64_t most = whole(limit, 'limit', 0, WALK_MAX)
        cdef list walked = []
        cdef set seen = set()
        while len(walked) < most and id not in seen:
            cached = self.find(id)
            if cached is None:
                break
            seen.add(id)
            walked.append(cached)
            id = cached.packet.next_id
        return walked

    def fewest_hops(self, count=3):
        """The packets with the fewest hops, youngest first among equals: up to `count`, at most 1024."""
        cdef size_t room = <size_t>whole(count, 'count', 0, FEWEST_MAX), at
        cdef store_packet_t *found = <store_packet_t *>PyMem_RawMalloc((room + 1) * sizeof(store_packet_t))
        if found == NULL:
            raise MemoryError
        try:
            lock(self.store)
            room = store_fewest_hops(self.store, found, room)
            store_unlock(self.store)
            return [cached_of(&found[at]) for at in range(room)]
        finally:
            PyMem_RawFree(found)

    def remove(self, id):
        """Take a packet out. Whether it was here."""
        cdef store_packet_t found
        cdef const uint8_t *wanted = id_of(id)
        cdef int removed = 0
        if find_exactly(self.store, wanted, &found):
            lock(self.store)
            removed = store_remove(self.store, wanted)
            store_unlock(self.store)
        return bool(removed)

    def expire(self, now, limit=256):
        """The packets whose term has ended, soonest first; each is to be sent on once more.

        Args:
            now: seconds.
            limit: how many at most.

        Returns:
            Pairs: the packet, and whether it is kept for another term; its postage has fallen by one, and where that
            is zero it has been dropped.
        """
        cdef uint64_t now_ms = milliseconds(now), next_ms
        cdef int64_t most = whole(limit, 'limit', 0, 1 << 32)
        cdef uint8_t[1166] frame
        cdef uint32_t size
        cdef int ended
        cdef list due = []
        while len(due) < most:
            lock(self.store)
            ended = store_expire(self.store, now_ms, frame, &size, &next_ms)
            store_unlock(self.store)
            if not ended:
                break
            due.append((view(PyBytes_FromStringAndSize(<const char *>frame, size)), ended == 1))
        return due

    def next_expiry(self):
        """When the next term ends, in seconds; None in an empty cache."""
        cdef uint64_t next_ms
        lock(self.store)
        next_ms = store_next_expiry(self.store)
        store_unlock(self.store)
        return None if next_ms == UINT64_MAX else <double>next_ms / 1000

    def summary(self):
        """The ids that are here now, for reconciliation."""
        cdef Summary summary = Summary.__new__(Summary)
        cdef size_t room = 0, total = 1
        cdef store_prefix_t *ids = NULL
        cdef store_prefix_t *spare
        while total > room:
            PyMem_RawFree(ids)
            room = total + total // 16 + 64
            ids = <store_prefix_t *>PyMem_RawMalloc(room * sizeof(store_prefix_t))
            if ids == NULL:
                raise MemoryError
            with nogil:
                store_lock(self.store)
                total = store_ids(self.store, ids, room)
                store_unlock(self.store)
        summary.sorted = ids
        summary.total = total
        spare = <store_prefix_t *>PyMem_RawMalloc((total + 1) * sizeof(store_prefix_t))
        if spare == NULL:
            raise MemoryError
        with nogil:
            summary_sort(ids, spare, total)
            PyMem_RawFree(spare)
        return summary

    @property
    def stats(self):
        """The numbers of this moment."""
        cdef CacheStats stats = CacheStats.__new__(CacheStats)
        lock(self.store)
        store_stats(self.store, &stats.raw)
        store_unlock(self.store)
        return stats

    def check(self):
        """Go over all of it; for tests.

        Raises:
            AssertionError: something is not as it has to be.
        """
        cdef const char *wrong
        with nogil:
            store_lock(self.store)
            wrong = store_check(self.store)
            store_unlock(self.store)
        if wrong != NULL:
            raise AssertionError(wrong.decode())

    def __contains__(self, id):
        cdef const uint8_t *wanted
        cdef int found
        if not isinstance(id, bytes):
            id = bytes(memoryview(id))
        wanted = id_of(id)
        lock(self.store)
        found = store_contains(self.store, wanted)
        store_unlock(self.store)
        return found

    def __len__(self):
        cdef store_stats_t stats
        lock(self.store)
        store_stats(self.store, &stats)
        store_unlock(self.store)
        return <Py_ssize_t>stats.packets

    def __repr__(self):
        return f'<Cache {self.stats!r}>'


cdef int find_exactly(store_t *store, const uint8_t *id, store_packet_t *found) noexcept:
    """Whether the packet with this very id is here; a copy of it."""
    cdef uint8_t[1][32] computed
    cdef const uint8_t *frame = found.frame
    cdef size_t size
    cdef int known
    lock(store)
    known = store_find(store, id, found)
    store_unlock(store)
    if not known:
        return 0
    size = found.size
    frame_ids(&frame, &size, 1, computed)
    return memcmp(computed[0], id, FRAME_ID_BYTES) == 0


cdef int gather(tuple packets, const uint8_t **frames, size_t *sizes, uint8_t (*ids)[32]) except -1:
    """Where packets are, and their ids; those that are not known are worked out together."""
    cdef const uint8_t *unknown_frames[BATCH]
    cdef size_t unknown_sizes[BATCH]
    cdef size_t places[BATCH]
    cdef uint8_t computed[BATCH][32]
    cdef size_t at, unknown = 0
    cdef Packet packet
    for at in range(<size_t>len(packets)):
        packet = <Packet>packets[at]
        frames[at] = packet.frame
        sizes[at] = <size_t>packet.size
        if not packet_id_get(&packet.known_id, ids[at]):
            unknown_frames[unknown] = frames[at]
            unknown_sizes[unknown] = sizes[at]
            places[unknown] = at
            unknown += 1
    if unknown:
        with nogil:
            frame_ids(unknown_frames, unknown_sizes, unknown, computed)
    for at in range(unknown):
        memcpy(ids[places[at]], computed[at], FRAME_ID_BYTES)
        put_id(<Packet>packets[places[at]], computed[at])
    return 0


cdef int insert_batch(
    store_t *store, tuple packets, store_kind_t kind, const address_t *source, uint64_t now_ms, list outcomes
) except -1:
    cdef const uint8_t *frames[BATCH]
    cdef size_t sizes[BATCH]
    cdef uint8_t ids[BATCH][32]
    cdef store_outcome_t results[BATCH]
    cdef size_t at, count = <size_t>len(packets)
    gather(packets, frames, sizes, ids)
    with nogil:
        store_lock(store)
        for at in range(count):
            store_prefetch(store, ids[at])
        for at in range(count):
            results[at] = store_insert(store, frames[at], <uint32_t>sizes[at], ids[at], kind, source, now_ms)
        store_unlock(store)
    for at in range(count):
        outcomes.append(results[at])
    return 0
