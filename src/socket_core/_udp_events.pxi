# Events: what drain() gives. Plain values; made by the loop only.


cdef double seconds_of(uint64_t ns):
    """The loop's clock as time.monotonic() has it."""
    return <double>ns * 1e-9 + clock_shift


cdef int refuse_to_make(str name) except -1:
    raise TypeError(f'a {name} is made by the loop')


@cython.final
@cython.freelist(256)
@cython.no_gc
@cython.auto_pickle(False)
cdef class Datagram:
    """A datagram that came in."""

    def __init__(self, *args, **kwargs):
        refuse_to_make('Datagram')

    @property
    def socket(self):
        """The `UdpSocket` that heard it."""
        return self.heard_by

    @property
    def data(self):
        """What it says, 0 to 65,527 bytes."""
        return self.bytes_of

    @property
    def address(self):
        """Where it came from, an `Address`; IPv4 also where an IPv6 socket heard it."""
        return address_of(&self.raw)

    @property
    def flags(self):
        """What a relay found and did: a sum of `CHECKED`, `HASHED`, `CACHED` and `FORWARDED`; 0 without a relay."""
        return self.marks

    @property
    def id(self):
        """The packet's id, 32 bytes, where `flags` has `HASHED`, else None."""
        if not self.marks & DELIVERY_HASHED:
            return None
        return PyBytes_FromStringAndSize(<const char *>self.known_id, sizeof(self.known_id))

    @property
    def received(self):
        """When the loop read it: seconds, as of `time.monotonic()`."""
        return seconds_of(self.time)

    def packet(self):
        """The packet in it, a view of `data`; its id is not worked out again where it is known.

        Raises:
            ProtocolError: it is no frame.
        """
        if self.bytes_of is None:
            # `Datagram.__new__(Datagram)` is within anybody's reach.
            refuse_to_make('Datagram')
        cdef Packet packet = view(self.bytes_of)
        if self.marks & DELIVERY_HASHED:
            put_id(packet, self.known_id)
        return packet

    def __repr__(self):
        return f'<Datagram of {len(self.bytes_of)} bytes from {self.address}>'


@cython.final
@cython.no_gc
@cython.auto_pickle(False)
cdef class Writable:
    """A socket that has refused datagrams takes some again: half of its queue is free."""

    def __init__(self, *args, **kwargs):
        refuse_to_make('Writable')

    @property
    def socket(self):
        """The `UdpSocket`."""
        return self.of

    def __repr__(self):
        return f'<Writable {self.socket!r}>'


@cython.final
@cython.no_gc
@cython.auto_pickle(False)
cdef class Failed:
    """The system reported an error: for a datagram that was sent, mostly by ICMP, or for the socket.

    Where errors come faster than they are read, the last one stands for all; `UdpSocket.stats` counts every one.
    """

    def __init__(self, *args, **kwargs):
        refuse_to_make('Failed')

    @property
    def socket(self):
        """The `UdpSocket`."""
        return self.of

    @property
    def error(self):
        """The `UdpError`. `ECONNREFUSED`: nobody listens at `address`."""
        return error_of(self.code, 'udp' if self.raw.family == 0 else str(self.address))

    @property
    def address(self):
        """To whom it was sent, an `Address`; None where that is not known."""
        return None if self.raw.family == 0 else address_of(&self.raw)

    def __repr__(self):
        return f'<Failed {self.error}>'


@cython.final
@cython.no_gc
@cython.auto_pickle(False)
cdef class Dropped:
    """Datagrams that a relay would have handed on, but the ring was full."""

    def __init__(self, *args, **kwargs):
        refuse_to_make('Dropped')

    @property
    def count(self):
        """How many since the last one."""
        return self.times

    def __repr__(self):
        return f'<Dropped {self.count}>'


@cython.final
@cython.no_gc
@cython.auto_pickle(False)
cdef class Fired:
    """A timer's time has come."""

    def __init__(self, *args, **kwargs):
        refuse_to_make('Fired')

    @property
    def timer(self):
        """The `Timer`."""
        return self.of

    @property
    def count(self):
        """How often since the last one; a slow reader gets one event."""
        return self.times

    def __repr__(self):
        return f'<Fired {self.timer!r} {self.count}x>'


@cython.final
@cython.no_gc
@cython.auto_pickle(False)
cdef class Closed:
    """A handle is closed, and nothing more comes from it: its port is free, its memory is given back."""

    def __init__(self, *args, **kwargs):
        refuse_to_make('Closed')

    @property
    def handle(self):
        """The `UdpSocket` or `Timer`."""
        return self.of

    def __repr__(self):
        return f'<Closed {self.handle!r}>'


cdef Datagram datagram_of(UdpSocket socket, const record_t *record):
    """Copies it out of the ring."""
    cdef Datagram datagram = Datagram.__new__(Datagram)
    cdef const uint8_t *at = <const uint8_t *>(record + 1)
    datagram.heard_by = socket
    datagram.raw = record.address
    datagram.time = record.time
    datagram.marks = record.flags
    if record.flags & DELIVERY_HASHED:
        memcpy(datagram.known_id, at, sizeof(datagram.known_id))
        at += sizeof(datagram.known_id)
    datagram.bytes_of = PyBytes_FromStringAndSize(<const char *>at, record.size)
    return datagram


cdef object event_of(Handle handle, const record_t *record):
    """The event for what is no datagram; None where the handle's object is gone and nobody can be told."""
    cdef Writable writable
    cdef Failed failed
    cdef Fired fired
    cdef Closed closed
    if record.kind == RING_WRITABLE:
        writable = Writable.__new__(Writable)
        writable.of = <UdpSocket>handle
        return writable
    if record.kind == RING_FAILED:
        failed = Failed.__new__(Failed)
        failed.of = <UdpSocket>handle
        failed.raw = record.address
        failed.code = <int32_t>record.size
        return failed
    if record.kind == RING_FIRED:
        fired = Fired.__new__(Fired)
        fired.of = <Timer>handle
        fired.times = timer_take_fired(handle.raw)
        return fired
    closed = Closed.__new__(Closed)
    closed.of = handle
    return closed


cdef Dropped dropped_of(const record_t *record):
    cdef Dropped dropped = Dropped.__new__(Dropped)
    dropped.times = record.time
    return dropped
