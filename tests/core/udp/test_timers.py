"""Timers: they fire when it is time, not before; slow readers get one event; no number breaks them."""

from __future__ import annotations

import math
import threading
import time

import pytest

from socket_core._udp import Closed, ClosedError, Datagram, Fired, Loop, Timer, UdpSocket
from tests.support.udp import Inbox


def test_once(loop: Loop, inbox: Inbox) -> None:
    started = time.monotonic()
    with Timer(loop, 0.05) as timer:
        fired = inbox.take(Fired)[0]
        assert fired.timer is timer
        assert fired.count == 1
        assert time.monotonic() - started >= 0.049
        inbox.pump(0.15)
        assert inbox.count(Fired) == 0


def test_again_and_again(loop: Loop, inbox: Inbox) -> None:
    with Timer(loop, 0.001, 0.002):
        assert sum(fired.count for fired in inbox.take(Fired, 20)) >= 20


def test_a_delay_of_nothing(loop: Loop, inbox: Inbox) -> None:
    with Timer(loop, 0):
        assert inbox.take(Fired)[0].count == 1


def test_a_slow_reader_gets_one_event(loop: Loop, inbox: Inbox) -> None:
    with Timer(loop, 0.001, 0.001), Timer(loop, 0.002, 0.001):
        time.sleep(0.2)
        events = [event for event in loop.drain() if isinstance(event, Fired)]
        assert len(events) <= 2 * 2
        assert sum(event.count for event in events) > 20


def test_stop_and_again(loop: Loop, inbox: Inbox) -> None:
    with Timer(loop, 0.01, 0.01) as timer, Timer(loop, 1000) as marker:
        inbox.take(Fired)
        timer.stop()
        timer.stop()
        marker.again(0.1)
        while inbox.take(Fired)[0].timer is not marker:
            pass
        assert inbox.count(Fired) == 0
        timer.again(0.01)
        assert inbox.take(Fired)[0].timer is timer


def test_the_earlier_comes_first(loop: Loop, inbox: Inbox) -> None:
    timers = [Timer(loop, 0.03 * number) for number in (3, 1, 2, 5, 4)]
    order = [timers.index(fired.timer) for fired in inbox.take(Fired, 5)]
    assert order == [1, 2, 0, 4, 3]
    for timer in timers:
        timer.close()


@pytest.mark.parametrize('wrong', [-1, -0.001, math.nan, math.inf, -math.inf, -1e300])
@pytest.mark.parametrize('name', ['delay', 'repeat'])
def test_times_that_make_no_sense(loop: Loop, name: str, wrong: float) -> None:
    times = {'delay': 1000.0, 'repeat': 0.0, name: wrong}
    with pytest.raises(ValueError, match=name):
        Timer(loop, **times)
    with Timer(loop, 1000) as timer, pytest.raises(ValueError, match=name):
        timer.again(**times)


@pytest.mark.parametrize('huge', [1e9, 2**32, 2**53, 1e15, 1e18, 1e19, 1e30, 1e300])
def test_huge_times(loop: Loop, inbox: Inbox, huge: float) -> None:
    """They never fire, or are refused; none of them becomes a short one by overflow."""
    try:
        timers = [Timer(loop, huge), Timer(loop, 0.001, huge), Timer(loop, huge, huge)]
    except (ValueError, OverflowError):
        return
    assert inbox.take(Fired)[0].timer is timers[1]
    inbox.pump(0.05)
    assert inbox.count(Fired) == 0
    with UdpSocket(loop, ('127.0.0.1', 0)) as ours:  # and the loop does not wait for them
        ours.send(b'x', ours.address)
        inbox.datagram()
    for timer in timers:
        timer.close()


def test_changed_in_bursts(loop: Loop, inbox: Inbox) -> None:
    """The last word holds."""
    with Timer(loop, 1000) as timer:
        for number in range(5000):
            timer.again(1000 + number)
            timer.stop()
        timer.again(0.01)
        assert inbox.take(Fired)[0].count == 1
        for _ in range(5000):
            timer.again(0, 0.001)
            timer.stop()
        with Timer(loop, 0.1) as marker:
            while inbox.take(Fired)[0].timer is not marker:
                pass
            inbox.pump(0.05)
            assert inbox.count(Fired) == 0


def test_changed_by_many_threads(loop: Loop, inbox: Inbox) -> None:
    timers = [Timer(loop, 1000) for _ in range(10)]

    def change(seed: int) -> None:
        for number in range(1000):
            timer = timers[(number + seed) % 10]
            try:
                timer.again(0.001 * (number % 5), 0.001 * (number % 3))
                if number % 4 == 0:
                    timer.stop()
                if number > 900:
                    timer.close()
            except ClosedError:
                pass

    threads = [threading.Thread(target=change, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        inbox.pump(0.001)
    assert {event.handle for event in inbox.take(Closed, 10)} == set(timers)


def test_a_closed_timer_says_so_and_is_silent(loop: Loop, inbox: Inbox) -> None:
    timer = Timer(loop, 0, 0.001)
    inbox.take(Fired)
    timer.close()
    assert timer.closed
    for call in (lambda: timer.again(1), timer.stop):
        with pytest.raises(ClosedError):
            call()
    inbox.take(Closed)
    inbox.events.clear()
    inbox.pump(0.05)
    assert inbox.summary() == {}


def test_many_timers(loop: Loop, inbox: Inbox) -> None:
    timers = [Timer(loop, 0.001 * (number % 20)) for number in range(500)]
    assert {fired.timer for fired in inbox.take(Fired, 500)} == set(timers)
    for timer in timers:
        timer.close()
    inbox.take(Closed, 500)


def test_timers_among_datagrams(loop: Loop, inbox: Inbox) -> None:
    """Neither starves the other."""
    with UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=4 << 20) as ours, Timer(loop, 0, 0.001):
        for _ in range(50):
            ours.send_many([(b'x', ours.address)] * 50)
            inbox.datagrams(50)
        assert inbox.take(Fired)
        inbox.take(Fired)
    assert inbox.count(Datagram) == 0
