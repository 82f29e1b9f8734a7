"""A cache that is told anything stays whole and within its budget, and gives back what it was given.

The input is a tape of calls on a small cache, held against a dictionary of everything that it ever took (F13).
"""

from __future__ import annotations

from socket_core import MESSAGE_MAX_BYTES, NO_ID, PUBLISH, Packet, encode, parse
from socket_core._address import Address
from socket_core._cache import CLUSTER, FOREIGN, KEPT, KNOWN, OWN, PREFIX_BYTES, REFUSED, Cache
from tests.fuzz.runner import main
from tests.fuzz.tape import Tape

BUDGET_BYTES = 256 * 1024
LIFE = 100.0
HOSTS = ('192.0.2.1', '192.0.2.2', '198.51.100.7', '2001:db8::1', '2001:db8:0:1::1')
SOURCES = [Address(host, port) for host in HOSTS for port in (1, 2)]

INSERT = b'\x00\x02\x01\x00\x05\x00\x00\x07\x00\x03abc'
MANY = b'\x01\x7f\x02\x02\x04\x00'
CORPUS = [
    INSERT + b'\x02\x00' + b'\x03\x00',
    INSERT * 3 + b'\x04\xff\x01' + b'\x05\x05\x05',
    MANY * 4 + b'\x06\x10',
    MANY + b'\x07\x04\x20\xff' + MANY * 2 + b'\x05\x20',
]
DICTIONARY = [INSERT, MANY, b'\x04\xff\x02', b'\x05\xff', b'\x06\x00', b'\x07\x02']


class Run:
    """One cache and its tape."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.now = 1.0
        self.cache = Cache(BUDGET_BYTES, life=LIFE, postage=3, key=bytes(16))
        self.taken: dict[bytes, Packet] = {}

    def packet(self) -> Packet:
        tape = self.tape
        known = [NO_ID, *self.taken]
        hops, clock = tape.number(32), tape.number(16)
        message = tape.take(tape.number(MESSAGE_MAX_BYTES + 1))
        return parse(
            encode(PUBLISH, cluster=NO_ID, hops=hops, clock=clock, next_id=tape.choose(known), message=message)
        )

    def identity(self) -> bytes:
        """Of a packet that was there once, or of none."""
        return self.tape.choose([*self.taken, NO_ID])

    def insert(self) -> None:
        kind = self.tape.choose((OWN, CLUSTER, FOREIGN))
        source = None if kind == OWN else self.tape.choose(SOURCES)
        packet = self.packet()
        before = packet.id in self.cache
        outcome = self.cache.insert(packet, kind=kind, source=source, now=self.now)
        assert outcome in (KEPT, KNOWN, REFUSED)
        assert before == (outcome == KNOWN)
        assert (packet.id in self.cache) == (outcome != REFUSED)
        self.taken.setdefault(packet.id, packet)

    def insert_many(self) -> None:
        """Large ones of one source, so that the cache fills."""
        count, seed = self.tape.number(256), self.tape.number(256)
        kind, source = self.tape.choose((OWN, CLUSTER, FOREIGN)), self.tape.choose(SOURCES)
        message = bytes([seed]) * MESSAGE_MAX_BYTES
        packets = [
            parse(encode(PUBLISH, cluster=NO_ID, clock=1000 + number, message=message)) for number in range(count)
        ]
        outcomes = self.cache.insert_many(packets, kind=kind, source=None if kind == OWN else source, now=self.now)
        assert len(outcomes) == count
        self.taken.update((packet.id, packet) for packet in packets)

    def find(self) -> None:
        identity = self.identity()
        found = self.cache.find(identity)
        assert (found is not None) == (identity in self.cache)
        if found is not None:
            self.same(found.packet)

    def remove(self) -> None:
        identity = self.identity()
        there = identity in self.cache
        assert self.cache.remove(identity) == there
        assert identity not in self.cache

    def wait(self) -> None:
        self.now += self.tape.number(256) * self.tape.choose((0.001, 1.0, LIFE))

    def expire(self) -> None:
        limit = 1 + self.tape.number(64)
        ended = self.cache.expire(self.now, limit)
        assert len(ended) <= limit
        for packet, _ in ended:
            self.same(packet)

    def walk(self) -> None:
        for cached in [*self.cache.walk(self.identity()), *self.cache.previous(self.identity())]:
            self.same(cached.packet)

    def summary(self) -> None:
        summary = self.cache.summary()
        low = self.tape.take(self.tape.number(PREFIX_BYTES + 1))
        assert len(summary) == len(self.cache) == summary.count()
        assert summary.count(low) + summary.count(b'', low) == len(summary)
        assert (summary.fingerprint(bytes(16), low) == summary.fingerprint(bytes(16), low, low)) <= (
            not summary.count(low)
        )
        assert sorted(summary.ids(low)) == summary.ids(low)
        cuts = summary.split(1 + self.tape.number(16), low)
        assert sorted(cuts) == cuts

    def same(self, packet: Packet) -> None:
        """As it was given, but for the hops."""
        assert packet.with_hops(0) == self.taken[packet.id].with_hops(0)

    def check(self) -> None:
        self.cache.check()
        stats = self.cache.stats
        assert stats.packets == len(self.cache) == sum(identity in self.cache for identity in self.taken)
        assert stats.used_bytes <= BUDGET_BYTES


CALLS = (Run.insert, Run.insert_many, Run.find, Run.remove, Run.wait, Run.expire, Run.walk, Run.summary)


def fuzz_one(data: bytes) -> None:
    tape = Tape(data)
    run = Run(tape)
    while tape:
        tape.choose(CALLS)(run)
    run.check()


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
