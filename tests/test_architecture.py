"""The house's rules: who may import whom, nothing in a circle, nothing too long, nothing loaded in vain."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support import csource
from tests.support.imports import circles, imports_of, modules_of, outside_imports

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / 'src'
MODULES = modules_of(SOURCE)
KNOWN = set(MODULES)
IMPORTS = {name: imports_of(name, path, KNOWN) for name, path in MODULES.items()}

MODULE_LINES = 700
FUNCTION_LINES = 60

# Known to all rooms: the errors and the version.
COMMON = ('socket_runtime.errors', 'socket_runtime._version')
# The hosts: one for each system, and what they share. None knows another.
HOST_SHARED = ('socket_runtime.host.contract', 'socket_runtime.host._parts', 'socket_runtime.host._seam')
HOSTS = tuple(f'socket_runtime.host.{name}' for name in ('cocoa', 'edge', 'gtk', 'headless', 'qt'))
# Each room (a prefix of module names) and the rooms that it may import beside itself and COMMON. The longest
# prefix that fits a module is its room, so every host package is a room of its own.
ROOMS: dict[str, tuple[str, ...]] = {
    'socket_core': (),
    'socket_runtime.errors': (),
    'socket_runtime._version': (),
    'socket_runtime.p2p': ('socket_core',),
    'socket_runtime.sim': ('socket_core', 'socket_runtime.p2p'),
    'socket_runtime.ipc': (),
    'socket_runtime.services': ('socket_core', 'socket_runtime.ipc', 'socket_runtime.p2p'),
    **dict.fromkeys(HOST_SHARED, HOST_SHARED),
    **dict.fromkeys(HOSTS, HOST_SHARED),
    # The package itself only chooses.
    'socket_runtime.host': (*HOST_SHARED, *HOSTS),
    'socket_runtime.app': (
        'socket_core',
        'socket_runtime.host',
        *HOST_SHARED,
        *HOSTS,
        'socket_runtime.ipc',
        'socket_runtime.p2p',
        'socket_runtime.services',
    ),
    'socket_runtime.build': ('socket_runtime.app', 'socket_runtime.ipc', 'socket_runtime.services'),
    'socket_runtime.cli': (
        'socket_core',
        'socket_runtime',
        'socket_runtime.app',
        'socket_runtime.build',
        'socket_runtime.host',
        *HOST_SHARED,
        *HOSTS,
        'socket_runtime.ipc',
        'socket_runtime.p2p',
        'socket_runtime.services',
        'socket_runtime.sim',
    ),
    # The public names; what it re-exports it may import.
    'socket_runtime': ('socket_runtime.app', 'socket_runtime.ipc', 'socket_runtime.p2p', 'socket_runtime.services'),
    'socket_runtime.__main__': ('socket_runtime.cli',),
}
CORE = SOURCE / 'socket_core'
OWN_C = csource.own_c(CORE)
CYTHON = sorted(path for path in CORE.iterdir() if path.suffix in ('.pyx', '.pxd', '.pxi'))
# The core's C by its nouns (`_store_index.c` is of `store`): each, and whose headers it may include beside its own.
C_ROOMS: dict[str, tuple[str, ...]] = {
    'address': (),
    'atomic': ('system',),
    'frame': (),
    'lock': (),
    'sip': (),
    'system': (),
    'fork': ('lock',),
    'sha256': ('atomic', 'frame'),
    'packet': ('atomic', 'frame'),
    'handler': ('address',),
    'store': ('address', 'fork', 'frame', 'lock', 'sip'),
    # Neither sends nor receives, and knows neither sockets nor loops.
    'relay': ('address', 'fork', 'frame', 'handler', 'lock', 'sip', 'store'),
    'ring': ('address', 'atomic'),
    'wake': ('atomic', 'system'),
    'net': ('address', 'atomic', 'handler', 'system'),
    # Knows handlers, and not what is behind them.
    'engine': ('address', 'atomic', 'fork', 'handler', 'lock', 'net', 'ring', 'system', 'wake'),
}
# Its modules, and which of the others they may import or cimport. What is below does not know what is above.
CYTHON_ROOMS: dict[str, tuple[str, ...]] = {
    '_address': (),
    '_packet': (),
    '_handler': ('_address',),
    '_cache': ('_address', '_packet'),
    '_relay': ('_address', '_cache', '_handler', '_packet'),
    '_engine': ('_address', '_handler', 'uv'),
    '_udp': ('_address', '_engine', '_handler', '_packet', '_relay', 'uv'),
    'uv': (),
}
# Headers that every C compiler brings, and those of systems and processors with the files that may know them.
STANDARD_C = ('assert', 'errno', 'inttypes', 'limits', 'stdatomic', 'stdbool', 'stddef', 'stdint', 'stdio', 'stdlib')
STANDARD_C = tuple(f'{name}.h' for name in (*STANDARD_C, 'string', 'time'))
SYSTEM_HEADERS: dict[str, tuple[str, ...]] = {
    '_atomic.h': ('windows.h',),
    '_lock.h': ('pthread.h', 'windows.h'),
    '_sha256*': ('arm*_neon.h', 'asm/hwcap.h', 'cpuid.h', 'immintrin.h', 'intrin.h', 'sys/auxv.h', 'sys/sysctl.h'),
    '_sha256_arm.c': ('windows.h',),
    '_store_index.c': ('emmintrin.h',),
    '_store_buckets.h': ('emmintrin.h',),
    '_store_pages.c': ('sys/mman.h', 'unistd.h', 'windows.h'),
    '_wake.*': ('fcntl.h', 'sys/eventfd.h', 'unistd.h', 'uv.h'),
    '_engine*': ('uv.h',),
    '_engine.c': ('pthread.h', 'signal.h', 'unistd.h'),
    '_engine_fork.c': ('pthread.h', 'unistd.h'),
    '_engine_guest.c': ('dlfcn.h',),
    # The two that call the system itself: for a socket's options, and for batches.
    '_net*': ('*',),
    '_engine_poll.c': ('*',),
}
# Modules that a plain app must not pay for when it is imported (architecture, "The two loops").
LAZY = (
    'asyncio',
    'bottle',
    'concurrent.futures',
    'cryptography',
    'hashlib',
    'http.server',
    'importlib.metadata',
    'msgspec',
    'ssl',
    'subprocess',
    'urllib.request',
)


def room_of(name: str) -> str:
    """The longest room whose name begins the module's."""
    while name not in ROOMS:
        name, _, last = name.rpartition('.')
        assert last, 'every module has a room'
    return name


