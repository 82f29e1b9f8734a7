"""From a request to its one answer."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socket_runtime.errors import Denied, NotFound
from socket_runtime.ipc.command import Binary, Call, Command
from socket_runtime.ipc.quotas import MAX_CALLS, MAX_STREAMS, MAX_UPLOADS
from socket_runtime.ipc.streams import MAX_CHUNK, Upload
from tests import strategies
from tests.ipc.asking import Answer, App, Ask, post, shown

OfferFile = Callable[[int, int, str, Callable[[bool], None]], None]


# -- calls ----------------------------------------------------------------------------------------------


def echo(value: Any = None) -> Any:
    return value


async def coroutine(value: int) -> int:
    await asyncio.sleep(0)
    return value + 1


def data(body: bytes, name: str = '') -> Binary:
    return Binary(name.encode() + body)


def boom() -> None:
    raise RuntimeError('/home/me/secret')


@pytest.fixture
def app() -> Iterator[App]:
    app = App(
        Command('t.inline', echo, inline=True),
        Command('t.thread', echo),
        Command('t.async', coroutine),
        Command('t.data', data, max_body=100),
        Command('t.boom', boom),
        Command('t.boomInline', boom, inline=True),
    )
    yield app
    app.workers.close()


@pytest.mark.parametrize('name', ['t.inline', 't.thread', 'T.THREAD'])
def test_a_value_comes_back_in_the_envelope(app: App, name: str) -> None:
    answer = app.ask(f'ipc://{name}?value=a%20b&seq=R7&index=3')
    assert answer.status == 200
    assert answer.json == {'source': name.lower(), 'id': 'R7', 'data': 'a b'}
    assert app.router.under_way == 0


def test_arguments_come_in_the_query_or_in_a_body(app: App) -> None:
    assert app.ask('ipc://t.async?value=41').json['data'] == 42
    assert app.ask('ipc://t.async', **post({'value': 41})).json['data'] == 42
    assert app.ask('ipc://t.thread', **post({'value': {'a': [1, None]}})).json['data'] == {'a': [1, None]}
    assert app.ask('ipc://t.data?name=n', **post(b'\0\xff')).body == b'n\0\xff'
    assert app.ask('ipc://t.data?name=n').body == b'n'


@pytest.mark.parametrize(
    ('uri', 'ask'),
    [
        ('ipc://t.async', {}),
        ('ipc://t.async?value=x', {}),
        ('ipc://t.async?value=1&other=2', {}),
        ('ipc://t.async?value=1', post({'value': 2})),
        ('ipc://t.async', post(b'binary')),
        ('ipc://t.async', post([1])),
        ('ipc://t.async', {'method': 'POST', 'body': b'{', 'headers': {'Content-Type': 'application/json'}}),
        ('ipc://t.async?value=1', {'method': 'PUT'}),
        ('ipc://t.async?value=1', {'method': 'OPTIONS'}),
        ('ipc://t.async?value=1', {'method': 'x' * 1000}),
        ('ipc://t.async?seq=' + 'x' * 33, {}),
        ('ipc://t.async/path', {}),
        ('nonsense', {}),
    ],
)
def test_what_is_no_call_is_told_so(app: App, uri: str, ask: dict[str, Any]) -> None:
    answer = app.ask(uri, **ask)
    assert answer.status == 400
    assert answer.err['type'] == 'BadRequest'
    assert len(answer.err['message']) < 400
    assert app.router.under_way == 0


def test_a_body_above_the_commands_limit_is_refused(app: App) -> None:
    assert app.ask('ipc://t.data', **post(bytes(100))).status == 200
    assert app.ask('ipc://t.data', **post(bytes(101))).status == 413


def test_the_body_is_read_after_the_decision_and_once(app: App) -> None:
    document = shown("connect-src 'none'")
    ask = Ask('ipc://t.data', document, 'POST', b'x')
    answer = Answer()
    app.router.handle(document, ask, answer)
    assert (answer.status, ask.body_reads) == (403, 0)
    ask = Ask('ipc://t.data', app.page, 'POST', b'x')
    app.router.handle(app.page, ask, Answer())
    assert ask.body_reads == 1


@pytest.mark.parametrize('debug', [False, True])
@pytest.mark.parametrize('name', ['t.boom', 't.boomInline'])
def test_b8_errors_are_told_in_full_only_in_development(
    debug: bool, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(Command('t.boom', boom), Command('t.boomInline', boom, inline=True), debug=debug)
    answer = app.ask(f'ipc://{name}')
    assert answer.status == 500
    assert ('secret' in answer.err['message']) is debug
    assert 'secret' in caplog.text


def test_a_command_that_cannot_be_called_is_answered_too(caplog: pytest.LogCaptureFixture) -> None:
    def broken(thing: Nonsense) -> None:  # type: ignore[name-defined]  # noqa: F821  # that is the point
        return None

    answer = App(Command('t.broken', broken)).ask('ipc://t.broken?thing=1')
    assert answer.status == 500
    assert answer.err['message'] == 'the command failed'
    assert 'thing' in caplog.text


def test_a_result_without_json_form_is_an_error_of_the_command() -> None:
    app = App(Command('t.object', object), Command('t.set', lambda: object(), inline=True))
    assert app.ask('ipc://t.set').status == 500


def test_denied_by_a_commands_own_scope_is_in_the_audit_log_once(caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> None:
        raise Denied('no', missing='[grants] fs.read[] = $DATA/x')

    caplog.set_level(logging.INFO)
    answer = App(Command('t.refuse', refuse)).ask('ipc://t.refuse')
    assert answer.status == 403
    assert caplog.messages == ['denied ipc://t.refuse: [grants] fs.read[] = $DATA/x']


def test_every_command_is_refused_without_its_policy_and_its_grant() -> None:
    """One gate: the table of an app, row by row."""
    from socket_runtime import App as RealApp
    from socket_runtime.app.config import for_script

    real = RealApp(for_script(Path(__file__)))
    real._wire()
    rows = list(real.commands)
    assert len(rows) > 60
    app = App(*rows)
    strict = shown("connect-src 'none'")
    for row in rows:
        answer = app.ask(f'ipc://{row.name}', strict)
        if row.floor:
            assert row.name == 'console.write'
            continue
        assert answer.status == 403, row.name
        assert answer.err['missing'] == f'connect-src ipc://{row.name}'
        if row.grant is not None and not app.grants.has(row.grant):
            answer = app.ask(f'ipc://{row.name}')
            assert answer.status == 403, row.name
            assert answer.err['missing'].startswith(f'[grants] {row.grant}')
    assert [row.name for row in rows if row.floor] == ['console.write']


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(strategies.odd_uris(), st.sampled_from(['GET', 'POST', 'PUT', '']), st.binary(max_size=20))
def test_whatever_is_asked_is_answered_once(app: App, uri: str, method: str, body: bytes) -> None:
    answer = app.send(uri, method=method, body=body)
    app.workers.run_until(lambda: answer.status != 0)
    assert answer.status in (200, 400, 403, 404, 413, 500)


# -- giving up, time and documents ------------------------------------------------------------------------


def slow_app() -> tuple[App, list[str]]:
    ended: list[str] = []

    def slow(call: Call) -> str:
        ended.append(f'thread {call.cancelled.wait(5)}')
        return 'late'

    async def slow_async(call: Call) -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            ended.append('async True')
            raise
        return 'late'

    return App(Command('t.thread', slow), Command('t.async', slow_async), Command('t.quick', slow, timeout=0.05)), ended


@pytest.mark.parametrize('name', ['thread', 'async'])
def test_the_page_cancels_by_the_calls_own_number(name: str) -> None:
    app, ended = slow_app()
    answer = app.send(f'ipc://t.{name}?seq=R1')
    assert app.router.under_way == 1
    time.sleep(0.05)
    other = app.ask(f'ipc://t.{name}', **post(Socket_Cancel='R2'))
    assert (other.status, answer.status) == (204, 0)
    cancelled = app.ask(f'ipc://t.{name}', **post(Socket_Cancel='R1'))
    assert cancelled.status == 204
    app.workers.run_until(lambda: bool(answer.status and ended))
    assert answer.err['type'] == 'Aborted'
    assert ended == [f'{name} True']
    assert app.router.under_way == 0
    app.workers.close()


def test_b1_other_windows_documents_and_commands_cannot_cancel() -> None:
    app, _ = slow_app()
    app.send('ipc://t.thread?seq=R1')
    for document in (shown(window=1), shown(window=0)):
        assert app.ask('ipc://t.thread', document, **post(Socket_Cancel='R1')).status == 204
    assert app.ask('ipc://t.async', **post(Socket_Cancel='R1')).status == 204
    assert app.router.under_way == 1
    app.router.document_gone(app.page)
    app.workers.close()


def test_a_call_that_takes_too_long_is_told_and_told_to_stop() -> None:
    app, ended = slow_app()
    answer = app.send('ipc://t.quick')
    time.sleep(0.1)
    app.workers.sweep()
    assert answer.status == 408
    app.workers.run_until(lambda: ended == ['thread True'])
    app.idle()


def test_a_document_that_goes_takes_its_calls_along() -> None:
    app, ended = slow_app()
    mine = [app.send('ipc://t.thread'), app.send('ipc://t.async')]
    other = app.send('ipc://t.thread', shown(window=1))
    time.sleep(0.05)
    app.router.document_gone(app.page)
    app.workers.run_until(lambda: len(ended) == 2)
    assert all(answer.status == 499 for answer in mine)
    assert other.status == 0
    assert app.router.under_way == 1
    app.workers.close()


def test_b6_calls_beyond_the_quota_are_refused_at_once_and_per_window() -> None:
    app, _ = slow_app()
    answers = [app.send('ipc://t.async') for _ in range(MAX_CALLS)]
    assert all(answer.status == 0 for answer in answers)
    refused = app.send('ipc://t.async')
    assert refused.status == 429
    assert refused.err['type'] == 'QuotaExceeded'
    assert app.send('ipc://t.async', shown(window=1)).status == 0
    app.router.document_gone(app.page)
    assert app.send('ipc://t.async').status == 0
    app.workers.close()


# -- streams to the page ----------------------------------------------------------------------------------


def items(count: int) -> Iterator[int]:
    yield from range(count)


async def async_items(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number


def raw(size: int, fail: bool = False) -> Iterator[bytes]:
    if fail:
        raise NotFound('before it begins')
    for _ in range(size):
        yield bytes(1 << 20)


def idle(call: Call) -> Iterator[int]:
    yield 1
    call.cancelled.wait(10)


STREAMS = (
    Command('s.items', items),
    Command('s.async', async_items),
    Command('s.raw', raw),
    Command('s.idle', idle, timeout=0.01),
)


@pytest.mark.parametrize('name', ['items', 'async'])
def test_items_are_streamed(name: str) -> None:
    app = App(*STREAMS)
    answer = app.ask(f'ipc://s.{name}?count=3')
    app.idle()
    assert answer.headers['Socket-Kind'] == 'stream-items'
    assert answer.records == [{'data': 0}, {'data': 1}, {'data': 2}]
    assert answer.sink is not None and answer.sink.closed
    app.workers.close()


def test_a_raw_stream_tells_an_error_before_it_begins() -> None:
    app = App(*STREAMS)
    assert app.ask('ipc://s.raw?size=1&fail=true').err['message'] == 'before it begins'
    answer = app.ask('ipc://s.raw?size=2')
    app.idle()
    assert answer.sink is not None and len(answer.sink.data) == 2 << 20
    assert 'Socket-Stream' not in answer.headers


def test_streams_have_no_time_limit_but_end_with_their_document() -> None:
    app = App(*STREAMS)
    answer = app.ask('ipc://s.idle')
    time.sleep(0.05)
    app.workers.sweep()
    assert app.router.under_way == 1
    app.router.document_gone(app.page)
    app.idle()
    assert answer.sink is not None and answer.sink.closed


def test_b6_streams_have_a_quota_of_their_own() -> None:
    app = App(*STREAMS)
    for _ in range(MAX_STREAMS):
        assert app.ask('ipc://s.idle').status == 200
    assert app.send('ipc://s.idle').status == 429
    app.router.document_gone(app.page)
    app.idle()
    assert app.ask('ipc://s.items?count=1').status == 200


def test_a_page_that_counts_holds_the_stream_back() -> None:
    app = App(*STREAMS)
    answer = app.ask('ipc://s.raw?size=20', headers={'Socket-Flow': '1'})
    sink, stream = answer.sink, answer.headers['Socket-Stream']
    assert sink is not None and len(stream) == 32
    time.sleep(0.1)
    assert len(sink.data) == 4 << 20
    for document, taken, status in [
        (shown(window=1), '20971520', 204), (app.page, 'x', 400), (app.page, '-1', 400), (app.page, '9' * 16, 400)
    ]:  # fmt: skip
        assert (
            app.ask('ipc://s.raw', document, **post(Socket_Stream=stream, Socket_Stream_Taken=taken)).status == status
        )
    time.sleep(0.05)
    assert len(sink.data) == 4 << 20
    while app.router.under_way:
        taken = str(len(sink.data))
        assert app.ask('ipc://s.raw', **post(Socket_Stream=stream, Socket_Stream_Taken=taken)).status == 204
        app.workers.run_until(lambda: True)
    app.idle()
    assert len(sink.data) == 20 << 20
    assert app.ask('ipc://s.raw', **post(Socket_Stream=stream, Socket_Stream_Taken='1')).status == 204


def test_a_held_back_stream_ends_with_its_document() -> None:
    app = App(*STREAMS)
    app.ask('ipc://s.raw?size=20', headers={'Socket-Flow': '1'})
    app.router.document_gone(app.page)
    app.idle()


# -- uploads ----------------------------------------------------------------------------------------------


def upload_app() -> tuple[App, list[Any]]:
    seen: list[Any] = []

    def collect(upload: Upload, stop: int = -1, fail: bool = False) -> int:
        size = 0
        try:
            for chunk in upload:
                size += len(chunk)
                stop -= 1
                if stop == 0:
                    break
        except Exception as error:
            seen.append(type(error).__name__)
            raise
        if fail:
            raise RuntimeError('no')
        return size

    async def collect_async(upload: Upload) -> int:
        return sum([len(chunk) async for chunk in upload])

    return App(Command('u.collect', collect, timeout=0.3), Command('u.async', collect_async)), seen


@pytest.mark.parametrize('name', ['collect', 'async'])
def test_an_upload_is_opened_fed_and_ended(name: str) -> None:
    app, _ = upload_app()
    opened = app.ask(f'ipc://u.{name}', **post())
    stream = opened.headers['Socket-Stream']
    assert (opened.headers['Socket-Kind'], len(stream)) == ('upload', 32)
    for _ in range(10):
        assert app.ask(f'ipc://u.{name}', **post(b'abc', Socket_Stream=stream)).status == 204
    ended = app.ask(f'ipc://u.{name}', **post(b'de', Socket_Stream=stream, Socket_Stream_End='1'))
    assert ended.json['data'] == 32
    assert app.router.under_way == 0
    assert app.ask(f'ipc://u.{name}', **post(b'x', Socket_Stream=stream)).status == 404
    app.workers.close()


def test_b1_an_upload_belongs_to_its_document_and_its_command() -> None:
    app, _ = upload_app()
    stream = app.ask('ipc://u.collect', **post()).headers['Socket-Stream']
    for document in (shown(window=1), shown(window=0)):
        assert app.ask('ipc://u.collect', document, **post(b'x', Socket_Stream=stream)).status == 404
    assert app.ask('ipc://u.async', **post(b'x', Socket_Stream=stream)).status == 404
    assert app.ask('ipc://u.collect', **post(b'x', Socket_Stream=stream.upper() + '0')).status == 404
    assert app.ask('ipc://u.collect', **post(b'abc', Socket_Stream=stream, Socket_Stream_End='1')).json['data'] == 3
    app.workers.close()


def test_b6_chunks_have_a_limit_and_uploads_a_quota() -> None:
    app, _ = upload_app()
    stream = app.ask('ipc://u.collect', **post()).headers['Socket-Stream']
    assert app.ask('ipc://u.collect', **post(bytes(MAX_CHUNK + 1), Socket_Stream=stream)).status == 413
    for _ in range(MAX_UPLOADS - 1):
        assert app.ask('ipc://u.collect', **post()).status == 200
    assert app.ask('ipc://u.collect', **post()).status == 429
    app.router.document_gone(app.page)
    app.idle()


def test_an_upload_that_is_given_up_ends_the_command() -> None:
    app, seen = upload_app()
    stream = app.ask('ipc://u.collect', **post()).headers['Socket-Stream']
    assert app.ask('ipc://u.collect', **post(Socket_Stream=stream, Socket_Stream_Abort='1')).status == 204
    app.workers.run_until(lambda: seen == ['Aborted'])
    app.idle()


def test_a_silent_page_is_not_waited_for_for_ever() -> None:
    app, seen = upload_app()
    app.ask('ipc://u.collect', **post())
    time.sleep(0.4)
    app.workers.sweep()
    app.workers.run_until(lambda: seen == ['Aborted'])
    app.idle()


@pytest.mark.parametrize('fail', [False, True])
def test_a_command_that_ends_early_answers_all_that_waits(fail: bool) -> None:
    app, _ = upload_app()
    stream = app.ask(f'ipc://u.collect?stop=1&fail={str(fail).lower()}', **post()).headers['Socket-Stream']
    answers = [app.send('ipc://u.collect', **post(b'x', Socket_Stream=stream)) for _ in range(7)]
    app.workers.run_until(lambda: all(answer.status for answer in answers))
    last = [answer for answer in answers if answer.status != 204]
    last = last or [app.ask('ipc://u.collect', **post(b'x', Socket_Stream=stream))]
    assert last[0].status == (500 if fail else 200)
    app.idle()


def test_threads_do_not_pile_up(app: App) -> None:
    before = threading.active_count()
    for _ in range(200):
        app.ask('ipc://t.thread?value=1')
    assert threading.active_count() <= before + 3
