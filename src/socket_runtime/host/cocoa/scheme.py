"""A request of a page, and the ways to answer it: WebKit's URL scheme tasks.

A task is answered in steps (response, data, end), on the main thread, and must not be touched once WebKit
has stopped it or it has ended: WebKit raises then. ``TaskAnswer`` holds that order, so nobody else has to.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from socket_runtime.errors import TooLarge
from socket_runtime.host._parts import CLOSED_SINK, Pump, clean_headers, stream_pair
from socket_runtime.host.contract import Headers, Sink

__all__ = ['CocoaRequest', 'CocoaResponder', 'NativeTask', 'TaskAnswer', 'TaskState', 'collect', 'header_fields']

#: How much of a body is read in one go, in bytes.
_STEP = 1 << 16

Post = Callable[[Callable[[], None]], None]


class NativeTask(Protocol):
    """A scheme task as ``_objc.py`` wraps it."""

    uri: str
    method: str
    headers: dict[str, str]

    def body(self) -> Callable[[int], bytes] | None:
        """What reads up to so many bytes of the body, and nothing at its end; ``None``: no body."""
        ...

    def respond(self, status: int, fields: dict[str, str]) -> None: ...
    def data(self, chunk: bytes) -> None: ...
    def finish(self) -> None: ...


class TaskState(Enum):
    """How far the answer to a task has come."""

    STARTED = 'started'
    ANSWERING = 'answering'
    FINISHED = 'finished'
    STOPPED = 'stopped'


class TaskAnswer:
    """The answer to one task, in its order; steps that come too late, or twice, do nothing."""

    def __init__(self, native: NativeTask) -> None:
        self.native = native
        self.state = TaskState.STARTED
        self._at_stop: list[Callable[[], None]] = []

    def begin(self, status: int, headers: Headers) -> bool:
        """Send status and headers; whether that was still wanted."""
        if self.state is not TaskState.STARTED:
            return False
        fields = header_fields(headers)
        self.state = TaskState.ANSWERING
        self.native.respond(status, fields)
        return True

    def data(self, chunk: bytes) -> None:
        """Send a part of the body."""
        if self.state is TaskState.ANSWERING and chunk:
            self.native.data(chunk)

    def finish(self) -> None:
        """End the body."""
        if self.state is TaskState.ANSWERING:
            self.state = TaskState.FINISHED
            self.native.finish()

    def at_stop(self, function: Callable[[], None]) -> None:
        """Have ``function`` called when WebKit stops the task."""
        self._at_stop.append(function)

    def stop(self) -> None:
        """WebKit has stopped the task: the page gave it up, or is gone."""
        if self.state in (TaskState.FINISHED, TaskState.STOPPED):
            return
        self.state = TaskState.STOPPED
        functions, self._at_stop = self._at_stop, []
        for function in functions:
            function()


class CocoaRequest:
    """See ``host.contract.Request``."""

    __slots__ = ('_headers', '_native', 'method', 'uri')

    def __init__(self, native: NativeTask) -> None:
        self._native = native
        self.uri = native.uri
        self.method = native.method.upper()
        self._headers = {name.lower(): value for name, value in native.headers.items()}

    def header(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    def read_body(self, limit: int) -> bytes:
        read = self._native.body()
        return b'' if read is None else collect(read, limit)


def collect(read: Callable[[int], bytes], limit: int) -> bytes:
    """All that ``read`` gives.

    Raises:
        TooLarge: more than ``limit`` bytes came; the rest is left alone.
    """
    parts: list[bytes] = []
    total = 0
    while chunk := read(_STEP):
        total += len(chunk)
        if total > limit:
            raise TooLarge(f'the body has more than {limit} bytes')
        parts.append(chunk)
    return b''.join(parts)


def header_fields(headers: Headers) -> dict[str, str]:
    """Headers as a mapping, which has each name once: values of one name are joined, as HTTP allows (two
    policies become a list of policies, which must both allow)."""
    fields: dict[str, str] = {}
    names: dict[str, str] = {}
    for name, value in clean_headers(headers):
        first = names.setdefault(name.lower(), name)
        fields[first] = f'{fields[first]}, {value}' if first in fields else value
    return fields


class CocoaResponder:
    """See ``host.contract.Responder``.

    Args:
        answer: the task's answer.
        post: brings a function to the GUI's thread.
    """

    __slots__ = ('_answer', '_post')

    def __init__(self, answer: TaskAnswer, post: Post) -> None:
        self._answer = answer
        self._post = post

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        if self._answer.begin(status, headers):
            self._answer.data(body)
            self._answer.finish()

    def stream(self, status: int, headers: Headers) -> Sink:
        if not self._answer.begin(status, headers):
            return CLOSED_SINK
        source, sink = stream_pair()
        pump = Pump(source, self._post, self._answer.data, self._answer.finish)
        self._answer.at_stop(pump.stop)
        return sink
