"""Bringing a project's files into a bundle.

A cloned project is a stranger's (E9): links are not followed and not copied, devices and pipes are left,
and number, depth and size are bounded. Files come in sorted order, so that two builds of one tree are the
same (E11).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from socket_runtime.errors import ProjectError

__all__ = ['Found', 'copy_file', 'find_files']

#: Most files in a bundle (E9).
MAX_FILES = 50_000

#: Deepest folder (E9).
MAX_DEPTH = 32

#: Most bytes in a bundle (E9).
MAX_TOTAL = 4 * 1024**3

#: What version control and desktops leave behind.
SKIPPED = frozenset({'.git', '.hg', '.svn', '.DS_Store', 'Thumbs.db', 'desktop.ini', '__pycache__'})

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """What is in a folder.

    Attributes:
        files: paths relative to it, with ``/``, sorted.
        skipped: what was left out, with the reason.
    """

    files: tuple[str, ...]
    skipped: tuple[str, ...]


def find_files(folder: Path) -> Found:
    """All plain files below ``folder``.

    Raises:
        ProjectError: the folder is missing, or too much is in it.
    """
    if not folder.is_dir():
        raise ProjectError(f'there is no folder {folder}', hint='[build] copy in socket.ini names it.')
    files: list[str] = []
    skipped: list[str] = []
    total = 0
    for name, size in _walk(folder, '', 0, skipped):
        files.append(name)
        total += size
        if len(files) > MAX_FILES:
            raise ProjectError(f'{folder} holds more than {MAX_FILES} files', hint='Name a smaller folder in [build].')
        if total > MAX_TOTAL:
            raise ProjectError(f'{folder} holds more than {MAX_TOTAL // 1024**3} GiB')
    return Found(tuple(sorted(files)), tuple(sorted(skipped)))


def _walk(folder: Path, prefix: str, depth: int, skipped: list[str]) -> Iterator[tuple[str, int]]:
    if depth > MAX_DEPTH:
        raise ProjectError(f'{folder} is deeper than {MAX_DEPTH} folders')
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ProjectError(f'{folder} cannot be read: {error.strerror}') from error
    for entry in entries:
        name = f'{prefix}{entry.name}'
        if entry.name in SKIPPED:
            continue
        if not _is_portable(entry.name):
            skipped.append(f'{name!a}: no system can be sure to take this name')
        elif entry.is_symlink():
            skipped.append(f'{name}: a link')
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f'{name}/', depth + 1, skipped)
        elif entry.is_file(follow_symlinks=False):
            yield name, entry.stat(follow_symlinks=False).st_size
        else:
            skipped.append(f'{name}: no plain file')


def _is_portable(name: str) -> bool:
    try:
        name.encode('utf-8')
    except UnicodeEncodeError:
        return False
    return '\\' not in name and ':' not in name and name.isprintable()


def copy_file(source: Path, target: Path) -> None:
    """Copy one plain file; written beside and renamed, so that nobody reads half of it.

    Raises:
        ProjectError: it cannot be read or written, or is no plain file (any more).
    """
    flags = os.O_RDONLY | getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)
    part = target.with_name(f'.{target.name}.part')
    try:
        with open(os.open(source, flags), 'rb') as reader:
            if not stat.S_ISREG(os.fstat(reader.fileno()).st_mode):
                raise ProjectError(f'{source} is no plain file')
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open('wb') as writer:
                while chunk := reader.read(_CHUNK):
                    writer.write(chunk)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ProjectError(f'{source} cannot be copied to {target}: {error.strerror or error}') from error
