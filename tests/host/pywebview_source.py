"""What pywebview's modules define, read from their source: most can be imported on one system only."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

__all__ = ['class_attributes', 'defined_names', 'source_of']


def source_of(module: str) -> ast.Module:
    """The source of ``webview.platforms.<module>``."""
    spec = importlib.util.find_spec('webview')
    assert spec is not None and spec.origin is not None
    return ast.parse(Path(spec.origin).with_name('platforms').joinpath(f'{module}.py').read_text('utf-8'))


def defined_names(body: list[ast.stmt], prefix: str = '') -> set[str]:
    """The dotted names that statements define, those within classes and branches included."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.ClassDef):
            names |= {prefix + node.name, *defined_names(node.body, f'{prefix}{node.name}.')}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(prefix + node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {prefix + (alias.asname or alias.name).split('.')[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {prefix + target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.If | ast.Try):
            names |= defined_names(node.body, prefix) | defined_names(node.orelse, prefix)
            for handler in getattr(node, 'handlers', []):
                names |= defined_names(handler.body, prefix)
    return names


def class_attributes(tree: ast.Module, *classes: str) -> set[str]:
    """What the methods of these classes set on ``self``, or are called."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or node.name not in classes:
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == 'self':
                if isinstance(inner.ctx, ast.Store):
                    names.add(inner.attr)
            elif isinstance(inner, ast.FunctionDef):
                names.add(inner.name)
    return names
