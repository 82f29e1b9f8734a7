"""Where ``$DATA`` and its kin are, and whose they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from socket_runtime.app.folders import app_folders, make_own
from socket_runtime.errors import ProjectError

pytestmark = pytest.mark.skipif(sys.platform in ('darwin', 'win32'), reason='the XDG base directories')


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / 'home'
    home.mkdir()
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    for name in ('XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    return home


def folders(debug: bool = False) -> dict[str, Path]:
    return app_folders('com.example.app', Path('/app'), debug)


def test_the_defaults_of_the_specification(home: Path, tmp_path: Path) -> None:
    assert folders() == {
        'RESOURCES': Path('/app'),
        'DATA': home / '.local/share/com.example.app',
        'CONFIG': home / '.config/com.example.app',
        'CACHE': home / '.cache/com.example.app',
        'TMP': tmp_path / f'com.example.app-{os.getuid()}',
        'HOME': home,
        'DOCUMENTS': home / 'Documents',
        'DOWNLOADS': home / 'Downloads',
        'DESKTOP': home / 'Desktop',
    }
    assert folders(debug=True)['CWD'] == Path.cwd()


def test_the_environment_moves_them_if_absolute(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_DATA_HOME', '/data')
    monkeypatch.setenv('XDG_CONFIG_HOME', 'relative')
    assert folders()['DATA'] == Path('/data/com.example.app')
    assert folders()['CONFIG'] == home / '.config/com.example.app'


def test_user_dirs_are_read_as_the_system_writes_them(home: Path) -> None:
    (home / '.config').mkdir()
    (home / '.config/user-dirs.dirs').write_text(
        '# comment\nXDG_DESKTOP_DIR="$HOME/Schreibtisch"\nXDG_DOWNLOAD_DIR="/mnt/loads"\n'
        'XDG_DOCUMENTS_DIR="$HOME/Do ku"\nXDG_MUSIC_DIR="$HOME/Musik"\nXDG_DESKTOP_DIR=unquoted\n'
    )
    found = folders()
    assert found['DESKTOP'] == home / 'Schreibtisch'
    assert found['DOWNLOADS'] == Path('/mnt/loads')
    assert found['DOCUMENTS'] == home / 'Do ku'


@pytest.mark.parametrize('value', ['$HOME/', '$HOME', '$HOME//'])
def test_a_folder_that_is_the_home_itself_means_there_is_none(home: Path, value: str) -> None:
    """Else the grant ``$DESKTOP/**`` would be one of everything."""
    (home / '.config').mkdir()
    (home / '.config/user-dirs.dirs').write_text(f'XDG_DESKTOP_DIR="{value}"\n')
    assert folders()['DESKTOP'] == home / 'Desktop'


@pytest.mark.parametrize(
    'content', [b'\xff\xfe\0', b'XDG_DESKTOP_DIR="' + b'x' * 200_000, b'', b'XDG_DESKTOP_DIR="relative"']
)
def test_nonsense_is_ignored(home: Path, content: bytes) -> None:
    (home / '.config').mkdir()
    (home / '.config/user-dirs.dirs').write_bytes(content)
    assert folders()['DESKTOP'] == home / 'Desktop'


def test_the_apps_own_folders_are_private(home: Path) -> None:
    made = folders()
    make_own(made)
    make_own(made)
    for name in ('DATA', 'CONFIG', 'CACHE', 'TMP'):
        assert made[name].stat().st_mode & 0o777 == 0o700
    assert not made['DOCUMENTS'].exists()


def test_a_temporary_folder_that_others_can_read_is_closed(home: Path) -> None:
    made = folders()
    made['TMP'].mkdir(mode=0o777)
    made['TMP'].chmod(0o777)
    make_own(made)
    assert made['TMP'].stat().st_mode & 0o777 == 0o700


def test_a_temporary_folder_that_is_a_link_is_refused(home: Path, tmp_path: Path) -> None:
    """Somebody else may have made it first: its name is no secret."""
    (tmp_path / 'elsewhere').mkdir()
    made = folders()
    made['TMP'].symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(ProjectError, match='somebody else'):
        make_own(made)


def test_a_folder_that_cannot_be_made_is_told(home: Path) -> None:
    (home / '.local').write_text('a file in the way')
    with pytest.raises(ProjectError, match='cannot be made'):
        make_own(folders())
