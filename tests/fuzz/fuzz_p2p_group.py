"""Records of groups, key records, rotations, snapshots and queries: only the stated errors.

Invariant: ``read_record``, ``ClusterKeys.accept``, ``read_key_value``, ``HybridScheme.learn`` and ``read_query`` raise
nothing but ``BadRecord``, ``SeenMessages.restored`` and ``ClusterKeys.restored`` nothing but ``SealingError``. A record
that is read and learnt leaves a directory without circles. The group signs every other input, so that what lies behind
its signature is reached.
"""

from __future__ import annotations

from socket_runtime.p2p import _cbor
from socket_runtime.p2p.cluster import ClusterKeys
from socket_runtime.p2p.directory import GroupDirectory, query_for, read_query
from socket_runtime.p2p.errors import BadRecord, SealingError
from socket_runtime.p2p.group import authorise, key_value, make_record, read_key_value, read_record
from socket_runtime.p2p.replay import SeenMessages
from socket_runtime.p2p.schemes import HybridScheme
from tests.fuzz.runner import main
from tests.p2p.support import ALICE, BOB, CLUSTER, NOW, person

_GROUP = person('group')
_MEMBERS = [authorise(each, _GROUP.id, CLUSTER.id, now_ms=NOW) for each in (ALICE, BOB)]
_RECORD = make_record(_GROUP, CLUSTER.id, 'ours', _MEMBERS, now_ms=NOW)
_SIGNED = b'\xa6' + _RECORD.data[1:-67]
_HYBRID = HybridScheme()
_SEEN = SeenMessages()
_SEEN.is_first(ALICE.id, bytes(32), NOW)

CORPUS = [
    _RECORD.data,
    _SIGNED,
    _cbor.encode(ClusterKeys(CLUSTER).rotate(NOW).to_value()),
    _cbor.encode(key_value(_GROUP, _RECORD)),
    ClusterKeys(CLUSTER).reveal(),
    _SEEN.snapshot(),
    query_for(ALICE.id),
]
DICTIONARY = [ALICE.id, BOB.id, _GROUP.id, bytes(32), b'\x07\x58\x40', b'\x06', b'\x82', b'\x85', b'\x58\x40', b'\xf5']


def fuzz_one(data: bytes) -> None:
    """One input in every role."""
    signed = b'\xa7' + data[1:] + b'\x07\x58\x40' + _GROUP.sign(b'group record', CLUSTER.id + b'\xa6' + data[1:])
    for record in (data, signed):
        _read_record(record)
    keys = ClusterKeys(CLUSTER, frozenset({ALICE.id}))
    try:
        value = _cbor.decode(data)
    except ValueError:
        value = data
    for read in (
        lambda: keys.accept(ALICE.public, value, NOW),
        lambda: read_key_value(value, CLUSTER.id, now_ms=NOW),
        lambda: _HYBRID.learn(ALICE.public, data),
        lambda: read_query(data),
    ):
        try:
            read()
        except BadRecord:
            continue
    for restore in (SeenMessages.restored, lambda kept: ClusterKeys.restored(CLUSTER, kept)):
        try:
            restore(data)
        except SealingError:
            continue


def _read_record(data: bytes) -> None:
    try:
        record = read_record(data, CLUSTER.id, now_ms=NOW, published=True)
    except BadRecord:
        return
    assert record.data == data
    assert record.group == _GROUP.public
    directory = GroupDirectory()
    directory.learn(record)
    for member in record.members:
        assert directory.groups_of(member.id, NOW) in ([record], [])
    directory.devices_of(record.group.id, NOW)


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
