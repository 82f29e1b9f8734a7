"""The contract between sockets and what is done with datagrams (`_handler.h`)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from socket_core._address cimport address_t


cdef extern from '_handler.h' nogil:
    enum:
        HANDLER_BATCH
        HANDLER_SENDS
        HANDLER_DELIVERIES
        HANDLER_FRAMES
        HANDLER_FRAME_BYTES
        DELIVERY_CHECKED
        DELIVERY_HASHED
        DELIVERY_CACHED
        DELIVERY_FORWARDED

    const uint32_t HANDLER_ANY_SOCKET

    ctypedef struct datagram_t:
        uint8_t *data
        uint32_t size
        uint32_t socket
        address_t address

    ctypedef struct delivery_t:
        uint32_t index
        uint32_t flags
        uint8_t came[4]
        uint8_t id[32]

    ctypedef struct outgoing_t:
        const uint8_t *data
        uint32_t size
        uint32_t socket
        address_t address

    ctypedef struct handler_result_t:
        outgoing_t *sends
        size_t send_count
        delivery_t *deliveries
        size_t delivery_count

    ctypedef void (*handler_receive_fn)(void *, datagram_t *, size_t, uint64_t, handler_result_t *) noexcept
    ctypedef uint64_t (*handler_tick_fn)(void *, uint64_t, handler_result_t *) noexcept

    ctypedef struct handler_t:
        void *state
        handler_receive_fn receive
        handler_tick_fn tick
