"""The relay: what happens to every datagram before anybody above hears of it.

A relay hears far more than concerns it: most packets are for others, many are copies, and some are a flood. So the way
of a packet is one piece of C that needs neither the GIL nor a system call: look at it, count it against its sender's
limit, work out its id, has it been seen?, keep it, choose three peers, send it on (`_relay_core.c`, which gives the
order and its reasons). The socket's loop calls it with batches; Python gets what is for its own clusters and
identities, and the packets that peers exchange among themselves (Ping to Answer), which are not relayed.

What it shall do is told it by tables of plain values: who the peers are, best first, which clusters and identities are
ours, who is blocked, how much anybody may send, what is done with each type. A table is replaced as a whole, and holds
from the next batch on, while a loop goes on feeding the relay.

The same object works without a socket: `receive`, `publish` and `tick` take the time as an argument, and return what
is to be sent and what is to be handed on. A simulator and a node run the very same code, and with the same key they
choose the same peers.

Memory is bounded whatever comes in: `RelayStats.used_bytes` says how much it is. By default it is at most 700 KiB,
the peers' table not counted; a relay that has heard nothing yet has 3 KiB.

Source: docs/protocol.md, "Hops, clock, life" and "Publish"; cases F8, F9, F12 and F18 of the attacks.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_RawFree, PyMem_RawMalloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport UINT32_MAX, UINT64_MAX, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cimport cython

from socket_core._address cimport Address, address_of, address_t, fill_address
from socket_core._handler cimport (
    DELIVERY_CACHED,
    DELIVERY_CHECKED,
    DELIVERY_FORWARDED,
    DELIVERY_HASHED,
    HANDLER_ANY_SOCKET,
    HANDLER_BATCH,
    HANDLER_FRAME_BYTES,
    datagram_t,
    delivery_t,
    handler_result_t,
    outgoing_t,
)
from socket_core._packet cimport (
    FRAME_ID_BYTES,
    FRAME_MAX_BYTES,
    FRAME_TYPE_MAX,
    FRAME_TYPE_MIN,
    Packet,
    frame_ids,
    put_id,
)

import os

from socket_core import _packet

__all__ = [
    'BLOCKED_MAX',
    'CACHED',
    'CHECKED',
    'DEFAULT_ACTIONS',
    'DO_CACHE',
    'DO_DELIVER',
    'DO_DELIVER_OWN',
    'DO_FORWARD',
    'FANOUT_MAX',
    'FORWARDED',
    'HASHED',
    'IDS_MAX',
    'NEAREST_MAX',
    'PEERS_MAX',
    'PEER_IDS_MAX',
    'Delivery',
    'Limits',
    'Offender',
    'Relay',
    'RelayPeer',
    'RelayStats',
    'Send',
]

cdef extern from 'Python.h':
    ctypedef struct PyStructSequence_Field:
        const char *name
        const char *doc

    ctypedef struct PyStructSequence_Desc:
        const char *name
        const char *doc
        PyStructSequence_Field *fields
        int n_in_sequence

    object PyStructSequence_New(PyTypeObject *type)
    PyTypeObject *PyStructSequence_NewType(PyStructSequence_Desc *desc) except NULL
    void PyStructSequence_SetItem(object values, Py_ssize_t at, PyObject *value)

CHECKED = DELIVERY_CHECKED
HASHED = DELIVERY_HASHED
CACHED = DELIVERY_CACHED
FORWARDED = DELIVERY_FORWARDED

DO_CACHE = RELAY_CACHE
DO_FORWARD = RELAY_FORWARD
DO_DELIVER = RELAY_DELIVER
DO_DELIVER_OWN = RELAY_DELIVER_OWN
RELAYED = DO_CACHE | DO_FORWARD | DO_DELIVER_OWN
# A mapping proxy: what is taken for granted everywhere cannot be changed from one place.
DEFAULT_ACTIONS = type(type.__dict__)({
    kind: RELAYED if kind in (_packet.PUBLISH, _packet.GROUP) else DO_DELIVER
    for kind in range(FRAME_TYPE_MIN, FRAME_TYPE_MAX + 1)
})

PEERS_MAX = RELAY_PEERS_MAX
PEER_IDS_MAX = RELAY_PEER_IDS_MAX
IDS_MAX = RELAY_IDS_MAX
BLOCKED_MAX = RELAY_BLOCKED_MAX
FANOUT_MAX = RELAY_FANOUT_MAX
NEAREST_MAX = RELAY_NEAREST_MAX

cdef uint32_t DEFAULT_SEEN_BYTES = 512 * 1024
cdef int KEY_BYTES = 16
# The number of milliseconds fits a double, and so every one of them is told from the next.
cdef double SECONDS_MAX = 9e12


cdef uint32_t u32(object value, str name, uint32_t least=0, uint32_t most=0xFFFFFFFF) except? 0xFFFFFFFF:
    if not isinstance(value, int):
        raise TypeError(f'{name} must be int, not {value.__class__.__name__}')
    if not least <= value <= most:
        raise ValueError(f'{name} must be {least} to {most}')
    return <uint32_t>value


cdef uint64_t milliseconds(object now) except? 0xFFFFFFFFFFFFFFFF:
    cdef double seconds = now
    if not 0 <= seconds <= SECONDS_MAX:
        raise ValueError('now must be the seconds of a clock that goes forward, 0 to 9e12')
    return <uint64_t>(seconds * 1000.0 + 0.5)


include '_relay_values.pxi'

# Most calls come one at a time, and use the one that is there.
cdef call_t spare
cdef lock_t spare_lock

if lock_init(&spare_lock) != 0 or fork_guard_init() != 0:
    raise MemoryError
assert sizeof(spare.batch) == HANDLER_BATCH * sizeof(datagram_t)
assert sizeof(spare.frames) == HANDLER_BATCH * HANDLER_FRAME_BYTES


cdef call_t *take_call() except NULL:
    cdef call_t *call = &spare if lock_try(&spare_lock) else <call_t *>PyMem_RawMalloc(sizeof(call_t))
    if call == NULL:
        raise MemoryError
    return call


cdef void give_call(call_t *call) noexcept:
    if call == &spare:
        lock_release(&spare_lock)
    else:
        PyMem_RawFree(call)


cdef void hold(relay_t *relay) noexcept:
    """Take the relay's lock: the GIL is not held while that is waited for, nor is it while the GIL is (_lock.h)."""
    while not relay_try(relay):
        with nogil:
            relay_lock(relay)
            relay_unlock(relay)


