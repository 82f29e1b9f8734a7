"""One file descriptor that tells, for every kind of main loop; and waiting without one. No wake-up is ever lost."""

from __future__ import annotations

import asyncio
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from socket_core._udp import Datagram, Loop, UdpSocket
from tests.support.skips import skip_loudly
from tests.support.udp import SECONDS, Inbox, place, plain_socket, start_sender

posix = pytest.mark.skipif(sys.platform == 'win32', reason='nothing to watch on Windows: wait() is the way')
ROUNDS = 300


@pytest.fixture
def ours(loop: Loop) -> Iterator[UdpSocket]:
    """A socket of the loop under test."""
    with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours:
        yield ours


@posix
class TestFileDescriptor:
    """Readable as long as there is something, and not a moment longer."""

    def test_select_poll_epoll(self, loop: Loop, ours: UdpSocket) -> None:
        ways: list[Callable[[float], bool]] = [lambda seconds: bool(select.select([loop], [], [], seconds)[0])]
        poll = select.poll()
        poll.register(loop, select.POLLIN)
        ways.append(lambda seconds: bool(poll.poll(seconds * 1000)))
        if sys.platform == 'linux':
            epoll = select.epoll()
            epoll.register(loop, select.EPOLLIN)
            ways.append(lambda seconds: bool(epoll.poll(seconds)))
        for readable in ways:
            for number in range(50):
                assert not readable(0)
                ours.send(bytes([number]), ours.address)
                assert readable(SECONDS)
                assert readable(0), 'looking takes nothing'
                assert drained(loop, 1) == [bytes([number])]
        if sys.platform == 'linux':
            epoll.close()

    def test_it_stays_readable_until_all_is_drained(self, loop: Loop, ours: UdpSocket) -> None:
        for _ in range(20):
            ours.send_many([(bytes([number]), ours.address) for number in range(50)])
            for number in range(50):
                assert select.select([loop], [], [], SECONDS)[0], f'nothing after {number}'
                (datagram,) = loop.drain(1)
                assert isinstance(datagram, Datagram)
                assert datagram.data == bytes([number])
            assert not select.select([loop], [], [], 0)[0]
            assert loop.drain(1) == []

    def test_draining_what_is_empty_does_no_harm(self, loop: Loop, ours: UdpSocket) -> None:
        for _ in range(ROUNDS):
            assert loop.drain() == []
            ours.send(b'x', ours.address)
            while not loop.drain():  # without ever waiting
                pass
        while select.select([loop], [], [], 0)[0]:  # whoever looks all the time may be told once more, of nothing
            assert loop.drain() == []

    def test_wake_does_not_look_like_an_event(self, loop: Loop, ours: UdpSocket) -> None:
        """Whoever watches the descriptor has ways of its own to be woken."""
        loop.wake()
        assert loop.drain() == []
        ours.send(b'x', ours.address)
        assert select.select([loop], [], [], SECONDS)[0]
        assert drained(loop, 1) == [b'x']

    def test_it_is_one_for_the_life_of_the_loop(self, loop: Loop) -> None:
        number = loop.fileno()
        assert number >= 0
        with UdpSocket(loop, ('127.0.0.1', 0)), UdpSocket(loop, ('127.0.0.1', 0)):
            assert loop.fileno() == number

    def test_two_loops_do_not_wake_each_other(self, loop: Loop, ours: UdpSocket, backend: str) -> None:
        with Loop(backend=backend) as second, UdpSocket(second, ('127.0.0.1', 0)) as theirs:  # type: ignore[arg-type]
            assert loop.fileno() != second.fileno()
            for _ in range(ROUNDS):
                theirs.send(b'there', ours.address)
                assert select.select([loop, second], [], [], SECONDS)[0] == [loop]
                assert drained(loop, 1) == [b'there']
                ours.send(b'and back', theirs.address)
                assert select.select([loop, second], [], [], SECONDS)[0] == [second]
                assert drained(second, 1) == [b'and back']

    def test_asyncio(self, loop: Loop, ours: UdpSocket) -> None:
        async def ping_pong(rounds: int) -> int:
            """Each answer is sent by the reader that took the one before."""
            running = asyncio.get_running_loop()
            done = running.create_future()
            count = 0

            def read() -> None:
                nonlocal count
                for datagram in loop.drain(3):
                    assert isinstance(datagram, Datagram)
                    assert int.from_bytes(datagram.data, 'big') == count
                    count += 1
                    if count == rounds:
                        done.set_result(count)
                        return
                    ours.send(count.to_bytes(4, 'big'), ours.address)

            running.add_reader(loop.fileno(), read)
            ours.send(bytes(4), ours.address)
            try:
                return await asyncio.wait_for(done, 15)
            finally:
                running.remove_reader(loop.fileno())

        assert asyncio.run(ping_pong(5000)) == 5000

    def test_asyncio_under_a_flood(self, loop: Loop, ours: UdpSocket) -> None:
        """A reader that takes few at a time is called again and again, until it has had all."""

        async def receive(count: int) -> list[int]:
            running = asyncio.get_running_loop()
            done = running.create_future()
            numbers: list[int] = []

            def read() -> None:
                for datagram in loop.drain(10):
                    assert isinstance(datagram, Datagram)
                    numbers.append(int.from_bytes(datagram.data[:4], 'big'))
                if len(numbers) == count and not done.done():
                    done.set_result(None)

            running.add_reader(loop.fileno(), read)
            sender = start_sender(place(ours), count, rate=10_000, size=200)
            try:
                await asyncio.wait_for(done, 15)
            finally:
                running.remove_reader(loop.fileno())
                sender.wait()
            return numbers

        assert asyncio.run(receive(5000)) == list(range(5000))

    def test_glib(self, loop: Loop, ours: UdpSocket) -> None:
        try:
            from gi.repository import GLib
        except ImportError:
            skip_loudly('PyGObject is missing', "pip install -e '.[gtk]'")
        main = GLib.MainLoop()
        count = 0

        def read(descriptor: int, condition: int) -> bool:
            nonlocal count
            for _ in loop.drain(2):
                count += 1
                if count == 2000:
                    main.quit()
                    return False
                ours.send(b'x', ours.address)
            return True

        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, loop.fileno(), GLib.IO_IN, read)
        limit = GLib.timeout_add_seconds(15, main.quit)
        ours.send(b'x', ours.address)
        main.run()
        GLib.source_remove(limit)
        assert count == 2000


