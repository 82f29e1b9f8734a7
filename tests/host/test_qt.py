"""The Qt WebEngine host: its parts everywhere, and the whole contract for real where PySide6 is installed.

PySide6 takes 700 MB, so it may live in an environment of its own: ``QT_PYTHON=/path/to/python``, with
``pip install PySide6 qtpy pywebview`` in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from socket_runtime.errors import DisplayError, WebviewError
from socket_runtime.host.contract import HostOptions, WindowSpec
from socket_runtime.host.qt.host import RELIED_UPON, prepare_environment
from socket_runtime.host.qt.scheme import Job, QtRequest, header_map
from socket_runtime.host.qt.window import QtWindow
from tests.host.conformance import run_conformance
from tests.host.pywebview_source import defined_names, source_of
from tests.host.recorder import Loop, Recorder
from tests.support.skips import skip_loudly

#: What Qt WebEngine gives no way to keep; see ``socket_runtime.host.qt``.
KNOWN = {
    'status': '200',
    'asked for about:blank': 'no',
}

PACKAGES = 'apt-get install libxcb-icccm4 libxcb-keysyms1 libxcb-cursor0 libnss3 libxkbfile1'


def qt_python() -> str:
    """A Python that has PySide6 and pywebview."""
    python = os.environ.get('QT_PYTHON') or sys.executable
    check = [python, '-c', 'import qtpy, webview; import PySide6.QtWebEngineCore']
    if shutil.which(python) is None or subprocess.run(check, capture_output=True, check=False).returncode:
        skip_loudly('PySide6 is missing', f'pip install PySide6 qtpy (or set QT_PYTHON), and {PACKAGES}')
    return python


@pytest.mark.display
@pytest.mark.slow
@pytest.mark.timeout(150)
def test_whole_contract() -> None:
    python = qt_python()
    report = run_conformance('socket_runtime.host.qt:QtHost', python=python)
    assert {clause: found for clause, found in report.items() if found is not True} == KNOWN
    assert len(report) > 60


def test_pywebview_has_what_we_rely_upon() -> None:
    assert set(RELIED_UPON) - defined_names(source_of('qt').body) == set()


def test_header_map_trusts_the_engine_alone() -> None:
    raw = [(b'Accept', b'*/*'), (b'ORIGIN', b'socket://fake'), (b'Socket-Token', b'abc')]
    assert header_map(raw, 'socket://a') == {'accept': '*/*', 'socket-token': 'abc', 'origin': 'socket://a'}
    assert 'origin' not in header_map(raw, '')


class TestEnvironment:
    def test_no_display(self) -> None:
        with pytest.raises(DisplayError):
            prepare_environment({}, HostOptions('socket://a'), root=False, linux=True)
        prepare_environment({}, HostOptions('socket://a'), root=False, linux=False)

    def test_sandbox(self) -> None:
        environment = {'DISPLAY': ':1'}
        prepare_environment(environment, HostOptions('socket://a'), root=False, linux=True)
        assert environment == {'DISPLAY': ':1'}
        with pytest.raises(WebviewError):
            prepare_environment(environment, HostOptions('socket://a'), root=True, linux=True)
        prepare_environment(environment, HostOptions('socket://a', sandbox=False), root=True, linux=True)
        assert environment['QTWEBENGINE_DISABLE_SANDBOX'] == '1'

    def test_graphics(self) -> None:
        environment = {'DISPLAY': ':1', 'QTWEBENGINE_CHROMIUM_FLAGS': '--mine'}
        options = HostOptions('socket://a', hardware_acceleration='off')
        prepare_environment(environment, options, root=False, linux=True)
        assert environment['QTWEBENGINE_CHROMIUM_FLAGS'] == '--mine --disable-gpu'


class Signal:
    def __init__(self) -> None:
        self.handlers: list[Callable[..., None]] = []

    def connect(self, handler: Callable[..., None]) -> None:
        self.handlers.append(handler)

    def emit(self) -> None:
        for handler in self.handlers:
            handler()


class Bytes:
    def __init__(self, value: bytes) -> None:
        self.value = value

    def data(self) -> bytes:
        return self.value

    def __hash__(self) -> int:
        return hash(self.value)


class NativeJob:
    """A ``QWebEngineUrlRequestJob``."""

    def __init__(self, uri: bytes = b'ipc://echo/?x=1', method: bytes = b'get') -> None:
        self.destroyed = Signal()
        self.uri, self.method = uri, method

    def requestUrl(self) -> Any:
        return SimpleNamespace(toEncoded=lambda: Bytes(self.uri))

    def requestMethod(self) -> Bytes:
        return Bytes(self.method)

    def requestHeaders(self) -> dict[Bytes, Bytes]:
        return {Bytes(b'Socket-Token'): Bytes(b'abc')}

    def initiator(self) -> Any:
        return SimpleNamespace(toString=lambda: 'socket://a')


def test_job_notes_its_end() -> None:
    native = NativeJob()
    job, ends = Job(native), []
    job.at_end(lambda: ends.append(1))
    native.destroyed.emit()
    native.destroyed.emit()
    assert job.native is None and ends == [1]


def test_request() -> None:
    request = QtRequest(Job(NativeJob()))
    assert (request.uri, request.method) == ('ipc://echo/?x=1', 'GET')
    assert request.header('Socket-Token') == 'abc' and request.header('Origin') == 'socket://a'


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> tuple[QtWindow, Recorder, list[tuple[int, str]]]:
    """A window without Qt, and the scripts that it has set: the load's number and the preload."""
    app, scripts = Recorder(), []
    host: Any = SimpleNamespace(
        callbacks=app, options=HostOptions('socket://a'), post=Loop().post, closed=lambda _: None
    )
    window = QtWindow(host, 0, WindowSpec('one', 'socket://a/'))
    monkeypatch.setattr(window, '_set_scripts', lambda preload: scripts.append((window._loads.number, preload)))
    return window, app, scripts


