"""Which groups are known, and to whom a message for a device should go.

Any peer may ask "is there a group for this device?" (a Query with the body of `query_for`); whoever knows an advertised
record answers with it. The directory keeps checked records, newest version each, and finds for a device

* the groups that it belongs to (`groups_of`),
* the one that it wants to be written to by (`recipient_for`): its own latest word among the groups that it lets stand
  for it, and so on upwards where that group itself lets another stand for it,
* the devices behind a group (`devices_of`).

A `Conversation` is with the identity that the user once met. It asks before each message, so it moves to the owner's
group as soon as the record is known ("upgrade"), moves again with the next one, and moves back when nothing holds any
longer. One that is pinned stays where it is (scenario B: this device, and no other).

Limits: so many records, the own and the pinned ones never given up, others by longest disuse; a circle or too deep a
nest is refused when it would arise (F18, F26).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from socket_runtime.p2p.errors import BadRecord, SealingError
from socket_runtime.p2p.group import GroupRecord
from socket_runtime.p2p.keys import ID_BYTES, PublicIdentity

__all__ = [
    'ADVERTISE_EVERY_MS',
    'ANSWERS_MAX',
    'DEPTH_MAX',
    'GROUPS_PER_MEMBER_MAX',
    'RECORDS_MAX',
    'Conversation',
    'GroupDirectory',
    'query_for',
    'read_query',
]

RECORDS_MAX: Final = 1024
GROUPS_PER_MEMBER_MAX: Final = 32
"""Groups of one member that are kept. Each needs the member's own signature, so only itself can fill them."""
DEPTH_MAX: Final = 4
"""Groups within groups."""
ANSWERS_MAX: Final = 3
ADVERTISE_EVERY_MS: Final = 24 * 3600 * 1000
"""How often the own advertised records are published anew (the original's term)."""
GROUP_QUERY: Final = 2
"""First byte of the body of a Query for groups."""


def query_for(device_id: bytes) -> bytes:
    """The body of a Query: "is there a group for this identity?". 33 bytes."""
    return bytes((GROUP_QUERY,)) + device_id


def read_query(body: bytes) -> bytes:
    """The id that a Query asks about.

    Raises:
        BadRecord: the body is no such question.
    """
    if len(body) != 1 + ID_BYTES or body[0] != GROUP_QUERY:
        raise BadRecord('query')
    return body[1:]


