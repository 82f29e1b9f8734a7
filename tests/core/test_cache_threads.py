"""One cache and many threads: nothing is lost, nobody waits for ever, and a fork leaves it usable on both sides."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from socket_core import NO_ID, PUBLISH, encode, parse
from socket_core._address import Address
from socket_core._cache import FOREIGN, KEPT, KNOWN, OWN, REFUSED, Cache
from tests.support.skips import skip_loudly

BUDGET = 512 * 1024
PACKETS = [
    parse(
        encode(
            PUBLISH,
            cluster=NO_ID,
            clock=clock,
            message=bytes(clock * 37 % 1025),
            next_id=bytes(31) + bytes([clock % 9]),
        )
    )
    for clock in range(2000)
]
SECONDS = 1.5


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(works: list[Callable[[], None]]) -> None:
    """All at once, again and again for a while; what one of them raises is raised here."""
    errors: list[BaseException] = []
    begin, stop = threading.Barrier(len(works)), time.monotonic() + SECONDS

    def run(work: Callable[[], None]) -> None:
        try:
            begin.wait()
            while time.monotonic() < stop and not errors:
                work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_of_all_kinds(quick_switches: None) -> None:
    cache = Cache(BUDGET, life=5, postage=2)
    chance = random.Random(5)
    now = [0.0]

    def insert() -> None:
        some, source = chance.choice(PACKETS), Address(f'192.0.2.{chance.randrange(200)}', 1)
        assert cache.insert(some, kind=chance.randrange(3), source=source, now=now[0]) in (KEPT, KNOWN, REFUSED)

    def insert_many() -> None:
        at = chance.randrange(1900)
        assert len(cache.insert_many(PACKETS[at : at + 100], kind=FOREIGN, now=now[0])) == 100

    def look() -> None:
        some = chance.choice(PACKETS)
        found = cache.find(some.id)
        assert found is None or found.packet.with_hops(0) == some
        assert all(cached.packet.next_id == some.next_id for cached in cache.previous(some.next_id))
        cache.walk(some.id)
        cache.fewest_hops(5)
        some.id in cache  # noqa: B015

    def sum_up() -> None:
        summary = cache.summary()
        ids = summary.ids()
        assert ids == sorted(set(ids)) and len(ids) == len(summary)
        summary.fingerprint(bytes(16))

    def end() -> None:
        now[0] += 0.01
        cache.expire(now[0], 10)
        cache.remove(chance.choice(PACKETS).id)

    def check() -> None:
        cache.check()
        stats = cache.stats
        assert stats.used_bytes <= BUDGET
        assert stats.packets == stats.inserted - stats.evicted - stats.expired - stats.removed

    together([insert, insert, insert_many, look, look, sum_up, end, check])
    cache.check()
    assert cache.stats.inserted > 1000


def test_one_thread_alone_is_told_that_a_packet_is_new(quick_switches: None) -> None:
    cache = Cache()
    kept: list[int] = []

    def insert_all() -> None:
        kept.append(sum(cache.insert(some, now=0) == KEPT for some in PACKETS))

    threads = [threading.Thread(target=insert_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(kept) == len(PACKETS) == len(cache)


@pytest.mark.filterwarnings('ignore:.*multi-threaded:DeprecationWarning')
def test_a_fork_while_others_are_at_work() -> None:
    """The child has a cache that it can use, whatever the other threads did at that moment."""
    if not hasattr(os, 'fork'):
        skip_loudly('this system has no fork', 'use another one')
    cache = Cache(BUDGET)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            cache.insert_many(PACKETS, now=0)
            cache.summary()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(40):
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                try:
                    cache.check()
                    cache.insert(PACKETS[0], kind=OWN, now=0)
                    os._exit(0 if cache.find(PACKETS[0].id) else 1)
                finally:
                    os._exit(2)
            _, status = os.waitpid(child, 0)
            assert status == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    cache.check()
