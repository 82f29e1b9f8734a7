"""How much of a relay anybody may have: limits, floods, offenders, memory (F12, F16, F18)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_core import PING, Packet, encode, parse
from socket_core._address import Address
from socket_core._cache import Cache
from socket_core._relay import Limits, Relay, RelayPeer
from tests.core.relay_parts import KEY, OPEN, OURS, STRANGER, U32_MAX, address, packet, peer, relay_with

#: Nothing holds but what a test is about.
FREE = (U32_MAX, U32_MAX)


def limited(**values: tuple[int, int]) -> Relay:
    relay = relay_with(peers=0)
    relay.set_limits(Limits(**{'stranger': FREE, 'peer': FREE, 'group': FREE, 'total': FREE, **values}))
    return relay


def passed(relay: Relay, source: Address, count: int, now: float, start: int = 0) -> int:
    """How many of so many new packets are looked at."""
    before = relay.stats.limited
    relay.receive([(packet(start + number), source) for number in range(count)], now)
    return count - (relay.stats.limited - before)


def test_a_stranger_has_a_burst_and_then_a_rate() -> None:
    relay = limited(stranger=(10, 25))
    assert passed(relay, STRANGER, 100, 5.0) == 25
    assert passed(relay, STRANGER, 100, 5.0) == 0
    assert passed(relay, STRANGER, 100, 5.05) == 0, 'half a packet'
    assert passed(relay, STRANGER, 100, 5.1) == 1
    assert passed(relay, STRANGER, 100, 6.1) == 10
    assert passed(relay, STRANGER, 100, 1e6) == 25, 'no more than at once'


def test_time_that_goes_back_gives_nothing() -> None:
    relay = limited(stranger=(10, 5))
    assert passed(relay, STRANGER, 9, 100.0) == 5
    assert passed(relay, STRANGER, 9, 1.0) == 0
    assert passed(relay, STRANGER, 9, 100.1) == 1


def test_what_is_limited_is_neither_hashed_nor_seen() -> None:
    relay = limited(stranger=(1, 1))
    data = packet(cluster=OURS)
    _, deliveries = relay.receive([(packet(1), STRANGER), (data, STRANGER)], 1.0)
    assert deliveries == [] and relay.stats.fresh == 1
    _, deliveries = relay.receive([(data, STRANGER)], 3.0)
    assert len(deliveries) == 1, 'it is new when it comes in time'


def test_control_packets_are_limited_too() -> None:
    relay = limited(stranger=(1, 2))
    _, deliveries = relay.receive([(packet(kind=PING), STRANGER)] * 10, 1.0)
    assert len(deliveries) == 2


def test_malformed_datagrams_cost_the_sender_nothing() -> None:
    """So nobody can use up a peer's limit with less than a frame."""
    relay = limited(stranger=(1, 2))
    relay.receive([(b'', STRANGER), (bytes(2000), STRANGER)] * 50, 1.0)
    assert passed(relay, STRANGER, 2, 1.0) == 2


def test_all_ports_of_a_host_are_one_stranger() -> None:
    relay = limited(stranger=(1, 3))
    assert sum(passed(relay, STRANGER.with_port(port), 1, 1.0) for port in range(1, 100)) == 3


def test_of_ipv6_a_stranger_is_a_64() -> None:
    relay = limited(stranger=(1, 3))
    hosts = [f'2001:db8:0:{network:x}::{host:x}' for network in range(4) for host in range(1, 50)]
    assert sum(passed(relay, Address(host, 1), 1, 1.0, number) for number, host in enumerate(hosts)) == 4 * 3


def test_a_network_group_is_limited_together() -> None:
    relay = limited(group=(1, 10))
    assert sum(passed(relay, Address(f'198.51.100.{n}', 1), 1, 1.0, n) for n in range(100)) == 10
    assert passed(relay, Address('198.51.101.1', 1), 50, 1.0, 200) == 10
    assert sum(passed(relay, Address(f'2001:db8:7:{n:x}::1', 1), 1, 1.0, 300 + n) for n in range(100)) == 10
    assert passed(relay, Address('2001:db8:8::1', 1), 50, 1.0, 500) == 10


