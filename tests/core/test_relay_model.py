"""The relay and its model, given the same datagrams: the same decisions, and choices that the rules allow."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socket_core import GROUP, NO_ID, PING, PUBLISH, STREAM, encode, parse
from socket_core._address import Address
from socket_core._cache import Cache
from socket_core._relay import (
    DEFAULT_ACTIONS,
    DO_CACHE,
    DO_DELIVER,
    DO_DELIVER_OWN,
    DO_FORWARD,
    Limits,
    Relay,
    RelayPeer,
)
from tests.core.relay_model import RelayModel, Sent, hops_of, with_hops

KEY = bytes(range(16))
HOSTS = ['192.0.2.1', '192.0.2.2', '198.51.100.7', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1']
ADDRESSES = [Address(host, port) for host in HOSTS for port in (4000, 4001)]
IDS = [bytes([number]) * 32 for number in range(1, 5)]
HOPS = [0, 0, 0, 1, 2, 13, 14, 15, 16, 17, 100, 2**32 - 1]
TYPES = [PUBLISH, PUBLISH, PUBLISH, PUBLISH, GROUP, PING, STREAM]
ACTIONS = [
    DEFAULT_ACTIONS,
    {PUBLISH: DO_FORWARD | DO_DELIVER, GROUP: DO_CACHE, PING: DO_DELIVER},
    {PUBLISH: DO_CACHE | DO_DELIVER_OWN | DO_FORWARD, GROUP: DO_DELIVER | DO_DELIVER_OWN, STREAM: DO_FORWARD},
]
LIMITS = [
    Limits(),
    Limits(stranger=(10, 5), peer=(1000, 20), group=(20, 8), total=(50, 30)),
    Limits(stranger=(0, 0), peer=(1, 3)),
]


class Twins:
    """A relay and a model, and what may be done to both."""

    def __init__(self, *, fanout: int = 3, nearest: int = 4, max_hops: int = 16, caching: bool = True) -> None:
        self.cache = Cache(life=20.0, postage=3, key=KEY) if caching else None
        self.relay = Relay(self.cache, fanout=fanout, nearest=nearest, max_hops=max_hops, key=KEY)
        self.model = RelayModel(
            fanout=fanout, nearest=nearest, max_hops=max_hops, caching=caching, life=20_000, postage=3
        )
        self.now = 1_000

    def receive(self, datagrams: list[tuple[bytes, Address]]) -> None:
        expected, handed = self.model.receive(datagrams, self.now)
        sends, deliveries = self.relay.receive(datagrams, self.now / 1000)
        self.compare(sends, expected)
        assert [tuple(delivery) for delivery in deliveries] == handed

    def publish(self, frame: bytes) -> None:
        if not self.model.actions.get(frame[0], 0) & (DO_CACHE | DO_FORWARD):
            with pytest.raises(ValueError, match='not relayed'):
                self.relay.publish(parse(frame), self.now / 1000)
            return
        new, name, expected = self.model.publish(frame, self.now)
        outcome, found, sends = self.relay.publish(parse(frame), self.now / 1000)
        assert (outcome == 0, found) == (new, name)
        self.compare(sends, expected)

    def compare(self, sends: list[Any], expected: list[Sent]) -> None:
        at = 0
        for sent in expected:
            count = min(sent.fanout, len(sent.tiers[2]))
            chosen = sends[at : at + count]
            assert {send.data for send in chosen} == {sent.data}
            assert sent.explain([send.address for send in chosen]) == ''
            at += count
        assert len(sends) == at

    def set_peers(self, peers: list[RelayPeer]) -> None:
        self.relay.set_peers(peers)
        self.model.set_peers(peers)

    def set_ids(self, clusters: set[bytes], identities: set[bytes]) -> None:
        self.relay.set_clusters(clusters)
        self.relay.set_identities(identities)
        self.model.clusters, self.model.identities = clusters, identities

    def set_blocked(self, addresses: set[Address]) -> None:
        self.relay.set_blocked(addresses)
        self.model.blocked = addresses

    def set_actions(self, actions: dict[int, int]) -> None:
        self.relay.set_actions(actions)
        self.model.actions = actions

    def set_limits(self, limits: Limits) -> None:
        self.relay.set_limits(limits)
        self.model.set_limits(limits)

    def wait(self, milliseconds: int) -> None:
        self.now += milliseconds

    def check(self) -> None:
        stats = self.relay.stats
        for name in type(stats).__match_args__:
            if name not in ('seen', 'seen_capacity', 'used_bytes'):
                assert getattr(stats, name) == self.model.counters[name], name
        assert stats.received == sum(stats[:11])
        if self.cache is None:
            return
        self.cache.check()
        assert len(self.cache) == len(self.model.cache)
        for name, kept in self.model.cache.items():
            found = self.cache.find(name)
            assert found is not None
            assert found.packet.data == with_hops(kept.frame, kept.hops)


frames = st.builds(
    lambda kind, cluster, to, hops, clock: encode(kind, cluster=cluster, to=to, hops=hops, clock=clock),
    st.sampled_from(TYPES),
    st.sampled_from([*IDS, NO_ID]),
    st.sampled_from([NO_ID, NO_ID, *IDS]),
    st.sampled_from(HOPS),
    st.integers(0, 3),
)
datagrams = st.tuples(
    frames | frames | frames | frames.map(lambda frame: frame[:-1]) | st.binary(max_size=1300),
    st.sampled_from(ADDRESSES),
)
id_sets = st.sets(st.sampled_from(IDS), max_size=3)
peers = st.builds(
    lambda address, **values: RelayPeer(address, **values),
    st.sampled_from(ADDRESSES),
    forward=st.sampled_from([True, True, False]),
    trusted=st.booleans(),
    clusters=id_sets,
    identities=id_sets,
)
operations = st.one_of(
    st.tuples(st.just('receive'), st.lists(datagrams, max_size=8)),
    # More than one call into C takes, copies and all.
    st.tuples(
        st.just('receive'),
        st.builds(lambda some, times: some * times, st.lists(datagrams, max_size=4), st.integers(2, 40)),
    ),
    st.tuples(st.just('publish'), frames),
    st.tuples(st.just('wait'), st.integers(0, 1500)),
    st.tuples(st.just('set_peers'), st.lists(peers, max_size=10, unique_by=lambda peer: peer.address)),
    st.tuples(st.just('set_ids'), id_sets, id_sets),
    st.tuples(
        st.just('set_blocked'),
        st.sets(st.sampled_from([*ADDRESSES, Address(HOSTS[0], 0), Address(HOSTS[3], 0)]), max_size=3),
    ),
    st.tuples(st.just('set_actions'), st.sampled_from(ACTIONS)),
    st.tuples(st.just('set_limits'), st.sampled_from(LIMITS)),
)


def act(twins: Twins, operation: tuple[Any, ...]) -> None:
    method: Callable[..., None] = getattr(twins, operation[0])
    method(*operation[1:])


@given(
    st.lists(operations, max_size=10),
    st.sampled_from([0, 1, 3, 4]),
    st.sampled_from([1, 2, 4, 64]),
    st.sampled_from([0, 1, 3, 16]),
    st.booleans(),
)
@settings(max_examples=100)
def test_the_relay_does_what_the_model_does(
    done: list[tuple[Any, ...]], fanout: int, nearest: int, max_hops: int, caching: bool
) -> None:
    twins = Twins(fanout=fanout, nearest=nearest, max_hops=max_hops, caching=caching)
    for operation in done:
        act(twins, operation)
    twins.check()


def random_frame(chance: random.Random) -> bytes:
    frame = encode(
        chance.choice(TYPES),
        cluster=chance.choice([*IDS, NO_ID]),
        to=chance.choice([NO_ID, NO_ID, *IDS]),
        hops=chance.choice(HOPS),
        clock=chance.randrange(400),
        message=bytes(chance.randrange(60)),
    )
    return (
        frame
        if chance.random() < 0.9
        else chance.choice([frame[:100], b'\x0b' + frame[1:], frame[:1] + b'\2' + frame[2:], frame + bytes(1100)])
    )


def random_operation(chance: random.Random) -> tuple[Any, ...]:
    kind = chance.random()
    if kind < 0.75:
        count = chance.choice([1, 3, 64, 65, 130])
        return 'receive', [(random_frame(chance), chance.choice(ADDRESSES)) for _ in range(count)]
    if kind < 0.80:
        return 'publish', encode(PUBLISH, cluster=chance.choice(IDS), clock=chance.randrange(400))
    if kind < 0.88:
        return 'wait', chance.randrange(3)
    if kind < 0.95:
        ids = [set(chance.sample(IDS, chance.randrange(3))) for _ in range(24)]
        addresses = chance.sample(ADDRESSES, chance.randrange(12))
        return 'set_peers', [
            RelayPeer(
                address,
                forward=chance.random() < 0.8,
                trusted=chance.random() < 0.7,
                clusters=ids.pop(),
                identities=ids.pop(),
                socket=chance.choice([None, 1, 2]),
            )
            for address in addresses
        ]
    if kind < 0.98:
        return 'set_ids', set(chance.sample(IDS, 2)), set(chance.sample(IDS, 1))
    return 'set_blocked', set(chance.sample(ADDRESSES, 1))


@pytest.mark.parametrize('seed', range(3))
def test_so_it_does_for_a_long_time(seed: int) -> None:
    chance = random.Random(seed)
    twins = Twins()
    twins.set_limits(Limits(stranger=(2000, 3000), peer=(5000, 6000), group=(3000, 4000), total=(9000, 9000)))
    for _ in range(600):
        act(twins, random_operation(chance))
    twins.check()
    stats = twins.relay.stats
    # The way was taken at every fork of it.
    assert all(stats[:6]) and all(stats[7:14]) and stats.forwarded and stats.published and stats.hops_exceeded


def test_the_terms_of_packets_end_as_the_model_says() -> None:
    """Postage 3: sent again twice and kept, then a last time and dropped; never beyond the last hop."""
    chance = random.Random(5)
    twins = Twins()
    twins.set_ids({IDS[0]}, set())
    twins.set_peers([RelayPeer(address, trusted=True, clusters=[IDS[1]]) for address in ADDRESSES[:9]])
    frames = {encode(PUBLISH, cluster=chance.choice(IDS), hops=chance.randrange(17), clock=n) for n in range(100)}
    twins.receive([(frame, ADDRESSES[0]) for frame in frames])
    for term in range(3):
        # All of it has been in the cache for a term by now: whole seconds are enough for how finely it counts.
        twins.now += 25_000
        expected = {sent.data: sent for sent in twins.model.expired(twins.now)}
        assert expected and all(hops_of(data) <= 16 for data in expected)
        sends = []
        for _ in range(len(frames) // 32 + 1):
            _, more = twins.relay.tick(twins.now / 1000)
            sends += more
            twins.now += 100
        assert {send.data for send in sends} == set(expected)
        for data, sent in expected.items():
            assert sent.explain([send.address for send in sends if send.data == data]) == ''
        assert len(twins.cache) == (len(frames) if term < 2 else 0)
    twins.check()
