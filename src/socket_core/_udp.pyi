from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self, final

from socket_core._address import Address
from socket_core._packet import Packet
from socket_core._relay import Relay

__all__ = [
    'CHECKED', 'HASHED', 'CACHED', 'FORWARDED', 'LIBUV_VERSION', 'Closed', 'ClosedError', 'Datagram', 'Dropped', 'Failed', 'Fired', 'Handle',
    'Loop', 'LoopError', 'Timer', 'UdpError', 'UdpSocket', 'UdpStats', 'Writable', 'handles_alive',
]

LIBUV_VERSION: Final[str]

class UdpError(OSError):      # the system refused; errno set; .name is libuv's 'EADDRINUSE'; message says how to mend it
    name: str
class ClosedError(UdpError): ...   # the handle or the loop is closed (also: after a fork, in the child)
class LoopError(RuntimeError): ... # the loop cannot be had: from_pyuv on another libuv, ...

@final
class Datagram:              # event
    socket: UdpSocket
    address: Address
    data: bytes
    flags: int               # CHECKED | HASHED | CACHED | FORWARDED
    id: bytes | None
    received: float          # time.monotonic(), when the loop read it
    def packet(self) -> Packet: ...   # raises ProtocolError

@final
class Writable:              # event: a socket whose queue was full takes datagrams again
    socket: UdpSocket
@final
class Failed:                # event: the system reported an error for a datagram that was sent (ICMP) or for the socket
    socket: UdpSocket
    error: UdpError
    address: Address | None
@final
class Dropped:               # event: datagrams that did not fit the ring since the last one; counted, not lost silently
    count: int
@final
class Fired:                 # event
    timer: Timer
    count: int               # how often since the last one: a slow reader gets one event
@final
class Closed:                # event: the handle's memory is free
    handle: Handle

class Handle:                # base: states opening -> open -> closing -> closed, only forward
    @property
    def number(self) -> int: ...
    @property
    def loop(self) -> Loop: ...
    @property
    def closed(self) -> bool: ...
    def close(self) -> None: ...     # idempotent, from any thread, returns at once
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

@final
class UdpSocket(Handle):
    def __init__(self, loop: Loop, address: Address | tuple[str, int] = ('0.0.0.0', 0), *,
                 reuse_address: bool = False, reuse_port: bool = False, ipv6_only: bool = False,
                 receive_buffer: int = 0, send_buffer: int = 0, queue_bytes: int = 262144, broadcast: bool = False,
                 gro: bool = True, relay: Relay | None = None) -> None: ...
    @property
    def address(self) -> Address: ...            # bound
    @property
    def peer(self) -> Address | None: ...
    def connect(self, address: Address | tuple[str, int] | None) -> None: ...
    def send(self, data: bytes, address: Address | tuple[str, int] | None = None) -> bool: ...
    def send_many(self, datagrams: Sequence[tuple[bytes, Address | tuple[str, int]]]) -> int: ...
    def send_copies(self, data: Sequence[bytes], address: Address | tuple[str, int]) -> int: ...  # many datagrams, one peer
    @property
    def queued_bytes(self) -> int: ...
    receive_buffer: int                          # property, get and set; bytes as the system counts them
    send_buffer: int
    ttl: int
    broadcast: bool
    multicast_ttl: int
    multicast_loop: bool
    multicast_interface: str
    def join_group(self, group: str, interface: str = '', source: str = '') -> None: ...
    def leave_group(self, group: str, interface: str = '', source: str = '') -> None: ...
    def pause(self) -> None: ...                 # stop receiving; the system's buffer fills, then drops
    def resume(self) -> None: ...
    @property
    def stats(self) -> UdpStats: ...

@final
class UdpStats: ...  # ints: received, received_bytes, sent, sent_bytes, queued, refused (queue full), dropped (ring full),
                     # truncated, and errors: dict[str, int] by libuv name

@final
class Timer(Handle):
    def __init__(self, loop: Loop, delay: float, repeat: float = 0.0) -> None: ...
    def again(self, delay: float, repeat: float = 0.0) -> None: ...
    def stop(self) -> None: ...

@final
class Loop:
    """A libuv loop on a thread of its own (started with the first handle), or a guest of pyuv's."""
    def __init__(self, *, ring_bytes: int = 1048576, backend: Literal['auto', 'poll', 'udp'] = 'auto') -> None: ...
    @classmethod
    def from_pyuv(cls, loop: Any, *, ring_bytes: int = 1048576) -> Loop: ...
    def fileno(self) -> int: ...                 # readable when drain() has something; UdpError where the system has none (Windows)
    def drain(self, limit: int = 1024) -> list[Datagram | Writable | Failed | Dropped | Fired | Closed]: ...
    def wait(self, timeout: float | None = None) -> bool: ...   # blocks without the GIL until there is something, or woken
    def wake(self) -> None: ...                  # makes one wait() return, from any thread or signal handler
    @property
    def sockets(self) -> Sequence[UdpSocket]: ...
    @property
    def backend(self) -> str: ...
    @property
    def closed(self) -> bool: ...
    def close(self, timeout: float = 5.0) -> None: ...   # closes all handles, joins the thread
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

def handles_alive() -> dict[str, int]: ...       # by kind, in the whole process: 0 when all is closed
