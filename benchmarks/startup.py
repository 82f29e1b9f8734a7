"""Start of a hello world: from just before its process is made to the page's DOMContentLoaded, by the wall clock.

One round of all programs comes first and is thrown away, so that caches are warm for everybody.
"""

from __future__ import annotations

import functools
import sys
import time

from benchmarks import command, harness, hello
from benchmarks.bars import Row, Values, against, middle

ROUNDS = 11
# So long a program is left alone after its page is there, in seconds: what it still does must not meet the next one.
PAUSE = 0.5


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all hello worlds, interleaved."""
    with harness.Display() as display:
        works = {name: functools.partial(_time, one, display) for name, one in hello.programs().items()}
        return harness.interleave(works, rounds, warm_up=1)


def _time(program: harness.Program, display: harness.Display) -> dict[str, float]:
    with harness.Running(program, display) as running:
        duration = running.milliseconds_to('DCL')
        time.sleep(PAUSE)
    return {'start_ms': duration}


def judge(values: Values) -> list[Row]:
    """The bar."""
    bare = middle(values, hello.BARE, 'start_ms')
    shown = (('hello world', hello.OURS), ('template of ssc init', hello.TEMPLATE))
    return [
        against(
            f'start to DOMContentLoaded, {what}', middle(values, name, 'start_ms'), bare, hello.BARE, 'ms', at_most=1.3
        )
        for what, name in shown
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
