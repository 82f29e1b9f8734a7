"""What is public is there, is documented, and is tested somewhere."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

from tests.support.imports import modules_of

ROOT = Path(__file__).resolve().parent.parent
MODULES = modules_of(ROOT / 'src')
PUBLIC = ('socket_core', 'socket_runtime')


def exported(path: Path) -> list[str] | None:
    """The names in a module's ``__all__``, or ``None`` where it has none."""
    for node in ast.parse(path.read_text('utf-8')).body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == '__all__' for to in node.targets):
            return [str(name) for name in ast.literal_eval(node.value)]
    return None


def bound(path: Path) -> set[str]:
    """Every name that the module binds at its top level, in whatever branch."""
    names: set[str] = set()
    pending: list[ast.AST] = list(ast.parse(path.read_text('utf-8')).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.partition('.')[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        else:
            pending.extend(ast.iter_child_nodes(node))
    return names


def public_names() -> list[tuple[str, str]]:
    return [(module, name) for module in PUBLIC if module in MODULES for name in exported(MODULES[module]) or ()]


@pytest.mark.parametrize('module', sorted(MODULES))
def test_exports_exist_once(module: str) -> None:
    names = exported(MODULES[module]) or []
    assert len(names) == len(set(names))
    if '__getattr__' not in bound(MODULES[module]):
        assert not set(names) - bound(MODULES[module])


@pytest.mark.parametrize(('module', 'name'), public_names())
def test_public_names_can_be_had_and_are_explained(module: str, name: str) -> None:
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value) or inspect.isroutine(value):
        assert inspect.getdoc(value), f'{module}.{name} has no docstring'


def test_public_names_are_tested() -> None:
    here = Path(__file__).resolve()
    tests = [path.read_text('utf-8') for path in (ROOT / 'tests').rglob('test_*.py') if path != here]
    words = set(re.findall(r'\w+', '\n'.join(tests)))
    assert [f'{module}.{name}' for module, name in public_names() if name not in words] == []


@pytest.mark.parametrize('module', PUBLIC)
def test_public_packages_name_what_they_offer(module: str) -> None:
    assert exported(MODULES[module])


@pytest.mark.parametrize('module', PUBLIC)
def test_packages_are_typed(module: str) -> None:
    assert (MODULES[module].parent / 'py.typed').is_file()
