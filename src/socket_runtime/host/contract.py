"""The one contract between the app and a system's webview.

A host shows windows and carries bytes. It knows nothing of commands, policies or files: it hands every
request to the two handlers of ``Callbacks`` together with the *native* identity of the asker (which
window), and asks before every top-level navigation. What a message says about itself is never
identity (B9).

All methods and callbacks run on the GUI's thread, but for ``Host.post`` and ``Sink.write``, which any
thread may call. One package per system implements this (``gtk``, ``edge``, ``cocoa``, ``qt``) and
none imports another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, str]]


class Request(Protocol):
    """A request that a page made to one of our schemes."""

    @property
    def uri(self) -> str:
        """The raw URI as the engine gave it: nothing decoded, fragment included."""
        ...

    @property
    def method(self) -> str:
        """``GET``, ``POST``, ... in upper case."""
        ...

    def header(self, name: str) -> str | None:
        """One request header by its case-insensitive name."""
        ...

    def read_body(self, limit: int) -> bytes:
        """The whole body, empty where there is none.

        To be called at most once, and only after the gate's decision: on WebKitGTK a Blob body ends
        the process in the call itself.

        Raises:
            TooLarge: the body has more than ``limit`` bytes.
        """
        ...


class Sink(Protocol):
    """The way for a streamed reply. Any thread may use it; one at a time."""

    def write(self, data: bytes) -> None:
        """Hand on all of ``data``; blocks while the page is slow (backpressure).

        Raises:
            Aborted: the page has given the reply up, or the document is gone.
        """
        ...

    def fileno(self) -> int:
        """A descriptor that becomes writable when ``write_some`` can make progress, or -1."""
        ...

    def write_some(self, data: memoryview) -> int:
        """Hand on what fits without blocking; returns the number of bytes taken (0: wait).

        Raises:
            Aborted: as for ``write``.
        """
        ...

    def close(self) -> None:
        """End the reply. Calling it again does nothing."""
        ...


class Responder(Protocol):
    """Answers one request, once, on the GUI's thread. Answering a request that the page has given up
    does nothing."""

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole reply. ``headers`` carries ``Content-Type``."""
        ...

    def stream(self, status: int, headers: Headers) -> Sink:
        """Begin a reply of unknown length."""
        ...


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """What a new window is to be. Sizes in CSS pixels; ``None`` leaves the choice to the system."""

    title: str
    url: str
    width: int = 800
    height: int = 600
    x: int | None = None
    y: int | None = None
    min_width: int = 200
    min_height: int = 100
    resizable: bool = True
    frameless: bool = False
    fullscreen: bool = False
    maximized: bool = False
    hidden: bool = False
    on_top: bool = False
    background: str = '#FFFFFF'


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What holds for all windows of an app.

    Attributes:
        origin: the app's origin, ``socket://<bundle id>``.
        hardware_acceleration: ``'auto' | 'on' | 'off'``.
        sandbox: run the web process in the engine's own sandbox.
        storage: folder for localStorage and the like; ``None`` keeps nothing.
        developer: web inspector and context menu.
        automation: let a WebDriver drive the app (tests only).
        engine_csp: send the policy header, so that the engine checks too. Only the tests' matrix
            "gate alone" turns it off.
    """

    origin: str
    hardware_acceleration: str = 'auto'
    sandbox: bool = True
    storage: str | None = None
    developer: bool = False
    automation: bool = False
    engine_csp: bool = True


class HostWindow(Protocol):
    """One native window with one webview."""

    id: int

    def load(self, url: str) -> None:
        """Navigate; the same checks as for a navigation by the page apply."""
        ...

    def reload(self) -> None:
        """Load the current page anew, also after its process has died."""
        ...

    def evaluate(self, body: str, argument: str, done: Callable[[str | None], None] | None = None) -> None:
        """Run ``body``, a constant of ours, as a function's body with one string in ``argument``.

        Data travels only in the argument and never becomes part of the program (B3). ``done`` gets
        the JSON of the returned value, or ``None`` when the script failed or the page is gone.
        """
        ...

    def offer_file(self, fd: int, name: str, done: Callable[[bool], None]) -> None:
        """Hand the open file ``fd`` to the page's waiting file input, without copying it through us.

        ``done(False)`` means that this host cannot; the caller then streams the file.
        """
        ...

    def screenshot(self, path: str, done: Callable[[bool], None]) -> None:
        """Write what the window shows to ``path`` as PNG."""
        ...

    def destroy(self) -> None: ...
    def show(self) -> None: ...
    def hide(self) -> None: ...
    def focus(self) -> None: ...
    def set_title(self, title: str) -> None: ...
    def get_size(self) -> tuple[int, int]: ...
    def set_size(self, width: int, height: int) -> None: ...
    def get_position(self) -> tuple[int, int]: ...
    def set_position(self, x: int, y: int) -> None: ...
    def maximize(self) -> None: ...
    def minimize(self) -> None: ...
    def restore(self) -> None: ...
    def set_fullscreen(self, on: bool) -> None: ...
    def set_background(self, color: str) -> None: ...
    def show_inspector(self) -> None: ...
    def choose_files(self, kind: str, title: str, multiple: bool, name: str) -> list[str]:
        """The system's file dialog: ``kind`` is ``open``, ``save`` or ``directory``; empty when the user
        picks nothing."""
        ...


class Callbacks(Protocol):
    """What the app answers to a host. ``window`` is ``HostWindow.id``, given by the host alone."""

    def on_asset(self, window: int, request: Request, responder: Responder) -> None:
        """A request to ``socket:``."""
        ...

    def on_call(self, window: int, request: Request, responder: Responder) -> None:
        """A request to ``ipc:``."""
        ...

    def on_navigate(self, window: int, url: str, new_window: bool) -> bool:
        """May the top document go to ``url``? Redirects ask again."""
        ...

    def on_start(self, window: int, url: str) -> str:
        """A top-level load begins; returns the preload script for the document to come. ``url`` may still be
        the former one."""
        ...

    def on_commit(self, window: int, url: str) -> None:
        """The document of the load that began last has replaced the former one."""
        ...

    def on_loaded(self, window: int) -> None: ...
    def on_failed(self, window: int, url: str, message: str) -> None: ...
    def on_crashed(self, window: int, reason: str) -> None: ...
    def on_close(self, window: int) -> bool:
        """The user wants to close the window; ``False`` keeps it open."""
        ...

    def on_closed(self, window: int) -> None: ...
    def on_window_event(self, window: int, name: str, detail: dict[str, object]) -> None:
        """``resize {width, height}``, ``move {x, y}``, ``minimize``, ``maximize``, ``restore``, ``focus``, ``blur``."""
        ...


class Host(Protocol):
    """A system's webview."""

    name: str

    def create_window(self, spec: WindowSpec) -> HostWindow:
        """Make a window. Before ``run`` it begins to load, calls nothing back, and is shown when the loop
        starts."""
        ...

    def run(self) -> None:
        """Run the GUI's loop on the main thread until the last window has closed or ``quit``."""
        ...

    def screen_size(self) -> tuple[int, int]:
        """The main screen's size in pixels."""
        ...

    def quit(self) -> None:
        """Close all windows and leave ``run``."""
        ...

    def post(self, function: Callable[[], None]) -> None:
        """Have ``function`` called soon on the GUI's thread. Any thread may call this."""
        ...

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Like ``post``, after ``seconds``."""
        ...
