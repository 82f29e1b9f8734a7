"""A few people, a moment, and what they share."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from socket_runtime.p2p.cluster import Cluster, ClusterKeys
from socket_runtime.p2p.entropy import SeededEntropy
from socket_runtime.p2p.keys import Identity
from socket_runtime.p2p.schemes import HPKE, Scheme
from socket_runtime.p2p.seal import Opened, Sealer

NOW: Final = 1_800_000_000_000
"""ms since 1970; the clock of all tests."""
HOUR: Final = 3600 * 1000
DAY: Final = 24 * HOUR


def seed(name: str) -> bytes:
    return hashlib.sha256(b'test ' + name.encode()).digest()


def person(name: str) -> Identity:
    """The same identity for the same name."""
    return Identity.from_seed(seed(name))


ALICE, BOB, CAROL, MALLORY = (person(name) for name in ('alice', 'bob', 'carol', 'mallory'))
CLUSTER: Final = Cluster.from_secret(seed('cluster'))
OTHER_CLUSTER: Final = Cluster.from_secret(seed('other cluster'))
PARENT: Final = seed('causal parent')


def sealer(identity: Identity, *schemes: Scheme, cluster: Cluster = CLUSTER, entropy: str = '') -> Sealer:
    """A peer's sealer; with ``entropy`` its own random bytes are always the same."""
    keys = ClusterKeys(cluster)
    if entropy:
        return Sealer(identity, keys, schemes or (HPKE,), entropy=SeededEntropy(entropy.encode()))
    return Sealer(identity, keys, schemes or (HPKE,))


def opened(by: Identity, sealed: bytes, to: bytes, previous_id: bytes = bytes(32), **options: Any) -> Opened:
    """What a peer that starts anew makes of a message."""
    return sealer(by, **options).open(sealed, now_ms=NOW, to=to, previous_id=previous_id)


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit turned."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
