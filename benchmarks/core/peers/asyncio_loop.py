"""asyncio and uvloop, as receivers, senders and relays.

    python -m benchmarks.core.peers.asyncio_loop asyncio|uvloop stock|small|reader|send|relay [PORT...] [--spin]

`stock` is a `DatagramProtocol` as the documentation shows it; `small` has the transport's buffer set to 2,048 bytes,
which asyncio does not document (`transport.max_size`); `reader` watches the socket by `add_reader` and receives up to
64 datagrams for each call.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.core.peers.lines import ROOM, Work, bound, converse, frame, spin
from benchmarks.core.peers.python_relay import PythonRelay

AT_ONCE = 64


class Counter(asyncio.DatagramProtocol):
    """Counts datagrams, and stops the loop when there are enough."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._stop: Callable[[], None] = loop.stop
        self.count = self.wanted = 0

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One more."""
        self.count += 1
        if self.count == self.wanted:
            self._stop()


class Relaying(Counter):
    """Relays each datagram, in plain Python."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ports: list[int]) -> None:
        super().__init__(loop)
        self._relay = PythonRelay([('127.0.0.1', port) for port in ports])
        self._sendto: Callable[..., None]

    def connection_made(self, transport: Any) -> None:
        """Keep how to send."""
        self._sendto = transport.sendto

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One more, sent on to whom it is for."""
        if found := self._relay.handle(data, addr, time.monotonic()):
            copy, peers = found
            for peer in peers:
                self._sendto(copy, peer)
        super().datagram_received(data, addr)


def receive(loop: asyncio.AbstractEventLoop, counter: Counter) -> Work:
    """Run the loop until the counter has enough."""

    def work(count: int, seconds: float) -> int:
        counter.count, counter.wanted = 0, count
        giving_up = loop.call_later(seconds, loop.stop)
        loop.run_forever()
        giving_up.cancel()
        return counter.count

    return work


def watch(loop: asyncio.AbstractEventLoop, own: socket.socket) -> Counter:
    """Receive by `add_reader`."""
    counter, recvfrom = Counter(loop), own.recvfrom

    def readable() -> None:
        try:
            for _ in range(AT_ONCE):
                counter.datagram_received(*recvfrom(ROOM))
        except BlockingIOError:
            pass

    own.setblocking(False)
    loop.add_reader(own, readable)
    return counter


def send(loop: asyncio.AbstractEventLoop, transport: Any, port: int) -> Work:
    """Send, and wait until all is sent."""
    frames, target = [frame(0, index) for index in range(64)], ('127.0.0.1', port)

    def work(count: int, seconds: float) -> int:
        sendto = transport.sendto
        for data in itertools.islice(itertools.cycle(frames), count):
            sendto(data, target)
        while transport.get_write_buffer_size():
            loop.run_until_complete(asyncio.sleep(0))
        return count

    return work


def main(which: str, mode: str, *arguments: str) -> None:
    """Answer in one of the modes."""
    if which == 'uvloop':
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    own = bound()
    port = own.getsockname()[1]
    ports = [int(argument) for argument in arguments if argument != '--spin']
    if '--spin' in arguments:
        spin()
    if mode == 'reader':
        converse(port, receive(loop, watch(loop, own)))
        return
    counter = Relaying(loop, ports) if mode == 'relay' else Counter(loop)
    transport, _ = loop.run_until_complete(loop.create_datagram_endpoint(lambda: counter, sock=own))
    if mode == 'small' or (mode == 'relay' and which == 'asyncio'):
        transport.max_size = ROOM  # type: ignore[attr-defined]
    converse(port, send(loop, transport, ports[0]) if mode == 'send' else receive(loop, counter))


if __name__ == '__main__':
    main(*sys.argv[1:])
