"""A request of a page, and the ways to answer it: WebView2's web resource requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.host._parts import CLOSED_SINK, clean_headers, reason
from socket_runtime.host.contract import Headers, Sink

__all__ = ['MAX_COLLECTED', 'CollectingSink', 'EdgeRequest', 'EdgeResponder', 'NativeRequest', 'header_text']

#: A streamed reply is collected before it is sent; beyond this many bytes its writer is told to stop (B6).
MAX_COLLECTED = 64 << 20

_STEP = 1 << 16


class NativeRequest(Protocol):
    """A web resource request as ``_net.py`` wraps it."""

    uri: str
    method: str
    is_document: bool

    def header(self, name: str) -> str | None: ...
    def read(self, most: int) -> bytes:
        """Up to so many bytes of the body; nothing at its end, or where there is none."""
        ...

    def respond(self, status: int, phrase: str, headers: str, body: bytes) -> None: ...


class EdgeRequest:
    """See ``host.contract.Request``."""

    __slots__ = ('_native', 'method', 'uri')

    def __init__(self, native: NativeRequest) -> None:
        self._native = native
        self.uri = native.uri
        self.method = native.method.upper()

    def header(self, name: str) -> str | None:
        return self._native.header(name)

    def read_body(self, limit: int) -> bytes:
        parts: list[bytes] = []
        total = 0
        while chunk := self._native.read(_STEP):
            total += len(chunk)
            if total > limit:
                raise TooLarge(f'the body has more than {limit} bytes')
            parts.append(chunk)
        return b''.join(parts)


def header_text(headers: Headers) -> str:
    """Headers as WebView2 takes them: one text, a line for each."""
    return '\r\n'.join(f'{name}: {value}' for name, value in clean_headers(headers))


class EdgeResponder:
    """See ``host.contract.Responder``.

    Args:
        native: the request.
        when: runs the answering now, later (a document waits for its preload), or never (its window has gone).
        post: brings a function to the GUI's thread.
    """

    __slots__ = ('_native', '_post', '_when')

    def __init__(
        self,
        native: NativeRequest,
        when: Callable[[Callable[[], None]], None],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self._native: NativeRequest | None = native
        self._when = when
        self._post = post

    def _take(self) -> NativeRequest | None:
        native, self._native = self._native, None
        return native

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        native = self._take()
        if native is not None:
            self._answer(native, status, header_text(headers), body)

    def stream(self, status: int, headers: Headers) -> Sink:
        native = self._take()
        if native is None:
            return CLOSED_SINK
        text = header_text(headers)
        return CollectingSink(lambda body: self._post(lambda: self._answer(native, status, text, body)))

    def _answer(self, native: NativeRequest, status: int, headers: str, body: bytes) -> None:
        self._when(lambda: native.respond(status, reason(status), headers, body))


class CollectingSink:
    """Gathers a reply that WebView2 will not take in parts, and hands it on when it is closed.

    Args:
        done: gets the whole reply, once, on whichever thread closed the sink.
        limit: bytes; what is written beyond raises ``Aborted``, and the reply ends where it was.
    """

    __slots__ = ('_done', '_limit', '_lock', '_parts', '_total')

    def __init__(self, done: Callable[[bytes], None], limit: int = MAX_COLLECTED) -> None:
        self._done: Callable[[bytes], None] | None = done
        self._limit = limit
        self._lock = threading.Lock()
        self._parts: list[bytes] = []
        self._total = 0

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._done is None:
                raise Aborted('the stream is closed')
            fits = self._total + len(data) <= self._limit
            if fits:
                self._parts.append(bytes(data))
                self._total += len(data)
        if not fits:
            self.close()
            raise Aborted('a reply that cannot be streamed here is too long')

    def fileno(self) -> int:
        return -1

    def write_some(self, data: memoryview) -> int:
        self.write(bytes(data))
        return len(data)

    def close(self) -> None:
        with self._lock:
            done, self._done = self._done, None
            body = b''.join(self._parts)
            self._parts.clear()
        if done is not None:
            done(body)
