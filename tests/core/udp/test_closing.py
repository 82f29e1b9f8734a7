"""Closed in every way and at every time: during callbacks, drains and sends, twice, never, in cycles, by other threads."""

from __future__ import annotations

import gc
import random
import threading
import time
import warnings
import weakref
from collections.abc import Callable

import pytest

from socket_core._udp import Closed, ClosedError, Datagram, Handle, Loop, Timer, UdpSocket, handles_alive
from tests.support.udp import Inbox, place, plain_socket, start_sender


def open_socket(loop: Loop) -> UdpSocket:
    """A socket on loopback."""
    return UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=1 << 20)


OPERATIONS: dict[str, Callable[[UdpSocket], object]] = {
    'send': lambda ours: ours.send(b'x', ('127.0.0.1', 9)),
    'send_many': lambda ours: ours.send_many([(b'x', ('127.0.0.1', 9))]),
    'send_copies': lambda ours: ours.send_copies([b'x'], ('127.0.0.1', 9)),
    'connect': lambda ours: ours.connect(('127.0.0.1', 9)),
    'disconnect': lambda ours: ours.connect(None),
    'pause': lambda ours: ours.pause(),
    'resume': lambda ours: ours.resume(),
}


@pytest.mark.parametrize('name', OPERATIONS)
def test_a_closed_socket_says_so(loop: Loop, inbox: Inbox, name: str) -> None:
    ours = open_socket(loop)
    ours.close()
    for _ in range(2):  # closing; and when it has closed
        with pytest.raises(ClosedError) as caught:
            OPERATIONS[name](ours)
        assert isinstance(caught.value, OSError)
        inbox.take(Closed, 1 if inbox.count(Closed) else 0)
    inbox.pump(0.05)


def test_what_is_known_of_a_closed_socket(loop: Loop, inbox: Inbox) -> None:
    with open_socket(loop) as ours:
        ours.send(b'x', ours.address)
        inbox.datagram()
        address, number = ours.address, ours.number
    inbox.take(Closed)
    assert ours.closed
    assert (ours.address, ours.number, ours.loop, ours.queued_bytes) == (address, number, loop, 0)
    assert (ours.stats.sent, ours.stats.received) == (1, 1)
    assert ours not in loop.sockets
    assert repr(ours)


def test_numbers_are_not_used_again_at_once(loop: Loop) -> None:
    """What is on its way for a closed socket is never taken for a new one's."""
    numbers = []
    for _ in range(50):
        with open_socket(loop) as ours:
            numbers.append(ours.number)
    assert len(set(numbers)) == 50


def test_closing_twice_is_one_close(loop: Loop, inbox: Inbox) -> None:
    ours = open_socket(loop)
    for _ in range(5):
        ours.close()
        assert ours.closed
    assert inbox.take(Closed)[0].handle is ours
    ours.close()
    with open_socket(loop) as marker:
        marker.send(b'end', marker.address)
        inbox.datagram()
    inbox.take(Closed)
    assert inbox.count(Closed) == 0


