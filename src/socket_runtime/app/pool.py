"""Where commands run: a few threads, a thread apart for what lasts, and asyncio if something needs it.

Each part starts at its first use, so that an app whose commands are all inline has one thread. The pool is
not ``concurrent.futures``: importing that costs 2.4 MB and 20 ms, and its futures are not needed here,
since every result goes back to the GUI's thread by a function anyway.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

__all__ = ['Pool']

_log = logging.getLogger('socket_runtime')

#: Commands that wait for disks rarely gain from more; long ones run apart.
MAX_THREADS = min(8, (os.cpu_count() or 1) + 3)

#: How long the end waits for commands under way, in seconds.
LAST_WORDS = 0.5


class Pool:
    """See ``ipc.transport.Workers``; ``post`` and ``post_later`` are the host's."""

    def __init__(
        self, post: Callable[[Callable[[], None]], None], post_later: Callable[[float, Callable[[], None]], None]
    ) -> None:
        self.post = post
        self.post_later = post_later
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: threading.Thread | None = None

    def run(self, function: Callable[[], None]) -> None:
        """Run ``function`` on one of the pool's threads."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < MAX_THREADS:
                thread = threading.Thread(target=self._work, name='socket-worker', daemon=True)
                self._threads.append(thread)
                thread.start()
        self._jobs.put(function)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            _run(job)
            with self._lock:
                self._idle += 1

    def run_apart(self, function: Callable[[], None]) -> None:
        """Run ``function`` on a thread of its own."""
        threading.Thread(target=_run, args=(function,), name='socket-stream', daemon=True).start()

    def run_async(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run ``coroutine`` on the asyncio loop's thread."""
        import asyncio

        asyncio.run_coroutine_threadsafe(coroutine, self.loop())

    def loop(self) -> asyncio.AbstractEventLoop:
        """The asyncio loop; the first call starts its thread."""
        import asyncio

        with self._lock:
            if self._loop is None:
                loop = self._loop = asyncio.new_event_loop()
                self._loop_thread = threading.Thread(target=_run_loop, args=(loop,), name='socket-asyncio', daemon=True)
                self._loop_thread.start()
            return self._loop

    def close(self) -> None:
        """Let the threads go, once they have done what waits: a page's last lines for the terminal, say. A
        command that takes longer than ``LAST_WORDS`` is not waited for."""
        with self._lock:
            threads, self._threads, self._idle = self._threads, [], 0
            for _ in threads:
                self._jobs.put(None)
            loop, self._loop = self._loop, None
            if loop is not None and self._loop_thread is not None:
                loop.call_soon_threadsafe(loop.stop)
                threads.append(self._loop_thread)
        end = time.monotonic() + LAST_WORDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    loop.run_forever()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
    loop.close()


def _run(function: Callable[[], None]) -> None:
    try:
        function()
    except Exception:  # the outermost door of a thread
        _log.exception('a worker failed')
