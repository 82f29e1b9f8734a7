"""The WebView2 host, but for what only Windows can run: ``_net.py`` has a stand-in here."""

from __future__ import annotations

import ast
import ctypes
import importlib
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import socket_runtime.host.edge as package
from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.host.contract import HostOptions, WindowSpec
from socket_runtime.host.edge.host import (
    RELIED_UPON,
    RELIED_UPON_EDGE,
    RELIED_UPON_INSTANCE,
    EdgeHost,
    browser_arguments,
)
from socket_runtime.host.edge.preload import PreloadBook, in_top_frame
from socket_runtime.host.edge.scheme import CollectingSink, EdgeRequest, EdgeResponder, header_text
from socket_runtime.host.edge.window import EdgeWindow
from tests.host.pywebview_source import class_attributes, defined_names, source_of
from tests.host.recorder import Loop, Recorder
from tests.support.skips import skip_loudly

FOLDER = Path(package.__file__).parent


class Registry:
    """WebView2's list of scripts: adding takes until ``answer`` is called."""

    def __init__(self) -> None:
        self.scripts: dict[str, str] = {}
        self.coming: list[Callable[[bool], None]] = []

    def add(self, script: str, registered: Callable[[str | None], None]) -> None:
        name = f'id {len(self.coming)}'

        def answer(good: bool) -> None:
            if good:
                self.scripts[name] = script
            registered(name if good else None)

        self.coming.append(answer)

    def remove(self, name: str) -> None:
        del self.scripts[name]


class TestPreloadBook:
    def test_document_waits_for_its_script(self) -> None:
        registry, order = Registry(), []
        book = PreloadBook(registry.add, registry.remove)
        book.when_ready(lambda: order.append('before'))
        book.replace('one')
        book.when_ready(lambda: order.append('document'))
        assert order == ['before']
        registry.coming[0](True)
        assert order == ['before', 'document'] and list(registry.scripts.values()) == ['one']

    def test_former_script_is_taken_off_at_once(self) -> None:
        registry = Registry()
        book = PreloadBook(registry.add, registry.remove)
        book.replace('one')
        registry.coming[0](True)
        book.replace('two')
        assert registry.scripts == {}
        registry.coming[1](True)
        assert list(registry.scripts.values()) == ['two']

    @pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    def test_overtaken_scripts_are_taken_off(self, order: tuple[int, ...]) -> None:
        registry, ready = Registry(), []
        book = PreloadBook(registry.add, registry.remove)
        for script in ('one', 'two', 'three'):
            book.replace(script)
        book.when_ready(lambda: ready.append(dict(registry.scripts)))
        for number in order:
            registry.coming[number](True)
        assert [list(scripts.values()) for scripts in ready] == [['three']]

    def test_failed_registration_does_not_hold_for_ever(self) -> None:
        registry, ready = Registry(), []
        book = PreloadBook(registry.add, registry.remove)
        book.replace('one')
        book.when_ready(lambda: ready.append(1))
        registry.coming[0](False)
        assert ready == [1] and registry.scripts == {}
        book.replace('two')
        registry.coming[1](True)
        assert list(registry.scripts.values()) == ['two']


def test_preload_looks_whether_it_is_on_top() -> None:  # A6
    assert in_top_frame('a\n// b') == 'if (self === self.top) {\na\n// b\n}'


class Native:
    """A web resource request."""

    def __init__(
        self, uri: str = 'ipc://echo/', method: str = 'POST', body: bytes = b'', document: bool = False
    ) -> None:
        self.uri = uri
        self.method = method
        self.is_document = document
        self.rest = bytearray(body)
        self.read_bytes = 0
        self.replies: list[tuple[int, str, str, bytes]] = []

    def header(self, name: str) -> str | None:
        return 'abc' if name.lower() == 'socket-token' else None

    def read(self, most: int) -> bytes:
        part = bytes(self.rest[:most])
        del self.rest[:most]
        self.read_bytes += len(part)
        return part

    def respond(self, status: int, phrase: str, headers: str, body: bytes) -> None:
        self.replies.append((status, phrase, headers, body))


def test_request() -> None:
    request = EdgeRequest(Native('ipc://fs.readfile/?path=%2Fa', 'post', b'12345'))
    assert (request.uri, request.method) == ('ipc://fs.readfile/?path=%2Fa', 'POST')
    assert request.header('Socket-TOKEN') == 'abc' and request.header('x') is None
    assert request.read_body(5) == b'12345'


