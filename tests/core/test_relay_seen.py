"""What a relay remembers of what it has seen: exactly so much, in so much memory."""

from __future__ import annotations

import random

import pytest

from socket_core._address import Address
from socket_core._relay import Relay
from tests.core.relay_parts import KEY, OPEN, STRANGER, packet


def relay_that_sees(seen_bytes: int, key: bytes = KEY) -> Relay:
    """Without a cache, which would remember as well."""
    relay = Relay(key=key, seen_bytes=seen_bytes)
    relay.set_limits(OPEN)
    return relay


def show(relay: Relay, numbers: range | list[int]) -> int:
    """Shows it these packets; returns how many of them were new."""
    before = relay.stats.fresh
    relay.receive([(packet(number), STRANGER) for number in numbers], 1.0)
    return relay.stats.fresh - before


@pytest.mark.parametrize(('seen_bytes', 'capacity'), [(8192, 576), (10_000, 576), (16_384, 1152), (65_536, 4608)])
def test_it_forgets_nothing_within_its_capacity(seen_bytes: int, capacity: int) -> None:
    relay = relay_that_sees(seen_bytes)
    assert relay.stats.seen_capacity == capacity
    for start in range(0, 10 * capacity, capacity // 3):
        assert show(relay, range(start, start + capacity // 3)) == capacity // 3, 'none is taken for another'
        known = range(max(0, start + capacity // 3 - capacity), start + capacity // 3)
        assert show(relay, known) == 0, 'all of the last are known'


@pytest.mark.parametrize('seen_bytes', [8192, 65_536, 524_288])
def test_its_memory_is_bounded_and_it_begins_small(seen_bytes: int) -> None:
    relay = relay_that_sees(seen_bytes)
    empty = relay.stats.used_bytes
    capacity = relay.stats.seen_capacity
    assert empty < 4096
    used = []
    for start in range(0, 4 * capacity, 512):
        show(relay, range(start, start + 512))
        stats = relay.stats
        used.append(stats.used_bytes)
        # The tables of limits have one set each, for one sender.
        assert stats.used_bytes <= seen_bytes + empty + 1024
        # What it needs grows with what it has seen: at most four times that, and a little.
        assert stats.used_bytes - empty <= max(16 * 1024, (start + 512) * 64 // 9 * 6)
    assert max(used) >= seen_bytes, 'and it makes use of all of it'
    assert used[-1] == max(used)
    assert capacity <= relay.stats.seen <= 2 * capacity


def test_nothing_is_forgotten_while_it_grows() -> None:
    relay = relay_that_sees(524_288)
    assert show(relay, range(36_864)) == 36_864
    chance = random.Random(1)
    assert show(relay, [chance.randrange(36_864) for _ in range(20_000)]) == 0
    assert relay.stats.seen == 36_864


def test_the_oldest_go_in_the_end() -> None:
    relay = relay_that_sees(8192)
    show(relay, range(5000))
    assert show(relay, range(3000)) == 3000


def test_copies_are_not_noted_twice() -> None:
    relay = relay_that_sees(8192)
    for _ in range(100):
        show(relay, range(100))
    assert relay.stats.seen == 100 and relay.stats.duplicate == 9900


def test_another_key_makes_no_difference_to_what_is_seen() -> None:
    chance = random.Random(2)
    for _ in range(5):
        relay = relay_that_sees(8192, chance.randbytes(16))
        for start in range(0, 3000, 500):
            assert show(relay, range(start, start + 500)) == 500
            assert show(relay, range(start, start + 500)) == 0


def test_of_many_packets_none_is_taken_for_another() -> None:
    """One in some 2**35 would be: 300,000 are all new."""
    relay = relay_that_sees(524_288)
    for start in range(0, 300_000, 5000):
        assert show(relay, range(start, start + 5000)) == 5000


def test_packets_with_their_hops_used_up_are_remembered_as_well() -> None:
    relay = relay_that_sees(8192)
    source = Address('192.0.2.1', 1)
    for _ in range(3):
        relay.receive([(packet(number, hops=16), source) for number in range(500)], 1.0)
    assert (relay.stats.fresh, relay.stats.duplicate, relay.stats.seen) == (500, 1000, 500)
