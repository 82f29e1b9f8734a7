"""What a plain app must not import, checked, and what each import costs.

A hello world is run in a window and asked for its modules; `import socket_runtime` is asked too. A listed module in
either fails the benchmark (exit code 1) and `tests/benchmarks/test_imports.py`. The table gives the memory (PSS, MB)
and the time (ms) that each import adds to a bare interpreter of its own.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Mapping

from benchmarks import command, harness, ours
from benchmarks.bars import Row, Values
from benchmarks.harness import BenchError, Display, Program, Running

ROUNDS = 5

# Heavy, and nothing that a plain app needs: an app that uses none of them must not pay for any.
FORBIDDEN = (
    'asyncio',
    'bleak',
    'bottle',
    'concurrent.futures',
    'configparser',
    'cryptography',
    'dbus_fast',
    'desktop_notifier',
    'email',
    'hashlib',
    'http.client',
    'http.server',
    'importlib.metadata',
    'msgspec',
    'multiprocessing',
    'pynput',
    'pystray',
    'socketserver',
    'sqlite3',
    'ssl',
    'subprocess',
    'tomllib',
    'unittest',
    'urllib.request',
    'webbrowser',
    'wsgiref',
    'xml',
)

# For comparison: what an app has anyway, or may have.
OTHERS = ('ctypes', 'dataclasses', 'gi', 'inspect', 'json', 'logging', 're', 'socket_runtime', 'threading', 'typing')

_COST = """
import sys, time, importlib
def pss():
    with open('/proc/self/smaps_rollup') as file:
        for line in file:
            if line.startswith('Pss:'):
                return int(line.split()[1]) * 1024
before, start = pss(), time.perf_counter()
importlib.import_module(sys.argv[1])
took = time.perf_counter() - start
print((pss() - before) / 1e6, took * 1e3)
"""


def loaded_by_import() -> set[str]:
    """The modules of an interpreter that has imported the package."""
    code = "import sys, socket_runtime; print('\\n'.join(sys.modules))"
    return set(_python(code).split())


def loaded_by_hello(display: Display) -> set[str]:
    """The modules of a running hello world, whose page has loaded.

    Raises:
        BenchError: it does not run.
    """
    argv = (sys.executable, str(ours.APPS / 'modules.py'), str(ours.hello_project()))
    with Running(Program('hello', argv), display) as running:
        running.line('DCL', 30)
        running.tell('')
        return set(running.line('MODULES').split())


def crept_in(loaded: set[str]) -> list[str]:
    """The listed modules among the loaded ones."""
    return [name for name in FORBIDDEN if name in loaded]


def _python(code: str, *arguments: str) -> str:
    env = {'PYTHONPATH': str(harness.ROOT / 'src'), 'PATH': '/usr/bin:/bin'}
    argv = [sys.executable, '-c', code, *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=env)
    if done.returncode:
        raise BenchError(f'python failed: {done.stderr.strip().splitlines()[-1:]}')
    return done.stdout


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def measure(rounds: int = ROUNDS) -> Values:
    """The cost of each module, and whether it is loaded."""

    def work(name: str) -> Callable[[], Mapping[str, float]]:
        def run() -> Mapping[str, float]:
            megabytes, milliseconds = _python(_COST, name).split()
            return {'pss_mb': float(megabytes), 'ms': float(milliseconds)}

        return run

    with Display() as display:
        hello, plain = loaded_by_hello(display), loaded_by_import()
    names = [name for name in (*FORBIDDEN, *OTHERS) if _is_installed(name)]
    costs = harness.interleave({name: work(name) for name in names}, rounds, warm_up=1)
    return {
        name: {'in_hello': [float(name in hello)], 'in_import': [float(name in plain)], **costs.get(name, {})}
        for name in (*FORBIDDEN, *OTHERS)
    }


def judge(values: Values) -> list[Row]:
    """The bars: none of the listed modules."""
    rows = []
    for key, what in (('in_hello', 'imports of a hello world'), ('in_import', 'imports of `import socket_runtime`')):
        found = [name for name in FORBIDDEN if any(values.get(name, {}).get(key, ()))]
        shown = any(key in one for one in values.values())
        verdict = ('not met' if found else 'met') if shown else 'not shown'
        measured = ', '.join(found) or 'none' if shown else '-'
        rows.append(Row(what, f'none of {len(FORBIDDEN)} listed', measured, str(len(found)) if shown else '-', verdict))
    return rows


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
