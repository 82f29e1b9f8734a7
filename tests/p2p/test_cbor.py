"""One encoding for each value: RFC 8949's examples, another library, and everything that is not one."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socket_runtime.p2p import _cbor
from socket_runtime.p2p._cbor import DEPTH_MAX, decode, decode_fields, encode, encode_fields
from tests.strategies import json_values

# RFC 8949, appendix A: those of its examples that are deterministic and of our kinds.
EXAMPLES: list[tuple[Any, str]] = [
    (0, '00'), (1, '01'), (10, '0a'), (23, '17'), (24, '1818'), (25, '1819'), (100, '1864'), (1000, '1903e8'),
    (1000000, '1a000f4240'), (1000000000000, '1b000000e8d4a51000'), (18446744073709551615, '1bffffffffffffffff'),
    (-18446744073709551616, '3bffffffffffffffff'), (-1, '20'), (-10, '29'), (-100, '3863'), (-1000, '3903e7'),
    (0.0, 'f90000'), (-0.0, 'f98000'), (1.0, 'f93c00'), (1.1, 'fb3ff199999999999a'), (1.5, 'f93e00'),
    (65504.0, 'f97bff'), (100000.0, 'fa47c35000'), (3.4028234663852886e38, 'fa7f7fffff'),
    (1.0e300, 'fb7e37e43c8800759c'), (5.960464477539063e-8, 'f90001'), (0.00006103515625, 'f90400'), (-4.0, 'f9c400'),
    (-4.1, 'fbc010666666666666'), (math.inf, 'f97c00'), (-math.inf, 'f9fc00'), (False, 'f4'), (True, 'f5'),
    (None, 'f6'), (b'', '40'), (b'\1\2\3\4', '4401020304'), ('', '60'), ('a', '6161'), ('IETF', '6449455446'),
    ('"\\', '62225c'), ('ü', '62c3bc'), ('水', '63e6b0b4'), ('\U00010151', '64f0908591'), ([], '80'),
    ([1, 2, 3], '83010203'), ([1, [2, 3], [4, 5]], '8301820203820405'),
    (list(range(1, 26)), '98190102030405060708090a0b0c0d0e0f101112131415161718181819'), ({}, 'a0'),
    ({'a': 1, 'b': [2, 3]}, 'a26161016162820203'), (['a', {'b': 'c'}], '826161a161626163'),
    ({'a': 'A', 'b': 'B', 'c': 'C', 'd': 'D', 'e': 'E'}, 'a56161614161626142616361436164614461656145'),
]  # fmt: skip

# RFC 8949, appendices A and F, and core deterministic encoding broken in each way.
REFUSED = {
    'nothing': '', 'ends in a head': '18', 'ends in a long head': '1b0102', 'ends in bytes': '4401', 'ends in text': '6261',
    'ends in a list': '8201', 'ends in a map': 'a16161', 'two values': '0000', 'reserved head': '1c', 'break': 'ff',
    'long zero': '1800', 'long 23': '1817', 'long 255': '1900ff', 'long 65535': '1a0000ffff', 'long u32': '1b00000000ffffffff',
    'long length of bytes': '580101', 'long length of text': '780161', 'long length of list': '980101',
    'long length of map': 'b801616101', 'indefinite bytes': '5f42010243030405ff', 'indefinite text': '7f657374726561646d696e67ff',
    'indefinite list': '9fff', 'indefinite map': 'bfff', 'tag: date': 'c11a514b67b0', 'tag: big number': 'c249010000000000000000',
    'tag: encoded': 'd818456449455446', 'tag: shared': 'd81d00', 'tag: self-described': 'd9d9f700', 'undefined': 'f7', 'simple 16': 'f0',
    'simple 255': 'f8ff', 'simple 24': 'f818', 'float 1.5 in 4 bytes': 'fa3fc00000', 'float 1.5 in 8 bytes': 'fb3ff8000000000000',
    'float 100000 in 8 bytes': 'fb40f86a0000000000', 'NaN in 4 bytes': 'fa7fc00000', 'NaN in 8 bytes': 'fb7ff8000000000000',
    'another NaN': 'f97e01', 'negative NaN': 'f9fe00', 'infinity in 4 bytes': 'fa7f800000', 'not UTF-8': '61ff', 'a surrogate': '63eda080',
    'overlong UTF-8': '62c080', 'key is a number': 'a10102', 'key is bytes': 'a1416101', 'key is a list': 'a18001',
    'keys twice': 'a2616101616102', 'keys out of order': 'a2616201616102', 'longer key first': 'a262616101616102',
    'a list of 2**64-1': '9bffffffffffffffff', 'a map of 2**32-1': 'baffffffff', 'bytes of 2**63': '5b8000000000000000',
}  # fmt: skip


@pytest.mark.parametrize(('value', 'text'), EXAMPLES, ids=[text[:24] for _, text in EXAMPLES])
def test_examples_of_the_rfc(value: Any, text: str) -> None:
    data = bytes.fromhex(text)
    assert encode(value) == data
    read = decode(data)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize('text', REFUSED.values(), ids=REFUSED)
def test_what_is_not_the_one_encoding_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r'.'):
        decode(bytes.fromhex(text))


@given(json_values() | st.binary(max_size=30))
def test_values_come_back(value: Any) -> None:
    data = encode(value)
    assert decode(data) == value
    assert encode(decode(data)) == data


@given(json_values())
def test_another_library_reads_the_same(value: Any) -> None:
    cbor2 = pytest.importorskip('cbor2', reason='cbor2 is missing: pip install -e .[dev]')
    assert cbor2.loads(encode(value)) == value


@given(st.binary(max_size=64))
@example(b'\xf9\x7e\x00')
def test_any_bytes_are_one_value_or_a_value_error(data: bytes) -> None:
    try:
        value = decode(data)
    except ValueError:
        return
    assert encode(value) == data


def test_nan_has_one_spelling() -> None:
    for packed in (struct.pack('>d', math.nan), bytes.fromhex('fff8000000000001'), bytes.fromhex('7ff0000000000001')):
        assert encode(struct.unpack('>d', packed)[0]) == b'\xf9\x7e\x00'
    assert math.isnan(decode(b'\xf9\x7e\x00'))


def test_depth_is_limited_both_ways() -> None:
    deep: Any = None
    for _ in range(DEPTH_MAX):
        deep = [deep]
    assert decode(encode(deep)) == deep
    with pytest.raises(ValueError, match='deep'):
        encode([deep])
    with pytest.raises(ValueError, match='deep'):
        decode(b'\x81' + encode(deep))
    with pytest.raises(ValueError, match='deep'):
        decode(b'\x81' * 1_000_000)


def test_a_value_within_itself_is_too_deep() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match='deep'):
        encode(circle)


def test_items_are_limited_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cbor, 'ITEMS_MAX', 100)
    assert len(decode(encode([0] * 99))) == 99
    with pytest.raises(ValueError, match='items'):
        encode([0] * 300)
    with pytest.raises(ValueError, match='items'):
        decode(b'\x98\xff' + bytes(255))


@pytest.mark.parametrize(
    'value',
    [{1: 2}, {b'a': 1}, {None: 1}, {1, 2}, object(), 1j, [object()], {'a': {('x',): 1}}, len, range(3)],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_place_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize('value', [1 << 64, -(1 << 64) - 1, '\ud800', {'\udfff': 1}], ids=ascii)
def test_what_does_not_fit_is_a_value_error_without_the_value(value: Any) -> None:
    with pytest.raises(ValueError, match=r'.') as raised:
        encode(value)
    assert type(raised.value) is ValueError
    assert raised.value.__cause__ is None


def test_bytes_of_any_kind_and_tuples_are_taken() -> None:
    assert encode((bytearray(b'a'), memoryview(b'b'))) == encode([b'a', b'b'])


def test_keys_are_sorted_by_their_bytes() -> None:
    assert encode({'b': 1, 'aa': 2, 'a': 3, 'é': 4}) == bytes.fromhex('a4616103616201626161 02 62c3a904')


def test_fields_are_exactly_those() -> None:
    data = encode_fields({2: 'x', 1: None})
    assert data == bytes.fromhex('a201f6026178')
    assert decode_fields(data, frozenset({1, 2})) == {1: None, 2: 'x'}
    for keys in ({1}, {1, 2, 3}, {1, 3}, {0, 1}):
        with pytest.raises(ValueError, match='fields'):
            decode_fields(data, frozenset(keys))
    for wrong in ('a2026178 01f6', 'a201f601f6', 'a1f6', '8201f6', 'a2180102 0261', ''):
        with pytest.raises(ValueError, match=r'.'):
            decode_fields(bytes.fromhex(wrong), frozenset({1, 2}))
    with pytest.raises(ValueError, match='after'):
        decode_fields(data + b'\0', frozenset({1, 2}))
