"""Attack cases B, against the protocol, from a real page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.harness import Project

pytestmark = pytest.mark.display

#: The two windows of a test talk like this.
TALK = """
const channel = new BroadcastChannel('test')
const heard = []
const waiting = []
channel.onmessage = ({ data }) => (waiting.length ? waiting.shift()(data) : heard.push(data))
const hear = () => heard.length ? Promise.resolve(heard.shift()) : new Promise((resolve) => waiting.push(resolve))
"""


def test_b1_what_one_window_has_open_is_not_there_for_another(project: Project, engine: bool) -> None:
    project.page(
        TALK
        + """
        if (await hear() !== 'ready') throw new Error('not ready')
        const opened = await fetch('ipc://probe.upload?seq=U1', { method: 'POST' })
        const id = opened.headers.get('Socket-Stream')
        const slow = ask('ipc://probe.slow?seconds=1&tag=slow&seq=S1')
        await sleep(50)
        channel.postMessage(id)
        await hear()
        const chunk = await ask('ipc://probe.upload', { method: 'POST', headers: { 'Socket-Stream': id }, body: 'abc' })
        const ended = await ask('ipc://probe.upload', {
          method: 'POST', headers: { 'Socket-Stream': id, 'Socket-Stream-End': '1' }
        })
        report({ id, chunk: chunk.status, ended: ended.body.data, slow: (await slow).body.data })
        done()
        """,
        calls='ipc://probe.*',
    )
    project.page(
        TALK
        + """
        channel.postMessage('ready')
        const id = await hear()
        const theft = {}
        const send = async (name, command, headers, body = 'x') => {
          theft[name] = (await ask('ipc://' + command, { method: 'POST', headers, body })).status
        }
        await send('chunk', 'probe.upload', { 'Socket-Stream': id })
        await send('end', 'probe.upload', { 'Socket-Stream': id, 'Socket-Stream-End': '1' })
        await send('abort', 'probe.upload', { 'Socket-Stream': id, 'Socket-Stream-Abort': '1' })
        await send('cancel', 'probe.slow', { 'Socket-Cancel': 'S1' })
        await send('cancel upload', 'probe.upload', { 'Socket-Cancel': 'U1' })
        await send('file', 'fs.readFile', { 'Socket-File-Done': '9' })
        await send('guess', 'probe.upload', { 'Socket-Stream': '0'.repeat(32) })
        await send('count', 'probe.upload', { 'Socket-Stream': '1' })
        report({ theft })
        channel.postMessage('tried')
        """,
        calls='ipc:',
        name='second',
    )
    report = project.run(engine_csp=engine, scenario='second_window')
    assert len(report.page['id']) == 32
    assert report.page['theft'] == {
        'chunk': 404, 'end': 404, 'abort': 404, 'guess': 404, 'count': 404,
        'cancel': 204, 'cancel upload': 204, 'file': 204,  # and nothing happens
    }  # fmt: skip
    assert report.page['chunk'] == 204
    assert report.page['ended'] == {'size': 3, 'total': sum(b'abc'), 'chunks': 1}
    assert report.page['slow'] is False


NASTY = [
    '"', "'", '\\', '`${1}`', '</script><script>x()</script>', '"],["injected",1],["', '\u2028\u2029', '\0\x07\x1b[31m',
    '\U0001f600é', '__proto__', 'constructor', '%22', '\n\r\t', '﻿', '0',
]  # fmt: skip


def test_b3_events_carry_any_text_as_data(project: Project) -> None:
    codes = '(text) => Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))'
    project.page(
        f"""
        import {{ on }} from 'socket:ipc'
        const codes = {codes}
        const got = []
        for (const name of {json.dumps(NASTY)}) on(name, (detail) => got.push([codes(name), detail.map(codes)]))
        window.addEventListener('injected', () => report({{ injected: true }}))
        on('end', () => {{ report({{ got }}); done() }})
        """,
        calls='ipc://probe.act',
    )
    report = project.run(scenario='emit_nasty', nasty=NASTY)

    def codes(text: str) -> list[int]:
        units = text.encode('utf-16-le')
        return [units[i] + 256 * units[i + 1] for i in range(0, len(units), 2)]

    assert 'injected' not in report.page
    assert report.page['got'] == [[codes(name), [codes(name), codes('x' + name)]] for name in NASTY]


def test_b4_only_registered_names_exist(project: Project, engine: bool) -> None:
    names = [
        '__class__', 'probe.__class__', 'probe.act.__globals__', 'probe.act.__globals__.get', 'probe', 'probe._private',
        'probe.0', '0', 'toString', 'constructor', 'probe.constructor', 'call', 'services', 'probe.act.handler',
        'probe.' + 'a' * 119, 'probe.' + 'a' * 300, 'probe.' + 'a' * 60000, 'probe.' + 'a' * (1 << 20),
    ]  # fmt: skip
    script = f"""
    const asked = []
    for (const name of {json.dumps(names)}) {{
      const {{ status, body }} = await ask('ipc://' + name)
      asked.push([status, body?.err?.message ?? ''])
    }}
    report({{ asked }})
    done()
    """
    report = project.page(script, calls='ipc:').run(engine_csp=engine)
    assert report.hits == []
    for name, (status, message) in zip(names, report.page['asked'], strict=True):
        assert status in (400, 404), name
        assert len(message) < 200
        assert 'Traceback' not in message


FLOOD = """
const count = { }
const add = (key) => { count[key] = (count[key] ?? 0) + 1 }
const many = (length, url) =>
  Promise.all(Array.from({ length }, () => fetch(url).then((r) => add(r.status), () => add('failed'))))
