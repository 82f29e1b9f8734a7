"""``fs.watch``: inotify, and the watcher that polls, on a real disk."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from socket_runtime.errors import CommandFailed, TooLarge
from socket_runtime.ipc.command import Call
from socket_runtime.services.fs import inotify as inotify_module
from socket_runtime.services.fs import watch as watch_module
from socket_runtime.services.fs.folder import Folder
from socket_runtime.services.fs.watch import Polling
from tests.services.bench import Bench

MakeBench = Callable[..., Bench]
PATIENCE = 5.0


class Watching:
    """A watch that runs on a thread of its own, as in the app."""

    def __init__(self, bench: Bench, path: str | Path, **arguments: Any) -> None:
        self.call: Call = bench.call('fs.watch')
        items = bench.run('fs.watch', on=self.call, path=str(path), **arguments)
        self.found: SimpleQueue[Any] = SimpleQueue()
        self.thread = threading.Thread(target=self._pump, args=(items,), daemon=True)
        self.thread.start()

    def _pump(self, items: Iterator[dict[str, Any]]) -> None:
        try:
            for item in items:
                self.found.put(item)
        except Exception as error:
            self.found.put(error)
        self.found.put('ended')

    def until(self, wanted: tuple[str, str | None]) -> list[tuple[str, str | None]]:
        """All that came, up to and with the wanted event."""
        seen: list[tuple[str, str | None]] = []
        while not seen or seen[-1] != wanted:
            try:
                item = self.found.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f'no {wanted} among {seen}') from None
            assert isinstance(item, dict), item
            seen.append((item['type'], item['filename']))
        return seen

    def end(self) -> None:
        self.call.cancel()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture(params=['inotify', 'polling'])
def watcher(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test with both watchers."""
    if request.param == 'polling':
        monkeypatch.setattr(watch_module, '_watcher', lambda *args: Polling(*args[:3], interval=0.05))
    return str(request.param)


def begin(bench: Bench, path: Path | str, **arguments: Any) -> Watching:
    """A watch that has begun: it has told of a first file of ours."""
    watching = Watching(bench, path, **arguments)
    base = Path(path) if Path(path).is_dir() else Path(path).parent
    probe = base / 'probe'
    end = time.monotonic() + PATIENCE
    while watching.found.empty() and Path(path).is_dir() and time.monotonic() < end:
        probe.write_bytes(b'x')
        time.sleep(0.02)
        probe.unlink()
        time.sleep(0.06)
    return watching


def drain(watching: Watching) -> None:
    time.sleep(0.2)
    while not watching.found.empty():
        watching.found.get()


def test_changes_in_a_folder(bench: Bench, watcher: str) -> None:
    before = len(os.listdir('/proc/self/fd'))
    watching = begin(bench, bench.data)
    drain(watching)
    (bench.data / 'x').write_bytes(b'1')
    watching.until(('rename', 'x'))
    drain(watching)
    (bench.data / 'x').write_bytes(b'more')
    watching.until(('change', 'x'))
    (bench.data / 'x').rename(bench.data / 'y')
    watching.until(('rename', 'y'))
    drain(watching)
    (bench.data / 'y').unlink()
    watching.until(('rename', 'y'))
    watching.end()
    assert len(os.listdir('/proc/self/fd')) == before


def test_changes_in_a_tree(bench: Bench, watcher: str) -> None:
    (bench.data / 'a' / 'b').mkdir(parents=True)
    watching = begin(bench, bench.data, recursive=True)
    drain(watching)
    (bench.data / 'a' / 'b' / 'x').write_bytes(b'')
    watching.until(('rename', 'a/b/x'))
    (bench.data / 'new' / 'deep').mkdir(parents=True)
    (bench.data / 'new' / 'deep' / 'y').write_bytes(b'')
    watching.until(('rename', 'new/deep/y'))
    drain(watching)
    (bench.data / 'new' / 'deep' / 'z').write_bytes(b'')
    watching.until(('rename', 'new/deep/z'))
    (bench.data / 'a').rename(bench.data / 'moved')
    watching.until(('rename', 'moved'))
    drain(watching)
    (bench.data / 'moved' / 'b' / 'late').write_bytes(b'')
    watching.until(('rename', 'moved/b/late'))
    (bench.data / 'moved').rename(bench.outside / 'moved')
    watching.until(('rename', 'moved'))
    drain(watching)
    (bench.outside / 'moved' / 'secret').write_bytes(b'')
    (bench.outside / 'moved' / 'b' / 'secret').write_bytes(b'')
    (bench.data / 'mark').write_bytes(b'')
    assert {name for _, name in watching.until(('rename', 'mark'))} == {'mark'}
    watching.end()


