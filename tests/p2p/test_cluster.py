"""Clusters: what comes from the secret, keys that rotate and end, and who may rotate them."""

from __future__ import annotations

import copy
import pickle
import unicodedata
from typing import Any

import pytest

from socket_runtime.p2p.cluster import KEYS_MAX, ROTATION_EVENT, Cluster, ClusterKey, ClusterKeys
from socket_runtime.p2p.entropy import SeededEntropy
from socket_runtime.p2p.errors import BadRecord, NotOpened, SealingError, UnknownKeyError
from socket_runtime.p2p.keys import Identity
from socket_runtime.p2p.seal import Sealer, key_id_of
from tests.p2p.support import ALICE, BOB, CAROL, CLUSTER, DAY, HOUR, MALLORY, NOW, OTHER_CLUSTER, seed

EVERYBODY = bytes(32)


def member(identity: Identity, keeper: Identity = ALICE) -> Sealer:
    return Sealer(identity, ClusterKeys(CLUSTER, frozenset({keeper.id})))


def test_what_comes_from_the_secret_is_separate_and_steady() -> None:
    again = Cluster.from_secret(seed('cluster'))
    assert again == CLUSTER
    assert hash(again) == hash(CLUSTER)
    assert again.id == CLUSTER.id
    secrets = {CLUSTER.id, CLUSTER.reveal_secret(), CLUSTER.first_key().to_value()['key'], OTHER_CLUSTER.id}
    assert len(secrets) == 4
    assert Cluster.create() != Cluster.create()
    assert Cluster.create(SeededEntropy(b'1')) == Cluster.create(SeededEntropy(b'1'))


def test_a_name_is_one_cluster_however_it_is_composed() -> None:
    name = Cluster.from_name('Café')
    assert name == Cluster.from_name(unicodedata.normalize('NFD', 'Café'))
    assert name != Cluster.from_name('café')
    # Fixed for ever: others must find the same cluster.
    assert name.id.hex() == 'c75e2b535bb41a8a3418177d228a473de004bb87d2df194b6629276bb5c4464c'


@pytest.mark.parametrize('name', ['', 'x' * 257, '\ud800'], ids=ascii)
def test_names_are_text_of_some_length(name: str) -> None:
    with pytest.raises(SealingError, match='name'):
        Cluster.from_name(name)


def test_secrets_neither_show_nor_travel() -> None:
    key = CLUSTER.first_key()
    hidden = (CLUSTER.reveal_secret().hex(), key.to_value()['key'].hex())
    for each in (CLUSTER, key, ClusterKeys(CLUSTER)):
        for secret in hidden:
            assert secret not in repr(each)
    for each in (CLUSTER, key):
        for way in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match='neither pickled nor copied'):
                way(each)
    with pytest.raises(TypeError, match='makes these'):
        Cluster()


@pytest.mark.parametrize(
    ('epoch', 'key', 'since', 'until'),
    [(-1, 32, 0, 0), (2**32, 32, 0, 0), (0, 31, 0, 0), (0, 33, 0, 0), (0, 32, -1, 0), (0, 32, 5, 5), (0, 32, 5, 4)],
)
def test_keys_have_sane_numbers(epoch: int, key: int, since: int, until: int) -> None:
    with pytest.raises(SealingError):
        ClusterKey(epoch, bytes(key), since, until)


def test_rotation_reaches_who_is_told_and_nobody_else() -> None:
    alice, bob, carol = member(ALICE), member(BOB), member(CAROL)
    before = carol.seal('news', 1, now_ms=NOW)
    key = alice.keys.rotate(NOW, since=NOW + HOUR)
    # The key travels sealed to each member that goes on; Carol is left out.
    offer = alice.seal(ROTATION_EVENT, key.to_value(), now_ms=NOW, to=BOB.public)
    message = bob.open(offer, now_ms=NOW, to=BOB.id, previous_id=bytes(32))
    assert message.event == ROTATION_EVENT
    bob.keys.accept(message.sender, message.value, NOW)
    # Until it begins, everybody uses the old one.
    assert alice.keys.current(NOW) == alice.keys.current(NOW + HOUR - 1) != alice.keys.current(NOW + HOUR)
    later = NOW + HOUR
    after = alice.seal('news', 2, now_ms=later)
    assert bob.open(after, now_ms=later, to=EVERYBODY, previous_id=bytes(32)).value == 2
    assert bob.open(before, now_ms=later, to=EVERYBODY, previous_id=bytes(32)).value == 1
    with pytest.raises(NotOpened):
        carol.open(after, now_ms=later, to=EVERYBODY, previous_id=bytes(32))
    # Carol sees which key she lacks, and that is all.
    assert key_id_of(after) == key.id
    assert carol.keys.find(key.id, later) is None


def test_the_secret_and_old_keys_do_not_give_the_next_one() -> None:
    first, second = ClusterKeys(CLUSTER), ClusterKeys(CLUSTER)
    assert first.rotate(NOW).to_value()['key'] != second.rotate(NOW).to_value()['key']


