"""A plain app imports none of the listed modules: neither `import socket_runtime` nor a hello world in its window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import harness, imports


@pytest.fixture(scope='module')
def bench_display() -> Iterator[harness.Display]:
    pytest.importorskip('gi', reason='PyGObject is missing: pip install -e .[gtk]')
    with harness.Display() as display:
        yield display


def test_importing_the_package_loads_no_listed_module() -> None:
    assert imports.crept_in(imports.loaded_by_import()) == []


@pytest.mark.timeout(60)
def test_a_hello_world_loads_no_listed_module(bench_display: harness.Display) -> None:
    loaded = imports.loaded_by_hello(bench_display)
    assert {'socket_runtime.app.application', 'webview'} <= loaded
    assert imports.crept_in(loaded) == []


def test_a_listed_module_is_noticed() -> None:
    assert imports.crept_in({'sys', 'asyncio', 'ssl'}) == ['asyncio', 'ssl']


def test_a_listed_module_fails_the_benchmark() -> None:
    values = {'asyncio': {'in_hello': [1.0], 'in_import': [0.0]}, 'ssl': {'in_hello': [0.0], 'in_import': [0.0]}}
    assert [(row.verdict, row.measured) for row in imports.judge(values)] == [('not met', 'asyncio'), ('met', 'none')]
    assert [row.verdict for row in imports.judge({})] == ['not shown', 'not shown']
