# Of _relay.pyx: the values that a Relay takes and gives.


cdef object sequence_type(bytes name, bytes doc, tuple fields):
    """A named tuple, by the way of the interpreter's own: it costs nothing to import."""
    cdef PyStructSequence_Desc desc
    cdef PyStructSequence_Field[40] described
    memset(described, 0, sizeof(described))
    for number, (field, about) in enumerate(fields):
        described[number].name = PyBytes_AS_STRING(field)
        described[number].doc = PyBytes_AS_STRING(about)
    desc.name = PyBytes_AS_STRING(name)
    desc.doc = PyBytes_AS_STRING(doc)
    desc.fields = described
    desc.n_in_sequence = <int>len(fields)
    cdef object made = <object><PyObject *>PyStructSequence_NewType(&desc)
    Py_DECREF(made)  # that of the call; `made` has its own
    return made


cdef inline object new_sequence(object kind):
    return PyStructSequence_New(<PyTypeObject *>kind)


cdef inline int put(object sequence, Py_ssize_t at, object value) except -1:
    Py_INCREF(value)
    PyStructSequence_SetItem(sequence, at, <PyObject *>value)
    return 0


cdef tuple SEND_FIELDS = (
    (b'data', b'the datagram'),
    (b'address', b'where it is to be sent, an Address'),
    (b'socket', b'the number of the socket to send it from, or None for the one that it came in by'),
)
cdef object send_type = sequence_type(b'socket_core._relay.Send', b'A datagram that the relay wants sent.', SEND_FIELDS)

cdef tuple DELIVERY_FIELDS = (
    (b'index', b'which of the datagrams that were given to receive()'),
    (b'flags', b'what is known of it: CHECKED, HASHED, CACHED, FORWARDED'),
    (b'id', b'the id of the packet, 32 bytes, or None where it was not worked out'),
)
cdef object delivery_type = sequence_type(
    b'socket_core._relay.Delivery', b'A datagram that concerns us.', DELIVERY_FIELDS
)

cdef tuple OFFENDER_FIELDS = (
    (b'address', b'the host; its port is 0 where it used more than one'),
    (b'malformed', b'datagrams that were no frames'),
    (b'limited', b'datagrams that were over a limit'),
)
cdef object offender_type = sequence_type(b'socket_core._relay.Offender', b'Who asked for too much.', OFFENDER_FIELDS)

# In the order of relay_stats_t.
cdef tuple STATS_FIELDS = (
    (b'malformed_short', b'dropped: less than a header'),
    (b'malformed_long', b'dropped: more than a frame'),
    (b'malformed_version', b'dropped: another version'),
    (b'malformed_type', b'dropped: an unknown type'),
    (b'blocked', b'dropped: from a blocked address'),
    (b'limited', b'dropped, and never hashed: over a limit'),
    (b'ignored', b'dropped: no action for its type'),
    (b'control', b'handed on as it came, unhashed'),
    (b'fresh', b'packets seen for the first time'),
    (b'duplicate', b'packets seen before'),
    (b'revived', b'packets seen before, but then with their hops used up; sent on after all (F8)'),
    (b'received', b'all datagrams: the sum of the eleven above'),
    (b'bytes', b'their bytes'),
    (b'cached', b'packets put into the cache'),
    (b'refused', b'packets that the cache had no room for'),
    (b'hops_exceeded', b'packets not sent on, as they have come too far'),
    (b'forwarded', b'datagrams to be sent for packets of others'),
    (b'published', b'datagrams to be sent for own packets'),
    (b'rebroadcast', b'datagrams to be sent for packets whose term in the cache has ended'),
    (b'delivered', b'datagrams handed on'),
    (b'seen', b'ids in the seen set'),
    (b'seen_capacity', b'how many of the last ids the seen set never forgets'),
    (b'used_bytes', b'memory of the relay, without that of the cache'),
)
assert len(STATS_FIELDS) * sizeof(uint64_t) == sizeof(relay_stats_t)
cdef object stats_type = sequence_type(
    b'socket_core._relay.RelayStats', b'What a relay has done so far, and what it holds now.', STATS_FIELDS
)

Send, Delivery, Offender, RelayStats = send_type, delivery_type, offender_type, stats_type


cdef tuple checked_ids(object ids, str name):
    cdef tuple checked = tuple(ids)
    for value in checked:
        if not isinstance(value, bytes):
            raise TypeError(f'{name} must be bytes each, not {value.__class__.__name__}')
        if PyBytes_GET_SIZE(value) != FRAME_ID_BYTES:
            raise ValueError(f'{name} must be {FRAME_ID_BYTES} bytes long each, not {len(value)}')
    return checked


