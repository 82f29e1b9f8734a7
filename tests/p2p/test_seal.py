"""Messages: only what is whole, signed, in its place, in its time and new reaches the app, and never a reason why not."""

from __future__ import annotations

import io
import logging
import math
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_core import MESSAGE_MAX_BYTES, NO_ID
from socket_runtime.p2p import _cbor, seal
from socket_runtime.p2p.errors import NotOpened, PeerError, SealingError
from socket_runtime.p2p.keys import Identity, PublicIdentity, label
from socket_runtime.p2p.replay import SeenMessages
from socket_runtime.p2p.schemes import HPKE, HybridScheme, Scheme
from socket_runtime.p2p.seal import AHEAD_MAX_MS, EVENT_MAX_BYTES, SEALED_MAX_BYTES, Sealer, key_id_of, overhead
from tests.p2p.support import (
    ALICE,
    BOB,
    CAROL,
    CLUSTER,
    DAY,
    MALLORY,
    NOW,
    OTHER_CLUSTER,
    PARENT,
    flipped,
    opened,
    sealer,
)
from tests.strategies import json_values

HYBRID = HybridScheme()
HYBRID.learn(BOB.public, HYBRID.key_record(BOB))
# Scheme number, recipient.
WAYS: list[Any] = [
    pytest.param(2, BOB, id='hpke'),
    pytest.param(3, BOB, id='hybrid'),
    pytest.param(1, None, id='cluster'),
]


def sealed_by(number: int, to: Identity | None, event: str = 'greeting', value: Any = 'hello', **options: Any) -> bytes:
    by = sealer(ALICE, HPKE, HYBRID)
    options = {'now_ms': NOW, 'previous_id': PARENT, **options}
    if to is not None:
        options |= {'to': to.public, 'scheme': number}
    return by.seal(event, value, **options)


def read(sealed: bytes, whom: Identity | None, by: Identity = BOB, **changes: Any) -> Any:
    options = {'now_ms': NOW, 'to': NO_ID if whom is None else whom.id, 'previous_id': PARENT, **changes}
    return sealer(by, HPKE, HYBRID).open(sealed, **options)


