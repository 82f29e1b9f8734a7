"""From a request to its one answer: parse, gate, quota, body, arguments, command, reply.

``Router.handle`` runs on the GUI's thread and returns at once. A command marked ``inline`` is answered
within it; any other runs on the pool, on a thread of its own (streams) or on the asyncio loop, and its
result comes back to the GUI's thread before it is sent. Every call under way is in one table with its
deadline, its document and its quota, and leaves the table exactly once: answered, failed, timed out,
cancelled by the page, or gone with its document.

Besides a call, a request may carry on with one: a chunk of an upload, the cancelling of a call, or the
word that a file was read. These name ids of 128 random bits, or the call's own ``seq``, and are looked up
among what the same document has opened (B1).
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any

from socket_runtime.errors import (
    Aborted,
    BadRequest,
    CommandFailed,
    Denied,
    LocalError,
    NotFound,
    RemoteError,
    Timeout,
    TooLarge,
)
from socket_runtime.ipc.command import Binary, Call, Command, HostFile, SizedStream
from socket_runtime.ipc.descriptors import Numbers
from socket_runtime.ipc.document import Document, new_token
from socket_runtime.ipc.gate import Gate, audit
from socket_runtime.ipc.grants import Grants
from socket_runtime.ipc.quotas import Quotas
from socket_runtime.ipc.results import BINARY, JSON, Replies
from socket_runtime.ipc.streams import MAX_CHUNK, Flow, Upload, pump, pump_async
from socket_runtime.ipc.transport import Asker, Responder, Sink, Workers
from socket_runtime.ipc.uri import CallUri, parse_call

__all__ = ['Router']

_log = logging.getLogger('socket_runtime.ipc')

#: How often deadlines and given-up streams are looked for while calls are under way, in seconds.
SWEEP = 1.0
#: A file that the page never reads is closed after this, in seconds (B6).
FILE_LIFE = 60.0
#: A file that cannot be handed over is read into memory up to this size, in bytes (C12).
MAX_SENT = 512 << 20

_COUNT = re.compile('[0-9]{1,15}').fullmatch

OfferFile = Callable[[int, int, str, Callable[[bool], None]], None]


class _Active:
    """A call under way."""

    __slots__ = ('call', 'deadline', 'document', 'flow', 'kind', 'responder', 'result', 'sink', 'stream_id', 'upload')

    def __init__(self, call: Call, document: Document, responder: Responder | None, kind: str) -> None:
        self.call = call
        self.document = document
        self.responder = responder
        self.kind = kind
        timeout = call.command.timeout
        self.deadline = time.monotonic() + timeout if timeout is not None else None
        self.sink: Sink | None = None
        self.upload: Upload | None = None
        self.flow: Flow | None = None
        self.stream_id = ''
        self.result: tuple[int, Any, bytes] | None = None


class Router:
    """Answers calls.

    Args:
        gate: decides.
        workers: where commands run.
        replies: the form of answers.
        grants: what commands may look up about scopes.
        offer_file: hands an open descriptor to a window's page: window, descriptor, name, and what to call
            with whether that went well.
        debug: tell pages what exactly failed in a command (B8).
    """

    def __init__(
        self,
        gate: Gate,
        workers: Workers,
        replies: Replies,
        grants: Grants,
        offer_file: OfferFile,
        *,
        debug: bool = False,
    ) -> None:
        self._gate = gate
        self._workers = workers
        self._replies = replies
        self._grants = grants
        self._offer_file = offer_file
        self._debug = debug
        self._quotas = Quotas()
        self._active: set[_Active] = set()
        self._by_seq: dict[tuple[int, str], _Active] = {}
        #: uploads, and streams of pages that count, by their id
        self._streams: dict[str, _Active] = {}
        self._files: dict[str, tuple[Document, int, float]] = {}
        self._numbers = Numbers()
        self._sweeping = False
        #: Handed to every command as ``call.services``.
        self.services: Any = None

    # -- the way in ------------------------------------------------------------------------------------

    def handle(self, document: Document | None, asker: Asker, responder: Responder) -> None:
        """Answer one request that ``document``'s window made."""
        name = call_id = ''
        try:
            uri = parse_call(asker.uri)
            name, call_id = uri.command, uri.seq
            if asker.method not in ('GET', 'POST'):
                raise BadRequest(f'a command is called with GET or POST, not {asker.method[:16]}')
            command = self._gate.check(name, asker, document)
            assert document is not None  # the gate refuses calls without one
            name = command.name
            if asker.method == 'POST' and self._carries_on(command, document, asker, responder):
                return
            self._begin(command, uri, document, asker, responder)
        except RemoteError as error:
            responder.send(*self._replies.error(name, call_id, error))
        except LocalError as error:
            # the app's author wrote a command that cannot be called; the page must not wait for ever
            _log.error('ipc://%s: %s', name, error)
            shown = error.message if self._debug else 'the command failed'
            responder.send(*self._replies.error(name, call_id, CommandFailed(shown)))

    def _begin(self, command: Command, uri: CallUri, document: Document, asker: Asker, responder: Responder) -> None:
        call = Call(
            command=command,
            id=uri.seq,
            window=document.window,
            document=document,
            grants=self._grants,
            services=self.services,
            headers=asker.header,
        )
        arguments = self._arguments(command, uri, asker)
        if command.inline:
            responder.send(*self._answer_inline(call, arguments))
            return
        shape = command.shape
        kind = 'streams' if 'generator' in shape.kind else 'uploads' if shape.upload else 'calls'
        self._quotas.enter(document.window, kind)
        active = _Active(call, document, responder, kind)
        self._active.add(active)
        if uri.seq:
            self._by_seq[document.window, uri.seq] = active
        self._start_sweeping()
        self._run(active, arguments)

    def _arguments(self, command: Command, uri: CallUri, asker: Asker) -> dict[str, Any]:
        body = asker.read_body(command.max_body) if asker.method == 'POST' else b''
        body_name = command.shape.body
        if body_name is not None:
            arguments = command.bind(uri.query, None)
            arguments[body_name] = body
            return arguments
        if not body:
            return command.bind(uri.query, None)
        if (asker.header('Content-Type') or '').partition(';')[0].strip().lower() != JSON:
            raise BadRequest(f'{command.name} takes no binary body')
        if uri.query:
            raise BadRequest('arguments are either in the query or in the body')
        return command.bind(None, body)

    # -- running ---------------------------------------------------------------------------------------

    def _answer_inline(self, call: Call, arguments: dict[str, Any]) -> tuple[int, Any, bytes]:
        command = call.command
        try:
            if command.shape.call is not None:
                arguments[command.shape.call] = call
            return self._reply(call, command.handler(**arguments))
        except Exception as error:  # the outermost door of a command's own code
            return self._replies.error(command.name, call.id, self._describe(call, error))

    def _run(self, active: _Active, arguments: dict[str, Any]) -> None:
        call = active.call
        shape = call.command.shape
        if shape.call is not None:
            arguments[shape.call] = call
        if shape.upload is not None:
            arguments[shape.upload] = self._open_upload(active)
        if 'generator' in shape.kind:
            self._run_stream(active, arguments)
        elif shape.kind == 'async':
            self._workers.run_async(self._await_result(active, arguments))
        elif active.upload is not None:
            self._workers.run_apart(lambda: self._compute(active, arguments))
        else:
            self._workers.run(lambda: self._compute(active, arguments))

    def _compute(self, active: _Active, arguments: dict[str, Any]) -> None:
        call = active.call
        try:
            if call.is_cancelled:
                raise Aborted('given up before it began')
            result = call.command.handler(**arguments)
            if isinstance(result, HostFile):
                self._workers.post(lambda: self._hand_over(active, result))
                return
            reply = self._reply(call, result)
        except Exception as error:  # the outermost door of a command's own code
            reply = self._replies.error(call.command.name, call.id, self._describe(call, error))
        self._workers.post(lambda: self._finish(active, reply))

    async def _await_result(self, active: _Active, arguments: dict[str, Any]) -> None:
        import asyncio

        call = active.call
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        call.on_cancel(lambda: loop.call_soon_threadsafe(task.cancel))
        try:
            reply = self._reply(call, await call.command.handler(**arguments))
        except asyncio.CancelledError:
            reply = self._replies.error(call.command.name, call.id, Aborted('cancelled'))
        except Exception as error:  # the outermost door of a command's own code
            reply = self._replies.error(call.command.name, call.id, self._describe(call, error))
        self._workers.post(lambda: self._finish(active, reply))

    def _run_stream(self, active: _Active, arguments: dict[str, Any]) -> None:
        if active.call.command.shape.kind == 'async generator':
            items = active.call.command.handler(**arguments)  # runs nothing yet
            sink = self._open_stream(active)
            self._workers.run_async(self._pump_async(active, items, sink))
        else:
            self._workers.run_apart(lambda: self._begin_stream(active, arguments))

    def _begin_stream(self, active: _Active, arguments: dict[str, Any]) -> None:
        """Get a stream of a plain generator going; on a thread of its own.

        A raw stream can tell an error only before it begins, so its first item is fetched first.
        """
        call = active.call
        first: list[Any] = []
        try:
            items = iter(call.command.handler(**arguments))
            if call.command.shape.binary_items:
                first = list(islice(items, 1))
        except Exception as error:  # the outermost door of a command's own code
            reply = self._replies.error(call.command.name, call.id, self._describe(call, error))
            self._workers.post(lambda: self._finish(active, reply))
            return

        def opened() -> None:
            if active not in self._active:
                return  # given up meanwhile
            size = items.size if isinstance(items, SizedStream) else None
            sink = self._open_stream(active, size)
            self._workers.run_apart(lambda: self._pump(active, items, first, sink))

        self._workers.post(opened)

    def _open_stream(self, active: _Active, size: int | None = None) -> Sink:
        responder, active.responder = active.responder, None
        assert responder is not None
        kind = 'stream-binary' if active.call.command.shape.binary_items else 'stream-items'
        more = () if size is None else (('Socket-File-Size', str(size)),)
        flows = active.call.header('Socket-Flow') is not None
        if flows:
            active.stream_id = new_token()
            self._streams[active.stream_id] = active
            more = (*more, ('Socket-Stream', active.stream_id))
        sink = active.sink = responder.stream(200, self._replies.headers(BINARY, kind, *more))
        if not flows:
            return sink
        flow = active.flow = Flow(sink)
        active.call.on_cancel(flow.give_up)
        return flow

    def _pump(self, active: _Active, items: Iterator[Any], first: list[Any], sink: Sink) -> None:
        call = active.call
        try:
            pump(items, first, sink, call.command.shape.binary_items, lambda error: self._describe(call, error))
        finally:
            self._workers.post(lambda: self._leave(active))

    async def _pump_async(self, active: _Active, items: AsyncIterator[Any], sink: Sink) -> None:
        import asyncio

        call = active.call
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        call.on_cancel(lambda: loop.call_soon_threadsafe(task.cancel))
        try:
            await pump_async(items, sink, call.command.shape.binary_items, lambda error: self._describe(call, error))
        finally:
            self._workers.post(lambda: self._leave(active))

    def _reply(self, call: Call, result: Any) -> tuple[int, Any, bytes]:
        if isinstance(result, Binary):
            return self._replies.binary(bytes(result.data))
        if isinstance(result, (bytes, bytearray, memoryview)):
            return self._replies.binary(bytes(result))
        return self._replies.data(call.command.name, call.id, result)

    def _describe(self, call: Call, error: Exception) -> RemoteError:
        """What the page is told of an error in a command: everything only in development (B8)."""
        if isinstance(error, Denied):
            # a scope said no; whatever is denied is in the log once, wherever that was decided
            audit(call.command.name, error)
        if isinstance(error, RemoteError):
            return error
        _log.error('ipc://%s failed', call.command.name, exc_info=error)
        if self._debug:
            return CommandFailed(f'{type(error).__name__}: {error}')
        return CommandFailed('the command failed')

    # -- the way out -----------------------------------------------------------------------------------

    def _finish(self, active: _Active, reply: tuple[int, Any, bytes]) -> None:
        """Answer, and leave the table. A late result of a call that has left it is dropped."""
        if active not in self._active:
            return
        if active.responder is not None:
            active.responder.send(*reply)
            self._leave(active)
        elif active.upload is not None and not active.call.is_cancelled:
            active.result = reply  # told with the page's next word about this upload
            active.upload.abort()  # nobody takes its chunks any more: the page need not wait with them
        else:
            self._leave(active)

    def _leave(self, active: _Active) -> None:
        if active not in self._active:
            return
        self._active.discard(active)
        self._quotas.leave(active.document.window, active.kind)
        self._streams.pop(active.stream_id, None)
        seq = (active.document.window, active.call.id)
        if self._by_seq.get(seq) is active:
            del self._by_seq[seq]

    def _cancel(self, active: _Active, error: RemoteError) -> None:
        active.call.cancel()
        if active.upload is not None:
            active.upload.abort()
        if active.sink is None:
            self._finish(active, self._replies.error(active.call.command.name, active.call.id, error))

    # -- what carries on with a call -------------------------------------------------------------------

    def _carries_on(self, command: Command, document: Document, asker: Asker, responder: Responder) -> bool:
        """Whether the request belongs to a call that the same document made before."""
        if (seq := asker.header('Socket-Cancel')) is not None:
            active = self._by_seq.get((document.window, seq))
            if active is not None and active.document is document and active.call.command is command:
                self._cancel(active, Aborted('cancelled by the page'))
            responder.send(*self._replies.nothing())
            return True
        if (file_id := asker.header('Socket-File-Done')) is not None:
            entry = self._files.get(file_id)
            if entry is not None and entry[0] is document:
                self._close_file(file_id)
            responder.send(*self._replies.nothing())
            return True
        if (stream_id := asker.header('Socket-Stream')) is not None:
            active = self._streams.get(stream_id)
            if active is not None and (active.document is not document or active.call.command is not command):
                active = None
            if (taken := asker.header('Socket-Stream-Taken')) is not None:
                self._take(active, taken, responder)
            else:
                self._carry_upload(active, asker, responder)
            return True
        return False

    def _take(self, active: _Active | None, taken: str, responder: Responder) -> None:
        """The page says how much of a stream it has consumed. The stream may have ended meanwhile."""
        if _COUNT(taken) is None:
            raise BadRequest('Socket-Stream-Taken is not a number')
        if active is not None and active.flow is not None:
            active.flow.take(int(taken))
        responder.send(*self._replies.nothing())

    def _open_upload(self, active: _Active) -> Upload:
        upload = active.upload = Upload()
        active.stream_id = new_token()
        self._streams[active.stream_id] = active
        headers = self._replies.headers(JSON, 'upload', ('Socket-Stream', active.stream_id))
        responder, active.responder = active.responder, None
        assert responder is not None
        responder.send(200, headers, b'{}')
        return upload

    def _carry_upload(self, active: _Active | None, asker: Asker, responder: Responder) -> None:
        if active is None or active.upload is None:
            raise NotFound('no such upload')
        upload, command = active.upload, active.call.command
        if active.responder is not None:
            raise BadRequest('the upload has ended')
        if asker.header('Socket-Stream-Abort') is not None:
            self._cancel(active, Aborted('given up by the page'))
            responder.send(*self._replies.nothing())
            return
        chunk = asker.read_body(MAX_CHUNK)
        timeout = command.timeout
        active.deadline = time.monotonic() + timeout if timeout is not None else None
        if active.result is not None:  # the command has ended before the upload has
            responder.send(*active.result)
            self._leave(active)
            return
        if asker.header('Socket-Stream-End') is not None:
            active.responder = responder
            upload.offer(chunk, _nothing)
            upload.end()
            return
        nothing = self._replies.nothing()
        upload.offer(chunk, lambda: self._workers.post(lambda: responder.send(*nothing)))

    # -- files that the page reads by itself -----------------------------------------------------------

    def _hand_over(self, active: _Active, file: HostFile) -> None:
        """Offer an open file to the page; where that is not possible, send its bytes."""
        call, window = active.call, active.document.window
        fd = self._numbers.move(file.fd)
        try:
            if active not in self._active:
                raise Aborted('given up meanwhile')
            self._quotas.enter(window, 'files')
        except RemoteError as error:
            os.close(fd)
            self._finish(active, self._replies.error(call.command.name, call.id, error))
            return
        file_id = str(fd)
        self._files[file_id] = (active.document, fd, time.monotonic() + FILE_LIFE)

        def offered(taken: bool) -> None:
            if file_id not in self._files or active not in self._active:
                return  # given up meanwhile; the file is closed by then, or soon will be
            if not taken:
                self._send_file(active, file_id, file.size)
                return
            more = (('Socket-File', file_id), ('Socket-File-Size', str(file.size)))
            _, _, body = self._replies.data(call.command.name, call.id, {'size': file.size, 'mtime': file.mtime})
            self._finish(active, (200, self._replies.headers(JSON, 'file', *more), body))

        self._offer_file(window, fd, file_id, offered)

    def _send_file(self, active: _Active, file_id: str, size: int) -> None:
        """The host cannot hand files over, or the page does not take them."""
        call = active.call
        _, fd, _ = self._files.pop(file_id)
        self._quotas.leave(active.document.window, 'files')

        def send() -> None:
            try:
                if size > MAX_SENT:
                    raise TooLarge(f'a file of more than {MAX_SENT} bytes is read in parts')
                with open(fd, 'rb') as opened:
                    reply = self._replies.binary(opened.read(size))
            except Exception as error:  # the outermost door of a thread
                reply = self._replies.error(call.command.name, call.id, self._describe(call, error))
            self._workers.post(lambda: self._finish(active, reply))

        self._workers.run(send)

    def _close_file(self, file_id: str) -> None:
        entry = self._files.pop(file_id, None)
        if entry is not None:
            os.close(entry[1])
            self._quotas.leave(entry[0].window, 'files')

    # -- time and documents ----------------------------------------------------------------------------

    def _start_sweeping(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            self._workers.post_later(SWEEP, self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic()
        for active in [a for a in self._active if a.deadline is not None and a.deadline < now and a.sink is None]:
            self._cancel(active, Timeout(f'{active.call.command.name} took too long'))
        for active in [a for a in self._active if a.sink is not None and _given_up(a.sink)]:
            active.call.cancel()
        for file_id in [f for f, entry in self._files.items() if entry[2] < now]:
            self._close_file(file_id)
        self._sweeping = bool(self._active or self._files)
        if self._sweeping:
            self._workers.post_later(SWEEP, self._sweep)

    def document_gone(self, document: Document) -> None:
        """Give up all that ``document`` has under way."""
        for active in [a for a in self._active if a.document is document]:
            self._cancel(active, Aborted('the page is gone'))
        for file_id in [f for f, entry in self._files.items() if entry[0] is document]:
            self._close_file(file_id)

    @property
    def under_way(self) -> int:
        """How many calls, streams and files are open now."""
        return len(self._active) + len(self._files)


def _given_up(sink: Sink) -> bool:
    """Whether the reader of a stream's pipe is gone, though nothing was written meanwhile."""
    import select

    fd = sink.fileno()
    if fd < 0 or not hasattr(select, 'poll'):
        return False  # the next write will tell
    poll = select.poll()
    poll.register(fd, 0)
    return bool(poll.poll(0))


def _nothing() -> None:
    return None
