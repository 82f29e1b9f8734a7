"""The frame of a packet: 142 bytes of header and 0 to 1024 bytes of message, big-endian.

`parse` checks a datagram and returns a `Packet`, a view that copies nothing until a field is asked for.
`encode` is its inverse. No input and output happens here.

A packet's id is the SHA-256 of its datagram with the hops as zeros, so that a relay can change nothing else
under the same id (F8, F9). It is not on the wire: each receiver works it out. That costs more than all else
that is done with a datagram, and far less for many at once, side by side in the lanes of the processor's
vectors (`_sha256.h`); so there is `parse_many`, and `parse` leaves the id until it is asked for.

Source: docs/protocol.md, "Frame" and "Packet id"; FIPS 180-4.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
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
    'force_sha256',
    'packet_id',
    'parse',
    'parse_many',
    'sha256_many',
    'sha256_path',
    'sha256_paths',
]

cdef extern from '_packet_id.h' nogil:
    int packet_id_get(packet_id_t *id, uint8_t *out)
    void packet_id_put(packet_id_t *id, const uint8_t *value)

cdef extern from '_sha256.h' nogil:
    ctypedef enum sha256_path_t:
        SHA256_AUTO
        SHA256_SCALAR
        SHA256_PATHS

    const char *sha256_path_name(sha256_path_t path)
    int sha256_path_available(sha256_path_t path)
    int sha256_force(sha256_path_t path)
    sha256_path_t sha256_chosen(size_t count)
    void c_sha256_many 'sha256_many'(const uint8_t **data, const size_t *sizes, size_t count, uint8_t (*digests)[32])
    void sha256_frame_ids(const uint8_t **frames, const size_t *sizes, size_t count, uint8_t (*ids)[32])

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

# Below that, hashing takes less than giving up the GIL and getting it back may.
cdef size_t NOGIL_BYTES = 16 * 1024


class ProtocolError(Exception):
    """A datagram is not a frame of this protocol.

    Attributes:
        reason: `'short'`, `'long'`, `'version'` or `'type'`.
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


cdef object error_for(int code):
    """The `ProtocolError` for a code of `frame_check`."""
    if code == FRAME_SHORT:
        return ProtocolError('short')
    if code == FRAME_LONG:
        return ProtocolError('long')
    if code == FRAME_BAD_VERSION:
        return ProtocolError('version')
    return ProtocolError('type')


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
    def id(self):
        """The packet's id, 32 bytes: the same whatever the hops. Worked out when it is first asked for."""
        cdef uint8_t[FRAME_ID_BYTES] id
        get_id(self, id)
        return PyBytes_FromStringAndSize(<const char *>id, FRAME_ID_BYTES)

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

    def with_hops(self, hops):
        """The same packet, with the same id, as it is when it has come so far: a copy.

        Args:
            hops: 0 to 2**32 - 1.
        """
        cdef uint32_t number = u32(hops, 'hops')
        cdef bytes data = PyBytes_FromStringAndSize(<const char *>self.frame, self.size)
        cdef uint8_t *frame = <uint8_t *>PyBytes_AS_STRING(data)
        cdef uint8_t[FRAME_ID_BYTES] id
        frame_store_u32(frame + FRAME_AT_HOPS, number)
        cdef Packet packet = checked(data, frame, self.size)
        if packet_id_get(&self.known_id, id):
            put_id(packet, id)
        return packet

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
        raise error_for(code)
    return checked(data, frame, size)


cdef inline Packet checked(bytes data, const uint8_t *frame, Py_ssize_t size):
    cdef Packet packet = Packet.__new__(Packet)
    packet.owner = data
    packet.frame = frame
    packet.size = size
    return packet


cdef void get_id(Packet packet, uint8_t *id) noexcept:
    cdef const uint8_t *frame = packet.frame
    cdef size_t size = <size_t>packet.size
    if not packet_id_get(&packet.known_id, id):
        frame_ids(&frame, &size, 1, <uint8_t (*)[32]>id)
        packet_id_put(&packet.known_id, id)


