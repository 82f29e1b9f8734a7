"""Events from Python to a page, in batches.

One batch is under way at a time, and the next is everything that came meanwhile: a quiet app's event is in
the page within a millisecond, and a busy one's cost is shared. The data is one argument of a constant
program, never part of a program (B3).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from socket_runtime.errors import UsageError
from socket_runtime.ipc.results import encode

__all__ = ['EventQueue']

MAX_QUEUED = 65536  # B6: events that wait for one page
_BATCH_EVENTS = 2048
_BATCH_BYTES = 1 << 18


class EventQueue:
    """What waits for one window's page.

    Args:
        post: runs a function on the GUI's thread.
        deliver: hands a JSON array of ``[name, detail]`` to the page, and calls back when it was taken.
    """

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        deliver: Callable[[str, Callable[[str | None], None]], None],
    ) -> None:
        self._post = post
        self._deliver = deliver
        self._events: deque[bytes] = deque()
        self._room = threading.Condition()
        self._ready = False
        self._busy = False
        self._closed = False
        self._gui_thread = threading.get_ident()

    def emit(self, name: str, detail: Any = None) -> None:
        """Queue an event; any thread. Waits for room on a thread other than the GUI's.

        Raises:
            UsageError: on the GUI's thread, where waiting would stop the page from taking events, the queue
                is full.
            TypeError: ``detail`` has no JSON form.
        """
        event = b'[%b,%b]' % (encode(name), encode(detail))
        with self._room:
            while len(self._events) >= MAX_QUEUED and not self._closed:
                if threading.get_ident() == self._gui_thread:
                    raise UsageError(
                        f'{MAX_QUEUED} events wait for the page already',
                        hint='Emit from a command or a thread, which then waits for the page',
                    )
                self._room.wait()
            self._events.append(event)
            if self._busy or not self._ready:
                return
            self._busy = True
        self._post(self._send)

    def start(self) -> None:
        """The page has loaded, and may be sent events; GUI's thread."""
        with self._room:
            self._ready = True
            if self._busy or not self._events:
                return
            self._busy = True
        self._send()

    def stop(self) -> None:
        """Another document comes: what waits is for that one."""
        with self._room:
            self._ready = False

    def close(self) -> None:
        """The window is gone: nobody waits for it any more."""
        with self._room:
            self._closed = True
            self._ready = False
            self._events.clear()
            self._room.notify_all()

    def _send(self) -> None:
        with self._room:
            batch: list[bytes] = []
            size = 0
            while self._ready and self._events and len(batch) < _BATCH_EVENTS and size < _BATCH_BYTES:
                event = self._events.popleft()
                size += len(event)
                batch.append(event)
            self._busy = bool(batch)
            self._room.notify_all()
        if batch:
            self._deliver((b'[%b]' % b','.join(batch)).decode(), lambda _taken: self._send())
