"""``App.test_client``: an app's commands, called as a page would, without a display."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta

from socket_runtime import App, BadRequest, Binary, Call, CommandFailed, Denied, NotFound, Upload
from socket_runtime.app.config import load
from socket_runtime.errors import Timeout, UsageError

INI = """
[meta]
bundle_identifier = com.example.Notes
[build]
name = notes
copy = src
"""
PAGE = '<head><meta http-equiv="Content-Security-Policy" content="connect-src ipc://notes.*"></head>'


@dataclass
class Note:
    name: str
    words: int = 0


def make_app(folder: Path, *, debug: bool = True) -> App:
    (folder / 'src').mkdir(exist_ok=True)
    (folder / 'src/index.html').write_text(PAGE)
    (folder / 'src/other.html').write_text('<head></head>')
    (folder / 'socket.ini').write_text(INI)
    app = App(load(folder, debug=debug))

    @app.command('notes.list')
    def list_notes(folder: str = 'inbox', limit: Annotated[int, Meta(ge=1)] = 10) -> list[Note]:
        return [Note(f'{folder} {number}', number) for number in range(limit)]

    @app.command('notes.save')
    async def save(note: Note) -> Note:
        await asyncio.sleep(0)
        return note

    @app.command('notes.image')
    def image(data: bytes, scale: float = 1.0) -> Binary:
        return Binary(data * int(scale))

    @app.command('notes.search')
    def search(count: int, fail: bool = False) -> Iterator[int]:
        yield from range(count)
        if fail:
            raise NotFound('no more')

    @app.command('notes.export')
    def export(size: int) -> Iterator[bytes]:
        yield b'x' * size

    @app.command('notes.follow')
    async def follow(count: int) -> AsyncIterator[dict[str, int]]:
        for number in range(count):
            yield {'n': number}

    @app.command('notes.import')
    def load_notes(upload: Upload, name: str) -> str:
        return f'{name}: {b"".join(upload).decode()}'

    @app.command('notes.who', inline=True)
    def who(call: Call) -> int:
        return call.window

    @app.command('notes.broken')
    def broken() -> None:
        raise RuntimeError('the secret path')

    @app.command('notes.slow', timeout=0.1)
    def slow(call: Call) -> None:
        call.cancelled.wait(5)

    @app.command('notes.tell')
    def tell(name: str) -> None:
        app.emit('told', {'name': name})

    @app.command('admin.wipe', grant='window.manage')
    def wipe() -> None:
        raise AssertionError('the gate lets nobody in here')

    return app


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    return make_app(tmp_path)


def test_commands_are_called_as_a_page_would(app: App) -> None:
    with app.test_client() as page:
        assert page.call('notes.list', folder='a b&c', limit=2) == [
            {'name': 'a b&c 0', 'words': 0}, {'name': 'a b&c 1', 'words': 1}
        ]  # fmt: skip
        assert page.call('NOTES.LIST', limit=1) == [{'name': 'inbox 0', 'words': 0}]
        assert page.call('notes.save', note={'name': 'é', 'words': 3}) == {'name': 'é', 'words': 3}
        assert page.call('notes.image', b'ab', scale=2.0) == b'abab'
        assert page.call('notes.who') == 0


def test_streams_both_ways(app: App) -> None:
    with app.test_client() as page:
        assert list(page.stream('notes.search', count=3)) == [0, 1, 2]
        assert list(page.stream('notes.follow', count=2)) == [{'n': 0}, {'n': 1}]
        assert b''.join(page.stream('notes.export', size=5)) == b'xxxxx'
        assert page.upload('notes.import', [b'one', b' two'], name='n') == 'n: one two'
        items = page.stream('notes.search', count=1, fail=True)
        assert next(items) == 0
        with pytest.raises(NotFound, match='no more'):
            next(items)


def test_errors_are_those_that_the_page_gets(app: App) -> None:
    with app.test_client() as page:
        for arguments in ({'limit': 0}, {'limit': 'x'}, {'other': 1}):
            with pytest.raises(BadRequest):
                page.call('notes.list', **arguments)
        with pytest.raises(Denied):  # what `ipc://notes.*` stands for is written out when the page is served
            page.call('notes.nothing')
        with pytest.raises(CommandFailed, match='the secret path'):
            page.call('notes.broken')
        with pytest.raises(Timeout):
            page.call('notes.slow')
        with pytest.raises(UsageError, match='does not stream'):
            list(page.stream('notes.list'))


def test_b8_a_finished_app_says_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    with make_app(tmp_path, debug=False).test_client() as page:
        with pytest.raises(CommandFailed) as caught:
            page.call('notes.broken')
        assert caught.value.message == 'the command failed'


def test_the_pages_own_policy_holds(app: App) -> None:
    with app.test_client() as page:
        with pytest.raises(Denied) as caught:
            page.call('fs.readFile', path='index.html')
        assert caught.value.missing == 'connect-src ipc://fs.readFile'
        with pytest.raises(Denied):
            page.call('admin.wipe')
    with app.test_client(page='other.html') as page:
        with pytest.raises(Denied) as caught:
            page.call('notes.list')
        assert 'Content-Security-Policy' in caught.value.missing


def test_a_test_may_bring_a_policy_of_its_own(app: App) -> None:
    with app.test_client('ipc://fs.* ipc://admin.wipe') as page:
        assert page.call('fs.readFile', path='index.html') == PAGE.encode()
        with pytest.raises(Denied, match='needs a grant'):
            page.call('admin.wipe')
        with pytest.raises(Denied):
            page.call('notes.list')
    with app.test_client(['ipc://notes.list']) as page:
        assert len(page.call('notes.list')) == 10


def test_events_are_seen(app: App) -> None:
    with app.test_client() as page:
        page.call('notes.tell', name='x')
        assert ('told', {'name': 'x'}) in page.events
        page.window.emit('direct', 1)
        assert page.events[-1] == ('direct', 1)


def test_raw_requests_take_the_same_way(app: App) -> None:
    with app.test_client() as page:
        assert page.fetch('ipc://notes.who').status == 200
        assert page.fetch('ipc://notes.who', token=False).status == 403
        assert page.fetch('ipc://notes.who', headers={'Origin': 'https://evil'}).status == 403
        assert page.fetch('ipc://notes.who?x=1').status == 400
        assert page.fetch('ipc://notes.who', 'DELETE').status == 400


def test_a_page_that_is_not_there_is_told(app: App) -> None:
    with pytest.raises(UsageError, match='could not be loaded'):
        app.test_client(page='none.html')


def test_names_of_commands_are_checked_when_they_are_made(app: App) -> None:
    def nothing() -> None:
        return None

    for name in ('notes..x', '_x', 'notes.__class__', 'a b', '', 'x' * 200, 'notes.list_', 'é'):
        with pytest.raises(UsageError):
            app.command(name)(nothing)
    with pytest.raises(UsageError, match='already'):
        app.command('Notes.List')(nothing)


def test_after_the_end_nothing_happens(app: App) -> None:
    seen: list[Any] = []
    app.on('closed')(lambda window: seen.append(window.index))
    page = app.test_client()
    page.close()
    assert seen == [0]
    app.emit('nobody')
    app.quit()
    assert app.windows == []


def test_one_client_after_the_other(app: App) -> None:
    for _ in range(3):
        with app.test_client() as page:
            assert page.call('notes.list', limit=1)
