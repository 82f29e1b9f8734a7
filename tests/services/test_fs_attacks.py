"""Attack cases C1, C3, C4, C6, C7, C8 and C12 on a real disk, and B4's kin: what a path must not reach."""

from __future__ import annotations

import os
import socket
import stat
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socket_runtime.errors import BadRequest, CommandFailed, Denied, RemoteError
from socket_runtime.ipc.grants import path_parts
from socket_runtime.services.fs.paths import canonical
from tests.services.bench import Bench

MakeBench = Callable[..., Bench]
SECRET = b'the secret'
FOLLOW = {'fs.read': ('$RESOURCES/**', '$DATA/**'), 'fs.write': ('$DATA/**',), 'fs.follow_symlinks': True}


@pytest.fixture
def secret(bench: Bench) -> Path:
    """A file outside every scope."""
    path = bench.outside / 'secret.txt'
    path.write_bytes(SECRET)
    return path


def refused(bench: Bench, name: str, **arguments: Any) -> Denied:
    with pytest.raises(Denied) as caught:
        result = bench.run(name, **arguments)
        if hasattr(result, '__next__'):
            next(result)
    return caught.value


# -- C1: forms of paths --------------------------------------------------------------------------------

C1 = {
    'dot dot': '../outside/secret.txt',
    'dot dot below': 'a/../../outside/secret.txt',
    'escaped slash': '..%2foutside%2fsecret.txt',
    'escaped twice': '%252e%252e/outside/secret.txt',
    'escaped dots': '%2e%2e/outside/secret.txt',
    'backslash': '..\\outside\\secret.txt',
    'overlong dots': '..\u2024/outside/secret.txt',
    'full-width dots': '\uff0e\uff0e/outside/secret.txt',
    'full-width slash': '..\uff0foutside/secret.txt',
    'two slashes': '//{home}/outside/secret.txt',
    'many slashes': '..////outside/secret.txt',
    'dots in between': '/./{home}/./outside/./secret.txt',
    'absolute': '{home}/outside/secret.txt',
    'absolute by detour': '{home}/data/../outside/secret.txt',
    'above the root': '/../../../../../../..{home}/outside/secret.txt',
    'file URL': 'file://{home}/outside/secret.txt',
    'file URL in capitals': 'FILE:///{home}/outside/secret.txt',
    'file URL, short': 'file:{home}/outside/secret.txt',
    'UNC': '\\\\host\\share\\secret.txt',
    'UNC with slashes': '//host/share/secret.txt',
    'device namespace': '\\\\.\\C:\\secret.txt',
    'verbatim': '\\\\?\\C:\\secret.txt',
    'verbatim UNC': '\\\\?\\UNC\\host\\share\\secret.txt',
    'drive-relative': 'C:secret.txt',
    'drive': 'C:\\secret.txt',
    'drive with slash': 'c:/secret.txt',
    'home': '~/secret.txt',
    'variable': '$HOME/outside/secret.txt',
    'trailing dots': '.../outside/secret.txt',
    'trailing blank': '.. /outside/secret.txt',
    'beside the scope': '{home}/data-too/secret.txt',
    'root': '/',
    'etc': '/etc/passwd',
}


@pytest.mark.parametrize('path', C1.values(), ids=C1)
@pytest.mark.parametrize('name', ['fs.readFile', 'fs.stat', 'fs.lstat', 'fs.realpath', 'fs.access', 'fs.readStream'])
def test_C1_paths_that_lead_nowhere(bench: Bench, secret: Path, name: str, path: str) -> None:
    (bench.home / 'data-too').mkdir(exist_ok=True)
    (bench.home / 'data-too' / 'secret.txt').write_bytes(SECRET)
    with pytest.raises(RemoteError) as caught:
        result = bench.run(name, path=path.format(home=bench.home))
        if hasattr(result, '__next__'):
            next(result)
    error = caught.value
    assert isinstance(error, Denied) or error.code == 'ENOENT', error.message


@pytest.mark.parametrize('path', C1.values(), ids=C1)
def test_C1_paths_that_cannot_be_written(bench: Bench, secret: Path, path: str) -> None:
    before = sorted(bench.home.rglob('*'))
    with pytest.raises(RemoteError):
        bench.run('fs.writeFile', path=path.format(home=bench.home), body=b'evil')
    assert sorted(bench.home.rglob('*')) == before and secret.read_bytes() == SECRET


@pytest.mark.parametrize('path', ['a\0b', '\0', 'a\udc80b', '\ud800'])
def test_C1_characters_that_no_path_has(bench: Bench, path: str) -> None:
    call = bench.call('fs.readFile')
    with pytest.raises(BadRequest):
        call.command.handler(call=call, path=path)