def may_import(room: str, target: str) -> bool:
    return target in COMMON or room_of(target) in (room, *ROOMS[room])


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def test_there_is_something_to_check() -> None:
    assert {'socket_core', 'socket_runtime.errors', 'socket_runtime.host.contract'} <= KNOWN


@pytest.mark.parametrize('name', sorted(KNOWN))
def test_rooms_import_only_what_they_may(name: str) -> None:
    room = room_of(name)
    wrong = [
        f'{MODULES[name].relative_to(ROOT)}:{found.line} imports {found.target}'
        for found in IMPORTS[name]
        if not may_import(room, found.target)
    ]
    assert not wrong, f'{room} may import {", ".join(sorted((room, *ROOMS[room])))}:\n' + '\n'.join(wrong)


def test_nothing_imports_in_a_circle() -> None:
    graph = {name: {found.target for found in IMPORTS[name] if found.at_import} for name in KNOWN}
    assert circles(graph) == []


def test_rooms_do_not_import_in_a_circle_even_late() -> None:
    graph: dict[str, set[str]] = {}
    for name in KNOWN:
        room = room_of(name)
        targets = {room_of(found.target) for found in IMPORTS[name]} - {room}
        graph.setdefault(room, set()).update(targets)
    assert circles(graph) == []


def test_only_the_pages_side_lives_in_js_and_templates() -> None:
    data = [name for name in KNOWN if name.startswith(('socket_runtime.js', 'socket_runtime.templates'))]
    assert data == []


