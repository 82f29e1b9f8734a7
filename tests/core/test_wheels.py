"""Which wheels are made, and that a wheel which lacks something is not let through."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.skips import skip_loudly

PYTHONS = ('cp311', 'cp312', 'cp313', 'cp314', 'cp314t')
# Each runner of .github/workflows/wheels.yml: its system, its processor, and the kinds of wheel that it makes.
RUNNERS = [
    ('linux', 'x86_64', ('manylinux_x86_64', 'musllinux_x86_64')),
    ('linux', 'aarch64', ('manylinux_aarch64', 'musllinux_aarch64')),
    ('macos', 'x86_64', ('macosx_x86_64',)),
    ('macos', 'arm64', ('macosx_arm64',)),
    ('windows', 'AMD64', ('win_amd64',)),
    ('windows', 'ARM64', ('win_arm64',)),
]


@pytest.mark.parametrize(('system', 'processor', 'kinds'), RUNNERS)
def test_every_python_gets_its_wheels(root: Path, system: str, processor: str, kinds: tuple[str, ...]) -> None:
    if importlib.util.find_spec('cibuildwheel') is None:
        skip_loudly('cibuildwheel is missing', "pip install -e '.[dev]'")
    command = [sys.executable, '-m', 'cibuildwheel', '--print-build-identifiers']
    command += ['--platform', system, '--archs', processor, str(root)]
    # What a runner sets for itself is not what is tested.
    environment = {name: value for name, value in os.environ.items() if not name.startswith('CIBW_')}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split()) == sorted(f'{python}-{kind}' for python in PYTHONS for kind in kinds)


def test_the_workflow_has_a_runner_for_each(root: Path) -> None:
    workflow = (root / '.github' / 'workflows' / 'wheels.yml').read_text('utf-8')
    for _, processor, _ in RUNNERS:
        assert f'archs: {processor}' in workflow


@pytest.fixture
def check_wheel(root: Path) -> ModuleType:
    """``scripts/check_wheel.py``, as a module."""
    spec = importlib.util.spec_from_file_location('check_wheel', root / 'scripts' / 'check_wheel.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel_of(tmp_path: Path, names: list[str]) -> Path:
    wheel = tmp_path / 'some-1-py3-none-any.whl'
    with zipfile.ZipFile(wheel, 'w') as archive:
        for name in names:
            archive.writestr(name, '')
    return wheel


def whole(check_wheel: ModuleType, source: Path) -> list[str]:
    """The names in a wheel of ``source`` that lacks nothing."""
    for name in ('socket_core/_one.pyx', 'socket_core/_one.pxd', 'socket_core/_one.c', *check_wheel.NEEDED):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return ['socket_core/_one.cpython-311-x86_64-linux-gnu.so', 'socket_core/_one.pxd', *check_wheel.NEEDED]


def test_a_whole_wheel_passes(check_wheel: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / 'src'
    check_wheel.check_files(wheel_of(tmp_path, whole(check_wheel, source)), source)


@pytest.mark.parametrize('lacking', ['_one.cpython', '_one.pxd', '_packet.pyi', 'py.typed', 'preload.js'])
def test_a_wheel_that_lacks_something_is_refused(check_wheel: ModuleType, tmp_path: Path, lacking: str) -> None:
    source = tmp_path / 'src'
    names = [name for name in whole(check_wheel, source) if lacking not in name]
    with pytest.raises(AssertionError, match='lacks'):
        check_wheel.check_files(wheel_of(tmp_path, names), source)


@pytest.mark.parametrize(
    'extra', ['socket_core/_one.c', 'socket_core/_one.pyx', 'socket_core/_one.pxi', 'socket_core/_one.o']
)
def test_a_wheel_with_sources_in_it_is_refused(check_wheel: ModuleType, tmp_path: Path, extra: str) -> None:
    source = tmp_path / 'src'
    names = [*whole(check_wheel, source), extra]
    with pytest.raises(AssertionError, match='should not have'):
        check_wheel.check_files(wheel_of(tmp_path, names), source)
