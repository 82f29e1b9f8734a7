"""Which preload script is registered, and when the document that it is for may come.

WebView2 registers a script asynchronously, and for all documents that follow. The document of a load is
therefore held back, at its reply, until the load's own script is registered and no other is.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ['PreloadBook', 'in_top_frame']

Registered = Callable[[str | None], None]


def in_top_frame(script: str) -> str:
    """``script`` for the top document alone: WebView2 runs it in every frame (A6).

    ``self`` and ``top`` cannot be redefined by a page, and this runs before anything of the page.
    """
    return f'if (self === self.top) {{\n{script}\n}}'


class PreloadBook:
    """Keeps exactly one script registered.

    Args:
        add: registers a script, then calls back with its id, or ``None`` when that failed.
        remove: takes a script off by its id.
    """

    def __init__(self, add: Callable[[str, Registered], None], remove: Callable[[str], None]) -> None:
        self._add = add
        self._remove = remove
        self._wanted = 0
        self._pending = 0
        self._current: str | None = None
        self._held: list[Callable[[], None]] = []

    def replace(self, script: str) -> None:
        """Register ``script`` instead of what is there, or on its way."""
        if self._current is not None:
            self._remove(self._current)
            self._current = None
        self._wanted += 1
        self._pending += 1
        number = self._wanted
        self._add(script, lambda name: self._registered(number, name))

    def _registered(self, number: int, name: str | None) -> None:
        self._pending -= 1
        if name is not None and number == self._wanted:
            self._current = name
        elif name is not None:
            self._remove(name)
        if not self._pending:
            held, self._held = self._held, []
            for function in held:
                function()

    def when_ready(self, function: Callable[[], None]) -> None:
        """Run ``function`` once the script that is wanted is the one that is registered."""
        if self._pending:
            self._held.append(function)
        else:
            function()
