"""Summaries: ranges of ids and their fingerprints, and two caches that find their difference by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_core import NO_ID, PUBLISH, encode, parse
from socket_core._cache import PREFIX_BYTES, Cache, Summary
from tests.core.reconciliation import reconcile

VECTORS = json.loads((Path(__file__).parent / 'summary_vectors.json').read_text())
KEY = bytes(range(16))
SOME = parse(encode(PUBLISH, cluster=NO_ID))
MASK = 2**64 - 1


def summary_of(prefixes: Any) -> Summary:
    """Of a cache that has been told that some packet has these ids."""
    cache = Cache(8 * 1024 * 1024)
    for prefix in prefixes:
        cache.insert(SOME, now=0, id=prefix.ljust(32, b'\0'))
    return cache.summary()


def siphash_128(key: bytes, data: bytes) -> bytes:
    """SipHash-2-4 with 128 bits of output, as its authors describe it."""

    def rotate(word: int, bits: int) -> int:
        return (word << bits | word >> (64 - bits)) & MASK

    def rounds(count: int) -> None:
        for _ in range(count):
            v[0], v[2] = (v[0] + v[1]) & MASK, (v[2] + v[3]) & MASK
            v[1], v[3] = rotate(v[1], 13) ^ v[0], rotate(v[3], 16) ^ v[2]
            v[0] = rotate(v[0], 32)
            v[2], v[0] = (v[2] + v[1]) & MASK, (v[0] + v[3]) & MASK
            v[1], v[3] = rotate(v[1], 17) ^ v[2], rotate(v[3], 21) ^ v[0]
            v[2] = rotate(v[2], 32)

    low, high = (int.from_bytes(key[at : at + 8], 'little') for at in (0, 8))
    v = [
        low ^ 0x736F6D6570736575,
        high ^ 0x646F72616E646F6D ^ 0xEE,
        low ^ 0x6C7967656E657261,
        high ^ 0x7465646279746573,
    ]
    padded = data.ljust(len(data) // 8 * 8 + 7, b'\0') + bytes([len(data) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], 'little')
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xEE
    rounds(4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return first.to_bytes(8, 'little') + (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, 'little')


def sum_of(key: bytes, ids: list[bytes]) -> bytes:
    total = sum(int.from_bytes(siphash_128(key, id), 'little') for id in ids)
    return (total % 2**128).to_bytes(16, 'little')


prefixes = st.binary(min_size=PREFIX_BYTES, max_size=PREFIX_BYTES)
#: Many with a beginning in common: where bounds are told apart late.
alike = st.builds(lambda head, tail: (head + tail)[:PREFIX_BYTES], st.sampled_from((b'', b'a', b'a' * 12)), prefixes)
id_sets = st.sets(prefixes | alike, max_size=60)
bounds = st.binary(max_size=PREFIX_BYTES) | alike | st.sampled_from((b'', b'a', b'a' * 12, b'\xff' * 14))


def within(ids: set[bytes], low: bytes, high: bytes | None) -> list[bytes]:
    low = low.ljust(PREFIX_BYTES, b'\0')
    return sorted(id for id in ids if id >= low and (high is None or id < high.ljust(PREFIX_BYTES, b'\0')))


def test_the_hash_here_is_that_of_its_authors() -> None:
    """From the vectors of the reference implementation: key 00 01 ... 0f, data 00 01 ..."""
    assert siphash_128(KEY, b'').hex() == 'a3817f04ba25a8e66df67214c7550293'
    assert siphash_128(KEY, bytes(range(14))).hex() == '31fcefac66d7de9c7ec7485fe4494902'


@pytest.mark.parametrize('vector', VECTORS, ids=lambda vector: f'{len(vector["ids"])} ids')
def test_fingerprints_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    """Made by OpenSSL's SipHash, so that they hold for whoever speaks to us."""
    ids = [bytes.fromhex(id) for id in vector['ids']]
    summary = summary_of(ids)
    assert summary.ids() == sorted(ids)
    assert summary.fingerprint(bytes.fromhex(vector['key'])).hex() == vector['fingerprint']


@given(id_sets, bounds, st.none() | bounds, st.binary(min_size=16, max_size=16))
def test_ranges(ids: set[bytes], low: bytes, high: bytes | None, key: bytes) -> None:
    summary = summary_of(ids)
    inside = within(ids, low, high)
    assert len(summary) == len(ids) == summary.count()
    assert summary.count(low, high) == len(inside)
    assert summary.ids(low, high) == inside
    assert summary.ids(low, high, limit=3) == inside[:3]
    assert summary.fingerprint(key, low, high) == sum_of(key, inside)


