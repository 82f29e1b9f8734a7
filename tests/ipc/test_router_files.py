"""Files that a page reads by itself: handed over, sent, closed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from socket_runtime.ipc.command import Command, HostFile
from socket_runtime.ipc.descriptors import Numbers
from socket_runtime.ipc.quotas import MAX_FILES
from socket_runtime.ipc.router import FILE_LIFE
from tests.ipc.asking import App, post, shown


def file_app(path: Path) -> App:
    def read() -> HostFile:
        fd = os.open(path, os.O_RDONLY)
        return HostFile(fd, os.fstat(fd).st_size, 1.5)

    return App(Command('f.read', read))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / 'file'
    path.write_bytes(b'content')
    return path


def open_count(path: Path) -> int:
    links = []
    for fd in os.listdir('/proc/self/fd'):
        try:
            links.append(os.readlink(f'/proc/self/fd/{fd}'))
        except FileNotFoundError:
            continue
    return links.count(str(path))


def test_a_file_that_is_taken_stays_open_until_the_page_has_read_it(path: Path) -> None:
    app = file_app(path)
    answer = app.send('ipc://f.read')
    app.workers.run_until(lambda: bool(app.offers))
    window, fd, name, done = app.offers.pop()
    assert (window, name, answer.status) == (0, str(fd), 0)
    done(True)
    assert answer.headers['Socket-Kind'] == 'file'
    assert (answer.headers['Socket-File'], answer.headers['Socket-File-Size']) == (name, '7')
    assert answer.json['data'] == {'size': 7, 'mtime': 1.5}
    assert app.ask('ipc://f.read', shown(window=1), **post(Socket_File_Done=name)).status == 204
    assert open_count(path) == 1
    assert app.ask('ipc://f.read', **post(Socket_File_Done=name)).status == 204
    assert open_count(path) == 0
    assert app.ask('ipc://f.read', **post(Socket_File_Done=name)).status == 204
    assert app.router.under_way == 0


def test_a_file_that_is_not_taken_is_sent(path: Path) -> None:
    app = file_app(path)
    answer = app.send('ipc://f.read')
    app.workers.run_until(lambda: bool(app.offers))
    app.offers.pop()[3](False)
    app.workers.run_until(lambda: answer.status != 0)
    assert (answer.headers['Socket-Kind'], answer.body) == ('binary', b'content')
    app.idle()
    assert open_count(path) == 0


def test_files_are_closed_with_their_document_and_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = file_app(path)
    answers = [app.send('ipc://f.read') for _ in range(3)]
    app.workers.run_until(lambda: len(app.offers) == 3)
    app.offers[0][3](True)
    app.router.document_gone(app.page)
    assert open_count(path) == 0
    assert sorted(answer.status for answer in answers) == [200, 499, 499]
    app.offers[1][3](True)  # too late; nothing happens
    app.offers[2][3](False)
    app.idle()
    answer = app.send('ipc://f.read')
    app.workers.run_until(lambda: len(app.offers) == 4)
    app.offers[3][3](True)
    assert answer.status == 200
    now = time.monotonic()
    monkeypatch.setattr(time, 'monotonic', lambda: now + FILE_LIFE + 1)
    app.workers.sweep()
    assert open_count(path) == 0
    assert app.router.under_way == 0


def test_b6_files_have_a_quota(path: Path) -> None:
    app = file_app(path)
    answers = [app.send('ipc://f.read') for _ in range(MAX_FILES + 3)]
    app.workers.run_until(lambda: len(app.offers) == MAX_FILES and sum(a.status == 429 for a in answers) == 3)
    assert open_count(path) == MAX_FILES
    app.router.document_gone(app.page)
    assert open_count(path) == 0
    app.idle()


def test_handed_over_descriptors_have_numbers_that_nothing_else_gets(path: Path) -> None:
    """A page may keep a file longer than its descriptor is open; see ``ipc.descriptors``."""
    numbers, seen = Numbers(), []
    for _ in range(100):
        fd = numbers.move(os.open(path, os.O_RDONLY))
        assert os.read(fd, 7) == b'content'
        os.close(fd)
        seen.append(fd)
    assert len(set(seen)) == 100
    usual = os.open(path, os.O_RDONLY)
    os.close(usual)
    assert usual < min(seen)
    assert not os.get_inheritable(numbers.move(os.open(path, os.O_RDONLY)))
