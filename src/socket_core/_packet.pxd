"""What other compiled modules, and your own, may `cimport`: the frame's numbers and the packet's view."""

from libc.stdint cimport uint8_t, uint32_t


cdef extern from '_frame.h' nogil:
    enum:
        FRAME_VERSION
        FRAME_ID_BYTES
        FRAME_HEADER_BYTES
        FRAME_MESSAGE_MAX_BYTES
        FRAME_MAX_BYTES
        FRAME_AT_TYPE
        FRAME_AT_VERSION
        FRAME_AT_HOPS
        FRAME_AT_CLOCK
        FRAME_AT_INDEX
        FRAME_AT_CLUSTER
        FRAME_AT_PREVIOUS_ID
        FRAME_AT_NEXT_ID
        FRAME_AT_TO
        FRAME_TYPE_MIN
        FRAME_TYPE_MAX
        FRAME_OK
        FRAME_SHORT
        FRAME_LONG
        FRAME_BAD_VERSION
        FRAME_BAD_TYPE

    uint32_t frame_load_u32(const uint8_t *at)
    void frame_store_u32(uint8_t *at, uint32_t value)
    int frame_check(const uint8_t *data, size_t size)


cdef extern from '_packet_id.h' nogil:
    ctypedef struct packet_id_t:
        pass


cdef class Packet:
    # The datagram is kept alive by `owner`; `frame` points into it and is valid as long as the packet is.
    cdef bytes owner
    cdef const uint8_t *frame
    cdef Py_ssize_t size
    cdef packet_id_t known_id


# The packet in `data`, which is kept and not copied; raises ProtocolError.
cdef Packet view(bytes data)
# Copies the packet's id, 32 bytes, working it out where it is not known yet.
cdef void get_id(Packet packet, uint8_t *id) noexcept
# Tells a packet its id, where it was worked out elsewhere.
cdef void put_id(Packet packet, const uint8_t *id) noexcept

# The ids of checked frames (`frame_check`), batch by batch: what C code that has no Python is given.
cdef void frame_ids(const uint8_t **frames, const size_t *sizes, size_t count, uint8_t (*ids)[32]) noexcept nogil
