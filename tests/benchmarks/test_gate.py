"""The gate's decision under pytest-benchmark: `pytest tests/benchmarks/test_gate.py -k decision --benchmark-enable`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import gate

pytest.importorskip('gi', reason='PyGObject is missing: pip install -e .[gtk]')
CASES = gate.cases()


@pytest.mark.parametrize('name', CASES)
def test_every_case_decides_as_it_says(name: str) -> None:
    # a case raises where the gate decides otherwise
    CASES[name]()


@pytest.mark.parametrize('name', CASES)
def test_decision(name: str, benchmark: Any) -> None:
    decide: Callable[[], None] = CASES[name]
    benchmark(decide)
