"""How much one window may have under way at once (B6).

A page that asks for more gets ``QuotaExceeded``, at once and cheaply; our own modules keep below the
limits by themselves and wait instead.
"""

from __future__ import annotations

from socket_runtime.errors import QuotaExceeded

__all__ = ['MAX_CALLS', 'MAX_FILES', 'MAX_STREAMS', 'MAX_UPLOADS', 'Quotas']

MAX_CALLS = 1024  # B6: calls not yet answered
MAX_STREAMS = 64  # B6: streamed replies; each holds a pipe and a thread
MAX_UPLOADS = 16  # B6: open uploads; each holds up to four chunks
MAX_FILES = 64  # B6: files handed over and not yet read; each holds a descriptor

_LIMITS = {'calls': MAX_CALLS, 'streams': MAX_STREAMS, 'uploads': MAX_UPLOADS, 'files': MAX_FILES}


class Quotas:
    """Counts by window and kind."""

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str], int] = {}

    def enter(self, window: int, kind: str) -> None:
        """One more.

        Raises:
            QuotaExceeded: the window has as many as it may.
        """
        count = self._counts.get((window, kind), 0)
        if count >= _LIMITS[kind]:
            raise QuotaExceeded(f'too many {kind} at once: a window may have {_LIMITS[kind]}')
        self._counts[window, kind] = count + 1

    def leave(self, window: int, kind: str) -> None:
        """One less."""
        self._counts[window, kind] -= 1

    def count(self, window: int, kind: str) -> int:
        """How many there are."""
        return self._counts.get((window, kind), 0)
