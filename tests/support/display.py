"""A display for tests that open windows."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.skips import skip_loudly

START_SECONDS = 15.0
# What would lead GTK elsewhere than to the X server that we started.
UNSET = ('WAYLAND_DISPLAY', 'XAUTHORITY')
SET = {'GDK_BACKEND': 'x11', 'NO_AT_BRIDGE': '1'}


@contextmanager
def start_display(wanted: str = '') -> Iterator[str]:
    """Set the environment's display to ``wanted``, or to an Xvfb that lives as long as the block.

    The server picks a free number itself (``-displayfd``) and tells it when it is ready, so that sessions
    side by side do not meet and nothing has to be polled.
    """
    server = None if wanted else _xvfb()
    try:
        name = wanted or _number_of(server)
        before = {key: os.environ.get(key) for key in ('DISPLAY', *UNSET, *SET)}
        os.environ.update(SET, DISPLAY=name)
        if not wanted:
            for key in UNSET:
                os.environ.pop(key, None)
        try:
            yield name
        finally:
            for key, value in before.items():
                if value is None:
                    os.environ.pop(key, None)
                else:
                    os.environ[key] = value
    finally:
        if server is not None:
            server.terminate()
            server.wait(START_SECONDS)
            assert server.stdout is not None
            server.stdout.close()


def _xvfb() -> subprocess.Popen[bytes]:
    program = shutil.which('Xvfb')
    if program is None:
        skip_loudly('Xvfb is missing', 'apt-get install xvfb')
    command = [program, '-displayfd', '1', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp', '-noreset']
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _number_of(server: subprocess.Popen[bytes] | None) -> str:
    assert server is not None and server.stdout is not None
    ready, _, _ = select.select([server.stdout], [], [], START_SECONDS)
    number = server.stdout.readline().decode().strip() if ready else ''
    if not number.isdigit():
        server.kill()
        raise RuntimeError('Xvfb did not start')
    return f':{number}'
