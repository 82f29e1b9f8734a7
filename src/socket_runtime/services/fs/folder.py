"""A folder that is held by its descriptor: all that is done in it is done relative to that.

What a name in a path means can change between two system calls; what an open descriptor means cannot
(C4). No operation here follows a link.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from socket_runtime.services.fs.failure import LinkMet

__all__ = ['Folder', 'PosixFolder']


class PosixFolder:
    """See the module. To be closed; ``fd`` is its descriptor."""

    __slots__ = ('fd',)

    # O_PATH needs no right to list the folder, only to pass through it.
    _FLAGS = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, 'O_PATH', os.O_RDONLY) if sys.platform != 'win32' else 0

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def open(cls, path: str) -> PosixFolder:
        """Open a trusted path; links in it are followed."""
        return cls(os.open(path, cls._FLAGS))

    def close(self) -> None:
        """Let the descriptor go; again does nothing."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def child(self, name: str) -> PosixFolder:
        """The folder ``name`` in this one.

        Raises:
            LinkMet: it is a link.
            OSError: it is no folder, or not there.
        """
        try:
            return PosixFolder(os.open(name, self._FLAGS | os.O_NOFOLLOW, dir_fd=self.fd))
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                self.raise_link(name)
            raise

    def raise_link(self, name: str, state: os.stat_result | None = None) -> None:
        """Raise ``LinkMet`` if ``name``, of which ``state`` is known, is a link."""
        if stat.S_ISLNK((state or self.stat(name)).st_mode):
            raise LinkMet(self.readlink(name))

    def itself(self) -> os.stat_result:
        """What the system says of this folder."""
        return os.fstat(self.fd)

    def stat(self, name: str) -> os.stat_result:
        """What the system says of ``name``, links not followed."""
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False)

    def readlink(self, name: str) -> str:
        """Where the link ``name`` points to."""
        return os.readlink(name, dir_fd=self.fd)

    def open_file(self, name: str, flags: int, mode: int = 0o666) -> int:
        """Open ``name``; a descriptor. Never blocks on a FIFO, never takes a terminal."""
        more = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(name, flags | more, mode, dir_fd=self.fd)

    def access(self, name: str, mode: int) -> bool:
        """May this process use ``name`` so? ``mode`` is ``os.R_OK`` and the like."""
        return os.access(name, mode, dir_fd=self.fd)

    @contextmanager
    def entries(self) -> Iterator[Iterator[os.DirEntry[str]]]:
        """What is in the folder."""
        fd = os.open('.', os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.fd)
        try:
            with os.scandir(fd) as found:
                yield found
        finally:
            os.close(fd)

    def mkdir(self, name: str, mode: int) -> None:
        os.mkdir(name, mode, dir_fd=self.fd)

    def rmdir(self, name: str) -> None:
        os.rmdir(name, dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        os.unlink(name, dir_fd=self.fd)

    def symlink(self, target: str, name: str) -> None:
        os.symlink(target, name, dir_fd=self.fd)

    def link_to(self, name: str, folder: PosixFolder, other: str) -> None:
        """Give the file ``name`` a second name in ``folder``."""
        os.link(name, other, src_dir_fd=self.fd, dst_dir_fd=folder.fd, follow_symlinks=False)

    def rename_to(self, name: str, folder: PosixFolder, other: str) -> None:
        """Move ``name``; replaces what is there."""
        os.replace(name, other, src_dir_fd=self.fd, dst_dir_fd=folder.fd)

    def utime(self, name: str, atime_ns: int, mtime_ns: int) -> None:
        os.utime(name, ns=(atime_ns, mtime_ns), dir_fd=self.fd, follow_symlinks=False)

    def chmod(self, name: str, mode: int) -> None:
        """Change the rights of ``name``, which is no link."""
        if os.chmod in os.supports_follow_symlinks and sys.platform != 'linux':
            os.chmod(name, mode, dir_fd=self.fd, follow_symlinks=False)
            return
        # Linux's fchmodat follows links; a descriptor's own name in /proc leads to that file and no other.
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.fd)
        try:
            if stat.S_ISLNK(os.fstat(fd).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            os.chmod(f'/proc/self/fd/{fd}', mode)
        finally:
            os.close(fd)


if sys.platform == 'win32':
    from socket_runtime.services.fs.folder_windows import WindowsFolder

    Folder: TypeAlias = WindowsFolder
else:
    Folder: TypeAlias = PosixFolder
