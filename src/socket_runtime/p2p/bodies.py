"""Bodies of control packets: what peers say to each other about themselves, and not for others.

A control packet goes to one address and is never relayed. It is the frame's header, then::

    0    8   time, ms since 1970, by the sender's clock
    8   32   sender: its id, the Ed25519 public key
    40  32   requestId: drawn by whoever begins, echoed by whoever answers
    72   n   the fields of the type
    -64 64   signature: Ed25519 over "socket-runtime/p2p/1/control" 00 | the whole datagram up to here

What the signature covers. The *whole header*, for each field of it can be turned against somebody (F8): with another
type a Ping would be a Pong; with another cluster a peer would be drawn into one that it never named; with another
``to`` what was said to one peer could be said to all others (F7), which is why everything but a first Ping names its
recipient; with another clock the recipient's would jump. Fields that mean nothing here (hops, index, previousId,
nextId) have to be zeros. So there is one spelling, and no byte that a stranger may choose.

What makes it fresh (F5, F7). An answer bears the requestId that we drew for it, and nobody else can know. A request
bears a time; `replay.SeenMessages.is_first(sender, request_id, time)` tells whether it was heard before, keeps a
horizon for each sender, and survives a restart. `Control.is_timely` bounds what it has to remember.

In which order it is checked, cheapest first: `decode` (form, no cryptography, no memory), then whatever the peer knows
(is the answer awaited, from this address? is it for us? is it timely?), then `Control.verify`, some 60 us, then
whether it was seen. What a body *does* is the peer's to say, in its states; an address is forged until it has answered.

Nothing amplifies by its form: a Pong is exactly as long as a Ping, and a Ping shorter than any Intro (F1, F2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import ClassVar, Final, Self, TypedDict

from socket_core import (
    ANSWER,
    HEADER_BYTES,
    ID_BYTES,
    INTRO,
    JOIN,
    NO_ID,
    PING,
    PONG,
    QUERY,
    SYNC,
    Address,
    Packet,
)
from socket_runtime.p2p._body import (
    HEAD_BYTES,
    PURPOSE,
    Body,
    Reader,
    address_bytes,
    is_endpoint,
    is_id,
    require,
)
from socket_runtime.p2p.errors import BadBody, SealingError
from socket_runtime.p2p.exchange import Answer, Query
from socket_runtime.p2p.keys import SIGNATURE_BYTES, Identity, public_identity
from socket_runtime.p2p.seal import AHEAD_MAX_MS, TIME_MAX_MS
from socket_runtime.p2p.sync import Sync

__all__ = [
    'CLUSTERS_MAX',
    'INTRO_MIN_BYTES',
    'PING_BYTES',
    'PONG_BYTES',
    'REFUSED_PORTS',
    'Consent',
    'Control',
    'Intro',
    'Join',
    'Nat',
    'Ping',
    'Pong',
    'decode',
    'is_safe_target',
]

CLUSTERS_MAX: Final = 16
"""Clusters that one Join may name (F18)."""
REFUSED_PORTS: Final = frozenset({0, 22, 53, 123, 1900})
"""Where nobody is ever sent to: a login, a name server, a clock, a discovery service (F4)."""

_SHARED: Final = Struct('>BBHQ')
_PONG_FIELDS: Final = _SHARED.size + 19 + 4
PONG_BYTES: Final = HEADER_BYTES + HEAD_BYTES + _PONG_FIELDS + SIGNATURE_BYTES
PING_BYTES: Final = PONG_BYTES
"""A Ping is filled up with zeros to the length of the Pong that it may bring about: 313 bytes (F1)."""
INTRO_MIN_BYTES: Final = HEADER_BYTES + HEAD_BYTES + 1 + 1 + ID_BYTES + 19 + SIGNATURE_BYTES
"""331 bytes: what it names is sent a Ping, which is shorter (F2)."""

_REFLECTION: Final = 1
_CONNECTION: Final = 2
_KEEP_ALIVE: Final = 4
_GEOSPACIAL: Final = 8
_PING_FLAGS: Final = 15
_CONSENT: Final = 1
# What a control packet does not use of its header: hops, index, previousId, nextId.
_UNUSED: Final = (slice(2, 6), slice(10, 14), slice(46, 110))


class Nat(IntEnum):
    """What stands between a peer and the network."""

    UNKNOWN = 0
    STATIC = 1
    EASY = 2
    HARD = 3


def is_safe_target(address: Address, *, near: bool = False) -> bool:
    """Whether a packet may be sent to an address that somebody else has named (F4).

    Args:
        address: as it was named.
        near: whether addresses of this host and this network are meant: whoever named it is in it too.
    """
    if not is_endpoint(address) or address.port in REFUSED_PORTS:
        return False
    return near or not (address.is_loopback or address.is_private or address.is_link_local)


@dataclass(frozen=True, slots=True)
class Control:
    """A control packet that is well-formed. Nothing in it is true until `verify` says so.

    Attributes:
        body: what it says.
        sender: the id that it claims.
        time: ms since 1970, by the sender's clock.
        cluster, to, clock: of the header; ``to`` may be zeros for a Ping only.
        data: the datagram.
    """

    body: Body
    sender: bytes = field(repr=False)
    time: int
    cluster: bytes = field(repr=False)
    to: bytes = field(repr=False)
    clock: int
    data: bytes = field(repr=False)

    @property
    def request_id(self) -> bytes:
        """The body's."""
        return self.body.request_id

    def is_for(self, own_id: bytes) -> bool:
        """Whether we are meant, or nobody in particular (F7)."""
        return self.to in (own_id, NO_ID)

    def is_timely(self, now_ms: int) -> bool:
        """Whether it was written within a day of now, by clocks that differ. Older ones are not remembered (F7)."""
        return abs(self.time - now_ms) <= AHEAD_MAX_MS

    def verify(self) -> bool:
        """Whether the sender has signed all of it. About 60 us: to be asked last."""
        try:
            sender = public_identity(self.sender)
        except ValueError:
            return False
        return sender.verify(PURPOSE, self.data[:-SIGNATURE_BYTES], self.data[-SIGNATURE_BYTES:])


