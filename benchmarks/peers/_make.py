"""What the peers need to be made: commands with their output kept, and stamps of what was made from what."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.harness import ROOT, BenchError

PAGES = ROOT / 'benchmarks' / 'pages'


def need(*commands: str, packages: str) -> None:
    """Check that commands are installed.

    Raises:
        BenchError: one is missing; names the packages that bring it.
    """
    if missing := [command for command in commands if shutil.which(command) is None]:
        raise BenchError(f'{", ".join(missing)}: not found; install {packages}')


def make(argv: Sequence[str | Path], cwd: Path, timeout: float = 3600) -> None:
    """Run one command of a build, at low priority, without a terminal to ask.

    Raises:
        BenchError: it failed; with the end of its output.
    """
    nice = ['nice', '-n', '10'] if shutil.which('nice') else []
    done = subprocess.run(
        [*nice, *map(str, argv)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        env={**os.environ, 'CI': '1', 'NO_COLOR': '1'},
    )
    if done.returncode:
        tail = '\n    '.join(done.stdout.strip().splitlines()[-15:])
        raise BenchError(f'{" ".join(map(str, argv))} failed ({done.returncode}):\n    {tail}')


def stamp(paths: Iterable[Path], *more: str) -> str:
    """A digest of files and words, by which a build knows whether it is still good."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f'{path.name}\0'.encode() + path.read_bytes() + b'\0')
    for word in more:
        digest.update(word.encode() + b'\0')
    return digest.hexdigest()


def is_fresh(target: Path, mark: str) -> bool:
    """Whether ``target`` exists and was made from what ``mark`` stands for."""
    note = target.with_name(target.name + '.stamp')
    return target.exists() and note.exists() and note.read_text('ascii') == mark


def set_fresh(target: Path, mark: str) -> None:
    """Remember what ``target`` was made from."""
    target.with_name(target.name + '.stamp').write_text(mark, 'ascii')


def script(name: str, adapter: str) -> str:
    """A measuring script: the common functions, the peer's adapter, and the measurement ``name``.

    The adapter defines ``peer`` (see ``pages/measure.js``) and is the only part that differs between peers.
    """
    return '\n'.join([(PAGES / 'measure.js').read_text('utf-8'), adapter, (PAGES / f'{name}.js').read_text('utf-8')])


def page(name: str, adapter: str) -> str:
    """The same as a page with the script in it."""
    body = script(name, adapter)
    head = f'<!doctype html>\n<meta charset="utf-8">\n<title>{name}</title>\n'
    return f'{head}<script type="module">\n{body}\n</script>\n'
