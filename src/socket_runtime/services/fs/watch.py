"""``fs.watch``: tells when something changes in a folder.

Linux has inotify. Elsewhere the folder is looked at every second. Nothing is queued here:
the kernel's queue has a bound of its own, and where it overflows an event without a name says that
anything may have changed.
"""

from __future__ import annotations

import stat
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from socket_runtime.errors import TooLarge
from socket_runtime.ipc.command import Call
from socket_runtime.services.fs.failure import LinkMet, failing
from socket_runtime.services.fs.folder import Folder
from socket_runtime.services.fs.metadata import shown
from socket_runtime.services.fs.scope import READ, Place, Scope

__all__ = ['Polling', 'Watch', 'Watcher']

INTERVAL = 1.0  # seconds between two looks
MAX_POLLED = 20_000  # B6: names that a polling watcher remembers
MAX_DEPTH = 64

Event = tuple[str, tuple[str, ...] | None]
Allowed = Callable[[tuple[str, ...]], bool]


class Watcher(Protocol):
    """What watches a held folder; see ``Inotify`` for the methods' meaning."""

    def wait(self) -> list[Event] | None: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


class Polling:
    """Compares what is in the folder with what was there before.

    Args:
        folder: taken over, and closed at the end.
        allowed: may a folder of these names below ``folder`` be entered?
        interval: seconds.
    """

    def __init__(self, folder: Folder, recursive: bool, allowed: Allowed, interval: float = INTERVAL) -> None:
        self._folder = folder
        self._recursive = recursive
        self._allowed = allowed
        self._interval = interval
        self._ended = threading.Event()
        try:
            self._before = self._look()
        except BaseException:
            folder.close()
            raise

    def close(self) -> None:
        """Stop watching. Not while another thread is in ``wait``."""
        self._folder.close()

    def wake(self) -> None:
        """End a ``wait``."""
        self._ended.set()

    def wait(self) -> list[Event] | None:
        """Wait for the next look, and tell what differs."""
        if self._ended.wait(self._interval):
            return []
        try:
            now = self._look()
        except FileNotFoundError:
            return None
        before, self._before = self._before, now
        events: list[Event] = [('rename', names) for names in before.keys() ^ now.keys()]
        events += [
            ('rename' if before[names][0] != now[names][0] else 'change', names)
            for names in before.keys() & now.keys()
            if before[names] != now[names]
        ]
        return events

    def _look(self) -> dict[tuple[str, ...], tuple[int, int, int]]:
        found: dict[tuple[str, ...], tuple[int, int, int]] = {}
        self._look_into(self._folder, (), found)
        return found

    def _look_into(
        self, folder: Folder, way: tuple[str, ...], found: dict[tuple[str, ...], tuple[int, int, int]]
    ) -> None:
        below: list[str] = []
        with folder.entries() as entries:
            for entry in entries:
                try:
                    state = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if len(found) >= MAX_POLLED:
                    raise TooLarge(f'there are more than {MAX_POLLED} names to watch')
                names = (*way, entry.name)
                is_folder = stat.S_ISDIR(state.st_mode)
                # A folder's own times change with its content, which is told by itself.
                found[names] = (state.st_ino, 0, 0) if is_folder else (state.st_ino, state.st_mtime_ns, state.st_size)
                if is_folder and self._recursive and len(names) < MAX_DEPTH and self._allowed(names):
                    below.append(entry.name)
        for name in below:
            try:
                child = folder.child(name)
            except (LinkMet, FileNotFoundError, NotADirectoryError, PermissionError):
                continue
            try:
                self._look_into(child, (*way, name), found)
            finally:
                child.close()


class _Waker:
    """Lets a cancelling thread wake a watcher, and never one that has been closed."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher: Watcher | None = watcher
        self._lock = threading.Lock()

    def wake(self) -> None:
        with self._lock:
            if self._watcher is not None:
                self._watcher.wake()

    def close(self) -> None:
        with self._lock:
            watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()


class Watch:
    """The handler of this field."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def watch(self, call: Call, path: str, recursive: bool = False) -> Iterator[dict[str, Any]]:
        """Changes as ``{type: 'rename' | 'change', filename}`` until the call is cancelled or the folder is
        gone. Names that the scope does not cover are not told.

        The scope is checked before the first item is asked for, so that a refusal can still be told.
        """
        with failing('watch', path):
            self._scope.check(call, (READ,), path)
        return self._watch(call, path, recursive)

    def _watch(self, call: Call, path: str, recursive: bool) -> Iterator[dict[str, Any]]:
        def find() -> tuple[Folder, str, tuple[str, ...]]:
            with self._scope.place(call, (READ,), path) as place:
                folder, only = self._target(place)
                return folder, only, place.parts[:-1] if only else place.parts

        def allowed(names: tuple[str, ...]) -> bool:
            return self._scope.allows(call, READ, base + names)

        with failing('watch', path):
            folder, only, base = find()
            watcher = _watcher(folder, recursive and not only, allowed, lambda: find()[0])
        waker = _Waker(watcher)
        forget = call.on_cancel(waker.wake)
        try:
            yield from self._events(call, watcher, path, only, base, allowed)
        finally:
            forget()
            waker.close()

    @staticmethod
    def _target(place: Place) -> tuple[Folder, str]:
        """The folder to watch, and the one name in it that counts when the path is a file."""
        if stat.S_ISDIR(place.stat().st_mode):
            return place.folder.child(place.name), ''
        # By the folder it lies in: so a file that is replaced by another one goes on being watched.
        return place.folder.child('.'), place.name

    @staticmethod
    def _events(
        call: Call, watcher: Watcher, path: str, only: str, base: tuple[str, ...], allowed: Allowed
    ) -> Iterator[dict[str, Any]]:
        while not call.is_cancelled:
            with failing('watch', path):
                events = watcher.wait()
            if events is None:
                return
            last: Event | None = None
            for event in events:
                kind, names = event
                if event == last or (only and names != (only,)):
                    continue
                last = event
                if names is None:
                    yield {'type': kind, 'filename': None}
                elif not names:
                    yield {'type': kind, 'filename': shown(base[-1]) if base else '/'}
                elif allowed(names):
                    yield {'type': kind, 'filename': '/'.join(map(shown, names))}


def _watcher(folder: Folder, recursive: bool, allowed: Allowed, reopen: Callable[[], Folder]) -> Watcher:
    if sys.platform != 'linux':
        return Polling(folder, recursive, allowed)
    from socket_runtime.services.fs.inotify import Inotify

    return Inotify(folder, recursive, allowed, reopen)
