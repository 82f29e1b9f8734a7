# The socket.


# Lists of up to so many are sent without letting other threads run: it takes some microseconds, while a thread that
# lets the GIL go waits up to five milliseconds for its return where another one computes.
cdef Py_ssize_t QUICK_SENDS = 8

cdef int MOST_BYTES = 2 ** 31 - 1


cdef int number_in(object value, str name, int least, int most) except -1:
    if not isinstance(value, int):
        raise TypeError(f'{name} must be int, not {value.__class__.__name__}')
    if not least <= value <= most:
        raise ValueError(f'{name} must be {least} to {most}')
    return value


cdef int size_of(object value, str name, int least) except -1:
    """A number of bytes as the system takes it."""
    return number_in(value, name, least, MOST_BYTES)


cdef int fill_named(object value, address_t *raw, str name) except -1:
    """As fill_address; what is of the wrong type is called by its name."""
    try:
        fill_address(value, raw)
    except TypeError as error:
        raise TypeError(f'{name}: {error}') from None
    return 0


cdef int fill_destination(object value, address_t *raw) except -1:
    """Where a datagram goes: an address with a port."""
    if type(value) is Address:
        raw[0] = (<Address>value).raw
    else:
        fill_named(value, raw, 'address')
    if raw.port == 0:
        raise ValueError('a datagram cannot be sent to port 0')
    return 0


cdef tuple tuple_of(object value, str name):
    if isinstance(value, (bytes, str)):
        raise TypeError(f'{name} must be a sequence of datagrams, not {value.__class__.__name__}')
    try:
        return tuple(value)
    except TypeError as error:
        raise TypeError(f'{name}: {error}') from None


cdef int fill_outgoing(outgoing_t *item, object data) except -1:
    """Points into `data`, which somebody has to keep."""
    if not isinstance(data, bytes):
        raise TypeError(f'data must be bytes, not {data.__class__.__name__}')
    if PyBytes_GET_SIZE(data) > MOST_BYTES:
        raise error_of(UV_EMSGSIZE, 'send', UdpError)
    item.data = <const uint8_t *>PyBytes_AS_STRING(data)
    item.size = <uint32_t>PyBytes_GET_SIZE(data)
    item.socket = 0
    return 0


