"""Sealed messages and their plaintexts: only `NotOpened`, and what opens is what a sender signed.

Invariant: ``Sealer.open`` raises nothing but ``NotOpened`` for any bytes. The first byte chooses: the rest is a sealed
message, or a plaintext that is sealed with the right keys and signed by its sender, to reach what lies behind both.
"""

from __future__ import annotations

from socket_core import NO_ID
from socket_runtime.p2p import _cbor
from socket_runtime.p2p.errors import NotOpened
from socket_runtime.p2p.replay import SeenMessages
from socket_runtime.p2p.schemes import HPKE, HybridScheme
from socket_runtime.p2p.seal import _verified, key_id_of
from tests.fuzz.runner import main
from tests.p2p.support import ALICE, BOB, CLUSTER, NOW, PARENT, sealer

_ROUTE = CLUSTER.id + BOB.id + PARENT
_READER = sealer(BOB, HPKE, HybridScheme())
_GOOD = _cbor.encode_fields({1: 'greeting', 2: {'a': [1, 2.5, None]}, 3: NOW, 4: NOW + 1, 5: ALICE.id})

CORPUS = [
    b'\0' + sealer(ALICE).seal('greeting', 'hello', now_ms=NOW, previous_id=PARENT),
    b'\0' + sealer(ALICE).seal('greeting', 'hello', now_ms=NOW, previous_id=PARENT, to=BOB.public),
    b'\1' + _GOOD,
    b'\2' + _GOOD,
]
DICTIONARY = [
    b'\xa5',
    b'\xa6',
    b'\x05\x58\x20',
    b'\x06\x58\x40',
    ALICE.id,
    bytes(32),
    CLUSTER.first_key().id,
    b'\x04\xf6',
]


def fuzz_one(data: bytes) -> None:
    """One sealed message to all and to one, or one signed plaintext."""
    kind, rest = data[:1], data[1:]
    if kind == b'\1':
        # Signed by Alice, whatever it is.
        signature = ALICE.sign(b'message', _ROUTE + rest)
        plaintext = b'\xa6' + rest[1:] + b'\x06\x58\x40' + signature
        message = _verified(plaintext, _ROUTE, 2)
        if message is not None:
            assert message.sender == ALICE.public
            again = {1: message.event, 2: message.value, 3: message.time, 4: message.expiry, 5: ALICE.id}
            assert _cbor.encode_fields(again) == b'\xa5' + rest[1:]
            assert message.event.isprintable() or not message.event.isascii()
        return
    if kind == b'\2':
        assert _verified(rest, _ROUTE, 2) is None
        return
    key_id_of(rest)
    _READER.seen = SeenMessages()
    for to in (NO_ID, BOB.id):
        try:
            opened = _READER.open(rest, now_ms=NOW, to=to, previous_id=PARENT)
        except NotOpened:
            continue
        assert opened.value == 'hello'


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
