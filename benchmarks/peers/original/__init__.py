"""The original, 0.5.4 from npm: ``ssc init`` and ``ssc build --prod``, as its user would do it."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.harness import PEERS, BenchError, Display, Program, Running
from benchmarks.peers import _make

NAME = 'original 0.5.4'
VERSION = '0.5.4'
PLACE = PEERS / 'original'
SSC = PLACE / 'node_modules' / '.bin' / 'ssc'
PACKAGES = 'nodejs npm, clang libc++-dev libc++abi-dev libwebkit2gtk-4.1-dev'
# Its way of reading a file moves some MB a second: 64 MiB do not arrive within a minute.
READ_BYTES = 4 << 20

# The hello world is the template with one script more. The template's policy allows no inline script, and its console
# is not yet tied to standard output when the document is ready, so the line goes by the call that its console makes.
HELLO = "addEventListener('DOMContentLoaded', () => fetch('ipc://stdout?value=DCL%20' + Date.now()))\n"

# Calls go by fetch, the fastest of its ways; its `socket:ipc` module stands on XMLHttpRequest.
ADAPTER = """
import fs from 'socket:fs/promises'
const peer = {
  size: SIZE,
  rounds: 3,
  echo: async n => (await fetch('ipc://os.uptime?n=' + n)).json(),
  read: async () => (await fs.readFile('FILE')).byteLength,
  report: line => console.log(line)
}
"""


def _built(page: str) -> Path:
    return PLACE / page / 'build' / 'linux' / f'{page}_v1.0.0-1_amd64' / 'opt' / page / page


def _data() -> Path:
    return PLACE / 'data.bin'


def fetch() -> None:
    """Get the package by npm.

    Raises:
        BenchError: npm or clang is missing, or the package cannot be had.
    """
    _make.need('npm', 'node', 'clang', 'pkg-config', packages=PACKAGES)
    if SSC.exists():
        return
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / 'package.json').write_text('{"private": true}\n', 'utf-8')
    _make.make(['npm', 'install', '--no-audit', '--no-fund', f'@socketsupply/socket@{VERSION}'], PLACE, 600)


def build() -> None:
    """Make a project per page and build it for production.

    Raises:
        BenchError: ``ssc`` failed.
    """
    _data().write_bytes(bytes(READ_BYTES))
    mark = _make.stamp([SSC, *_make.PAGES.glob('*.js')], HELLO, ADAPTER)
    for page in ('hello', 'calls', 'bulk'):
        if _make.is_fresh(_built(page), mark):
            continue
        shutil.rmtree(PLACE / page, ignore_errors=True)
        (PLACE / page).mkdir()
        _make.make([SSC, 'init'], PLACE / page, 300)
        _write(page)
        # It asks for leave to install packages by sudo; without a terminal it takes that as no and goes on.
        _make.make([SSC, 'build', '--prod'], PLACE / page, 600)
        if not _built(page).exists():
            raise BenchError(f'ssc build did not make {_built(page)}')
        _make.set_fresh(_built(page), mark)


def _write(page: str) -> None:
    index = PLACE / page / 'src' / 'index.html'
    if page == 'hello':
        text = index.read_text('utf-8')
        index.write_text(text.replace('</head>', '  <script src="/dcl.js"></script>\n  </head>'), 'utf-8')
        (index.parent / 'dcl.js').write_text(HELLO, 'utf-8')
    else:
        adapter = ADAPTER.replace('SIZE', str(READ_BYTES)).replace('FILE', str(_data()))
        index.write_text(_make.page(page, adapter), 'utf-8')


def program(page: str = 'hello', *, acceleration: bool = True) -> Program:
    """One page of ``hello``, ``calls`` and ``bulk``."""
    env = {} if acceleration else {'WEBKIT_DISABLE_COMPOSITING_MODE': '1'}
    return Program(NAME if acceleration else f'{NAME}, no acceleration', (str(_built(page)),), env)


def start(display: Display, page: str = 'hello', *, acceleration: bool = True) -> Running:
    """Show the page."""
    return Running(program(page, acceleration=acceleration), display)