C1_WINDOWS = {
    'UNC': '\\\\host\\share\\x',
    'UNC with slashes': '//host/share/x',
    'UNC, mixed': '\\/host/share/x',
    'verbatim': '\\\\?\\C:\\x',
    'device': '\\\\.\\PhysicalDrive0',
    'drive-relative': 'C:x',
    'drive alone': 'C:',
    'other drive, relative': 'D:x\\y',
    'rooted': '\\x',
    'rooted with slash': '/x',
    'stream': 'x.txt:secret',
    'default stream': 'x.txt::$DATA',
    'stream below': 'C:\\app\\x:y\\z',
    'device name': 'NUL',
    'device name with ending': 'a\\con.txt',
    'device with blank': 'COM1 .txt',
    'device with superscript': 'COM\u00b9',
    'trailing dot': 'x.',
    'trailing blank': 'x ',
    'dots': '...\\x',
    'wildcard': 'x*',
    'pipe': 'a|b',
    'control': 'a\x01',
}


@pytest.mark.parametrize('path', C1_WINDOWS.values(), ids=C1_WINDOWS)
def test_C1_forms_of_windows(path: str) -> None:
    with pytest.raises(Denied):
        canonical(path, ('C:', 'app'), windows=True)


@pytest.mark.parametrize(
    ('path', 'parts'),
    [
        ('x', ('C:', 'app', 'x')),
        ('a/b\\c', ('C:', 'app', 'a', 'b', 'c')),
        ('..\\..\\..\\x', ('C:', 'x')),
        ('d:\\x\\..\\y', ('D:', 'y')),
        ('C:/', ('C:',)),
        ('.\\x', ('C:', 'app', 'x')),
    ],
)
def test_C1_paths_of_windows(path: str, parts: tuple[str, ...]) -> None:
    assert canonical(path, ('C:', 'app'), windows=True) == parts


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(['..', '.', '', 'a', '%2e', '\\', 'C:', '~']), max_size=12).map('/'.join)
)
def test_C1_canonical_names_have_no_way_out(path: str) -> None:
    for windows in (False, True):
        base = ('C:', 'app') if windows else ('app',)
        try:
            parts = canonical(path, base, windows=windows)
        except (RemoteError, OSError):
            continue
        assert not {'', '.', '..'} & set(parts)
        assert not any('\0' in part or '/' in part for part in parts)
        if windows:
            assert parts[0][1:] == ':' and not any('\\' in part or ':' in part for part in parts[1:])


def test_denied_looks_the_same_whether_it_exists(bench: Bench, secret: Path) -> None:
    there = refused(bench, 'fs.readFile', path=str(secret))
    missing = refused(bench, 'fs.readFile', path=str(secret).replace('secret', 'absent'))
    assert there.message.replace('secret', 'absent') == missing.message
    assert there.missing == '[grants] fs.read[] = $HOME/outside/secret.txt'
    assert there.code == missing.code and there.status == missing.status == 403


def test_denied_touches_no_disk(bench: Bench, secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched: list[str] = []
    for name in ('open', 'stat', 'lstat', 'access', 'readlink', 'scandir', 'listdir'):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, _name=name, _real=real, **rest: (touched.append(_name), _real(*args, **rest))[1]
        )
    for name in ('fs.readFile', 'fs.stat', 'fs.readdir', 'fs.realpath', 'fs.readStream', 'fs.watch', 'fs.access'):
        refused(bench, name, path=str(secret))
    for name, arguments in (
        ('fs.writeFile', {'path': str(secret), 'body': b''}),
        ('fs.rm', {'path': str(secret)}),
        ('fs.open', {'path': str(secret), 'flags': 'r+'}),
    ):
        refused(bench, name, **arguments)
    assert touched == []


# -- C3: links -----------------------------------------------------------------------------------------


@pytest.fixture
def links(bench: Bench, secret: Path) -> Bench:
    """Links in the scope: to a file outside, a folder outside, a file inside, itself, and nothing."""
    data = bench.data
    (data / 'real').write_bytes(b'mine')
    (data / 'folder').mkdir()
    (data / 'folder' / 'x').write_bytes(b'inner')
    (data / 'file-out').symlink_to(secret)
    (data / 'relative-out').symlink_to('../outside/secret.txt')
    (data / 'folder-out').symlink_to(bench.outside)
    (data / 'file-in').symlink_to('real')
    (data / 'folder-in').symlink_to('folder')
    (data / 'loop').symlink_to('loop')
    (data / 'dangling').symlink_to('nothing')
    return bench


OUT = ['file-out', 'relative-out', 'folder-out/secret.txt', 'folder-in/../folder-out/secret.txt']


@pytest.mark.parametrize('name', [*OUT, 'file-in', 'folder-in/x', 'loop', 'loop/x', 'dangling', 'folder-out/absent'])
def test_C3_no_link_is_followed(links: Bench, name: str) -> None:
    path = f'{links.data}/{name}'
    for command, arguments in (
        ('fs.readFile', {}),
        ('fs.readStream', {}),
        ('fs.stat', {}),
        ('fs.access', {}),
        ('fs.realpath', {}),
        ('fs.open', {}),
        ('fs.watch', {}),
        ('fs.writeFile', {'body': b'evil'}),
        ('fs.appendFile', {'body': b'evil'}),
        ('fs.writeStream', {'body': iter([b'evil'])}),
        ('fs.truncate', {}),
        ('fs.chmod', {'mode': 0o777}),
        ('fs.utimes', {'atime': 0, 'mtime': 0}),
        ('fs.open', {'flags': 'w'}),
    ):
        error = refused(links, command, path=path, **arguments)
        assert error.missing == '[grants] fs.follow_symlinks = true', command
    assert (links.outside / 'secret.txt').read_bytes() == SECRET
    assert (links.data / 'real').read_bytes() == b'mine'
    assert not (links.data / 'nothing').exists()