@pytest.mark.parametrize(('number', 'to'), WAYS)
class TestEveryWay:
    def test_what_was_written_is_read(self, number: int, to: Identity | None) -> None:
        value = {'english': 'hello, world', 'numbers': [1, -2.5, None, True], 'bytes': b'\0\xff'}
        message = read(sealed_by(number, to, value=value, expiry_ms=NOW + DAY), to)
        assert message.event == 'greeting'
        assert message.value == value
        assert message.time == NOW
        assert message.expiry == NOW + DAY
        assert message.sender == ALICE.public
        assert message.to == (NO_ID if to is None else to.id)
        assert message.scheme == number

    def test_any_value_comes_back(self, number: int, to: Identity | None) -> None:
        @given(json_values() | st.binary(max_size=50))
        def check(value: Any) -> None:
            assert read(sealed_by(number, to, value=value), to).value == value

        check()

    def test_another_place_is_refused(self, number: int, to: Identity | None) -> None:
        sealed = sealed_by(number, to)
        places: list[dict[str, Any]] = [
            {'previous_id': NO_ID},
            {'previous_id': flipped(PARENT, 0)},
            {'previous_id': b''},
            {'cluster': OTHER_CLUSTER.id},
            {'cluster': b''},
            {'to': CAROL.id},
            {'to': b''},
            {'to': BOB.id if to is None else NO_ID},
        ]
        for place in places:
            with pytest.raises(NotOpened):
                read(sealed, to, **place)
        # A member of both clusters cannot be shown the message in the other one.
        with pytest.raises(NotOpened):
            sealer(BOB, HPKE, HYBRID, cluster=OTHER_CLUSTER).open(
                sealed, now_ms=NOW, to=NO_ID if to is None else to.id, previous_id=PARENT
            )

    def test_every_changed_byte_is_refused(self, number: int, to: Identity | None) -> None:
        sealed = sealed_by(number, to, value=None)
        reader = sealer(BOB, HPKE, HYBRID)
        for at in range(len(sealed)):
            with pytest.raises(NotOpened):
                reader.open(
                    flipped(sealed, at * 8 + at % 8), now_ms=NOW, to=NO_ID if to is None else to.id, previous_id=PARENT
                )

    def test_every_shorter_or_longer_one_is_refused(self, number: int, to: Identity | None) -> None:
        sealed = sealed_by(number, to)
        for changed in (b'', sealed[:1], sealed[:33], sealed[:49], sealed[:-1], sealed + b'\0', b'\0' + sealed):
            with pytest.raises(NotOpened):
                read(changed, to)

    def test_it_opens_once(self, number: int, to: Identity | None) -> None:
        sealed = sealed_by(number, to)
        reader = sealer(BOB, HPKE, HYBRID)
        place = {'to': NO_ID if to is None else to.id, 'previous_id': PARENT}
        reader.open(sealed, now_ms=NOW, **place)
        with pytest.raises(NotOpened):
            reader.open(sealed, now_ms=NOW, **place)
        # And not after a restart either.
        again = Sealer(BOB, reader.keys, [HPKE, HYBRID], SeenMessages.restored(reader.seen.snapshot()))
        with pytest.raises(NotOpened):
            again.open(sealed, now_ms=NOW, **place)

    def test_it_ends_with_its_expiry(self, number: int, to: Identity | None) -> None:
        sealed = sealed_by(number, to, expiry_ms=NOW + 10)
        assert read(sealed, to, now_ms=NOW + 9).expiry == NOW + 10
        with pytest.raises(NotOpened):
            read(sealed, to, now_ms=NOW + 10)

    def test_the_overhead_is_known_to_the_byte(self, number: int, to: Identity | None) -> None:
        scheme = {1: None, 2: HPKE, 3: HYBRID}[number]
        for event in ('a', 'greeting', 'x' * 24, 'ü' * 64):
            for expiry in (None, NOW + 1):
                value = b'x' * 300
                expected = len(_cbor.encode(value)) + overhead(event, scheme=scheme, expires=expiry is not None)
                assert len(sealed_by(number, to, event, value, expiry_ms=expiry)) == expected

    def test_what_fails_shows_nothing(self, number: int, to: Identity | None, caplog: pytest.LogCaptureFixture) -> None:
        """Neither the text, nor the traceback with every local variable, nor a log has any of the content (F28)."""
        caplog.set_level(logging.DEBUG)
        sealed = sealed_by(number, to, 'the-event', 'the-secret-words', expiry_ms=NOW + 1)
        errors = []
        for changes in ({'now_ms': NOW + 1}, {'previous_id': NO_ID}, {'now_ms': NOW - DAY - 1}):
            with pytest.raises(NotOpened) as raised:
                read(sealed, to, **changes)
            errors.append(raised.value)
        for error in errors:
            text = ''.join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
            assert 'secret-words' not in text
            assert 'the-event' not in text
            assert BOB.reveal_seed().hex() not in text
            assert repr(BOB.reveal_seed()) not in text
        assert len({(type(error), str(error), repr(error.to_err())) for error in errors}) == 1
        assert caplog.text == ''

    def test_an_opened_message_shows_no_content(self, number: int, to: Identity | None) -> None:
        message = read(sealed_by(number, to, 'the-event', 'the-secret-words'), to)
        assert 'secret-words' not in repr(message)
        assert 'the-event' not in repr(message)


def test_a_message_fits_into_one_packet() -> None:
    """What `overhead` is for: 1024 bytes hold so much of a value."""
    room = MESSAGE_MAX_BYTES - overhead('greeting', scheme=HPKE)
    assert room == 849
    assert len(sealed_by(2, BOB, value=b'x' * (room - 3))) == MESSAGE_MAX_BYTES


# What only somebody can do who has keys: the recipient, a member, the sender.


class Forging(Scheme):
    """HPKE around a plaintext of the forger's choice."""

    number = 2
    overhead = HPKE.overhead

    def __init__(self, change: Any) -> None:
        self.change = change

    def seal(self, plaintext: bytes, recipient: PublicIdentity, info: bytes) -> bytes:
        return HPKE.seal(self.change(plaintext), recipient, info)

    def open(self, sealed: bytes, identity: Identity, info: bytes) -> bytes | None:
        return HPKE.open(sealed, identity, info)


