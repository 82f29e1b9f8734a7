"""The document that asks: which window it is in, and what its policy lets it call.

A document is born when a top-level load begins, and becomes the window's document when the engine commits
the load; its policies are those that the committed URL was served with meanwhile. (When a load begins,
WebKitGTK does not tell yet where it goes.) A call is judged by the document that was committed last in the
asking window: not by the window's current URL, which ``pushState`` may change at will, and not by anything
that the message says.

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


#: Pages that one load may pass (frames of the former document count); a load passes one or two (B6).
_MAX_SERVED = 64


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


class _Pending:
    """A top-level load under way."""

    __slots__ = ('generation', 'served', 'token')

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.token = new_token()
        #: URL without fragment -> policies and header of the HTML that it was answered with
        self.served: dict[str, tuple[tuple[Policy, ...], str]] = {}


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
        self._pending: dict[int, _Pending] = {}
        self._current: dict[int, Document] = {}

    def begin(self, window: int) -> str:
        """A top-level load begins; returns the token of the document to come."""
        self._generation += 1
        pending = self._pending[window] = _Pending(self._generation)
        return pending.token

    def serve(self, window: int, url: str, policies: tuple[Policy, ...], header: str) -> None:
        """The HTML of ``url`` is about to be served to ``window`` under ``policies``.

        A frame's HTML passes here too; it changes nothing unless the window comes to show that URL.
        """
        pending = self._pending.get(window)
        if pending is not None and len(pending.served) < _MAX_SERVED:
            pending.served[_without_fragment(url)] = (policies, header)

    def commit(self, window: int, url: str) -> Document | None:
        """The engine shows the document of the load that began last, at ``url``. ``None`` where it is not
        ours: then the window has no document, and every call is refused (A8)."""
        self.close(window, keep_pending=True)
        pending = self._pending.pop(window, None)
        if pending is None or not url.startswith(self._prefix):
            return None
        policies, header = pending.served.get(_without_fragment(url), ((), ''))
        document = Document(window, pending.generation, url, pending.token, policies, header)
        self._current[window] = document
        return document

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

    def header(self, window: int) -> str:
        """The policy that a file is sent with which is no page: that of the page on its way, else of the one
        that is shown; empty without either."""
        pending = self._pending.get(window)
        if pending is not None and pending.served:
            return next(reversed(pending.served.values()))[1]
        document = self._current.get(window)
        return document.header if document is not None else ''


def _without_fragment(url: str) -> str:
    return url.partition('#')[0]
