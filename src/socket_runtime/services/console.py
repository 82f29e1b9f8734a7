"""``console.write``: what pages write to the console, on the terminal.

The one command that needs neither policy nor grant: it takes bounded text and tells nothing. Control
characters are shown, not sent, so that a page cannot drive the terminal or forge a log line (F28).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable

from socket_runtime.errors import BadRequest
from socket_runtime.ipc.command import Call, Command

__all__ = ['commands']

MAX_BODY = 8 << 20  # B6: one batch of lines
MAX_LINES = 512
_ERRORS = ('error', 'warn', 'uncaught', 'policy')
_LEVELS = ('debug', 'log', 'info', 'trace', *_ERRORS)
_CONTROL = re.compile(r'[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')

Listener = Callable[[int, str, str], None]


def commands(listener: Listener | None = None) -> list[Command]:
    """The one row.

    Args:
        listener: told window, level and text of every line.
    """

    def write(call: Call, body: bytes) -> None:
        for level, text in _lines(body):
            print_line(level, text)
            if listener is not None:
                listener(call.window, level, text)

    return [
        Command(
            'console.write', write, floor=True, max_body=MAX_BODY, help='Write lines of the console to the terminal.'
        )
    ]


def _lines(body: bytes) -> list[tuple[str, str]]:
    try:
        lines = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest('console.write takes a JSON array of [level, text]') from error
    if not isinstance(lines, list) or len(lines) > MAX_LINES:
        raise BadRequest(f'console.write takes at most {MAX_LINES} lines')
    checked: list[tuple[str, str]] = []
    for line in lines:
        match line:
            case [str(level), str(text)] if level in _LEVELS:
                checked.append((level, text))
            case _:
                raise BadRequest('a line is [level, text]')
    return checked


def print_line(level: str, text: str) -> None:
    """Write one line to stdout, or stderr for warnings and errors."""
    shown = _CONTROL.sub(lambda match: f'\\u{ord(match[0]):04x}', text)
    prefix = {'uncaught': 'page error: ', 'policy': 'page policy: '}.get(level, '')
    stream = sys.stderr if level in _ERRORS else sys.stdout
    try:
        stream.write(prefix + shown.encode('utf-8', 'backslashreplace').decode() + '\n')
        stream.flush()
    except (BrokenPipeError, ValueError):
        pass  # nobody reads the terminal any more; the app goes on
