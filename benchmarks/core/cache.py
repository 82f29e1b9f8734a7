"""The relay cache at 16 MiB, full: what it costs beyond the frames, and how long an insertion takes that evicts.

All frames have 1,166 bytes, and all ids are known: hashing is measured elsewhere. `dict + OrderedDict` is the cache in
plain Python with the same look-ups (by id, by nextId, by age), without shares; `OrderedDict` has only the first. Both
keep references to the frames, ours copies them. `ours, in C` is the same without Python, as the relay has it.

Memory is what the cache says of itself (`accounted`, of which the budget is made) and what the kernel says (`private`),
in bytes for each packet beyond its frame; `mixed` is the same for frames of all lengths from 142 to 1,166 bytes.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Mapping

from benchmarks import command
from benchmarks.bars import Row, Values, absolute, in_turns, middle
from benchmarks.core import peers
from benchmarks.core.workers import Programs, environment, started, take_turns
from benchmarks.harness import BenchError, Program

ROUNDS = 9
INSERTIONS = 704 * 64
MEMORY_ROUNDS = 3

OURS = 'ours, insert'
IN_C = 'ours, in C'
DICTS = 'dict + OrderedDict'
MODES = {OURS: 'ours', 'ours, insert_many': 'ours-many', DICTS: 'dicts', 'OrderedDict': 'ordered'}


def programs() -> Programs:
    """All contenders of the timed part."""
    found = {
        name: functools.partial(peers.python_program, name, 'caches', mode, 'time') for name, mode in MODES.items()
    }
    return {**found, IN_C: functools.partial(peers.c_program, IN_C, 'store')}


def weighed(name: str, what: str) -> dict[str, float]:
    """Fill a cache in a process of its own, and ask what it costs.

    Raises:
        BenchError: it cannot be had.
    """
    program: Program = peers.python_program(name, 'caches', MODES[name], what)
    done = subprocess.run(
        program.argv, env=environment(program), cwd=program.cwd, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise BenchError(f'{name}: {done.stderr.strip().splitlines()[-1:]}')
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all contenders, interleaved; then their memory."""

    def weight(name: str) -> Callable[[], Mapping[str, float]]:
        def run() -> Mapping[str, float]:
            full, mixed = weighed(name, 'memory'), weighed(name, 'mixed')
            values = {'packets': full['packets'], 'private_b': full['private'], 'mixed_private_b': mixed['private']}
            if full['accounted']:
                values |= {'accounted_b': full['accounted'], 'mixed_accounted_b': mixed['accounted']}
            return values

        return run

    def insertions(worker: Callable[[int], dict[str, float]]) -> Mapping[str, float]:
        return {'insert_ns': worker(INSERTIONS)['cpu_us'] * 1000}

    with started(programs()) as workers:
        works = {name: functools.partial(insertions, worker.go) for name, worker in workers.items()}
        values = take_turns(works, rounds)
    asked = {name: weight(name) for name in (OURS, DICTS, 'OrderedDict')}
    for name, found in take_turns(asked, min(rounds, MEMORY_ROUNDS), warm_up=0).items():
        values.setdefault(name, {}).update(found)
    return values


def judge(values: Values) -> list[Row]:
    """The bars."""
    insert = middle(values, OURS, 'insert_ns')
    accounted, private = (middle(values, OURS, name) for name in ('accounted_b', 'private_b'))
    return [
        absolute('cache, full: over the frame, accounted', accounted, 'bytes a packet', at_most=48),
        absolute('cache, full: over the frame, private memory', private, 'bytes a packet', at_most=48),
        absolute('cache, insert with eviction', insert, 'ns', at_most=600),
        in_turns('cache, insert with eviction', values, OURS, DICTS, 'insert_ns', 'ns', at_least=4),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