cdef int fill_batch(call_t *call, tuple datagrams, Py_ssize_t start, Py_ssize_t count, uint32_t socket) except -1:
    """Put datagrams where C may write to them: a frame is copied, anything longer is only looked at."""
    cdef Py_ssize_t number
    cdef Py_ssize_t size
    cdef datagram_t *datagram
    for number in range(count):
        item = datagrams[start + number]
        if not isinstance(item, tuple) or len(<tuple>item) != 2:
            raise TypeError('a datagram is (bytes, address)')
        data = (<tuple>item)[0]
        if not isinstance(data, bytes):
            raise TypeError(f'the data of a datagram must be bytes, not {data.__class__.__name__}')
        datagram = &call.batch[number]
        fill_address((<tuple>item)[1], &datagram.address)
        size = PyBytes_GET_SIZE(data)
        datagram.socket = socket
        datagram.size = <uint32_t>min(size, <Py_ssize_t>0x7FFFFFFF)
        datagram.data = <uint8_t *>PyBytes_AS_STRING(data)
        if size <= FRAME_MAX_BYTES:
            datagram.data = call.frames[number]
            memcpy(datagram.data, PyBytes_AS_STRING(data), <size_t>size)
    return 0


cdef int add_sends(list sends, const handler_result_t *result, bytes known) except -1:
    """What C wants sent, as Python has it; `known` is the only datagram, where there is one already."""
    cdef size_t number
    cdef const outgoing_t *outgoing
    cdef bytes data = known
    for number in range(result.send_count):
        outgoing = &result.sends[number]
        # Copies of one packet follow each other.
        if known is None and (number == 0 or outgoing.data != result.sends[number - 1].data):
            data = PyBytes_FromStringAndSize(<const char *>outgoing.data, <Py_ssize_t>outgoing.size)
        send = new_sequence(send_type)
        put(send, 0, data)
        put(send, 1, address_of(&outgoing.address))
        put(send, 2, None if outgoing.socket == HANDLER_ANY_SOCKET else outgoing.socket)
        sends.append(send)
    return 0


