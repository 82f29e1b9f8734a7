"""What sealing costs beyond its primitives: one message of 960 bytes, and a datagram of a direct stream.

"Bare" is what nobody who seals and signs can do without, with ready keys: one Ed25519 signature, one HPKE seal,
one HPKE open and one check of the signature, of 960 bytes, from `cryptography`. Ours makes the message's map, binds it
to its place, checks its form, its time and whether it was seen. The clock is the process's own CPU time, so that
neighbours do not count. `tests/benchmarks/test_seal.py` runs the same cases under pytest-benchmark.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks import command, harness
from benchmarks.bars import Row, Values, absolute, against, middle

ROUNDS = 9
BODY = bytes(range(240)) * 4
NOW = 1_800_000_000_000
OURS, BARE = 'message', 'bare primitives'
STREAM = 'stream, 1 KiB datagram'
# How often each case is done in one round; those that take longer, less often.
LOOPS = {STREAM: 20_000}
LOOP = 500


def _messages() -> dict[str, Callable[[], None]]:
    from socket_runtime.p2p import HPKE, Cluster, ClusterKeys, HybridScheme, Sealer, create_keys

    keys = ClusterKeys(Cluster.create())
    alice, bob = create_keys(), create_keys()
    hybrid = HybridScheme()
    hybrid.learn(bob.public, hybrid.key_record(bob))
    sender, receiver = Sealer(alice, keys, [HPKE, hybrid]), Sealer(bob, keys, [HPKE, hybrid])
    clock = itertools.count(NOW)
    nobody = bytes(32)

    def message(scheme: int) -> Callable[[], None]:
        def run() -> None:
            now = next(clock)
            sealed = sender.seal('greeting', BODY, now_ms=now, to=bob.public, scheme=scheme)
            opened = receiver.open(sealed, now_ms=now, to=bob.id, previous_id=nobody)
            assert opened.value == BODY

        return run

    def to_all() -> None:
        now = next(clock)
        sealed = sender.seal('greeting', BODY, now_ms=now)
        assert receiver.open(sealed, now_ms=now, to=nobody, previous_id=nobody).value == BODY

    return {OURS: message(HPKE.number), 'message, hybrid': message(hybrid.number), 'message to all': to_all}


def _bare() -> Callable[[], None]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    signer, opener = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    verifier, recipient = signer.public_key(), opener.public_key()

    def run() -> None:
        signature = signer.sign(BODY)
        assert suite.decrypt(suite.encrypt(BODY, recipient), opener) == BODY
        verifier.verify(signature, BODY)

    return run


def _streams() -> dict[str, Callable[[], None]]:
    from socket_runtime.p2p import Cluster, ClusterKeys, Initiator, Responder, create_keys
    from socket_runtime.p2p.session import DATAGRAM_MAX_BYTES

    keys = ClusterKeys(Cluster.create())
    alice, bob = create_keys(), create_keys()
    responder = Responder(bob, keys)
    clock = itertools.count(NOW)
    first = Initiator(alice, bob.public, keys, next(clock))
    theirs, second = responder.answer(first.message, NOW)
    ours = first.finish(second, NOW)
    data = bytes(DATAGRAM_MAX_BYTES)

    def datagram() -> None:
        assert theirs.open(ours.seal(data)) == data

    def handshake() -> None:
        now = next(clock)
        initiator = Initiator(alice, bob.public, keys, now)
        _, answer = responder.answer(initiator.message, now)
        initiator.finish(answer, now)

    return {STREAM: datagram, 'stream, handshake': handshake}


def cases() -> dict[str, Callable[[], None]]:
    """What is timed, by name: each seals and opens once."""
    return {**_messages(), BARE: _bare(), **_streams()}


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all cases, interleaved."""

    def work(name: str, seal_and_open: Callable[[], None]) -> Callable[[], Mapping[str, float]]:
        loop = LOOPS.get(name, LOOP)

        def run() -> Mapping[str, float]:
            begin = time.process_time()
            for _ in range(loop):
                seal_and_open()
            microseconds = (time.process_time() - begin) / loop * 1e6
            return {'seal_and_open_us': microseconds, 'per_second': 1e6 / microseconds}

        return run

    return harness.interleave({name: work(name, case) for name, case in cases().items()}, rounds, warm_up=1)


def judge(values: Values) -> list[Row]:
    """The bars of sealing: a message against its primitives, and datagrams of a stream a second."""
    ours, bare = (middle(values, name, 'seal_and_open_us') for name in (OURS, BARE))
    return [
        against('seal and open of a 960-byte message', ours, bare, BARE, 'us', at_most=1.2),
        absolute(
            'datagrams sealed and opened, no sockets', middle(values, STREAM, 'per_second'), '/s', at_least=60_000
        ),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
