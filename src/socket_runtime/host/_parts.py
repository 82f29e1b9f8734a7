"""What several hosts need and no system knows: pure, so that it is tested on every system.

    call_program, unwrap   running a constant function with one string, on engines that take programs only
    ByteQueue, QueueSink   a streamed reply for engines that are handed chunks instead of a pipe
    Loads                  which document a call belongs to while one replaces another
    LateCalls              what is asked of a window before pywebview has made it
    may_load, clean_headers, reason
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http import HTTPStatus

from socket_runtime.errors import Aborted
from socket_runtime.host.contract import Callbacks, Headers, Sink

__all__ = [
    'ByteQueue',
    'LateCalls',
    'Loads',
    'QueueSink',
    'call_program',
    'clean_headers',
    'may_load',
    'reason',
    'unwrap',
]

#: How much a page may lag behind a stream before its writer waits, in bytes (B6).
QUEUE_BYTES = 1 << 20

#: How many calls wait for a document's commit; more are handed on at once, to be judged by the old one (B6).
MAX_HELD = 1024


def call_program(body: str, argument: str) -> str:
    """A program that runs ``body`` as a function of ``argument`` and yields ``unwrap``'s text.

    The argument becomes a JSON literal of ASCII alone: quotes, U+2028 and lone surrogates are all
    escaped, so it can end neither the string nor the line (B3).
    """
    return (
        '(() => { try { return JSON.stringify([(function (argument) {\n'
        f'{body}\n'
        f'}})({json.dumps(argument)})]) }} catch {{ return null }} }})()'
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


class ByteQueue:
    """Bytes between any thread and the engine, bounded.

    Args:
        wake: called, without the lock, after bytes or the end were added; it has the engine ``take``.
        limit: bytes that may wait.
    """

    def __init__(self, wake: Callable[[], None], limit: int = QUEUE_BYTES) -> None:
        self._wake = wake
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._aborted = False
        self._changed = threading.Condition()

    def put_some(self, data: memoryview) -> int:
        """Add what fits; returns how many bytes that were.

        Raises:
            Aborted: the page has gone, or the queue was closed.
        """
        with self._changed:
            if self._aborted or self._closed:
                raise Aborted('the page has given the stream up')
            room = min(self._limit - self._size, len(data))
            if room <= 0:
                return 0
            self._chunks.append(bytes(data[:room]))
            self._size += room
        self._wake()
        return room

    def wait_for_room(self) -> None:
        """Block until something fits, or the queue has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._size < self._limit or self._aborted or self._closed)

    def take(self, most: int) -> bytes:
        """Up to ``most`` bytes, in order; empty where nothing waits."""
        with self._changed:
            if not self._chunks or most <= 0:
                return b''
            chunk = self._chunks.popleft()
            if len(chunk) > most:
                self._chunks.appendleft(chunk[most:])
                chunk = chunk[:most]
            self._size -= len(chunk)
            self._changed.notify_all()
            return chunk

    @property
    def waiting(self) -> int:
        """Bytes that were put and not yet taken."""
        return self._size

    @property
    def ended(self) -> bool:
        """All bytes were taken, and no more will come."""
        with self._changed:
            return self._closed and not self._chunks

    def close(self) -> None:
        """No more bytes will come."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._wake()

    def abort(self) -> None:
        """The engine wants no more: whoever waits, or puts, gets ``Aborted``."""
        with self._changed:
            self._aborted = True
            self._chunks.clear()
            self._size = 0
            self._changed.notify_all()


class QueueSink:
    """``host.contract.Sink`` upon a ``ByteQueue``. It has no descriptor to wait on."""

    __slots__ = ('_queue',)

    def __init__(self, queue: ByteQueue) -> None:
        self._queue = queue

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            taken = self._queue.put_some(view)
            view = view[taken:]
            if not taken:
                self._queue.wait_for_room()

    def fileno(self) -> int:
        return -1

    def write_some(self, data: memoryview) -> int:
        return self._queue.put_some(data)

    def close(self) -> None:
        self._queue.close()


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
    """What was asked of a window before it existed, in order."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] | None = []

    def do(self, function: Callable[[], None]) -> None:
        """Run ``function``, now or when the window is there."""
        if self._waiting is None:
            function()
        else:
            self._waiting.append(function)

    def ready(self) -> None:
        """The window is there."""
        waiting, self._waiting = self._waiting or [], None
        for function in waiting:
            function()
