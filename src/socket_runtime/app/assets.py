"""The app's own files, as pages ask for them: ``socket://<id>/…``, and the modules: ``socket:fs``.

Every reply carries the policy that its document was loaded with, scripts included: a worker has no policy
but the one that its script came with. A page's HTML is read, its policy expanded (``ipc://fs.*`` into the
exact commands), and the same policy sent as a header, so that it holds from the first byte on (A4).

Only files below the resources folder, found without following links (C1, C3), are served; nothing of the
user's is ever served here (C10).
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from socket_runtime.errors import CommandFailed, LocalError, NotFound, RemoteError, TooLarge
from socket_runtime.ipc.csp import DEFAULT, FLOOR
from socket_runtime.ipc.document import Documents
from socket_runtime.ipc.page import ServedPage, serve_page
from socket_runtime.ipc.transport import Asker, Headers, Responder, Workers
from socket_runtime.ipc.uri import AssetUri, module_from_asset, parse_asset, parse_module
from socket_runtime.services.fs.failure import LinkMet
from socket_runtime.services.fs.folder import Folder

__all__ = ['Asset', 'Assets']

_log = logging.getLogger('socket_runtime.app')

MAX_ASSET = 512 << 20  # C12: one file of the app, bytes
MAX_PAGE = 16 << 20  # the policy scan reads the whole page
_INLINE = 256 << 10  # larger files are read by a worker
_CACHED_PAGES = 64

#: For what is asked for without a page.
_NO_PAGE = f'{FLOOR}, {DEFAULT}'

MODULES = Path(__file__).parent.parent / 'js'

#: What makes a ``<meta>`` a policy; taken out of pages where only the gate is to be tested.
_POLICY_META = re.compile(rb'content-security-policy', re.IGNORECASE)

#: Not ``mimetypes``: that reads the system's tables, which differ, and takes 5 ms.
TYPES = {
    'html': 'text/html; charset=utf-8',
    'htm': 'text/html; charset=utf-8',
    'js': 'text/javascript; charset=utf-8',
    'mjs': 'text/javascript; charset=utf-8',
    'css': 'text/css; charset=utf-8',
    'json': 'application/json',
    'map': 'application/json',
    'webmanifest': 'application/manifest+json',
    'txt': 'text/plain; charset=utf-8',
    'md': 'text/plain; charset=utf-8',
    'xml': 'application/xml',
    'svg': 'image/svg+xml',
    'png': 'image/png',
    'jpg': 'image/jpeg',
    'jpeg': 'image/jpeg',
    'gif': 'image/gif',
    'webp': 'image/webp',
    'avif': 'image/avif',
    'ico': 'image/x-icon',
    'woff': 'font/woff',
    'woff2': 'font/woff2',
    'ttf': 'font/ttf',
    'otf': 'font/otf',
    'wasm': 'application/wasm',
    'mp3': 'audio/mpeg',
    'ogg': 'audio/ogg',
    'wav': 'audio/wav',
    'mp4': 'video/mp4',
    'webm': 'video/webm',
    'pdf': 'application/pdf',
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that was found: its bytes' type, and the bytes."""

    content_type: str
    body: bytes


Fetch = Callable[[str, str], Asset]


def _ignore(_message: str) -> None:
    return None


