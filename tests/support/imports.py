"""The import graph of the sources, read without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the dotted module that is meant, its line, and whether it runs when the module is imported."""

    target: str
    line: int
    at_import: bool


def modules_of(source: Path) -> dict[str, Path]:
    """Every Python module below ``source``, by its dotted name; templates are data."""
    found = {}
    for path in sorted(source.rglob('*.py')):
        parts = path.relative_to(source).with_suffix('').parts
        if 'templates' in parts or any('.' in part for part in parts):
            continue
        found['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return found


def imports_of(name: str, path: Path, known: set[str]) -> list[Import]:
    """What the module imports of ``known``, relative imports resolved and names turned into their modules."""
    tree = ast.parse(path.read_text('utf-8'), str(path))
    package = name if path.name == '__init__.py' else name.rpartition('.')[0]
    found = []
    for node, at_import in _walk(tree.body, True):
        for target in _targets(node, package):
            module = _longest_known(target, known)
            if module is not None and module != name:
                found.append(Import(module, node.lineno, at_import))
    return found


def outside_imports(path: Path) -> list[Import]:
    """Every module that is imported from anywhere, as written."""
    tree = ast.parse(path.read_text('utf-8'), str(path))
    return [
        Import(target, node.lineno, at_import)
        for node, at_import in _walk(tree.body, True)
        for target in _targets(node, '')
    ]


def _walk(body: list[ast.stmt], at_import: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, at_import
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            yield from _walk(node.body, False)
            yield from _walk(node.orelse, at_import)
        else:
            later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for name in ('body', 'orelse', 'finalbody'):
                yield from _walk(getattr(node, name, []), at_import and not later)
            for inner in [*getattr(node, 'handlers', []), *getattr(node, 'cases', [])]:
                yield from _walk(inner.body, at_import and not later)


def _is_type_checking(test: ast.expr) -> bool:
    return (test.id if isinstance(test, ast.Name) else getattr(test, 'attr', '')) == 'TYPE_CHECKING'


def _targets(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ''
    if node.level:
        parts = package.split('.')
        base = '.'.join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
    return [f'{base}.{alias.name}' for alias in node.names]


def _longest_known(target: str, known: set[str]) -> str | None:
    while target and target not in known:
        target = target.rpartition('.')[0]
    return target or None


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import one another, directly or not (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for target in graph.get(name, ()):
            if target not in order:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], order[target])
        if low[name] == order[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in graph:
        if name not in order:
            visit(name)
    return found
