"""The steps of a build, and where everything in a bundle is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from socket_runtime.app.config import BUNDLE_FORMAT, CONFIG_NAME, Config
from socket_runtime.build import Reporter
from socket_runtime.build.copying import copy_file, find_files
from socket_runtime.build.programs import program_files
from socket_runtime.build.report import Report, make_report
from socket_runtime.build.script import run_script
from socket_runtime.errors import PageError, ProjectError, UsageError

__all__ = ['Builder', 'Built', 'BundlePaths', 'bundle_paths', 'is_current']

#: More errors of pages are counted, not listed.
MAX_LISTED = 10

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BundlePaths:
    """Where a bundle's parts are. All absolute."""

    root: Path
    resources: Path
    python: Path
    config: Path
    manifest: Path
    policy_json: Path
    policy_text: Path
    launcher: Path


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build.

    Attributes:
        paths: where it is.
        files: number of files, and their bytes.
        size: bytes of all files.
        report: what the app may do.
        skipped: what was not copied, with the reason.
    """

    paths: BundlePaths
    files: int
    size: int
    report: Report
    skipped: tuple[str, ...]


def bundle_paths(config: Config, platform: str) -> BundlePaths:
    """Where the bundle of a project is, or would be: ``build/linux/hello-dev``.

    Args:
        config: the project.
        platform: ``linux``, ``mac`` or ``win``.

    Raises:
        UsageError: it is a bundle itself.
    """
    if config.bundled:
        raise UsageError(f'{config.project} is a built app', hint='Name the project that it was built from.')
    root = config.build.output / platform / config.program_name
    suffix = '.cmd' if platform == 'win' else ''
    return BundlePaths(
        root=root,
        resources=root / 'resources',
        python=root / 'python',
        config=root / CONFIG_NAME,
        manifest=root / 'manifest.json',
        policy_json=root / 'policy.json',
        policy_text=root / 'POLICY',
        launcher=root / f'{config.name}{suffix}',
    )


class Builder:
    """Builds one project, and builds it again while it changes.

    Args:
        config: the project.
        platform: ``linux``, ``mac`` or ``win``.
        reporter: hears of the steps.
        need_page: insist on the first page; a development server may have it instead.
        quiet: keep the output of the build script from standard output.
    """

    def __init__(
        self, config: Config, platform: str, reporter: Reporter, *, need_page: bool = True, quiet: bool = False
    ) -> None:
        self._config = config
        self._reporter = reporter
        self._need_page = need_page
        self._quiet = quiet
        self.paths = bundle_paths(config, platform)
        self._platform = platform
        self._copied: dict[Path, tuple[int, int, int]] = {}

    def build(self) -> Built:
        """Build from nothing.

        Raises:
            ConfigError: ``socket.ini`` is wrong.
            ProjectError: something is missing, or the script failed.
            PageError: a page's policy does not do what it says (A4), or forbids the page's own parts.
        """
        return self._run(clean=True)

    def rebuild(self) -> Built:
        """Build again over what is there: an app may be running from it. Raises as ``build``."""
        return self._run(clean=False)

    def _run(self, *, clean: bool) -> Built:
        try:
            if clean:
                self._clean()
                self._copied.clear()
            return self._steps()
        except OSError as error:  # a full disk, a folder without permission, a file gone since it was found
            place = f' {error.filename}:' if error.filename else ''
            raise ProjectError(f'cannot build:{place} {error.strerror or error}') from error

    def _steps(self) -> Built:
        config, paths = self._config, self.paths
        # without a manifest it is no bundle: what fails from here on leaves none behind
        paths.manifest.unlink(missing_ok=True)
        paths.resources.mkdir(parents=True, exist_ok=True)
        if config.build.script:
            run_script(
                config.build.script,
                project=config.project,
                resources=paths.resources,
                variables=config.build.variables,
                reporter=self._reporter,
                quiet=self._quiet,
            )
        skipped = self._copy()
        self._check_page()
        report = make_report(config, resources=paths.resources)
        self._check_report(report)
        assert config.file is not None
        copy_file(config.file, paths.config)
        paths.policy_json.write_text(report.to_json(), encoding='utf-8')
        paths.policy_text.write_text('\n'.join(report.lines()) + '\n', encoding='utf-8')
        self._write_launcher(report)
        files, size = self._write_manifest()
        return Built(paths, files, size, report, skipped)

    def _clean(self) -> None:
        """Remove an older bundle, and nothing that is none: the folder's name came from ``socket.ini``."""
        root = self.paths.root
        if root.is_symlink() or (root.exists() and not root.is_dir()):
            raise ProjectError(f'{root} is in the way', hint='Remove it, or name another [build] output.')
        if not root.is_dir():
            return
        paths = self.paths
        own = {path.name for path in (paths.resources, paths.python, paths.config, paths.manifest)}
        own |= {path.name for path in (paths.policy_json, paths.policy_text, paths.launcher)}
        strange = sorted({entry.name for entry in os.scandir(root)} - own)
        if strange:
            raise ProjectError(
                f'{root} holds {strange[0]!r}, which no build has put there',
                hint='Move it away, or name another [build] output: a build begins with an empty folder.',
            )
        import shutil

        shutil.rmtree(root)

    def _copy(self) -> tuple[str, ...]:
        """Copy pages and program; what was copied before and is gone now goes too."""
        paths, config = self.paths, self._config
        found = find_files(config.build.copy) if self._need_page or config.build.copy.is_dir() else None
        names = found.files if found else ()
        wanted = {paths.resources / name: config.build.copy / name for name in names}
        wanted.update({paths.python / name: path for path, name in program_files(config)})
        for target in self._copied.keys() - wanted.keys():
            target.unlink(missing_ok=True)
        stamps = {}
        with self._reporter.progress('copying', len(wanted)) as progress:
            for target, source in wanted.items():
                state = source.lstat()
                stamps[target] = (state.st_ino, state.st_size, state.st_mtime_ns)
                if self._copied.get(target) != stamps[target] or not target.is_file():
                    copy_file(source, target)
                progress.advance()
        self._copied = stamps
        if any(name.startswith('socket/') for name in names):
            self._reporter.warn('the folder "socket" of the app is hidden by the runtime\'s own modules')
        skipped = found.skipped if found else ()
        for reason in skipped:
            self._reporter.warn(f'not copied: {reason}')
        return skipped

    def _check_page(self) -> None:
        start = self._config.start_file
        page = self.paths.resources / start.relative_to(self._config.resources)
        if self._need_page and not page.is_file() and not page.with_name(f'{page.name}.html').is_file():
            raise ProjectError(f'{start} is missing', hint='Write the first page, or begin with: ssc init')

    def _check_report(self, report: Report) -> None:
        for page in report.pages:
            for lint in page.lints:
                if not lint.error:
                    self._reporter.warn(f'{_place(page.path, lint.line)}: {lint.message}. {lint.hint}')
        errors = report.errors
        if not errors:
            return
        page, first = errors[0]
        others = [f'{_place(page.path, lint.line)}: {lint.message}' for page, lint in errors[1:MAX_LISTED]]
        if len(errors) > MAX_LISTED:
            others.append(f'and {len(errors) - MAX_LISTED} more')
        raise PageError('\n'.join([f'{_place(page.path, first.line)}: {first.message}', *others]), hint=first.hint)

    def _write_launcher(self, report: Report) -> None:
        """A text that starts the app; its comments answer ``strings app | grep ipc://``."""
        calls = sorted({f'ipc://{call.name}' for page in report.pages for call in page.calls})
        windows = self._platform == 'win'
        text = _windows_launcher(calls) if windows else _posix_launcher(calls)
        launcher = self.paths.launcher
        launcher.write_text(text, encoding='utf-8', newline='')
        launcher.chmod(0o755)

    def _write_manifest(self) -> tuple[int, int]:
        import hashlib

        config, root = self._config, self.paths.root
        files: dict[str, dict[str, object]] = {}
        total = 0
        for name in find_files(root).files:
            digest, size = hashlib.sha256(), 0
            with (root / name).open('rb') as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
            files[name] = {'size': size, 'sha256': digest.hexdigest()}
            total += size
        manifest = {
            'format': BUNDLE_FORMAT,
            'name': config.name,
            'version': config.version,
            'bundle_identifier': config.bundle_identifier,
            'platform': self._platform,
            'debug': config.debug,
            'files': files,
        }
        part = self.paths.manifest.with_name('.manifest.json.part')
        part.write_text(json.dumps(manifest, indent=2, sort_keys=True) + '\n', encoding='utf-8')
        os.replace(part, self.paths.manifest)
        return len(files), total


