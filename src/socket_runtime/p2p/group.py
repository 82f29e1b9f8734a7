"""Identity groups: several devices, or groups of them, under one key pair (the seed's "P2P Encryption").

A group is an identity like a device: it has a seed, an id, and messages are sealed to it. Whoever holds its key pair
opens them. Its *record* says who stands behind it::

    CBOR map { 1: group's id, 2: label, 3: version, 4: time, 5: advertised, 6: members, 7: the group's signature }
    a member [ id, flags, since, until, the member's signature ]

    member  Ed25519 over "socket-runtime/p2p/1/group member" 00 | cluster | group's id | flags 1 | since 8 | until 8
    group   Ed25519 over "socket-runtime/p2p/1/group record" 00 | cluster | the map of 1 to 6

Each member has agreed, and says to what:

* ``stands_for`` (flag 2): *write to this group instead of to me*. That is what lets a conversation move from a device
  to its owner's group (scenario A). Without it, the record of a club would send the private mail of each of its members
  to the whole club.
* ``since``: when it agreed. Where several groups claim a device, its own latest word decides. So a group that was left
  is overruled by the next one, although those who still hold the old group's key can sign new versions of its record:
  they cannot make a new word of the device.
* ``until``: when that ends, or 0.

A member that is a group (flag 1) has signed with its group's key; groups nest to any shape without circles, `directory`
limits the depth.

An *advertised* record is published as the message of a Group packet, and anybody in the cluster may keep it and answer
with it. A *private* one travels only inside sealed messages (`RECORD_EVENT`, or with the seed `KEY_EVENT`); one that
turns up in a Group packet is refused. Records are of one cluster: they cannot be carried into another app.

Taking somebody out means a new group with a new key pair: a key that was given cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from socket_runtime.p2p import _cbor
from socket_runtime.p2p._text import is_plain
from socket_runtime.p2p.errors import BadRecord, SealingError
from socket_runtime.p2p.keys import ID_BYTES, SEED_BYTES, SIGNATURE_BYTES, Identity, PublicIdentity, public_identity

__all__ = [
    'KEY_EVENT',
    'LABEL_MAX_BYTES',
    'MEMBERS_MAX',
    'RECORD_EVENT',
    'RECORD_MAX_BYTES',
    'GroupRecord',
    'Member',
    'authorise',
    'key_value',
    'make_record',
    'read_key_value',
    'read_record',
]

MEMBERS_MAX: Final = 32
LABEL_MAX_BYTES: Final = 64
RECORD_MAX_BYTES: Final = 4096
"""Four packets; seven members fit into one. A record costs its reader one check of a signature a member (F18)."""
NUMBER_MAX: Final = 2**53 - 1
AHEAD_MAX_MS: Final = 24 * 3600 * 1000
"""How far the times in a record may lie ahead: a word from the far future could never be overruled (F7)."""

RECORD_EVENT: Final = ':group.record'
"""The event of a sealed message whose value is ``{'record': bytes}``: a private record, told to a friend."""
KEY_EVENT: Final = ':group.key'
"""The event of a sealed message whose value is ``{'seed': bytes, 'record': bytes}``: the whole group, for a holder."""

_IS_GROUP: Final = 1
_STANDS_FOR: Final = 2
_FIELDS: Final = frozenset({1, 2, 3, 4, 5, 6})
_SIGNATURE_MARK: Final = b'\x07\x58\x40'  # key 7, 64 bytes
_SIGNED_END: Final = -SIGNATURE_BYTES - len(_SIGNATURE_MARK)


@dataclass(frozen=True, slots=True)
class Member:
    """One member and what it agreed to. Made by `authorise`, or found in a record.

    Attributes:
        id: the device's or the group's.
        is_group: whether it is a group.
        stands_for: whether messages to the member may go to the group instead.
        since: when the member agreed, ms since 1970.
        until: when that ends, or 0.
        signature: the member's.
    """

    id: bytes
    is_group: bool
    stands_for: bool
    since: int
    until: int
    signature: bytes = field(repr=False)

    def lives(self, now_ms: int) -> bool:
        """Whether the agreement still holds."""
        return self.until == 0 or now_ms < self.until

    def _flags(self) -> int:
        return self.is_group * _IS_GROUP | self.stands_for * _STANDS_FOR

    def _signed(self, cluster: bytes, group: bytes) -> bytes:
        times = self.since.to_bytes(8, 'big') + self.until.to_bytes(8, 'big')
        return cluster + group + bytes((self._flags(),)) + times

    def _to_list(self) -> list[Any]:
        return [self.id, self._flags(), self.since, self.until, self.signature]


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A record whose signatures are all right. Made by `make_record` or `read_record`.

    Attributes:
        group: the group.
        label: its name, as its maker wrote it.
        version: from 1; the higher replaces the lower.
        time: when this version was made, ms since 1970.
        advertised: whether it may be published.
        members: by id, each once.
        data: the bytes that are sent.
    """

    group: PublicIdentity
    label: str = field(repr=False)
    version: int
    time: int
    advertised: bool
    members: tuple[Member, ...] = field(repr=False)
    data: bytes = field(repr=False)

    def member(self, member_id: bytes) -> Member | None:
        """The member of this id."""
        return next((member for member in self.members if member.id == member_id), None)


