"""The app's side of a host, remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from socket_runtime.host.contract import Request, Responder

__all__ = ['Loop', 'Recorder']


class Recorder:
    """``host.contract.Callbacks``: remembers everything, and answers what it is told to."""

    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []
        self.requests: list[tuple[str, int, Request, Responder]] = []
        self.allowed: Callable[[str], bool] = lambda url: url.startswith('socket://')
        self.may_close = True
        self.starts = 0

    def on_asset(self, window: int, request: Request, responder: Responder) -> None:
        self.requests.append(('asset', window, request, responder))

    def on_call(self, window: int, request: Request, responder: Responder) -> None:
        self.requests.append(('call', window, request, responder))

    def on_navigate(self, window: int, url: str, new_window: bool) -> bool:
        self.log.append(('navigate', window, url, new_window))
        return self.allowed(url)

    def on_start(self, window: int, url: str) -> str:
        self.starts += 1
        self.log.append(('start', window, url))
        return f'preload {self.starts}'

    def on_commit(self, window: int, url: str) -> None:
        self.log.append(('commit', window, url))

    def on_loaded(self, window: int) -> None:
        self.log.append(('loaded', window))

    def on_failed(self, window: int, url: str, message: str) -> None:
        self.log.append(('failed', window, url, message))

    def on_crashed(self, window: int, reason: str) -> None:
        self.log.append(('crashed', window, reason))

    def on_close(self, window: int) -> bool:
        self.log.append(('close', window))
        return self.may_close

    def on_closed(self, window: int) -> None:
        self.log.append(('closed', window))

    def on_window_event(self, window: int, name: str, detail: dict[str, object]) -> None:
        self.log.append((name, window, detail))

    def said(self, *names: str) -> list[tuple[Any, ...]]:
        """What was said under these names, in order."""
        return [entry for entry in self.log if entry[0] in names]


class Loop:
    """A GUI's loop that runs when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def post(self, function: Callable[[], None]) -> None:
        """Have ``function`` run in the next round."""
        self.waiting.append(function)

    def run(self) -> None:
        """Run what waits, and what that adds."""
        while self.waiting:
            self.waiting.pop(0)()
