"""``scripts/setup`` on machines that lack something; stand-ins for system programs tell what was asked of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INSTALL = 'apt-get install -y --no-install-recommends'

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='the script installs packages of Debian and Ubuntu')


class Machine:
    """A checkout with the script alone, and programs that stand before those of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / 'programs'
        self.programs.mkdir()
        self.log = folder / 'log'
        (folder / 'scripts').mkdir()
        shutil.copy(ROOT / 'scripts' / 'setup', folder / 'scripts' / 'setup')
        for name in ('python3.11', 'python3.12', 'python3.13', 'python3.14'):
            self.program(name, 'exit 127')
        self.program('python3', f'exec {sys.executable} "$@"')
        self.program('dpkg-query', 'exit 1')
        self.program('apt-get', '')

    def program(self, name: str, body: str) -> None:
        """Make ``name`` a program that notes how it was called, and then runs ``body``."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.log}\n{body}\n')
        path.chmod(0o755)

    def setup(self) -> subprocess.CompletedProcess[str]:
        environment = {'PATH': f'{self.programs}:{os.environ["PATH"]}', 'HOME': str(self.folder)}
        command = ['bash', str(self.folder / 'scripts' / 'setup')]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    def calls(self, name: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(name)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_rights_it_prints_the_line_and_touches_nothing(machine: Machine) -> None:
    machine.program('id', 'echo 1000')
    machine.program('sudo', 'exit 1')
    result = machine.setup()
    assert result.returncode == 3
    line = next(line for line in result.stderr.splitlines() if 'sudo apt-get update &&' in line)
    assert f'sudo {INSTALL} gir1.2-webkit2-4.1' in line
    assert 'webkit2gtk-driver' in line
    assert 'libuv1-dev' in line
    assert not machine.calls('apt-get')
    assert not (machine.folder / '.venv').exists()


@pytest.mark.parametrize('user', ['0', '1000'])
def test_with_rights_it_installs_by_name(machine: Machine, user: str) -> None:
    machine.program('id', f'echo {user}')
    machine.program('sudo', 'test "$1" = -n && shift; exec "$@"')
    machine.program('apt-get', 'test "$1" = update')  # the installation fails, and the script ends there
    assert machine.setup().returncode != 0
    calls = machine.calls('apt-get')
    assert calls[0] == 'apt-get update -qq'
    assert calls[1].startswith(f'{INSTALL} gir1.2-webkit2-4.1 ')
    assert bool(machine.calls('sudo')) == (user != '0')


def test_nothing_is_installed_where_nothing_is_missing(machine: Machine) -> None:
    machine.program('dpkg-query', 'echo "install ok installed"')
    machine.program('node', '')
    machine.program('npm', '')
    machine.program('python3', f'test "$1" = -m && exit 5; exec {sys.executable} "$@"')  # no environment is made
    assert machine.setup().returncode == 5
    assert not machine.calls('apt-get')


def test_no_python_is_said_so(machine: Machine) -> None:
    machine.program('python3', 'exit 1')
    result = machine.setup()
    assert result.returncode == 3
    assert 'Python 3.11' in result.stderr


@pytest.mark.parametrize('script', ['scripts/setup', '.ci/run'])
def test_scripts_are_wellformed(script: str) -> None:
    assert subprocess.run(['bash', '-n', str(ROOT / script)]).returncode == 0
    assert os.access(ROOT / script, os.X_OK)