class TestWaiting:
    """``wait`` blocks without the GIL; it works where there is no descriptor to watch, too."""

    def test_it_says_whether_there_is_something(self, loop: Loop, ours: UdpSocket) -> None:
        assert not loop.wait(0)
        assert not loop.wait(0.01)
        ours.send(b'x', ours.address)
        assert loop.wait(SECONDS)
        assert loop.wait(0), 'waiting takes nothing'
        assert loop.wait(), 'without a limit'
        assert drained(loop, 1) == [b'x']
        assert not loop.wait(0)

    def test_others_run_meanwhile(self, loop: Loop, ours: UdpSocket) -> None:
        steps = 0

        def work() -> None:
            nonlocal steps
            for _ in range(100_000):
                steps += 1
            ours.send(b'done', ours.address)

        thread = threading.Thread(target=work)
        thread.start()
        assert loop.wait(SECONDS)
        thread.join()
        assert (steps, drained(loop, 1)) == (100_000, [b'done'])

    def test_wake_ends_one_wait(self, loop: Loop) -> None:
        results: list[bool] = []
        for _ in range(ROUNDS):
            thread = threading.Thread(target=lambda: results.append(loop.wait(SECONDS)))
            thread.start()
            loop.wake()
            thread.join(SECONDS)
            assert not thread.is_alive()
        assert results == [False] * ROUNDS

    def test_wake_before_wait_is_not_lost(self, loop: Loop) -> None:
        loop.wake()
        started = time.monotonic()
        assert not loop.wait(60)
        assert time.monotonic() - started < 60

    def test_wake_from_a_signal_handler(self, loop: Loop) -> None:
        if threading.current_thread() is not threading.main_thread() or sys.platform == 'win32':
            skip_loudly('signals come to the main thread', 'run pytest without threads')
        before = signal.signal(signal.SIGUSR1, lambda *_: loop.wake())
        try:
            timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGUSR1])
            timer.start()
            assert not loop.wait(60)
            timer.join()
        finally:
            signal.signal(signal.SIGUSR1, before)

    def test_several_threads_wait(self, loop: Loop, ours: UdpSocket) -> None:
        """An event wakes them all or one of them; everything is taken once."""
        taken: list[bytes] = []
        lock = threading.Lock()
        ended = threading.Event()

        def take() -> None:
            while not ended.is_set():
                loop.wait(0.2)
                for datagram in loop.drain(3):
                    assert isinstance(datagram, Datagram)
                    with lock:
                        taken.append(datagram.data)
                        if len(taken) == 3000:
                            ended.set()

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for start in range(0, 3000, 50):
            ours.send_many([(number.to_bytes(2, 'big'), ours.address) for number in range(start, start + 50)])
            time.sleep(0.001)
        assert ended.wait(15), f'{len(taken)} of 3000'
        for thread in threads:
            thread.join()
        assert sorted(taken) == [number.to_bytes(2, 'big') for number in range(3000)]

    def test_closing_the_loop_ends_every_wait(self, backend: str) -> None:
        for _ in range(20):
            loop = Loop(backend=backend)  # type: ignore[arg-type]
            ours = UdpSocket(loop, ('127.0.0.1', 0))
            results: list[object] = []

            def wait(loop: Loop = loop, results: list[object] = results) -> None:
                try:
                    results.append(loop.wait(15))
                except OSError as error:
                    results.append(type(error).__name__)

            threads = [threading.Thread(target=wait) for _ in range(3)]
            for thread in threads:
                thread.start()
            loop.close()
            for thread in threads:
                thread.join(SECONDS)
                assert not thread.is_alive()
            assert ours.closed
            # True: its Closed event may be seen.
            assert set(results) <= {False, True, 'ClosedError'}


