"""Run the fuzz targets (``tests/fuzz/fuzz_*.py``) for a while each; guided by coverage where atheris is installed.

What broke a target is written to ``tests/fuzz/corpus/<target>/crash-*``. Once the bug is mended the file stays:
``tests/fuzz/test_fuzz.py`` tries the whole corpus in every test run.

    python scripts/fuzz.py --seconds 60           all of them
    python scripts/fuzz.py --seconds 3600 packet  one of them
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / 'tests' / 'fuzz'


def targets(names: list[str]) -> list[str]:
    """The names of the targets, all of them where none was asked for."""
    known = sorted(path.stem.removeprefix('fuzz_') for path in FOLDER.glob('fuzz_*.py'))
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(f'no such target: {", ".join(sorted(unknown))}; there are {", ".join(known)}')
    return names or known


def run(name: str, seconds: int) -> int:
    """One target, in a process of its own; the exit code is 0 when nothing was found."""
    print(f'== {name}, {seconds} s', flush=True)
    corpus = FOLDER / 'corpus' / name
    corpus.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "src"}'}
    command = [sys.executable, '-m', f'tests.fuzz.fuzz_{name}', '--seconds', str(seconds)]
    try:
        return subprocess.run(command, cwd=corpus, env=environment).returncode
    finally:
        if not any(corpus.iterdir()):
            corpus.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=int, default=60, help='for each target')
    parser.add_argument('names', nargs='*', help='targets (default: all)')
    options = parser.parse_args()
    failed = [name for name in targets(options.names) if run(name, options.seconds)]
    print(f'failed: {", ".join(failed)}' if failed else 'nothing found')
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
