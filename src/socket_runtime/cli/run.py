"""``ssc run``: run a project from its sources, or a built app."""

from __future__ import annotations

import argparse

from socket_runtime.app.config import load
from socket_runtime.cli.arguments import add_run_options
from socket_runtime.cli.console import Console
from socket_runtime.cli.launch import check_options, launch, show_notices

__all__ = ['arguments', 'run']


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_run_options(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Run it; returns the app's own exit code."""
    config = load(args.folder, debug=not args.prod)
    check_options(args)
    show_notices(config, console)
    code = launch(config, args)
    console.result('run', {'name': config.name, 'project': str(config.project)}, exit_code=code)
    return code
