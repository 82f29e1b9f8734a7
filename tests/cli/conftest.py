"""Running ``ssc`` inside the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from socket_runtime.cli.main import main


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of the command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)


Ssc = Callable[..., Result]


@pytest.fixture
def ssc(capfd: pytest.CaptureFixture[str]) -> Ssc:
    def run(*arguments: str | Path) -> Result:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def project(ssc: Ssc, tmp_path: Path) -> Path:
    """A fresh project, as ``ssc init`` writes it."""
    folder = tmp_path / 'hello'
    assert ssc('init', folder).code == 0
    return folder
