"""Direct streams: the handshake's promises, datagrams that are lost, late, doubled or forged, and keys that move on."""

from __future__ import annotations

import copy
import pickle
import random
import traceback
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socket_core import MESSAGE_MAX_BYTES
from socket_runtime.p2p import handshake, session
from socket_runtime.p2p.cluster import ClusterKeys
from socket_runtime.p2p.entropy import SeededEntropy
from socket_runtime.p2p.errors import BadHandshake, NotReceived, PeerError, SealingError, UnknownKeyError
from socket_runtime.p2p.handshake import FIRST_BYTES, SECOND_BYTES, Initiator, Responder, goes_first
from socket_runtime.p2p.keys import Identity, public_identity
from socket_runtime.p2p.replay import WINDOW
from socket_runtime.p2p.session import DATAGRAM_MAX_BYTES, OVERHEAD, Session, receiver_index
from tests.p2p import reference
from tests.p2p.support import ALICE, BOB, CAROL, CLUSTER, DAY, HOUR, MALLORY, NOW, OTHER_CLUSTER, flipped
from tests.p2p.test_keys import BASE, SMALL

KEYS = ClusterKeys(CLUSTER)
HIDDEN = b'what-was-said'


def begin(by: Identity = ALICE, to: Identity = BOB, now: int = NOW, keys: ClusterKeys = KEYS) -> Initiator:
    return Initiator(by, to.public, keys, now)


def streams(now: int = NOW) -> tuple[Session, Session]:
    """A confirmed stream: Alice's side and Bob's."""
    initiator = begin(now=now)
    theirs, second = Responder(BOB, KEYS).answer(initiator.message, now)
    ours = initiator.finish(second, now)
    assert theirs.open(ours.seal(b'')) == b''
    return ours, theirs