@cython.final
cdef class RelayPeer:
    """A peer, as the relay has to know it. Immutable; equal and hashed by all of it.

    Args, and attributes:
        address: where it is reached, an Address with a port that is not 0.
        socket: the number of the socket through which its mapping was made; `None`: any.
        forward: whether packets are sent on to it. A Hard peer passes False for Hard ones.
        trusted: whether it has answered us, so that the limit of peers holds for it and not that of strangers.
        clusters: ids of its clusters, 32 bytes each: packets of these go to it first.
        identities: ids that packets may be addressed to and that it answers for, 32 bytes each: these go to it
            before all others.

    Raises:
        ValueError: an id is not 32 bytes long, the port is 0, or `socket` is out of its range.
        TypeError: a value is of the wrong type.
    """

    cdef relay_peer_t raw
    cdef readonly Address address
    cdef readonly object socket
    cdef readonly bint forward
    cdef readonly bint trusted
    cdef readonly tuple clusters
    cdef readonly tuple identities

    def __cinit__(self, address, *, socket=None, forward=True, trusted=False, clusters=(), identities=()):
        fill_address(address, &self.raw.address)
        if self.raw.address.port == 0:
            raise ValueError('address must have a port')
        self.raw.socket = HANDLER_ANY_SOCKET if socket is None else u32(socket, 'socket', 0, UINT32_MAX - 1)
        self.raw.forward = self.forward = bool(forward)
        self.raw.trusted = self.trusted = bool(trusted)
        self.address = address_of(&self.raw.address)
        self.socket = socket
        self.clusters = checked_ids(clusters, 'clusters')
        self.identities = checked_ids(identities, 'identities')

    cdef tuple values(self):
        return (self.address, self.socket, self.forward, self.trusted, self.clusters, self.identities)

    def __eq__(self, other):
        return self.values() == (<RelayPeer>other).values() if isinstance(other, RelayPeer) else NotImplemented

    def __hash__(self):
        return hash(self.values())

    def __reduce__(self):
        return anew, (RelayPeer, (self.address,), dict(zip(PEER_FIELDS, self.values()[1:])))

    def __repr__(self):
        return (
            f'RelayPeer({self.address!r}, socket={self.socket}, forward={self.forward}, trusted={self.trusted}, '
            f'{len(self.clusters)} clusters, {len(self.identities)} identities)'
        )


PEER_FIELDS = ('socket', 'forward', 'trusted', 'clusters', 'identities')
LIMIT_FIELDS = ('stranger', 'peer', 'group', 'total')


def anew(kind, args, kwargs):
    """A value that was copied or pickled."""
    return kind(*args, **kwargs)


cdef tuple rate_of(object value, str name):
    if not isinstance(value, tuple) or len(value) != 2:
        raise TypeError(f'{name} must be (packets a second, packets at once)')
    return u32(value[0], name), u32(value[1], name)


@cython.final
cdef class Limits:
    """How many packets anybody may send, each `(a second, at once)`; what is more is dropped before it is hashed (F12).

    0 at once lets nobody pass. The defaults are a policy for a node at home, and no more than that: a peer may fill
    45 Mbit/s; one unknown host a twenty-fifth of that; and hashing for all the strangers there are takes a few
    hundredths of one processor. Immutable; equal and hashed by all of it.

    Args, and attributes:
        stranger: for each address that is no trusted peer's; of IPv6, for each /64.
        peer: for each trusted peer.
        group: for all strangers of one network group, a /24 of IPv4 or a /48 of IPv6, together.
        total: for all strangers together, as source addresses can be made up.

    Raises:
        ValueError: a number is not 0 to 4294967295.
        TypeError: a value is of the wrong type.
    """

    cdef relay_limits_t raw
    cdef readonly tuple stranger
    cdef readonly tuple peer
    cdef readonly tuple group
    cdef readonly tuple total

    def __cinit__(
        self, *, stranger=(200, 400), peer=(5_000, 10_000), group=(800, 1_600), total=(20_000, 20_000)
    ):
        self.stranger = self.raw.stranger_rate, self.raw.stranger_burst = rate_of(stranger, 'stranger')
        self.peer = self.raw.peer_rate, self.raw.peer_burst = rate_of(peer, 'peer')
        self.group = self.raw.group_rate, self.raw.group_burst = rate_of(group, 'group')
        self.total = self.raw.total_rate, self.raw.total_burst = rate_of(total, 'total')

    cdef tuple values(self):
        return (self.stranger, self.peer, self.group, self.total)

    def __eq__(self, other):
        return self.values() == (<Limits>other).values() if isinstance(other, Limits) else NotImplemented

    def __hash__(self):
        return hash(self.values())

    def __reduce__(self):
        return anew, (Limits, (), dict(zip(LIMIT_FIELDS, self.values())))

    def __repr__(self):
        return f'Limits(stranger={self.stranger}, peer={self.peer}, group={self.group}, total={self.total})'
