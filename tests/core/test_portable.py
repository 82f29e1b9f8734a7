"""The core's own C is compiled for systems and processors that the tests do not run on.

For ARM and for Windows by the compilers of Debian. Microsoft's compiler is not to be had here: GCC, told that it is not
GCC, reads what that compiler would read, with the headers in `msvc/` in place of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.csource import own_c
from tests.support.skips import skip_loudly

ROOT = Path(__file__).resolve().parent.parent.parent
CORE = ROOT / 'src' / 'socket_core'
SOURCES = [path for path in own_c(CORE) if path.suffix == '.c']
WARNINGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror']
COMPILERS = {
    'aarch64-linux-gnu-gcc': 'apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
    'x86_64-w64-mingw32-gcc': 'apt-get install gcc-mingw-w64-x86-64-win32',
}
MSVC = ['-std=c11', '-pedantic-errors', '-Wall', '-Wextra', '-Werror', '-Wno-unknown-pragmas', '-ffreestanding']
MSVC += ['-U__GNUC__', '-U__linux__', '-U__unix__', '-D_MSC_VER=1940', '-D_WIN32=1', '-D_M_X64=100', '-nostdinc']
MSVC += ['-D__declspec(words)=', '-D__forceinline=inline']
# The words of GCC that its brother compilers know, and Microsoft's does not.
GCC_WORDS = re.compile(r'__attribute__|__builtin_\w+|__atomic_\w+|__typeof\w*|\btypeof\b|__int128|__asm\w*|__sync_\w+')

pytestmark = [
    pytest.mark.skipif(sys.platform != 'linux', reason='the compilers for other systems are those of Debian'),
    pytest.mark.parametrize('source', SOURCES, ids=lambda path: path.name),
]


def compile_one(compiler: str, source: Path, flags: list[str]) -> subprocess.CompletedProcess[str]:
    command = [compiler, *flags, f'-I{CORE}', str(source)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope='session')
def libuv_headers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of libuv alone: beside them are the headers of this machine's processor."""
    folder = tmp_path_factory.mktemp('include')
    asked = subprocess.run(['pkg-config', '--variable=includedir', 'libuv'], capture_output=True, text=True)
    include = Path(asked.stdout.strip() or '/usr/include')
    if not (include / 'uv.h').is_file():
        skip_loudly("libuv's headers are missing", 'apt-get install libuv1-dev')
    shutil.copy(include / 'uv.h', folder)
    shutil.copytree(include / 'uv', folder / 'uv')
    return folder


@pytest.mark.parametrize('compiler', COMPILERS)
def test_compiles_elsewhere(compiler: str, source: Path, libuv_headers: Path, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        skip_loudly(f'{compiler} is missing', COMPILERS[compiler])
    flags = [*WARNINGS, '-isystem', str(libuv_headers), '-c', '-o', str(tmp_path / 'out.o')]
    result = compile_one(compiler, source, flags)
    assert result.returncode == 0, result.stderr


def test_microsofts_compiler_sees_no_words_of_gcc(source: Path) -> None:
    if shutil.which('gcc') is None:
        skip_loudly('gcc is missing', 'apt-get install gcc')
    headers = Path(__file__).parent / 'msvc'
    seen = compile_one('gcc', source, [*MSVC, '-isystem', str(headers), '-E', '-P'])
    assert seen.returncode == 0, seen.stderr
    assert GCC_WORDS.findall(seen.stdout) == []
    if 'only_looked_at_t' in seen.stdout:
        return
    result = compile_one('gcc', source, [*MSVC, '-isystem', str(headers), '-fsyntax-only'])
    assert result.returncode == 0, result.stderr