def forged(change: Any, by: Identity = MALLORY) -> bytes:
    return sealer(by, Forging(change)).seal('greeting', 'hello', now_ms=NOW, to=BOB.public, previous_id=PARENT)


def plaintext_of(sealed: bytes, to: Identity, previous_id: bytes = PARENT) -> bytes:
    route = CLUSTER.id + to.id + previous_id
    plaintext = HPKE.open(sealed[1:], to, label(b'seal') + sealed[:1] + route)
    assert plaintext is not None
    return plaintext


def test_the_sender_cannot_be_another() -> None:
    """F21: HPKE's base mode says nothing about who sealed."""
    assert read(forged(lambda plaintext: plaintext), BOB).sender == MALLORY.public
    for change in (
        lambda text: text.replace(MALLORY.id, ALICE.id),
        lambda text: text.replace(MALLORY.id, bytes(32)),
        lambda text: text.replace(MALLORY.id, b'\1' + bytes(31)),
        lambda text: text[:-64] + bytes(64),
        lambda text: text[:-67],
        lambda text: text[:-1],
        lambda text: text + b'\0',
        lambda text: b'',
        lambda text: b'\xa6' + text,
    ):
        with pytest.raises(NotOpened):
            read(forged(change), BOB)


def test_every_changed_byte_of_the_plaintext_is_refused() -> None:
    """The signature covers all of it, not only the cipher's tag."""
    size = len(plaintext_of(forged(lambda plaintext: plaintext), BOB))
    for at in range(size):
        with pytest.raises(NotOpened):
            read(forged(lambda plaintext, at=at: flipped(plaintext, at * 8 + at % 8)), BOB)


def test_a_recipient_cannot_pass_a_message_on_as_written_to_another() -> None:
    """F21: Bob opens what Alice wrote to him, and seals her signed words anew, to Carol, or under another parent."""
    words = plaintext_of(sealed_by(2, BOB), BOB)
    by_bob = sealer(BOB, Forging(lambda plaintext: words))
    to_carol = by_bob.seal('x', now_ms=NOW, to=CAROL.public, previous_id=PARENT)
    with pytest.raises(NotOpened):
        opened(CAROL, to_carol, CAROL.id, PARENT)
    elsewhere = by_bob.seal('x', now_ms=NOW, to=BOB.public)
    with pytest.raises(NotOpened):
        opened(BOB, elsewhere, BOB.id)
    other_cluster = sealer(BOB, Forging(lambda plaintext: words), cluster=OTHER_CLUSTER)
    carried = other_cluster.seal('x', now_ms=NOW, to=BOB.public, previous_id=PARENT)
    with pytest.raises(NotOpened):
        opened(BOB, carried, BOB.id, PARENT, cluster=OTHER_CLUSTER)


def test_a_message_to_one_is_no_message_to_all() -> None:
    """A member cannot show the cluster what was written to him as if it were written to all."""
    words = plaintext_of(sealed_by(2, BOB), BOB)
    reader = sealer(CAROL)
    route = CLUSTER.id + NO_ID + PARENT
    to_all = sealer(BOB)._seal_to_cluster(words, route, NOW)
    with pytest.raises(NotOpened):
        reader.open(to_all, now_ms=NOW, to=NO_ID, previous_id=PARENT)


def test_the_same_words_sealed_anew_in_their_place_come_once() -> None:
    """A holder of a group's key can seal a member's message again; it has the same id, and is seen."""
    words = plaintext_of(sealed_by(2, BOB), BOB)
    again = sealer(BOB, Forging(lambda plaintext: words)).seal('x', now_ms=NOW, to=BOB.public, previous_id=PARENT)
    reader = sealer(BOB)
    first = reader.open(sealed_by(2, BOB), now_ms=NOW, to=BOB.id, previous_id=PARENT)
    with pytest.raises(NotOpened):
        reader.open(again, now_ms=NOW, to=BOB.id, previous_id=PARENT)
    assert opened(BOB, again, BOB.id, PARENT).id == first.id


