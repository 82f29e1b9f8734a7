"""The contenders of the core's benchmarks: how each is made and started.

All are made below ``build/peers/core`` and kept until their sources change. Those of other projects that are no
requirement of ours (uvloop) get an environment of their own there. A contender that this machine cannot have raises
`BenchError` when it is asked for, and is left out of the run and of the tables, which say so.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import PEERS, ROOT, BenchError, Program
from benchmarks.peers import _make

HERE = Path(__file__).resolve().parent
SOURCES = HERE / 'c'
BUILT = PEERS / 'core'
CORE = ROOT / 'src' / 'socket_core'
FLAGS = ('-std=c11', '-O3', '-Wall', '-Wextra', '-Werror')
# Peers that have some of the core's own C linked to them.
OF_THE_CORE = {'relay_floor': ('_sha256*.c',), 'store': ('_sha256*.c', '_store*.c', '_fork.c')}
UVLOOP = 'uvloop==0.23.0'
# The recipe by which pyuv is built for today's interpreters; without it there is no pyuv to compare with.
PYUV_RECIPE = ROOT / 'packaging' / 'pyuv'


@functools.cache
def compiled(name: str) -> Path:
    """The C peer ``name``, compiled.

    Raises:
        BenchError: no compiler, or it does not compile.
    """
    _make.need('cc', packages='gcc libc6-dev')
    sources, more = [SOURCES / f'{name}.c'], []
    if name in OF_THE_CORE:
        sources += [path for pattern in OF_THE_CORE[name] for path in sorted(CORE.glob(pattern))]
        more += [f'-I{CORE}', *(_openssl() if name == 'relay_floor' else ())]
    target = BUILT / name
    mark = _make.stamp([*sources, SOURCES / 'common.h', *CORE.glob('_*.h')], *FLAGS, *more)
    if not _make.is_fresh(target, mark):
        BUILT.mkdir(parents=True, exist_ok=True)
        # Libraries come after what needs them, because the linker reads from left to right.
        _make.make(['cc', *FLAGS, *sources, '-o', target, *more], BUILT)
        _make.set_fresh(target, mark)
    return target


@functools.cache
def _openssl() -> tuple[str, ...]:
    """What is needed to compile with OpenSSL's library; nothing where its headers are missing."""
    asked = ['cc', '-E', '-include', 'openssl/evp.h', '-x', 'c', '/dev/null']
    if subprocess.run(asked, capture_output=True).returncode:
        return ()
    return ('-DWITH_OPENSSL', '-lcrypto')


def c_program(name: str, which: str, *arguments: str) -> Program:
    """A C peer under the name of the tables."""
    return Program(name, (str(compiled(which)), *arguments))


def python_program(name: str, module: str, *arguments: str, python: str = sys.executable, **env: str) -> Program:
    """A contender among the modules of this package."""
    return Program(name, (python, '-m', f'{__name__}.{module}', *arguments), env)


def node_program(name: str, *arguments: str) -> Program:
    """Node's dgram.

    Raises:
        BenchError: there is no node.
    """
    _make.need('node', packages='nodejs')
    return Program(name, ('node', str(HERE / 'dgram.mjs'), *arguments))


@functools.cache
def uvloop_python() -> str:
    """An interpreter of the version that runs this, with uvloop.

    Raises:
        BenchError: it cannot be installed.
    """
    pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', UVLOOP]
    return str(_environment('uvloop', UVLOOP, lambda python: [python, *pip]))


@functools.cache
def pyuv_python() -> str:
    """An interpreter of the version that runs this, with pyuv built by the recipe.

    Raises:
        BenchError: there is no recipe, or pyuv cannot be built.
    """
    install = PYUV_RECIPE / 'install'
    if not install.exists():
        raise BenchError(f'no {install.relative_to(ROOT)}')
    recipe = _make.stamp(path for path in PYUV_RECIPE.iterdir() if path.is_file())
    return str(_environment('pyuv', recipe, lambda python: [install, python]))


def _environment(name: str, mark: str, install: Callable[[Path], list[str | Path]]) -> Path:
    """A virtual environment filled by the command ``install(interpreter)``; its interpreter."""
    place = BUILT / name
    python = place / 'bin' / 'python'
    mark = _make.stamp([], sys.version, mark)
    if not _make.is_fresh(python, mark):
        shutil.rmtree(place, ignore_errors=True)
        BUILT.mkdir(parents=True, exist_ok=True)
        _make.make([sys.executable, '-m', 'venv', place], BUILT)
        _make.make(install(python), BUILT, timeout=600)
        _make.set_fresh(python, mark)
    return python
