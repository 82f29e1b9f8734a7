"""One window: Qt WebEngine's page, its signals, and the contract's verbs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from socket_runtime.host._parts import LateCalls, Loads, call_program, may_load, unwrap
from socket_runtime.host.contract import WindowSpec
from socket_runtime.host.qt.scheme import Job, QtRequest, QtResponder

if TYPE_CHECKING:
    from socket_runtime.host.qt.host import QtHost

__all__ = ['QtWindow']

#: Chromium's code for a load that was given up: by the page, by another load, or by our own refusal.
_ABORTED = -3


class QtWindow:
    """See ``host.contract.HostWindow``. Made by ``QtHost.create_window``."""

    def __init__(self, host: QtHost, number: int, spec: WindowSpec) -> None:
        self.id = number
        self.spec = spec
        self._host = host
        self._callbacks = host.callbacks
        self._loads = Loads(number, host.callbacks)
        self._late = LateCalls()
        self._asked: dict[int, Callable[[str | None], None]] = {}
        self._evaluations = 0
        # said by a script in a world of its own, which a page can neither hear nor imitate
        self._word = secrets.token_hex(16)
        self.pywebview: Any = None
        self._native: Any = None
        self._page: Any = None
        self._below: list[Any] = []
        self._inspector: Any = None
        self._last: dict[str, dict[str, object]] = {}
        self._crashed = False
        self._closed = False
        self._closing = False
        self.load(spec.url)

    # -- what the engine says -------------------------------------------------------------------------

    def make_page(self, _profile: Any, parent: Any) -> Any:
        """The page for pywebview's view, upon a profile of its own: a request names no page."""
        from socket_runtime.host.qt import _qt

        storage = self._host.options.storage
        profile = _qt.make_profile(None if storage is None else os.path.join(storage, f'window-{self.id}'))
        handlers = [_qt.SchemeHandler(handle) for handle in (self._asset, self._call)]
        for name, handler in zip(_qt.SCHEMES, handlers, strict=True):
            profile.installUrlSchemeHandler(_qt.byte_array(name), handler)
        self._page = _qt.Page(profile, parent, self)
        self._below = [profile, *handlers]
        return self._page

    def _asset(self, native: Any) -> None:
        job = Job(native)
        self._callbacks.on_asset(self.id, QtRequest(job), QtResponder(job, document=True))

    def _call(self, native: Any) -> None:
        job = Job(native)
        request, responder = QtRequest(job), QtResponder(job, document=False)

        def hand_on() -> None:
            if job.native is not None:
                self._callbacks.on_call(self.id, request, responder)

        self._loads.call(hand_on)

    def may_navigate(self, url: str, *, main_frame: bool, redirected: bool) -> bool:
        """Decide over a navigation, and get its document's preload ready."""
        if not may_load(self._callbacks, self.id, url, main_frame=main_frame):
            return False
        if main_frame and redirected:
            self._loads.redirect(url)
        elif main_frame:
            self._crashed = False
            self._set_scripts(self._loads.start(url))
        return True

    def _set_scripts(self, preload: str) -> None:
        from socket_runtime.host.qt._qt import page_script

        scripts = self._page.scripts()
        scripts.clear()
        scripts.insert(page_script(f"console.debug('{self._word} {self._loads.number}')", isolated=True))
        scripts.insert(page_script(preload, isolated=False))

    def asked_new_window(self, url: str) -> None:
        """A page wants a new window: the app is told, the engine opens none."""
        may_load(self._callbacks, self.id, url, main_frame=False, new_window=True)

    def console(self, message: str) -> None:
        """A line of the console. Ours says that a document has begun; the page's go by the preload."""
        word, _, number = message.partition(' ')
        if word == self._word and number.isdigit():
            self._loads.commit(int(number))

    def loaded(self) -> None:
        """The page has loaded; by then its document is there, heard of or not."""
        self._loads.commit(self._loads.number)
        self._callbacks.on_loaded(self.id)

    def stopped(self) -> None:
        """The load was given up."""
        self._loads.end()

    def failed(self, url: str, message: str, code: int) -> None:
        """The load failed. One that was given up is no failure, and its follower may be under way."""
        if code != _ABORTED:
            self._loads.end()
            self._callbacks.on_failed(self.id, url, message)

    def crashed(self, reason: str) -> None:
        """The page's process has ended."""
        if self._closed or reason == 'NormalTerminationStatus':
            return
        self._crashed = True
        self._loads.end()
        self._give_up()
        self._callbacks.on_crashed(self.id, reason)

    def close_requested(self) -> None:
        """The page called ``window.close()``."""
        self.destroy()

    # -- pywebview's window ---------------------------------------------------------------------------

    def adopt(self, browser: Any) -> None:
        """pywebview has built its window around our page."""
        from socket_runtime.host.qt._qt import Qt

        self._native = browser
        if self._host.options.developer:
            browser.webview.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        self._late.ready()

    def mark_loaded(self) -> None:
        """pywebview's own methods wait for these."""
        for name in ('before_load', '_pywebviewready', 'loaded'):
            getattr(self.pywebview.events, name).set()

    def may_close(self) -> bool:
        """Asked by pywebview; the answer ``False`` keeps the window."""
        return self._closing or self._callbacks.on_close(self.id)

    def closed(self) -> None:
        """The window is gone."""
        if self._closed:
            return
        self._closed = True
        self._give_up()
        native, page, below, inspector = self._native, self._page, self._below, self._inspector
        self._native = self._page = self._inspector = None
        self._below = []
        self._host.closed(self)

        def delete() -> None:
            from socket_runtime.host.qt._qt import discard

            # the page before its profile, the profile before its handlers, and last what pywebview has made
            rest = list(vars(native).values()) if native is not None else []
            discard(inspector, page, native, *below, *rest)

        self._host.post(delete)

    def _give_up(self) -> None:
        asked, self._asked = self._asked, {}
        for done in asked.values():
            done(None)

    def event(self, name: str, **detail: object) -> None:
        """Tell of a change once; Qt repeats itself."""
        kind = 'focus' if name == 'blur' else name
        told = {'name': name, **detail}
        if not self._closed and self._last.get(kind) != told:
            self._last[kind] = told
            self._callbacks.on_window_event(self.id, name, dict(detail))

    def state_changed(self, *, minimized: bool, maximized: bool) -> None:
        """The window was made larger or smaller as a whole."""
        name = 'minimize' if minimized else 'maximize' if maximized else 'restore'
        if self._last.get('state') != {'name': name}:
            self._last['state'] = {'name': name}
            self._callbacks.on_window_event(self.id, name, {})

    # -- the contract's verbs -------------------------------------------------------------------------

    def _do(self, function: Callable[[Any], object]) -> None:
        """Call ``function`` with the native window: now, when it is there, or never if it has closed."""

        def go() -> None:
            if not self._closed:
                function(self._native)

        self._late.do(go)

    def load(self, url: str) -> None:
        def go(native: Any) -> None:
            from socket_runtime.host.qt._qt import QUrl

            self._page.setUrl(QUrl(url))

        self._do(go)

    def reload(self) -> None:
        if self._crashed:
            self.load(self._loads.url or self.spec.url)
        else:
            self._do(lambda native: self._page.triggerAction(self._page.WebAction.ReloadAndBypassCache))

    def evaluate(self, body: str, argument: str, done: Callable[[str | None], None] | None = None) -> None:
        if self._page is None or self._closed or self._crashed:
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

        self._page.runJavaScript(call_program(body, argument), 0, finished)

    def offer_file(self, fd: int, name: str, done: Callable[[bool], None]) -> None:
        done(False)

    def screenshot(self, path: str, done: Callable[[bool], None]) -> None:
        done(bool(self._native is not None and self._native.webview.grab().save(path, 'PNG')))

    def destroy(self) -> None:
        self._closing = True
        self._do(lambda native: native.close())

    def show(self) -> None:
        self._do(lambda native: native.show())

    def hide(self) -> None:
        self._do(lambda native: native.hide())

    def focus(self) -> None:
        def go(native: Any) -> None:
            native.raise_()
            native.activateWindow()

        self._do(go)

    def set_title(self, title: str) -> None:
        self._do(lambda native: native.setWindowTitle(title))

    def get_size(self) -> tuple[int, int]:
        if self._native is None:
            return self.spec.width, self.spec.height
        return self._native.width(), self._native.height()

    def set_size(self, width: int, height: int) -> None:
        def go(native: Any) -> None:
            if self.spec.resizable:
                native.resize(width, height)
            else:
                native.setFixedSize(width, height)

        self._do(go)

    def get_position(self) -> tuple[int, int]:
        if self._native is None:
            return self.spec.x or 0, self.spec.y or 0
        return self._native.x(), self._native.y()

    def set_position(self, x: int, y: int) -> None:
        self._do(lambda native: native.move(x, y))

    def maximize(self) -> None:
        self._do(lambda native: native.showMaximized())

    def minimize(self) -> None:
        self._do(lambda native: native.showMinimized())

    def restore(self) -> None:
        self._do(lambda native: native.showNormal())

    def set_fullscreen(self, on: bool) -> None:
        self._do(lambda native: native.showFullScreen() if on else native.showNormal())

    def set_background(self, color: str) -> None:
        def go(native: Any) -> None:
            from socket_runtime.host.qt._qt import QColor

            self._page.setBackgroundColor(QColor(color))

        self._do(go)

    def show_inspector(self) -> None:
        def go(native: Any) -> None:
            from socket_runtime.host.qt._qt import QWebEngineView

            if self._inspector is None:
                self._inspector = QWebEngineView()
                self._page.setDevToolsPage(self._inspector.page())
            self._inspector.show()

        if self._host.options.developer:
            self._do(go)

    def choose_files(self, kind: str, title: str, multiple: bool, name: str) -> list[str]:
        from socket_runtime.host.qt._qt import choose_files

        return choose_files(self._native, kind, title, multiple, name)
