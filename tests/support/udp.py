"""What the tests of sockets share: an inbox for a loop's events, senders in other processes, what the kernel dropped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TypeVar

import socket_core
from socket_core._udp import Closed, Datagram, Dropped, Failed, Fired, Loop, UdpSocket, Writable

Event = Datagram | Writable | Failed | Dropped | Fired | Closed
Kind = TypeVar('Kind', Datagram, Writable, Failed, Dropped, Fired, Closed)

ROOT = Path(__file__).resolve().parent.parent.parent
# Long enough for a machine that does something else, too; nothing waits for it where all is well.
SECONDS = 10.0

# Sends argv[3] datagrams to argv[1]:argv[2], argv[4] a second (0: at once), each its number in 4 bytes and argv[5] in all.
SENDER = """
import socket, sys, time
host, port, count, rate, size = sys.argv[1], *map(int, sys.argv[2:6])
family = socket.AF_INET6 if ':' in host else socket.AF_INET
out = socket.socket(family, socket.SOCK_DGRAM)
out.connect((host, port))
rest = bytes(size - 4)
start = time.monotonic()
for number in range(count):
    out.send(number.to_bytes(4, 'big') + rest)
    if rate and not number % 40:
        ahead = start + number / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
"""


class Inbox:
    """What a loop has to tell, kept apart by kind until a test asks for it."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.events: dict[type[Event], list[Event]] = {}

    def pump(self, seconds: float = 0.0, limit: int = 1024) -> int:
        """Wait for at most ``seconds``, and take what is there: how many events."""
        if seconds:
            self.loop.wait(seconds)
        taken = self.loop.drain(limit)
        for event in taken:
            self.events.setdefault(type(event), []).append(event)
        return len(taken)

    def count(self, kind: type[Event]) -> int:
        """How many events of this kind wait here."""
        return len(self.events.get(kind, ()))

    def take(self, kind: type[Kind], count: int = 1, seconds: float = SECONDS) -> list[Kind]:
        """The next ``count`` events of a kind, waited for; an assertion says what came instead."""
        end = time.monotonic() + seconds
        while self.count(kind) < count:
            left = end - time.monotonic()
            assert left > 0, f'{self.count(kind)} of {count} {kind.__name__}; all that came: {self.summary()}'
            self.pump(min(left, 0.5))
        found = self.events[kind] if count else []
        self.events[kind] = found[count:]
        return found[:count]  # type: ignore[return-value]

    def datagrams(self, count: int, seconds: float = SECONDS) -> list[Datagram]:
        """The next ``count`` datagrams."""
        return self.take(Datagram, count, seconds)

    def datagram(self) -> Datagram:
        """The next datagram."""
        return self.datagrams(1)[0]

    def summary(self) -> dict[str, int]:
        """The number of events that wait here, by kind."""
        return {kind.__name__: len(events) for kind, events in self.events.items()}


def plain_socket(host: str = '127.0.0.1', port: int = 0) -> socket.socket:
    """A socket of the standard library, bound: the other side of a test."""
    other = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
    other.settimeout(SECONDS)
    other.bind((host, port))
    return other


def free_port(host: str = '127.0.0.1') -> int:
    """A port where nobody listens: of a socket that has just been closed."""
    with plain_socket(host) as other:
        return int(other.getsockname()[1])


def place(socket_: UdpSocket) -> tuple[str, int]:
    """Where a socket is bound, as a pair for the standard library."""
    return socket_.address.host, socket_.address.port


def start_sender(to: tuple[str, int], count: int, *, rate: int = 0, size: int = 1158) -> subprocess.Popen[bytes]:
    """A process of its own that sends numbered datagrams; the caller waits for it."""
    command = [sys.executable, '-c', SENDER, to[0], str(to[1]), str(count), str(rate), str(size)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def kernel_drops(port: int) -> int:
    """How many datagrams the kernel has dropped for want of room, at the sockets of a port (Linux)."""
    drops = 0
    for name in ('udp', 'udp6'):
        for line in Path(f'/proc/net/{name}').read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(':')[2], 16) == port:
                drops += int(fields[-1])
    return drops


def open_files() -> Counter[str]:
    """What this process has open, by kind: ``socket``, ``eventpoll``, ... (Linux)."""
    found: Counter[str] = Counter()
    for name in os.listdir('/proc/self/fd'):
        try:
            target = os.readlink(f'/proc/self/fd/{name}')
        except OSError:
            continue  # the one that lists them
        found[target.partition('[')[0] if target.startswith(('socket:', 'anon_inode:', 'pipe:')) else target] += 1
    return found


def resident_bytes() -> int:
    """The memory that this process holds (Linux)."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def environment() -> dict[str, str]:
    """For a process that shall find this core, whichever it is, and these tests."""
    core = Path(next(iter(socket_core.__path__))).parent
    found = {**os.environ, 'PYTHONPATH': f'{core}{os.pathsep}{ROOT}'}
    if is_sanitized():
        # Programs that end in the middle of things, and other people's, leave something: that is not what is tested.
        found['ASAN_OPTIONS'] = f'{found.get("ASAN_OPTIONS", "")}:detect_leaks=0'
        found['TSAN_OPTIONS'] = f'{found.get("TSAN_OPTIONS", "")}:die_after_fork=0'
    return found


def is_sanitized() -> bool:
    """Whether memory is not what it is otherwise, since a sanitizer keeps its own beside it."""
    return 'san.so' in os.environ.get('LD_PRELOAD', '')


def run_code(code: str, *arguments: str, seconds: float = 15.0) -> subprocess.CompletedProcess[str]:
    """Run a program of Python in a process of its own, with warnings as errors."""
    command = [sys.executable, '-W', 'error', '-X', 'faulthandler', '-c', code, *arguments]
    limit = seconds * (10 if is_sanitized() else 1)
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL
    )
