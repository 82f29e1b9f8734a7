"""The modules' own tests, as part of the Python suite: Node's runner, and TypeScript over the typings.

Both are skipped, with the reason, where Node.js or the npm packages cannot be had.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MIN_NODE = (20, 0)
TSC = HERE / 'node_modules' / 'typescript' / 'bin' / 'tsc'
TESTS = sorted(HERE.glob('*.test.mjs'))


def _run(*command: str, timeout: float) -> subprocess.CompletedProcess[str]:
    # the variables of a Node test runner that runs us would silence the one that we run
    env = {name: value for name, value in os.environ.items() if not name.startswith('NODE_')}
    return subprocess.run(
        command, cwd=HERE, env=env, capture_output=True, text=True, encoding='utf-8', timeout=timeout, check=False
    )


@pytest.fixture(scope='session')
def node() -> str:
    """The program, new enough."""
    path = shutil.which('node')
    if path is None:
        pytest.skip('node is not installed: the tests of the socket: modules did NOT run')
    found = re.match(r'v(\d+)\.(\d+)', _run(path, '--version', timeout=10).stdout)
    if found is None or tuple(map(int, found.groups())) < MIN_NODE:
        pytest.skip(f'node is older than {MIN_NODE[0]}: the tests of the socket: modules did NOT run')
    return path


@pytest.fixture(scope='session')
def packages(node: str) -> Path:
    """TypeScript's compiler, installed once with the version that ``package.json`` pins."""
    if not TSC.is_file():
        npm = shutil.which('npm')
        if npm is None:
            pytest.skip('npm is not installed: the typings were NOT checked')
        done = _run(npm, 'install', '--no-package-lock', '--no-audit', '--no-fund', timeout=120)
        if done.returncode != 0:
            pytest.skip(f'npm could not install TypeScript, the typings were NOT checked: {done.stderr[-500:]}')
    return TSC


@pytest.mark.timeout(180)
@pytest.mark.parametrize('file', TESTS, ids=lambda file: file.name.removesuffix('.test.mjs'))
def test_modules(node: str, packages: Path, file: Path) -> None:
    done = _run(node, '--test', '--test-reporter=tap', str(file), timeout=170)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert re.search(r'^# pass [1-9]', done.stdout, re.MULTILINE), 'no test ran'
    skipped = re.findall(r'# SKIP (.+)', done.stdout)
    if skipped:
        pytest.skip(f'{len(skipped)} tests of {file.name} did NOT run: {skipped[0]}')


@pytest.mark.timeout(180)
def test_typings(node: str, packages: Path) -> None:
    done = _run(node, str(packages), '--project', 'types', timeout=170)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
