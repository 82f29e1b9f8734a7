"""Watching files while developing."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from socket_runtime.app.livereload import Watcher, snapshot

SOON = 10.0
NEVER = 0.3


class Changes:
    """A watcher of one folder, and what it called back with."""

    def __init__(self, *roots: Path) -> None:
        self.queue: Queue[tuple[Path, ...]] = Queue()
        self.watcher = Watcher(roots, self.queue.put, interval=0.02)

    def next(self) -> tuple[Path, ...]:
        return self.queue.get(timeout=SOON)

    def none(self) -> bool:
        try:
            self.queue.get(timeout=NEVER)
        except Empty:
            return True
        return False


@pytest.fixture
def changes(tmp_path: Path) -> Iterator[Changes]:
    (tmp_path / 'a.txt').write_text('1')
    found = Changes(tmp_path)
    found.watcher.start()
    yield found
    found.watcher.stop()


def test_a_change_a_new_file_and_a_removal(changes: Changes, tmp_path: Path) -> None:
    (tmp_path / 'a.txt').write_text('22')
    assert changes.next() == (tmp_path / 'a.txt',)
    (tmp_path / 'deep').mkdir()
    (tmp_path / 'deep' / 'b.txt').write_text('1')
    assert changes.next() == (tmp_path / 'deep' / 'b.txt',)
    (tmp_path / 'a.txt').unlink()
    assert changes.next() == (tmp_path / 'a.txt',)
    assert changes.none()


def test_a_file_that_is_replaced_by_renaming(changes: Changes, tmp_path: Path) -> None:
    times = (tmp_path / 'a.txt').stat()
    (tmp_path.parent / 'new.txt').write_text('2')
    os.utime(tmp_path.parent / 'new.txt', ns=(times.st_atime_ns, times.st_mtime_ns))
    os.replace(tmp_path.parent / 'new.txt', tmp_path / 'a.txt')  # same size, same time, another file
    assert changes.next() == (tmp_path / 'a.txt',)


def test_many_changes_at_once_are_few_calls(changes: Changes, tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f'{number:02}.txt').write_text('1')
    seen: set[Path] = set()
    calls = 0
    while len(seen) < 50:
        seen.update(changes.next())
        calls += 1
    assert calls <= 3
    assert changes.none()


def test_what_is_not_watched(changes: Changes, tmp_path: Path) -> None:
    for name in ('.git', 'node_modules', '__pycache__'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'x').write_text('1')
    (tmp_path / 'link').symlink_to(tmp_path.parent)
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'empty').mkdir()
    assert changes.none()


def test_folders_that_are_not_there_yet_and_single_files(tmp_path: Path) -> None:
    single = tmp_path / 'single.ini'
    single.write_text('1')
    changes = Changes(tmp_path / 'later', single)
    changes.watcher.start()
    changes.watcher.start()  # again does nothing
    try:
        (tmp_path / 'later').mkdir()
        (tmp_path / 'later' / 'a').write_text('1')
        assert changes.next() == (tmp_path / 'later' / 'a',)
        single.write_text('22')
        assert changes.next() == (single,)
    finally:
        changes.watcher.stop()
        changes.watcher.stop()


def test_stopping_ends_the_thread(tmp_path: Path) -> None:
    changes = Changes(tmp_path)
    changes.watcher.stop()  # before it has begun
    before = threading.active_count()
    changes = Changes(tmp_path)
    changes.watcher.start()
    assert threading.active_count() == before + 1
    changes.watcher.stop()
    assert threading.active_count() == before


def test_stopping_from_the_callback(tmp_path: Path) -> None:
    done = threading.Event()

    def changed(_paths: tuple[Path, ...]) -> None:
        watcher.stop()
        done.set()

    watcher = Watcher([tmp_path], changed, interval=0.02)
    watcher.start()
    (tmp_path / 'a').write_text('1')
    assert done.wait(SOON)
    watcher.stop()


def test_a_snapshot_is_bounded(tmp_path: Path) -> None:
    for folder in range(5):
        (tmp_path / str(folder)).mkdir()
        for number in range(10):
            (tmp_path / str(folder) / str(number)).write_text('')
    assert len(snapshot([tmp_path])) == 50
    assert len(snapshot([tmp_path], limit=15)) <= 25
