"""``ssc``: find the command, run it, turn its error into a message and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from socket_runtime._version import __version__
from socket_runtime.cli.console import Console
from socket_runtime.errors import LocalError, UsageError

__all__ = ['COMMANDS', 'main']

#: The shell's code for "ended by SIGINT".
EXIT_INTERRUPTED = 130

#: The shell's code for "ended by SIGPIPE": whoever read our output has gone.
EXIT_PIPE = 141


class CommandInfo(NamedTuple):
    """Where a command is, and its line of ``ssc --help``. Only the module of the one that runs is imported."""

    module: str
    help: str


COMMANDS: dict[str, CommandInfo] = {
    'init': CommandInfo('init', 'make a new project in an empty folder'),
    'build': CommandInfo('build', 'build a project; with -r also run it'),
    'run': CommandInfo('run', 'run a project or a built app'),
    'policy': CommandInfo('policy', 'show what an app may do'),
    'doctor': CommandInfo('doctor', 'check this machine and say what is missing'),
    'list-build-target': CommandInfo('target', "print the folder that a build puts the app's files into"),
    'print-build-dir': CommandInfo('target', 'the same'),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``ssc``.

    Args:
        argv: the arguments behind the program's name; those of the process where absent.

    Returns:
        the exit code: 0, or that of the error (``socket_runtime.errors``).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = arguments[: arguments.index('--')] if '--' in arguments else arguments
    console = Console(json='--json' in options)
    try:
        return _dispatch(arguments, console)
    except LocalError as error:
        console.fail(error)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # the interpreter would complain about the same pipe once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE


def _dispatch(arguments: list[str], console: Console) -> int:
    if not arguments or arguments[0] in ('-h', '--help', 'help'):
        console.result('help', {'commands': {name: info.help for name, info in COMMANDS.items()}}, _help())
        return 0 if arguments else UsageError.exit_code
    if arguments[0] in ('-v', '--version', 'version'):
        console.result('version', {'version': __version__}, [__version__])
        return 0
    name, *rest = arguments
    if name == '--json':  # in front of the command as well as behind it
        return _dispatch([*rest, '--json'] if rest else ['--help'], console)
    info = COMMANDS.get(name)
    if info is None:
        import difflib

        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f'Did you mean: ssc {close[0]}?' if close else 'The commands are shown by: ssc --help'
        raise UsageError(f'there is no command {name!r}', hint=hint)
    from socket_runtime.cli.arguments import HelpShown, Parser

    module = importlib.import_module(f'socket_runtime.cli.{info.module}')
    parser = Parser(name, info.help, console)
    module.arguments(parser)
    parser.add_common()
    try:
        args = parser.parse_args(rest)
    except HelpShown:
        return 0
    console.json, console.quiet, console.verbose = args.json, args.quiet, args.verbose
    code: int = module.run(args, console)
    return code


def _help() -> list[str]:
    width = max(map(len, COMMANDS))
    return [
        'usage: ssc COMMAND [options]',
        '',
        *(f'  {name:{width}}  {info.help}' for name, info in COMMANDS.items()),
        '',
        '  ssc COMMAND --help    the options of a command',
        '  ssc --version         the version',
        '',
        'Every command takes --json, --quiet and --verbose.',
    ]
