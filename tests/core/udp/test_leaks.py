"""Opened and closed ten thousand times: no file, no handle and no memory is left."""

from __future__ import annotations

import gc
import random
import sys
import time

import pytest

from socket_core._udp import Closed, ClosedError, Datagram, Loop, Timer, UdpError, UdpSocket, handles_alive
from tests.support.udp import Inbox, is_sanitized, open_files, resident_bytes

linux = pytest.mark.skipif(sys.platform != 'linux', reason='memory and files as Linux counts them')
# What allocators keep in reserve. A leak of a handle (about 500 bytes) would be ten times that over the rounds.
SLACK_BYTES = 1 << 20


def handles_come_and_go(loop: Loop, rounds: int) -> None:
    """Open, use and close a socket and a timer, again and again."""
    inbox = Inbox(loop)
    for _ in range(rounds):
        with UdpSocket(loop, ('127.0.0.1', 0)) as ours, Timer(loop, 1000) as timer:
            ours.send(b'x', ours.address)
            inbox.datagram()
        assert {event.handle for event in inbox.take(Closed, 2)} == {ours, timer}


def loops_come_and_go(backend: str, rounds: int) -> None:
    """The same with whole loops, and their threads."""
    for _ in range(rounds):
        with Loop(backend=backend) as loop, UdpSocket(loop, ('127.0.0.1', 0)) as ours:  # type: ignore[arg-type]
            ours.send(b'x', ours.address)
            loop.wait(5)


def errors_come_and_go(loop: Loop, rounds: int) -> None:
    """What fails half way gives back what it had."""
    with UdpSocket(loop, ('127.0.0.1', 0)) as taken:
        for _ in range(rounds):
            for address in (taken.address, ('192.0.2.1', 0)):
                try:
                    UdpSocket(loop, address)
                except UdpError:
                    continue
                raise AssertionError(address)
            try:
                taken.send_many([(bytes(1000), taken.address), (b'', ('192.0.2.1', 0))])
            except (UdpError, ValueError):
                pass
            loop.drain()
    loop.drain()


@linux
@pytest.mark.timeout(120)
@pytest.mark.parametrize('rounds', [1000, pytest.param(10_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize('what', ['handles', 'loops', 'errors'])
def test_nothing_is_left(backend: str, what: str, rounds: int) -> None:
    with Loop(backend=backend) as loop:  # type: ignore[arg-type]

        def go(rounds: int) -> None:
            if what == 'handles':
                handles_come_and_go(loop, rounds)
            elif what == 'errors':
                errors_come_and_go(loop, rounds)
            else:
                loops_come_and_go(backend, rounds // 2)

        go(rounds // 2)  # the first rounds fill what allocators keep
        gc.collect()
        settle(loop)
        files, memory = open_files(), resident_bytes()
        go(rounds)
        gc.collect()
        settle(loop)
        assert open_files() == files
        assert is_sanitized() or resident_bytes() - memory < SLACK_BYTES
        assert not {kind: count for kind, count in handles_alive().items() if count and kind.lower() != 'loop'}


def settle(loop: Loop) -> None:
    """Wait until the loop's thread has given back the last handles."""
    end = time.monotonic() + 5
    while any(count for kind, count in handles_alive().items() if kind.lower() != 'loop') and time.monotonic() < end:
        loop.drain()
        time.sleep(0.002)


@linux
@pytest.mark.soak
@pytest.mark.timeout(900)
def test_minutes_of_everything(backend: str) -> None:
    """Random operations for two minutes: the number of handles stays what it should be, memory stays flat."""
    rng = random.Random(3)
    with Loop(backend=backend) as loop:  # type: ignore[arg-type]
        sockets: list[UdpSocket] = []
        timers: list[Timer] = []
        memory = 0
        started = time.monotonic()
        turn = 0
        while time.monotonic() - started < 120:
            turn += 1
            random_operation(rng, loop, sockets, timers)
            if turn % 100 == 0:
                loop.drain()
            if turn % 20_000 == 0:
                assert len(loop.sockets) == len(sockets)
                gc.collect()
                if not memory and time.monotonic() - started > 20:
                    memory = resident_bytes()
                assert not memory or is_sanitized() or resident_bytes() - memory < 4 * SLACK_BYTES
        for handle in (*sockets, *timers):
            handle.close()
        settle(loop)


def random_operation(rng: random.Random, loop: Loop, sockets: list[UdpSocket], timers: list[Timer]) -> None:
    """One thing that an app might do."""
    what = rng.randrange(12)
    if what == 0 and len(sockets) < 50:
        sockets.append(UdpSocket(loop, ('127.0.0.1', 0), queue_bytes=rng.choice((10_000, 262_144))))
    elif what == 1 and sockets:
        sockets.pop(rng.randrange(len(sockets))).close()
    elif what == 2 and len(timers) < 50:
        timers.append(Timer(loop, rng.random() / 50, rng.choice((0, 0.01))))
    elif what == 3 and timers:
        timers.pop(rng.randrange(len(timers))).close()
    elif what == 4 and timers:
        rng.choice(timers).again(rng.random() / 50, rng.choice((0, 0.01)))
    elif sockets:
        ours, other = rng.choice(sockets), rng.choice(sockets)
        try:
            if what == 5:
                ours.connect(rng.choice((other.address, None)))
            elif what == 6:
                rng.choice((ours.pause, ours.resume))()
            elif what == 7:
                ours.send_copies([bytes(rng.randrange(1300))] * rng.randrange(1, 30), other.address)
            elif what == 8:
                ours.send_many([(bytes(rng.randrange(1300)), other.address) for other in sockets[:20]])
            elif what == 9:
                ours.send(b'anybody?', ('127.0.0.1', rng.randrange(20_000, 30_000)))
            else:
                ours.send(bytes(rng.randrange(2000)), other.address)
        except (UdpError, ValueError) as error:  # connected elsewhere; refused by the port's lack of a listener
            assert not isinstance(error, ClosedError), error
    if what == 11:
        for event in loop.drain(5):
            if isinstance(event, Datagram) and not event.socket.closed:
                event.socket.pause() if rng.random() < 0.01 else None