def authorise(
    member: Identity,
    group_id: bytes,
    cluster_id: bytes,
    *,
    now_ms: int,
    is_group: bool = False,
    stands_for: bool = True,
    until_ms: int = 0,
) -> Member:
    """A member's agreement to belong to a group; made where the member's key is.

    Raises:
        SealingError: a time is out of range, or the member is the group itself.
    """
    if not 0 < now_ms <= NUMBER_MAX or not (until_ms == 0 or now_ms < until_ms <= NUMBER_MAX):
        raise SealingError('times are ms since 1970, and the end is after now')
    if member.id == group_id:
        raise SealingError('a group is no member of itself')
    agreed = Member(member.id, is_group, stands_for, now_ms, until_ms, b'')
    signature = member.sign(b'group member', agreed._signed(cluster_id, group_id))
    return Member(member.id, is_group, stands_for, now_ms, until_ms, signature)


def make_record(
    group: Identity,
    cluster_id: bytes,
    label: str,
    members: Iterable[Member],
    *,
    now_ms: int,
    version: int = 1,
    advertised: bool = True,
) -> GroupRecord:
    """A record of a group; made where the group's key is.

    Raises:
        SealingError: the label or the version is out of range, a member is there twice or has not agreed to this
            group, or there are none or too many.
    """
    ordered = sorted(members, key=lambda member: member.id)
    if not is_plain(label, LABEL_MAX_BYTES):
        raise SealingError(f'a label is 1 to {LABEL_MAX_BYTES} bytes of text without control characters')
    if not 0 < version <= NUMBER_MAX or not 0 < now_ms <= NUMBER_MAX:
        raise SealingError('the version or the time is out of range')
    if not 0 < len(ordered) <= MEMBERS_MAX or len({member.id for member in ordered}) != len(ordered):
        raise SealingError(f'a group has 1 to {MEMBERS_MAX} members, each once')
    if not all(_agreed(member, cluster_id, group.id) for member in ordered):
        raise SealingError('a member has not agreed to this group in this cluster')
    fields = {1: group.id, 2: label, 3: version, 4: now_ms, 5: advertised, 6: [one._to_list() for one in ordered]}
    signed = _cbor.encode_fields(fields)
    data = b'\xa7' + signed[1:] + _SIGNATURE_MARK + group.sign(b'group record', cluster_id + signed)
    if len(data) > RECORD_MAX_BYTES:
        raise SealingError(f'a record is at most {RECORD_MAX_BYTES} bytes')
    return GroupRecord(group.public, label, version, now_ms, advertised, tuple(ordered), data)


