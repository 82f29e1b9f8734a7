"""``fs.*`` on a real disk: files, metadata, links and streams."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socket_runtime.errors import Aborted, BadRequest, CommandFailed, Denied, TooLarge
from socket_runtime.ipc.command import Binary, HostFile
from socket_runtime.services.fs import files as files_module
from tests.services.bench import Bench

MakeBench = Callable[..., Bench]


def fails(code: str, bench: Bench, name: str, **arguments: Any) -> CommandFailed:
    """The call fails with an operating system's error; the error."""
    with pytest.raises(CommandFailed) as caught:
        bench.run(name, **arguments)
    assert caught.value.code == code, caught.value.message
    return caught.value


# -- reading -------------------------------------------------------------------------------------------


def test_relative_paths_begin_in_resources(bench: Bench) -> None:
    (bench.home / 'resources' / 'index.html').write_bytes(b'<p>')
    assert bench.read('index.html') == bench.read('./x/../index.html') == b'<p>'
    assert bench.read(bench.home / 'resources' / 'index.html') == b'<p>'


@pytest.mark.parametrize(
    ('offset', 'length', 'expected'),
    [(0, -1, b'0123456789'), (3, -1, b'3456789'), (3, 4, b'3456'), (0, 99, b'0123456789'), (10, -1, b''), (99, 5, b'')],
)
def test_read_a_part(bench: Bench, offset: int, length: int, expected: bytes) -> None:
    (bench.data / 'x').write_bytes(b'0123456789')
    assert bench.read(bench.data / 'x', offset=offset, length=length) == expected


@pytest.mark.parametrize('wrong', [{'offset': -1}, {'length': -2}])
def test_read_a_part_that_is_none(bench: Bench, wrong: dict[str, int]) -> None:
    with pytest.raises(BadRequest):
        bench.run('fs.readFile', path='x', **wrong)


def test_errors_read_as_in_node(bench: Bench) -> None:
    error = fails('ENOENT', bench, 'fs.readFile', path='no/such.txt')
    assert error.message == "ENOENT: no such file or directory, open 'no/such.txt'"
    assert error.to_err() == {
        'message': error.message,
        'name': 'Error',
        'type': 'CommandFailed',
        'code': 'ENOENT',
        'errno': -errno.ENOENT,
        'syscall': 'open',
        'path': 'no/such.txt',
    }
    (bench.data / 'file').write_bytes(b'')
    fails('EISDIR', bench, 'fs.readFile', path=str(bench.data))
    fails('ENOTDIR', bench, 'fs.readFile', path=f'{bench.data}/file/x')
    fails('ENOENT', bench, 'fs.readFile', path='')
    fails('ENAMETOOLONG', bench, 'fs.readFile', path='x' * 300)
    fails('ENAMETOOLONG', bench, 'fs.readFile', path='x/' * 5000)
    error = fails('ENOENT', bench, 'fs.rename', src=f'{bench.data}/a', dest=f'{bench.data}/b')
    assert error.message.endswith(f"rename '{bench.data}/a' -> '{bench.data}/b'")


def test_B8_errors_tell_no_path_but_the_one_that_was_given(bench: Bench) -> None:
    for name, arguments in (
        ('fs.readFile', {'path': 'missing'}),
        ('fs.stat', {'path': './a/../missing'}),
        ('fs.readdir', {'path': 'missing'}),
    ):
        error = fails('ENOENT', bench, name, **arguments)
        assert str(bench.home) not in repr(error.to_err())
    with pytest.raises(Denied) as caught:
        bench.run('fs.readFile', path='../../../x')
    assert str(bench.home.parent) not in repr(caught.value.to_err())


def test_big_files_are_handed_over(bench: Bench) -> None:
    path = bench.data / 'big'
    path.write_bytes(b'x' * (files_module.BULK + 1))
    bulk = {'Socket-Bulk': 'file'}

    def result(headers: dict[str, str], **arguments: int) -> object:
        return bench.run('fs.readFile', on=bench.call('fs.readFile', headers=headers), path=str(path), **arguments)

    given = result(bulk)
    assert isinstance(given, HostFile)
    try:
        assert given.size == files_module.BULK + 1 and given.mtime == path.stat().st_mtime
        assert os.read(given.fd, 1) == b'x' and not os.get_inheritable(given.fd) and os.get_blocking(given.fd)
    finally:
        os.close(given.fd)
    for plain in (result({}), result(bulk, offset=1), result(bulk, length=5)):
        assert isinstance(plain, Binary)
    path.write_bytes(b'x' * files_module.BULK)
    assert isinstance(result(bulk), Binary)


