"""Where commands run."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from socket_runtime.app import pool as pools
from socket_runtime.app.pool import LAST_WORDS, MAX_THREADS, Pool


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(lambda function: function(), lambda seconds, function: None)
    yield pool
    pool.close()


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith('socket-')]


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_nothing_starts_before_it_is_needed(pool: Pool) -> None:
    assert own_threads() == []


def test_one_after_the_other_needs_one_thread(pool: Pool) -> None:
    for _ in range(50):
        done = threading.Event()
        pool.run(done.set)
        assert done.wait(5)
        wait(lambda: pool._idle == len(pool._threads))
    assert own_threads() == ['socket-worker']


def test_many_at_once_share_a_bounded_number_of_threads(pool: Pool) -> None:
    gate, started, ended = threading.Event(), [], []

    def job() -> None:
        started.append(1)
        gate.wait(5)
        ended.append(1)

    for _ in range(100):
        pool.run(job)
    wait(lambda: len(started) == MAX_THREADS)
    assert len(own_threads()) == MAX_THREADS
    gate.set()
    wait(lambda: len(ended) == 100)
    assert len(own_threads()) == MAX_THREADS


def test_what_lasts_does_not_take_a_thread_of_the_pool(pool: Pool) -> None:
    gate = threading.Event()
    for _ in range(20):
        pool.run_apart(lambda: gate.wait(5))  # type: ignore[arg-type,return-value]
    done = threading.Event()
    pool.run(done.set)
    assert done.wait(5)
    gate.set()
    wait(lambda: own_threads().count('socket-stream') == 0)


def test_a_job_that_fails_is_logged_and_its_thread_goes_on(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    def fail() -> None:
        raise ValueError('broken')

    pool.run(fail)
    pool.run_apart(fail)
    done = threading.Event()
    pool.run(done.set)
    assert done.wait(5)
    wait(lambda: caplog.text.count('ValueError: broken') == 2)


def test_coroutines_share_one_loop(pool: Pool) -> None:
    loops = []

    async def job() -> None:
        loops.append(asyncio.get_running_loop())

    for _ in range(5):
        pool.run_async(job())
    wait(lambda: len(loops) == 5)
    assert len(set(map(id, loops))) == 1
    assert own_threads() == ['socket-asyncio']


def test_the_end_waits_for_what_is_in_line_but_not_for_ever() -> None:
    pool = Pool(lambda function: function(), lambda seconds, function: None)
    said: list[int] = []
    for number in range(20):
        pool.run(lambda number=number: said.append(number))
    pool.close()
    assert sorted(said) == list(range(20))
    assert own_threads() == []

    pool = Pool(lambda function: function(), lambda seconds, function: None)
    gate = threading.Event()
    pool.run(lambda: gate.wait(10))  # type: ignore[arg-type,return-value]
    start = time.monotonic()
    pool.close()
    assert LAST_WORDS * 0.9 < time.monotonic() - start < LAST_WORDS + 1
    gate.set()
    wait(lambda: own_threads() == [])


def test_coroutines_under_way_are_cancelled_at_the_end() -> None:
    pool = Pool(lambda function: function(), lambda seconds, function: None)
    seen: list[str] = []

    async def job() -> None:
        try:
            seen.append('started')
            await asyncio.sleep(60)
        finally:
            seen.append('cancelled')

    pool.run_async(job())
    wait(lambda: seen == ['started'])
    loop = pool.loop()
    pool.close()
    assert seen == ['started', 'cancelled']
    assert loop.is_closed()


def test_closing_twice_does_nothing(pool: Pool) -> None:
    pool.run(lambda: None)
    pool.close()
    pool.close()


def test_no_module_that_a_plain_app_need_not_have() -> None:
    assert not hasattr(pools, 'asyncio')
    assert not hasattr(pools, 'concurrent')
