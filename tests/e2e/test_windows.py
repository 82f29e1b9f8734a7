"""Windows: more than one, events between them and from Python, and what their pages can do to them."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Project

pytestmark = pytest.mark.display


def test_events_come_in_order_and_none_is_lost(project: Project) -> None:
    project.page(
        """
        import { call, on } from 'socket:ipc'
        const got = []
        let heard = 0
        on('tick', (detail) => got.push(detail))
        window.addEventListener('tick', () => heard++)
        const count = await call('probe.emit', { count: 100000 })
        while (got.length < count) await sleep(20)
        report({ ordered: got.every((n, i) => n === i), heard })
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run(limit=18)
    assert report.page == {'ordered': True, 'heard': 100000}


def test_events_wait_for_the_page_that_is_to_come(project: Project) -> None:
    """What Python sends before a page has loaded, or between two, reaches the one that listens."""
    project.page(
        """
        import { on } from 'socket:ipc'
        const got = []
        on('early', (detail) => got.push(detail))
        await sleep(200)
        if (sessionStorage.went) {
          report({ second: got })
          done()
        } else {
          report({ first: got })
          sessionStorage.went = 'yes'
          await ask('ipc://probe.act?tag=leaving')
          location.reload()
        }
        """,
        calls='ipc://probe.*',
    )
    report = project.run(scenario='emit_early')
    assert report.page['first'] == ['before the load']
    assert report.page['second'][-1] == 'between two pages'


def test_pages_open_windows_and_send_them_events(project: Project, engine: bool) -> None:
    project.page(
        """
        import { call, on } from 'socket:ipc'
        const greeted = new Promise((resolve) => on('greeting', resolve))
        const made = await call('window.create', { url: 'second.html', title: 'Second', width: 400, height: 300 })
        const greeting = await greeted
        report({ made, greeting, list: await call('window.list') })
        await call('window.send', { event: 'answer', value: { n: 1 }, window: made.index })
        """,
        calls='ipc:',
    )
    project.page(
        """
        import { call, on } from 'socket:ipc'
        on('answer', async (value) => {
          report({ value, size: await call('window.getSize'), who: (await ask('ipc://probe.whoami')).body.data })
          done()
        })
        await call('window.send', { event: 'greeting', value: 'hello' })
        """,
        calls='ipc:',
        name='second',
    )
    project.ini('[grants]\nwindow.manage = true')
    report = project.run(engine_csp=engine)
    page = report.page
    assert page['made'] == {'index': 1}
    assert page['greeting'] == 'hello'
    assert [(window['index'], window['title'], window['own']) for window in page['list']] == [
        (0, 'Probe', True), (1, 'Second', False)
    ]  # fmt: skip
    assert page['value'] == {'n': 1}
    assert page['who'] == 1
    assert page['size'] == {'width': 400, 'height': 300}


def test_a_window_closes_and_the_app_goes_on_until_the_last_one(project: Project) -> None:
    project.page("import { call } from 'socket:ipc'\nawait call('window.create', { url: 'second.html' })", calls='ipc:')
    project.page(
        """
        import { call } from 'socket:ipc'
        await sleep(100)
        await ask('ipc://probe.act?tag=second')
        await call('window.close', { window: 0 })
        await sleep(200)
        await ask('ipc://probe.act?tag=alone')
        await call('window.close')
        """,
        calls='ipc:',
        name='second',
    )
    project.ini('[grants]\nwindow.manage = true')
    report = project.run(until='closed')
    assert report.code == 0
    assert report.tags('probe.act') == ['second', 'alone']


def test_the_first_window_may_go_first_and_others_still_open(project: Project) -> None:
    """Views share one web process by way of the first one; it may be gone."""
    report = project.page('', calls='ipc:', body='first').page(
        "report({ [`w${globalThis[Symbol.for('socket.runtime')].index}`]: (await ask('ipc://probe.whoami')).body.data })",
        calls='ipc:', name='second',
    ).run(scenario='windows_come_and_go')  # fmt: skip
    assert report.page == {'w1': 1, 'w2': 2, 'w3': 3}
    assert report.crashed == []


def test_the_page_steers_its_own_window(project: Project) -> None:
    project.page(
        """
        import { call } from 'socket:ipc'
        await call('window.setSize', { width: 500, height: 400 })
        await call('window.setTitle', { value: 'new title' })
        await sleep(200)
        report({
          size: await call('window.getSize'), title: await call('window.getTitle'), inner: [innerWidth, innerHeight],
          screen: await call('application.getScreenSize'), bad: await settle(call('window.setSize', { width: 0, height: 1 })),
          color: await settle(call('window.setBackgroundColor', { color: 'red; }' })),
          outside: await settle(call('window.navigate', { url: 'https://example.com' })),
          file: await settle(call('window.navigate', { url: 'file:///etc/passwd' }))
        })
        await call('window.navigate', { url: 'second.html' })
        """,
        calls='ipc:',
    )
    project.page('report({ second: location.pathname }); done()', calls='ipc:', name='second')
    page = project.run().page
    assert page['size'] == {'width': 500, 'height': 400}
    assert page['inner'] == [500, 400]
    assert page['title'] == 'new title'
    assert page['screen']['width'] > 0
    for refused in ('bad', 'color', 'outside', 'file'):
        assert page[refused]['error']['type'] in ('BadRequest', 'CommandFailed'), refused
    assert page['second'] == '/second.html'


def test_a_page_ends_the_app_with_its_own_code(project: Project) -> None:
    script = "import { call } from 'socket:ipc'\nawait call('application.exit', { code: 7 })"
    report = project.page(script, calls='ipc:').run(until='closed')
    assert report.code == 7
