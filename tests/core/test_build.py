"""How the core is built and shipped: its stubs agree with it, and other compiled modules can use it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import socket_core
from tests.support.skips import skip_loudly

CONSUMER = """
# cython: language_level=3
from libc.stdint cimport uint8_t
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from socket_core._packet cimport FRAME_AT_CLOCK, FRAME_OK, Packet, frame_check, frame_load_u32, view


def clock_without_the_gil(bytes data):
    cdef const uint8_t *frame = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef size_t size = <size_t>PyBytes_GET_SIZE(data)
    cdef int code
    cdef unsigned int clock = 0
    with nogil:
        code = frame_check(frame, size)
        if code == FRAME_OK:
            clock = frame_load_u32(frame + FRAME_AT_CLOCK)
    return code, clock


def size_of(bytes data):
    cdef Packet packet = view(data)
    return packet.size
"""

SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup
import socket_core
extension = Extension('consumer', ['consumer.pyx'], include_dirs=[socket_core.__path__[0]])
setup(name='consumer', ext_modules=cythonize([extension]))
"""


@pytest.mark.timeout(120)
def test_stubs_agree_with_the_compiled_module(root: Path) -> None:
    command = [sys.executable, '-m', 'mypy.stubtest', 'socket_core']
    result = subprocess.run(command, cwd=root, env=with_source(), capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.timeout(120)
def test_another_module_cimports_the_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec('Cython') is None:
        skip_loudly('Cython is missing', "pip install -e '.[dev]'")
    (tmp_path / 'consumer.pyx').write_text(CONSUMER)
    (tmp_path / 'setup.py').write_text(SETUP)
    command = [sys.executable, 'setup.py', '-q', 'build_ext', '--inplace']
    result = subprocess.run(command, cwd=tmp_path, env=with_source(), capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr

    monkeypatch.syspath_prepend(str(tmp_path))
    import consumer  # type: ignore[import-not-found]

    data = socket_core.encode(socket_core.PING, cluster=socket_core.NO_ID, clock=7)
    assert consumer.clock_without_the_gil(data) == (0, 7)
    assert consumer.clock_without_the_gil(b'') == (1, 0)
    assert consumer.size_of(data) == socket_core.HEADER_BYTES
    with pytest.raises(socket_core.ProtocolError):
        consumer.size_of(b'')


def test_import_pulls_nothing_in() -> None:
    """Its price is paid by every program that uses it: the extension and itself, nothing of the library."""
    code = 'import sys; before = set(sys.modules); import socket_core; print(*sorted(set(sys.modules) - before))'
    result = subprocess.run([sys.executable, '-c', code], env=with_source(), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    # Cython's own two are empty shells that its modules share.
    loaded = {name for name in result.stdout.split() if 'cython' not in name}
    assert loaded <= {'__future__', 'socket_core', 'socket_core._packet'}


def with_source() -> dict[str, str]:
    """The environment, with the package that is tested here on the path, installed or not."""
    package = Path(next(iter(socket_core.__path__))).parent
    return {**os.environ, 'PYTHONPATH': str(package)}
