"""CBOR as this room speaks it: one encoding for each value, and nothing else is read.

What is signed must have one spelling. So the reader takes the core deterministic encoding (RFC 8949, 4.2.1) only:
shortest lengths, shortest floats, definite lengths, keys in order and once. Tags, ``undefined`` and other simple
values are refused: nothing that comes from the network may build a date, a pattern or a big number here.

Values are those of JSON, and byte strings: ``None``, ``bool``, ``int`` of 64 bits and a sign, ``float``, ``str``,
``bytes``, lists, and maps with text keys. Our own formats are maps with small numbers as keys (`encode_fields`,
`decode_fields`).

Why not a library: every rule above would have to be checked by a walk in Python anyway, before (nothing deep may reach
a compiled encoder: cbor2 6.2.1 overflows its stack and ends the process) and after (its `canonical` order of keys is by
length alone). The walk is all that there is to do. Tests compare it with the RFC's examples and with cbor2.

Raises: `ValueError` for bytes that are not such an encoding, `TypeError` and `ValueError` for values that have none.
Neither text contains the value.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

__all__ = ['DEPTH_MAX', 'ITEMS_MAX', 'decode', 'decode_fields', 'encode', 'encode_fields']

DEPTH_MAX: Final = 32
"""Containers within containers (F16)."""
ITEMS_MAX: Final = 1 << 20
"""Items of one value: a message of 10 MB with small ones, at most 100 MB in memory (F16, F17)."""

_UINT, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _SIMPLE = 0, 1, 2, 3, 4, 5, 7
_SPECIAL: Final = {0xF4: False, 0xF5: True, 0xF6: None}
_FLOATS: Final = {0xF9: struct.Struct('>e'), 0xFA: struct.Struct('>f'), 0xFB: struct.Struct('>d')}
_NAN: Final = b'\xf9\x7e\x00'


def encode(value: Any) -> bytes:
    """The bytes of a value.

    Raises:
        TypeError: something in it has no place in CBOR as we speak it.
        ValueError: it is too deep, has too many items, a number is too great, or a text is no Unicode.
    """
    out: list[bytes] = []
    _write(value, out, 0)
    return b''.join(out)


def encode_fields(fields: Mapping[int, Any]) -> bytes:
    """A map with keys from 0 to 23, in their order."""
    out = [_head(_MAP, len(fields))]
    for key in sorted(fields):
        out.append(_head(_UINT, key))
        _write(fields[key], out, 1)
    return b''.join(out)


def decode(data: bytes) -> Any:
    """The value whose bytes these are, all of them.

    Raises:
        ValueError: they are not the one encoding of a value.
    """
    reader = _Reader(data)
    value = reader.value(0)
    reader.end()
    return value


def decode_fields(data: bytes, keys: frozenset[int]) -> dict[int, Any]:
    """A map with exactly these keys, from 0 to 23.

    Raises:
        ValueError: the bytes are anything else.
    """
    reader = _Reader(data)
    kind, count = reader.head()
    if kind != _MAP or count != len(keys):
        raise ValueError('other fields')
    fields: dict[int, Any] = {}
    for expected in sorted(keys):
        if reader.head() != (_UINT, expected):
            raise ValueError('other fields')
        fields[expected] = reader.value(1)
    reader.end()
    return fields


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes((kind << 5 | number,))
    if number < 0x100:
        return bytes((kind << 5 | 24, number))
    if number < 0x10000:
        return struct.pack('>BH', kind << 5 | 25, number)
    if number < 0x100000000:
        return struct.pack('>BI', kind << 5 | 26, number)
    if number < 0x10000000000000000:
        return struct.pack('>BQ', kind << 5 | 27, number)
    raise ValueError('a number does not fit in 64 bits')


def _float(value: float) -> bytes:
    if value != value:
        return _NAN
    for code, form in _FLOATS.items():
        try:
            packed = form.pack(value)
        except OverflowError:
            continue
        if form.unpack(packed)[0] == value:
            return bytes((code,)) + packed
    raise AssertionError('a double holds every float')


def _write(value: Any, out: list[bytes], depth: int) -> None:
    if len(out) > 2 * ITEMS_MAX:
        raise ValueError('too many items')
    if value is None:
        out.append(b'\xf6')
    elif value is True or value is False:
        out.append(b'\xf5' if value else b'\xf4')
    elif isinstance(value, str):
        text = _utf8(value)
        out += (_head(_TEXT, len(text)), text)
    elif isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        out += (_head(_BYTES, len(data)), data)
    elif isinstance(value, int):
        out.append(_head(_UINT, value) if value >= 0 else _head(_NEGATIVE, -1 - value))
    elif isinstance(value, float):
        out.append(_float(value))
    else:
        _write_container(value, out, depth)


def _write_container(value: Any, out: list[bytes], depth: int) -> None:
    if depth >= DEPTH_MAX:
        raise ValueError('too deep')
    if isinstance(value, list | tuple):
        out.append(_head(_LIST, len(value)))
        for each in value:
            _write(each, out, depth + 1)
    elif isinstance(value, Mapping):
        pairs = []
        for key, each in value.items():
            if not isinstance(key, str):
                raise TypeError(f'keys are text, not {type(key).__name__}')
            text = _utf8(key)
            pairs.append((len(text), text, each))
        pairs.sort(key=lambda pair: pair[:2])
        out.append(_head(_MAP, len(pairs)))
        for length, text, each in pairs:
            out += (_head(_TEXT, length), text)
            _write(each, out, depth + 1)
    else:
        raise TypeError(f'{type(value).__name__} cannot be sent: take None, bool, int, float, str, bytes, list or dict')


def _utf8(text: str) -> bytes:
    try:
        return text.encode('utf-8')
    except UnicodeEncodeError:
        # The error itself would carry the text.
        raise ValueError('a text with a lone surrogate') from None


class _Reader:
    """Reads one value; every step is bounded by the bytes that are left and the items that are allowed."""

    __slots__ = ('at', 'data', 'items')

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.items = 0

    def end(self) -> None:
        if self.at != len(self.data):
            raise ValueError('bytes after the value')

    def take(self, count: int) -> bytes:
        """The next bytes; nothing is reserved for what is not there."""
        start, self.at = self.at, self.at + count
        if self.at > len(self.data):
            raise ValueError('ends within a value')
        return self.data[start : self.at]

    def head(self) -> tuple[int, int]:
        """Major type and number, of kinds that carry one."""
        first = self.take(1)[0]
        kind, low = first >> 5, first & 31
        if low < 24:
            return kind, low
        if low > 27:
            raise ValueError('an indefinite length')
        size = 1 << (low - 24)
        number = int.from_bytes(self.take(size), 'big')
        if number < 24 or (size > 1 and number >> (4 * size) == 0):
            raise ValueError('a longer number than needed')
        return kind, number

    def value(self, depth: int) -> Any:
        self.items += 1
        if self.items > ITEMS_MAX:
            raise ValueError('too many items')
        if self.at < len(self.data) and self.data[self.at] >> 5 == _SIMPLE:
            return self.simple()
        kind, number = self.head()
        if kind == _UINT:
            return number
        if kind == _NEGATIVE:
            return -1 - number
        if kind == _BYTES:
            return self.take(number)
        if kind == _TEXT:
            return self.text(number)
        if kind not in (_LIST, _MAP):
            raise ValueError('a tag')
        if depth >= DEPTH_MAX:
            raise ValueError('too deep')
        if number > len(self.data) - self.at:
            raise ValueError('ends within a value')
        return [self.value(depth + 1) for _ in range(number)] if kind == _LIST else self.map(number, depth + 1)

    def text(self, length: int) -> str:
        try:
            return self.take(length).decode('utf-8')
        except UnicodeDecodeError:
            raise ValueError('a text that is not UTF-8') from None

    def map(self, count: int, depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        before = b''
        for _ in range(count):
            start = self.at
            kind, length = self.head()
            if kind != _TEXT:
                raise ValueError('a key that is no text')
            key = self.text(length)
            spelt = self.data[start : self.at]
            if spelt <= before:
                raise ValueError('keys out of order')
            before = spelt
            fields[key] = self.value(depth)
        return fields

    def simple(self) -> Any:
        first = self.take(1)[0]
        if first in _SPECIAL:
            return _SPECIAL[first]
        if first not in _FLOATS:
            raise ValueError('an unknown simple value')
        form = _FLOATS[first]
        packed = self.take(form.size)
        value: float = form.unpack(packed)[0]
        if _float(value) != bytes((first,)) + packed:
            raise ValueError('a longer float than needed')
        return value
