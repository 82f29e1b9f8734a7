"""The same for Windows, which has no operations relative to a folder's descriptor.

A folder is held by a handle that forbids its renaming and deletion, and NTFS renames no folder above an
open one, so that the path that led to it goes on to lead there; a file that was opened is asked for its
final path before anybody reads it. Not yet run on Windows.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import wintypes

from socket_runtime.services.fs.failure import LinkMet

assert sys.platform == 'win32'

__all__ = ['WindowsFolder']

# Source: Win32 headers winnt.h and fileapi.h.
FILE_READ_ATTRIBUTES = 0x80
FILE_SHARE_READ, FILE_SHARE_WRITE = 1, 2  # without FILE_SHARE_DELETE: nobody may move the folder away
OPEN_EXISTING = 3
FILE_FLAG_BACKUP_SEMANTICS = 0x02000000  # needed for folders
FILE_FLAG_OPEN_REPARSE_POINT = 0x00200000
INVALID_HANDLE = ctypes.c_void_p(-1).value
MAX_FINAL_PATH = 32768

_kernel = ctypes.WinDLL('kernel32', use_last_error=True)
_create = _kernel.CreateFileW
_create.restype = wintypes.HANDLE
_create.argtypes = [
    wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, ctypes.c_void_p, wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE
]  # fmt: skip
_final = _kernel.GetFinalPathNameByHandleW
_final.argtypes = [wintypes.HANDLE, wintypes.LPWSTR, wintypes.DWORD, wintypes.DWORD]
_close = _kernel.CloseHandle
_close.argtypes = [wintypes.HANDLE]


def _hold(path: str, flags: int) -> int:
    handle = _create(
        path,
        FILE_READ_ATTRIBUTES,
        FILE_SHARE_READ | FILE_SHARE_WRITE,
        None,
        OPEN_EXISTING,
        FILE_FLAG_BACKUP_SEMANTICS | flags,
        None,
    )
    if handle is None or handle == INVALID_HANDLE:
        raise ctypes.WinError(ctypes.get_last_error())
    return int(handle)


def _final_path(handle: int) -> str:
    buffer = ctypes.create_unicode_buffer(MAX_FINAL_PATH)
    if not _final(handle, buffer, MAX_FINAL_PATH, 0):
        raise ctypes.WinError(ctypes.get_last_error())
    return os.path.normcase(buffer.value)


def _handle_of(fd: int) -> int:
    import msvcrt  # only Windows has it

    return msvcrt.get_osfhandle(fd)


class WindowsFolder:
    """See the module. ``path`` is the folder's final path, ``handle`` keeps it there."""

    __slots__ = ('handle', 'path')

    def __init__(self, path: str, handle: int) -> None:
        self.path = path
        self.handle = handle

    @classmethod
    def open(cls, path: str) -> WindowsFolder:
        """Open a trusted path; links in it are followed."""
        handle = _hold(path, 0)
        try:
            return cls(_final_path(handle), handle)
        except OSError:
            _close(handle)
            raise

    def close(self) -> None:
        """Let the handle go; again does nothing."""
        handle, self.handle = self.handle, 0
        if handle:
            _close(handle)

    def _join(self, name: str) -> str:
        return self.path if name == '.' else os.path.join(self.path, name)

    def child(self, name: str) -> WindowsFolder:
        """The folder ``name`` in this one.

        Raises:
            LinkMet: it is a link or junction.
            OSError: it is no folder, or not there.
        """
        handle = _hold(self._join(name), FILE_FLAG_OPEN_REPARSE_POINT)
        try:
            self.raise_link(name)
            if not stat.S_ISDIR(self.stat(name).st_mode):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            return WindowsFolder(_final_path(handle), handle)
        except BaseException:
            _close(handle)
            raise

    def raise_link(self, name: str, state: os.stat_result | None = None) -> None:
        """Raise ``LinkMet`` if ``name`` is a link, a junction or another reparse point."""
        if (state or self.stat(name)).st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT:
            raise LinkMet(self.readlink(name))

    def itself(self) -> os.stat_result:
        """What the system says of this folder."""
        return os.stat(self.path)

    def stat(self, name: str) -> os.stat_result:
        """What the system says of ``name``, links not followed."""
        return os.lstat(self._join(name))

    def readlink(self, name: str) -> str:
        """Where the link ``name`` points to."""
        target = os.readlink(self._join(name))
        return target[4:] if target.startswith('\\\\?\\') and target[5:6] == ':' else target

    def open_file(self, name: str, flags: int, mode: int = 0o666) -> int:
        """Open ``name``; a descriptor of a file that lies in this folder."""
        self._refuse_link(name)
        fd = os.open(self._join(name), flags | os.O_BINARY | os.O_NOINHERIT, mode)
        try:
            if os.path.dirname(_final_path(_handle_of(fd))) != os.path.normcase(self.path):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        except OSError:
            os.close(fd)
            raise
        return fd

    def _refuse_link(self, name: str) -> None:
        try:
            self.raise_link(name)
        except LinkMet:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        except FileNotFoundError:
            return

    def access(self, name: str, mode: int) -> bool:
        """May this process use ``name`` so?"""
        return os.access(self._join(name), mode)

    @contextmanager
    def entries(self) -> Iterator[Iterator[os.DirEntry[str]]]:
        """What is in the folder."""
        with os.scandir(self.path) as found:
            yield found

    def mkdir(self, name: str, mode: int) -> None:
        os.mkdir(self._join(name), mode)

    def rmdir(self, name: str) -> None:
        os.rmdir(self._join(name))

    def unlink(self, name: str) -> None:
        os.unlink(self._join(name))

    def symlink(self, target: str, name: str) -> None:
        os.symlink(target, self._join(name))

    def link_to(self, name: str, folder: WindowsFolder, other: str) -> None:
        """Give the file ``name`` a second name in ``folder``."""
        self._refuse_link(name)
        os.link(self._join(name), folder._join(other))

    def rename_to(self, name: str, folder: WindowsFolder, other: str) -> None:
        """Move ``name``; replaces what is there."""
        os.replace(self._join(name), folder._join(other))

    def utime(self, name: str, atime_ns: int, mtime_ns: int) -> None:
        self._refuse_link(name)
        os.utime(self._join(name), ns=(atime_ns, mtime_ns))

    def chmod(self, name: str, mode: int) -> None:
        """Change the rights of ``name``: only whether it may be written."""
        self._refuse_link(name)
        os.chmod(self._join(name), mode)
