"""What all benchmarks have in common on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from benchmarks import bars, harness
from benchmarks.bars import Row, Values

Starter = Callable[[], AbstractContextManager[harness.Running]]


def main(
    doc: str | None,
    rounds: int,
    measure: Callable[[int], Values],
    judge: Callable[[Values], list[Row]],
    arguments: list[str] | None = None,
) -> int:
    """Measure, print both tables, write JSON where it is asked for.

    Returns 1 where a bar is not met, else 0; a side that is missing is no failure, and is said in the table.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=rounds, help=f'starts of each program (default {rounds})')
    parser.add_argument('--json', metavar='FILE', help='also write all values and the bars as JSON')
    options = parser.parse_args(arguments)
    try:
        values = measure(options.rounds)
    except harness.BenchError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    rows = judge(values)
    print(bars.show_values(values), bars.show(rows), sep='\n\n')
    if options.json:
        harness.save(options.json, {'machine': harness.machine(), **bars.as_json(values, rows)})
    return 1 if any(row.verdict == 'not met' for row in rows) else 0


def pages(starters: Mapping[str, Starter], rounds: int, timeout: float = 120.0) -> dict[str, dict[str, list[float]]]:
    """Start each program once a round and gather what their pages report."""

    def work(start: Starter) -> Callable[[], Mapping[str, float]]:
        def run() -> Mapping[str, float]:
            with start() as running:
                return running.result(timeout)

        return run

    return harness.interleave({name: work(start) for name, start in starters.items()}, rounds)