cdef void put_id(Packet packet, const uint8_t *id) noexcept:
    packet_id_put(&packet.known_id, id)


cdef void frame_ids(const uint8_t **frames, const size_t *sizes, size_t count, uint8_t (*ids)[32]) noexcept nogil:
    sha256_frame_ids(frames, sizes, count, ids)


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


def packet_id(data):
    """The id of one datagram, 32 bytes.

    Fragments are built from the last to the first, each naming the id of the next: this is the quick way to
    it from what `encode` returned.

    Args:
        data: the datagram, `bytes` or any contiguous buffer.

    Raises:
        ProtocolError: it is no frame.
        TypeError: `data` is no buffer.
    """
    cdef bytes datagram = <bytes>data if isinstance(data, bytes) else copy(data)
    cdef const uint8_t *frame = <const uint8_t *>PyBytes_AS_STRING(datagram)
    cdef size_t size = <size_t>PyBytes_GET_SIZE(datagram)
    cdef uint8_t[FRAME_ID_BYTES] id
    cdef int code = frame_check(frame, size)
    if code != FRAME_OK:
        raise error_for(code)
    frame_ids(&frame, &size, 1, &id)
    return PyBytes_FromStringAndSize(<const char *>id, FRAME_ID_BYTES)


cdef bytes copy(object data):
    """The bytes of a buffer that may be a frame by its length: a large one is refused uncopied."""
    cdef Py_buffer buffer
    PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
    try:
        if buffer.len > FRAME_MAX_BYTES:
            raise error_for(FRAME_LONG)
        return PyBytes_FromStringAndSize(<const char *>buffer.buf, buffer.len)
    finally:
        PyBuffer_Release(&buffer)


cdef uint32_t u32(object value, str name) except? 0xFFFFFFFF:
    if not isinstance(value, int):
        raise TypeError(f'{name} must be int, not {value.__class__.__name__}')
    if not 0 <= value <= U32_MAX:
        raise ValueError(f'{name} must be 0 to 4294967295')
    return <uint32_t>value


cdef int write_id(uint8_t *at, object value, str name) except -1:
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
    write_id(frame + FRAME_AT_CLUSTER, cluster, 'cluster')
    write_id(frame + FRAME_AT_PREVIOUS_ID, previous_id, 'previous_id')
    write_id(frame + FRAME_AT_NEXT_ID, next_id, 'next_id')
    write_id(frame + FRAME_AT_TO, to, 'to')
    memcpy(frame + FRAME_HEADER_BYTES, PyBytes_AS_STRING(message), <size_t>length)
    return data


@cython.final
@cython.internal
cdef class Batch:
    """Messages to be hashed together, and their digests: memory that is given back whatever happens.

    The messages are borrowed. Whoever adds one keeps its owner until `run` has returned.
    """

    cdef const uint8_t **data
    cdef size_t *sizes
    cdef uint8_t (*digests)[FRAME_ID_BYTES]
    cdef size_t count
    cdef size_t total

    def __cinit__(self, size_t most):
        self.data = <const uint8_t **>PyMem_Calloc(most, sizeof(self.data[0]))
        self.sizes = <size_t *>PyMem_Calloc(most, sizeof(self.sizes[0]))
        self.digests = <uint8_t (*)[FRAME_ID_BYTES]>PyMem_Calloc(most, FRAME_ID_BYTES)
        if self.data == NULL or self.sizes == NULL or self.digests == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.data)
        PyMem_Free(self.sizes)
        PyMem_Free(self.digests)

    cdef void add(self, const uint8_t *data, size_t size) noexcept:
        self.data[self.count] = data
        self.sizes[self.count] = size
        self.count += 1
        self.total += size

    cdef void run(self, bint as_frames) noexcept:
        if self.total >= NOGIL_BYTES:
            with nogil:
                self.hash(as_frames)
        else:
            self.hash(as_frames)

    cdef void hash(self, bint as_frames) noexcept nogil:
        if as_frames:
            frame_ids(self.data, self.sizes, self.count, self.digests)
        else:
            c_sha256_many(self.data, self.sizes, self.count, self.digests)


