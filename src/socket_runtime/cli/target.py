"""``ssc list-build-target``: where a build puts the app's files, for scripts of your own.

``./myscript `ssc list-build-target .```, as in the guides; ``print-build-dir`` is its later name.
"""

from __future__ import annotations

import argparse

from socket_runtime.app.config import load
from socket_runtime.build.bundle import bundle_paths
from socket_runtime.cli.arguments import add_platform
from socket_runtime.cli.console import Console

__all__ = ['arguments', 'run']


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_platform(parser)
    parser.add_argument('-P', '--prod', action='store_true', help='of the build for users')
    parser.add_argument('--root', action='store_true', help='the whole bundle, not only the files of its pages')
    parser.add_argument('folder', nargs='?', default='.', metavar='DIR', help='the project (default: here)')


def run(args: argparse.Namespace, console: Console) -> int:
    """Print one absolute path. It need not exist yet."""
    paths = bundle_paths(load(args.folder, debug=not args.prod), args.platform)
    shown = paths.root if args.root else paths.resources
    console.result('list-build-target', {'path': str(shown), 'root': str(paths.root)}, [str(shown)])
    return 0
