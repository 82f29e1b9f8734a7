"""The cache's face: what goes in comes out, terms and postage, and mistakes that are the caller's."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import sys
from typing import Any

import pytest

from socket_core import GROUP, MESSAGE_MAX_BYTES, NO_ID, PACKET_MAX_BYTES, PUBLISH, Packet, encode, parse
from socket_core._address import Address
from socket_core._cache import (
    CLUSTER,
    DEFAULT_BUDGET_BYTES,
    FOREIGN,
    KEPT,
    KNOWN,
    OWN,
    PREFIX_BYTES,
    REFUSED,
    Cache,
    Cached,
    CacheStats,
)

MIB = 1024 * 1024
HOUR = 3600.0
PEER = Address('192.0.2.1', 4000)


def packet(
    clock: int = 0, *, message: bytes = b'', hops: int = 0, next_id: bytes = NO_ID, kind: int = PUBLISH
) -> Packet:
    return parse(encode(kind, cluster=b'c' * 32, message=message, hops=hops, clock=clock, next_id=next_id))


def chain(length: int, message: bytes = b'part') -> list[Packet]:
    """The fragments of one message, head first: made from the last, as each names the next."""
    parts: list[Packet] = []
    next_id = NO_ID
    for index in reversed(range(length)):
        data = encode(PUBLISH, cluster=b'c' * 32, index=index, message=message, next_id=next_id)
        parts.append(parse(data))
        next_id = parts[-1].id
    return parts[::-1]


def test_the_numbers_are_those_of_the_protocol() -> None:
    assert (OWN, CLUSTER, FOREIGN) == (0, 1, 2)
    assert (KEPT, KNOWN, REFUSED) == (0, 1, 2)
    assert DEFAULT_BUDGET_BYTES == 16 * MIB
    assert PREFIX_BYTES == 14


@pytest.mark.parametrize('size', [0, 1, 7, 8, 9, 500, 883, 884, 885, 1023, MESSAGE_MAX_BYTES])
@pytest.mark.parametrize('kind', [OWN, CLUSTER, FOREIGN])
def test_what_goes_in_comes_out(size: int, kind: int) -> None:
    """Byte for byte, whatever its length: cells go on from page to page."""
    cache = Cache()
    packets = [packet(clock, message=bytes([clock % 251]) * size, next_id=b'n' * 32) for clock in range(100)]
    for each in packets:
        assert cache.insert(each, kind=kind, source=PEER, now=10.0) == KEPT
        assert cache.insert(each, kind=kind, source=PEER, now=10.0) == KNOWN
    assert len(cache) == 100
    for each in packets:
        found = cache.find(each.id)
        assert found is not None
        assert found.packet == each and found.packet.data == each.data
        assert (found.id, found.hops, found.postage, found.kind) == (each.id, 0, 8, kind)
        assert 10.0 + 6 * HOUR <= found.expires < 10.1 + 6 * HOUR
        assert each.id in cache and bytearray(each.id) in cache and memoryview(each.id) in cache
    cache.check()


def test_every_type_of_packet() -> None:
    cache = Cache()
    packets = [packet(kind=kind) for kind in range(1, 11)]
    assert cache.insert_many(packets, now=0) == [KEPT] * 10
    assert [cached.packet for cached in map(cache.find, (each.id for each in packets)) if cached] == packets


def test_what_is_not_there() -> None:
    cache = Cache()
    assert cache.find(NO_ID) is None
    assert NO_ID not in cache
    assert cache.previous(NO_ID) == cache.walk(NO_ID) == cache.fewest_hops() == cache.expire(1e9) == []
    assert cache.remove(NO_ID) is False
    assert cache.next_expiry() is None
    assert len(cache) == 0 and cache.stats.packets == 0
    cache.check()


def test_the_whole_id_is_compared_where_a_packet_is_handed_out() -> None:
    """Another id with the same beginning finds nothing; `in` is content with the beginning (F9)."""
    cache = Cache()
    some = packet()
    cache.insert(some, now=0)
    like_it = some.id[:PREFIX_BYTES] + bytes(18)
    assert like_it in cache
    assert cache.find(like_it) is None and cache.walk(like_it) == []
    assert cache.remove(like_it) is False and cache.remove(some.id) is True
    # A wrong id from the caller is not found out at once, and never handed on.
    cache.insert(some, now=0, id=b'w' * 32)
    assert b'w' * 32 in cache and cache.find(b'w' * 32) is None
    with pytest.raises(AssertionError, match='content'):
        cache.check()


def test_hops_are_the_fewest_seen_and_at_most_seventeen() -> None:
    cache = Cache()
    some = packet(hops=2**32 - 1)
    assert cache.insert(some, now=0) == KEPT
    for hops, fewest in ((20, 17), (5, 5), (9, 5), (0, 0), (1, 0)):
        assert cache.insert(packet(hops=hops), now=0) == KNOWN
        found = cache.find(some.id)
        assert found is not None and found.hops == found.packet.hops == fewest
        assert found.packet.id == some.id
    assert cache.stats.known == 5 and len(cache) == 1


def test_a_kind_that_is_preferred_is_noted_and_no_other() -> None:
    cache = Cache(postage=3, life=100)
    some = packet()
    cache.insert(some, source=PEER, now=0)
    assert [kept for _, kept in cache.expire(101)] == [True]
    for kind, expected, postage in ((FOREIGN, FOREIGN, 2), (CLUSTER, CLUSTER, 3), (FOREIGN, CLUSTER, 3), (OWN, OWN, 3)):
        assert cache.insert(some, kind=kind, source=PEER, now=150) == KNOWN
        found = cache.find(some.id)
        assert found is not None and (found.kind, found.postage) == (expected, postage)
        cache.check()
    # Own packets count against nobody.
    assert (cache.stats.own, cache.stats.sources, cache.stats.groups) == (1, 0, 0)


def test_own_packets_are_refused_out_loud() -> None:
    cache = Cache(256 * 1024, own_share=0.1)
    own = [packet(clock, message=bytes(1000)) for clock in range(40)]
    outcomes = [cache.insert(each, kind=OWN, now=0) for each in own]
    assert outcomes == sorted(outcomes) and set(outcomes) == {KEPT, REFUSED}
    kept = outcomes.count(KEPT)
    assert 20 <= kept <= 26 and cache.stats.refused == 40 - kept
    # One that came from elsewhere is not made an own one either, and stays what it was.
    cache.insert(own[-1], now=0)
    assert cache.insert(own[-1], kind=OWN, now=0) == REFUSED
    found = cache.find(own[-1].id)
    assert found is not None and found.kind == FOREIGN
    cache.insert_many([packet(clock, message=bytes(1000)) for clock in range(100, 1000)], now=0)
    assert all(each.id in cache for each in own[:kept])


def test_walking_both_ways() -> None:
    cache = Cache()
    parts = chain(50)
    other_head = parse(encode(PUBLISH, cluster=b'd' * 32, next_id=parts[10].id))
    cache.insert_many([*parts, other_head], now=0)
    assert [cached.packet for cached in cache.walk(parts[0].id)] == parts
    assert [cached.packet for cached in cache.walk(parts[45].id)] == parts[45:]
    assert [cached.packet for cached in cache.walk(parts[0].id, 7)] == parts[:7]
    assert cache.walk(parts[0].id, 0) == []
    assert {cached.id for cached in cache.previous(parts[10].id)} == {parts[9].id, other_head.id}
    assert [cached.id for cached in cache.previous(parts[9].id)] == [parts[8].id]
    assert cache.previous(parts[0].id) == []
    cache.remove(parts[20].id)
    assert [cached.packet for cached in cache.walk(parts[0].id)] == parts[:20]
    assert [cached.packet for cached in cache.previous(parts[20].id)] == [parts[19]]


def test_the_fewest_hops_and_among_those_the_youngest() -> None:
    cache = Cache()
    for clock, (hops, kind) in enumerate([(3, FOREIGN), (1, OWN), (1, FOREIGN), (0, CLUSTER), (1, CLUSTER), (9, OWN)]):
        cache.insert(packet(clock, hops=hops), kind=kind, now=clock)
    assert [cached.packet.clock for cached in cache.fewest_hops(10)] == [3, 4, 2, 1, 0, 5]
    assert [cached.packet.clock for cached in cache.fewest_hops()] == [3, 4, 2]
    assert cache.fewest_hops(0) == []


def test_postage_to_the_end() -> None:
    """Eight terms: at the end of each it is to be sent on once more, and at the last it goes (protocol, "life")."""
    cache = Cache()
    some = packet(hops=3)
    cache.insert(some, now=100)
    now = 100.0
    for term in range(1, 9):
        expiry = cache.next_expiry()
        assert expiry is not None and now + 6 * HOUR <= expiry <= now + 6 * HOUR + 0.1
        assert cache.expire(expiry - 1) == []
        now = expiry
        ((ended, kept),) = cache.expire(now)
        assert ended == some and kept == (term < 8)
        found = cache.find(some.id)
        assert (None if found is None else found.postage) == (8 - term or None)
    assert cache.next_expiry() is None and cache.stats.expired == 1


def test_terms_end_in_their_order_and_some_at_a_time() -> None:
    cache = Cache(life=10, postage=1)
    packets = [packet(clock, hops=clock % 19) for clock in range(100)]
    for clock, each in enumerate(packets):
        cache.insert(each, kind=clock % 3, now=clock / 20)
    assert cache.next_expiry() == 10
    assert [ended.clock for ended, _ in cache.expire(12.475)] == list(range(50))
    assert [ended.clock for ended, _ in cache.expire(1000, 20)] == list(range(50, 70))
    assert cache.expire(1000, 0) == []
    assert [ended.clock for ended, _ in cache.expire(1000)] == list(range(70, 100))
    assert len(cache) == 0
    cache.check()


@pytest.mark.parametrize('life', [0.001, 0.5, 3600.0, 86400.0 * 365])
def test_lives_of_all_lengths(life: float) -> None:
    """A term never ends early, and late by a quarter of a millionth of it at most."""
    cache = Cache(life=life, postage=2)
    now = 1e6
    cache.insert(packet(), now=now)
    for _ in range(2):
        expiry = cache.next_expiry()
        assert expiry is not None
        assert now + life - 1e-6 <= expiry <= now + life + life / 250_000 + 0.001
        assert len(cache.expire(expiry)) == 1
        now = expiry
    assert len(cache) == 0


def test_memory_comes_back() -> None:
    """Any size has the memory that another one had: floods of short packets leave nothing behind."""
    cache = Cache(MIB, life=10, postage=1)
    empty = cache.stats.used_bytes
    now = 0.0
    counts = []
    for size in (0, MESSAGE_MAX_BYTES, 100, MESSAGE_MAX_BYTES, 500, MESSAGE_MAX_BYTES):
        for clock in range(2 * MIB // (142 + size)):
            cache.insert(packet(clock, message=bytes(size)), now=now)
        cache.check()
        counts.append(len(cache))
        if size == 100:
            continue  # what comes next displaces it
        now += 100
        cache.expire(now, 1 << 20)
        assert len(cache) == 0
        # Tables give their memory back little by little, when they are used.
        assert cache.stats.used_bytes < empty + 128 * 1024
    assert max(counts[1::2]) - min(counts[1::2]) < 0.13 * max(counts)
    assert min(counts[1::2]) > 0.85 * MIB / PACKET_MAX_BYTES


@pytest.mark.parametrize('budget', [256 * 1024, 300_000, MIB, 16 * MIB, 20 * MIB, 100 * MIB])
def test_what_a_packet_costs(budget: int) -> None:
    cache = Cache(budget)
    assert cache.stats.used_bytes < max(budget // 16, 64 * 1024)
    count = min(budget, 24 * MIB) // 1100
    for clock in range(count):
        cache.insert(packet(clock, message=bytes(MESSAGE_MAX_BYTES), next_id=clock.to_bytes(32, 'big')), now=0)
        if clock % 1000 == 0:
            assert cache.stats.used_bytes <= budget
    stats = cache.stats
    assert stats.used_bytes <= budget
    over = (stats.used_bytes - stats.frame_bytes) / stats.packets
    if budget == DEFAULT_BUDGET_BYTES:
        assert stats.evicted and over < 48
    elif budget > MIB:
        assert over < 64


def test_numbers() -> None:
    cache = Cache(256 * 1024, life=10, postage=1)
    for clock in range(400):
        cache.insert(packet(clock, message=bytes(800), hops=1), kind=clock % 3, source=PEER, now=0)
    cache.insert(packet(399, message=bytes(800), hops=1), now=0)
    cache.remove(packet(399, message=bytes(800)).id)
    stats = cache.stats
    assert isinstance(stats, CacheStats)
    assert stats.packets == stats.own + stats.cluster + stats.foreign == len(cache)
    assert stats.inserted == stats.packets + stats.evicted + stats.removed
    assert stats.frame_bytes == stats.packets * 942 < stats.used_bytes <= 256 * 1024
    assert (stats.sources, stats.groups, stats.known, stats.removed) == (1, 1, 1, 1)
    assert stats.inserted + stats.refused == 400
    cache.expire(11, 1000)
    assert cache.stats.expired == stats.packets and stats.expired == 0
    assert repr(stats).startswith('<CacheStats packets=')
    assert repr(cache).startswith('<Cache <CacheStats packets=0')


MISTAKES: list[tuple[Any, type[Exception]]] = [
    (lambda cache: cache.insert(packet(), now=-1), ValueError),
    (lambda cache: cache.insert(packet(), now=math.nan), ValueError),
    (lambda cache: cache.insert(packet(), now=math.inf), ValueError),
    (lambda cache: cache.insert(packet(), now='1'), TypeError),
    (lambda cache: cache.insert(packet()), TypeError),
    (lambda cache: cache.insert(packet(), 2, now=0), TypeError),
    (lambda cache: cache.insert(packet().data, now=0), TypeError),
    (lambda cache: cache.insert(None, now=0), TypeError),
    (lambda cache: cache.insert(Packet.__new__(Packet), now=0), ValueError),
    (lambda cache: cache.insert(packet(), now=0, kind=3), ValueError),
    (lambda cache: cache.insert(packet(), now=0, kind=-1), ValueError),
    (lambda cache: cache.insert(packet(), now=0, kind=2**64), ValueError),
    (lambda cache: cache.insert(packet(), now=0, kind='own'), TypeError),
    (lambda cache: cache.insert(packet(), now=0, source=('192.0.2.1', 1)), TypeError),
    (lambda cache: cache.insert(packet(), now=0, id=bytes(31)), ValueError),
    (lambda cache: cache.insert(packet(), now=0, id=bytearray(32)), TypeError),
    (lambda cache: cache.insert_many([packet(), None], now=0), TypeError),
    (lambda cache: cache.insert_many(packet(), now=0), TypeError),
    (lambda cache: cache.find(bytes(33)), ValueError),
    (lambda cache: cache.find('id'), TypeError),
    (lambda cache: cache.previous(bytes(14)), ValueError),
    (lambda cache: cache.walk(bytes(32), -1), ValueError),
    (lambda cache: cache.walk(bytes(32), 4097), ValueError),
    (lambda cache: cache.walk([]), TypeError),
    (lambda cache: cache.fewest_hops(-1), ValueError),
    (lambda cache: cache.fewest_hops(1025), ValueError),
    (lambda cache: cache.fewest_hops(1.0), TypeError),
    (lambda cache: cache.remove(b''), ValueError),
    (lambda cache: cache.expire(-1), ValueError),
    (lambda cache: cache.expire(0, -1), ValueError),
    (lambda cache: bytes(31) in cache, ValueError),
    (lambda cache: 'id' in cache, TypeError),
    (lambda cache: Cached(), TypeError),
    (lambda cache: CacheStats(), TypeError),
    (lambda cache: pickle.dumps(cache), TypeError),
    (lambda cache: copy.copy(cache), TypeError),
]


@pytest.mark.parametrize(('call', 'error'), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes_are_the_callers(call: Any, error: type[Exception]) -> None:
    cache = Cache()
    with pytest.raises(error):
        call(cache)
    assert len(cache) == 0
    cache.check()


@pytest.mark.parametrize(
    ('arguments', 'error'),
    [
        ({'budget': 256 * 1024 - 1}, ValueError),
        ({'budget': 2**30 + 1}, ValueError),
        ({'budget': 2**80}, ValueError),
        ({'budget': 1e6}, TypeError),
        ({'life': 0}, ValueError),
        ({'life': math.nan}, ValueError),
        ({'life': 1e12}, ValueError),
        ({'life': None}, TypeError),
        ({'postage': 0}, ValueError),
        ({'postage': 16}, ValueError),
        ({'source_share': 1.1}, ValueError),
        ({'group_share': -0.1}, ValueError),
        ({'own_share': math.nan}, ValueError),
        ({'cluster_share': 'all'}, TypeError),
        ({'group_bits': (33, 48)}, ValueError),
        ({'group_bits': (24, 65)}, ValueError),
        ({'group_bits': (24,)}, ValueError),
        ({'group_bits': 24}, TypeError),
        ({'key': bytes(15)}, ValueError),
        ({'key': bytearray(16)}, TypeError),
        ({'keys': bytes(16)}, TypeError),
    ],
)
def test_mistakes_of_the_configuration(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Cache(**arguments)


def test_many_are_as_one_after_the_other() -> None:
    packets = [packet(clock, message=bytes(clock), kind=GROUP) for clock in range(200)]
    one, many = Cache(), Cache()
    expected = [one.insert(each, source=PEER, now=0) for each in [*packets, *packets[:10]]]
    # Some ids are known beforehand, and others are not.
    assert [each.id for each in packets[::3]]
    assert (
        many.insert_many(iter([*packets, *packets[:10]]), source=PEER, now=0) == expected == [KEPT] * 200 + [KNOWN] * 10
    )
    assert many.insert_many([], now=0) == []
    assert many.summary().ids() == one.summary().ids()


def test_nothing_holds_on_to_a_packet() -> None:
    """The cache has copies: what was put in and what is taken out live and die on their own."""
    cache = Cache()
    some, source, id = packet(), Address('192.0.2.9', 1), packet().id
    before = [sys.getrefcount(each) for each in (some, source, id)]
    for _ in range(100):
        cache.insert(some, source=source, now=0, id=id)
        cache.insert_many([some, some], source=source, now=0)
        cache.find(id), cache.walk(id), cache.previous(id), cache.fewest_hops(3), cache.summary()
        cache.remove(id)
    assert [sys.getrefcount(each) for each in (some, source, id)] == before
    gc.collect()
    blocks = sys.getallocatedblocks()
    for _ in range(2000):
        cache.insert(some, source=source, now=0, id=id)
        found = cache.find(id)
        assert found is not None
        cache.walk(id), cache.summary().split(2), cache.stats, cache.expire(0)
        cache.remove(id)
        with pytest.raises(ValueError, match='now'):
            cache.insert(some, now=-1)
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 200
    found_again = cache.find(id)
    assert found_again is None and found.packet == some


def test_caches_come_and_go() -> None:
    """Ten thousand of them: each gives all of its memory back."""

    def resident() -> int:
        with open('/proc/self/statm', encoding='ascii') as statm:
            return int(statm.read().split()[0])

    packets = [packet(clock, message=bytes(1000)) for clock in range(20)]
    sizes = []
    for turn in range(10_000):
        cache = Cache(MIB)
        cache.insert_many(packets, now=0)
        del cache
        if turn in (100, 9_999) and sys.platform == 'linux':
            gc.collect()
            sizes.append(resident())
    assert not sizes or sizes[1] - sizes[0] < 1024
