"""Plain sockets in Python: no event loop at all.

    python -m benchmarks.core.peers.sockets receive-into|receive|send|relay [PORT...] [--spin]

`relay` is what a good Python programmer would write by hand: receive, check, SHA-256 by hashlib, seen?, cache with
expiry and a budget, send on to three peers.
"""

from __future__ import annotations

import itertools
import socket
import sys
import time

from benchmarks.core.peers.lines import ROOM, Work, bound, converse, frame, spin
from benchmarks.core.peers.python_relay import PythonRelay


def receive_into(own: socket.socket) -> Work:
    """Into one buffer: nothing is made but a number for each datagram."""

    def work(count: int, seconds: float) -> int:
        own.settimeout(seconds)
        buffer, receive = bytearray(ROOM), own.recv_into
        for done in range(count):
            try:
                receive(buffer)
            except TimeoutError:
                return done
        return count

    return work


def receive(own: socket.socket) -> Work:
    """A `bytes` object and an address for each."""

    def work(count: int, seconds: float) -> int:
        own.settimeout(seconds)
        recvfrom = own.recvfrom
        for done in range(count):
            try:
                recvfrom(ROOM)
            except TimeoutError:
                return done
        return count

    return work


def send(own: socket.socket, port: int) -> Work:
    """One call for each."""
    frames, target = [frame(0, index) for index in range(64)], ('127.0.0.1', port)

    def work(count: int, seconds: float) -> int:
        sendto = own.sendto
        for data in itertools.islice(itertools.cycle(frames), count):
            sendto(data, target)
        return count

    return work


def relay(own: socket.socket, ports: list[int]) -> Work:
    """The same as our relay does."""
    relaying = PythonRelay([('127.0.0.1', port) for port in ports])

    def work(count: int, seconds: float) -> int:
        own.settimeout(seconds)
        recvfrom, sendto, handle = own.recvfrom, own.sendto, relaying.handle
        monotonic = time.monotonic
        for done in range(count):
            try:
                data, source = recvfrom(ROOM)
            except TimeoutError:
                return done
            if found := handle(data, source, monotonic()):
                data, peers = found
                for peer in peers:
                    sendto(data, peer)
        return count

    return work


def main(mode: str, *arguments: str) -> None:
    """Answer in one of the modes."""
    own = bound()
    numbers = [int(argument) for argument in arguments if argument != '--spin']
    if '--spin' in arguments:
        spin()
    works = {
        'receive-into': lambda: receive_into(own),
        'receive': lambda: receive(own),
        'send': lambda: send(own, numbers[0]),
        'relay': lambda: relay(own, numbers),
    }
    converse(own.getsockname()[1], works[mode]())


if __name__ == '__main__':
    main(*sys.argv[1:])