@pytest.mark.timeout(60)
@pytest.mark.parametrize('limit', [1, 1024])
def test_a_hundred_thousand_wake_ups(loop: Loop, ours: UdpSocket, limit: int) -> None:
    """Ping-pong by ``wait`` alone, two datagrams under way: a wake-up that is lost would end it."""
    rounds = 100_000
    sent = taken = 0
    while sent < 2:
        ours.send(b'x', ours.address)
        sent += 1
    end = time.monotonic() + 50
    while taken < rounds:
        assert loop.wait(5), f'lost after {taken}: {sent} sent, {ours.stats.received} received'
        for _ in loop.drain(limit):
            taken += 1
            if sent < rounds:
                ours.send(b'x', ours.address)
                sent += 1
        assert time.monotonic() < end, f'only {taken}'
    assert (taken, loop.drain()) == (rounds, [])


@posix
def test_wake_ups_between_two_processes(loop: Loop, ours: UdpSocket) -> None:
    """The same by the descriptor, where the answer comes from outside, at times that nobody chooses."""
    with plain_socket() as theirs:
        stop = threading.Event()

        def echo() -> None:
            theirs.settimeout(0.2)
            while not stop.is_set():
                try:
                    data, back = theirs.recvfrom(100)
                except TimeoutError:
                    continue
                theirs.sendto(data, back)

        thread = threading.Thread(target=echo)
        thread.start()
        try:
            for number in range(5000):
                ours.send(number.to_bytes(4, 'big'), theirs.getsockname())
                assert select.select([loop], [], [], SECONDS)[0], f'lost after {number}'
                assert drained(loop, 1) == [number.to_bytes(4, 'big')]
        finally:
            stop.set()
            thread.join()


def drained(loop: Loop, count: int) -> list[bytes]:
    """The next ``count`` datagrams' data; they are known to be there, or on their way."""
    return [datagram.data for datagram in Inbox(loop).datagrams(count)]
