"""Fixtures of the services' tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.bench import Bench

MakeBench = Callable[..., Bench]

WIDE = {'fs.read': ('$RESOURCES/**', '$DATA/**'), 'fs.write': ('$DATA/**',)}


@pytest.fixture
def make(tmp_path: Path) -> MakeBench:
    """Makes a bench in a folder of the test's own."""

    def make_bench(grants: dict[str, tuple[str, ...] | bool] | None = None, **more: object) -> Bench:
        return Bench(tmp_path.resolve() / 'home', WIDE if grants is None else grants, **more)  # type: ignore[arg-type]

    return make_bench


@pytest.fixture
def bench(make: MakeBench) -> Bench:
    """May read ``$RESOURCES`` and ``$DATA``, and write ``$DATA``."""
    return make()
