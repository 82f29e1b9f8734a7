"""The parts that several hosts share."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socket_runtime.errors import Aborted
from socket_runtime.host._parts import (
    CLOSED_SINK,
    MAX_HELD,
    LateCalls,
    Loads,
    Pump,
    ascii_literal,
    call_program,
    clean_headers,
    may_load,
    reason,
    stream_pair,
    unwrap,
)
from tests.host.recorder import Loop, Recorder
from tests.support.skips import skip_loudly

ANY_TEXT = st.text(st.characters(), max_size=200)
ODD = ('\ud800', '\udfff', '\u2028', '\u2029', '"', '\\', "'", '`', '\n', '\r', '\0', '</script>', '${', '*/')
SURROGATES = st.lists(st.sampled_from(ODD)).map(''.join)


def as_javascript(text: str) -> bytes:
    """The text's units as JavaScript counts them: two halves side by side are one character there."""
    return text.encode('utf-16-le', 'surrogatepass')


@given(ANY_TEXT | SURROGATES)
def test_literal_is_ascii_and_complete(text: str) -> None:  # B3
    literal = ascii_literal(text)
    assert literal.isascii() and literal.isprintable()
    assert literal[0] == literal[-1] == '"'
    assert as_javascript(json.loads(literal)) == as_javascript(text)
    # nothing inside can end it: every quote is behind an odd number of backslashes
    inner = literal[1:-1]
    for place, character in enumerate(inner):
        if character == '"':
            before = inner[:place]
            assert (len(before) - len(before.rstrip('\\'))) % 2 == 1


@settings(max_examples=10)
@given(st.lists(ANY_TEXT | SURROGATES, min_size=1, max_size=20))
def test_program_gives_the_text_back(texts: list[str]) -> None:  # B3
    node = shutil.which('node')
    if node is None:
        skip_loudly('node is missing', 'apt-get install nodejs')
    programs = ','.join(call_program('return argument', text) for text in texts)
    output = subprocess.run([node, '-e', f'console.log(JSON.stringify([{programs}]))'], capture_output=True, check=True)
    for result, text in zip(json.loads(output.stdout), texts, strict=True):
        inner = unwrap(result)
        assert inner is not None and as_javascript(json.loads(inner)) == as_javascript(text)


def test_program_that_throws_yields_nothing() -> None:
    node = shutil.which('node')
    if node is None:
        skip_loudly('node is missing', 'apt-get install nodejs')
    programs = ','.join(call_program(body, '') for body in ('throw 1', 'return undefined', 'return [1]'))
    output = subprocess.run([node, '-e', f'console.log(JSON.stringify([{programs}]))'], capture_output=True, check=True)
    assert [unwrap(result) for result in json.loads(output.stdout)] == [None, 'null', '[1]']


@pytest.mark.parametrize('odd', [None, '', 'null', '{}', 7, True, '[', ']'])
def test_unwrap_refuses_what_is_no_array(odd: object) -> None:
    assert unwrap(odd) is None


@pytest.mark.parametrize('value', ['a\r\nSet: x', 'a\nb', 'a\rb', 'a\0b'])
def test_header_with_a_line_end_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match='line end'):
        list(clean_headers([('Name', value)]))
    with pytest.raises(ValueError, match='line end'):
        list(clean_headers([(value, 'x')]))


def test_reasons() -> None:
    phrases = [reason(status) for status in (200, 404, 499, 599)]
    assert phrases == ['OK', 'Not Found', 'Client Closed Request', 'Unknown']


def test_navigation_rules() -> None:
    app = Recorder()
    assert may_load(app, 3, 'socket://a/x', main_frame=True)
    assert not may_load(app, 3, 'https://evil/', main_frame=True)
    assert not may_load(app, 3, 'socket://a/x', main_frame=True, new_window=True)
    assert app.log == [
        ('navigate', 3, 'socket://a/x', False),
        ('navigate', 3, 'https://evil/', False),
        ('navigate', 3, 'socket://a/x', True),
    ]
    assert may_load(app, 3, 'https://else/', main_frame=False)
    for call in ('ipc://fs.readFile', 'IPC://x', 'ipc:x'):  # A11
        assert not may_load(app, 3, call, main_frame=False)
    assert len(app.log) == 3


class TestStreamPair:
    def test_bytes_arrive_in_order_and_end(self) -> None:
        source, sink = stream_pair()
        sink.write(b'one')
        sink.write(b'two')
        sink.close()
        sink.close()
        assert source.recv(100) == b'onetwo'
        assert source.recv(100) == b''
        source.close()

    def test_slow_reader_holds_the_writer(self) -> None:  # B6
        source, sink = stream_pair()
        big = memoryview(bytes(1 << 24))
        taken = sink.write_some(big)
        assert 0 < taken < 1 << 24
        assert sink.write_some(big) == 0
        source.recv(1 << 24)
        assert sink.write_some(big) > 0
        source.close()
        sink.close()

    def test_writer_learns_that_the_reader_has_gone(self) -> None:
        source, sink = stream_pair()
        writer = threading.Thread(target=lambda: pytest.raises(Aborted, sink.write, bytes(1 << 24)))
        writer.start()
        source.close()
        writer.join(5)
        assert not writer.is_alive()
        for use in (lambda: sink.write(b'x'), lambda: sink.write_some(memoryview(b'x'))):
            with pytest.raises(Aborted):
                use()
        assert sink.fileno() == -1

    def test_closed_sink(self) -> None:
        CLOSED_SINK.close()
        assert CLOSED_SINK.fileno() == -1
        for use in (lambda: CLOSED_SINK.write(b'x'), lambda: CLOSED_SINK.write_some(memoryview(b'x'))):
            with pytest.raises(Aborted):
                use()


