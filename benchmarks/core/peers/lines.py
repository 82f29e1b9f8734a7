"""The Python end of the conversation between a benchmark and a contender; `c/common.h` is the C end.

A contender says ``{"port": N}`` when it is ready. For each line ``go N SECONDS`` it works on N packets, gives up after
SECONDS, and answers with how many there were and what it took. Between the lines it waits in a blocking read, so its
event loop stands still while its socket is filled.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable

FRAME_BYTES = 142 + 1024
AT_CLOCK, AT_NEXT_ID = 6, 78
# The same buffers for every contender; the kernel doubles them.
BUFFER = 4 * 1024 * 1024
# More than a frame may have, so that what is too long is seen as such.
ROOM = 2048

Work = Callable[[int, float], int]


def say(**values: object) -> None:
    """One line to the benchmark."""
    print(json.dumps(values), flush=True)


def converse(port: int, work: Work, cpu_ns: Callable[[], int] = time.process_time_ns) -> None:
    """Answer until the input ends.

    Args:
        port: where the contender receives; 0 where it only sends.
        work: ``work(packets, seconds)`` returns how many packets there were.
        cpu_ns: the clock of the work; by default all threads of the process count.
    """
    say(port=port)
    for line in iter(sys.stdin.readline, ''):
        _, packets, seconds = line.split()
        wall, cpu = time.monotonic_ns(), cpu_ns()
        done = work(int(packets), float(seconds))
        cpu, wall = cpu_ns() - cpu, time.monotonic_ns() - wall
        say(packets=done, cpu_ns=cpu, wall_ns=wall)


def bound() -> socket.socket:
    """A socket on 127.0.0.1 with large buffers."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    made.bind(('127.0.0.1', 0))
    return made


def frame(clock: int, index: int) -> bytes:
    """A Publish of the full length; the two numbers make it one of its own, and name a next fragment of its own."""
    numbers = clock.to_bytes(4, 'big') + index.to_bytes(4, 'big')
    head = bytes((5, 1)) + bytes(4) + numbers
    return (head.ljust(AT_NEXT_ID, b'\0') + numbers).ljust(FRAME_BYTES, b'\0')


def spin() -> None:
    """Keep the interpreter busy from now on, in a thread, as an app does that computes something in Python."""

    def forever() -> None:
        number = 0
        while True:
            number = (number * 3 + 1) % 1000003

    threading.Thread(target=forever, daemon=True).start()