@pytest.mark.parametrize('name', ['folder-out', 'folder-out/'])
def test_C3_a_linked_folder_is_not_listed_or_filled(links: Bench, name: str) -> None:
    path = f'{links.data}/{name}'
    for command in ('fs.readdir', 'fs.watch'):
        refused(links, command, path=path)
    for command, arguments in (
        ('fs.mkdir', {'path': path + '/new', 'recursive': True}),
        ('fs.mkdir', {'path': path + '/new'}),
        ('fs.mkdtemp', {'prefix': path + '/new'}),
        ('fs.rename', {'src': f'{links.data}/real', 'dest': path.rstrip('/') + '/real'}),
        ('fs.copyFile', {'src': f'{links.data}/real', 'dest': path.rstrip('/') + '/real'}),
        ('fs.unlink', {'path': path.rstrip('/') + '/secret.txt'}),
        ('fs.rm', {'path': path.rstrip('/') + '/secret.txt'}),
        ('fs.link', {'src': path.rstrip('/') + '/secret.txt', 'dest': f'{links.data}/new'}),
        ('fs.symlink', {'target': 'x', 'path': path.rstrip('/') + '/new'}),
    ):
        refused(links, command, **arguments)
    assert os.listdir(links.outside) == ['secret.txt']


def test_C3_a_tree_is_not_left_through_links(links: Bench) -> None:
    found = links.run('fs.readdir', path=str(links.data), recursive=True)
    assert {entry['name'] for entry in found if entry['type'] == 'symlink'} == {
        'file-out', 'relative-out', 'folder-out', 'file-in', 'folder-in', 'loop', 'dangling',
    }  # fmt: skip
    assert not any('secret' in entry['name'] for entry in found)
    tree = links.data / 'tree'
    tree.mkdir()
    (tree / 'out').symlink_to(links.outside)
    refused(links, 'fs.cp', src=str(tree), dest=f'{links.data}/copy', recursive=True)
    assert not (links.data / 'copy' / 'out').exists()
    links.run('fs.rm', path=str(tree), recursive=True)
    assert (links.outside / 'secret.txt').exists() and not tree.exists()


def test_C3_a_link_itself_can_be_seen_moved_and_removed(links: Bench) -> None:
    path = f'{links.data}/file-out'
    assert links.run('fs.lstat', path=path)['type'] == 'symlink'
    assert links.run('fs.readlink', path=path) == f'{links.outside}/secret.txt'
    links.run('fs.rename', src=path, dest=path + '2')
    links.run('fs.unlink', path=path + '2')
    links.run('fs.rm', path=f'{links.data}/folder-out', recursive=True)
    assert (links.outside / 'secret.txt').read_bytes() == SECRET


@pytest.mark.parametrize('name', OUT)
def test_C3_followed_links_are_checked_anew(links: Bench, make: MakeBench, name: str) -> None:
    follows = make(FOLLOW)
    path = f'{links.data}/{name}'
    for command, arguments in (
        ('fs.readFile', {}),
        ('fs.stat', {}),
        ('fs.open', {'flags': 'r+'}),
        ('fs.writeFile', {'body': b'evil'}),
        ('fs.truncate', {}),
    ):
        error = refused(follows, command, path=path, **arguments)
        assert 'outside/secret.txt' in error.missing, command
    assert (links.outside / 'secret.txt').read_bytes() == SECRET


def test_C3_followed_links_within_the_scope(links: Bench, make: MakeBench) -> None:
    follows = make(FOLLOW)
    assert follows.read(links.data / 'file-in') == b'mine'
    assert follows.read(links.data / 'folder-in' / 'x') == b'inner'
    follows.run('fs.writeFile', path=f'{links.data}/file-in', body=b'changed')
    assert (links.data / 'real').read_bytes() == b'changed' and (links.data / 'file-in').is_symlink()
    follows.run('fs.writeFile', path=f'{links.data}/dangling', body=b'new')
    assert (links.data / 'nothing').read_bytes() == b'new'
    for name in ('loop', 'loop/x'):
        with pytest.raises(CommandFailed, match='ELOOP'):
            follows.read(links.data / name)
    entries = follows.run('fs.readdir', path=f'{links.data}/folder-in')
    assert [entry['name'] for entry in entries] == ['x']
    (links.data / 'absolute').symlink_to(links.data / 'folder' / '..' / 'real')
    assert follows.read(links.data / 'absolute') == b'changed'


