"""The relay's hot way: receive, check, SHA-256, seen?, cache, and on to three of sixteen peers. CPU time a packet.

3,000 new frames of 1,166 bytes are queued before each turn, and the caches are full: each packet evicts another. The
yardstick in Python is what a good programmer writes by hand with sockets and hashlib (`peers/python_relay.py`). The
floor in C does only the system calls and the hashing, by the core's own code and in the same way as ours
(`peers/c/relay_floor.c`); `openssl` is the same with OpenSSL's, one frame after another.

Each way of hashing that this processor has is measured. hashlib is measured as it comes, and without the processor's
SHA instructions, as it is on processors that have none (see `paths.py`).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping

from benchmarks import command
from benchmarks.bars import Row, Values, in_turns
from benchmarks.core import paths, peers
from benchmarks.core.workers import PACKETS, Feeder, Programs, Sinks, Worker, started, take_turns
from benchmarks.harness import BenchError, Program

ROUNDS = 15
# Until every cache is full, and evicts.
WARM_UP = 6
PEERS = 16
COPIES = 3

AUTO = 'auto'
PYTHON = 'sockets + hashlib'
PYTHON_PLAIN = 'sockets + hashlib without SHA instructions'
OPENSSL = 'openssl'


def ours(path: str, forward: bool) -> str:
    """How the tables call our side."""
    return f'ours, {path}{", forward" if forward else ""}'


def floor(path: str, forward: bool) -> str:
    """How the tables call the floor."""
    return f'C, {path}{", forward" if forward else ""}'


def _python(name: str, forward: bool) -> str:
    return f'{name}, forward' if forward else name


def programs(ports: list[str], forward: bool) -> Programs:
    """All contenders, which send to ``ports`` where they forward."""
    targets = tuple(ports) if forward else ()
    found: dict[str, Callable[[], Program]] = {}
    for path in (AUTO, *paths.core_paths()):
        found[ours(path, forward)] = functools.partial(_ours, path, forward, targets)
        found[floor(path, forward)] = functools.partial(
            peers.c_program, floor(path, forward), 'relay_floor', path, *targets
        )
    name = floor(OPENSSL, forward)
    found[name] = functools.partial(peers.c_program, name, 'relay_floor', OPENSSL, *targets)
    name = _python(PYTHON, forward)
    found[name] = functools.partial(peers.python_program, name, 'sockets', 'relay', *targets)
    if paths.has_sha_instructions():
        name = _python(PYTHON_PLAIN, forward)
        found[name] = functools.partial(peers.python_program, name, 'sockets', 'relay', *targets, **paths.WITHOUT_SHA)
    name = _python('uvloop', forward)
    found[name] = functools.partial(_uvloop, name, targets)
    return found


def _ours(path: str, forward: bool, targets: tuple[str, ...]) -> Program:
    way = () if path == AUTO else ('--path', path)
    return peers.python_program(ours(path, forward), 'ours', 'relay', *targets, *way)


def _uvloop(name: str, targets: tuple[str, ...]) -> Program:
    python = peers.uvloop_python()
    return peers.python_program(name, 'asyncio_loop', 'uvloop', 'relay', *targets, python=python)


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all contenders, interleaved: first without forwarding, then with it."""
    values: dict[str, dict[str, list[float]]] = {}
    for forward in (False, True):
        with Sinks(PEERS) as sinks, Feeder() as feeder, started(programs(sinks.ports, forward)) as workers:

            def work(
                worker: Worker, expected: int, feeder: Feeder = feeder, sinks: Sinks = sinks
            ) -> Mapping[str, float]:
                feeder.fill(worker.port)
                found = worker.go(PACKETS)
                if (came := sinks.empty()) != expected:
                    raise BenchError(f'{worker.name}: sent {came} copies of {PACKETS} packets')
                return found

            expected = PACKETS * COPIES if forward else 0
            works = {name: functools.partial(work, worker, expected) for name, worker in workers.items()}
            values |= take_turns(works, rounds, WARM_UP)
    return values


def judge(values: Values) -> list[Row]:
    """The bars, for each sort of machine that can be shown here.

    They were set where hashlib had no SHA instructions. AVX-512 is shown against hashlib with them, too, because the
    core takes AVX-512 even where there are both; AVX2 it takes only where there are none.
    """
    what = 'receive, check, hash, dedupe, cache'
    with_sha = paths.has_sha_instructions()
    plain = PYTHON_PLAIN if with_sha else PYTHON
    asked = [(paths.AVX512, 'AVX-512', plain, 4.0), (paths.AVX2, 'AVX2', plain, 3.5)]
    if with_sha:
        asked.insert(0, (paths.AVX512, 'AVX-512', PYTHON, 4.0))
    rows = [
        in_turns(f'{what}: {label}', values, ours(path, False), peer, 'cpu_us', 'us', at_least=times)
        for path, label, peer, times in asked
    ]
    for path in (AUTO, paths.AVX512, paths.AVX2):
        name, peer = ours(path, True), floor(path, True)
        rows.append(in_turns('the same, on to 3 peers', values, name, peer, 'cpu_us', 'us', at_most=1.25))
    return rows


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
