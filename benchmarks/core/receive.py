"""Receiving: CPU time for each of 3,000 datagrams of 1,166 bytes that are queued in the socket before it is read.

The floor is `recvmmsg` in C, 64 at once, which does nothing with what comes. `ours, no GIL` is the loop's thread with
a relay that checks each frame and drops it; `ours, batches` hands them to Python through the ring, and all threads
count. The others give Python (or JavaScript) one call for each datagram. On the loopback interface nothing is joined
(GRO) unless the sender had it split by the kernel (GSO), which only two rows do.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping

from benchmarks import command
from benchmarks.bars import Row, Values, in_turns
from benchmarks.core import peers
from benchmarks.core.workers import PACKETS, Feeder, Programs, Worker, started, take_turns

ROUNDS = 21

C = 'C recvmmsg'
C_GRO = 'C recvmmsg, GRO'
OURS = 'ours, no GIL'
OURS_GRO = 'ours, no GIL, GRO'
BATCHES = 'ours, batches'
UVLOOP = 'uvloop'
ASYNCIO = 'asyncio'

PROGRAMS: Programs = {
    C: lambda: peers.c_program(C, 'receive'),
    OURS: lambda: peers.python_program(OURS, 'ours', 'count'),
    BATCHES: lambda: peers.python_program(BATCHES, 'ours', 'batches'),
    'ours, batches, bytes read': lambda: peers.python_program('ours, batches, bytes read', 'ours', 'read'),
    'ours, by asyncio': lambda: peers.python_program('ours, by asyncio', 'ours', 'asyncio'),
    'socket.recv_into': lambda: peers.python_program('socket.recv_into', 'sockets', 'receive-into'),
    'socket.recvfrom': lambda: peers.python_program('socket.recvfrom', 'sockets', 'receive'),
    UVLOOP: lambda: peers.python_program(UVLOOP, 'asyncio_loop', 'uvloop', 'stock', python=peers.uvloop_python()),
    'pyuv': lambda: peers.python_program('pyuv', 'pyuv_loop', 'receive', python=peers.pyuv_python()),
    'asyncio, add_reader': lambda: peers.python_program('asyncio, add_reader', 'asyncio_loop', 'asyncio', 'reader'),
    'asyncio, max_size=2048': lambda: peers.python_program(
        'asyncio, max_size=2048', 'asyncio_loop', 'asyncio', 'small'
    ),
    ASYNCIO: lambda: peers.python_program(ASYNCIO, 'asyncio_loop', 'asyncio', 'stock'),
    'node dgram': lambda: peers.node_program('node dgram', 'receive'),
    C_GRO: lambda: peers.c_program(C_GRO, 'receive', 'gro'),
    OURS_GRO: lambda: peers.python_program(OURS_GRO, 'ours', 'count', '--gro'),
}


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all contenders, interleaved."""
    with Feeder() as feeder, started(PROGRAMS) as workers:

        def work(worker: Worker, fill: Callable[[int], None]) -> Mapping[str, float]:
            fill(worker.port)
            return worker.go(PACKETS)

        fills = {name: feeder.fill_by_segments if name in (C_GRO, OURS_GRO) else feeder.fill for name in workers}
        works = {name: functools.partial(work, worker, fills[name]) for name, worker in workers.items()}
        return take_turns(works, rounds)


def judge(values: Values) -> list[Row]:
    """The bars."""
    return [
        in_turns('receive, no GIL', values, OURS, C, 'cpu_us', 'us', at_most=1.10),
        in_turns('batches handed to Python', values, BATCHES, C, 'cpu_us', 'us', at_most=1.4),
        in_turns('batches handed to Python', values, BATCHES, UVLOOP, 'cpu_us', 'us', at_least=2),
        in_turns('batches handed to Python', values, BATCHES, ASYNCIO, 'cpu_us', 'us', at_least=10),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