cdef int add_deliveries(list deliveries, const handler_result_t *result, Py_ssize_t start) except -1:
    cdef size_t number
    cdef const delivery_t *delivery
    for number in range(result.delivery_count):
        delivery = &result.deliveries[number]
        item = new_sequence(delivery_type)
        put(item, 0, start + delivery.index)
        put(item, 1, delivery.flags)
        hashed = delivery.flags & DELIVERY_HASHED
        put(item, 2, PyBytes_FromStringAndSize(<const char *>delivery.id, FRAME_ID_BYTES) if hashed else None)
        deliveries.append(item)
    return 0


@cython.final
cdef class Relay:
    """The hot way. Attach it to sockets (`UdpSocket(..., relay=...)`), or feed it yourself, as a simulator does.

    It may be used by several threads, and by several loops, at once. With no tables set it hands on all control
    packets, caches the rest, and sends nothing to anybody.

    Args:
        cache: where packets are kept; `None`: they are only passed on.
        fanout: to how many peers a packet is sent, 0 to `FANOUT_MAX` (4).
        nearest: these are chosen at random from so many of the first that can be had, 1 to `NEAREST_MAX` (64); at
            least `fanout`.
        max_hops: a packet whose hops exceed this is not sent on, 0 to 16.
        seen_bytes: memory of the seen set, 8 KiB to 64 MiB; of the default, 512 KiB, it begins with 1 KiB, and never
            forgets the last 36,864 packets.
        key: 16 bytes, secret of the tables and seed of the choice of peers; by default at random. For simulations that
            repeat.

    Raises:
        ValueError: a number is out of its range, or the key is not 16 bytes long.
        TypeError: a value is of the wrong type.
    """

    def __cinit__(
        self, Cache cache=None, *, fanout=3, nearest=16, max_hops=16, seen_bytes=DEFAULT_SEEN_BYTES, key=None
    ):
        cdef relay_config_t config
        cdef bytes secret = os.urandom(KEY_BYTES) if key is None else key
        if len(secret) != KEY_BYTES:
            raise ValueError(f'key must be {KEY_BYTES} bytes long')
        config.store = NULL if cache is None else cache.store
        config.ids = <frame_ids_fn>frame_ids
        config.fanout = u32(fanout, 'fanout', 0, RELAY_FANOUT_MAX)
        config.nearest = u32(nearest, 'nearest', 1, RELAY_NEAREST_MAX)
        config.max_hops = u32(max_hops, 'max_hops', 0, RELAY_HOPS_MAX)
        config.seen_bytes = u32(seen_bytes, 'seen_bytes', SEEN_BYTES_MIN, SEEN_BYTES_MAX)
        config.limits = (<Limits>Limits()).raw
        memcpy(config.key, PyBytes_AS_STRING(secret), sizeof(config.key))
        self.store = cache
        self.relay = relay_new(&config)
        if self.relay == NULL:
            raise MemoryError
        self.handler = relay_handler(self.relay)
        self.set_actions(DEFAULT_ACTIONS)

    def __dealloc__(self):
        relay_free(self.relay)

    @property
    def cache(self):
        """The cache that was given, or `None`."""
        return self.store

    @property
    def stats(self):
        """What it has done so far, and what it holds now: a `RelayStats`."""
        cdef relay_stats_t raw
        hold(self.relay)
        relay_stats_held(self.relay, &raw)
        relay_unlock(self.relay)
        stats = new_sequence(stats_type)
        for number in range(len(STATS_FIELDS)):
            put(stats, number, (<uint64_t *>&raw)[<Py_ssize_t>number])
        return stats

    def receive(self, datagrams, now, socket=0):
        """What the relay does with these datagrams, as the socket's loop would have it.

        Args:
            datagrams: any number of `(bytes, address)`.
            now: seconds, of a clock that never goes back.
            socket: the number of the socket that they came in by.

        Returns:
            What is to be sent, a list of `Send`, and what is to be handed on, a list of `Delivery` in the order of
            the datagrams.

        Raises:
            ValueError: `now` or `socket` is out of its range, or an address is none.
            TypeError: a value is of the wrong type. Then none of the datagrams has been looked at.
        """
        cdef uint64_t now_ms = milliseconds(now)
        cdef uint32_t number = u32(socket, 'socket', 0, UINT32_MAX - 1)
        cdef tuple given = tuple(datagrams)
        cdef Py_ssize_t count = len(given)
        cdef Py_ssize_t start
        cdef list sends = []
        cdef list deliveries = []
        cdef call_t *call = take_call()
        try:
            if count > HANDLER_BATCH:
                for start in range(0, count, HANDLER_BATCH):
                    fill_batch(call, given, start, min(count - start, HANDLER_BATCH), number)
            for start in range(0, count, HANDLER_BATCH):
                fill_batch(call, given, start, min(count - start, HANDLER_BATCH), number)
                self.run(call, min(count - start, HANDLER_BATCH), now_ms)
                add_sends(sends, &call.result, None)
                add_deliveries(deliveries, &call.result, start)
        finally:
            give_call(call)
        return sends, deliveries

    cdef void run(self, call_t *call, Py_ssize_t count, uint64_t now_ms) noexcept:
        call.result.send_count = 0
        call.result.delivery_count = 0
        if relay_try(self.relay):
            relay_receive_held(self.relay, call.batch, <size_t>count, now_ms, &call.result)
            relay_unlock(self.relay)
            return
        with nogil:
            self.handler.receive(self.handler.state, call.batch, <size_t>count, now_ms, &call.result)

    def publish(self, Packet packet not None, now):
        """Cache and send a packet of our own, as it is.

        A packet that the cache has no room for is not sent either: nothing of our own is sent and then forgotten, so
        the caller hears of it and decides. One that was published before is sent again.

        Args:
            packet: of a type that is cached or sent on.
            now: seconds, of a clock that never goes back.

        Returns:
            The outcome of the cache (`KEPT`, `KNOWN` or `REFUSED` of `socket_core`; `KEPT` where there is none), the
            packet's id, and what is to be sent, a list of `Send`.

        Raises:
            ValueError: packets of this type are neither cached nor sent on, or `now` is out of its range.
            TypeError: a value is of the wrong type.
        """
        cdef uint64_t now_ms = milliseconds(now)
        cdef uint8_t[32] id
        cdef int outcome
        cdef list sends = []
        cdef call_t *call = take_call()
        try:
            call.result.send_count = 0
            hold(self.relay)
            outcome = relay_publish_held(self.relay, packet.frame, <uint32_t>packet.size, now_ms, id, &call.result)
            relay_unlock(self.relay)
            if outcome != RELAY_NOT_RELAYED:
                add_sends(sends, &call.result, packet.owner)
        finally:
            give_call(call)
        if outcome == RELAY_NOT_RELAYED:
            raise ValueError(f'{packet!r} is of a type that is not relayed: send it to a peer')
        put_id(packet, id)
        return outcome, PyBytes_FromStringAndSize(<const char *>id, FRAME_ID_BYTES), sends

    def tick(self, now):
        """Send once more what has been in the cache for a term (docs/protocol.md, "Hops, clock, life").

        At most 32 packets a call, so that what has expired during a long sleep is not sent in one burst; the next
        call is then due a tenth of a second later.

        Args:
            now: seconds, of a clock that never goes back.

        Returns:
            When the next call is due, in seconds, or `None`: never; and what is to be sent, a list of `Send`.

        Raises:
            ValueError: `now` is out of its range.
        """
        cdef uint64_t now_ms = milliseconds(now)
        cdef uint64_t next_ms
        cdef list sends = []
        cdef call_t *call = take_call()
        try:
            call.result.send_count = 0
            call.result.delivery_count = 0
            hold(self.relay)
            next_ms = relay_tick_held(self.relay, now_ms, &call.result)
            relay_unlock(self.relay)
            add_sends(sends, &call.result, None)
        finally:
            give_call(call)
        return (None if next_ms == UINT64_MAX else next_ms / 1000.0), sends

    def offenders(self, limit=64):
        """Who sent most that was malformed or over a limit since the last call, the worst first; then forgotten.

        Kept for the 128 worst hosts or so (F12). A source address can be forged: block with care.

        Args:
            limit: how many at most.

        Returns:
            A list of `Offender`.
        """
        cdef relay_offender_t[128] raw
        cdef size_t room = u32(limit, 'limit')
        cdef size_t count
        cdef size_t number
        hold(self.relay)
        count = relay_offenders_held(self.relay, raw, min(room, <size_t>OFFENDERS_MAX))
        relay_unlock(self.relay)
        found = []
        for number in range(count):
            offender = new_sequence(offender_type)
            put(offender, 0, address_of(&raw[number].address))
            put(offender, 1, raw[number].malformed)
            put(offender, 2, raw[number].limited)
            found.append(offender)
        return found

    def set_peers(self, peers):
        """The peers, best first; from the next batch on.

        A trusted peer that stays keeps what it has used of its limit.

        Args:
            peers: any number of `RelayPeer` up to `PEERS_MAX` (4,096), with at most `PEER_IDS_MAX` (65,536) clusters
                and identities in all; no two with one address.

        Raises:
            ValueError: too many, or one address twice. The old table holds.
            TypeError: one is no RelayPeer.
        """
        cdef tuple given = tuple(peers)
        cdef Py_ssize_t count = len(given)
        cdef Py_ssize_t number
        cdef int error
        cdef RelayPeer peer
        cdef list joined = []
        for value in given:
            if not isinstance(value, RelayPeer):
                raise TypeError(f'peers must be RelayPeer each, not {value.__class__.__name__}')
        if count > RELAY_PEERS_MAX:
            raise ValueError(f'{count} peers are too many: give the nearest {RELAY_PEERS_MAX} (PEERS_MAX)')
        cdef relay_peer_t *table = <relay_peer_t *>PyMem_Calloc(<size_t>count + 1, sizeof(relay_peer_t))
        if table == NULL:
            raise MemoryError
        try:
            for number in range(count):
                peer = given[number]
                joined.append((b''.join(peer.clusters), b''.join(peer.identities)))
                table[number] = peer.raw
                table[number].clusters = <const void *>PyBytes_AS_STRING(joined[number][0])
                table[number].cluster_count = len(peer.clusters)
                table[number].identities = <const void *>PyBytes_AS_STRING(joined[number][1])
                table[number].identity_count = len(peer.identities)
            with nogil:
                error = relay_set_peers(self.relay, table, <size_t>count)
        finally:
            PyMem_Free(table)
        check(error, f'clusters and identities of all peers are more than {RELAY_PEER_IDS_MAX} (PEER_IDS_MAX)')

    def set_clusters(self, ids):
        """The ids of our own clusters, 32 bytes each, at most `IDS_MAX` (4,096); from the next batch on.

        Raises:
            ValueError: too many, or an id is not 32 bytes long. The old table holds.
            TypeError: an id is not bytes.
        """
        cdef tuple given = checked_ids(set(ids), 'ids')
        cdef bytes joined = b''.join(given)
        cdef const void *table = PyBytes_AS_STRING(joined)
        cdef size_t count = len(given)
        cdef int error
        with nogil:
            error = relay_set_clusters(self.relay, table, count)
        check(error, f'{count} clusters are more than {RELAY_IDS_MAX} (IDS_MAX): join fewer')

    def set_identities(self, ids):
        """The ids that packets to us are addressed to, 32 bytes each, at most `IDS_MAX` (4,096); from the next batch.

        Raises:
            ValueError: too many, or an id is not 32 bytes long. The old table holds.
            TypeError: an id is not bytes.
        """
        cdef tuple given = checked_ids(set(ids), 'ids')
        cdef bytes joined = b''.join(given)
        cdef const void *table = PyBytes_AS_STRING(joined)
        cdef size_t count = len(given)
        cdef int error
        with nogil:
            error = relay_set_identities(self.relay, table, count)
        check(error, f'{count} identities are more than {RELAY_IDS_MAX} (IDS_MAX)')

    def set_blocked(self, addresses):
        """From whom nothing is heard, at most `BLOCKED_MAX` (65,536) addresses; port 0 means all ports of the host.

        Raises:
            ValueError: too many, or one is no address. The old table holds.
            TypeError: one is of the wrong type.
        """
        cdef tuple given = tuple(set(addresses))
        cdef Py_ssize_t count = len(given)
        cdef Py_ssize_t number
        cdef int error
        if count > RELAY_BLOCKED_MAX:
            raise ValueError(f'{count} blocked addresses are more than {RELAY_BLOCKED_MAX} (BLOCKED_MAX)')
        cdef address_t *table = <address_t *>PyMem_Calloc(<size_t>count + 1, sizeof(address_t))
        if table == NULL:
            raise MemoryError
        try:
            for number in range(count):
                fill_address(given[number], &table[number])
            with nogil:
                error = relay_set_blocked(self.relay, table, <size_t>count)
        finally:
            PyMem_Free(table)
        check(error, '')

    def set_actions(self, actions):
        """What is done with each type of packet; from the next batch on.

        Args:
            actions: types (`PING` to `GROUP`), and for each a sum of `DO_CACHE`, `DO_FORWARD`, `DO_DELIVER` and
                `DO_DELIVER_OWN`. A type that is not named is dropped. A type with `DO_DELIVER` alone is handed on
                unhashed, and as often as it comes; every other is hashed, and acted on once. The default is
                `DEFAULT_ACTIONS`.

        Raises:
            ValueError: an unknown type or action. The old table holds.
            TypeError: a value is of the wrong type.
        """
        cdef uint8_t[256] table
        memset(table, 0, sizeof(table))
        cdef uint32_t most = RELAY_CACHE | RELAY_FORWARD | RELAY_DELIVER | RELAY_DELIVER_OWN
        for kind, action in actions.items():
            table[u32(kind, 'type', FRAME_TYPE_MIN, FRAME_TYPE_MAX)] = <uint8_t>u32(action, 'action', 0, most)
        with nogil:
            relay_set_types(self.relay, table)

    def set_limits(self, Limits limits not None):
        """How much anybody may send; from the next batch on, as if nobody had sent anything yet."""
        with nogil:
            relay_set_limits(self.relay, &limits.raw)


cdef int check(int error, str too_many) except -1:
    if error == RELAY_NO_MEMORY:
        raise MemoryError
    if error == RELAY_TOO_MANY:
        raise ValueError(too_many)
    if error == RELAY_TWICE:
        raise ValueError('two of them have one address')
    return 0
