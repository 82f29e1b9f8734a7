"""A web server on 127.0.0.1, the usual way around a custom scheme, in the fastest plain form that Python has.

It runs in a process of its own, which is stronger than in the program of the window: no lock is shared with the
GUI's loop. It is shown in the bare C window. A benchmark that reads over HTTP from another page starts only the
``server`` and takes the address from it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Display, Program, Running
from benchmarks.peers import _make, bare_c

NAME = 'localhost HTTP'
SERVER = Path(__file__).with_name('server.py')
SIZE = 64 << 20

ADAPTER = """
const peer = {
  size: SIZE,
  uploadSize: SIZE,
  echo: async n => (await fetch('/echo?x=' + n)).json(),
  post: async text => (await fetch('/body', { method: 'POST', body: text })).text(),
  read: async () => (await (await fetch('/file')).arrayBuffer()).byteLength,
  upload: async bytes => (await fetch('/upload', { method: 'POST', body: bytes })).json(),
  report: line => webkit.messageHandlers.line.postMessage(line)
}
"""


def fetch() -> None:
    """Nothing to fetch: the standard library's server."""
    bare_c.fetch()


def build() -> None:
    """Make the window that shows it."""
    bare_c.build()


def page(name: str) -> str:
    """The measuring page that the server gives."""
    return _make.page(name, ADAPTER.replace('SIZE', str(SIZE)))


def server(display: Display, file: Path, origin: str = '') -> Running:
    """Start the server; ``line('PORT')`` gives its port. ``origin`` may read its answers from another page."""
    argv = (sys.executable, str(SERVER), str(file), origin)
    return Running(Program(NAME, argv, {'PYTHONPATH': str(SERVER.parents[3])}), display)


@contextlib.contextmanager
def start(display: Display, page: str, *, file: Path) -> Iterator[Running]:
    """Start the server and show its page in the bare C window."""
    with server(display, file) as serving:
        port = int(serving.line('PORT'))
        with bare_c.start(display, f'http://127.0.0.1:{port}/{page}.html') as window:
            yield window
