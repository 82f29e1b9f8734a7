"""The door: commands, help, versions, errors and exit codes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from socket_runtime import __version__
from socket_runtime.cli import main as main_module
from socket_runtime.cli.main import COMMANDS, CommandInfo, main
from socket_runtime.errors import LocalError

SOURCE = Path(main_module.__file__).parent


def subclasses(of: type[LocalError]) -> list[type[LocalError]]:
    return [of, *(inner for direct in of.__subclasses__() for inner in subclasses(direct))]


def test_help_names_every_command(ssc: Any) -> None:
    for option in ('--help', '-h', 'help'):
        result = ssc(option)
        assert result.code == 0
        assert all(f'  {name} ' in result.out for name in COMMANDS)
    assert ssc().code == 2
    assert set(ssc('--json', '--help').json['data']['commands']) == set(COMMANDS)


def test_version(ssc: Any) -> None:
    for option in ('--version', '-v', 'version'):
        assert ssc(option).out == f'{__version__}\n'
    assert ssc('--version', '--json').json['data'] == {'version': __version__}


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_every_command_has_help_and_the_common_options(ssc: Any, name: str) -> None:
    result = ssc(name, '--help')
    assert result.code == 0
    assert f'usage: ssc {name}' in result.out
    assert all(option in result.out for option in ('--json', '--quiet', '--verbose'))
    assert result.err == ''


@pytest.mark.parametrize('name', sorted(COMMANDS))
def test_unknown_options(ssc: Any, name: str) -> None:
    result = ssc(name, '--nonsense')
    assert result.code == 2
    assert result.err == (f'error: unrecognized arguments: --nonsense\n  The options are shown by: ssc {name} --help\n')
    answer = ssc(name, '--nonsense', '--json').json
    assert (answer['ok'], answer['exit_code'], answer['error']['type']) == (False, 2, 'UsageError')


def test_unknown_commands(ssc: Any) -> None:
    result = ssc('bild')
    assert (result.code, result.out) == (2, '')
    assert result.err == "error: there is no command 'bild'\n  Did you mean: ssc build?\n"
    assert 'ssc --help' in ssc('xyzzy').err
    assert ssc('--nonsense').code == 2


def test_every_error_ends_with_its_own_code(ssc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Those of everybody; rooms that another test has imported may have kinds of their own below them.
    kinds = [kind for kind in subclasses(LocalError) if kind.__module__ == LocalError.__module__]
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    monkeypatch.setitem(main_module.COMMANDS, 'doctor', CommandInfo('doctor', 'x'))
    for kind in kinds:

        def fail(_args: object, _console: object, kind: type[LocalError] = kind) -> int:
            raise kind('what is wrong', hint='how to mend it')

        monkeypatch.setattr('socket_runtime.cli.doctor.run', fail)
        result = ssc('doctor')
        assert result.code == kind.exit_code
        assert result.out == ''
        assert result.err == 'error: what is wrong\n  how to mend it\n'
        answer = ssc('doctor', '--json').json
        assert answer['exit_code'] == kind.exit_code
        assert answer['error'] == {'type': kind.__name__, 'message': 'what is wrong', 'hint': 'how to mend it'}


def test_interrupt(monkeypatch: pytest.MonkeyPatch, ssc: Any) -> None:
    def interrupt(_args: object, _console: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr('socket_runtime.cli.doctor.run', interrupt)
    assert ssc('doctor').code == 130


def test_a_mistake_of_ours_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_args: object, _console: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr('socket_runtime.cli.doctor.run', fail)
    with pytest.raises(ZeroDivisionError):
        main(['doctor'])


# -- as a process -----------------------------------------------------------------------------------


def process(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-m', 'socket_runtime', *map(str, arguments)]
    environment = {**os.environ, 'PYTHONPATH': str(SOURCE.parent.parent)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, **options)


def test_the_module_is_the_command(tmp_path: Path) -> None:
    assert process('--version').stdout == f'{__version__}\n'
    assert process('build', cwd=tmp_path).returncode == 4
    assert process('init', 'app', cwd=tmp_path).returncode == 0
    assert process('build', cwd=tmp_path / 'app').returncode == 0
    (tmp_path / 'app' / 'socket.ini').write_text('nonsense\n')
    result = process('build', cwd=tmp_path / 'app')
    assert result.returncode == 3
    assert result.stderr.startswith("error: socket.ini:1: expected key = value, found 'nonsense'\n")


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    code = (
        'import os, sys\nfrom socket_runtime.cli.main import main\n'
        'read, write = os.pipe()\nos.dup2(write, 1)\nos.close(write)\nos.close(read)\n'
        'sys.exit(main(["--help"]))'
    )
    environment = {**os.environ, 'PYTHONPATH': str(SOURCE.parent.parent)}
    result = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (141, '')


def test_help_is_quick_to_show() -> None:
    heavy = ('argparse', 'asyncio', 'hashlib', 'http.client', 'importlib.metadata', 'msgspec', 'ssl', 'webview', 'gi')
    code = (
        'import sys; from socket_runtime.cli.main import main; main(["--help"])\n'
        f'print("heavy:", [name for name in {heavy} if name in sys.modules])'
    )
    environment = {**os.environ, 'PYTHONPATH': str(SOURCE.parent.parent)}
    result = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == 'heavy: []'


# -- nobody else writes -----------------------------------------------------------------------------

#: Where the standard streams may be touched: the console, the pipe that has gone, and a script's own output.
ALLOWED = {'console.py': {'stdout', 'stderr'}, 'main.py': {'stdout'}, 'script.py': {'stdout', 'stderr'}}


@pytest.mark.parametrize(
    'path',
    sorted([*SOURCE.glob('*.py'), *(SOURCE.parent / 'build').glob('*.py')]),
    ids=lambda path: f'{path.parent.name}/{path.name}',
)
def test_no_stray_prints(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text('utf-8'))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ('print', 'input'), f'{path.name}:{node.lineno}'
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == 'sys':
            if node.attr in ('stdout', 'stderr', '__stdout__', '__stderr__'):
                assert node.attr in ALLOWED.get(path.name, set()), f'{path.name}:{node.lineno}'