def test_C3_what_a_link_may_point_to(links: Bench) -> None:
    for target in ('../outside/secret.txt', str(links.outside), '/etc/passwd', '..', '../..', '../resources/x'):
        error = refused(links, 'fs.symlink', target=target, path=f'{links.data}/new')
        assert error.code == 'EPERM'
    assert not (links.data / 'new').is_symlink()
    refused(links, 'fs.link', src=f'{links.outside}/secret.txt', dest=f'{links.data}/new')
    refused(links, 'fs.link', src=f'{links.data}/real', dest=f'{links.outside}/new')
    refused(links, 'fs.rename', src=f'{links.outside}/secret.txt', dest=f'{links.data}/new')
    refused(links, 'fs.copyFile', src=f'{links.outside}/secret.txt', dest=f'{links.data}/new')


def test_C3_hard_links_cannot_be_told_from_files(bench: Bench, secret: Path) -> None:
    """Documented: whoever could make the link could as well have copied the file."""
    os.link(secret, bench.data / 'hard')
    assert bench.read(bench.data / 'hard') == SECRET


@pytest.mark.parametrize('name', ['fs.rename', 'fs.link'])
def test_moving_a_file_opens_it_to_nothing_more(make: MakeBench, name: str) -> None:
    bench = make({'fs.read': ('$DATA/public/**',), 'fs.write': ('$DATA/**',)})
    for folder in ('public', 'private/inner'):
        (bench.data / folder).mkdir(parents=True)
    (bench.data / 'private' / 'x').write_bytes(SECRET)
    (bench.data / 'private' / 'inner' / 'y').write_bytes(SECRET)
    error = refused(bench, name, src=f'{bench.data}/private/x', dest=f'{bench.data}/public/x')
    assert error.missing == '[grants] fs.read[] = $DATA/private/x'
    if name == 'fs.rename':
        refused(bench, name, src=f'{bench.data}/private/inner', dest=f'{bench.data}/public/inner')
        bench.run(name, src=f'{bench.data}/private/inner', dest=f'{bench.data}/private/other')
        bench.run(name, src=f'{bench.data}/private/x', dest=f'{bench.data}/z')


def test_moving_a_folder_whose_content_is_out_of_scope(make: MakeBench) -> None:
    bench = make({'fs.read': ('$DATA/*', '$DATA/public/**'), 'fs.write': ('$DATA/*', '$DATA/public/**')})
    (bench.data / 'public').mkdir()
    (bench.data / 'box').mkdir()
    (bench.data / 'box' / 'x').write_bytes(SECRET)
    refused(bench, 'fs.readFile', path=f'{bench.data}/box/x')
    refused(bench, 'fs.rename', src=f'{bench.data}/box', dest=f'{bench.data}/public/box')
    bench.run('fs.rename', src=f'{bench.data}/box', dest=f'{bench.data}/box2')


# -- C4: races -----------------------------------------------------------------------------------------

SWAP = """
import ctypes, os, sys
swap, first, second = ctypes.CDLL(None).renameat2, os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2])
print('ready', flush=True)
while swap(-100, first, -100, second, 2) == 0:  # AT_FDCWD, RENAME_EXCHANGE: both names change at once
    pass
"""