@given(id_sets, bounds, st.none() | bounds, st.integers(1, 20))
def test_parts_of_a_range(ids: set[bytes], low: bytes, high: bytes | None, parts: int) -> None:
    summary = summary_of(ids)
    inside = within(ids, low, high)
    middle = summary.split(parts, low, high)
    assert len(middle) == max(0, min(parts, len(inside)) - 1)
    edges = [low, *middle, high]
    pieces = [summary.ids(start or b'', stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)]
    assert [id for piece in pieces for id in piece] == inside
    if inside:
        sizes = [len(piece) for piece in pieces]
        assert max(sizes) - min(sizes) <= 1
    for bound, before, after in zip(middle, pieces[:-1], pieces[1:], strict=True):
        # Not a byte more than it takes.
        assert after[0].startswith(bound) and before[-1] < bound.ljust(PREFIX_BYTES, b'\0')
        assert before[-1] >= bound[:-1].ljust(PREFIX_BYTES, b'\0')


@given(id_sets, id_sets, id_sets, st.binary(min_size=16, max_size=16))
def test_two_caches_find_their_difference(both: set[bytes], one: set[bytes], other: set[bytes], key: bytes) -> None:
    first, second = both | one, both | other
    outcome = reconcile(summary_of(first), summary_of(second), key)
    assert outcome.first_lacks == second - first
    assert outcome.second_lacks == first - second


def test_its_cost_grows_with_the_difference_and_not_with_the_caches() -> None:
    ids = [number.to_bytes(3, 'big') * 5 for number in range(0, 2**24, 2**24 // 14_000)]
    whole = summary_of(id[:PREFIX_BYTES] for id in ids)
    all_bytes = len(whole) * PREFIX_BYTES
    costs = []
    for lacking, share in ((0, 0.001), (1, 0.01), (10, 0.04), (100, 0.25)):
        part = summary_of(id[:PREFIX_BYTES] for at, id in enumerate(ids) if at * lacking % len(ids) >= lacking)
        outcome = reconcile(part, whole, KEY)
        assert len(outcome.first_lacks) == len(whole) - len(part) == lacking and not outcome.second_lacks
        assert outcome.messages <= 7
        assert outcome.wire_bytes < all_bytes * share
        costs.append(outcome.wire_bytes)
    assert costs == sorted(costs)


def test_another_key_another_fingerprint() -> None:
    """What has the same sum without a key, or with one that is known beforehand, has it under no other."""
    ids = [bytes(6) + number.to_bytes(8, 'big') for number in (1, 4, 2, 3)]
    one, other = summary_of(ids[:2]), summary_of(ids[2:])
    assert sum(int.from_bytes(id, 'big') for id in one.ids()) == sum(int.from_bytes(id, 'big') for id in other.ids())
    assert len({summary.fingerprint(key) for summary in (one, other) for key in (KEY, KEY[::-1], bytes(16))}) == 6


def test_a_summary_stays_as_it_was() -> None:
    cache = Cache()
    packets = [parse(encode(PUBLISH, cluster=NO_ID, clock=clock)) for clock in range(300)]
    cache.insert_many(packets[:200], now=0)
    summary = cache.summary()
    fingerprint = summary.fingerprint(KEY)
    cache.insert_many(packets, now=0)
    for packet in packets[:50]:
        cache.remove(packet.id)
    assert summary.ids() == sorted(packet.id[:PREFIX_BYTES] for packet in packets[:200])
    assert summary.fingerprint(KEY) == fingerprint
    del cache
    assert summary.fingerprint(KEY) == fingerprint
    assert repr(summary) == '<Summary of 200 ids>'


def test_a_summary_of_nothing() -> None:
    summary = Cache().summary()
    assert (len(summary), summary.count(), summary.ids(), summary.split(8)) == (0, 0, [], [])
    assert summary.fingerprint(KEY) == bytes(16)
    # Made past its constructor it is as empty.
    empty = Summary.__new__(Summary)
    assert (len(empty), empty.ids(b'a', b'b'), empty.fingerprint(KEY)) == (0, [], bytes(16))


@pytest.mark.parametrize(
    ('call', 'error'),
    [
        (lambda summary: summary.fingerprint(bytes(15)), ValueError),
        (lambda summary: summary.fingerprint(bytearray(16)), TypeError),
        (lambda summary: summary.fingerprint(KEY, bytes(15)), ValueError),
        (lambda summary: summary.count('a'), TypeError),
        (lambda summary: summary.count(b'', bytes(15)), ValueError),
        (lambda summary: summary.count(None), TypeError),
        (lambda summary: summary.split(0), ValueError),
        (lambda summary: summary.split(4097), ValueError),
        (lambda summary: summary.split(2**70), ValueError),
        (lambda summary: summary.split(2.0), TypeError),
        (lambda summary: summary.ids(limit=-1), ValueError),
        (lambda summary: summary.ids(b'', b'', 'all'), TypeError),
        (lambda summary: Summary(), TypeError),
    ],
)
def test_mistakes_are_the_callers(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call(summary_of([bytes(14)]))
