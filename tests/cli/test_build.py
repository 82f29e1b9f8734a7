"""``ssc build`` and ``ssc list-build-target``; running is stood in for, as windows have tests of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import socket_runtime
from socket_runtime.app.config import Config, RunOptions
from socket_runtime.cli.main import main


class Runs:
    """What was run instead of an app."""

    def __init__(self) -> None:
        self.apps: list[tuple[Config, dict[str, Any]]] = []
        self.programs: list[tuple[Config, RunOptions]] = []
        self.code = 0
        self.during: Any = None

    def run_app(self, config: Config, **wishes: Any) -> int:
        self.apps.append((config, wishes))
        if self.during is not None:
            self.during(config)
        return self.code

    def run_program(self, config: Config, options: RunOptions) -> int:
        self.programs.append((config, options))
        return self.code


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    found = Runs()
    monkeypatch.setattr('socket_runtime.app.run.run_app', found.run_app)
    monkeypatch.setattr('socket_runtime.app.run.run_program', found.run_program)
    return found


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        yield listener.getsockname()[1]


def test_building(ssc: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    result = ssc('build')
    assert (result.code, result.err) == (0, '')
    assert result.out.startswith('built build/linux/hello-dev: 8 files, ')
    assert (project / 'build/linux/hello-dev/resources/index.html').is_file()
    assert ssc('build', '--prod').code == 0
    assert (project / 'build/linux/hello/hello').is_file()
    assert ssc('build', '-q').out == ''
    assert 'ipc://fs.readFile' in ssc('build', '-V').out


def test_json(ssc: Any, project: Path) -> None:
    answer = ssc('build', '--json', project).json
    root = project / 'build' / 'linux' / 'hello-dev'
    assert (answer['command'], answer['ok'], answer['warnings']) == ('build', True, [])
    data = answer['data']
    assert data['bundle'] == str(root)
    assert data['resources'] == str(root / 'resources')
    assert os.access(data['launcher'], os.X_OK)
    assert (data['name'], data['debug'], data['files']) == ('hello', True, 8)


def test_the_script_is_shown_even_when_quiet(ssc: Any, project: Path) -> None:
    ini = project / 'socket.ini'
    ini.write_text(ini.read_text().replace('; script = "node build.js"', 'script = "echo made by the script"'))
    result = ssc('build', project)
    assert result.out.startswith('script: echo made by the script\nmade by the script\nbuilt ')
    for option in ('--quiet', '--json'):
        result = ssc('build', option, project)
        assert result.err == 'script: echo made by the script\nmade by the script\n'  # E9
        assert 'made by' not in result.out


def test_only_what_is_newer(ssc: Any, project: Path) -> None:
    assert 'built' in ssc('build', '-o', project).out
    assert ssc('build', '-o', project).out == '# Skipping build output\n'
    time.sleep(0.01)
    (project / 'src' / 'new.txt').write_text('x')
    assert 'built' in ssc('build', '--only-build', project).out


@pytest.mark.parametrize(
    ('damage', 'code', 'message'),
    [
        (lambda folder: (folder / 'src/index.html').unlink(), 4, 'index.html is missing'),
        (lambda folder: (folder / 'socket.ini').unlink(), 4, 'there is no socket.ini'),
        (
            lambda folder: (folder / 'socket.ini').write_text('[build]\nnmae = x\n'),
            3,
            'socket.ini:2: there is no key nmae',
        ),
        (
            lambda folder: (folder / 'src/index.html').write_text(
                '<head><script src="index.js"></script><meta http-equiv="Content-Security-Policy" content="x y"></head>'
            ),
            9,
            'index.html:1: the policy stands after a script',
        ),
        (
            lambda folder: (folder / 'src/index.html').write_text(
                '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'">'
                '<script type="module" src="index.js"></script>'
            ),
            9,
            'forbids the module socket:fs/promises',
        ),
    ],
)
def test_bad_input(ssc: Any, project: Path, damage: Any, code: int, message: str) -> None:
    damage(project)
    result = ssc('build', project)
    assert result.code == code
    assert message in result.err
    assert len(result.err.splitlines()) >= 2  # and a hint
    answer = ssc('build', '--json', project).json
    assert (answer['ok'], answer['exit_code']) == (False, code)
    assert answer['error']['hint']


def test_notices_are_short_unless_asked_for(ssc: Any, project: Path) -> None:
    with (project / 'socket.ini').open('a') as file:
        file.write('[permissions]\nallow_camera = false\nallow_bluetooth = false\nallow_sensors = false\n')
        file.write('allow_geolocation = false\n')
    result = ssc('build', project)
    assert result.err == (
        'warning: socket.ini: 4 keys have no effect here: permissions.allow_camera, permissions.allow_bluetooth, '
        'permissions.allow_sensors, ... (all of them: --verbose)\n'
    )
    assert len(ssc('build', '-V', project).err.splitlines()) == 4


def test_other_systems_and_built_apps(ssc: Any, project: Path) -> None:
    assert ssc('build', '--platform=ios-simulator', project).code == 2
    assert ssc('build', '--platform=linux', project).code == 0
    result = ssc('build', project / 'build' / 'linux' / 'hello-dev')
    assert (result.code, 'is a built app' in result.err) == (2, True)


# -- and running ------------------------------------------------------------------------------------


def test_build_and_run(ssc: Any, project: Path, runs: Runs) -> None:
    runs.code = 5
    result = ssc('build', '-r', '--headless', '--screenshot', project / 'shot.png', project)
    assert result.code == 5
    ((config, wishes),) = runs.apps
    assert config.bundled
    assert config.resources == project / 'build' / 'linux' / 'hello-dev' / 'resources'
    assert wishes == {
        'headless': True,
        'screenshot': project / 'shot.png',
        'dev_server': None,
        'live_reload': True,  # the template's [webview] watch
    }


def test_for_users_nothing_is_watched(ssc: Any, project: Path, runs: Runs) -> None:
    assert ssc('build', '-r', '--prod', project).code == 0
    ((config, wishes),) = runs.apps
    assert not config.debug
    assert not wishes['live_reload']


def test_a_development_server(ssc: Any, project: Path, runs: Runs, port: int) -> None:
    (project / 'src' / 'index.html').unlink()  # the server has it
    assert ssc('build', '-r', f'--port={port}', project).code == 0
    ((config, wishes),) = runs.apps
    assert wishes['dev_server'] == ('localhost', port)
    assert wishes['live_reload']
    assert config.build.watch == (project / 'src',)


@pytest.mark.parametrize('command', ['run', 'build'])
def test_a_port_on_which_nobody_listens(ssc: Any, project: Path, runs: Runs, port: int, command: str) -> None:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        closed = listener.getsockname()[1]
    result = ssc(command, '--port', str(closed), project)
    assert result.code == 5
    assert f'nothing answers at http://localhost:{closed}' in result.err
    assert 'development server' in result.err
    for arguments in (
        ('--port', '0'),
        ('--port', 'x'),
        ('--port', '65536'),
        ('--port', str(port), '--host', 'evil.com'),
    ):
        assert ssc(command, *arguments, project).code == 2
    assert ssc(command, '--port', str(port), '--prod', project).code == 2  # E8
    assert runs.apps == []


def test_a_picture_that_cannot_be_written(ssc: Any, project: Path, runs: Runs) -> None:
    assert ssc('run', '--screenshot', project / 'none' / 'x.png', project).code == 2
    assert ssc('run', '--screenshot', project, project).code == 2
    assert runs.apps == []


def test_running_from_the_sources(ssc: Any, project: Path, runs: Runs) -> None:
    assert ssc('run', project).code == 0
    ((config, wishes),) = runs.apps
    assert not config.bundled
    assert config.resources == project / 'src'
    assert (wishes['headless'], wishes['screenshot']) == (False, None)
    assert ssc('run', '--json', project).json['data']['name'] == 'hello'
    ini = project / 'socket.ini'
    ini.write_text(ini.read_text().replace('copy = src', 'copy = src\nheadless = true'))
    assert ssc('run', project).code == 0
    assert runs.apps[-1][1]['headless']


def test_running_a_built_app(ssc: Any, project: Path, runs: Runs, port: int) -> None:
    ssc('build', '--prod', project)
    app = project / 'build' / 'linux' / 'hello'
    assert ssc('run', app).code == 0
    assert runs.apps[0][0].bundled
    for options in (('--watch',), ('--port', str(port))):  # what users have takes no pages from a port (E8, D11)
        result = ssc('run', *options, app)
        assert (result.code, 'was built for users' in result.err) == (2, True)
    assert len(runs.apps) == 1


def test_a_python_program(ssc: Any, project: Path, runs: Runs) -> None:
    with (project / 'socket.ini').open('a') as file:
        file.write('[python]\nmain = main.py\n')
    assert ssc('build', project).code == 4
    (project / 'main.py').write_text('')
    assert ssc('run', '--headless', project).code == 0
    config, options = runs.programs[0]
    assert config.python.main == project / 'main.py'
    assert options.headless
    assert ssc('build', '-r', project).code == 0
    assert runs.programs[1][0].python.main == project / 'build' / 'linux' / 'hello-dev' / 'python' / 'main.py'
    assert runs.apps == []


def test_building_again_while_it_runs(ssc: Any, project: Path, runs: Runs) -> None:
    seen = []

    def during(config: Config) -> None:
        page = config.resources / 'index.js'
        for text in ('import fs from 7', '// better', None):
            if text is None:
                (project / 'src' / 'index.html').unlink()  # a mistake is shown, and the app goes on
                time.sleep(0.7)
                continue
            (project / 'src' / 'index.js').write_text(text)
            deadline = time.monotonic() + 10
            while page.read_text() != text and time.monotonic() < deadline:
                time.sleep(0.05)
            seen.append(page.read_text())

    runs.during = during
    result = ssc('build', '-r', '-w', project)
    assert result.code == 0
    assert seen == ['import fs from 7', '// better']
    assert 'built again' in result.out
    assert 'index.html is missing' in result.err
    assert threading.active_count() == 1


def test_watching_until_interrupted(project: Path) -> None:
    environment = {**os.environ, 'PYTHONPATH': str(Path(socket_runtime.__file__).parent.parent)}
    command = [sys.executable, '-m', 'socket_runtime', 'build', '-w', str(project)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith('built ')
        assert run.stdout.readline().startswith('watching')
        (project / 'src' / 'index.js').write_text('// better')
        assert run.stdout.readline().startswith('built again: ')
        run.send_signal(signal.SIGINT)
        assert run.wait(10) == 130
        assert run.stderr.read() == ''
    built = project / 'build' / 'linux' / 'hello-dev' / 'resources' / 'index.js'
    assert built.read_text() == '// better'


# -- list-build-target ------------------------------------------------------------------------------


@pytest.mark.parametrize('command', ['list-build-target', 'print-build-dir'])
def test_where_a_build_goes(ssc: Any, project: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project / 'build' / 'linux'
    assert ssc(command, project).out == f'{root / "hello-dev" / "resources"}\n'
    assert not root.exists()
    assert ssc(command, '--root', '--prod', project).out == f'{root / "hello"}\n'
    monkeypatch.chdir(project)
    assert ssc(command, '.', '--json').json['data'] == {
        'path': str(root / 'hello-dev' / 'resources'),
        'root': str(root / 'hello-dev'),
    }
    assert ssc(command, '-q').out == f'{root / "hello-dev" / "resources"}\n'


def test_it_is_where_the_build_puts_the_pages(ssc: Any, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = Path(ssc('list-build-target', project).out.strip())
    assert main(['build', str(project)]) == 0
    assert (target / 'index.html').is_file()
