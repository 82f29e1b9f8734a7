"""Builds of the core beside the tree, for checking it: with sanitizers, and for the fuzzer. Linux only.

Python itself is not built with sanitizers, so their libraries have to be loaded before it is (`LD_PRELOAD`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build'
FUZZ = ROOT / 'tests' / 'fuzz'
# By preference: the fuzzer's library is of one version of LLVM, and any near it will do.
CLANGS = ('clang', *(f'clang-{version}' for version in range(21, 12, -1)))


def build(name: str, environment: dict[str, str]) -> Path:
    """Build the packages below ``build/<name>``; returns the folder for PYTHONPATH. Raises SystemExit."""
    folder = BUILD / name
    library = folder / 'lib'
    # What is no more in the tree should not be in the copy. What is compiled stays, and is made anew when it is old.
    for path in library.rglob('*'):
        if path.is_file() and path.suffix != '.so':
            path.unlink()
    command = [sys.executable, 'setup.py', '--quiet', 'build', '--build-base', str(folder), '--build-lib', str(library)]
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}).returncode:
        raise SystemExit('the core was not built')
    return library


def gcc_library(name: str) -> str:
    """The path of one of gcc's libraries. Raises SystemExit."""
    compiler = os.environ.get('CC', 'gcc').split()[0]
    if 'gcc' not in Path(compiler).name or shutil.which(compiler) is None:
        raise SystemExit('the sanitizers are those of gcc: apt-get install gcc, and CC=gcc')
    asked = subprocess.run([compiler, f'-print-file-name={name}'], check=True, capture_output=True, text=True)
    path = asked.stdout.strip()
    if not os.path.isabs(path):
        raise SystemExit(f'{compiler} has no {name}; it comes with gcc itself on Debian and Ubuntu')
    return path


def find_clang() -> str:
    """A clang with the libraries of its sanitizers. Raises SystemExit."""
    for name in CLANGS:
        if shutil.which(name) is not None:
            return name
    raise SystemExit('clang is missing: apt-get install clang libclang-rt-dev (Debian 12: clang-14 libclang-rt-14-dev)')


def core_targets() -> list[str]:
    """The fuzz targets of the core alone, by name: `packet`."""
    found = []
    for path in sorted(FUZZ.glob('fuzz_*.py')):
        text = path.read_text('utf-8')
        if 'from socket_core' in text and 'from socket_runtime' not in text:
            found.append(path.stem.removeprefix('fuzz_'))
    return found
