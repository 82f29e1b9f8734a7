"""Start programs on a display of their own, read their lines, weigh their processes, and stop them.

Everything here is the same for our side and for every peer: the same display, the same environment, the
same clock, the same way of counting memory. Only processes that were started here are ever ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import queue
import re
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build'
PEERS = BUILD / 'peers'

# The environment variable by which a started program's processes are found again, wherever they hang.
MARK = 'BENCH_RUN'
# How long a program may take to say what it was started for, in seconds.
LINE_TIMEOUT = 60.0
# How long a hello world rests before it is weighed, in seconds: the engine frees and starts things until then.
SETTLE = 5.0
# How long a program that is to be weighed waits for foreign webviews to go, in seconds. They share the engine's pages,
# so they make every proportional share smaller than it is.
ALONE_TIMEOUT = 60.0

# The machine counts as idle below this share of busy processors, and a start is put off until then, in seconds.
IDLE_SHARE = 0.15
IDLE_TIMEOUT = 15.0

_ENGINE = re.compile(r'^WebKit')


class BenchError(Exception):
    """A program under test did not start, did not answer, or a peer could not be made."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command line to start.

    Attributes:
        name: how the table calls it.
        argv: the command.
        env: additions to the environment.
        cwd: where it runs.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = ROOT

    def also(self, name: str, **env: str) -> Program:
        """The same program under another name with more environment."""
        return Program(name, self.argv, {**self.env, **env}, self.cwd)


class Display:
    """An X server without a screen, a session bus and a home folder, for one run of a benchmark.

    The bus is there as on a desktop, so that GTK does not start one for each program, to be weighed with it. The
    home is kept for the run, so that caches (shaders, fonts) are warm for everybody after the first round; each
    start has a temporary folder of its own, because the original leaves a lock there when it is ended.
    """

    def __init__(self, width: int = 1280, height: int = 800) -> None:
        self._size = f'{width}x{height}x24'
        self._mark = secrets.token_hex(8)
        self._servers: list[subprocess.Popen[bytes]] = []
        self.name = ''
        self.bus = ''
        self.home = Path()

    def __enter__(self) -> Self:
        if shutil.which('Xvfb') is None:
            raise BenchError('Xvfb is missing: apt-get install xvfb')
        self.home = Path(tempfile.mkdtemp(prefix='bench-home-'))
        try:
            self.name = ':' + self._serve('Xvfb', '-displayfd', '{fd}', '-screen', '0', self._size, '-nolisten', 'tcp')
            if shutil.which('dbus-daemon'):
                self.bus = self._serve('dbus-daemon', '--session', '--nofork', '--nopidfile', '--print-address={fd}')
        except BaseException:
            self.close()
            raise
        return self

    def _serve(self, *argv: str) -> str:
        """Start a server of this display and return the line that it writes to ``{fd}`` when it is ready."""
        read, write = os.pipe()
        server = subprocess.Popen(
            [word.format(fd=write) for word in argv],
            pass_fds=(write,),
            stderr=subprocess.DEVNULL,
            env=self.environment(self.home) | {MARK: self._mark},
        )
        self._servers.append(server)
        os.close(write)
        with os.fdopen(read, 'rb') as pipe:
            line = pipe.readline().decode('ascii').strip()
        if not line:
            raise BenchError(f'{argv[0]} did not start')
        return line

    def close(self) -> None:
        """End the servers, and what the bus has started."""
        end(self._mark)
        for server in self._servers:
            server.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def environment(self, temporary: Path) -> dict[str, str]:
        """What every program gets: this display, this home, no session bus, no desktop of the user."""
        env = {name: os.environ[name] for name in ('PATH', 'LANG', 'LC_ALL') if name in os.environ}
        env |= {
            'DISPLAY': self.name,
            'GDK_BACKEND': 'x11',
            'HOME': str(self.home),
            'TMPDIR': str(temporary),
            'XDG_RUNTIME_DIR': str(temporary),
            'DBUS_SESSION_BUS_ADDRESS': self.bus or 'disabled:',
            'PYTHONPATH': str(ROOT / 'src'),
        }
        return env


