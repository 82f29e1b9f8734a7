"""The frame: vectors written by hand, properties, and every way of not being a frame."""

from __future__ import annotations

import copy
import gc
import hashlib
import json
import pickle
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import socket_core
from socket_core import (
    ANSWER,
    GROUP,
    HEADER_BYTES,
    ID_BYTES,
    INTRO,
    JOIN,
    MESSAGE_MAX_BYTES,
    NO_ID,
    PACKET_MAX_BYTES,
    PING,
    PONG,
    PUBLISH,
    QUERY,
    STREAM,
    SYNC,
    TYPE_NAMES,
    VERSION,
    Packet,
    ProtocolError,
    encode,
    parse,
)
from socket_core._packet import packet_id, parse_many
from tests import strategies

VECTORS = json.loads((Path(__file__).parent / 'vectors.json').read_text())['frames']
TYPES = [PING, PONG, INTRO, JOIN, PUBLISH, STREAM, SYNC, QUERY, ANSWER, GROUP]
ZERO = encode(PUBLISH, cluster=NO_ID)


def plain(packet: Packet) -> dict[str, Any]:
    names = ('type', 'hops', 'clock', 'index', 'cluster', 'previous_id', 'next_id', 'to', 'message')
    return {name: getattr(packet, name) for name in names}


def by_struct(data: bytes) -> dict[str, Any]:
    """The same frame, read by the standard library: the twin that the compiled code is held against."""
    kind, _, hops, clock, index, cluster, previous_id, next_id, to = struct.unpack_from('>BBIII32s32s32s32s', data)
    return {
        'type': kind,
        'hops': hops,
        'clock': clock,
        'index': index,
        'cluster': cluster,
        'previous_id': previous_id,
        'next_id': next_id,
        'to': to,
        'message': data[142:],
    }


def reason_of(data: Any) -> str:
    with pytest.raises(ProtocolError) as caught:
        parse(data)
    return caught.value.reason


def test_the_numbers_are_those_of_the_protocol() -> None:
    assert (VERSION, HEADER_BYTES, MESSAGE_MAX_BYTES, PACKET_MAX_BYTES, ID_BYTES) == (1, 142, 1024, 1166, 32)
    assert TYPES == list(range(1, 11))
    assert [TYPE_NAMES[kind] for kind in TYPES] == [
        'Ping', 'Pong', 'Intro', 'Join', 'Publish', 'Stream', 'Sync', 'Query', 'Answer', 'Group',
    ]  # fmt: skip
    assert bytes(32) == NO_ID


@pytest.mark.parametrize('vector', VECTORS, ids=lambda vector: vector['name'])
def test_vectors(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector['hex'])
    packet = parse(data)
    assert packet.version == VERSION
    expected = {**vector['fields'], 'message': bytes.fromhex(vector['fields']['message'])}
    assert {name: getattr(packet, name) for name in expected} == expected
    assert plain(packet) == by_struct(data)
    assert encode(**plain(packet)) == data
    assert packet.id == packet_id(data) == bytes.fromhex(vector['id'])


@given(strategies.frame_fields())
def test_what_is_encoded_is_parsed(values: dict[str, Any]) -> None:
    data = encode(**values)
    packet = parse(data)
    assert plain(packet) == values == by_struct(data)
    assert len(packet) == len(data) == HEADER_BYTES + len(values['message'])
    assert data[1] == VERSION


@given(st.binary(max_size=PACKET_MAX_BYTES + 200))
def test_any_bytes_are_a_frame_or_a_protocol_error(data: bytes) -> None:
    try:
        packet = parse(data)
    except ProtocolError as error:
        assert error.reason in ('short', 'long', 'version', 'type')
    else:
        assert encode(**plain(packet)) == data


@given(st.binary(max_size=PACKET_MAX_BYTES - 2), st.integers(0, 255), st.integers(0, 2))
def test_reasons(rest: bytes, kind: int, version: int) -> None:
    data = bytes((kind, version)) + rest
    expected = 'short' if len(data) < 142 else 'version' if version != 1 else 'type' if kind not in TYPES else ''
    if expected:
        assert reason_of(data) == expected
    else:
        assert parse(data).type == kind


@pytest.mark.parametrize('size', [0, 1, 2, 141])
def test_short(size: int) -> None:
    assert reason_of(ZERO[:size]) == 'short'


@pytest.mark.parametrize('size', [1167, 65_507, 1 << 20])
def test_long(size: int) -> None:
    assert reason_of(ZERO + bytes(size - len(ZERO))) == 'long'
    assert reason_of(bytearray(ZERO + bytes(size - len(ZERO)))) == 'long'


