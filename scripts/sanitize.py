"""Run the core's tests on a core that is built with the sanitizers of gcc.

Reads and writes outside of memory, use after it was freed, leaks, and arithmetic that C leaves undefined end the run
with a report. Handles are counted, and assertions hold (CORE_DEBUG). What is in place stays as it is: this core is
built below build/sanitize/. With ``--threads`` it is data races that are looked for, on a core below build/threads/.

    python scripts/sanitize.py                                tests/core, and the core's fuzz targets
    python scripts/sanitize.py tests/core/test_cache.py -x    ... or those that are named; pytest gets the rest
    python scripts/sanitize.py --quick                        a part of them, for every run of the tests
    python scripts/sanitize.py --threads                      the tests with several threads
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from corebuild import BUILD, ROOT, build, core_targets, gcc_library

# Other programs that a test starts are not ours to find leaks in, and Pythons that it ends in the midst of something
# leave what they had: those that come after this one get options without.
PYTEST = """
import os, sys
for name, options in os.environ.items():
    if name.endswith('SAN_OPTIONS'):
        os.environ[name] = options.replace('detect_leaks=1', 'detect_leaks=0')
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
# These look at the build, and not at what was built.
IGNORED = ('test_build.py', 'test_libuv.py', 'test_portable.py', 'test_sha256_elsewhere.py', 'test_wheels.py')
TIMEOUT_SECONDS = 120  # of one test: under the sanitizers, it takes three times as long and more


class Kind(NamedTuple):
    """One way of looking at the core."""

    folder: str
    sanitizers: str
    libraries: tuple[str, ...]
    options: dict[str, dict[str, str]]
    tests: tuple[str, ...]


MEMORY = Kind(
    'sanitize',
    'address,undefined',
    ('libasan.so', 'libubsan.so'),
    {
        'ASAN_OPTIONS': {
            # Later versions of Python leave some of their own at exit.
            'detect_leaks': str(int(sys.version_info < (3, 12))),
            'detect_stack_use_after_return': '1',
            # pytest asks for it, and would say less.
            'allow_user_segv_handler': '0',
            'strict_string_checks': '1',
            # As everywhere else: what cannot be had is NULL, and an error of ours.
            'allocator_may_return_null': '1',
        },
        'LSAN_OPTIONS': {'report_objects': '1', 'print_suppressions': '0'},
        'UBSAN_OPTIONS': {'print_stacktrace': '1', 'halt_on_error': '1'},
    },
    (
        'tests/core',
        *(f'--ignore=tests/core/{name}' for name in IGNORED),
        *(f'tests/fuzz/test_fuzz.py::test_target[fuzz_{name}]' for name in core_targets()),
    ),
)
# Without what takes its time: processes, networks of their own, a hundred thousand of anything.
QUICK = MEMORY._replace(
    tests=(
        *MEMORY.tests,
        '--ignore=tests/core/udp',
        *(f'tests/core/udp/test_{name}.py' for name in ('arguments', 'datagrams', 'many', 'timers')),
    )
)
THREADS = Kind(
    'threads',
    'thread',
    ('libtsan.so',),
    {
        'TSAN_OPTIONS': {
            # Python and libuv are not built with it: what they do among themselves cannot be judged.
            'ignore_noninstrumented_modules': '1',
            # A child of a fork may start threads: ours do.
            'die_after_fork': '0',
        },
    },
    ('tests/core/test_relay_threads.py', 'tests/core/udp'),
)


def environment(kind: Kind, library: Path, reports: Path) -> dict[str, str]:
    """That of a Python that runs the core of ``library``; what is found goes to files named ``report.*``."""
    found = dict(os.environ)
    for name, options in kind.options.items():
        found[name] = ':'.join(f'{key}={value}' for key, value in {**options, 'log_path': str(reports)}.items())
    # Python's own allocator would hide from the sanitizers where one object ends and the next begins.
    found.update(
        PYTHONMALLOC='malloc',
        LD_PRELOAD=' '.join(map(gcc_library, kind.libraries)),
        PYTHONPATH=str(library),
    )
    return found


def run(kind: Kind, arguments: list[str]) -> int:
    """The exit code: not 0 where a test failed or a sanitizer found something."""
    compiler = {'CORE_SANITIZE': kind.sanitizers, 'CORE_DEBUG': '1', 'CC': os.environ.get('CC', 'gcc')}
    library = build(kind.folder, compiler)
    reports = BUILD / kind.folder / 'report'
    for old in reports.parent.glob('report.*'):
        old.unlink()
    # What pytest captures of the process's own stderr would be lost with it: one of the sanitizers writes only there.
    command = [sys.executable, '-c', PYTEST, '-q', '-p', 'no:cacheprovider', '--capture=sys']
    command += ['-o', f'pythonpath={library} .', '-o', f'timeout={TIMEOUT_SECONDS}']
    named = any((ROOT / argument.partition('::')[0]).exists() for argument in arguments)
    command += [*arguments, *(() if named else kind.tests)]
    code = subprocess.run(command, cwd=ROOT, env=environment(kind, library, reports)).returncode
    # A process that was started by a test reports, too, and nobody may have looked at how it ended.
    found = sorted(reports.parent.glob('report.*'))
    for report in found:
        print(f'== {report.name}\n{report.read_text("utf-8", "replace")}', file=sys.stderr)
    return code or bool(found)


def main(arguments: list[str]) -> int:
    if sys.platform != 'linux':
        raise SystemExit('this runs on Linux only')
    for option, kind in (('--threads', THREADS), ('--quick', QUICK)):
        if option in arguments:
            return run(kind, [argument for argument in arguments if argument != option])
    return run(MEMORY, arguments)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
