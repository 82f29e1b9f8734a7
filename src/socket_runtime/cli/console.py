"""The one place where the command line writes.

Six kinds of output, each with its own rule:

===========  ======  ==============================================================
what          to      shown
===========  ======  ==============================================================
``say``      stdout  unless ``--quiet`` or ``--json``
``show``     stdout  always; on stderr with ``--quiet`` or ``--json``
``detail``   stdout  with ``--verbose`` only
``warn``     stderr  always; collected into the result with ``--json``
``result``   stdout  always: as lines, or as one JSON object with ``--json``
``fail``     stderr  always; one JSON object on stdout with ``--json``
===========  ======  ==============================================================

Text of others (file names, a project's build script) may hold terminal escapes: control characters are
shown as ``\\x1b`` and never sent (F28).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, TextIO

from socket_runtime.errors import ConfigError, LocalError

__all__ = ['Console', 'Progress']

_CONTROL = re.compile(r'[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_COLORS = {'red': '31', 'green': '32', 'yellow': '33', 'bold': '1', 'dim': '2'}

#: Width of a progress bar in characters.
_BAR = 24


class Console:
    """Writes for one run of the command line.

    Args:
        out: where results go; standard output where absent.
        err: where warnings and errors go; standard error where absent.
        json: machine-readable: one object at the end, nothing else on ``out``.
        quiet: results and errors only.
        verbose: details too.
    """

    def __init__(
        self,
        out: TextIO | None = None,
        err: TextIO | None = None,
        *,
        json: bool = False,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self._out = out
        self._err = err
        self.json = json
        self.quiet = quiet
        self.verbose = verbose
        self._warnings: list[str] = []

    @property
    def out(self) -> TextIO:
        """Standard output as it is now: tests and ``run`` may have replaced it."""
        return self._out or sys.stdout

    @property
    def err(self) -> TextIO:
        """Standard error as it is now."""
        return self._err or sys.stderr

    def say(self, text: str) -> None:
        """A step that was done, or is about to be."""
        if not self.quiet and not self.json:
            self._write(self.out, text)

    def show(self, text: str) -> None:
        """What must be seen before it happens (E9): on standard error where standard output is silenced."""
        self._write(self.err if self.quiet or self.json else self.out, text)

    def detail(self, text: str) -> None:
        """What only ``--verbose`` wants."""
        if self.verbose and not self.quiet and not self.json:
            self._write(self.out, self.paint(_plain(text), 'dim', self.out), clean=False)

    def warn(self, text: str) -> None:
        """Something that is no error and should be known."""
        self._warnings.append(text)
        if not self.json:
            self._write(self.err, f'{self.paint("warning:", "yellow", self.err)} {_plain(text)}', clean=False)

    def result(self, command: str, data: Mapping[str, Any], lines: Iterable[str] = (), *, exit_code: int = 0) -> None:
        """What the command was asked for. Called once, at its end.

        Args:
            command: its name.
            data: for machines; JSON-able.
            lines: for people.
            exit_code: what the process will end with.
        """
        if not self.json:
            for line in lines:
                self._write(self.out, line)
            return
        self._write_json(
            {
                'command': command,
                'ok': exit_code == 0,
                'exit_code': exit_code,
                'data': dict(data),
                'warnings': self._warnings,
            }
        )

    def fail(self, error: LocalError) -> None:
        """An error that ends the command: what is wrong, and how to mend it."""
        file = error.file if isinstance(error, ConfigError) else ''
        line = error.line if isinstance(error, ConfigError) else 0
        if self.json:
            shown: dict[str, Any] = {'type': type(error).__name__, 'message': error.message, 'hint': error.hint}
            if file:
                shown['file'] = file
            if line:
                shown['line'] = line
            self._write_json({'ok': False, 'exit_code': error.exit_code, 'error': shown, 'warnings': self._warnings})
            return
        place = f'{file}:{line}: ' if file and line else f'{file}: ' if file else ''
        self._write(self.err, f'{self.paint("error:", "red", self.err)} {_plain(place + error.message)}', clean=False)
        if error.hint:
            self._write(self.err, f'  {error.hint}')

    def progress(self, label: str, total: int) -> Progress:
        """A bar for long work, on a terminal only; a context manager."""
        return Progress(self, label, total)

    def paint(self, text: str, color: str, stream: TextIO | None = None) -> str:
        """``text`` in a colour, where the stream is a terminal that wants any (https://no-color.org)."""
        if not self.is_terminal(stream or self.out) or os.environ.get('NO_COLOR') or os.environ.get('TERM') == 'dumb':
            return text
        return f'\x1b[{_COLORS[color]}m{text}\x1b[0m'

    @staticmethod
    def is_terminal(stream: TextIO) -> bool:
        """Does a person look at it?"""
        try:
            return stream.isatty()
        except (AttributeError, ValueError):  # no stream at all, or a closed one
            return False

    def write_line(self, stream: TextIO, text: str, end: str = '\n') -> None:
        """Write as it stands, with what the stream's encoding lacks escaped."""
        try:
            stream.write(text + end)
        except UnicodeEncodeError:
            encoding = stream.encoding or 'ascii'
            stream.write((text + end).encode(encoding, 'backslashreplace').decode(encoding))
        stream.flush()

    def _write(self, stream: TextIO, text: str, *, clean: bool = True) -> None:
        self.write_line(stream, _plain(text) if clean else text)

    def _write_json(self, data: Mapping[str, Any]) -> None:
        import json

        self.write_line(self.out, json.dumps(data, ensure_ascii=True, sort_keys=False))


class Progress:
    """A progress bar; drawn at most once per percent, erased at the end."""

    def __init__(self, console: Console, label: str, total: int) -> None:
        self._console = console
        self._label = label
        self._total = max(total, 1)
        self._done = 0
        self._percent = -1
        self._drawn = not console.quiet and not console.json and console.is_terminal(console.err)

    def advance(self, amount: int = 1) -> None:
        """``amount`` more is done."""
        self._done += amount
        percent = min(100, self._done * 100 // self._total)
        if not self._drawn or percent == self._percent:
            return
        self._percent = percent
        filled = _BAR * percent // 100
        bar = '#' * filled + '.' * (_BAR - filled)
        self._console.write_line(self._console.err, f'\r{_plain(self._label)} [{bar}] {percent:3d}%', end='')

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._percent >= 0:
            width = len(self._label) + _BAR + 8
            self._console.write_line(self._console.err, '\r' + ' ' * width + '\r', end='')


def _plain(text: str) -> str:
    """Without what a terminal would obey."""
    return _CONTROL.sub(lambda found: found[0].encode('unicode_escape').decode('ascii'), text)
