"""The way to a development server: ``ssc run --port 8000`` takes the app's files from there.

The window keeps its origin ``socket://<id>``, and the page its policy: only the bytes come from
``http://localhost:8000``, fetched here and handed on by the asset handler. So the gate, the policy and
the modules are the same as in the built app.

The server is not trusted further than a file on disk (E7): only this machine's own addresses are asked,
only with GET, redirects are not followed, and size and time are bounded.
"""

from __future__ import annotations

import re
import time
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from socket_runtime.errors import CommandFailed, NotFound, PortError, TooLarge, UsageError

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

    from socket_runtime.app.assets import Asset

__all__ = ['DevProxy']

#: Largest file taken from the server, in bytes (E7).
MAX_BODY = 64 * 1024 * 1024

#: Longest path with query, in characters (E7).
MAX_PATH = 8 * 1024

#: Seconds for one step of the connection (bundlers may work long for the first file), and for a whole file.
STEP_TIMEOUT = 30.0
TOTAL_TIMEOUT = 120.0

#: Seconds to see whether anything listens at all.
CHECK_TIMEOUT = 2.0

_CHUNK = 256 * 1024
_QUERY = re.compile(r'[\x21\x22\x24-\x7e]*')
_LOOPBACK_V4 = re.compile(r'127(?:\.[0-9]{1,3}){3}')
_TYPE = re.compile(r'[\x20-\x7e]{1,200}')


class DevProxy:
    """Fetches files from a server on this machine. Any thread may use it.

    Args:
        host: ``localhost``, or an address of this machine's loopback interface.
        port: where it listens.

    Raises:
        UsageError: the host is another machine, or no name that is known without asking the network.
    """

    def __init__(self, host: str, port: int) -> None:
        name = host.lower().strip('[]')
        if name == 'localhost':
            self._addresses: tuple[str, ...] = ('127.0.0.1', '::1')
        elif name == '::1' or _is_loopback_v4(name):
            self._addresses = (name,)
        else:
            raise UsageError(
                f'--host {host} is not this machine',
                hint='Files of the app come from localhost only: use localhost, 127.0.0.1 or ::1.',
            )
        if not 1 <= port <= 65535:
            raise UsageError(f'{port} is no port, 1 to 65535')
        self._authority = f'[{name}]:{port}' if ':' in name else f'{name}:{port}'
        self._port = port

    @property
    def url(self) -> str:
        """``http://localhost:8000``."""
        return f'http://{self._authority}'

    def check(self) -> None:
        """Make sure that something listens.

        Raises:
            PortError: nothing does.
        """
        import socket

        for address in self._addresses:
            try:
                socket.create_connection((address, self._port), timeout=CHECK_TIMEOUT).close()
            except OSError:
                continue
            return
        raise self._nobody()

    def fetch(self, path: str, query: str = '') -> Asset:
        """A file of the app, as the asset handler wants it.

        A page that cannot be fetched because the server has gone is answered with a page that says so.

        Raises:
            NotFound: the server has no such file, or nothing listens any more.
            CommandFailed: the server failed, or sends the page elsewhere.
            TooLarge: the file has more than ``MAX_BODY`` bytes.
        """
        from socket_runtime.app.assets import Asset

        try:
            status, content_type, body = self.request(path, query)
        except PortError as error:
            if '.' in path.rpartition('/')[2] and not path.endswith(('.html', '.htm')):
                raise NotFound(str(error)) from error
            return Asset('text/html; charset=utf-8', _error_page(error.message, error.hint))
        if status == 404:
            raise NotFound(f'{self.url}{path}: not found')
        if status != 200:
            raise CommandFailed(f'{self.url}{path}: the server answers {status}')
        return Asset(content_type, body)

    def request(self, path: str, query: str = '') -> tuple[int, str, bytes]:
        """One GET.

        Args:
            path: decoded, beginning with ``/``.
            query: as in the URI, without ``?``.

        Returns:
            status, content type, body.

        Raises:
            PortError: nothing listens, or what listens speaks no HTTP.
            NotFound: the path cannot be asked for.
            CommandFailed: it took too long.
            TooLarge: the file has more than ``MAX_BODY`` bytes.
        """
        from http.client import HTTPException

        target = _target(path, query)
        deadline = time.monotonic() + TOTAL_TIMEOUT
        for address in self._addresses:
            try:
                return self._get(address, target, deadline)
            except ConnectionRefusedError:
                continue
            except TimeoutError as error:
                raise CommandFailed(f'{self.url}{path}: the server takes too long', code='ETIMEDOUT') from error
            except (OSError, HTTPException) as error:
                raise PortError(
                    f'{self.url} gives no proper answer: {type(error).__name__}',
                    hint='Is that the port of a web server?',
                ) from error
        raise self._nobody()

    def _get(self, address: str, target: str, deadline: float) -> tuple[int, str, bytes]:
        from http.client import HTTPConnection

        with (
            closing(HTTPConnection(address, self._port, timeout=STEP_TIMEOUT)) as connection,
            closing(self._ask(connection, target)) as response,
        ):
            if response.status != 200:
                return response.status, 'text/plain; charset=utf-8', b''
            if response.getheader('Content-Encoding', 'identity').lower() != 'identity':
                raise CommandFailed(f'{self.url}{target}: the server compresses, unasked')
            content_type = response.getheader('Content-Type', '') or 'application/octet-stream'
            if not _TYPE.fullmatch(content_type):
                content_type = 'application/octet-stream'
            return 200, content_type, _read(response, deadline)

    def _ask(self, connection: HTTPConnection, target: str) -> HTTPResponse:
        try:
            connection.connect()
        except TimeoutError:
            raise
        except OSError as error:  # also: no IPv6 on this machine
            raise ConnectionRefusedError from error
        connection.putrequest('GET', target, skip_host=True, skip_accept_encoding=True)
        connection.putheader('Host', self._authority)
        connection.putheader('Accept', '*/*')
        connection.putheader('Accept-Encoding', 'identity')
        connection.putheader('Connection', 'close')
        connection.endheaders()
        return connection.getresponse()

    def _nobody(self) -> PortError:
        return PortError(
            f'nothing answers at {self.url}',
            hint='Start your development server first, or name its port: --port N.',
        )