def test_C12_huge_sparse_files_are_bounded(bench: Bench) -> None:
    path = bench.data / 'sparse'
    with path.open('wb') as file:
        file.truncate(1 << 40)
    with pytest.raises(TooLarge, match='stream'):
        bench.run('fs.readFile', path=str(path))
    assert bench.read(path, offset=(1 << 40) - 3) == b'\0\0\0'
    assert bench.read(path, length=4) == b'\0' * 4
    call = bench.call('fs.readStream')
    stream = bench.run('fs.readStream', on=call, path=str(path))
    assert len(next(stream)) == 65536
    call.cancel()
    assert list(stream) == []


# -- writing -------------------------------------------------------------------------------------------


def test_write_and_append(bench: Bench) -> None:
    path = str(bench.data / 'x')
    assert bench.run('fs.writeFile', path=path, body=b'hello world') == {'bytesWritten': 11}
    assert bench.run('fs.writeFile', path=path, body=b'bye') == {'bytesWritten': 3}
    assert bench.run('fs.appendFile', path=path, body=b'!') == {'bytesWritten': 1}
    assert bench.read(path) == b'bye!'


def test_write_keeps_the_file_itself(bench: Bench) -> None:
    """As Node does: other names of the file and its rights stay."""
    path = bench.data / 'x'
    path.write_bytes(b'old')
    path.chmod(0o640)
    os.link(path, bench.data / 'y')
    bench.run('fs.writeFile', path=str(path), body=b'new', mode=0o600)
    assert (bench.data / 'y').read_bytes() == b'new' and stat.S_IMODE(path.stat().st_mode) == 0o640


def test_write_flags(bench: Bench) -> None:
    path = str(bench.data / 'x')
    bench.run('fs.writeFile', path=path, body=b'1', flag='wx', mode=0o600)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    fails('EEXIST', bench, 'fs.writeFile', path=path, body=b'2', flag='wx')
    bench.run('fs.writeFile', path=path, body=b'2', flag='a')
    bench.run('fs.writeFile', path=path, body=b'3', flag='r+')
    assert bench.read(path) == b'32'
    fails('ENOENT', bench, 'fs.writeFile', path=path + 'y', body=b'', flag='r+')
    for flag in ('r', 'q', 'W', 'w ', '', '__class__'):
        with pytest.raises(BadRequest):
            bench.run('fs.writeFile', path=path, body=b'', flag=flag)


@pytest.mark.parametrize('mode', [0o4755, 0o2755, 0o1777, -1, 0o1000])
def test_no_rights_beyond_the_usual(bench: Bench, mode: int) -> None:
    path = str(bench.data / 'x')
    (bench.data / 'x').write_bytes(b'')
    for name, arguments in (
        ('fs.writeFile', {'body': b''}),
        ('fs.chmod', {}),
        ('fs.mkdir', {}),
        ('fs.open', {'flags': 'w'}),
    ):
        with pytest.raises(BadRequest, match='mode'):
            bench.run(name, path=path, mode=mode, **arguments)


def test_a_full_disk_is_told(bench: Bench, make: MakeBench) -> None:
    """A real disk that is full: a tmpfs of one page, where the test may mount one."""
    if os.geteuid() != 0 or os.system(f'mount -t tmpfs -o size=4096 none {bench.data} 2>/dev/null') != 0:
        (bench.data / 'x').write_bytes(b'')
        error = files_module.write_all
        with pytest.raises(OSError, match='No space left'), open('/dev/full', 'wb', buffering=0) as full:
            error(full.fileno(), b'x')
        return
    try:
        fails('ENOSPC', bench, 'fs.writeFile', path=f'{bench.data}/x', body=b'x' * 10_000)
        fails('ENOSPC', bench, 'fs.writeStream', path=f'{bench.data}/x', body=iter([b'x' * 5_000] * 2))
    finally:
        os.system(f'umount {bench.data}')


def test_truncate(bench: Bench) -> None:
    path = bench.data / 'x'
    path.write_bytes(b'12345')
    bench.run('fs.truncate', path=str(path), length=2)
    assert path.read_bytes() == b'12'
    bench.run('fs.truncate', path=str(path))
    assert path.read_bytes() == b''
    fails('ENOENT', bench, 'fs.truncate', path=f'{bench.data}/y')
    assert not (bench.data / 'y').exists()
    with pytest.raises(BadRequest):
        bench.run('fs.truncate', path=str(path), length=-1)


