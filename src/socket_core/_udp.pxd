"""The classes of `_udp`, and what C code of ours may know of them."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from socket_core._address cimport address_t
from socket_core._engine cimport engine_t, handle_t, net_option_t, socket_options_t
from socket_core._handler cimport outgoing_t
from socket_core._relay cimport Relay

cimport cython


cdef class Handle:
    cdef object __weakref__
    cdef handle_t *raw
    cdef Loop home
    cdef str made_at

    cdef int alive(self) except -1
    cdef int begin(self, Loop loop) except -1


cdef class UdpSocket(Handle):
    cdef str via

    cdef int make(self, Loop loop, const socket_options_t *options, Relay relay) except -1
    cdef object send_items(self, const outgoing_t *items, Py_ssize_t count)
    cdef int get(self, net_option_t option, str name) except? -1
    cdef int put(self, net_option_t option, int value, str name) except -1
    cdef int change_group(self, object group, object interface, object source, bint join) except -1
    cdef int stop_or_go(self, bint paused) except -1


cdef class Timer(Handle):
    pass


cdef class Datagram:
    cdef UdpSocket heard_by
    cdef bytes bytes_of
    cdef address_t raw
    cdef uint64_t time
    cdef uint16_t marks
    cdef uint8_t known_id[32]


cdef class Writable:
    cdef UdpSocket of


cdef class Failed:
    cdef UdpSocket of
    cdef address_t raw
    cdef int32_t code


cdef class Dropped:
    cdef uint64_t times


cdef class Fired:
    cdef Timer of
    cdef uint64_t times


cdef class Closed:
    cdef Handle of


cdef class Loop:
    cdef object __weakref__
    cdef engine_t *engine
    # Held while records are taken from the ring, and while a handle is made, so that none is told of before it is
    # known.
    cdef cython.pymutex reading
    # By number: weak references to the handles, and handles that are closing; and the relays of sockets.
    cdef dict handles
    cdef dict relays
    # The loop of pyuv that this one is a guest of.
    cdef object host

    cdef int alive(self) except -1
    cdef int readable(self) except -1
    cdef Handle find(self, uint32_t number)
    cdef int take(self, list events, list let_go, size_t most) except -1
