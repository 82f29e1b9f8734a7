"""The frame of a packet: 142 bytes of header and 0 to 1024 bytes of message, big-endian.

`parse` checks a datagram and returns a `Packet`, a view that copies nothing until a field is asked for.
`encode` is its inverse. No input and output happens here, and nothing is hashed.

Source: docs/protocol.md, "Frame".
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

cimport cython

__all__ = [
    'ANSWER',
    'GROUP',
    'HEADER_BYTES',
    'ID_BYTES',
    'INTRO',
    'JOIN',
    'MESSAGE_MAX_BYTES',
    'NO_ID',
    'PACKET_MAX_BYTES',
    'PING',
    'PONG',
    'PUBLISH',
    'Packet',
    'ProtocolError',
    'QUERY',
    'STREAM',
    'SYNC',
    'TYPE_NAMES',
    'VERSION',
    'encode',
    'parse',
]

VERSION = FRAME_VERSION
ID_BYTES = FRAME_ID_BYTES
HEADER_BYTES = FRAME_HEADER_BYTES
MESSAGE_MAX_BYTES = FRAME_MESSAGE_MAX_BYTES
PACKET_MAX_BYTES = FRAME_MAX_BYTES
NO_ID = bytes(FRAME_ID_BYTES)

PING, PONG, INTRO, JOIN, PUBLISH, STREAM, SYNC, QUERY, ANSWER, GROUP = range(FRAME_TYPE_MIN, FRAME_TYPE_MAX + 1)
TYPE_NAMES = ('', 'Ping', 'Pong', 'Intro', 'Join', 'Publish', 'Stream', 'Sync', 'Query', 'Answer', 'Group')

cdef uint32_t U32_MAX = 0xFFFFFFFF
cdef uint8_t[FRAME_HEADER_BYTES] NOTHING


class ProtocolError(Exception):
    """A datagram is not a frame of this protocol.

    Attributes:
        reason: `'short'`, `'long'`, `'version'` or `'type'`.
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


cdef int refuse(int code) except -1:
    """Raise the `ProtocolError` for a code of `frame_check`."""
    if code == FRAME_SHORT:
        raise ProtocolError('short')
    if code == FRAME_LONG:
        raise ProtocolError('long')
    if code == FRAME_BAD_VERSION:
        raise ProtocolError('version')
    raise ProtocolError('type')


@cython.final
@cython.freelist(64)
cdef class Packet:
    """One checked frame. Made by `parse` only.

    Numbers are read, and ids and the message copied, when they are asked for.
    """

    def __cinit__(self):
        # `Packet.__new__(Packet)` is within anybody's reach, so no packet ever points nowhere.
        self.owner = b''
        self.frame = NOTHING
        self.size = FRAME_HEADER_BYTES

    def __init__(self, *args, **kwargs):
        raise TypeError('a Packet is made by parse()')

    @property
    def data(self):
        """The whole datagram: the very object that `parse` got, where that was `bytes`."""
        return self.owner

    @property
    def type(self):
        """What the packet is for: 1 (`PING`) to 10 (`GROUP`)."""
        return self.frame[FRAME_AT_TYPE]

    @property
    def version(self):
        """The protocol's version, always `VERSION`."""
        return self.frame[FRAME_AT_VERSION]

    @property
    def hops(self):
        """How far the packet has come, u32, as the last relay wrote it: unchecked, since any relay may."""
        return frame_load_u32(self.frame + FRAME_AT_HOPS)

    @property
    def clock(self):
        """The sender's Lamport clock, u32."""
        return frame_load_u32(self.frame + FRAME_AT_CLOCK)

    @property
    def index(self):
        """The fragment's place in its message, u32; 0 for the head and for a single packet."""
        return frame_load_u32(self.frame + FRAME_AT_INDEX)

    @property
    def cluster(self):
        """The cluster's id, 32 bytes."""
        return id_at(self, FRAME_AT_CLUSTER)

    @property
    def previous_id(self):
        """The id of the packet that this message follows, 32 bytes, or `NO_ID`."""
        return id_at(self, FRAME_AT_PREVIOUS_ID)

    @property
    def next_id(self):
        """The id of the next fragment, 32 bytes; `NO_ID` at the end."""
        return id_at(self, FRAME_AT_NEXT_ID)

    @property
    def to(self):
        """The recipient's id, 32 bytes, or `NO_ID` for nobody in particular."""
        return id_at(self, FRAME_AT_TO)

    @property
    def message(self):
        """The message, 0 to 1024 bytes."""
        return PyBytes_FromStringAndSize(
            <const char *>self.frame + FRAME_HEADER_BYTES, self.size - FRAME_HEADER_BYTES
        )

    def __len__(self):
        return self.size

    def __eq__(self, other):
        if not isinstance(other, Packet):
            return NotImplemented
        return self.owner == (<Packet>other).owner

    def __hash__(self):
        return hash(self.owner)

    def __reduce__(self):
        return parse, (self.owner,)

    def __repr__(self):
        return (
            f'<Packet {TYPE_NAMES[self.type]} clock={self.clock} index={self.index} hops={self.hops} '
            f'message={self.size - FRAME_HEADER_BYTES} B>'
        )


