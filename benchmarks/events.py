"""Events from Python to the page: how many arrive in a second when many are sent one after another.

The clock runs from the call that makes Python send them to the listener's last event. The runtime makes batches;
pywebview runs a script for each, Tauri emits each.
"""

from __future__ import annotations

import sys

from benchmarks import command, ours
from benchmarks.bars import Row, Values, absolute, middle
from benchmarks.harness import Display
from benchmarks.peers import pywebview_js_api, tauri

ROUNDS = 3


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all programs, interleaved."""
    with Display() as display:
        starters: dict[str, command.Starter] = {
            ours.NAME: lambda: ours.start(display, 'events'),
            pywebview_js_api.NAME: lambda: pywebview_js_api.start(display, 'events'),
            tauri.NAME: lambda: tauri.start(display, 'events'),
        }
        return command.pages(starters, rounds)


def judge(values: Values) -> list[Row]:
    """The bar."""
    rate = middle(values, ours.NAME, 'events_per_s')
    return [absolute('events Python to page', rate, 'events/s', at_least=100_000)]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
