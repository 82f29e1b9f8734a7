from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import Project

pytestmark = pytest.mark.display


@pytest.mark.parametrize('engine', [True, False])
def test_smoke(tmp_path: Path, engine) -> None:
    project = Project(tmp_path).page("report(await ask('ipc://probe.secret?tag=x')); done()", calls='ipc://probe.act')
    report = project.run(engine_csp=engine)
    print(report.page, report.audit)
