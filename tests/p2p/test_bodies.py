"""Bodies of control packets: what is said is read, and nothing else is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_core import HEADER_BYTES, NO_ID, PACKET_MAX_BYTES, PUBLISH, Address, ProtocolError, encode, parse
from socket_runtime.p2p import bodies
from socket_runtime.p2p.bodies import (
    CLUSTERS_MAX,
    INTRO_MIN_BYTES,
    PING_BYTES,
    PONG_BYTES,
    Consent,
    Intro,
    Join,
    Nat,
    Ping,
    Pong,
    Sync,
    is_safe_target,
)
from socket_runtime.p2p.directory import query_for, read_query
from socket_runtime.p2p.errors import BadBody, SealingError
from socket_runtime.p2p.exchange import (
    ANNOUNCED_MAX,
    APP_DATA_MAX_BYTES,
    OTHERS_MAX,
    Announced,
    Answer,
    AppData,
    GroupQuestion,
    PacketQuestion,
    Query,
)
from socket_runtime.p2p.replay import SeenMessages
from socket_runtime.p2p.seal import AHEAD_MAX_MS
from socket_runtime.p2p.sync import LISTED_MAX, Range
from tests.p2p.bodies import (
    ANSWERING,
    ASKING,
    EVERY,
    FULL_JOIN,
    FULL_PING,
    IDS,
    INTRO,
    JOIN,
    KEY,
    PING,
    PREFIXES,
    REQUEST,
    SYNC,
    THIRD_INTRO,
    V4,
    V6,
    consent,
    datagram,
    read,
    signed_anyhow,
)
from tests.p2p.support import ALICE, BOB, CAROL, CLUSTER, MALLORY, NOW, OTHER_CLUSTER, flipped

FIELDS_AT = HEADER_BYTES + 72
every = pytest.mark.parametrize('body', EVERY.values(), ids=EVERY)


@every
def test_what_was_said_is_read(body: Any) -> None:
    control = read(datagram(body))
    assert control.body == body
    assert type(control.body) is type(body)
    assert (control.sender, control.time, control.clock) == (ALICE.id, NOW, 7)
    assert (control.cluster, control.to, control.request_id) == (CLUSTER.id, BOB.id, REQUEST)
    assert control.verify()
    assert datagram(control.body) == control.data


@every
def test_every_bit_counts(body: Any) -> None:
    """F8: of the header, of the head, of the fields and of the signature."""
    data = datagram(body)
    for bit in range(len(data) * 8):
        try:
            control = read(flipped(data, bit))
        except (BadBody, ProtocolError):
            continue
        assert not control.verify(), bit


@every
def test_every_other_length_is_refused(body: Any) -> None:
    data = datagram(body)
    message = data[FIELDS_AT:-64]
    for changed in (data[:-1], data + b'\0', data[:HEADER_BYTES], data[: HEADER_BYTES + 135]):
        try:
            assert not read(changed).verify()
        except (BadBody, ProtocolError):
            pass
    if isinstance(body, Query | Answer) and message[0] == 3:
        return  # an app's bytes may be longer
    for changed in (message + b'\0', message[:-1], b''):
        with pytest.raises(BadBody):
            read(signed_anyhow(changed, body))


@every
@given(data=st.data())
def test_any_fields_are_read_or_refused(body: Any, data: st.DataObject) -> None:
    """What is accepted is spelt as we spell it ourselves."""
    said = bytearray(datagram(body)[FIELDS_AT:-64])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(said)))
        said[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        control = read(signed_anyhow(bytes(said[: PACKET_MAX_BYTES - FIELDS_AT - 64]), body))
    except BadBody:
        return
    assert control.verify()
    assert datagram(control.body) == control.data


def test_a_pong_is_as_long_as_the_ping_and_no_intro_is_shorter() -> None:
    """F1, F2: nothing is made longer by being answered."""
    sizes = {name: len(datagram(body)) for name, body in EVERY.items()}
    assert {sizes[name] for name in ('ping', 'ping-full')} == {PING_BYTES}
    assert {sizes[name] for name in ('pong', 'pong-full')} == {PONG_BYTES}
    assert PONG_BYTES == PING_BYTES == 313
    assert sizes['intro'] == INTRO_MIN_BYTES > PING_BYTES
    assert sizes['intro-third'] > INTRO_MIN_BYTES
    assert sizes['join'] > PING_BYTES
    assert len(datagram(PING, to=NO_ID)) == PING_BYTES
    assert max(sizes.values()) <= PACKET_MAX_BYTES


@given(st.builds(
    Ping,
    request_id=st.binary(min_size=32, max_size=32).filter(any),
    nat=st.sampled_from(Nat),
    is_reflection=st.just(True),
    is_connection=st.booleans(),
    is_keep_alive=st.booleans(),
    test_port=st.integers(0, 65535),
    geospacial=st.none() | st.integers(0, 2**64 - 1),
))  # fmt: skip
def test_every_ping_has_a_pong_of_its_length(ping: Ping) -> None:
    for address in (V4, V6):
        pong = ping.pong(address, nat=Nat.EASY, cache_size=5, test_port=ping.test_port)
        assert len(datagram(pong)) == len(datagram(ping))
        assert read(datagram(pong)).body == pong
        assert pong.request_id == ping.request_id


def test_a_first_ping_asks_for_no_answer() -> None:
    assert not PING.wants_answer
    with pytest.raises(SealingError, match='nothing was asked'):
        PING.pong(V4)
    for flag in ('is_reflection', 'is_connection', 'is_keep_alive'):
        assert Ping(request_id=REQUEST, **{flag: True}).wants_answer


def test_nobody_says_where_they_are_unasked() -> None:
    assert PING.geospacial is None
    assert not any(datagram(PING)[FIELDS_AT:-64])
    assert FULL_PING.pong(V4).geospacial is None


def test_only_a_ping_may_be_to_nobody_in_particular() -> None:
    """F7: what is said to one peer cannot be said to others."""
    for name, body in EVERY.items():
        if isinstance(body, Ping):
            assert read(datagram(body, to=NO_ID)).is_for(CAROL.id)
            continue
        with pytest.raises(SealingError, match='nobody'):
            datagram(body, to=NO_ID)
        data = bytearray(datagram(body))
        data[110:142] = NO_ID
        with pytest.raises(BadBody, match='to'):
            read(bytes(data))
        assert name
    control = read(datagram(PING))
    assert control.is_for(BOB.id)
    assert not control.is_for(CAROL.id)


@pytest.mark.parametrize('at', [2, 5, 10, 13, 46, 77, 78, 109])
def test_what_control_packets_do_not_use_is_zeros(at: int) -> None:
    data = bytearray(datagram(PING))
    data[at] = 1
    with pytest.raises(BadBody, match='header'):
        read(bytes(data))


def test_other_packets_are_no_control_packets() -> None:
    with pytest.raises(BadBody, match='type'):
        read(encode(PUBLISH, cluster=CLUSTER.id, message=bytes(200)))


@pytest.mark.parametrize('part', [slice(0, 1), slice(6, 10), slice(14, 46), slice(110, 142)], ids=str)
def test_nothing_of_the_header_can_be_exchanged(part: slice) -> None:
    """F5 F7 F8: another type, clock, cluster or recipient."""
    data = bytearray(datagram(EVERY['pong']))
    other = {0: b'\1', 6: bytes(4), 14: OTHER_CLUSTER.id, 110: CAROL.id}[part.start]
    data[part] = other
    try:
        assert not read(bytes(data)).verify()
    except BadBody:
        assert part.start == 0


def test_a_signature_for_something_else_is_none() -> None:
    data = datagram(PING)[:-64]
    for purpose in (b'message', b'introduce me', b''):
        assert not read(data + ALICE.sign(purpose, data)).verify()
    assert not read(data + MALLORY.sign(b'control', data)).verify()
    assert read(data + ALICE.sign(b'control', data)).verify()


def test_ids_that_are_no_keys_have_no_signature() -> None:
    data = bytearray(datagram(PING))
    for wrong in (b'\1' + bytes(31), b'\xff' * 32):
        data[HEADER_BYTES + 8 : HEADER_BYTES + 40] = wrong
        assert not read(bytes(data)).verify()
    for at in (8, 40):
        data = bytearray(datagram(PING))
        data[HEADER_BYTES + at : HEADER_BYTES + at + 32] = NO_ID
        with pytest.raises(BadBody, match='id'):
            read(bytes(data))


def test_times() -> None:
    for time in (0, 2**53, 2**64 - 1):
        data = bytearray(datagram(PING))
        data[HEADER_BYTES : HEADER_BYTES + 8] = time.to_bytes(8, 'big')
        with pytest.raises(BadBody, match='time'):
            read(bytes(data))
    control = read(datagram(PING))
    for shift in (-AHEAD_MAX_MS, 0, AHEAD_MAX_MS):
        assert control.is_timely(NOW + shift)
    for shift in (-AHEAD_MAX_MS - 1, AHEAD_MAX_MS + 1):
        assert not control.is_timely(NOW + shift)


def test_a_request_is_heard_once_even_over_a_restart() -> None:
    """F7, by what `replay` has for it."""
    control = read(datagram(PING))
    seen = SeenMessages()
    assert seen.is_first(control.sender, control.request_id, control.time)
    assert not seen.is_first(control.sender, control.request_id, control.time)
    assert not SeenMessages.restored(seen.snapshot()).is_first(control.sender, control.request_id, control.time)


@pytest.mark.parametrize(
    ('fields', 'like', 'reason'),
    [
        (b'\x10' + bytes(34), PING, 'flags'),
        (b'\x80' + bytes(34), PING, 'flags'),
        (b'\0\4' + bytes(33), PING, 'nat'),
        (b'\0\xff' + bytes(33), PING, 'nat'),
        (b'\0\0\0\1' + bytes(31), PING, 'port'),
        (bytes(11) + b'\1' + bytes(23), PING, 'padding'),
        (bytes(34) + b'\1', PING, 'padding'),
        (bytes(12) + V4.to_bytes() + bytes(4), EVERY['pong'], 'value'),
        (b'\1' + bytes(11) + bytes(19) + bytes(4), EVERY['pong'], 'address'),
        (b'\1' + bytes(11) + b'\5' + V4.to_bytes()[1:] + bytes(4), EVERY['pong'], 'address'),
        (b'\1' + bytes(11) + V4.to_bytes()[:-2] + bytes(6), EVERY['pong'], 'address'),
        (b'\1' + bytes(11) + Address('224.0.0.1', 1).to_bytes() + bytes(4), EVERY['pong'], 'address'),
        (b'\2\0' + CAROL.id + V4.to_bytes(), INTRO, 'flags'),
        (b'\0\0' + NO_ID + V4.to_bytes(), INTRO, 'id'),
        (b'\0\0' + CAROL.id + bytes(19), INTRO, 'address'),
        (b'\1\0' + CAROL.id + V4.to_bytes() + bytes(8 + 19 + 64), INTRO, 'time'),
        (b'\1\0' + CAROL.id + V4.to_bytes() + bytes(7) + b'\1' + b'\4' * 19 + bytes(63), INTRO, 'address'),
        (b'\2\0' + bytes(19) + b'\1' + CLUSTER.id, JOIN, 'flags'),
        (b'\0\0' + bytes(19) + b'\0', JOIN, 'list'),
        (b'\0\0' + bytes(19) + b'\x11' + b''.join(IDS) + b'\xff' * 32, JOIN, 'list'),
        (b'\0\0' + bytes(19) + b'\2' + IDS[1] + IDS[0], JOIN, 'list'),
        (b'\0\0' + bytes(19) + b'\2' + IDS[1] + IDS[1], JOIN, 'list'),
        (b'\0\0' + bytes(19) + b'\1' + NO_ID, JOIN, 'id'),
        (b'\0' + IDS[0], EVERY['query'], 'question'),
        (b'\4' + IDS[0], EVERY['query'], 'question'),
        (b'\1\2\1' + IDS[0], EVERY['query'], 'flags'),
        (b'\1\0\0' + IDS[0], EVERY['query'], 'list'),
        (b'\1\0\x11' + IDS[0], EVERY['query'], 'list'),
        (b'\1\0\1' + NO_ID, EVERY['query'], 'id'),
        (b'\2' + NO_ID, EVERY['query'], 'id'),
        (b'\3', EVERY['query'], 'value'),
        (b'\4' + bytes(34), EVERY['answer'], 'question'),
        (b'\1\x11\0' + NO_ID + b'\1' * 32 * 17, EVERY['answer'], 'list'),
        (b'\1\0\4' + NO_ID + b''.join(IDS[:4]), EVERY['answer'], 'list'),
        (b'\1\2\0' + NO_ID + IDS[0] * 2, EVERY['answer'], 'value'),
        (b'\1\1\1' + NO_ID + IDS[0] * 2, EVERY['answer'], 'value'),
        (b'\1\1\0' + NO_ID + NO_ID, EVERY['answer'], 'id'),
        (b'\2\0\1' + NO_ID + IDS[0], EVERY['answer'], 'value'),
        (b'\2\0\0' + IDS[0], EVERY['answer'], 'value'),
        (b'\3', EVERY['answer'], 'value'),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_signed_but_no_body_is_refused(fields: bytes, like: Any, reason: str) -> None:
    with pytest.raises(BadBody, match=f': {reason}$') as raised:
        read(signed_anyhow(fields, like))
    assert raised.value.reason == reason


SYNC_HEAD = KEY + b'\0\1'
WHOLE = b'\0\0\xff'


@pytest.mark.parametrize(
    ('rest', 'reason'),
    [
        (b'\2\1' + WHOLE + b'\0', 'flags'),
        (b'\0\1\3\0\xff\0', 'range'),
        (b'\0\1\x80\xff\0', 'range'),
        (b'\0\1\0\x0f' + b'\1' * 15 + b'\xff\0', 'range'),
        (b'\0\1\0\1\0\xff\0', 'value'),
        (b'\0\1\0\0\1\0\0', 'value'),
        (b'\0\1\0\0\0\0', 'value'),
        (b'\0\1\0\1\2\1\1\0', 'value'),
        # The second begins before the first ends, where it ends without saying so, or behind the end of all.
        (b'\0\2\0\0\1\2\0\1\1\xff\0', 'range'),
        (b'\0\2\0\0\1\2\0\1\2\xff\0', 'range'),
        (b'\0\2' + WHOLE + b'\x80\xff\0', 'range'),
        (b'\0\2' + WHOLE + b'\0\1\1\xff\0', 'range'),
        (b'\0\1\2\0\xff\0\0', 'value'),
        (b'\1\1' + WHOLE + b'\0', 'value'),
        (b'\1\1\2\0\xff\1' + PREFIXES[0] + b'\1' + PREFIXES[0], 'value'),
        (b'\1\1\2\0\xff\2' + PREFIXES[1] + PREFIXES[0] + b'\0', 'value'),
        (b'\1\1\2\0\xff\2' + PREFIXES[1] + PREFIXES[1] + b'\0', 'value'),
        (b'\1\1\2\0\1\1\1' + b'\1' * 14 + b'\0', 'value'),
        (b'\1\1\2\1\2\xff\1' + b'\1' * 14 + b'\0', 'value'),
        (b'\0\0\2' + PREFIXES[1] + PREFIXES[0], 'value'),
        (b'\0\0\x3d' + b''.join(number.to_bytes(14, 'big') for number in range(61)), 'value'),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_sync_is_refused(rest: bytes, reason: str) -> None:
    assert read(signed_anyhow(SYNC_HEAD + b'\0\1' + WHOLE + b'\0', SYNC)).body == Sync(
        request_id=REQUEST, key=KEY, step=1, ranges=(Range(),)
    )
    with pytest.raises(BadBody, match=f': {reason}$'):
        read(signed_anyhow(SYNC_HEAD + rest, SYNC))


def test_the_most_that_may_be_said_fits_into_a_packet() -> None:
    full = [
        Answer(request_id=REQUEST, answer=Announced(IDS[:ANNOUNCED_MAX], tuple(bytes([n]) * 32 for n in (1, 2, 3)))),
        Query(request_id=REQUEST, question=AppData(b'x' * APP_DATA_MAX_BYTES)),
        FULL_JOIN,
        Sync(request_id=REQUEST, key=KEY, step=0, wanted=tuple(n.to_bytes(14, 'big') for n in range(LISTED_MAX))),
        Sync(
            request_id=REQUEST,
            key=KEY,
            step=0,
            is_answer=True,
            ranges=(Range(ids=tuple(n.to_bytes(14, 'big') for n in range(LISTED_MAX))),),
        ),
    ]
    assert len(FULL_JOIN.clusters) == CLUSTERS_MAX
    for body in full:
        data = datagram(body)
        assert len(data) <= PACKET_MAX_BYTES
        assert read(data).body == body
    assert ANNOUNCED_MAX + OTHERS_MAX == 19
    bounds = [n.to_bytes(14, 'big') for n in range(1, 200)]
    ranges = tuple(Range(low, high) for low, high in zip(bounds, bounds[1:], strict=False) if low[-1] and high[-1])
    with pytest.raises(SealingError, match='888'):
        datagram(Sync(request_id=REQUEST, key=KEY, step=0, ranges=ranges))


@pytest.mark.parametrize(
    'make',
    [
        lambda: Ping(request_id=NO_ID),
        lambda: Ping(request_id=b''),
        lambda: Ping(request_id=REQUEST, test_port=1),
        lambda: Ping(request_id=REQUEST, is_reflection=True, test_port=65536),
        lambda: Ping(request_id=REQUEST, geospacial=-1),
        lambda: Ping(request_id=REQUEST, geospacial=2**64),
        lambda: FULL_PING.pong(Address('0.0.0.0', 1)),
        lambda: FULL_PING.pong(Address('1.2.3.4', 0)),
        lambda: FULL_PING.pong(V4, cache_size=2**32),
        lambda: Pong(request_id=b'', address=V4, is_connection=True),
        lambda: dataclasses.replace(INTRO, peer_id=b'x'),
        lambda: dataclasses.replace(INTRO, address=Address('255.255.255.255', 1)),
        lambda: dataclasses.replace(INTRO, consent=Consent(0, None, bytes(64))),
        lambda: dataclasses.replace(INTRO, consent=Consent(NOW, None, bytes(63))),
        lambda: dataclasses.replace(JOIN, clusters=frozenset()),
        lambda: dataclasses.replace(JOIN, clusters=frozenset({b'x'})),
        lambda: dataclasses.replace(JOIN, clusters=frozenset({*IDS, CLUSTER.id})),
        lambda: dataclasses.replace(JOIN, consent=consent()),
        lambda: consent(now_ms=0),
        lambda: consent(cluster=b''),
        lambda: PacketQuestion(NO_ID),
        lambda: PacketQuestion(REQUEST, limit=0),
        lambda: PacketQuestion(REQUEST, limit=17),
        lambda: GroupQuestion(b''),
        lambda: AppData(b''),
        lambda: AppData(bytes(APP_DATA_MAX_BYTES + 1)),
        lambda: Query(request_id=b'', question=AppData(b'x')),
        lambda: Answer(request_id=b'', answer=AppData(b'x')),
        lambda: Announced((REQUEST,) * 2),
        lambda: Announced((*IDS, REQUEST)),
        lambda: Announced(others=IDS[:4]),
        lambda: Announced(others=IDS[:1], of_groups=True),
        lambda: Announced(suggestion=b'x'),
        lambda: Range(b'\2', b'\1'),
        lambda: Range(bytes(15)),
        lambda: Range(count=1),
        lambda: Range(fingerprint=bytes(15)),
        lambda: Range(fingerprint=bytes(16), ids=()),
        lambda: dataclasses.replace(SYNC, key=b''),
        lambda: dataclasses.replace(SYNC, step=65536),
        lambda: dataclasses.replace(SYNC, request_id=b''),
        lambda: dataclasses.replace(ASKING, is_answer=True),
        lambda: dataclasses.replace(ANSWERING, is_answer=False),
        lambda: datagram(PING, now_ms=0),
        lambda: datagram(PING, now_ms=2**53),
        lambda: datagram(PING, cluster=b''),
        lambda: datagram(PING, clock=2**32),
        lambda: datagram(PING, to=b'x'),
    ],
)
def test_mistakes_of_the_caller_are_said(make: Any) -> None:
    with pytest.raises(SealingError):
        make()


def test_a_question_for_groups_is_that_of_the_directory() -> None:
    fields = datagram(EVERY['query-group'])[FIELDS_AT:-64]
    assert fields == query_for(CAROL.id)
    assert read_query(fields) == CAROL.id


def test_a_third_peer_believes_an_intro_that_was_asked_for_only() -> None:
    """F2: without the word of whoever is introduced, for this cluster, this introducer and this Join, it is nothing."""
    assert THIRD_INTRO.is_countersigned(cluster=CLUSTER.id, introducer=ALICE.id)
    assert not INTRO.is_countersigned(cluster=CLUSTER.id, introducer=ALICE.id)
    assert not THIRD_INTRO.is_countersigned(cluster=OTHER_CLUSTER.id, introducer=ALICE.id)
    assert not THIRD_INTRO.is_countersigned(cluster=CLUSTER.id, introducer=MALLORY.id)
    for change in (
        {'request_id': IDS[0]},
        {'peer_id': MALLORY.id},
        {'peer_id': b'\1' + bytes(31)},
        {'nat': Nat.EASY},
        {'address': Address('198.51.100.8', 40000)},
        {'consent': consent(identity=MALLORY)},
        {'consent': dataclasses.replace(consent(), time=NOW)},
        {'consent': dataclasses.replace(consent(), address=None)},
    ):
        changed = dataclasses.replace(THIRD_INTRO, **change)
        assert not changed.is_countersigned(cluster=CLUSTER.id, introducer=ALICE.id), change
    # Another port of the host is what a hard NAT has; and who knows no address of its own may say so.
    for change in ({'address': V4.with_port(1)}, {'consent': consent(None), 'address': V6}):
        assert dataclasses.replace(THIRD_INTRO, **change).is_countersigned(cluster=CLUSTER.id, introducer=ALICE.id)


def test_the_consent_of_a_join_is_passed_on_as_it_is() -> None:
    """Alice joins by Bob; Bob names her to Carol."""
    word = consent(V4, ALICE, introducer=BOB.id)
    join = Join(request_id=REQUEST, clusters=frozenset({CLUSTER.id}), nat=Nat.HARD, address=V4, consent=word)
    asked = read(datagram(join))
    assert asked.verify() and isinstance(asked.body, Join)
    intro = Intro(
        request_id=asked.request_id,
        peer_id=asked.sender,
        address=V4.with_port(5),
        nat=asked.body.nat,
        consent=asked.body.consent,
    )
    told = read(intro.encode(BOB, cluster=asked.cluster, to=CAROL.id, now_ms=NOW))
    assert told.verify() and isinstance(told.body, Intro)
    assert told.body.is_countersigned(cluster=told.cluster, introducer=told.sender)


@pytest.mark.parametrize(
    ('text', 'safe', 'near'),
    [
        ('198.51.100.7:40000', True, True),
        ('[2001:db8::1]:1', True, True),
        ('10.0.0.1:9999', False, True),
        ('192.168.1.1:9999', False, True),
        ('127.0.0.1:9999', False, True),
        ('[::1]:9999', False, True),
        ('169.254.1.1:9999', False, True),
        ('[fe80::1]:9999', False, True),
        ('[fd00::1]:9999', False, True),
        ('224.0.0.251:5353', False, False),
        ('[ff02::1]:9999', False, False),
        ('255.255.255.255:9999', False, False),
        ('0.0.0.0:9999', False, False),
        ('[::]:9999', False, False),
        *((f'198.51.100.7:{port}', False, False) for port in (0, 22, 53, 123, 1900)),
    ],
)
def test_nobody_is_sent_where_no_peer_can_be(text: str, safe: bool, near: bool) -> None:
    """F4"""
    address = Address.parse(text)
    assert (is_safe_target(address), is_safe_target(address, near=True)) == (safe, near)


def test_ids_and_places_do_not_show_in_logs() -> None:
    for body in EVERY.values():
        shown = repr(read(datagram(body)))
        assert repr(REQUEST)[2:20] not in shown
        assert str(2**64 - 1) not in shown


def test_values_are_values() -> None:
    assert hash(FULL_PING) == hash(dataclasses.replace(FULL_PING))
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL_PING.test_port = 1  # type: ignore[misc]
    assert bodies.decode(parse(datagram(PING))) == read(datagram(PING))
