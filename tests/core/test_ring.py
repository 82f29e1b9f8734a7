"""The ring between the loop's thread and Python, as C, by itself: nothing is lost, nothing is torn, nobody sleeps on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skips import skip_loudly

HERE = Path(__file__).parent
CORE = HERE.parent.parent / 'src' / 'socket_core'
SOURCES = [HERE / 'c' / 'ring_check.c', CORE / '_ring.c', CORE / '_wake.c']
# GCC says of fences that its sanitizer does not see them: they order what is no data race, and the rest needs none.
FLAGS = ['-std=c11', '-O2', '-g', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-Wno-tsan']
SANITIZERS = {'plain': [], 'address': ['-fsanitize=address,undefined'], 'thread': ['-fsanitize=thread']}

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='built by hand, with the compiler of Debian')


@pytest.fixture(scope='module', params=SANITIZERS)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program, with each sanitizer."""
    for name in ('gcc', 'pkg-config'):
        if shutil.which(name) is None:
            skip_loudly(f'{name} is missing', f'apt-get install {name}')
    program = str(tmp_path_factory.mktemp('ring') / 'ring_check')
    libuv = subprocess.run(['pkg-config', '--cflags', '--libs', 'libuv'], capture_output=True, text=True, check=True)
    command = ['gcc', *FLAGS, *SANITIZERS[request.param], f'-I{CORE}', '-o', program, *map(str, SOURCES)]
    built = subprocess.run([*command, *libuv.stdout.split()], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return program


@pytest.mark.timeout(60)
@pytest.mark.parametrize('way', ['fd', 'wait', 'mixed'])
@pytest.mark.parametrize('ring_bytes', [1 << 18, 1 << 20])
def test_two_threads(program: str, ring_bytes: int, way: str) -> None:
    for seed in range(3):
        command = [program, '100000', str(ring_bytes), way, str(seed)]
        result = subprocess.run(command, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, ''), result.stdout
        assert result.stdout.startswith('100000 records, ')


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize('way', ['fd', 'wait', 'mixed'])
def test_two_threads_for_long(program: str, way: str) -> None:
    for seed in range(20):
        command = [program, '500000', str(1 << 18), way, str(seed)]
        result = subprocess.run(command, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, ''), result.stdout