def test_body_is_read_no_further_than_its_limit() -> None:  # B6
    native = Native(body=bytes(1 << 20))
    with pytest.raises(TooLarge):
        EdgeRequest(native).read_body(100_000)
    assert native.read_bytes < 200_000


def test_header_text() -> None:
    assert header_text([('Content-Type', 'a/b'), ('X', '1'), ('X', '2')]) == 'Content-Type: a/b\r\nX: 1\r\nX: 2'
    with pytest.raises(ValueError, match='line end'):
        header_text([('X', 'a\nSet-Cookie: b')])


def at_once(function: Callable[[], None]) -> None:
    function()


class TestResponder:
    def test_send_once(self) -> None:
        native = Native()
        responder = EdgeResponder(native, at_once, at_once)
        responder.send(404, [('A', 'b')], b'no')
        responder.send(200, [], b'again')
        assert native.replies == [(404, 'Not Found', 'A: b', b'no')]
        with pytest.raises(Aborted):
            responder.stream(200, []).write(b'x')

    def test_stream_arrives_whole_and_on_the_loop(self) -> None:
        native, loop = Native(), Loop()
        sink = EdgeResponder(native, at_once, loop.post).stream(200, [('A', 'b')])
        assert sink.fileno() == -1
        sink.write(b'one')
        assert sink.write_some(memoryview(b'two')) == 3
        assert native.replies == []
        sink.close()
        sink.close()
        assert native.replies == [] and len(loop.waiting) == 1
        loop.run()
        assert native.replies == [(200, 'OK', 'A: b', b'onetwo')]
        with pytest.raises(Aborted):
            sink.write(b'late')

    def test_stream_is_bounded(self) -> None:  # B6
        done: list[bytes] = []
        sink = CollectingSink(done.append, limit=10)
        sink.write(b'12345')
        sink.write(b'12345')
        with pytest.raises(Aborted):
            sink.write(b'6')
        assert done == [b'1234512345']

    def test_stream_from_many_threads(self) -> None:
        done: list[bytes] = []
        sink = CollectingSink(done.append)
        threads = [threading.Thread(target=lambda: [sink.write(b'ab') for _ in range(500)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sink.close()
        assert done == [b'ab' * 2000]


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
    def __init__(self, uid: str, title: str, url: str | None, *, html: str, **options: Any) -> None:
        self.uid, self.title, self.options = uid, title, options
        self.html: str | None = html
        self.real_url: str | None = 'http://127.0.0.1/'
        names = ('initialized', 'before_show', 'closing', 'before_load', '_pywebviewready', 'loaded')
        self.events = SimpleNamespace(**{name: Event() for name in names})

    def _initialize(self, gui: Any) -> None:
        self.events.initialized.set()


class Core:
    """Stands in for ``_net.Core``."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.add_preload = self.registry.add
        self.remove_preload = self.registry.remove
        self.log: list[tuple[Any, ...]] = []
        self.programs: list[Callable[[str | None], None]] = []

    def navigate(self, url: str) -> None:
        self.log.append(('navigate', url))

    def reload(self) -> None:
        self.log.append(('reload',))

    def execute(self, program: str, done: Callable[[str | None], None]) -> None:
        self.log.append(('execute', program))
        self.programs.append(done)

    def capture(self, path: str, done: Callable[[bool], None]) -> None:
        done(path == 'good')

    def inspect(self) -> None:
        self.log.append(('inspect',))


class Net:
    """Stands in for ``_net.py``."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.watched: list[int] = []

    def browser_class(self, base: Any, host: EdgeHost) -> Any:
        net = self

        class Browser(base):  # type: ignore[misc]
            def __init__(self, form: Any, window: PywebviewWindow, cache_dir: str) -> None:
                host.loop_started(net.loop.post)
                self.ours = host.window_of(window)
                self.core = Core()
                # WebView2 comes later
                net.loop.post(lambda: self.ours.ready(self.core))

        return Browser

    def watch_form(self, window: EdgeWindow, form: Any) -> None:
        self.watched.append(window.id)

    def set_background(self, form: Any, color: str) -> None:
        form.color = color

    def screen_size(self) -> tuple[int, int]:
        return 1920, 1080


class Platform:
    """Stands in for ``webview.platforms.winforms``, as far as windows go."""

    def __init__(self) -> None:
        base = type('EdgeChrome', (), {})
        broken = lambda *_: pytest.fail('the bridge')  # noqa: E731
        self.Chromium = SimpleNamespace(EdgeChrome=base, inject_pywebview=broken, js_bridge_call=broken)
        self.BrowserView = SimpleNamespace(instances={})
        self.titles: list[str] = []

    def create_window(self, window: PywebviewWindow) -> None:
        form = SimpleNamespace(uid=window.uid, is_fullscreen=False, closed=False, fullscreens=0)
        form.Close = lambda: setattr(form, 'closed', True)
        form.toggle_fullscreen = lambda: setattr(form, 'is_fullscreen', not form.is_fullscreen)
        form.browser = self.Chromium.EdgeChrome(form, window, 'cache')
        self.BrowserView.instances[window.uid] = form
        assert window.html is None and window.real_url is None
        window.events.before_show.set()

    def set_title(self, title: str, uid: str) -> None:
        self.titles.append(title)

    def get_size(self, uid: str) -> tuple[int, int] | None:
        return (640, 480) if uid in self.BrowserView.instances else None

    def get_position(self, uid: str) -> tuple[int, int] | None:
        return (10, 20) if uid in self.BrowserView.instances else None

    def create_file_dialog(self, kind: int, *_: object) -> tuple[str, ...] | None:
        return (f'chosen {kind}',) if kind != 20 else None


class Webview:
    Window = PywebviewWindow
    FileDialog = SimpleNamespace(OPEN=10, SAVE=30, FOLDER=20)

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.windows: list[PywebviewWindow] = []
        self.settings: dict[str, Any] = {}
        self.started: dict[str, Any] = {}

    def create_window(self, *_: object, **__: object) -> None:
        pytest.fail('it would show the window at once on a thread that is not the main one')

    def start(self, **options: Any) -> None:
        self.started = options
        for window in list(self.windows):
            window._initialize(self.platform)
            self.platform.create_window(window)


class Made:
    """A host with one window whose WebView2 is there."""

    def __init__(self, **options: Any) -> None:
        self.app, self.net, self.platform = Recorder(), Net(), Platform()
        self.host = EdgeHost(self.app, HostOptions('socket://a', **options))
        self.window = self.host.create_window(WindowSpec('one', 'socket://a/index.html'))
        self.webview = Webview(self.platform)
        self.host.run_with(self.webview, self.platform, self.net)
        self.net.loop.run()
        self.host._running = True
        self.form = self.platform.BrowserView.instances['master']
        self.core: Core = self.form.browser.core

    def navigate(self, url: str = 'socket://a/index.html', number: int = 1) -> None:
        assert self.window.may_navigate(url, number, redirected=False)


def test_window_loads_our_url_when_webview2_is_there() -> None:
    made = Made()
    assert made.core.log == [('navigate', 'socket://a/index.html')]
    assert made.webview.started == {
        'gui': 'edgechromium', 'debug': False, 'private_mode': True, 'storage_path': None,
    }  # fmt: skip
    assert made.webview.settings['ALLOW_FILE_URLS'] is False
    assert made.net.watched == [0] and made.host.screen_size() == (1920, 1080)
    assert Made(storage='folder').webview.started['private_mode'] is False


def test_bridge_is_gone() -> None:
    made = Made()
    made.platform.Chromium.inject_pywebview('edgechromium', made.window.pywebview)
    assert made.window.pywebview.events.loaded.is_set
    assert made.platform.Chromium.js_bridge_call(None, 'x', None, 'y') is None


def test_second_window_is_made_on_the_gui_thread() -> None:
    made = Made()
    second = made.host.create_window(WindowSpec('two', 'socket://a/two.html'))
    made.net.loop.run()
    uids = list(made.platform.BrowserView.instances)
    assert len(uids) == 2 and uids[1].startswith('child_')
    assert made.platform.BrowserView.instances[uids[1]].browser.core.log == [('navigate', 'socket://a/two.html')]
    second.requested(Native('ipc://who/?index=0'))
    made.window.requested(Native('ipc://who/?index=1'))
    assert [entry[1] for entry in made.app.requests] == [1, 0]  # B9


def test_document_is_held_until_its_preload_is_there() -> None:
    made = Made()
    made.navigate()
    document, script = Native('socket://a/index.html', 'GET', document=True), Native('socket://a/x.js', 'GET')
    made.window.requested(document)
    made.window.requested(script)
    for _kind, _window, _request, responder in made.app.requests:
        responder.send(200, [], b'x')
    assert not document.replies and script.replies
    made.core.registry.coming[0](True)
    assert document.replies
    assert list(made.core.registry.scripts.values()) == [in_top_frame('preload 1')]


def test_calls_wait_for_the_commit() -> None:
    made = Made()
    made.navigate()
    made.window.requested(Native('ipc://first/'))
    assert not made.app.requests
    made.window.content_loading(1, error_page=False)
    assert [entry[0] for entry in made.app.requests] == ['call']
    assert made.app.said('start', 'commit') == [
        ('start', 0, 'socket://a/index.html'),
        ('commit', 0, 'socket://a/index.html'),
    ]


def test_navigation() -> None:
    made = Made()
    assert not made.window.may_navigate('https://evil/', 1, redirected=False)
    assert not made.app.said('start')
    made.navigate('socket://a/1', 2)
    assert made.window.may_navigate('socket://a/2', 2, redirected=True)
    assert not made.window.may_navigate('https://evil/', 2, redirected=True)  # A9
    assert made.window.may_navigate_frame('socket://a/frame.html')
    assert not made.window.may_navigate_frame('ipc://x/')
    made.window.asked_new_window('socket://a/new')
    made.window.content_loading(99, error_page=False)
    assert not made.app.said('commit')
    made.window.content_loading(2, error_page=False)
    made.window.completed(2, success=True, status='Unknown')
    assert made.app.said('commit', 'loaded') == [('commit', 0, 'socket://a/2'), ('loaded', 0)]
    assert ('navigate', 0, 'socket://a/new', True) in made.app.log
    assert len(made.core.registry.coming) == 1


def test_failed_and_given_up_loads() -> None:
    made = Made()
    made.navigate('socket://a/1', 1)
    made.navigate('socket://a/2', 2)
    made.window.requested(Native('ipc://x/'))
    made.window.completed(1, success=False, status='OperationCanceled')
    assert not made.app.said('failed') and not made.app.requests
    made.window.content_loading(2, error_page=True)
    made.window.completed(2, success=False, status='Disconnected')
    assert made.app.said('failed') == [('failed', 0, 'socket://a/2', 'Disconnected')]
    assert made.app.requests and not made.app.said('commit')
    made.navigate('socket://a/3', 3)
    made.window.requested(Native('ipc://y/'))
    made.window.completed(3, success=False, status='OperationCanceled')
    assert len(made.app.requests) == 2


def test_webview2_that_cannot_be_made_is_told() -> None:
    made = Made()
    made.window.not_ready('no such thing')
    assert made.app.said('failed') == [('failed', 0, 'socket://a/index.html', 'no such thing')]


def test_evaluate() -> None:  # B3
    made = Made()
    answers: list[str | None] = []
    made.window.evaluate('return argument', '\u2028"</script>', answers.append)
    program = made.core.log[-1][1]
    assert program.isascii() and '\\u2028\\"</script>' in program
    made.core.programs[0](json.dumps('["x"]'))
    made.core.programs[0](json.dumps('["again"]'))
    for odd in ('null', None, '', '7'):
        made.window.evaluate('return 1', '', answers.append)
        made.core.programs[-1](odd)
    assert answers == ['"x"', None, None, None, None]


def test_crash() -> None:
    made = Made()
    answers: list[str | None] = []
    made.window.process_failed('GpuProcessExited')
    assert not made.app.said('crashed')
    made.window.evaluate('return 1', '', answers.append)
    made.window.process_failed('RenderProcessExited')
    made.window.evaluate('return 1', '', answers.append)
    assert answers == [None, None] and made.app.said('crashed') == [('crashed', 0, 'RenderProcessExited')]
    made.window.reload()
    assert made.core.log[-1] == ('navigate', 'socket://a/index.html')
    made.navigate()
    made.window.reload()
    assert made.core.log[-1] == ('reload',)


def test_closing() -> None:
    made = Made()
    made.app.may_close = False
    assert made.window.pywebview.events.closing.set() is True
    made.window.destroy()
    assert made.form.closed and made.window.pywebview.events.closing.set() is False
    late = Native('socket://a/x')
    made.window.requested(late)
    del made.platform.BrowserView.instances['master']
    made.window.moved_or_resized('Normal')
    made.window.closed()
    made.window.closed()
    made.app.requests[0][3].send(200, [], b'x')
    assert not late.replies and made.app.said('closed') == [('closed', 0)]
    made.window.set_title('nobody there')
    made.window.load('socket://a/nowhere')
    made.window.reload()
    assert made.platform.titles == [] and made.core.log == [('navigate', 'socket://a/index.html')]


def test_verbs() -> None:
    made = Made(developer=True)
    taken: list[bool] = []
    made.window.offer_file(0, 'x', taken.append)
    made.window.screenshot('good', taken.append)
    made.window.set_fullscreen(True)
    made.window.set_fullscreen(True)
    made.window.set_background('#123456')
    made.window.show_inspector()
    assert taken == [False, True] and made.form.is_fullscreen and made.form.color == '#123456'
    assert made.core.log[-1] == ('inspect',)
    assert made.window.choose_files('open', '', True, '') == ['chosen 10']
    assert made.window.choose_files('directory', '', True, '') == []
    assert (made.window.get_size(), made.window.get_position()) == ((640, 480), (10, 20))


def test_form_events() -> None:
    made = Made()
    for state in ('Normal', 'Normal', 'Maximized', 'Minimized', 'Normal'):
        made.window.moved_or_resized(state)
    names = [entry[0] for entry in made.app.said('resize', 'move', 'maximize', 'minimize', 'restore')]
    assert names == ['resize', 'move', 'maximize', 'minimize', 'restore']


def test_posts_before_the_loop_and_failing_ones(caplog: pytest.LogCaptureFixture) -> None:
    net, platform = Net(), Platform()
    host = EdgeHost(Recorder(), HostOptions('socket://a'))
    host.create_window(WindowSpec('one', 'socket://a/'))
    order: list[int] = []
    host.post(lambda: order.append(1))
    host.post(lambda: 1 // 0)  # type: ignore[func-returns-value]
    host.post(lambda: order.append(2))
    host.run_with(Webview(platform), platform, net)
    net.loop.run()
    assert order == [1, 2] and 'ZeroDivisionError' in caplog.text
    done = threading.Event()
    host.post_later(0.01, done.set)
    for _ in range(200):
        if done.wait(0.01):
            break
        net.loop.run()
    assert done.is_set()


def test_browser_arguments() -> None:
    assert '--no-sandbox' not in browser_arguments(HostOptions('socket://a'))
    arguments = browser_arguments(HostOptions('socket://a', sandbox=False, hardware_acceleration='off'))
    assert '--no-sandbox' in arguments and '--disable-gpu' in arguments


# -- what cannot run here, read ---------------------------------------------------------------------------


def test_pywebview_has_what_we_rely_upon() -> None:
    forms, edge = source_of('winforms'), source_of('edgechromium')
    assert set(RELIED_UPON) - defined_names(forms.body) == set()
    assert set(RELIED_UPON_EDGE) - defined_names(edge.body) == set()
    assert (
        set(RELIED_UPON_INSTANCE) - class_attributes(forms, 'BrowserForm') - class_attributes(edge, 'EdgeChrome')
        == set()
    )


def test_form_asks_nothing_of_the_browser_that_ours_lacks() -> None:
    asked = set()
    for node in ast.walk(source_of('winforms')):
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if ast.unparse(node.value) in ('self.browser', 'i.browser'):
            asked.add(node.attr)
    ours = class_attributes(ast.parse((FOLDER / '_net.py').read_text('utf-8')), 'Browser')
    inherited = class_attributes(source_of('edgechromium'), 'EdgeChrome')
    assert asked - ours - inherited == set()
    # set by the inherited constructor, which we replace
    assert {'webview', 'js_result_semaphore', 'url', 'user_data_folder', 'pywebview_window', 'form'} <= ours


def metadata() -> dict[str, dict[str, set[int]]]:
    """The members of the public types in the WebView2 assemblies that pywebview brings, with the numbers of
    parameters that their overloads take."""
    try:
        import dnfile
    except ImportError:
        skip_loudly('dnfile is missing', 'pip install dnfile')
    import webview

    types: dict[str, dict[str, set[int]]] = {}
    for name in ('Core', 'WinForms'):
        file = Path(webview.__file__).with_name('lib') / f'Microsoft.Web.WebView2.{name}.dll'
        if not file.exists():
            skip_loudly('pywebview brings no WebView2 assemblies', 'pip install --force-reinstall pywebview')
        tables = dnfile.dnPE(str(file)).net.mdtables
        for row in tables.TypeDef.rows:
            members = types.setdefault(str(row.TypeName), {})
            for method in row.MethodList:
                members.setdefault(str(method.row.Name), set()).add(len(method.row.ParamList))
            for field in row.FieldList:
                members.setdefault(str(field.row.Name), set())
    return types


def test_webview2_has_every_member_that_we_use() -> None:
    types = metadata()
    missing = []
    for type_name, members in declared().items():
        known = types.get(type_name, {})
        for member in members:
            name, _, count = member.partition('/')
            ways = [known[way] for way in (name, f'get_{name}', f'set_{name}', f'add_{name}') if way in known]
            if not ways or count and not any(int(count) in way for way in ways):
                missing.append(f'{type_name}.{member}')
    assert missing == []


def declared() -> dict[str, tuple[str, ...]]:
    """``_net.MEMBERS``, read: the module can be imported on Windows only."""
    for node in ast.parse((FOLDER / '_net.py').read_text('utf-8')).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == 'MEMBERS':
            assert node.value is not None
            members: dict[str, tuple[str, ...]] = ast.literal_eval(node.value)
            return members
    raise AssertionError('MEMBERS is gone')


def test_members_are_declared() -> None:
    """What ``_net.py`` does with ``native``, ``settings``, ``args`` and the WebView2 types is in ``MEMBERS``."""
    tree = ast.parse((FOLDER / '_net.py').read_text('utf-8'))
    known = {member.partition('/')[0] for members in declared().values() for member in members}
    owners = ('self._native', 'native', 'settings', 'args', 'args.Request', 'registration', 'options', 'environment',
              'self._environment', 'self._deferral', 'headers', 'CoreWebView2Environment', 'sender')  # fmt: skip
    ours = {'developer', 'hardware_acceleration', 'sandbox', 'origin', 'storage'}
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in owners and node.attr not in ours
    }
    imported = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('Microsoft.')
        for alias in node.names
    }
    assert used - known == set()
    assert imported - set(declared()) == set()


def test_stand_in_has_all_that_is_asked_of_the_system() -> None:
    tree = ast.parse((FOLDER / '_net.py').read_text('utf-8'))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    core = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == 'Core')
    methods = {node.name: node for node in core.body if isinstance(node, ast.FunctionDef)}
    asked = 0
    for file in ('host.py', 'window.py'):
        for call in ast.walk(ast.parse((FOLDER / file).read_text('utf-8'))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                owner, name = ast.unparse(call.func.value), call.func.attr
                if owner in ('self.net', 'self._host.net', 'net'):
                    assert len(call.args) == len(functions[name].args.args), name
                    asked += 1
                elif owner in ('self._core', 'core'):
                    assert len(call.args) == len(methods[name].args.args) - 1, name
                    asked += 1
    assert asked > 8


class NetEvent:
    """A .NET event, as pythonnet shows it."""

    def __init__(self) -> None:
        self.handlers: list[Callable[[Any, Any], None]] = []

    def __iadd__(self, handler: Callable[[Any, Any], None]) -> NetEvent:
        self.handlers.append(handler)
        return self

    def fire(self, **args: Any) -> SimpleNamespace:
        args_ = SimpleNamespace(**args)
        for handler in self.handlers:
            handler(None, args_)
        return args_


class Bag(SimpleNamespace):
    """An object that makes up the members that it is asked for: events, or records of calls."""

    def __init__(self, **members: Any) -> None:
        super().__init__(calls=[], **members)

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        value: Any = NetEvent() if name in EVENTS else lambda *arguments: self.calls.append((name, *arguments))
        setattr(self, name, value)
        return value

    def __getitem__(self, _types: object) -> Bag:
        return self

    def __call__(self, *arguments: Any) -> Any:
        self.calls.append(arguments)
        return Bag(arguments=arguments)


EVENTS = {
    *('NavigationStarting', 'FrameNavigationStarting', 'NewWindowRequested', 'PermissionRequested', 'Resize', 'Move'),
    *('DownloadStarting', 'ContentLoading', 'NavigationCompleted', 'ProcessFailed', 'WindowCloseRequested'),
    *('WebResourceRequested', 'CoreWebView2InitializationCompleted', 'Activated', 'Deactivate', 'FormClosed'),
}


class Scheduler:
    """Tasks that are done when they are made."""

    @staticmethod
    def task(result: object = None, *, faulted: bool = False) -> SimpleNamespace:
        done = SimpleNamespace(IsFaulted=faulted, IsCanceled=False, Result=result, Exception='why')
        done.ContinueWith = lambda action, _scheduler: action.arguments[0](done)
        return done


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``_net.py``, run upon stand-ins for .NET: it shows that names and arguments fit, not that Windows does
    what is expected."""
    contexts = SimpleNamespace(All='all', Document='document')
    core = {name: Bag() for name in declared()} | {
        'CoreWebView2WebResourceContext': contexts,
        'CoreWebView2PermissionState': SimpleNamespace(Deny='deny'),
        'CoreWebView2Environment': Bag(CreateAsync=lambda *arguments: Scheduler.task(ENVIRONMENT)),
    }
    forms = SimpleNamespace(
        DockStyle=SimpleNamespace(Fill='fill'),
        Screen=SimpleNamespace(PrimaryScreen=SimpleNamespace(Bounds=SimpleNamespace(Width=3, Height=4))),
    )
    sync = SimpleNamespace(Current=SimpleNamespace(Post=lambda callback, _state: callback.arguments[0](None)))
    array = SimpleNamespace(CreateInstance=lambda _kind, size: bytearray(size))
    copy = SimpleNamespace(
        Copy=lambda pointer, target, _start, size: target.__setitem__(
            slice(None), ctypes.string_at(pointer.arguments[0], size)
        )
    )
    views = SimpleNamespace(WebView2=lambda: Bag(CoreWebView2=CORE))
    modules: dict[str, Any] = {
        'System': SimpleNamespace(Action=Bag(), Array=array, Byte='byte', IntPtr=Bag(), String=Bag()),
        'System.Windows.Forms': forms,
        'System.Windows': SimpleNamespace(Forms=forms),
        'System.Collections.Generic': SimpleNamespace(List=Bag()),
        'System.Drawing': SimpleNamespace(ColorTranslator=SimpleNamespace(FromHtml=lambda color: f'color {color}')),
        'System.IO': SimpleNamespace(FileMode=SimpleNamespace(Create=2), FileStream=Bag(), MemoryStream=Bag()),
        'System.Runtime.InteropServices': SimpleNamespace(Marshal=copy),
        'System.Threading': SimpleNamespace(SendOrPostCallback=Bag(), SynchronizationContext=sync),
        'System.Threading.Tasks': SimpleNamespace(
            Task=Bag(), TaskScheduler=SimpleNamespace(FromCurrentSynchronizationContext=lambda: 'scheduler')),
        'Microsoft.Web.WebView2.Core': SimpleNamespace(**core),
        'Microsoft.Web.WebView2.WinForms': views,
    }  # fmt: skip
    modules['System'].Windows = modules['System.Windows']
    for name, stub in modules.items():
        monkeypatch.setitem(sys.modules, name, stub)
    CORE.__dict__.clear()
    CORE.__init__(Environment=ENVIRONMENT, Settings=SimpleNamespace())  # type: ignore[misc]
    ENVIRONMENT.__dict__.clear()
    ENVIRONMENT.__init__(  # type: ignore[misc]
        CreateCoreWebView2ControllerOptions=SimpleNamespace,
        CreateWebResourceResponse=lambda *arguments: arguments,
    )
    monkeypatch.delitem(sys.modules, 'socket_runtime.host.edge._net', raising=False)
    yield importlib.import_module('socket_runtime.host.edge._net')
    monkeypatch.delitem(sys.modules, 'socket_runtime.host.edge._net', raising=False)
    monkeypatch.delattr(package, '_net', raising=False)


CORE = Bag()
ENVIRONMENT = Bag()


def native_request(uri: str, body: bytes = b'', context: str = 'all') -> SimpleNamespace:
    rest = bytearray(body)

    def read(buffer: bytearray, start: int, most: int) -> int:
        part = rest[:most]
        buffer[start : len(part)] = part
        del rest[:most]
        return len(part)

    headers = SimpleNamespace(Contains=lambda name: name == 'A', GetHeader=lambda name: 'b')
    request = SimpleNamespace(
        Uri=uri, Method='POST', Headers=headers, Content=SimpleNamespace(Read=read) if body else None
    )
    deferral = SimpleNamespace(done=0)
    deferral.Complete = lambda: setattr(deferral, 'done', deferral.done + 1)
    return SimpleNamespace(Request=request, ResourceContext=context, GetDeferral=lambda: deferral, deferral=deferral)


def test_native_request(net: Any) -> None:
    args = native_request('ipc://echo/', b'x' * 100_000)
    request = EdgeRequest(native := net.Request(ENVIRONMENT, args))
    assert request.read_body(100_000) == b'x' * 100_000
    assert request.header('A') == 'b' and request.header('B') is None
    EdgeResponder(native, at_once, at_once).send(200, [('A', 'b')], b'reply')
    stream, *rest = args.Response
    assert rest == [200, 'OK', 'A: b'] and stream.arguments == (bytearray(b'reply'),) and args.deferral.done == 1
    empty = native_request('ipc://empty/')
    native = net.Request(ENVIRONMENT, empty)
    assert EdgeRequest(native).read_body(10) == b'' and not native.is_document
    EdgeResponder(native, at_once, at_once).send(204, [], b'')
    assert empty.Response == (None, 204, 'No Content', '')


def test_native_view(net: Any) -> None:
    app, platform = Recorder(), Platform()
    host = EdgeHost(app, HostOptions('socket://a'))
    window = host.create_window(WindowSpec('one', 'socket://a/'))
    host.net, host.platform = net, platform
    window.pywebview = PywebviewWindow('master', 'one', None, html='x', background_color='#fff')
    window.pywebview.background_color = '#fff'
    form = Bag(Controls=Bag(), uid='master', WindowState='Normal')
    platform.BrowserView.instances['master'] = form
    browser = net.browser_class(platform.Chromium.EdgeChrome, host)(form, window.pywebview, 'cache')
    form.browser = browser
    view = browser.webview
    assert view.calls[-1][0] == 'EnsureCoreWebView2Async' and view.calls[-1][1] is ENVIRONMENT
    assert view.calls[-1][2].IsInPrivateModeEnabled is True
    view.CoreWebView2InitializationCompleted.handlers[0](view, SimpleNamespace(IsSuccess=True))
    assert CORE.Settings.IsWebMessageEnabled is False and CORE.Settings.AreHostObjectsAllowed is False
    filters = [call[1] for call in CORE.calls if call[0] == 'AddWebResourceRequestedFilter']
    assert filters == ['socket:*', 'ipc:*'] and ('Navigate', 'socket://a/') in CORE.calls
    CORE.AddScriptToExecuteOnDocumentCreatedAsync = lambda script: Scheduler.task(f'id of {script}')
    event = dict(NavigationId=1, IsRedirected=False)
    assert CORE.NavigationStarting.fire(Uri='socket://a/', **event).Cancel is False
    assert CORE.NavigationStarting.fire(Uri='https://evil/', **event).Cancel is True
    assert CORE.NavigationStarting.fire(Uri='socket://a/', NavigationId='odd', IsRedirected=0, Cancel=0).Cancel is True
    assert CORE.FrameNavigationStarting.fire(Uri='ipc://x/').Cancel is True
    assert CORE.NewWindowRequested.fire(Uri='socket://a/n').Handled is True
    assert CORE.PermissionRequested.fire().State == 'deny' and CORE.DownloadStarting.fire().Cancel is True
    CORE.ContentLoading.fire(NavigationId=1, IsErrorPage=False)
    CORE.NavigationCompleted.fire(NavigationId=1, IsSuccess=True, WebErrorStatus='Unknown')
    CORE.WebResourceRequested.fire(**vars(native_request('ipc://x/')))
    CORE.ProcessFailed.fire(ProcessFailedKind='RenderProcessExited')
    assert [entry[0] for entry in app.said('start', 'commit', 'loaded', 'crashed')] == [
        'start', 'commit', 'loaded', 'crashed',
    ]  # fmt: skip
    assert len(app.requests) == 1
    window.adopt(form)
    form.Resize.fire()
    form.Activated.fire()
    form.FormClosed.fire()
    assert [entry[0] for entry in app.log[-4:]] == ['resize', 'move', 'focus', 'closed']
    net.set_background(form, '#123')
    assert view.DefaultBackgroundColor == 'color #123' and net.screen_size() == (3, 4)
    broken = Recorder()
    host.callbacks = window._callbacks = broken
    view.CoreWebView2InitializationCompleted.handlers[0](
        view, SimpleNamespace(IsSuccess=False, InitializationException='no')
    )
    assert broken.said('failed') == [('failed', 0, 'socket://a/', 'no')]


def test_native_core(net: Any) -> None:
    results: list[object] = []
    native = Bag(
        ExecuteScriptAsync=lambda program: Scheduler.task('"[1]"', faulted=program == 'bad'),
        CapturePreviewAsync=lambda _kind, stream: Scheduler.task(),
    )
    core = net.Core(native, 'scheduler')
    core.execute('good', results.append)
    core.execute('bad', results.append)
    core.capture('x.png', results.append)
    core.reload()
    core.inspect()
    core.remove_preload('id')
    assert results == ['"[1]"', None, True]
    assert native.calls == [('Reload',), ('OpenDevToolsWindow',), ('RemoveScriptToExecuteOnDocumentCreated', 'id')]