def test_all_strangers_are_limited_together() -> None:
    """Source addresses can be made up: one packet from each of many is a flood as well."""
    relay = limited(total=(100, 500))
    chance = random.Random(1)
    sources = [Address(f'{chance.randrange(1, 224)}.{n >> 8 & 255}.{n & 255}.1', 9) for n in range(20_000)]
    relay.receive([(packet(n), source) for n, source in enumerate(sources)], 1.0)
    assert relay.stats.fresh == 500 and relay.stats.limited == 19_500


def test_who_is_refused_by_one_limit_does_not_use_up_another() -> None:
    relay = limited(stranger=(1, 2), group=(1, 4), total=(1, 6))
    assert passed(relay, Address('198.51.100.1', 1), 100, 1.0) == 2
    assert passed(relay, Address('198.51.100.2', 1), 100, 1.0, 100) == 2
    assert passed(relay, Address('198.51.100.3', 1), 100, 1.0, 200) == 0, 'the group has had its share'
    assert passed(relay, Address('198.51.101.1', 1), 100, 1.0, 300) == 2


def test_nobody_passes_a_limit_of_nothing() -> None:
    relay = limited(stranger=(0, 0))
    relay.set_peers([peer(1)])
    assert passed(relay, STRANGER, 10, 1.0) == 0
    assert passed(relay, address(1), 10, 1.0, 50) == 10


def test_a_trusted_peer_has_a_limit_of_its_own_and_others_of_its_host_have_not() -> None:
    relay = limited(stranger=(1, 1), peer=(10, 20))
    relay.set_peers([peer(1), peer(2, trusted=False)])
    assert passed(relay, address(1), 100, 1.0) == 20
    assert passed(relay, address(1).with_port(77), 100, 1.0, 100) == 1
    assert passed(relay, address(2), 100, 1.0, 200) == 1
    assert passed(relay, address(1), 100, 2.0, 300) == 10


def test_a_new_table_of_peers_gives_nobody_a_new_burst() -> None:
    relay = limited(stranger=(1, 3), peer=(10, 20))
    relay.set_peers([peer(1), peer(2)])
    assert passed(relay, address(1), 100, 1.0) == 20
    for _ in range(5):
        relay.set_peers([peer(3), peer(1)])
        assert passed(relay, address(1), 100, 1.0, 100) == 0
    relay.set_peers([])
    assert passed(relay, address(1), 100, 1.0, 200) == 3, 'a stranger, from now on'
    relay.set_peers([peer(1)])
    assert passed(relay, address(1), 100, 1.0, 300) == 20


def test_new_limits_hold_at_once_as_if_nobody_had_sent_anything() -> None:
    relay = limited(stranger=(1, 3), peer=(1, 5))
    relay.set_peers([peer(1)])
    assert passed(relay, STRANGER, 9, 1.0) == 3 and passed(relay, address(1), 9, 1.0, 20) == 5
    relay.set_limits(Limits(stranger=(1, 4), peer=(1, 6)))
    assert passed(relay, STRANGER, 9, 1.0, 40) == 4 and passed(relay, address(1), 9, 1.0, 60) == 6


def test_the_largest_numbers_do_not_overflow() -> None:
    relay = limited()
    for now in (0.0, 1.0, 9e12, 9e12):
        assert passed(relay, STRANGER, 200, now, int(now) % 1000) == 200