@pytest.fixture
def short_generations(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Keys that are good for 16 datagrams."""
    monkeypatch.setattr(session, 'GENERATION_BITS', 4)
    yield 16


# The handshake.


def test_an_answer_that_comes_twice_makes_one_stream() -> None:
    """Two streams with one key would use each nonce twice."""
    initiator = begin()
    _, second = Responder(BOB, KEYS).answer(initiator.message, NOW)
    initiator.finish(second, NOW)
    with pytest.raises(BadHandshake):
        initiator.finish(second, NOW)


def test_two_messages_make_a_stream() -> None:
    initiator = begin()
    theirs, second = Responder(BOB, KEYS).answer(initiator.message, NOW)
    ours = initiator.finish(second, NOW)
    assert (len(initiator.message), len(second)) == (FIRST_BYTES, SECOND_BYTES) == (133, 73)
    assert (ours.peer, theirs.peer) == (BOB.public, ALICE.public)
    assert ours.index == initiator.index
    assert (ours.confirmed, theirs.confirmed) == (True, False)
    # The responder does not speak before it has heard.
    with pytest.raises(SealingError):
        theirs.seal(b'too early')
    assert theirs.open(ours.seal(b'hello')) == b'hello'
    assert theirs.confirmed
    assert ours.open(theirs.seal(b'hello yourself')) == b'hello yourself'


def test_an_answer_never_amplifies() -> None:
    assert SECOND_BYTES <= FIRST_BYTES


def test_a_changed_bit_in_the_first_message_is_refused() -> None:
    first = begin().message
    for bit in range(len(first) * 8):
        with pytest.raises(BadHandshake):
            Responder(BOB, KEYS).answer(flipped(first, bit), NOW)


def test_a_member_who_changes_a_byte_and_mends_the_gate_is_refused() -> None:
    """What the transcript is for: the gate alone is no secret among members."""
    first = begin().message[:-16]
    key = CLUSTER.first_key()
    assert Responder(BOB, KEYS).answer(first + handshake._gate(key, first), NOW)
    for at in [*range(1, 5), *range(13, len(first))]:
        changed = flipped(first, at * 8 + at % 8)
        with pytest.raises(BadHandshake):
            Responder(BOB, KEYS).answer(changed + handshake._gate(key, changed), NOW)


def test_a_changed_bit_in_the_second_message_is_refused_and_the_right_one_still_taken() -> None:
    initiator = begin()
    theirs, second = Responder(BOB, KEYS).answer(initiator.message, NOW)
    for bit in range(len(second) * 8):
        with pytest.raises(BadHandshake):
            initiator.finish(flipped(second, bit), NOW)
    key = CLUSTER.first_key()
    for at in range(1, len(second) - 16):
        changed = flipped(second[:-16], at * 8)
        # Only the responder's own index may be anything: it is bound to the keys all the same.
        with pytest.raises(BadHandshake):
            initiator.finish(changed + handshake._gate(key, changed), NOW)
    assert theirs.open(initiator.finish(second, NOW).seal(b'x')) == b'x'


@pytest.mark.parametrize('size', [0, 1, 13, 72, 73, 74, 132, 134, 1024])
def test_other_lengths_are_refused(size: int) -> None:
    for kind in (0, 1, 2, 3):
        data = (bytes((kind,)) + bytes(size))[:size]
        with pytest.raises(BadHandshake):
            Responder(BOB, KEYS).answer(data, NOW)
        with pytest.raises(BadHandshake):
            begin().finish(data, NOW)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadHandshake):
        Responder(BOB, KEYS).answer(data, NOW)
    with pytest.raises(NotReceived):
        STREAM[1].open(data)


STREAM = streams()


def test_a_message_for_somebody_else_is_refused() -> None:
    with pytest.raises(BadHandshake):
        Responder(CAROL, KEYS).answer(begin().message, NOW)


def test_another_cluster_is_refused() -> None:
    with pytest.raises(BadHandshake):
        Responder(BOB, ClusterKeys(OTHER_CLUSTER)).answer(begin().message, NOW)
    # Not even with the same keys under another id: the id is the prologue.
    other = ClusterKeys(OTHER_CLUSTER)
    other._keys = KEYS._keys
    with pytest.raises(BadHandshake):
        Responder(BOB, other).answer(begin().message, NOW)


def test_who_was_left_out_of_a_rotation_opens_no_stream() -> None:
    inside, outside = ClusterKeys(CLUSTER), ClusterKeys(CLUSTER)
    inside.rotate(NOW)
    inside.end(CLUSTER.first_key().id, NOW + HOUR)
    assert Responder(BOB, inside).answer(begin(keys=outside).message, NOW)
    with pytest.raises(BadHandshake):
        Responder(BOB, inside).answer(begin(keys=outside, now=NOW + HOUR).message, NOW + HOUR)
    with pytest.raises(BadHandshake):
        Responder(BOB, outside).answer(begin(keys=inside).message, NOW)
    inside.forget_ended(NOW + HOUR)
    for key in list(inside):
        inside.end(key.id, NOW + DAY)
    with pytest.raises(UnknownKeyError):
        begin(keys=inside, now=NOW + DAY)


def test_nobody_can_claim_another_id() -> None:
    """Mallory sends Alice's id with her own exchange key."""

    class Liar:
        id = ALICE.id
        exchange_key = MALLORY.exchange_key

    first = Initiator(Liar(), BOB.public, KEYS, NOW)  # type: ignore[arg-type]
    with pytest.raises(BadHandshake):
        Responder(BOB, KEYS).answer(first.message, NOW)


def test_the_other_id_with_the_same_exchange_key_is_another_peer() -> None:
    """An Edwards point and its mirror image have one X25519 key; the transcript has the id."""
    mirror = public_identity(flipped(BOB.id, 255))
    assert mirror.exchange_key.public_bytes_raw() == BOB.public.exchange_key.public_bytes_raw()
    with pytest.raises(BadHandshake):
        Responder(BOB, KEYS).answer(Initiator(ALICE, mirror, KEYS, NOW).message, NOW)


def test_no_stream_to_an_id_that_nobody_can_have() -> None:
    mixed = public_identity(reference.spelt(reference.add(BASE, SMALL[3])))
    with pytest.raises(SealingError, match='nobody'):
        Initiator(ALICE, mixed, KEYS, NOW)


@pytest.mark.parametrize('public', [bytes(32), b'\1' + bytes(31)])
def test_one_time_keys_of_small_order_are_refused(public: bytes) -> None:
    first = begin().message
    changed = first[:13] + public + first[45:-16]
    with pytest.raises(BadHandshake):
        Responder(BOB, KEYS).answer(changed + handshake._gate(CLUSTER.first_key(), changed), NOW)


def test_a_recorded_first_message_is_answered_once() -> None:
    """F7."""
    responder, recorded = Responder(BOB, KEYS), begin().message
    responder.answer(recorded, NOW)
    for later in (0, 1, 5 * 60 * 1000):
        with pytest.raises(BadHandshake):
            responder.answer(recorded, NOW + later)
    with pytest.raises(BadHandshake):
        responder.answer(begin(now=NOW - 1).message, NOW)
    responder.answer(begin(now=NOW + 1).message, NOW)
    responder.answer(begin(CAROL).message, NOW)


def test_a_clock_that_was_set_back_is_heard_again_after_a_while() -> None:
    responder = Responder(BOB, KEYS)
    responder.answer(begin(now=NOW + DAY).message, NOW)
    with pytest.raises(BadHandshake):
        responder.answer(begin().message, NOW)
    responder.answer(begin().message, NOW + handshake.FORGET_AFTER_MS)


def test_who_replays_a_first_message_cannot_use_the_stream() -> None:
    """After a restart the recorded message is answered once more. Nothing comes of it."""
    ours, theirs = streams()
    initiator = begin()
    Responder(BOB, KEYS).answer(initiator.message, NOW)
    half_open, second = Responder(BOB, KEYS).answer(initiator.message, NOW)
    with pytest.raises(NotReceived):
        half_open.open(ours.seal(b'old data'))
    assert not half_open.confirmed
    with pytest.raises(SealingError):
        half_open.seal(b'')


def test_remembered_initiators_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, 'INITIATORS_MAX', 2)
    responder = Responder(BOB, KEYS)
    for each in (ALICE, CAROL, MALLORY):
        responder.answer(begin(each).message, NOW)
    assert len(responder._last) == 2


