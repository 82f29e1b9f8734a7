"""Every way that a page has to make a request, aimed at a command that the page's policy allows.

Three runs of ``pages/vectors.js``, each asked about by many tests: with the engine's policy check, with the
gate alone, and with the gate alone in an app whose frames may show foreign pages.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.evil import Evil, evil_server
from tests.e2e.harness import ORIGIN, Project, Report

pytestmark = pytest.mark.display

PAGES = Path(__file__).with_name('pages')

#: As generous as a policy can be: everything may load from everywhere, and one command may be called.
POLICY = "default-src * 'self' socket: ipc: http: data: blob: 'unsafe-inline'; connect-src ipc://probe.act ipc://probe.bytes http:"

RUNS: dict[str, dict[str, Any]] = {
    'engine and gate': {},
    'gate alone': {'engine_csp': False},
    'gate alone, foreign frames': {'engine_csp': False, 'scenario': 'navigate_anywhere'},
}


def attack_project(folder: Path, evil: Evil, name: str) -> Project:
    """A project whose first page runs ``pages/<name>.js``."""
    project = Project(folder).page(policy=POLICY, body=f'<script type="module" src="/{name}.js"></script>')
    index = project.src / 'index.html'
    index.write_text(index.read_text().replace('<html>', f'<html data-evil="{evil.origin}">'))
    for file in PAGES.glob('*.js'):
        project.file(file.name, file.read_text('utf-8'))
    project.page(name='frame', policy=POLICY, body='<script src="/frame.js"></script>')
    project.page(name='nested', policy=POLICY, body='<iframe src="/frame.html?tag=nested"></iframe>')
    return project


@pytest.fixture(scope='module')
def runs(tmp_path_factory: pytest.TempPathFactory, display: str) -> Callable[[str], tuple[Report, Evil]]:
    done: dict[str, tuple[Report, Evil]] = {}

    def get(name: str) -> tuple[Report, Evil]:
        if name not in done:
            with evil_server(ORIGIN, (PAGES / 'frame.js').read_text('utf-8')) as evil:
                project = attack_project(tmp_path_factory.mktemp('vectors'), evil, 'vectors')
                report = project.run(limit=15, **RUNS[name])
                report.notes['stray'] = stray_files(project)
                done[name] = report, evil
        return done[name]

    return get


@pytest.fixture(params=RUNS)
def run(request: pytest.FixtureRequest, runs: Callable[[str], tuple[Report, Evil]]) -> tuple[Report, Evil]:
    return runs(request.param)


def stray_files(project: Project) -> list[str]:
    """What the run left in the user's home besides the app's own folders."""
    hidden = ('.local', '.cache', '.config', '.dbus', 'tmp')
    return [str(path) for path in project.home.iterdir() if path.name not in hidden]


def test_only_the_top_documents_own_fetch_reaches_a_command(run: tuple[Report, Evil]) -> None:
    report, _ = run
    assert report.hits == [['probe.act', 0, 'legitimate']]
    assert report.page['legitimate']['status'] == 200


def test_a11_navigation_to_a_command_is_refused(run: tuple[Report, Evil]) -> None:
    report, _ = run
    if report.refused:  # the run with foreign frames decides by itself, and refuses without a word
        for way in ('location', 'location-assign', 'anchor', 'anchor-download', 'meta-refresh', 'open-self'):
            assert f'ipc://probe.act?tag={way}' in report.refused
    assert 'SecurityError' in report.page['refusedNavigations']['push-state']


def test_a11_no_download_lands_on_the_disk(run: tuple[Report, Evil]) -> None:
    assert run[0].notes['stray'] == []


@pytest.mark.parametrize('tag', ['own', 'nested', 'bare', 'srcdoc', 'blob', 'blank'])
def test_a6_frames_of_the_apps_own_origin_have_no_token(run: tuple[Report, Evil], tag: str) -> None:
    asked = run[0].page['asked'][tag]
    assert asked['origin'] == ORIGIN
    assert (asked['status'], asked['xhrStatus']) == (403, 403)
    assert asked['runtime'] is False
    assert asked['bridges'] == []


@pytest.mark.parametrize('tag', ['sandboxed', 'sandboxed-own', 'data'])
def test_a6_frames_without_an_origin_cannot_even_read_the_refusal(run: tuple[Report, Evil], tag: str) -> None:
    asked = run[0].page['asked'][tag]
    assert asked['origin'] == 'null'
    assert (asked['status'], asked['xhrStatus']) == (0, 0)
    assert asked['runtime'] is False
    assert asked['bridges'] == []


def test_a5_foreign_frames_are_not_shown(runs: Callable[[str], tuple[Report, Evil]]) -> None:
    for name in ('engine and gate', 'gate alone'):
        report, evil = runs(name)
        assert 'foreign' not in report.page['asked']
        assert evil.requests == []


def test_a5_a_foreign_frame_that_is_shown_reaches_nothing(runs: Callable[[str], tuple[Report, Evil]]) -> None:
    report, evil = runs('gate alone, foreign frames')
    asked = report.page['asked']
    assert asked['foreign']['origin'] == evil.origin
    assert (asked['foreign']['status'], asked['foreign']['xhrStatus']) == (0, 0)
    assert asked['foreign']['runtime'] is False
    # a page of the app in a stranger's frame: of our origin, but no top document
    assert asked['foreign-nested']['status'] == 403
    assert asked['foreign-nested']['runtime'] is False


@pytest.mark.parametrize(
    'tag',
    ['fetch', 'fetch-here', 'keepalive', 'guess', 'empty', 'request', 'xhr'],
)
def test_a6_the_engines_own_functions_from_a_frame_have_no_token(run: tuple[Report, Evil], tag: str) -> None:
    assert run[0].page['asked'][f'stolen-{tag}']['status'] == 403


@pytest.mark.parametrize('tag', ['odd-scheme', 'odd-space', 'odd-object'])
def test_a17_other_spellings_are_not_taken_for_a_call(run: tuple[Report, Evil], tag: str) -> None:
    assert run[0].page['asked'][tag]['status'] == 403


@pytest.mark.parametrize('tag', ['worker', 'worker-module', 'worker-blob', 'worker-data'])
def test_workers_have_no_token(run: tuple[Report, Evil], tag: str) -> None:
    """A worker from a URL does not inherit the page's policy in WebKit; it is refused by the gate then."""
    asked = run[0].page['asked'][tag]
    assert asked['status'] in (0, 403)
    assert not asked.get('error'), 'the worker should have run'
    assert not asked.get('runtime')


def test_a13_a_service_worker_cannot_be_registered(run: tuple[Report, Evil]) -> None:
    assert 'TypeError' in run[0].page['refusedScripts']['service-worker']


def test_every_refusal_is_in_the_audit_log(run: tuple[Report, Evil]) -> None:
    report, _ = run
    assert len(report.audit) > 20
    assert all(line.startswith('denied ipc://probe.act: ') for line in report.audit)


def test_no_port_is_bound(run: tuple[Report, Evil]) -> None:
    assert run[0].state['ports'] == []
