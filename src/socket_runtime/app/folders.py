"""The folders that grants name: ``$DATA``, ``$DOCUMENTS`` and so on, as each system lays them out.

Linux follows the XDG base directory specification 0.8 and ``user-dirs.dirs``; macOS and Windows their own
customs (written from their documentation, not yet run there).
"""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

from socket_runtime.errors import ProjectError

__all__ = ['app_folders', 'make_own']

_USER_DIR = re.compile(r'^XDG_(DESKTOP|DOCUMENTS|DOWNLOAD)_DIR="(\$HOME)?(/[^"\n]*)"', re.M)


def app_folders(identifier: str, resources: Path, debug: bool) -> dict[str, Path]:
    """The value of every variable of grants, by its name without the ``$``.

    Args:
        identifier: the bundle identifier, which names the app's own folders.
        resources: the app's files.
        debug: in development ``$CWD`` exists too.
    """
    home = Path.home()
    data, config, cache = _own(home)
    folders = {
        'RESOURCES': resources,
        'DATA': data / identifier,
        'CONFIG': config / identifier,
        'CACHE': cache / identifier,
        'TMP': _temporary() / f'{identifier}-{_user()}',
        'HOME': home,
        'DOCUMENTS': home / 'Documents',
        'DOWNLOADS': home / 'Downloads',
        'DESKTOP': home / 'Desktop',
    }
    if sys.platform not in ('darwin', 'win32'):
        folders.update(_xdg_user_dirs(home, config))
    if debug:
        folders['CWD'] = Path.cwd()
    return folders


def make_own(folders: dict[str, Path]) -> None:
    """Make the app's own folders, readable by the user alone.

    Raises:
        ProjectError: one cannot be made, or the temporary one belongs to somebody else.
    """
    try:
        for name in ('DATA', 'CONFIG', 'CACHE', 'TMP'):
            folders[name].mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(folders['TMP'])
    except OSError as error:
        raise ProjectError(f"the app's own folder cannot be made: {error}") from error


def _check_private(folder: Path) -> None:
    """The name of the temporary folder can be guessed: another user may have made it first."""
    if not hasattr(os, 'getuid'):
        return  # Windows: each user has a temporary folder of his own
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ProjectError(f'{folder} belongs to somebody else', hint='Remove it, or set TMPDIR to a folder of yours.')
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def _temporary() -> Path:
    """Where temporary files are. Not ``tempfile``, which would load compression libraries into every app."""
    names = ('TMPDIR', 'TEMP', 'TMP')
    found = next((value for name in names if os.path.isdir(value := os.environ.get(name, ''))), '')
    return Path(found or ('/tmp' if sys.platform != 'win32' else 'C:\\Windows\\Temp'))


def _user() -> str:
    return str(os.getuid()) if hasattr(os, 'getuid') else os.environ.get('USERNAME', 'user')


def _own(home: Path) -> tuple[Path, Path, Path]:
    """Where data, settings and caches of apps are."""
    if sys.platform == 'darwin':
        support = home / 'Library' / 'Application Support'
        return support, support, home / 'Library' / 'Caches'
    if sys.platform == 'win32':
        roaming = Path(os.environ.get('APPDATA', home / 'AppData' / 'Roaming'))
        local = Path(os.environ.get('LOCALAPPDATA', home / 'AppData' / 'Local'))
        return roaming, roaming, local
    return (
        _xdg('XDG_DATA_HOME', home / '.local' / 'share'),
        _xdg('XDG_CONFIG_HOME', home / '.config'),
        _xdg('XDG_CACHE_HOME', home / '.cache'),
    )


def _xdg(name: str, default: Path) -> Path:
    value = os.environ.get(name, '')
    return Path(value) if value.startswith('/') else default  # the specification: ignore relative ones


def _xdg_user_dirs(home: Path, config: Path) -> dict[str, Path]:
    try:
        text = (config / 'user-dirs.dirs').read_text('utf-8', 'replace')[:65536]
    except OSError:
        return {}
    names = {'DESKTOP': 'DESKTOP', 'DOCUMENTS': 'DOCUMENTS', 'DOWNLOAD': 'DOWNLOADS'}
    found = {}
    for name, in_home, path in _USER_DIR.findall(text):
        folder = home / path.lstrip('/') if in_home else Path(path)
        if folder != home:  # the file's way to say that there is none; a grant of it must not be one of everything
            found[names[name]] = folder
    return found