def test_copy(bench: Bench) -> None:
    source, target = bench.data / 'x', bench.data / 'y'
    source.write_bytes(b'abc' * 1_000_000)
    source.chmod(0o750)
    bench.run('fs.copyFile', src=str(source), dest=str(target))
    assert target.read_bytes() == source.read_bytes() and stat.S_IMODE(target.stat().st_mode) == 0o750
    fails('EEXIST', bench, 'fs.copyFile', src=str(source), dest=str(target), exclusive=True)
    target.write_bytes(b'longer' * 1_000_000)
    bench.run('fs.copyFile', src=str(source), dest=str(target))
    assert target.read_bytes() == source.read_bytes()


def test_copy_onto_itself_loses_nothing(bench: Bench) -> None:
    source = bench.data / 'x'
    source.write_bytes(b'precious')
    os.link(source, bench.data / 'y')
    for other in ('x', 'y', '../data/x'):
        bench.run('fs.copyFile', src=str(source), dest=f'{bench.data}/{other}')
    assert source.read_bytes() == b'precious'


def test_a_copy_that_is_given_up_stops(bench: Bench) -> None:
    (bench.data / 'x').write_bytes(b'x' * 3_000_000)
    call = bench.call('fs.copyFile')
    call.cancel()
    with pytest.raises(Aborted):
        bench.run('fs.copyFile', on=call, src=f'{bench.data}/x', dest=f'{bench.data}/y')


def test_files_need_not_be_in_an_existing_own_folder(bench: Bench) -> None:
    bench.data.rmdir()
    fails('ENOENT', bench, 'fs.readFile', path=f'{bench.data}/x')
    assert not bench.data.exists()
    bench.run('fs.writeFile', path=f'{bench.data}/x', body=b'1')
    assert stat.S_IMODE(bench.data.stat().st_mode) == 0o700


# -- metadata ------------------------------------------------------------------------------------------


def test_stat(bench: Bench) -> None:
    path = bench.data / 'x'
    path.write_bytes(b'12345')
    os.utime(path, (1_000_000_000.5, 1_234_567_890.25))
    path.chmod(0o644)
    told = bench.run('fs.stat', path=str(path))
    real = path.stat()
    assert told['size'] == 5 and told['type'] == 'file' and told['mtimeMs'] == 1_234_567_890_250
    assert told['atimeMs'] == 1_000_000_000_500 and told['ino'] == real.st_ino and told['mode'] == 0o100644
    assert set(told) == {
        'dev', 'ino', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'size', 'blksize', 'blocks',
        'atimeMs', 'mtimeMs', 'ctimeMs', 'birthtimeMs', 'type',
    }  # fmt: skip
    assert bench.run('fs.stat', path=str(bench.data))['type'] == 'directory'
    assert bench.run('fs.stat', path='.')['type'] == 'directory'
    fails('ENOENT', bench, 'fs.stat', path=f'{bench.data}/y')


def test_types(bench: Bench) -> None:
    os.mkfifo(bench.data / 'fifo')
    (bench.data / 'link').symlink_to('fifo')
    for name, kind in (('fifo', 'fifo'), ('link', 'symlink')):
        assert bench.run('fs.lstat', path=f'{bench.data}/{name}')['type'] == kind


def test_access(bench: Bench) -> None:
    path = bench.data / 'x'
    path.write_bytes(b'')
    path.chmod(0o600)
    for mode in (0, os.R_OK, os.W_OK, os.R_OK | os.W_OK):
        assert bench.run('fs.access', path=str(path), mode=mode) is None
    fails('EACCES', bench, 'fs.access', path=str(path), mode=os.X_OK)
    fails('ENOENT', bench, 'fs.access', path=f'{bench.data}/y')
    with pytest.raises(BadRequest):
        bench.run('fs.access', path=str(path), mode=8)
    (bench.home / 'resources' / 'x').write_bytes(b'')
    with pytest.raises(Denied):
        bench.run('fs.access', path='x', mode=os.W_OK)


def test_chmod_and_utimes(bench: Bench) -> None:
    path = bench.data / 'x'
    path.write_bytes(b'')
    bench.run('fs.chmod', path=str(path), mode=0o400)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    bench.run('fs.chmod', path=str(path), mode=0)  # and one that cannot be opened any more
    bench.run('fs.chmod', path=str(path), mode=0o600)
    bench.run('fs.utimes', path=str(path), atime=1.5, mtime=-2.25)
    assert (path.stat().st_atime, path.stat().st_mtime) == (1.5, -2.25)
    for wrong in (1e300, -1e300):
        with pytest.raises(BadRequest):
            bench.run('fs.utimes', path=str(path), atime=0, mtime=wrong)


