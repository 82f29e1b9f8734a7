"""Memory of a hello world: the proportional share (PSS) of all its processes, five seconds after it has loaded.

Shared pages are divided among all who map them, so a foreign webview on the machine makes everybody's share smaller: a
sample waits for a moment without one, and does not count where there was none. The program's own X server and the
session bus are not weighed: they are there anyway. Foreign X servers (`foreign_x`) share the software renderer with
whoever draws by it, which flatters those programs: run this alone for the last word.

`once_mb` are all pages of a program's processes, each counted once, whoever else maps it (root only): it depends on
nobody, but counts what all programs share in full.
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
    found = {
        'main_mb': weight.main.pss,
        'main_uss_mb': weight.main.uss,
        'web_process_mb': weight.parts.get('WebKitWebProces', 0.0),
        'foreign_x': harness.count_named('Xvfb') - 1,
    }
    if weight.once is not None:
        found['once_mb'] = weight.once
    return found if weight.neighbours else {'total_mb': weight.total.pss, **found}


def judge(values: Values) -> list[Row]:
    """The bars. The low-memory option is `hardware_acceleration = off`."""
    bare = middle(values, hello.BARE, 'total_mb')
    peers = [(name, middle(values, name, 'total_mb')) for name in (original.NAME, tauri.NAME)]
    rows = []
    for what, name in (('hello world', hello.OURS), ('template of ssc init', hello.TEMPLATE)):
        own = middle(values, name, 'total_mb')
        rows += [against(f'memory, {what}', own, peer, label, 'MB', at_most=1) for label, peer in peers]
        rows.append(against(f'memory, {what}', own, bare, hello.BARE, 'MB', at_most=1.1))
    low = middle(values, hello.OURS_OFF, 'total_mb')
    rows.append(against('memory, low-memory option', low, bare, hello.BARE, 'MB', at_most=0.9))
    return rows


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
