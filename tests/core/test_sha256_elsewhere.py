"""SHA-256 on processors that are not this one, in an emulator; and here, without Python, under sanitizers."""

from __future__ import annotations

import hashlib
import platform
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skips import skip_loudly

HERE = Path(__file__).parent
CORE = HERE.parent.parent / 'src' / 'socket_core'
SOURCES = [HERE / 'c' / 'sha256_check.c', *(CORE / name for name in ('_sha256.c', '_sha256_x86.c', '_sha256_arm.c'))]
WARNINGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror']
EMULATOR = ['qemu-aarch64', '-cpu', 'max']
ARM = {
    'gcc': ['aarch64-linux-gnu-gcc'],
    # Its own header hides the instructions, unless the file is compiled for them: see `_sha256_arm.c`.
    'clang': ['clang', '--target=aarch64-linux-gnu'],
}
PACKAGES = {
    'aarch64-linux-gnu-gcc': 'apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
    'clang': 'apt-get install clang',
    'gcc': 'apt-get install gcc',
    'qemu-aarch64': 'apt-get install qemu-user',
    'qemu-x86_64': 'apt-get install qemu-user',
}

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='the compilers and the emulator are those of Debian')


def build(command: list[str], folder: Path) -> str:
    """Compile the program and return where it is."""
    program = str(folder / 'sha256_check')
    result = subprocess.run(
        [*command, *WARNINGS, f'-I{CORE}', '-o', program, *map(str, SOURCES)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return program


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            skip_loudly(f'{program} is missing', PACKAGES[program])


def paths_of(command: list[str]) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def batches(frames: bool) -> list[list[bytes]]:
    """Every length of one message, and batches of every count; frames have a header's bytes and at most 1166."""
    source, least, most = random.Random(1), 142 if frames else 0, 1166 if frames else 700
    alone = [[source.randbytes(size)] for size in range(least, most + 1, 3 if frames else 1)]
    return alone + [[source.randbytes(source.randint(least, most)) for _ in range(count)] for count in range(71)]


def check(command: list[str], path: str, frames: bool) -> None:
    asked = batches(frames)
    stream = b''.join(
        struct.pack('>I', len(batch)) + b''.join(struct.pack('>I', len(message)) + message for message in batch)
        for batch in asked
    )
    kind = 'frames' if frames else 'messages'
    result = subprocess.run([*command, path, kind], input=stream, capture_output=True)
    assert result.returncode == 0, result.stderr.decode(errors='replace')
    hashed = [message[:2] + bytes(4) + message[6:] if frames else message for batch in asked for message in batch]
    assert result.stdout == b''.join(hashlib.sha256(message).digest() for message in hashed)


@pytest.mark.timeout(120)
@pytest.mark.parametrize('compiler', ARM)
def test_armv8_has_the_same_digests(compiler: str, tmp_path: Path) -> None:
    need(ARM[compiler][0], 'aarch64-linux-gnu-gcc', 'qemu-aarch64')
    command = [*EMULATOR, build([*ARM[compiler], '-static'], tmp_path)]
    assert paths_of(command) == ['scalar', 'armv8']
    for path in ('scalar', 'armv8', 'auto'):
        check(command, path, frames=False)
        check(command, path, frames=True)


@pytest.mark.parametrize(
    ('processor', 'paths'),
    [
        ('qemu64', ['scalar']),
        ('Nehalem', ['scalar', 'sse']),
        ('max,-sha-ni', ['scalar', 'sse', 'avx2']),
        # It has the instructions, and its system does not save what they work on.
        ('max,-xsave,-sha-ni', ['scalar', 'sse']),
    ],
)
def test_each_processor_uses_what_it_has(processor: str, paths: list[str], tmp_path: Path) -> None:
    need('gcc', 'qemu-x86_64')
    if platform.machine() != 'x86_64':
        skip_loudly('this machine compiles for another processor', 'a machine with an x86-64')
    command = ['qemu-x86_64', '-cpu', processor, build(['gcc', '-static'], tmp_path)]
    assert paths_of(command) == paths
    check(command, 'auto', frames=True)


@pytest.mark.timeout(120)
def test_nothing_is_read_or_written_beyond_its_end(tmp_path: Path) -> None:
    need('gcc')
    command = [build(['gcc', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover'], tmp_path)]
    for path in (*paths_of(command), 'auto'):
        check(command, path, frames=False)
        check(command, path, frames=True)