def test_unlink(bench: Bench) -> None:
    (bench.data / 'x').write_bytes(b'')
    (bench.data / 'folder').mkdir()
    bench.run('fs.unlink', path=f'{bench.data}/x')
    assert not (bench.data / 'x').exists()
    fails('ENOENT', bench, 'fs.unlink', path=f'{bench.data}/x')
    fails('EISDIR', bench, 'fs.unlink', path=f'{bench.data}/folder')
    fails('EISDIR', bench, 'fs.unlink', path=str(bench.data))


def test_rename(bench: Bench) -> None:
    (bench.data / 'x').write_bytes(b'1')
    (bench.data / 'y').write_bytes(b'2')
    bench.run('fs.rename', src=f'{bench.data}/x', dest=f'{bench.data}/y')
    assert (bench.data / 'y').read_bytes() == b'1' and not (bench.data / 'x').exists()
    (bench.data / 'folder' / 'deep').mkdir(parents=True)
    bench.run('fs.rename', src=f'{bench.data}/folder', dest=f'{bench.data}/moved')
    assert (bench.data / 'moved' / 'deep').is_dir()
    fails('EBUSY', bench, 'fs.rename', src=str(bench.data), dest=f'{bench.data}/y')
    fails('EINVAL', bench, 'fs.rename', src=f'{bench.data}/moved', dest=f'{bench.data}/moved/deep/x')


def test_links_are_made_and_read(bench: Bench) -> None:
    (bench.data / 'x').write_bytes(b'1')
    bench.run('fs.symlink', target='x', path=f'{bench.data}/relative')
    bench.run('fs.symlink', target=f'{bench.data}/x', path=f'{bench.data}/absolute')
    assert bench.run('fs.readlink', path=f'{bench.data}/relative') == 'x'
    assert bench.run('fs.readlink', path=f'{bench.data}/absolute') == f'{bench.data}/x'
    fails('EINVAL', bench, 'fs.readlink', path=f'{bench.data}/x')
    bench.run('fs.link', src=f'{bench.data}/x', dest=f'{bench.data}/hard')
    assert (bench.data / 'hard').samefile(bench.data / 'x')
    fails('EPERM', bench, 'fs.link', src=str(bench.data), dest=f'{bench.data}/h2')
    bench.run('fs.unlink', path=f'{bench.data}/relative')
    assert (bench.data / 'x').exists()


def test_realpath(bench: Bench, make: MakeBench) -> None:
    (bench.data / 'x').write_bytes(b'')
    (bench.data / 'link').symlink_to('x')
    assert bench.run('fs.realpath', path=f'{bench.data}/./y/../x') == f'{bench.data}/x'
    fails('ENOENT', bench, 'fs.realpath', path=f'{bench.data}/y')
    follows = make({'fs.read': ('$DATA/**',), 'fs.follow_symlinks': True})
    assert follows.run('fs.realpath', path=f'{bench.data}/link') == f'{bench.data}/x'


def test_roots(make: MakeBench) -> None:
    bench = make({'fs.read': ('$RESOURCES/**',), 'fs.write': ('$DATA/a', '/srv/**')})
    assert bench.run('fs.roots') == {name.lower(): str(bench.roots[name]) for name in ('RESOURCES', 'DATA')}
    assert make({'fs.read': False}).run('fs.roots') == {}


def test_names_that_are_no_utf8(bench: Bench) -> None:
    raw = os.fsencode(bench.data) + b'/caf\xe9'
    Path(os.fsdecode(raw)).write_bytes(b'')
    assert [entry['name'] for entry in bench.run('fs.readdir', path=str(bench.data))] == ['caf\ufffd']


def test_paths_with_every_odd_character(bench: Bench) -> None:
    for name in ('a b', 'ä', '😀', '\n', "'", '"', '$HOME', '-rf', '*', '[x]', 'a\\b', '\u2028', '%2f', 'x' * 255):
        bench.run('fs.writeFile', path=f'{bench.data}/{name}', body=name.encode())
        assert bench.read(f'{bench.data}/{name}') == name.encode()


# -- streams -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ({}, [b'0123456789']),
        ({'chunk': 4}, [b'0123', b'4567', b'89']),
        ({'start': 2, 'end': 5}, [b'2345']),
        ({'start': 2, 'end': 8, 'chunk': 3}, [b'234', b'567', b'8']),
        ({'start': 10}, []),
        ({'start': 99}, []),
        ({'start': 0, 'end': 0}, [b'0']),
        ({'start': 1, 'end': 0}, []),
    ],
)
def test_read_stream(bench: Bench, arguments: dict[str, int], expected: list[bytes]) -> None:
    (bench.data / 'x').write_bytes(b'0123456789')
    assert list(bench.run('fs.readStream', path=f'{bench.data}/x', **arguments)) == expected


