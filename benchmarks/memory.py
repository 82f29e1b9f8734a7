"""Memory of a hello world: the proportional share (PSS) of all its processes, five seconds after it has loaded.

The engine's libraries are shared, so a foreign webview on the machine makes everybody's share smaller: a sample waits
for a moment without one. Where there was none, the bars are judged by all pages counted once (`once_mb`, root only),
which does not depend on others. The X server and the session bus are not counted: they are
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
    found = {
        'total_mb': weight.total.pss,
        'main_mb': weight.main.pss,
        'main_uss_mb': weight.main.uss,
        'web_process_mb': weight.parts.get('WebKitWebProces', 0.0),
        'foreign': weight.neighbours,
    }
    return found if weight.once is None else {**found, 'once_mb': weight.once}


def judge(values: Values) -> list[Row]:
    """The bars. The low-memory option is `hardware_acceleration = off`."""
    disturbed = any(any(one.get('foreign', ())) for one in values.values())
    metric = 'once_mb' if disturbed and all('once_mb' in one for one in values.values()) else 'total_mb'
    note = ', pages counted once' if metric == 'once_mb' else ''
    bare = middle(values, hello.BARE, metric)
    peers = [(name, middle(values, name, metric)) for name in (original.NAME, tauri.NAME)]
    rows = []
    for what, name in (('hello world', hello.OURS), ('template of ssc init', hello.TEMPLATE)):
        own = middle(values, name, metric)
        rows += [against(f'memory, {what}{note}', own, peer, label, 'MB', at_most=1) for label, peer in peers]
        rows.append(against(f'memory, {what}{note}', own, bare, hello.BARE, 'MB', at_most=1.1))
    low = middle(values, hello.OURS_OFF, metric)
    rows.append(against(f'memory, low-memory option{note}', low, bare, hello.BARE, 'MB', at_most=0.9))
    return rows


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
