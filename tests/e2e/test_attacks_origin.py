"""Attack cases A: origin, frames and the gate. ``test_vectors`` and ``test_token`` have the rest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import socket_runtime
from tests.e2e.evil import evil_server
from tests.e2e.harness import BASE_POLICY, ORIGIN, Project, Report
from tests.e2e.test_vectors import PAGES

pytestmark = pytest.mark.display

CALL = """
import { call } from 'socket:ipc'
const denied = await settle(call('probe.secret', { tag: 'module' }))
const raw = await ask('ipc://probe.secret?tag=raw')
const bytes = await ask('ipc://probe.secret?tag=post', { method: 'POST', body: new Blob(['x']) })
report({ denied, raw, bytes })
"""

ALLOWED = "report({ allowed: await ask('ipc://probe.act?tag=allowed') })\n"


def check_denied(report: Report, engine: bool, missing: str) -> None:
    """What "denied" always means: a typed error that names the missing line, no effect, one line in the log."""
    assert report.tags('probe.secret') == []
    error = report.page['denied']['error']
    assert (error['type'], error['name'], error['code']) == ('Denied', 'NotAllowedError', 'EPERM')
    assert 'connect-src ipc://probe.secret' in error['message']
    if engine:
        assert error['missing'] == 'connect-src ipc://probe.secret'
        assert report.page['raw']['status'] == 0
        assert report.audit == []  # the engine has not even asked
    else:
        assert error['missing'] == missing
        assert report.page['raw']['status'] == 403
        assert report.page['raw']['body']['err']['missing'] == missing
        assert report.audit == [f'denied ipc://probe.secret: {missing}'] * 3


def test_a1_no_policy_means_nothing_is_allowed(project: Project, engine: bool) -> None:
    report = project.page(CALL + 'done()').run(engine_csp=engine)
    meta = '<meta http-equiv="Content-Security-Policy" content="connect-src ipc://probe.secret">'
    check_denied(report, engine, meta)


@pytest.mark.parametrize(
    'sources',
    ['https:', "* 'self' socket:", 'ipc://probe.act ipc://probe ipc://probe.secret/x ipc://*.act'],
)
def test_a2_a_policy_without_the_command_denies_it(project: Project, engine: bool, sources: str) -> None:
    report = project.page(CALL + 'done()', calls=sources).run(engine_csp=engine)
    check_denied(report, engine, 'connect-src ipc://probe.secret')


def test_a2_every_policy_must_allow_the_command(project: Project, engine: bool) -> None:
    """One in the page, one in ``socket.ini``: each alone would allow what the other does not."""
    project.ini('[webview]\nheaders[] = "Content-Security-Policy: connect-src ipc://probe.act ipc://probe.whoami"')
    project.page(
        CALL + ALLOWED + "report({ half: await ask('ipc://probe.whoami') }); done()",
        calls='ipc://probe.act ipc://probe.secret',
    )
    report = project.run(engine_csp=engine)
    check_denied(Report(**{**vars_of(report), 'audit': report.audit[:3]}), engine, 'connect-src ipc://probe.secret')
    assert report.tags('probe.act') == ['allowed']
    assert report.page['half']['status'] == (0 if engine else 403)


def vars_of(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__slots__}


def test_grants_are_asked_for_besides_the_policy(project: Project, engine: bool) -> None:
    script = "import { call } from 'socket:ipc'\nreport({ denied: await settle(call('probe.granted')) }); done()"
    report = project.page(script, calls='ipc:').run(engine_csp=engine)
    error = report.page['denied']['error']
    assert (error['type'], error['missing']) == ('Denied', '[grants] window.manage = true')
    assert '[grants] window.manage = true' in error['message']
    assert report.hits == []
    assert report.audit == ['denied ipc://probe.granted: [grants] window.manage = true']


def test_a_grant_in_the_configuration_is_enough(project: Project) -> None:
    project.ini('[grants]\nwindow.manage = true')
    report = project.page("await ask('ipc://probe.granted?tag=x'); done()", calls='ipc:').run()
    assert report.tags('probe.granted') == ['x']


def test_a4_a_policy_after_the_first_script_held_already(project: Project, engine: bool) -> None:
    early = "window.early = fetch('ipc://probe.secret?tag=early').then((r) => r.status, () => 0)"
    project.file('early.js', early)
    policy = f'{BASE_POLICY}ipc://probe.act'
    project.page(
        'report({ early: await window.early }); done()',
        head=f'<script src="/early.js"></script><meta http-equiv="Content-Security-Policy" content="{policy}">',
    )
    report = project.run(engine_csp=engine)
    assert report.page['early'] == (0 if engine else 403)
    assert report.hits == []


@pytest.mark.parametrize('place', ['body', 'noscript', 'template', 'comment', 'script'])
def test_a4_a_policy_that_no_browser_obeys_allows_nothing(project: Project, engine: bool, place: str) -> None:
    meta = f'<meta http-equiv="Content-Security-Policy" content="{BASE_POLICY}ipc:">'
    head, body = {
        'body': ('', f'<p>text</p>{meta}'),
        'noscript': (f'<noscript>{meta}</noscript>', ''),
        'template': (f'<template>{meta}</template>', ''),
        'comment': (f'<!-- {meta} -->', ''),
        'script': (f'<script type="text/plain">{meta}</script>', ''),
    }[place]
    report = project.page(ALLOWED + 'done()', head=head, body=body).run(engine_csp=engine)
    assert report.page['allowed']['status'] == (0 if engine else 403)
    assert report.hits == []


def test_a4_a_policy_that_a_script_adds_allows_nothing(project: Project, engine: bool) -> None:
    script = """
    const meta = document.createElement('meta')
    meta.httpEquiv = 'Content-Security-Policy'
    meta.content = "default-src 'self' socket:; connect-src ipc:"
    document.head.prepend(meta)
    """
    report = project.page(script + ALLOWED + 'done()').run(engine_csp=engine)
    assert report.page['allowed']['status'] == (0 if engine else 403)
    assert report.hits == []


STAY = """
for (const go of [() => { location = evil }, () => { const a = document.createElement('a'); a.href = evil; a.click() },
  () => window.open(evil), () => window.open(evil, '_self'), () => { location = evil + '/redirect?to=' + evil },
  () => { const f = document.createElement('form'); f.action = evil; f.method = 'post'; document.body.append(f); f.submit() }]) {
  go()
  await sleep(60)
}
report({ allowed: await ask('ipc://probe.act?tag=allowed'), here: location.href })
done()
"""


def test_a8_navigation_to_a_stranger_is_refused(project: Project, engine: bool) -> None:
    with evil_server(ORIGIN, '') as evil:
        project.page(f"const evil = '{evil.origin}'\n{STAY}", calls='ipc://probe.act')
        report = project.run(engine_csp=engine)
        assert evil.requests == []
    # `open` without a click of the user is not even asked about; the form is stopped by form-action first
    assert len(report.refused) == (4 if engine else 5)
    assert report.page['here'] == f'{ORIGIN}/'
    assert report.page['allowed']['status'] == 200


@pytest.mark.parametrize('way', ['/top', '/redirect?to=/top'])
def test_a8_a9_where_a_stranger_is_shown_the_bridge_is_gone(project: Project, engine: bool, way: str) -> None:
    with evil_server(ORIGIN, (PAGES / 'frame.js').read_text('utf-8')) as evil:
        project.page(f"await sleep(50); location = '{evil.origin}{way}'", calls='ipc:')
        report = project.run(engine_csp=engine, scenario='end_when_away', until='done', limit=5)
        assert ('GET', '/frame.js?tag=') in [(method, path) for method, path, _ in evil.requests]
    assert report.hits == []
    assert report.notes['document'] is None
    assert report.notes['runtime'] == 'undefined false'
    assert any('only pages of the app itself' in line for line in report.audit)


def test_a9_each_redirect_is_asked_about(project: Project, engine: bool) -> None:
    """The app lets a window go to one foreign address, which sends it on to others."""
    with evil_server(ORIGIN, '') as evil:
        targets = [f'{evil.origin}/top', 'ipc://probe.act?tag=redirect']
        script = f"for (const to of {targets}) {{ location = '{evil.origin}/redirect?to=' + encodeURIComponent(to)\n"
        project.page(script + 'await sleep(150) }\n' + ALLOWED + 'done()', calls='ipc://probe.act')
        report = project.run(engine_csp=engine, scenario='navigate_to_redirect')
        paths = [path for _, path, _ in evil.requests]
    assert len(paths) == len(targets)
    assert not any(path.startswith('/top') for path in paths)
    assert f'{evil.origin}/top' in report.refused
    assert report.tags('probe.act') == ['allowed']


def test_a9_a_redirect_to_a_file_ends_in_nothing(project: Project, engine: bool) -> None:
    """WebKit takes it for an attack and ends the web process; nothing of the file is shown, and the app lives."""
    with evil_server(ORIGIN, '') as evil:
        to_file = f'{evil.origin}/redirect?to=file:///etc/passwd'
        project.page(
            f"""
            if (!sessionStorage.went) {{
              sessionStorage.went = 'yes'
              location = '{to_file}'
            }} else done()
            """,
            calls='ipc:',
        )
        project.ini('[webview]\nstorage = true')
        report = project.run(engine_csp=engine, scenario='navigate_to_redirect_and_reload', until='', limit=4)
    assert report.hits == []
    assert all(url.startswith((ORIGIN, evil.origin)) for url in report.notes['committed'])


def test_a11_even_a_navigation_that_is_let_through_runs_no_command(project: Project, engine: bool) -> None:
    script = "await sleep(50); location = 'ipc://probe.act?tag=navigation'; await sleep(100); done()"
    report = project.page(script, calls='ipc:').run(
        engine_csp=engine, scenario='navigate_to_commands', until='', limit=1.5
    )
    assert report.hits == []
    assert len(report.audit) == 1


DYNAMIC = """
const ran = (window.ran = {})
const attempt = (name, f) => { try { f() } catch (error) { ran[name + ' error'] = error.name } }
attempt('eval', () => eval("ran.eval = true"))
attempt('indirect eval', () => (0, eval)("window.ran.indirect = true"))
attempt('Function', () => new Function("window.ran.Function = true")())
attempt('timeout', () => setTimeout("window.ran.timeout = true", 0))
attempt('inline', () => {
  const script = document.createElement('script')
  script.textContent = 'window.ran.inline = true'
  document.body.append(script)
})
attempt('handler', () => {
  const div = document.createElement('div')
  div.setAttribute('onclick', 'window.ran.handler = true')
  document.body.append(div)
  div.click()
})
attempt('html', () => document.body.insertAdjacentHTML('beforeend', '<img src="/none.png" onerror="window.ran.html = true">'))
attempt('javascript', () => { location = 'javascript:void(window.ran.javascript = true)' })
attempt('javascript link', () => {
  const link = document.createElement('a')
  link.href = 'javascript:void(window.ran.link = true)'
  link.click()
})
attempt('javascript frame', () => {
  const frame = document.createElement('iframe')
  frame.src = 'javascript:void(parent.ran.frame = true)'
  document.body.append(frame)
})
attempt('blob worker', () => {})
await sleep(150)
report({ ran })
done()
"""


@pytest.mark.parametrize('calls', [None, 'ipc://probe.act'], ids=['no policy', 'base policy'])
def test_a15_no_code_from_text(project: Project, calls: str | None) -> None:
    report = project.page(DYNAMIC, calls=calls, body='<script>window.parsed = true</script>').run()
    assert report.page['ran'] == {
        'eval error': 'EvalError', 'indirect eval error': 'EvalError', 'Function error': 'EvalError'
    }  # fmt: skip


def test_a15_no_policy_that_is_shipped_is_unsafe() -> None:
    package = Path(socket_runtime.__file__).parent
    pages = [*package.glob('templates/**/*.html'), *(package.parents[1] / 'examples').glob('**/*.html')]
    assert pages
    for page in pages:
        for directive in re.findall(r'(?:script|default)-src[^;"]*', page.read_text('utf-8')):
            assert 'unsafe' not in directive, page


@pytest.mark.parametrize(
    'uri',
    [
        'ipc://probe.act/../secret',
        'ipc://probe.act/secret',
        'ipc://probe%2eact',
        'ipc://probe.%61ct',
        'ipc://user@probe.act',
        'ipc://user:secret@probe.act',
        'ipc://probe.act:80',
        'ipc:probe.act',
        'ipc:/probe.act',
        'ipc:///probe.act',
        'ipc://probe..act',
        'ipc://.probe.act',
        'ipc://probe.act.',
        'ipc://probe.act?tag=x&tag=y',
        'ipc://probe.act?tag=x&other=y',
        'ipc://probe.act?tag=%ff',
        'ipc://probe.act?tag=%',
        'ipc://probe.act?seq=%22',
        'ipc://probe.act?__class__=x',
        'ipc://probe.act?tag',
        'ipc://probe.act??tag=x',
        'ipc://pröbe.act',
        'ipc://probe.act\\secret',
        'ipc://probe_.act',
    ],
)
def test_a17_what_is_not_canonical_is_no_call(a17: dict[str, int], uri: str) -> None:
    assert a17[uri] in (0, 400, 403, 404)


@pytest.fixture(scope='module')
def a17(tmp_path_factory: pytest.TempPathFactory, display: str) -> dict[str, int]:
    uris = next(
        mark.args[1] for mark in test_a17_what_is_not_canonical_is_no_call.pytestmark if mark.name == 'parametrize'
    )
    project = Project(tmp_path_factory.mktemp('a17'))
    project.page(f'const asked = {{}}\nfor (const uri of {uris!r}) asked[uri] = (await ask(uri)).status\n'
                 'report(asked); done()', calls='ipc:')  # fmt: skip
    report = project.run(engine_csp=False)
    assert report.hits == []
    return dict(report.page)


def test_lesson_nothing_of_pywebviews_bridge_is_there(project: Project, engine: bool) -> None:
    script = """
    const names = ['pywebview', 'external', 'chrome', '__pywebview']
    report({
      names: names.filter((name) => window[name] !== undefined && Object.keys(window[name]).length > 0),
      handlers: Object.keys(window.webkit?.messageHandlers ?? {}),
      bridge: typeof window.webkit?.messageHandlers?.jsBridge,
      globals: Object.getOwnPropertyNames(window).filter((name) => /webview|bridge|python/i.test(name))
    })
    try { window.webkit.messageHandlers.jsBridge.postMessage('{}') } catch {}
    done()
    """
    report = project.page(script).run(engine_csp=engine)
    assert report.page == {'names': [], 'handlers': [], 'bridge': 'undefined', 'globals': []}
    assert report.state['ports'] == []


def test_a8_the_policy_is_the_committed_documents_not_the_urls(project: Project, engine: bool) -> None:
    """``pushState`` changes the URL without a load; back and reload are loads with a policy of their own."""
    project.page(
        """
        history.pushState(null, '', '/strict.html')
        const pushed = await ask('ipc://probe.act?tag=pushed')
        location.hash = 'here'
        const hashed = await ask('ipc://probe.act?tag=hashed')
        report({ pushed: pushed.status, hashed: hashed.status })
        history.replaceState(null, '', '/')
        if (!sessionStorage.went) {
          sessionStorage.went = 'yes'
          location = '/strict.html'
        } else {
          report({ back: (await ask('ipc://probe.act?tag=back')).status })
          done()
        }
        """,
        calls='ipc://probe.act',
    )
    project.page(
        """
        history.pushState(null, '', '/index.html')
        report({ strict: (await ask('ipc://probe.act?tag=strict')).status })
        history.go(-2)
        """,
        calls="'self'",
        name='strict',
    )
    report = project.run(engine_csp=engine)
    assert report.page == {'pushed': 200, 'hashed': 200, 'strict': 0 if engine else 403, 'back': 200}
    assert 'strict' not in report.tags('probe.act')