@contextmanager
def swapping(first: Path, second: Path) -> Iterator[None]:
    """Another process swaps the two names, as fast as it can, until the block ends or a name is gone."""
    command = [sys.executable, '-S', '-E', '-c', SWAP, str(first), str(second)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as swapper:
        assert swapper.stdout is not None and swapper.stdout.readline() == b'ready\n'
        try:
            yield
        finally:
            swapper.kill()


def race(bench: Bench, victim: Path, twin: Path, attempt: Callable[[], bytes], rounds: int, seconds: float) -> None:
    """No attempt may see or change the secret; and enough of them must have met each side."""
    good = bad = 0
    end = time.monotonic() + seconds
    with swapping(victim, twin):
        while (good + bad < rounds or min(good, bad) < 5) and time.monotonic() < end:
            try:
                found = attempt()
            except (Denied, CommandFailed):
                bad += 1
            else:
                assert SECRET not in found, f'leaked in round {good + bad}'
                good += 1
    assert (bench.outside / 'secret.txt').read_bytes() == SECRET
    assert good and bad, f'{good} went well and {bad} were refused: the race was none'


def set_up_race(bench: Bench, kind: str) -> tuple[Path, Path, str]:
    """The two names that are swapped, and the path that is asked for."""
    data = bench.data
    if kind == 'file':
        (data / 'x').write_bytes(b'mine')
        (data / 'y').symlink_to(bench.outside / 'secret.txt')
        return data / 'x', data / 'y', f'{data}/x'
    (data / 'f').mkdir()
    (data / 'f' / 'secret.txt').write_bytes(b'mine')
    (data / 'g').symlink_to(bench.outside)
    return data / 'f', data / 'g', f'{data}/f/secret.txt'


def attempts(bench: Bench, path: str) -> dict[str, Callable[[], bytes]]:
    def stream() -> bytes:
        return b''.join(bench.run('fs.readStream', path=path))

    def write() -> bytes:
        bench.run('fs.writeFile', path=path, body=b'mine')
        return b''

    def append() -> bytes:
        bench.run('fs.appendFile', path=path, body=b'!')
        return b''

    def chmod() -> bytes:
        bench.run('fs.chmod', path=path, mode=0o644)
        assert (bench.outside / 'secret.txt').stat().st_mode & 0o777 == 0o600
        return b''

    def handle() -> bytes:
        fd = bench.run('fs.open', path=path)['fd']
        try:
            return bytes(bench.run('fs.read', fd=fd, length=100).data)
        finally:
            bench.run('fs.close', fd=fd)

    return {
        'read': lambda: bench.read(path),
        'stream': stream,
        'write': write,
        'append': append,
        'chmod': chmod,
        'handle': handle,
    }


@pytest.mark.parametrize('kind', ['file', 'folder'])
@pytest.mark.parametrize('action', ['read', 'stream', 'write', 'append', 'chmod', 'handle'])
@pytest.mark.parametrize('follow', [False, True], ids=['links refused', 'links followed'])
def test_C4_a_link_swapped_in_between_leads_nowhere(
    bench: Bench, make: MakeBench, secret: Path, kind: str, action: str, follow: bool
) -> None:
    secret.chmod(0o600)
    used = make(FOLLOW) if follow else bench
    victim, twin, path = set_up_race(used, kind)
    race(used, victim, twin, attempts(used, path)[action], rounds=1500, seconds=15)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize('kind', ['file', 'folder'])
@pytest.mark.parametrize('action', ['read', 'write'])
def test_C4_no_leak_in_100_000_rounds(bench: Bench, secret: Path, kind: str, action: str) -> None:
    victim, twin, path = set_up_race(bench, kind)
    race(bench, victim, twin, attempts(bench, path)[action], rounds=100_000, seconds=800)


def test_C4_the_race_is_real(bench: Bench, secret: Path) -> None:
    """The same race against a check by path before a use by path does leak: the test can see a leak."""
    victim, twin, path = set_up_race(bench, 'file')
    leaked = False
    end = time.monotonic() + 10
    with swapping(victim, twin):
        while not leaked and time.monotonic() < end:
            if not os.path.islink(path):
                leaked = SECRET in Path(path).read_bytes()
    assert leaked


def test_C4_a_tree_is_removed_without_leaving_it(bench: Bench, secret: Path) -> None:
    for _ in range(30):
        tree = bench.data / 'tree'
        (tree / 'a').mkdir(parents=True)
        (tree / 'a' / 'secret.txt').write_bytes(b'mine')
        (bench.data / 'twin').symlink_to(bench.outside)
        with swapping(tree / 'a', bench.data / 'twin'):
            try:
                bench.run('fs.rm', path=str(tree), recursive=True)
            except (CommandFailed, Denied):
                pass
        assert secret.read_bytes() == SECRET
        for leftover in (tree, bench.data / 'twin'):
            if leftover.is_symlink():
                leftover.unlink()
            else:
                os.system(f'rm -rf {leftover}')


def test_C4_own_data_swapped_in_between_is_not_read(make: MakeBench) -> None:
    """C8 by a hard link that comes in after the look and before the opening."""
    bench = make(denied=('socket.ini',))
    (bench.home / 'socket.ini').write_bytes(SECRET)
    (bench.outside / 'secret.txt').write_bytes(SECRET)
    (bench.data / 'x').write_bytes(b'mine')
    os.link(bench.home / 'socket.ini', bench.data / 'y')
    race(bench, bench.data / 'x', bench.data / 'y', lambda: bench.read(bench.data / 'x'), rounds=2000, seconds=10)


# -- C6: picked names ----------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['[a].txt', '*', '**', '?', '{a,b}', '[!x]*'])
def test_C6_a_picked_name_grants_one_file(bench: Bench, name: str) -> None:
    for other in (name, 'a.txt', 'a', 'b', 'secret'):
        (bench.outside / other).write_bytes(b'picked' if other == name else SECRET)
    bench.runtime.allow('fs.read', bench.outside / name)
    assert bench.read(bench.outside / name) == b'picked'
    for other in ('a.txt', 'a', 'b', 'secret', '', '.'):
        refused(bench, 'fs.readFile', path=f'{bench.outside}/{other}')
    refused(bench, 'fs.writeFile', path=f'{bench.outside}/{name}', body=b'x')
    refused(bench, 'fs.readdir', path=str(bench.outside))


def test_C6_a_picked_file_is_the_windows_own(bench: Bench, secret: Path) -> None:
    bench.runtime.allow('fs.read', secret, window=2)
    refused(bench, 'fs.readFile', path=str(secret))
    call = bench.call('fs.readFile', window=2)
    assert bench.run('fs.readFile', on=call, path=str(secret)).data == SECRET
    bench.runtime.revoke_window(2)
    refused(bench, 'fs.readFile', on=call, path=str(secret))


def test_C6_a_place_to_save_to(bench: Bench) -> None:
    bench.runtime.allow('fs.write', bench.outside / 'new.txt')
    bench.run('fs.writeFile', path=f'{bench.outside}/new.txt', body=b'saved')
    assert (bench.outside / 'new.txt').read_bytes() == b'saved'
    refused(bench, 'fs.writeFile', path=f'{bench.outside}/new.txt2', body=b'')


def test_C6_a_picked_link_is_opened_as_it_was(bench: Bench, secret: Path) -> None:
    (bench.outside / 'real').write_bytes(b'seen')
    link = bench.outside / 'link'
    link.symlink_to('real')
    bench.runtime.allow('fs.read', link)
    assert bench.read(link) == b'seen'
    link.unlink()
    link.symlink_to('secret.txt')
    assert bench.read(link) == b'seen'


def test_C6_a_picked_folder(bench: Bench) -> None:
    (bench.outside / 'f' / '.x').mkdir(parents=True)
    (bench.outside / 'f' / '.x' / 'y').write_bytes(b'deep')
    bench.runtime.allow('fs.read', bench.outside / 'f', tree=True)
    assert bench.read(bench.outside / 'f' / '.x' / 'y') == b'deep'
    assert len(bench.run('fs.readdir', path=f'{bench.outside}/f', recursive=True)) == 2
    refused(bench, 'fs.readdir', path=str(bench.outside))


# -- C7: the table, on the disk ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('pattern', 'listed'),
    [
        ('$DATA/**', {'a.txt', 'folder', 'folder/b.txt'}),
        ('$DATA/', {'a.txt', 'folder', 'folder/b.txt'}),
        ('$DATA/.*', set()),
    ],
)
def test_C7_what_a_listing_shows(make: MakeBench, pattern: str, listed: set[str]) -> None:
    bench = make({'fs.read': (pattern, '$DATA')})
    (bench.data / 'folder' / '.hidden').mkdir(parents=True)
    (bench.data / '.dot').mkdir()
    for name in ('a.txt', '.env', 'folder/b.txt', 'folder/.c', 'folder/.hidden/d', '.dot/e'):
        (bench.data / name).write_bytes(b'')
    found = bench.run('fs.readdir', path=str(bench.data), recursive=True)
    names = {f'{entry["parent"]}/{entry["name"]}'.removeprefix(f'{bench.data}/') for entry in found}
    assert names == (listed or {'.env', '.dot'})


