"""``fs.readStream`` and ``fs.writeStream``: files that need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from socket_runtime.errors import BadRequest
from socket_runtime.ipc.command import Call, SizedStream
from socket_runtime.services.fs.failure import failing
from socket_runtime.services.fs.files import write_all
from socket_runtime.services.fs.metadata import check_mode
from socket_runtime.services.fs.scope import Scope, parse_flags

if TYPE_CHECKING:
    from socket_runtime.ipc.streams import Upload

__all__ = ['Streams']

DEFAULT_CHUNK = 65536  # bytes, as Node's highWaterMark
MAX_CHUNK = 1024 * 1024  # B6: bytes that one stream holds at a time


class Streams:
    """The handlers of this field."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def read_stream(
        self, call: Call, path: str, start: int = 0, end: int = -1, chunk: int = DEFAULT_CHUNK
    ) -> Iterator[bytes]:
        """The file's bytes from ``start`` to ``end``, which is included (as with Node); -1 is the last.

        The scope is checked before the first item is asked for, so that a refusal can still be told.
        """
        if start < 0 or end < -1 or (end >= 0 and end < start - 1):
            raise BadRequest('fs.readStream: start and end are not negative, and start is not after end')
        if not 1 <= chunk <= MAX_CHUNK:
            raise BadRequest(f'fs.readStream: chunk is between 1 and {MAX_CHUNK}')
        flags = parse_flags('r')
        with failing('open', path):
            self._scope.check(call, flags.grants, path)
            fd, state = self._scope.open_file(call, path, flags)
        last = state.st_size if end < 0 else min(state.st_size, end + 1)
        return SizedStream(self._read(call, path, fd, start, end, chunk), max(0, last - start))

    def _read(self, call: Call, path: str, fd: int, start: int, end: int, chunk: int) -> Iterator[bytes]:
        try:
            left = end + 1 - start if end >= 0 else None
            os.lseek(fd, start, os.SEEK_SET)
            while left != 0 and not call.is_cancelled:
                with failing('read', path):
                    data = os.read(fd, chunk if left is None else min(chunk, left))
                if not data:
                    return
                if left is not None:
                    left -= len(data)
                yield data
        finally:
            os.close(fd)

    def write_stream(
        self, call: Call, path: str, upload: Upload, flag: str = 'w', mode: int = 0o666, start: int = -1
    ) -> dict[str, Any]:
        """Write what the page sends, chunk by chunk. ``start``: where to begin (with ``r+``)."""
        flags = parse_flags(flag)
        if not flags.write:
            raise BadRequest(f'fs.writeStream cannot write with the flag {flag!r}')
        if start < -1:
            raise BadRequest('fs.writeStream: start is not negative')
        check_mode(mode)
        with failing('open', path):
            fd, _ = self._scope.open_file(call, path, flags, mode)
        written = 0
        try:
            if start > 0:
                os.lseek(fd, start, os.SEEK_SET)
            for chunk in upload:
                with failing('write', path):
                    written += write_all(fd, chunk)
        finally:
            with failing('close', path):
                os.close(fd)
        return {'bytesWritten': written}
