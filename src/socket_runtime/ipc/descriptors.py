"""Numbers for descriptors that a page's engine knows a file by.

A file that is handed over stands in the page as ``/proc/<pid>/fd/<number>``, and the page may keep it for
longer than the descriptor is open. Were the number used again, the page's file would be whatever the app has
opened there since: one that no grant covers, too. So these descriptors get numbers of their own, far above
those that the system gives out (always the lowest that is free), each again only after all others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import cycle

__all__ = ['Numbers']

_LOWEST_SHARE = 0.75  # of the numbers that a process may have; the rest is ours


class Numbers:
    """Gives descriptors such numbers; on one thread."""

    def __init__(self) -> None:
        self._next: Iterator[int] | None = None

    def move(self, fd: int) -> int:
        """The same open file at a number of its own; ``fd`` is closed. Where that is not to be had (Windows,
        a process at its limit), ``fd`` itself."""
        try:
            import fcntl
            import resource
        except ImportError:
            return fd
        if self._next is None:
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            limit = 1024 if limit == resource.RLIM_INFINITY else min(limit, 65536)
            self._next = cycle(range(int(limit * _LOWEST_SHARE), limit))
        try:
            moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, next(self._next))
        except OSError:
            return fd
        os.close(fd)
        return moved
