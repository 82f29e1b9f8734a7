"""``fs.readFile`` and its kin: whole files."""

from __future__ import annotations

import os
from typing import Any

from socket_runtime.errors import Aborted, BadRequest, TooLarge
from socket_runtime.ipc.command import Binary, Call, HostFile
from socket_runtime.services.fs.failure import failing
from socket_runtime.services.fs.metadata import check_mode
from socket_runtime.services.fs.scope import READ, WRITE, Place, Scope, parse_flags

__all__ = ['MAX_READ', 'Files', 'copy_place', 'read_up_to', 'write_all']

MAX_READ = 512 * 1024 * 1024  # bytes that one call holds in memory (C12)
BULK = 1024 * 1024  # bytes above which handing a file over beats sending it; findings "bulk reads"
READ_STEP = 1 << 30  # bytes; Linux and macOS read at most 2 GiB at once
COPY_CHUNK = 1024 * 1024  # bytes between two looks at whether the call was given up


def read_up_to(fd: int, length: int) -> bytes:
    """Up to ``length`` bytes from where the descriptor stands; fewer at the end."""
    chunks: list[bytes] = []
    while length > 0 and (chunk := os.read(fd, min(length, READ_STEP))):
        chunks.append(chunk)
        length -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b''.join(chunks)


def write_all(fd: int, data: bytes | memoryview) -> int:
    """Write all of ``data``; the number of its bytes.

    Raises:
        OSError: the disk took less, e.g. ``ENOSPC``; what was written stays.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    return len(data)


def copy_place(call: Call, scope: Scope, source: Place, target: Place, *, exclusive: bool) -> None:
    """Copy the regular file at ``source``, its rights included, over the one at ``target``.

    Raises:
        Aborted: the call was given up; what was written stays.
        OSError: as for reading and writing.
    """
    fd, state = scope.open_at(source, parse_flags('r'))
    try:
        flags = parse_flags('wx' if exclusive else 'a')._replace(bits=_COPY_NEW if exclusive else _COPY_OVER)
        out, found = scope.open_at(target, flags, state.st_mode & 0o777)
        try:
            if (state.st_dev, state.st_ino) == (found.st_dev, found.st_ino):
                return  # onto itself: as Node, nothing happens; above all no truncation
            os.ftruncate(out, 0)
            while chunk := os.read(fd, COPY_CHUNK):
                if call.is_cancelled:
                    raise Aborted('given up by the page')
                write_all(out, chunk)
        finally:
            os.close(out)
    finally:
        os.close(fd)


_BINARY = getattr(os, 'O_BINARY', 0)
_COPY_OVER = os.O_WRONLY | os.O_CREAT | _BINARY
_COPY_NEW = _COPY_OVER | os.O_EXCL


class Files:
    """The handlers of this field."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def read_file(self, call: Call, path: str, offset: int = 0, length: int = -1) -> Binary | HostFile:
        """The bytes of a file. ``length`` -1: to the end. Big whole files are handed over unread where the
        page says that it can take them."""
        if offset < 0 or length < -1:
            raise BadRequest('fs.readFile: offset and length are not negative; length -1 is the end')
        with failing('open', path):
            fd, state = self._scope.open_file(call, path, parse_flags('r'))
        keep = False
        try:
            size = state.st_size
            whole = offset == 0 and (length < 0 or length >= size)
            if whole and size > BULK and call.header('Socket-Bulk') == 'file':
                keep = True
                return HostFile(fd, size, state.st_mtime)
            wanted = size - offset if length < 0 else length
            if min(wanted, size - offset) > MAX_READ:
                raise TooLarge(
                    f'{path!r}: {wanted} bytes are more than fs.readFile takes ({MAX_READ}); '
                    'read it as a stream (fs.createReadStream) or in parts'
                )
            with failing('read', path):
                os.lseek(fd, offset, os.SEEK_SET)
                return Binary(read_up_to(fd, min(max(wanted, 0), MAX_READ)))
        finally:
            if not keep:
                os.close(fd)

    def write_file(self, call: Call, path: str, body: bytes, mode: int = 0o666, flag: str = 'w') -> dict[str, Any]:
        """Replace the content, in place: other names of the file and its rights stay, as with Node."""
        flags = parse_flags(flag)
        if not flags.write:
            raise BadRequest(f'fs.writeFile cannot write with the flag {flag!r}')
        check_mode(mode)
        with failing('open', path):
            fd, _ = self._scope.open_file(call, path, flags, mode)
        try:
            with failing('write', path):
                return {'bytesWritten': write_all(fd, body)}
        finally:
            self._close(fd, path)

    def append_file(self, call: Call, path: str, body: bytes, mode: int = 0o666) -> dict[str, Any]:
        return self.write_file(call, path, body, mode, 'a')

    def truncate(self, call: Call, path: str, length: int = 0) -> None:
        if length < 0:
            raise BadRequest('fs.truncate: length is not negative')
        only_write = parse_flags('r+')._replace(read=False)  # no O_CREAT, and no grant to read needed
        with failing('open', path):
            fd, _ = self._scope.open_file(call, path, only_write._replace(bits=os.O_WRONLY | _BINARY))
        try:
            with failing('ftruncate', path):
                os.ftruncate(fd, length)
        finally:
            os.close(fd)

    def copy_file(self, call: Call, src: str, dest: str, exclusive: bool = False) -> None:
        with failing('copyfile', src, dest):
            with (
                self._scope.place(call, (READ,), src) as source,
                self._scope.place(call, (WRITE,), dest) as target,
            ):
                copy_place(call, self._scope, source, target, exclusive=exclusive)

    @staticmethod
    def _close(fd: int, path: str) -> None:
        with failing('close', path):  # on network file systems this is where a full disk is told
            os.close(fd)
