"""Records of groups: who agreed to what, and everything that is no record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_core import MESSAGE_MAX_BYTES
from socket_runtime.p2p import _cbor
from socket_runtime.p2p.errors import BadRecord, SealingError
from socket_runtime.p2p.group import (
    AHEAD_MAX_MS,
    LABEL_MAX_BYTES,
    MEMBERS_MAX,
    RECORD_MAX_BYTES,
    GroupRecord,
    Member,
    authorise,
    key_value,
    make_record,
    read_key_value,
    read_record,
)
from socket_runtime.p2p.keys import Identity
from tests.p2p.support import ALICE, BOB, CAROL, CLUSTER, DAY, MALLORY, NOW, OTHER_CLUSTER, flipped, person

GROUP = person('group')


def agreed(*members: Identity, group: Identity = GROUP, **options: Any) -> list[Member]:
    return [authorise(member, group.id, CLUSTER.id, **{'now_ms': NOW, **options}) for member in members]


def record(*members: Identity, group: Identity = GROUP, **options: Any) -> GroupRecord:
    return make_record(group, CLUSTER.id, 'ours', agreed(*members, group=group), **{'now_ms': NOW, **options})


def read(data: bytes, published: bool = True, now: int = NOW, cluster: bytes = CLUSTER.id) -> GroupRecord:
    return read_record(data, cluster, now_ms=now, published=published)


RECORD = record(ALICE, BOB)


def test_what_was_made_is_read() -> None:
    assert read(RECORD.data) == RECORD
    assert RECORD.group == GROUP.public
    assert (RECORD.label, RECORD.version, RECORD.time, RECORD.advertised) == ('ours', 1, NOW, True)
    assert {member.id for member in RECORD.members} == {ALICE.id, BOB.id}
    member = RECORD.member(ALICE.id)
    assert member is not None
    assert (member.is_group, member.stands_for, member.since, member.until) == (False, True, NOW, 0)
    assert RECORD.member(CAROL.id) is None
    assert read(RECORD.data).data == RECORD.data


def test_every_changed_bit_is_refused() -> None:
    for bit in range(len(RECORD.data) * 8):
        with pytest.raises(BadRecord):
            read(flipped(RECORD.data, bit))


def test_every_other_length_is_refused() -> None:
    for changed in (b'', b'\xa7', RECORD.data[:-1], RECORD.data + b'\0', bytes(RECORD_MAX_BYTES + 1)):
        with pytest.raises(BadRecord, match='form'):
            read(changed)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadRecord):
        read(b'\xa7' + data)


def test_a_record_is_of_one_cluster() -> None:
    with pytest.raises(BadRecord, match='signature'):
        read(RECORD.data, cluster=OTHER_CLUSTER.id)


def test_a_private_record_has_no_place_in_public() -> None:
    private = record(ALICE, advertised=False)
    assert read(private.data, published=False) == private
    with pytest.raises(BadRecord, match='private'):
        read(private.data)
    # An advertised one may be told in private too.
    assert read(RECORD.data, published=False) == RECORD


def test_times_far_ahead_are_refused() -> None:
    assert read(RECORD.data, now=NOW - AHEAD_MAX_MS)
    with pytest.raises(BadRecord, match='time'):
        read(RECORD.data, now=NOW - AHEAD_MAX_MS - 1)
    late = make_record(GROUP, CLUSTER.id, 'x', agreed(ALICE, now_ms=NOW + 2 * DAY), now_ms=NOW)
    with pytest.raises(BadRecord, match='time'):
        read(late.data)


def test_nobody_is_a_member_without_having_agreed() -> None:
    """Mallory makes a group of her own and puts Alice in, with what signatures of Alice's she can find."""
    hers = Identity.create()
    for stolen in (
        agreed(ALICE)[0],
        authorise(ALICE, hers.id, OTHER_CLUSTER.id, now_ms=NOW),
        authorise(MALLORY, hers.id, CLUSTER.id, now_ms=NOW),
    ):
        claimed = Member(ALICE.id, stolen.is_group, stolen.stands_for, stolen.since, stolen.until, stolen.signature)
        with pytest.raises(SealingError, match='not agreed'):
            make_record(hers, CLUSTER.id, 'x', [claimed], now_ms=NOW)
        with pytest.raises(BadRecord, match='signature'):
            read(signed_anyhow(hers, [claimed._to_list()]))


@pytest.mark.parametrize(
    'change',
    [{'is_group': True}, {'stands_for': False}, {'since': NOW + 1}, {'until': NOW + DAY}],
    ids=str,
)
def test_what_a_member_agreed_to_cannot_be_changed(change: dict[str, Any]) -> None:
    member = agreed(ALICE)[0]
    fields = {name: getattr(member, name) for name in Member.__slots__} | change
    with pytest.raises(BadRecord, match='signature'):
        read(signed_anyhow(GROUP, [Member(**fields)._to_list()]))


def signed_anyhow(group: Identity, members: Any, **changes: Any) -> bytes:
    """A record that its group signed although it is none."""
    fields: dict[int, Any] = {1: group.id, 2: 'x', 3: 1, 4: NOW, 5: True, 6: members}
    fields |= {int(name[1:]): value for name, value in changes.items()}
    signed = _cbor.encode_fields(fields)
    return b'\xa7' + signed[1:] + b'\x07\x58\x40' + group.sign(b'group record', CLUSTER.id + signed)


