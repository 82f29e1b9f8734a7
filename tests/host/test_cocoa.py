"""The Cocoa host, but for what only macOS can run: ``_objc.py`` has a stand-in here."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import socket_runtime.host.cocoa as package
from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.host.cocoa.host import RELIED_UPON, RELIED_UPON_INSTANCE, CocoaHost, WebKitSeam, browser_class
from socket_runtime.host.cocoa.scheme import (
    CocoaRequest,
    CocoaResponder,
    TaskAnswer,
    TaskState,
    collect,
    header_fields,
)
from socket_runtime.host.cocoa.window import CocoaWindow
from socket_runtime.host.contract import HostOptions, WindowSpec
from tests.host.pywebview_source import class_attributes, defined_names, source_of
from tests.host.recorder import Loop, Recorder

FOLDER = Path(package.__file__).parent


class Task:
    """A scheme task that raises when it is touched out of order, as WebKit's does."""

    def __init__(self, uri: str = 'ipc://echo', method: str = 'POST', body: bytes = b'') -> None:
        self.uri = uri
        self.method = method
        self.headers = {'Origin': 'socket://a', 'Socket-Token': 'abc'}
        self.content = body
        self.steps: list[Any] = []
        self.dead = False

    def body(self) -> Callable[[int], bytes] | None:
        if not self.content:
            return None
        rest = bytearray(self.content)

        def read(most: int) -> bytes:
            part = bytes(rest[:most])
            del rest[:most]
            return part

        return read

    def _touch(self, step: Any) -> None:
        assert not self.dead, 'WebKit would raise: the task was stopped, or has ended'
        self.steps.append(step)

    def respond(self, status: int, fields: dict[str, str]) -> None:
        self._touch((status, fields))

    def data(self, chunk: bytes) -> None:
        self._touch(chunk)

    def finish(self) -> None:
        self._touch('end')
        self.dead = True


class TestTaskAnswer:
    def test_order(self) -> None:
        task = Task()
        answer = TaskAnswer(task)
        assert answer.begin(200, [('Content-Type', 'text/plain')])
        answer.data(b'one')
        answer.data(b'')
        answer.finish()
        assert task.steps == [(200, {'Content-Type': 'text/plain'}), b'one', 'end']
        assert answer.state is TaskState.FINISHED

    def test_nothing_is_sent_twice(self) -> None:
        task = Task()
        answer = TaskAnswer(task)
        answer.begin(200, [])
        assert not answer.begin(500, [])
        answer.finish()
        answer.finish()
        answer.data(b'late')
        answer.stop()
        assert task.steps == [(200, {}), 'end'] and answer.state is TaskState.FINISHED

    def test_nothing_before_the_response(self) -> None:
        task = Task()
        answer = TaskAnswer(task)
        answer.data(b'early')
        answer.finish()
        assert task.steps == [] and answer.state is TaskState.STARTED

    @pytest.mark.parametrize('begun', [True, False])
    def test_stopped_task_is_left_alone(self, begun: bool) -> None:
        task = Task()
        answer = TaskAnswer(task)
        told: list[int] = []
        answer.at_stop(lambda: told.append(1))
        if begun:
            answer.begin(200, [])
        answer.stop()
        task.dead = True
        answer.stop()
        assert not answer.begin(200, [])
        answer.data(b'x')
        answer.finish()
        assert told == [1] and answer.state is TaskState.STOPPED

    def test_bad_header_leaves_the_task_open(self) -> None:
        task = Task()
        answer = TaskAnswer(task)
        with pytest.raises(ValueError, match='line end'):
            answer.begin(200, [('A', 'b\r\nc')])
        assert answer.begin(500, [])


def test_header_fields_join_equal_names() -> None:
    fields = header_fields([('Content-Security-Policy', 'a'), ('X', '1'), ('content-security-policy', 'b')])
    assert fields == {'Content-Security-Policy': 'a, b', 'X': '1'}


def test_request() -> None:
    request = CocoaRequest(Task('ipc://fs.readFile?path=%2Fa', 'post', b'12345'))
    assert (request.uri, request.method) == ('ipc://fs.readFile?path=%2Fa', 'POST')
    assert request.header('socket-TOKEN') == 'abc' and request.header('absent') is None
    assert request.read_body(5) == b'12345'
    assert CocoaRequest(Task()).read_body(10) == b''


