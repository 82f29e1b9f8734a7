"""Write the tables of the documentation from the program's own: keys, grants, exit codes, commands.

A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; what is between is replaced.
``tests/test_docs.py`` fails when a table in docs/ is not the program's.

    python scripts/tables.py            write
    python scripts/tables.py --check    change nothing; exit code 1 when one is out of date
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

DOCS = Path(__file__).resolve().parent.parent / 'docs'
PLACE = re.compile(r'(<!-- table (\S+) -->\n).*?(<!-- end -->)', re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ['---'] * len(head), *rows]
    return ''.join('| ' + ' | '.join(cell.replace('|', '\\|') for cell in line) + ' |\n' for line in lines)


def code(text: str) -> str:
    return f'`{text}`' if text else ''


def keys() -> str:
    """The keys of ``socket.ini``, by section."""
    from socket_runtime.app.config.schema import KEYS

    sections = dict.fromkeys(key.section for key in KEYS)
    parts = []
    for section in sections:
        rows = [
            (
                code(key.name + ('[]' if key.repeats else '')),
                ', '.join(map(code, key.accepts)) or key.kind,
                'required' if key.required else code(key.default),
                key.help + (f' Also: {", ".join(map(code, key.aliases))}.' if key.aliases else ''),
            )
            for key in KEYS
            if key.section == section
        ]
        parts.append(f'### [{section}]\n\n' + table(('key', 'value', 'default', 'meaning'), rows))
    return '\n' + '\n'.join(parts) + '\n'


def grants() -> str:
    """The grants that the runtime knows."""
    from socket_runtime.ipc.grants import KNOWN_GRANTS

    def default(value: tuple[str, ...] | bool) -> str:
        return ', '.join(map(code, value)) if isinstance(value, tuple) and value else 'nothing'

    rows = [(code(name), info.kind, default(info.default), info.help) for name, info in KNOWN_GRANTS.items()]
    return table(('grant', 'values', 'without a line', 'what it opens'), rows)


def variables() -> str:
    """The variables of path patterns."""
    from socket_runtime.ipc.grants import VARIABLES

    return table(('variable', 'folder'), [(code(f'${name}'), text) for name, text in VARIABLES.items()])


def first_sentence(value: object) -> str:
    text = ' '.join((value.__doc__ or '').split('\n\n')[0].split())
    return text if text.endswith('.') else text + '.'


def own(kinds: Iterable[type]) -> list[Any]:
    """Those of ``socket_runtime.errors``. Rooms that may or may not be imported by now have others below them."""
    return [kind for kind in kinds if kind.__module__ == 'socket_runtime.errors']


def exit_codes() -> str:
    """The exit codes of ``ssc`` and of apps."""
    from socket_runtime.errors import LocalError

    kinds = sorted(own(LocalError.__subclasses__()), key=lambda kind: kind.exit_code)
    rows = [('0', '', 'It worked.')]
    rows += [(str(kind.exit_code), code(kind.__name__), first_sentence(kind)) for kind in kinds]
    rows += [('130', '', 'Ended by Ctrl-C.'), ('141', '', 'Whoever read the output has gone.')]
    return table(('code', 'error', 'meaning'), rows)


def statuses() -> str:
    """What a page gets as ``err``."""
    from socket_runtime.errors import RemoteError

    kinds = sorted(own(RemoteError.__subclasses__()), key=lambda kind: kind.status)
    rows = [(str(kind.status), code(kind.__name__), code(kind.name), first_sentence(kind)) for kind in kinds]
    return table(('status', '`type`', '`name`', 'meaning'), rows)


def subcommands() -> str:
    """The commands of ``ssc``."""
    from socket_runtime.cli.main import COMMANDS

    return table(('command', 'what it does'), [(code(f'ssc {name}'), info.help) for name, info in COMMANDS.items()])


def commands() -> str:
    """What pages can call, of the runtime's own."""
    from socket_runtime.app.application import App
    from socket_runtime.app.config import for_script

    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ):
        # The app makes its folders; not in the home of whoever writes documentation.
        os.environ.update({f'XDG_{name}_HOME': folder for name in ('DATA', 'CONFIG', 'CACHE')})
        app = App(for_script(Path(folder) / 'app.py'))
        app.test_client('ipc://console.write').close()
        rows = [
            (code(f'ipc://{command.name}'), code(command.grant or ''), command.help)
            for command in sorted(app.commands, key=lambda command: command.name)
        ]
    return table(('command', 'grant', 'what it does'), rows)


def quotas() -> str:
    """What one window may have under way."""
    from socket_runtime.ipc import quotas as module

    names = ('MAX_CALLS', 'MAX_STREAMS', 'MAX_UPLOADS', 'MAX_FILES')
    rows = [(name.removeprefix('MAX_').lower(), str(getattr(module, name))) for name in names]
    return table(('at once, in one window', 'limit'), rows)


TABLES: dict[str, Callable[[], str]] = {
    'commands': commands,
    'exit-codes': exit_codes,
    'grants': grants,
    'keys': keys,
    'quotas': quotas,
    'statuses': statuses,
    'subcommands': subcommands,
    'variables': variables,
}


def render(text: str) -> str:
    """A page with its tables made anew."""
    return PLACE.sub(lambda place: f'{place[1]}{TABLES[place[2]]()}{place[3]}', text)


def main(arguments: list[str]) -> int:
    stale = []
    for path in sorted(DOCS.rglob('*.md')):
        former = path.read_text('utf-8')
        text = render(former)
        if text != former:
            stale.append(path.name)
            if '--check' not in arguments:
                path.write_text(text, 'utf-8')
    if stale and '--check' in arguments:
        print(f'out of date: {", ".join(stale)}; run: python scripts/tables.py', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
