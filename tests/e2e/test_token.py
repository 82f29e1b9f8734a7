"""The token stays with the preload, whatever the page has done to the language before it calls."""

from __future__ import annotations

import pytest

from tests.e2e.evil import Evil, evil_server
from tests.e2e.harness import ORIGIN, Report
from tests.e2e.test_vectors import PAGES, attack_project

pytestmark = pytest.mark.display


@pytest.fixture(scope='module', params=[True, False], ids=['engine and gate', 'gate alone'])
def hostile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, display: str
) -> tuple[Report, Evil]:
    with evil_server(ORIGIN, (PAGES / 'frame.js').read_text('utf-8')) as evil:
        project = attack_project(tmp_path_factory.mktemp('token'), evil, 'hostile')
        index = project.src / 'index.html'
        index.write_text(index.read_text().replace('<body>', '<body><script src="/overrides.js"></script>'))
        report = project.run(limit=15, scenario='note_token', engine_csp=request.param)
        return report, evil


def test_the_page_never_sees_the_token(hostile: tuple[Report, Evil]) -> None:
    report, _ = hostile
    assert report.page['replaced'] > 500, 'the attack itself has failed'
    seen = {where: found for where, found in report.page['seen'].items() if report.notes['token'] in found}
    assert seen == {}
    assert report.notes['token'] not in report.stdout


def test_calls_work_nevertheless(hostile: tuple[Report, Evil]) -> None:
    report, _ = hostile
    statuses = {tag: status for tag, status in report.page['statuses'].items() if not tag.startswith('reopened')}
    assert len(statuses) == 14
    assert set(statuses.values()) == {200}


def test_the_token_never_leaves_for_another_address(hostile: tuple[Report, Evil]) -> None:
    assert len([path for _, path, _ in hostile[1].requests if path == '/steal']) >= 1, 'the attack itself has failed'
    report, evil = hostile
    for _, _, headers in evil.requests:
        assert report.notes['token'] not in headers.values()
        assert 'socket-token' not in headers.get('Access-Control-Request-Headers', '').lower()