cdef inline bytes id_at(Packet packet, int at):
    return PyBytes_FromStringAndSize(<const char *>packet.frame + at, FRAME_ID_BYTES)


cdef Packet view(bytes data):
    """The packet in `data`, which is kept and not copied.

    Raises `ProtocolError`.
    """
    cdef const uint8_t *frame = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef int code = frame_check(frame, <size_t>size)
    if code != FRAME_OK:
        refuse(code)
    cdef Packet packet = Packet.__new__(Packet)
    packet.owner = data
    packet.frame = frame
    packet.size = size
    return packet


def parse(data):
    """The packet in one datagram.

    `bytes` are kept as they are; any other buffer may change under us, so it is checked and then copied
    once.

    Args:
        data: the datagram, `bytes` or any contiguous buffer.

    Raises:
        ProtocolError: too short, too long, of another version or of an unknown type.
        TypeError: `data` is no buffer.
    """
    if isinstance(data, bytes):
        return view(<bytes>data)
    return view(copy(data))


cdef bytes copy(object data):
    """The bytes of a buffer that may be a frame by its length: a large one is refused uncopied."""
    cdef Py_buffer buffer
    PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
    try:
        if buffer.len > FRAME_MAX_BYTES:
            refuse(FRAME_LONG)
        return PyBytes_FromStringAndSize(<const char *>buffer.buf, buffer.len)
    finally:
        PyBuffer_Release(&buffer)


cdef uint32_t u32(object value, str name) except? 0xFFFFFFFF:
    if not isinstance(value, int):
        raise TypeError(f'{name} must be int, not {value.__class__.__name__}')
    if not 0 <= value <= U32_MAX:
        raise ValueError(f'{name} must be 0 to 4294967295')
    return <uint32_t>value


cdef int put_id(uint8_t *at, object value, str name) except -1:
    if not isinstance(value, bytes):
        raise TypeError(f'{name} must be bytes, not {value.__class__.__name__}')
    if PyBytes_GET_SIZE(value) != FRAME_ID_BYTES:
        raise ValueError(f'{name} must be {FRAME_ID_BYTES} bytes long')
    memcpy(at, PyBytes_AS_STRING(value), FRAME_ID_BYTES)
    return 0


def encode(
    type,
    *,
    cluster,
    message=b'',
    hops=0,
    clock=0,
    index=0,
    previous_id=NO_ID,
    next_id=NO_ID,
    to=NO_ID,
):
    """The datagram for one packet, 142 to 1166 bytes.

    Args:
        type: 1 (`PING`) to 10 (`GROUP`).
        cluster: the cluster's id, 32 bytes.
        message: 0 to 1024 bytes.
        hops, clock, index: 0 to 2**32 - 1.
        previous_id, next_id, to: ids of 32 bytes; `NO_ID` where there is none.

    Raises:
        ValueError: a number or a length is out of its range.
        TypeError: a value is of the wrong type.
    """
    cdef uint32_t kind = u32(type, 'type')
    if not FRAME_TYPE_MIN <= kind <= FRAME_TYPE_MAX:
        raise ValueError(f'type must be {FRAME_TYPE_MIN} to {FRAME_TYPE_MAX}')
    if not isinstance(message, bytes):
        raise TypeError(f'message must be bytes, not {message.__class__.__name__}')
    cdef Py_ssize_t length = PyBytes_GET_SIZE(message)
    if length > FRAME_MESSAGE_MAX_BYTES:
        raise ValueError(f'message must be at most {FRAME_MESSAGE_MAX_BYTES} bytes long')

    # The bytes are ours alone until they are returned, so they may be filled in place. Every one of them is
    # written, and where an argument is refused half-way the object is dropped unseen.
    cdef bytes data = PyBytes_FromStringAndSize(NULL, FRAME_HEADER_BYTES + length)
    cdef uint8_t *frame = <uint8_t *>PyBytes_AS_STRING(data)
    frame[FRAME_AT_TYPE] = <uint8_t>kind
    frame[FRAME_AT_VERSION] = FRAME_VERSION
    frame_store_u32(frame + FRAME_AT_HOPS, u32(hops, 'hops'))
    frame_store_u32(frame + FRAME_AT_CLOCK, u32(clock, 'clock'))
    frame_store_u32(frame + FRAME_AT_INDEX, u32(index, 'index'))
    put_id(frame + FRAME_AT_CLUSTER, cluster, 'cluster')
    put_id(frame + FRAME_AT_PREVIOUS_ID, previous_id, 'previous_id')
    put_id(frame + FRAME_AT_NEXT_ID, next_id, 'next_id')
    put_id(frame + FRAME_AT_TO, to, 'to')
    memcpy(frame + FRAME_HEADER_BYTES, PyBytes_AS_STRING(message), <size_t>length)
    return data
