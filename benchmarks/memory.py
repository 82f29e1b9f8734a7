"""Memory of a hello world: the proportional share (PSS) of all its processes, five seconds after it has loaded.

The engine's libraries are shared, so a foreign webview on the machine makes everybody's share smaller: a sample waits
for a moment without one, and says so where it found none. The X server and the session bus are not counted: they are
there anyway.
"""

from __future__ import annotations

import functools
import sys
import time

from benchmarks import command, harness, hello
from benchmarks.bars import Row, Values, against, middle
from benchmarks.peers import original, tauri

ROUNDS = 5


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all hello worlds, interleaved."""
    with harness.Display() as display:
        works = {name: functools.partial(_weigh, one, display) for name, one in hello.programs().items()}
        return harness.interleave(works, rounds, when_idle=False)


def _weigh(program: harness.Program, display: harness.Display) -> dict[str, float]:
    with harness.Running(program, display) as running:
        running.line('DCL')
        time.sleep(harness.SETTLE)
        harness.wait_until_alone(running)
        weight = harness.weigh(running)
    if weight.neighbours:
        print(f'{program.name}: {weight.neighbours} foreign web processes ran meanwhile', file=sys.stderr)
    return {
        'total_mb': weight.total.pss,
        'main_mb': weight.main.pss,
        'main_uss_mb': weight.main.uss,
        'web_process_mb': weight.parts.get('WebKitWebProces', 0.0),
        'foreign': weight.neighbours,
    }


def judge(values: Values) -> list[Row]:
    """The bars. The low-memory option is `hardware_acceleration = off`."""
    own = middle(values, hello.OURS, 'total_mb')
    low = middle(values, hello.OURS_OFF, 'total_mb')
    bare = middle(values, hello.BARE, 'total_mb')
    peers = [(name, middle(values, name, 'total_mb')) for name in (original.NAME, tauri.NAME)]
    return [
        *(against('memory, hello world', own, peer, name, 'MB', at_most=1) for name, peer in peers),
        against('memory, hello world', own, bare, hello.BARE, 'MB', at_most=1.1),
        against('memory, low-memory option', low, bare, hello.BARE, 'MB', at_most=0.9),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
