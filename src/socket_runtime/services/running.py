"""A program while it runs. Imported at the first one, since ``subprocess`` is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import IO

from socket_runtime.errors import Aborted
from socket_runtime.ipc.command import Call
from socket_runtime.services.fs.failure import failing
from socket_runtime.services.process import Plan

__all__ = ['Running']

CHUNK = 65536  # bytes
MAX_WAITING = 16  # B6: chunks that wait for the page; then the program waits
KILL_GRACE = 2.0  # seconds between asking a program to end and ending it
QUIET = 0.5  # seconds that a pipe may stay silent after the program's end, held open by what it left behind
TICK = 0.25  # seconds between two looks at a silent program


class Running:
    """Starts the program.

    Args:
        plan: what to run; its folder is closed here.
        call: whose cancelling ends the program.
        timeout: seconds.

    Raises:
        CommandFailed: it cannot be started.
    """

    def __init__(self, plan: Plan, call: Call, timeout: float | None = None) -> None:
        self._call = call
        self._deadline = time.monotonic() + timeout if timeout else None
        self._changed = threading.Condition()
        self._items: deque[tuple[str, bytes]] = deque()
        self._closed = False
        try:
            with failing('spawn', plan.command):
                self._popen = self._start(plan)
        finally:
            plan.folder.close()
        self._readers = 2
        for name, pipe in (('stdout', self._popen.stdout), ('stderr', self._popen.stderr)):
            assert pipe is not None  # both were asked for
            threading.Thread(target=self._read, args=(name, pipe), name='socket-spawn', daemon=True).start()
        if self._popen.stdin is not None:
            given = (self._popen.stdin, plan.stdin)
            threading.Thread(target=_feed, args=given, name='socket-spawn', daemon=True).start()
        self._forget = call.on_cancel(self._notify)

    @staticmethod
    def _start(plan: Plan) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [plan.program, *plan.arguments],
            executable=plan.program,
            stdin=subprocess.PIPE if plan.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=_path_of(plan),
            env=plan.env,
            start_new_session=True,
            creationflags=getattr(subprocess, 'CREATE_NO_WINDOW', 0),
        )

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _read(self, name: str, pipe: IO[bytes]) -> None:
        fd = pipe.fileno()
        try:
            while not self._closed:
                if not _readable(fd):
                    continue
                data = os.read(fd, CHUNK)
                if not data:
                    return
                with self._changed:
                    while len(self._items) >= MAX_WAITING and not self._closed:
                        self._changed.wait()
                    self._items.append((name, data))
                    self._changed.notify_all()
        finally:
            pipe.close()
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    def output(self) -> Iterator[tuple[str, bytes]]:
        """What the program writes, as ``('stdout' | 'stderr', bytes)``, until it has ended.

        Raises:
            Aborted: the call was cancelled.
            TimeoutError: the time is over.
        """
        ended: float | None = None
        while True:
            with self._changed:
                while not self._items:
                    self._check()
                    if not self._readers:
                        return
                    now = time.monotonic()
                    if self._popen.poll() is not None:
                        ended = ended or now
                        if now - ended > QUIET:
                            return
                    self._changed.wait(TICK)
                self._check()
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def _check(self) -> None:
        if self._call.is_cancelled:
            raise Aborted('given up by the page')
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimeoutError

    def end(self) -> tuple[int | None, str | None]:
        """Wait for the end: exit code, or ``None`` and the name of the signal that ended it.

        Raises:
            Aborted, TimeoutError: as for ``output``.
        """
        while True:
            self._check()
            try:
                code = self._popen.wait(TICK)
            except subprocess.TimeoutExpired:
                continue
            return (code, None) if code >= 0 else (None, _signal_name(-code))

    def close(self) -> None:
        """End the program and all that it has started, if it still runs; let everything go."""
        self._forget()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._popen.poll() is not None:
            return
        self._kill(signal.SIGTERM)
        try:
            self._popen.wait(KILL_GRACE)
        except subprocess.TimeoutExpired:
            pass
        self._kill(getattr(signal, 'SIGKILL', signal.SIGTERM))
        self._popen.wait()

    def _kill(self, number: int) -> None:
        if sys.platform == 'win32':
            self._popen.kill()
            return
        try:
            os.killpg(self._popen.pid, number)  # it leads its own session, hence its own group
        except ProcessLookupError:
            return


def _path_of(plan: Plan) -> str:
    """A path of the held folder that the new process can go to."""
    if sys.platform == 'win32':
        return plan.folder.path
    elif sys.platform == 'darwin':
        import fcntl

        name = fcntl.fcntl(plan.folder.fd, fcntl.F_GETPATH, b'\0' * 1024)
        return os.fsdecode(name.rstrip(b'\0'))
    else:
        return f'/proc/self/fd/{plan.folder.fd}'


def _readable(fd: int) -> bool:
    """Wait a moment for something to read, so that a reader notices when it is not wanted any more."""
    if sys.platform == 'win32':
        return True
    import select

    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(TICK * 1000))


def _feed(pipe: IO[bytes], data: bytes) -> None:
    try:
        with pipe:
            pipe.write(data)
    except OSError:
        return  # the program reads no further


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f'SIG{number}'