class TestPump:
    def test_carries_all_on_the_loop(self) -> None:
        source, sink = stream_pair()
        got: list[bytes] = []
        done = threading.Event()
        pump = Pump(source, lambda function: function(), got.append, done.set)
        data = bytes(range(256)) * 10_000
        sink.write(data)
        sink.close()
        assert done.wait(5)
        pump.join(5)
        assert b''.join(got) == data

    def test_reads_no_further_than_the_loop_has_come(self) -> None:  # B6
        source, sink = stream_pair()
        loop, got = Loop(), []
        pump = Pump(source, loop.post, got.append, lambda: got.append(b'end'))
        taken = 0
        while step := sink.write_some(memoryview(bytes(1 << 20))):
            taken += step
            if taken > 1 << 24:
                break
        assert taken < 1 << 24
        assert len(loop.waiting) <= 1
        sink.close()
        while b'end' not in got:
            loop.run()
        pump.join(5)
        assert sum(map(len, got)) == taken + len(b'end')

    def test_stop_tells_the_writer_at_once(self) -> None:
        source, sink = stream_pair()
        done = threading.Event()
        pump = Pump(source, lambda function: function(), lambda _chunk: None, done.set)
        pump.stop()
        assert done.wait(5)
        pump.join(5)
        with pytest.raises(Aborted):
            sink.write(b'x' * 1000)
        pump.stop()

    def test_failed_delivery_does_not_hang(self) -> None:
        source, sink = stream_pair()
        failures: list[BaseException] = []

        def post(function: object) -> None:
            try:
                function()  # type: ignore[operator]
            except ValueError as error:
                failures.append(error)

        def fail(_chunk: bytes) -> None:
            raise ValueError('no')

        pump = Pump(source, post, fail, lambda: None)
        sink.write(b'x')
        sink.close()
        pump.join(5)
        assert len(failures) == 1


class TestLoads:
    def test_commit_follows_its_start(self) -> None:
        app = Recorder()
        loads = Loads(1, app)
        assert loads.start('socket://a/1') == 'preload 1'
        loads.commit(1)
        loads.commit(1)
        assert app.log == [('start', 1, 'socket://a/1'), ('commit', 1, 'socket://a/1')]

    def test_late_word_of_an_older_load_is_ignored(self) -> None:
        app = Recorder()
        loads = Loads(1, app)
        loads.start('socket://a/1')
        loads.start('socket://a/2')
        loads.commit(1)
        assert not app.said('commit')
        loads.commit(2)
        assert app.said('commit') == [('commit', 1, 'socket://a/2')]

    def test_commit_after_a_failure_of_the_former(self) -> None:
        """Chromium reports the former load's end after the next one's start."""
        app = Recorder()
        loads = Loads(1, app)
        loads.start('socket://a/1')
        loads.end()
        loads.commit(1)
        assert app.said('commit') == [('commit', 1, 'socket://a/1')]

    def test_redirect_changes_what_is_committed(self) -> None:
        app = Recorder()
        loads = Loads(1, app)
        loads.start('socket://a/1')
        loads.redirect('socket://a/2')
        loads.commit(1)
        assert app.said('commit') == [('commit', 1, 'socket://a/2')]

    def test_calls_wait_for_the_commit(self) -> None:
        app = Recorder()
        loads = Loads(1, app)
        loads.call(lambda: app.log.append(('before',)))
        loads.start('socket://a/1')
        loads.call(lambda: app.log.append(('first',)))
        loads.call(lambda: app.log.append(('second',)))
        assert [entry[0] for entry in app.log] == ['before', 'start']
        loads.commit(1)
        loads.call(lambda: app.log.append(('after',)))
        assert [entry[0] for entry in app.log] == ['before', 'start', 'commit', 'first', 'second', 'after']

    def test_calls_of_the_old_document_go_on_when_the_load_fails(self) -> None:
        app = Recorder()
        loads = Loads(1, app)
        loads.start('socket://a/1')
        loads.call(lambda: app.log.append(('call',)))
        loads.end()
        assert app.said('call')

    def test_waiting_is_bounded(self) -> None:  # B6
        loads = Loads(1, Recorder())
        loads.start('socket://a/1')
        ran: list[int] = []
        for number in range(MAX_HELD + 5):
            loads.call(lambda number=number: ran.append(number))
        assert ran == list(range(MAX_HELD, MAX_HELD + 5))


def test_late_calls_keep_their_order() -> None:
    late, order = LateCalls(), []
    late.do(lambda: order.append(1))
    late.do(lambda: order.append(2))
    assert order == []
    late.ready()
    late.do(lambda: order.append(3))
    assert order == [1, 2, 3]
