"""A request of a page, and the ways to answer it: WebKitGTK's URI scheme requests."""

from __future__ import annotations

import fcntl
import os
import select

from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.host.contract import Headers
from socket_runtime.host.gtk._gi import Gio, GLib, Soup, WebKit

__all__ = ['GtkRequest', 'GtkResponder', 'PipeSink']

#: How much a page may lag behind a stream before its writer waits, in bytes.
PIPE_SIZE = 1 << 20
_F_SETPIPE_SZ = 1031
_READ_STEP = 1 << 22

#: Reply headers repeat: the few different sets are built once. Bounded, since a page could make a
#: command answer ever new ones.
_header_sets: dict[Headers, object] = {}
_MAX_HEADER_SETS = 256
#: Headers that differ from reply to reply; they come last.
_UNIQUE = ('Socket-File-Size', 'Socket-Stream')


class GtkRequest:
    """One request; see ``host.contract.Request``."""

    __slots__ = ('_headers', '_request', 'method', 'uri')

    def __init__(self, request: object) -> None:
        self._request = request
        self.uri: str = request.get_uri()  # type: ignore[attr-defined]
        self.method: str = request.get_http_method()  # type: ignore[attr-defined]
        self._headers = request.get_http_headers()  # type: ignore[attr-defined]

    def header(self, name: str) -> str | None:
        return self._headers.get_one(name) if self._headers is not None else None

    def read_body(self, limit: int) -> bytes:
        stream = self._request.get_http_body()  # type: ignore[attr-defined]
        if stream is None:
            return b''
        parts: list[bytes] = []
        total = 0
        while size := (chunk := stream.read_bytes(_READ_STEP, None)).get_size():
            total += size
            if total > limit:
                raise TooLarge(f'the body has more than {limit} bytes')
            parts.append(chunk.get_data())
        return parts[0] if len(parts) == 1 else b''.join(parts)


class GtkResponder:
    """The one answer to a request; see ``host.contract.Responder``."""

    __slots__ = ('_request',)

    def __init__(self, request: object) -> None:
        self._request = request

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        stream = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(body))
        self._finish(status, headers, stream, len(body))

    def stream(self, status: int, headers: Headers) -> PipeSink:
        read, write = os.pipe2(os.O_CLOEXEC)
        try:
            fcntl.fcntl(write, _F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # an unprivileged user over the system's pipe budget keeps the small pipe
        os.set_blocking(write, False)
        self._finish(status, headers, Gio.UnixInputStream.new(read, True), -1)
        return PipeSink(write)

    def _finish(self, status: int, headers: Headers, stream: object, length: int) -> None:
        request, self._request = self._request, None
        if request is None:
            return
        response = WebKit.URISchemeResponse.new(stream, length)
        response.set_status(status, None)
        if status != 204:
            response.set_content_type(headers[0][1])
        response.set_http_headers(_soup_headers(headers))
        request.finish_with_response(response)  # type: ignore[attr-defined]


def _soup_headers(headers: Headers) -> object:
    known = _header_sets.get(headers)
    if known is None:
        known = Soup.MessageHeaders.new(Soup.MessageHeadersType.RESPONSE)
        for name, value in headers:
            known.append(name, value)
        if headers[-1][0] not in _UNIQUE and len(_header_sets) < _MAX_HEADER_SETS:
            _header_sets[headers] = known
    return known


class PipeSink:
    """The write end of a pipe that WebKit reads; see ``host.contract.Sink``."""

    __slots__ = ('_fd',)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            taken = self.write_some(view)
            view = view[taken:]
            if not taken:
                poll = select.poll()
                poll.register(self._fd, select.POLLOUT)
                poll.poll()

    def write_some(self, data: memoryview) -> int:
        if self._fd < 0:
            raise Aborted('the stream is closed')
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except (BrokenPipeError, OSError) as error:
            self.close()
            raise Aborted('the page has given the stream up') from error

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