def test_closing_from_many_threads(loop: Loop, inbox: Inbox) -> None:
    for _ in range(50):
        ours = open_socket(loop)
        timer = Timer(loop, 1000)
        start = threading.Barrier(4)

        def close(handles: tuple[Handle, ...] = (ours, timer), start: threading.Barrier = start) -> None:
            start.wait()
            for handle in handles:
                handle.close()

        threads = [threading.Thread(target=close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {event.handle for event in inbox.take(Closed, 2)} == {ours, timer}


def test_the_file_is_closed_when_closed_is_told(loop: Loop, inbox: Inbox) -> None:
    ours = open_socket(loop)
    to = place(ours)
    ours.close()
    inbox.take(Closed)
    with plain_socket('127.0.0.1', to[1]) as theirs:
        assert theirs.getsockname() == to


def test_nothing_of_a_socket_comes_after_its_close(loop: Loop, inbox: Inbox) -> None:
    ours = open_socket(loop)
    sender = start_sender(place(ours), 20_000)
    inbox.datagrams(100)
    ours.close()
    events = []
    while not any(isinstance(event, Closed) for event in events):
        loop.wait(5)
        events = loop.drain()
    kinds = [type(event) for event in events]
    assert kinds[kinds.index(Closed) :] == [Closed]
    sender.kill()
    sender.wait()


def test_closing_in_the_middle_of_what_was_drained(loop: Loop, inbox: Inbox) -> None:
    """An app closes a socket for what its first datagram says; the others are in its hands already."""
    for _ in range(30):
        ours = open_socket(loop)
        ours.send_many([(b'x', ours.address)] * 50)
        seen = 0
        for datagram in inbox.datagrams(10):
            assert datagram.socket is ours
            datagram.socket.close()
            with pytest.raises(ClosedError):
                datagram.socket.send(b'answer', datagram.address)
            seen += 1
        assert seen == 10
        inbox.take(Closed)
        inbox.events.clear()


def test_traffic_of_all_kinds_while_sockets_come_and_go(loop: Loop) -> None:
    """Threads send, drain, change and close what the others use; each call works or says ClosedError."""
    sockets = [open_socket(loop) for _ in range(8)]
    addresses = [ours.address for ours in sockets]
    stop = threading.Event()
    surprises: list[BaseException] = []

    def work(name: str) -> None:
        rng = random.Random(name)
        while not stop.is_set():
            ours, to = rng.choice(sockets), rng.choice(addresses)
            try:
                if name.startswith('send'):
                    ours.send_many([(bytes(rng.randrange(1500)), to)] * rng.randrange(1, 80))
                    ours.send_copies([bytes(900)] * rng.randrange(40), to)
                elif name.startswith('drain'):
                    loop.wait(0.01)
                    for event in loop.drain(rng.randrange(1, 200)):
                        if isinstance(event, Datagram):
                            event.socket.send(event.data, event.address)
                elif name.startswith('change'):
                    rng.choice((ours.pause, ours.resume, ours.resume))()
                    ours.receive_buffer = rng.choice((8192, 65536, 1 << 20))
                    assert ours.stats.received >= 0
                    assert len(loop.sockets) >= 0
                else:
                    at = rng.randrange(len(sockets))
                    sockets[at].close()
                    sockets[at] = fresh = open_socket(loop)
                    addresses[at] = fresh.address
                    time.sleep(0.001)
            except ClosedError:
                pass
            except BaseException as error:  # whatever it is, the test shall show it
                surprises.append(error)
                stop.set()

    names = ['send 1', 'send 2', 'drain 1', 'drain 2', 'change', 'close']
    threads = [threading.Thread(target=work, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    stop.wait(2)
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    for ours in sockets:
        ours.close()
    assert surprises == []


class TestLoops:
    """A loop closes what is on it, whatever goes on."""

    def test_with_traffic(self, backend: str) -> None:
        for _ in range(10):
            loop = Loop(backend=backend)  # type: ignore[arg-type]
            sockets = [open_socket(loop) for _ in range(4)]
            for ours in sockets:
                ours.send_many([(bytes(1000), other.address) for other in sockets] * 20)
            sender = start_sender(place(sockets[0]), 100_000)
            assert loop.wait(5)
            loop.close()
            assert loop.closed
            assert all(ours.closed for ours in sockets)
            assert not any(handles_alive().values())
            sender.kill()
            sender.wait()

    def test_what_a_closed_loop_says(self, backend: str) -> None:
        loop = Loop(backend=backend)  # type: ignore[arg-type]
        ours = open_socket(loop)
        loop.close()
        loop.close()
        assert loop.closed
        for call in (
            lambda: UdpSocket(loop),
            lambda: Timer(loop, 1),
            lambda: ours.send(b'', ('127.0.0.1', 9)),
            lambda: loop.fileno(),
            lambda: loop.__enter__(),
        ):
            with pytest.raises(ClosedError):
                call()  # type: ignore[no-untyped-call]
        assert list(loop.sockets) == []
        assert repr(loop)

    def test_what_was_not_drained_is_still_there_or_gone_but_no_crash(self, backend: str) -> None:
        loop = Loop(backend=backend)  # type: ignore[arg-type]
        ours = open_socket(loop)
        ours.send_many([(bytes(100), ours.address)] * 100)
        loop.wait(5)
        loop.close()
        try:
            for event in loop.drain():
                assert event is not None
        except ClosedError:
            pass

    def test_one_that_never_had_a_handle(self, backend: str) -> None:
        """No thread is started for it."""
        before = threading.active_count()
        for _ in range(100):
            loop = Loop(backend=backend)  # type: ignore[arg-type]
            assert loop.drain() == []
            loop.close()
        assert threading.active_count() == before

    def test_closed_by_several_threads(self, backend: str) -> None:
        for _ in range(20):
            loop = Loop(backend=backend)  # type: ignore[arg-type]
            ours = open_socket(loop)
            threads = [threading.Thread(target=loop.close) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive()
            assert loop.closed
            assert ours.closed

    def test_closed_while_others_open_handles(self, backend: str) -> None:
        for turn in range(20):
            loop = Loop(backend=backend)  # type: ignore[arg-type]
            made: list[Handle] = []

            def work(loop: Loop = loop, made: list[Handle] = made) -> None:
                try:
                    while True:
                        made.append(open_socket(loop))
                        made.append(Timer(loop, 0))
                except ClosedError:
                    pass

            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            while len(made) < turn:
                time.sleep(0)
            loop.close()
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive()
            assert all(handle.closed for handle in made)


class TestNeverClosed:
    """A handle that is dropped is closed for its owner, who is told by a warning."""

    def test_a_dropped_socket_warns_and_is_closed(self, loop: Loop, inbox: Inbox) -> None:
        ours = open_socket(loop)
        to = place(ours)
        with pytest.warns(ResourceWarning, match='UdpSocket'):
            del ours
            gc.collect()
        wait_for(lambda: not handles_alive().get('UdpSocket', 0) and not sockets_alive())
        inbox.pump(0.01)
        with plain_socket('127.0.0.1', to[1]):
            pass

    def test_a_dropped_timer_warns_and_is_closed(self, loop: Loop) -> None:
        with pytest.warns(ResourceWarning, match='Timer'):
            Timer(loop, 1000, 1000)
            gc.collect()

    def test_a_dropped_loop_warns_and_is_closed(self, backend: str) -> None:
        before = threading.active_count()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            loop = Loop(backend=backend)  # type: ignore[arg-type]
            ours = open_socket(loop)
            ours.send(b'x', ours.address)
            del ours, loop
            gc.collect()
        assert any(issubclass(warning.category, ResourceWarning) for warning in caught)
        wait_for(lambda: not any(handles_alive().values()))
        assert threading.active_count() == before

    def test_a_closed_one_does_not_warn(self, loop: Loop, inbox: Inbox) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            for _ in range(10):
                ours = open_socket(loop)
                ours.close()
                del ours
                gc.collect()
            inbox.pump(0.05)

    def test_in_a_cycle(self, loop: Loop) -> None:
        class Node:
            """An app's object that holds its socket, and is held by something of its own."""

        node = Node()
        node.me = node  # type: ignore[attr-defined]
        node.socket = open_socket(loop)  # type: ignore[attr-defined]
        node.timer = Timer(loop, 5, 5)  # type: ignore[attr-defined]
        gone = weakref.ref(node)
        with pytest.warns(ResourceWarning):
            del node
            gc.collect()
        assert gone() is None
        wait_for(lambda: not sockets_alive())

    def test_events_keep_their_socket(self, loop: Loop, inbox: Inbox) -> None:
        """Dropping one's own name of it does not take it from the events."""
        ours = open_socket(loop)
        ours.send(b'x', ours.address)
        datagram = inbox.datagram()
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            del ours
            gc.collect()
            datagram.socket.send(b'y', datagram.address)
            inbox.datagram().socket.close()
            del datagram

    def test_collected_while_events_wait(self, loop: Loop, inbox: Inbox) -> None:
        ours = open_socket(loop)
        ours.send_many([(b'x', ours.address)] * 20)
        loop.wait(5)
        with pytest.warns(ResourceWarning):
            del ours
            gc.collect()
        inbox.pump(0.05)
        wait_for(lambda: not sockets_alive())
        for events in inbox.events.values():
            assert all(not isinstance(event, Datagram) or event.socket for event in events)


def test_a_collection_in_the_middle_of_everything(loop: Loop, inbox: Inbox) -> None:
    """The collector runs anybody's code, at any allocation: that may use the loop which is at work just then."""
    with open_socket(loop) as ours:
        calls = 0
        inside = False

        def use_it(phase: str, info: dict[str, int]) -> None:
            nonlocal calls, inside
            if inside or phase != 'stop':
                return
            inside = True
            calls += 1
            assert len(loop.drain(1)) <= 1
            loop.wait(0)
            loop.wake()
            ours.send(b'from the collector', ours.address)
            with Timer(loop, 0), open_socket(loop) as other:
                other.send_many([(b'x', ours.address)] * 3)
            assert ours.stats.received >= 0
            assert len(loop.sockets) >= 1
            inside = False

        before = gc.get_threshold()
        gc.callbacks.append(use_it)
        gc.set_threshold(1)
        try:
            for number in range(100):
                with Timer(loop, 0, 0.001), open_socket(loop) as other:
                    other.send_many([(bytes([number % 256]), ours.address)] * 5)
                    other.send_copies([b''] * 3, ours.address)
                    ours.connect(other.address)
                    ours.connect(None)
                    loop.wait(0.001)
                    kept = loop.drain(20)
                    str(kept)
                del kept
        finally:
            gc.set_threshold(*before)
            gc.callbacks.remove(use_it)
        assert calls > 50


def sockets_alive() -> int:
    """The sockets of the process that are not closed, whatever the count calls them."""
    return sum(count for kind, count in handles_alive().items() if 'udp' in kind.lower() or 'socket' in kind.lower())


def wait_for(condition: Callable[[], bool]) -> None:
    """Give the loop's thread the time that it takes."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, handles_alive()
        time.sleep(0.002)
