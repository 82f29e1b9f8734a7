"""The Qt host: windows by pywebview, everything of the page by Qt WebEngine itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

from socket_runtime.errors import DisplayError, WebviewError
from socket_runtime.host._seam import check_attributes, import_pywebview, prepare_window, remove_bridge
from socket_runtime.host.contract import Callbacks, HostOptions, WindowSpec
from socket_runtime.host.qt.window import QtWindow

__all__ = ['RELIED_UPON', 'QtHost', 'prepare_environment']

#: What we use of pywebview's Qt module beyond its public interface.
RELIED_UPON = (
    'BrowserView',
    'BrowserView.WebPage',
    'BrowserView.WebView',
    'BrowserView._set_js_api',
    'BrowserView.changeEvent',
    'BrowserView.closeEvent',
    'BrowserView.instances',
    'BrowserView.resizeEvent',
    'create_window',
)

_FLAGS = 'QTWEBENGINE_CHROMIUM_FLAGS'


def prepare_environment(
    environment: MutableMapping[str, str], options: HostOptions, *, root: bool, linux: bool
) -> None:
    """Set what Chromium reads when it starts.

    Raises:
        DisplayError: there is no display; Qt would end the process.
        WebviewError: the sandbox is wanted, but Chromium's does not work for root.
    """
    if linux and not any(environment.get(name) for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'QT_QPA_PLATFORM')):
        raise DisplayError(
            'there is no display for a window', hint='Set DISPLAY or WAYLAND_DISPLAY, or start with --headless'
        )
    if not options.sandbox:
        environment['QTWEBENGINE_DISABLE_SANDBOX'] = '1'
    elif root:
        raise WebviewError(
            "Chromium's sandbox does not work for root",
            hint='Run as another user, or set [webview] sandbox = false',
        )
    if options.hardware_acceleration == 'off':
        environment[_FLAGS] = f'{environment.get(_FLAGS, "")} --disable-gpu'.strip()


class QtHost:
    """See ``host.contract.Host``.

    Raises:
        DisplayError: there is no display.
        WebviewError: PySide6 is missing, or the sandbox cannot work.
    """

    name = 'qt'

    def __init__(self, callbacks: Callbacks, options: HostOptions) -> None:
        root = getattr(os, 'geteuid', lambda: 1)() == 0
        prepare_environment(os.environ, options, root=root, linux=sys.platform.startswith('linux'))
        from socket_runtime.host.qt import _qt

        _qt.register_schemes()
        self.callbacks = callbacks
        self.options = options
        self._poster = _qt.Poster()
        self._windows: dict[int, QtWindow] = {}
        self._next_id = 0
        self._running = False
        self._platform: Any = None
        self._application: Any = None

    def create_window(self, spec: WindowSpec) -> QtWindow:
        window = QtWindow(self, self._next_id, spec)
        self._next_id += 1
        self._windows[window.id] = window
        if self._running:
            self._show(window)
        return window

    def _show(self, window: QtWindow) -> None:
        self._wrap(import_pywebview('qt')[0], window)
        window.pywebview._initialize(gui=self._platform)
        self._platform.create_window(window.pywebview)

    def _wrap(self, webview: Any, window: QtWindow) -> None:
        spec = window.spec
        window.pywebview = webview.create_window(
            spec.title,
            html='x',
            width=spec.width,
            height=spec.height,
            x=spec.x,
            y=spec.y,
            min_size=(spec.min_width, spec.min_height),
            resizable=spec.resizable,
            frameless=spec.frameless,
            easy_drag=False,
            fullscreen=spec.fullscreen,
            maximized=spec.maximized,
            hidden=spec.hidden,
            on_top=spec.on_top,
            background_color=spec.background,
        )
        window.pywebview.events.closing += window.may_close
        prepare_window(window.pywebview, lambda: self._adopt(window))

    def _adopt(self, window: QtWindow) -> None:
        window.adopt(self._platform.BrowserView.instances[window.pywebview.uid])

    def _window_of(self, pywebview: Any) -> QtWindow:
        return next(window for window in self._windows.values() if window.pywebview is pywebview)

    def run(self) -> None:
        from socket_runtime.host.qt._qt import browser_class, make_application

        webview, module = import_pywebview('qt')
        platform: Any = module
        check_attributes(platform, RELIED_UPON)
        self._application = make_application(self.name)
        self._poster.start()
        self._platform = platform
        remove_bridge(platform)
        platform.BrowserView = browser_class(platform.BrowserView, self._window_of)
        waiting = list(self._windows.values())
        first, others = waiting[0], waiting[1:]
        self._wrap(webview, first)

        def started() -> None:
            self._running = True
            for window in others:
                self._show(window)

        self.post(started)
        webview.settings['ALLOW_FILE_URLS'] = False
        webview.settings['OPEN_DEVTOOLS_IN_DEBUG'] = False
        webview.start(gui='qt', debug=False, private_mode=True)
        self._running = False
        self._poster.run()

    def closed(self, window: QtWindow) -> None:
        """A window has gone; pywebview leaves the loop with the last one."""
        self._windows.pop(window.id, None)
        self.callbacks.on_closed(window.id)

    def screen_size(self) -> tuple[int, int]:
        from socket_runtime.host.qt._qt import screen_size

        return screen_size()

    def quit(self) -> None:
        for window in list(self._windows.values()):
            window.destroy()

    def post(self, function: Callable[[], None]) -> None:
        self._poster.post(function)

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        def start() -> None:
            from socket_runtime.host.qt._qt import QTimer

            # a function of its own: PySide would hold a method weakly, and end it on the thread that drops it
            QTimer.singleShot(round(seconds * 1000), lambda: function())

        self.post(start)