class Assets:
    """Serves one app.

    Args:
        origin: ``socket://<bundle id>``.
        resources: the folder of the app's files.
        documents: told of each page that is served.
        commands: names that ``ipc://x.*`` expands to.
        configured: policies of ``socket.ini`` that hold for every page.
        fetch: reads the app's files from elsewhere (the development server) instead; runs on a worker.
        engine_csp: send policies to the engine at all (see ``HostOptions``).
        on_bad_page: told of a page whose policy cannot be understood.
    """

    def __init__(
        self,
        origin: str,
        resources: Path,
        documents: Documents,
        commands: Callable[[], tuple[str, ...]],
        workers: Workers,
        *,
        index: str = 'index.html',
        configured: tuple[str, ...] = (),
        extra_headers: Headers = (),
        fetch: Fetch | None = None,
        engine_csp: bool = True,
        on_bad_page: Callable[[str], None] = _ignore,
    ) -> None:
        self._on_bad_page = on_bad_page
        self._origin = origin
        self._host = origin.removeprefix('socket://')
        self._resources = resources
        self._documents = documents
        self._commands = commands
        self._workers = workers
        self._index = index
        self._configured = configured
        self._extra = tuple(extra_headers)
        self._fetch = fetch
        self._engine_csp = engine_csp
        self._pages: dict[bytes, ServedPage] = {}

    def handle(self, window: int, asker: Asker, responder: Responder) -> None:
        """Answer one request for a file."""
        policy = self._documents.header(window) or _NO_PAGE
        try:
            uri = asker.uri
            if not uri.startswith('socket://'):
                self._send(policy, responder, self._module(parse_module(uri)))
                return
            asset_uri = parse_asset(uri)
            if asset_uri.host != self._host:
                # engines with "standard" schemes turn socket:fs/promises into socket://fs/promises
                self._send(policy, responder, self._module(module_from_asset(asset_uri)))
                return
            self._serve(window, policy, uri, asset_uri, responder)
        except RemoteError as error:
            _log.warning('%s: %s', ascii(asker.uri[:200])[1:-1], error.message)
            self._refuse(policy, responder, error)

    def _serve(self, window: int, policy: str, url: str, uri: AssetUri, responder: Responder) -> None:
        own = uri.segments[:1] == ('socket',)
        if own or self._fetch is None:
            root, segments = (MODULES, uri.segments[1:]) if own else (self._resources, uri.segments)
            fd, name, size = _find(root, segments, uri.directory, self._index)
            if size <= _INLINE:
                self._answer(window, policy, url, responder, Asset(_type(name), _read(fd)))
                return
            read: Callable[[], Asset] = lambda: Asset(_type(name), _read(fd))  # noqa: E731
        else:
            fetch = self._fetch
            path = '/' + '/'.join(uri.segments) + ('/' if uri.directory and uri.segments else '')
            read = lambda: fetch(path, uri.query)  # noqa: E731

        def work() -> None:
            try:
                asset = read()
            except RemoteError as error:
                refusal = error
                self._workers.post(lambda: self._refuse(policy, responder, refusal))
            except OSError as error:
                _log.error('%s: %s', ascii(url[:200])[1:-1], error)
                self._workers.post(lambda: self._refuse(policy, responder, CommandFailed('the file cannot be read')))
            else:
                self._workers.post(lambda: self._answer(window, policy, url, responder, asset))

        self._workers.run(work)

    def _answer(self, window: int, policy: str, url: str, responder: Responder, asset: Asset) -> None:
        if asset.content_type.startswith('text/html'):
            try:
                page = self._page(asset.body)
            except (RemoteError, LocalError) as error:
                # the author's own policy is wrong: without it the page may not be shown at all
                _log.error('%s: %s', ascii(url[:200])[1:-1], error)
                self._on_bad_page(f'{url}: {error.message}')
                self._refuse(policy, responder, CommandFailed(error.message))
                return
            self._documents.serve(window, url, page.policies, page.header)
            responder.send(200, self._headers(asset.content_type, page.header), page.body)
        else:
            self._send(policy, responder, asset)

    def _page(self, html: bytes) -> ServedPage:
        if len(html) > MAX_PAGE:
            raise TooLarge(f'a page may have {MAX_PAGE} bytes')
        page = self._pages.get(html)
        if page is None:
            page = serve_page(html, commands=self._commands(), configured=self._configured)
            if not self._engine_csp:
                page = ServedPage(body=_POLICY_META.sub(b'x-gate-alone', html), header='', policies=page.policies)
            if len(self._pages) >= _CACHED_PAGES:
                self._pages.clear()
            self._pages[html] = page
        return page

    def _module(self, name: str) -> Asset:
        """What ``import 'socket:<name>'`` gets: relative imports do not work below an URL without
        authority, so it names the real module's URL."""
        path = MODULES.joinpath(*name.split('/')).with_suffix('.js')
        if name == 'preload' or not path.is_file():
            return Asset(TYPES['js'], _unknown_module(name))
        url = f'{self._origin}/socket/{name}.js'
        stub = f"export * from '{url}'\n"
        if b'export default' in path.read_bytes():
            stub += f"export {{ default }} from '{url}'\n"
        return Asset(TYPES['js'], stub.encode())

    def _send(self, policy: str, responder: Responder, asset: Asset) -> None:
        responder.send(200, self._headers(asset.content_type, policy), asset.body)

    def _refuse(self, policy: str, responder: Responder, error: RemoteError) -> None:
        responder.send(error.status, self._headers(TYPES['txt'], policy), error.message.encode())

    def _headers(self, content_type: str, policy: str) -> Headers:
        headers = (
            ('Content-Type', content_type),
            ('Access-Control-Allow-Origin', self._origin),
            ('X-Content-Type-Options', 'nosniff'),
            # a page out of the engine's cache (history back) would come by without its policy
            ('Cache-Control', 'no-store' if content_type.startswith('text/html') else 'no-cache'),
            *self._extra,
        )
        return (*headers, ('Content-Security-Policy', policy)) if self._engine_csp and policy else headers


def _unknown_module(name: str) -> bytes:
    """A module that says what is wrong: a failed import alone tells nothing in WebKit."""
    import difflib
    import json

    known = [str(p.relative_to(MODULES).with_suffix('')) for p in MODULES.rglob('*.js') if p.name != 'preload.js']
    near = difflib.get_close_matches(name, known, 1)
    hint = f' Did you mean socket:{near[0]}?' if near else ''
    message = json.dumps(f'There is no module socket:{name[:100]}.{hint}')
    return f'throw new Error({message})\nexport default undefined\n'.encode()


def _type(name: str) -> str:
    return TYPES.get(name.rpartition('.')[2].lower(), 'application/octet-stream')


def _find(root: Path, segments: tuple[str, ...], directory: bool, index: str) -> tuple[int, str, int]:
    """Open the file that ``segments`` name below ``root``: itself, its index, or with ``.html`` added.

    Returns: descriptor, name and size.

    Raises:
        NotFound: whatever is not a plain file inside.
    """
    if directory or not segments:
        segments = (*segments, index)
    for candidate in (segments, (*segments[:-1], segments[-1] + '.html')):
        fd = _open_beneath(root, candidate)
        if fd is not None:
            size = os.fstat(fd).st_size
            if size > MAX_ASSET:
                os.close(fd)
                raise TooLarge(f'a file of the app may have {MAX_ASSET} bytes')
            return fd, candidate[-1], size
    raise NotFound('no such file: /' + '/'.join(segments))


def _open_beneath(root: Path, segments: tuple[str, ...]) -> int | None:
    """A plain file below ``root``, no link followed on the way; ``None`` where there is none."""
    try:
        folder = Folder.open(str(root))
    except OSError:
        return None  # moved away while the app runs
    try:
        for name in segments[:-1]:
            below = folder.child(name)
            folder.close()
            folder = below
        fd = folder.open_file(segments[-1], os.O_RDONLY)
    except (OSError, LinkMet):
        return None
    finally:
        folder.close()
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        return None
    return fd


def _read(fd: int) -> bytes:
    with open(fd, 'rb') as file:
        return file.read(MAX_ASSET)
