"""Prove that a wheel is whole: look into it, install it into a clean environment, use every part of the core once.

python scripts/check_wheel.py dist/*.whl    the files, and a fresh environment
python scripts/check_wheel.py               the packages that are installed here (as cibuildwheel calls it)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (
    'socket_core/__init__.py',
    'socket_core/_frame.h',
    'socket_core/_packet.pxd',
    'socket_core/_packet.pyi',
    'socket_core/py.typed',
    'socket_runtime/__init__.py',
    'socket_runtime/cli/main.py',
    'socket_runtime/js/preload.js',
    'socket_runtime/py.typed',
)
# Neither what Cython wrote nor what it was written from: the compiled module is there instead.
UNWANTED = ('.c', '.o', '.pxi', '.pyx')
COMPILED = ('.so', '.pyd')


def check_files(wheel: Path, source: Path) -> None:
    """Raises AssertionError: a file is missing, or should not be there."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    missing = [name for name in NEEDED if name not in names]
    # Every module, script and template of the source is in the wheel, whatever room was added last.
    for path in source.rglob('*'):
        name = path.relative_to(source).as_posix()
        is_part = path.is_file() and '__pycache__' not in name and '.egg-info' not in name
        if is_part and not name.endswith((*UNWANTED, '.pyc', *COMPILED)) and name not in names:
            missing.append(name)
    compiled = [name for name in names if name.endswith(COMPILED)]
    for path in source.rglob('*.pyx'):
        module = path.relative_to(source).with_suffix('').as_posix()
        if not any(name.startswith(f'{module}.') for name in compiled):
            missing.append(f'{module}, compiled')
    assert not missing, f'{wheel.name} lacks {", ".join(sorted(set(missing)))}'
    unwanted = [name for name in names if name.endswith(UNWANTED)]
    assert not unwanted, f'{wheel.name} should not have {", ".join(unwanted)}'


def check_in_fresh_environment(wheel: Path) -> None:
    """Install and use it; raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ('Scripts/python.exe' if sys.platform == 'win32' else 'bin/python')
        install = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', wheel]
        subprocess.run(install, check=True)
        smoke(python, folder)


def smoke(python: Path, folder: str) -> None:
    """`-I`: neither the folder nor the environment brings another copy of the packages in."""
    subprocess.run([python, '-I', ROOT / 'scripts' / 'smoke.py'], check=True, cwd=folder)


def main(arguments: list[str]) -> int:
    if not arguments:
        smoke(Path(sys.executable), tempfile.gettempdir())
    for argument in arguments:
        wheel = Path(argument).resolve()
        check_files(wheel, ROOT / 'src')
        check_in_fresh_environment(wheel)
        print(f'{wheel.name} is whole ({wheel.stat().st_size / 1000:,.0f} kB)')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