class Running:
    """A started program.

    Attributes:
        started: the wall clock in ms, just before it was started.
        mark: what its processes carry in their environment.
    """

    def __init__(self, program: Program, display: Display) -> None:
        self.program = program
        self._temporary = Path(tempfile.mkdtemp(prefix='bench-run-'))
        self.mark = secrets.token_hex(8)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._said: list[str] = []
        env = display.environment(self._temporary) | dict(program.env) | {MARK: self.mark}
        self._log = (self._temporary / 'stderr').open('w+b')
        self.started = time.time() * 1000
        self.process = subprocess.Popen(
            program.argv,
            env=env,
            cwd=program.cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line.decode('utf-8', 'replace').rstrip())
        self._lines.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def line(self, word: str, timeout: float = LINE_TIMEOUT) -> str:
        """What stands after ``word`` in the next line of standard output that has it.

        Raises:
            BenchError: the program ended or stayed silent for ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise BenchError(f'{self.program.name} ended ({self.process.wait(10)}){self.complaint()}')
            self._said.append(line)
            if (at := line.find(word + ' ')) >= 0:
                return line[at + len(word) + 1 :]
        raise BenchError(f'{self.program.name} did not say {word} in {timeout:.0f} s{self.complaint()}')

    def tell(self, line: str) -> None:
        """Write one line to the program's standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()

    def complaint(self) -> str:
        """The end of what the program wrote, for the message of a failure."""
        self._log.flush()
        self._log.seek(0)
        said = self._said[-5:] + self._log.read().decode('utf-8', 'replace').strip().splitlines()[-10:]
        return ''.join(f'\n    {line}' for line in said)

    def milliseconds_to(self, word: str = 'DCL') -> float:
        """From start to the page's own clock in the line ``word <ms since the epoch>``."""
        return float(self.line(word).split()[0]) - self.started

    def result(self, timeout: float = LINE_TIMEOUT) -> dict[str, Any]:
        """The JSON object of the line ``BENCH {...}``."""
        value: dict[str, Any] = json.loads(self.line('BENCH', timeout))
        if 'error' in value:
            raise BenchError(f'{self.program.name}: {value["error"]}{self.complaint()}')
        return value

    def processes(self) -> list[int]:
        """All processes of this program: its children's children, and those that carry its mark."""
        return sorted(set(descendants(self.process.pid)) | set(marked(self.mark)))

    def stop(self) -> None:
        """End the program and all its processes, by their ids."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
        end(self.mark)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(5)
        for stream in (self.process.stdin, self._log):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        shutil.rmtree(self._temporary, ignore_errors=True)


# -- processes and memory ---------------------------------------------------------------------------------------


def _pids() -> Iterator[int]:
    for name in os.listdir('/proc'):
        if name.isdigit():
            yield int(name)


def _parent(pid: int) -> int:
    # The name may hold spaces and brackets; the fields count from the last bracket.
    text = Path(f'/proc/{pid}/stat').read_text('utf-8', 'replace')
    return int(text[text.rindex(')') + 2 :].split()[1])


def descendants(pid: int) -> list[int]:
    """``pid`` and all processes below it that live now."""
    children: dict[int, list[int]] = {}
    for other in _pids():
        with contextlib.suppress(OSError, ValueError):
            children.setdefault(_parent(other), []).append(other)
    found, queue_ = [], [pid]
    while queue_:
        found.append(current := queue_.pop())
        queue_ += children.get(current, [])
    return found


def marked(mark: str) -> list[int]:
    """All living processes whose environment carries ``mark``."""
    needle, found = f'{MARK}={mark}'.encode(), []
    for pid in _pids():
        with contextlib.suppress(OSError):
            if needle in Path(f'/proc/{pid}/environ').read_bytes().split(b'\0'):
                found.append(pid)
    return found


def end(mark: str) -> None:
    """End all processes that carry ``mark``: first asked, then made to."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for pid in marked(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        for _ in range(40):
            if not marked(mark):
                return
            time.sleep(0.05)


def name_of(pid: int) -> str:
    """The short name of a process, empty where it is gone."""
    with contextlib.suppress(OSError):
        return Path(f'/proc/{pid}/comm').read_text('utf-8').strip()
    return ''


def count_named(name: str) -> int:
    """How many processes of this name live."""
    return sum(1 for pid in _pids() if name_of(pid) == name)


