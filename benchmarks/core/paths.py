"""The ways to hash that are shown: the core's own, and hashlib with and without the processor's SHA instructions.

OpenSSL reads in OPENSSL_ia32cap which features of the processor it is to overlook. Without the SHA instructions it
hashes as it does on the processors that have none, so that both sorts of machine are shown on one that has them.
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from pathlib import Path

AVX512 = 'avx512'
AVX2 = 'avx2'

# Bit 29 of the second word of features.
WITHOUT_SHA: Mapping[str, str] = {'OPENSSL_ia32cap': ':~0x20000000'}


@functools.cache
def core_paths() -> tuple[str, ...]:
    """The core's ways that this processor has; none where the core is not built."""
    try:
        from socket_core import _packet
    except ImportError:
        return ()
    return _packet.sha256_paths()


@functools.cache
def has_sha_instructions() -> bool:
    """Whether hashlib may use the processor's SHA instructions, and can be kept from it."""
    if platform.machine() not in ('x86_64', 'AMD64'):
        return False
    try:
        return 'sha_ni' in Path('/proc/cpuinfo').read_text('utf-8').split()
    except OSError:
        return False