class GroupDirectory:
    """Records of one cluster."""

    __slots__ = ('_by_member', '_kept', '_records')

    def __init__(self) -> None:
        self._records: OrderedDict[bytes, GroupRecord] = OrderedDict()
        self._by_member: dict[bytes, set[bytes]] = {}
        self._kept: set[bytes] = set()

    def learn(self, record: GroupRecord, *, keep: bool = False) -> bool:
        """Take a record that `group.read_record` has checked; whether it was news.

        Args:
            record: the record.
            keep: never give it up: it is one of ours, or of somebody whom the user knows.

        Raises:
            BadRecord: it would close a circle, nest too deep, or is one group too many of a member; or another record
                of the same version is known, and the first one stays.
            SealingError: half of all places are kept already.
        """
        group_id = record.group.id
        if keep and group_id not in self._kept:
            if len(self._kept) >= RECORDS_MAX // 2:
                raise SealingError(f'at most {RECORDS_MAX // 2} records can be kept for good')
            self._kept.add(group_id)
        known = self._records.get(group_id)
        if known is not None and record.version <= known.version:
            if record.version == known.version and record.data != known.data:
                raise BadRecord('version')
            return False
        try:
            self._check_shape(record)
        except BadRecord:
            if known is None:
                self._kept.discard(group_id)
            raise
        self._put(record)
        return True

    def forget(self, group_id: bytes) -> None:
        """Give a record up, kept or not."""
        self._kept.discard(group_id)
        self._drop(group_id)

    def record(self, group_id: bytes) -> GroupRecord | None:
        """The newest record of a group."""
        return self._records.get(group_id)

    def groups_of(self, member_id: bytes, now_ms: int) -> list[GroupRecord]:
        """The groups that a device or group belongs to now, those with its latest word first."""
        found = []
        for group_id in self._by_member.get(member_id, ()):
            record = self._records[group_id]
            member = record.member(member_id)
            if member is not None and member.lives(now_ms):
                found.append((-member.since, group_id, record))
        return [record for _, _, record in sorted(found, key=lambda one: one[:2])]

    def recipient_for(self, identity: PublicIdentity, now_ms: int) -> PublicIdentity:
        """Whom to write to for this identity: a group that stands for it, or itself."""
        for _ in range(DEPTH_MAX):
            above = self._standing_for(identity.id, now_ms)
            if above is None:
                break
            self._records.move_to_end(above.id)
            identity = above
        return identity

    def devices_of(self, group_id: bytes, now_ms: int) -> set[bytes]:
        """The ids of the devices behind a group. A nested group that is not known counts for none."""
        devices: set[bytes] = set()
        pending, seen = [group_id], {group_id}
        while pending:
            record = self._records.get(pending.pop())
            for member in record.members if record is not None else ():
                if not member.lives(now_ms):
                    continue
                if not member.is_group:
                    devices.add(member.id)
                elif member.id not in seen:
                    seen.add(member.id)
                    pending.append(member.id)
        return devices

    def answer(self, body: bytes, now_ms: int) -> list[bytes]:
        """The advertised records for a Query's body, at most 3. Private ones are never told (F23).

        Raises:
            BadRecord: the body is no question for groups.
        """
        found = [record.data for record in self.groups_of(read_query(body), now_ms) if record.advertised]
        return found[:ANSWERS_MAX]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[GroupRecord]:
        return iter(list(self._records.values()))

    def __repr__(self) -> str:
        return f'GroupDirectory({len(self._records)} records)'

    def _standing_for(self, member_id: bytes, now_ms: int) -> PublicIdentity | None:
        """The group that the member last let stand for it."""
        for record in self.groups_of(member_id, now_ms):
            member = record.member(member_id)
            if member is not None and member.stands_for:
                return record.group
        return None

    def _check_shape(self, record: GroupRecord) -> None:
        group_id = record.group.id
        for member in record.members:
            groups = self._by_member.get(member.id, set())
            if group_id not in groups and len(groups) >= GROUPS_PER_MEMBER_MAX:
                raise BadRecord('groups')
        above = self._levels_above(group_id)
        below = self._levels_below(record)
        if above is None or below is None or above + below > DEPTH_MAX:
            raise BadRecord('depth')

    def _levels_above(self, group_id: bytes) -> int | None:
        """How many groups stand one over another above this one; ``None`` if more than allowed."""
        level, count = {group_id}, -1
        while level:
            count += 1
            if count > DEPTH_MAX:
                return None
            level = {above for each in level for above in self._by_member.get(each, ())}
        return count

    def _levels_below(self, record: GroupRecord) -> int | None:
        """How many levels of groups there are from this record down, itself counted; ``None`` if itself is below."""
        level, count = [record], 0
        while level:
            count += 1
            if count > DEPTH_MAX:
                return None
            members = {member.id for each in level for member in each.members}
            if record.group.id in members:
                return None
            level = [self._records[each] for each in members if each in self._records]
        return count

    def _put(self, record: GroupRecord) -> None:
        group_id = record.group.id
        self._drop(group_id)
        if len(self._records) >= RECORDS_MAX:
            self._drop(next(each for each in self._records if each not in self._kept))
        self._records[group_id] = record
        for member in record.members:
            self._by_member.setdefault(member.id, set()).add(group_id)

    def _drop(self, group_id: bytes) -> None:
        record = self._records.pop(group_id, None)
        for member in record.members if record is not None else ():
            groups = self._by_member[member.id]
            groups.discard(group_id)
            if not groups:
                del self._by_member[member.id]


@dataclass(slots=True)
class Conversation:
    """Whom the user talks to, and to whom that is sealed now.

    Args:
        met: the identity that the conversation began with.
        pinned: whether it stays with that one, whatever groups there are.
    """

    met: PublicIdentity
    pinned: bool = False
    _last: bytes = b''

    def recipient(self, directory: GroupDirectory, now_ms: int) -> PublicIdentity:
        """Whom to seal the next message to."""
        return self.met if self.pinned else directory.recipient_for(self.met, now_ms)

    def moved(self, directory: GroupDirectory, now_ms: int) -> PublicIdentity | None:
        """The new recipient, once, when it is another than at the last call; for the app to show."""
        now = self.recipient(directory, now_ms)
        before = self._last or self.met.id
        self._last = now.id
        return now if now.id != before else None