@pytest.mark.parametrize('name', ['.env', 'folder/.ssh/key', '.git/config'])
def test_C7_dotfiles_are_out_of_a_wide_scope(bench: Bench, name: str) -> None:
    path = bench.data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SECRET)
    refused(bench, 'fs.readFile', path=str(path))
    refused(bench, 'fs.rm', path=f'{bench.data}/{name.split("/")[0]}', recursive=True)
    assert path.read_bytes() == SECRET


def test_C7_nothing_granted_is_nothing(make: MakeBench) -> None:
    bench = make({'fs.read': False})
    (bench.home / 'resources' / 'x').write_bytes(SECRET)
    refused(bench, 'fs.readFile', path='x')
    refused(bench, 'fs.readdir', path='.')


def test_the_apps_own_files_are_never_writable(make: MakeBench) -> None:
    bench = make({'fs.read': ('$HOME/**',), 'fs.write': ('$HOME/**',), 'fs.follow_symlinks': True})
    (bench.home / 'resources' / 'index.html').write_bytes(b'mine')
    (bench.data / 'link').symlink_to(bench.home / 'resources')
    for path in ('index.html', f'{bench.home}/resources/index.html', f'{bench.data}/link/index.html', '.'):
        refused(bench, 'fs.writeFile', path=path, body=b'evil')
        refused(bench, 'fs.rm', path=path, recursive=True)
        refused(bench, 'fs.open', path=path, flags='r+')
    refused(bench, 'fs.rename', src=f'{bench.home}/resources', dest=f'{bench.data}/resources')
    refused(bench, 'fs.rename', src='index.html', dest=f'{bench.data}/x')
    refused(bench, 'fs.link', src='index.html', dest=f'{bench.data}/x')
    bench.runtime.allow('fs.write', bench.home / 'resources' / 'index.html')
    bench.runtime.allow('fs.write', bench.data / 'link', tree=True)
    for path in ('index.html', f'{bench.data}/link/index.html'):
        refused(bench, 'fs.writeFile', path=path, body=b'evil')
    assert (bench.home / 'resources' / 'index.html').read_bytes() == b'mine'
    assert 'never writable' in refused(bench, 'fs.writeFile', path='new.html', body=b'').message


# -- C8: the runtime's own data ------------------------------------------------------------------------


@pytest.fixture
def own(make: MakeBench) -> Bench:
    """Everything is granted; the profile and ``socket.ini`` are the runtime's."""
    grants = {'fs.read': ('$HOME/**',), 'fs.write': ('$DATA/**',), 'fs.follow_symlinks': True}
    bench = make(grants, denied=('data/profile', 'socket.ini', 'data/not-made-yet'))
    (bench.data / 'profile' / 'deep').mkdir(parents=True)
    (bench.data / 'profile' / 'deep' / 'cookies').write_bytes(SECRET)
    (bench.home / 'socket.ini').write_bytes(SECRET)
    return bench