@cython.final
@cython.auto_pickle(False)
cdef class UdpSocket(Handle):
    """A UDP socket, bound. What it hears comes from `Loop.drain()`, or goes to its relay.

    Sending is done by the calling thread, at once where the system has room; what it has no room for is queued here,
    at most `queue_bytes`, and the loop sends it when there is room. The order of what one thread sends is kept.

    When the reader of the loop is slower than the network, such a socket is not read for a while: the system's buffer
    fills, and then loses what comes (`stats.overflowed`). With a relay it is read always, since the relay's work is
    to go on whatever Python does; what cannot be handed to Python then is counted in `stats.dropped`.

    Args:
        loop: the `Loop`.
        address: where to listen, an `Address` or a pair of host and port; port 0: any free one. Hosts are numbers,
            no name is looked up. `::` hears IPv4 as well, and an IPv6 socket that is bound to it reaches IPv4.
        reuse_address: others who say so, too, may have the same address and port (SO_REUSEADDR): for groups, where
            all of them hear everything. On Windows anybody may then take the port over; without it, nobody can.
        reuse_port: others of this user who say so, too, may have the same address and port (SO_REUSEPORT): on Linux
            each sender goes to one of them. Not on Windows.
        ipv6_only: not for IPv4, even if it is bound to `::`.
        receive_buffer, send_buffer: bytes of the system's buffers; 0: what the system gives.
        queue_bytes: how much may wait for room in the system's buffer; 0: nothing.
        broadcast: may send to broadcast addresses.
        gro: let the system join and split runs of datagrams of one size (Linux); nobody sees it, it saves time.
        relay: the `Relay` that gets what comes. The socket keeps it until it is closed.

    Raises:
        UdpError: the system refused: the address is in use (EADDRINUSE), is not of this machine (EADDRNOTAVAIL),
            needs a privilege (EACCES), too many files are open (EMFILE).
        AddressError: `address` is none; a ValueError.
        ValueError: a number of bytes is out of range.
        ClosedError: the loop is closed.
    """

    def __init__(
        self,
        Loop loop,
        address=('0.0.0.0', 0),
        *,
        reuse_address=False,
        reuse_port=False,
        ipv6_only=False,
        receive_buffer=0,
        send_buffer=0,
        queue_bytes=262144,
        broadcast=False,
        gro=True,
        Relay relay=None,
    ):
        cdef socket_options_t options
        memset(&options, 0, sizeof(options))
        fill_named(address, &options.net.address, 'address')
        options.net.reuse_address = bool(reuse_address)
        options.net.reuse_port = bool(reuse_port)
        options.net.ipv6_only = bool(ipv6_only)
        options.net.broadcast = bool(broadcast)
        options.net.joins = options.net.splits = bool(gro)
        options.net.receive_buffer = size_of(receive_buffer, 'receive_buffer', 0)
        options.net.send_buffer = size_of(send_buffer, 'send_buffer', 0)
        options.queue_bytes = <size_t>size_of(queue_bytes, 'queue_bytes', 0)
        if relay is not None:
            options.handler = &relay.handler
        self.via = ''
        self.begin(loop)
        self.make(loop, &options, relay)

    cdef int make(self, Loop loop, const socket_options_t *options, Relay relay) except -1:
        cdef engine_t *engine = loop.engine
        cdef handle_t *made = NULL
        cdef int code
        # Made before: an object that Python's collector knows may set it going, and so anything, under the lock.
        reference = PyWeakref_NewRef(self, None)
        with loop.reading:
            with nogil:
                code = socket_new(engine, options, &made)
            if code == 0:
                self.raw = made
                loop.handles[handle_number(made)] = reference
                if relay is not None:
                    loop.relays[handle_number(made)] = relay
        if code != 0:
            check(code, f'cannot listen at {address_of(&options.net.address)}')
        return 0

    @property
    def address(self):
        """Where it is bound, an `Address`."""
        cdef address_t raw
        if self.raw is NULL:
            raise closed_error('UdpSocket')
        socket_bound(self.raw, &raw)
        return address_of(&raw)

    @property
    def peer(self):
        """To whom it is connected, an `Address`, or None."""
        cdef address_t raw
        self.alive()
        socket_peer(self.raw, &raw)
        return None if raw.family == 0 else address_of(&raw)

    def connect(self, address):
        """Have one peer: what others send is not heard any more, and no address is needed to send.

        What was heard before and is not drained yet still comes.

        Args:
            address: an `Address` or a pair of host and port; None: nobody in particular again.

        Raises:
            UdpError: the system refused.
            ValueError: it is no address, or its port is 0.
        """
        cdef address_t raw
        self.alive()
        if address is None:
            check(socket_connect(self.raw, NULL), 'connect')
        else:
            fill_destination(address, &raw)
            check(socket_connect(self.raw, &raw), f'cannot connect to {address_of(&raw)}')

    def send(self, data, address=None):
        """Send one datagram.

        Args:
            data: 0 to 65,507 bytes (IPv6: 65,527).
            address: an `Address` or a pair of host and port; None: the peer that it is connected to.

        Returns:
            Whether it was taken. If not, the queue is full, and the event `Writable` says when it takes some again.

        Raises:
            UdpError: the system refused: too long (EMSGSIZE), no way there (ENETUNREACH), broadcast (EACCES).
            ValueError: it is no address, or its port is 0.
        """
        cdef outgoing_t item
        cdef int code = 0
        cdef size_t taken
        self.alive()
        fill_outgoing(&item, data)
        if address is None:
            memset(&item.address, 0, sizeof(item.address))
        else:
            fill_destination(address, &item.address)
        taken = socket_send(self.raw, &item, 1, SEND_STRICT, &code)
        if code != 0:
            check(code, 'cannot send' if address is None else f'cannot send to {address_of(&item.address)}')
        return taken == 1

    def send_many(self, datagrams):
        """Send datagrams, each to its own address, with few calls of the system.

        One that the system refuses does not stop the others: it is counted in `stats.errors`, and an event `Failed`
        tells of the last one. Whoever wants to know of each sends it by `send`.

        Args:
            datagrams: a sequence of pairs: data, and an address as for `send`.

        Returns:
            How many of the first were taken. If not all, the queue is full, and the event `Writable` says when it
            takes some again.

        Raises:
            ValueError, TypeError: one of them is none; then nothing is sent.
        """
        cdef Py_ssize_t count
        self.alive()
        if not isinstance(datagrams, (list, tuple)):
            datagrams = tuple_of(datagrams, 'datagrams')
        count = len(datagrams)
        if count == 0:
            return 0
        # One piece of memory: the items, and then the objects that they point into.
        cdef size_t each = sizeof(outgoing_t) + sizeof(PyObject *)
        cdef outgoing_t *items = <outgoing_t *>PyMem_RawMalloc(count * each)
        if items is NULL:
            raise MemoryError
        cdef PyObject **kept = <PyObject **>(items + count)
        cdef Py_ssize_t filled = 0
        try:
            for pair in datagrams:
                if filled == count:
                    break  # somebody is changing the list
                if not isinstance(pair, tuple) or len(<tuple>pair) != 2:
                    raise TypeError('datagrams must hold pairs (data, address)')
                data = (<tuple>pair)[0]
                fill_outgoing(&items[filled], data)
                fill_destination((<tuple>pair)[1], &items[filled].address)
                Py_INCREF(data)
                kept[filled] = <PyObject *>data
                filled += 1
            return self.send_items(items, filled)
        finally:
            while filled > 0:
                filled -= 1
                Py_DECREF(<object>kept[filled])
            PyMem_RawFree(items)

    def send_copies(self, data, address):
        """Send many datagrams to one address; runs of equal size are split by the system where it can (GSO).

        Args:
            data: a sequence of bytes.
            address: an `Address` or a pair of host and port.

        Returns, raises:
            As `send_many`.
        """
        cdef address_t to
        cdef Py_ssize_t count, filled = 0
        self.alive()
        fill_destination(address, &to)
        # A tuple of our own: nobody changes it, and it keeps what it holds.
        cdef tuple held = tuple_of(data, 'data')
        count = len(held)
        if count == 0:
            return 0
        cdef outgoing_t *items = <outgoing_t *>PyMem_RawMalloc(count * sizeof(outgoing_t))
        if items is NULL:
            raise MemoryError
        try:
            for one in held:
                fill_outgoing(&items[filled], one)
                items[filled].address = to
                filled += 1
            return self.send_items(items, filled)
        finally:
            PyMem_RawFree(items)

    cdef object send_items(self, const outgoing_t *items, Py_ssize_t count):
        cdef handle_t *raw = self.raw
        cdef int code = 0
        cdef size_t taken
        if count <= QUICK_SENDS:
            taken = socket_send(raw, items, count, SEND_LOOSE, &code)
        else:
            with nogil:
                taken = socket_send(raw, items, count, SEND_LOOSE, &code)
        if code != 0:
            check(code, 'cannot send')
        return taken

    @property
    def queued_bytes(self):
        """How much waits for room in the system's buffer, in bytes of datagrams."""
        return socket_queued(self.raw) if self.raw is not NULL else 0

    cdef int get(self, net_option_t option, str name) except? -1:
        cdef int value = 0
        self.alive()
        check(socket_get(self.raw, option, &value), name)
        return value

    cdef int put(self, net_option_t option, int value, str name) except -1:
        self.alive()
        check(socket_set(self.raw, option, value), name)
        return 0

    @property
    def receive_buffer(self):
        """The size of the system's buffer for what comes, as the system counts it, its own overhead included.

        Linux doubles what is set, and gives at most `net.core.rmem_max`.
        """
        return self.get(NET_RECEIVE_BUFFER, 'receive_buffer')

    @receive_buffer.setter
    def receive_buffer(self, value):
        self.put(NET_RECEIVE_BUFFER, size_of(value, 'receive_buffer', 1), 'receive_buffer')

    @property
    def send_buffer(self):
        """The size of the system's buffer for what goes out, as the system counts it."""
        return self.get(NET_SEND_BUFFER, 'send_buffer')

    @send_buffer.setter
    def send_buffer(self, value):
        self.put(NET_SEND_BUFFER, size_of(value, 'send_buffer', 1), 'send_buffer')

    @property
    def ttl(self):
        """How many routers a datagram may pass, 1 to 255."""
        return self.get(NET_TTL, 'ttl')

    @ttl.setter
    def ttl(self, value):
        self.put(NET_TTL, number_in(value, 'ttl', 1, 255), 'ttl')

    @property
    def broadcast(self):
        """Whether it may send to broadcast addresses."""
        return bool(self.get(NET_BROADCAST, 'broadcast'))

    @broadcast.setter
    def broadcast(self, value):
        self.put(NET_BROADCAST, bool(value), 'broadcast')

    @property
    def multicast_ttl(self):
        """How many routers a datagram to a group may pass, 0 to 255; 1 stays in the network."""
        return self.get(NET_MULTICAST_TTL, 'multicast_ttl')

    @multicast_ttl.setter
    def multicast_ttl(self, value):
        self.put(NET_MULTICAST_TTL, number_in(value, 'multicast_ttl', 0, 255), 'multicast_ttl')

    @property
    def multicast_loop(self):
        """Whether members on this machine hear what this socket sends to a group. (On Windows: what it may hear.)"""
        return bool(self.get(NET_MULTICAST_LOOP, 'multicast_loop'))

    @multicast_loop.setter
    def multicast_loop(self, value):
        self.put(NET_MULTICAST_LOOP, bool(value), 'multicast_loop')

    @property
    def multicast_interface(self):
        """Through which interface datagrams to groups go: its name, its number or one of its addresses.

        As it was set; `''`: as the system chooses.
        """
        with cython.critical_section(self):
            return self.via

    @multicast_interface.setter
    def multicast_interface(self, value):
        self.alive()
        check(socket_multicast_interface(self.raw, c_text(value, 'multicast_interface')), f'interface {value!r}')
        with cython.critical_section(self):
            self.via = value

    def join_group(self, group, interface='', source=''):
        """Hear what is sent to a group.

        Args:
            group: its address: 224.0.0.0/4 or ff00::/8.
            interface: the interface to hear it on: its name, its number or one of its addresses; `''`: as the
                system chooses.
            source: hear it from this address only; `''`: from everybody.

        Raises:
            UdpError: there is no such interface (ENODEV), it has joined already (EADDRINUSE), or the system refused.
            ValueError: it is no group, or the source is no address of the same family.
        """
        self.change_group(group, interface, source, True)

    def leave_group(self, group, interface='', source=''):
        """Hear it no more; the arguments as they were for `join_group`.

        Raises:
            UdpError: it had not joined (EADDRNOTAVAIL).
            ValueError: as for `join_group`.
        """
        self.change_group(group, interface, source, False)

    cdef int change_group(self, object group, object interface, object source, bint join) except -1:
        cdef address_t raw_group, raw_source
        self.alive()
        fill_named((group, 0), &raw_group, 'group')
        if not address_is_multicast(&raw_group):
            raise ValueError(f'{group!r} is no group')
        memset(&raw_source, 0, sizeof(raw_source))
        if source != '':
            fill_named((source, 0), &raw_source, 'source')
            if raw_source.family != raw_group.family:
                raise ValueError('group and source must be of one family')
        cdef bytes text = c_text(interface, 'interface')
        check(
            socket_membership(self.raw, &raw_group, text, &raw_source, join),
            f'cannot {"join" if join else "leave"} {group} on {interface or "any interface"}',
        )
        return 0

    def pause(self):
        """Stop receiving. The system's buffer fills, and then loses what comes."""
        self.stop_or_go(True)

    def resume(self):
        """Receive again."""
        self.stop_or_go(False)

    cdef int stop_or_go(self, bint paused) except -1:
        cdef handle_t *raw = self.raw
        self.alive()
        with nogil:
            socket_pause(raw, paused)
        return 0

    @property
    def stats(self):
        """The counters as they are now, a `UdpStats`; also of a socket that is closed."""
        if self.raw is NULL:
            raise closed_error('UdpSocket')
        return stats_of(self.raw)

    def __repr__(self):
        if self.raw is NULL:
            return '<UdpSocket not made>'
        return f'<UdpSocket {self.number} {self.address}{" closed" if self.closed else ""}>'


