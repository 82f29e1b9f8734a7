"""Two real caches, and what one of them lacks: found, at a cost that grows with the difference."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_core import PACKET_MAX_BYTES, PREFIX_BYTES, PUBLISH, Cache, Packet, Summary, encode, parse
from socket_runtime.p2p.bodies import decode
from socket_runtime.p2p.entropy import SeededEntropy
from socket_runtime.p2p.errors import BadBody, SealingError
from socket_runtime.p2p.reconcile import (
    AT_ONCE,
    LIST_UP_TO,
    RETRY_MS,
    STEPS_MAX,
    TRIES_MAX,
    Reconciliation,
    answer,
    wants,
)
from socket_runtime.p2p.sync import LISTED_MAX, Range, Sync
from tests.p2p.support import ALICE, BOB, CLUSTER, NOW, seed

PACKETS = [
    parse(encode(PUBLISH, cluster=CLUSTER.id, message=number.to_bytes(4, 'big'), clock=1)) for number in range(6000)
]
Filter = Callable[[Sync], bool]
DOCS = Path(__file__).parents[2] / 'docs' / 'protocol.md'


def summary(packets: list[Packet]) -> Summary:
    cache = Cache()
    cache.insert_many(packets, now=1.0)
    assert len(cache) == len(packets)
    return cache.summary()


def prefixes(packets: list[Packet]) -> set[bytes]:
    return {packet.id[:PREFIX_BYTES] for packet in packets}


class Talk:
    """Two peers; every Sync is a signed datagram on its way, and some are lost."""

    def __init__(self, one: Summary, other: Summary, arrives: Filter = lambda sync: True) -> None:
        self.asking = Reconciliation(one, entropy=SeededEntropy(b'asking'))
        self.other = other
        self.arrives = arrives
        self.trips = self.bytes = self.now = 0

    def send(self, sync: Sync, by: Any, to: Any) -> Sync | None:
        data = sync.encode(by, cluster=CLUSTER.id, to=to.id, now_ms=NOW)
        assert len(data) <= PACKET_MAX_BYTES
        self.bytes += len(data)
        read = decode(parse(data)).body
        assert isinstance(read, Sync) and read == sync
        return read if self.arrives(read) else None

    def run(self) -> Talk:
        while not self.asking.is_over:
            requests = self.asking.requests(self.now)
            if not requests and not self.asking.is_over:
                due = self.asking.next_ms
                assert due is not None and due > self.now
                self.now = due
                continue
            self.trips += bool(requests)
            for request in requests:
                heard = self.send(request, ALICE, BOB)
                answered = self.send(answer(self.other, heard), BOB, ALICE) if heard is not None else None
                if answered is not None:
                    assert self.asking.receive(answered)
        return self


@pytest.mark.parametrize('difference', [0, 1, 2, 10, 100, 300, 1000])
def test_what_differs_is_found(difference: int) -> None:
    half = difference // 2
    common, ours = PACKETS[: 5000 - half], PACKETS[5000 : 5000 + difference - half]
    theirs = PACKETS[5000 - half : 5000]
    talk = Talk(summary(common + ours), summary(common + theirs)).run()
    assert not talk.asking.gave_up
    assert talk.asking.only_here == prefixes(ours)
    assert talk.asking.only_there == prefixes(theirs)
    # What docs/protocol.md says.
    row = f'| {difference} | {talk.trips} | {talk.asking.steps} | {talk.bytes:,} |'
    assert row in DOCS.read_text('utf-8'), row
    assert talk.trips <= (1 if difference == 0 else 10)
    assert talk.bytes < 1500 + 3500 * difference
    # Sending all ids, in signed packets of the same kind, would be 84 of them.
    assert difference > 100 or talk.bytes < 84 * PACKET_MAX_BYTES


@pytest.mark.parametrize(
    ('one', 'other'),
    [([], []), ([], PACKETS[:1]), (PACKETS[:1], []), ([], PACKETS[:500]), (PACKETS[:500], []), (PACKETS[:9], PACKETS[9:18])],
    ids=str,
)  # fmt: skip
def test_empty_and_strange_ones(one: list[Packet], other: list[Packet]) -> None:
    talk = Talk(summary(one), summary(other)).run()
    assert not talk.asking.gave_up
    assert (talk.asking.only_here, talk.asking.only_there) == (prefixes(one), prefixes(other))


def test_nothing_in_common_costs_no_more_than_all_ids() -> None:
    talk = Talk(summary(PACKETS[:3000]), summary(PACKETS[3000:])).run()
    assert (len(talk.asking.only_here), len(talk.asking.only_there)) == (3000, 3000)
    assert talk.asking.steps < STEPS_MAX // 2


@given(st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_any_two_sets(one: set[int], other: set[int]) -> None:
    talk = Talk(summary([PACKETS[each] for each in one]), summary([PACKETS[each] for each in other])).run()
    assert talk.asking.only_here == prefixes([PACKETS[each] for each in one - other])
    assert talk.asking.only_there == prefixes([PACKETS[each] for each in other - one])


@pytest.mark.parametrize('chance', [0.1, 0.3])
def test_lost_packets_are_asked_for_again(chance: float) -> None:
    dice = random.Random(7)
    talk = Talk(summary(PACKETS[:2000]), summary(PACKETS[50:2050]), lambda sync: dice.random() > chance).run()
    if not talk.asking.gave_up:
        assert talk.asking.only_here == prefixes(PACKETS[:50])
        assert talk.asking.only_there == prefixes(PACKETS[2000:2050])
    assert chance > 0.1 or not talk.asking.gave_up
    assert talk.asking.only_here <= prefixes(PACKETS[:50])


def test_who_gets_no_answer_gives_up() -> None:
    talk = Talk(summary(PACKETS[:10]), summary([]), lambda sync: not sync.is_answer).run()
    assert talk.asking.gave_up
    assert talk.trips == TRIES_MAX
    assert talk.now == RETRY_MS * (2**TRIES_MAX - 1)
    assert talk.asking.requests(talk.now) == []
    assert talk.asking.next_ms is None


def test_at_most_so_many_requests_are_on_their_way() -> None:
    one, other = summary(PACKETS[:3000]), summary(PACKETS[3000:])
    asking = Reconciliation(one)
    while not asking.is_over:
        requests = asking.requests(0)
        assert 0 < len(requests) <= AT_ONCE
        assert asking.requests(0) == []
        for request in requests:
            asking.receive(answer(other, request))


def first_request(one: list[Packet]) -> tuple[Reconciliation, Sync]:
    asking = Reconciliation(summary(one))
    (request,) = asking.requests(0)
    return asking, request


def test_answers_that_nobody_awaits_are_passed_over() -> None:
    """F13: of another exchange, another key, another step; a request; one that came before."""
    asking, request = first_request(PACKETS[:100])
    right = answer(summary(PACKETS[1:101]), request)
    for wrong in (
        dataclasses.replace(right, request_id=seed('other')),
        dataclasses.replace(right, key=seed('other')[:16]),
        dataclasses.replace(right, step=2),
        request,
    ):
        assert not asking.receive(wrong)
    assert asking.receive(right)
    assert not asking.receive(right)


SAME = Range(count=7, fingerprint=bytes(16))


@pytest.mark.parametrize(
    'ranges',
    [
        (),
        (SAME,),
        (Range(b'', b'\1', ids=()), Range(b'\2', None, ids=())),
        (Range(b'\1', None, ids=()),),
    ],
    ids=['nothing', 'unsplit', 'gap', 'late'],
)
def test_answers_to_another_question_end_it(ranges: tuple[Range, ...]) -> None:
    """F18: none of these would ever come to an end."""
    asking, request = first_request(PACKETS[:100])
    with pytest.raises(BadBody, match='range'):
        asking.receive(
            Sync(request_id=request.request_id, key=request.key, step=request.step, is_answer=True, ranges=ranges)
        )
    assert asking.is_over and asking.gave_up


def test_an_endless_answer_ends() -> None:
    """F18: a liar that splits for ever costs a bounded number of requests, and is believed nothing."""
    asking = Reconciliation(summary(PACKETS[:100]))
    made = 0
    while not asking.is_over:
        for request in asking.requests(0):
            made += 1
            ranges = []
            for each in request.ranges:
                middle = between(each.low, each.high)
                if middle is None:
                    ranges.append(Range(each.low, each.high, ids=()))
                    continue
                ranges += [
                    Range(each.low, middle, 2**32 - 1, bytes(16)),
                    Range(middle, each.high, 2**32 - 1, bytes(16)),
                ]
            lie = Sync(
                request_id=request.request_id, key=request.key, step=request.step, is_answer=True, ranges=tuple(ranges)
            )
            asking.receive(lie)
    assert asking.gave_up
    assert made <= STEPS_MAX
    assert not asking.only_there


def between(low: bytes, high: bytes | None) -> bytes | None:
    begin = int.from_bytes(low.ljust(PREFIX_BYTES, b'\0'), 'big')
    end = 1 << 8 * PREFIX_BYTES if high is None else int.from_bytes(high.ljust(PREFIX_BYTES, b'\0'), 'big')
    middle = (begin + end) // 2
    return middle.to_bytes(PREFIX_BYTES, 'big').rstrip(b'\0') if begin < middle else None


def test_an_answer_is_never_longer_than_a_packet() -> None:
    """Ids that begin alike have long bounds; what does not fit is asked for again."""
    one, other = summary(PACKETS[:5000]), summary(PACKETS[500:5500])
    key = seed('key')[:16]
    everything = Sync(request_id=seed('x'), key=key, step=1, ranges=(Range(),))
    whole = answer(other, everything)
    cut = [Range(each.low, each.high) for each in whole.ranges]
    asked = dataclasses.replace(everything, ranges=tuple(cut))
    answered = answer(other, asked)
    data = answered.encode(ALICE, cluster=CLUSTER.id, to=BOB.id, now_ms=NOW)
    assert len(data) <= PACKET_MAX_BYTES
    assert 0 < len({each.low for each in answered.ranges} & {each.low for each in cut}) < len(cut)
    assert Talk(one, other).run().asking.only_here == prefixes(PACKETS[:500])


def test_a_small_range_is_listed_and_a_large_one_is_split() -> None:
    request = Sync(request_id=seed('x'), key=seed('key')[:16], step=1, ranges=(Range(),))
    (few,) = answer(summary(PACKETS[:LIST_UP_TO]), request).ranges
    assert few.ids == tuple(sorted(prefixes(PACKETS[:LIST_UP_TO])))
    more = answer(summary(PACKETS[: LIST_UP_TO + 1]), request).ranges
    assert [each.ids for each in more] == [None, None]
    assert sum(each.count for each in more) == LIST_UP_TO + 1


def test_an_answer_is_not_answered() -> None:
    _, request = first_request(PACKETS[:3])
    with pytest.raises(BadBody):
        answer(summary([]), answer(summary([]), request))


def test_what_is_wanted_is_asked_for() -> None:
    asked = prefixes(PACKETS[:130])
    requests = wants(seed('x'), asked, step=5)
    assert [len(each.wanted) for each in requests] == [LISTED_MAX, LISTED_MAX, 10]
    assert [each.step for each in requests] == [5, 6, 7]
    assert {one for each in requests for one in each.wanted} == asked
    for each in requests:
        assert decode(parse(each.encode(ALICE, cluster=CLUSTER.id, to=BOB.id, now_ms=NOW))).body == each
    assert wants(seed('x'), []) == []


def test_random_bytes_come_from_an_entropy() -> None:
    with pytest.raises(SealingError):
        Reconciliation(summary([]), entropy=random.Random())  # type: ignore[arg-type]
    one, other = (Reconciliation(summary([])) for _ in range(2))
    assert one.request_id != other.request_id
    assert 'id' not in repr(one)
