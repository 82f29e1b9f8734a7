"""The GTK host: windows by pywebview, everything of the page by WebKitGTK itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from socket_runtime.errors import DisplayError
from socket_runtime.host._seam import check_attributes, import_pywebview, prepare_window, remove_bridge
from socket_runtime.host.contract import Callbacks, HostOptions, WindowSpec
from socket_runtime.host.gtk._gi import Gdk, GLib, Gtk
from socket_runtime.host.gtk.context import SharedContext
from socket_runtime.host.gtk.scheme import GtkRequest, GtkResponder
from socket_runtime.host.gtk.window import GtkWindow

__all__ = ['RELIED_UPON', 'GtkHost']

#: What we use of pywebview's GTK module beyond its public interface.
RELIED_UPON = (
    'webkit',
    'create_window',
    'BrowserView.instances',
    'BrowserView.close_window',
    '_app',
)

_log = logging.getLogger('socket_runtime.host')
_PLAIN = (('Content-Type', 'text/plain'),)


class GtkHost:
    """See ``host.contract.Host``.

    Raises:
        DisplayError: there is no display.
        WebviewError: the sandbox's helpers are missing.
    """

    name = 'gtk'

    def __init__(self, callbacks: Callbacks, options: HostOptions) -> None:
        if not Gtk.init_check(None)[0] or Gdk.Display.get_default() is None:
            raise DisplayError(
                'there is no display for a window',
                hint='Set DISPLAY or WAYLAND_DISPLAY, or start with --headless',
            )
        self.callbacks = callbacks
        self.shared = SharedContext(options, self._request)
        self._windows: dict[int, GtkWindow] = {}
        self._by_view: dict[Any, GtkWindow] = {}
        self._next_id = 0
        self._running = False
        self._platform: Any = None

    def _request(self, scheme: str, view: Any, request: Any) -> None:
        window = self._by_view.get(view)
        responder = GtkResponder(request)
        try:
            if window is None:
                responder.send(404, _PLAIN, b'')
            elif scheme == 'ipc':
                self.callbacks.on_call(window.id, GtkRequest(request), responder)
            else:
                self.callbacks.on_asset(window.id, GtkRequest(request), responder)
        except Exception:  # the outermost door: a page must never wait for an answer that was lost
            _log.exception('a request could not be answered')
            responder.send(500, _PLAIN, b'')

    def create_window(self, spec: WindowSpec) -> GtkWindow:
        number = self._next_id
        self._next_id += 1
        window = GtkWindow(self, number, spec)
        self._windows[number] = window
        self._by_view[window.view] = window
        if self._running:
            self._show(window)
        return window

    def _show(self, window: GtkWindow) -> None:
        webview, _ = import_pywebview('gtk')
        self._wrap(webview, window)
        window.pywebview._initialize(gui=self._platform)
        self._platform.create_window(window.pywebview)

    def _wrap(self, webview: Any, window: GtkWindow) -> None:
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
        prepare_window(window.pywebview, lambda: self._adopt(window))

    def _adopt(self, window: GtkWindow) -> None:
        window.adopt(self._platform.BrowserView.instances[window.pywebview.uid])

    def run(self) -> None:
        webview: Any
        platform: Any
        webview, platform = import_pywebview('gtk')
        check_attributes(platform, RELIED_UPON)
        self._platform = platform
        remove_bridge(platform)
        platform.webkit = self.shared.seam(platform.webkit)
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
        webview.start(gui='gtk', debug=False, private_mode=True)
        self._running = False

    def is_last(self, window: GtkWindow) -> bool:
        """Whether no other window is open."""
        return list(self._windows.values()) == [window]

    def closed(self, window: GtkWindow) -> None:
        """A window has gone; the last one ends the loop, by itself, as GTK's application does."""
        del self._windows[window.id]
        del self._by_view[window.view]
        self.callbacks.on_closed(window.id)

    def screen_size(self) -> tuple[int, int]:
        display = Gdk.Display.get_default()
        area = (display.get_primary_monitor() or display.get_monitor(0)).get_geometry()
        return area.width, area.height

    def quit(self) -> None:
        for window in list(self._windows.values()):
            window.destroy()

    def post(self, function: Callable[[], None]) -> None:
        GLib.idle_add(_once, function, priority=GLib.PRIORITY_HIGH)

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        GLib.timeout_add(int(seconds * 1000), _once, function)


def _once(function: Callable[[], None]) -> bool:
    function()
    return False