cdef bytes c_text(object value, str name):
    """As C has it; nothing that C would cut off."""
    if not isinstance(value, str):
        raise TypeError(f'{name} must be str, not {value.__class__.__name__}')
    if '\0' in value or not value.isascii():
        raise ValueError(f'{name} must be ASCII without NUL')
    return value.encode()


@cython.final
@cython.auto_pickle(False)
cdef class UdpStats:
    """Counters of a socket since it was made, as they were at one moment."""

    cdef socket_stats_t counted

    def __init__(self, *args, **kwargs):
        raise TypeError('UdpStats are made by a UdpSocket')

    @property
    def received(self):
        """Datagrams that were read."""
        return self.counted.received

    @property
    def received_bytes(self):
        """What was in them."""
        return self.counted.received_bytes

    @property
    def sent(self):
        """Datagrams that the system took."""
        return self.counted.sent

    @property
    def sent_bytes(self):
        """What was in them."""
        return self.counted.sent_bytes

    @property
    def queued(self):
        """Datagrams that had to wait for room in the system's buffer."""
        return self.counted.queued

    @property
    def refused(self):
        """Datagrams that were not taken, since the queue was full."""
        return self.counted.refused

    @property
    def dropped(self):
        """Datagrams that a relay would have handed on, and the ring was full."""
        return self.counted.dropped

    @property
    def overflowed(self):
        """How often the system's buffer had no room, for a datagram or for a run of them that came joined.

        Linux tells; elsewhere it is 0.
        """
        return self.counted.overflowed

    @property
    def truncated(self):
        """Datagrams that were longer than any may be, and were thrown away."""
        return self.counted.truncated

    @property
    def errors(self):
        """How often which error occurred, by its name: `{'ECONNREFUSED': 3}`."""
        cdef int place
        cdef dict found = {}
        for place in range(SOCKET_ERRORS):
            if self.counted.codes[place] != 0 and self.counted.counts[place] != 0:
                found[name_of(self.counted.codes[place])] = self.counted.counts[place]
        return found

    def __repr__(self):
        return (
            f'<UdpStats received={self.received} sent={self.sent} queued={self.queued} refused={self.refused} '
            f'dropped={self.dropped} overflowed={self.overflowed} errors={self.errors}>'
        )


cdef UdpStats stats_of(handle_t *raw):
    cdef UdpStats stats = UdpStats.__new__(UdpStats)
    socket_stats(raw, &stats.counted)
    return stats