def signed_plaintext(fields: dict[int, Any] | bytes, by: Identity = MALLORY, to: Identity = BOB) -> bytes:
    """What a sender makes who signs something that is no message."""
    signed = fields if isinstance(fields, bytes) else _cbor.encode_fields(fields)
    signature = by.sign(b'message', CLUSTER.id + to.id + PARENT + signed)
    return b'\xa6' + signed[1:] + b'\x06\x58\x40' + signature


GOOD: dict[int, Any] = {1: 'greeting', 2: 'hello', 3: NOW, 4: None, 5: MALLORY.id}


@pytest.mark.parametrize(
    'change',
    [
        {1: ''},
        {1: b'greeting'},
        {1: 'x' * 129},
        {1: 'a\nb'},
        {1: 'a\x1b[31m'},
        {1: 'a\u202eb'},
        {1: 'a\u2028b'},
        {1: None},
        {3: -1},
        {3: 1.5},
        {3: True},
        {3: None},
        {3: 2**53},
        {3: NOW + AHEAD_MAX_MS + 1},
        {4: 0},
        {4: NOW},
        {4: 1.5},
        {4: False},
        {4: 2**53},
    ],
    ids=ascii,
)
def test_what_is_signed_but_no_message_is_refused(change: dict[int, Any]) -> None:
    assert read(forged(lambda _: signed_plaintext(GOOD)), BOB).event == 'greeting'
    with pytest.raises(NotOpened):
        read(forged(lambda _: signed_plaintext(GOOD | change)), BOB)


@pytest.mark.parametrize('form', ['more', 'order', 'indefinite', 'long', 'tag', 'deep', 'sender in a longer field'])
def test_what_is_signed_but_not_the_one_encoding_is_refused(form: str) -> None:
    sender = b'\x05\x58\x20' + MALLORY.id
    time = b'\x03' + _cbor.encode(NOW)
    forms = {
        'more': b'\xa5\x00\xf6\x01\x61a' + b'\x02\xf6' + time + b'\x04\xf6' + sender,
        'order': b'\xa5\x02\xf6\x01\x61a' + time + b'\x04\xf6' + sender,
        'indefinite': b'\xbf\x01\x61a\x02\xf6' + time + b'\x04\xf6' + sender,
        'long': b'\xa5\x01\x78\x01a\x02\xf6' + time + b'\x04\xf6' + sender,
        'tag': b'\xa5\x01\x61a\x02\xc1\x00' + time + b'\x04\xf6' + sender,
        'sender in a longer field': b'\xa5\x01\x61a\x02\xf6' + time + b'\x04\xf6\x05\x58\x24x' + sender,
        'deep': b'\xa5\x01\x61a\x02' + b'\x81' * 1000 + b'\xf6' + time + b'\x04\xf6' + sender,
    }
    with pytest.raises(NotOpened):
        read(forged(lambda _: signed_plaintext(forms[form])), BOB)


def test_a_clock_may_be_ahead_by_a_day_and_behind_by_any_time() -> None:
    assert read(sealed_by(2, BOB, now_ms=NOW + AHEAD_MAX_MS), BOB).time == NOW + AHEAD_MAX_MS
    assert read(sealed_by(2, BOB, now_ms=0), BOB).time == 0


def test_who_is_not_a_member_makes_no_message_to_all() -> None:
    sealed = sealed_by(1, None)
    stranger = sealer(MALLORY, cluster=OTHER_CLUSTER)
    for place in ({}, {'cluster': CLUSTER.id}):
        with pytest.raises(NotOpened):
            stranger.open(sealed, now_ms=NOW, to=NO_ID, previous_id=PARENT, **place)
    assert key_id_of(sealed) == CLUSTER.first_key().id
    assert key_id_of(sealed_by(2, BOB)) is None
    assert key_id_of(b'') is key_id_of(b'\1' * 48) is None


