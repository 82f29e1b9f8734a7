"""The document that asks: which window it is in, and what its policy lets it call.

A document is born when a top-level load begins (``pending``), gets its policies when its HTML is served,
and becomes the window's document when the engine commits the load. A call is judged by the document
that was committed last in the asking window: not by the window's current URL, which ``pushState`` may
change at will, and not by anything that the message says.

The token is 128 random bits that only the preload of this one document knows, so that what no script
of ours sent (an image, a form, a link, a frame without the preload) is refused even where the engine
attaches the right origin (A6, A11).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from socket_runtime.ipc.csp import Policy, allows

__all__ = ['Document', 'Documents', 'new_token']


def new_token() -> str:
    """128 bits from the operating system, as 32 hexadecimal digits (B1)."""
    return os.urandom(16).hex()


@dataclass(frozen=True, slots=True)
class Document:
    """One loaded page of ours.

    Attributes:
        window: the host's number of the window.
        generation: counts the loads of that window; never reused.
        url: what was loaded.
        token: see the module.
        policies: all of them must allow a call; none at all allows nothing (A1).
        header: the Content-Security-Policy that the page, and all that it loads from us, is sent with.
    """

    window: int
    generation: int
    url: str
    token: str
    policies: tuple[Policy, ...] = ()
    header: str = ''
    _decisions: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def allows(self, command: str) -> bool:
        """Whether the policies allow ``command``, a lower-case name that the router knows."""
        decision = self._decisions.get(command)
        if decision is None:
            # bounded: asked only for names in the router's table
            decision = self._decisions[command] = allows(self.policies, command)
        return decision


class Documents:
    """The pending and the committed document of every window.

    Args:
        on_gone: told of each document that was replaced or whose window went, so that what it had open
            (streams, files) can be closed.
    """

    def __init__(self, origin: str, on_gone: Callable[[Document], None]) -> None:
        self._prefix = origin + '/'
        self._on_gone = on_gone
        self._generation = 0
        self._pending: dict[int, Document] = {}
        self._current: dict[int, Document] = {}

    def begin(self, window: int, url: str) -> Document:
        """A top-level load of ``url`` begins."""
        self._generation += 1
        document = Document(window, self._generation, url, new_token())
        self._pending[window] = document
        return document

    def serve(self, window: int, url: str, policies: tuple[Policy, ...], header: str) -> None:
        """The HTML of ``url`` is about to be served to ``window`` under ``policies``.

        A frame's HTML passes here too; it changes nothing unless it is what the window waits for.
        """
        pending = self._pending.get(window)
        if pending is not None and _without_fragment(pending.url) == _without_fragment(url):
            self._pending[window] = Document(
                window, pending.generation, pending.url, pending.token, policies, header
            )

    def commit(self, window: int, url: str) -> Document | None:
        """The engine shows the pending document. ``None`` where it is not ours: then the window has no
        document, and every call is refused (A8)."""
        self.close(window, keep_pending=True)
        pending = self._pending.pop(window, None)
        if pending is None or not url.startswith(self._prefix):
            return None
        self._current[window] = pending
        return pending

    def fail(self, window: int) -> None:
        """The pending load failed; the former document stays."""
        self._pending.pop(window, None)

    def close(self, window: int, keep_pending: bool = False) -> None:
        """The window, or its web process, is gone."""
        if not keep_pending:
            self._pending.pop(window, None)
        former = self._current.pop(window, None)
        if former is not None:
            self._on_gone(former)

    def current(self, window: int) -> Document | None:
        """The committed document."""
        return self._current.get(window)

    def serving(self, window: int) -> Document | None:
        """The document that a request for a file belongs to: the one on its way, else the committed."""
        return self._pending.get(window) or self._current.get(window)


def _without_fragment(url: str) -> str:
    return url.partition('#')[0]
