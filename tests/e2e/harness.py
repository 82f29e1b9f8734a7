"""Write a project, show it in a real window, read the report.

::

    project = Project(tmp_path).page(policy='connect-src ipc://probe.act', script='''...; done()''')
    report = project.run(engine_csp=False)
    assert report.hits == []

A run takes about a second. Every run has a home of its own below the project, so nothing of one test is
seen by another.
"""

from __future__ import annotations

import atexit
import functools
import html
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name('app_under_test.py')
IDENTIFIER = 'com.example.probe'
ORIGIN = f'socket://{IDENTIFIER}'

#: Lets a page's own modules, and ours, run; tests add their ``connect-src``.
BASE_POLICY = "default-src 'self' socket: data: blob:; connect-src "

#: Whatever the app's own limit is, a run that takes longer than this is hung. Seconds.
HANG = 60.0

INI = f"""
[meta]
bundle_identifier = {IDENTIFIER}
title = Probe

[build]
name = probe
copy = src
"""

#: What every page's script may import.
LIBRARY = """
export const report = (value) => console.log('REPORT ' + JSON.stringify(value))
export const done = () => console.log('DONE')
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** The outcome of one request, as plain data. */
export async function ask (url, init) {
  try {
    const response = await fetch(url, init)
    const text = await response.text()
    let body = text
    try { body = JSON.parse(text) } catch {}
    return { status: response.status, kind: response.headers.get('Socket-Kind'), body }
  } catch (error) {
    return { status: 0, body: String(error) }
  }
}

/** The outcome of a promise, as plain data. */
export async function settle (promise) {
  try {
    return { value: await promise }
  } catch (error) {
    const { name, message, type, code, missing } = error
    return { error: { name, message, type, code, missing } }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What ``app_under_test`` has seen; the fields are its keys.

    Attributes:
        hits: ``[command, window, ...]`` of each probe that ran.
        console: ``[window, level, text]``.
        page: what the page reported by itself.
        audit: lines of the audit log.
        refused: URLs of refused navigations.
        failed: ``[url, message]`` of failed loads.
        ended: ``done``, ``limit`` or ``closed``.
        state: ``machine.state`` just before the end.
    """

    code: int
    ended: str
    seconds: float
    fds: int
    stdout: str
    stderr: str
    hits: list[list[Any]] = field(default_factory=list)
    console: list[list[Any]] = field(default_factory=list)
    page: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    audit: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    crashed: list[list[Any]] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    log: list[list[str]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def tags(self, command: str) -> list[Any]:
        """The first argument of every hit of ``command``."""
        return [hit[2] for hit in self.hits if hit[0] == command]

    def lines(self, level: str | None = None) -> list[str]:
        """Texts of the console, of one level or all."""
        return [text for _, at, text in self.console if level in (None, at)]


@functools.cache
def runtime_folder() -> str:
    """Where the session's accessibility bus is, which outlives any test's home; WebKit's sandbox wants it."""
    folder = tempfile.mkdtemp(prefix='e2e-')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Project:
    """A project in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder / 'project'
        self.src = self.folder / 'src'
        self.src.mkdir(parents=True)
        self.home = folder / 'home'
        self.home.mkdir()
        self.report_file = folder / 'report.json'
        self._ini = INI
        self.file('lib.js', LIBRARY)

    @property
    def data(self) -> Path:
        """The app's data folder, ``$DATA``."""
        return self.home / '.local/share' / IDENTIFIER

    def ini(self, text: str) -> Project:
        """Add to ``socket.ini``."""
        self._ini += text + '\n'
        return self

    def file(self, path: str, content: str | bytes) -> Project:
        """Write one of the app's files."""
        target = self.src / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(content, 'utf-8', newline='')
        return self

    def page(
        self,
        script: str = '',
        *,
        calls: str | None = None,
        policy: str | None = None,
        name: str = 'index',
        head: str = '',
        body: str = '',
    ) -> Project:
        """Write a page and its module.

        Args:
            script: the module; ``report``, ``done``, ``ask``, ``settle`` and ``sleep`` are there.
            calls: sources of ``connect-src``, in a policy that else allows the app's own parts.
            policy: the whole policy instead; with neither, the page has none.
        """
        if calls is not None:
            policy = BASE_POLICY + calls
        meta = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">' if policy else ''
        source = f'<script type="module" src="/{name}.js"></script>' if script else ''
        self.file(
            f'{name}.html',
            f'<!doctype html>\n<html><head><meta charset="utf-8">{meta}{head}</head><body>{body}{source}</body></html>',
        )
        if script:
            self.file(f'{name}.js', f"import {{ ask, done, report, settle, sleep }} from '/lib.js'\n{script}\n")
        return self

    def start(self, *, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Start the app; ``finish`` reads its report. Options as for ``run``."""
        self.folder.joinpath('socket.ini').write_text(self._ini, 'utf-8')
        temporary = self.home / 'tmp'
        temporary.mkdir(exist_ok=True)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(('XDG_', 'WEBKIT_'))},
            'HOME': str(self.home),
            'XDG_RUNTIME_DIR': runtime_folder(),
            'TMPDIR': str(temporary),
            'PYTHONPATH': os.pathsep.join((str(ROOT / 'src'), str(ROOT), os.environ.get('PYTHONPATH', ''))),
            'PYTHONUNBUFFERED': '1',
            **(env or {}),
        }
        command = [sys.executable, str(PROGRAM), str(self.folder)]
        return subprocess.Popen(
            [*command, json.dumps({'report': str(self.report_file), **options})],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding='utf-8',
            errors='backslashreplace',
        )

    def finish(self, process: subprocess.Popen[str], timeout: float = HANG) -> Report:
        """Wait for the end and read the report.

        Raises:
            AssertionError: it hung, or ended without a report.
        """
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(f'the app hung\n{stdout}\n{stderr}') from None
        assert self.report_file.is_file(), f'no report, exit code {process.returncode}\n{stdout}\n{stderr}'
        report = Report(stdout=stdout, stderr=stderr, **json.loads(self.report_file.read_text('utf-8')))
        self.report_file.unlink()
        assert report.code == process.returncode
        return report

    def run(self, *, until: str = 'done', env: dict[str, str] | None = None, **options: Any) -> Report:
        """Run the app to its end.

        Args:
            until: how it has to end: ``done``, ``limit``, ``closed`` or ``''`` for any.
            env: further environment variables.
            options: ``engine_csp``, ``automation``, ``headless``, ``debug``, ``report_errors`` as for the app;
                ``limit``: seconds until it is ended anyway; ``settle``: seconds between DONE and the end;
                ``scenario``: a function of ``scenarios`` that adds to the app; all others are the scenario's.
        """
        report = self.finish(self.start(env=env, **options))
        if until and report.ended != until:
            raise AssertionError(
                f'the app ended by {report.ended!r}\nconsole: {report.console}\nlog: {report.log}\n'
                f'audit: {report.audit}\nfailed: {report.failed}\nnotes: {report.notes}\nstderr: {report.stderr}'
            )
        return report
