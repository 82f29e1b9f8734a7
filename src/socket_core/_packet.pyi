from collections.abc import Iterable
from typing import Any, Final, Literal, Never, final

from typing_extensions import Buffer

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
    'QUERY',
    'STREAM',
    'SYNC',
    'TYPE_NAMES',
    'VERSION',
    'Packet',
    'ProtocolError',
    'encode',
    'force_sha256',
    'packet_id',
    'parse',
    'parse_many',
    'sha256_many',
    'sha256_path',
    'sha256_paths',
]

VERSION: Final = 1
ID_BYTES: Final = 32
HEADER_BYTES: Final = 142
MESSAGE_MAX_BYTES: Final = 1024
PACKET_MAX_BYTES: Final = 1166
NO_ID: Final[bytes]

PING: Final = 1
PONG: Final = 2
INTRO: Final = 3
JOIN: Final = 4
PUBLISH: Final = 5
STREAM: Final = 6
SYNC: Final = 7
QUERY: Final = 8
ANSWER: Final = 9
GROUP: Final = 10
TYPE_NAMES: Final[tuple[str, ...]]

class ProtocolError(Exception):
    reason: Literal['short', 'long', 'version', 'type']
    def __init__(self, reason: Literal['short', 'long', 'version', 'type']) -> None: ...

@final
class Packet:
    def __init__(self, *args: Never, **kwargs: Never) -> None: ...
    @property
    def data(self) -> bytes: ...
    @property
    def type(self) -> int: ...
    @property
    def version(self) -> int: ...
    @property
    def hops(self) -> int: ...
    @property
    def clock(self) -> int: ...
    @property
    def index(self) -> int: ...
    @property
    def id(self) -> bytes: ...
    @property
    def cluster(self) -> bytes: ...
    @property
    def previous_id(self) -> bytes: ...
    @property
    def next_id(self) -> bytes: ...
    @property
    def to(self) -> bytes: ...
    @property
    def message(self) -> bytes: ...
    def with_hops(self, hops: int) -> Packet: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

def parse(data: Buffer) -> Packet: ...
def parse_many(datagrams: Iterable[Buffer], *, ids: bool = True) -> list[Packet | ProtocolError]: ...
def packet_id(data: Buffer) -> bytes: ...
def encode(
    type: int,
    *,
    cluster: bytes,
    message: bytes = b'',
    hops: int = 0,
    clock: int = 0,
    index: int = 0,
    previous_id: bytes = ...,
    next_id: bytes = ...,
    to: bytes = ...,
) -> bytes: ...
def sha256_many(messages: Iterable[bytes]) -> list[bytes]: ...
def sha256_paths() -> tuple[str, ...]: ...
def sha256_path(count: int = 64) -> str: ...
def force_sha256(name: str | None) -> None: ...