def decode(packet: Packet) -> Control:
    """The control packet in a packet: form only, every byte of it; no signature is checked.

    Raises:
        BadBody: it is none; ``reason`` is ``type``, ``header``, ``to``, ``time``, ``short``, ``long``, ``id``,
            ``flags``, ``nat``, ``port``, ``address``, ``padding``, ``list``, ``question``, ``range`` or ``value``.
    """
    kind = _BODIES.get(packet.type)
    data = packet.data
    if kind is None:
        raise BadBody('type')
    if any(any(data[part]) for part in _UNUSED):
        raise BadBody('header')
    to = packet.to
    if to == NO_ID and not kind._may_be_to_nobody():
        raise BadBody('to')
    if len(data) < HEADER_BYTES + HEAD_BYTES + SIGNATURE_BYTES:
        raise BadBody('short')
    reader = Reader(data[HEADER_BYTES:-SIGNATURE_BYTES])
    time = reader.number(8)
    if not 0 < time <= TIME_MAX_MS:
        raise BadBody('time')
    sender, request_id = reader.id(), reader.id()
    try:
        body = kind._read(request_id, reader)
    except SealingError:  # what we would not say ourselves
        raise BadBody('value') from None
    reader.end()
    return Control(body, sender, time, packet.cluster, to, packet.clock, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping(Body):
    """Are you there, and what do I look like?

    Attributes:
        request_id: 32 random bytes.
        nat: the sender's type.
        is_reflection: tell me the address that you see.
        is_connection: I want to be connected with you.
        is_keep_alive: I still am (the seed's heartbeat).
        test_port: a further port that may be answered to, if that address has proved itself; with a reflection only.
        geospacial: where the sender is. Nobody has to say it.
    """

    TYPE: ClassVar[int] = PING
    request_id: bytes = field(repr=False)
    nat: Nat = Nat.UNKNOWN
    is_reflection: bool = False
    is_connection: bool = False
    is_keep_alive: bool = False
    test_port: int = 0
    geospacial: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check_shared(self)

    @property
    def wants_answer(self) -> bool:
        """Whether a Pong is due; the first Ping that opens a port asks for none."""
        return self.is_reflection or self.is_connection or self.is_keep_alive

    def pong(self, address: Address, *, nat: Nat = Nat.UNKNOWN, cache_size: int = 0, test_port: int = 0) -> Pong:
        """The answer to this Ping.

        Args:
            address: where it came from, as we saw it.
            nat: our own type.
            cache_size: packets in our cache.
            test_port: the port of it that this Pong is sent to, if that is the test port.

        Raises:
            SealingError: a number is out of its range, or the Ping wanted no such answer.
        """
        return Pong(
            request_id=self.request_id,
            nat=nat,
            is_reflection=self.is_reflection,
            is_connection=self.is_connection,
            is_keep_alive=self.is_keep_alive,
            test_port=test_port,
            address=address,
            cache_size=cache_size,
        )

    @classmethod
    def _may_be_to_nobody(cls) -> bool:
        return True

    def _write(self) -> bytes:
        return _shared_fields(self).ljust(_PONG_FIELDS, b'\0')

    @classmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        shared = _read_shared(reader)
        reader.zeros(_PONG_FIELDS - _SHARED.size)
        return cls(request_id=request_id, **shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong(Body):
    """The answer to a Ping; as long as that.

    Attributes:
        request_id: the Ping's.
        nat: the type of whoever answers.
        is_reflection, is_connection, is_keep_alive: what the Ping asked for.
        test_port: the port that this Pong was sent to, if that was the test port; otherwise 0.
        geospacial: as in the Ping.
        address: where the Ping came from.
        cache_size: packets in the cache of whoever answers.
    """

    TYPE: ClassVar[int] = PONG
    request_id: bytes = field(repr=False)
    address: Address
    nat: Nat = Nat.UNKNOWN
    is_reflection: bool = False
    is_connection: bool = False
    is_keep_alive: bool = False
    test_port: int = 0
    geospacial: int | None = field(default=None, repr=False)
    cache_size: int = 0

    def __post_init__(self) -> None:
        _check_shared(self)
        require(self.is_reflection or self.is_connection or self.is_keep_alive, 'nothing was asked')
        _check_address(self.address)
        require(0 <= self.cache_size < 1 << 32, 'the size of a cache is a number of packets below 2**32')

    def _write(self) -> bytes:
        return _shared_fields(self) + self.address.to_bytes() + self.cache_size.to_bytes(4, 'big')

    @classmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        shared = _read_shared(reader)
        return cls(request_id=request_id, **shared, address=reader.known_address(), cache_size=reader.number(4))


@dataclass(frozen=True, slots=True)
class Consent:
    """A peer's word that another may introduce it, to be shown to whoever did not ask (F2).

    It is of one Join: of its requestId, its cluster, and the one peer that it went to. A third peer acts on it once
    (`replay.SeenMessages` by the requestId), so an introducer cannot keep it for later or show it for another cluster.
    That the *address* is the peer's own nobody can prove to a third: it may lie about itself. What bounds the harm is
    how little is sent before an address has answered.

    Attributes:
        time: when it was given, ms since 1970.
        address: the peer's own address as it knew it; the Intro has to name the same host. ``None`` if unknown.
        signature: the peer's, for "introduce me": cluster | introducer | requestId | time 8 | nat 1 | address 19.
    """

    time: int
    address: Address | None
    signature: bytes = field(repr=False)

    @classmethod
    def create(
        cls,
        identity: Identity,
        *,
        cluster: bytes,
        introducer: bytes,
        request_id: bytes,
        nat: Nat,
        now_ms: int,
        address: Address | None = None,
    ) -> Consent:
        """The word of ``identity``, for the Join with this requestId to ``introducer``.

        Raises:
            SealingError: an argument is out of its range.
        """
        require(is_id(cluster) and is_id(introducer) and is_id(request_id), 'ids are 32 bytes')
        require(0 < now_ms <= TIME_MAX_MS, 'times are ms since 1970')
        signed = _consent_bytes(cluster, introducer, request_id, now_ms, nat, address)
        return cls(now_ms, address, identity.sign(b'introduce me', signed))

    def verify(self, peer_id: bytes, *, cluster: bytes, introducer: bytes, request_id: bytes, nat: Nat) -> bool:
        """Whether ``peer_id`` has said so."""
        try:
            peer = public_identity(peer_id)
        except ValueError:
            return False
        signed = _consent_bytes(cluster, introducer, request_id, self.time, nat, self.address)
        return peer.verify(b'introduce me', signed, self.signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intro(Body):
    """This peer is there, at this address.

    To whoever asked it bears the requestId of the Join or Query that asked, and needs nothing else; to the peer that is
    named to them, who did not ask, it bears the requestId of that Join and the `Consent` of whoever sent it.

    Attributes:
        request_id: of the Join or Query that brought it about.
        peer_id: who is introduced.
        address: where it is, as the introducer sees it.
        nat: its type.
        consent: its countersignature.
    """

    TYPE: ClassVar[int] = INTRO
    request_id: bytes = field(repr=False)
    peer_id: bytes = field(repr=False)
    address: Address
    nat: Nat = Nat.UNKNOWN
    consent: Consent | None = None

    def __post_init__(self) -> None:
        require(is_id(self.request_id) and is_id(self.peer_id), 'ids are 32 bytes')
        _check_address(self.address)
        _check_consent(self.consent)

    def is_countersigned(self, *, cluster: bytes, introducer: bytes) -> bool:
        """Whether the introduced peer has asked ``introducer`` for this, at this host. One signature.

        Args:
            cluster, introducer: the header's cluster and the Intro's (verified) sender.
        """
        consent = self.consent
        if consent is None or (consent.address is not None and consent.address.host != self.address.host):
            return False
        return consent.verify(
            self.peer_id, cluster=cluster, introducer=introducer, request_id=self.request_id, nat=self.nat
        )

    def _write(self) -> bytes:
        fields = bytes((self.consent is not None, self.nat)) + self.peer_id + self.address.to_bytes()
        if self.consent is None:
            return fields
        return (
            fields + self.consent.time.to_bytes(8, 'big') + address_bytes(self.consent.address) + self.consent.signature
        )

    @classmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        flags, nat, peer_id, address = reader.flags(_CONSENT), _read_nat(reader), reader.id(), reader.known_address()
        consent = None
        if flags & _CONSENT:
            time, known = _read_time(reader), reader.address()
            consent = Consent(time, known, reader.take(SIGNATURE_BYTES))
        return cls(request_id=request_id, peer_id=peer_id, address=address, nat=nat, consent=consent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Join(Body):
    """I am here; introduce me.

    Attributes:
        request_id: 32 random bytes; Intros bear it.
        clusters: what the sender looks for, 1 to 16; sorted on the wire.
        nat: the sender's type.
        address: the sender's own, as it was last told.
        consent: that it may be named to others; without it only others are named to the sender.
    """

    TYPE: ClassVar[int] = JOIN
    request_id: bytes = field(repr=False)
    clusters: frozenset[bytes] = field(repr=False)
    nat: Nat = Nat.UNKNOWN
    address: Address | None = None
    consent: Consent | None = None

    def __post_init__(self) -> None:
        require(is_id(self.request_id) and all(map(is_id, self.clusters)), 'ids are 32 bytes')
        require(0 < len(self.clusters) <= CLUSTERS_MAX, f'a Join names 1 to {CLUSTERS_MAX} clusters')
        if self.address is not None:
            _check_address(self.address)
        _check_consent(self.consent)
        require(self.consent is None or self.consent.address == self.address, 'the consent is for another address')

    def _write(self) -> bytes:
        fields = bytes((self.consent is not None, self.nat)) + address_bytes(self.address)
        fields += bytes((len(self.clusters),)) + b''.join(sorted(self.clusters))
        if self.consent is None:
            return fields
        return fields + self.consent.time.to_bytes(8, 'big') + self.consent.signature

    @classmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        flags, nat, address = reader.flags(_CONSENT), _read_nat(reader), reader.address()
        count = reader.number(1)
        if not 0 < count <= CLUSTERS_MAX:
            raise BadBody('list')
        listed = reader.ids(count)
        clusters = frozenset(listed)
        if list(listed) != sorted(clusters):
            raise BadBody('list')
        consent = Consent(_read_time(reader), address, reader.take(SIGNATURE_BYTES)) if flags & _CONSENT else None
        return cls(request_id=request_id, clusters=clusters, nat=nat, address=address, consent=consent)


class _Shared(TypedDict):
    nat: Nat
    is_reflection: bool
    is_connection: bool
    is_keep_alive: bool
    test_port: int
    geospacial: int | None


def _check_shared(body: Ping | Pong) -> None:
    require(is_id(body.request_id), 'a requestId is 32 bytes')
    require(0 <= body.test_port < 1 << 16, 'a port is at most 65535')
    require(body.is_reflection or body.test_port == 0, 'a test port needs a reflection')
    require(body.geospacial is None or 0 <= body.geospacial < 1 << 64, 'a place is a number of 64 bits')


def _shared_fields(body: Ping | Pong) -> bytes:
    """What Ping and Pong begin with: flags, type of NAT, test port, place."""
    flags = body.is_reflection * _REFLECTION | body.is_connection * _CONNECTION | body.is_keep_alive * _KEEP_ALIVE
    flags |= (body.geospacial is not None) * _GEOSPACIAL
    return _SHARED.pack(flags, body.nat, body.test_port, body.geospacial or 0)


def _read_shared(reader: Reader) -> _Shared:
    flags, nat = reader.flags(_PING_FLAGS), _read_nat(reader)
    test_port, geospacial = reader.number(2), reader.number(8)
    if test_port and not flags & _REFLECTION:
        raise BadBody('port')
    if geospacial and not flags & _GEOSPACIAL:
        raise BadBody('padding')
    return {
        'nat': nat,
        'is_reflection': bool(flags & _REFLECTION),
        'is_connection': bool(flags & _CONNECTION),
        'is_keep_alive': bool(flags & _KEEP_ALIVE),
        'test_port': test_port,
        'geospacial': geospacial if flags & _GEOSPACIAL else None,
    }


def _read_nat(reader: Reader) -> Nat:
    number = reader.number(1)
    if number > Nat.HARD:
        raise BadBody('nat')
    return Nat(number)


def _read_time(reader: Reader) -> int:
    time = reader.number(8)
    if not 0 < time <= TIME_MAX_MS:
        raise BadBody('time')
    return time


def _check_address(address: Address) -> None:
    require(is_endpoint(address), 'an address is one host and one port')


def _check_consent(consent: Consent | None) -> None:
    if consent is not None:
        require(0 < consent.time <= TIME_MAX_MS, 'times are ms since 1970')
        require(len(consent.signature) == SIGNATURE_BYTES, f'a signature is {SIGNATURE_BYTES} bytes')


def _consent_bytes(
    cluster: bytes, introducer: bytes, request_id: bytes, time: int, nat: Nat, address: Address | None
) -> bytes:
    return cluster + introducer + request_id + time.to_bytes(8, 'big') + bytes((nat,)) + address_bytes(address)


_BODIES: Final[dict[int, type[Body]]] = {kind.TYPE: kind for kind in (Ping, Pong, Intro, Join, Query, Answer, Sync)}
assert {PING, PONG, INTRO, JOIN, SYNC, QUERY, ANSWER} == _BODIES.keys()
