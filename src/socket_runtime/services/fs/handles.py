"""``fs.open`` and what works on open files.

A handle's id is 128 random bits and belongs to the window and document that opened it (B1): to anybody
else it does not exist. The system's descriptors never leave this module.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from socket_runtime.errors import Aborted, BadRequest, NotFound, QuotaExceeded, TooLarge
from socket_runtime.ipc.command import Binary, Call
from socket_runtime.services.fs.failure import failing
from socket_runtime.services.fs.files import MAX_READ, read_up_to, write_all
from socket_runtime.services.fs.metadata import check_mode, describe
from socket_runtime.services.fs.scope import Scope, parse_flags

__all__ = ['Handles']

MAX_HANDLES = 256  # B6: open files of one window; a process has about a thousand descriptors


class _Handle:
    """An open file. It is closed by whoever uses it last, so that no number is reused under a reader."""

    __slots__ = ('closing', 'document', 'fd', 'order', 'users', 'window')

    def __init__(self, fd: int, call: Call) -> None:
        self.fd = fd
        self.window = call.window
        self.document = call.document
        self.users = 0
        self.closing = False
        self.order = threading.Lock()  # where a position has to be set first, one at a time


class Handles:
    """The handlers of this field, and the table of open files."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._table: dict[str, _Handle] = {}
        self._lock = threading.Lock()

    # -- the table -------------------------------------------------------------------------------------

    def open(self, call: Call, path: str, flags: str = 'r', mode: int = 0o666) -> dict[str, str]:
        """Open a file; ``fd`` is its handle's id."""
        check_mode(mode)
        self._check_quota(call.window)
        with failing('open', path):
            fd, _ = self._scope.open_file(call, path, parse_flags(flags), mode)
        handle_id = os.urandom(16).hex()
        try:
            with self._lock:
                self._check_quota(call.window)
                self._table[handle_id] = _Handle(fd, call)
        except QuotaExceeded:
            os.close(fd)
            raise
        if call.is_cancelled:  # the document may be gone, and ``close_document`` with it
            self._drop([handle_id])
            raise Aborted('given up by the page')
        return {'fd': handle_id}

    def _check_quota(self, window: int) -> None:
        if sum(handle.window == window for handle in tuple(self._table.values())) >= MAX_HANDLES:
            raise QuotaExceeded(f'a window may have {MAX_HANDLES} files open')

    def close(self, call: Call, fd: str) -> None:
        """Close a handle; calls that are using it may finish."""
        with self._lock:
            self._find(call, fd)
        self._drop([fd])

    def close_document(self, document: Any) -> None:
        """Close all that ``document`` has opened. To be called after its calls were cancelled; never
        waits."""
        with self._lock:
            gone = [key for key, handle in self._table.items() if handle.document is document]
        self._drop(gone)

    def close_all(self) -> None:
        """Close everything: the app ends."""
        with self._lock:
            gone = list(self._table)
        self._drop(gone)

    def _drop(self, ids: list[str]) -> None:
        idle: list[int] = []
        with self._lock:
            for key in ids:
                handle = self._table.pop(key, None)
                if handle is None:
                    continue
                handle.closing = True
                if not handle.users:
                    idle.append(handle.fd)
        for fd in idle:
            os.close(fd)

    def _find(self, call: Call, fd: str) -> _Handle:
        handle = self._table.get(fd)
        if handle is None or handle.window != call.window or handle.document is not call.document:
            raise NotFound('there is no such open file', code='EBADF')
        return handle

    @contextmanager
    def _using(self, call: Call, fd: str) -> Iterator[_Handle]:
        with self._lock:
            handle = self._find(call, fd)
            handle.users += 1
        try:
            yield handle
        finally:
            with self._lock:
                handle.users -= 1
                last = handle.closing and not handle.users
            if last:
                os.close(handle.fd)

    # -- what works on them ----------------------------------------------------------------------------

    def read(self, call: Call, fd: str, length: int, position: int = -1) -> Binary:
        """Up to ``length`` bytes from ``position``; -1 is where the last read or write ended."""
        if length < 0 or position < -1:
            raise BadRequest('fs.read: length and position are not negative; position -1 goes on')
        if length > MAX_READ:
            raise TooLarge(f'fs.read takes at most {MAX_READ} bytes at once')
        with self._using(call, fd) as handle, failing('read'), handle.order, _at(handle.fd, position):
            return Binary(read_up_to(handle.fd, length))

    def write(self, call: Call, fd: str, body: bytes, position: int = -1) -> dict[str, int]:
        """Write all of the body at ``position``; -1 is where the last read or write ended."""
        if position < -1:
            raise BadRequest('fs.write: position is not negative; -1 goes on')
        with self._using(call, fd) as handle, failing('write'), handle.order, _at(handle.fd, position):
            return {'bytesWritten': write_all(handle.fd, body)}

    def fstat(self, call: Call, fd: str) -> dict[str, Any]:
        with self._using(call, fd) as handle, failing('fstat'):
            return describe(os.fstat(handle.fd))

    def ftruncate(self, call: Call, fd: str, length: int = 0) -> None:
        if length < 0:
            raise BadRequest('fs.ftruncate: length is not negative')
        with self._using(call, fd) as handle, failing('ftruncate'):
            os.ftruncate(handle.fd, length)

    def fsync(self, call: Call, fd: str) -> None:
        with self._using(call, fd) as handle, failing('fsync'):
            os.fsync(handle.fd)


@contextmanager
def _at(fd: int, position: int) -> Iterator[None]:
    """Be at ``position`` for the block, and back where one was after it; -1 stays and goes on."""
    if position < 0:
        yield
        return
    before = os.lseek(fd, 0, os.SEEK_CUR)
    os.lseek(fd, position, os.SEEK_SET)
    try:
        yield
    finally:
        os.lseek(fd, before, os.SEEK_SET)
