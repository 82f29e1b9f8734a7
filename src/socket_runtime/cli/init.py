"""``ssc init``: a project to begin with."""

from __future__ import annotations

import argparse
import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from socket_runtime.app.config import CONFIG_NAME
from socket_runtime.app.config.config import default_identifier
from socket_runtime.app.config.values import MAX_APP_NAME, is_name
from socket_runtime.cli.console import Console
from socket_runtime.errors import ProjectError, UsageError

__all__ = ['arguments', 'run']

TEMPLATE = 'vanilla'

#: What an empty folder may hold: the folder of version control.
_IGNORED = frozenset({'.git', '.hg'})

#: Names that a wheel cannot carry, or that would mean something where the template itself lies.
_RENAMED = {'gitignore': '.gitignore'}

#: Files with ``{{name}}`` in them; all others are copied byte by byte.
_FILLED = frozenset({'socket.ini', 'README.md', 'index.html'})


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('-n', '--name', help="the app's name (default: the folder's)")
    parser.add_argument('-C', '--config', action='store_true', help=f'write {CONFIG_NAME} only, also beside files')
    parser.add_argument('folder', nargs='?', default='.', metavar='DIR', help='an empty or new folder (default: here)')


def run(args: argparse.Namespace, console: Console) -> int:
    """Write the template.

    Raises:
        UsageError: the name cannot be an app's.
        ProjectError: the folder is not empty, or cannot be written.
    """
    folder = Path(args.folder)
    name = _name(args.name, folder)
    _check_empty(folder, config_only=args.config)
    values = {'name': name, 'bundle_identifier': default_identifier(name)}
    template = resources.files('socket_runtime') / 'templates' / TEMPLATE
    files = {CONFIG_NAME: _filled(template / CONFIG_NAME, values)} if args.config else dict(_contents(template, values))
    try:
        for path, content in sorted(files.items()):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open('xb') as file:
                file.write(content)
            console.say(f'wrote {target}')
    except OSError as error:
        raise ProjectError(f'{folder} cannot be written: {error.strerror or error}') from error
    where = '' if args.folder == '.' else f'cd {args.folder} && '
    console.say(f'Next: {where}ssc build -r')
    console.result('init', {'name': name, 'folder': str(folder.absolute()), 'files': sorted(files)})
    return 0


def _name(given: str | None, folder: Path) -> str:
    if given is not None:
        if not is_name(given):
            raise UsageError(
                f'{given!r} cannot be the name of an app',
                hint=f'Use letters, digits, "-", "_" and ".", at most {MAX_APP_NAME} of them.',
            )
        return given
    name = re.sub(r'[^A-Za-z0-9_.-]+', '-', folder.absolute().resolve().name)[:MAX_APP_NAME].strip('-_.')
    return name or 'app'


def _check_empty(folder: Path, *, config_only: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise ProjectError(f'{folder} is no folder')
    if config_only:
        if (folder / CONFIG_NAME).exists():
            raise ProjectError(f'{folder / CONFIG_NAME} is there already')
        return
    found = sorted(entry.name for entry in folder.iterdir() if entry.name not in _IGNORED) if folder.is_dir() else []
    if found:
        raise ProjectError(
            f'{folder} is not empty: it holds {found[0]}',
            hint='Name a new folder: ssc init hello. Into an existing one: ssc init --config.',
        )


def _contents(folder: Traversable, values: dict[str, str], prefix: str = '') -> list[tuple[str, bytes]]:
    """Every file of the template, ready to be written."""
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = prefix + _RENAMED.get(entry.name, entry.name)
        if entry.is_dir():
            found += _contents(entry, values, f'{name}/')
        else:
            found.append((name, _filled(entry, values)))
    return found


def _filled(file: Traversable, values: dict[str, str]) -> bytes:
    content = file.read_bytes()
    if file.name not in _FILLED:
        return content
    text = content.decode('utf-8')
    for key, value in values.items():
        text = text.replace('{{' + key + '}}', value)  # names are letters, digits, "-", "_" and ".": safe everywhere
    return text.encode('utf-8')
