"""Single functions of the core: `pytest tests/benchmarks/test_core_functions.py --benchmark-enable`."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.core import functions

CASES = functions.cases()


@pytest.mark.parametrize('name', CASES)
def test_function(name: str, benchmark: Any) -> None:
    benchmark(CASES[name])
