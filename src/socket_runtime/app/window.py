"""A window, as Python steers it. Every method may be called from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from socket_runtime.app.events import EventQueue
from socket_runtime.errors import UsageError

if TYPE_CHECKING:
    from socket_runtime.app.application import App
    from socket_runtime.host.contract import HostWindow, WindowSpec

__all__ = ['Window']

T = TypeVar('T')

#: A constant program: the preload's receiver takes the batch of events.
_DELIVER = "return globalThis[Symbol.for('socket.runtime.host')].deliver(argument)"

#: Resolves once the page's load event has happened.
_LOADED = "return globalThis[Symbol.for('socket.runtime.host')].loaded()"

#: For so long after its load event a page's errors count as errors of its start, in seconds.
_BEGINNING = 2.0


class Window:
    """One window of a running app; ``App.create_window`` makes them.

    Attributes:
        index: the window's number, 0 for the first.
    """

    def __init__(self, app: App, native: HostWindow, spec: WindowSpec) -> None:
        self._app = app
        self._native = native
        self._title = spec.title
        self._background = spec.background
        self.index = native.id
        self._loaded_at = 0.0
        self._changes = 0
        self.loaded = threading.Event()
        self.events = EventQueue(app.post, lambda batch, done: native.evaluate(_DELIVER, batch, done))

    def page_loaded(self) -> None:
        """The page has loaded; GUI's thread."""
        self._loaded_at = time.monotonic()
        self.loaded.set()
        self.events.start()

    def when_loaded(self, function: Callable[[], None]) -> None:
        """Call ``function`` at the page's load event, unless another page comes first; GUI's thread.

        WebKit says that a page has loaded as soon as nothing is under way, which may be between two of its
        modules: before the page listens to anything.
        """
        changes = self._changes

        def loaded(_result: str | None) -> None:
            if changes == self._changes:
                function()

        self._native.evaluate(_LOADED, '', loaded)

    def page_changed(self) -> None:
        """Another page comes, or the former one crashed; GUI's thread."""
        self._changes += 1
        self._loaded_at = 0.0
        self.loaded.clear()
        self.events.stop()

    @property
    def is_loading(self) -> bool:
        """Whether the page still loads, or has loaded only just now: its scripts still begin."""
        return not self._loaded_at or time.monotonic() - self._loaded_at < _BEGINNING

    def __repr__(self) -> str:
        return f'<Window {self.index} {self._title!r}>'

    def _do(self, function: Callable[[], T]) -> T:
        """Run on the GUI's thread; waits for the result on any other."""
        if self._app.on_gui_thread:
            return function()
        done = threading.Event()
        result: list[T] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                result.append(function())
            except Exception as error:  # carried to the thread that asked
                errors.append(error)
            finally:
                done.set()

        self._app.post(run)
        done.wait()
        if errors:
            raise errors[0]
        return result[0]

    def emit(self, name: str, detail: Any = None) -> None:
        """Send an event to the page: ``window.addEventListener(name, e => e.detail)`` there.

        Events are delivered in order, once the page has loaded. On a thread other than the GUI's this
        waits while very many are queued.
        """
        self.events.emit(name, detail)

    def load(self, url: str) -> None:
        """Show another page: a path of the app's files, or a whole ``socket:`` URL of the app."""
        target = self._app.url(url)
        self._do(lambda: self._native.load(target))

    def reload(self) -> None:
        """Load the page anew; also after its process has crashed, and when it hangs."""
        self._do(self._native.reload)

    def close(self) -> None:
        """Close it."""
        self._do(self._native.destroy)

    def screenshot(self, path: str, timeout: float = 10.0) -> None:
        """Write what the window shows to a PNG file.

        Raises:
            UsageError: the window shows nothing, or the file cannot be written.
        """
        outcome: list[bool] = []
        done = threading.Event()

        def taken(good: bool) -> None:
            outcome.append(good)
            done.set()

        self._do(lambda: self._native.screenshot(path, taken))
        if not outcome and self._app.on_gui_thread:
            raise UsageError('a screenshot is taken on another thread than the GUI')
        done.wait(timeout)
        if outcome != [True]:
            raise UsageError(f'no picture of the window could be written to {path}')

    def show(self) -> None:
        self._do(self._native.show)

    def hide(self) -> None:
        self._do(self._native.hide)

    def focus(self) -> None:
        self._do(self._native.focus)

    def maximize(self) -> None:
        self._do(self._native.maximize)

    def minimize(self) -> None:
        self._do(self._native.minimize)

    def restore(self) -> None:
        self._do(self._native.restore)

    def set_fullscreen(self, on: bool = True) -> None:
        self._do(lambda: self._native.set_fullscreen(on))

    def showInspector(self) -> None:  # the command's name
        self._do(self._native.show_inspector)

    def choose_files(self, kind: str = 'open', title: str = '', multiple: bool = False, name: str = '') -> list[str]:
        """Let the user pick: ``kind`` is ``open``, ``save`` or ``directory``. Empty when nothing was picked.
        What was picked is granted to the app's pages, exactly that (C6)."""
        picked = self._do(lambda: self._native.choose_files(kind, title, multiple, name))
        for path in picked:
            self._app.grant_path(path, write=kind != 'open')
        return picked

    @property
    def title(self) -> str:
        """What the title bar says."""
        return self._title

    @title.setter
    def title(self, text: str) -> None:
        self._title = text
        self._do(lambda: self._native.set_title(text))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        return self._do(self._native.get_size)

    @size.setter
    def size(self, value: tuple[int, int]) -> None:
        self._do(lambda: self._native.set_size(*value))

    @property
    def position(self) -> tuple[int, int]:
        """The place of its left upper corner, in pixels."""
        return self._do(self._native.get_position)

    @position.setter
    def position(self, value: tuple[int, int]) -> None:
        self._do(lambda: self._native.set_position(*value))

    @property
    def background(self) -> str:
        """Its background before the page draws, ``#RRGGBB``."""
        return self._background

    @background.setter
    def background(self, color: str) -> None:
        self._background = color
        self._do(lambda: self._native.set_background(color))
