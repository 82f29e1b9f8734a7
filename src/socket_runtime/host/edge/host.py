"""The WebView2 host: windows by pywebview, everything of the page by WebView2 itself."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from typing import Any

from socket_runtime.errors import WebviewError
from socket_runtime.host._parts import LateCalls
from socket_runtime.host._seam import check_attributes, import_pywebview, prepare_window, remove_bridge
from socket_runtime.host.contract import Callbacks, HostOptions, WindowSpec
from socket_runtime.host.edge.window import EdgeWindow

__all__ = [
    'RELIED_UPON',
    'RELIED_UPON_EDGE',
    'RELIED_UPON_INSTANCE',
    'SCHEMES',
    'EdgeHost',
    'browser_arguments',
]

logger = logging.getLogger(__name__)

SCHEMES = ('socket', 'ipc')

#: What we use of pywebview's Windows Forms module beyond its public interface.
RELIED_UPON = (
    'BrowserView.BrowserForm',
    'BrowserView.BrowserForm.maximize',
    'BrowserView.BrowserForm.minimize',
    'BrowserView.BrowserForm.move',
    'BrowserView.BrowserForm.resize',
    'BrowserView.BrowserForm.restore',
    'BrowserView.BrowserForm.show',
    'BrowserView.BrowserForm.toggle_fullscreen',
    'BrowserView.instances',
    'Chromium',
    'create_file_dialog',
    'create_window',
    'get_position',
    'get_size',
    'is_chromium',
    'set_title',
)

#: The same for its WebView2 module: what ``BrowserForm`` needs of a browser, and we inherit.
RELIED_UPON_EDGE = ('EdgeChrome', 'EdgeChrome.clear_user_data', 'WebView2')

#: What we use of ``BrowserForm``'s instances, and it of ``EdgeChrome``'s; only a test can look these up.
RELIED_UPON_INSTANCE = ('browser', 'is_fullscreen', 'js_result_semaphore', 'uid', 'user_data_folder', 'webview')


def browser_arguments(options: HostOptions) -> str:
    """Chromium's command line."""
    arguments = ['--disable-features=ElasticOverscroll']
    if options.hardware_acceleration == 'off':
        arguments.append('--disable-gpu')
    if not options.sandbox:
        arguments.append('--no-sandbox')
    return ' '.join(arguments)


class EdgeHost:
    """See ``host.contract.Host``.

    Attributes:
        streams: a reply arrives only when it is whole; see the package.

    Raises:
        WebviewError: the WebView2 runtime or pythonnet is missing.
    """

    name = 'edge'
    streams = False

    def __init__(self, callbacks: Callbacks, options: HostOptions) -> None:
        self.callbacks = callbacks
        self.options = options
        self.net: Any = None
        self.platform: Any = None
        self._webview: Any = None
        self._windows: dict[int, EdgeWindow] = {}
        self._next_id = 0
        self._running = False
        self._posts = LateCalls()
        self._send: Callable[[Callable[[], None]], None] | None = None

    def create_window(self, spec: WindowSpec) -> EdgeWindow:
        window = EdgeWindow(self, self._next_id, spec)
        self._next_id += 1
        self._windows[window.id] = window
        if self._running:
            self._show(window)
        return window

    def _show(self, window: EdgeWindow) -> None:
        self._wrap(window)
        window.pywebview._initialize(gui=self.platform)
        self.platform.create_window(window.pywebview)

    def _wrap(self, window: EdgeWindow) -> None:
        # not ``create_window``: away from the main thread, where the GUI is here, it would show at once
        # what is not prepared yet
        spec, windows = window.spec, self._webview.windows
        window.pywebview = self._webview.Window(
            f'child_{uuid.uuid4().hex[:8]}' if windows else 'master',
            spec.title,
            None,
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
        windows.append(window.pywebview)
        window.pywebview.events.closing += window.may_close
        prepare_window(window.pywebview, lambda: self._adopt(window))

    def _adopt(self, window: EdgeWindow) -> None:
        window.adopt(self.platform.BrowserView.instances[window.pywebview.uid])

    def window_of(self, pywebview: Any) -> EdgeWindow:
        """Our window for one of pywebview's."""
        return next(window for window in self._windows.values() if window.pywebview is pywebview)

    def run(self) -> None:
        webview, module = import_pywebview('winforms')
        platform: Any = module
        if not getattr(platform, 'is_chromium', False):
            raise WebviewError(
                'the WebView2 runtime is missing',
                hint='Install it: https://developer.microsoft.com/microsoft-edge/webview2/',
            )
        check_attributes(platform, RELIED_UPON)
        check_attributes(platform.Chromium, RELIED_UPON_EDGE)
        from socket_runtime.host.edge import _net

        self.run_with(webview, platform, _net)

    def run_with(self, webview: Any, platform: Any, net: Any) -> None:
        """``run``, with the parts that only the system has."""
        self._webview, self.platform, self.net = webview, platform, net
        remove_bridge(platform.Chromium)
        platform.Chromium.EdgeChrome = net.browser_class(platform.Chromium.EdgeChrome, self)
        waiting = list(self._windows.values())
        first, others = waiting[0], waiting[1:]
        self._wrap(first)

        def started() -> None:
            self._running = True
            for window in others:
                self._show(window)

        self.post(started)
        webview.settings['ALLOW_FILE_URLS'] = False
        webview.settings['OPEN_DEVTOOLS_IN_DEBUG'] = False
        storage = self.options.storage
        webview.start(gui='edgechromium', debug=False, private_mode=storage is None, storage_path=storage)
        self._running = False

    def loop_started(self, send: Callable[[Callable[[], None]], None]) -> None:
        """The GUI's thread is there; ``send`` brings a function to it."""
        if self._send is None:
            self._send = send
            self._posts.ready()

    def closed(self, window: EdgeWindow) -> None:
        """A window has gone; pywebview leaves the loop with the last one."""
        self._windows.pop(window.id, None)
        self.callbacks.on_closed(window.id)

    def dialog_kind(self, kind: str) -> Any:
        """pywebview's name of a file dialog."""
        kinds = self._webview.FileDialog
        return {'open': kinds.OPEN, 'save': kinds.SAVE, 'directory': kinds.FOLDER}[kind]

    def resize(self, form: Any, width: int, height: int) -> None:
        """Resize, with the upper left corner where it is."""
        from webview.window import FixPoint

        form.resize(width, height, FixPoint.NORTH | FixPoint.WEST)

    def screen_size(self) -> tuple[int, int]:
        if self.net is None:
            import_pywebview('winforms')
            from socket_runtime.host.edge import _net

            self.net = _net
        width, height = self.net.screen_size()
        return int(width), int(height)

    def quit(self) -> None:
        for window in list(self._windows.values()):
            window.destroy()

    def post(self, function: Callable[[], None]) -> None:
        def call() -> None:
            try:
                function()
            except Exception:  # the outermost door: Windows Forms would show a dialog and end the program
                logger.exception('a posted function failed')

        def send() -> None:
            if self._send is not None:
                self._send(call)

        self._posts.do(send)

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, self.post, (function,))
        timer.daemon = True
        timer.start()