def test_body_is_read_no_further_than_its_limit() -> None:  # B6
    asked: list[int] = []

    def endless(most: int) -> bytes:
        asked.append(most)
        return bytes(most)

    with pytest.raises(TooLarge):
        collect(endless, 200_000)
    assert sum(asked) < 300_000


class TestResponder:
    def test_send(self) -> None:
        task = Task()
        CocoaResponder(TaskAnswer(task), Loop().post).send(404, [('Content-Type', 'a/b')], b'no')
        assert task.steps == [(404, {'Content-Type': 'a/b'}), b'no', 'end']

    def test_stream(self) -> None:
        task, loop = Task(), Loop()
        sink = CocoaResponder(TaskAnswer(task), loop.post).stream(200, [])
        sink.write(b'one')
        sink.write(b'two')
        sink.close()
        while task.steps[-1:] != ['end']:
            loop.run()
        assert task.steps[0] == (200, {}) and b''.join(task.steps[1:-1]) == b'onetwo'

    def test_stream_that_the_page_gives_up(self) -> None:
        task, loop = Task(), Loop()
        answer = TaskAnswer(task)
        sink = CocoaResponder(answer, loop.post).stream(200, [])
        answer.stop()
        task.dead = True
        with pytest.raises(Aborted):
            while True:
                sink.write(bytes(1000))
                loop.run()
        loop.run()
        assert task.steps == [(200, {})]

    def test_answer_to_a_stopped_task(self) -> None:
        task = Task()
        answer = TaskAnswer(task)
        answer.stop()
        task.dead = True
        responder = CocoaResponder(answer, Loop().post)
        responder.send(200, [], b'x')
        with pytest.raises(Aborted):
            responder.stream(200, []).write(b'x')


# -- the host, upon stand-ins ---------------------------------------------------------------------------


class Event:
    def __init__(self) -> None:
        self.handlers: list[Callable[[], Any]] = []
        self.is_set = False

    def __iadd__(self, handler: Callable[[], Any]) -> Event:
        self.handlers.append(handler)
        return self

    def set(self) -> bool:
        self.is_set = True
        return any(handler() is False for handler in self.handlers)


class PywebviewWindow:
    def __init__(self, uid: str, options: dict[str, Any]) -> None:
        self.uid = uid
        self.options = options
        self.html: str | None = options['html']
        self.real_url: str | None = 'http://127.0.0.1/'
        names = ('initialized', 'before_show', 'closing', 'before_load', '_pywebviewready', 'loaded')
        self.events = SimpleNamespace(**{name: Event() for name in names})

    def _initialize(self, gui: Any) -> None:
        self.events.initialized.set()


