"""Handshakes and datagrams of direct streams: only the stated errors, and nothing moves for what does not open.

Invariant: ``Responder.answer`` and ``Initiator.finish`` raise nothing but ``BadHandshake``, ``Session.open`` nothing but
``NotReceived``. Half of the inputs get a right gate, as a member of the cluster could give them. A datagram that was
refused has changed neither the window nor the keys.
"""

from __future__ import annotations

from socket_runtime.p2p import handshake
from socket_runtime.p2p.cluster import ClusterKeys
from socket_runtime.p2p.errors import BadHandshake, NotReceived
from socket_runtime.p2p.handshake import FIRST_BYTES, SECOND_BYTES, Initiator, Responder
from socket_runtime.p2p.session import receiver_index
from tests.fuzz.runner import main
from tests.p2p.support import ALICE, BOB, CLUSTER, NOW

_KEYS = ClusterKeys(CLUSTER)
_KEY = CLUSTER.first_key()
_INITIATOR = Initiator(ALICE, BOB.public, _KEYS, NOW)
_THEIRS, _SECOND = Responder(BOB, _KEYS).answer(_INITIATOR.message, NOW)
_OURS = _INITIATOR.finish(_SECOND, NOW)
_WAITING = Initiator(ALICE, BOB.public, _KEYS, NOW)
_SECOND = Responder(BOB, _KEYS).answer(_WAITING.message, NOW)[1]

CORPUS = [_INITIATOR.message, _SECOND, _OURS.seal(b''), _OURS.seal(b'data'), b'\3' + bytes(28)]
DICTIONARY = [b'\1', b'\2', b'\3', _KEY.id, _INITIATOR.index.to_bytes(4, 'big'), _THEIRS.index.to_bytes(4, 'big')]
DICTIONARY += [bytes(8), b'\xff' * 8, bytes(32), b'\1' + bytes(31)]


def fuzz_one(data: bytes) -> None:
    """One message of a Stream packet, in every role."""
    receiver_index(data)
    responder = Responder(BOB, _KEYS)
    for message in (data, data[:-16] + handshake._gate(_KEY, data[:-16])):
        try:
            _, second = responder.answer(message, NOW)
        except BadHandshake:
            pass
        else:
            assert len(second) == SECOND_BYTES < FIRST_BYTES == len(message)
        state = _WAITING._state
        try:
            _WAITING.finish(message, NOW)
        except BadHandshake:
            continue
        # Only the true answer, and it may come again in another run.
        assert message == _SECOND
        _WAITING._state = state
    before = _THEIRS._window.highest, _THEIRS._receiving.generation
    try:
        opened = _THEIRS.open(data)
    except NotReceived:
        assert (_THEIRS._window.highest, _THEIRS._receiving.generation) == before
    else:
        assert opened in (b'', b'data')


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
