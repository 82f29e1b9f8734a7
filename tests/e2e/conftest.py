"""What the end-to-end tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project in a folder of its own."""
    return Project(tmp_path)


@pytest.fixture(params=[True, False], ids=['engine and gate', 'gate alone'])
def engine(request: pytest.FixtureRequest) -> bool:
    """The matrix: whether the engine checks the policy, too."""
    return bool(request.param)
