"""Run the fuzz targets: every ``tests/fuzz/fuzz_*.py``, each for a while, guided by coverage (atheris).

A target is a module with one function, ``one_input(data: bytes) -> None``, which lets no exception out but for
a bug. Without atheris (it has wheels for Linux on x86-64 only) the same inputs are made by plain mutation.
What broke a target is written to ``tests/fuzz/corpus/<target>/crash-*`` and, once mended, stays as a test:
``tests/fuzz/test_fuzz.py`` runs the whole corpus each time.

    python scripts/fuzz.py --seconds 60           all of them
    python scripts/fuzz.py --seconds 3600 packet  one of them
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / 'tests' / 'fuzz'

# Runs in a process of its own: atheris never returns from Fuzz().
GUIDED = """
import sys, atheris
with atheris.instrument_imports(include=['socket_runtime', 'socket_core', 'tests.fuzz']):
    import importlib
    target = importlib.import_module(sys.argv.pop(1))
for number, seed in enumerate(getattr(target, 'SEEDS', ())):
    with open(f'{sys.argv[-2]}/seed-{number}', 'wb') as file:
        file.write(seed)
atheris.Setup(sys.argv, target.one_input)
atheris.Fuzz()
"""


def targets(names: list[str]) -> list[str]:
    """The names of the targets, all of them where none was asked for."""
    known = sorted(path.stem.removeprefix('fuzz_') for path in FOLDER.glob('fuzz_*.py'))
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(f'no such target: {", ".join(sorted(unknown))}; there are {", ".join(known)}')
    return names or known


def run(name: str, seconds: int) -> int:
    """One target; the exit code is 0 when nothing was found."""
    corpus = FOLDER / 'corpus' / name
    corpus.mkdir(parents=True, exist_ok=True)
    module = f'tests.fuzz.fuzz_{name}'
    print(f'== {name}, {seconds} s', flush=True)
    if importlib.util.find_spec('atheris') is None:
        command = [sys.executable, '-m', 'tests.fuzz.mutate', module, str(seconds)]
    else:
        # New finds go beside the corpus, into build/: what is worth keeping is moved by hand.
        finds = ROOT / 'build' / 'fuzz' / name
        finds.mkdir(parents=True, exist_ok=True)
        options = [f'-max_total_time={seconds}', f'-artifact_prefix={corpus}/', '-timeout=5', '-print_final_stats=1']
        command = [sys.executable, '-c', GUIDED, module, *options, str(finds), str(corpus)]
    return subprocess.run(command, cwd=ROOT).returncode


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
