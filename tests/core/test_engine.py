"""The engine under sanitizers, without Python: threads that open, use and close; no race, no leak, nothing left open."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skips import skip_loudly

HERE = Path(__file__).parent
CORE = HERE.parent.parent / 'src' / 'socket_core'
NOUNS = ('_engine*.c', '_net*.c', '_ring.c', '_wake.c')
SOURCES = [HERE / 'c' / 'engine_check.c', *(path for noun in NOUNS for path in sorted(CORE.glob(noun)))]
# As for the ring: see test_ring.py.
FLAGS = ['-std=c11', '-O1', '-g', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-Wno-tsan']
BACKENDS = {'poll': '1', 'udp': '2'}

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='built by hand, with the compiler of Debian')


@pytest.fixture(scope='module', params=['address,undefined', 'thread'])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program, with each sanitizer."""
    for name in ('gcc', 'pkg-config'):
        if shutil.which(name) is None:
            skip_loudly(f'{name} is missing', f'apt-get install {name}')
    program = str(tmp_path_factory.mktemp('engine') / 'engine_check')
    libuv = subprocess.run(['pkg-config', '--cflags', '--libs', 'libuv'], capture_output=True, text=True, check=True)
    command = ['gcc', *FLAGS, f'-fsanitize={request.param}', f'-I{CORE}', '-o', program, *map(str, SOURCES)]
    built = subprocess.run([*command, *libuv.stdout.split(), '-ldl', '-pthread'], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return program


def check(program: str, backend: str, milliseconds: int, seed: int) -> None:
    command = [program, BACKENDS[backend], str(milliseconds), str(seed)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, ''), result.stdout
    told, handled, left = (int(word) for word in result.stdout.split() if word.isdigit())
    assert told > 0 and handled > 0
    assert left == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize('backend', BACKENDS)
def test_threads_open_use_and_close(program: str, backend: str) -> None:
    for seed in range(2):
        check(program, backend, 700, seed)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize('backend', BACKENDS)
def test_threads_open_use_and_close_for_long(program: str, backend: str) -> None:
    for seed in range(10):
        check(program, backend, 10_000, 100 + seed)
