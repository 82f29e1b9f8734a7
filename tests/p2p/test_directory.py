"""Which group stands for whom: latest words, nesting, circles, limits, questions and answers."""

from __future__ import annotations

from typing import Any

import pytest

from socket_runtime.p2p import directory
from socket_runtime.p2p.directory import DEPTH_MAX, Conversation, GroupDirectory, query_for, read_query
from socket_runtime.p2p.errors import BadRecord, SealingError
from socket_runtime.p2p.group import GroupRecord, authorise, make_record
from socket_runtime.p2p.keys import Identity
from tests.p2p.support import ALICE, BOB, CAROL, CLUSTER, DAY, MALLORY, NOW, person

HOME, CLUB, UNION = person('home'), person('club'), person('union')


def record(
    group: Identity, *members: Identity | tuple[Identity, dict[str, Any]], now: int = NOW, **options: Any
) -> GroupRecord:
    agreed = []
    for each in members:
        member, how = each if isinstance(each, tuple) else (each, {})
        agreed.append(authorise(member, group.id, CLUSTER.id, **{'now_ms': now, **how}))
    return make_record(group, CLUSTER.id, 'x', agreed, **{'now_ms': now, **options})


def known(*records: GroupRecord) -> GroupDirectory:
    found = GroupDirectory()
    for each in records:
        found.learn(each)
    return found


CLUB_MEMBER = {'stands_for': False}


def test_a_conversation_moves_to_the_group_that_stands_for_the_device() -> None:
    found = known(record(HOME, ALICE, BOB))
    for device in (ALICE, BOB):
        assert found.recipient_for(device.public, NOW) == HOME.public
    assert found.recipient_for(CAROL.public, NOW) == CAROL.public
    assert found.recipient_for(HOME.public, NOW) == HOME.public


def test_a_club_does_not_get_its_members_private_mail() -> None:
    found = known(record(CLUB, (ALICE, CLUB_MEMBER), BOB))
    assert found.recipient_for(ALICE.public, NOW) == ALICE.public
    assert found.recipient_for(BOB.public, NOW) == CLUB.public
    assert [each.group for each in found.groups_of(ALICE.id, NOW)] == [CLUB.public]


def test_the_devices_latest_word_decides() -> None:
    old, new = record(HOME, ALICE, BOB), record(UNION, ALICE, now=NOW + 1)
    club = record(CLUB, (ALICE, CLUB_MEMBER), now=NOW + 2)
    for order in ((old, new, club), (club, new, old)):
        found = known(*order)
        assert found.recipient_for(ALICE.public, NOW + 2) == UNION.public
        assert found.recipient_for(BOB.public, NOW + 2) == HOME.public


def test_who_still_holds_the_old_groups_key_cannot_get_the_device_back() -> None:
    """Bob's device was lost with the key of HOME in it. Alice has made a new group."""
    found = known(record(HOME, ALICE, BOB), record(UNION, ALICE, now=NOW + 1))
    thief = make_record(HOME, CLUSTER.id, 'x', record(HOME, ALICE, BOB).members, now_ms=NOW + DAY, version=2**53 - 1)
    assert found.learn(thief)
    assert found.recipient_for(ALICE.public, NOW + DAY) == UNION.public


def test_an_agreement_ends() -> None:
    found = known(record(HOME, (ALICE, {'until_ms': NOW + DAY})))
    talk = Conversation(ALICE.public)
    assert talk.moved(found, NOW) == HOME.public
    assert talk.moved(found, NOW + 1) is None
    assert talk.recipient(found, NOW + DAY) == ALICE.public
    assert talk.moved(found, NOW + DAY) == ALICE.public
    assert found.groups_of(ALICE.id, NOW + DAY) == []
    assert found.devices_of(HOME.id, NOW + DAY) == set()


def test_a_pinned_conversation_stays() -> None:
    talk = Conversation(ALICE.public, pinned=True)
    found = known(record(HOME, ALICE))
    assert talk.recipient(found, NOW) == ALICE.public
    assert talk.moved(found, NOW) is None


def test_the_higher_version_replaces_the_lower() -> None:
    first = record(HOME, ALICE, BOB)
    second = record(HOME, ALICE, CAROL, version=2)
    found = GroupDirectory()
    assert found.learn(second)
    assert not found.learn(second)
    assert not found.learn(first)
    assert found.record(HOME.id) == second
    assert found.recipient_for(BOB.public, NOW) == BOB.public
    assert found.recipient_for(CAROL.public, NOW) == HOME.public
    # Two of one version: somebody who has the key tells two stories. The first one stays.
    with pytest.raises(BadRecord, match='version'):
        found.learn(record(HOME, ALICE, BOB, version=2))
    assert found.record(HOME.id) == second
    assert len(found) == 1
    assert list(found) == [second]


