"""Python that is busy costs no datagram: the loop's thread never waits for it."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from socket_core._udp import Closed, Datagram, Dropped, Fired, Loop, Timer, UdpSocket
from tests.support.skips import skip_loudly
from tests.support.udp import Inbox, kernel_drops, place, start_sender

COUNT = 40_000


def spin(stop: threading.Event) -> None:
    """What a thread does that never lets go of the GIL by itself."""
    number = 0
    while not stop.is_set():
        number += 1


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform != 'linux', reason='what the kernel dropped is told by Linux')
def test_forty_thousand_a_second_while_python_spins(backend: str) -> None:
    with Loop(backend=backend, ring_bytes=128 << 20) as loop:  # type: ignore[arg-type]
        with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours:
            stop = threading.Event()
            threads = [threading.Thread(target=spin, args=[stop]) for _ in range(2)]
            for thread in threads:
                thread.start()
            try:
                sender = start_sender(place(ours), COUNT, rate=40_000)
                assert sender.wait(50) == 0
                lost = kernel_drops(ours.address.port)
                inbox = Inbox(loop)
                got = inbox.datagrams(COUNT - lost, 30)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            assert inbox.count(Dropped) == 0
            assert ours.stats.dropped == 0
            assert ours.stats.received == COUNT - lost
            numbers = [int.from_bytes(datagram.data[:4], 'big') for datagram in got]
            assert numbers == sorted(set(numbers))
            if lost:
                skip_loudly(
                    f'the kernel itself dropped {lost} of {COUNT}; the rest arrived', 'a machine with less to do'
                )


def test_a_socket_is_served_while_the_main_thread_never_waits(loop: Loop) -> None:
    """The counters move although no Python code has run for the socket."""
    with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours:
        sender = start_sender(place(ours), 500, size=100)
        end = time.monotonic() + 15
        while ours.stats.received < 500 and time.monotonic() < end:
            sum(range(10_000))
        sender.wait()
        assert ours.stats.received == 500
        assert len(Inbox(loop).datagrams(500)) == 500


class TestRing:
    """What Python does not fetch in time: without a relay it waits in the system, and what is lost there is counted."""

    def test_a_slow_reader_is_waited_for(self, backend: str) -> None:
        """More than the ring holds and less than the system's buffer does: all of it arrives, in order."""
        with Loop(backend=backend, ring_bytes=131_072) as loop:  # type: ignore[arg-type]
            with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours:
                for start in range(0, 1000, 50):
                    ours.send_copies(
                        [number.to_bytes(2, 'big') * 500 for number in range(start, start + 50)], ours.address
                    )
                time.sleep(0.05)
                inbox = Inbox(loop)
                got = [datagram.data[:2] for datagram in inbox.datagrams(1000)]
                assert got == [number.to_bytes(2, 'big') for number in range(1000)]
                assert (ours.stats.received, ours.stats.dropped, ours.stats.overflowed) == (1000, 0, 0)
                assert inbox.count(Dropped) == 0

    @pytest.mark.skipif(sys.platform != 'linux', reason='what the kernel dropped is told by Linux')
    def test_what_the_system_drops_is_counted(self, backend: str) -> None:
        with Loop(backend=backend, ring_bytes=131_072) as loop:  # type: ignore[arg-type]
            # Without joined runs, of which the kernel counts each as one.
            with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=65_536, gro=False) as ours:
                sent = sum(ours.send_copies([bytes(1000)] * 50, ours.address) for _ in range(100))
                lost = kernel_drops(ours.address.port)
                assert 0 < lost < sent
                inbox = Inbox(loop)
                inbox.datagrams(sent - lost)
                # The kernel tells with the next one that it has room for.
                ours.send(b'after', ours.address)
                assert inbox.datagram().data == b'after'
                assert ours.stats.received == sent - lost + 1
                if backend == 'poll':
                    assert ours.stats.overflowed == lost

    def test_memory_has_a_bound(self, backend: str) -> None:
        """A flood that nobody fetches takes what the ring has, and no more (F12)."""
        with Loop(backend=backend, ring_bytes=1 << 20) as loop:  # type: ignore[arg-type]
            with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=1 << 20, queue_bytes=1 << 20) as ours:
                for _ in range(100):
                    ours.send_copies([bytes(1400)] * 50, ours.address)
                time.sleep(0.05)
                first = loop.drain(1_000_000)
                held = sum(len(event.data) for event in first if isinstance(event, Datagram))
                assert 0 < held <= (1 << 20) + 128 * 1400  # the ring, and a batch that did not fit

    def test_no_socket_starves_another(self, backend: str) -> None:
        """One that is flooded and one that is not, through a ring that is full: both are heard."""
        with Loop(backend=backend, ring_bytes=131_072) as loop:  # type: ignore[arg-type]
            with (
                UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as loud,
                UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as quiet,
            ):
                sender = start_sender(place(loud), 200_000)
                inbox = Inbox(loop)
                inbox.datagrams(1000)
                for number in range(100):
                    loud.send(number.to_bytes(2, 'big'), quiet.address)
                heard = []
                while len(heard) < 100:
                    heard += [datagram.data for datagram in inbox.datagrams(1) if datagram.socket is quiet]
                assert heard == [number.to_bytes(2, 'big') for number in range(100)]
                sender.kill()
                sender.wait()

    @pytest.mark.parametrize('size', [0, 1, 142, 1166, 9000, 65507])
    def test_every_size_goes_round_and_round(self, backend: str, size: int) -> None:
        """The end of the ring is met at every offset."""
        with Loop(backend=backend, ring_bytes=131_072) as loop:  # type: ignore[arg-type]
            with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours:
                inbox = Inbox(loop)
                sent = [
                    bytes([number % 251]) * max(0, size - number % 7) for number in range(300 if size > 9000 else 2000)
                ]
                for number, data in enumerate(sent):
                    assert ours.send(data, ours.address)
                    if number >= 2:  # some always wait, so that the ring is seldom empty
                        assert inbox.datagram().data == sent[number - 2]
                assert [datagram.data for datagram in inbox.datagrams(2)] == sent[-2:]
                assert ours.stats.dropped == 0

    def test_no_ring_is_too_small_or_it_is_said(self, backend: str) -> None:
        """The largest datagrams fit into every ring that is made, one after another."""
        for size in (-1, 0, 2**31, 2**64):
            with pytest.raises(ValueError, match='ring_bytes'):
                Loop(backend=backend, ring_bytes=size)  # type: ignore[arg-type]
        for size in (1, 1000, 131_072, 131_073):
            with Loop(backend=backend, ring_bytes=size) as loop:  # type: ignore[arg-type]
                with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours:
                    inbox = Inbox(loop)
                    for length in (65507, 0, 65507, 65507, 10, 1166, 65507):
                        ours.send(bytes(length), ours.address)
                    got = [len(datagram.data) for datagram in inbox.datagrams(7)]
                    assert got == [65507, 0, 65507, 65507, 10, 1166, 65507]

    def test_events_other_than_datagrams_are_never_lost(self, backend: str) -> None:
        """A flood does not drown what comes once: Closed and Fired are told, though the ring is full."""
        with Loop(backend=backend, ring_bytes=131_072) as loop:  # type: ignore[arg-type]
            ours = UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20)
            others = [UdpSocket(loop, ('127.0.0.1', 0)) for _ in range(100)]
            for _ in range(10):
                ours.send_copies([bytes(1400)] * 50, ours.address)
            timers = [Timer(loop, 0.01) for _ in range(100)]
            time.sleep(0.05)
            for handle in (*others, *timers, ours):
                handle.close()
            inbox = Inbox(loop)
            assert {event.handle for event in inbox.take(Closed, 201)} == {*others, *timers, ours}
            assert {event.timer for event in inbox.take(Fired, 100)} == set(timers)

    def test_a_drain_in_the_middle_of_a_full_ring(self, backend: str) -> None:
        """Taking few at a time from a ring that is filled again at once keeps every one, in order."""
        with Loop(backend=backend, ring_bytes=131_072) as loop:  # type: ignore[arg-type]
            with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours:
                sent = 0
                numbers: list[int] = []
                while len(numbers) < 5000:
                    if sent < 5000 and sent - len(numbers) < 700:  # three times what the ring holds
                        sent += ours.send_copies(
                            [n.to_bytes(2, 'big') * 579 for n in range(sent, sent + 50)], ours.address
                        )
                    assert loop.wait(5), f'{len(numbers)} of {sent}; {ours.stats}'
                    for event in loop.drain(3):
                        assert isinstance(event, Datagram)
                        numbers.append(int.from_bytes(event.data[:2], 'big'))
                assert numbers == list(range(5000))
                assert ours.stats.overflowed == 0
