"""Writes the vectors of our own formats: ``python -m tests.p2p.make_vectors [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from socket_runtime.p2p.cluster import Cluster, ClusterKeys
from socket_runtime.p2p.entropy import SeededEntropy
from socket_runtime.p2p.group import authorise, make_record
from socket_runtime.p2p.handshake import Initiator, Responder
from socket_runtime.p2p.schemes import HPKE, HybridScheme
from tests.p2p.support import ALICE, BOB, CLUSTER, DAY, NOW, PARENT, person, sealer

FOLDER = Path(__file__).parent / 'vectors'
GROUP = person('group')
VALUE = {'english': 'hello, world'}


def fixed() -> dict[str, bytes]:
    """Those that are the same every time."""
    keys = ClusterKeys(CLUSTER)
    initiator = Initiator(ALICE, BOB.public, keys, NOW, entropy=SeededEntropy(b'alice'))
    theirs, second = Responder(BOB, keys, entropy=SeededEntropy(b'bob')).answer(initiator.message, NOW)
    ours = initiator.finish(second, NOW)
    stream_1 = ours.seal(b'')
    theirs.open(stream_1)
    members = [
        authorise(ALICE, GROUP.id, CLUSTER.id, now_ms=NOW),
        authorise(BOB, GROUP.id, CLUSTER.id, now_ms=NOW, stands_for=False, until_ms=NOW + DAY),
    ]
    by = sealer(ALICE, entropy='salt')
    return {
        'ids': ALICE.id + BOB.id + GROUP.id + CLUSTER.id + CLUSTER.first_key().id,
        'exchange': b''.join(each.public.exchange_key.public_bytes_raw() for each in (ALICE, BOB, GROUP)),
        'cluster-name': Cluster.from_name('Café').id,
        'message-cluster': by.seal('greeting', VALUE, now_ms=NOW, previous_id=PARENT),
        'hybrid-key': HybridScheme().key_record(BOB),
        'handshake-first': initiator.message,
        'handshake-second': second,
        'stream-1': stream_1,
        'stream-2': theirs.seal(b'hello'),
        'group-record': make_record(GROUP, CLUSTER.id, 'ours', members, now_ms=NOW).data,
    }


def random() -> dict[str, bytes]:
    """Those that have random bytes of the system in them."""
    hybrid = HybridScheme()
    hybrid.learn(BOB.public, hybrid.key_record(BOB))
    by = sealer(ALICE, HPKE, hybrid)
    options = {'to': BOB.public, 'now_ms': NOW, 'previous_id': PARENT}
    return {
        'message-hpke': by.seal('greeting', VALUE, expiry_ms=NOW + 1000, **options),
        'message-hybrid': by.seal('greeting', VALUE, scheme=3, **options),
    }


if __name__ == '__main__':
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, data in {**fixed(), **random()}.items():
        (folder / f'{name}.bin').write_bytes(data)
