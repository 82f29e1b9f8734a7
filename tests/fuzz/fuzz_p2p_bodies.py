"""Control packets, answers to a reconciliation, and fragments: only the stated errors.

Invariant: ``decode`` raises nothing but ``BadBody``, and what it accepts is encoded to the same bytes again. The sender
signs every input, so that what lies behind a signature is reached. ``Reconciliation.receive``, ``answer`` and
``Reassembly.add`` raise nothing but ``BadBody``, whatever well-formed bodies and packets they are given; what waits
stays within its budget.
"""

from __future__ import annotations

from socket_core import HEADER_BYTES, PACKET_MAX_BYTES, PUBLISH, Cache, ProtocolError, encode, parse
from socket_runtime.p2p.bodies import Control, Sync, decode
from socket_runtime.p2p.entropy import SeededEntropy
from socket_runtime.p2p.errors import BadBody
from socket_runtime.p2p.fragments import Reassembly, split
from socket_runtime.p2p.reconcile import Reconciliation, answer
from tests.fuzz.runner import main
from tests.p2p.bodies import EVERY, datagram
from tests.p2p.support import ALICE, CLUSTER, NOW

_PACKETS = [parse(encode(PUBLISH, cluster=CLUSTER.id, message=bytes((number,)))) for number in range(200)]
_FRAGMENTS = split(bytes(3000), cluster=CLUSTER.id).packets
_BUDGET = 6000


def _asking() -> Reconciliation:
    return Reconciliation(_SUMMARY, entropy=SeededEntropy(b'fuzz'))


_CACHE = Cache()
_CACHE.insert_many(_PACKETS, now=1.0)
_SUMMARY = _CACHE.summary()
_REQUEST = _asking().requests(0)[0]
_ANSWERS = [
    answer(summary, _REQUEST).encode(ALICE, cluster=CLUSTER.id, to=ALICE.id, now_ms=NOW)
    for summary in (_SUMMARY, Cache().summary())
]

CORPUS = [*(datagram(body) for body in EVERY.values()), *_ANSWERS, *_FRAGMENTS]
DICTIONARY = [bytes(32), bytes(19), b'\x04', b'\x06', b'\xff', b'\x80', b'\x81\x01', b'\x00\x01', ALICE.id, CLUSTER.id]


def fuzz_one(data: bytes) -> None:
    """One input as a datagram of a stranger, and with Alice's signature."""
    data = data[:PACKET_MAX_BYTES]
    _control(data)
    if len(data) > HEADER_BYTES + 64:
        signed = data[:-64]
        control = _control(signed + ALICE.sign(b'control', signed))
        if control is not None and control.sender == ALICE.id:
            assert control.verify()
    _fragments(data)


def _control(data: bytes) -> Control | None:
    try:
        control = decode(parse(data))
    except (ProtocolError, BadBody):
        return None
    body = control.body
    again = body.encode(ALICE, cluster=control.cluster, to=control.to, now_ms=control.time, clock=control.clock)
    assert again[HEADER_BYTES + 40 : -64] == data[HEADER_BYTES + 40 : -64]
    assert again[:HEADER_BYTES] == data[:HEADER_BYTES]
    if isinstance(body, Sync):
        _reconcile(body)
    return control


def _reconcile(body: Sync) -> None:
    try:
        answered = answer(_SUMMARY, body)
        assert len(answered.encode(ALICE, cluster=CLUSTER.id, to=ALICE.id, now_ms=NOW)) <= PACKET_MAX_BYTES
    except BadBody:
        assert body.is_answer
    asking = _asking()
    asking.requests(0)
    try:
        asking.receive(body)
    except BadBody:
        assert asking.is_over
    asking.requests(0)


def _fragments(data: bytes) -> None:
    """The input between true fragments, and its pieces as fragments of little memory."""
    into = Reassembly(_BUDGET, life_ms=10)
    for time, each in enumerate((_FRAGMENTS[2], data, _FRAGMENTS[0], data[::-1], _FRAGMENTS[1])):
        try:
            into.add(parse(each), time % 2, time)
        except (ProtocolError, BadBody):
            continue
        assert into.used_bytes <= _BUDGET
    assert not into.missing() or len(into)
    into.expire(20)
    assert (len(into), into.used_bytes) == (0, 0)


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
