"""A request of a page, and the ways to answer it: Qt WebEngine's URL request jobs.

A job lives in C++ and ends there. ``Job`` notes its end, so that nobody touches it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from socket_runtime.errors import TooLarge
from socket_runtime.host._parts import CLOSED_SINK, clean_headers, stream_pair
from socket_runtime.host.contract import Headers, Sink

__all__ = ['Job', 'QtRequest', 'QtResponder', 'header_map']

#: Statuses above which a reply to ``socket:`` becomes a failed load.
_FAILED = 400


class Job:
    """One native job, with what must happen when it ends.

    Args:
        native: ``QWebEngineUrlRequestJob``.
    """

    def __init__(self, native: Any) -> None:
        self.native: Any = native
        self._at_end: list[Callable[[], None]] = []
        # a function of its own: Qt would hold a method's object weakly, and the object holds the stream
        native.destroyed.connect(lambda *_: self._ended())

    def _ended(self) -> None:
        self.native = None
        functions, self._at_end = self._at_end, []
        for function in functions:
            function()

    def at_end(self, function: Callable[[], None]) -> None:
        """Have ``function`` called when the engine ends the job."""
        self._at_end.append(function)


class QtRequest:
    """See ``host.contract.Request``."""

    __slots__ = ('_headers', '_job', 'method', 'uri')

    def __init__(self, job: Job) -> None:
        native = job.native
        self._job = job
        self.uri = bytes(native.requestUrl().toEncoded().data()).decode('ascii', 'replace')
        self.method = bytes(native.requestMethod().data()).decode('latin-1').upper()
        raw = ((bytes(name.data()), bytes(value.data())) for name, value in native.requestHeaders().items())
        self._headers = header_map(raw, native.initiator().toString())

    def header(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    def read_body(self, limit: int) -> bytes:
        from socket_runtime.host.qt._qt import UNBUFFERED

        device = self._job.native.requestBody() if self._job.native is not None else None
        if device is None or self.method in ('GET', 'HEAD'):
            return b''
        if not device.isOpen():
            device.open(UNBUFFERED)
        # one read for all: a second one within an element would begin at its start again (Qt 6.12)
        body = bytes(device.read(limit + 1).data())
        if len(body) > limit:
            raise TooLarge(f'the body has more than {limit} bytes')
        return body


def header_map(raw: Iterable[tuple[bytes, bytes]], initiator: str) -> dict[str, str]:
    """Request headers by lower-case name. ``Origin`` is the engine's word alone."""
    headers = {name.decode('latin-1').lower(): value.decode('latin-1') for name, value in raw}
    headers.pop('origin', None)
    if initiator:
        headers['origin'] = initiator
    return headers


class QtResponder:
    """See ``host.contract.Responder``.

    Args:
        job: the job to answer.
        document: whether it is a request to ``socket:``, for which failing is the only way to say so.
    """

    __slots__ = ('_document', '_job')

    def __init__(self, job: Job, *, document: bool) -> None:
        self._job: Job | None = job
        self._document = document

    def _take(self) -> Job | None:
        job, self._job = self._job, None
        return job if job is not None and job.native is not None else None

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        from socket_runtime.host.qt._qt import buffer_device, fail

        job = self._take()
        if job is None:
            return
        if self._document and status >= _FAILED:
            fail(job.native, status)
            return
        self._reply(job, status, headers, buffer_device(job.native, body))

    def stream(self, status: int, headers: Headers) -> Sink:
        from socket_runtime.host.qt._qt import StreamDevice

        job = self._take()
        if job is None:
            return CLOSED_SINK
        source, sink = stream_pair()
        device = StreamDevice(source)
        # the engine's I/O thread reads the device until the job ends, so it must live that long
        job.at_end(device.release)
        self._reply(job, status, headers, device)
        return sink

    def _reply(self, job: Job, status: int, headers: Headers, device: Any) -> None:
        from socket_runtime.host.qt._qt import byte_array

        kind = 'application/octet-stream'
        fields: dict[Any, list[Any]] = {byte_array(b'Socket-Status'): [byte_array(b'%d' % status)]}
        for name, value in clean_headers(headers):
            if name.lower() == 'content-type':
                kind = value
            else:
                fields.setdefault(byte_array(name.encode()), []).append(byte_array(value.encode()))
        job.native.setAdditionalResponseHeaders(fields)
        job.native.reply(byte_array(kind.encode()), device)
