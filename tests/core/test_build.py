"""How the core is built and shipped: its stubs agree with it, and other compiled modules can use all of it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

import socket_core
from socket_core._address import Address, AddressError
from socket_core._cache import Cache
from socket_core._relay import Relay, RelayPeer
from tests.support.skips import skip_loudly

CONSUMER = """
# cython: language_level=3
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from socket_core._address cimport Address, address_equal, address_of, address_t, fill_address
from socket_core._cache cimport Cache
from socket_core._handler cimport datagram_t, handler_result_t
from socket_core._packet cimport (
    FRAME_AT_CLOCK, FRAME_MAX_BYTES, FRAME_OK, Packet, frame_check, frame_ids, frame_load_u32, view,
)
from socket_core._relay cimport Relay


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


def id_without_the_gil(bytes data):
    cdef const uint8_t *frame = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef size_t size = <size_t>PyBytes_GET_SIZE(data)
    cdef uint8_t[32] id
    with nogil:
        frame_ids(&frame, &size, 1, &id)
    return PyBytes_FromStringAndSize(<const char *>id, 32)


def same_address(one, other):
    cdef address_t first, second
    fill_address(one, &first)
    fill_address(other, &second)
    return address_equal(&first, &second), address_of(&first)


def has_store(Cache cache):
    return cache.store != NULL


def relay_without_the_gil(Relay relay, bytes data, Address source):
    cdef uint8_t[FRAME_MAX_BYTES] frame
    cdef datagram_t datagram
    cdef handler_result_t *result = <handler_result_t *>malloc(sizeof(handler_result_t))
    memcpy(frame, PyBytes_AS_STRING(data), <size_t>PyBytes_GET_SIZE(data))
    datagram.data = frame
    datagram.size = <unsigned int>PyBytes_GET_SIZE(data)
    datagram.socket = 0
    datagram.address = source.raw
    result.send_count = result.delivery_count = 0
    with nogil:
        relay.handler.receive(relay.handler.state, &datagram, 1, 1000, result)
    try:
        return [address_of(&result.sends[index].address) for index in range(result.send_count)]
    finally:
        free(result)
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


@pytest.fixture(scope='module')
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A module of somebody else's, compiled against what a wheel of ours has in it."""
    if importlib.util.find_spec('Cython') is None:
        skip_loudly('Cython is missing', "pip install -e '.[dev]'")
    folder = tmp_path_factory.mktemp('consumer')
    (folder / 'consumer.pyx').write_text(CONSUMER)
    (folder / 'setup.py').write_text(SETUP)
    command = [sys.executable, 'setup.py', '-q', 'build_ext', '--inplace']
    result = subprocess.run(command, cwd=folder, env=with_source(), capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module('consumer')


DATAGRAM = socket_core.encode(socket_core.PUBLISH, cluster=socket_core.NO_ID, clock=7, message=b'hello')


@pytest.mark.timeout(120)
def test_another_module_cimports_the_frame(consumer: ModuleType) -> None:
    assert consumer.clock_without_the_gil(DATAGRAM) == (0, 7)
    assert consumer.clock_without_the_gil(b'') == (1, 0)
    assert consumer.size_of(DATAGRAM) == len(DATAGRAM)
    with pytest.raises(socket_core.ProtocolError):
        consumer.size_of(b'')


@pytest.mark.timeout(120)
def test_another_module_cimports_the_ids(consumer: ModuleType) -> None:
    assert consumer.id_without_the_gil(DATAGRAM) == sha256(DATAGRAM[:2] + bytes(4) + DATAGRAM[6:]).digest()


@pytest.mark.timeout(120)
def test_another_module_cimports_addresses(consumer: ModuleType) -> None:
    address = Address('192.0.2.1', 1)
    assert consumer.same_address(address, ('::ffff:192.0.2.1', 1)) == (True, address)
    assert consumer.same_address(address, ('192.0.2.1', 2)) == (False, address)
    with pytest.raises(AddressError):
        consumer.same_address(address, ('nowhere', 1))


@pytest.mark.timeout(120)
def test_another_module_cimports_the_relay_and_its_cache(consumer: ModuleType) -> None:
    cache = Cache()
    peer, source = Address('192.0.2.1', 1), Address('192.0.2.2', 2)
    relay = Relay(cache)
    relay.set_peers([RelayPeer(peer)])
    assert consumer.has_store(cache)
    assert consumer.relay_without_the_gil(relay, DATAGRAM, source) == [peer]
    assert consumer.relay_without_the_gil(relay, DATAGRAM, source) == []
    assert len(cache) == 1


def test_import_pulls_nothing_in() -> None:
    """Its price is paid by every program that uses it: the extensions and itself, nothing of the library."""
    modules = [f'_{noun}' for noun in ('address', 'cache', 'packet', 'relay', 'udp')]
    code = f'from socket_core import {", ".join(modules)}'
    code = f'import sys; before = set(sys.modules); {code}; print(*sorted(set(sys.modules) - before))'
    result = subprocess.run([sys.executable, '-c', code], env=with_source(), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    # Cython's own two are empty shells that its modules share.
    loaded = {name for name in result.stdout.split() if 'cython' not in name}
    assert loaded <= {'__future__', 'socket_core', *(f'socket_core.{module}' for module in modules)}


def with_source() -> dict[str, str]:
    """The environment, with the package that is tested here on the path, installed or not."""
    package = Path(next(iter(socket_core.__path__))).parent
    return {**os.environ, 'PYTHONPATH': str(package)}
