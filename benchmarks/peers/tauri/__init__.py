"""Tauri 2 from crates.io: a minimal application, built for release as its documentation recommends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks.harness import PEERS, BenchError, Display, Program, Running
from benchmarks.peers import _make

NAME = 'Tauri 2'
SOURCE = Path(__file__).with_name('app')
PLACE = PEERS / 'tauri'
BINARY = PLACE / 'target' / 'release' / 'bench-tauri'
PACKAGES = 'rust (cargo), libwebkit2gtk-4.1-dev libsoup-3.0-dev librsvg2-dev'

# The way of Tauri's own documentation for bytes: a raw body in, `ipc::Response` out.
ADAPTER = """
const { invoke } = window.__TAURI_INTERNALS__
const peer = {
  size: SIZE,
  uploadSize: SIZE,
  echo: n => invoke('echo', { x: n }),
  post: async text => (await invoke('body', new TextEncoder().encode(text))).byteLength,
  read: async () => (await invoke('read')).byteLength,
  upload: bytes => invoke('upload', bytes),
  report: line => invoke('report', { line }),
  listen: seen => {
    const handler = window.__TAURI_INTERNALS__.transformCallback(seen)
    return invoke('plugin:event|listen', { event: 'tick', target: { kind: 'Any' }, handler })
  },
  flood: count => invoke('flood', { count })
}
"""


def _sources() -> list[Path]:
    return [path for path in SOURCE.rglob('*') if path.is_file() and 'gen' not in path.parts]


def _stamp() -> str:
    return _make.stamp([*_sources(), *_make.PAGES.glob('*.js')], ADAPTER)


def fetch() -> None:
    """Copy our project, add the measuring pages, and fetch the crates.

    Raises:
        BenchError: there is no cargo, or the crates cannot be fetched.
    """
    _make.need('cargo', 'pkg-config', packages=PACKAGES)
    if _make.is_fresh(BINARY, _stamp()):
        return
    PLACE.mkdir(parents=True, exist_ok=True)
    for path in _sources():
        target = PLACE / path.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    adapter = ADAPTER.replace('SIZE', str(64 << 20))
    for name in ('calls', 'bulk', 'events'):
        (PLACE / 'page' / f'{name}.html').write_text(_make.page(name, adapter), 'utf-8')
    _make.make(['cargo', 'fetch'], PLACE)


def build() -> None:
    """Compile for release: some minutes the first time.

    Raises:
        BenchError: it does not compile; names the system's packages that it needs.
    """
    mark = _stamp()
    if _make.is_fresh(BINARY, mark):
        return
    try:
        _make.make(['cargo', 'build', '--release'], PLACE)
    except BenchError as error:
        raise BenchError(f'{error}\n  Tauri needs {PACKAGES}') from error
    _make.set_fresh(BINARY, mark)


def version() -> str:
    """The version of Tauri that was built, ``unknown`` before."""
    metadata = PLACE / 'Cargo.lock'
    if not metadata.exists():
        return 'unknown'
    lines = metadata.read_text('utf-8').splitlines()
    at = lines.index('name = "tauri"')
    return str(json.loads(lines[at + 1].partition('= ')[2]))


def program(page: str = 'hello', *, file: Path | None = None) -> Program:
    """One page of ``hello``, ``calls``, ``bulk`` (which reads ``file``) and ``events``."""
    env = {'BENCH_FILE': str(file)} if file else {}
    return Program(NAME, (str(BINARY), f'{page}.html'), env)


def start(display: Display, page: str = 'hello', *, file: Path | None = None) -> Running:
    """Show the page."""
    return Running(program(page, file=file), display)
