"""Bytes: a file of 64 MiB into the page, and 64 MiB from the page to Python.

The page just calls `fs.readFile`; the same page in the same run reads the same file over HTTP from a server on
127.0.0.1. pywebview's bridge moves 16 MiB as base64, the original 4 MiB: more would take minutes. MB are 10^6 bytes.
"""

from __future__ import annotations

import sys

from benchmarks import command, ours
from benchmarks.bars import Row, Values, against, middle
from benchmarks.harness import Display
from benchmarks.peers import localhost_http, original, pywebview_js_api, tauri

ROUNDS = 3


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all programs, interleaved."""
    file = ours.data_file()
    with Display() as display:
        starters: dict[str, command.Starter] = {
            ours.NAME: lambda: ours.start(display, 'bulk'),
            pywebview_js_api.NAME: lambda: pywebview_js_api.start(display, 'bulk'),
            original.NAME: lambda: original.start(display, 'bulk'),
            tauri.NAME: lambda: tauri.start(display, 'bulk', file=file),
            localhost_http.NAME: lambda: localhost_http.start(display, 'bulk', file=file),
        }
        return command.pages(starters, rounds)


def judge(values: Values) -> list[Row]:
    """The bars. HTTP counts twice: from our page, and from a page of its own, where it has no other origin to mind."""
    read, upload = (middle(values, ours.NAME, name) for name in ('read_mb_s', 'upload_mb_s'))
    same_page = middle(values, ours.NAME, 'http_mb_s')
    own_page = middle(values, localhost_http.NAME, 'read_mb_s')
    bridge = middle(values, pywebview_js_api.NAME, 'upload_mb_s')
    return [
        against('64 MiB file into the page', read, same_page, 'localhost HTTP, same page', 'MB/s', at_least=2),
        against('64 MiB file into the page', read, own_page, 'localhost HTTP, own page', 'MB/s', at_least=2),
        against('upload page to Python', upload, bridge, pywebview_js_api.NAME, 'MB/s', at_least=5),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
