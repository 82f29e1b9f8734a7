"""Datagrams from one socket to another over loopback: whole, in order, with their addresses, counted."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from socket_core import PUBLISH, ProtocolError, encode
from socket_core._address import Address
from socket_core._udp import Loop, UdpError, UdpSocket
from tests.support.udp import Inbox, place, plain_socket

# Nothing; one byte; one short of a header, a header, the longest packet, an Ethernet frame, a jumbo frame, all of IPv4.
SIZES = (0, 1, 141, 142, 1166, 1472, 1500, 9000, 65507)


@pytest.fixture
def pair(loop: Loop, host: str) -> Iterator[tuple[UdpSocket, UdpSocket]]:
    """Two sockets of one loop, with room for the largest."""
    with UdpSocket(loop, (host, 0), receive_buffer=1 << 20) as first, UdpSocket(loop, (host, 0)) as second:
        yield first, second


@pytest.mark.parametrize('size', SIZES)
def test_a_datagram_arrives_whole(pair: tuple[UdpSocket, UdpSocket], inbox: Inbox, size: int) -> None:
    receiver, sender = pair
    data = random.Random(size).randbytes(size)
    before = time.monotonic()
    assert sender.send(data, receiver.address)
    datagram = inbox.datagram()
    assert datagram.data == data
    assert type(datagram.data) is bytes
    assert datagram.socket is receiver
    assert datagram.address == sender.address
    assert (datagram.flags, datagram.id) == (0, None)
    # The loop's clock counts milliseconds.
    assert before - 0.01 <= datagram.received <= time.monotonic() + 0.01


@pytest.mark.parametrize('size', SIZES)
def test_to_and_from_the_standard_library(loop: Loop, inbox: Inbox, host: str, size: int) -> None:
    data = random.Random(size).randbytes(size)
    with UdpSocket(loop, (host, 0)) as ours, plain_socket(host) as theirs:
        theirs.sendto(data, place(ours))
        datagram = inbox.datagram()
        assert (datagram.data, datagram.address.port) == (data, theirs.getsockname()[1])
        ours.send(data, datagram.address)
        assert theirs.recv(65536) == data


def test_one_size_after_another_in_one_batch(loop: Loop, inbox: Inbox, host: str) -> None:
    """Buffers of a batch do not run into one another."""
    sizes = [0, 65507 if host != '::1' else 65527, 1, 20000, 142, 0, 1166, 1472, 9000, 2, 65507]
    with UdpSocket(loop, (host, 0), receive_buffer=1 << 21) as ours, plain_socket(host) as theirs:
        ours.pause()
        sent = [random.Random(number).randbytes(size) for number, size in enumerate(sizes)]
        for data in sent:
            theirs.sendto(data, place(ours))
        ours.resume()
        assert [datagram.data for datagram in inbox.datagrams(len(sent))] == sent
        assert ours.stats.truncated == 0


@pytest.mark.parametrize('size', [65508, 65535, 65536, 1 << 20])
def test_what_no_datagram_can_hold_is_refused(loop: Loop, inbox: Inbox, size: int) -> None:
    with UdpSocket(loop, ('127.0.0.1', 0)) as ours, plain_socket() as theirs:
        with pytest.raises(UdpError) as caught:
            ours.send(bytes(size), theirs.getsockname())
        assert caught.value.name == 'EMSGSIZE'
        # It goes on.
        ours.send(b'after', theirs.getsockname())
        assert theirs.recv(100) == b'after'
        assert ours.stats.sent == 1


def test_order_is_kept(pair: tuple[UdpSocket, UdpSocket], inbox: Inbox) -> None:
    receiver, sender = pair
    receiver.receive_buffer = 4 << 20
    numbers = range(2000)
    got: list[int] = []
    for start in range(0, len(numbers), 100):
        for number in numbers[start : start + 100]:
            assert sender.send(number.to_bytes(4, 'big'), receiver.address)
        got += [int.from_bytes(datagram.data, 'big') for datagram in inbox.datagrams(100)]
    assert got == list(numbers)


def test_counters_are_exact(loop: Loop, inbox: Inbox, host: str) -> None:
    rng = random.Random(5)
    with (
        UdpSocket(loop, (host, 0), receive_buffer=4 << 20) as receiver,
        UdpSocket(loop, (host, 0), send_buffer=1 << 20, queue_bytes=8 << 20) as sender,
    ):
        datagrams = [rng.randbytes(rng.choice((0, 1, 142, 600, 1166, 3000))) for _ in range(1000)]
        for data in datagrams[:400]:
            assert sender.send(data, receiver.address)
        for start in range(400, 800, 100):
            assert sender.send_many([(data, receiver.address) for data in datagrams[start : start + 100]]) == 100
        assert sender.send_copies(datagrams[800:], receiver.address) == 200
        assert [datagram.data for datagram in inbox.datagrams(1000)] == datagrams
        total = sum(map(len, datagrams))
        sent, received = sender.stats, receiver.stats
        assert (sent.sent, sent.sent_bytes) == (1000, total)
        assert (received.received, received.received_bytes) == (1000, total)
        assert (sent.received, received.sent) == (0, 0)
        assert (sent.refused, sent.dropped, received.dropped, received.truncated) == (0, 0, 0, 0)
        assert sent.errors == received.errors == {}


def test_many_to_one_keep_their_senders(loop: Loop, inbox: Inbox, host: str) -> None:
    """Batches hold datagrams of different senders; each keeps its address, also behind segments put together (GRO)."""
    with UdpSocket(loop, (host, 0), receive_buffer=4 << 20) as receiver, ExitStack() as stack:
        senders = [stack.enter_context(UdpSocket(loop, (host, 0))) for _ in range(8)]
        for turn in range(20):
            for sender in senders:
                sender.send_copies([bytes([turn]) * 700] * 3, receiver.address)
        got = inbox.datagrams(8 * 20 * 3)
        for sender in senders:
            theirs = [datagram.data[0] for datagram in got if datagram.address == sender.address]
            assert theirs == [turn for turn in range(20) for _ in range(3)]


@pytest.mark.parametrize('gro', [False, True])
@pytest.mark.parametrize('size', [1, 142, 1166, 1472])
def test_copies_to_one_peer_arrive_one_by_one(loop: Loop, inbox: Inbox, host: str, gro: bool, size: int) -> None:
    """One call may send a train of segments (GSO) and the kernel may hand it over as one; nobody shall see that."""
    copies = [random.Random(number).randbytes(size) for number in range(130)]
    copies += [b'short end', b'', random.Random(7).randbytes(size + 1), b'x' * size]
    with (
        UdpSocket(loop, (host, 0), receive_buffer=4 << 20, gro=gro) as receiver,
        UdpSocket(loop, (host, 0), queue_bytes=1 << 20) as sender,
    ):
        assert sender.send_copies(copies, receiver.address) == len(copies)
        got = inbox.datagrams(len(copies))
        assert [datagram.data for datagram in got] == copies
        assert {datagram.address for datagram in got} == {sender.address}
        assert receiver.stats.received == sender.stats.sent == len(copies)


def test_copies_arrive_at_the_standard_library(loop: Loop, host: str) -> None:
    copies = [bytes([number]) * 1000 for number in range(100)]
    with UdpSocket(loop, (host, 0), queue_bytes=1 << 20) as ours, plain_socket(host) as theirs:
        assert ours.send_copies(copies, Address(*theirs.getsockname()[:2])) == len(copies)
        assert [theirs.recv(65536) for _ in copies] == copies


def test_a_train_from_the_standard_library_is_taken_apart(loop: Loop, inbox: Inbox, host: str) -> None:
    udp_segment = 103  # of linux/udp.h; the socket module has no name for it
    with UdpSocket(loop, (host, 0), receive_buffer=4 << 20) as ours, plain_socket(host) as theirs:
        try:
            theirs.setsockopt(17, udp_segment, 500)
        except OSError:
            pytest.skip('segments are Linux only')
        data = os.urandom(500 * 40 + 123)
        for _ in range(3):
            theirs.sendto(data, place(ours))
        got = inbox.datagrams(3 * 41)
        assert b''.join(datagram.data for datagram in got) == data * 3
        assert [len(datagram.data) for datagram in got] == ([500] * 40 + [123]) * 3


def test_a_datagram_may_be_read_as_a_packet(loop: Loop, inbox: Inbox) -> None:
    frame = encode(PUBLISH, cluster=bytes(32), message=b'hello', clock=7)
    with UdpSocket(loop, ('127.0.0.1', 0)) as ours, plain_socket() as theirs:
        for data in (frame, frame[:141], b'', bytes(65507), os.urandom(500)):
            theirs.sendto(data, place(ours))
        good, *bad = inbox.datagrams(5)
        assert good.packet().message == b'hello'
        for datagram in bad:
            with pytest.raises(ProtocolError):
                datagram.packet()


def test_drain_gives_no_more_than_its_limit(pair: tuple[UdpSocket, UdpSocket], inbox: Inbox) -> None:
    receiver, sender = pair
    sender.send_many([(bytes([number]), receiver.address) for number in range(100)])
    assert len(inbox.datagrams(100)) == 100  # all are here; now again, a few at a time
    sender.send_many([(bytes([number]), receiver.address) for number in range(100)])
    got: list[int] = []
    end = time.monotonic() + 10
    while len(got) < 100 and time.monotonic() < end:
        assert inbox.loop.wait(5)
        some = inbox.loop.drain(7)
        assert 1 <= len(some) <= 7
        got += [datagram.data[0] for datagram in some]  # type: ignore[union-attr]
    assert got == list(range(100))
    assert inbox.loop.drain() == []


def test_datagrams_outlive_their_socket_and_loop(backend: str) -> None:
    with Loop(backend=backend) as loop, plain_socket() as theirs:  # type: ignore[arg-type]
        ours = UdpSocket(loop, ('127.0.0.1', 0))
        theirs.sendto(b'kept', place(ours))
        kept = Inbox(loop).datagram()
    assert kept.socket.closed
    assert (kept.data, kept.address.port > 0) == (b'kept', True)


def test_pause_leaves_datagrams_to_the_kernel(pair: tuple[UdpSocket, UdpSocket], inbox: Inbox) -> None:
    receiver, sender = pair
    sender.send(b'1', receiver.address)
    assert inbox.datagram().data == b'1'
    receiver.pause()
    receiver.pause()
    sender.send(b'2', receiver.address)
    receiver.send(b'by the way', sender.address)  # sending goes on; its arrival shows that nothing overtakes it
    assert inbox.datagram().data == b'by the way'
    assert receiver.stats.received == 1
    receiver.resume()
    receiver.resume()
    assert inbox.datagram().data == b'2'
    assert receiver.stats.received == 2


def test_what_no_kernel_buffer_holds_is_lost_while_paused(pair: tuple[UdpSocket, UdpSocket], inbox: Inbox) -> None:
    receiver, sender = pair
    receiver.receive_buffer = 8192
    receiver.pause()
    sender.send(b'through the loop, and back', sender.address)
    inbox.datagram()
    for number in range(200):
        while not sender.send(number.to_bytes(4, 'big') * 250, receiver.address):
            inbox.pump(0.01)
    sender.send(b'end', sender.address)
    assert inbox.datagram().data == b'end'
    receiver.resume()
    assert int.from_bytes(inbox.datagram().data[:4], 'big') == 0
    sender.send(b'end', receiver.address)
    got = 1
    while (datagram := inbox.datagram()).data != b'end':
        got += 1
        assert int.from_bytes(datagram.data[:4], 'big') == got - 1
    assert got < 200
    assert receiver.stats.received == got + 1
