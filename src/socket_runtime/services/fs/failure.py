"""Errors of the operating system, told in the words that pages know from Node."""

from __future__ import annotations

import errno
import os
import types
from typing import Any

from socket_runtime.errors import CommandFailed

__all__ = ['LinkMet', 'failed', 'failing']

# Source: libuv's uv_strerror, whose texts Node shows.
_TEXTS: dict[int, str] = {
    errno.EACCES: 'permission denied',
    errno.EBADF: 'bad file descriptor',
    errno.EBUSY: 'resource busy or locked',
    errno.EEXIST: 'file already exists',
    errno.EFBIG: 'file too large',
    errno.EINVAL: 'invalid argument',
    errno.EIO: 'i/o error',
    errno.EISDIR: 'illegal operation on a directory',
    errno.ELOOP: 'too many symbolic links encountered',
    errno.EMFILE: 'too many open files',
    errno.EMLINK: 'too many links',
    errno.ENAMETOOLONG: 'name too long',
    errno.ENFILE: 'file table overflow',
    errno.ENOENT: 'no such file or directory',
    errno.ENOSPC: 'no space left on device',
    errno.ENOTDIR: 'not a directory',
    errno.ENOTEMPTY: 'directory not empty',
    errno.EPERM: 'operation not permitted',
    errno.EROFS: 'read-only file system',
    errno.ETXTBSY: 'text file is busy',
    errno.EXDEV: 'cross-device link not permitted',
}


class LinkMet(Exception):
    """A name on the way is a symbolic link; caught within this package.

    Args:
        target: what it points to, as written.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


def failed(error: OSError, syscall: str, path: str | None = None, dest: str | None = None) -> CommandFailed:
    """The page's view of ``error``: ``ENOENT: no such file or directory, open 'x'``.

    ``path`` and ``dest`` are as the page gave them; what the system's message says of others stays here
    (B8).
    """
    number = error.errno or errno.EIO
    code = errno.errorcode.get(number, 'EIO')
    text = _TEXTS.get(number) or os.strerror(number).lower()
    details: dict[str, Any] = {'errno': -number, 'syscall': syscall}
    message = f'{code}: {text}, {syscall}'
    if path is not None:
        message += f" '{path}'"
        details['path'] = path
    if dest is not None:
        message += f" -> '{dest}'"
        details['dest'] = dest
    return CommandFailed(message, code=code, **details)


class failing:
    """Turns an ``OSError`` of its block into ``CommandFailed``.

    Args:
        syscall: the name that Node would show.
        path: as the page gave it.
        dest: the second path, where there is one.
    """

    __slots__ = ('_dest', '_path', '_syscall')

    def __init__(self, syscall: str, path: str | None = None, dest: str | None = None) -> None:
        self._syscall = syscall
        self._path = path
        self._dest = dest

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise failed(error, self._syscall, self._path, self._dest) from None