def neighbours(ours: Iterable[int]) -> int:
    """How many processes of a web engine live that are not ``ours``."""
    mine = set(ours)
    return sum(1 for pid in _pids() if pid not in mine and _ENGINE.match(name_of(pid)))


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in MB (10^6 bytes): proportional, unshared and resident."""

    pss: float
    uss: float
    rss: float

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.pss + other.pss, self.uss + other.uss, self.rss + other.rss)


def memory(pid: int) -> Memory:
    """The memory of one process, from ``/proc/PID/smaps_rollup``.

    Raises:
        OSError: the process is gone, or is not ours to look at.
    """
    values: dict[str, int] = {}
    for line in Path(f'/proc/{pid}/smaps_rollup').read_text('ascii').splitlines()[1:]:
        name, amount = line.split(':')
        values[name] = int(amount.split()[0]) * 1024
    unshared = values['Private_Clean'] + values['Private_Dirty']
    return Memory(values['Pss'] / 1e6, unshared / 1e6, values['Rss'] / 1e6)


# Bits of an entry of /proc/PID/pagemap: the page is in memory; the number of its frame. As many entries at a time as
# cover 512 MB of addresses: the engine reserves many GB that it does not use.
_PRESENT = 1 << 63
_FRAME = (1 << 55) - 1
_ENTRIES = 1 << 17
_PAGE = os.sysconf('SC_PAGE_SIZE')
_MAPPING = re.compile(r'([0-9a-f]+)-([0-9a-f]+) ')


def _frames(pid: int) -> set[int]:
    """The frames of all pages that a process has in memory."""
    found: set[int] = set()
    start = end = 0
    with (
        open(f'/proc/{pid}/smaps', encoding='utf-8', errors='replace') as smaps,
        open(f'/proc/{pid}/pagemap', 'rb') as pages,
    ):
        for line in smaps:
            if match := _MAPPING.match(line):
                start, end = int(match[1], 16), int(match[2], 16)
            elif line.startswith('Rss:') and line.split()[1] != '0':
                for at in range(start // _PAGE, end // _PAGE, _ENTRIES):
                    count = min(_ENTRIES, end // _PAGE - at)
                    if at >= 1 << 52:  # the kernel's own page in every process
                        break
                    data = os.pread(pages.fileno(), count * 8, at * 8)
                    if data.count(0) < len(data):
                        found.update(entry & _FRAME for entry in array('Q', data) if entry & _PRESENT)
    return found


def memory_counted_once(pids: Iterable[int]) -> float | None:
    """MB of all pages of these processes together, each counted once, whoever else maps it.

    Unlike PSS it does not depend on what else runs. Only root may ask; ``None`` for others.
    """
    frames: set[int] = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            try:
                frames |= _frames(pid)
            except PermissionError:
                return None
    frames.discard(0)  # others than root are shown zeros
    return len(frames) * _PAGE / 1e6 if frames else None


@dataclass(frozen=True, slots=True)
class Weight:
    """What a program weighs.

    Attributes:
        total: all its processes.
        main: the first of them.
        once: all pages in MB, each counted once; ``None`` where only root might tell.
        parts: the PSS by the name of the process.
        neighbours: how many foreign processes of a web engine ran meanwhile.
    """

    total: Memory
    main: Memory
    once: float | None
    parts: dict[str, float]
    neighbours: int


def weigh(running: Running) -> Weight:
    """Add up the memory of all processes of a running program."""
    total, main = Memory(0, 0, 0), Memory(0, 0, 0)
    parts: dict[str, float] = {}
    pids = running.processes()
    for pid in pids:
        with contextlib.suppress(OSError):
            one = memory(pid)
            total += one
            main = one if pid == running.process.pid else main
            name = name_of(pid)
            parts[name] = round(parts.get(name, 0) + one.pss, 1)
    return Weight(total, main, memory_counted_once(pids), parts, neighbours(pids))


def wait_until_alone(running: Running, timeout: float = ALONE_TIMEOUT) -> bool:
    """Wait for a moment in which no other web engine runs on this machine; whether there was one."""
    end = time.monotonic() + timeout
    while neighbours(running.processes()):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _processor_ticks() -> tuple[int, int]:
    fields = Path('/proc/stat').read_text('ascii').splitlines()[0].split()[1:9]
    ticks = [int(field) for field in fields]
    return sum(ticks), ticks[3] + ticks[4]  # all, and idle with waiting for disks


def busy_share(seconds: float = 0.5) -> float:
    """Which share of all processors was busy during the next ``seconds``."""
    total, idle = _processor_ticks()
    time.sleep(seconds)
    now_total, now_idle = _processor_ticks()
    return 1 - (now_idle - idle) / max(1, now_total - total)


def wait_until_idle(timeout: float = IDLE_TIMEOUT) -> bool:
    """Wait until others leave the machine alone; whether they did."""
    end = time.monotonic() + timeout
    while busy_share() > IDLE_SHARE:
        if time.monotonic() > end:
            return False
    return True


# -- numbers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Summary:
    """The median of ``n`` values with the least and the greatest."""

    median: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f'{figure(self.median)} [{figure(self.low)}-{figure(self.high)}]'


def summary(values: Sequence[float]) -> Summary:
    """Median, least, greatest and count.

    Raises:
        BenchError: there are no values.
    """
    if not values:
        raise BenchError('nothing was measured')
    return Summary(statistics.median(values), min(values), max(values), len(values))


def figure(value: float) -> str:
    """A number with three digits that matter, and separators from a thousand on."""
    if abs(value) >= 1000:
        return f'{value:,.0f}'
    return f'{value:.0f}' if abs(value) >= 100 else f'{value:.3g}'


def interleave(
    works: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int, warm_up: int = 0, *, when_idle: bool = True
) -> dict[str, dict[str, list[float]]]:
    """Run each work once a round, one round after another, each round beginning with the next work.

    A slow moment of the machine meets everybody then, and nothing starts while others keep it busy (``when_idle``;
    said so where they did not stop). ``warm_up`` rounds come first and are thrown away. A work that fails is said so,
    once, and left out of the results: the others still count.

    Returns:
        name of the work -> name of the value -> one value for each round.
    """
    results: dict[str, dict[str, list[float]]] = {}
    failed: set[str] = set()
    disturbed = 0
    names = list(works)
    for turn in range(warm_up + rounds):
        at = turn % len(names)
        for name in names[at:] + names[:at]:
            if name in failed:
                continue
            if when_idle and not wait_until_idle():
                disturbed += 1
            try:
                found = works[name]()
            except BenchError as error:
                failed.add(name)
                print(f'{name}: left out: {error}', file=sys.stderr)
                continue
            if turn >= warm_up:
                for key, value in found.items():
                    results.setdefault(name, {}).setdefault(key, []).append(float(value))
    if disturbed:
        print(f'{disturbed} of {len(names) * (warm_up + rounds)} starts: the machine was busy', file=sys.stderr)
    return {name: results[name] for name in names if name in results and name not in failed}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, its columns as wide as they need to be; all but the first stand to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for row in cells:
        padded = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append('| ' + ' | '.join(padded) + ' |')
    rule = ['-' * w if i == 0 else '-' * (w - 1) + ':' for i, w in enumerate(widths)]
    lines.insert(1, '| ' + ' | '.join(rule) + ' |')
    return '\n'.join(lines)


# -- the machine ------------------------------------------------------------------------------------------------


def _first(pattern: str, path: str) -> str:
    with contextlib.suppress(OSError):
        if match := re.search(pattern, Path(path).read_text('utf-8', 'replace'), re.MULTILINE):
            return match[1].strip()
    return 'unknown'


def _output(*argv: str) -> str:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    return 'unknown'


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    memory_kb = _first(r'^MemTotal:\s+(\d+)', '/proc/meminfo')
    return {
        'cpu': _first(r'^model name\s*:\s*(.+)$', '/proc/cpuinfo'),
        'cores': str(os.cpu_count()),
        'memory': f'{int(memory_kb) / 1e6:.1f} GB' if memory_kb.isdigit() else memory_kb,
        'kernel': platform.release(),
        'system': _first(r'^PRETTY_NAME="?([^"\n]+)', '/etc/os-release'),
        'python': platform.python_version(),
        'webkitgtk': _output('pkg-config', '--modversion', 'webkit2gtk-4.1'),
        'gtk': _output('pkg-config', '--modversion', 'gtk+-3.0'),
        'load': ' '.join(f'{value:.2f}' for value in os.getloadavg()),
    }


def save(path: str | os.PathLike[str], data: object) -> None:
    """Write results as JSON."""
    Path(path).write_text(json.dumps(data, indent=2, sort_keys=True) + '\n', 'utf-8')
