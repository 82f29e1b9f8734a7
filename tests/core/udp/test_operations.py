"""Random operations on a loop with several sockets, and a plain model beside it: counters add up, errors are typed."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from socket_core._udp import Closed, ClosedError, Datagram, Dropped, Failed, Fired, Loop, Timer, UdpSocket, Writable
from tests.core.udp.conftest import BACKENDS

SIZES = st.one_of(st.integers(0, 1500), st.sampled_from([0, 1, 141, 142, 1166, 1472, 9000, 60_000]))


class Operations(RuleBasedStateMachine):
    """Sockets that live and die; whatever one has sent to another arrives there, once, or is counted as lost."""

    backend = 'poll'
    sockets = Bundle('sockets')
    timers = Bundle('timers')

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop(backend=self.backend, ring_bytes=8 << 20)  # type: ignore[arg-type]
        self.sent: Counter[UdpSocket] = Counter()
        self.due: Counter[tuple[UdpSocket, bytes]] = Counter()
        self.all: list[UdpSocket] = []
        self.closing: set[object] = set()
        self.told: Counter[object] = Counter()

    @rule(target=sockets)
    def open(self) -> UdpSocket:
        ours = UdpSocket(self.loop, ('127.0.0.1', 0), receive_buffer=4 << 20, queue_bytes=8 << 20)
        self.all.append(ours)
        return ours

    @rule(target=timers, delay=st.floats(0, 0.01), repeat=st.sampled_from([0.0, 0.001, 0.5]))
    def start(self, delay: float, repeat: float) -> Timer:
        return Timer(self.loop, delay, repeat)

    @rule(ours=sockets, to=sockets, size=SIZES)
    def send(self, ours: UdpSocket, to: UdpSocket, size: int) -> None:
        data = size.to_bytes(4, 'big') + bytes(size)
        try:
            accepted = ours.send(data, to.address)
        except ClosedError:
            assert ours in self.closing
            return
        self.note(ours, [(to, data)] * accepted)

    @rule(ours=sockets, to=sockets, sizes=st.lists(SIZES, max_size=40))
    def send_copies(self, ours: UdpSocket, to: UdpSocket, sizes: list[int]) -> None:
        data = [bytes(size) for size in sizes]
        try:
            accepted = ours.send_copies(data, to.address)
        except ClosedError:
            assert ours in self.closing
            return
        self.note(ours, [(to, one) for one in data[:accepted]])

    @rule(ours=sockets, others=st.lists(sockets, max_size=10), size=SIZES)
    def send_many(self, ours: UdpSocket, others: list[UdpSocket], size: int) -> None:
        data = bytes(size)
        try:
            accepted = ours.send_many([(data, to.address) for to in others])
        except ClosedError:
            assert ours in self.closing
            return
        self.note(ours, [(to, data) for to in others[:accepted]])

    def note(self, ours: UdpSocket, datagrams: list[tuple[UdpSocket, bytes]]) -> None:
        self.sent[ours] += len(datagrams)
        self.due.update(pair for pair in datagrams if pair[0] not in self.closing)
        self.settle()

    @rule(ours=sockets)
    def pause_and_resume(self, ours: UdpSocket) -> None:
        try:
            ours.pause()
            ours.resume()
        except ClosedError:
            assert ours in self.closing

    @rule(timer=timers, delay=st.floats(0, 0.01))
    def again(self, timer: Timer, delay: float) -> None:
        timer.again(delay, delay)
        timer.stop()

    @rule(ours=consumes(sockets), back=st.booleans())
    def close(self, ours: UdpSocket, back: bool) -> None:
        self.settle()
        ours.close()
        self.closing.add(ours)

    @rule(target=sockets, ours=consumes(sockets))
    def close_and_keep(self, ours: UdpSocket) -> object:
        self.settle()
        ours.close()
        self.closing.add(ours)
        return multiple(ours)

    @rule(timer=consumes(timers))
    def close_timer(self, timer: Timer) -> None:
        timer.close()
        self.closing.add(timer)

    @rule(limit=st.integers(1, 50))
    def drain(self, limit: int) -> None:
        self.take(limit)

    @invariant()
    def counters_add_up(self) -> None:
        for ours in self.all:
            stats = ours.stats
            assert stats.refused == stats.dropped == stats.truncated == 0
            assert stats.sent <= self.sent[ours]
            assert ours.closed == (ours in self.closing)
        assert set(self.loop.sockets) == set(self.all) - self.closing

    def settle(self) -> None:
        """What was sent to open sockets arrives."""
        end = time.monotonic() + 10
        while +self.due:
            assert time.monotonic() < end, self.due
            self.loop.wait(1)
            self.take(1024)

    def take(self, limit: int) -> None:
        for event in self.loop.drain(limit):
            assert isinstance(event, (Datagram, Writable, Failed, Dropped, Fired, Closed))
            if isinstance(event, Datagram):
                if event.socket not in self.closing:
                    self.due[event.socket, event.data] -= 1
                    assert self.due[event.socket, event.data] >= 0
            elif isinstance(event, Closed):
                assert event.handle in self.closing
                self.told[event.handle] += 1
                assert self.told[event.handle] == 1
            else:
                # ICMP: sent to a socket that was closed meanwhile.
                assert isinstance(event, (Failed, Fired, Writable)), event

    def teardown(self) -> None:
        self.loop.close()
        assert all(ours.closed for ours in self.all)


@pytest.mark.timeout(120)
def test_random_operations(backend: str) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    assert backend in BACKENDS
    machine = type('Operations', (Operations,), {'backend': backend})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=150, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
