"""The relay once more, in plain Python: what `Relay` is held against, decision by decision.

It remembers everything and bounds nothing, so it agrees with the relay as long as neither its seen set nor its cache
is full. Where the relay chooses at random, the model says what it may choose from.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from socket_core._address import Address
from socket_core._relay import (
    CACHED,
    CHECKED,
    DEFAULT_ACTIONS,
    DO_CACHE,
    DO_DELIVER,
    DO_DELIVER_OWN,
    DO_FORWARD,
    FORWARDED,
    HASHED,
    Limits,
    RelayPeer,
)

NOBODY = bytes(32)


def hops_of(frame: bytes) -> int:
    return int(struct.unpack_from('>I', frame, 2)[0])


def with_hops(frame: bytes, hops: int) -> bytes:
    return frame[:2] + struct.pack('>I', hops) + frame[6:]


def cluster_of(frame: bytes) -> bytes:
    return frame[14:46]


def to_of(frame: bytes) -> bytes:
    return frame[110:142]


def id_of(frame: bytes) -> bytes:
    return hashlib.sha256(with_hops(frame, 0)).digest()


def malformed(frame: bytes) -> str:
    """Why it is no frame, as a counter's name, or nothing."""
    if len(frame) < 142:
        return 'malformed_short'
    if len(frame) > 1166:
        return 'malformed_long'
    if frame[1] != 1:
        return 'malformed_version'
    return '' if 1 <= frame[0] <= 10 else 'malformed_type'


class Sent(NamedTuple):
    """One datagram, to `count` peers: from each tier as many as it has, out of the first of them."""

    data: bytes
    tiers: list[list[Address]]
    nearest: int
    fanout: int

    def explain(self, chosen: Sequence[Address]) -> str:
        """What is wrong with these peers, in this order, or nothing."""
        left = list(chosen)
        taken: set[Address] = set()
        for tier in self.tiers:
            window = [peer for peer in tier if peer not in taken][: self.nearest]
            count = min(self.fanout - len(taken), len(window))
            picked, left = left[:count], left[count:]
            if len(set(picked)) != count or not set(picked) <= set(window):
                return f'{picked} are not {count} of {window}'
            taken.update(picked)
        return f'{left} are too many' if left else ''


class Handed(NamedTuple):
    """One delivery."""

    index: int
    flags: int
    id: bytes | None


@dataclass
class Bucket:
    rate: tuple[int, int]
    tokens: int
    last: int

    @classmethod
    def full(cls, rate: tuple[int, int], now: int) -> Bucket:
        return cls(rate, rate[1] * 1000, now)

    def has(self, now: int) -> bool:
        if now > self.last:
            self.tokens += self.rate[0] * (now - self.last)
            self.last = now
        self.tokens = min(self.tokens, self.rate[1] * 1000)
        return self.tokens >= 1000


@dataclass
class Kept:
    frame: bytes
    hops: int
    own: bool
    expires: int
    postage: int


