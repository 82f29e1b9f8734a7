"""What `import socket_core` costs, with all its modules: private memory (MB of 10^6 bytes) and time.

Memory is what an interpreter alone has written to (Private_Dirty), against the same interpreter without the import,
each in a fresh process. Time is that of the import statement, in the same fresh process.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Mapping

from benchmarks import command
from benchmarks.bars import Row, Values, absolute, middle
from benchmarks.core.workers import take_turns
from benchmarks.harness import ROOT, BenchError

ROUNDS = 25

MODULES = ('_address', '_packet', '_cache', '_relay', '_udp')
BARE = 'no import'
CORE = 'socket_core, all modules'
PROGRAMS = {
    BARE: 'pass',
    'socket_core': 'import socket_core',
    CORE: 'import socket_core; from socket_core import ' + ', '.join(MODULES),
}

_COST = """
import sys, time
def private():
    with open('/proc/self/smaps_rollup') as file:
        return sum(int(line.split()[1]) for line in file if line.startswith('Private_Dirty:')) / 1000 * 1.024
begin = time.perf_counter()
IMPORT
took = time.perf_counter() - begin
print(took * 1e3, private())
"""


def cost(statement: str) -> Mapping[str, float]:
    """Run a statement in a fresh interpreter.

    Raises:
        BenchError: it fails.
    """
    argv = [sys.executable, '-c', _COST.replace('IMPORT', statement)]
    env = {'PYTHONPATH': str(ROOT / 'src'), 'PATH': '/usr/bin:/bin'}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=env)
    if done.returncode:
        raise BenchError(f'{statement}: {done.stderr.strip().splitlines()[-1:]}')
    milliseconds, megabytes = (float(word) for word in done.stdout.split())
    return {'ms': milliseconds, 'private_mb': megabytes}


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all imports, interleaved; what is added to the bare interpreter is worked out for each round."""
    works = {name: functools.partial(cost, statement) for name, statement in PROGRAMS.items()}
    values = take_turns(works, rounds)
    bare = values.get(BARE, {}).get('private_mb', [])
    for found in values.values():
        found['added_mb'] = [with_it - without for with_it, without in zip(found['private_mb'], bare, strict=True)]
    return values


def judge(values: Values) -> list[Row]:
    """The bars."""
    added, took = middle(values, CORE, 'added_mb'), middle(values, CORE, 'ms')
    return [
        absolute('import of the core, private memory', added, 'MB', at_most=1),
        absolute('import of the core, time', took, 'ms', at_most=5),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