@pytest.mark.parametrize('path', sorted(SOURCE.rglob('*')), ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_are_short(path: Path) -> None:
    if path.suffix in ('.py', '.pyx', '.pxd', '.pxi', '.pyi', '.js', '.c', '.h') and path.is_file():
        if path.with_suffix('.pyx').is_file() and path.suffix == '.c':
            return  # Cython's, for coverage
        assert len(path.read_text('utf-8').splitlines()) <= MODULE_LINES


@pytest.mark.parametrize('name', sorted(KNOWN))
def test_functions_are_short(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text('utf-8'))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [
        f'{node.name}, line {node.lineno}: {lines_of(node)} lines'
        for node in functions
        if lines_of(node) > FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize('path', OWN_C, ids=lambda path: path.name)
def test_c_functions_are_short(path: Path) -> None:
    assert long_ones(csource.functions_of(path.read_text('utf-8'))) == []


@pytest.mark.parametrize('path', CYTHON, ids=lambda path: path.name)
def test_cython_functions_are_short(path: Path) -> None:
    assert long_ones(csource.cython_functions_of(path.read_text('utf-8'))) == []


def long_ones(functions: list[csource.Function]) -> list[str]:
    return [
        f'{function.name}, line {function.line}: {function.lines} lines'
        for function in functions
        if function.lines > FUNCTION_LINES
    ]


def noun_of(name: str) -> str:
    """`store` for `_store_index.c`."""
    return re.split(r'[_.]', name.lstrip('_'))[0]


@pytest.mark.parametrize('path', OWN_C, ids=lambda path: path.name)
def test_core_c_includes_only_what_it_may(path: Path) -> None:
    noun = noun_of(path.name)
    assert noun in C_ROOMS, f'{path.name}: every C file has a noun of its own'
    own, system = csource.includes_of(path.read_text('utf-8'))
    assert [name for name in own if noun_of(name) not in (noun, *C_ROOMS[noun])] == []
    known = [pattern for files, names in SYSTEM_HEADERS.items() if fnmatchcase(path.name, files) for pattern in names]
    strange = [name for name in system if name not in STANDARD_C and not any(fnmatchcase(name, of) for of in known)]
    assert strange == []


def test_core_c_has_no_circles() -> None:
    graph = {path.name: set(csource.includes_of(path.read_text('utf-8'))[0]) for path in OWN_C}
    assert circles(graph) == []


@pytest.mark.parametrize('path', OWN_C, ids=lambda path: path.name)
def test_core_c_knows_nothing_of_python(path: Path) -> None:
    """So it cannot take the GIL, whoever calls it."""
    text = path.read_text('utf-8')
    assert 'Python.h' not in str(csource.includes_of(text))
    assert re.findall(r'\b_?Py[A-Z_]\w*', csource.code_of(text)) == []


@pytest.mark.parametrize('path', CYTHON, ids=lambda path: path.name)
def test_core_modules_cimport_only_what_they_may(path: Path) -> None:
    # What is included (.pxi) is of the module whose name it begins with.
    of = [name for name in CYTHON_ROOMS if path.stem == name or path.stem.startswith(f'{name}_')]
    assert of, f'{path.name}: every module of the core has its place'
    assert csource.cimports_of(path.read_text('utf-8')) - {*of, *CYTHON_ROOMS[of[0]]} == set()


def test_core_imports_nothing_of_ours() -> None:
    for path in sorted((SOURCE / 'socket_core').rglob('*.p*')):
        if path.suffix in ('.py', '.pyi'):
            assert not [found for found in outside_imports(path) if found.target.startswith('socket_runtime')]
        elif path.suffix in ('.pyx', '.pxd', '.pxi'):
            assert 'socket_runtime' not in path.read_text('utf-8')


@pytest.mark.parametrize('module', ['socket_runtime', 'socket_runtime.app'])
def test_a_plain_app_imports_nothing_in_vain(module: str) -> None:
    code = f'import sys; before = set(sys.modules); import {module}; print(*sorted(set(sys.modules) - before))'
    environment = {**os.environ, 'PYTHONPATH': str(SOURCE)}
    result = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert sorted(set(result.stdout.split()) & set(LAZY)) == []


# The rules themselves are tested on a small house of cards, so that a rule that finds nothing is known to look.


def house(tmp_path: Path, files: dict[str, str]) -> dict[str, Path]:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return modules_of(tmp_path)


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    files = {
        'p/__init__.py': 'from .a import x\n',
        'p/a.py': (
            'from typing import TYPE_CHECKING\n'
            'if TYPE_CHECKING:\n    from p.b import y\n'
            'try:\n    import p.c\nexcept ImportError:\n    from . import d\n'
            'def f():\n    from .b import z\n'
        ),
        'p/b.py': '',
        'p/c.py': '',
        'p/d.py': '',
        'p/templates/t.py': 'this is not Python',
    }
    modules = house(tmp_path, files)
    found = imports_of('p.a', modules['p.a'], set(modules))
    assert [(each.target, each.at_import) for each in found] == [
        ('p.b', False),
        ('p.c', True),
        ('p.d', True),
        ('p.b', False),
    ]
    assert [each.target for each in imports_of('p', modules['p'], set(modules))] == ['p.a']


C_SAMPLE = """\
#include "_one.h" /* "not this" */
#  include <two.h>
/* int commented(void) { */
#define LONG(x) \\
    do { \\
        (x)++; \\
    } while (0)
static const char *text = "} int quoted(void) {";
typedef struct box { int width; } box_t;
static const int table[] = {1, 2, 3};
__attribute__((target("avx2"))) static inline int
first(int (*callback)(void),
      int value) {
    if (value) {
        return '}';
    }
    return 0;
}
enum { LAST };
void second(void) { }
"""


def test_c_functions_are_found_wherever_they_stand() -> None:
    found = csource.functions_of(C_SAMPLE)
    assert [(each.name, each.line, each.lines) for each in found] == [
        ('LONG', 4, 4),
        ('first', 11, 8),
        ('second', 20, 1),
    ]
    assert csource.includes_of(C_SAMPLE) == (['_one.h'], ['two.h'])
    assert 'commented' not in csource.code_of(C_SAMPLE)
    assert long_ones(csource.functions_of('int f(void) {' + '\n' * FUNCTION_LINES + '}')) == ['f, line 1: 61 lines']


def test_cython_functions_are_found_wherever_they_stand() -> None:
    text = """\
from socket_core._packet cimport Packet
cdef extern from 'x.h' nogil:
    int outside(int)
cdef int value = call(1)
cdef class Thing(Base):
    def first(
        self,
    ):
        return 1

    # Belongs to nobody.
    cdef inline int second(self) except -1 nogil:
        return 2

cpdef third(): pass
"""
    found = csource.cython_functions_of(text)
    assert [(each.name, each.line, each.lines) for each in found] == [
        ('first', 6, 4),
        ('second', 12, 2),
        ('third', 15, 1),
    ]
    assert csource.cimports_of(text) == {'_packet'}


def test_circles_are_found() -> None:
    graph = {'a': {'b'}, 'b': {'c'}, 'c': {'a', 'd'}, 'd': set(), 'e': {'a'}}
    assert circles(graph) == [['a', 'b', 'c']]
    assert circles({'a': {'b'}, 'b': set()}) == []


def test_hosts_are_rooms_of_their_own() -> None:
    assert room_of('socket_runtime.host.gtk.window') == 'socket_runtime.host.gtk'
    assert room_of('socket_runtime.host.later') == 'socket_runtime.host'
    assert may_import('socket_runtime.host.gtk', 'socket_runtime.host.contract')
    assert not may_import('socket_runtime.host.gtk', 'socket_runtime.host.edge.window')
    assert not may_import('socket_runtime.host.gtk', 'socket_runtime.host')


@pytest.mark.parametrize(
    ('room', 'target'),
    [
        ('socket_runtime.ipc', 'socket_runtime.services.fs'),
        ('socket_runtime.ipc', 'socket_runtime.host.contract'),
        ('socket_runtime.ipc', 'socket_runtime.app.config'),
        ('socket_runtime.services', 'socket_runtime.app'),
        ('socket_runtime.app', 'socket_runtime.cli.main'),
        ('socket_runtime.build', 'socket_runtime.cli'),
        ('socket_runtime.p2p', 'socket_runtime.sim'),
        ('socket_core', 'socket_runtime.p2p'),
    ],
)
def test_what_nobody_may_do(room: str, target: str) -> None:
    assert not may_import(room, target)
