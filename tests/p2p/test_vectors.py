"""The formats of this room are fixed: what was written once is read for ever, and written alike."""

from __future__ import annotations

import pytest

from socket_core import NO_ID
from socket_runtime.p2p.cluster import ClusterKeys
from socket_runtime.p2p.entropy import SeededEntropy
from socket_runtime.p2p.group import read_record
from socket_runtime.p2p.handshake import Initiator, Responder
from socket_runtime.p2p.keys import Identity
from socket_runtime.p2p.schemes import HPKE, HybridScheme
from tests.p2p.make_vectors import FOLDER, GROUP, VALUE, fixed, random
from tests.p2p.support import ALICE, BOB, CLUSTER, DAY, NOW, PARENT, sealer


def kept(name: str) -> bytes:
    return (FOLDER / f'{name}.bin').read_bytes()


def test_all_of_them_are_there() -> None:
    assert sorted(path.stem for path in FOLDER.glob('*.bin')) == sorted({**fixed(), **random()})


@pytest.mark.parametrize('name', sorted(fixed()))
def test_they_are_made_alike(name: str) -> None:
    assert fixed()[name] == kept(name)


@pytest.mark.parametrize(
    ('name', 'to', 'expiry', 'scheme'),
    [('message-cluster', None, None, 1), ('message-hpke', BOB, NOW + 1000, 2), ('message-hybrid', BOB, None, 3)],
)
def test_messages_are_read(name: str, to: Identity | None, expiry: int | None, scheme: int) -> None:
    reader = sealer(BOB, HPKE, HybridScheme())
    message = reader.open(kept(name), now_ms=NOW, to=NO_ID if to is None else to.id, previous_id=PARENT)
    assert (message.event, message.value, message.time, message.expiry) == ('greeting', VALUE, NOW, expiry)
    assert (message.sender, message.scheme) == (ALICE.public, scheme)


def test_the_stream_is_read() -> None:
    keys = ClusterKeys(CLUSTER)
    initiator = Initiator(ALICE, BOB.public, keys, NOW, entropy=SeededEntropy(b'alice'))
    theirs, _ = Responder(BOB, keys, entropy=SeededEntropy(b'bob')).answer(kept('handshake-first'), NOW)
    ours = initiator.finish(kept('handshake-second'), NOW)
    assert theirs.open(kept('stream-1')) == b''
    assert ours.open(kept('stream-2')) == b'hello'


def test_the_record_and_the_key_are_read() -> None:
    record = read_record(kept('group-record'), CLUSTER.id, now_ms=NOW, published=True)
    assert (record.group, record.label, record.version, record.time) == (GROUP.public, 'ours', 1, NOW)
    alice, bob = record.member(ALICE.id), record.member(BOB.id)
    assert alice is not None and bob is not None
    assert (alice.stands_for, alice.until, bob.stands_for, bob.until) == (True, 0, False, NOW + DAY)
    HybridScheme().learn(BOB.public, kept('hybrid-key'))
