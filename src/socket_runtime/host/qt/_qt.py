"""Everything that needs Qt's types: subclasses, constants, and how a Python value becomes one of Qt's."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from socket_runtime.errors import WebviewError

# pywebview asks qtpy, and qtpy asks this
os.environ.setdefault('QT_API', 'pyside6')

try:
    import shiboken6
    from PySide6.QtCore import (
        QBuffer,
        QByteArray,
        QEvent,
        QIODevice,
        QObject,
        QSocketNotifier,
        Qt,
        QTimer,
        QUrl,
        Signal,
    )
    from PySide6.QtGui import QColor, QGuiApplication
    from PySide6.QtWebEngineCore import (
        QWebEngineLoadingInfo,
        QWebEnginePage,
        QWebEngineProfile,
        QWebEngineScript,
        QWebEngineSettings,
        QWebEngineUrlRequestJob,
        QWebEngineUrlScheme,
        QWebEngineUrlSchemeHandler,
    )
    from PySide6.QtWebEngineWidgets import QWebEngineView
    from PySide6.QtWidgets import QApplication, QFileDialog
except ImportError as error:
    raise WebviewError(
        f'Qt WebEngine cannot be imported: {error}', hint='Install it: pip install PySide6 qtpy'
    ) from error

if TYPE_CHECKING:
    from socket_runtime.host.qt.window import QtWindow

__all__ = [
    'SCHEMES',
    'UNBUFFERED',
    'Page',
    'Poster',
    'QColor',
    'QTimer',
    'QUrl',
    'QWebEngineView',
    'Qt',
    'SchemeHandler',
    'StreamDevice',
    'browser_class',
    'buffer_device',
    'byte_array',
    'choose_files',
    'discard',
    'fail',
    'make_application',
    'make_profile',
    'page_script',
    'register_schemes',
    'screen_size',
]

SCHEMES = (b'socket', b'ipc')
UNBUFFERED = QIODevice.OpenModeFlag.ReadOnly | QIODevice.OpenModeFlag.Unbuffered

#: What a page may do by default and ours may not.
_OFF = (
    'LocalContentCanAccessFileUrls',
    'LocalContentCanAccessRemoteUrls',
    'JavascriptCanAccessClipboard',
    'ErrorPageEnabled',
    'PluginsEnabled',
    'PdfViewerEnabled',
)


def register_schemes() -> None:
    """Make our schemes known. Must come before Qt's application object."""
    flags = QWebEngineUrlScheme.Flag
    for name in SCHEMES:
        if bytes(QWebEngineUrlScheme.schemeByName(QByteArray(name)).name().data()) == name:
            continue
        scheme = QWebEngineUrlScheme(QByteArray(name))
        scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
        scheme.setFlags(flags.SecureScheme | flags.CorsEnabled | flags.FetchApiAllowed)
        QWebEngineUrlScheme.registerScheme(scheme)


def byte_array(value: bytes) -> Any:
    """``value`` for Qt."""
    return QByteArray(value)


def buffer_device(parent: Any, body: bytes) -> Any:
    """A device that holds ``body`` and dies with ``parent``."""
    device = QBuffer(parent)
    device.setData(QByteArray(body))
    device.open(QIODevice.OpenModeFlag.ReadOnly)
    return device


def fail(job: Any, status: int) -> None:
    """End ``job`` as a failed load."""
    errors = QWebEngineUrlRequestJob.Error
    job.fail({403: errors.RequestDenied, 404: errors.UrlNotFound}.get(status, errors.RequestFailed))


