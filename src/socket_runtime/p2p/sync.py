"""Sync: the body by which two peers find what one of their caches lacks. The exchange is in `reconcile`.

::

    72  16  key: of this exchange's fingerprints
    88   2  step: which of the exchange's requests; an answer bears that of its request
    90   1  flags: 1 is an answer
    91   1  number of ranges; they follow, in order, and do not overlap
        1   number of wanted packets; the first 14 bytes of the id of each follow, in order

    range   kind 1 (with 128 if it begins where the one before it ends)
            low    length 1 and so many bytes; left out where the kind has 128
            high   length 1 and so many bytes; 255 is the end
            kind 0 nothing: what have you here?
            kind 1 how many ids 4 | fingerprint 16
            kind 2 how many ids 1 | the first 14 bytes of each, in order

A bound is the beginning of an id without zeros at its end, so each has one spelling, and bytes are ordered as bounds
are. Ranges that do not overlap are what bounds the work: all fingerprints of one request together take one pass over
the ids, however it is made up (F18).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from socket_core import PREFIX_BYTES, SYNC
from socket_runtime.p2p._body import FIELDS_MAX_BYTES, Body, Reader, is_id, require
from socket_runtime.p2p.errors import BadBody

__all__ = ['FINGERPRINT_BYTES', 'KEY_BYTES', 'LISTED_MAX', 'RANGES_ROOM_BYTES', 'Range', 'Sync', 'is_beyond']

KEY_BYTES: Final = 16
FINGERPRINT_BYTES: Final = 16
RANGES_ROOM_BYTES: Final = FIELDS_MAX_BYTES - KEY_BYTES - 2 - 1 - 1 - 1
"""Room for ranges and wanted ids in one packet: 867 bytes."""
LISTED_MAX: Final = 60
"""Ids in one range, and wanted ids in one packet: what fits."""

_IS_ANSWER: Final = 1
_JOINED: Final = 128
_ASK, _SUM, _IDS = 0, 1, 2
_END: Final = 255


def is_beyond(bound: bytes | None, limit: bytes | None) -> bool:
    """Whether an upper bound lies behind another; ``None`` is the end."""
    return limit is not None and (bound is None or bound > limit)


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of ids, and what its sender has there. With neither a fingerprint nor ids it is a question.

    Attributes:
        low: from here on; the beginning of an id.
        high: up to here and without it; ``None`` is the end.
        count: how many ids, with a fingerprint.
        fingerprint: of those.
        ids: the beginnings of all of them, 14 bytes each, in order.
    """

    low: bytes = field(default=b'', repr=False)
    high: bytes | None = field(default=None, repr=False)
    count: int = 0
    fingerprint: bytes | None = field(default=None, repr=False)
    ids: tuple[bytes, ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require(_is_bound(self.low) and (self.high is None or _is_bound(self.high)), 'a bound is 0 to 14 bytes')
        require(is_beyond(self.high, self.low), 'a range ends behind its beginning')
        require(self.fingerprint is None or self.ids is None, 'a range has a fingerprint or ids')
        require(self.fingerprint is not None or self.count == 0, 'a count needs a fingerprint')
        if self.fingerprint is not None:
            require(len(self.fingerprint) == FINGERPRINT_BYTES and 0 <= self.count < 1 << 32, 'no fingerprint')
        if self.ids:
            require(_is_list(self.ids), f'a range lists at most {LISTED_MAX} ids, in order')
            require(self.ids[0] >= self.low and is_beyond(self.high, self.ids[-1]), 'an id is outside of its range')

    def write(self, joined: bool) -> bytes:
        """The range in bytes; ``joined`` if it begins where the one before it ends."""
        kind = _SUM if self.fingerprint is not None else _ASK if self.ids is None else _IDS
        low = b'' if joined else bytes((len(self.low),)) + self.low
        high = bytes((_END,)) if self.high is None else bytes((len(self.high),)) + self.high
        head = bytes((kind | joined * _JOINED,)) + low + high
        if self.fingerprint is not None:
            return head + self.count.to_bytes(4, 'big') + self.fingerprint
        return head if self.ids is None else head + bytes((len(self.ids),)) + b''.join(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync(Body):
    """One step of a reconciliation.

    Attributes:
        request_id: of the whole exchange, drawn by whoever began it.
        key: of its fingerprints, drawn likewise.
        step: which request this is, or answers.
        is_answer: whether it is an answer.
        ranges: in order; in a request questions and fingerprints, in an answer fingerprints and ids.
        wanted: the beginnings of the ids of packets that are asked for; in a request only. They come as packets.
    """

    TYPE: ClassVar[int] = SYNC
    request_id: bytes = field(repr=False)
    key: bytes = field(repr=False)
    step: int
    is_answer: bool = False
    ranges: tuple[Range, ...] = ()
    wanted: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        require(is_id(self.request_id), 'a requestId is 32 bytes')
        require(type(self.key) is bytes and len(self.key) == KEY_BYTES, f'a key is {KEY_BYTES} bytes')
        require(0 <= self.step < 1 << 16, 'a step is at most 65535')
        require(_are_in_order(self.ranges), 'ranges are in order and do not overlap')
        require(_is_list(self.wanted), f'at most {LISTED_MAX} packets are wanted, in order')
        if self.is_answer:
            require(not self.wanted, 'an answer wants nothing')
            require(all(each.fingerprint or each.ids is not None for each in self.ranges), 'an answer asks nothing')
        else:
            require(all(each.ids is None for each in self.ranges), 'a request lists no ids')

    def _write(self) -> bytes:
        require(len(self.ranges) < 256, 'too many ranges')
        ranges, before = [], b''
        for number, each in enumerate(self.ranges):
            ranges.append(each.write(number > 0 and each.low == before))
            before = each.high or b''
        head = self.key + self.step.to_bytes(2, 'big') + bytes((self.is_answer * _IS_ANSWER, len(ranges)))
        return head + b''.join(ranges) + bytes((len(self.wanted),)) + b''.join(self.wanted)

    @classmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        key, step, flags = reader.take(KEY_BYTES), reader.number(2), reader.flags(_IS_ANSWER)
        ranges: list[Range] = []
        for _ in range(reader.number(1)):
            ranges.append(_read_range(reader, ranges))
        wanted = tuple(reader.take(PREFIX_BYTES) for _ in range(reader.number(1)))
        return cls(
            request_id=request_id,
            key=key,
            step=step,
            is_answer=bool(flags & _IS_ANSWER),
            ranges=tuple(ranges),
            wanted=wanted,
        )


def _read_range(reader: Reader, before: Sequence[Range]) -> Range:
    kind = reader.number(1)
    end = before[-1].high if before else None
    if kind & _JOINED:
        if end is None:
            raise BadBody('range')
        low = end
    else:
        low = _read_bound(reader, reader.number(1))
        # Not beyond the end of the one before, and not where it ends: that is spelt otherwise.
        if before and (end is None or low <= end):
            raise BadBody('range')
    length = reader.number(1)
    high = None if length == _END else _read_bound(reader, length)
    kind &= ~_JOINED
    if kind == _ASK:
        return Range(low, high)
    if kind == _SUM:
        count = reader.number(4)
        return Range(low, high, count, reader.take(FINGERPRINT_BYTES))
    if kind == _IDS:
        return Range(low, high, ids=tuple(reader.take(PREFIX_BYTES) for _ in range(reader.number(1))))
    raise BadBody('range')


def _read_bound(reader: Reader, length: int) -> bytes:
    if length > PREFIX_BYTES:
        raise BadBody('range')
    return reader.take(length)


def _is_bound(bound: bytes) -> bool:
    return type(bound) is bytes and len(bound) <= PREFIX_BYTES and not bound.endswith(b'\0')


def _is_list(ids: Sequence[bytes]) -> bool:
    if len(ids) > LISTED_MAX or any(type(each) is not bytes or len(each) != PREFIX_BYTES for each in ids):
        return False
    return all(one < other for one, other in zip(ids, ids[1:], strict=False))


def _are_in_order(ranges: Sequence[Range]) -> bool:
    pairs = zip(ranges, ranges[1:], strict=False)
    return all(one.high is not None and other.low >= one.high for one, other in pairs)
