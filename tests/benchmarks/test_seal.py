"""Sealing under pytest-benchmark: `pytest tests/benchmarks/test_seal.py -k cost --benchmark-enable`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import seal
from benchmarks.bars import Values

CASES = seal.cases()


@pytest.mark.parametrize('name', CASES)
def test_every_case_opens_what_it_sealed(name: str) -> None:
    CASES[name]()
    CASES[name]()


@pytest.mark.parametrize('name', CASES)
def test_cost(name: str, benchmark: Any) -> None:
    case: Callable[[], None] = CASES[name]
    benchmark(case)


def test_the_bars_are_judged() -> None:
    def values(ours: float) -> Values:
        return {
            seal.OURS: {'seal_and_open_us': [ours]},
            seal.BARE: {'seal_and_open_us': [100.0]},
            seal.STREAM: {'per_second': [ours * 1000]},
        }

    assert [row.verdict for row in seal.judge(values(119))] == ['met', 'met']
    assert [row.verdict for row in seal.judge(values(121))] == ['not met', 'met']
    assert [row.verdict for row in seal.judge({})] == ['not shown', 'not shown']
