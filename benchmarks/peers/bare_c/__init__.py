"""The floor: GTK 3 and WebKitGTK 4.1 from C, a window with a web view and nothing else."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from benchmarks.harness import PEERS, BenchError, Display, Program, Running
from benchmarks.peers import _make

NAME = 'bare C'
SOURCE = Path(__file__).with_name('hello.c')
BINARY = PEERS / 'bare_c' / 'hello'


def fetch() -> None:
    """Nothing to fetch; only checks for the compiler."""
    _make.need('cc', 'pkg-config', packages='gcc pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev')


def build() -> None:
    """Compile ``hello.c``.

    Raises:
        BenchError: the headers are missing, or it does not compile.
    """
    mark = _make.stamp([SOURCE])
    if _make.is_fresh(BINARY, mark):
        return
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    libraries = ['gtk+-3.0', 'webkit2gtk-4.1']
    found = subprocess.run(['pkg-config', '--cflags', '--libs', *libraries], capture_output=True, text=True)
    if found.returncode:
        raise BenchError(f'{found.stderr.strip()}; install libgtk-3-dev libwebkit2gtk-4.1-dev')
    # The flags of the libraries come after the source, because the linker reads from left to right.
    _make.make(['cc', '-O2', '-Wall', SOURCE, '-o', BINARY, *shlex.split(found.stdout)], BINARY.parent)
    _make.set_fresh(BINARY, mark)


def program(page: str = 'hello', *, acceleration: bool = True) -> Program:
    """``hello``, or any URI as the page."""
    argv = [str(BINARY)]
    if not acceleration:
        argv.append('--no-acceleration')
    if page != 'hello':
        argv.append(page)
    return Program(NAME if acceleration else f'{NAME}, no acceleration', tuple(argv))


def start(display: Display, page: str = 'hello', *, acceleration: bool = True) -> Running:
    """Show the page."""
    return Running(program(page, acceleration=acceleration), display)