class StreamDevice(QIODevice):  # type: ignore[misc]
    """What comes out of a socket, for the engine's I/O thread to read.

    Qt WebEngine ends a reply when its device is at the end and not sequential; a sequential one would
    wait for ever. So this one is sequential for as long as more may come, and no longer then.

    Args:
        source: the engine's end of a ``stream_pair``.
    """

    _drained = Signal()

    def __init__(self, source: socket.socket) -> None:
        super().__init__()
        self._source = source
        self._ended = False
        self._notifier = QSocketNotifier(source.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._arrived)
        self._drained.connect(self._wait, Qt.ConnectionType.QueuedConnection)
        self.open(UNBUFFERED)

    def _arrived(self, *_: object) -> None:
        # until the engine has read it, or a slow page would keep the loop busy
        self._notifier.setEnabled(False)
        self.readyRead.emit()

    def _wait(self) -> None:
        if not self._ended:
            self._notifier.setEnabled(True)

    def release(self) -> None:
        """The job has ended: whoever still writes shall learn it."""
        self._ended = True
        self._notifier.setEnabled(False)
        self._source.close()
        discard(self)

    def isSequential(self) -> bool:
        return not self._ended

    def atEnd(self) -> bool:
        return self._ended

    def readData(self, most: int) -> bytes:
        try:
            data = self._source.recv(most)
        except BlockingIOError:
            self._drained.emit()
            return b''
        except OSError:
            data = b''
        self._ended = not data
        return data

    def writeData(self, *_: object) -> int:
        return -1


class SchemeHandler(QWebEngineUrlSchemeHandler):  # type: ignore[misc]
    """Hands the jobs of one scheme of one window to ``handle``."""

    def __init__(self, handle: Callable[[Any], None]) -> None:
        super().__init__()
        self._handle = handle

    def requestStarted(self, job: Any) -> None:
        self._handle(job)


def make_profile(storage: str | None) -> Any:
    """A profile that keeps what it stores in ``storage``, or nowhere."""
    if storage is None:
        return QWebEngineProfile()
    profile = QWebEngineProfile(os.path.basename(storage))
    profile.setPersistentStoragePath(storage)
    profile.setCachePath(os.path.join(storage, 'cache'))
    return profile


def page_script(source: str, *, isolated: bool) -> Any:
    """A script for the start of each top document, in the page's world or in one of its own."""
    script = QWebEngineScript()
    script.setSourceCode(source)
    script.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
    worlds = QWebEngineScript.ScriptWorldId
    script.setWorldId((worlds.ApplicationWorld if isolated else worlds.MainWorld).value)
    script.setRunsOnSubFrames(False)
    return script


class Page(QWebEnginePage):  # type: ignore[misc]
    """A page whose decisions are ``window``'s."""

    def __init__(self, profile: Any, parent: Any, window: QtWindow) -> None:
        super().__init__(profile, parent)
        self._window = window
        settings = self.settings()
        for name in _OFF:
            settings.setAttribute(getattr(QWebEngineSettings.WebAttribute, name), False)
        self.newWindowRequested.connect(lambda request: window.asked_new_window(_text(request.requestedUrl())))
        self.permissionRequested.connect(lambda permission: permission.deny())
        self.renderProcessTerminated.connect(lambda status, _code: window.crashed(status.name))
        # functions, not methods of ours: PySide would hold those weakly
        self.windowCloseRequested.connect(lambda: window.close_requested())
        self.loadingChanged.connect(self._loading)

    def acceptNavigationRequest(self, url: Any, kind: Any, is_main_frame: bool) -> bool:
        redirected = kind == QWebEnginePage.NavigationType.NavigationTypeRedirect
        return self._window.may_navigate(_text(url), main_frame=is_main_frame, redirected=redirected)

    def javaScriptConsoleMessage(self, _level: Any, message: str, _line: int, _source: str) -> None:
        self._window.console(message)

    def setWebChannel(self, *_: object) -> None:
        """pywebview's bridge is not wanted: it would be outside the page's policy."""

    def _loading(self, info: Any) -> None:
        states = QWebEngineLoadingInfo.LoadStatus
        if info.status() == states.LoadSucceededStatus:
            self._window.loaded()
        elif info.status() == states.LoadStoppedStatus:
            self._window.stopped()
        elif info.status() == states.LoadFailedStatus:
            self._window.failed(_text(info.url()), info.errorString(), info.errorCode())