class ObjC:
    """Stands in for ``_objc.py``."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.log: list[tuple[Any, ...]] = []
        self.scripts: list[Callable[[object], None]] = []

    def make_configuration(self, window: CocoaWindow, options: HostOptions) -> str:
        return f'configuration {window.id}'

    def app_delegate_class(self, host: CocoaHost) -> str:
        return 'delegate'

    def adopt(self, window: CocoaWindow, browser: Any) -> str:
        self.log.append(('adopt', window.id))
        return 'kept'

    def load(self, view: Any, url: str) -> None:
        self.log.append(('load', url))

    def set_preload(self, view: Any, source: str) -> None:
        self.log.append(('preload', source))

    def call_script(self, view: Any, body: str, argument: str, done: Callable[[object], None]) -> None:
        self.log.append(('script', body, argument))
        self.scripts.append(done)

    def snapshot(self, view: Any, path: str, done: Callable[[bool], None]) -> None:
        done(path == 'good')

    def call_after(self, function: Callable[[], None]) -> None:
        self.loop.post(function)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        self.log.append(('later', seconds))
        self.loop.post(function)

    def screen_size(self) -> tuple[float, float]:
        return 1440.0, 900.0


class Platform:
    """Stands in for ``webview.platforms.cocoa``, as far as windows go."""

    def __init__(self) -> None:
        self.inject_pywebview = self.js_bridge_call = lambda *_: pytest.fail('the bridge')
        self.WebKit = SimpleNamespace(WKWebViewConfiguration='the real one', WKWebView='view')
        platform = self
        self.BrowserView: Any

        class BrowserView:
            instances: dict[str, Any] = {}

            def __init__(self, window: PywebviewWindow) -> None:
                self.uid = window.uid
                self.closed = False
                self.instances[window.uid] = self
                self.configuration = platform.WebKit.WKWebViewConfiguration.alloc().init()
                self.webview = SimpleNamespace(reloadFromOrigin=lambda: None)
                self.window = SimpleNamespace(close=self.close)
                window.events.before_show.set()
                assert window.real_url is None and window.html is None
                self.load_html('<filler>', '')

            def load_html(self, *_: object) -> None:
                raise AssertionError('the filler page replaces ours')

            def close(self) -> None:
                self.closed = True

        self.BrowserView = BrowserView

    def create_window(self, window: PywebviewWindow) -> None:
        self.BrowserView(window)


class Webview:
    def __init__(self, platform: Platform, loop: Loop) -> None:
        self.platform = platform
        self.loop = loop
        self.windows: list[PywebviewWindow] = []
        self.settings: dict[str, Any] = {}
        self.started: dict[str, Any] = {}
        self.FileDialog = SimpleNamespace(OPEN=10, SAVE=30, FOLDER=20)

    def create_window(self, title: str, **options: Any) -> PywebviewWindow:
        window = PywebviewWindow('master' if not self.windows else f'child{len(self.windows)}', options)
        self.windows.append(window)
        return window

    def start(self, **options: Any) -> None:
        self.started = options
        for window in list(self.windows):
            window._initialize(self.platform)
            self.platform.create_window(window)
        self.loop.run()


@pytest.fixture
def made() -> Iterator[tuple[CocoaHost, Recorder, ObjC, Platform, CocoaWindow]]:
    """A host with one window, and all that is around it."""
    app, objc, platform = Recorder(), ObjC(), Platform()
    host = CocoaHost(app, HostOptions('socket://a'))
    window = host.create_window(WindowSpec('one', 'socket://a/index.html'))
    closed, host.closed = host.closed, lambda window: None  # type: ignore[method-assign]
    keep = host._windows
    host.run_with(Webview(platform, objc.loop), platform, objc)
    # the loop of the stand-in ends at once, and so the windows were closed: open them again
    host.closed = closed  # type: ignore[method-assign]
    host._windows = keep
    window._closed = False
    host._running = True
    yield host, app, objc, platform, window


Made = tuple[CocoaHost, Recorder, ObjC, Platform, CocoaWindow]


def test_window_gets_our_configuration_and_loads_our_url(made: Made) -> None:
    host, _app, objc, platform, _window = made
    assert platform.BrowserView.instances['master'].configuration == 'configuration 0'
    assert platform.WebKit.WKWebView == 'view'
    assert objc.log[:2] == [('adopt', 0), ('load', 'socket://a/index.html')]
    assert platform.BrowserView.AppDelegate == 'delegate'
    assert host._webview.settings['ALLOW_FILE_URLS'] is False
    assert host._webview.started['private_mode'] is False


def test_bridge_is_gone_and_marks_windows_loaded(made: Made) -> None:
    _host, _app, _objc, platform, window = made
    platform.inject_pywebview('cocoa', window.pywebview)
    assert window.pywebview.events.loaded.is_set
    assert platform.js_bridge_call(window.pywebview, 'pywebviewMoveWindow', [], 'x') is None


def test_navigation(made: Made) -> None:
    _host, app, objc, _platform, window = made
    assert window.may_navigate('socket://a/b', main_frame=True, new_window=False)
    assert not window.may_navigate('https://evil/', main_frame=True, new_window=False)
    assert not window.may_navigate('socket://a/b', main_frame=False, new_window=True)
    assert not window.may_navigate('ipc://x', main_frame=False, new_window=False)
    window.started('socket://a/b')
    assert objc.log[-1] == ('preload', 'preload 1')
    window.committed('socket://a/b')
    window.loaded()
    assert app.said('start', 'commit', 'loaded') == [
        ('start', 0, 'socket://a/b'),
        ('commit', 0, 'socket://a/b'),
        ('loaded', 0),
    ]


def test_failures(made: Made) -> None:
    _host, app, _objc, _platform, window = made
    window.failed('u', 'cancelled', 'NSURLErrorDomain', -999)
    window.failed('u', 'by policy', 'WebKitErrorDomain', 102)
    assert not app.said('failed')
    window.failed('', 'gone', 'NSURLErrorDomain', -1100)
    assert app.said('failed') == [('failed', 0, 'socket://a/index.html', 'gone')]


def test_tasks_go_to_their_window(made: Made) -> None:
    host, app, objc, _platform, window = made
    second = host.create_window(WindowSpec('two', 'socket://a/two.html'))
    objc.loop.run()
    window.task_started('ipc', 'key 1', Task('ipc://who?index=7'))
    second.task_started('socket', 'key 1', Task('socket://a/x', 'GET'))
    assert [(kind, number) for kind, number, _request, _responder in app.requests] == [('call', 0), ('asset', 1)]  # B9


def test_stopped_task_reaches_its_answer(made: Made) -> None:
    _host, app, _objc, _platform, window = made
    task = Task()
    window.task_started('ipc', 'key', task)
    window.task_stopped('key')
    window.task_stopped('key')
    task.dead = True
    app.requests[0][3].send(200, [], b'late')
    assert task.steps == []
    done = Task()
    window.task_started('ipc', 'other', done)
    app.requests[1][3].send(200, [], b'')
    window.task_finished('other')
    assert not window._answers


def test_evaluate_sends_data_apart(made: Made) -> None:  # B3
    _host, _app, objc, _platform, window = made
    answers: list[str | None] = []
    window.evaluate('return argument', '"; evil()', answers.append)
    _name, body, argument = objc.log[-1]
    assert argument == '"; evil()' and 'evil' not in body and 'return argument' in body
    objc.scripts[0]('["x"]')
    objc.scripts[0]('["again"]')
    window.evaluate('throw 1', '', answers.append)
    objc.scripts[1](None)
    assert answers == ['"x"', None]


def test_evaluate_is_answered_when_the_page_goes(made: Made) -> None:
    _host, app, objc, _platform, window = made
    answers: list[str | None] = []
    window.evaluate('return 1', '', answers.append)
    window.crashed()
    objc.scripts[0]('[1]')
    window.evaluate('return 1', '', answers.append)
    assert answers == [None, None]
    assert app.said('crashed') == [('crashed', 0, 'terminated')]
    window.reload()
    assert objc.log[-1] == ('load', 'socket://a/index.html')


def test_closing(made: Made) -> None:
    _host, app, _objc, platform, window = made
    app.may_close = False
    assert window.pywebview.events.closing.set() is True
    app.may_close = True
    assert window.pywebview.events.closing.set() is False
    before = len(app.said('close'))
    window.destroy()
    assert platform.BrowserView.instances['master'].closed
    assert window.pywebview.events.closing.set() is False and len(app.said('close')) == before
    task = Task()
    window.task_started('ipc', 'key', task)
    window.closed()
    window.closed()
    task.dead = True
    app.requests[-1][3].send(200, [], b'x')
    assert app.said('closed') == [('closed', 0)]
    window.set_title('nobody there')


def test_quit_of_the_system_asks_and_closes(made: Made) -> None:
    host, app, _objc, platform, _window = made
    app.may_close = False
    assert host.may_quit() is False and not platform.BrowserView.instances['master'].closed
    app.may_close = True
    assert host.may_quit() is False and platform.BrowserView.instances['master'].closed


def test_posts_before_the_loop_are_kept() -> None:
    app, objc, platform = Recorder(), ObjC(), Platform()
    host = CocoaHost(app, HostOptions('socket://a'))
    host.create_window(WindowSpec('one', 'socket://a/'))
    order: list[int] = []
    host.post(lambda: order.append(1))
    host.post_later(0.5, lambda: order.append(2))
    host.run_with(Webview(platform, objc.loop), platform, objc)
    assert order == [1, 2] and ('later', 0.5) in objc.log
    assert app.said('closed') == [('closed', 0)]
    assert host.screen_size() == (1440, 900)


def test_files_and_pictures(made: Made) -> None:
    _host, _app, _objc, platform, window = made
    taken: list[bool] = []
    window.offer_file(0, 'x', taken.append)
    window.screenshot('good', taken.append)
    window.screenshot('bad', taken.append)
    assert taken == [False, True, False]
    browser = platform.BrowserView.instances['master']
    browser.create_file_dialog = lambda *arguments, **options: arguments and '/one'
    assert window.choose_files('save', '', True, 'name') == ['/one']
    browser.create_file_dialog = lambda *arguments, **options: ('/one', '/two')
    assert window.choose_files('open', '', True, '') == ['/one', '/two']
    browser.create_file_dialog = lambda *arguments, **options: None
    assert window.choose_files('directory', '', False, '') == []


def test_events_are_told_once(made: Made) -> None:
    _host, app, _objc, _platform, window = made
    for _ in range(2):
        window.event('restore')
        window.event('resize', width=1, height=2)
        window.event('focus')
        window.event('blur')
    window.event('maximize')
    assert [entry[0] for entry in app.log if entry[0] not in ('start', 'navigate', 'loaded')] == [
        'resize', 'focus', 'blur', 'focus', 'blur', 'maximize',
    ]  # fmt: skip


# -- what cannot run here, read ---------------------------------------------------------------------------


def test_pywebview_has_what_we_rely_upon() -> None:
    tree = source_of('cocoa')
    assert set(RELIED_UPON) - defined_names(tree.body) == set()
    assert set(RELIED_UPON_INSTANCE) - class_attributes(tree, 'BrowserView') == set()


def test_pywebview_makes_its_view_the_way_that_the_seam_expects() -> None:
    source = ast.unparse(source_of('cocoa'))
    assert 'config = WebKit.WKWebViewConfiguration.alloc().init()' in source
    assert 'initWithFrame_configuration_(rect, config)' in source
    assert "'jsBridge'" in source and "'browserDelegate'" in source
    # the reason why BrowserView.WebKitHost is not subclassed
    assert 'super(BrowserView.WebKitHost, self)' in source
    for name in ('BrowserDelegate', 'WindowDelegate', 'AppDelegate'):
        assert f'super(BrowserView.{name}, self)' not in source


def test_selectors_take_as_many_arguments_as_they_have_colons() -> None:
    tree = ast.parse((FOLDER / '_objc.py').read_text('utf-8'))
    seen = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or not node.name.startswith('SocketRuntime') or not node.bases:
            continue
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and not method.decorator_list:
                seen += 1
                assert method.name.endswith('_'), method.name
                assert len(method.args.args) - 1 == method.name.count('_'), method.name
    assert seen > 15


def test_calls_take_as_many_arguments_as_their_selectors() -> None:
    for file in FOLDER.glob('*.py'):
        for call in ast.walk(ast.parse(file.read_text('utf-8'))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                name = call.func.attr
                if name.endswith('_') and not name.endswith('__'):
                    assert len(call.args) == name.count('_'), f'{file.name}: {name}'


def test_stand_in_has_all_that_is_asked_of_the_system() -> None:
    tree = ast.parse((FOLDER / '_objc.py').read_text('utf-8'))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for file in ('host.py', 'window.py'):
        for call in ast.walk(ast.parse((FOLDER / file).read_text('utf-8'))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                owner = ast.unparse(call.func.value)
                if owner in ('self.objc', 'self._host.objc', 'objc'):
                    assert call.func.attr in functions, call.func.attr
                    assert len(call.args) == len(functions[call.func.attr].args.args), call.func.attr


def test_seam_and_browser_class() -> None:
    seam = WebKitSeam(SimpleNamespace(WKUserScript=1), lambda: 'ours')
    assert seam.WKWebViewConfiguration.alloc().init() == 'ours' and seam.WKUserScript == 1
    made: list[Any] = []

    class Base:
        def __init__(self, window: Any) -> None:
            made.append('built')

    browser_class(Base, made.append)('window')
    assert made == ['window', 'built']


def test_json_of_the_argument_survives_the_trip() -> None:
    from socket_runtime.host._parts import ascii_literal

    for text in ('\ud800', 'x\u2028"', ''):
        assert json.loads(ascii_literal(text)) == text
