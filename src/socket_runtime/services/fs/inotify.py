"""Linux's own watcher of folders, through ctypes.

Source: inotify(7); the masks and what they are called are libuv's, hence Node's.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
from collections.abc import Callable

from socket_runtime.errors import TooLarge
from socket_runtime.services.fs.failure import LinkMet
from socket_runtime.services.fs.folder import PosixFolder

__all__ = ['MAX_FOLDERS', 'Inotify']

MAX_FOLDERS = 4096  # B6: folders of one recursive watch
BUFFER = 65536  # bytes; several hundred events at a time

IN_MODIFY, IN_ATTRIB = 0x2, 0x4
IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x40, 0x80, 0x100, 0x200
IN_DELETE_SELF, IN_MOVE_SELF = 0x400, 0x800
IN_Q_OVERFLOW, IN_IGNORED, IN_ISDIR = 0x4000, 0x8000, 0x40000000
IN_ONLYDIR = 0x01000000
IN_NONBLOCK, IN_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC

_MASK = (
    IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE
    | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
)  # fmt: skip
_HEAD = struct.Struct('=iIII')  # struct inotify_event without its name

_libc = ctypes.CDLL(None, use_errno=True)

Event = tuple[str, tuple[str, ...] | None]


class Inotify:
    """Watches a held folder, and with ``recursive`` those below it.

    Args:
        folder: taken over, and closed at once: a held folder would never be told to be gone.
        allowed: may a folder of these names below ``folder`` be entered?
        reopen: opens the folder again, to find new folders in it.

    Raises:
        OSError: ``EMFILE``: the user has too many watchers; ``ENOSPC``: too many watched folders.
    """

    def __init__(
        self,
        folder: PosixFolder,
        recursive: bool,
        allowed: Callable[[tuple[str, ...]], bool],
        reopen: Callable[[], PosixFolder],
    ) -> None:
        self._recursive = recursive
        self._allowed = allowed
        self._reopen = reopen
        self._ways: dict[int, tuple[str, ...]] = {}
        self._gone = False
        self._fd = self._wake = -1
        try:
            self._fd = self._call(_libc.inotify_init1, IN_NONBLOCK | IN_CLOEXEC)
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)
            self._poll.register(self._wake, select.POLLIN)
            self._root = self._add(folder, ())
            if recursive:
                self._add_below(folder, ())
        except BaseException:
            self.close()
            raise
        finally:
            folder.close()

    @staticmethod
    def _call(function: Callable[..., int], *arguments: object) -> int:
        result = function(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    def close(self) -> None:
        """Stop watching. Not while another thread is in ``wait`` or ``wake``."""
        for fd in (self._fd, self._wake):
            if fd >= 0:
                os.close(fd)
        self._fd = self._wake = -1

    def wake(self) -> None:
        """End a ``wait``. Any thread may call this."""
        os.eventfd_write(self._wake, 1)

    def wait(self) -> list[Event] | None:
        """The next events, as ``(type, names below the folder)``; empty after ``wake``, ``None`` once the
        folder itself is gone. Names ``None``: more happened than could be told."""
        if self._gone:
            return None
        self._poll.poll()
        try:
            data = os.read(self._fd, BUFFER)
        except BlockingIOError:
            return []
        events: list[Event] = []
        offset = 0
        while offset < len(data) and not self._gone:
            watch, mask, _, length = _HEAD.unpack_from(data, offset)
            offset += _HEAD.size
            name = os.fsdecode(data[offset : offset + length].split(b'\0', 1)[0])
            offset += length
            self._take(watch, mask, name, events)
        return events

    def _take(self, watch: int, mask: int, name: str, events: list[Event]) -> None:
        """Turn one raw event into ours."""
        if mask & IN_Q_OVERFLOW:
            events.append(('rename', None))
            return
        way = self._ways.get(watch)
        if way is None:
            return
        if mask & IN_IGNORED:
            del self._ways[watch]
            self._gone = self._gone or watch == self._root
            return
        if not name:
            if watch == self._root:
                events.append(('change' if mask & (IN_ATTRIB | IN_MODIFY) else 'rename', ()))
                self._gone = bool(mask & IN_MOVE_SELF)  # it is somewhere else now, perhaps out of scope
            return
        names = (*way, name)
        events.append(('change' if mask & (IN_ATTRIB | IN_MODIFY) else 'rename', names))
        if self._recursive and mask & IN_ISDIR:
            if mask & IN_MOVED_FROM:
                self._forget(names)
            elif mask & (IN_CREATE | IN_MOVED_TO):
                self._follow(names, events)

    def _forget(self, names: tuple[str, ...]) -> None:
        """A folder was moved away: what is in it is told no more, unless it comes up again."""
        for watch, way in list(self._ways.items()):
            if way[: len(names)] == names:
                del self._ways[watch]
                _libc.inotify_rm_watch(self._fd, watch)  # fails only where it has ended by itself

    def _follow(self, names: tuple[str, ...], events: list[Event]) -> None:
        """A folder has appeared: watch it, too, and tell what is in it already."""
        folder: PosixFolder | None = None
        try:
            folder = self._reopen()
            for name in names:
                child = folder.child(name)
                folder.close()
                folder = child
            if self._allowed(names):
                self._add(folder, names)
                self._add_below(folder, names, events)
        except (LinkMet, FileNotFoundError, NotADirectoryError):
            return  # gone again, or something else by now
        finally:
            if folder is not None:
                folder.close()

    def _add(self, folder: PosixFolder, way: tuple[str, ...]) -> int:
        if len(self._ways) >= MAX_FOLDERS:
            raise TooLarge(f'there are more than {MAX_FOLDERS} folders to watch')
        path = f'/proc/self/fd/{folder.fd}'.encode()  # leads to the held folder and no other
        watch = self._call(_libc.inotify_add_watch, self._fd, path, _MASK)
        self._ways[watch] = way
        return watch

    def _add_below(self, folder: PosixFolder, way: tuple[str, ...], events: list[Event] | None = None) -> None:
        with folder.entries() as entries:
            names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for name, is_folder in names:
            if events is not None:
                events.append(('rename', (*way, name)))
            if not is_folder or not self._allowed((*way, name)):
                continue
            try:
                child = folder.child(name)
            except (LinkMet, FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if error.errno == errno.EACCES:
                    continue
                raise
            try:
                self._add(child, (*way, name))
                self._add_below(child, (*way, name), events)
            finally:
                child.close()
