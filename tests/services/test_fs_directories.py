"""``fs.*`` on a real disk: folders and trees."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

import pytest

from socket_runtime.errors import Aborted, CommandFailed, Denied, TooLarge
from socket_runtime.services.fs import directories as directories_module
from tests.services.bench import Bench

MakeBench = Callable[..., Bench]


def fails(code: str, bench: Bench, name: str, **arguments: Any) -> None:
    with pytest.raises(CommandFailed) as caught:
        bench.run(name, **arguments)
    assert caught.value.code == code, caught.value.message


def fill(bench: Bench) -> None:
    (bench.data / 'tree' / 'a' / 'b').mkdir(parents=True)
    (bench.data / 'tree' / 'x').write_bytes(b'1')
    (bench.data / 'tree' / 'a' / 'y').write_bytes(b'22')
    (bench.data / 'tree' / 'a' / 'b' / 'z').write_bytes(b'333')


def test_readdir(bench: Bench) -> None:
    fill(bench)
    os.mkfifo(bench.data / 'tree' / 'fifo')
    (bench.data / 'tree' / 'link').symlink_to('x')
    path = f'{bench.data}/tree'
    found = bench.run('fs.readdir', path=path)
    assert {(entry['name'], entry['type']) for entry in found} == {
        ('a', 'directory'), ('x', 'file'), ('fifo', 'fifo'), ('link', 'symlink'),
    }  # fmt: skip
    assert {entry['parent'] for entry in found} == {path}
    fails('ENOTDIR', bench, 'fs.readdir', path=path + '/x')
    fails('ENOENT', bench, 'fs.readdir', path=path + '/no')


def test_readdir_of_a_tree(bench: Bench) -> None:
    fill(bench)
    path = f'{bench.data}/tree'
    found = bench.run('fs.readdir', path=path + '/', recursive=True)
    assert {(entry['parent'], entry['name']) for entry in found} == {
        (path, 'a'), (path, 'x'), (path + '/a', 'b'), (path + '/a', 'y'), (path + '/a/b', 'z'),
    }  # fmt: skip


def test_readdir_of_a_relative_path(bench: Bench) -> None:
    (bench.home / 'resources' / 'pages').mkdir()
    (bench.home / 'resources' / 'pages' / 'x').write_bytes(b'')
    assert bench.run('fs.readdir', path='pages') == [{'name': 'x', 'type': 'file', 'parent': 'pages'}]
    assert {entry['parent'] for entry in bench.run('fs.readdir', path='.', recursive=True)} == {'.', './pages'}


def test_B6_listings_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories_module, 'MAX_ENTRIES', 10)
    folder = bench.data / 'many'
    folder.mkdir()
    for number in range(10):
        (folder / str(number)).write_bytes(b'')
    assert len(bench.run('fs.readdir', path=str(folder))) == 10
    (folder / '10').write_bytes(b'')
    with pytest.raises(TooLarge):
        bench.run('fs.readdir', path=str(folder))
    with pytest.raises(TooLarge):
        bench.run('fs.rm', path=str(folder), recursive=True)
    assert len(os.listdir(folder)) == 11


def test_B6_depth_is_bounded(bench: Bench) -> None:
    deep = bench.data / 'deep'
    fd = os.open(bench.data, os.O_RDONLY)
    before = os.getcwd()
    try:
        os.fchdir(fd)
        for _ in range(directories_module.MAX_DEPTH + 3):
            os.mkdir('deep')
            os.chdir('deep')
    finally:
        os.chdir(before)
        os.close(fd)
    for name, arguments in (
        ('fs.readdir', {'path': str(deep), 'recursive': True}),
        ('fs.rm', {'path': str(deep), 'recursive': True}),
        ('fs.cp', {'src': str(deep), 'dest': f'{bench.data}/copy', 'recursive': True}),
    ):
        with pytest.raises(TooLarge, match='deep'):
            bench.run(name, **arguments)
    assert (deep / 'deep').is_dir()


def test_mkdir(bench: Bench) -> None:
    path = f'{bench.data}/a'
    assert bench.run('fs.mkdir', path=path, mode=0o750) == {'created': True}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o750
    fails('EEXIST', bench, 'fs.mkdir', path=path)
    fails('EEXIST', bench, 'fs.mkdir', path=str(bench.data))
    fails('ENOENT', bench, 'fs.mkdir', path=path + '/b/c')
    assert bench.run('fs.mkdir', path=path + '/b/c', recursive=True) == {'created': True}
    assert bench.run('fs.mkdir', path=path + '/b/c', recursive=True) == {'created': False}
    assert bench.run('fs.mkdir', path=str(bench.data), recursive=True) == {'created': False}
    (bench.data / 'file').write_bytes(b'')
    fails('EEXIST', bench, 'fs.mkdir', path=f'{bench.data}/file', recursive=True)
    fails('ENOTDIR', bench, 'fs.mkdir', path=f'{bench.data}/file/x', recursive=True)


def test_mkdir_makes_no_folder_that_is_out_of_scope(make: MakeBench) -> None:
    bench = make({'fs.write': ('$DATA/a/b/*',)})
    with pytest.raises(Denied):
        bench.run('fs.mkdir', path=f'{bench.data}/a/b/c', recursive=True)
    assert not (bench.data / 'a').exists()
    (bench.data / 'a' / 'b').mkdir(parents=True)
    assert bench.run('fs.mkdir', path=f'{bench.data}/a/b/c', recursive=True) == {'created': True}


def test_mkdtemp(bench: Bench) -> None:
    first, second = (bench.run('fs.mkdtemp', prefix=f'{bench.data}/tmp-')['path'] for _ in range(2))
    assert first != second and first.startswith(f'{bench.data}/tmp-') and len(first) == len(f'{bench.data}/tmp-') + 6
    assert stat.S_IMODE(os.stat(first).st_mode) == 0o700
    fails('ENOENT', bench, 'fs.mkdtemp', prefix=f'{bench.data}/no/x')
    with pytest.raises(Denied):
        bench.run('fs.mkdtemp', prefix=f'{bench.outside}/x')


def test_rmdir(bench: Bench) -> None:
    fill(bench)
    fails('ENOTEMPTY', bench, 'fs.rmdir', path=f'{bench.data}/tree')
    fails('ENOTDIR', bench, 'fs.rmdir', path=f'{bench.data}/tree/x')
    fails('EBUSY', bench, 'fs.rmdir', path=str(bench.data))
    (bench.data / 'empty').mkdir()
    bench.run('fs.rmdir', path=f'{bench.data}/empty')
    assert not (bench.data / 'empty').exists()


def test_rm(bench: Bench) -> None:
    fill(bench)
    bench.run('fs.rm', path=f'{bench.data}/tree/x')
    fails('EISDIR', bench, 'fs.rm', path=f'{bench.data}/tree')
    bench.run('fs.rm', path=f'{bench.data}/tree', recursive=True)
    assert os.listdir(bench.data) == []
    fails('ENOENT', bench, 'fs.rm', path=f'{bench.data}/tree', recursive=True)
    bench.run('fs.rm', path=f'{bench.data}/tree', recursive=True, force=True)
    bench.run('fs.rm', path=f'{bench.data}/no/tree', force=True)
    fails('EBUSY', bench, 'fs.rm', path=str(bench.data), recursive=True)


def test_rm_removes_nothing_when_something_is_out_of_scope(bench: Bench) -> None:
    fill(bench)
    (bench.data / 'tree' / 'a' / 'b' / '.hidden').write_bytes(b'')
    with pytest.raises(Denied, match=r'\.hidden'):
        bench.run('fs.rm', path=f'{bench.data}/tree', recursive=True)
    assert (bench.data / 'tree' / 'a' / 'y').exists() and (bench.data / 'tree' / 'x').exists()


def test_rm_that_is_given_up(bench: Bench) -> None:
    fill(bench)
    call = bench.call('fs.rm')
    call.cancel()
    with pytest.raises(Aborted):
        bench.run('fs.rm', on=call, path=f'{bench.data}/tree', recursive=True)
    assert (bench.data / 'tree' / 'x').exists()


def test_cp(bench: Bench) -> None:
    fill(bench)
    (bench.data / 'tree' / '.hidden').write_bytes(b'')
    (bench.data / 'tree' / 'link').symlink_to('x')
    bench.run('fs.cp', src=f'{bench.data}/tree/x', dest=f'{bench.data}/x')
    assert (bench.data / 'x').read_bytes() == b'1'
    fails('EISDIR', bench, 'fs.cp', src=f'{bench.data}/tree', dest=f'{bench.data}/copy')
    bench.run('fs.cp', src=f'{bench.data}/tree', dest=f'{bench.data}/copy', recursive=True)
    assert (bench.data / 'copy' / 'a' / 'b' / 'z').read_bytes() == b'333'
    assert os.readlink(bench.data / 'copy' / 'link') == 'x'
    assert not (bench.data / 'copy' / '.hidden').exists()
    fails('EINVAL', bench, 'fs.cp', src=f'{bench.data}/tree', dest=f'{bench.data}/tree/a/copy', recursive=True)
    fails('EINVAL', bench, 'fs.cp', src=f'{bench.data}/tree', dest=f'{bench.data}/tree', recursive=True)
    os.mkfifo(bench.data / 'tree' / 'fifo')
    with pytest.raises(Denied, match='FIFO'):
        bench.run('fs.cp', src=f'{bench.data}/tree', dest=f'{bench.data}/copy2', recursive=True)


def test_cp_into_a_scope_that_covers_less(make: MakeBench) -> None:
    bench = make({'fs.read': ('$DATA/**',), 'fs.write': ('$DATA/out/*',)})
    fill(bench)
    (bench.data / 'out').mkdir()
    with pytest.raises(Denied):
        bench.run('fs.cp', src=f'{bench.data}/tree', dest=f'{bench.data}/out/copy', recursive=True)
    assert not any(path.is_file() for path in (bench.data / 'out').rglob('*'))


def test_list_speed(bench: Bench, benchmark: Any) -> None:
    for number in range(1000):
        (bench.data / f'note-{number}.md').write_bytes(b'')
    call = bench.call('fs.readdir')
    assert len(benchmark(call.command.handler, call=call, path=str(bench.data))) == 1000
