"""What the router needs of whoever carries a call to it, and of whoever runs a command for it.

A host's requests, responders and sinks fit these by their shape (``host.contract`` documents them); the
router does not import hosts, and a test's recorder fits as well.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

__all__ = ['Asker', 'Headers', 'Responder', 'Sink', 'Workers']

Headers = Sequence[tuple[str, str]]


class Asker(Protocol):
    """A request as the gate sees it."""

    @property
    def uri(self) -> str: ...
    @property
    def method(self) -> str: ...
    def header(self, name: str) -> str | None: ...
    def read_body(self, limit: int) -> bytes: ...


class Sink(Protocol):
    """The way of a streamed reply."""

    def write(self, data: bytes) -> None: ...
    def write_some(self, data: memoryview) -> int: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Responder(Protocol):
    """The one answer to a request."""

    def send(self, status: int, headers: Headers, body: bytes) -> None: ...
    def stream(self, status: int, headers: Headers) -> Sink: ...


class Workers(Protocol):
    """Where commands run, so that the GUI's thread never waits."""

    def post(self, function: Callable[[], None]) -> None:
        """Run on the GUI's thread, soon."""
        ...

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        """Run on the GUI's thread, later."""
        ...

    def run(self, function: Callable[[], None]) -> None:
        """Run on one of the pool's few threads."""
        ...

    def run_apart(self, function: Callable[[], None]) -> None:
        """Run on a thread of its own: for what lasts, such as a stream."""
        ...

    def run_async(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run on the asyncio loop, which starts at its first use."""
        ...
