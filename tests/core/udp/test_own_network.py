"""Sockets in a network that the test makes for itself: links that fail, neighbours that do not answer, interfaces."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys

import pytest

from tests.core.udp.network_cases import CASES
from tests.support.skips import skip_loudly
from tests.support.udp import ROOT, environment

# A network of one's own: by right, or as root of a user namespace of one's own.
WAYS = (['unshare', '--net'], ['unshare', '--user', '--map-root-user', '--net'])


@functools.cache
def way() -> list[str]:
    """The first way that works here, to run a command in a new network."""
    if not all(shutil.which(name) for name in ('unshare', 'ip')):
        skip_loudly('unshare or ip is missing', 'apt-get install util-linux iproute2')
    for command in WAYS:
        probe = [*command, 'ip', 'link', 'add', 'east', 'type', 'veth', 'peer', 'name', 'west']
        if subprocess.run(probe, capture_output=True).returncode == 0:
            return command
    skip_loudly('this user may not make a network', 'run as root, or allow user namespaces')


@pytest.mark.skipif(sys.platform != 'linux', reason='network namespaces are of Linux')
@pytest.mark.parametrize('case', CASES)
def test_in_a_network_of_its_own(case: str, backend: str) -> None:
    command = [*way(), sys.executable, '-W', 'error', '-m', 'tests.core.udp.network_cases', case, backend]
    result = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=100)
    assert (result.returncode, result.stderr) == (0, ''), result.stderr
