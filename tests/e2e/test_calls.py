"""Calls from a page to Python: values, bytes, errors, cancelling, time limits."""

from __future__ import annotations

import pytest

from tests.e2e.harness import ROOT, Project

pytestmark = pytest.mark.display

TEMPLATE = ROOT / 'src/socket_runtime/templates/vanilla/src'


def from_template(project: Project, replace: tuple[str, str] = ('', '')) -> Project:
    """The project that ``ssc init`` makes, which ends when its page has shown something."""
    for file in TEMPLATE.iterdir():
        project.file(file.name, file.read_bytes())
    page = (TEMPLATE / 'index.html').read_text('utf-8').replace(*replace)
    project.file('index.html', page.replace('</body>', '<script type="module" src="./watch.js"></script></body>'))
    return project.file(
        'watch.js',
        """
        import { done, report, sleep } from './lib.js'
        const text = (id) => document.getElementById(id).textContent
        while (text('status') === 'reading…') await sleep(10)
        await sleep(50)
        report({ status: text('status'), source: text('source'), versions: text('versions') })
        done()
        """,
    )


def test_the_seeds_page_reads_its_own_source(project: Project) -> None:
    report = from_template(project).run()
    assert report.page['source'] == (project.src / 'index.html').read_text('utf-8')
    assert 'characters in' in report.page['status']
    assert report.page['versions'].startswith('Socket Runtime ')
    assert report.page_errors == []


def test_and_is_refused_with_the_missing_line_when_its_policy_does_not_allow_it(project: Project, engine: bool) -> None:
    report = from_template(project, (' ipc://fs.readFile', '')).run(engine_csp=engine, report_errors=True)
    assert 'connect-src ipc://fs.readFile' in report.page['status']
    assert report.page['source'] == ''
    assert report.code == 9
    assert 'connect-src ipc://fs.readFile' in report.notes['error']['message'] + report.stderr
    assert len(report.audit) == (0 if engine else 1)


def test_the_refusal_names_the_line_for_every_call(project: Project, engine: bool) -> None:
    """Through ``socket:ipc``: the engine's refusal becomes the same error, by its violation event."""
    project.page(
        """
        import fs from 'socket:fs/promises'
        import { call, request, stream, upload } from 'socket:ipc'
        const each = async (items) => { for await (const _ of items); }
        report({
          write: await settle(fs.writeFile('x', 'y')),
          call: await settle(call('probe.secret')),
          again: await settle(call('probe.secret')),
          stream: await settle(each(stream('probe.items', { count: 1 }))),
          upload: await settle(upload('probe.upload', {}, 'x')),
          result: (await request('probe.secret')).err.missing
        })
        done()
        """,
        calls='ipc://fs.readFile',
    )
    report = project.run(engine_csp=engine)
    for name, command in [
        ('write', 'fs.writeFile'), ('call', 'probe.secret'), ('again', 'probe.secret'), ('stream', 'probe.items'),
        ('upload', 'probe.upload'),
    ]:  # fmt: skip
        error = report.page[name]['error']
        assert (error['type'], error['missing']) == ('Denied', f'connect-src ipc://{command}'), name
        assert f'connect-src ipc://{command}' in error['message']
    assert report.page['result'] == 'connect-src ipc://probe.secret'
    assert report.hits == []


