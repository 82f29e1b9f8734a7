"""How two peers find the packets that one of them lacks, at a cost that grows with the difference.

One side asks, and keeps all that is kept: `Reconciliation`. The other answers each request out of its own summary and
remembers nothing: `answer`. So a lost packet, in either direction, is mended by asking again, a peer that asks many
holds no place in those that answer, and both may ask each other at one time.

1. The first request has the fingerprint of everything. The answer is the same fingerprint: done, in one trip.
2. Or it is not, and the answer splits the range: the fingerprint of each part. Where that differs from our own, we ask
   again; where the range has few ids, the answer lists them, and we know what differs.
3. Whatever does not fit into one answer is left out, and asked for again.

What only we have we send, as packets; what only they have we ask for by the beginnings of its ids (`wants`), and it
comes as packets. Both take the way of all packets through the core. Whoever lies in an exchange is sent, or keeps back,
a few packets; the number of requests is bounded, so it cannot be kept going (F18).

An answer is longer than its request, and costs a pass over the ids: only peers that have proved their address are
answered, and each has its limit. That, the signatures, and when to begin, is the peer's to say.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from socket_core import ID_BYTES, PREFIX_BYTES, Summary
from socket_runtime.p2p.entropy import SYSTEM, Entropy, require_entropy
from socket_runtime.p2p.errors import BadBody
from socket_runtime.p2p.sync import KEY_BYTES, LISTED_MAX, RANGES_ROOM_BYTES, Range, Sync, is_beyond

__all__ = ['AT_ONCE', 'LIST_UP_TO', 'RETRY_MS', 'STEPS_MAX', 'TRIES_MAX', 'Reconciliation', 'answer', 'wants']

LIST_UP_TO: Final = 28
"""A range with no more ids is listed: 392 bytes. Less or more cost more, for 1 to 1000 differences of 5,000 packets."""
PARTS_MAX: Final = 32
AT_ONCE: Final = 16
"""Requests that await an answer at one time."""
STEPS_MAX: Final = 1024
"""Requests of one exchange: twice what two full caches without one common packet need (F18)."""
RETRY_MS: Final = 500
TRIES_MAX: Final = 5

_PER_PART: Final = LIST_UP_TO // 2
_PART_BYTES: Final = 25  # of a part with a short bound


@dataclass(slots=True)
class _Asked:
    request: Sync
    due_ms: int
    tries: int = 1


class Reconciliation:
    """The side that asks.

    Args:
        summary: of our cache, at this moment.
        entropy: draws the requestId and the key.
        retry_ms: how long an answer may take before it is asked for again.

    Attributes:
        request_id: of all its requests.
        only_here: the beginnings of ids that only we have, so far; to be sent.
        only_there: the beginnings of ids that only they have, so far; see `wants`.
        steps: requests that were made, without repeats.
        gave_up: whether it ended early: no answer, a wrong one, or too many.
    """

    __slots__ = (
        '_asked',
        '_key',
        '_pending',
        '_retry_ms',
        '_summary',
        'gave_up',
        'only_here',
        'only_there',
        'request_id',
        'steps',
    )

    def __init__(self, summary: Summary, *, entropy: Entropy = SYSTEM, retry_ms: int = RETRY_MS) -> None:
        require_entropy(entropy)
        self.request_id = entropy.draw(ID_BYTES)
        self.only_here: set[bytes] = set()
        self.only_there: set[bytes] = set()
        self.steps = 0
        self.gave_up = False
        self._key = entropy.draw(KEY_BYTES)
        self._summary = summary
        self._retry_ms = retry_ms
        self._asked: dict[int, _Asked] = {}
        # (low, high, how long the answer may be); they do not overlap, so the rest is never compared.
        self._pending: list[tuple[bytes, bytes | None, int]] = [(b'', None, RANGES_ROOM_BYTES)]

    @property
    def is_over(self) -> bool:
        """Whether nothing is asked any more."""
        return self.gave_up or not (self._pending or self._asked)

    @property
    def next_ms(self) -> int | None:
        """When `requests` should be called again if nothing comes, or ``None``."""
        return min((each.due_ms for each in self._asked.values()), default=None)

    def requests(self, now_ms: int) -> list[Sync]:
        """What is to be sent now: new questions, and those that were not answered in time.

        Args:
            now_ms: ms of a clock that never goes back.
        """
        due = [each for each in self._asked.values() if each.due_ms <= now_ms and not self.gave_up]
        for each in due:
            if each.tries >= TRIES_MAX:
                self._give_up()
                return []
            each.tries += 1
            each.due_ms = now_ms + (self._retry_ms << (each.tries - 1))
        found = [each.request for each in due]
        while self._pending and len(self._asked) < AT_ONCE:
            if self.steps >= STEPS_MAX:
                self._give_up()
                return []
            request = self._next_request()
            self._asked[request.step] = _Asked(request, now_ms + self._retry_ms)
            found.append(request)
        return found

    def receive(self, answer: Sync) -> bool:
        """Take an answer whose sender is the peer that was asked; whether it was awaited.

        Raises:
            BadBody: it answers something else than was asked. The exchange is over.
        """
        if not answer.is_answer or answer.request_id != self.request_id or answer.key != self._key:
            return False
        asked = self._asked.pop(answer.step, None)
        if asked is None or self.gave_up:
            return False
        ranges = iter(answer.ranges)
        upcoming = next(ranges, None)
        if upcoming is None:
            raise self._refusal()
        for each in asked.request.ranges:
            at: bytes | None = each.low
            while upcoming is not None and upcoming.low == at and not is_beyond(upcoming.high, each.high):
                self._compare(upcoming, each)
                at = upcoming.high
                upcoming = next(ranges, None)
                if at == each.high:
                    break
            if at is not None and at != each.high:
                heapq.heappush(self._pending, (at, each.high, RANGES_ROOM_BYTES))
        if upcoming is not None:
            raise self._refusal()
        return True

    def _compare(self, theirs: Range, asked: Range) -> None:
        low, high = theirs.low, theirs.high
        if theirs.ids is not None:
            known, named = set(self._own_ids(low, high)), set(theirs.ids)
            self.only_here |= known - named
            self.only_there |= named - known
            return
        count = self._summary.count(low, high)
        if theirs.count == count and theirs.fingerprint == self._summary.fingerprint(self._key, low, high):
            return
        if theirs.count == 0:
            self.only_here.update(self._own_ids(low, high))
        elif (low, high) == (asked.low, asked.high):  # it differs, and was not split: this would never end
            raise self._refusal()
        else:
            heapq.heappush(self._pending, (low, high, _expected(theirs.count)))

    def _own_ids(self, low: bytes, high: bytes | None) -> list[bytes]:
        return self._summary.ids(low, high, self._summary.count(low, high))

    def _next_request(self) -> Sync:
        """As many of the first questions as one answer may have room for."""
        ranges: list[Range] = []
        room = RANGES_ROOM_BYTES
        while self._pending and (not ranges or self._pending[0][2] <= room):
            low, high, expected = heapq.heappop(self._pending)
            room -= expected
            if self.steps == 0:
                ranges.append(_summed(self._summary, self._key, low, high))
            else:
                ranges.append(Range(low, high))
        self.steps += 1
        return Sync(request_id=self.request_id, key=self._key, step=self.steps, ranges=tuple(ranges))

    def _give_up(self) -> None:
        self.gave_up = True
        self._asked.clear()
        self._pending.clear()

    def _refusal(self) -> BadBody:
        self._give_up()
        return BadBody('range')

    def __repr__(self) -> str:
        return f'Reconciliation({self.steps} steps, {len(self.only_here)} only here, {len(self.only_there)} only there)'


def answer(summary: Summary, request: Sync) -> Sync:
    """The other side: what we have in the ranges of a request, as far as it fits into one packet.

    Args:
        summary: of our cache. One that is kept over an exchange spares making it anew for each request.
        request: a request of a peer that has proved its address.

    Raises:
        BadBody: it is an answer.
    """
    if request.is_answer:
        raise BadBody('range')
    ranges: list[Range] = []
    room = RANGES_ROOM_BYTES
    before: bytes | None = b'\0'  # no bound
    for asked in request.ranges:
        for found in _found(summary, request.key, asked):
            size = len(found.write(found.low == before))
            if size > room:
                break
            room -= size
            before = found.high
            ranges.append(found)
        else:
            continue
        break
    return Sync(request_id=request.request_id, key=request.key, step=request.step, is_answer=True, ranges=tuple(ranges))


def wants(request_id: bytes, prefixes: Iterable[bytes], *, step: int = 0, entropy: Entropy = SYSTEM) -> list[Sync]:
    """Requests for packets by the beginnings of their ids, 60 each; what `Reconciliation.only_there` is for.

    Args:
        request_id: of the exchange.
        prefixes: 14 bytes each.
        step: that of the first.
        entropy: draws the key, which says nothing here.
    """
    listed, key = sorted(prefixes), require_entropy(entropy).draw(KEY_BYTES)
    parts = [listed[at : at + LISTED_MAX] for at in range(0, len(listed), LISTED_MAX)]
    return [
        Sync(request_id=request_id, key=key, step=(step + number) % (1 << 16), wanted=tuple(part))
        for number, part in enumerate(parts)
    ]


def _found(summary: Summary, key: bytes, asked: Range) -> Iterator[Range]:
    """What there is in a range, in order: its fingerprint if that is theirs too, or its ids, or its parts."""
    low, high = asked.low, asked.high
    count = summary.count(low, high)
    if asked.fingerprint is not None:
        whole = _summed(summary, key, low, high)
        if (whole.count, whole.fingerprint) == (asked.count, asked.fingerprint):
            yield whole
            return
    if count <= LIST_UP_TO:
        yield Range(low, high, ids=tuple(summary.ids(low, high, count)))
        return
    bounds = summary.split(min(PARTS_MAX, max(2, count // _PER_PART)), low, high)
    for end in (*bounds, high):
        yield _summed(summary, key, low, end)
        if end is not None:
            low = end


def _summed(summary: Summary, key: bytes, low: bytes, high: bytes | None) -> Range:
    return Range(low, high, summary.count(low, high), summary.fingerprint(key, low, high))


def _expected(count: int) -> int:
    """How long the answer about so many ids is, more or less."""
    if count <= LIST_UP_TO:
        size: int = 8 + PREFIX_BYTES * count
        return size
    return min(RANGES_ROOM_BYTES, _PART_BYTES * min(PARTS_MAX, max(2, count // _PER_PART)))
