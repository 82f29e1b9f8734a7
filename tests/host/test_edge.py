"""The WebView2 host, but for what only Windows can run: ``_net.py`` has a stand-in here."""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Callable
from pathlib import Path

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
from tests.host.edge_standins import Made, Net, Platform, Registry, Webview
from tests.host.pywebview_source import class_attributes, defined_names, source_of
from tests.host.recorder import Loop, Recorder
from tests.support.skips import skip_loudly

FOLDER = Path(package.__file__).parent


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
