"""Replies: the envelope ``{source, id, data | err}``, and the headers that every reply carries.

``Cache-Control: no-store``, since WebKit answers a repeated XHR from its cache otherwise; ``nosniff`` and
types that no engine runs, so that a reply can be neither script nor page; and the app's own origin, never
``*``, as the one that may read it.

Source: the original's result shape (``reference.md`` 3); findings "bulk reads" 4.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from socket_runtime.errors import RemoteError
from socket_runtime.ipc.transport import Headers

__all__ = ['RECORD_HEARTBEAT', 'Replies', 'encode_record']

JSON = 'application/json'
BINARY = 'application/octet-stream'

#: An empty record: makes a streamed reply's ``fetch`` resolve at once.
RECORD_HEARTBEAT = b'\0\0\0\0'

_EXPOSED = 'Socket-Id, Socket-Kind, Socket-File, Socket-File-Size, Socket-Stream'


class Replies:
    """Builds the replies of one app."""

    def __init__(self, origin: str) -> None:
        self._common: tuple[tuple[str, str], ...] = (
            ('Access-Control-Allow-Origin', origin),
            ('Cache-Control', 'no-store'),
            ('X-Content-Type-Options', 'nosniff'),
        )
        # the plain reply is the hot one: no header that it does not need, and one value, so that a host can keep
        # its own form of it
        self._json: Headers = (('Content-Type', JSON), *self._common)
        self._binary = self.headers(BINARY, 'binary')

    def headers(self, content_type: str, kind: str, *more: tuple[str, str]) -> Headers:
        """All headers of a reply that is not plain JSON, content type first."""
        return (
            ('Content-Type', content_type),
            ('Socket-Kind', kind),
            ('Access-Control-Expose-Headers', _EXPOSED),
            *self._common,
            *more,
        )

    def data(self, source: str, call_id: str, value: Any) -> tuple[int, Headers, bytes]:
        """The result of a command that returned ``value``.

        Raises:
            TypeError: ``value`` has no JSON form.
        """
        return 200, self._json, _envelope(source, call_id, b'data', encode(value))

    def binary(self, data: bytes) -> tuple[int, Headers, bytes]:
        """Raw bytes."""
        return 200, self._binary, data

    def error(self, source: str, call_id: str, error: RemoteError) -> tuple[int, Headers, bytes]:
        """A refusal or failure."""
        return error.status, self._json, _envelope(source, call_id, b'err', encode(error.to_err()))

    def nothing(self) -> tuple[int, Headers, bytes]:
        """Taken; there is nothing to say."""
        return 204, self._json, b''


def encode(value: Any) -> bytes:
    """JSON of what commands return: plain values, dataclasses, msgspec structs, dates.

    Raises:
        TypeError: no JSON form.
    """
    if value is None:
        return b'null'
    if 'msgspec' not in sys.modules:
        # plain values need no msgspec, and an app that sends nothing else need not import it (1 MB)
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':')).encode()
        except (TypeError, ValueError):
            pass
    import msgspec.json

    return msgspec.json.encode(value)


def _envelope(source: str, call_id: str, key: bytes, value: bytes) -> bytes:
    # both names have passed the grammar of uri.parse_call: nothing to escape
    return b'{"source":"%b","id":"%b","%b":%b}' % (source.encode(), call_id.encode(), key, value)


def encode_record(value: Any = None, error: RemoteError | None = None) -> bytes:
    """One record of a stream of items: length (u32, big endian), then ``{"data":…}`` or ``{"err":…}``."""
    body = b'{"err":%b}' % encode(error.to_err()) if error is not None else b'{"data":%b}' % encode(value)
    return len(body).to_bytes(4, 'big') + body