@pytest.mark.parametrize('sources', [1, 16, 1000, 100_000])
def test_f12_a_flood_of_strangers_cannot_starve_a_trusted_peer(sources: int) -> None:
    """100,000 packets a second, in virtual time, against a peer that sends 1,000: it is heard, all of it."""
    relay = relay_with(peers=3)
    relay.set_limits(Limits())
    chance = random.Random(sources)
    frames = [packet(number) for number in range(2000)]
    hosts = [Address(f'{chance.randrange(1, 224)}.{n >> 16}.{n >> 8 & 255}.{n & 255}', 9) for n in range(sources)]
    heard = 0
    for millisecond in range(300):
        flood = [(chance.choice(frames), chance.choice(hosts)) for _ in range(100)]
        flood.insert(chance.randrange(100), (packet(10_000 + millisecond, cluster=OURS), address(1)))
        _, deliveries = relay.receive(flood, 10 + millisecond / 1000)
        heard += len(deliveries)
    assert heard == 300
    stats = relay.stats
    hashed = stats.fresh + stats.duplicate
    total_rate, total_burst = Limits().total
    assert stats.limited + hashed == 300 * 101
    assert hashed <= 300 + total_burst + total_rate * 3 // 10
    if sources < 16:
        assert hashed <= 300 + sources * (400 + 60) and stats.limited > 29_000


def test_f12_a_trusted_peer_that_floods_is_limited_and_the_others_are_not() -> None:
    relay = relay_with(peers=3)
    relay.set_limits(Limits(peer=(1000, 1000)))
    heard = 0
    for millisecond in range(500):
        flood = [(packet(millisecond * 100 + number), address(1)) for number in range(100)]
        _, deliveries = relay.receive(
            [*flood, (packet(10**6 + millisecond, cluster=OURS), address(2))], 10 + millisecond / 1000
        )
        heard += len(deliveries)
    assert heard == 500 and relay.stats.fresh == 500 + 1000 + 499


@pytest.mark.parametrize('spread', ['one host', 'one network', 'everywhere'])
def test_f12_f18_ten_thousand_hostile_sources_keep_the_memory_flat(spread: str) -> None:
    relay = Relay(Cache(key=KEY), key=KEY)
    relay.set_limits(OPEN if spread == 'everywhere' else Limits())
    chance = random.Random(3)
    sizes = []
    for turn in range(3):
        for start in range(0, 10_000, 100):
            batch = []
            for number in range(start, start + 100):
                host = {
                    'one host': '198.51.100.1',
                    'one network': f'2001:db8:0:{number:x}::1',
                    'everywhere': f'{number % 223 + 1}.{chance.randrange(256)}.{number >> 8}.{chance.randrange(256)}',
                }[spread]
                data = packet(turn * 10_000 + number) if number % 2 else chance.randbytes(number % 1300)
                batch.append((data, Address(host, chance.randrange(1, 65_536))))
            relay.receive(batch, 1.0 + turn)
        sizes.append(relay.stats.used_bytes)
    assert relay.stats.received == 30_000
    assert sizes[-1] < 700 * 1024
    # The seen set grows to its fixed size, and that is all.
    assert sizes[2] - sizes[1] <= 256 * 1024 and sizes[1] < 400 * 1024
    assert relay.stats.seen <= 30_000


def test_f18_where_the_tables_are_full_the_rest_share_one_bucket() -> None:
    relay = limited(stranger=(1, 1))

    def flood(network: int, now: float) -> int:
        before = relay.stats.fresh
        sources = [Address(f'{network}.{n >> 16}.{n >> 8 & 255}.{n & 255}', 9) for n in range(30_000)]
        relay.receive([(packet(network * 30_000 + n), source) for n, source in enumerate(sources)], now)
        return relay.stats.fresh - before

    assert 4096 <= flood(10, 1.0) <= 4097
    size = relay.stats.used_bytes
    assert flood(11, 1.9) == 0, 'nobody new has a place as long as the buckets of others are in use'
    # A bucket that is full again is as good as none, and others may have its place.
    assert 4096 <= flood(12, 2.0) <= 4098
    assert relay.stats.used_bytes <= size + 300 * 1024


# ---- Offenders


