"""Parse and id: CPU time for each frame of 1,166 bytes, in batches of 64, without a socket.

The yardstick is `struct` for the fields and `hashlib` for the id; ours is `parse_many`, and each id is read. Where this
processor has SHA instructions, hashlib uses them; it is measured with them, and without them, as it is on processors
that have none (see `paths.py`).
`tests/benchmarks/test_core_functions.py` has the single functions under pytest-benchmark.
"""

from __future__ import annotations

import functools
import sys

from benchmarks import command
from benchmarks.bars import Row, Values, in_turns
from benchmarks.core import paths, peers
from benchmarks.core.workers import Programs, started, take_turns
from benchmarks.harness import Program

ROUNDS = 15
PACKETS = 48 * 64 * 4

STRUCT = 'struct + hashlib'
STRUCT_PLAIN = 'struct + hashlib without SHA instructions'
OURS = 'parse_many'
AT_MOST = 0.35


def path_name(path: str) -> str:
    """How the tables call our side when it may hash in one way only."""
    return f'{OURS}, {path}'


def programs() -> Programs:
    """All contenders: our side once for each way of hashing that this processor has."""
    asked = {
        STRUCT: ('struct-hashlib',),
        'struct, no id': ('struct',),
        OURS: ('ours-each',),
        f'{OURS}, ids not read': ('ours',),
        f'{OURS}, no ids': ('ours-unhashed',),
        **{path_name(path): ('ours-each', '--path', path) for path in paths.core_paths()},
    }

    def make(name: str, arguments: tuple[str, ...]) -> Program:
        return peers.python_program(name, 'packets', *arguments)

    found: dict[str, functools.partial[Program]] = {
        name: functools.partial(make, name, arguments) for name, arguments in asked.items()
    }
    if paths.has_sha_instructions():
        found[STRUCT_PLAIN] = functools.partial(
            peers.python_program, STRUCT_PLAIN, 'packets', 'struct-hashlib', **paths.WITHOUT_SHA
        )
    return found


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all contenders, interleaved."""
    with started(programs()) as workers:
        works = {name: functools.partial(worker.go, PACKETS) for name, worker in workers.items()}
        return take_turns(works, rounds)


def judge(values: Values) -> list[Row]:
    """The bars: as it comes here, and each vector against hashlib as it is on the machines that use that vector."""
    what = 'parse + id, batch'
    plain = STRUCT_PLAIN if paths.has_sha_instructions() else STRUCT
    rows = [in_turns(f'{what}, as it comes', values, OURS, STRUCT, 'cpu_us', 'us', at_most=AT_MOST)]
    for path, label in ((paths.AVX512, 'AVX-512'), (paths.AVX2, 'AVX2')):
        name = path_name(path)
        rows.append(in_turns(f'{what}, {label}', values, name, plain, 'cpu_us', 'us', at_most=AT_MOST))
    return rows


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
