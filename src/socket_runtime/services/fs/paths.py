"""From a page's path to its canonical names, without a look at the disk (C1)."""

from __future__ import annotations

import errno
import os
import re

from socket_runtime.errors import BadRequest, Denied
from socket_runtime.ipc.grants import WINDOWS, path_parts

__all__ = ['canonical', 'to_path']

MAX_PATH = 4096  # bytes, as PATH_MAX of Linux; C1: nothing longer is looked at

_DRIVE = re.compile(r'[A-Za-z]:')
# Names that Windows opens as devices, in every folder and with any ending.
_DEVICE = r'(?i:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])\s*(?:\..*)?'
_WINDOWS_BAD = r'[\x00-\x1f<>:"|?*]|[. ]$'


def canonical(path: str, base: tuple[str, ...], *, windows: bool = WINDOWS) -> tuple[str, ...]:
    """The names of ``path``, absolute, with ``.`` dropped and ``..`` applied lexically.

    Args:
        path: as a page gave it; nothing is decoded.
        base: names of the folder that a relative path begins in.
        windows: by the rules of Windows.

    Raises:
        BadRequest: characters that no path has.
        Denied: a form that leads around the names: UNC, devices, drive-relative, URLs (C1).
        OSError: ``ENOENT`` for an empty path, ``ENAMETOOLONG``.
    """
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise BadRequest('a path has characters that are no Unicode text') from None
    if '\0' in path:
        raise BadRequest('a path may not have a NUL character')
    if size > MAX_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    if not path:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    if path[:5].lower() == 'file:':
        raise Denied(f'{path!r} is a URL; a path is expected')
    if path.startswith('\\\\') or (windows and path.startswith(('//', '\\/', '/\\'))):
        raise Denied(f'{path!r} is a path of the network or of devices, which no grant opens')
    if windows:
        return _windows(path, base)
    if _DRIVE.match(path):  # on every system, so that an app behaves alike on all
        raise Denied(f'{path!r} is a path of Windows')
    return path_parts(path if path.startswith('/') else to_path(base, windows=False) + '/' + path, windows=False)


def _windows(path: str, base: tuple[str, ...]) -> tuple[str, ...]:
    text = path.replace('/', '\\')
    drive = _DRIVE.match(text)
    if (drive and text[2:3] != '\\') or text.startswith('\\'):
        raise Denied(f'{path!r} depends on the current drive or folder')
    names = text[3:].split('\\') if drive else text.split('\\')
    for name in names:
        if name in ('', '.', '..'):
            continue
        if re.search(_WINDOWS_BAD, name) or re.fullmatch(_DEVICE, name):
            raise Denied(f'{path!r} has a name that Windows reads as something else')
    return path_parts(text if drive else to_path(base, windows=True) + '\\' + text, windows=True)


def to_path(parts: tuple[str, ...], *, windows: bool = WINDOWS) -> str:
    """The absolute path of these names."""
    if windows:
        return '\\'.join(parts) if len(parts) > 1 else f'{parts[0]}\\'
    return '/' + '/'.join(parts)
