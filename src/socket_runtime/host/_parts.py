"""What several hosts need and no system knows: pure, so that it is tested on every system.

call_program, unwrap   running a constant function with one string, on engines that take programs only
stream_pair, Pump      a streamed reply, for engines that take no descriptor
Loads                  which document a call belongs to while one replaces another
LateCalls              what is asked of a window, or the loop, before pywebview has made it
may_load, clean_headers, reason
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus

from socket_runtime.errors import Aborted
from socket_runtime.host.contract import Callbacks, Headers, Sink

__all__ = [
    'CLOSED_SINK',
    'LateCalls',
    'Loads',
    'Pump',
    'SocketSink',
    'ascii_literal',
    'call_program',
    'clean_headers',
    'may_load',
    'reason',
    'stream_pair',
    'unwrap',
]

#: How much a page may lag behind a stream before its writer waits, in bytes (B6).
STREAM_BYTES = 1 << 20

#: The most that is handed to the GUI's thread in one go.
PUMP_BYTES = 1 << 18

#: How many calls wait for a document's commit; more are handed on at once, to be judged by the old one (B6).
MAX_HELD = 1024


def ascii_literal(text: str) -> str:
    """``text`` as a JSON string of ASCII alone: quotes, U+2028 and lone surrogates are all escaped, so it
    can end neither the string nor the line (B3)."""
    return json.dumps(text)


def call_program(body: str, argument: str) -> str:
    """A program that runs ``body`` as a function of ``argument`` and yields ``unwrap``'s text."""
    return (
        '(() => { try { return JSON.stringify([(function (argument) {\n'
        f'{body}\n'
        f'}})({ascii_literal(argument)})]) }} catch {{ return null }} }})()'
    )


def unwrap(text: object) -> str | None:
    """The JSON inside the one-element array that ``call_program`` yields, or ``None``."""
    if isinstance(text, str) and text[:1] == '[' and text[-1:] == ']':
        return str(text[1:-1])
    return None


def may_load(callbacks: Callbacks, window: int, url: str, *, main_frame: bool, new_window: bool = False) -> bool:
    """Decide over one navigation.

    The app decides over the top document; a new window is announced to it and never opened by the
    engine, since the engine would make it without our handlers. A frame may go anywhere but into a
    call: the page's policy rules frames, but has no word on where a frame navigates itself (A11).
    """
    if new_window:
        callbacks.on_navigate(window, url, True)
        return False
    if main_frame:
        return callbacks.on_navigate(window, url, False)
    return not url[:4].lower() == 'ipc:'


def clean_headers(headers: Headers) -> Iterator[tuple[str, str]]:
    """The headers, one by one, for engines that take them as text.

    Raises:
        ValueError: a name or value contains a line's end, which would start another header.
    """
    for name, value in headers:
        if any(character in name + value for character in '\r\n\0'):
            raise ValueError(f'a line end in the header {name!r}')
        yield name, value


def reason(status: int) -> str:
    """The reason phrase of an HTTP status; our own 499 has one too."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return 'Client Closed Request' if status == 499 else 'Unknown'


def stream_pair() -> tuple[socket.socket, SocketSink]:
    """Two ends for a streamed reply: the engine's, to read without blocking, and the writer's.

    A pair of sockets rather than a pipe, since one end can be shut while another thread waits on it.
    """
    source, target = socket.socketpair()
    target.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STREAM_BYTES)
    source.setblocking(False)
    target.setblocking(False)
    return source, SocketSink(target)


class SocketSink:
    """``host.contract.Sink`` upon one end of a socket pair."""

    __slots__ = ('_socket',)

    def __init__(self, target: socket.socket) -> None:
        self._socket: socket.socket | None = target

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            taken = self.write_some(view)
            view = view[taken:]
            if not taken:
                select.select((), (self.fileno(),), ())

    def fileno(self) -> int:
        return self._socket.fileno() if self._socket is not None else -1

    def write_some(self, data: memoryview) -> int:
        if self._socket is None:
            raise Aborted('the stream is closed')
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.close()
            raise Aborted('the page has given the stream up') from error

    def close(self) -> None:
        target, self._socket = self._socket, None
        if target is not None:
            target.close()


class Pump:
    """Carries a stream's bytes to the GUI's thread, one chunk at a time.

    For engines that are handed chunks: the next one is read when the last was handed on, so a slow GUI
    slows the writer.

    Args:
        source: the engine's end of a ``stream_pair``; the pump closes it.
        post: brings a function to the GUI's thread.
        deliver, finish: called there.
    """

    def __init__(
        self,
        source: socket.socket,
        post: Callable[[Callable[[], None]], None],
        deliver: Callable[[bytes], None],
        finish: Callable[[], None],
    ) -> None:
        self._source = source
        self._post = post
        self._deliver = deliver
        self._finish = finish
        source.setblocking(True)
        self._thread = threading.Thread(target=self._run, name='stream', daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._source:
            while chunk := self._receive():
                taken = threading.Event()
                self._post(partial(self._hand_on, chunk, taken))
                taken.wait()
        self._post(self._finish)

    def _receive(self) -> bytes:
        try:
            return self._source.recv(PUMP_BYTES)
        except OSError:
            return b''

    def _hand_on(self, chunk: bytes, taken: threading.Event) -> None:
        try:
            self._deliver(chunk)
        finally:
            taken.set()

    def stop(self) -> None:
        """The engine wants no more: the writer's next write fails. Any thread."""
        try:
            self._source.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(seconds)


class ClosedSink:
    """The sink of a request that was answered or given up before: whoever writes learns it at once."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        raise Aborted('the page has given the request up')

    def fileno(self) -> int:
        return -1

    def write_some(self, data: memoryview) -> int:
        raise Aborted('the page has given the request up')

    def close(self) -> None:
        return None


CLOSED_SINK: Sink = ClosedSink()


class Loads:
    """The loads of one window's top document.

    Chromium tells of a commit and of the new document's first calls on different ways, and a call may
    come first (measured). Calls that arrive while a load is under way therefore wait until it has
    committed or failed: each is then judged by the policy of the document that made it.
    """

    def __init__(self, window: int, callbacks: Callbacks) -> None:
        self._window = window
        self._callbacks = callbacks
        self._held: list[Callable[[], None]] = []
        self._committed = 0
        self.number = 0
        self.url = ''
        self.pending = False

    def start(self, url: str) -> str:
        """A load begins and gets the next ``number``; returns the preload script for its document."""
        self.number += 1
        self.url = url
        self.pending = True
        return self._callbacks.on_start(self._window, url)

    def redirect(self, url: str) -> None:
        """The load under way goes elsewhere."""
        self.url = url

    def commit(self, number: int) -> None:
        """The document of load ``number`` is there. Older loads, and a second word of it, are ignored."""
        if number == self.number and self._committed != number:
            self._committed = number
            self._callbacks.on_commit(self._window, self.url)
            self.end()

    def end(self) -> None:
        """The load is over, or given up."""
        self.pending = False
        held, self._held = self._held, []
        for function in held:
            function()

    def call(self, function: Callable[[], None]) -> None:
        """Run ``function``, now or as soon as it is clear which document is there."""
        if self.pending and len(self._held) < MAX_HELD:
            self._held.append(function)
        else:
            function()


class LateCalls:
    """What was asked of something before it existed, in order. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] | None = []

    def do(self, function: Callable[[], None]) -> None:
        """Run ``function``, now or when ``ready`` is called."""
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(function)
                return
        function()

    def ready(self) -> None:
        """It exists now."""
        with self._lock:
            waiting, self._waiting = self._waiting or [], None
        for function in waiting:
            function()
