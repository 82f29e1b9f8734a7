"""Many sockets on one loop, as the birthday technique opens them (256), and twice as many pairs."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

import pytest

from socket_core._udp import Closed, Loop, UdpSocket, handles_alive
from tests.support.skips import skip_loudly
from tests.support.udp import Inbox, is_sanitized, open_files, run_code

PAIRS = 256


@pytest.fixture
def pairs(loop: Loop, host: str) -> Iterator[list[tuple[UdpSocket, UdpSocket]]]:
    """Twice 256 sockets."""
    if sys.platform != 'win32' and resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 4 * PAIRS:
        skip_loudly('too few files may be open', f'ulimit -n {4 * PAIRS}')
    pairs = [(UdpSocket(loop, (host, 0)), UdpSocket(loop, (host, 0))) for _ in range(PAIRS)]
    yield pairs
    for pair in pairs:
        for ours in pair:
            ours.close()


def test_each_gets_its_own(loop: Loop, pairs: list[tuple[UdpSocket, UdpSocket]], inbox: Inbox) -> None:
    assert len(loop.sockets) == 2 * PAIRS
    assert len({ours.number for pair in pairs for ours in pair}) == 2 * PAIRS
    for turn in range(5):
        for number, (one, other) in enumerate(pairs):
            assert one.send(bytes([turn]) + number.to_bytes(2, 'big'), other.address)
        got = inbox.datagrams(PAIRS)
        by_socket = {datagram.socket: datagram for datagram in got}
        assert len(by_socket) == PAIRS
        for number, (one, other) in enumerate(pairs):
            datagram = by_socket[other]
            assert datagram.data == bytes([turn]) + number.to_bytes(2, 'big')
            assert datagram.address == one.address
    assert all((one.stats.sent, other.stats.received) == (5, 5) for one, other in pairs)


def test_one_to_all_and_all_to_one(loop: Loop, pairs: list[tuple[UdpSocket, UdpSocket]], inbox: Inbox) -> None:
    (hub, _), *others = pairs
    hub.receive_buffer = 4 << 20
    sockets = [ours for pair in others for ours in pair]
    assert hub.send_many([(b'to all', ours.address) for ours in sockets]) == len(sockets)
    got = inbox.datagrams(len(sockets))
    assert {datagram.socket for datagram in got} == set(sockets)
    for datagram in got:
        assert datagram.socket.send(b'to one', datagram.address)
    answers = inbox.datagrams(len(sockets))
    assert {answer.socket for answer in answers} == {hub}
    assert {answer.address for answer in answers} == {ours.address for ours in sockets}


def test_they_close_together(backend: str) -> None:
    before = open_files() if sys.platform == 'linux' else None
    with Loop(backend=backend) as loop:  # type: ignore[arg-type]
        sockets = [UdpSocket(loop, ('127.0.0.1', 0)) for _ in range(2 * PAIRS)]
        for ours in sockets:
            ours.close()
        assert {event.handle for event in Inbox(loop).take(Closed, len(sockets))} == set(sockets)
        assert not loop.sockets
    assert not any(handles_alive().values())
    del loop, sockets, ours  # a closed loop may still be drained: its own descriptor goes with the object
    if before is not None:
        assert open_files() == before


@pytest.mark.skipif(sys.platform != 'linux', reason='memory as Linux counts it')
def test_what_a_socket_costs(backend: str) -> None:
    """Their memory is per socket, not a batch's buffers each: 16 KiB at most, where a batch holds 64 x 64 KiB."""
    result = run_code(
        """
import sys
from socket_core._udp import Loop, UdpSocket
from tests.support.udp import resident_bytes
with Loop(backend=sys.argv[1]) as loop:
    first = [UdpSocket(loop, ('127.0.0.1', 0)) for _ in range(10)]
    for ours in first:
        ours.send(b'x' * 1000, ours.address)
    before = resident_bytes()
    sockets = [UdpSocket(loop, ('127.0.0.1', 0)) for _ in range(512)]
    for ours in sockets:
        ours.send(b'x' * 1000, ours.address)
        loop.wait(1)
        loop.drain()
    print((resident_bytes() - before) // len(sockets))
    for ours in first + sockets:
        ours.close()
""",
        backend,
    )
    assert (result.returncode, result.stderr) == (0, '')
    assert is_sanitized() or int(result.stdout) <= 16384, result.stdout
