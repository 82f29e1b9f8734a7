"""The house's rules: who may import whom, nothing in a circle, nothing too long, nothing loaded in vain."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
    if path.suffix in ('.py', '.pyx', '.js', '.c') and path.is_file():
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


def test_core_imports_nothing_of_ours() -> None:
    for path in sorted((SOURCE / 'socket_core').rglob('*.py*')):
        if path.suffix in ('.py', '.pyi'):
            assert not [found for found in outside_imports(path) if found.target.startswith('socket_runtime')]
        elif path.suffix in ('.pyx', '.pxd'):
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