def test_every_stream_has_its_own_keys() -> None:
    """One-time keys on both sides: the same two peers never meet the same keys, and old streams stay shut."""
    first, second = streams(), streams(NOW + 1)
    second[1].index = first[1].index
    with pytest.raises(NotReceived):
        second[1].open(first[0].seal(b'x'))


def test_the_keys_of_a_stream_need_the_one_time_keys() -> None:
    """Forward secrecy: all that lasts is the same, and so is one side's one-time key; yet the keys are others."""
    initiator = Initiator(ALICE, BOB.public, KEYS, NOW, entropy=SeededEntropy(b'alice'))
    one, _ = Responder(BOB, KEYS, entropy=SeededEntropy(b'1')).answer(initiator.message, NOW)
    two, _ = Responder(BOB, KEYS, entropy=SeededEntropy(b'2')).answer(initiator.message, NOW)
    keys = [{side._sending._key, side._receiving._key} for side in (one, two)]
    assert len(keys[0] | keys[1]) == 4


def test_indexes_that_are_taken_are_not_given_twice() -> None:
    taken = {int.from_bytes(SeededEntropy(b'i').draw(36)[32:], 'big')}
    initiator = Initiator(ALICE, BOB.public, KEYS, NOW, taken=taken, entropy=SeededEntropy(b'i'))
    assert initiator.index not in taken


def test_of_two_streams_that_began_at_once_one_is_used() -> None:
    assert goes_first(ALICE.id, BOB.id) is not goes_first(BOB.id, ALICE.id)


# Datagrams.


def test_a_datagram_adds_29_bytes_and_fits_into_a_packet() -> None:
    ours, theirs = streams()
    datagram = ours.seal(bytes(DATAGRAM_MAX_BYTES))
    assert len(datagram) == MESSAGE_MAX_BYTES == DATAGRAM_MAX_BYTES + OVERHEAD
    assert theirs.open(datagram) == bytes(DATAGRAM_MAX_BYTES)
    with pytest.raises(SealingError, match='cannot send'):
        ours.seal(bytes(DATAGRAM_MAX_BYTES + 1))
    # A refused one uses no counter.
    assert theirs.open(ours.seal(b'x')) == b'x'


def test_a_datagram_comes_once_in_any_order() -> None:
    ours, theirs = streams()
    datagrams = [(ours.seal(bytes((number,))), number) for number in range(200)]
    random.Random(1).shuffle(datagrams)
    for datagram, number in datagrams:
        assert theirs.open(datagram) == bytes((number,))
    for datagram, _ in datagrams:
        with pytest.raises(NotReceived):
            theirs.open(datagram)


def test_a_datagram_that_comes_too_late_is_refused() -> None:
    ours, theirs = streams()
    late = [ours.seal(b'late') for _ in range(2)]
    for _ in range(WINDOW - 2):
        ours.seal(b'lost')
    theirs.open(ours.seal(b''))
    with pytest.raises(NotReceived):
        theirs.open(late[0])
    assert theirs.open(ours.seal(b'')) == b''


def test_every_changed_bit_is_refused_and_the_true_one_still_taken() -> None:
    ours, theirs = streams()
    datagram = ours.seal(b'data')
    for bit in range(len(datagram) * 8):
        with pytest.raises(NotReceived):
            theirs.open(flipped(datagram, bit))
    assert theirs.open(datagram) == b'data'


def test_a_datagram_does_not_come_back_to_its_sender() -> None:
    ours, theirs = streams()
    datagram = ours.seal(b'x')
    ours.index = theirs.index
    with pytest.raises(NotReceived):
        ours.open(datagram)


