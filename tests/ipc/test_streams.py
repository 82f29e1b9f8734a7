"""Streams by themselves: uploads, flow, and the pumps."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.errors import Aborted, CommandFailed, RemoteError
from socket_runtime.ipc.streams import WINDOW, Flow, Upload, pump, pump_async
from tests.ipc.asking import Answer, Sink


def describe(error: Exception) -> RemoteError:
    return CommandFailed(str(error))


def records(sink: Sink) -> list[Any]:
    answer = Answer()
    answer.sink = sink
    return answer.records


def in_thread(function: Any) -> tuple[threading.Thread, list[Any]]:
    """Run ``function`` beside the test; its result, or the name of what it raised, comes into the list."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(function())
        except Exception as error:  # told to the test
            outcome.append(type(error).__name__)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


# -- uploads --------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=20), max_size=30))
def test_chunks_come_out_as_they_went_in(chunks: list[bytes]) -> None:
    upload = Upload()
    thread, outcome = in_thread(lambda: b''.join(upload))
    for chunk in chunks:
        taken = threading.Event()
        upload.offer(chunk, taken.set)
        assert taken.wait(5)
    upload.end()
    thread.join(5)
    assert outcome == [b''.join(chunks)]


def test_the_same_for_async_commands() -> None:
    async def collect(upload: Upload) -> bytes:
        return b''.join([chunk async for chunk in upload])

    upload = Upload()
    thread, outcome = in_thread(lambda: asyncio.run(collect(upload)))
    for number in range(20):
        taken = threading.Event()
        upload.offer(bytes([number]) * 3, taken.set)
        assert taken.wait(5)
    time.sleep(0.05)  # now it waits for more
    upload.offer(b'end', lambda: None)
    upload.end()
    thread.join(5)
    assert outcome == [b''.join(bytes([n]) * 3 for n in range(20)) + b'end']


def test_b6_what_is_not_taken_keeps_the_page_waiting() -> None:
    upload = Upload()
    taken: list[int] = []
    for number in range(6):
        upload.offer(b'x', lambda number=number: taken.append(number))
    assert taken == [0, 1, 2]  # four may wait; the page hears of the fourth when there is room again
    iterator = iter(upload)
    next(iterator)
    next(iterator)
    assert taken == [0, 1, 2]
    next(iterator)
    assert taken == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize('when', ['before', 'while waiting'])
def test_giving_up_ends_the_iteration_with_an_error(when: str) -> None:
    upload = Upload()
    if when == 'before':
        upload.abort()
    thread, outcome = in_thread(lambda: list(upload))
    if when == 'while waiting':
        time.sleep(0.05)
        upload.abort()
    thread.join(5)
    assert outcome == ['Aborted']


def test_giving_up_answers_everybody_who_waits() -> None:
    upload = Upload()
    taken: list[int] = []
    for number in range(8):
        upload.offer(b'x', lambda number=number: taken.append(number))
    upload.abort()
    assert sorted(taken) == list(range(8))
    with pytest.raises(Aborted):
        list(upload)


# -- flow -----------------------------------------------------------------------------------------------


def test_a_page_that_lags_is_waited_for() -> None:
    sink = Sink()
    flow = Flow(sink)
    chunk = bytes(WINDOW // 4)
    thread, outcome = in_thread(lambda: [flow.write(chunk) for _ in range(6)])
    time.sleep(0.1)
    assert len(sink.data) == WINDOW
    flow.take(WINDOW // 4)
    time.sleep(0.1)
    assert len(sink.data) == WINDOW + len(chunk)
    flow.take(WINDOW)
    thread.join(5)
    assert len(sink.data) == 6 * len(chunk)
    assert outcome == [[None] * 6]


def test_a_chunk_larger_than_the_window_passes() -> None:
    sink = Sink()
    flow = Flow(sink)
    flow.write(bytes(3 * WINDOW))
    assert len(sink.data) == 3 * WINDOW
    thread, _ = in_thread(lambda: flow.write(b'x'))
    thread.join(0.1)
    assert thread.is_alive()
    flow.take(3 * WINDOW)
    thread.join(5)
    assert not thread.is_alive()


def test_a_page_cannot_take_what_it_was_not_sent() -> None:
    flow = Flow(Sink())
    flow.take(1 << 60)
    flow.write(bytes(WINDOW))
    thread, outcome = in_thread(lambda: flow.write(b'x'))
    thread.join(0.1)
    assert thread.is_alive()
    flow.take(5)  # going back is no use either
    flow.give_up()
    thread.join(5)
    assert outcome == ['Aborted']


def test_async_writers_wait_as_well() -> None:
    sink = Sink()
    flow = Flow(sink)

    async def items() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield bytes(WINDOW // 4)

    thread, _ = in_thread(lambda: asyncio.run(pump_async(items(), flow, True, describe)))
    time.sleep(0.15)
    assert len(sink.data) == WINDOW
    flow.take(WINDOW)
    thread.join(5)
    assert len(sink.data) == 2 * WINDOW
    assert sink.closed


# -- pumps ----------------------------------------------------------------------------------------------


def test_items_become_records_after_a_first_sign_of_life() -> None:
    sink = Sink()
    pump(iter([1, {'a': None}]), [0], sink, False, describe)
    assert sink.data[:4] == bytes(4)
    assert records(sink) == [{'data': 0}, {'data': 1}, {'data': {'a': None}}]
    assert sink.closed


def test_bytes_stay_bytes() -> None:
    sink = Sink()
    pump(iter([b'b', bytearray(b'c')]), [b'a'], sink, True, describe)
    assert sink.data == b'abc'
    assert sink.closed


def failing(kind: type[Exception] = RuntimeError) -> Iterator[Any]:
    yield 1
    raise kind('broken')


def test_an_error_becomes_the_last_record() -> None:
    sink = Sink()
    pump(failing(), [], sink, False, describe)
    assert records(sink) == [{'data': 1}, {'err': {'message': 'broken', 'name': 'Error', 'type': 'CommandFailed'}}]
    assert sink.closed


def test_an_item_without_a_json_form_is_such_an_error() -> None:
    sink = Sink()
    pump(iter([object()]), [], sink, False, describe)
    assert 'err' in records(sink)[0]
    assert sink.closed


def test_the_generator_is_closed_when_the_page_gives_up() -> None:
    ended = threading.Event()

    def items() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(100)
        finally:
            ended.set()

    sink = Sink(room=1000)
    thread, _ = in_thread(lambda: pump(items(), [], sink, True, describe))
    time.sleep(0.05)
    sink.leave()
    thread.join(5)
    assert ended.is_set()
    assert sink.closed


def test_an_async_generator_is_closed_when_its_task_is_cancelled() -> None:
    ended: list[str] = []

    async def items() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(60)
        finally:
            ended.append('closed')

    async def main() -> None:
        sink = Sink()
        task = asyncio.create_task(pump_async(items(), sink, False, describe))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sink.closed

    asyncio.run(main())
    assert ended == ['closed']