@pytest.mark.parametrize('size', [142, 1166])
def test_limits_belong_to_the_frame(size: int) -> None:
    assert len(parse(ZERO + bytes(size - len(ZERO)))) == size


@pytest.mark.parametrize('make', [bytearray, memoryview, lambda data: memoryview(bytearray(b'x' + data))[1:]])
def test_other_buffers_are_copied_and_stay_free(make: Any) -> None:
    source = make(ZERO)
    packet = parse(source)
    assert packet.data == ZERO
    if isinstance(source, bytearray):
        source[0] = PING
        source.extend(b'grows: nothing holds it')
        assert packet.type == PUBLISH


def test_bytes_are_kept_and_not_copied() -> None:
    before = sys.getrefcount(ZERO)
    packet = parse(ZERO)
    assert packet.data is ZERO
    assert sys.getrefcount(ZERO) == before + 1
    del packet
    assert sys.getrefcount(ZERO) == before


def test_a_packet_outlives_everybody_elses_reference() -> None:
    packets = [parse(encode(PUBLISH, cluster=NO_ID, clock=number, message=bytes(900))) for number in range(1000)]
    gc.collect()
    assert [packet.clock for packet in packets] == list(range(1000))


@pytest.mark.parametrize('data', [None, 1, 'text', ['list'], memoryview(bytes(400))[::2]])
def test_what_is_no_buffer_is_the_callers_mistake(data: Any) -> None:
    with pytest.raises((TypeError, BufferError)):
        parse(data)


