"""The cache and its model, told the same: the same outcomes and contents, and nobody goes whose turn it is not."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from socket_core import GROUP, MESSAGE_MAX_BYTES, NO_ID, PUBLISH, Packet, encode, parse
from socket_core._address import Address
from socket_core._cache import CLUSTER, FOREIGN, KEPT, OWN, PREFIX_BYTES, REFUSED, Cache
from tests.core.cache_model import CacheModel

KEY = bytes(range(16))
BUDGET = 256 * 1024
#: Eviction comes only when so little is left: what one packet may need of pages, with tables that grow meanwhile.
SHORT_OF = 24 * 1024
LIFE = 10_000

KINDS = (OWN, CLUSTER, FOREIGN)
SIZES = (0, 1, 8, 9, 100, 500, 1000, 1023, MESSAGE_MAX_BYTES)
HOPS = (0, 0, 1, 2, 3, 5, 15, 16, 17, 18, 2**32 - 1)
NEXT_IDS = [bytes([number]) * 32 for number in range(1, 6)]
#: A few of everything: hosts of one network, of others, and of one /64 and one /48.
HOSTS = (
    '192.0.2.1', '192.0.2.2', '192.0.2.3', '198.51.100.7', '203.0.113.9',
    '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1', '2001:db8:1::1',
)  # fmt: skip
SOURCES = [None, *(Address(host, port) for host in HOSTS for port in (1, 2))]
SHARES = (
    {},
    {'source_share': 0.125, 'group_share': 0.25},
    {'source_share': 0.1, 'group_share': 0.05, 'own_share': 0.2, 'cluster_share': 0.3},
    {'source_share': 0.0, 'group_share': 1.0, 'own_share': 1.0, 'cluster_share': 1.0},
    {'source_share': 1.0, 'group_share': 0.2, 'group_bits': (16, 32), 'own_share': 0.0, 'cluster_share': 0.0},
)


def packet(number: int, *, size: int = 0, hops: int = 0, next_id: bytes = NO_ID, type: int = PUBLISH) -> Packet:
    message = number.to_bytes(2, 'big') * (size // 2) + b'.' * (size % 2)
    return parse(encode(type, cluster=KEY * 2, hops=hops, clock=number, next_id=next_id, message=message))


class Twins:
    """A cache and a model, and what may be done to both. Times are in milliseconds."""

    def __init__(self, *, budget: int = BUDGET, life: int = LIFE, postage: int = 3, **values: Any) -> None:
        self.budget = budget
        self.cache = Cache(budget, life=life / 1000, postage=postage, key=KEY, **values)
        self.model = CacheModel(self.cache, budget, life=life, postage=postage, **values)
        self.now = 1_000

    def insert(self, packet: Packet, kind: int = FOREIGN, source: Address | None = None) -> int:
        before = self.cache.stats
        outcome = self.cache.insert(packet, kind=kind, source=source, now=self.now / 1000)
        after = self.cache.stats
        evicted = after.evicted - before.evicted
        self.model.insert(packet, kind, source, self.now, outcome, evicted)
        assert after.used_bytes <= self.budget
        if evicted or (outcome == REFUSED and kind != OWN):
            assert before.used_bytes > self.budget - SHORT_OF
        if evicted and outcome == KEPT:
            assert after.used_bytes > self.budget - SHORT_OF, 'more went than had to'
        return outcome

    def remove(self, id: bytes) -> None:
        assert self.cache.remove(id) == self.model.remove(id)

    def expire(self, limit: int = 1 << 32) -> None:
        self.model.expire(self.now, self.cache.expire(self.now / 1000, limit), limit)

    def wait(self, milliseconds: int) -> None:
        """The relay looks often enough that nothing is due for longer than a term."""
        self.now += milliseconds
        if milliseconds > self.model.life // 2:
            self.expire()

    def check(self) -> None:
        """That all of it is the same."""
        self.cache.check()
        self.check_numbers()
        packets = self.model.packets
        assert self.cache.summary().ids(limit=len(packets) + 1) == sorted(id[:PREFIX_BYTES] for id in packets)
        for id in packets:
            self.check_packet(id)
        for next_id, listed in self.model.listed.items():
            previous = self.cache.previous(next_id)
            assert {cached.id for cached in previous} == {kept.id for kept in listed}
            assert len(previous) == len(listed) <= 4
        # Fewest hops first, then the youngest.
        best = sorted((kept.hops, -kept.expires) for kept in packets.values())[:20]
        found = [packets[cached.id] for cached in self.cache.fewest_hops(20)]
        assert [(kept.hops, -kept.expires) for kept in found] == best

    def check_packet(self, id: bytes) -> None:
        kept, found = self.model.packets[id], self.cache.find(id)
        assert found is not None and id in self.cache
        assert found.packet == kept.packet.with_hops(kept.hops)
        assert (found.id, found.kind, found.postage) == (id, kept.kind, kept.postage)
        assert found.expires == kept.expires / 1000

    def check_numbers(self) -> None:
        stats, model = self.cache.stats, self.model
        kinds = [kept.kind for kept in model.packets.values()]
        assert stats.packets == len(self.cache) == len(kinds)
        assert (stats.own, stats.cluster, stats.foreign) == tuple(kinds.count(kind) for kind in KINDS)
        assert stats.frame_bytes == sum(len(kept.packet) for kept in model.packets.values())
        assert stats.frame_bytes < stats.used_bytes <= self.budget
        assert (stats.sources, stats.groups) == (len(model.held), len({group for group, _ in model.held}))
        assert {name: getattr(stats, name) for name in model.counts} == model.counts
        expiry = model.next_expiry()
        assert self.cache.next_expiry() == (None if expiry is None else expiry / 1000)


# ---- Few operations, chosen with care ----

kinds, sources, hops = st.sampled_from(KINDS), st.sampled_from(SOURCES), st.sampled_from(HOPS)
numbers, sizes = st.integers(0, 60), st.sampled_from(SIZES)
next_ids = st.sampled_from([NO_ID, *NEXT_IDS])


class CacheMachine(RuleBasedStateMachine):
    """Short sequences of operations, each looked at closely."""

    def __init__(self) -> None:
        super().__init__()
        self.twins = Twins()
        self.known = [NO_ID]
        self.floods = 0

    @initialize(shares=st.sampled_from(SHARES), postage=st.integers(1, 4))
    def begin(self, shares: dict[str, Any], postage: int) -> None:
        self.twins = Twins(postage=postage, **shares)

    def add(self, some: Packet, kind: int, source: Address | None) -> None:
        self.twins.insert(some, kind, source)
        self.known.append(some.id)

    @rule(number=numbers, size=sizes, hops=hops, next_id=next_ids, kind=kinds, source=sources)
    def insert(self, number: int, size: int, hops: int, next_id: bytes, kind: int, source: Address | None) -> None:
        self.add(packet(number, size=size, hops=hops, next_id=next_id), kind, source)

    @rule(chance=st.randoms(use_true_random=False), hops=hops, kind=kinds, source=sources)
    def insert_again(self, chance: random.Random, hops: int, kind: int, source: Address | None) -> None:
        """Some that are there, from elsewhere, with other hops and as another kind."""
        for kept in chance.sample(list(self.twins.model.packets.values()), min(5, len(self.twins.model.packets))):
            self.twins.insert(kept.packet.with_hops(hops), kind, source)

    @rule(count=st.integers(50, 250), size=sizes, hops=hops, kind=kinds, source=sources, next_id=next_ids)
    def flood(self, count: int, size: int, hops: int, kind: int, source: Address | None, next_id: bytes) -> None:
        self.floods += 1
        for number in range(count):
            self.add(packet(1000 * self.floods + number, size=size, hops=hops, next_id=next_id), kind, source)

    @rule(kind=kinds, hops=hops, size=sizes)
    def flood_from_everywhere(self, kind: int, hops: int, size: int) -> None:
        self.floods += 1
        for number in range(150):
            source = Address(f'10.{number % 7}.{number % 3}.{number}', 1)
            self.add(packet(1000 * self.floods + number, size=size, hops=hops), kind, source)

    @rule(chance=st.randoms(use_true_random=False), count=st.sampled_from((1, 1, 100)))
    def remove(self, chance: random.Random, count: int) -> None:
        for _ in range(count):
            self.twins.remove(chance.choice(self.known))

    @rule(milliseconds=st.sampled_from((0, 1, 100, LIFE // 3, LIFE, 5 * LIFE)))
    def wait(self, milliseconds: int) -> None:
        self.twins.wait(milliseconds)

    @rule(limit=st.sampled_from((0, 1, 10, 1000)))
    def expire(self, limit: int) -> None:
        self.twins.expire(limit)

    @invariant()
    def all_is_the_same(self) -> None:
        self.twins.check()


TestCacheMachine = CacheMachine.TestCase
# To make a failing one shorter takes minutes; without `phases` it is tried.
TestCacheMachine.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)


# ---- Many operations, by chance ----


def crowd() -> list[Address | None]:
    """More hosts in one network than have a source of their own there, and some in others."""
    hosts = [f'192.0.2.{number}' for number in range(90)] + [f'198.51.{number}.1' for number in range(40)]
    return [None, *(Address(host, 1) for host in [*hosts, *HOSTS[5:]])]


def multitude() -> list[Address | None]:
    """More networks than there is room for."""
    return [Address(f'10.{number // 256}.{number % 256}.1', 1) for number in range(1500)]


SCENES: dict[str, dict[str, Any]] = {
    'a few senders': {'sources': SOURCES, 'sizes': SIZES},
    'long packets': {'sources': SOURCES, 'sizes': (900, 1000, 1016, 1017, 1024), 'postage': 1},
    'a crowd': {'sources': crowd(), 'sizes': (0, 3, 60, 400, 1000), 'shares': SHARES[1], 'budget': 2 * BUDGET},
    'a multitude': {'sources': multitude(), 'sizes': (0, 0, 0, 8), 'kinds': (FOREIGN,)},
    'large clusters': {
        'sources': crowd(),
        'sizes': (100, 500, 1000),
        'kinds': (OWN, CLUSTER, CLUSTER, CLUSTER, CLUSTER, FOREIGN),
        'shares': {'source_share': 0.2, 'group_share': 0.5, 'own_share': 0.3, 'cluster_share': 0.4},
    },
    'shares of networks': {'sources': crowd(), 'sizes': SIZES, 'shares': SHARES[4]},
}


class Chance:
    """Operations by chance, of one scene, on one pair of twins."""

    def __init__(
        self,
        seed: int,
        *,
        sources: list[Address | None],
        sizes: tuple[int, ...],
        kinds: tuple[int, ...] = (OWN, CLUSTER, CLUSTER, FOREIGN, FOREIGN, FOREIGN, FOREIGN, FOREIGN),
        shares: dict[str, Any] | None = None,
        budget: int = BUDGET,
        postage: int = 3,
    ) -> None:
        self.random = random.Random(seed)
        self.sources, self.sizes, self.kinds = sources, sizes, kinds
        self.twins = Twins(budget=budget, postage=postage, **(shares or {}))
        self.count = 0
        self.recent = [packet(0)]

    def new(self) -> Packet:
        chance = self.random
        self.count += 1
        next_id = chance.choice([NO_ID, NO_ID, *NEXT_IDS, chance.choice(self.recent).id])
        made = packet(
            self.count,
            size=chance.choice(self.sizes),
            hops=chance.choice(HOPS),
            next_id=next_id,
            type=chance.choice((PUBLISH, GROUP)),
        )
        self.recent = [*self.recent[-600:], made]
        return made

    def step(self) -> None:
        chance, twins = self.random, self.twins
        what = chance.random()
        if what < 0.75:
            twins.insert(self.new(), chance.choice(self.kinds), chance.choice(self.sources))
        elif what < 0.90:
            again = chance.choice(self.recent).with_hops(chance.choice(HOPS))
            twins.insert(again, chance.choice(self.kinds), chance.choice(self.sources))
        elif what < 0.95:
            twins.remove(chance.choice(self.recent).id)
        elif what < 0.9995:
            twins.wait(chance.randrange(60))
            twins.expire(chance.choice((0, 1, 40)))
        else:
            twins.wait(chance.choice((LIFE // 2, LIFE)))


@pytest.mark.parametrize('scene', SCENES)
def test_so_they_do_for_a_long_time(scene: str) -> None:
    chance = Chance(len(scene), **SCENES[scene])
    names: set[str] = set()
    for number in range(20_000):
        chance.step()
        names.update(name for _, name in chance.twins.model.held if name in ('', 'rest'))
        if number % 1000 == 0:
            chance.twins.check()
    chance.twins.check()
    counts = chance.twins.model.counts
    assert all(counts[name] for name in counts if name != 'refused') and counts['evicted'] > 2_000, counts
    assert counts['refused'] or scene == 'a multitude'
    # Those without a share of their own were there: of a network with too many sources, and for want of room.
    assert names >= {'a crowd': {'rest'}, 'a multitude': {''}}.get(scene, set())


def test_many_at_once_are_as_many_one_after_the_other() -> None:
    chance = random.Random(7)
    one, many = Twins(), Twins()
    for turn in range(12):
        packets = [packet(chance.randrange(900), size=chance.choice(SIZES)) for _ in range(150)]
        kind, source = chance.choice(KINDS), chance.choice(SOURCES)
        expected = [one.insert(some, kind, source) for some in packets]
        assert many.cache.insert_many(packets, kind=kind, source=source, now=many.now / 1000) == expected, turn
    assert many.cache.summary().ids() == one.cache.summary().ids()
    assert repr(many.cache.stats) == repr(one.cache.stats)
    assert one.cache.stats.evicted


def test_the_terms_of_a_cache_that_nobody_looked_at_for_long_have_all_ended_once() -> None:
    """Postage falls by one for each look, however long ago the last one was; and new terms are whole ones."""
    cache = Cache(BUDGET, life=LIFE / 1000, postage=3, key=KEY)
    packets = [packet(number, hops=number % 19) for number in range(300)]
    for number, some in enumerate(packets):
        cache.insert(some, kind=KINDS[number % 3], now=number / 100)
    now = 0.0
    for kept in (True, True, False):
        now += 1000 * LIFE / 1000
        ended = cache.expire(now, 1000)
        assert {some.id for some, _ in ended} == {some.id for some in packets}
        assert {again for _, again in ended} == {kept}
        assert cache.expire(now) == []
        assert cache.next_expiry() == (now + LIFE / 1000 if kept else None)
        cache.check()
    assert len(cache) == 0
    # Nobody came by for a hundred terms, but for new packets; the overdue ones are still due.
    now += 1.0
    cache.insert(packets[0], now=now)
    for number in range(1, 100):
        now += LIFE / 1000
        cache.insert(packets[number], now=now)
        cache.check()
    assert len(cache.expire(now, 1000)) == 99
    assert cache.next_expiry() == now + LIFE / 1000


def test_time_does_not_go_back() -> None:
    twins = Twins()
    twins.insert(packet(1))
    twins.now -= 500
    twins.insert(packet(2))
    twins.check()
    assert twins.cache.next_expiry() == (1_000 + LIFE) / 1000
    twins.now = 0
    twins.expire()
    twins.check()
