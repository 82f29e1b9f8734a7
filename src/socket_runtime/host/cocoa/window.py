"""One window: WKWebView's delegates as plain Python, and the contract's verbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from socket_runtime.host._parts import LateCalls, may_load, unwrap
from socket_runtime.host.cocoa.scheme import CocoaRequest, CocoaResponder, NativeTask, TaskAnswer
from socket_runtime.host.contract import WindowSpec

if TYPE_CHECKING:
    from socket_runtime.host.cocoa.host import CocoaHost

__all__ = ['CocoaWindow']

#: Errors that mean "given up", by the page, by another load or by our own refusal: domain and code.
GIVEN_UP = (('NSURLErrorDomain', -999), ('WebKitErrorDomain', 102))

#: A constant, around a body that is one as well: the data is the one argument, as JSON (B3), and what comes
#: back is JSON again, in an array so that ``undefined`` has a form.
_AROUND = 'return JSON.stringify([await (async function (argument) {{\n{body}\n}})(JSON.parse(argument))])'


class CocoaWindow:
    """See ``host.contract.HostWindow``. Made by ``CocoaHost.create_window``."""

    def __init__(self, host: CocoaHost, number: int, spec: WindowSpec) -> None:
        self.id = number
        self.spec = spec
        self._host = host
        self._callbacks = host.callbacks
        self._late = LateCalls()
        self._answers: dict[Any, TaskAnswer] = {}
        self._asked: dict[int, Callable[[str | None], None]] = {}
        self._evaluations = 0
        self.pywebview: Any = None
        # pywebview's BrowserView; its .window is the NSWindow, its .webview the WKWebView
        self._browser: Any = None
        self._kept: Any = None
        self._url = spec.url
        self._crashed = False
        self._closed = False
        self._closing = False
        self._last: dict[str, dict[str, object]] = {'state': {'name': 'maximize' if spec.maximized else 'restore'}}
        self.developer = host.options.developer
        self.load(spec.url)

    # -- scheme tasks ---------------------------------------------------------------------------------

    def task_started(self, scheme: str, key: Any, native: NativeTask) -> None:
        """A page asks for something; ``key`` is what WebKit will stop it by."""
        answer = self._answers[key] = TaskAnswer(native)
        request, responder = CocoaRequest(native), CocoaResponder(answer, self._host.post)
        handle = self._callbacks.on_call if scheme == 'ipc' else self._callbacks.on_asset
        handle(self.id, request, responder)

    def task_stopped(self, key: Any) -> None:
        """WebKit wants no more of an answer."""
        answer = self._answers.pop(key, None)
        if answer is not None:
            answer.stop()

    def task_finished(self, key: Any) -> None:
        """The answer was given to its end."""
        self._answers.pop(key, None)

    # -- navigation -----------------------------------------------------------------------------------

    def may_navigate(self, url: str, *, main_frame: bool, new_window: bool) -> bool:
        """Decide over a navigation, and over each of its redirects."""
        return may_load(self._callbacks, self.id, url, main_frame=main_frame, new_window=new_window)

    def started(self, url: str) -> None:
        """A top-level load begins: its document gets a preload of its own."""
        self._url = url
        self._crashed = False
        script = self._callbacks.on_start(self.id, url)
        self._host.objc.set_preload(self._browser.webview, script)

    def committed(self, url: str) -> None:
        """The document has replaced the former one."""
        self._url = url
        self._callbacks.on_commit(self.id, url)

    def loaded(self) -> None:
        """The page has loaded. pywebview's own methods wait for these events."""
        for name in ('before_load', '_pywebviewready', 'loaded'):
            getattr(self.pywebview.events, name).set()
        self._callbacks.on_loaded(self.id)

    def failed(self, url: str, message: str, domain: str, code: int) -> None:
        """A load failed, before its commit or after."""
        if (domain, code) not in GIVEN_UP:
            self._callbacks.on_failed(self.id, url or self._url, message)

    def crashed(self) -> None:
        """The page's process has ended; WebKit does not say why."""
        if not self._closed:
            self._crashed = True
            self._give_up()
            self._callbacks.on_crashed(self.id, 'terminated')

    # -- pywebview's window ---------------------------------------------------------------------------

    def adopt(self, browser: Any) -> None:
        """pywebview has built its window and view: take its bridge off, put our delegates on."""
        self._browser = browser
        self._kept = self._host.objc.adopt(self, browser)
        self._late.ready()

    def may_close(self) -> bool:
        """Asked by pywebview; the answer ``False`` keeps the window."""
        return self._closing or self._callbacks.on_close(self.id)

    def closed(self) -> None:
        """The window is gone."""
        if self._closed:
            return
        self._closed = True
        self._give_up()
        for answer in list(self._answers.values()):
            answer.stop()
        self._answers.clear()
        self._host.closed(self)

    def _give_up(self) -> None:
        asked, self._asked = self._asked, {}
        for done in asked.values():
            done(None)

    def event(self, name: str, **detail: object) -> None:
        """Tell of a change, once."""
        kind = {'blur': 'focus', 'minimize': 'state', 'maximize': 'state', 'restore': 'state'}.get(name, name)
        told = {'name': name, **detail}
        if not self._closed and self._last.get(kind) != told:
            self._last[kind] = told
            self._callbacks.on_window_event(self.id, name, dict(detail))

    # -- the contract's verbs -------------------------------------------------------------------------

    def _do(self, function: Callable[[Any], object]) -> None:
        """Call ``function`` with pywebview's window: now, when it is there, or never if it has closed."""

        def go() -> None:
            if not self._closed:
                function(self._browser)

        self._late.do(go)

    def load(self, url: str) -> None:
        self._do(lambda browser: self._host.objc.load(browser.webview, url))

    def reload(self) -> None:
        if self._crashed:
            self.load(self._url)
        else:
            self._do(lambda browser: browser.webview.reloadFromOrigin())

    def evaluate(self, body: str, argument: str, done: Callable[[str | None], None] | None = None) -> None:
        if self._browser is None or self._closed or self._crashed:
            if done is not None:
                done(None)
            return
        number = self._evaluations = self._evaluations + 1
        if done is not None:
            self._asked[number] = done

        def finished(result: object) -> None:
            asked = self._asked.pop(number, None)
            if asked is not None:
                asked(unwrap(result))

        self._host.objc.call_script(self._browser.webview, _AROUND.format(body=body), argument, finished)

    def offer_file(self, fd: int, name: str, done: Callable[[bool], None]) -> None:
        done(False)

    def screenshot(self, path: str, done: Callable[[bool], None]) -> None:
        if self._browser is None or self._closed:
            done(False)
        else:
            self._host.objc.snapshot(self._browser.webview, path, done)

    def destroy(self) -> None:
        self._closing = True
        self._do(lambda browser: browser.window.close())

    def show(self) -> None:
        self._do(lambda browser: browser.show())

    def hide(self) -> None:
        self._do(lambda browser: browser.hide())

    def focus(self) -> None:
        self._do(lambda browser: browser.show())

    def set_title(self, title: str) -> None:
        self._do(lambda browser: browser.set_title(title))

    def get_size(self) -> tuple[int, int]:
        if self._browser is None or self._closed:
            return self.spec.width, self.spec.height
        size = self._browser.window.frame().size
        return int(size.width), int(size.height)

    def set_size(self, width: int, height: int) -> None:
        self._do(lambda browser: self._host.objc.resize(browser, width, height))

    def get_position(self) -> tuple[int, int]:
        if self._browser is None or self._closed:
            return self.spec.x or 0, self.spec.y or 0
        x, y = self._host.platform.get_position(self._browser.uid)
        return int(x), int(y)

    def set_position(self, x: int, y: int) -> None:
        self._do(lambda browser: browser.move(x, y))

    def maximize(self) -> None:
        self._do(lambda browser: browser.window.isZoomed() or browser.window.zoom_(None))

    def minimize(self) -> None:
        self._do(lambda browser: browser.minimize())

    def restore(self) -> None:
        def go(browser: Any) -> None:
            if browser.window.isMiniaturized():
                browser.restore()
            elif browser.window.isZoomed():
                browser.window.zoom_(None)

        self._do(go)

    def set_fullscreen(self, on: bool) -> None:
        def go(browser: Any) -> None:
            # asked of the window: the user can leave full screen without pywebview's noticing
            browser.is_fullscreen = self._host.objc.is_fullscreen(browser.window)
            if browser.is_fullscreen != on:
                browser.toggle_fullscreen()

        self._do(go)

    def set_background(self, color: str) -> None:
        self._do(lambda browser: browser.window.setBackgroundColor_(browser.nscolor_from_hex(color)))

    def show_inspector(self) -> None:
        if self._host.options.developer:
            self._do(lambda browser: browser._open_web_inspector(browser.webview))

    def choose_files(self, kind: str, title: str, multiple: bool, name: str) -> list[str]:
        if self._browser is None or self._closed:
            return []
        chosen = self._browser.create_file_dialog(
            self._host.dialog_kind(kind), '', multiple and kind != 'save', name, [], main_thread=True
        )
        return [str(chosen)] if isinstance(chosen, str) else [str(path) for path in chosen or ()]
