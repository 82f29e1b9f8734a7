"""Running an app from the command line: what ``ssc run`` and ``ssc build -r`` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from socket_runtime.app.config import Config, RunOptions
from socket_runtime.cli.console import Console
from socket_runtime.errors import UsageError

__all__ = ['check_options', 'launch', 'show_notices']

#: More keys without effect are counted, not listed.
_LISTED = 3


def check_options(args: argparse.Namespace) -> None:
    """What can be known to be wrong before anything is read or built.

    Raises:
        UsageError: options that exclude one another, or a picture that cannot be written.
        PortError: nothing answers at ``--port``.
    """
    if args.screenshot is not None:
        folder = args.screenshot.absolute().parent
        if not folder.is_dir() or args.screenshot.is_dir():
            raise UsageError(f'--screenshot {args.screenshot}: cannot be written', hint=f'Is there a folder {folder}?')
    if args.port is None:
        return
    if args.prod:  # E8: what users get never loads its pages from a port
        raise UsageError('--port is for development and goes not with --prod', hint='Leave one of the two.')
    from socket_runtime.app.devproxy import DevProxy

    DevProxy(args.host, args.port).check()


def run_options(config: Config, args: argparse.Namespace) -> RunOptions:
    """How to run ``config``.

    Raises:
        UsageError: a bundle for users, with options of development (E8, D11).
    """
    if not config.debug and (args.port is not None or args.watch):
        raise UsageError(
            f'{config.name} was built for users', hint='Build it without --prod to use --port and --watch.'
        )
    watch = args.watch or args.port is not None or config.webview.watch
    return RunOptions(
        headless=args.headless or config.build.headless,
        screenshot=args.screenshot.absolute() if args.screenshot is not None else None,
        dev_server=(args.host, args.port) if args.port is not None else None,
        live_reload=watch and config.debug and config.webview.reload,
    )


def launch(config: Config, args: argparse.Namespace) -> int:
    """Run the app, or the app's own Python program, in this process until it ends.

    Returns:
        its exit code.

    Raises:
        LocalError: it cannot run, or its page failed.
    """
    options = run_options(config, args)
    if config.python.main is not None:
        from socket_runtime.app.run import run_program

        return run_program(config, options)
    from socket_runtime.app.run import run_app

    return run_app(
        config,
        headless=options.headless,
        screenshot=options.screenshot,
        dev_server=options.dev_server,
        live_reload=options.live_reload,
    )


def show_notices(config: Config, console: Console) -> None:
    """Say which keys have no effect: in full with ``--verbose``, else in one line."""
    notices = config.notices
    if not notices:
        return
    if console.verbose or len(notices) <= _LISTED:
        for notice in notices:
            console.warn(str(notice))
        return
    names = ', '.join(notice.message.partition(' ')[0] for notice in notices[:_LISTED])
    file = Path(notices[0].file).name
    console.warn(f'{file}: {len(notices)} keys have no effect here: {names}, ... (all of them: --verbose)')
