"""``fs.open`` and what works on open files; B1: a handle is nobody's but its document's."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from socket_runtime.errors import Aborted, BadRequest, CommandFailed, Denied, NotFound, QuotaExceeded, TooLarge
from socket_runtime.services.fs import handles as handles_module
from tests.services.bench import Bench, Document

MakeBench = Callable[..., Bench]


@pytest.fixture
def path(bench: Bench) -> str:
    """A file of ten bytes."""
    (bench.data / 'x').write_bytes(b'0123456789')
    return str(bench.data / 'x')


def open_files() -> int:
    return len(os.listdir('/proc/self/fd'))


def test_read_and_write(bench: Bench, path: str) -> None:
    fd = bench.run('fs.open', path=path, flags='r+')['fd']
    assert bytes(bench.run('fs.read', fd=fd, length=3).data) == b'012'
    assert bytes(bench.run('fs.read', fd=fd, length=3).data) == b'345'
    assert bytes(bench.run('fs.read', fd=fd, length=2, position=1).data) == b'12'
    assert bytes(bench.run('fs.read', fd=fd, length=99).data) == b'6789'
    assert bytes(bench.run('fs.read', fd=fd, length=9).data) == b''
    assert bench.run('fs.write', fd=fd, body=b'AB', position=0) == {'bytesWritten': 2}
    assert bench.run('fs.write', fd=fd, body=b'!') == {'bytesWritten': 1}
    assert bench.run('fs.fstat', fd=fd)['size'] == 11
    bench.run('fs.ftruncate', fd=fd, length=4)
    bench.run('fs.fsync', fd=fd)
    assert bench.run('fs.close', fd=fd) is None
    assert bench.read(path) == b'AB23'


@pytest.mark.parametrize(
    ('flags', 'reads', 'writes', 'content'),
    [
        ('r', True, False, b'0123456789'),
        ('rs', True, False, b'0123456789'),
        ('r+', True, True, b'ab23456789'),
        ('rs+', True, True, b'ab23456789'),
        ('w', False, True, b'ab'),
        ('w+', True, True, b'ab'),
        ('a', False, True, b'0123456789ab'),
        ('a+', True, True, b'0123456789ab'),
        ('as', False, True, b'0123456789ab'),
    ],
)
def test_flags(bench: Bench, path: str, flags: str, reads: bool, writes: bool, content: bytes) -> None:
    fd = bench.run('fs.open', path=path, flags=flags)['fd']
    if writes:
        bench.run('fs.write', fd=fd, body=b'ab')
    else:
        with pytest.raises(CommandFailed, match='EBADF'):
            bench.run('fs.write', fd=fd, body=b'ab')
    if reads:
        bench.run('fs.read', fd=fd, length=1, position=0)
    else:
        with pytest.raises(CommandFailed, match='EBADF'):
            bench.run('fs.read', fd=fd, length=1)
    bench.run('fs.close', fd=fd)
    assert bench.read(path) == content


@pytest.mark.parametrize('flags', ['wx', 'wx+', 'ax', 'ax+'])
def test_exclusive_flags(bench: Bench, path: str, flags: str) -> None:
    with pytest.raises(CommandFailed, match='EEXIST'):
        bench.run('fs.open', path=path, flags=flags)
    assert bench.read(path) == b'0123456789'
    bench.run('fs.open', path=path + '2', flags=flags)


@pytest.mark.parametrize('flags', ['', 'rw', 'x', 'r++', '0', 'R'])
def test_flags_that_are_none(bench: Bench, path: str, flags: str) -> None:
    with pytest.raises(BadRequest, match='flags'):
        bench.run('fs.open', path=path, flags=flags)


@pytest.mark.parametrize(
    ('flags', 'missing'), [('r', 'fs.read'), ('w', 'fs.write'), ('r+', 'fs.write'), ('a+', 'fs.write')]
)
def test_each_flag_needs_its_grants(make: MakeBench, flags: str, missing: str) -> None:
    bench = make({'fs.read': False})
    with pytest.raises(Denied) as caught:
        bench.run('fs.open', path=f'{bench.data}/x', flags=flags)
    assert caught.value.missing == f'[grants] {missing}[] = $DATA/x'
    writes = make({'fs.read': False, 'fs.write': ('$DATA/**',)})
    if flags == 'w':
        writes.run('fs.open', path=f'{bench.data}/x', flags=flags)
    else:
        with pytest.raises(Denied) as caught:
            writes.run('fs.open', path=f'{bench.data}/x', flags=flags)
        assert caught.value.missing == '[grants] fs.read[] = $DATA/x'


@pytest.mark.parametrize('name', ['fs.read', 'fs.write', 'fs.fstat', 'fs.ftruncate', 'fs.fsync', 'fs.close'])
def test_B1_a_handle_is_nobody_elses(bench: Bench, path: str, name: str) -> None:
    fd = bench.run('fs.open', path=path, flags='r+')['fd']
    assert len(fd) == 32 and int(fd, 16) >= 0
    arguments: dict[str, Any] = {'length': 1} if name == 'fs.read' else {}
    for other in (bench.call(name, window=2), bench.call(name, document=Document())):
        with pytest.raises(NotFound):
            bench.run(name, on=other, fd=fd, body=b'', **arguments)
    for guess in ('', '0', '3', 'f' * 32, fd[:-1], fd.upper() + ' ', '__class__'):
        with pytest.raises(NotFound):
            bench.run(name, fd=guess, body=b'', **arguments)
    bench.run(name, fd=fd, body=b'', **arguments)


def test_B1_ids_do_not_follow_one_another(bench: Bench, path: str) -> None:
    ids = {bench.run('fs.open', path=path)['fd'] for _ in range(100)}
    assert len(ids) == 100 and len({text[:4] for text in ids}) > 90


def test_B6_open_files_are_bounded(bench: Bench, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handles_module, 'MAX_HANDLES', 3)
    before = open_files()
    ids = [bench.run('fs.open', path=path)['fd'] for _ in range(3)]
    with pytest.raises(QuotaExceeded):
        bench.run('fs.open', path=path)
    bench.run('fs.open', on=bench.call('fs.open', window=2), path=path)
    bench.run('fs.close', fd=ids[0])
    bench.run('fs.open', path=path)
    bench.files.close()
    assert open_files() == before


def test_files_go_with_their_document(bench: Bench, path: str) -> None:
    before = open_files()
    gone = bench.run('fs.open', path=path)['fd']
    other = Document()
    kept = bench.run('fs.open', on=bench.call('fs.open', document=other), path=path)['fd']
    bench.files.close_document(bench.document)
    bench.files.close_document(bench.document)
    assert open_files() == before + 1
    with pytest.raises(NotFound):
        bench.run('fs.fstat', fd=gone)
    assert bench.run('fs.fstat', on=bench.call('fs.fstat', document=other), fd=kept)['size'] == 10
    bench.files.close()


def test_a_file_that_opens_after_its_document_has_gone(bench: Bench, path: str) -> None:
    before = open_files()
    call = bench.call('fs.open')
    call.cancel()
    with pytest.raises(Aborted):
        bench.run('fs.open', on=call, path=path)
    assert open_files() == before


def test_closing_waits_for_nobody_and_reuses_no_number(bench: Bench, path: str) -> None:
    """While one thread reads, another closes: the reader gets its own file's bytes or a clean error."""
    (bench.data / 'other').write_bytes(b'x' * 10)
    wrong: list[bytes] = []
    stop = threading.Event()
    shared = [bench.run('fs.open', path=path)['fd']]

    def read() -> None:
        while not stop.is_set():
            try:
                data = bytes(bench.run('fs.read', fd=shared[0], length=10, position=0).data)
            except NotFound:
                continue
            if data != b'0123456789':
                wrong.append(data)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        bench.run('fs.close', fd=shared[0])
        decoy = bench.run('fs.open', path=f'{bench.data}/other')['fd']
        shared[0] = bench.run('fs.open', path=path)['fd']
        bench.run('fs.close', fd=decoy)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
    bench.files.close()


@pytest.mark.parametrize(
    ('name', 'arguments', 'error'),
    [
        ('fs.read', {'length': -1}, BadRequest),
        ('fs.read', {'length': 1, 'position': -2}, BadRequest),
        ('fs.read', {'length': 1 << 40}, TooLarge),
        ('fs.write', {'position': -2}, BadRequest),
        ('fs.ftruncate', {'length': -1}, BadRequest),
    ],
)
def test_numbers_that_are_none(
    bench: Bench, path: str, name: str, arguments: dict[str, int], error: type[Exception]
) -> None:
    fd = bench.run('fs.open', path=path, flags='r+')['fd']
    with pytest.raises(error):
        bench.run(name, fd=fd, body=b'', **arguments)


def test_folders_are_not_opened(bench: Bench) -> None:
    with pytest.raises(CommandFailed, match='EISDIR'):
        bench.run('fs.open', path=str(bench.data))
