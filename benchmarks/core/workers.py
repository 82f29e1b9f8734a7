"""Contenders in processes of their own, what they are fed with, and where what they send ends up.

Each contender is a program that answers lines (`peers/lines.py`, `peers/c/common.h`), so that its CPU time is its own
and a C loop, node and an interpreter with other packages are asked in the same way. All are started once and are alive
for the whole run; they take turns, and wait in a blocking read in between.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from benchmarks.core.peers.lines import AT_CLOCK, AT_NEXT_ID, BUFFER, FRAME_BYTES, ROOM, frame
from benchmarks.harness import ROOT, BenchError, Program, interleave, wait_until_idle

# How long a contender may take to start, and how long it may be silent beyond the time that its work was given, in s.
START_TIMEOUT = 30.0
SPARE = 10.0
# How long a contender waits for packets that are all queued already, in seconds.
PATIENCE = 3.0
# As many as its buffer takes with room to spare: the kernel counts 2,304 bytes for each of 1,166.
PACKETS = 3000

# A name of a contender and how to make it: raises BenchError where this machine cannot have it.
Programs = Mapping[str, Callable[[], Program]]


def environment(program: Program) -> dict[str, str]:
    """What a contender gets: ours, this tree before all else that is installed, and what it asks for."""
    return {**os.environ, 'PYTHONPATH': f'{ROOT / "src"}{os.pathsep}{ROOT}', **program.env}


class Worker:
    """A contender that has started.

    Attributes:
        port: where it receives on 127.0.0.1.

    Raises:
        BenchError: it did not start.
    """

    def __init__(self, program: Program) -> None:
        self.name = program.name
        self._errors = tempfile.TemporaryFile()
        self._rest = b''
        try:
            self._process = subprocess.Popen(
                program.argv,
                env=environment(program),
                cwd=program.cwd,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
            )
        except OSError as error:
            self._errors.close()
            raise BenchError(f'{program.argv[0]}: {error.strerror}') from error
        try:
            self.port: int = self._answer(START_TIMEOUT)['port']
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def begin(self, packets: int, seconds: float = PATIENCE) -> None:
        """Let it work on so many packets, for so long at most."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f'go {packets} {seconds}\n'.encode())
        except BrokenPipeError:
            raise BenchError(f'{self.name} ended{self._complaint()}') from None

    def end(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """What it says about the work that it was told to begin.

        Raises:
            BenchError: it ended or is silent.
        """
        return self._answer(seconds + SPARE)

    def go(self, packets: int, seconds: float = PATIENCE) -> dict[str, float]:
        """Both: microseconds of CPU time for each packet, and thousands of packets in a second of the wall clock.

        Raises:
            BenchError: it did not work on all of them.
        """
        self.begin(packets, seconds)
        found = self.end(seconds)
        if found['packets'] < packets:
            raise BenchError(f'{self.name}: {found["packets"]} of {packets} packets')
        done = found['packets']
        return {'cpu_us': found['cpu_ns'] / done / 1e3, 'kpps': done / found['wall_ns'] * 1e6}

    def _answer(self, timeout: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        end = time.monotonic() + timeout
        while b'\n' not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise BenchError(f'{self.name} is silent{self._complaint()}')
            if not (found := self._process.stdout.read(4096)):
                raise BenchError(f'{self.name} ended ({self._process.wait(10)}){self._complaint()}')
            self._rest += found
        line, self._rest = self._rest.split(b'\n', 1)
        value: dict[str, Any] = json.loads(line)
        return value

    def _complaint(self) -> str:
        self._errors.seek(0)
        said = self._errors.read().decode('utf-8', 'replace').strip().splitlines()[-3:]
        return ''.join(f'\n    {line}' for line in said)

    def stop(self) -> None:
        """End it: by the end of its input, or by force."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._errors.close()


@contextlib.contextmanager
def started(programs: Programs) -> Iterator[dict[str, Worker]]:
    """Those contenders that this machine can have, started; the others are named with the reason."""
    with contextlib.ExitStack() as stack:
        found = {}
        for name, make in programs.items():
            try:
                found[name] = stack.enter_context(Worker(make()))
            except BenchError as error:
                print(f'{name}: left out: {error}', file=sys.stderr)
        yield found


class Feeder:
    """Fills the sockets of contenders with frames, a new set for each round."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self._frame = bytearray(frame(0, 0))
        self.round = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def fill(self, port: int, packets: int = PACKETS) -> None:
        """Queue frames that were never seen before, one datagram each."""
        self.round += 1
        pack, data, clock = struct.Struct('>II').pack_into, self._frame, self.round
        self._socket.connect(('127.0.0.1', port))
        send = self._socket.send
        for index in range(packets):
            pack(data, AT_CLOCK, clock, index)
            pack(data, AT_NEXT_ID, clock, index)
            send(data)

    def fill_by_segments(self, port: int, packets: int = PACKETS) -> None:
        """Queue frames that travel 56 together until the receiver has them (UDP_SEGMENT)."""
        segment_option, together = 103, 56
        block = frame(0, 0) * together
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.setsockopt(socket.IPPROTO_UDP, segment_option, FRAME_BYTES)
            own.connect(('127.0.0.1', port))
            for left in range(packets, 0, -together):
                own.send(block[: min(left, together) * FRAME_BYTES])


class Sinks:
    """Sockets with room for what contenders send; nobody reads along meanwhile."""

    def __init__(self, count: int = 1) -> None:
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for sink in self.sockets:
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            sink.bind(('127.0.0.1', 0))
            sink.setblocking(False)
        self.ports: list[str] = [str(sink.getsockname()[1]) for sink in self.sockets]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sink in self.sockets:
            sink.close()

    def empty(self) -> int:
        """Throw away what has come; how many datagrams there were."""
        buffer, count = bytearray(ROOM), 0
        for sink in self.sockets:
            with contextlib.suppress(BlockingIOError):
                while True:
                    sink.recv_into(buffer)
                    count += 1
        return count


def take_turns(
    works: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int, warm_up: int = 2
) -> dict[str, dict[str, list[float]]]:
    """Rounds of all contenders, each round beginning with another one. Waits once for a quiet machine."""
    wait_until_idle()
    return interleave(works, rounds, warm_up, when_idle=False)
