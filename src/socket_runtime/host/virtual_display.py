"""A display of our own where there is none: Xvfb, for ``--headless``.

Xvfb picks a free number by itself and tells it through a pipe, so that any number of apps can start at the
same time; it ends with us, however we end. Not a part of the GTK host: importing that initialises GTK, which
must find the display already.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
from typing import Any

from socket_runtime.errors import DisplayError

__all__ = ['VirtualDisplay']

_START = 10.0
_PR_SET_PDEATHSIG = 1


class VirtualDisplay:
    """An Xvfb with one screen; ``DISPLAY`` names it until ``close``.

    Args:
        width, height: the screen's size in pixels.

    Raises:
        DisplayError: Xvfb is missing or did not start.
    """

    def __init__(self, width: int = 1280, height: int = 800) -> None:
        program = shutil.which('Xvfb')
        if program is None:
            raise DisplayError('--headless needs Xvfb', hint='Install it: apt-get install xvfb')
        import subprocess

        read, write = os.pipe()
        with open(os.devnull, 'wb') as null:
            self._process: Any = subprocess.Popen(
                [program, '-displayfd', str(write), '-screen', '0', f'{width}x{height}x24', '-nolisten', 'tcp'],
                pass_fds=(write,),
                stdin=subprocess.DEVNULL,
                stdout=null,
                stderr=null,
                preexec_fn=_die_with_parent if sys.platform == 'linux' else None,
            )
        os.close(write)
        number = _read_number(read)
        if not number:
            self._process.kill()
            raise DisplayError('Xvfb did not start', hint=f'See what it says: {program} :99')
        self._former = {name: os.environ.get(name) for name in ('DISPLAY', 'WAYLAND_DISPLAY', 'GDK_BACKEND')}
        os.environ['DISPLAY'] = f':{number}'
        os.environ['GDK_BACKEND'] = 'x11'
        os.environ.pop('WAYLAND_DISPLAY', None)

    def close(self) -> None:
        """End it, and restore the environment."""
        for name, value in self._former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._process.terminate()
        self._process.wait()


def _read_number(fd: int) -> str:
    text = b''
    with open(fd, 'rb', buffering=0) as pipe:
        while not text.endswith(b'\n'):
            if not select.select([pipe], [], [], _START)[0]:
                break
            part = pipe.read(16)
            if not part:
                break
            text += part
    return text.decode().strip()


def _die_with_parent() -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
