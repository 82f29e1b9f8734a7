"""A host without a webview: for tests of apps, and wherever only the commands are wanted.

A window loads its page as an engine would (navigation, request, policy, commit), but runs no script.
Requests are made by whoever drives it, see ``app.testing``.
"""

from __future__ import annotations

import heapq
import json
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.host.contract import Callbacks, Headers, HostOptions, WindowSpec

__all__ = ['HeadlessHost', 'HeadlessWindow', 'MemoryRequest', 'MemoryResponder']


class MemoryRequest:
    """A request made by a program; see ``host.contract.Request``."""

    def __init__(self, uri: str, method: str = 'GET', headers: dict[str, str] | None = None, body: bytes = b'') -> None:
        self.uri = uri
        self.method = method
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._body = body

    def header(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    def read_body(self, limit: int) -> bytes:
        if len(self._body) > limit:
            raise TooLarge(f'the body has more than {limit} bytes')
        return self._body


class MemorySink:
    """A streamed reply, kept in a queue that its reader empties."""

    def __init__(self) -> None:
        self.chunks: SimpleQueue[bytes | None] = SimpleQueue()
        self._open = True

    def write(self, data: bytes) -> None:
        if not self._open:
            raise Aborted('the reader has gone')
        self.chunks.put(data)

    def write_some(self, data: memoryview) -> int:
        self.write(bytes(data))
        return len(data)

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        if self._open:
            self._open = False
            self.chunks.put(None)


class MemoryResponder:
    """Keeps the one answer; see ``host.contract.Responder``."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b''
        self.sink: MemorySink | None = None

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        if not self.status:
            self.status, self.headers, self.body = status, dict(headers), body

    def stream(self, status: int, headers: Headers) -> MemorySink:
        self.status, self.headers = status, dict(headers)
        self.sink = MemorySink()
        return self.sink


class HeadlessWindow:
    """See ``host.contract.HostWindow``.

    Attributes:
        page: the HTML that was loaded last, as served.
        delivered: events that the page was sent, ``(name, detail)``.
    """

    def __init__(self, host: HeadlessHost, number: int, spec: WindowSpec) -> None:
        self.id = number
        self.spec = spec
        self.page = MemoryResponder()
        self.delivered: list[tuple[str, Any]] = []
        self._host = host
        self._url = spec.url
        self._size = (spec.width, spec.height)
        self._position = (spec.x or 0, spec.y or 0)
        #: load the page that the window was made for; a test that brings its own policy takes it away
        self.loads = True
        host.post(self._first_load)

    def _first_load(self) -> None:
        if self.loads:
            self.load(self.spec.url)

    def load(self, url: str) -> None:
        callbacks = self._host.callbacks
        if not callbacks.on_navigate(self.id, url, False):
            return
        callbacks.on_start(self.id, url)
        self._url = url
        self.page = MemoryResponder()
        callbacks.on_asset(self.id, MemoryRequest(url, headers={'Accept': 'text/html'}), self.page)
        self._host.run_until(lambda: self.page.status != 0)
        if self.page.status == 200:
            callbacks.on_commit(self.id, url)
            callbacks.on_loaded(self.id)
        else:
            callbacks.on_failed(self.id, url, self.page.body.decode('utf-8', 'replace'))

    def reload(self) -> None:
        self.load(self._url)

    def evaluate(self, body: str, argument: str, done: Callable[[str | None], None] | None = None) -> None:
        if argument:
            self.delivered.extend((name, detail) for name, detail in json.loads(argument))
        if done is not None:
            self._host.post(lambda: done('0'))

    def offer_file(self, fd: int, name: str, done: Callable[[bool], None]) -> None:
        done(False)

    def screenshot(self, path: str, done: Callable[[bool], None]) -> None:
        done(False)

    def destroy(self) -> None:
        self._host.closed(self)

    def get_size(self) -> tuple[int, int]:
        return self._size

    def set_size(self, width: int, height: int) -> None:
        self._size = (width, height)

    def get_position(self) -> tuple[int, int]:
        return self._position

    def set_position(self, x: int, y: int) -> None:
        self._position = (x, y)

    def choose_files(self, kind: str, title: str, multiple: bool, name: str) -> list[str]:
        return []

    def _nothing_to_see(self, *_: object) -> None:
        """There is no screen; the verb has no effect."""

    show = hide = focus = maximize = minimize = restore = show_inspector = _nothing_to_see
    set_title = set_fullscreen = set_background = _nothing_to_see


class HeadlessHost:
    """See ``host.contract.Host``. The loop is the thread that calls ``run`` or ``run_until``."""

    name = 'headless'

    def __init__(self, callbacks: Callbacks, options: HostOptions) -> None:
        self.callbacks = callbacks
        self.options = options
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._lock = threading.Lock()
        self._counter = 0
        self._windows: dict[int, HeadlessWindow] = {}
        self._ended = False

    def create_window(self, spec: WindowSpec) -> HeadlessWindow:
        with self._lock:
            number, self._counter = self._counter, self._counter + 1
        window = self._windows[number] = HeadlessWindow(self, number, spec)
        return window

    def closed(self, window: HeadlessWindow) -> None:
        """A window has gone."""
        if self._windows.pop(window.id, None) is not None:
            self.callbacks.on_closed(window.id)
        self._ended = not self._windows

    def screen_size(self) -> tuple[int, int]:
        return 1280, 800

    def run(self) -> None:
        self.run_until(lambda: self._ended)

    def run_until(self, condition: Callable[[], bool], timeout: float | None = None) -> bool:
        """Do what was posted until ``condition`` holds; ``False`` when ``timeout`` seconds passed."""
        end = None if timeout is None else time.monotonic() + timeout
        while not condition():
            now = time.monotonic()
            if end is not None and now >= end:
                return False
            with self._lock:
                due = self._later[0][0] if self._later else now + 0.1
                job = heapq.heappop(self._later)[2] if self._later and due <= now else None
            if job is None:
                try:
                    job = self._jobs.get(timeout=max(0.0, min(due - now, 0.1)))
                except Empty:
                    continue
            job()
        return True

    def quit(self) -> None:
        for window in list(self._windows.values()):
            window.destroy()
        self._ended = True

    def post(self, function: Callable[[], None]) -> None:
        self._jobs.put(function)

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        with self._lock:
            self._counter += 1
            heapq.heappush(self._later, (time.monotonic() + seconds, self._counter, function))
