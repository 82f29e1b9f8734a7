"""What was seen before: counters of a stream, ids of messages (F7).

Both answer one question, "is this the first time?", in bounded memory. Both are asked only after the thing in question
was opened and its author is known: nobody can use up a place with what does not open.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from typing import Final

from socket_runtime.p2p import _cbor
from socket_runtime.p2p.errors import SealingError

__all__ = ['IDS_MAX', 'IDS_PER_SENDER_MAX', 'SENDERS_MAX', 'WINDOW', 'ReplayWindow', 'SeenMessages']

WINDOW: Final = 1024
"""How far a datagram of a stream may come late, in datagrams (as WireGuard's 8192 bits, for smaller bursts)."""
_WINDOW_MASK: Final = (1 << WINDOW) - 1

SENDERS_MAX: Final = 1024
IDS_PER_SENDER_MAX: Final = 1024
IDS_MAX: Final = 8192
"""Ids of messages, of all senders; 2.5 MB when full."""
_ID_BYTES: Final = 16


class ReplayWindow:
    """Counters that came (RFC 6479's idea, with one Python integer as the bitmap)."""

    __slots__ = ('_bits', 'highest')

    def __init__(self) -> None:
        self._bits = 0
        self.highest = -1

    def is_new(self, counter: int) -> bool:
        """Whether this counter did not come, and is not too old to know."""
        behind = self.highest - counter
        return behind < 0 or (behind < WINDOW and not self._bits >> behind & 1)

    def mark(self, counter: int) -> None:
        """Remember a counter that `is_new`."""
        ahead = counter - self.highest
        if ahead > 0:
            self._bits = (self._bits << ahead & _WINDOW_MASK | 1) if ahead < WINDOW else 1
            self.highest = counter
        else:
            self._bits |= 1 << -ahead


class _Sender:
    """One sender's messages: the ids, and the time up to which all count as seen."""

    __slots__ = ('heap', 'horizon', 'ids')

    def __init__(self, horizon: int = -1) -> None:
        self.horizon = horizon
        self.heap: list[tuple[int, bytes]] = []
        self.ids: set[bytes] = set()

    def forget_oldest(self) -> None:
        time, message_id = heapq.heappop(self.heap)
        self.ids.discard(message_id)
        self.horizon = max(self.horizon, time)


class SeenMessages:
    """Ids of opened messages, by sender.

    A relay can wrap the same sealed bytes into a new packet with another id; the message's own id, which is over what
    the sender signed, stays. A sender's oldest ids are forgotten first, and raise that sender's horizon: what is not
    newer counts as seen. A sender can spoil only its own memory. When there are too many senders, the one that was
    silent for longest is forgotten whole, unless it is pinned; pin whom the user knows.
    """

    __slots__ = ('_count', '_pinned', '_senders')

    def __init__(self) -> None:
        self._senders: OrderedDict[bytes, _Sender] = OrderedDict()
        self._pinned: set[bytes] = set()
        self._count = 0

    def pin(self, sender: bytes) -> None:
        """Never forget this sender.

        Raises:
            SealingError: half of all places are pinned already.
        """
        if sender not in self._pinned and len(self._pinned) >= SENDERS_MAX // 2:
            raise SealingError(f'at most {SENDERS_MAX // 2} senders can be pinned')
        self._pinned.add(sender)

    def unpin(self, sender: bytes) -> None:
        """Treat this sender as all others."""
        self._pinned.discard(sender)

    def is_first(self, sender: bytes, message_id: bytes, time_ms: int) -> bool:
        """Whether this message comes for the first time; if so it is remembered."""
        known = self._senders.get(sender)
        short = message_id[:_ID_BYTES]
        if known is None:
            self._make_room()
            known = self._senders[sender] = _Sender()
        elif time_ms <= known.horizon or short in known.ids:
            return False
        self._senders.move_to_end(sender)
        known.ids.add(short)
        heapq.heappush(known.heap, (time_ms, short))
        self._count += 1
        if len(known.ids) > IDS_PER_SENDER_MAX:
            self._forget_oldest(known)
        if self._count > IDS_MAX:
            self._forget_oldest(max(self._senders.values(), key=lambda one: len(one.ids)))
        return True

    def snapshot(self) -> bytes:
        """Everything, to be kept over a restart."""
        return _cbor.encode(
            [
                [sender, known.horizon, [[time, message_id] for time, message_id in sorted(known.heap)]]
                for sender, known in self._senders.items()
            ]
        )

    @classmethod
    def restored(cls, data: bytes) -> SeenMessages:
        """What `snapshot` gave.

        Raises:
            SealingError: the bytes are no snapshot.
        """
        seen = cls()
        try:
            for sender, horizon, pairs in _cbor.decode(data):
                _check(sender, 32, horizon)
                for time, message_id in pairs:
                    _check(message_id, _ID_BYTES, time)
                    seen.is_first(sender, message_id, time)
                if sender in seen._senders:
                    seen._senders[sender].horizon = max(horizon, seen._senders[sender].horizon)
                else:
                    seen._make_room()
                    seen._senders[sender] = _Sender(horizon)
        except (TypeError, ValueError):
            raise SealingError('these bytes are no snapshot of seen messages') from None
        return seen

    def __len__(self) -> int:
        return self._count

    def _forget_oldest(self, sender: _Sender) -> None:
        sender.forget_oldest()
        self._count -= 1

    def _make_room(self) -> None:
        if len(self._senders) < SENDERS_MAX:
            return
        silent = next(sender for sender in self._senders if sender not in self._pinned)
        self._count -= len(self._senders.pop(silent).ids)


def _check(data: object, length: int, number: object) -> None:
    if type(data) is not bytes or len(data) != length or type(number) is not int:
        raise ValueError