class _View(QWebEngineView):  # type: ignore[misc]
    """A view whose loads are ours alone: pywebview's filler page is ignored."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)

    def setHtml(self, *_: object) -> None:
        return None


def make_application(name: str) -> Any:
    """Qt's application object; pywebview takes the one that is there."""
    return QApplication.instance() or QApplication([name])


class Poster:
    """Brings functions from any thread to the GUI's.

    By a queue and a socket: PySide's own signals, emitted by threads that come and go, ended the process
    now and then.
    """

    def __init__(self) -> None:
        self._functions: deque[Callable[[], None]] = deque()
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._notifier: Any = None

    def start(self) -> None:
        """Begin to listen. Needs the application object."""
        self._notifier = QSocketNotifier(self._ear.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(lambda *_: self.run())

    def post(self, function: Callable[[], None]) -> None:
        """Have ``function`` called by the GUI's loop. Any thread."""
        self._functions.append(function)
        try:
            self._mouth.send(b'!')
        except BlockingIOError:
            pass  # so many wait that it is awake anyway

    def run(self) -> None:
        """Call what waits now; what those post waits for the next round."""
        try:
            self._ear.recv(4096)
        except BlockingIOError:
            pass
        for _number in range(len(self._functions)):
            self._functions.popleft()()


def browser_class(base: Any, window_of: Callable[[Any], QtWindow]) -> type:
    """pywebview's window with our view, page and events.

    Args:
        base: ``webview.platforms.qt.BrowserView``.
        window_of: our window for one of pywebview's.
    """

    class Browser(base):  # type: ignore[misc]
        """Stands in for ``BrowserView``. Its inner classes are replaced whole: the originals name
        themselves in ``super()``, and would call their own replacement for ever."""

        WebView = _View

        def __init__(self, window: Any) -> None:
            self.ours = window_of(window)
            super().__init__(window)

        def WebPage(self, profile: Any = None) -> Any:
            return self.ours.make_page(profile, self.webview)

        def _set_js_api(self) -> None:
            self.ours.mark_loaded()

        def closeEvent(self, event: Any) -> None:
            super().closeEvent(event)
            if event.isAccepted():
                self.ours.closed()

        def changeEvent(self, event: Any) -> None:
            if event.type() == QEvent.Type.WindowStateChange:
                self.ours.state_changed(minimized=self.isMinimized(), maximized=self.isMaximized())
            elif event.type() == QEvent.Type.ActivationChange:
                self.ours.event('focus' if self.isActiveWindow() else 'blur')
            super().changeEvent(event)

        def moveEvent(self, event: Any) -> None:
            self.ours.event('move', x=self.x(), y=self.y())
            super().moveEvent(event)

        def resizeEvent(self, event: Any) -> None:
            self.ours.event('resize', width=self.width(), height=self.height())
            super().resizeEvent(event)

    return Browser


def discard(*objects: Any) -> None:
    """Delete those of ``objects`` that are Qt's, in order, now and on this thread.

    Left alone, they would go with the last reference, on whatever thread that was held, and Qt's objects
    must not be deleted but on the GUI's.
    """
    for item in objects:
        if isinstance(item, QObject) and shiboken6.isValid(item):
            shiboken6.delete(item)


def screen_size() -> tuple[int, int]:
    """The main screen's size in pixels."""
    size = QGuiApplication.primaryScreen().size()
    return size.width(), size.height()


def choose_files(parent: Any, kind: str, title: str, multiple: bool, name: str) -> list[str]:
    """Qt's file dialog; ``kind`` is ``open``, ``save`` or ``directory``."""
    if kind == 'directory':
        chosen = [QFileDialog.getExistingDirectory(parent, title)]
    elif kind == 'save':
        chosen = [QFileDialog.getSaveFileName(parent, title, name)[0]]
    elif multiple:
        chosen = QFileDialog.getOpenFileNames(parent, title)[0]
    else:
        chosen = [QFileDialog.getOpenFileName(parent, title)[0]]
    return [path for path in chosen if path]


def _text(url: Any) -> str:
    return bytes(url.toEncoded().data()).decode('ascii', 'replace')