def test_C8_own_data_is_closed(own: Bench) -> None:
    for path in ('data/profile/deep/cookies', 'socket.ini', 'data/x/../profile/deep/cookies', 'data/profile'):
        for name in ('fs.readFile', 'fs.stat', 'fs.lstat', 'fs.readdir', 'fs.watch'):
            error = refused(own, name, path=f'{own.home}/{path}')
            assert error.missing == ''
        refused(own, 'fs.writeFile', path=f'{own.home}/{path}', body=b'evil')
    refused(own, 'fs.writeFile', path=f'{own.data}/not-made-yet', body=b'evil')
    refused(own, 'fs.mkdir', path=f'{own.data}/not-made-yet/x', recursive=True)
    assert not (own.data / 'not-made-yet').exists()


def test_C8_own_data_is_not_listed(own: Bench) -> None:
    found = own.run('fs.readdir', path=str(own.home), recursive=True)
    names = {entry['name'] for entry in found}
    assert 'data' in names and not names & {'profile', 'cookies', 'socket.ini'}


def test_C8_own_data_is_not_moved_removed_or_copied_with_its_parent(own: Bench, make: MakeBench) -> None:
    bench = make({'fs.read': ('$HOME/**',), 'fs.write': ('$HOME/**',)}, denied=('data/profile',))
    refused(bench, 'fs.rename', src=str(bench.data), dest=f'{bench.outside}/moved')
    refused(bench, 'fs.rm', path=str(bench.data), recursive=True)
    bench.run('fs.cp', src=str(bench.data), dest=f'{bench.outside}/copy', recursive=True)
    assert not (bench.outside / 'copy' / 'profile').exists()
    assert (own.data / 'profile' / 'deep' / 'cookies').read_bytes() == SECRET


def test_C8_own_data_by_other_names(own: Bench) -> None:
    (own.data / 'link').symlink_to('profile')
    (own.data / 'file').symlink_to('profile/deep/cookies')
    os.link(own.data / 'profile' / 'deep' / 'cookies', own.data / 'hard')  # of a file below: documented
    os.link(own.home / 'socket.ini', own.data / 'ini')
    for name in ('link/deep/cookies', 'file', 'ini'):
        refused(own, 'fs.readFile', path=f'{own.data}/{name}')
        refused(own, 'fs.copyFile', src=f'{own.data}/{name}', dest=f'{own.data}/copy')
    own.runtime.allow('fs.read', own.data / 'profile', tree=True)
    own.runtime.allow('fs.read', own.data / 'file')
    for name in ('profile/deep/cookies', 'file'):
        refused(own, 'fs.readFile', path=f'{own.data}/{name}')


def test_C8_own_data_that_is_not_there_yet_by_a_picked_name(own: Bench) -> None:
    (own.outside / 'alias').symlink_to(own.data)
    own.runtime.allow('fs.write', own.outside / 'alias' / 'not-made-yet')
    refused(own, 'fs.writeFile', path=f'{own.outside}/alias/not-made-yet', body=b'evil')
    assert not (own.data / 'not-made-yet').exists()


def test_C8_own_data_through_a_bind_mount(own: Bench) -> None:
    other = own.data / 'box' / 'mounted'
    other.mkdir(parents=True)
    mounted = os.geteuid() == 0 and os.system(f'mount --bind {own.data}/profile {other} 2>/dev/null') == 0
    if not mounted:
        other.rmdir()
        other.symlink_to('../profile')  # where no mount can be made, the same folder by its second-best alias
    try:
        refused(own, 'fs.readFile', path=f'{other}/deep/cookies')
        refused(own, 'fs.readdir', path=str(other))
        found = own.run('fs.readdir', path=str(own.data), recursive=True)
        assert not any(entry['name'] == 'cookies' for entry in found)
        if mounted:
            for path in (other, other.parent):
                with pytest.raises((Denied, CommandFailed)):
                    own.run('fs.rm', path=str(path), recursive=True)
            own.run('fs.cp', src=str(other.parent), dest=f'{own.data}/copy', recursive=True)
            assert not any((own.data / 'copy').rglob('cookies'))
        assert (own.data / 'profile' / 'deep' / 'cookies').exists()
    finally:
        os.system(f'umount {other} 2>/dev/null')


# -- C12: what is no file ------------------------------------------------------------------------------


def test_C12_a_fifo_is_refused_at_once(bench: Bench) -> None:
    os.mkfifo(bench.data / 'fifo')
    begin = time.monotonic()
    for name, arguments in (
        ('fs.readFile', {}),
        ('fs.readStream', {}),
        ('fs.open', {}),
        ('fs.writeFile', {'body': b''}),
        ('fs.appendFile', {'body': b''}),
        ('fs.writeStream', {'body': iter([b''])}),
        ('fs.truncate', {}),
    ):
        assert 'FIFO' in refused(bench, name, path=f'{bench.data}/fifo', **arguments).message
    refused(bench, 'fs.copyFile', src=f'{bench.data}/fifo', dest=f'{bench.data}/x')
    assert time.monotonic() - begin < 2


