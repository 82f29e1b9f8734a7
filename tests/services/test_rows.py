"""Every row of every table: a name of its own, arguments that can be checked, and, design rule 1, no effect
without its grant, also where the gate is not in between."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from socket_runtime.errors import Denied, NotFound, RemoteError
from socket_runtime.ipc.command import Command, Commands
from socket_runtime.ipc.grants import KNOWN_GRANTS
from socket_runtime.services import ServiceContext, process, shell, system
from tests.services.bench import Bench

MakeBench = Callable[..., Bench]


def rest(context: ServiceContext) -> list[Command]:
    return [
        *system.commands(context),
        *process.commands(context),
        *shell.commands(context, opener=never, revealer=never),
    ]


def never(what: str) -> None:
    raise AssertionError(f'{what} got out')


TABLE = (
    'fs.access fs.appendFile fs.chmod fs.close fs.copyFile fs.cp fs.fstat fs.fsync fs.ftruncate fs.link fs.lstat '
    'fs.mkdir fs.mkdtemp fs.open fs.read fs.readFile fs.readStream fs.readdir fs.readlink fs.realpath fs.rename fs.rm '
    'fs.rmdir fs.roots fs.stat fs.symlink fs.truncate fs.unlink fs.utimes fs.watch fs.write fs.writeFile '
    'fs.writeStream os.cpus os.freemem os.info os.loadavg os.networkInterfaces os.rusage os.uptime process.env '
    'process.exec process.memory process.spawn shell.open shell.reveal'
).split()

# What each call is made with: as harmful as it can be, and complete.
ARGUMENTS: dict[str, dict[str, Any]] = {
    'fs.access': {'path': '{x}', 'mode': 2},
    'fs.appendFile': {'path': '{x}', 'body': b'evil'},
    'fs.chmod': {'path': '{x}', 'mode': 0o777},
    'fs.copyFile': {'src': '{x}', 'dest': '{new}'},
    'fs.cp': {'src': '{folder}', 'dest': '{new}', 'recursive': True},
    'fs.link': {'src': '{x}', 'dest': '{new}'},
    'fs.lstat': {'path': '{x}'},
    'fs.mkdir': {'path': '{new}', 'recursive': True},
    'fs.mkdtemp': {'prefix': '{new}'},
    'fs.open': {'path': '{x}', 'flags': 'r+'},
    'fs.readFile': {'path': '{x}'},
    'fs.readStream': {'path': '{x}'},
    'fs.readdir': {'path': '{folder}', 'recursive': True},
    'fs.readlink': {'path': '{link}'},
    'fs.realpath': {'path': '{x}'},
    'fs.rename': {'src': '{x}', 'dest': '{new}'},
    'fs.rm': {'path': '{folder}', 'recursive': True, 'force': True},
    'fs.rmdir': {'path': '{empty}'},
    'fs.stat': {'path': '{x}'},
    'fs.symlink': {'target': '{x}', 'path': '{new}'},
    'fs.truncate': {'path': '{x}'},
    'fs.unlink': {'path': '{x}'},
    'fs.utimes': {'path': '{x}', 'atime': 0, 'mtime': 0},
    'fs.watch': {'path': '{folder}'},
    'fs.writeFile': {'path': '{x}', 'body': b'evil'},
    'fs.writeStream': {'path': '{x}', 'body': (b'evil',)},
    'process.env': {},
    'process.exec': {'command': '/bin/sh', 'args': ['-c', 'touch {new}']},
    'process.spawn': {'command': '/bin/sh', 'args': ['-c', 'touch {new}']},
    'shell.open': {'url': 'https://example.org/'},
    'shell.reveal': {'path': '{x}'},
}
# Commands that need no grant: they tell of the machine, or work on what ``fs.open`` has given.
FREE = {
    'fs.roots', 'os.cpus', 'os.freemem', 'os.info', 'os.loadavg', 'os.networkInterfaces', 'os.rusage', 'os.uptime',
    'process.memory',
}  # fmt: skip
HANDLES = {'fs.close', 'fs.fstat', 'fs.fsync', 'fs.ftruncate', 'fs.read', 'fs.write'}


@pytest.fixture
def rows(make: MakeBench) -> Bench:
    """An app to which nothing is granted at all."""
    bench = make({'fs.read': False}, more=rest)
    (bench.data / 'folder' / 'empty').mkdir(parents=True)
    (bench.data / 'folder' / 'x').write_bytes(b'mine')
    (bench.data / 'folder' / 'link').symlink_to('x')
    return bench


def filled(value: Any, folder: Path) -> Any:
    if isinstance(value, str):
        names = {'x': 'x', 'new': 'new', 'link': 'link', 'empty': 'empty'}
        return value.format(folder=folder, **{key: folder / name for key, name in names.items()})
    return [filled(item, folder) for item in value] if isinstance(value, list) else value


def snapshot(folder: Path) -> list[tuple[str, Any]]:
    def look(path: Path) -> tuple[str, Any]:
        state = path.lstat()
        return str(path), (state.st_mode, state.st_size, state.st_mtime_ns, state.st_nlink)

    return sorted(look(path) for path in [folder, *folder.rglob('*')])


def attempt(bench: Bench, name: str, arguments: dict[str, Any]) -> Any:
    result = bench.run(name, **arguments)
    return next(result) if isinstance(result, Iterator) else result


def test_the_table_is_the_one_that_is_promised(rows: Bench) -> None:
    assert sorted(rows.table.names()) == sorted(TABLE)
    assert set(TABLE) == set(ARGUMENTS) | FREE | HANDLES


@pytest.mark.parametrize('name', sorted(ARGUMENTS))
def test_no_row_acts_without_its_grant(rows: Bench, name: str) -> None:
    folder = rows.data / 'folder'
    arguments = {key: filled(value, folder) for key, value in ARGUMENTS[name].items()}
    before = snapshot(rows.home)
    descriptors = len(os.listdir('/proc/self/fd'))
    with pytest.raises(Denied) as caught:
        attempt(rows, name, arguments)
    assert re.match(r'\[grants\] [a-z._]+(\[\] = .+| = true)$', caught.value.missing), caught.value.message
    assert caught.value.missing in caught.value.message
    assert snapshot(rows.home) == before
    assert len(os.listdir('/proc/self/fd')) == descriptors


@pytest.mark.parametrize('name', sorted(ARGUMENTS))
def test_no_row_acts_outside_its_scope(make: MakeBench, name: str) -> None:
    """The gate's question, is there any such grant, is answered with yes; the scope is another one."""
    grants = {'fs.read': ('$TMP/**',), 'fs.write': ('$TMP/**',), 'process.spawn': ('true',), 'shell.open': ('tel:',)}
    bench = make(grants, more=rest)
    folder = bench.outside
    (folder / 'empty').mkdir()
    (folder / 'x').write_bytes(b'mine')
    (folder / 'link').symlink_to('x')
    arguments = {key: filled(value, folder) for key, value in ARGUMENTS[name].items()}
    before = snapshot(bench.home)
    with pytest.raises(Denied):
        attempt(bench, name, arguments)
    assert snapshot(bench.home) == before


