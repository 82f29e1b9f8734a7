"""``ssc policy``: what an app may do, read from its pages and its ``socket.ini``; nothing of it runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from socket_runtime.app.config import load
from socket_runtime.build.report import Report, make_report
from socket_runtime.cli.console import Console
from socket_runtime.cli.launch import show_notices
from socket_runtime.errors import PageError

__all__ = ['arguments', 'run']


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('-P', '--prod', action='store_true', help='as users get it')
    parser.add_argument(
        'folder', nargs='?', default='.', metavar='DIR|APP', help='a project or a built app (default: here)'
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """Show it.

    Returns:
        0, or ``PageError``'s code when a page's policy does not do what it says.
    """
    folder = Path(args.folder)
    if folder.is_file():  # the launcher of a built app
        folder = folder.parent
    config = load(folder, debug=not args.prod)
    show_notices(config, console)
    report = make_report(config)
    code = PageError.exit_code if report.errors else 0
    console.result('policy', report.to_dict(), [*report.lines(), *_lints(report)], exit_code=code)
    return code


def _lints(report: Report) -> list[str]:
    lines = []
    for page in report.pages:
        for lint in page.lints:
            place = f'{page.path}:{lint.line}' if lint.line else page.path
            lines.append(f'{"error" if lint.error else "warning"}: {place}: {lint.message}. {lint.hint}')
    return ['', *lines] if lines else []
