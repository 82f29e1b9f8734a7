"""The relay's hot way in plain Python: check, id, seen?, cache, choose, send on. The yardstick of `relay` and `cache`.

Written as fast as plain Python goes without being odd: one hash object for a frame, one dictionary for "seen" and
"cached", eviction from the dictionary's old end. It does less than ours: it has no shares, no limits, no preference of
own packets, and no index of nextId.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

HEADER_BYTES = 142
FRAME_MAX_BYTES = HEADER_BYTES + 1024
LIFE = 6 * 3600.0
BUDGET = 16 * 1024 * 1024
COPIES = 3
HOPS_MAX = 16
NO_HOPS = bytes(4)
# type, version, hops, clock, index, cluster, previousId, nextId, to
HEADER = struct.Struct('>BBIII32s32s32s32s')

Source = tuple[str, int]


def parse(data: bytes) -> tuple[int, int, int, int, int, bytes, bytes, bytes, bytes]:
    """The fields of a frame's header.

    Raises:
        ValueError: not a frame.
    """
    fields = HEADER.unpack_from(data)
    if not HEADER_BYTES <= len(data) <= FRAME_MAX_BYTES or fields[1] != 1 or not 1 <= fields[0] <= 10:
        raise ValueError('not a frame')
    return fields


def packet_id(data: bytes) -> bytes:
    """SHA-256 of the frame with its hops taken as zeros."""
    return sha256(data[:2] + NO_HOPS + data[6:]).digest()


class PythonCache:
    """id -> (expiry, frame), the oldest first, within a budget that counts the frames only."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.packets: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self.budget = budget
        self.used = 0

    def insert(self, found: bytes, data: bytes, now: float) -> bool:
        """Keep a frame under its id, and drop what is old; whether it is new."""
        packets = self.packets
        if found in packets:
            return False
        packets[found] = (now + LIFE, data)
        self.used += len(data)
        while self.used > self.budget or next(iter(packets.values()))[0] < now:
            self.used -= len(packets.popitem(last=False)[1][1])
        return True


class PythonRelay:
    """A cache, and peers to send on to in turn."""

    def __init__(self, peers: Sequence[Source] = (), budget: int = BUDGET) -> None:
        self.cache = PythonCache(budget)
        self.malformed = self.duplicate = 0
        # Twice, so that the next few are one slice; one more than needed, for the source may be among them.
        self._peers = [*peers, *peers]
        self._count = len(peers)
        self._at = 0

    def handle(self, data: bytes, source: Source, now: float) -> tuple[bytes, Sequence[Source]] | None:
        """What one datagram asks for: a frame to send on and to whom, or nothing."""
        if not HEADER_BYTES <= len(data) <= FRAME_MAX_BYTES or data[1] != 1 or not 1 <= data[0] <= 10:
            self.malformed += 1
            return None
        if not self.cache.insert(sha256(data[:2] + NO_HOPS + data[6:]).digest(), data, now):
            self.duplicate += 1
            return None
        if not self._peers:
            return None
        hops = min(int.from_bytes(data[2:6], 'big'), HOPS_MAX) + 1
        if hops > HOPS_MAX:
            return None
        at = self._at
        self._at = (at + COPIES) % self._count
        chosen = self._peers[at : at + COPIES]
        if source in chosen:
            chosen = [peer for peer in self._peers[at : at + COPIES + 1] if peer != source]
        return data[:2] + hops.to_bytes(4, 'big') + data[6:], chosen
