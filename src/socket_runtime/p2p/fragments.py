"""Messages that are longer than a packet: cut up, and put together again whatever way they come.

A message is built from its end. The last fragment has no nextId, the one before it has the last one's id, and so on; so
the id of the head commits to all of them, to their order and to their number, and nobody can put in a fragment, leave
one out, or put one in another's place without making another head. All fragments of a message have the same type,
cluster, clock, previousId and recipient; each but the last is full.

Putting together goes by these links and by nothing else. A fragment is known by the hash of what it says; it is
*whole* when it is the last, or the one that it names is here, whole, follows it by one, and is of the same message. A
head that is whole is a message. This spreads backwards from the last one, once for each fragment, so 10,240 of them in
any order take 10,240 steps, and there is nothing to search.

Everything is bounded (F15). A place in a message beyond the greatest one, a middle piece that is not full, and what
claims to go on where it does not are refused when they come. What waits is charged, with what it costs us beside its
bytes, to the peer that it came from; who has more than a share loses its own oldest, and when there is no room left
whoever has the most does. Nothing waits for longer than half an hour. So a flood meets the flood.

Two heads may name one tail: anybody who has seen a message can make another head for it, garbage with a right nextId,
and send it first. So the tail of a message is kept until the app's side says, by `Reassembly.forget`, that the message
opened; the true head then finds it. From one peer four heads for one tail are taken, so that one short packet cannot
call for 16 MiB of work again and again; another peer's are its own matter.

Sans-IO: the time is an argument, in ms of a clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from socket_core import GROUP, HEADER_BYTES, MESSAGE_MAX_BYTES, NO_ID, PUBLISH, Packet, encode, packet_id
from socket_runtime.p2p.errors import BadBody, SealingError
from socket_runtime.p2p.seal import SEALED_MAX_BYTES

__all__ = [
    'FRAGMENTS_MAX',
    'HEADS_MAX',
    'LIFE_MS',
    'SOURCES_MAX',
    'SOURCE_MAX_BYTES',
    'TOTAL_MAX_BYTES',
    'Assembled',
    'Fragments',
    'Reassembly',
    'split',
]

FRAGMENTS_MAX: Final = SEALED_MAX_BYTES // MESSAGE_MAX_BYTES
"""Of one message: 16,384, for 16 MiB (F15)."""
TOTAL_MAX_BYTES: Final = 64 << 20
"""All that waits; each fragment is charged its datagram and `FRAGMENT_COST_BYTES`."""
SOURCE_MAX_BYTES: Final = TOTAL_MAX_BYTES // 2
"""What waits of one source: the greatest message, all of it out of order."""
FRAGMENT_COST_BYTES: Final = 800
"""What keeping one costs beside its bytes, measured in CPython 3.11 and rounded up; it bounds their number too."""
SOURCES_MAX: Final = 256
"""Sources with an account of their own; all further ones share one (F18)."""
HEADS_MAX: Final = 4
"""Heads from one source for one tail."""
LIFE_MS: Final = 30 * 60 * 1000

_TYPES: Final = (PUBLISH, GROUP)


@dataclass(frozen=True, slots=True)
class Fragments:
    """A message in packets.

    Attributes:
        id: of the head; the message's.
        packets: the datagrams, the head first.
    """

    id: bytes
    packets: tuple[bytes, ...] = field(repr=False)


def split(
    message: bytes,
    *,
    cluster: bytes,
    to: bytes = NO_ID,
    previous_id: bytes = NO_ID,
    clock: int = 0,
    type: int = PUBLISH,
) -> Fragments:
    """A sealed message, or a group's record, in as many packets as it needs.

    Args:
        message: 1 byte to 16 MiB.
        cluster, to, previous_id, clock: of all fragments; a sealed message opens with those only that it was sealed
            with.
        type: `PUBLISH` or `GROUP`.

    Raises:
        SealingError: an argument is out of its range.
    """
    if not 0 < len(message) <= SEALED_MAX_BYTES or type not in _TYPES:
        raise SealingError(f'a message is 1 to {SEALED_MAX_BYTES} bytes of a Publish or Group packet')
    packets: list[bytes] = []
    next_id = NO_ID
    try:
        for index in reversed(range(-(-len(message) // MESSAGE_MAX_BYTES))):
            packet = encode(
                type,
                cluster=cluster,
                message=message[index * MESSAGE_MAX_BYTES : (index + 1) * MESSAGE_MAX_BYTES],
                clock=clock,
                index=index,
                previous_id=previous_id,
                next_id=next_id,
                to=to,
            )
            packets.append(packet)
            next_id = packet_id(packet)
    except (TypeError, ValueError) as error:
        raise SealingError(f'the packet cannot be sent: {error}') from None
    packets.reverse()
    return Fragments(next_id, tuple(packets))


@dataclass(frozen=True, slots=True)
class Assembled:
    """A message that is whole, as its head commits to it. It has not been opened.

    Attributes:
        id: of its head.
        message: all of it.
        head: the head, for its type, cluster, to, previousId and clock.
    """

    id: bytes
    message: bytes = field(repr=False)
    head: Packet = field(repr=False)


class _Fragment:
    """One that waits."""

    __slots__ = ('account', 'due_ms', 'heads', 'id', 'index', 'last', 'next_id', 'packet')

    def __init__(self, packet: Packet, account: _Account, due_ms: int) -> None:
        self.packet = packet
        self.id = packet.id
        self.next_id = packet.next_id
        self.index = packet.index
        self.account = account
        self.due_ms = due_ms
        # The last fragment of the message, once this one is whole.
        self.last: _Fragment | None = None
        # Of a last fragment: how many heads each source has brought for it.
        self.heads: dict[Hashable, int] | None = None

    @property
    def cost(self) -> int:
        return len(self.packet) + FRAGMENT_COST_BYTES


class _Account:
    """What one source has waiting, the oldest first."""

    __slots__ = ('fragments', 'name', 'used')

    def __init__(self, name: Hashable) -> None:
        self.name = name
        self.used = 0
        self.fragments: dict[bytes, _Fragment] = {}


class _Others:
    """The name of the account that all sources share which have none of their own."""


class Reassembly:
    """Fragments that wait for others.

    Args:
        total: bytes that all may take.
        share: bytes that those of one source may take.
        life_ms: how long one waits.

    Attributes:
        used_bytes: what they take now.
    """

    __slots__ = ('_accounts', '_before', '_fragments', '_life_ms', '_share', '_total', 'used_bytes')

    def __init__(self, total: int = TOTAL_MAX_BYTES, share: int = SOURCE_MAX_BYTES, *, life_ms: int = LIFE_MS) -> None:
        self._total = total
        self._share = min(share, total)
        self._life_ms = life_ms
        # All of them, in the order in which they came: the first is the next to be too old.
        self._fragments: dict[bytes, _Fragment] = {}
        # By nextId: those here that name it.
        self._before: dict[bytes, dict[bytes, _Fragment]] = {}
        self._accounts: dict[Hashable, _Account] = {}
        self.used_bytes = 0

    def add(self, packet: Packet, source: Hashable, now_ms: int) -> list[Assembled]:
        """Take a fragment, or a message that is one packet.

        Args:
            packet: of the type Publish or Group.
            source: the peer that it came from.
            now_ms: the time.

        Returns:
            The messages that are whole now: none, one, or where several heads name one tail, some.

        Raises:
            BadBody: it is of no message that can ever be whole; ``reason`` is ``type``, ``index``, ``length`` or
                ``fragment`` (it does not go on where it says).
        """
        self.expire(now_ms)
        _check(packet)
        if packet.index == 0 and packet.next_id == NO_ID:
            return [Assembled(packet.id, packet.message, packet)]
        if packet.id in self._fragments:
            return []
        following = self._fragments.get(packet.next_id)
        if following is not None and not _leads_to(packet, following.packet):
            raise BadBody('fragment')
        self._make_room(source, len(packet) + FRAGMENT_COST_BYTES)
        fragment = _Fragment(packet, self._account(source), now_ms + self._life_ms)
        following = self._fragments.get(fragment.next_id)  # it may have had to go
        self._keep(fragment)
        if fragment.next_id == NO_ID:
            fragment.last = fragment
        elif following is not None:
            fragment.last = following.last
        if fragment.last is None:
            return []
        return [found for head in self._spread(fragment) if (found := self._assemble(head)) is not None]

    def forget(self, head_id: bytes) -> None:
        """A message of this head has opened: its fragments, and what else was made of its tail, are of no more use."""
        head = self._fragments.get(head_id)
        if head is not None and head.last is not None:
            self._give_up(head.last)

    def expire(self, now_ms: int) -> None:
        """Give up what has waited for too long; `add` does it too."""
        while self._fragments:
            oldest = next(iter(self._fragments.values()))
            if oldest.due_ms > now_ms:
                return
            self._give_up(oldest)

    def missing(self, limit: int = 64) -> list[bytes]:
        """Ids that fragments here name and that are not: for a Query, or a look into the cache."""
        return list(islice((each for each in self._before if each not in self._fragments), limit))

    def __len__(self) -> int:
        return len(self._fragments)

    def __repr__(self) -> str:
        return f'Reassembly({len(self)} fragments, {self.used_bytes} bytes)'

    def _spread(self, fragment: _Fragment) -> list[_Fragment]:
        """Make whole what names a fragment that is, and so on; the heads among them. Once for each fragment."""
        heads = []
        pending = [fragment]
        while pending:
            whole = pending.pop()
            if whole.index == 0:
                heads.append(whole)
            for each in list(self._before.get(whole.id, {}).values()):
                if _leads_to(each.packet, whole.packet):
                    each.last = whole.last
                    pending.append(each)
                else:
                    self._drop(each)
        return heads

    def _assemble(self, head: _Fragment) -> Assembled | None:
        """The message of a head that is whole, unless its source has brought too many for this tail."""
        last = head.last
        assert last is not None
        if last.heads is None:
            last.heads = {}
        name = head.account.name
        brought = last.heads.get(name, 0)
        if brought >= HEADS_MAX or len(last.heads) > SOURCES_MAX:
            self._drop(head)
            return None
        last.heads[name] = brought + 1
        parts = []
        each = head
        while each is not last:
            parts.append(each.packet.message)
            each = self._fragments[each.next_id]
        parts.append(last.packet.message)
        return Assembled(head.id, b''.join(parts), head.packet)

    def _make_room(self, source: Hashable, cost: int) -> None:
        """Who has more than a share gives way to itself, and who has the most to everybody else (F12)."""
        own = self._account(source)
        while own.fragments and own.used + cost > self._share:
            self._give_up(next(iter(own.fragments.values())))
        while self._fragments and self.used_bytes + cost > self._total:
            most = max(self._accounts.values(), key=lambda each: each.used)
            self._give_up(next(iter(most.fragments.values())))

    def _account(self, source: Hashable) -> _Account:
        account = self._accounts.get(source)
        if account is None:
            name = source if len(self._accounts) < SOURCES_MAX else _Others
            account = self._accounts.get(name)
            if account is None:
                account = self._accounts[name] = _Account(name)
        return account

    def _close(self, account: _Account) -> None:
        if not account.fragments:
            self._accounts.pop(account.name, None)

    def _keep(self, fragment: _Fragment) -> None:
        self._fragments[fragment.id] = fragment
        fragment.account.fragments[fragment.id] = fragment
        fragment.account.used += fragment.cost
        self.used_bytes += fragment.cost
        if fragment.next_id != NO_ID:
            self._before.setdefault(fragment.next_id, {})[fragment.id] = fragment

    def _drop(self, fragment: _Fragment) -> None:
        """One that no whole fragment relies upon."""
        del self._fragments[fragment.id]
        account = fragment.account
        del account.fragments[fragment.id]
        account.used -= fragment.cost
        self.used_bytes -= fragment.cost
        self._close(account)
        naming = self._before.get(fragment.next_id)
        if naming is not None:
            del naming[fragment.id]
            if not naming:
                del self._before[fragment.next_id]

    def _give_up(self, fragment: _Fragment) -> None:
        """One, and all that are whole by it: they would have to be looked through again when it came back."""
        pending = [fragment]
        while pending:
            each = pending.pop()
            if each.last is not None:
                pending.extend(self._before.get(each.id, {}).values())
            self._drop(each)


def _leads_to(packet: Packet, following: Packet) -> bool:
    """Whether the second, which has the id that the first names, goes on with its message."""
    return following.index == packet.index + 1 and _common(following) == _common(packet)


def _common(packet: Packet) -> tuple[bytes, bytes, bytes, bytes]:
    """What all fragments of a message share: type and version, clock, cluster and previousId, recipient."""
    data = packet.data
    return data[:2], data[6:10], data[14:78], data[110:HEADER_BYTES]


def _check(packet: Packet) -> None:
    """Whether it can be of a message at all; nothing but its own head and length is looked at."""
    is_last = packet.next_id == NO_ID
    length = len(packet) - HEADER_BYTES
    if packet.type not in _TYPES:
        raise BadBody('type')
    if packet.index >= FRAGMENTS_MAX - (not is_last):
        raise BadBody('index')
    if length != MESSAGE_MAX_BYTES if not is_last else length == 0:
        raise BadBody('length')
