"""Writes the vectors of bodies, fragments and Sync: ``python -m tests.p2p.make_body_vectors [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from socket_runtime.p2p.fragments import split
from tests.p2p.bodies import EVERY, datagram
from tests.p2p.support import BOB, CLUSTER, PARENT

FOLDER = Path(__file__).parent / 'vectors' / 'bodies'
MESSAGE = bytes(range(256)) * 9


def fixed() -> dict[str, bytes]:
    """All of them; Ed25519 signs the same bytes alike."""
    fragments = split(MESSAGE, cluster=CLUSTER.id, to=BOB.id, previous_id=PARENT, clock=7)
    parts = {f'fragment-{number}': packet for number, packet in enumerate(fragments.packets)}
    return {**{name: datagram(body) for name, body in EVERY.items()}, **parts, 'fragments-id': fragments.id}


if __name__ == '__main__':
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in fixed().items():
        (folder / f'{name}.bin').write_bytes(data)
