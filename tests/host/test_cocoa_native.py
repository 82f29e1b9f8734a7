"""``_objc.py`` upon stand-ins for PyObjC: names and arguments fit. What macOS does is not tested here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import socket_runtime.host.cocoa as package
from socket_runtime.host.cocoa.host import CocoaHost
from socket_runtime.host.cocoa.scheme import CocoaRequest, CocoaResponder, TaskAnswer
from socket_runtime.host.contract import HostOptions, WindowSpec
from tests.host.recorder import Loop, Recorder
from tests.host.test_cocoa import PywebviewWindow


class NSObject:
    """An Objective-C object, as PyObjC shows it."""

    def __init_subclass__(cls, protocols: object = None) -> None:
        super().__init_subclass__()

    @classmethod
    def alloc(cls) -> NSObject:
        return cls()

    def init(self) -> NSObject:
        return self


class Any_:
    """Answers every name and call with something like itself, and remembers the calls."""

    def __init__(self, log: list[tuple[Any, ...]], name: str = '') -> None:
        self._log, self._name = log, name

    def __getattr__(self, name: str) -> Any_:
        if name.startswith('__'):
            raise AttributeError(name)
        return Any_(self._log, name)

    def __call__(self, *arguments: Any) -> Any_:
        self._log.append((self._name, *arguments))
        return Any_(self._log, f'{self._name}()')

    def __str__(self) -> str:
        return 'text'

    def __int__(self) -> int:
        return 7


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, list[tuple[Any, ...]]]]:
    """``_objc.py``, run upon stand-ins for PyObjC: it shows that names and arguments fit, not that macOS
    does what is expected."""
    log: list[tuple[Any, ...]] = []
    module = lambda **names: SimpleNamespace(**names)  # noqa: E731
    delegates = {name: type(name, (NSObject,), {}) for name in ('BrowserDelegate', 'WindowDelegate', 'AppDelegate')}
    for method in ('Close', 'DidResize', 'DidMove', 'DidMiniaturize', 'DidDeminiaturize', 'DidBecomeKey'):
        name = 'windowWillClose_' if method == 'Close' else f'window{method}_'
        setattr(delegates['WindowDelegate'], name, lambda self, notification, name=name: log.append((name,)))
    cocoa = module(BrowserView=module(**delegates), FixPoint=module(NORTH=1, WEST=2))
    stubs = {
        'AppKit': Any_(log, 'AppKit'),
        'Foundation': module(NSObject=NSObject, **{n: Any_(log, n) for n in (
            'NSData', 'NSHTTPURLResponse', 'NSURL', 'NSURLRequest', 'NSUUID')}),
        'WebKit': Any_(log, 'WebKit'),
        'objc': module(protocolNamed=str, python_method=lambda function: function, super=super),
        'PyObjCTools': module(AppHelper=Any_(log, 'AppHelper')),
        'webview.platforms.cocoa': cocoa,
    }  # fmt: skip
    for name, stub in stubs.items():
        monkeypatch.setitem(sys.modules, name, stub)
    monkeypatch.setattr('webview.platforms.cocoa', cocoa, raising=False)
    monkeypatch.delitem(sys.modules, 'socket_runtime.host.cocoa._objc', raising=False)
    yield importlib.import_module('socket_runtime.host.cocoa._objc'), log
    monkeypatch.delitem(sys.modules, 'socket_runtime.host.cocoa._objc', raising=False)
    monkeypatch.delattr(package, '_objc', raising=False)


def request_of(body: object, stream: object) -> Any:
    url = SimpleNamespace(absoluteString=lambda: 'ipc://echo?x=%20')
    return SimpleNamespace(
        URL=lambda: url,
        HTTPMethod=lambda: 'post',
        allHTTPHeaderFields=lambda: {'A': 'b'},
        HTTPBody=lambda: body,
        HTTPBodyStream=lambda: stream,
    )


def test_native_task(system: tuple[Any, list[tuple[Any, ...]]]) -> None:
    objc, log = system
    ended: list[int] = []
    rest = [b'two', b'one']
    stream = SimpleNamespace(
        open=lambda: None,
        close=lambda: log.append(('closed',)),
        read_maxLength_=lambda _none, most: (len(rest[-1]), rest.pop()) if rest else (0, b''),
    )
    for body, source, expected in ((b'abc', None, b'abc'), (None, stream, b'onetwo'), (None, None, b'')):
        task = Any_(log, 'task')
        task.request = lambda body=body, source=source: request_of(body, source)  # type: ignore[method-assign]
        native = objc.SocketRuntimeTask(task, lambda: ended.append(1))
        request = CocoaRequest(native)
        assert (request.uri, request.method, request.header('a')) == ('ipc://echo?x=%20', 'POST', 'b')
        assert request.read_body(100) == expected
        CocoaResponder(TaskAnswer(native), Loop().post).send(200, [('A', 'b')], b'xy')
    assert ('closed',) in log and len(ended) == 3
    response = next(entry for entry in log if entry[0].startswith('initWithURL'))
    assert response[2:] == (200, 'HTTP/1.1', {'A': 'b'})
    assert ('dataWithBytes_length_', b'xy', 2) in log
    names = [entry[0] for entry in log]
    assert names.index('didReceiveResponse_') < names.index('didReceiveData_') < names.index('didFinish')


def test_native_delegates(system: tuple[Any, list[tuple[Any, ...]]]) -> None:
    objc, log = system
    app = Recorder()
    host = CocoaHost(app, HostOptions('socket://a', storage='folder', developer=True))
    host.objc, host.platform = objc, SimpleNamespace(get_position=lambda _uid: (1, 2))
    window = host.create_window(WindowSpec('one', 'socket://a/'))
    window.pywebview = PywebviewWindow('master', {'html': 'x'})
    frame = SimpleNamespace(frame=lambda: SimpleNamespace(size=SimpleNamespace(width=3, height=4)))
    browser = SimpleNamespace(uid='master', webview=Any_(log, 'view'), window=Any_(log, 'window'))
    objc.make_configuration(window, host.options)
    assert sum(entry[0] == 'setURLSchemeHandler_forURLScheme_' for entry in log) == 2
    window.adopt(browser)
    removed = [entry[1] for entry in log if entry[0] == 'removeScriptMessageHandlerForName_']
    assert removed == ['jsBridge', 'browserDelegate']
    page, delegate = window._kept

    def decide(url: str, target: object, *, download: bool = False) -> int:
        answers: list[int] = []
        action = SimpleNamespace(
            targetFrame=lambda: target,
            shouldPerformDownload=lambda: download,
            request=lambda: SimpleNamespace(URL=lambda: SimpleNamespace(absoluteString=lambda: url)),
        )
        page.webView_decidePolicyForNavigationAction_decisionHandler_(None, action, answers.append)
        return answers[0]

    main, inner = (SimpleNamespace(isMainFrame=lambda answer=answer: answer) for answer in (True, False))
    assert decide('socket://a/x', main) == 1 and decide('https://evil/', main) == 0
    assert decide('https://else/', inner) == 1 and decide('ipc://x', inner) == 0
    assert decide('socket://a/x', None) == 0 and decide('socket://a/x', main, download=True) == 0
    view = SimpleNamespace(URL=lambda: SimpleNamespace(absoluteString=lambda: 'socket://a/x'))
    page.webView_didStartProvisionalNavigation_(view, None)
    page.webView_didCommitNavigation_(view, None)
    page.webView_didFinishNavigation_(view, None)
    page.webView_didFailProvisionalNavigation_withError_(view, None, Any_(log, 'error'))
    page.webViewWebContentProcessDidTerminate_(view)
    said = [entry[0] for entry in app.said('start', 'commit', 'loaded', 'failed', 'crashed')]
    assert said == ['start', 'commit', 'loaded', 'failed', 'crashed']
    browser.window = frame
    note = SimpleNamespace(object=lambda: SimpleNamespace(isZoomed=lambda: True))
    for name in ('DidResize', 'DidMove', 'DidMiniaturize', 'DidDeminiaturize', 'DidBecomeKey', 'DidResignKey'):
        getattr(delegate, f'window{name}_')(note)
    delegate.windowWillClose_(note)
    assert ('resize', 0, {'width': 3, 'height': 4}) in app.log and ('move', 0, {'x': 1, 'y': 2}) in app.log
    assert [entry[0] for entry in app.log][-2:] == ['blur', 'closed']


def test_native_calls(system: tuple[Any, list[tuple[Any, ...]]]) -> None:
    objc, log = system
    view, results = Any_(log, 'view'), []
    objc.call_script(view, 'return 1', '\ud800"', results.append)
    name, body, arguments, _frame, _world, finished = log[-1]
    assert name == 'callAsyncJavaScript_arguments_inFrame_inContentWorld_completionHandler_'
    assert body == 'return 1' and arguments == {'argument': '"\\ud800\\""'}
    finished('[1]', None)
    finished(None, 'error')
    assert results == ['[1]', None]
    objc.snapshot(view, 'x.png', results.append)
    log[-1][2](Any_(log, 'image'), None)
    log[[entry[0] for entry in log].index('takeSnapshotWithConfiguration_completionHandler_')][2](None, 'error')
    assert results[2:] == [True, False]
    objc.set_preload(view, 'script')
    assert ('initWithSource_injectionTime_forMainFrameOnly_', 'script', 0, True) in log
