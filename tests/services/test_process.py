"""``process.*`` with real programs."""

from __future__ import annotations

import base64
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from socket_runtime.errors import (
    Aborted,
    BadRequest,
    CommandFailed,
    Denied,
    QuotaExceeded,
    RemoteError,
    Timeout,
    TooLarge,
)
from socket_runtime.services import process as process_module
from tests.services.bench import Bench

MakeBench = Callable[..., Bench]
SH = '/bin/sh'


@pytest.fixture
def programs(make: MakeBench) -> Bench:
    """May run ``sh``, ``cat``, this Python, and one that is not there; may see and set some variables."""
    grants = {
        'fs.read': ('$RESOURCES/**', '$DATA/**'),
        'process.spawn': ('sh', SH, 'cat', 'no-such-program', sys.executable),
        'process.env': ('LANG', 'NOTES_*'),
    }
    return make(grants, more=process_module.commands)


def sh(bench: Bench, script: str, *args: str, **more: Any) -> Any:
    return bench.run('process.exec', command='sh', args=['-c', script, 'sh', *args], **more)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f'/proc/{pid}/stat', encoding='ascii') as line:
        return line.read().rpartition(')')[2].split()[0] != 'Z'


def wait_until(condition: Callable[[], bool], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, 'it did not come to pass'
        time.sleep(0.02)


def test_memory(programs: Bench) -> None:
    told = programs.run('process.memory')
    assert 5_000_000 < told['rss'] <= told['maxRSS'] * 2


# -- environment ---------------------------------------------------------------------------------------


def test_env_shows_what_is_granted(programs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('LANG', 'C.UTF-8')
    monkeypatch.setenv('NOTES_THEME', 'dark')
    monkeypatch.setenv('SECRET_TOKEN', 'x')
    monkeypatch.setenv('LANGUAGE', 'x')
    assert programs.run('process.env') == {'LANG': 'C.UTF-8', 'NOTES_THEME': 'dark'}


def test_a_variable_that_is_no_utf8(programs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, 'NOTES_X', os.fsdecode(b'caf\xe9'))
    assert programs.run('process.env')['NOTES_X'] == 'caf\ufffd'


def test_variables_for_programs(programs: Bench) -> None:
    assert sh(programs, 'echo "$NOTES_A"', env={'NOTES_A': 'x y'})['stdout'] == 'x y\n'
    with pytest.raises(Denied) as caught:
        sh(programs, 'true', env={'OTHER': 'x'})
    assert caught.value.missing == '[grants] process.env[] = OTHER'
    for env in ({'': 'x'}, {'NOTES_A=': 'x'}, {'NOTES_A': 'a\0b'}):
        with pytest.raises(BadRequest):
            sh(programs, 'true', env=env)


@pytest.mark.parametrize(
    'name',
    [
        'LD_PRELOAD',
        'LD_LIBRARY_PATH',
        'DYLD_INSERT_LIBRARIES',
        'PATH',
        'PYTHONPATH',
        'BASH_ENV',
        'Path',
        'GIT_SSH_COMMAND',
    ],
)
def test_variables_that_load_other_code_are_never_set(make: MakeBench, name: str) -> None:
    bench = make({'process.spawn': ('sh',), 'process.env': ('*',)}, more=process_module.commands)
    with pytest.raises(Denied, match='something else') as caught:
        sh(bench, 'true', env={name: 'x'})
    assert caught.value.missing == ''


# -- which programs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'command',
    [
        'ls',
        '/bin/ls',
        './sh',
        '../bin/sh',
        'bin/sh',
        '/bin/../bin/sh',
        'sh ',
        'SH',
        '',
        '-c',
        'sh -c true',
        'sh;ls',
        'x' * 9999,
    ],
)
def test_only_granted_names_are_run(programs: Bench, command: str) -> None:
    for name in ('process.exec', 'process.spawn'):
        with pytest.raises(Denied) as caught:
            programs.run(name, command=command, args=[])
        assert caught.value.missing.startswith('[grants] process.spawn[] = ') and len(caught.value.message) < 30_000


def test_a_program_that_is_missing(programs: Bench) -> None:
    with pytest.raises(CommandFailed) as caught:
        programs.run('process.exec', command='no-such-program', args=[])
    assert caught.value.code == 'ENOENT' and caught.value.details['syscall'] == 'spawn'


def test_names_are_looked_up_when_the_app_starts(
    make: MakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / 'first', tmp_path / 'second'
    for folder, text in ((first, 'planted'), (second, 'real')):
        folder.mkdir()
        (folder / 'tool').write_text(f'#!/bin/sh\necho {text}\n')
        (folder / 'tool').chmod(0o755)
    (first / 'tool').rename(first / 'later')
    monkeypatch.setenv('PATH', f'.::{first}:{second}:{os.environ["PATH"]}')
    monkeypatch.chdir(first)
    bench = make({'process.spawn': ('tool',)}, more=process_module.commands)
    (first / 'later').rename(first / 'tool')
    assert bench.run('process.exec', command='tool')['stdout'] == 'real\n'


def test_what_cannot_be_run_is_not_found(make: MakeBench, tmp_path: Path) -> None:
    (tmp_path / 'plain').write_text('echo')
    bench = make({'process.spawn': (str(tmp_path / 'plain'), str(tmp_path))}, more=process_module.commands)
    for command in (tmp_path / 'plain', tmp_path):
        with pytest.raises(CommandFailed, match='ENOENT'):
            bench.run('process.exec', command=str(command))


@pytest.mark.parametrize(
    'argument',
    [
        '$(touch pwned)',
        '; touch pwned',
        '`touch pwned`',
        '| cat',
        '*',
        '"',
        "'",
        'a b',
        '\n',
        '-n',
        '',
        'ä😀',
        '%PATH%',
        '&',
    ],
)
def test_arguments_are_no_shells_business(programs: Bench, argument: str) -> None:
    code = 'import sys; sys.stdout.buffer.write(sys.argv[1].encode())'
    result = programs.run('process.exec', command=sys.executable, args=['-c', code, argument])
    assert result == {'code': 0, 'signal': None, 'stdout': argument, 'stderr': ''}
    assert not any(programs.home.rglob('pwned'))


@pytest.mark.parametrize(
    ('arguments', 'error'),
    [
        ({'args': ['a\0b']}, BadRequest),
        ({'args': ['x'] * 5000}, BadRequest),
        ({'args': ['x' * 200_000]}, TooLarge),
        ({'args': [], 'input': 'x' * (17 << 20)}, TooLarge),
        ({'args': [], 'timeout': -1}, BadRequest),
        ({'args': 'one string'}, BadRequest),
        ({'args': [1]}, BadRequest),
        ({'args': [], 'cwd': 7}, BadRequest),
    ],
)
def test_arguments_that_are_refused(programs: Bench, arguments: dict[str, Any], error: type[RemoteError]) -> None:
    with pytest.raises(error):
        programs.run('process.exec', command='sh', **arguments)


# -- where ---------------------------------------------------------------------------------------------


def test_folder(programs: Bench) -> None:
    (programs.data / 'sub').mkdir()
    assert sh(programs, 'pwd -P')['stdout'] == f'{programs.home}/resources\n'
    assert sh(programs, 'pwd -P', cwd=f'{programs.data}/sub')['stdout'] == f'{programs.data}/sub\n'
    for cwd in (str(programs.outside), '/', '..'):
        with pytest.raises(Denied):
            sh(programs, 'true', cwd=cwd)
    for cwd, code in ((f'{programs.data}/no', 'ENOENT'), (f'{programs.data}/file', 'ENOTDIR')):
        (programs.data / 'file').write_bytes(b'')
        with pytest.raises(CommandFailed, match=code):
            sh(programs, 'true', cwd=cwd)


# -- output and end ------------------------------------------------------------------------------------


def test_exec(programs: Bench) -> None:
    assert sh(programs, 'echo out; echo err >&2; exit 3') == {
        'code': 3, 'signal': None, 'stdout': 'out\n', 'stderr': 'err\n',
    }  # fmt: skip
    assert sh(programs, 'kill -9 $$') == {'code': None, 'signal': 'SIGKILL', 'stdout': '', 'stderr': ''}


def test_input(programs: Bench) -> None:
    text = 'ä' * 500_000
    assert programs.run('process.exec', command='cat', input=text)['stdout'] == text
    assert sh(programs, 'cat; echo end')['stdout'] == 'end\n'  # nothing to read is the end, not a wait
    assert sh(programs, 'exit 0', input='x' * 1_000_000)['code'] == 0  # and need not be read


def test_spawn_tells_as_it_comes(programs: Bench) -> None:
    fifo = programs.data / 'fifo'
    os.mkfifo(fifo)
    items = programs.run('process.spawn', command='sh', args=['-c', f'echo one; read x < {fifo}; echo two >&2; exit 4'])
    assert next(items) == {'type': 'stdout', 'text': 'one\n'}
    fifo.write_text('go\n')
    assert list(items) == [{'type': 'stderr', 'text': 'two\n'}, {'type': 'exit', 'code': 4, 'signal': None}]


def test_spawn_splits_no_character(programs: Bench) -> None:
    script = r"printf 'a\303'; sleep 0.2; printf '\244b\377'; sleep 0.2; printf '\342\202'"
    items = list(programs.run('process.spawn', command='sh', args=['-c', script]))
    assert [item.get('text') for item in items[:-1]] == ['a', 'äb\ufffd', '\ufffd']


def test_spawn_of_bytes(programs: Bench) -> None:
    items = list(programs.run('process.spawn', command='sh', args=['-c', r"printf '\000\377'"], binary=True))
    assert items == [
        {'type': 'stdout', 'data': base64.b64encode(b'\0\xff').decode()},
        {'type': 'exit', 'code': 0, 'signal': None},
    ]


def test_much_output_is_held_back(programs: Bench) -> None:
    """B6: the program waits while nobody takes what it writes."""
    marker = programs.data / 'done'
    items = programs.run(
        'process.spawn', command='sh', args=['-c', f'head -c 20000000 /dev/zero; touch {marker}'], binary=True
    )
    next(items)
    time.sleep(0.3)
    assert not marker.exists()
    size = sum(len(base64.b64decode(item['data'])) for item in items if item['type'] == 'stdout')
    assert 19_900_000 < size < 20_000_000 and marker.exists()


def test_exec_holds_a_bounded_output(programs: Bench) -> None:
    begin = time.monotonic()
    with pytest.raises(TooLarge):
        sh(programs, 'cat /dev/zero')
    assert time.monotonic() - begin < 8


def test_exec_takes_a_bounded_time(programs: Bench) -> None:
    begin = time.monotonic()
    with pytest.raises(Timeout):
        sh(programs, 'sleep 30', timeout=200)
    assert time.monotonic() - begin < 5


def test_cancelling_ends_the_program_and_what_it_started(programs: Bench) -> None:
    call = programs.call('process.spawn')
    items = programs.run('process.spawn', on=call, command='sh', args=['-c', 'sleep 60 & echo $! $$; wait'])
    child, parent = map(int, next(items)['text'].split())
    assert alive(child) and alive(parent)
    threading.Timer(0.1, call.cancel).start()
    with pytest.raises(Aborted):
        list(items)
    wait_until(lambda: not alive(child) and not alive(parent))


def test_a_page_that_goes_away_ends_the_program(programs: Bench) -> None:
    items = programs.run('process.spawn', command='sh', args=['-c', 'trap "" TERM; echo $$; while :; do sleep 1; done'])
    pid = int(next(items)['text'])
    items.close()  # SIGTERM is ignored, so SIGKILL follows
    wait_until(lambda: not alive(pid))


def test_what_a_program_leaves_behind_does_not_hold_the_call(programs: Bench) -> None:
    begin = time.monotonic()
    result = sh(programs, 'setsid sleep 5 & echo $!')
    assert time.monotonic() - begin < 4 and result['code'] == 0
    os.kill(int(result['stdout']), 9)


def test_B6_programs_at_once_are_bounded(programs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, 'MAX_PROCESSES', 2)
    running = [programs.run('process.spawn', command='cat', args=['/dev/zero']) for _ in range(2)]
    for items in running:
        next(items)
    with pytest.raises(QuotaExceeded):
        sh(programs, 'true')
    call = programs.call('process.exec', window=2)
    assert programs.run('process.exec', on=call, command='sh', args=['-c', 'true'])['code'] == 0
    for items in running:
        items.close()
    assert sh(programs, 'true')['code'] == 0


def test_nothing_is_inherited_or_left_open(programs: Bench) -> None:
    secret = programs.data / 'secret'
    secret.write_bytes(b'1')
    os.set_inheritable(fd := os.open(secret, os.O_RDONLY), True)
    try:
        before = len(os.listdir('/proc/self/fd'))
        listed = sh(programs, 'ls -l /proc/self/fd')['stdout']
        assert 'secret' not in listed and 'socket' not in listed
        for _ in range(5):
            sh(programs, 'true')
        wait_until(lambda: len(os.listdir('/proc/self/fd')) == before)
    finally:
        os.close(fd)
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == 'socket-spawn'])