def test_values_and_errors_come_back(project: Project) -> None:
    project.page(
        """
        import ipc, { call, request } from 'socket:ipc'
        const value = { a: [1, 2.5, null, true], text: 'é "</script>" \\u2028 😀', nested: { deep: [[]] } }
        const result = await request('probe.echo', { value })
        report({
          same: JSON.stringify(await call('probe.echo', { value })) === JSON.stringify(value),
          shape: [Object.keys(result).sort(), result.source, /^R\\d+$/.test(result.id), result.err],
          coroutine: await call('probe.coroutine', { value: 41 }),
          inline: await call('probe.act', { tag: 'a b&c=d%+/?#é😀' }),
          long: (await call('probe.echo', { value: 'x'.repeat(100000) })).length,
          wrong: await settle(call('probe.coroutine', { value: 'x' })),
          missing: await settle(call('probe.coroutine')),
          unknown: await settle(call('probe.nothing')),
          extra: await settle(call('probe.act', { tag: 'a', other: 1 })),
          isDefault: ipc.call === call
        })
        done()
        """,
        calls='ipc:',
    )
    page = project.run().page
    assert page['same'] and page['isDefault']
    assert page['shape'] == [['data', 'err', 'headers', 'id', 'source'], 'probe.echo', True, None]
    assert page['coroutine'] == 42
    assert page['inline'] == 'a b&c=d%+/?#é😀'
    assert page['long'] == 100000
    assert {name: page[name]['error']['type'] for name in ('wrong', 'missing', 'unknown', 'extra')} == {
        'wrong': 'BadRequest', 'missing': 'BadRequest', 'unknown': 'NotFound', 'extra': 'BadRequest'
    }  # fmt: skip


