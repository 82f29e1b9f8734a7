"""Streams between a page and a command, with backpressure and abort on both ways.

To the page, a command yields; each value goes into the reply's pipe, and the command goes on when the
page has room for it. From the page, a command that has a parameter of type ``Upload`` iterates over the
chunks; the page's next chunk is taken when there is room. Neither side can fill the other's memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from socket_runtime.errors import Aborted, RemoteError
from socket_runtime.ipc.results import RECORD_HEARTBEAT, encode_record
from socket_runtime.ipc.transport import Sink

__all__ = ['MAX_CHUNK', 'Flow', 'Upload', 'pump', 'pump_async']

MAX_CHUNK = 2 << 20  # B6: one chunk of an upload, bytes; our own modules send at most 1 MiB
_WAITING_CHUNKS = 4
WINDOW = 4 << 20  # B6: bytes that a page which counts may lag behind a stream
_RETRY = 0.005  # seconds, for sinks that have no descriptor to wait for


class Upload:
    """What a page sends, chunk by chunk: iterate over it, with ``for`` or ``async for``.

    The iteration ends when the page has sent all, and raises ``Aborted`` when the page gave up or went
    away.
    """

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._taken: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._aborted = False
        self._wakers: list[Callable[[], None]] = []

    # -- the page's side, on the GUI's thread

    def offer(self, chunk: bytes, taken: Callable[[], None]) -> None:
        """Add a chunk; ``taken`` is called, from any thread, once there is room for the next one."""
        with self._changed:
            if chunk:
                self._chunks.append(chunk)
            full = len(self._chunks) >= _WAITING_CHUNKS
            if full:
                self._taken.append(taken)
            self._wake()
        if not full:
            taken()

    def end(self) -> None:
        """The page has sent all."""
        with self._changed:
            self._ended = True
            self._wake()

    def abort(self) -> None:
        """The page gave up."""
        with self._changed:
            self._aborted = True
            self._chunks.clear()
            waiting = list(self._taken)
            self._taken.clear()
            self._wake()
        for taken in waiting:
            taken()

    def _wake(self) -> None:
        self._changed.notify_all()
        for waker in self._wakers:
            waker()

    # -- the command's side

    def _take(self) -> bytes | None:
        """The next chunk, ``None`` to wait.

        Raises:
            StopIteration: no more will come.
        """
        if self._aborted:
            raise Aborted('the page has given the upload up')
        if self._chunks:
            return self._chunks.popleft()
        if self._ended:
            raise StopIteration
        return None

    def _make_room(self) -> None:
        while self._taken and len(self._chunks) < _WAITING_CHUNKS:
            self._taken.popleft()()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                try:
                    while (chunk := self._take()) is None:
                        self._changed.wait()
                except StopIteration:
                    return
                self._make_room()
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import asyncio

        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()

        def waker() -> None:
            loop.call_soon_threadsafe(arrived.set)

        with self._changed:
            self._wakers.append(waker)
        try:
            while True:
                with self._changed:
                    arrived.clear()
                    try:
                        chunk = self._take()
                    except StopIteration:
                        return
                    if chunk is not None:
                        self._make_room()
                if chunk is None:
                    await arrived.wait()
                else:
                    yield chunk
        finally:
            self._wakers.remove(waker)


class Flow:
    """A sink that holds a command back while the page lags behind.

    WebKit reads a reply as fast as it comes and keeps in the web process what the page has not read yet, so
    that the pipe never fills (measured: 1 GB within a second). Our own module therefore says how many bytes
    it has consumed, and no more than ``WINDOW`` is ever under way.
    """

    __slots__ = ('_changed', '_given_up', '_sink', '_taken', '_written')

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._changed = threading.Condition()
        self._written = 0
        self._taken = 0
        self._given_up = False

    # -- the page's side, on the GUI's thread

    def take(self, total: int) -> None:
        """The page has consumed ``total`` bytes since the beginning."""
        with self._changed:
            self._taken = max(self._taken, min(total, self._written))
            self._changed.notify_all()

    def give_up(self) -> None:
        """The page has gone: whoever waits for it need not."""
        with self._changed:
            self._given_up = True
            self._changed.notify_all()

    # -- the command's side

    @property
    def _full(self) -> bool:
        if self._given_up:
            raise Aborted('the page has given the stream up')
        return self._written - self._taken >= WINDOW

    def write(self, data: bytes) -> None:
        with self._changed:
            while self._full:
                self._changed.wait()
            self._written += len(data)
        self._sink.write(data)

    def write_some(self, data: memoryview) -> int:
        with self._changed:
            if self._full:
                return 0
            taken = self._sink.write_some(data)
            self._written += taken
            return taken

    def fileno(self) -> int:
        """The sink's, or -1 while it is the page that is waited for."""
        with self._changed:
            return -1 if self._full else self._sink.fileno()

    def close(self) -> None:
        self._sink.close()


def _record(value: Any, binary: bool) -> bytes:
    return bytes(value) if binary else encode_record(value)


def pump(
    items: Iterator[Any],
    first: Iterable[Any],
    sink: Sink,
    binary: bool,
    describe: Callable[[Exception], RemoteError],
) -> None:
    """Write ``first`` and then every item of a generator to ``sink``; runs on a thread of its own.

    An error of the generator becomes the last record; a binary stream can only be cut. The generator is
    closed when the page gives up.
    """
    try:
        if not binary:
            sink.write(RECORD_HEARTBEAT)
        for item in chain(first, items):
            sink.write(_record(item, binary))
    except Aborted:
        pass
    except Exception as error:  # the outermost door of a command's own code
        _last_words(sink, binary, describe(error))
    finally:
        close = getattr(items, 'close', None)
        if close is not None:
            close()
        sink.close()


def _last_words(sink: Sink, binary: bool, error: RemoteError) -> None:
    if not binary:
        try:
            sink.write(encode_record(error=error))
        except Aborted:
            pass


async def pump_async(
    items: AsyncIterator[Any], sink: Sink, binary: bool, describe: Callable[[Exception], RemoteError]
) -> None:
    """The same for an asynchronous generator, on the asyncio loop."""
    try:
        if not binary:
            await _write_async(sink, RECORD_HEARTBEAT)
        async for item in items:
            await _write_async(sink, _record(item, binary))
    except Aborted:
        pass
    except Exception as error:  # the outermost door of a command's own code
        _last_words(sink, binary, describe(error))
    finally:
        close = getattr(items, 'aclose', None)
        if close is not None:
            await close()
        sink.close()


async def _write_async(sink: Sink, data: bytes) -> None:
    import asyncio

    view = memoryview(data)
    loop = asyncio.get_running_loop()
    while view:
        taken = sink.write_some(view)
        view = view[taken:]
        if not taken:
            fd = sink.fileno()
            if fd < 0:
                await asyncio.sleep(_RETRY)
                continue
            writable = asyncio.Event()
            loop.add_writer(fd, writable.set)
            try:
                await writable.wait()
            finally:
                loop.remove_writer(fd)
