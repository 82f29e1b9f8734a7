from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, final

from _typeshed import structseq

from socket_core._address import Address
from socket_core._cache import Cache
from socket_core._packet import Packet

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

CHECKED: Final = 1
HASHED: Final = 2
CACHED: Final = 4
FORWARDED: Final = 8

DO_CACHE: Final = 1
DO_FORWARD: Final = 2
DO_DELIVER: Final = 4
DO_DELIVER_OWN: Final = 8
DEFAULT_ACTIONS: Final[Mapping[int, int]]

PEERS_MAX: Final = 4096
PEER_IDS_MAX: Final = 65536
IDS_MAX: Final = 4096
BLOCKED_MAX: Final = 65536
FANOUT_MAX: Final = 4
NEAREST_MAX: Final = 64

@final
class Send(structseq[Any], tuple[bytes, Address, int | None]):
    __match_args__: Final = ('data', 'address', 'socket')
    @property
    def data(self) -> bytes: ...
    @property
    def address(self) -> Address: ...
    @property
    def socket(self) -> int | None: ...

@final
class Delivery(structseq[Any], tuple[int, int, bytes | None]):
    __match_args__: Final = ('index', 'flags', 'id')
    @property
    def index(self) -> int: ...  # type: ignore[override]  # and not that of tuple
    @property
    def flags(self) -> int: ...
    @property
    def id(self) -> bytes | None: ...

@final
class Offender(structseq[Any], tuple[Address, int, int]):
    __match_args__: Final = ('address', 'malformed', 'limited')
    @property
    def address(self) -> Address: ...
    @property
    def malformed(self) -> int: ...
    @property
    def limited(self) -> int: ...

@final
class RelayStats(structseq[Any], tuple[int, ...]):
    __match_args__: Final = (
        'malformed_short',
        'malformed_long',
        'malformed_version',
        'malformed_type',
        'blocked',
        'limited',
        'ignored',
        'control',
        'fresh',
        'duplicate',
        'revived',
        'received',
        'bytes',
        'cached',
        'refused',
        'hops_exceeded',
        'forwarded',
        'published',
        'rebroadcast',
        'delivered',
        'seen',
        'seen_capacity',
        'used_bytes',
    )
    @property
    def malformed_short(self) -> int: ...
    @property
    def malformed_long(self) -> int: ...
    @property
    def malformed_version(self) -> int: ...
    @property
    def malformed_type(self) -> int: ...
    @property
    def blocked(self) -> int: ...
    @property
    def limited(self) -> int: ...
    @property
    def ignored(self) -> int: ...
    @property
    def control(self) -> int: ...
    @property
    def fresh(self) -> int: ...
    @property
    def duplicate(self) -> int: ...
    @property
    def revived(self) -> int: ...
    @property
    def received(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def cached(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def hops_exceeded(self) -> int: ...
    @property
    def forwarded(self) -> int: ...
    @property
    def published(self) -> int: ...
    @property
    def rebroadcast(self) -> int: ...
    @property
    def delivered(self) -> int: ...
    @property
    def seen(self) -> int: ...
    @property
    def seen_capacity(self) -> int: ...
    @property
    def used_bytes(self) -> int: ...

@final
class RelayPeer:
    @property
    def address(self) -> Address: ...
    @property
    def socket(self) -> int | None: ...
    @property
    def forward(self) -> bool: ...
    @property
    def trusted(self) -> bool: ...
    @property
    def clusters(self) -> tuple[bytes, ...]: ...
    @property
    def identities(self) -> tuple[bytes, ...]: ...
    def __new__(
        cls,
        address: Address | tuple[str, int],
        *,
        socket: int | None = None,
        forward: bool = True,
        trusted: bool = False,
        clusters: Iterable[bytes] = (),
        identities: Iterable[bytes] = (),
    ) -> RelayPeer: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Limits:
    @property
    def stranger(self) -> tuple[int, int]: ...
    @property
    def peer(self) -> tuple[int, int]: ...
    @property
    def group(self) -> tuple[int, int]: ...
    @property
    def total(self) -> tuple[int, int]: ...
    def __new__(
        cls,
        *,
        stranger: tuple[int, int] = ...,
        peer: tuple[int, int] = ...,
        group: tuple[int, int] = ...,
        total: tuple[int, int] = ...,
    ) -> Limits: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Relay:
    def __new__(
        cls,
        cache: Cache | None = None,
        *,
        fanout: int = 3,
        nearest: int = 16,
        max_hops: int = 16,
        seen_bytes: int = ...,
        key: bytes | None = None,
    ) -> Relay: ...
    def set_peers(self, peers: Iterable[RelayPeer]) -> None: ...
    def set_clusters(self, ids: Iterable[bytes]) -> None: ...
    def set_identities(self, ids: Iterable[bytes]) -> None: ...
    def set_blocked(self, addresses: Iterable[Address | tuple[str, int]]) -> None: ...
    def set_actions(self, actions: Mapping[int, int]) -> None: ...
    def set_limits(self, limits: Limits) -> None: ...
    def receive(
        self, datagrams: Iterable[tuple[bytes, Address | tuple[str, int]]], now: float, socket: int = 0
    ) -> tuple[list[Send], list[Delivery]]: ...
    def publish(self, packet: Packet, now: float) -> tuple[Literal[0, 1, 2], bytes, list[Send]]: ...
    def tick(self, now: float) -> tuple[float | None, list[Send]]: ...
    def offenders(self, limit: int = 64) -> list[Offender]: ...
    @property
    def cache(self) -> Cache | None: ...
    @property
    def stats(self) -> RelayStats: ...
