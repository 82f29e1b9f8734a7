"""Caches of 16 MiB: ours, and two in plain Python.

    python -m benchmarks.core.peers.caches ours|ours-many|dicts|ordered time|memory|mixed

`time` answers `go N SECONDS` by N insertions into a full cache. `memory` and `mixed` fill a cache with frames of the
full length or of all lengths, and say what it costs: one line, and the end.
"""

from __future__ import annotations

import functools
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.core.peers.lines import AT_NEXT_ID, FRAME_BYTES, Work, converse, frame, say
from benchmarks.core.peers.python_relay import BUDGET, HEADER_BYTES, LIFE, PythonCache, packet_id

if TYPE_CHECKING:
    from socket_core._packet import Packet

BATCH = 64
# Three times what fits, so that a frame has long gone when it comes again.
POOL = 704 * BATCH
NOW = 1000.0
OWN, FOREIGN = 0, 2


class Entry:
    """What is known of a cached packet."""

    __slots__ = ('expires', 'frame', 'hops', 'kind', 'postage')

    def __init__(self, expires: float, frame: bytes, kind: int) -> None:
        self.expires = expires
        self.frame = frame
        self.kind = kind
        self.postage = 8
        self.hops = int.from_bytes(frame[2:6], 'big')


class DictCache:
    """As the protocol asks for it, in dictionaries: by id, by nextId, and by age for own packets and for others.

    It has no shares of sources and of networks, and counts the frames only.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.packets: dict[bytes, Entry] = {}
        self.previous: dict[bytes, bytes] = {}
        self.own: OrderedDict[bytes, None] = OrderedDict()
        self.foreign: OrderedDict[bytes, None] = OrderedDict()
        self.budget = budget
        self.used = 0

    def insert(self, found: bytes, data: bytes, now: float, kind: int = FOREIGN) -> bool:
        """Keep a frame under its id, and drop the oldest where there is no room; whether it is new."""
        if found in self.packets:
            return False
        self.used += len(data)
        while self.used > self.budget:
            self._evict()
        self.packets[found] = Entry(now + LIFE, data, kind)
        self.previous[data[AT_NEXT_ID : AT_NEXT_ID + 32]] = found
        (self.own if kind == OWN else self.foreign)[found] = None
        return True

    def _evict(self) -> None:
        oldest, _ = (self.foreign or self.own).popitem(last=False)
        data = self.packets.pop(oldest).frame
        self.used -= len(data)
        if self.previous.get(data[AT_NEXT_ID : AT_NEXT_ID + 32]) == oldest:
            del self.previous[data[AT_NEXT_ID : AT_NEXT_ID + 32]]


def python_insert(cache: DictCache | PythonCache) -> Callable[[bytes], bool]:
    """Insertion with the id to be worked out."""
    return lambda data: cache.insert(packet_id(data), data, NOW)


def sized(mixed: bool) -> Iterable[bytes]:
    """Twice as many frames as fit; of the full length, or of each length in turn."""
    lengths = FRAME_BYTES - HEADER_BYTES + 1
    for index in range(2 * BUDGET // (HEADER_BYTES + (0 if mixed else 1024))):
        data = frame(2, index)
        yield data[: HEADER_BYTES + index * 619 % lengths] if mixed else data


def private_dirty() -> int:
    """Bytes that this process alone has written to."""
    for line in Path('/proc/self/smaps_rollup').read_text('ascii').splitlines():
        if line.startswith('Private_Dirty:'):
            return int(line.split()[1]) * 1024
    raise LookupError('Private_Dirty')


def weigh(mode: str, mixed: bool) -> None:
    """Fill a cache, and say how many bytes there are beyond the frames for each packet."""
    frames = sized(mixed)
    before = private_dirty()
    if mode.startswith('ours'):
        from socket_core._address import Address
        from socket_core._cache import Cache
        from socket_core._packet import parse

        source, ours = Address('127.0.0.1', 1), Cache(source_share=1.0, group_share=1.0)
        before = private_dirty()
        for data in frames:
            ours.insert(parse(data), source=source, now=NOW)
        stats = ours.stats
        accounted = (stats.used_bytes - stats.frame_bytes) / stats.packets
        count, size = stats.packets, stats.frame_bytes
    else:
        cache = DictCache() if mode == 'dicts' else PythonCache()
        insert = python_insert(cache)
        for data in frames:
            insert(data)
        count, size, accounted = len(cache.packets), cache.used, 0.0
    grown = private_dirty() - before
    say(packets=count, accounted=accounted, private=(grown - size) / count, frame_mb=size / 1e6)


class Turn:
    """Goes through the pool, batch by batch, and round again."""

    def __init__(self) -> None:
        self._at = 0

    def next(self) -> slice:
        """Where the next batch stands."""
        at, self._at = self._at, (self._at + BATCH) % POOL
        return slice(at, at + BATCH)


class Clock:
    """CPU time of the insertions alone.

    Frames are read before they are inserted, as they are in a relay, which has just hashed them: a pool that is larger
    than the processor's caches must not be measured.
    """

    def __init__(self) -> None:
        self.total = 0

    def run(self, frames: Iterable[bytes], insert: Callable[[], object]) -> None:
        """Read the frames, and then measure the insertion of them."""
        for data in frames:
            data.count(b'\7')
        begin = time.process_time_ns()
        insert()
        self.total += time.process_time_ns() - begin

    def read(self) -> int:
        """What was measured so far, in ns."""
        return self.total


def timed_ours(clock: Clock, many: bool) -> Work:
    """Our cache, one call for each packet or one for 64. All ids are known beforehand."""
    from socket_core._address import Address
    from socket_core._cache import Cache
    from socket_core._packet import parse

    pool = [parse(frame(1, index)) for index in range(POOL)]
    source, cache = Address('127.0.0.1', 1), Cache(source_share=1.0, group_share=1.0)
    insert, insert_many = cache.insert, cache.insert_many

    def one_by_one(pairs: list[tuple[Packet, bytes]]) -> None:
        for packet, found in pairs:
            insert(packet, source=source, now=NOW, id=found)

    turn = Turn()

    def work(count: int, seconds: float) -> int:
        before = cache.stats.inserted
        for _ in range(0, count, BATCH):
            packets = pool[turn.next()]
            pairs = [(packet, packet.id) for packet in packets]
            together = functools.partial(insert_many, packets, source=source, now=NOW)
            frames = [packet.data for packet in packets]
            clock.run(frames, together if many else functools.partial(one_by_one, pairs))
        return cache.stats.inserted - before

    work(POOL, 0)
    return work


def timed_python(clock: Clock, cache: DictCache | PythonCache) -> Work:
    """A cache in Python. All ids are known beforehand, and frames are not copied: the cache keeps a reference."""
    frames = [frame(1, index) for index in range(POOL)]
    pool = [(packet_id(data), data) for data in frames]
    insert = cache.insert

    def one_by_one(pairs: list[tuple[bytes, bytes]]) -> int:
        new = 0
        for found, data in pairs:
            new += insert(found, data, NOW)
        return new

    turn = Turn()

    def work(count: int, seconds: float) -> int:
        new: list[int] = []
        for _ in range(0, count, BATCH):
            place = turn.next()
            pairs = pool[place]
            clock.run(frames[place], lambda pairs=pairs: new.append(one_by_one(pairs)))
        return sum(new)

    work(POOL, 0)
    return work


def main(mode: str, what: str) -> None:
    """Answer in one of the modes."""
    clock = Clock()
    if what != 'time':
        weigh(mode, what == 'mixed')
    elif mode.startswith('ours'):
        converse(0, timed_ours(clock, mode == 'ours-many'), clock.read)
    else:
        converse(0, timed_python(clock, DictCache() if mode == 'dicts' else PythonCache()), clock.read)


if __name__ == '__main__':
    main(*sys.argv[1:])
