"""Reconciling two caches of 10,000 packets by summaries of ranges: bytes, trips and CPU time, by how much they differ.

The two sides are played here, in one process: each takes the other's ranges, compares fingerprints, and answers with
finer ranges or, where only few ids are left, with those. The yardstick is sending the beginnings of all ids, which
costs the same whatever the difference. There is no bar: what counts is that the cost follows the difference.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from benchmarks import command
from benchmarks.bars import Row, Values
from benchmarks.core.peers.lines import frame
from benchmarks.core.workers import take_turns
from benchmarks.harness import BenchError

if TYPE_CHECKING:
    from socket_core._cache import Cache, Summary

ROUNDS = 5
PACKETS = 10_000
DIFFERENCES = (0, 1, 10, 100, 1000)
ALL_IDS = 'all ids'
NOW = 1000.0

# A range of at most so many ids is answered with the ids; a larger one with so many ranges.
FEW = 24
PARTS = 16
PREFIX_BYTES = 14
FINGERPRINT_BYTES = 16

# low, high, and what the other side has there.
Range = tuple[bytes, bytes | None, bytes]


def cache_of(packets: int, more: int, clock: int) -> Cache:
    """A cache with the common packets, and `more` of its own."""
    from socket_core._cache import Cache
    from socket_core._packet import parse

    made = Cache()
    frames = [frame(1, index) for index in range(packets)] + [frame(clock, index) for index in range(more)]
    made.insert_many([parse(data) for data in frames], now=NOW)
    if len(made) != packets + more:
        raise BenchError(f'the cache took {len(made)} of {packets + more} packets')
    return made


class Side:
    """One of the two, with what it has learnt of the other's ids."""

    def __init__(self, summary: Summary, key: bytes) -> None:
        self.summary = summary
        self.key = key
        self.sent = 0
        self.differing: set[bytes] = set()

    def ranges(self, low: bytes, high: bytes | None) -> list[Range]:
        """A range in parts, with their fingerprints; what they take on the wire is counted."""
        bounds = [low, *self.summary.split(PARTS, low, high), high]
        found: list[Range] = []
        for begin, end in zip(bounds, bounds[1:], strict=False):
            assert begin is not None
            found.append((begin, end, self.summary.fingerprint(self.key, begin, end)))
            self.sent += 1 + len(end or b'') + FINGERPRINT_BYTES
        return found

    def ids(self, low: bytes, high: bytes | None) -> set[bytes]:
        """All ids of a range, counted."""
        found = self.summary.ids(low, high)
        self.sent += 2 + PREFIX_BYTES * len(found)
        return set(found)

    def answer(self, asked: list[Range], other: Side) -> list[Range]:
        """What is to be compared next. Where few ids are left, both sides send theirs and know what differs."""
        found: list[Range] = []
        for low, high, fingerprint in asked:
            if self.summary.fingerprint(self.key, low, high) == fingerprint:
                continue
            if self.summary.count(low, high) <= FEW:
                self.differing |= self.ids(low, high) ^ other.ids(low, high)
            else:
                found += self.ranges(low, high)
        return found


def reconcile(one: Summary, other: Summary) -> tuple[set[bytes], int, int]:
    """The ids (their beginnings) that only one of the two has, the bytes that were sent, and the trips it took."""
    key = os.urandom(16)
    sides = (Side(one, key), Side(other, key))
    asked: list[Range] = [(b'', None, one.fingerprint(key))]
    trips = 0
    while asked:
        trips += 1
        asked = sides[trips % 2].answer(asked, sides[1 - trips % 2])
    return sides[0].differing | sides[1].differing, sides[0].sent + sides[1].sent + FINGERPRINT_BYTES, trips


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all differences, interleaved.

    Raises:
        BenchError: the core is not built.
    """
    try:
        caches = {
            difference: (
                cache_of(PACKETS - difference // 2, difference - difference // 2, 2),
                cache_of(PACKETS - difference // 2, difference // 2, 3),
            )
            for difference in DIFFERENCES
        }
    except ImportError as error:
        raise BenchError(f'{error}: build the core first') from error

    def work(difference: int) -> Mapping[str, float]:
        one, other = caches[difference]
        begin = time.process_time()
        summaries = one.summary(), other.summary()
        made = time.process_time()
        found, size, trips = reconcile(*summaries)
        took = time.process_time() - made
        if len(found) != difference:
            raise BenchError(f'{len(found)} differences found, {difference} made')
        return {'bytes': size, 'trips': trips, 'ms': took * 1e3, 'summary_ms': (made - begin) / 2 * 1e3}

    def everything() -> Mapping[str, float]:
        one, _ = caches[0]
        summary = one.summary()
        begin = time.process_time()
        size = len(b''.join(summary.ids(limit=PACKETS)))
        return {'bytes': size, 'trips': 1, 'ms': (time.process_time() - begin) * 1e3}

    works = {f'{difference} differences': functools.partial(work, difference) for difference in DIFFERENCES}
    return take_turns({**works, ALL_IDS: everything}, rounds, warm_up=1)


def judge(values: Values) -> list[Row]:
    """No bar is set here."""
    return []


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
