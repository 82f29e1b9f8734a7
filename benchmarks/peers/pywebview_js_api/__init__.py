"""pywebview's own way: an object given as ``js_api``, called through its bridge."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from benchmarks.harness import BenchError, Display, Program, Running
from benchmarks.peers import _make

NAME = 'pywebview js_api'
APP = Path(__file__).with_name('app.py')
# The bridge carries text only, so bytes travel as base64; 64 MiB would take many seconds a time.
BYTES = 16 << 20

ADAPTER = """
const api = () => window.pywebview.api
const peer = {
  size: SIZE,
  uploadSize: SIZE,
  rounds: 3,
  ready: () => window.pywebview?.api?.echo
    ? undefined
    : new Promise(resolve => addEventListener('pywebviewready', resolve, { once: true })),
  echo: n => api().echo(n),
  post: text => api().post(text),
  read: async () => Uint8Array.fromBase64(await api().read(SIZE)).byteLength,
  upload: bytes => api().upload(bytes.toBase64()),
  report: line => api().report(line),
  events: 2000,
  listen: seen => addEventListener('tick', seen),
  flood: count => api().flood(count)
}
"""


def fetch() -> None:
    """Nothing of its own: pywebview is what the runtime stands on.

    Raises:
        BenchError: it is not installed.
    """
    if importlib.util.find_spec('webview') is None:
        raise BenchError('pywebview is missing: pip install -e .[gtk]')


def build() -> None:
    """Nothing to build."""


def html(page: str) -> str:
    """The measuring page."""
    return _make.page(page, ADAPTER.replace('SIZE', str(BYTES)))


def program(page: str = 'hello') -> Program:
    """One page of ``hello``, ``calls``, ``bulk`` and ``events``."""
    return Program(NAME, (sys.executable, str(APP), page), {'PYTHONPATH': str(APP.parents[3])})


def start(display: Display, page: str = 'hello') -> Running:
    """Show the page."""
    return Running(program(page), display)