@pytest.mark.parametrize('name', ['hops', 'clock', 'index'])
@pytest.mark.parametrize(
    ('value', 'error'), [(-1, ValueError), (2**32, ValueError), (2**70, ValueError), ('1', TypeError)]
)
def test_numbers_out_of_range(name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        encode(PUBLISH, cluster=NO_ID, **{name: value})


@pytest.mark.parametrize('kind', [0, 11, -1, 261])
def test_unknown_types_are_not_encoded(kind: int) -> None:
    with pytest.raises(ValueError, match='type'):
        encode(kind, cluster=NO_ID)


@pytest.mark.parametrize('name', ['cluster', 'previous_id', 'next_id', 'to'])
@pytest.mark.parametrize(
    ('value', 'error'), [(bytes(31), ValueError), (bytes(33), ValueError), (bytearray(32), TypeError)]
)
def test_ids_of_another_kind(name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        encode(PUBLISH, **{'cluster': NO_ID, name: value})


@pytest.mark.parametrize(
    ('value', 'error'), [(bytes(1025), ValueError), ('text', TypeError), (bytearray(1), TypeError)]
)
def test_messages_of_another_kind(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match='message'):
        encode(PUBLISH, cluster=NO_ID, message=value)


def test_a_refused_encode_loses_nothing() -> None:
    """The half-written datagram is given back: no growth over many refusals."""
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(2000):
        with pytest.raises(ValueError, match='to must'):
            encode(PUBLISH, cluster=NO_ID, to=b'', message=bytes(1024))
    gc.collect()
    assert sys.getallocatedblocks() - before < 200


def id_by_hashlib(data: bytes) -> bytes:
    return hashlib.sha256(data[:2] + bytes(4) + data[6:]).digest()


@given(strategies.frame_fields(), strategies.u32s())
def test_the_id_is_that_of_everything_but_the_hops(values: dict[str, Any], hops: int) -> None:
    data = encode(**values)
    packet = parse(data)
    assert packet.id == packet.id == packet_id(data) == packet_id(bytearray(data)) == id_by_hashlib(data)
    assert packet_id(encode(**{**values, 'hops': hops})) == packet.id


@given(strategies.frame_fields(), st.data())
def test_whoever_alters_a_bit_has_another_packet(values: dict[str, Any], data: st.DataObject) -> None:
    """A relay can change the hops, and nothing else, under the same id (F8)."""
    frame = bytearray(encode(**values))
    before = packet_id(frame)
    frame[data.draw(st.integers(6, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert packet_id(frame) != before


@given(
    st.lists(strategies.odd_datagrams() | strategies.frame_fields().map(lambda values: encode(**values)), max_size=40)
)
def test_many_are_parsed_as_one_by_one(datagrams: list[bytes]) -> None:
    for found in (parse_many(datagrams), parse_many(map(bytearray, datagrams)), parse_many(datagrams, ids=False)):
        assert len(found) == len(datagrams)
        for one, data in zip(found, datagrams, strict=True):
            if isinstance(one, Packet):
                assert one == parse(data) and one.id == id_by_hashlib(data)
            else:
                assert type(one) is ProtocolError and one.reason == reason_of(data)


def test_an_error_in_a_batch_keeps_nothing_alive() -> None:
    for data in (b'', bytearray(2000)):
        (error,) = parse_many([data])
        assert isinstance(error, ProtocolError)
        assert error.__traceback__ is error.__context__ is None


def test_a_batch_keeps_its_datagrams() -> None:
    datagrams = [encode(PUBLISH, cluster=NO_ID, clock=number, message=bytes(900)) for number in range(200)]
    expected = [id_by_hashlib(data) for data in datagrams]
    packets = parse_many(datagrams)
    assert all(packet.data is data for packet, data in zip(packets, datagrams, strict=True))  # type: ignore[union-attr]
    del datagrams
    gc.collect()
    assert [packet.id for packet in packets] == expected  # type: ignore[union-attr]


@pytest.mark.parametrize('datagrams', [None, 5, [ZERO, 'text'], [ZERO, None], [[ZERO]]])
def test_a_batch_of_what_is_no_buffer_is_the_callers_mistake(datagrams: Any) -> None:
    with pytest.raises(TypeError):
        parse_many(datagrams)


@pytest.mark.parametrize('data', [b'', bytes(142), ZERO + bytes(1025), bytearray(1 << 20)])
def test_what_is_no_frame_has_no_id(data: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        packet_id(data)
    assert caught.value.reason == reason_of(data)


def test_many_threads_ask_for_one_id() -> None:
    """The first to ask writes it down; nobody sees half of it."""
    for number in range(200):
        data = encode(PUBLISH, cluster=NO_ID, clock=number, message=bytes(number))
        packet, start, seen = parse(data), threading.Barrier(4), []

        def ask(packet: Packet = packet, start: Any = start, seen: list[bytes] = seen) -> None:
            start.wait()
            seen.append(packet.id)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [id_by_hashlib(data)] * 4


@given(strategies.frame_fields(), strategies.u32s(), st.booleans())
def test_other_hops_make_a_copy_with_the_same_id(values: dict[str, Any], hops: int, known: bool) -> None:
    packet = parse(encode(**values))
    if known:
        assert len(packet.id) == ID_BYTES
    further = packet.with_hops(hops)
    assert plain(further) == {**values, 'hops': hops} and plain(packet) == values
    assert further.id == packet.id == id_by_hashlib(further.data)


@pytest.mark.parametrize(('hops', 'error'), [(-1, ValueError), (2**32, ValueError), ('1', TypeError)])
def test_hops_out_of_range(hops: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match='hops'):
        parse(ZERO).with_hops(hops)


def test_a_chain_is_built_from_its_end() -> None:
    following, ids = NO_ID, []
    for index in reversed(range(5)):
        data = encode(PUBLISH, cluster=NO_ID, index=index, next_id=following, message=bytes((index,)))
        following = packet_id(data)
        ids.append((data, following))
    chain = {id: parse(data) for data, id in ids}
    walked = []
    while following != NO_ID:
        walked.append(chain[following].index)
        following = chain[following].next_id
    assert walked == [0, 1, 2, 3, 4]


def test_equality_hash_copies() -> None:
    one, same, other = parse(ZERO), parse(bytearray(ZERO)), parse(encode(PUBLISH, cluster=NO_ID, hops=1))
    assert one == same and hash(one) == hash(same)
    assert one != other and one != ZERO
    assert {one, same, other} == {one, other}
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one


def test_packets_are_made_by_parse_only() -> None:
    with pytest.raises(TypeError, match='parse'):
        Packet()
    with pytest.raises(TypeError):
        type('Derived', (Packet,), {})  # type: ignore[misc]
    # Reached past the constructor it points at zeros, and never at nothing.
    empty = Packet.__new__(Packet)
    assert (empty.type, empty.to, empty.message, empty.data) == (0, NO_ID, b'', b'')
    assert empty.id == hashlib.sha256(bytes(HEADER_BYTES)).digest() and empty.with_hops(1).hops == 1


def test_fields_cannot_be_written() -> None:
    with pytest.raises(AttributeError):
        parse(ZERO).clock = 1  # type: ignore[misc]


def test_repr_names_the_type_and_shows_no_content() -> None:
    text = repr(parse(encode(PUBLISH, cluster=NO_ID, clock=7, message=b'secret')))
    assert text == '<Packet Publish clock=7 index=0 hops=0 message=6 B>'


def test_the_essays_example() -> None:
    import doctest

    assert doctest.testmod(socket_core).failed == 0
