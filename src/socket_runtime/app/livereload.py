"""Watching files while an app is being developed.

A thread looks at the modification times of all files below some folders, a few times a second. Polling
needs nothing of the system, sees editors that replace files by renaming, and sees network folders; a
tree that takes long to walk is looked at less often, so that watching never takes more than a tenth of
one core. Not for production: an app that watches files for its page uses the ``fs`` service.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = ['Watcher', 'snapshot']

#: Seconds from look to look.
INTERVAL = 0.2

#: A walk may take this part of the time.
SHARE = 0.1

#: After a change, wait until nothing more has changed for one interval, but at most so many seconds.
SETTLE = 2.0

#: Files beyond are not watched: a folder that size was named by mistake.
MAX_FILES = 20_000

#: Folders that no page is served from.
SKIPPED = frozenset({'.git', '.hg', '.svn', '__pycache__', 'node_modules'})

Stamp = tuple[int, int, int]


def snapshot(roots: Iterable[Path], *, limit: int = MAX_FILES) -> dict[str, Stamp]:
    """Every plain file below ``roots`` -> (inode, size, time of change in ns). Links are not followed, and
    what cannot be read, or is not there (yet), is left out."""
    found: dict[str, Stamp] = {}
    waiting = [str(root) for root in roots]
    while waiting and len(found) < limit:
        path = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in SKIPPED:
                            waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        state = entry.stat(follow_symlinks=False)
                        found[entry.path] = (state.st_ino, state.st_size, state.st_mtime_ns)
        except NotADirectoryError:
            state = os.stat(path)
            found[path] = (state.st_ino, state.st_size, state.st_mtime_ns)
        except OSError:
            continue  # gone since it was listed, or not readable
    return found


class Watcher:
    """Calls back when files have changed.

    Args:
        roots: folders, or single files.
        changed: gets the sorted paths that were added, changed or removed; called on the watcher's thread.
        interval: seconds from look to look.
    """

    def __init__(
        self, roots: Iterable[Path], changed: Callable[[tuple[Path, ...]], None], *, interval: float = INTERVAL
    ) -> None:
        self._roots = tuple(roots)
        self._changed = changed
        self._interval = interval
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin: what changes from now on counts. Calling it again does nothing."""
        if self._thread is not None:
            return
        before = snapshot(self._roots)
        self._thread = threading.Thread(target=self._watch, args=(before,), name='live-reload', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the thread, unless that is the caller."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _watch(self, before: dict[str, Stamp]) -> None:
        pause = self._interval
        while not self._stopped.wait(pause):
            began = time.monotonic()
            now = snapshot(self._roots)
            pause = max(self._interval, (time.monotonic() - began) / SHARE)
            if now == before:
                continue
            now = self._settled(now, began + SETTLE)
            if self._stopped.is_set():
                return
            paths = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
            before = now
            if paths:
                self._changed(tuple(sorted(map(Path, paths))))

    def _settled(self, now: dict[str, Stamp], deadline: float) -> dict[str, Stamp]:
        """The files once nobody is writing them any more: a build writes many, one after the other."""
        while time.monotonic() < deadline and not self._stopped.wait(self._interval):
            later = snapshot(self._roots)
            if later == now:
                break
            now = later
        return now