def read_record(data: bytes, cluster_id: bytes, *, now_ms: int, published: bool) -> GroupRecord:
    """The record in these bytes, every signature checked.

    Args:
        data: the joined messages of Group packets, or the ``record`` of a sealed message.
        cluster_id: where it came.
        now_ms: our time.
        published: whether it came in Group packets, where private records have no place.

    Raises:
        BadRecord: it is malformed, or a signature is wrong, or a time is too far ahead, or it was never to be
            published.
    """
    if not -_SIGNED_END < len(data) <= RECORD_MAX_BYTES or data[:1] != b'\xa7':
        raise BadRecord('form')
    if data[_SIGNED_END:-SIGNATURE_BYTES] != _SIGNATURE_MARK:
        raise BadRecord('form')
    signed = b'\xa6' + data[1:_SIGNED_END]
    record = _parse(signed, data)
    if published and not record.advertised:
        raise BadRecord('private')
    # A time before that of its members' words is allowed: clocks of devices differ.
    if max(record.time, *(member.since for member in record.members)) > now_ms + AHEAD_MAX_MS:
        raise BadRecord('time')
    # The group's own signature first: it covers all others, and is one.
    if not record.group.verify(b'group record', cluster_id + signed, data[-SIGNATURE_BYTES:]):
        raise BadRecord('signature')
    if not all(_agreed(member, cluster_id, record.group.id) for member in record.members):
        raise BadRecord('signature')
    return record


def key_value(group: Identity, record: GroupRecord) -> dict[str, bytes]:
    """The value of a message with `KEY_EVENT`: all of the group, for a device that shall open its messages. Secret.

    Raises:
        SealingError: the record is another group's.
    """
    if record.group.id != group.id:
        raise SealingError("the record is another group's")
    return {'seed': group.reveal_seed(), 'record': record.data}


def read_key_value(value: Any, cluster_id: bytes, *, now_ms: int) -> tuple[Identity, GroupRecord]:
    """The group in the value of an opened message with `KEY_EVENT`. Whether to take it is for the app to say.

    Raises:
        BadRecord: the value has another form, or the seed is not that of the record's group.
    """
    if not isinstance(value, dict) or value.keys() != {'seed', 'record'}:
        raise BadRecord('form')
    seed, data = value['seed'], value['record']
    if type(seed) is not bytes or len(seed) != SEED_BYTES or type(data) is not bytes:
        raise BadRecord('form')
    record = read_record(data, cluster_id, now_ms=now_ms, published=False)
    group = Identity.from_seed(seed)
    if group.id != record.group.id:
        raise BadRecord('key')
    return group, record


def _parse(signed: bytes, data: bytes) -> GroupRecord:
    """The fields, checked for form only."""
    try:
        fields = _cbor.decode_fields(signed, _FIELDS)
        group = public_identity(fields[1])
    except ValueError:
        raise BadRecord('form') from None
    label, version, time, advertised, listed = (fields[key] for key in (2, 3, 4, 5, 6))
    if (
        not is_plain(label, LABEL_MAX_BYTES)
        or not _is_number(version)
        or not _is_number(time)
        or type(advertised) is not bool
    ):
        raise BadRecord('form')
    if type(listed) is not list or not 0 < len(listed) <= MEMBERS_MAX:
        raise BadRecord('members')
    members = tuple(_parse_member(each) for each in listed)
    ids = [member.id for member in members]
    if ids != sorted(set(ids)) or group.id in ids:
        raise BadRecord('members')
    return GroupRecord(group, label, version, time, advertised, members, data)


def _parse_member(listed: Any) -> Member:
    if type(listed) is not list or len(listed) != 5:
        raise BadRecord('members')
    member_id, flags, since, until, signature = listed
    if type(member_id) is not bytes or len(member_id) != ID_BYTES or type(flags) is not int or not 0 <= flags < 4:
        raise BadRecord('members')
    if not _is_number(since) or not (_is_number(until) or (type(until) is int and until == 0)):
        raise BadRecord('members')
    if type(signature) is not bytes or len(signature) != SIGNATURE_BYTES:
        raise BadRecord('members')
    return Member(member_id, bool(flags & _IS_GROUP), bool(flags & _STANDS_FOR), since, until, signature)


def _agreed(member: Member, cluster: bytes, group: bytes) -> bool:
    try:
        identity = public_identity(member.id)
    except ValueError:
        return False
    return identity.verify(b'group member', member._signed(cluster, group), member.signature)


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 < value <= NUMBER_MAX