Made = tuple[QtWindow, Recorder, list[tuple[int, str]]]


def test_commit_is_told_by_a_word_that_pages_do_not_know(made: Made) -> None:
    window, app, scripts = made
    assert window.may_navigate('socket://a/1', main_frame=True, redirected=False)
    assert scripts == [(1, 'preload 1')]
    for guess in (
        '1',
        ' 1',
        'word 1',
        f'{window._word}',
        f'{window._word} 2',
        f'{window._word} x',
        f'x{window._word} 1',
    ):
        window.console(guess)
    assert not app.said('commit')
    window.console(f'{window._word} 1')
    window.loaded()
    assert app.said('commit', 'loaded') == [('commit', 0, 'socket://a/1'), ('loaded', 0)]


def test_loaded_without_a_word_is_a_commit(made: Made) -> None:
    window, app, _scripts = made
    window.may_navigate('socket://a/1', main_frame=True, redirected=False)
    window.loaded()
    window.console(f'{window._word} 1')
    assert app.said('commit') == [('commit', 0, 'socket://a/1')]


def test_navigation(made: Made) -> None:
    window, app, scripts = made
    assert not window.may_navigate('https://evil/', main_frame=True, redirected=False)
    assert not window.may_navigate('ipc://x/', main_frame=False, redirected=False)
    assert window.may_navigate('socket://a/frame', main_frame=False, redirected=False)
    assert scripts == []
    assert window.may_navigate('socket://a/1', main_frame=True, redirected=False)
    assert window.may_navigate('socket://a/2', main_frame=True, redirected=True)
    assert len(scripts) == 1
    window.console(f'{window._word} 1')
    assert app.said('commit') == [('commit', 0, 'socket://a/2')]
    window.failed('socket://a/3', 'aborted', -3)
    window.failed('socket://a/3', 'not found', -6)
    assert app.said('failed') == [('failed', 0, 'socket://a/3', 'not found')]


def test_calls_wait_for_the_commit(made: Made) -> None:
    window, app, _scripts = made
    window.may_navigate('socket://a/1', main_frame=True, redirected=False)
    gone, native = NativeJob(), NativeJob()
    window._call(gone)
    window._call(native)
    gone.destroyed.emit()
    assert app.requests == []
    window.console(f'{window._word} 1')
    assert len(app.requests) == 1


def test_closing_and_crashing(made: Made) -> None:
    window, app, _scripts = made
    answers: list[str | None] = []
    window.evaluate('return 1', '', answers.append)
    window._asked[7] = answers.append
    window.crashed('NormalTerminationStatus')
    window.crashed('CrashedTerminationStatus')
    assert answers == [None, None] and app.said('crashed') == [('crashed', 0, 'CrashedTerminationStatus')]
    app.may_close = False
    assert window.may_close() is False
    window.destroy()
    assert window.may_close() is True
    window.closed()
    window.event('resize', width=1, height=1)
    assert not app.said('resize') and window.get_size() == (800, 600) and window.get_position() == (0, 0)
