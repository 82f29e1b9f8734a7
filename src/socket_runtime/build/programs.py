"""The commands that an app's own Python program adds, read from its text.

``ssc policy`` and ``ssc build`` want to know what ``ipc://notes.*`` stands for, and must not run a
stranger's program to find out (E9). So decorators such as ``@app.command('notes.list')`` are read from the
source. A name that is worked out at run time is not found; then the page's exact names are believed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from socket_runtime.app.config import Config
from socket_runtime.build.copying import find_files
from socket_runtime.errors import ProjectError

__all__ = ['program_commands', 'program_files']

#: Larger sources are not looked into. Bytes.
MAX_SOURCE = 4 * 1024 * 1024


def program_files(config: Config) -> tuple[tuple[Path, str], ...]:
    """The program's files: where each is, and its path in a bundle's ``python`` folder.

    Raises:
        ProjectError: ``main`` or something of ``include`` is missing.
    """
    if config.python.main is None:
        return ()
    root = config.python.main.parent if config.bundled else config.project
    found: dict[str, Path] = {}
    for path in (config.python.main, *config.python.include):
        if path.is_dir() and not path.is_symlink():
            found.update({(path / name).relative_to(root).as_posix(): path / name for name in find_files(path).files})
        elif path.is_file():
            found[path.relative_to(root).as_posix()] = path
        else:
            raise ProjectError(f'{path} is missing', hint='[python] in socket.ini names it.')
    return tuple((found[name], name) for name in sorted(found))


def program_commands(config: Config) -> dict[str, str | None]:
    """Command -> the grant that it needs, as far as the program's text says."""
    commands: dict[str, str | None] = {}
    for path, name in program_files(config):
        if name.endswith('.py') and path.stat().st_size <= MAX_SOURCE:
            commands.update(_commands(path.read_bytes()))
    return commands


def _commands(source: bytes) -> Iterator[tuple[str, str | None]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # whoever runs the program hears of it
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != 'command':
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        name = _text(node.args[0] if node.args else keywords.get('name'))
        if name:
            yield name, _text(keywords.get('grant'))


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
