"""``_net.py`` upon stand-ins for .NET: names and arguments fit. What Windows does is not tested here."""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import socket_runtime.host.edge as package
from socket_runtime.host.contract import HostOptions, WindowSpec
from socket_runtime.host.edge.host import EdgeHost
from socket_runtime.host.edge.scheme import EdgeRequest, EdgeResponder
from tests.host.edge_standins import Platform, PywebviewWindow
from tests.host.recorder import Recorder
from tests.host.test_edge import at_once, declared


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
    event = {'NavigationId': 1, 'IsRedirected': False}
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
