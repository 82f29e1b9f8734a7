"""The loop and its handles in short: bound, sent, received, drained, closed, counted. `udp/` has the whole of it."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socket_core._address import Address
from socket_core._udp import (
    LIBUV_VERSION,
    Closed,
    ClosedError,
    Datagram,
    Fired,
    Loop,
    Timer,
    UdpError,
    UdpSocket,
    handles_alive,
)
from tests.support.udp import environment

BACKENDS = ['poll', 'udp'] if sys.platform == 'linux' else ['udp']
SECONDS = 10.0


@pytest.fixture(params=BACKENDS)
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    assert not any(handles_alive().values())
    with Loop(backend=request.param) as loop:
        yield loop
    assert not any(handles_alive().values())


@pytest.fixture
def ours(loop: Loop) -> Iterator[UdpSocket]:
    with UdpSocket(loop, ('127.0.0.1', 0)) as ours:
        yield ours


def events_of(loop: Loop, count: int) -> list[object]:
    """The next `count` events."""
    events: list[object] = []
    end = time.monotonic() + SECONDS
    while len(events) < count:
        assert time.monotonic() < end, events
        loop.wait(0.5)
        events += loop.drain(count - len(events))
    return events


def test_the_version_of_libuv() -> None:
    assert tuple(map(int, re.findall(r'\d+', LIBUV_VERSION)[:2])) >= (1, 41)


def test_from_bind_to_closed(loop: Loop) -> None:
    ours = UdpSocket(loop, ('127.0.0.1', 0))
    assert (ours.number, ours.loop, ours.closed, ours.address.host) == (1, loop, False, '127.0.0.1')
    assert loop.sockets == (ours,)
    assert handles_alive() == {'loop': 1, 'socket': 1, 'timer': 0}
    before = time.monotonic()
    assert ours.send(b'hello', ours.address)
    (datagram,) = events_of(loop, 1)
    assert isinstance(datagram, Datagram)
    assert (datagram.data, datagram.address, datagram.socket) == (b'hello', ours.address, ours)
    assert (datagram.flags, datagram.id) == (0, None)
    assert before <= datagram.received <= time.monotonic()
    ours.close()
    assert ours.closed
    (closed,) = events_of(loop, 1)
    assert isinstance(closed, Closed)
    assert closed.handle is ours
    assert handles_alive() == {'loop': 1, 'socket': 0, 'timer': 0}
    with pytest.raises(ClosedError):
        ours.send(b'', ('127.0.0.1', 9))
    assert (ours.stats.sent, ours.stats.received) == (1, 1)


def test_lists_of_datagrams(loop: Loop, ours: UdpSocket) -> None:
    pairs = [(bytes([number]) * number, ours.address) for number in range(200)]
    for start in range(0, 200, 50):
        assert ours.send_many(pairs[start : start + 50]) == 50
        got = [event.data for event in events_of(loop, 50) if isinstance(event, Datagram)]
        assert got == [data for data, _ in pairs[start : start + 50]]
    copies = [bytes(700), bytes(700), b'shorter', b'']
    assert ours.send_copies(copies, ours.address) == 4
    assert [event.data for event in events_of(loop, 4) if isinstance(event, Datagram)] == copies


def test_errors_of_the_system_say_what_to_do(loop: Loop, ours: UdpSocket) -> None:
    with pytest.raises(UdpError, match='port 0 for a free one') as caught:
        UdpSocket(loop, ours.address)
    assert (caught.value.name, caught.value.errno) == ('EADDRINUSE', __import__('errno').EADDRINUSE)
    assert str(ours.address.port) in str(caught.value)


def test_a_timer(loop: Loop) -> None:
    started = time.monotonic()
    with Timer(loop, 0.02, 0.01) as timer:
        for earliest in (0.02, 0.03, 0.04):
            (fired,) = events_of(loop, 1)
            assert isinstance(fired, Fired)
            assert (fired.timer, fired.count >= 1) == (timer, True)
            assert time.monotonic() - started >= earliest - 0.002
    assert any(isinstance(event, Closed) for event in events_of(loop, 1) + loop.drain())


def test_a_loop_that_is_closed_gives_what_came_before(loop: Loop) -> None:
    ours = UdpSocket(loop, ('127.0.0.1', 0))
    ours.send(b'before', ours.address)
    while not ours.stats.received:
        time.sleep(0.001)
    loop.close()
    assert (ours.closed, loop.closed) == (True, True)
    assert [type(event) for event in loop.drain()] == [Datagram, Closed]
    assert loop.drain() == []
    for call in (loop.fileno, loop.wait, lambda: UdpSocket(loop)):
        with pytest.raises(ClosedError):
            call()


def test_a_dropped_socket_says_where_it_was_made() -> None:
    code = (
        'import socket_core._udp as u\n'
        'with u.Loop() as loop:\n'
        '    u.UdpSocket(loop, ("127.0.0.1", 0))\n'
        'assert not any(u.handles_alive().values())\n'
    )
    command = [sys.executable, '-X', 'dev', '-W', 'default', '-c', code]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert result.returncode == 0
    assert re.search(
        r'ResourceWarning: <UdpSocket 1 127\.0\.0\.1:\d+ closed> was dropped, made at <string>:3', result.stderr
    )


def test_the_thread_has_a_name_and_ends(loop: Loop, ours: UdpSocket) -> None:
    if sys.platform != 'linux':
        return
    names = [path.read_text().strip() for path in Path('/proc/self/task').glob('*/comm')]
    assert names.count('socket-core') == 1
    loop.close()
    gc.collect()
    names = [path.read_text().strip() for path in Path('/proc/self/task').glob('*/comm')]
    assert names.count('socket-core') == 0


def test_an_idle_loop_takes_no_time(loop: Loop, ours: UdpSocket) -> None:
    ours.send(b'x', ours.address)
    events_of(loop, 1)
    if sys.platform != 'linux':
        return
    (task,) = (
        path for path in Path('/proc/self/task').iterdir() if (path / 'comm').read_text().strip() == 'socket-core'
    )

    def switches() -> int:
        found = re.findall(r'ctxt_switches:\s+(\d+)', (task / 'status').read_text())
        return sum(map(int, found))

    before = switches()
    time.sleep(0.3)
    assert switches() - before <= 2


def test_waiting_and_waking_from_another_thread(loop: Loop, ours: UdpSocket) -> None:
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(loop.wait(SECONDS)))
    thread.start()
    ours.send(b'x', ours.address)
    thread.join()
    assert results == [True]
    assert loop.wait(0)
    loop.drain()
    assert not loop.wait(0)
    loop.wake()
    assert not loop.wait(SECONDS)


def test_addresses_of_both_kinds(loop: Loop, ours: UdpSocket) -> None:
    assert ours.send(b'1', ('127.0.0.1', ours.address.port))
    assert ours.send(b'2', Address('127.0.0.1', ours.address.port))
    assert [event.data for event in events_of(loop, 2) if isinstance(event, Datagram)] == [b'1', b'2']
