"""Run the fuzz targets (``tests/fuzz/fuzz_*.py``) for a while each; guided by coverage where atheris is installed.

What broke a target is written to ``tests/fuzz/corpus/<target>/crash-*``. Once the bug is mended the file stays:
``tests/fuzz/test_fuzz.py`` tries the whole corpus in every test run.

With ``--native`` the core is compiled once more by clang, below build/fuzz/, with the sanitizers and with counters for
its branches, so that the fuzzer sees which way through the C an input took. What it finds interesting is kept in
build/fuzz/corpus/, and the next run goes on from there.

    python scripts/fuzz.py --seconds 60                    all of them
    python scripts/fuzz.py --seconds 3600 packet           one of them
    python scripts/fuzz.py --native --seconds 3600 packet  ... in the core itself
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from corebuild import BUILD, FUZZ, ROOT, build, core_targets, find_clang

# `fuzzer-no-link`: count the branches; the fuzzer's own part comes with atheris.
SANITIZERS = 'address,undefined,fuzzer-no-link'
# Python leaks some of its own at exit, and the fuzzer looks for leaks after each input that allocates.
OPTIONS = {'ASAN_OPTIONS': 'detect_leaks=0:allocator_may_return_null=1', 'UBSAN_OPTIONS': 'halt_on_error=1'}


def targets(names: list[str]) -> list[str]:
    """The names of the targets, all of them where none was asked for."""
    known = sorted(path.stem.removeprefix('fuzz_') for path in FUZZ.glob('fuzz_*.py'))
    unknown = set(names) - set(known)
    if unknown:
        raise SystemExit(f'no such target: {", ".join(sorted(unknown))}; there are {", ".join(known)}')
    return names or known


def native() -> dict[str, str]:
    """The environment of a Python that runs the core with the fuzzer's eyes in it. Raises SystemExit."""
    found = importlib.util.find_spec('atheris')
    if found is None or found.origin is None:
        raise SystemExit("atheris is missing: pip install -e '.[fuzz]'")
    clang = find_clang()
    compiler = {'CC': clang, 'LDSHARED': f'{clang} -shared', 'CORE_SANITIZE': SANITIZERS, 'CORE_DEBUG': '1'}
    library = build('fuzz', compiler)
    sanitizer = Path(found.origin).parent.parent / 'asan_with_fuzzer.so'
    return {
        **OPTIONS,
        'LD_PRELOAD': str(sanitizer),
        'PYTHONMALLOC': 'malloc',
        'PYTHONPATH': f'{library}{os.pathsep}{ROOT}',
    }


def run(name: str, seconds: int, environment: dict[str, str], kept: Path | None) -> int:
    """One target, in a process of its own; the exit code is 0 when nothing was found."""
    print(f'== {name}, {seconds} s', flush=True)
    corpus = FUZZ / 'corpus' / name
    corpus.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, '-m', f'tests.fuzz.fuzz_{name}', '--seconds', str(seconds)]
    if kept is not None:
        command += ['--keep', str(kept / name)]
    try:
        return subprocess.run(command, cwd=corpus, env={**os.environ, **environment}).returncode
    finally:
        if not any(corpus.iterdir()):
            corpus.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=int, default=60, help='for each target')
    parser.add_argument('--native', action='store_true', help="on a core with clang's sanitizers and counters")
    parser.add_argument('names', nargs='*', help='targets (default: all; with --native, those of the core)')
    options = parser.parse_args()
    names = targets(options.names)
    if options.native:
        names = options.names or core_targets()
        environment, kept = native(), BUILD / 'fuzz' / 'corpus'
    else:
        environment, kept = {'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "src"}'}, None
    failed = [name for name in names if run(name, options.seconds, environment, kept)]
    print(f'failed: {", ".join(failed)}' if failed else 'nothing found')
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
