"""Where the system keeps what belongs to an app and to its user.

Nothing is made here: a folder may not exist yet.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ['app_folders', 'user_folders']

#: A larger ``user-dirs.dirs`` is none. Bytes.
MAX_USER_DIRS = 64 * 1024

_USER = ('DOCUMENTS', 'DOWNLOADS', 'DESKTOP')
_XDG_NAMES = {'XDG_DOCUMENTS_DIR': 'DOCUMENTS', 'XDG_DOWNLOAD_DIR': 'DOWNLOADS', 'XDG_DESKTOP_DIR': 'DESKTOP'}


def app_folders(
    identifier: str, *, platform: str = sys.platform, environ: Mapping[str, str] | None = None
) -> dict[str, Path]:
    """``DATA``, ``CONFIG`` and ``CACHE`` of the app called ``identifier``.

    Source: the XDG base directory specification, Apple's file system guide, Windows' known folders.
    """
    env = os.environ if environ is None else environ
    home = _home(env)
    if platform == 'darwin':
        library = home / 'Library'
        support = library / 'Application Support' / identifier
        return {'DATA': support / 'Data', 'CONFIG': support / 'Config', 'CACHE': library / 'Caches' / identifier}
    if platform == 'win32':
        roaming = _absolute(env, 'APPDATA', home / 'AppData' / 'Roaming') / identifier
        local = _absolute(env, 'LOCALAPPDATA', home / 'AppData' / 'Local') / identifier
        return {'DATA': roaming / 'Data', 'CONFIG': roaming / 'Config', 'CACHE': local / 'Cache'}
    return {
        'DATA': _absolute(env, 'XDG_DATA_HOME', home / '.local' / 'share') / identifier,
        'CONFIG': _absolute(env, 'XDG_CONFIG_HOME', home / '.config') / identifier,
        'CACHE': _absolute(env, 'XDG_CACHE_HOME', home / '.cache') / identifier,
    }


def user_folders(*, platform: str = sys.platform, environ: Mapping[str, str] | None = None) -> dict[str, Path]:
    """``HOME``, ``DOCUMENTS``, ``DOWNLOADS`` and ``DESKTOP`` of the user.

    On Linux the last three are what ``user-dirs.dirs`` says; a folder that it maps to the home itself, its
    way to say "there is none", is left out, as a grant of it would be a grant of everything.
    """
    env = os.environ if environ is None else environ
    home = _home(env)
    folders = {'HOME': home, **{name: home / name.capitalize() for name in _USER}}
    if platform in ('darwin', 'win32'):
        return folders
    config = _absolute(env, 'XDG_CONFIG_HOME', home / '.config') / 'user-dirs.dirs'
    for name, folder in _user_dirs(config, home).items():
        if folder == home:
            folders.pop(name)
        else:
            folders[name] = folder
    return folders


def _home(env: Mapping[str, str]) -> Path:
    return _absolute(env, 'USERPROFILE' if sys.platform == 'win32' else 'HOME', Path('~').expanduser())


def _absolute(env: Mapping[str, str], name: str, default: Path) -> Path:
    """A folder from the environment. The XDG specification: a relative path is to be ignored."""
    value = env.get(name, '')
    return Path(value) if value and os.path.isabs(value) else default


def _user_dirs(file: Path, home: Path) -> dict[str, Path]:
    """Lines such as ``XDG_DOCUMENTS_DIR="$HOME/Documents"``."""
    try:
        with file.open('rb') as opened:
            text = opened.read(MAX_USER_DIRS).decode('utf-8', 'replace')
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition('=')
        name = _XDG_NAMES.get(key)
        if name is None or len(value) < 2 or value[0] != '"' or value[-1] != '"':
            continue
        path = value[1:-1]
        if path == '$HOME' or path.startswith('$HOME/'):
            found[name] = home.joinpath(*path.split('/')[1:])
        elif path.startswith('/'):
            found[name] = Path(path)
    return found
