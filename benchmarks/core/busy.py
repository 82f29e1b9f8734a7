"""Delivery while Python is busy: 40,000 packets a second for two seconds, and a thread that computes in Python.

The sender is a process of its own that sends a small burst each millisecond. A contender's share is what its Python
side was handed; for `ours, no GIL` it is what the relay has seen. Where the sender itself could not keep its pace, the
round says nothing and is left out.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping

from benchmarks import command
from benchmarks.bars import Row, Values, absolute, middle
from benchmarks.core import peers
from benchmarks.core.workers import Programs, Worker, started, take_turns
from benchmarks.harness import BenchError

ROUNDS = 3
RATE = 40_000
SECONDS = 2.0
# What the sender must have reached of its rate for a round to count.
STEADY = 0.95
ATTEMPTS = 3

OURS = 'ours, batches'
NO_GIL = 'ours, no GIL'

PROGRAMS: Programs = {
    OURS: lambda: peers.python_program(OURS, 'ours', 'counted', '--spin'),
    NO_GIL: lambda: peers.python_program(NO_GIL, 'ours', 'count', '--spin'),
    'socket.recvfrom': lambda: peers.python_program('socket.recvfrom', 'sockets', 'receive', '--spin'),
    'asyncio, add_reader': lambda: peers.python_program(
        'asyncio, add_reader', 'asyncio_loop', 'asyncio', 'reader', '--spin'
    ),
    'asyncio': lambda: peers.python_program('asyncio', 'asyncio_loop', 'asyncio', 'stock', '--spin'),
    'uvloop': lambda: peers.python_program(
        'uvloop', 'asyncio_loop', 'uvloop', 'stock', '--spin', python=peers.uvloop_python()
    ),
}


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all contenders, interleaved."""
    with started(PROGRAMS) as workers:

        def sender_to(worker: Worker) -> Programs:
            return {'pace': lambda: peers.c_program('pace', 'pace', str(worker.port), str(RATE))}

        def work(worker: Worker) -> Mapping[str, float]:
            packets, rate = int(RATE * SECONDS), 0.0
            for _ in range(ATTEMPTS):
                with started(sender_to(worker)) as senders:
                    worker.begin(packets, SECONDS + 1)
                    senders['pace'].begin(packets)
                    sent = senders['pace'].end(SECONDS * 3)
                    found = worker.end(SECONDS)
                rate = packets / sent['wall_ns'] * 1e9
                if rate >= STEADY * RATE:
                    return {'delivered': 100 * found['packets'] / packets, 'offered_per_s': rate}
            raise BenchError(f'the sender reached {rate:,.0f} packets/s only')

        works = {name: functools.partial(work, worker) for name, worker in workers.items()}
        return take_turns(works, rounds, warm_up=0)


def judge(values: Values) -> list[Row]:
    """The bars."""
    worst = {name: {key: [min(found)] for key, found in one.items()} for name, one in values.items()}
    found = middle(worst, OURS, 'delivered')
    return [absolute('40,000 packets/s, Python busy, worst round', found, '%', at_least=100)]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