@pytest.mark.parametrize('name', sorted(HANDLES))
def test_handles_cannot_be_had_without_a_grant(rows: Bench, name: str) -> None:
    with pytest.raises(NotFound):
        rows.run(name, fd='0' * 32, body=b'', **({'length': 1} if name == 'fs.read' else {}))


@pytest.mark.parametrize('name', sorted(FREE))
def test_what_needs_no_grant_works_without_one(rows: Bench, name: str) -> None:
    rows.run(name)


@pytest.mark.parametrize('name', TABLE)
def test_every_row_is_sound(rows: Bench, name: str) -> None:
    command = rows.table.get(name.lower())
    assert command is not None
    assert command.name == name and command.help.endswith('.')
    assert command.grant is None or command.grant in KNOWN_GRANTS
    assert not command.floor
    assert not (command.inline and name.startswith('fs.')), 'a disk may be slow'
    shape = command.shape
    assert (shape.kind == 'generator') == (name in ('fs.readStream', 'fs.watch', 'process.spawn'))
    assert shape.binary_items == (name == 'fs.readStream')
    assert (shape.body is not None) == (name in ('fs.writeFile', 'fs.appendFile', 'fs.write'))
    assert (shape.upload is not None) == (name == 'fs.writeStream')
    assert not command.inline or shape.kind == 'sync'
    with pytest.raises(RemoteError) as caught:
        command.bind({'no_such_argument': '1'}, None)
    assert caught.value.status == 400


def test_no_name_is_given_twice(rows: Bench) -> None:
    assert len(Commands(rows.table)) == len(TABLE)


def test_inline_rows_are_quick(rows: Bench) -> None:
    import time

    for command in rows.table:
        if command.inline and command.grant is None:
            command.handler()
            best = min(_timed(command.handler, time.perf_counter) for _ in range(20))
            assert best < 0.0002, f'{command.name}: {best * 1e6:.0f} us'


def _timed(function: Callable[[], object], clock: Callable[[], float]) -> float:
    begin = clock()
    function()
    return clock() - begin