def test_one_file(bench: Bench, watcher: str) -> None:
    path = bench.data / 'x'
    path.write_bytes(b'1')
    watching = Watching(bench, path)
    time.sleep(0.3)
    (bench.data / 'other').write_bytes(b'1')
    path.write_bytes(b'22')
    watching.until(('change', 'x'))
    drain(watching)
    (bench.data / 'other').rename(path)  # replaced, as careful editors do
    assert {name for _, name in watching.until(('rename', 'x'))} == {'x'}
    drain(watching)
    path.write_bytes(b'333')
    watching.until(('change', 'x'))
    watching.end()


def test_C8_names_out_of_scope_are_not_told(make: MakeBench, watcher: str) -> None:
    bench = make(denied=('data/profile',))
    (bench.data / 'profile').mkdir()
    watching = begin(bench, bench.data, recursive=True)
    drain(watching)
    for name in ('.hidden', 'profile/cookies', '.dot/x', 'profile2'):
        (bench.data / name).parent.mkdir(exist_ok=True)
        (bench.data / name).write_bytes(b'1')
    seen = watching.until(('rename', 'profile2'))
    assert {name for _, name in seen} == {'profile2'}
    watching.end()


def test_links_are_not_watched_through(bench: Bench, watcher: str) -> None:
    (bench.data / 'out').symlink_to(bench.outside)
    watching = begin(bench, bench.data, recursive=True)
    drain(watching)
    (bench.outside / 'secret').write_bytes(b'1')
    (bench.data / 'late').symlink_to(bench.outside)
    (bench.outside / 'secret2').write_bytes(b'1')
    (bench.data / 'mark').write_bytes(b'')
    names = {name for _, name in watching.until(('rename', 'mark'))}
    assert not any('secret' in (name or '') for name in names)
    watching.end()


def test_a_watch_that_was_cancelled_before(bench: Bench, watcher: str) -> None:
    call = bench.call('fs.watch')
    items = bench.run('fs.watch', on=call, path=str(bench.data))
    call.cancel()
    assert list(items) == []


def test_closing_the_generator_lets_everything_go(bench: Bench, watcher: str) -> None:
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(5):
        items = bench.run('fs.watch', path=str(bench.data))
        timer = threading.Timer(0.2, (bench.data / 'x').write_bytes, [os.urandom(9)])
        timer.start()
        next(items)
        items.close()
        timer.join()
    assert len(os.listdir('/proc/self/fd')) == before


def test_the_end_of_the_folder_is_the_end_of_the_watch(bench: Bench) -> None:
    folder = bench.data / 'f'
    folder.mkdir()
    watching = begin(bench, folder)
    drain(watching)
    folder.rmdir()
    last: Any = None
    while (item := watching.found.get(timeout=PATIENCE)) != 'ended':
        last = item
    assert last == {'type': 'rename', 'filename': 'f'}
    watching.end()


def test_a_folder_that_moves_away_is_watched_no_more(bench: Bench) -> None:
    folder = bench.data / 'f'
    folder.mkdir()
    watching = begin(bench, folder)
    drain(watching)
    folder.rename(bench.outside / 'f')
    (bench.outside / 'f' / 'secret').write_bytes(b'')
    watching.until(('rename', 'f'))
    assert watching.found.get(timeout=PATIENCE) == 'ended'


def test_what_is_missing_cannot_be_watched(bench: Bench) -> None:
    with pytest.raises(CommandFailed, match='ENOENT'):
        next(bench.run('fs.watch', path=f'{bench.data}/no'))


def test_B6_watches_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch, watcher: str) -> None:
    monkeypatch.setattr(inotify_module, 'MAX_FOLDERS', 3)
    monkeypatch.setattr(watch_module, 'MAX_POLLED', 3)
    before = len(os.listdir('/proc/self/fd'))
    for number in range(5):
        (bench.data / str(number)).mkdir()
    with pytest.raises(TooLarge):
        next(bench.run('fs.watch', path=str(bench.data), recursive=True))
    assert len(os.listdir('/proc/self/fd')) == before


def test_B6_more_than_can_be_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's queue overflows when nobody reads it: an event without a name says so."""
    limit = int(Path('/proc/sys/fs/inotify/max_queued_events').read_text())
    folder = Folder.open(str(bench.data))
    watcher = inotify_module.Inotify(folder, False, lambda names: True, lambda: folder)
    for number in range(limit // 2 + 100):
        path = bench.data / f'{number % 7}'
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        path.unlink()
    found: list[Any] = []
    while not found or found[-1] != ('rename', None):
        found += watcher.wait() or []
        assert len(found) <= limit + 1
    watcher.close()


def test_waking_races_with_the_end(bench: Bench) -> None:
    for _ in range(100):
        call = bench.call('fs.watch')
        items = bench.run('fs.watch', on=call, path=str(bench.data))
        thread = threading.Thread(target=call.cancel)
        thread.start()
        assert list(items) == []
        thread.join()
