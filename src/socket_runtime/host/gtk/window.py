"""One window: WebKit's view, its signals, and the contract's verbs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from socket_runtime.host.contract import WindowSpec
from socket_runtime.host.gtk._gi import Gdk, GLib, Gtk, WebKit

if TYPE_CHECKING:
    from socket_runtime.host.gtk.host import GtkHost

__all__ = ['GtkWindow']

#: Seconds that a page may take to begin a reload before its process is taken for hung and ended.
HUNG_AFTER = 2.0

#: Runs in the page: the preload's receiver clicks its own file input, which WebKit accepts from us alone.
_PICK = "return globalThis[Symbol.for('socket.runtime.host')].pick()"


class GtkWindow:
    """See ``host.contract.HostWindow``. Made by ``GtkHost.create_window``."""

    def __init__(self, host: GtkHost, number: int, spec: WindowSpec) -> None:
        self.id = number
        self.spec = spec
        self._host = host
        self._callbacks = host.callbacks
        self.view, self._manager = host.shared.prepare_view()
        self.pywebview: Any = None
        self._native: Any = None
        self._offers: deque[tuple[int, Callable[[bool], None]]] = deque()
        self._picking = False
        self._shown = spec.url
        self._starts = 0
        self._crashed = False
        self._closed = False
        self._connect()
        self.load(spec.url)

    # -- signals of the view -------------------------------------------------------------------------

    def _connect(self) -> None:
        listen = self.view.listen
        listen('load-changed', self._load_changed)
        listen('notify::uri', self._uri_changed)
        listen('load-failed', self._load_failed)
        listen('decide-policy', self._decide_policy)
        listen('web-process-terminated', self._terminated)
        listen('run-file-chooser', self._run_file_chooser)
        listen('permission-request', self._permission_request)
        listen('context-menu', self._context_menu)
        listen('close', lambda _view: self.destroy())

    def _load_changed(self, view: Any, event: Any) -> None:
        url = view.get_uri() or ''
        if event == WebKit.LoadEvent.STARTED:
            self._starts += 1
            self._crashed = False
            # the document to come gets a preload of its own; the message precedes the page's first byte
            script = self._callbacks.on_start(self.id, url)
            self._manager.remove_all_scripts()
            self._manager.add_script(
                WebKit.UserScript.new(
                    script,
                    WebKit.UserContentInjectedFrames.TOP_FRAME,
                    WebKit.UserScriptInjectionTime.START,
                    None,
                    None,
                )
            )
        elif event == WebKit.LoadEvent.COMMITTED:
            self._callbacks.on_commit(self.id, url)
            if self._is_for_frames(url):
                self.load(self._shown)  # it came too quickly to be stopped
            else:
                self._shown = url
        elif event == WebKit.LoadEvent.FINISHED:
            if self.pywebview is not None:
                for done in ('before_load', '_pywebviewready', 'loaded'):
                    getattr(self.pywebview.events, done).set()
            self._callbacks.on_loaded(self.id)

    def _load_failed(self, _view: Any, _event: Any, url: str, error: Any) -> bool:
        if not error.matches(WebKit.network_error_quark(), int(WebKit.NetworkError.CANCELLED)):
            self._callbacks.on_failed(self.id, url, error.message)
        return True  # no error page of WebKit's: it would be a document without policy

    def _decide_policy(self, _view: Any, decision: Any, kind: Any) -> bool:
        types = WebKit.PolicyDecisionType
        if kind == types.RESPONSE:
            if decision.is_mime_type_supported():
                decision.use()
            else:
                decision.ignore()
            return True
        url = decision.get_navigation_action().get_request().get_uri()
        new_window = kind == types.NEW_WINDOW_ACTION
        if self._is_for_frames(url) and not new_window:
            decision.use()
            return True
        if self._callbacks.on_navigate(self.id, url, new_window) and not new_window:
            decision.use()
        else:
            decision.ignore()
        return True

    def _is_for_frames(self, url: str) -> bool:
        """Whether only a frame may show ``url``. WebKit asks about frames too, and does not say which it is;
        what frames may show is the page's policy's affair, and no frame has the token (A6)."""
        return url.startswith(('about:srcdoc', 'data:', f'blob:{self._host.shared.options.origin}/'))

    def _uri_changed(self, view: Any, _property: Any) -> None:
        url = view.get_uri() or ''
        if self._is_for_frames(url):
            # `_decide_policy` could not tell: it is the top document after all that goes there
            view.stop_loading()
            self._callbacks.on_navigate(self.id, url, False)

    def _terminated(self, _view: Any, reason: Any) -> None:
        if self._closed:
            return
        self._crashed = True
        self._callbacks.on_crashed(self.id, reason.value_nick)

    def _permission_request(self, _view: Any, request: Any) -> bool:
        request.deny()
        return True

    def _context_menu(self, _view: Any, _menu: Any, _event: Any, hit: Any) -> bool:
        """WebKit's menu has the inspector in development; later, only what editing needs."""
        return not (self._host.shared.options.developer or hit.context_is_editable() or hit.context_is_selection())

    def _run_file_chooser(self, _view: Any, request: Any) -> bool:
        if not self._offers:
            return False  # the user's own click on a file input: the system's dialog
        fd, done = self._offers.popleft()
        # the process's own name for the descriptor: what was checked is what is read (C4)
        request.select_files([f'/proc/{os.getpid()}/fd/{fd}'])
        done(True)
        return True

    # -- pywebview's window ---------------------------------------------------------------------------

    def adopt(self, browser: Any) -> None:
        """pywebview has built its window around our view: take its bridge off, listen to its window."""
        browser.manager.unregister_script_message_handler('jsBridge')
        self._host.shared.configure(self.view)
        self.view.set_opacity(1.0)
        native = self._native = browser.window
        native.disconnect_by_func(browser.close_window)
        native.connect('delete-event', self._delete_event, browser)
        native.connect('size-allocate', self._size_allocate)
        native.connect('configure-event', self._configure_event)
        native.connect('window-state-event', self._state_event)
        native.connect('focus-in-event', lambda *_: self._event('focus'))
        native.connect('focus-out-event', lambda *_: self._event('blur'))

    def _delete_event(self, _native: Any, event: Any, browser: Any) -> bool:
        if self._closed:
            return True
        if not self._callbacks.on_close(self.id):
            return True
        self._finish(browser)
        return True

    def _finish(self, browser: Any) -> None:
        self._closed = True
        while self._offers:
            self._offers.popleft()[1](False)
        self._host.shared.forget(self.view)
        if self._host.is_last(self):
            # left to itself, a page that hangs would outlive the app by WebKit's own ten seconds
            self.view.terminate_web_process()
        browser.close_window()
        self._host.closed(self)

    def _event(self, name: str, **detail: object) -> None:
        if not self._closed:
            self._callbacks.on_window_event(self.id, name, detail)

    _size = (0, 0)
    _place = (-1, -1)

    def _size_allocate(self, _native: Any, allocation: Any) -> None:
        size = (allocation.width, allocation.height)
        if size != self._size:
            self._size = size
            self._event('resize', width=size[0], height=size[1])

    def _configure_event(self, _native: Any, event: Any) -> bool:
        place = (event.x, event.y)
        if place != self._place:
            self._place = place
            self._event('move', x=place[0], y=place[1])
        return False

    def _state_event(self, _native: Any, event: Any) -> bool:
        states = Gdk.WindowState
        for flag, name in ((states.ICONIFIED, 'minimize'), (states.MAXIMIZED, 'maximize')):
            if event.changed_mask & flag:
                self._event(name if event.new_window_state & flag else 'restore')
        return False

    # -- the contract's verbs -------------------------------------------------------------------------

    def load(self, url: str) -> None:
        self.view.load_uri(url)

    def reload(self) -> None:
        url = self.view.get_uri() or self.spec.url
        if self._crashed or not self.view.get_is_web_process_responsive():
            self._restart(url)
            return
        starts = self._starts
        self.view.reload_bypass_cache()

        def check() -> None:
            if self._starts == starts and not self._closed:
                self._restart(url)

        self._host.post_later(HUNG_AFTER, check)

    def _restart(self, url: str) -> None:
        if not self._crashed:
            self.view.terminate_web_process()
        self.view.load_uri(url)

    def evaluate(self, body: str, argument: str, done: Callable[[str | None], None] | None = None) -> None:
        arguments = GLib.Variant('a{sv}', {'argument': GLib.Variant('s', argument)})

        def finished(view: Any, task: Any, *_: object) -> None:
            try:
                value = view.call_async_javascript_function_finish(task)
                result = value.to_json(0) if value is not None else None
            except GLib.Error:
                result = None  # the script threw, or the page went away meanwhile
            if done is not None:
                done(result)

        self.view.call_async_javascript_function(body, -1, arguments, None, None, None, finished)

    def offer_file(self, fd: int, name: str, done: Callable[[bool], None]) -> None:
        self._offers.append((fd, done))
        if not self._picking:
            self._pick()

    def _pick(self) -> None:
        """Have the page ask for the first offer. One at a time: WebKit drops a chooser for the next one."""
        offer = self._offers[0]
        self._picking = True

        def picked(_result: str | None) -> None:
            self._picking = False
            if self._offers and self._offers[0] is offer:  # nobody asked: no preload in this document
                self._offers.popleft()[1](False)
            if self._offers:
                self._pick()

        self.evaluate(_PICK, '', picked)

    def screenshot(self, path: str, done: Callable[[bool], None]) -> None:
        drawable = self.view.get_window()
        picture = drawable and Gdk.pixbuf_get_from_window(drawable, 0, 0, *self.get_size())
        done(bool(picture) and picture.savev(path, 'png', [], []))

    def destroy(self) -> None:
        if self._native is not None and not self._closed:
            from webview.platforms.gtk import BrowserView

            self._finish(BrowserView.instances[self.pywebview.uid])

    def show(self) -> None:
        self._native.show_all()
        self._native.present()

    def hide(self) -> None:
        self._native.hide()

    def focus(self) -> None:
        self._native.present()

    def set_title(self, title: str) -> None:
        self._native.set_title(title)

    def get_size(self) -> tuple[int, int]:
        size = self._native.get_size()
        return size[0], size[1]

    def set_size(self, width: int, height: int) -> None:
        self._native.resize(width, height)

    def get_position(self) -> tuple[int, int]:
        place = self._native.get_position()
        return place[0], place[1]

    def set_position(self, x: int, y: int) -> None:
        self._native.move(x, y)

    def maximize(self) -> None:
        self._native.maximize()

    def minimize(self) -> None:
        self._native.iconify()

    def restore(self) -> None:
        self._native.unmaximize()
        self._native.deiconify()
        self._native.present()

    def set_fullscreen(self, on: bool) -> None:
        if on:
            self._native.fullscreen()
        else:
            self._native.unfullscreen()

    def set_background(self, color: str) -> None:
        rgba = Gdk.RGBA()
        if rgba.parse(color):
            self.view.set_background_color(rgba)

    def show_inspector(self) -> None:
        if self._host.shared.options.developer:
            self.view.get_inspector().show()

    def choose_files(self, kind: str, title: str, multiple: bool, name: str) -> list[str]:
        """The system's file dialog: ``kind`` is ``open``, ``save`` or ``directory``. Blocks like any
        dialog, while the loop goes on."""
        action = {
            'open': Gtk.FileChooserAction.OPEN,
            'save': Gtk.FileChooserAction.SAVE,
            'directory': Gtk.FileChooserAction.SELECT_FOLDER,
        }[kind]
        dialog = Gtk.FileChooserNative.new(title or None, self._native, action, None, None)
        dialog.set_select_multiple(multiple and kind != 'save')
        if kind == 'save':
            dialog.set_current_name(name)
            dialog.set_do_overwrite_confirmation(True)
        chosen = dialog.get_filenames() if dialog.run() == Gtk.ResponseType.ACCEPT else []
        dialog.destroy()
        return list(chosen)