def test_C12_a_socket_is_refused(bench: Bench) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(bench.data)
        server.bind('s')
        os.chdir('/')
        assert 'socket' in refused(bench, 'fs.readFile', path=f'{bench.data}/s').message


DEVICES = ['/dev/null', '/dev/zero', '/dev/tty', '/dev/random', '/dev/full']


@pytest.mark.parametrize('path', DEVICES)
def test_C12_devices_are_refused(make: MakeBench, path: str) -> None:
    bench = make({'fs.read': ('/dev/**',), 'fs.write': ('/dev/**',)})
    for name, arguments in (('fs.readFile', {}), ('fs.open', {'flags': 'r+'}), ('fs.writeFile', {'body': b''})):
        assert 'device' in refused(bench, name, path=path, **arguments).message


@pytest.mark.parametrize(
    'path', ['/proc/self/mem', '/proc/self/environ', '/proc/version', '/sys/kernel/mm/ksm/run', '/proc/1/maps']
)
def test_C12_the_kernels_files_are_refused(make: MakeBench, path: str) -> None:
    bench = make({'fs.read': ('/proc/**', '/sys/**'), 'fs.write': ('/proc/**', '/sys/**')})
    if not os.path.exists(path.replace('/self/', f'/{os.getpid()}/')):
        path = '/proc/uptime'
    real = path.replace('/self/', f'/{os.getpid()}/')
    for name, arguments in (('fs.readFile', {}), ('fs.open', {'flags': 'r+'}), ('fs.writeFile', {'body': b''})):
        assert "kernel's" in refused(bench, name, path=real, **arguments).message
    refused(bench, 'fs.readFile', path='/proc/self/root/etc/passwd')  # a link, and a magic one
    refused(bench, 'fs.readFile', path=f'/proc/{os.getpid()}/root/etc/passwd')
    refused(bench, 'fs.readFile', path=f'/proc/{os.getpid()}/cwd/x')


@pytest.mark.parametrize('name', ['read', 'write'])
def test_C12_a_fifo_swapped_in_between_is_not_used(bench: Bench, secret: Path, name: str) -> None:
    (bench.data / 'x').write_bytes(b'mine')
    os.mkfifo(bench.data / 'y')
    path = f'{bench.data}/x'

    def attempt() -> bytes:
        if name == 'write':
            bench.run('fs.appendFile', path=path, body=b'')
            return b''
        assert bench.read(path) == b'mine'
        return b'mine'

    race(bench, bench.data / 'x', bench.data / 'y', attempt, rounds=5000, seconds=15)


def test_C12_a_device_swapped_in_between_is_not_used(bench: Bench, secret: Path) -> None:
    (bench.data / 'x').write_bytes(b'mine')
    try:
        os.mknod(bench.data / 'y', 0o666 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        os.mkfifo(bench.data / 'y')  # only root can make devices; the race is run all the same
    handle = attempts(bench, f'{bench.data}/x')['handle']

    def attempt() -> bytes:
        assert (found := handle()) == b'mine'
        return found

    race(bench, bench.data / 'x', bench.data / 'y', attempt, rounds=5000, seconds=15)


# -- everything at once --------------------------------------------------------------------------------

PIECES = [
    '..',
    '.',
    '',
    'a',
    'b',
    'link',
    'out',
    '.dot',
    'x.txt',
    'secret.txt',
    'outside',
    'data',
    '%2e%2e',
    '~',
    '*',
    'C:',
    '\\',
]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(PIECES) | st.text(string.printable, max_size=4), max_size=9),
    st.sampled_from(['', '/', '//', '{data}/', '{home}/', './', '{data}/../', 'file:', '\\\\']),
    st.booleans(),
)
def test_no_path_reads_what_is_outside(
    bench: Bench, make: MakeBench, pieces: list[str], start: str, follow: bool
) -> None:
    """Whatever is read lies, when all links are resolved, in one of the granted folders."""
    if not (bench.data / 'a').exists():
        (bench.data / 'a' / 'b').mkdir(parents=True)
        (bench.outside / 'secret.txt').write_bytes(SECRET)
        (bench.data / 'a' / 'x.txt').write_bytes(b'mine')
        (bench.data / 'a' / '.dot').write_bytes(SECRET)
        (bench.data / 'a' / 'link').symlink_to('b')
        (bench.data / 'a' / 'out').symlink_to(bench.outside)
        (bench.data / 'out').symlink_to('../outside')
        (bench.data / 'link').symlink_to('a')
    used = make(FOLLOW) if follow else bench
    path = start.format(data=bench.data, home=bench.home) + '/'.join(pieces)
    try:
        found = used.read(path)
    except RemoteError:
        return
    assert found != SECRET
    real = os.path.realpath(path if path.startswith('/') else bench.home / 'resources' / path)
    assert any(
        path_parts(real)[: len(path_parts(root))] == path_parts(root) for root in (bench.data, bench.home / 'resources')
    )