def test_offenders_are_named_the_worst_first_and_then_forgotten() -> None:
    relay = limited(stranger=(1, 1))
    relay.receive([(b'', address(1))] * 3 + [(packet(), address(2))] * 10 + [(bytes(142), address(3))], 1.0)
    assert relay.offenders() == [(address(2), 0, 9), (address(1), 3, 0), (address(3), 1, 0)]
    assert relay.offenders() == []
    relay.receive([(b'', address(number)) for number in range(1, 100)], 1.0)
    assert len(relay.offenders(limit=5)) == 5 and relay.offenders() == []


def test_a_host_that_used_several_ports_is_named_with_port_zero() -> None:
    relay = limited()
    relay.receive([(b'', STRANGER), (b'', STRANGER.with_port(10)), (b'', STRANGER)], 1.0)
    offender = relay.offenders()[0]
    assert offender == (STRANGER.with_port(0), 3, 0)
    relay.set_blocked([offender.address])
    relay.receive([(packet(), STRANGER.with_port(4000))], 1.0)
    assert relay.stats.blocked == 1


def test_f12_those_who_stay_are_not_pushed_out_by_those_who_pass() -> None:
    relay = limited()
    chance = random.Random(4)
    worst = [address(number) for number in range(1, 11)]
    for _ in range(300):
        batch = [(b'', offender) for offender in worst for _ in range(4)]
        batch += [(b'', Address(f'{chance.randrange(1, 224)}.{n}.{chance.randrange(256)}.9', 9)) for n in range(200)]
        chance.shuffle(batch)
        relay.receive(batch, 1.0)
    found = relay.offenders(limit=10)
    assert {offender.address for offender in found} == set(worst)
    assert all(1000 < offender.malformed <= 1200 for offender in found)


@pytest.mark.parametrize('limit', [-1, '5', 2**32])
def test_how_many_offenders_is_a_number(limit: int) -> None:
    with pytest.raises((ValueError, TypeError)):
        relay_with().offenders(limit)


# ---- Anything at all


@given(st.lists(st.tuples(st.binary(max_size=1400), st.integers(1, 9)), max_size=80))
def test_f16_any_bytes_are_counted_and_nothing_else_happens(datagrams: list[tuple[bytes, int]]) -> None:
    relay = relay_with()
    sends, deliveries = relay.receive([(data, address(number)) for data, number in datagrams], 1.0)
    stats = relay.stats
    assert stats.received == len(datagrams) == sum(stats[:11])
    assert stats.bytes == sum(len(data) for data, _ in datagrams)
    for delivery in deliveries:
        assert isinstance(parse(datagrams[delivery.index][0]), Packet)
    assert len(sends) == stats.forwarded


@pytest.mark.parametrize('size', [0, 1, 2, 141, 1167, 9000, 65_507, 1 << 20])
def test_f16_datagrams_of_every_length(size: int) -> None:
    relay = relay_with()
    assert relay.receive([((packet() + bytes(1 << 20))[:size], STRANGER)], 1.0) == ([], [])
    assert relay.stats.malformed_short + relay.stats.malformed_long == 1 and relay.stats.bytes == size


def test_f16_frames_with_any_header() -> None:
    relay = relay_with()
    relay.set_peers([RelayPeer((f'192.0.2.{n}', 1), clusters=[OURS]) for n in range(1, 9)])
    chance = random.Random(16)
    for _ in range(200):
        batch = []
        for _ in range(64):
            data = bytearray(chance.randbytes(chance.choice([142, 143, 600, 1165, 1166])))
            data[1] = 1
            data[0] = chance.randrange(12)
            batch.append((bytes(data), STRANGER))
        relay.receive(batch, 1.0)
    stats = relay.stats
    assert stats.received == 12_800 == sum(stats[:11]) and stats.fresh + stats.control + stats.malformed_type == 12_800


def test_the_shortest_and_the_longest_frame_are_relayed() -> None:
    relay = relay_with()
    for size in (0, 1024):
        data = encode(5, cluster=OURS, message=bytes(size))
        sends, deliveries = relay.receive([(data, STRANGER)], 1.0)
        assert [len(send.data) for send in sends] == [142 + size] * 3 and len(deliveries) == 1
