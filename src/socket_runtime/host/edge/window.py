"""One window: WebView2's events as plain Python, and the contract's verbs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from socket_runtime.host._parts import LateCalls, Loads, call_program, may_load, unwrap
from socket_runtime.host.contract import WindowSpec
from socket_runtime.host.edge.preload import PreloadBook, in_top_frame
from socket_runtime.host.edge.scheme import EdgeRequest, EdgeResponder, NativeRequest

if TYPE_CHECKING:
    from socket_runtime.host.edge.host import EdgeHost

__all__ = ['EdgeWindow']

#: Processes whose end takes the page with them (``CoreWebView2ProcessFailedKind``).
_FATAL = ('RenderProcessExited', 'BrowserProcessExited')

#: ``CoreWebView2WebErrorStatus`` of a load that was given up: by the page, by another load, or by our refusal.
_GIVEN_UP = 'OperationCanceled'


class EdgeWindow:
    """See ``host.contract.HostWindow``. Made by ``EdgeHost.create_window``."""

    def __init__(self, host: EdgeHost, number: int, spec: WindowSpec) -> None:
        self.id = number
        self.spec = spec
        self._host = host
        self._callbacks = host.callbacks
        self._loads = Loads(number, host.callbacks)
        # navigation ids of WebView2, and the numbers of our loads
        self._numbers: dict[int, int] = {}
        self._with_form = LateCalls()
        self._with_page = LateCalls()
        self._asked: dict[int, Callable[[str | None], None]] = {}
        self._evaluations = 0
        self.pywebview: Any = None
        self._form: Any = None
        # ``_net.Core``, around CoreWebView2
        self._core: Any = None
        self._preloads: PreloadBook | None = None
        self._crashed = False
        self._closed = False
        self._closing = False
        self._last: dict[str, dict[str, object]] = {'state': {'name': 'maximize' if spec.maximized else 'restore'}}
        self.load(spec.url)

    # -- what the engine says -------------------------------------------------------------------------

    def ready(self, core: Any) -> None:
        """WebView2 has been made; nothing has loaded yet."""
        self._core = core
        self._preloads = PreloadBook(core.add_preload, core.remove_preload)
        self._with_page.ready()

    def not_ready(self, message: str) -> None:
        """WebView2 could not be made."""
        self._callbacks.on_failed(self.id, self.spec.url, message)

    def requested(self, native: NativeRequest) -> None:
        """A page asks for something of ours."""
        request = EdgeRequest(native)
        responder = EdgeResponder(native, partial(self._when, native.is_document), self._host.post)
        if native.uri[:4].lower() == 'ipc:':
            self._loads.call(lambda: self._callbacks.on_call(self.id, request, responder))
        else:
            self._callbacks.on_asset(self.id, request, responder)

    def _when(self, is_document: bool, answer: Callable[[], None]) -> None:
        """Run ``answer`` as soon as it may be: a document waits for its preload, and a window's end ends all."""

        def go() -> None:
            if not self._closed:
                answer()

        if is_document and self._preloads is not None:
            self._preloads.when_ready(go)
        else:
            go()

    def may_navigate(self, url: str, navigation: int, *, redirected: bool) -> bool:
        """Decide over the top document's navigation, and have its preload registered."""
        if not may_load(self._callbacks, self.id, url, main_frame=True):
            return False
        if redirected and navigation in self._numbers:
            self._loads.redirect(url)
            return True
        self._crashed = False
        script = self._loads.start(url)
        self._numbers = {navigation: self._loads.number}
        if self._preloads is not None:
            self._preloads.replace(in_top_frame(script))
        return True

    def may_navigate_frame(self, url: str) -> bool:
        """Decide over a frame's navigation."""
        return may_load(self._callbacks, self.id, url, main_frame=False)

    def asked_new_window(self, url: str) -> None:
        """A page wants a new window: the app is told, the engine opens none."""
        may_load(self._callbacks, self.id, url, main_frame=False, new_window=True)

    def content_loading(self, navigation: int, *, error_page: bool) -> None:
        """A new document is there, or an empty one because of an error."""
        number = self._numbers.get(navigation)
        if number is not None and not error_page:
            self._loads.commit(number)

    def completed(self, navigation: int, *, success: bool, status: str) -> None:
        """A load is over."""
        if success:
            for name in ('before_load', '_pywebviewready', 'loaded'):
                getattr(self.pywebview.events, name).set()
            self._callbacks.on_loaded(self.id)
        elif status != _GIVEN_UP:
            url = self._loads.url
            self._loads.end()
            self._callbacks.on_failed(self.id, url, status)
        elif self._numbers.get(navigation) == self._loads.number:
            self._loads.end()

    def process_failed(self, kind: str) -> None:
        """A process of the engine has ended, or hangs."""
        if kind in _FATAL and not self._closed:
            self._crashed = True
            self._loads.end()
            self._give_up()
            self._callbacks.on_crashed(self.id, kind)

    # -- pywebview's window ---------------------------------------------------------------------------

    def adopt(self, form: Any) -> None:
        """pywebview has built its form; the view in it comes later."""
        self._form = form
        self._host.net.watch_form(self, form)
        self._with_form.ready()

    def may_close(self) -> bool:
        """Asked by pywebview; the answer ``False`` keeps the window."""
        return self._closing or self._callbacks.on_close(self.id)

    def closed(self) -> None:
        """The window is gone."""
        if self._closed:
            return
        self._closed = True
        self._give_up()
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

    def moved_or_resized(self, state: str) -> None:
        """The form has changed; ``state`` is its ``FormWindowState``."""
        self.event({'Minimized': 'minimize', 'Maximized': 'maximize'}.get(state, 'restore'))
        if state != 'Minimized':
            width, height = self.get_size()
            self.event('resize', width=width, height=height)
            x, y = self.get_position()
            self.event('move', x=x, y=y)

    # -- the contract's verbs -------------------------------------------------------------------------

    def _do(self, function: Callable[[Any], object]) -> None:
        """Call ``function`` with pywebview's form: now, when it is there, or never if it has closed."""

        def go() -> None:
            if not self._closed:
                function(self._form)

        self._with_form.do(go)

    def load(self, url: str) -> None:
        def go() -> None:
            if not self._closed:
                self._core.navigate(url)

        self._with_page.do(go)

    def reload(self) -> None:
        if self._crashed:
            self.load(self._loads.url or self.spec.url)
        elif self._core is not None and not self._closed:
            self._core.reload()

    def evaluate(self, body: str, argument: str, done: Callable[[str | None], None] | None = None) -> None:
        if self._core is None or self._closed or self._crashed:
            if done is not None:
                done(None)
            return
        number = self._evaluations = self._evaluations + 1
        if done is not None:
            self._asked[number] = done

        def finished(result: str | None) -> None:
            asked = self._asked.pop(number, None)
            if asked is not None:
                # WebView2 gives the JSON of the program's value, which is JSON itself
                asked(unwrap(json.loads(result)) if result else None)

        self._core.execute(call_program(body, argument), finished)

    def offer_file(self, fd: int, name: str, done: Callable[[bool], None]) -> None:
        done(False)

    def screenshot(self, path: str, done: Callable[[bool], None]) -> None:
        if self._core is None or self._closed:
            done(False)
        else:
            self._core.capture(path, done)

    def destroy(self) -> None:
        self._closing = True
        self._do(lambda form: form.Close())

    def show(self) -> None:
        self._do(lambda form: form.show())

    def hide(self) -> None:
        self._do(lambda form: form.Hide())

    def focus(self) -> None:
        self._do(lambda form: form.Activate())

    def set_title(self, title: str) -> None:
        self._do(lambda form: self._host.platform.set_title(title, form.uid))

    def get_size(self) -> tuple[int, int]:
        if self._form is None or self._closed:
            return self.spec.width, self.spec.height
        size = self._host.platform.get_size(self._form.uid)
        return (int(size[0]), int(size[1])) if size else (self.spec.width, self.spec.height)

    def set_size(self, width: int, height: int) -> None:
        self._do(lambda form: self._host.resize(form, width, height))

    def get_position(self) -> tuple[int, int]:
        if self._form is None or self._closed:
            return self.spec.x or 0, self.spec.y or 0
        place = self._host.platform.get_position(self._form.uid)
        return (int(place[0]), int(place[1])) if place else (self.spec.x or 0, self.spec.y or 0)

    def set_position(self, x: int, y: int) -> None:
        self._do(lambda form: form.move(x, y))

    def maximize(self) -> None:
        self._do(lambda form: form.maximize())

    def minimize(self) -> None:
        self._do(lambda form: form.minimize())

    def restore(self) -> None:
        self._do(lambda form: form.restore())

    def set_fullscreen(self, on: bool) -> None:
        self._do(lambda form: None if form.is_fullscreen == on else form.toggle_fullscreen())

    def set_background(self, color: str) -> None:
        self._do(lambda form: self._host.net.set_background(form, color))

    def show_inspector(self) -> None:
        if self._host.options.developer and self._core is not None and not self._closed:
            self._core.inspect()

    def choose_files(self, kind: str, title: str, multiple: bool, name: str) -> list[str]:
        if self._form is None or self._closed:
            return []
        dialog = self._host.dialog_kind(kind)
        chosen = self._host.platform.create_file_dialog(dialog, '', multiple, name, (), self._form.uid)
        return [str(path) for path in chosen or ()]