@dataclass
class RelayModel:
    """All times in whole milliseconds."""

    fanout: int = 3
    nearest: int = 16
    max_hops: int = 16
    caching: bool = True
    life: int = 21_600_000
    postage: int = 8

    peers: list[RelayPeer] = field(default_factory=list)
    clusters: set[bytes] = field(default_factory=set)
    identities: set[bytes] = field(default_factory=set)
    blocked: set[Address] = field(default_factory=set)
    actions: Mapping[int, int] = field(default_factory=lambda: DEFAULT_ACTIONS)
    limits: Limits = field(default_factory=Limits)

    seen: set[bytes] = field(default_factory=set)
    spent: set[bytes] = field(default_factory=set)
    cache: dict[bytes, Kept] = field(default_factory=dict)
    buckets: dict[object, Bucket] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)

    def set_peers(self, peers: Sequence[RelayPeer]) -> None:
        trusted = {peer.address for peer in self.peers if peer.trusted}
        self.peers = list(peers)
        # Who was not trusted just before begins anew.
        for peer in peers:
            if peer.address not in trusted:
                self.buckets.pop(('peer', peer.address), None)
        listed = {('peer', peer.address) for peer in peers}
        for name in [name for name in self.buckets if isinstance(name, tuple) and name[0] == 'peer']:
            if name not in listed:
                del self.buckets[name]

    def set_limits(self, limits: Limits) -> None:
        self.limits = limits
        self.buckets.clear()

    def bucket(self, name: object, rate: tuple[int, int], now: int) -> Bucket:
        if name not in self.buckets:
            self.buckets[name] = Bucket.full(rate, now)
        return self.buckets[name]

    def has_paid(self, address: Address, now: int) -> bool:
        if any(peer.trusted and peer.address == address for peer in self.peers):
            buckets = [self.bucket(('peer', address), self.limits.peer, now)]
        else:
            buckets = [self.bucket('total', self.limits.total, now)]
            if buckets[0].has(now):
                buckets.append(self.bucket(('stranger', address.group(32, 64)), self.limits.stranger, now))
            if buckets[-1].has(now):
                buckets.append(self.bucket(('group', address.group(24, 48)), self.limits.group, now))
        if not all(bucket.has(now) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.tokens -= 1000
        return True

    def tiers(self, frame: bytes, sender: Address | None) -> list[list[Address]]:
        able = [peer for peer in self.peers if peer.forward and peer.address != sender]
        to, cluster = to_of(frame), cluster_of(frame)
        return [
            [peer.address for peer in able if to != NOBODY and to in peer.identities],
            [peer.address for peer in able if cluster in peer.clusters],
            [peer.address for peer in able],
        ]

    def step(self, frame: bytes) -> int:
        return 2 if cluster_of(frame) in self.clusters else 1

    def is_own(self, frame: bytes) -> bool:
        return cluster_of(frame) in self.clusters or to_of(frame) in self.identities - {NOBODY}

    def send(self, frame: bytes, sender: Address | None, hops: int, counter: str) -> list[Sent]:
        sent = Sent(with_hops(frame, hops), self.tiers(frame, sender), max(self.nearest, self.fanout), self.fanout)
        count = min(self.fanout, len(sent.tiers[2]))
        self.counters[counter] += count
        return [sent] if count else []

    def receive(self, datagrams: Sequence[tuple[bytes, Address]], now: int) -> tuple[list[Sent], list[Handed]]:
        sends: list[Sent] = []
        handed: list[Handed] = []
        for index, (frame, address) in enumerate(datagrams):
            sent, delivered = self.receive_one(frame, address, now)
            sends += sent
            if delivered is not None:
                handed.append(delivered._replace(index=index))
                self.counters['delivered'] += 1
        return sends, handed

    def receive_one(self, frame: bytes, address: Address, now: int) -> tuple[list[Sent], Handed | None]:
        self.counters['received'] += 1
        self.counters['bytes'] += len(frame)
        verdict = ''
        if address in self.blocked or address.with_port(0) in self.blocked:
            verdict = 'blocked'
        elif malformed(frame):
            verdict = malformed(frame)
        elif not self.has_paid(address, now):
            verdict = 'limited'
        elif not self.actions.get(frame[0], 0):
            verdict = 'ignored'
        if verdict:
            self.counters[verdict] += 1
            return [], None
        if self.actions[frame[0]] == DO_DELIVER:
            self.counters['control'] += 1
            return [], Handed(0, CHECKED, None)
        return self.relay(with_hops(frame, min(hops_of(frame), self.max_hops + 1)), address, now)

    def relay(self, frame: bytes, address: Address, now: int) -> tuple[list[Sent], Handed | None]:
        actions, name, sends = self.actions[frame[0]], id_of(frame), list[Sent]()
        hops = hops_of(frame) + self.step(frame)
        exceeded = bool(actions & DO_FORWARD) and hops > self.max_hops
        again = name in self.seen or (name in self.spent and exceeded)
        if self.caching and actions & DO_CACHE and name in self.cache:
            self.cache[name].hops = min(self.cache[name].hops, hops_of(frame))
            again = again or name not in self.spent
        if again:
            self.seen |= set() if name in self.spent and exceeded else {name}
            self.counters['duplicate'] += 1
            return [], None
        revived = name in self.spent
        self.counters['revived' if revived else 'fresh'] += 1
        flags = CHECKED | HASHED
        if self.caching and actions & DO_CACHE and name not in self.cache:
            self.cache[name] = Kept(frame, hops_of(frame), self.is_own(frame), now + self.life, self.postage)
            self.counters['cached'] += 1
            flags |= CACHED
        (self.spent if exceeded else self.seen).add(name)
        self.counters['hops_exceeded'] += exceeded
        if actions & DO_FORWARD and not exceeded:
            sends = self.send(frame, address, hops, 'forwarded')
            flags |= FORWARDED if sends else 0
        wanted = actions & DO_DELIVER or (actions & DO_DELIVER_OWN and self.is_own(frame))
        return sends, Handed(0, flags, name) if wanted and not revived else None

    def publish(self, frame: bytes, now: int) -> tuple[bool, bytes, list[Sent]]:
        """Whether it was new to the cache; its id; to whom it goes."""
        name, actions, new = id_of(frame), self.actions[frame[0]], True
        self.seen.add(name)
        if self.caching and actions & DO_CACHE:
            new = name not in self.cache
            if new:
                self.cache[name] = Kept(frame, 17, True, now + self.life, self.postage)
            self.cache[name].hops = min(self.cache[name].hops, hops_of(frame))
            self.counters['cached'] += new
        return new, name, self.send(frame, None, hops_of(frame), 'published') if actions & DO_FORWARD else []

    def expired(self, now: int) -> list[Sent]:
        """All that is due, in no order."""
        sends = []
        for name in [name for name, kept in self.cache.items() if kept.expires <= now]:
            kept = self.cache[name]
            hops = kept.hops + self.step(kept.frame)
            if hops <= self.max_hops:
                sends += self.send(kept.frame, None, hops, 'rebroadcast')
            kept.postage -= 1
            kept.expires = now + self.life
            if not kept.postage:
                del self.cache[name]
        return sends
