"""Tests of an app without a display: a page that is driven from Python.

::

    with app.test_client(page='index.html') as page:
        assert page.call('notes.list', folder='inbox') == []

The page has the policy of the file that it names (or the one that the test gives), and every call takes the
way of a real one: URI, gate, quota, arguments, worker, reply. What is missing is the engine: no script runs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from socket_runtime import errors
from socket_runtime.errors import RemoteError, UsageError
from socket_runtime.host.contract import HostOptions
from socket_runtime.host.headless import HeadlessHost, HeadlessWindow, MemoryRequest, MemoryResponder
from socket_runtime.ipc.csp import parse_policy

if TYPE_CHECKING:
    from socket_runtime.app.application import App

__all__ = ['TestClient']


class TestClient:
    """One page of an app; made by ``App.test_client``.

    Attributes:
        window: the window that the page is in.
    """

    __test__ = False  # not a class of tests, though pytest might think so by its name

    def __init__(self, app: App, policy: str | Iterable[str] | None, page: str = '', timeout: float = 10.0) -> None:
        from socket_runtime.app.callbacks import AppCallbacks

        self._app = app
        self._timeout = timeout
        app._gui_thread = threading.get_ident()
        app._wire()
        host = self._host = HeadlessHost(AppCallbacks(app), HostOptions(origin=app.origin))
        app._host = host
        self.window = app._make_window(app._spec(page, {}))
        self._native: HeadlessWindow = self.window._native  # type: ignore[assignment]
        if policy is None:
            loaded, native = self.window.loaded, self._native
            host.run_until(lambda: loaded.is_set() or native.page.status not in (0, 200), timeout)
            if not self.window.loaded.is_set():
                raise UsageError(f'the page could not be loaded: {self._native.page.body.decode()}')
        else:
            self._native.loads = False
            self._load_with(policy)

    def _load_with(self, policy: str | Iterable[str]) -> None:
        sources = policy if isinstance(policy, str) else ' '.join(policy)
        from socket_runtime.ipc.csp import expand

        text = expand(f'connect-src {sources}', self._app.commands.names())
        url = self._app.url('')
        documents = self._app.documents
        documents.begin(self.window.index)
        documents.serve(self.window.index, url, (parse_policy(text),), text)
        documents.commit(self.window.index, url)
        self.window.page_loaded()

    def __enter__(self) -> TestClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The page goes away, and all that it had open with it."""
        self._host.quit()
        self._app.pool.close()
        self._app._host = None

    @property
    def events(self) -> list[tuple[str, Any]]:
        """What Python has sent to the page so far, as ``(name, detail)``."""
        self._host.run_until(lambda: False, 0.02)
        return self._native.delivered

    def fetch(
        self,
        uri: str,
        method: str = 'GET',
        headers: dict[str, str] | None = None,
        body: bytes = b'',
        token: bool = True,
    ) -> MemoryResponder:
        """One raw request, as the page's ``fetch`` would make it.

        Raises:
            UsageError: no answer came in time.
        """
        document = self._app.documents.current(self.window.index)
        own = {'Origin': self._app.origin, 'Accept': '*/*'}
        if token and document is not None:
            own['Socket-Token'] = document.token
        responder = MemoryResponder()
        request = MemoryRequest(uri, method, {**own, **(headers or {})}, body)
        self._app.router.handle(document, request, responder)
        if not self._host.run_until(lambda: responder.status != 0, self._timeout):
            raise UsageError(f'{uri} was not answered within {self._timeout} s')
        return responder

    def call(self, command: str, body: bytes | None = None, /, **arguments: Any) -> Any:
        """Call a command and return what it answers: data, or ``bytes`` for a binary result.

        Raises:
            RemoteError: what the page would get as ``err`` (``Denied``, ``BadRequest``, ...).
        """
        responder = self._request(command, body, arguments)
        if responder.headers.get('Socket-Kind') == 'binary':
            return responder.body
        return _data(json.loads(responder.body))

    def stream(self, command: str, /, **arguments: Any) -> Iterator[Any]:
        """Call a command that streams; yields items, or ``bytes`` of a raw stream."""
        responder = self._request(command, None, arguments)
        if responder.sink is None:
            _data(json.loads(responder.body))
            raise UsageError(f'{command} does not stream')
        chunks = iter(responder.sink.chunks.get, None)
        if responder.headers['Socket-Kind'] == 'stream-binary':
            yield from chunks
            return
        for chunk in chunks:
            if len(chunk) > 4:
                yield _data(json.loads(chunk[4:]))

    def upload(self, command: str, chunks: Iterable[bytes], /, **arguments: Any) -> Any:
        """Call a command that takes an upload, with these chunks."""
        uri = f'ipc://{command}' + _query(arguments)
        opened = self.fetch(uri, 'POST')
        if opened.headers.get('Socket-Kind') != 'upload':
            return _data(json.loads(opened.body))
        stream = {'Socket-Stream': opened.headers['Socket-Stream']}
        for chunk in chunks:
            taken = self.fetch(f'ipc://{command}', 'POST', stream, chunk)
            if taken.status != 204:
                return _data(json.loads(taken.body))
        return _data(json.loads(self.fetch(f'ipc://{command}', 'POST', {**stream, 'Socket-Stream-End': '1'}).body))

    def _request(self, command: str, body: bytes | None, arguments: dict[str, Any]) -> MemoryResponder:
        if body is not None:
            headers = {'Content-Type': 'application/octet-stream'}
            return self.fetch(f'ipc://{command}' + _query(arguments), 'POST', headers, body)
        if all(isinstance(value, (str, int, float)) for value in arguments.values()):
            return self.fetch(f'ipc://{command}' + _query(arguments))
        json_headers = {'Content-Type': 'application/json'}
        return self.fetch(f'ipc://{command}', 'POST', json_headers, json.dumps(arguments).encode())


def _query(arguments: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    pairs = [f'{quote(name)}={quote(text(value), safe="")}' for name, value in arguments.items()]
    return '?' + '&'.join(pairs) if pairs else ''


def _data(result: dict[str, Any]) -> Any:
    err = result.get('err')
    if err is None:
        return result.get('data')
    kind = getattr(errors, str(err.get('type')), RemoteError)
    details = {k: v for k, v in err.items() if k not in ('message', 'name', 'type', 'code')}
    raise kind(err['message'], code=err.get('code', ''), **details)
