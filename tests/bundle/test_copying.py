"""What a build copies, and what it leaves (E9)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from socket_runtime.build import copying
from socket_runtime.build.copying import copy_file, find_files
from socket_runtime.errors import ProjectError


def test_plain_files_in_order(tmp_path: Path) -> None:
    for name in ('b/z.txt', 'b/a.txt', 'a.txt', 'B.txt', 'b.txt', '.well-known/x'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('x')
    found = find_files(tmp_path)
    assert found.files == ('.well-known/x', 'B.txt', 'a.txt', 'b.txt', 'b/a.txt', 'b/z.txt')
    assert found.skipped == ()


def test_links_and_devices_are_left(tmp_path: Path) -> None:
    secret = tmp_path / 'secret'
    secret.mkdir()
    (secret / 'key').write_text('x')
    folder = tmp_path / 'src'
    folder.mkdir()
    (folder / 'file').symlink_to(secret / 'key')
    (folder / 'folder').symlink_to(secret)
    (folder / 'nowhere').symlink_to('/nowhere')
    os.mkfifo(folder / 'pipe')
    (folder / 'hard').hardlink_to(secret / 'key')  # the same file under another name: nothing tells it apart
    found = find_files(folder)
    assert found.files == ('hard',)
    assert found.skipped == ('file: a link', 'folder: a link', 'nowhere: a link', 'pipe: no plain file')


def test_names_that_not_every_system_takes(tmp_path: Path) -> None:
    for name in (b'a:b', b'a\\b', b'a\nb', b'\xff'):
        open(os.fsencode(tmp_path) + b'/' + name, 'w').close()
    found = find_files(tmp_path)
    assert found.files == ()
    assert len(found.skipped) == 4
    assert all(reason.isprintable() for reason in found.skipped)


def test_what_version_control_and_desktops_leave(tmp_path: Path) -> None:
    for name in sorted(copying.SKIPPED):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'x').write_text('x')
    assert find_files(tmp_path).files == ()


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (tmp_path / str(number)).write_text('x' * 10)
    monkeypatch.setattr(copying, 'MAX_FILES', 4)
    monkeypatch.setattr(copying, 'MAX_TOTAL', 40)
    assert len(find_files(tmp_path).files) == 4
    monkeypatch.setattr(copying, 'MAX_FILES', 3)
    with pytest.raises(ProjectError, match='more than 3 files'):
        find_files(tmp_path)
    monkeypatch.setattr(copying, 'MAX_FILES', 4)
    monkeypatch.setattr(copying, 'MAX_TOTAL', 39)
    with pytest.raises(ProjectError, match='holds more than'):
        find_files(tmp_path)
    monkeypatch.setattr(copying, 'MAX_TOTAL', 40)
    deep = tmp_path.joinpath(*'abc')
    deep.mkdir(parents=True)
    monkeypatch.setattr(copying, 'MAX_DEPTH', 2)
    with pytest.raises(ProjectError, match='deeper than'):
        find_files(tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match='there is no folder') as raised:
        find_files(tmp_path / 'none')
    assert '[build] copy' in raised.value.hint


def test_copying(tmp_path: Path) -> None:
    source, target = tmp_path / 'a', tmp_path / 'deep' / 'b'
    source.write_bytes(b'x' * 3_000_000)
    copy_file(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ['b']
    source.write_bytes(b'y')
    copy_file(source, target)
    assert target.read_bytes() == b'y'


def test_a_file_that_became_something_else(tmp_path: Path) -> None:
    (tmp_path / 'secret').write_text('x')
    (tmp_path / 'link').symlink_to(tmp_path / 'secret')
    os.mkfifo(tmp_path / 'pipe')
    for name in ('link', 'pipe', 'none'):
        with pytest.raises(ProjectError):
            copy_file(tmp_path / name, tmp_path / 'target')
    assert not (tmp_path / 'target').exists()
