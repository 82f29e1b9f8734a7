"""Commands that record being run: what a page reached shows in the report's ``hits``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from socket_runtime import Binary, Call, Upload

if TYPE_CHECKING:
    from socket_runtime import App
    from tests.e2e.app_under_test import Recorder


def register(app: App, recorder: Recorder) -> None:
    """Add ``probe.*`` to ``app``."""

    def hit(call: Call, *what: Any) -> None:
        recorder.add('hits', [call.command.name, call.window, *what])

    _simple(app, hit)
    _bytes(app, hit)
    _streams(app, hit, recorder)
    _slow(app, hit, recorder)


def _simple(app: App, hit: Any) -> None:
    @app.command('probe.act', inline=True)
    def act(call: Call, tag: str = '') -> str:
        """Stands for a command that changes something; tests' policies allow it to the page."""
        hit(call, tag)
        return tag

    @app.command('probe.secret', inline=True)
    def secret(call: Call, tag: str = '') -> str:
        """Stands for a command that the page's policy does not allow."""
        hit(call, tag)
        return 'the secret'

    @app.command('probe.granted', grant='window.manage', inline=True)
    def granted(call: Call, tag: str = '') -> None:
        hit(call, tag)

    @app.command('probe.whoami', inline=True)
    def whoami(call: Call) -> int:
        return call.window

    @app.command('probe.echo')
    def echo(value: Any = None) -> Any:
        return value

    @app.command('probe.coroutine')
    async def coroutine(value: int) -> int:
        await asyncio.sleep(0)
        return value + 1

    @app.command('probe.fail')
    def fail() -> None:
        raise RuntimeError('/home/somebody/secret.txt is not there')

    @app.command('probe.emit')
    def emit(count: int, name: str = 'tick') -> int:
        for number in range(count):
            app.emit(name, number)
        return count


def _bytes(app: App, hit: Any) -> None:
    @app.command('probe.bytes')
    def bytes_echo(call: Call, data: bytes, tag: str = '') -> Binary:
        hit(call, tag, call.header('Content-Type') or '', len(data))
        return Binary(data)

    @app.command('probe.sum')
    def total(data: bytes) -> int:
        return sum(data)


def _streams(app: App, hit: Any, recorder: Recorder) -> None:
    @app.command('probe.items')
    def items(count: int, fail_at: int = -1) -> Iterator[int]:
        for number in range(count):
            if number == fail_at:
                raise RuntimeError('in the middle')
            yield number

    @app.command('probe.coroItems')
    async def coroutine_items(count: int) -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(0)
            yield number

    @app.command('probe.raw')
    def raw(call: Call, size: int, chunk: int = 65536) -> Iterator[bytes]:
        for start in range(0, size, chunk):
            recorder.note('produced', start)
            yield bytes([start // chunk % 251]) * min(chunk, size - start)
        hit(call, 'end')

    @app.command('probe.coroRaw')
    async def coroutine_raw(size: int, chunk: int = 65536) -> AsyncIterator[bytes]:
        for start in range(0, size, chunk):
            recorder.note('produced', start)
            yield bytes(min(chunk, size - start))

    @app.command('probe.noteProduced', inline=True)
    def note_produced() -> None:
        recorder.note('produced then', recorder.seen['notes']['produced'])

    @app.command('probe.idle')
    def idle(call: Call, tag: str = '') -> Iterator[int]:
        """One item, and then nothing until the page gives up."""
        hit(call, 'start', tag)
        try:
            yield 1
            call.cancelled.wait(30)
        finally:
            hit(call, 'end', tag, time.time())

    @app.command('probe.coroIdle')
    async def coroutine_idle(call: Call, tag: str = '') -> AsyncIterator[int]:
        hit(call, 'start', tag)
        try:
            yield 1
            await asyncio.sleep(30)
        finally:
            hit(call, 'end', tag, time.time())

    @app.command('probe.upload')
    def upload(
        call: Call, upload: Upload, pause: float = 0.0, stop_after: int = -1, fail: bool = False
    ) -> dict[str, int]:
        """Adds up what is sent; may be slow, may stop early."""
        size = total = chunks = 0
        try:
            for chunk in upload:
                size, total, chunks = size + len(chunk), total + sum(chunk[:1024]), chunks + 1
                time.sleep(pause)
                if chunks == stop_after:
                    break
        finally:
            hit(call, 'end', size, time.time())
        if fail:
            raise RuntimeError('no')
        return {'size': size, 'total': total, 'chunks': chunks}

    @app.command('probe.coroUpload')
    async def coroutine_upload(upload: Upload) -> int:
        return sum([len(chunk) async for chunk in upload])


def _slow(app: App, hit: Any, recorder: Recorder) -> None:
    @app.command('probe.slow')
    def slow(call: Call, seconds: float, tag: str = '') -> bool:
        """Waits; tells whether it was given up."""
        cancelled = call.cancelled.wait(seconds)
        hit(call, tag, cancelled, time.time())
        return cancelled

    @app.command('probe.coroSlow')
    async def coroutine_slow(call: Call, seconds: float, tag: str = '') -> bool:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            hit(call, tag, True, time.time())
            raise
        hit(call, tag, False, time.time())
        return False

    @app.command('probe.limited', timeout=0.5)
    def limited(call: Call, seconds: float) -> bool:
        cancelled = call.cancelled.wait(seconds)
        hit(call, cancelled)
        return cancelled
