"""``ssc build``: make the bundle; with ``-r`` run it, with ``-w`` make it again on every change."""

from __future__ import annotations

import argparse
import dataclasses
import threading
from pathlib import Path

from socket_runtime.app.config import CONFIG_NAME, Config, load
from socket_runtime.build.bundle import Builder, Built, BundlePaths, bundle_paths, is_current
from socket_runtime.cli.arguments import add_platform, add_run_options
from socket_runtime.cli.console import Console
from socket_runtime.cli.launch import check_options, launch, show_notices
from socket_runtime.errors import LocalError

__all__ = ['arguments', 'run']


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('-r', '--run', action='store_true', help='run it when it is built')
    parser.add_argument(
        '-o', '--only-build', action='store_true', help='build only if something is newer than the build'
    )
    add_platform(parser)
    add_run_options(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Build, and run or watch if asked.

    Returns:
        0, or the app's own exit code.
    """
    config = load(args.folder, debug=not args.prod)
    check_options(args)
    show_notices(config, console)
    paths = bundle_paths(config, args.platform)
    builder = Builder(config, args.platform, console, need_page=args.port is None, quiet=console.quiet or console.json)
    if args.only_build and is_current(config, paths):
        console.say('# Skipping build output')
        data = _data(config, paths)
    else:
        built = builder.build()
        console.say(f'built {_shown(paths.root)}: {built.files} files, {_size(built.size)}')
        for line in built.report.lines():
            console.detail(line)
        data = {**_data(config, paths), **_counts(built)}
    code = 0
    if args.run:
        code = _run(config, builder, args, console)
    elif args.watch:
        _watch_forever(config, builder, console)
    console.result('build', data, exit_code=code)
    return code


def _run(config: Config, builder: Builder, args: argparse.Namespace, console: Console) -> int:
    bundle = load(builder.paths.root, debug=config.debug)
    # What the page's reload watches besides the bundle's own files: with a development server, those that it
    # works from.
    sources = (config.build.copy, *config.build.watch) if args.port is not None else ()
    bundle = dataclasses.replace(bundle, build=dataclasses.replace(bundle.build, watch=sources))
    if not args.watch:
        return launch(bundle, args)
    from socket_runtime.app.livereload import Watcher

    watcher = Watcher(_sources(config), lambda changed: _rebuild(builder, changed, console))
    watcher.start()
    try:
        return launch(bundle, args)
    finally:
        watcher.stop()


def _watch_forever(config: Config, builder: Builder, console: Console) -> None:
    from socket_runtime.app.livereload import Watcher

    watcher = Watcher(_sources(config), lambda changed: _rebuild(builder, changed, console))
    watcher.start()
    console.say('watching; Ctrl+C ends')
    try:
        threading.Event().wait()
    finally:
        watcher.stop()


def _sources(config: Config) -> tuple[Path, ...]:
    main = (config.python.main,) if config.python.main is not None else ()
    return (config.build.copy, *config.build.watch, *main, *config.python.include)


def _rebuild(builder: Builder, changed: tuple[Path, ...], console: Console) -> None:
    """On the watcher's thread: a mistake is shown, and the next change tries again."""
    try:
        builder.rebuild()
    except LocalError as error:
        console.fail(error)
    else:
        more = f' and {len(changed) - 1} more' if len(changed) > 1 else ''
        console.say(f'built again: {_shown(changed[0])}{more}')


def _data(config: Config, paths: BundlePaths) -> dict[str, object]:
    return {
        'name': config.name,
        'version': config.version,
        'bundle_identifier': config.bundle_identifier,
        'debug': config.debug,
        'bundle': str(paths.root),
        'resources': str(paths.resources),
        'launcher': str(paths.launcher),
        'manifest': str(paths.manifest),
        'config': str(config.project / CONFIG_NAME),
    }


def _counts(built: Built) -> dict[str, object]:
    return {'files': built.files, 'size': built.size, 'skipped': list(built.skipped)}


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _size(count: int) -> str:
    return f'{count / 1024:.1f} KiB' if count < 1024 * 1024 else f'{count / 1024 / 1024:.1f} MiB'
