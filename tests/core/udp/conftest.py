"""Fixtures for tests of sockets. Every test here ends with no handle alive in the process: that is asserted, always.

``loop`` and ``inbox`` come once for each backend that this system has; ``host`` once for IPv4 and once for IPv6.
"""

from __future__ import annotations

import gc
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from socket_core._udp import Loop, handles_alive
from tests.support.skips import skip_loudly
from tests.support.udp import SECONDS, Inbox

BACKENDS = ('udp',) if sys.platform == 'win32' else ('poll', 'udp')


@pytest.fixture(autouse=True)
def no_handle_is_left() -> Iterator[None]:
    """Whatever a test did: the memory of every handle is given back when its loops are closed."""
    before = alive()  # nothing, unless another test has failed
    yield
    gc.collect()
    end = time.monotonic() + SECONDS
    while alive() != before and time.monotonic() < end:  # what is dropped is closed by its loop's thread
        time.sleep(0.005)
    assert alive() == before


def alive() -> dict[str, int]:
    """The handles of this process that are not closed, by kind."""
    return {kind: count for kind, count in handles_alive().items() if count}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each way of the loop to receive and send that this system has."""
    return str(request.param)


@pytest.fixture
def loop(backend: str) -> Iterator[Loop]:
    """A loop, closed at the end."""
    with Loop(backend=backend) as loop:  # type: ignore[arg-type]
        assert loop.backend == backend
        yield loop
    assert loop.closed


@pytest.fixture
def inbox(loop: Loop) -> Inbox:
    """The events of ``loop``."""
    return Inbox(loop)


@pytest.fixture(params=['127.0.0.1', '::1'], ids=['ipv4', 'ipv6'])
def host(request: pytest.FixtureRequest) -> str:
    """Loopback, of each family."""
    if ':' in request.param:
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind((request.param, 0))
        except OSError:
            skip_loudly('this machine has no IPv6', 'sysctl net.ipv6.conf.lo.disable_ipv6=0')
    return str(request.param)
