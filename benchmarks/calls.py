"""Small calls from the page: how long one takes, how many go in a second, and a POST of 1 KiB.

Each program is started anew in each round; its page takes the median of 15 loops of 100 calls, and of 9 samples of
10 x 100 calls at once. The table gives the median of the rounds.
"""

from __future__ import annotations

import sys

from benchmarks import command, ours
from benchmarks.bars import Row, Values, absolute, faster, middle
from benchmarks.harness import Display
from benchmarks.peers import localhost_http, original, pywebview_js_api, tauri

ROUNDS = 7


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all programs, interleaved."""
    file = ours.data_file()
    with Display() as display:
        starters: dict[str, command.Starter] = {
            ours.NAME: lambda: ours.start(display, 'calls'),
            pywebview_js_api.NAME: lambda: pywebview_js_api.start(display, 'calls'),
            original.NAME: lambda: original.start(display, 'calls'),
            tauri.NAME: lambda: tauri.start(display, 'calls'),
            localhost_http.NAME: lambda: localhost_http.start(display, 'calls', file=file),
        }
        return command.pages(starters, rounds)


def judge(values: Values) -> list[Row]:
    """The bars."""
    own = middle(values, ours.NAME, 'latency_ms')
    parallel = middle(values, ours.NAME, 'parallel_per_s')
    peers = [(name, middle(values, name, 'latency_ms')) for name in (pywebview_js_api.NAME, original.NAME)]
    return [
        absolute('small call', own, 'ms', at_most=0.5),
        *(faster('small call', own, peer, name, 'ms', 2) for name, peer in peers),
        absolute('calls in parallel', parallel, 'calls/s', at_least=6000),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
