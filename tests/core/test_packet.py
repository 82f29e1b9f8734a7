"""The frame: vectors written by hand, properties, and every way of not being a frame."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import struct
import sys
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

VECTORS = json.loads((Path(__file__).parent / 'vectors.json').read_text())['frames']
TYPES = [PING, PONG, INTRO, JOIN, PUBLISH, STREAM, SYNC, QUERY, ANSWER, GROUP]
U32_MAX = 2**32 - 1
ZERO = encode(PUBLISH, cluster=NO_ID)

u32 = st.integers(0, U32_MAX)
an_id = st.binary(min_size=ID_BYTES, max_size=ID_BYTES)
fields = st.fixed_dictionaries(
    {
        'type': st.sampled_from(TYPES),
        'hops': u32,
        'clock': u32,
        'index': u32,
        'cluster': an_id,
        'previous_id': an_id,
        'next_id': an_id,
        'to': an_id,
        'message': st.binary(max_size=MESSAGE_MAX_BYTES),
    }
)


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


@given(fields)
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


def test_fields_cannot_be_written() -> None:
    with pytest.raises(AttributeError):
        parse(ZERO).clock = 1  # type: ignore[misc]


def test_repr_names_the_type_and_shows_no_content() -> None:
    text = repr(parse(encode(PUBLISH, cluster=NO_ID, clock=7, message=b'secret')))
    assert text == '<Packet Publish clock=7 index=0 hops=0 message=6 B>'


def test_the_essays_example() -> None:
    import doctest

    assert doctest.testmod(socket_core).failed == 0
