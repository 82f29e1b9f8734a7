"""``fs.stat`` and its kin: what there is, and where it leads."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

from socket_runtime.errors import BadRequest
from socket_runtime.ipc.command import Call
from socket_runtime.services.fs.failure import failed, failing
from socket_runtime.services.fs.paths import canonical, to_path
from socket_runtime.services.fs.scope import READ, WRITE, Scope

__all__ = ['Metadata', 'check_mode', 'describe', 'shown', 'type_name']

_TYPES = {
    stat.S_IFREG: 'file',
    stat.S_IFDIR: 'directory',
    stat.S_IFLNK: 'symlink',
    stat.S_IFIFO: 'fifo',
    stat.S_IFSOCK: 'socket',
    stat.S_IFCHR: 'character',
    stat.S_IFBLK: 'block',
}
MAX_TIME = 2**43  # seconds; file systems of today end long before, and nanoseconds still fit 63 bits


def type_name(mode: int) -> str:
    """``'file'``, ``'directory'``, ... of a ``st_mode``."""
    return _TYPES.get(stat.S_IFMT(mode), 'unknown')


def describe(state: os.stat_result) -> dict[str, Any]:
    """What pages see of a file. Times in milliseconds since 1970; where the system does not tell a birth
    time (Linux, through Python 3.11), the change time stands in."""
    born = getattr(state, 'st_birthtime', None)
    # int / int is rounded once; by 1e6 the nanoseconds would become a float before that
    return {
        'dev': state.st_dev,
        'ino': state.st_ino,
        'mode': state.st_mode,
        'nlink': state.st_nlink,
        'uid': state.st_uid,
        'gid': state.st_gid,
        'rdev': getattr(state, 'st_rdev', 0),
        'size': state.st_size,
        'blksize': getattr(state, 'st_blksize', 4096),
        'blocks': getattr(state, 'st_blocks', (state.st_size + 511) // 512),
        'atimeMs': state.st_atime_ns / 1_000_000,
        'mtimeMs': state.st_mtime_ns / 1_000_000,
        'ctimeMs': state.st_ctime_ns / 1_000_000,
        'birthtimeMs': born * 1e3 if born is not None else state.st_ctime_ns / 1_000_000,
        'type': type_name(state.st_mode),
    }


def shown(name: str) -> str:
    """A name from the disk as text that JSON can carry: bytes that are no UTF-8 become U+FFFD."""
    return os.fsencode(name).decode('utf-8', 'replace')


def check_mode(mode: int) -> int:
    """Rights that a page may set: neither set-uid, set-gid nor sticky.

    Raises:
        BadRequest: others.
    """
    if not 0 <= mode <= 0o777:
        raise BadRequest(f'a mode is between 0 and 0o777, not {mode:#o}')
    return mode


class Metadata:
    """The handlers of this field."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def stat(self, call: Call, path: str) -> dict[str, Any]:
        with failing('stat', path), self._scope.place(call, (READ,), path) as place:
            return describe(place.stat())

    def lstat(self, call: Call, path: str) -> dict[str, Any]:
        with failing('lstat', path), self._scope.place(call, (READ,), path, follow=False) as place:
            return describe(place.stat())

    def access(self, call: Call, path: str, mode: int = 0) -> None:
        """``mode``: sum of 4 (read), 2 (write), 1 (execute); 0 asks whether it exists."""
        if not 0 <= mode <= 7:
            raise BadRequest(f'the mode of fs.access is between 0 and 7, not {mode}')
        grants = (READ, WRITE) if mode & os.W_OK else (READ,)
        with failing('access', path), self._scope.place(call, grants, path) as place:
            place.stat()
            if not place.folder.access(place.name, mode):
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    def realpath(self, call: Call, path: str) -> str:
        with failing('realpath', path), self._scope.place(call, (READ,), path) as place:
            place.stat()
            return to_path(place.parts)

    def readlink(self, call: Call, path: str) -> str:
        with failing('readlink', path), self._scope.place(call, (READ,), path, follow=False) as place:
            return shown(place.folder.readlink(place.name))

    def symlink(self, call: Call, target: str, path: str) -> None:
        """A link to ``target``, which is inside the scope of writing, too (C3)."""
        with failing('symlink', target, path):
            with self._scope.place(call, (WRITE,), path, follow=False) as place:
                goal = canonical(target, place.parts[:-1])
                self._scope.check_path(call, WRITE, goal, target)
                place.folder.symlink(target, place.name)

    def link(self, call: Call, src: str, dest: str) -> None:
        """A second name for the file ``src``: it can be read and written through both, so it must be in
        both scopes (C3)."""
        with failing('link', src, dest):
            with (
                self._scope.place(call, (READ, WRITE), src, follow=False) as source,
                self._scope.place(call, (WRITE,), dest, follow=False) as target,
            ):
                if not stat.S_ISREG(source.stat().st_mode):
                    raise OSError(errno.EPERM, os.strerror(errno.EPERM))
                self._scope.check_move(call, source, target, tree=False)
                source.folder.link_to(source.name, target.folder, target.name)

    def chmod(self, call: Call, path: str, mode: int) -> None:
        check_mode(mode)
        with failing('chmod', path), self._scope.place(call, (WRITE,), path) as place:
            place.folder.chmod(place.name, mode)

    def utimes(self, call: Call, path: str, atime: float, mtime: float) -> None:
        """Times in seconds since 1970."""
        if max(abs(atime), abs(mtime)) > MAX_TIME:
            raise BadRequest('a time is in seconds since 1970')
        with failing('utime', path), self._scope.place(call, (WRITE,), path) as place:
            place.folder.utime(place.name, round(atime * 1e9), round(mtime * 1e9))

    def roots(self) -> dict[str, str]:
        """The folders that grants name, e.g. ``{"DATA": "/home/..."}``."""
        return self._scope.roots()

    def rename(self, call: Call, src: str, dest: str) -> None:
        with failing('rename', src, dest):
            with (
                self._scope.place(call, (WRITE,), src, follow=False) as source,
                self._scope.place(call, (WRITE,), dest, follow=False) as target,
            ):
                if source.name == '.' or target.name == '.':
                    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
                tree = stat.S_ISDIR(source.stat().st_mode)
                self._scope.check_move(call, source, target, tree)
                source.folder.rename_to(source.name, target.folder, target.name)

    def unlink(self, call: Call, path: str) -> None:
        with failing('unlink', path), self._scope.place(call, (WRITE,), path, follow=False) as place:
            if stat.S_ISDIR(place.stat().st_mode):
                raise failed(OSError(errno.EISDIR, ''), 'unlink', path)
            place.folder.unlink(place.name)