ONE = agreed(ALICE)[0]._to_list()
TWO = sorted((member._to_list() for member in agreed(ALICE, BOB)), key=lambda listed: listed[0])


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'f1': bytes(32)}, 'form'),
        ({'f1': b''}, 'form'),
        ({'f1': 'x' * 32}, 'form'),
        ({'f2': ''}, 'form'),
        ({'f2': b'x'}, 'form'),
        ({'f2': 'x' * (LABEL_MAX_BYTES + 1)}, 'form'),
        ({'f2': 'a\nb'}, 'form'),
        ({'f2': '\u202ex'}, 'form'),
        ({'f3': 0}, 'form'),
        ({'f3': -1}, 'form'),
        ({'f3': True}, 'form'),
        ({'f3': 2**53}, 'form'),
        ({'f3': 1.5}, 'form'),
        ({'f4': None}, 'form'),
        ({'f5': 1}, 'form'),
        ({'f6': []}, 'members'),
        ({'f6': {}}, 'members'),
        ({'f6': [None]}, 'members'),
        ({'f6': [[]]}, 'members'),
        ({'f6': [ONE[:4]]}, 'members'),
        ({'f6': [[*ONE, 0]]}, 'members'),
        ({'f6': [[b'', *ONE[1:]]]}, 'members'),
        ({'f6': [[ONE[0], 4, *ONE[2:]]]}, 'members'),
        ({'f6': [[ONE[0], True, *ONE[2:]]]}, 'members'),
        ({'f6': [[*ONE[:2], 0, *ONE[3:]]]}, 'members'),
        ({'f6': [[*ONE[:3], -1, ONE[4]]]}, 'members'),
        ({'f6': [[*ONE[:3], False, ONE[4]]]}, 'members'),
        ({'f6': [[*ONE[:4], b'']]}, 'members'),
        ({'f6': [[bytes(32), *ONE[1:]]]}, 'signature'),
        ({'f6': [ONE, ONE]}, 'members'),
        ({'f6': TWO[::-1]}, 'members'),
        ({'f6': [[GROUP.id, *ONE[1:]]]}, 'members'),
    ],
    ids=ascii,
)
def test_what_is_signed_but_no_record_is_refused(changes: dict[str, Any], reason: str) -> None:
    assert read(signed_anyhow(GROUP, [ONE])).members
    with pytest.raises(BadRecord, match=f': {reason}$'):
        read(signed_anyhow(GROUP, [ONE], **changes))


def test_mistakes_of_the_caller_are_said() -> None:
    with pytest.raises(SealingError, match='member of itself'):
        authorise(GROUP, GROUP.id, CLUSTER.id, now_ms=NOW)
    for times in ({'now_ms': 0}, {'now_ms': 2**53}, {'now_ms': NOW, 'until_ms': NOW}):
        with pytest.raises(SealingError, match='times'):
            authorise(ALICE, GROUP.id, CLUSTER.id, **times)
    members = agreed(ALICE)
    for label in ('', 'x' * 65, 'a\nb', '\ud800'):
        with pytest.raises(SealingError, match='label'):
            make_record(GROUP, CLUSTER.id, label, members, now_ms=NOW)
    for numbers in ({'version': 0}, {'version': 2**53}, {'now_ms': 0}):
        with pytest.raises(SealingError, match='out of range'):
            make_record(GROUP, CLUSTER.id, 'x', members, **{'now_ms': NOW, **numbers})
    for wrong in ([], members * 2, agreed(*(Identity.create() for _ in range(MEMBERS_MAX + 1)))):
        with pytest.raises(SealingError, match='members'):
            make_record(GROUP, CLUSTER.id, 'x', wrong, now_ms=NOW)


def test_seven_members_fit_into_one_packet_and_all_into_four() -> None:
    people = [person(f'member {number}') for number in range(MEMBERS_MAX)]
    label = 'x' * LABEL_MAX_BYTES
    seven = make_record(GROUP, CLUSTER.id, label, agreed(*people[:7]), now_ms=NOW)
    assert len(seven.data) <= MESSAGE_MAX_BYTES
    everybody = agreed(*people, until_ms=NOW + DAY)
    full = make_record(GROUP, CLUSTER.id, label, everybody, now_ms=NOW, version=2**53 - 1)
    assert len(full.data) <= RECORD_MAX_BYTES == 4 * MESSAGE_MAX_BYTES
    assert read(full.data).members == full.members


def test_labels_may_be_in_any_script() -> None:
    for label in ('Zuhause', 'خانه\u200cام', '👨\u200d👩\u200d👧', '家'):
        assert read(make_record(GROUP, CLUSTER.id, label, agreed(ALICE), now_ms=NOW).data).label == label


def test_the_whole_group_is_handed_over() -> None:
    value = key_value(GROUP, RECORD)
    assert read_key_value(value, CLUSTER.id, now_ms=NOW) == (GROUP, RECORD)
    with pytest.raises(SealingError, match='another'):
        key_value(MALLORY, RECORD)


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (None, 'form'),
        ({'more': 1}, 'form'),
        ({'seed': b''}, 'form'),
        ({'seed': 'x' * 32}, 'form'),
        ({'seed': bytes(32)}, 'key'),
        ({'record': b''}, 'form'),
        ({'record': 'x'}, 'form'),
        ({'record': flipped(RECORD.data, 8 * len(RECORD.data) - 100)}, 'signature'),
    ],
    ids=ascii,
)
def test_what_is_no_group_is_not_taken(change: dict[str, Any] | None, reason: str) -> None:
    value = None if change is None else key_value(GROUP, RECORD) | change
    with pytest.raises(BadRecord, match=reason):
        read_key_value(value, CLUSTER.id, now_ms=NOW)


def test_labels_and_members_do_not_show_in_logs() -> None:
    assert 'ours' not in repr(RECORD)
    assert GROUP.reveal_seed().hex() not in repr(RECORD)