@pytest.mark.parametrize(
    'wrong', [{'start': -1}, {'end': -2}, {'start': 5, 'end': 2}, {'chunk': 0}, {'chunk': 1 << 30}]
)
def test_read_stream_of_nonsense(bench: Bench, wrong: dict[str, int]) -> None:
    with pytest.raises(BadRequest):
        bench.run('fs.readStream', path='x', **wrong)


def test_a_stream_is_refused_before_its_first_item(bench: Bench) -> None:
    with pytest.raises(Denied, match='fs.read'):
        bench.run('fs.readStream', path=f'{bench.outside}/x')
    with pytest.raises(Denied, match='fs.read'):
        bench.run('fs.watch', path=str(bench.outside))


def test_streams_close_their_files(bench: Bench) -> None:
    (bench.data / 'x').write_bytes(b'0' * 200_000)
    before = len(os.listdir('/proc/self/fd'))
    stream = bench.run('fs.readStream', path=f'{bench.data}/x')
    next(stream)
    assert len(os.listdir('/proc/self/fd')) == before + 1
    stream.close()
    assert len(os.listdir('/proc/self/fd')) == before
    assert fails_late(bench, 'ENOENT', f'{bench.data}/missing')


def fails_late(bench: Bench, code: str, path: str) -> bool:
    with pytest.raises(CommandFailed) as caught:
        next(bench.run('fs.readStream', path=path))
    return caught.value.code == code


def chunks(*data: bytes, error: Exception | None = None) -> Iterator[bytes]:
    yield from data
    if error is not None:
        raise error


def test_write_stream(bench: Bench) -> None:
    path = str(bench.data / 'x')
    result = bench.run('fs.writeStream', path=path, body=chunks(b'abc', b'', b'def'))
    assert result == {'bytesWritten': 6} and bench.read(path) == b'abcdef'
    bench.run('fs.writeStream', path=path, body=chunks(b'g'), flag='a')
    bench.run('fs.writeStream', path=path, body=chunks(b'XY'), flag='r+', start=1)
    assert bench.read(path) == b'aXYdefg'
    with pytest.raises(BadRequest):
        bench.run('fs.writeStream', path=path, body=chunks(), flag='r')
    with pytest.raises(BadRequest):
        bench.run('fs.writeStream', path=path, body=chunks(), start=-2)


def test_a_write_stream_that_is_given_up(bench: Bench) -> None:
    before = len(os.listdir('/proc/self/fd'))
    with pytest.raises(Aborted):
        bench.run('fs.writeStream', path=f'{bench.data}/x', body=chunks(b'abc', error=Aborted('gone')))
    assert (bench.data / 'x').read_bytes() == b'abc'
    assert len(os.listdir('/proc/self/fd')) == before


def test_nothing_stays_open(bench: Bench) -> None:
    """Each command, going well and failing, leaves no descriptor behind."""
    (bench.data / 'x').write_bytes(b'1')
    (bench.data / 'link').symlink_to('x')
    before = len(os.listdir('/proc/self/fd'))
    for name in (
        'fs.readFile',
        'fs.stat',
        'fs.lstat',
        'fs.readdir',
        'fs.realpath',
        'fs.readlink',
        'fs.unlink',
        'fs.rmdir',
    ):
        for path in ('x', 'link', 'missing', 'x/y', 'missing/y', '.', '../outside/x', 'link/z'):
            try:
                bench.run(name, path=f'{bench.data}/{path}')
            except (CommandFailed, Denied):
                continue
    assert len(os.listdir('/proc/self/fd')) == before


# -- how fast ------------------------------------------------------------------------------------------


def test_stat_speed(bench: Bench, benchmark: Any) -> None:
    (bench.data / 'a' / 'b').mkdir(parents=True)
    (bench.data / 'a' / 'b' / 'x').write_bytes(b'1')
    call = bench.call('fs.stat')
    benchmark(call.command.handler, call=call, path=f'{bench.data}/a/b/x')


def test_read_small_speed(bench: Bench, benchmark: Any) -> None:
    (bench.data / 'x').write_bytes(b'1' * 1000)
    call = bench.call('fs.readFile')
    benchmark(call.command.handler, call=call, path=f'{bench.data}/x')