def test_a_key_that_has_ended_opens_and_seals_nothing() -> None:
    alice, bob = member(ALICE), member(BOB)
    key = alice.keys.rotate(NOW, until=NOW + DAY)
    bob.keys.accept(ALICE.public, key.to_value(), NOW)
    sealed = alice.seal('news', 1, now_ms=NOW)
    with pytest.raises(NotOpened):
        bob.open(sealed, now_ms=NOW + DAY, to=EVERYBODY, previous_id=bytes(32))
    assert bob.keys.forget_ended(NOW + DAY) == 1
    assert bob.keys.forget_ended(NOW + DAY) == 0
    # Even a clock that is set back does not bring it back.
    with pytest.raises(NotOpened):
        bob.open(sealed, now_ms=NOW, to=EVERYBODY, previous_id=bytes(32))
    first = bob.keys.current(NOW + DAY)
    assert first.epoch == 0
    bob.keys.end(first.id, NOW + 2 * DAY)
    with pytest.raises(UnknownKeyError, match='ended'):
        bob.seal('news', now_ms=NOW + 2 * DAY)
    with pytest.raises(UnknownKeyError, match='no such'):
        bob.keys.end(bytes(8), NOW)
    # The next one is a later epoch than any before.
    bob.keys.forget_ended(NOW + 2 * DAY)
    assert len(bob.keys) == 0
    assert bob.keys.rotate(NOW + 2 * DAY).epoch == 2


def test_a_message_that_bears_a_time_before_its_key_is_refused() -> None:
    alice, bob = member(ALICE), member(BOB)
    key = alice.keys.rotate(NOW)
    bob.keys.accept(ALICE.public, key.to_value(), NOW)
    key_of_liar = ClusterKey(key.epoch, key.to_value()['key'])
    alice.keys._keys = {key_of_liar.id: key_of_liar}
    early = alice.seal('news', now_ms=NOW - 1)
    with pytest.raises(NotOpened):
        bob.open(early, now_ms=NOW, to=EVERYBODY, previous_id=bytes(32))


def test_only_keepers_rotate() -> None:
    bob = member(BOB)
    value = ClusterKeys(CLUSTER).rotate(NOW).to_value()
    for stranger in (MALLORY, BOB):
        with pytest.raises(BadRecord, match='keeper'):
            bob.keys.accept(stranger.public, value, NOW)
    assert len(bob.keys) == 1
    key = bob.keys.accept(ALICE.public, value, NOW)
    assert bob.keys.accept(ALICE.public, value, NOW) is key
    assert [each.epoch for each in bob.keys] == [0, 1]


GOOD = ClusterKey(1, bytes(32), NOW).to_value()


@pytest.mark.parametrize(
    ('value', 'reason'),
    [
        (None, 'form'),
        ([], 'form'),
        ({}, 'form'),
        (GOOD | {'more': 1}, 'form'),
        (GOOD | {'epoch': True}, 'form'),
        (GOOD | {'epoch': 1.0}, 'form'),
        (GOOD | {'epoch': -1}, 'form'),
        (GOOD | {'epoch': 0}, 'epoch'),
        (GOOD | {'epoch': 2**32}, 'form'),
        (GOOD | {'key': b''}, 'form'),
        (GOOD | {'key': 'x' * 32}, 'form'),
        (GOOD | {'since': -1}, 'form'),
        (GOOD | {'until': 1}, 'form'),
        (GOOD | {'since': 1, 'until': NOW}, 'epoch'),
    ],
)
def test_what_is_no_key_is_refused(value: Any, reason: str) -> None:
    keys = ClusterKeys(CLUSTER, frozenset({ALICE.id}))
    with pytest.raises(BadRecord, match=reason):
        keys.accept(ALICE.public, value, NOW)
    assert len(keys) == 1


def test_keepers_who_rotate_at_once_agree() -> None:
    one, two = ClusterKeys(CLUSTER, frozenset({ALICE.id})), ClusterKeys(CLUSTER, frozenset({ALICE.id}))
    first, second = one.rotate(NOW), two.rotate(NOW)
    one.accept(ALICE.public, second.to_value(), NOW)
    two.accept(ALICE.public, first.to_value(), NOW)
    assert one.current(NOW).id == two.current(NOW).id == min(first.id, second.id)


def test_keys_are_bounded_and_the_newest_stay() -> None:
    keys = ClusterKeys(CLUSTER)
    last = [keys.rotate(NOW) for _ in range(KEYS_MAX + 10)][-1]
    assert len(keys) == KEYS_MAX
    assert keys.current(NOW) is last
    assert keys.find(CLUSTER.first_key().id, NOW) is None


def test_keys_are_kept_over_a_restart() -> None:
    keys = ClusterKeys(CLUSTER, frozenset({ALICE.id}))
    keys.rotate(NOW, until=NOW + DAY)
    keys.rotate(NOW)
    again = ClusterKeys.restored(CLUSTER, keys.reveal(), keys.keepers)
    assert [key.to_value() for key in again] == [key.to_value() for key in keys]
    assert again.reveal() == keys.reveal()
    assert again.rotate(NOW).epoch == 3
    for wrong in (b'', b'\0', b'\x80', b'\x82\x00\x81\x00', b'\x82\x61\x61\x80', keys.reveal()[:-1]):
        with pytest.raises(SealingError, match='no keys'):
            ClusterKeys.restored(CLUSTER, wrong)
