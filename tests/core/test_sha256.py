"""SHA-256 by every path that this processor has, held against `hashlib`: alone, in batches, as ids of frames."""

from __future__ import annotations

import hashlib
import json
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socket_core._packet import (
    HEADER_BYTES,
    PACKET_MAX_BYTES,
    encode,
    force_sha256,
    packet_id,
    parse_many,
    sha256_many,
    sha256_path,
    sha256_paths,
)
from tests import strategies

VECTORS = json.loads((Path(__file__).parent / 'sha256_vectors.json').read_text())['vectors']
NAMES = ('scalar', 'sse', 'avx2', 'avx512', 'shani', 'armv8')
#: Where the padding takes one block more, and the ends of blocks and of frames.
EDGES = (0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 142, 183, 184, 1024, 1166)

sizes = st.sampled_from(EDGES) | st.integers(0, 2500)
#: Made from a seed: what is in a message does not matter, and hypothesis draws few bytes.
batches = st.builds(
    lambda lengths, seed: [random.Random(seed + length).randbytes(length) for length in lengths],
    st.lists(sizes, max_size=70),
    st.integers(0, 1 << 30),
)


@pytest.fixture(params=[None, *sha256_paths()], ids=lambda name: name or 'auto')
def path(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Every path in turn, and the choice among them."""
    force_sha256(request.param)
    yield request.param
    force_sha256(None)


def digests(messages: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(message).digest() for message in messages]


def without_hops(data: bytes) -> bytes:
    return data[:2] + bytes(4) + data[6:]


@pytest.mark.parametrize('vector', VECTORS, ids=lambda vector: vector['name'])
def test_vectors(path: str | None, vector: dict[str, Any]) -> None:
    message = bytes.fromhex(vector['hex']) * vector.get('times', 1)
    expected = bytes.fromhex(vector['digest'])
    assert sha256_many([message]) == [expected]
    assert sha256_many([message] * 3 + [b''] + [message] * 2)[4] == expected


def test_every_length(path: str | None) -> None:
    data = random.Random(1).randbytes(2500)
    messages = [data[:length] for length in range(2501)]
    assert sha256_many(messages) == digests(messages)
    assert [sha256_many([message])[0] for message in messages] == digests(messages)


@settings(max_examples=60)
@given(batch=batches)
def test_batches_of_any_lengths(batch: list[bytes]) -> None:
    expected = digests(batch)
    for name in (None, *sha256_paths()):
        force_sha256(name)
        assert sha256_many(batch) == expected, name
    force_sha256(None)


def test_batches_of_every_count(path: str | None) -> None:
    """The lanes are never all in use at the end, and a lane that is left over must do no harm."""
    source = random.Random(3)
    mixed = [source.randbytes(EDGES[index % len(EDGES)]) for index in range(71)]
    alike = [source.randbytes(1166) for _ in range(71)]
    for count in range(71):
        assert sha256_many(mixed[:count]) == digests(mixed[:count])
        assert sha256_many(alike[:count]) == digests(alike[:count])


@pytest.mark.parametrize('lone', [0, 7, 15, 16, 40])
def test_one_long_message_among_short_ones(path: str | None, lone: int) -> None:
    batch = [bytes(index) for index in range(41)]
    batch[lone] = random.Random(lone).randbytes(100_000)
    assert sha256_many(batch) == digests(batch)


def test_frames_of_every_size_whatever_their_hops(path: str | None) -> None:
    data = random.Random(2).randbytes(1024)
    frames = [
        encode(5, cluster=data[:32], hops=random.Random(size).getrandbits(32), message=data[:size])
        for size in range(1025)
    ]
    assert (len(frames[0]), len(frames[-1])) == (HEADER_BYTES, PACKET_MAX_BYTES)
    before = [bytes(bytearray(frame)) for frame in frames]
    expected = digests([without_hops(frame) for frame in frames])
    assert [packet.id for packet in parse_many(frames)] == expected  # type: ignore[union-attr]
    assert [packet_id(frame) for frame in frames] == expected
    # The hops stay where they are: a frame is only read.
    assert frames == before


@settings(max_examples=60)
@given(st.lists(strategies.frame_fields(), max_size=20))
def test_batches_of_frames(values: list[dict[str, Any]]) -> None:
    frames = [encode(**fields) for fields in values]
    expected = digests([without_hops(frame) for frame in frames])
    for name in (None, *sha256_paths()):
        force_sha256(name)
        assert [packet.id for packet in parse_many(frames)] == expected, name  # type: ignore[union-attr]
    force_sha256(None)


def test_paths_have_names() -> None:
    paths = sha256_paths()
    assert 'scalar' in paths
    assert set(paths) <= set(NAMES)
    assert list(paths) == sorted(paths, key=NAMES.index)


def test_a_path_can_be_forced_and_asked_for(path: str | None) -> None:
    assert sha256_path() == sha256_path(1) == path or (path is None and sha256_path() in sha256_paths())


def test_more_messages_never_choose_fewer_lanes() -> None:
    lanes = {'scalar': 1, 'sse': 4, 'avx2': 8, 'avx512': 16, 'shani': 2, 'armv8': 2}
    chosen = [lanes[sha256_path(count)] for count in range(1, 65)]
    assert chosen == sorted(chosen)


@pytest.mark.parametrize('name', ['', 'auto', 'AVX2', 'sha', 'openssl'])
def test_unknown_paths_are_refused(name: str) -> None:
    before = sha256_path()
    with pytest.raises(ValueError, match='scalar'):
        force_sha256(name)
    assert sha256_path() == before


@pytest.mark.parametrize('name', sorted(set(NAMES) - set(sha256_paths())))
def test_paths_that_this_processor_lacks_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        force_sha256(name)


@pytest.mark.parametrize('count', [0, -1, 1.5, None])
def test_counts_that_are_none(count: Any) -> None:
    with pytest.raises(ValueError, match='count'):
        sha256_path(count)


@pytest.mark.parametrize('messages', [[b'', 'text'], [bytearray(1)], [None], 5])
def test_messages_of_another_kind(messages: Any) -> None:
    with pytest.raises(TypeError):
        sha256_many(messages)


def test_any_iterable_of_messages() -> None:
    assert sha256_many(iter([b'a', b'b'])) == digests([b'a', b'b'])
    assert sha256_many(()) == []


def test_other_threads_run_while_much_is_hashed() -> None:
    """Without that, the other thread would wait for the whole switch interval."""
    interval, ran, go = sys.getswitchinterval(), threading.Event(), threading.Lock()
    batch = [bytes(1 << 20)] * 16

    def other() -> None:
        with go:
            ran.set()

    thread = threading.Thread(target=other)
    go.acquire()
    thread.start()
    sys.setswitchinterval(1000)
    try:
        go.release()
        for _ in range(200):
            sha256_many(batch)
            if ran.is_set():
                break
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        thread.join()


def test_threads_hash_while_the_path_is_changed() -> None:
    batch = [random.Random(index).randbytes(index * 37) for index in range(64)]
    expected, wrong, done = digests(batch), [], threading.Event()

    def hash_on() -> None:
        while not done.is_set():
            if sha256_many(batch) != expected:
                wrong.append(True)

    threads = [threading.Thread(target=hash_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            for name in (*sha256_paths(), None):
                force_sha256(name)
                sha256_many(batch)
    finally:
        done.set()
        for thread in threads:
            thread.join()
        force_sha256(None)
    assert not wrong