def _is_loopback_v4(name: str) -> bool:
    return _LOOPBACK_V4.fullmatch(name) is not None and all(int(part) <= 255 for part in name.split('.'))


def _target(path: str, query: str) -> str:
    """The request line's target: nothing in it can end the line, or lead above the root (E7)."""
    parts = path.split('/')
    if not path.startswith('/') or '..' in parts or '.' in parts or '\\' in path or not _QUERY.fullmatch(query):
        raise NotFound('no such file')
    try:
        quoted = quote(path, safe="/-._~!$&'()*+,;=:@")
    except UnicodeEncodeError:  # half a surrogate pair
        raise NotFound('no such file') from None
    target = f'{quoted}?{query}' if query else quoted
    if len(target) > MAX_PATH or target.startswith('//'):
        raise NotFound('no such file')
    return target


def _read(response: HTTPResponse, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := response.read1(_CHUNK):
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLarge(f'a file from the development server may have {MAX_BODY} bytes')
        if time.monotonic() > deadline:
            raise TimeoutError
        chunks.append(chunk)
    announced = response.getheader('Content-Length', '')
    if announced.isdecimal() and int(announced) != size:
        raise ConnectionResetError('the file is shorter than announced')
    return b''.join(chunks)


def _error_page(message: str, hint: str) -> bytes:
    """A page without scripts and policy: it may call nothing."""
    from html import escape

    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>No development server</title></head>'
        f'<body><h1>No development server</h1><p>{escape(message)}</p><p>{escape(hint)}</p></body></html>'
    ).encode()