def parse_many(datagrams, *, ids=True):
    """The packets in many datagrams, in their order; a `ProtocolError` stands in the place of what is none.

    Other threads run meanwhile, where there is much to hash.

    Args:
        datagrams: an iterable of `bytes` or other contiguous buffers.
        ids: work the ids out as well, together, which costs a fraction of asking for them one by one.

    Raises:
        TypeError: one of `datagrams` is no buffer.
    """
    cdef list packets = list(datagrams)
    cdef Py_ssize_t index
    for index in range(len(packets)):
        packets[index] = packet_or_error(packets[index])
    if ids:
        find_ids(packets)
    return packets


cdef object packet_or_error(object data):
    """The packet in a datagram, or the error that `parse` would raise."""
    if not isinstance(data, bytes):
        try:
            return view(copy(data))
        except ProtocolError as error:
            # As one that was never raised: a traceback would keep our frames alive.
            return error.with_traceback(None)
    cdef const uint8_t *frame = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef int code = frame_check(frame, <size_t>size)
    if code != FRAME_OK:
        return error_for(code)
    return checked(<bytes>data, frame, size)


cdef int find_ids(list packets) except -1:
    """Work out the ids of the packets in a list, together."""
    cdef Batch batch = Batch(<size_t>len(packets))
    cdef Packet packet
    cdef size_t index = 0
    for item in packets:
        if isinstance(item, Packet):
            packet = <Packet>item
            batch.add(packet.frame, <size_t>packet.size)
    batch.run(True)
    for item in packets:
        if isinstance(item, Packet):
            put_id(<Packet>item, batch.digests[index])
            index += 1
    return 0


def sha256_many(messages):
    """The SHA-256 digests of many messages, 32 bytes each, in their order.

    Args:
        messages: an iterable of `bytes`, of any lengths.
    """
    cdef list kept = list(messages)
    cdef Batch batch = Batch(<size_t>len(kept))
    for message in kept:
        if not isinstance(message, bytes):
            raise TypeError(f'a message must be bytes, not {message.__class__.__name__}')
        batch.add(<const uint8_t *>PyBytes_AS_STRING(message), <size_t>PyBytes_GET_SIZE(message))
    batch.run(False)
    return digests_of(batch)


def sha256_paths():
    """The ways to compute SHA-256 that this processor has, by name; `'scalar'` is always among them."""
    return tuple([name_of(path) for path in range(SHA256_SCALAR, SHA256_PATHS) if sha256_path_available(path)])


def sha256_path(count=64):
    """The way that a batch of `count` messages of one length begins with, by name."""
    if not isinstance(count, int) or count < 1:
        raise ValueError('count must be an int of 1 or more')
    return name_of(sha256_chosen(min(count, 64)))


def force_sha256(name):
    """Use only this way from now on, in the whole process; `None` for the best again. For tests and measurements.

    Raises:
        ValueError: `name` is not one of `sha256_paths()`.
    """
    if name is not None and name not in sha256_paths():
        raise ValueError(f'{name!r} is not one of {", ".join(sha256_paths())}')
    for path in range(SHA256_AUTO, SHA256_PATHS):
        if name_of(path) == (name or 'auto'):
            sha256_force(path)


cdef str name_of(int path):
    return sha256_path_name(<sha256_path_t>path).decode('ascii')


cdef list digests_of(Batch batch):
    cdef size_t index
    return [
        PyBytes_FromStringAndSize(<const char *>batch.digests[index], FRAME_ID_BYTES)
        for index in range(batch.count)
    ]
