"""Sending: CPU time for each of 3,000 datagrams of 1,166 bytes to one port whose buffer has room for all of them.

The floor is `sendmmsg` in C, 64 at once. Ours gets lists of 64, as many as the floor's. CPU time includes what the
loopback interface does to put a datagram into the other socket's queue, which is most of it.

A socket that is watched for something to read pays for it with each datagram that it sends: the kernel asks the epoll
whether it waits for room. The floor is shown for a socket that only sends and for one that is watched, as ours and all
others are, since they receive as well.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping

from benchmarks import command
from benchmarks.bars import Row, Values, in_turns
from benchmarks.core import peers
from benchmarks.core.workers import PACKETS, Programs, Sinks, Worker, started, take_turns
from benchmarks.harness import BenchError

ROUNDS = 21

C = 'C sendmmsg'
C_WATCHED = 'C sendmmsg, watched'
OURS = 'ours, send_many'


def programs(port: str) -> Programs:
    """All contenders, sending to ``port``."""
    return {
        C: lambda: peers.c_program(C, 'send', port),
        C_WATCHED: lambda: peers.c_program(C_WATCHED, 'send', port, 'watched'),
        OURS: lambda: peers.python_program(OURS, 'ours', 'send', port),
        'ours, send_copies': lambda: peers.python_program('ours, send_copies', 'ours', 'send-copies', port),
        'ours, send_copies, GSO': lambda: peers.python_program(
            'ours, send_copies, GSO', 'ours', 'send-copies', port, '--gro'
        ),
        'C UDP_SEGMENT': lambda: peers.c_program('C UDP_SEGMENT', 'send', port, 'gso'),
        'socket.sendto': lambda: peers.python_program('socket.sendto', 'sockets', 'send', port),
        'uvloop': lambda: peers.python_program(
            'uvloop', 'asyncio_loop', 'uvloop', 'send', port, python=peers.uvloop_python()
        ),
        'pyuv try_send': lambda: peers.python_program(
            'pyuv try_send', 'pyuv_loop', 'send', port, python=peers.pyuv_python()
        ),
        'asyncio': lambda: peers.python_program('asyncio', 'asyncio_loop', 'asyncio', 'send', port),
        'node dgram': lambda: peers.node_program('node dgram', 'send', port),
    }


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all contenders, interleaved."""
    with Sinks() as sinks, started(programs(sinks.ports[0])) as workers:

        def work(worker: Worker) -> Mapping[str, float]:
            sinks.empty()
            found = worker.go(PACKETS)
            if (came := sinks.empty()) < PACKETS:
                raise BenchError(f'{worker.name}: only {came} of {PACKETS} packets arrived')
            return found

        return take_turns({name: functools.partial(work, worker) for name, worker in workers.items()}, rounds)


def judge(values: Values) -> list[Row]:
    """The bars."""
    return [
        in_turns('send many', values, OURS, C, 'cpu_us', 'us', at_most=1.05),
        in_turns('send many, both listening', values, OURS, C_WATCHED, 'cpu_us', 'us', at_most=1.05),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