def test_groups_nest() -> None:
    found = known(record(HOME, ALICE, BOB), record(UNION, (HOME, {'is_group': True}), CAROL))
    assert found.recipient_for(ALICE.public, NOW) == UNION.public
    assert found.devices_of(UNION.id, NOW) == {ALICE.id, BOB.id, CAROL.id}
    assert found.devices_of(HOME.id, NOW) == {ALICE.id, BOB.id}
    # A nested group whose record is not known counts for none.
    found.forget(HOME.id)
    assert found.devices_of(UNION.id, NOW) == {CAROL.id}
    assert found.devices_of(MALLORY.id, NOW) == set()


def test_circles_are_refused_in_whatever_order() -> None:
    first = record(HOME, ALICE, (UNION, {'is_group': True}))
    second = record(UNION, BOB, (HOME, {'is_group': True}))
    for one, other in ((first, second), (second, first)):
        found = known(one)
        with pytest.raises(BadRecord, match='depth'):
            found.learn(other)
        assert list(found) == [one]
        assert found.recipient_for(ALICE.public, NOW) in (HOME.public, ALICE.public)
    # Also one that arises by a new version.
    found = known(record(HOME, ALICE), second)
    with pytest.raises(BadRecord, match='depth'):
        found.learn(record(HOME, ALICE, (UNION, {'is_group': True}), version=2))


def test_circles_through_many_are_refused() -> None:
    groups = [person(f'group {number}') for number in range(4)]
    found = GroupDirectory()
    for below, above in zip(groups, groups[1:], strict=False):
        found.learn(record(above, (below, {'is_group': True})))
    with pytest.raises(BadRecord, match='depth'):
        found.learn(record(groups[0], (groups[-1], {'is_group': True})))


@pytest.mark.parametrize('order', ['up', 'down', 'middle'])
def test_nesting_has_an_end(order: str) -> None:
    groups = [person(f'group {number}') for number in range(DEPTH_MAX + 1)]
    records = [record(groups[0], ALICE)]
    for below, above in zip(groups, groups[1:], strict=False):
        records.append(record(above, (below, {'is_group': True})))
    if order == 'down':
        records.reverse()
    elif order == 'middle':
        records.append(records.pop(2))
    found = known(*records[:-1])
    with pytest.raises(BadRecord, match='depth'):
        found.learn(records[-1])
    assert len(found) == DEPTH_MAX


def test_questions_are_answered_with_advertised_records_only() -> None:
    found = known(record(HOME, ALICE), record(CLUB, (ALICE, CLUB_MEMBER), advertised=False))
    assert read_query(query_for(ALICE.id)) == ALICE.id
    assert found.answer(query_for(ALICE.id), NOW) == [record(HOME, ALICE).data]
    assert found.answer(query_for(BOB.id), NOW) == []
    for wrong in (b'', query_for(ALICE.id)[:-1], query_for(ALICE.id) + b'\0', b'\1' + ALICE.id):
        with pytest.raises(BadRecord, match='query'):
            found.answer(wrong, NOW)


def test_answers_are_few() -> None:
    found = known(*(record(person(f'group {number}'), ALICE, now=NOW + number) for number in range(10)))
    answers = found.answer(query_for(ALICE.id), NOW)
    assert answers == [record(person(f'group {number}'), ALICE, now=NOW + number).data for number in (9, 8, 7)]


def test_records_are_bounded_and_what_is_kept_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, 'RECORDS_MAX', 6)
    found = GroupDirectory()
    found.learn(record(HOME, ALICE), keep=True)
    found.learn(record(UNION, BOB))
    for number in range(20):
        found.learn(record(person(f'group {number}'), person(f'member {number}')))
        found.recipient_for(BOB.public, NOW)
    assert len(found) == 6
    assert found.record(HOME.id) is not None
    # What is used stays before what is not.
    assert found.record(UNION.id) is not None
    assert len(found._by_member) == 6
    for number in range(2):
        found.learn(record(person(f'kept {number}'), ALICE), keep=True)
    with pytest.raises(SealingError, match='kept'):
        found.learn(record(person('one more'), ALICE), keep=True)
    found.forget(HOME.id)
    found.learn(record(person('one more'), ALICE), keep=True)


def test_groups_of_a_member_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, 'GROUPS_PER_MEMBER_MAX', 3)
    found = known(*(record(person(f'group {number}'), ALICE) for number in range(3)))
    with pytest.raises(BadRecord, match='groups'):
        found.learn(record(HOME, ALICE), keep=True)
    assert found._kept == set()
    assert found.learn(record(person('group 0'), ALICE, version=2))
    assert repr(found) == 'GroupDirectory(3 records)'