def test_keys_move_on_and_the_late_are_still_read(short_generations: int) -> None:
    ours, theirs = streams()
    datagrams = [ours.seal(bytes((number,))) for number in range(3 * short_generations)]
    for at in range(0, len(datagrams) - 1, 2):
        assert theirs.open(datagrams[at + 1]) == bytes((at + 1,))
        assert theirs.open(datagrams[at]) == bytes((at,))
    assert theirs._receiving.generation == ours._sending.generation == 3
    with pytest.raises(NotReceived):
        theirs.open(datagrams[0])


def test_keys_that_were_used_are_gone(short_generations: int) -> None:
    ours, theirs = streams()
    first = ours._sending._key
    old = [ours.seal(b'old') for _ in range(3)]
    for _ in range(3 * short_generations):
        theirs.open(ours.seal(b''))
    assert ours._sending._key != first
    # Inside the window, but two keys back.
    with pytest.raises(NotReceived):
        theirs.open(old[0])


def test_lost_generations_are_skipped_within_limits(short_generations: int) -> None:
    ours, theirs = streams()
    for _ in range(session.GENERATIONS_AHEAD * short_generations):
        ours.seal(b'lost')
    assert theirs.open(ours.seal(b'x')) == b'x'
    last = [ours.seal(b'late') for _ in range(short_generations)]
    assert theirs.open(last[-1]) == b'late'
    assert theirs.open(last[0]) == b'late'
    for _ in range((session.GENERATIONS_AHEAD + 1) * short_generations):
        ours.seal(b'lost')
    with pytest.raises(NotReceived):
        theirs.open(ours.seal(b'x'))


@given(st.integers(0, 2**64 - 1))
def test_a_forged_counter_moves_nothing(counter: int) -> None:
    _, theirs = STREAM
    before = theirs._receiving.generation, theirs._window.highest
    head = session._HEAD.pack(session.DATA, theirs.index, counter)
    with pytest.raises(NotReceived):
        theirs.open(head + bytes(16))
    assert (theirs._receiving.generation, theirs._window.highest) == before


@settings(max_examples=30)
@given(st.lists(st.integers(0, 99), max_size=150), st.lists(st.binary(max_size=20), min_size=100, max_size=100))
def test_whatever_the_network_does_each_datagram_comes_at_most_once(order: list[int], data: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, 'GENERATION_BITS', 4)
        ours, theirs = streams()
        datagrams = [ours.seal(each) for each in data]
        came = set()
        for number in order:
            try:
                assert theirs.open(datagrams[number]) == data[number]
            except NotReceived:
                continue
            assert number not in came
            came.add(number)
        assert not order or order[0] in came or order[0] >= 16 * session.GENERATIONS_AHEAD - 1


def test_a_stream_ends() -> None:
    ours, _ = streams()
    assert not ours.wants_renewal(NOW + session.RENEW_AFTER_MS - 1)
    assert ours.wants_renewal(NOW + session.RENEW_AFTER_MS)
    assert not ours.is_over(NOW + session.END_AFTER_MS - 1)
    assert ours.is_over(NOW + session.END_AFTER_MS)
    ours._counter = session.COUNTER_MAX
    with pytest.raises(SealingError):
        ours.seal(b'')


def test_datagrams_say_whom_they_are_for() -> None:
    initiator = begin()
    theirs, second = Responder(BOB, KEYS).answer(initiator.message, NOW)
    ours = initiator.finish(second, NOW)
    assert receiver_index(initiator.message) is None
    assert receiver_index(second) == ours.index
    assert receiver_index(ours.seal(b'')) == theirs.index
    for junk in (b'', b'\2', b'\3' * 8, b'\0' * 40, b'\4' * 40):
        assert receiver_index(junk) is None


def test_nothing_of_a_stream_shows_or_travels() -> None:
    ours, theirs = streams()
    secrets = [key.hex() for side in (ours, theirs) for key in (side._sending._key, side._receiving._key)]
    for each in (ours, theirs, ours._sending, begin(), begin()._state, Responder(BOB, KEYS)):
        assert not any(secret in repr(each) for secret in secrets)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match='neither pickled nor copied'):
            way(ours)
    errors: list[PeerError] = []
    datagram = flipped(ours.seal(HIDDEN), 200)
    for call in (lambda: theirs.open(datagram), lambda: begin().finish(bytes(73), NOW)):
        with pytest.raises(PeerError) as raised:
            call()
        errors.append(raised.value)
    for error in errors:
        assert error.__traceback__ is not None
        # From the second frame on: this test's own locals have the secrets, of course.
        trace = traceback.TracebackException(type(error), error, error.__traceback__.tb_next, capture_locals=True)
        text = ''.join(trace.format())
        assert HIDDEN.decode() not in text
        assert not any(secret in text for secret in secrets)