def test_schemes_that_are_not_wanted_are_not_opened() -> None:
    with pytest.raises(NotOpened):
        sealer(BOB, HPKE).open(sealed_by(3, BOB), now_ms=NOW, to=BOB.id, previous_id=PARENT)
    # The number is bound too: the same ciphertext under another one is another thing.
    sealed = sealed_by(2, BOB)
    for number in (0, 1, 3, 4, 255):
        with pytest.raises(NotOpened):
            read(bytes((number,)) + sealed[1:], BOB)


def test_an_apps_own_scheme_can_be_plugged_in() -> None:
    class Own(Forging):
        number = 200

    own = Own(lambda plaintext: plaintext)
    sealed = sealer(ALICE, own).seal('greeting', 'hello', now_ms=NOW, to=BOB.public)
    assert sealed[0] == 200
    assert sealer(BOB, own).open(sealed, now_ms=NOW, to=BOB.id, previous_id=NO_ID).value == 'hello'
    for number in (-1, 0, 1, 256):
        own_number = type('Other', (Forging,), {'number': number})(None)
        with pytest.raises(SealingError, match='scheme number'):
            sealer(ALICE, own_number)
    with pytest.raises(SealingError, match='scheme number'):
        sealer(ALICE, HPKE, Forging(None))


def test_a_peer_opens_for_the_groups_that_it_was_given() -> None:
    reader = sealer(BOB)
    sealed = sealer(ALICE).seal('x', now_ms=NOW, to=CAROL.public)
    assert not reader.opens_for(CAROL.id)
    with pytest.raises(NotOpened):
        reader.open(sealed, now_ms=NOW, to=CAROL.id, previous_id=NO_ID)
    reader.add(CAROL)
    assert reader.opens_for(CAROL.id)
    assert reader.opens_for(BOB.id)
    assert reader.opens_for(NO_ID)
    assert reader.open(sealed, now_ms=NOW, to=CAROL.id, previous_id=NO_ID).to == CAROL.id
    reader.remove(CAROL.id)
    reader.remove(CAROL.id)
    assert not reader.opens_for(CAROL.id)
    with pytest.raises(SealingError, match='own identity'):
        reader.remove(BOB.id)


@pytest.mark.parametrize(
    'wrong',
    [
        {'event': ''},
        {'event': 'x' * (EVENT_MAX_BYTES + 1)},
        {'event': 'ü' * EVENT_MAX_BYTES},
        {'event': 'a\nb'},
        {'event': '\ud800'},
        {'event': None},
        {'value': object()},
        {'value': {1: 2}},
        {'value': '\ud800'},
        {'value': 1 << 64},
        {'now_ms': -1},
        {'now_ms': 2**53},
        {'expiry_ms': NOW},
        {'expiry_ms': 2**53},
        {'previous_id': b''},
        {'scheme': 9},
    ],
    ids=ascii,
)
def test_mistakes_of_the_caller_are_said(wrong: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {'event': 'x', 'value': 1, 'now_ms': NOW, 'to': BOB.public, **wrong}
    with pytest.raises(SealingError) as raised:
        sealer(ALICE).seal(arguments.pop('event'), arguments.pop('value'), **arguments)
    assert not isinstance(raised.value, PeerError)


def test_great_messages_arrive_and_greater_ones_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    value = bytes(10_000_000)
    assert read(sealed_by(2, BOB, value=value), BOB).value == value
    monkeypatch.setattr(seal, 'SEALED_MAX_BYTES', 1000)
    with pytest.raises(SealingError, match='at most'):
        sealed_by(2, BOB, value=bytes(1000))
    monkeypatch.undo()
    with pytest.raises(NotOpened):
        read(b'\2' + bytes(SEALED_MAX_BYTES), BOB)


def test_numbers_and_floats_keep_their_kind() -> None:
    value = read(sealed_by(2, BOB, value=[1, 1.0, math.inf, -0.0]), BOB).value
    assert [type(each) for each in value] == [int, float, float, float]
    assert math.copysign(1, value[3]) == -1


def test_printing_a_sealer_shows_no_secret() -> None:
    out = io.StringIO()
    by = sealer(ALICE)
    print(by, by.keys, by.identity, file=out)
    assert ALICE.reveal_seed().hex() not in out.getvalue()