def is_current(config: Config, paths: BundlePaths) -> bool:
    """Is nothing that the bundle was made from newer than it? The build script's own sources are those of
    ``[build.watch]``."""
    try:
        built = paths.manifest.stat().st_mtime_ns
    except OSError:
        return False
    sources = [config.project / CONFIG_NAME, config.build.copy, *config.build.watch, *config.python.include]
    if config.python.main is not None:
        sources.append(config.python.main)
    return all(newest <= built for newest in map(_newest, sources))


def _newest(path: Path) -> int:
    """Time of the last change to a file, or to anything in a folder."""
    try:
        newest = path.stat().st_mtime_ns
    except OSError:
        return 0
    if not path.is_dir():
        return newest
    folders = {path}
    for name in find_files(path).files:
        newest = max(newest, (path / name).lstat().st_mtime_ns)
        folders.update(list((path / name).parents)[: name.count('/')])
    return max(newest, *(folder.stat().st_mtime_ns for folder in folders))


def _place(page: str, line: int) -> str:
    return f'{page}:{line}' if line else page


def _posix_launcher(calls: Iterable[str]) -> str:
    import shlex

    return '\n'.join(
        (
            '#!/bin/sh',
            '# Starts the app in this folder. What its pages may call:',
            *(f'#   {call}' for call in calls),
            'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1',
            f'python={shlex.quote(sys.executable)}',
            '[ -x "$python" ] || python=python3',
            'exec "$python" -m socket_runtime.app "$here"',
            '',
        )
    )


def _windows_launcher(calls: Iterable[str]) -> str:
    return '\r\n'.join(
        (
            '@echo off',
            'rem Starts the app in this folder. What its pages may call:',
            *(f'rem   {call}' for call in calls),
            'setlocal',
            f'set "python={sys.executable}"',
            'if not exist "%python%" set "python=python"',
            '"%python%" -m socket_runtime.app "%~dp0."',
            '',
        )
    )