def test_every_form_of_body_arrives(project: Project) -> None:
    """WebKit ends the host process when it is asked for a Blob's bytes; the preload makes buffers of them."""
    project.page(
        """
        const bytes = new Uint8Array(70000).map((_, i) => i * 31)
        const form = new FormData()
        form.append('text', 'value é')
        form.append('file', new File([bytes], 'na"me\\r\\n.bin', { type: 'image/png' }))
        const bodies = {
          buffer: bytes.buffer,
          view: bytes.subarray(10, 20),
          text: 'text é',
          blob: new Blob([bytes], { type: 'image/png' }),
          file: new File([bytes], 'a.bin'),
          form,
          params: new URLSearchParams({ a: 'b c', d: 'é' }),
          stream: new Blob(['streamed']).stream(),
          empty: new Blob([]),
          none: undefined
        }
        const got = {}
        for (const [name, body] of Object.entries(bodies)) {
          const response = await fetch(`ipc://probe.bytes?tag=${name}`, { method: 'POST', body })
          const back = new Uint8Array(await response.arrayBuffer())
          got[name] = [response.status, back.length, response.headers.get('Socket-Kind')]
          if (['buffer', 'blob', 'file'].includes(name)) got[name].push(back.every((byte, i) => byte === bytes[i]))
          if (name === 'form') got.parts = new TextDecoder('latin1').decode(back.subarray(0, 400))
          if (name === 'params') got.pairs = new TextDecoder().decode(back)
        }
        const request = new Request('ipc://probe.bytes?tag=request', { method: 'POST', body: new Blob(['in a request']) })
        got.request = await (await fetch(request)).text()
        for (const name of ['xhr text', 'xhr blob', 'xhr form']) {
          got[name] = await new Promise((resolve) => {
            const xhr = new XMLHttpRequest()
            xhr.open('POST', `ipc://probe.bytes?tag=${name.replace(' ', '-')}`)
            xhr.onloadend = () => resolve([xhr.status, xhr.responseText.length])
            xhr.send({ 'xhr text': 'text', 'xhr blob': new Blob(['blobs']), 'xhr form': form }[name])
          })
        }
        const sync = new XMLHttpRequest()
        sync.open('GET', 'ipc://probe.act?tag=sync', false)
        sync.send()
        got.sync = sync.status
        sync.open('POST', 'ipc://probe.bytes?tag=sync', false)
        try { sync.send('body') } catch (error) { got.syncBody = error.name }
        report(got)
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    page = report.page
    sizes = {'buffer': 70000, 'view': 10, 'text': 7, 'blob': 70000, 'file': 70000, 'stream': 8, 'empty': 0, 'none': 0}
    for name, size in sizes.items():
        assert page[name][:3] == [200, size, 'binary'], name
    assert page['buffer'][3] and page['blob'][3] and page['file'][3]
    assert 'name="file"; filename="na%22me%0D%0A.bin"\r\nContent-Type: image/png' in page['parts']
    assert page['pairs'] == 'a=b+c&d=%C3%A9'
    assert page['request'] == 'in a request'
    assert page['xhr text'] == [200, 4]
    assert page['xhr blob'] == [200, 5]
    assert page['xhr form'][0] == 200
    assert page['sync'] == 200
    assert page['syncBody'] == 'NotSupportedError'
    types = {hit[2]: hit[3] for hit in report.hits if hit[0] == 'probe.bytes'}
    assert types['blob'] == 'image/png'
    assert types['form'].startswith('multipart/form-data; boundary=')
    assert types['params'].startswith('application/x-www-form-urlencoded')


def test_giving_a_call_up_tells_python(project: Project) -> None:
    project.page(
        """
        import { call } from 'socket:ipc'
        const late = async (command) => {
          const controller = new AbortController()
          const pending = settle(call(command, { seconds: 10, tag: command }, { signal: controller.signal }))
          await sleep(150)
          controller.abort()
          const at = performance.now()
          const outcome = await pending
          return { ...outcome.error, after: performance.now() - at }
        }
        const gone = AbortSignal.abort()
        report({
          plain: await late('probe.slow'),
          coroutine: await late('probe.coroSlow'),
          before: await settle(call('probe.act', { tag: 'never' }, { signal: gone })),
          raw: await settle(fetch('ipc://probe.act?tag=never', { signal: gone }))
        })
        await sleep(300)
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    for name in ('plain', 'coroutine'):
        assert report.page[name]['type'] == 'Aborted'
        assert report.page[name]['after'] < 500
    assert report.page['before']['error']['type'] == 'Aborted'
    assert report.page['raw']['error']['name'] == 'AbortError'
    assert sorted(hit[:4] for hit in report.hits) == [
        ['probe.coroSlow', 0, 'probe.coroSlow', True], ['probe.slow', 0, 'probe.slow', True]
    ]  # fmt: skip
    assert report.state['under_way'] == 0


def test_time_limits_of_both_sides(project: Project) -> None:
    project.page(
        """
        import { call } from 'socket:ipc'
        report({
          host: await settle(call('probe.limited', { seconds: 10 })),
          page: await settle(call('probe.slow', { seconds: 10, tag: 'page' }, { timeout: 200 })),
          neither: await settle(call('probe.limited', { seconds: 0 }))
        })
        await sleep(300)
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    assert report.page['host']['error']['type'] == 'Timeout'
    assert report.page['page']['error']['type'] == 'Timeout'
    assert report.page['neither'] == {'value': False}
    cancelled = {hit[0]: hit[-2] if hit[0] == 'probe.slow' else hit[-1] for hit in report.hits}
    assert cancelled['probe.slow'] is True
    assert [hit[2] for hit in report.hits if hit[0] == 'probe.limited'] == [True, False]


def test_a_page_that_goes_away_gives_up_what_it_had(project: Project) -> None:
    project.page(
        """
        if (sessionStorage.went) {
          await sleep(400)
          report({ here: (await ask('ipc://probe.act?tag=new')).status })
          done()
        } else {
          sessionStorage.went = 'yes'
          fetch('ipc://probe.slow?seconds=10&tag=old')
          fetch('ipc://probe.coroSlow?seconds=10&tag=old')
          const response = await fetch('ipc://probe.idle')
          await fetch('ipc://probe.coroIdle')
          await fetch('ipc://probe.upload', { method: 'POST' })
          location.reload()
        }
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    ended = [hit[0] for hit in report.hits if hit[-2:-1] != ['start']]
    for command in ('probe.slow', 'probe.coroSlow', 'probe.idle', 'probe.coroIdle', 'probe.upload'):
        assert command in ended, command
    assert report.state['under_way'] == 0
    assert report.page['here'] == 200


def test_many_calls_at_once_all_come_back(project: Project) -> None:
    project.page(
        """
        import { call } from 'socket:ipc'
        const results = await Promise.all(Array.from({ length: 5000 }, (_, i) => call('probe.coroutine', { value: i })))
        report({ same: results.every((value, i) => value === i + 1) })
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    assert report.page['same']
    assert report.state['under_way'] == 0
