"""Fragments: cut up, and put together whatever comes, in whatever order, from whomever."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_core import GROUP, MESSAGE_MAX_BYTES, NO_ID, PING, PUBLISH, Packet, encode, packet_id, parse
from socket_runtime.p2p.errors import BadBody, SealingError
from socket_runtime.p2p.fragments import (
    FRAGMENT_COST_BYTES,
    FRAGMENTS_MAX,
    HEADS_MAX,
    LIFE_MS,
    SOURCES_MAX,
    Assembled,
    Reassembly,
    split,
)
from socket_runtime.p2p.seal import SEALED_MAX_BYTES
from tests.p2p.support import ALICE, BOB, CLUSTER, NOW, OTHER_CLUSTER, PARENT, opened, sealer

FULL = MESSAGE_MAX_BYTES
COST = 1166 + FRAGMENT_COST_BYTES


def text(size: int, start: int = 0) -> bytes:
    return random.Random(start).randbytes(size)


def packets(message: bytes, **changes: Any) -> list[Packet]:
    return [parse(each) for each in split(message, cluster=CLUSTER.id, **changes).packets]


def feed(into: Reassembly, given: list[Packet], source: object = 'one', now: int = 0) -> list[Assembled]:
    return [found for packet in given for found in into.add(packet, source, now)]


def piece(index: int, next_id: bytes, message: bytes = bytes(FULL), **changes: Any) -> Packet:
    said: dict[str, Any] = {'cluster': CLUSTER.id, 'message': message, 'index': index, 'next_id': next_id}
    return parse(encode(PUBLISH, **(said | changes)))


def check(into: Reassembly) -> None:
    """What has to hold at any time."""
    assert into.used_bytes == sum(each.cost for each in into._fragments.values())
    assert sum(account.used for account in into._accounts.values()) == into.used_bytes
    assert sum(len(account.fragments) for account in into._accounts.values()) == len(into)
    assert all(account.fragments for account in into._accounts.values())
    assert sum(map(len, into._before.values())) == sum(each.next_id != NO_ID for each in into._fragments.values())
    for each in into._fragments.values():
        following = into._fragments.get(each.next_id)
        if each.last is not None and each.last is not each:
            assert following is not None and following.last is each.last
        elif each.last is None:
            assert each.next_id != NO_ID and (following is None or following.last is None)


@pytest.mark.parametrize('size', [1, FULL - 1, FULL, FULL + 1, 2 * FULL, 5 * FULL + 7])
def test_a_message_is_built_from_its_end(size: int) -> None:
    message = text(size)
    made = split(message, cluster=CLUSTER.id, to=BOB.id, previous_id=PARENT, clock=9)
    given = [parse(each) for each in made.packets]
    assert len(given) == -(-size // FULL)
    assert [each.index for each in given] == list(range(len(given)))
    assert [each.next_id for each in given] == [*(packet_id(each) for each in made.packets[1:]), NO_ID]
    assert {(each.type, each.cluster, each.to, each.previous_id, each.clock, each.hops) for each in given} == {
        (PUBLISH, CLUSTER.id, BOB.id, PARENT, 9, 0)
    }
    assert b''.join(each.message for each in given) == message
    assert made.id == given[0].id
    (found,) = feed(Reassembly(), given)
    assert (found.id, found.message, found.head) == (made.id, message, given[0])


def test_ten_megabytes_arrive_whole() -> None:
    message = text(10 << 20)
    given = packets(message)
    assert len(given) == 10240
    random.Random(3).shuffle(given)
    into = Reassembly()
    (found,) = feed(into, given)
    assert found.message == message
    assert len(into) == 10240
    into.forget(found.id)
    assert (len(into), into.used_bytes) == (0, 0)
    check(into)


def test_the_greatest_message_arrives_whole() -> None:
    message = bytes(SEALED_MAX_BYTES)
    given = packets(message)
    assert len(given) == FRAGMENTS_MAX
    (found,) = feed(Reassembly(), given[::-1])
    assert found.message == message


def test_what_was_sealed_opens_again() -> None:
    value = text(5000).hex()
    sealed = sealer(ALICE).seal('file', value, now_ms=NOW, to=BOB.public, previous_id=PARENT)
    given = packets(sealed, to=BOB.id, previous_id=PARENT)
    (found,) = feed(Reassembly(), given[::-1])
    assert opened(BOB, found.message, found.head.to, found.head.previous_id).value == value


@given(st.integers(1, 4 * FULL), st.integers(1, 4 * FULL), st.randoms(use_true_random=False))
def test_any_order_and_any_number_of_copies(one: int, other: int, dice: random.Random) -> None:
    messages = [text(one, 1), text(other, 2)]
    given = [packet for message in messages for packet in packets(message) * 2]
    dice.shuffle(given)
    into = Reassembly()
    found: dict[bytes, bytes] = {}
    for packet in given:
        for each in into.add(packet, dice.choice(['one', 'other']), 0):
            found[each.id] = each.message
        check(into)
    assert sorted(found.values()) == sorted(messages)


def test_a_message_comes_once() -> None:
    given = packets(text(3 * FULL))
    into = Reassembly()
    assert len(feed(into, given * 3)) == 1


@pytest.mark.parametrize('missing', range(4))
def test_with_a_gap_there_is_no_message(missing: int) -> None:
    given = packets(text(4 * FULL))
    left = given.pop(missing)
    into = Reassembly()
    assert feed(into, given) == []
    assert into.missing() == ([left.id] if missing else [])
    assert len(feed(into, [left])) == 1
    assert into.missing() == []


@pytest.mark.parametrize('index', [1, 2, 3, 2**31, 2**32 - 1, FRAGMENTS_MAX])
def test_what_does_not_follow_by_one_never_gets_in(index: int) -> None:
    """F15: gaps and overlaps of the index, and none that is out of range."""
    last = piece(index, NO_ID, b'end')
    head = piece(0, last.id)
    for order in ([last, head], [head, last]):
        into = Reassembly()
        found = []
        for packet in order:
            try:
                found += into.add(packet, 'one', 0)
            except BadBody as error:
                assert error.reason == ('index' if index >= FRAGMENTS_MAX else 'fragment')
            check(into)
        assert len(found) == (index == 1)
        if index != 1:
            assert len(into) <= 1


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ({'index': 2**32 - 1}, 'index'),
        ({'index': 2**31}, 'index'),
        ({'index': FRAGMENTS_MAX - 1}, 'index'),
        ({'message': bytes(FULL - 1)}, 'length'),
        ({'message': b''}, 'length'),
        ({'next_id': NO_ID, 'message': b''}, 'length'),
        ({'next_id': NO_ID, 'index': FRAGMENTS_MAX}, 'index'),
    ],
    ids=str,
)
def test_what_can_be_of_no_message_is_refused(change: dict[str, Any], reason: str) -> None:
    into = Reassembly()
    said = {'index': 1, 'next_id': PARENT} | change
    with pytest.raises(BadBody, match=reason):
        into.add(piece(**said), 'one', 0)
    assert (len(into), into.used_bytes, into._accounts) == (0, 0, {})


def test_other_packets_are_no_fragments() -> None:
    with pytest.raises(BadBody, match='type'):
        Reassembly().add(parse(encode(PING, cluster=CLUSTER.id)), 'one', 0)
    record = split(text(2000), cluster=CLUSTER.id, type=GROUP)
    assert len(feed(Reassembly(), [parse(each) for each in record.packets])) == 1


@pytest.mark.parametrize(
    'change',
    [{'cluster': OTHER_CLUSTER.id}, {'to': BOB.id}, {'previous_id': PARENT}, {'clock': 1}],
    ids=lambda change: next(iter(change)),
)
def test_fragments_of_two_messages_are_not_joined(change: dict[str, Any]) -> None:
    """Although the one names the other by its id."""
    last = piece(1, NO_ID, b'end')
    head = piece(0, last.id, **change)
    into = Reassembly()
    assert feed(into, [last]) == []
    with pytest.raises(BadBody, match='fragment'):
        into.add(head, 'one', 0)
    into = Reassembly()
    assert feed(into, [head, last]) == []
    assert len(into) == 1
    check(into)


def test_a_fragment_that_the_chain_does_not_name_never_gets_in() -> None:
    """F9: the same place in the same message, other content."""
    message = text(3 * FULL)
    given = packets(message)
    false = [piece(1, given[2].id), piece(2, NO_ID, b'false')]
    into = Reassembly()
    (found,) = feed(into, [false[0], given[0], false[1], given[2], given[1]])
    assert found.message == message
    assert {packet.id for packet in false} <= set(into._fragments)
    check(into)


def test_a_circle_is_nothing_to_go_round_in() -> None:
    """F15: an id that names itself would need a fixed point of SHA-256; if there were one, the index would stop it."""
    given = packets(text(3 * FULL))
    into = Reassembly()
    feed(into, given[1:2])
    (known,) = into._fragments.values()
    # As if the fragment had the id that it names.
    into._before[known.id] = into._before.pop(known.next_id)
    known.last = known
    assert into._spread(known) == []


def test_two_heads_may_name_one_tail() -> None:
    """F15: whoever has seen a message can make another head for it, and must not be able to take its place."""
    message = text(3 * FULL)
    given = packets(message)
    for order in (0, 1, 2, 3):
        false = piece(0, given[1].id, b'\xff' * FULL)
        into = Reassembly()
        arrivals = [false, *given[1:]]
        arrivals.insert(order, given[0])
        found = feed(into, arrivals)
        assert {each.id for each in found} == {false.id, given[0].id}
        assert message in [each.message for each in found]
        assert len(into) == 4
        check(into)
        into.forget(given[0].id)
        assert len(into) == 0
        check(into)


def test_one_source_cannot_call_for_one_tail_again_and_again() -> None:
    given = packets(text(3 * FULL))
    into = Reassembly()
    feed(into, given[1:], 'flood')
    found = feed(into, [piece(0, given[1].id, bytes([n]) * FULL) for n in range(100)], 'flood')
    assert len(found) == HEADS_MAX
    assert len(into) == 2 + HEADS_MAX
    # Another peer brings the true one.
    (true,) = feed(into, given[:1], 'other')
    assert true.id == given[0].id
    check(into)


def test_many_heads_that_wait_for_one_tail_are_bounded_too() -> None:
    given = packets(text(2 * FULL))
    into = Reassembly()
    feed(into, [piece(0, given[1].id, bytes([n]) * FULL) for n in range(100)])
    assert len(feed(into, given[1:])) == HEADS_MAX
    assert len(into) == 1 + HEADS_MAX
    check(into)


def test_what_is_never_completed_is_given_up() -> None:
    given = packets(text(4 * FULL))
    into = Reassembly()
    feed(into, given[:2], now=0)
    feed(into, given[2:3], now=LIFE_MS - 1)
    # Copies do not make it last.
    feed(into, given[:1], now=LIFE_MS - 1)
    assert len(into) == 3
    into.expire(LIFE_MS)
    assert len(into) == 1
    into.expire(2 * LIFE_MS)
    assert (len(into), into.used_bytes) == (0, 0)
    check(into)


def test_with_its_end_a_message_goes() -> None:
    """Else what was whole would have to be looked through for what is gone."""
    given = packets(text(4 * FULL))
    into = Reassembly()
    feed(into, given[3:], now=0)
    feed(into, given[1:3], now=1)
    into.expire(LIFE_MS)
    assert len(into) == 0
    assert len(feed(into, given, now=LIFE_MS)) == 1


def test_a_flood_only_meets_itself() -> None:
    """F12 F15: without end, from one source; the memory is constant, and the honest message arrives."""
    into = Reassembly(100 * COST, 50 * COST)
    message = text(20 * FULL)
    given = packets(message)
    found = []
    for number in range(2000):
        feed(
            into,
            [piece(1 + number % 100, number.to_bytes(32, 'little') or PARENT, bytes(FULL))] if number else [],
            'flood',
        )
        if number % 100 == 0:
            found += feed(into, [given.pop()], 'honest')
        assert into.used_bytes <= 100 * COST
        assert into._accounts.get('flood') is None or into._accounts['flood'].used <= 50 * COST
    assert [each.message for each in found] == [message]
    check(into)


def test_when_there_is_no_room_who_has_the_most_gives_way() -> None:
    into = Reassembly(10 * COST, 8 * COST)
    feed(into, [piece(number, PARENT) for number in range(1, 9)], 'most')
    feed(into, [piece(number, PARENT, clock=1) for number in range(1, 6)], 'other')
    assert {name: len(account.fragments) for name, account in into._accounts.items()} == {'most': 5, 'other': 5}
    check(into)


def test_what_is_refused_makes_nobody_give_way() -> None:
    into = Reassembly(3 * COST)
    tail = piece(2, NO_ID)
    feed(into, [tail, piece(1, PARENT), piece(3, PARENT)])
    with pytest.raises(BadBody, match='fragment'):
        into.add(piece(5, tail.id), 'other', 0)
    assert len(into) == 3
    assert list(into._accounts) == ['one']


def test_what_follows_may_have_to_give_way() -> None:
    into = Reassembly(2 * COST)
    tail = piece(2, NO_ID)
    feed(into, [tail, piece(9, PARENT), piece(1, tail.id)])
    check(into)
    assert into.missing() == [PARENT, tail.id]


def test_sources_without_number_share_one_account() -> None:
    """F18"""
    into = Reassembly(2 * SOURCES_MAX * COST)
    for number in range(5 * SOURCES_MAX):
        into.add(piece(1, PARENT, clock=number), number, 0)
        assert len(into._accounts) <= SOURCES_MAX + 1
    check(into)
    into.expire(LIFE_MS)
    assert into._accounts == {}


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 3), st.integers(0, 5)), max_size=60))
def test_it_holds_together_whatever_comes(steps: list[tuple[int, int, int]]) -> None:
    """Little room, several sources, shared tails, time that passes."""
    one, two = packets(text(5 * FULL, 1)), packets(text(5 * FULL, 2))
    pool = [
        *one,
        *two,
        *(piece(0, one[1].id, bytes([n]) * FULL) for n in range(3)),
        piece(1, one[2].id),
        piece(2, two[2].id),
    ]
    into = Reassembly(9 * COST, 6 * COST, life_ms=40)
    now = 0
    for which, source, wait in steps:
        now += wait
        try:
            for found in into.add(pool[which % len(pool)], source, now):
                assert len(found.message) == 5 * FULL
                assert found.head.index == 0
                if wait == 0:
                    into.forget(found.id)
        except BadBody as error:
            assert error.reason == 'fragment'
        check(into)
        assert into.used_bytes <= 9 * COST


def test_what_it_is_charged_is_what_it_takes() -> None:
    import tracemalloc

    given = [parse(bytes(bytearray(each))) for each in split(text(1 << 20), cluster=CLUSTER.id).packets[1:]]
    into = Reassembly()
    sizes = [each.data for each in given]
    del sizes
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for packet in given:
            into.add(packet, 'one', 0)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # The datagrams themselves were there before.
    assert used < len(into) * FRAGMENT_COST_BYTES


def test_mistakes_of_the_caller_are_said() -> None:
    for wrong in (
        {'message': b''},
        {'type': PING},
        {'cluster': b''},
        {'clock': 2**32},
        {'to': b'x'},
        {'previous_id': b''},
    ):
        said: dict[str, Any] = {'message': b'x', 'cluster': CLUSTER.id} | wrong
        with pytest.raises(SealingError):
            split(**said)
    with pytest.raises(SealingError):
        split(bytes(SEALED_MAX_BYTES + 1), cluster=CLUSTER.id)
