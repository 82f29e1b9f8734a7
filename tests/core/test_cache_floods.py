"""Floods of the cache: many packets, from one sender or from everywhere, of few kinds or in odd chains (F12, F15, F18).

10 Mbit/s are some 1,070 packets of the full length in a second. The caches here are small, so that seconds of it are
several times what they hold; shares are parts of the budget, so that what is seen holds for large ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest

from socket_core import MESSAGE_MAX_BYTES, NO_ID, PUBLISH, Packet, encode, parse
from socket_core._address import Address
from socket_core._cache import CLUSTER, KEPT, OWN, REFUSED, Cache, Cached

MIB = 1024 * 1024
BUDGET = 2 * MIB
KEY = bytes(range(1, 17))
#: What a packet of the full length counts for.
CELL_BYTES = 142 - 6 + 34 + MESSAGE_MAX_BYTES
FLOOD_PACKETS_PER_S = 10_000_000 // (8 * 1166)
#: What holds anywhere: of honest packets, so many stay (F12).
STAY = 0.9
OUR_CLUSTER, THEIRS, OTHERS = b'o' * 32, b't' * 32, b'x' * 32


def packets(
    count: int, first: int = 0, *, cluster: bytes = OTHERS, size: int = MESSAGE_MAX_BYTES, **fields: int
) -> list[Packet]:
    message = bytes(size)
    return [
        parse(encode(PUBLISH, cluster=cluster, clock=clock, message=message, **fields))
        for clock in range(first, first + count)
    ]


def stayed(cache: Cache, some: list[Packet]) -> float:
    return sum(packet.id in cache for packet in some) / len(some)


def honest_sources(count: int = 60) -> list[Address]:
    """Each in a network of its own."""
    return [Address(f'198.51.{number}.1', 4000) for number in range(count)]


def filled(*, hops: int = 1, own: int = 100, cluster: int = 300) -> tuple[Cache, list[Packet], list[Packet]]:
    """A cache that is full, the honest packets of others in it, and those that are ours."""
    cache = Cache(BUDGET, key=KEY)
    ours = packets(own, cluster=OUR_CLUSTER)
    assert set(cache.insert_many(ours, kind=OWN, now=0)) == {KEPT}
    for number, packet in enumerate(packets(cluster, 1000, cluster=OUR_CLUSTER, hops=9)):
        assert cache.insert(packet, kind=CLUSTER, source=honest_sources()[number % 60], now=0) == KEPT
        ours.append(packet)
    honest: list[Packet] = []
    number = 0
    while cache.stats.evicted == 0:
        packet = packets(1, number, cluster=THEIRS, hops=hops)[0]
        assert cache.insert(packet, source=honest_sources()[number % 60], now=1) == KEPT
        honest.append(packet)
        number += 1
    return cache, honest, ours


def flood(cache: Cache, sources: list[Address], *, seconds: int = 10, now: float = 2, **fields: int) -> Iterator[int]:
    """At 10 Mbit/s, all sources in turn; after each second its number."""
    turn = cycle(sources)
    for second in range(seconds):
        for packet in packets(FLOOD_PACKETS_PER_S, second * FLOOD_PACKETS_PER_S, **fields):
            cache.insert(packet, source=next(turn), now=now + second)
        yield second


def attackers(count: int, networks: int = 1) -> list[Address]:
    """So many hosts in as many networks."""
    return [Address(f'10.{number % networks}.0.{number // networks % 256}', 9) for number in range(count)]


def one_48(count: int) -> list[Address]:
    """So many /64 of one IPv6 /48: each counts as a source."""
    return [Address(f'2001:db8:0:{number:x}::1', 9) for number in range(count)]


def check(cache: Cache) -> None:
    cache.check()
    assert cache.stats.used_bytes <= BUDGET


# ---- One sender, one network, many networks (F12) ----


@pytest.mark.parametrize(
    'sources',
    [attackers(1), [Address('10.0.0.1', port) for port in range(1, 65)], attackers(256), one_48(1), one_48(1000)],
    ids=['one sender', 'its ports', 'one /24', 'one /64', 'one /48'],
)
@pytest.mark.parametrize('hops', [0, 17])
def test_a_flood_from_one_network_displaces_less_than_a_tenth_of_what_is_there(
    sources: list[Address], hops: int
) -> None:
    """Whatever hops it claims."""
    cache, honest, ours = filled()
    for _ in flood(cache, sources, hops=hops):
        check(cache)
        assert stayed(cache, honest + ours) >= STAY
    assert stayed(cache, ours) == 1


@pytest.mark.parametrize('sources', [attackers(1), attackers(256), one_48(1000)], ids=['one', 'one /24', 'one /48'])
def test_what_a_flood_had_of_free_memory_it_gives_back(sources: list[Address]) -> None:
    """It comes first, into an empty cache, and goes on while honest packets come."""
    cache = Cache(BUDGET, key=KEY)
    honest: list[Packet] = []
    for second in flood(cache, sources):
        for number in range(100):
            packet = packets(1, second * 100 + number, cluster=THEIRS, hops=16)[0]
            assert cache.insert(packet, source=honest_sources()[number % 60], now=2 + second) == KEPT
            honest.append(packet)
        check(cache)
        assert stayed(cache, honest) >= STAY


@pytest.mark.parametrize('size', [0, 100, MESSAGE_MAX_BYTES])
def test_short_packets_flood_no_better_than_long_ones(size: int) -> None:
    cache, honest, ours = filled()
    for second in range(5):
        for source in (*attackers(64), *attackers(1)):
            some = packets(100, int.from_bytes(source.to_bytes()[1:5], 'big') + 1000 * second, size=size)
            cache.insert_many(some, source=source, now=2 + second)
    check(cache)
    assert stayed(cache, honest + ours) >= STAY
    assert stayed(cache, ours) == 1


@pytest.mark.parametrize('networks', [1, 3, 6])
def test_each_network_of_a_flood_costs_the_others_no_more_than_a_share(networks: int) -> None:
    """Nobody can tell many networks from many peers; so this is what there is against them."""
    cache, honest, ours = filled(hops=5)
    for _ in flood(cache, attackers(64 * networks, networks), hops=0):
        pass
    check(cache)
    lost = round((1 - stayed(cache, honest)) * len(honest))
    # And a fiftieth, for what it takes to keep account of so many sources.
    assert lost <= (0.08 * networks + 0.02) * BUDGET / CELL_BYTES
    assert stayed(cache, ours) == 1


def test_a_flood_from_everywhere_displaces_nothing_that_has_fewer_hops() -> None:
    cache, honest, ours = filled(hops=2)
    sources = [Address(f'10.{number >> 8}.{number & 255}.1', 9) for number in range(4000)]
    evicted = cache.stats.evicted
    for _ in flood(cache, sources, hops=3):
        pass
    check(cache)
    assert cache.stats.evicted == evicted
    assert stayed(cache, honest[1:]) == 1 and stayed(cache, ours) == 1


@pytest.mark.parametrize('hops', [0, 17])
def test_nobody_elses_packets_displace_own_ones_and_those_of_own_clusters(hops: int) -> None:
    """From thousands of networks, which no share holds back."""
    cache, _, ours = filled(hops=2)
    sources = [Address(f'10.{number >> 8}.{number & 255}.1', 9) for number in range(4000)]
    for _ in flood(cache, sources, hops=hops):
        check(cache)
        assert stayed(cache, ours) == 1


def test_a_flood_of_an_own_cluster_leaves_own_packets_and_a_quarter_to_others() -> None:
    """One who knows our cluster, and sends from everywhere: packets of the cluster have three quarters at most."""
    cache, honest, ours = filled(own=100, cluster=0)
    sources = [Address(f'10.{number >> 8}.{number & 255}.1', 9) for number in range(1000)]
    for number, packet in enumerate(packets(6000, cluster=OUR_CLUSTER)):
        cache.insert(packet, kind=CLUSTER, source=sources[number % 1000], now=2)
    check(cache)
    assert stayed(cache, ours) == 1
    assert cache.stats.cluster * CELL_BYTES <= 0.75 * BUDGET
    assert stayed(cache, honest) * len(honest) >= 0.1 * cache.stats.packets


def test_own_packets_are_refused_beyond_their_share_and_displace_none_of_their_own() -> None:
    cache = Cache(BUDGET, key=KEY)
    for _ in flood(cache, attackers(256)):
        pass
    outcomes = cache.insert_many(packets(3000, cluster=OUR_CLUSTER), kind=OWN, now=20)
    kept = outcomes.count(KEPT)
    assert outcomes == [KEPT] * kept + [REFUSED] * (3000 - kept)
    assert 0.45 * BUDGET < kept * CELL_BYTES <= 0.5 * BUDGET
    assert cache.stats.own == kept
    check(cache)


def test_a_neighbour_in_the_network_of_a_flood_keeps_what_little_it_has() -> None:
    """In a network that is over its share, whoever holds most gives way: here, all that have more than two packets."""
    cache, _, _ = filled()
    some = packets(4, 7_000_000, cluster=THEIRS, size=200, hops=1)
    assert set(cache.insert_many(some, source=Address('10.0.0.250', 4000), now=1)) == {KEPT}
    for _ in flood(cache, attackers(200), hops=0):
        assert stayed(cache, some) == 1
    check(cache)


def test_a_flood_of_copies_changes_nothing() -> None:
    """With other hops, from elsewhere: neither the order nor the shares nor how long packets stay."""
    cache, honest, ours = filled(hops=2)
    before = cache.summary().ids(limit=1 << 20)
    expiry = cache.next_expiry()
    for source in attackers(5, 5):
        for packet in (*ours, *honest[1:]):
            cache.insert(packet.with_hops(packet.hops + 3), source=source, now=100)
    check(cache)
    assert cache.summary().ids(limit=1 << 20) == before
    assert cache.next_expiry() == expiry
    assert cache.stats.known == 5 * (len(ours) + len(honest) - 1)


# ---- Chains (F15) ----


def chain(fragments: int, *, tail: bytes = NO_ID, first: int = 0) -> list[Packet]:
    """Head first; each names the one behind it, and the last one the tail."""
    made: list[Packet] = []
    for index in reversed(range(fragments)):
        tail = made[-1].id if made else tail
        made.append(parse(encode(PUBLISH, cluster=THEIRS, clock=first, index=index, next_id=tail)))
    return made[::-1]


def ids_of(found: list[Cached]) -> list[bytes]:
    return [cached.id for cached in found]


def test_a_walk_ends_at_what_is_missing_and_at_its_limit() -> None:
    cache = Cache(4 * MIB, key=KEY)
    fragments = chain(5000)
    assert set(cache.insert_many(fragments, now=0)) == {KEPT}
    assert ids_of(cache.walk(fragments[0].id)) == [packet.id for packet in fragments[:4096]]
    assert ids_of(cache.walk(fragments[4990].id)) == [packet.id for packet in fragments[4990:]]
    assert ids_of(cache.walk(fragments[0].id, 3)) == [packet.id for packet in fragments[:3]]
    assert cache.remove(fragments[7].id)
    assert ids_of(cache.walk(fragments[0].id)) == [packet.id for packet in fragments[:7]]
    assert ids_of(cache.previous(fragments[7].id)) == [fragments[6].id]
    assert cache.walk(fragments[7].id) == cache.walk(NO_ID) == cache.previous(NO_ID) == []


def test_a_circle_cannot_be_walked_round() -> None:
    """Its ids cannot be true ones, and what is found under a false id is not handed out."""
    cache = Cache(BUDGET, key=KEY)
    names = [bytes([number]) * 32 for number in (1, 2, 3)]
    for number, name in enumerate(names):
        packet = parse(encode(PUBLISH, cluster=THEIRS, clock=number, next_id=names[(number + 1) % 3]))
        assert cache.insert(packet, id=name, now=0) == KEPT
    alone = parse(encode(PUBLISH, cluster=THEIRS, next_id=b's' * 32))
    assert cache.insert(alone, id=b's' * 32, now=0) == KEPT
    for name in (*names, b's' * 32):
        assert cache.walk(name) == []
        assert cache.find(name) is None
        assert len(cache.previous(name)) == 1
        assert cache.previous(name)[0].id != name
    with pytest.raises(AssertionError, match='not that of its id'):
        cache.check()


def test_two_chains_with_one_tail_are_both_whole() -> None:
    cache = Cache(BUDGET, key=KEY)
    tail = chain(3)
    one, other = chain(4, tail=tail[0].id, first=1), chain(6, tail=tail[0].id, first=2)
    cache.insert_many([*one, *other, *tail], now=0)
    for head in (one, other):
        assert ids_of(cache.walk(head[0].id)) == [packet.id for packet in (*head, *tail)]
    assert set(ids_of(cache.previous(tail[0].id))) == {one[-1].id, other[-1].id}
    assert cache.remove(one[-1].id)
    assert ids_of(cache.previous(tail[0].id)) == [other[-1].id]
    assert ids_of(cache.walk(other[0].id)) == [packet.id for packet in (*other, *tail)]
    cache.check()


def test_thousands_that_name_one_next_packet_cost_no_more_than_others_and_hide_nobody() -> None:
    """Four are listed; those of own clusters come before others, and nothing grows with the rest."""
    cache, plain = Cache(4 * MIB, key=KEY), Cache(4 * MIB, key=KEY)
    tail = chain(1)[0]
    many = [parse(encode(PUBLISH, cluster=OTHERS, clock=clock, next_id=tail.id)) for clock in range(10_000)]
    # Another nextId each: so many have to be listed.
    apart = [
        parse(encode(PUBLISH, cluster=OTHERS, clock=clock, next_id=packet.id)) for clock, packet in enumerate(many)
    ]
    assert set(cache.insert_many(many, source=attackers(1)[0], now=0)) == {KEPT}
    assert set(plain.insert_many(apart, source=attackers(1)[0], now=0)) == {KEPT}
    assert cache.stats.used_bytes < plain.stats.used_bytes
    assert len(cache.previous(tail.id)) == 4
    ours = [parse(encode(PUBLISH, cluster=OUR_CLUSTER, clock=clock, next_id=tail.id)) for clock in range(3)]
    cache.insert_many(ours, kind=CLUSTER, source=honest_sources()[0], now=1)
    found = ids_of(cache.previous(tail.id))
    assert len(found) == 4 and {packet.id for packet in ours} < set(found)
    # One of them that was not listed becomes ours.
    late = next(packet for packet in many if packet.id not in found)
    cache.insert(late, kind=OWN, now=1)
    assert set(ids_of(cache.previous(tail.id))) == {packet.id for packet in (*ours, late)}
    cache.check()
    for packet in many:
        assert cache.remove(packet.id)
    assert set(ids_of(cache.previous(tail.id))) == {packet.id for packet in ours}
    cache.check()


def test_next_ids_with_one_beginning_crowd_out_nobody() -> None:
    """A nextId is whatever its sender writes: unlike ids, thousands can be had that differ in their last bytes only."""
    cache = Cache(4 * MIB, key=KEY)
    alike = [
        parse(encode(PUBLISH, cluster=OTHERS, clock=clock, next_id=b'n' * 28 + clock.to_bytes(4, 'big')))
        for clock in range(5000)
    ]
    honest = [parse(encode(PUBLISH, cluster=THEIRS, clock=clock, next_id=alike[clock].id)) for clock in range(5000)]
    for at in range(0, 5000, 100):
        cache.insert_many(alike[at : at + 100], source=attackers(1)[0], now=0)
        cache.insert_many(honest[at : at + 100], source=honest_sources()[0], now=0)
    assert [ids_of(cache.previous(packet.next_id)) for packet in honest] == [[packet.id] for packet in honest]
    cache.check()


def test_the_numbers_of_a_fragment_mean_nothing_here() -> None:
    """Indexes of 2**31 and more, twice the same one, and gaps: each is a packet like any other."""
    cache = Cache(BUDGET, key=KEY)
    some = [
        parse(encode(PUBLISH, cluster=THEIRS, index=index, message=message))
        for index in (0, 1, 2**31 - 1, 2**31, 2**32 - 1)
        for message in (b'', b'other')
    ]
    assert cache.insert_many(some, now=0) == [KEPT] * 10
    assert [cache.find(packet.id).packet.index for packet in some] == [packet.index for packet in some]  # type: ignore[union-attr]


# ---- Sources by the thousand (F18) ----


def test_ten_thousand_sources_of_one_network_are_as_many_as_some() -> None:
    cache, sources = Cache(16 * MIB, key=KEY), one_48(10_000)
    for number, packet in enumerate(packets(10_000, size=0)):
        assert cache.insert(packet, source=sources[number], now=0) == KEPT
    assert (cache.stats.packets, cache.stats.sources, cache.stats.groups) == (10_000, 65, 1)
    cache.check()


@pytest.mark.parametrize('budget', [256 * 1024, BUDGET, 16 * MIB])
def test_sources_of_thousands_of_networks_are_bounded_and_forgotten(budget: int) -> None:
    cache = Cache(budget, life=1.0, postage=1, key=KEY)
    empty = cache.stats.used_bytes
    most = 0
    for number, packet in enumerate(packets(20_000, size=0)):
        source = Address(f'10.{number >> 8}.{number & 255}.1', 9)
        assert cache.insert(packet, source=source, now=0) == KEPT
        most = max(most, cache.stats.sources)
        assert cache.stats.groups <= cache.stats.sources <= cache.stats.packets
    assert most <= budget // 512 and most < 1 << 14
    assert cache.stats.used_bytes <= budget
    cache.check()
    assert len(cache.expire(1.0, 1 << 20)) + cache.stats.evicted == 20_000
    stats = cache.stats
    assert (stats.packets, stats.sources, stats.groups, stats.frame_bytes) == (0, 0, 0, 0)
    assert stats.used_bytes <= empty + 32 * 1024
    cache.check()


def test_sources_without_a_share_of_their_own_have_one_together() -> None:
    """Once all places are taken: more senders, from wherever, get no more than one of them would."""
    cache, honest, ours = filled()
    room = BUDGET // 512
    for number, packet in enumerate(packets(room, 5_000_000, size=0, hops=0)):
        cache.insert(packet, source=Address(f'10.{number >> 8}.{number & 255}.1', 9), now=2)
    before = stayed(cache, honest)
    crowd = [Address(f'11.{number >> 8}.{number & 255}.1', 9) for number in range(4000)]
    for _ in flood(cache, crowd, hops=0):
        pass
    check(cache)
    assert stayed(cache, honest) >= before - 0.08
    assert stayed(cache, ours) == 1
