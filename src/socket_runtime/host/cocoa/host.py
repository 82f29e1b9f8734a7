"""The Cocoa host: windows by pywebview, everything of the page by WebKit itself."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from socket_runtime.host._parts import LateCalls
from socket_runtime.host._seam import check_attributes, import_pywebview, prepare_window, remove_bridge
from socket_runtime.host.cocoa.window import CocoaWindow
from socket_runtime.host.contract import Callbacks, HostOptions, WindowSpec

__all__ = ['RELIED_UPON', 'RELIED_UPON_INSTANCE', 'CocoaHost', 'WebKitSeam', 'browser_class']

#: What we use of pywebview's Cocoa module beyond its public interface.
RELIED_UPON = (
    'BrowserView',
    'BrowserView.AppDelegate',
    'BrowserView.AppDelegate.applicationShouldTerminate_',
    'BrowserView.BrowserDelegate',
    'BrowserView.WindowDelegate',
    'BrowserView.WindowDelegate.windowDidBecomeKey_',
    'BrowserView.WindowDelegate.windowDidDeminiaturize_',
    'BrowserView.WindowDelegate.windowDidMiniaturize_',
    'BrowserView.WindowDelegate.windowDidMove_',
    'BrowserView.WindowDelegate.windowDidResize_',
    'BrowserView.WindowDelegate.windowWillClose_',
    'BrowserView._open_web_inspector',
    'BrowserView.create_file_dialog',
    'BrowserView.hide',
    'BrowserView.instances',
    'BrowserView.load_html',
    'BrowserView.minimize',
    'BrowserView.move',
    'BrowserView.nscolor_from_hex',
    'BrowserView.resize',
    'BrowserView.restore',
    'BrowserView.set_title',
    'BrowserView.show',
    'BrowserView.toggle_fullscreen',
    'WebKit',
    'create_window',
    'get_position',
)

#: What we use of ``BrowserView``'s instances; only a test can look these up.
RELIED_UPON_INSTANCE = ('is_fullscreen', 'pywebview_window', 'uid', 'webview', 'window')


class WebKitSeam:
    """Stands in for the name ``WebKit`` in pywebview's module: the same names, but our configuration.

    Args:
        real: PyObjC's ``WebKit``.
        configure: returns the configuration for the window that is being made.
    """

    def __init__(self, real: Any, configure: Callable[[], Any]) -> None:
        self._real = real
        maker = SimpleNamespace(init=configure)
        self.WKWebViewConfiguration = SimpleNamespace(alloc=lambda: maker)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def browser_class(base: Any, making: Callable[[Any], None]) -> Any:
    """``BrowserView``, telling ``making`` which of pywebview's windows it is about to build."""

    class Browser(base):  # type: ignore[misc]
        def __init__(self, window: Any) -> None:
            making(window)
            super().__init__(window)

        def load_html(self, *_: object) -> None:
            """pywebview's filler page would come after our own load, and replace it."""

    return Browser


class CocoaHost:
    """See ``host.contract.Host``.

    Raises:
        WebviewError: PyObjC is missing.
    """

    name = 'cocoa'

    def __init__(self, callbacks: Callbacks, options: HostOptions) -> None:
        self.callbacks = callbacks
        self.options = options
        self.objc: Any = None
        self.platform: Any = None
        self._webview: Any = None
        self._windows: dict[int, CocoaWindow] = {}
        self._next_id = 0
        self._running = False
        self._making: CocoaWindow | None = None
        self._posts = LateCalls()

    def create_window(self, spec: WindowSpec) -> CocoaWindow:
        window = CocoaWindow(self, self._next_id, spec)
        self._next_id += 1
        self._windows[window.id] = window
        if self._running:
            self._show(window)
        return window

    def _show(self, window: CocoaWindow) -> None:
        self._wrap(window)
        window.pywebview._initialize(gui=self.platform)
        self.platform.create_window(window.pywebview)

    def _wrap(self, window: CocoaWindow) -> None:
        spec = window.spec
        window.pywebview = self._webview.create_window(
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

    def _adopt(self, window: CocoaWindow) -> None:
        window.adopt(self.platform.BrowserView.instances[window.pywebview.uid])

    def _begin(self, pywebview: Any) -> None:
        self._making = next(window for window in self._windows.values() if window.pywebview is pywebview)

    def _configure(self) -> Any:
        return self.objc.make_configuration(self._making, self.options)

    def run(self) -> None:
        webview, platform = import_pywebview('cocoa')
        check_attributes(platform, RELIED_UPON)
        from socket_runtime.host.cocoa import _objc

        self.run_with(webview, platform, _objc)

    def run_with(self, webview: Any, platform: Any, objc: Any) -> None:
        """``run``, with the parts that only the system has."""
        self._webview, self.platform, self.objc = webview, platform, objc
        remove_bridge(platform)
        platform.WebKit = WebKitSeam(platform.WebKit, self._configure)
        platform.BrowserView = browser_class(platform.BrowserView, self._begin)
        platform.BrowserView.AppDelegate = objc.app_delegate_class(self)
        waiting = list(self._windows.values())
        first, others = waiting[0], waiting[1:]
        self._wrap(first)
        self._posts.ready()

        def started() -> None:
            self._running = True
            for window in others:
                self._show(window)

        self.post(started)
        webview.settings['ALLOW_FILE_URLS'] = False
        webview.settings['OPEN_DEVTOOLS_IN_DEBUG'] = False
        # not pywebview's private mode: it would empty the app's one default store, which is not ours to use
        webview.start(gui='cocoa', debug=False, private_mode=False)
        self._running = False
        # the keyboard's Quit inside the view leaves the loop with the windows open
        for window in list(self._windows.values()):
            window.closed()

    def closed(self, window: CocoaWindow) -> None:
        """A window has gone; pywebview leaves the loop with the last one."""
        self._windows.pop(window.id, None)
        self.callbacks.on_closed(window.id)

    def may_quit(self) -> bool:
        """Asked by the system's Quit. The windows are closed in order instead, so that ``run`` returns."""
        if all(window.may_close() for window in list(self._windows.values())):
            self.quit()
        return False

    def dialog_kind(self, kind: str) -> Any:
        """pywebview's name of a file dialog."""
        kinds = self._webview.FileDialog
        return {'open': kinds.OPEN, 'save': kinds.SAVE, 'directory': kinds.FOLDER}[kind]

    def screen_size(self) -> tuple[int, int]:
        if self.objc is None:
            from socket_runtime.host.cocoa import _objc

            self.objc = _objc
        width, height = self.objc.screen_size()
        return int(width), int(height)

    def quit(self) -> None:
        for window in list(self._windows.values()):
            window.destroy()

    def post(self, function: Callable[[], None]) -> None:
        self._posts.do(lambda: self.objc.call_after(function))

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        self.post(lambda: self.objc.call_later(seconds, function))
