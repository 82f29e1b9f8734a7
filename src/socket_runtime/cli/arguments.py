"""The parser of a command's options: argparse, with our errors and our console."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from socket_runtime.cli.console import Console
from socket_runtime.errors import UsageError

__all__ = ['HelpShown', 'Parser', 'add_platform', 'add_run_options', 'platform_name', 'port_number']

#: Name of each system in folders and options, as in the original.
_PLATFORMS = {'linux': 'linux', 'darwin': 'mac', 'win32': 'win'}


class HelpShown(Exception):
    """``--help`` was shown; there is nothing more to do."""


class Parser(argparse.ArgumentParser):
    """Options of one command.

    Args:
        command: its name.
        summary: what it does.
        console: where ``--help`` is shown.
    """

    def __init__(self, command: str, summary: str, console: Console) -> None:
        super().__init__(prog=f'ssc {command}', description=f'{summary}.', allow_abbrev=False)
        self._console = console

    def add_common(self) -> None:
        """What every command takes."""
        self.add_argument('--json', action='store_true', help='print one JSON object')
        self.add_argument('-q', '--quiet', action='store_true', help='print results and errors only')
        self.add_argument('-V', '--verbose', action='store_true', help='print details')

    def error(self, message: str) -> NoReturn:
        """Raises ``UsageError``: nothing but the console prints, nothing but ``main`` ends the process."""
        raise UsageError(message, hint=f'The options are shown by: {self.prog} --help')

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Reached behind ``--help`` only."""
        raise HelpShown

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            self._console.write_line(self._console.out, message.rstrip('\n'))


def platform_name() -> str:
    """This system: ``linux``, ``mac`` or ``win``."""
    return _PLATFORMS.get(sys.platform, sys.platform)


def port_number(text: str) -> int:
    """An argparse type: a TCP port that something can listen on."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65535:
        raise argparse.ArgumentTypeError(f'{text!r} is no port, 1 to 65535')
    return int(text)


def add_platform(parser: argparse.ArgumentParser) -> None:
    """``--platform``: other systems need their own packagers."""
    here = platform_name()
    parser.add_argument('--platform', choices=[here], default=here, help=f'the system to build for: {here}, this one')


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """How to run an app: the options of ``run`` and of ``build -r``."""
    parser.add_argument('-P', '--prod', action='store_true', help='for users: no inspector, no error details, no -dev')
    parser.add_argument('-H', '--headless', action='store_true', help='run without a display, or not on yours')
    parser.add_argument('--screenshot', type=Path, metavar='FILE', help='write what the window shows as PNG, and end')
    parser.add_argument('--port', type=port_number, help="take the app's files from http://HOST:PORT while developing")
    parser.add_argument('--host', default='localhost', help='host of --port; this machine only (default: localhost)')
    parser.add_argument('-w', '--watch', action='store_true', help='reload the page when a file has changed')
    parser.add_argument('folder', nargs='?', default='.', metavar='DIR', help='the project (default: here)')
