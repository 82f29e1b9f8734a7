"""One body of every kind, with all that it can say and with as little as it may."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from socket_core import ANSWER, Address, parse
from socket_runtime.p2p.bodies import Body, Consent, Control, Intro, Join, Nat, Ping, Sync, decode
from socket_runtime.p2p.exchange import Announced, Answer, AppData, GroupQuestion, PacketQuestion, Query
from socket_runtime.p2p.keys import Identity
from socket_runtime.p2p.sync import Range
from tests.p2p.support import ALICE, BOB, CAROL, CLUSTER, NOW

V4: Final = Address('198.51.100.7', 40000)
V6: Final = Address('2001:db8::7', 9)


def digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


REQUEST: Final = digest('request')
KEY: Final = digest('key')[:16]
IDS: Final = tuple(sorted(digest(f'id {number}') for number in range(16)))
PREFIXES: Final = tuple(each[:14] for each in IDS)


def consent(address: Address | None = V4, identity: Identity = CAROL, **changes: Any) -> Consent:
    """Carol's word for Alice."""
    said = {'cluster': CLUSTER.id, 'introducer': ALICE.id, 'request_id': REQUEST, 'nat': Nat.HARD, 'now_ms': NOW - 1}
    return Consent.create(identity, address=address, **(said | changes))


PING: Final = Ping(request_id=REQUEST)
FULL_PING: Final = Ping(
    request_id=REQUEST,
    nat=Nat.HARD,
    is_reflection=True,
    is_connection=True,
    is_keep_alive=True,
    test_port=65535,
    geospacial=2**64 - 1,
)
INTRO: Final = Intro(request_id=REQUEST, peer_id=CAROL.id, address=V4)
THIRD_INTRO: Final = Intro(request_id=REQUEST, peer_id=CAROL.id, address=V4, nat=Nat.HARD, consent=consent())
JOIN: Final = Join(request_id=REQUEST, clusters=frozenset({CLUSTER.id}))
FULL_JOIN: Final = Join(
    request_id=REQUEST,
    clusters=frozenset({CLUSTER.id, *IDS[:15]}),
    nat=Nat.HARD,
    address=V6,
    consent=consent(V6, ALICE, introducer=BOB.id),
)
SYNC: Final = Sync(request_id=REQUEST, key=KEY, step=1, ranges=(Range(count=3, fingerprint=bytes(16)),))
ASKING: Final = Sync(
    request_id=REQUEST,
    key=KEY,
    step=65535,
    ranges=(Range(b'', b'\1'), Range(b'\1', b'\2\0\3'), Range(b'\3', None)),
    wanted=PREFIXES,
)
ANSWERING: Final = Sync(
    request_id=REQUEST,
    key=KEY,
    step=2,
    is_answer=True,
    ranges=(
        Range(b'', PREFIXES[0], 2**32 - 1, b'\xff' * 16),
        Range(PREFIXES[0], PREFIXES[9], ids=PREFIXES[:9]),
        Range(PREFIXES[10], None, ids=()),
    ),
)
EVERY: Final[dict[str, Body]] = {
    'ping': PING,
    'ping-full': FULL_PING,
    'pong': PING.__class__(request_id=REQUEST, is_connection=True).pong(V4),
    'pong-full': FULL_PING.pong(V6, nat=Nat.STATIC, cache_size=2**32 - 1, test_port=9),
    'intro': INTRO,
    'intro-third': THIRD_INTRO,
    'join': JOIN,
    'join-full': FULL_JOIN,
    'query': Query(request_id=REQUEST, question=PacketQuestion(IDS[0])),
    'query-tail': Query(request_id=REQUEST, question=PacketQuestion(IDS[0], True, 16)),
    'query-group': Query(request_id=REQUEST, question=GroupQuestion(CAROL.id)),
    'query-app': Query(request_id=REQUEST, question=AppData(b'who has the map?')),
    'answer': Answer(request_id=REQUEST, answer=Announced()),
    'answer-full': Answer(request_id=REQUEST, answer=Announced(IDS[:13], IDS[13:], CLUSTER.id)),
    'answer-group': Answer(request_id=REQUEST, answer=Announced(IDS[:2], of_groups=True)),
    'answer-app': Answer(request_id=REQUEST, answer=AppData(b'\0' * 887)),
    'sync': SYNC,
    'sync-asking': ASKING,
    'sync-answering': ANSWERING,
}
assert EVERY['answer'].TYPE == ANSWER


def datagram(body: Body, **changes: Any) -> bytes:
    """Alice to Bob."""
    said = {'cluster': CLUSTER.id, 'to': BOB.id, 'now_ms': NOW, 'clock': 7}
    return body.encode(ALICE, **(said | changes))


def read(data: bytes) -> Control:
    return decode(parse(data))


def signed_anyhow(message: bytes, like: Body, identity: Identity = ALICE) -> bytes:
    """A datagram with fields that Alice signed although nobody should."""
    head = datagram(like)[: 142 + 72]
    return head + message + identity.sign(b'control', head + message)
