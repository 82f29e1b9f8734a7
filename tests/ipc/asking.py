"""What the tests of the gate and the router ask with: requests, replies and workers in memory."""

from __future__ import annotations

import heapq
import json
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.ipc.command import Command, Commands
from socket_runtime.ipc.csp import parse_policies
from socket_runtime.ipc.document import Document, Documents
from socket_runtime.ipc.gate import Gate
from socket_runtime.ipc.grants import Grants
from socket_runtime.ipc.results import Replies
from socket_runtime.ipc.router import Router

ORIGIN = 'socket://com.example.app'


class Ask:
    """A request as a page's ``fetch`` makes it, with whatever differs."""

    def __init__(
        self,
        uri: str,
        document: Document | None = None,
        method: str = 'GET',
        body: bytes = b'',
        headers: Mapping[str, str | None] | None = None,
    ) -> None:
        self.uri = uri
        self.method = method
        self.body = body
        self.body_reads = 0
        token = document.token if document is not None else ''
        given: dict[str, str | None] = {'Origin': ORIGIN, 'Accept': '*/*', 'Socket-Token': token, **(headers or {})}
        self._headers = {name.lower(): value for name, value in given.items() if value is not None}

    def header(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    def read_body(self, limit: int) -> bytes:
        self.body_reads += 1
        if len(self.body) > limit:
            raise TooLarge('too large')
        return self.body


class Sink:
    """A streamed reply; with ``room`` it takes no more than that until ``drain``."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.data = b''
        self.room = room
        self.closed = False
        self.gone = False
        self._changed = threading.Condition()

    def write(self, data: bytes) -> None:
        with self._changed:
            while len(self.data) + len(data) > self.room and not self.gone:
                self._changed.wait(1)
            if self.gone:
                raise Aborted('gone')
            self.data += data

    def write_some(self, data: memoryview) -> int:
        with self._changed:
            if self.gone:
                raise Aborted('gone')
            part = bytes(data[: max(0, self.room - len(self.data))])
            self.data += part
            return len(part)

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.closed = True

    def leave(self) -> None:
        """The page goes away."""
        with self._changed:
            self.gone = True
            self._changed.notify_all()


class Answer:
    """Keeps the one reply, and complains about a second."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b''
        self.sink: Sink | None = None
        self.room = 1 << 30

    def send(self, status: int, headers: Any, body: bytes) -> None:
        assert self.status == 0, 'answered twice'
        self.status, self.headers, self.body = status, dict(headers), body

    def stream(self, status: int, headers: Any) -> Sink:
        assert self.status == 0, 'answered twice'
        self.status, self.headers = status, dict(headers)
        self.sink = Sink(self.room)
        return self.sink

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def err(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json['err']
        return error

    @property
    def records(self) -> list[Any]:
        """Of a stream of items; heartbeats left out."""
        assert self.sink is not None
        data, found = self.sink.data, []
        while data:
            size = int.from_bytes(data[:4], 'big')
            if size:
                found.append(json.loads(data[4 : 4 + size]))
            data = data[4 + size :]
        return found


class Workers:
    """The GUI's thread is the test's own: ``run_until`` does what was posted. Time can be moved on."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._loop: Any = None

    def post(self, function: Callable[[], None]) -> None:
        self._jobs.put(function)

    def post_later(self, seconds: float, function: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._later, (time.monotonic() + seconds, self._count, function))

    def run(self, function: Callable[[], None]) -> None:
        threading.Thread(target=function, daemon=True).start()

    run_apart = run

    def run_async(self, coroutine: Coroutine[Any, Any, None]) -> None:
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run_loop, args=(self._loop,), daemon=True)
            self._thread.start()
        asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        end = time.monotonic() + timeout
        while not self._jobs.empty():
            self._jobs.get()()
        while not condition():
            assert time.monotonic() < end, 'it did not happen in time'
            while self._later and self._later[0][0] <= time.monotonic():
                heapq.heappop(self._later)[2]()
            try:
                self._jobs.get(timeout=0.005)()
            except queue.Empty:
                continue

    def sweep(self) -> None:
        """Do all that is due later, now."""
        due, self._later = self._later, []
        for _, _, function in sorted(due, key=lambda entry: entry[:2]):
            function()

    def close(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop = None


def _run_loop(loop: Any) -> None:
    import asyncio

    loop.run_forever()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
    loop.close()


def shown(policy: str | None = 'connect-src ipc:', window: int = 0, documents: Documents | None = None) -> Document:
    """A committed document of the app with this policy."""
    documents = documents or Documents(ORIGIN, lambda _: None)
    url = f'{ORIGIN}/index.html'
    documents.begin(window)
    policies = parse_policies(policy) if policy is not None else ()
    documents.serve(window, url, policies, policy or '')
    document = documents.commit(window, url)
    assert document is not None
    return document


class App:
    """A router with its commands, one shown page, and files offered to nobody unless ``offer`` does."""

    def __init__(self, *commands: Command, debug: bool = False) -> None:
        self.workers = Workers()
        self.grants = Grants({})
        self.offers: list[tuple[int, int, str, Callable[[bool], None]]] = []
        self.router = Router(
            Gate(Commands(commands), self.grants, ORIGIN),
            self.workers,
            Replies(ORIGIN),
            self.grants,
            lambda *offer: self.offers.append(offer),
            debug=debug,
        )
        self.page = shown()

    def send(self, uri: str, document: Document | None = None, **ask: Any) -> Answer:
        """Ask, without waiting."""
        answer = Answer()
        document = document or self.page
        self.router.handle(document, Ask(uri, document, **ask), answer)
        return answer

    def ask(self, uri: str, document: Document | None = None, **ask: Any) -> Answer:
        """Ask, and wait for the reply."""
        answer = self.send(uri, document, **ask)
        self.workers.run_until(lambda: answer.status != 0)
        return answer

    def idle(self) -> None:
        """Wait until nothing is under way."""
        self.workers.run_until(lambda: self.router.under_way == 0)


def post(body: Any = None, **headers: str) -> dict[str, Any]:
    """A POST: JSON unless ``body`` is bytes."""
    given_headers = {key.replace('_', '-'): value for key, value in headers.items()}
    if isinstance(body, bytes) or body is None:
        return {'method': 'POST', 'body': body or b'', 'headers': given_headers}
    json_header = {'Content-Type': 'application/json; charset=utf-8'}
    return {'method': 'POST', 'body': json.dumps(body).encode(), 'headers': {**json_header, **given_headers}}
