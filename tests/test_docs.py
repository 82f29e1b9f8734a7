"""The documentation tells what is: its tables are the program's, its examples are code, its files exist."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / 'docs').rglob('*.md'))
WRITTEN = [ROOT / name for name in ('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md')]
FENCE = re.compile(r'^```(\w+)\n(.*?)^```', re.DOTALL | re.MULTILINE)
LINK = re.compile(r'\]\((?!https?:|mailto:|#)([^)#\s]+)')


def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location('tables', ROOT / 'scripts' / 'tables.py')
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_tables_are_the_programs(page: Path) -> None:
    text = page.read_text('utf-8')
    assert tables().render(text) == text, 'run: python scripts/tables.py'


def test_every_table_is_shown_somewhere() -> None:
    shown = {name for page in PAGES for _, name, _ in tables().PLACE.findall(page.read_text('utf-8'))}
    assert shown == set(tables().TABLES)


@pytest.mark.parametrize('page', [*PAGES, *WRITTEN], ids=lambda page: page.name)
def test_python_examples_are_python(page: Path) -> None:
    for language, text in FENCE.findall(page.read_text('utf-8')):
        if language in ('python', 'py'):
            ast.parse(text)


@pytest.mark.parametrize('page', [*PAGES, *WRITTEN], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text('utf-8')) if not (page.parent / link).exists()]
    assert not missing


def test_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / 'Makefile').read_text('utf-8')
    for page in [*PAGES, *WRITTEN]:
        for target in re.findall(r'`make ([a-z]+)`', page.read_text('utf-8')):
            assert re.search(rf'^{target}:', makefile, re.MULTILINE), f'{page.name}: make {target}'


def test_exit_codes_are_distinct() -> None:
    from socket_runtime.errors import LocalError

    codes = [kind.exit_code for kind in LocalError.__subclasses__()]
    assert len(codes) == len(set(codes))
