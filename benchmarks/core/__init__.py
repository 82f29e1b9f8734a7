"""The compiled core against its floors and its peers: one module for each line of what it must reach."""

from __future__ import annotations

import shutil
import ssl
import subprocess


def versions() -> dict[str, str]:
    """What the numbers of the core depend on, beside the machine."""
    from benchmarks.core import paths, peers

    found = {'hashlib': ssl.OPENSSL_VERSION, 'uvloop': peers.UVLOOP.partition('==')[2]}
    if shutil.which('node'):
        found['node'] = subprocess.run(['node', '--version'], capture_output=True, text=True).stdout.strip()
    try:
        from socket_core import _udp
    except ImportError:
        found['core'] = 'not built'
    else:
        found['libuv'] = _udp.LIBUV_VERSION
    found['ways to hash'] = ', '.join(paths.core_paths())
    return found