await many(20000, 'ipc://probe.echo')
report({ quick: { ...count } })
for (const key in count) delete count[key]
await many(3000, 'ipc://probe.coroSlow?seconds=1')
report({ slow: { ...count } })

async function open () {
  const controllers = Array.from({ length: 300 }, () => new AbortController())
  const statuses = {}
  await Promise.all(controllers.map(async ({ signal }) => {
    const response = await fetch('ipc://probe.idle', { signal })
    statuses[response.status] = (statuses[response.status] ?? 0) + 1
  }))
  for (const controller of controllers) controller.abort()
  return statuses
}
report({ streams: await open() })
await sleep(2500)
report({ again: await open() })

await sleep(2500)
report({ after: await ask('ipc://probe.act?tag=after') })
done()
"""


def test_b6_floods_meet_quotas_and_leave_the_app_responsive(project: Project) -> None:
    report = project.page(FLOOD, calls='ipc://probe.*').run(scenario='measure_lag', limit=18)
    quick, slow = report.page['quick'], report.page['slow']
    assert set(quick) | set(slow) <= {'200', '429'}
    assert sum(quick.values()) == 20000
    assert slow == {'200': 1024, '429': 1976}
    assert report.page['streams'] == {'200': 64, '429': 236}
    assert report.page['again'] == {'200': 64, '429': 236}, 'the quota did not come back'
    assert report.page['after']['status'] == 200
    assert report.state['under_way'] == 0
    assert len(report.state['threads']) < 12
    assert report.state['fds'] < 60
    lags = sorted(report.notes['lags'])
    assert lags[len(lags) * 95 // 100] < 0.1, 'the GUI thread was blocked'


@pytest.mark.parametrize('debug', [False, True])
def test_b8_errors_of_the_apps_code_are_told_in_development_only(project: Project, debug: bool) -> None:
    script = """
    import { call, stream } from 'socket:ipc'
    const plain = await settle(call('probe.fail'))
    const streamed = await settle((async () => { for await (const _ of stream('probe.items', { count: 3, fail_at: 1 })); })())
    report({ plain, streamed })
    done()
    """
    report = project.page(script, calls='ipc://probe.*').run(debug=debug)
    for error, secret in ((report.page['plain'], 'secret.txt'), (report.page['streamed'], 'in the middle')):
        assert error['error']['type'] == 'CommandFailed'
        assert (secret in error['error']['message']) is debug
        assert 'Traceback' not in error['error']['message']
    assert 'secret.txt' in str(report.log), 'the author must find it in the log'


def test_b9_a_window_is_who_the_host_says_it_is(project: Project, engine: bool) -> None:
    project.page(
        TALK
        + """
        await hear()
        report({ first: (await ask('ipc://probe.whoami')).body.data })
        done()
        """,
        calls='ipc:',
    )
    project.page(
        TALK
        + """
        import { call } from 'socket:ipc'
        const mine = {}
        for (const query of ['', '?index=0', '?index=7', '?seq=R1&index=0']) {
          mine[query] = (await ask('ipc://probe.whoami' + query)).body.data
        }
        const own = await settle(call('window.setTitle', { value: 'mine' }))
        const other = await settle(call('window.setTitle', { value: 'stolen', window: 0 }))
        const none = await settle(call('window.setTitle', { value: 'x', window: 99 }))
        const posted = await ask('ipc://window.setTitle', {
          method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"value":"stolen","window":0}'
        })
        const closed = await settle(call('window.close', { window: 0 }))
        report({ mine, own, other, none, posted: posted.status, closed })
        channel.postMessage('done')
        """,
        calls='ipc:',
        name='second',
    )
    report = project.run(engine_csp=engine, scenario='second_window')
    assert report.page['first'] == 0
    assert set(report.page['mine'].values()) == {1}
    assert 'value' in report.page['own']
    for attempt in ('other', 'none', 'closed'):
        error: dict[str, Any] = report.page[attempt]['error']
        assert (error['type'], error['missing']) == ('Denied', '[grants] window.manage = true')
    assert report.page['posted'] == 403
    assert report.notes['titles'] == {'0': 'Probe', '1': 'mine'}
