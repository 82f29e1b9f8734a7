"""Streams between a page and Python, both ways: order, backpressure, errors, giving up."""

from __future__ import annotations

import time

import pytest

from tests.e2e.harness import Project, Report

pytestmark = pytest.mark.display

MIB = 1 << 20


def test_items_and_bytes_come_in_order(project: Project) -> None:
    project.page(
        """
        import { stream } from 'socket:ipc'
        const list = async (source) => { const all = []; for await (const item of source) all.push(item); return all }
        const items = await list(stream('probe.items', { count: 2000 }))
        const coroutine = await list(stream('probe.coroItems', { count: 2000 }))
        let size = 0
        let good = true
        for await (const piece of stream('probe.raw', { size: 8388608, chunk: 65536 })) {
          for (let i = 0; i < piece.length; i += 4096) good &&= piece[i] === Math.floor((size + i) / 65536) % 251
          size += piece.length
        }
        const ordered = (items) => items.length === 2000 && items.every((item, i) => item === i)
        report({
          items: ordered(items), coroutine: ordered(coroutine), size, good,
          none: await list(stream('probe.items', { count: 0 })),
          failed: await settle(list(stream('probe.items', { count: 5, fail_at: 3 }))),
          partly: await (async () => {
            const got = []
            try { for await (const item of stream('probe.items', { count: 5, fail_at: 3 })) got.push(item) } catch {}
            return got
          })(),
          denied: await settle(list(stream('probe.idle', { tag: 1, nothing: 2 })))
        })
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    page = report.page
    assert page['items'] and page['coroutine'] and page['good']
    assert page['size'] == 8 * MIB
    assert page['none'] == []
    assert page['failed']['error']['type'] == 'CommandFailed'
    assert page['partly'] == [0, 1, 2]
    assert page['denied']['error']['type'] == 'BadRequest'
    assert report.state['under_way'] == 0


IDLE = """
import { stream } from 'socket:ipc'
const ends = {}
for (const command of ['probe.idle', 'probe.coroIdle']) {
  const first = stream(command, { tag: 'return' })
  await first.next()
  await first.return()
  ends[`${command} return`] = Date.now() / 1000

  const controller = new AbortController()
  const second = stream(command, { tag: 'abort' }, { signal: controller.signal })
  await second.next()
  const pending = settle(second.next())
  controller.abort()
  ends[`${command} abort`] = Date.now() / 1000
  report({ [command]: await pending })

  const third = new AbortController()
  await fetch(`ipc://${command}?tag=raw`, { signal: third.signal })
  third.abort()
  ends[`${command} raw`] = Date.now() / 1000
}
await sleep(2200)
report({ ends })
done()
"""


def test_python_hears_of_a_stream_that_is_given_up_within_two_seconds(project: Project) -> None:
    """Also when nothing is being written: an idle stream's pipe tells nobody by itself."""
    report = project.page(IDLE, calls='ipc://probe.*').run()
    heard = {f'{hit[0]} {hit[3]}': hit[4] for hit in report.hits if hit[2] == 'end'}
    assert len(heard) == 6
    for name, at in report.page['ends'].items():
        assert -0.1 < heard[name] - at < 2.0, name
    assert report.page['probe.idle']['error']['type'] == 'Aborted'
    assert report.state['under_way'] == 0
    assert [name for name in report.state['threads'] if name == 'socket-stream'] == []


def produced_when_paused(project: Project, command: str) -> Report:
    project.page(
        f"""
        import {{ stream }} from 'socket:ipc'
        const source = stream('{command}', {{ size: 2147483648, chunk: 262144 }})
        let size = 0
        while (size < 4194304) size += (await source.next()).value.length
        await sleep(700)
        await ask('ipc://probe.noteProduced')
        for (let i = 0; i < 100; i++) size += (await source.next()).value.length
        report({{ size }})
        await source.return()
        done()
        """,
        calls='ipc://probe.*',
    )
    return project.run()


@pytest.mark.parametrize('command', ['probe.raw', 'probe.coroRaw'])
def test_a_page_that_reads_slowly_slows_python_down(project: Project, command: str) -> None:
    """WebKit reads a reply as fast as it comes and keeps it in the web process, however slow the page is."""
    report = produced_when_paused(project, command)
    assert report.notes['produced then'] < 24 * MIB
    assert report.state['web_memory']['pss'] < 200 * 1024


def test_uploads_arrive_whole_and_in_order(project: Project) -> None:
    project.page(
        """
        import { upload } from 'socket:ipc'
        const bytes = new Uint8Array(5 << 20).map((_, i) => i)
        async function * pieces () { for (let i = 0; i < 5000; i++) yield `${i},` }
        const { readable, writable } = new TransformStream()
        const writer = writable.getWriter()
        ;(async () => { for (let i = 0; i < 10; i++) await writer.write(new Uint8Array(1000)); await writer.close() })()
        report({
          bytes: await upload('probe.upload', {}, bytes),
          blob: await upload('probe.coroUpload', {}, new Blob([bytes, 'x'])),
          pieces: (await upload('probe.upload', {}, pieces())).size,
          readable: (await upload('probe.upload', {}, readable)).size,
          text: (await upload('probe.upload', {}, 'é')).size,
          nothing: (await upload('probe.upload', {}, new Uint8Array())).size,
          failed: await settle(upload('probe.upload', { fail: true }, 'x'))
        })
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    page = report.page
    assert page['bytes']['size'] == 5 * MIB
    assert page['bytes']['chunks'] >= 5
    assert page['blob'] == 5 * MIB + 1
    assert page['pieces'] == sum(len(f'{i},') for i in range(5000))
    assert page['readable'] == 10000
    assert page['text'] == 2
    assert page['nothing'] == 0
    assert page['failed']['error']['type'] == 'CommandFailed'
    assert report.state['under_way'] == 0


def test_a_slow_command_slows_the_page_down(project: Project) -> None:
    project.page(
        """
        import { upload } from 'socket:ipc'
        let made = 0
        async function * source () {
          for (let i = 0; i < 60; i++) { made++; yield new Uint8Array(1 << 20) }
        }
        const pending = upload('probe.upload', { pause: 0.05 }, source())
        await sleep(500)
        report({ early: made })
        report({ result: await pending })
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    assert report.page['early'] < 25
    assert report.page['result']['size'] == 60 * MIB


@pytest.mark.parametrize('pause', [0, 0.3])
@pytest.mark.parametrize('outcome', ['result', 'error'])
def test_a_command_may_end_before_the_upload_does(project: Project, outcome: str, pause: float) -> None:
    """With a pause, the page waits with a chunk for which there is no room, and never will be."""
    project.page(
        f"""
        import {{ upload }} from 'socket:ipc'
        async function * endless () {{ for (;;) yield new Uint8Array(1 << 20) }}
        const at = performance.now()
        const outcome = await settle(upload('probe.upload', {{ stop_after: 2, pause: {pause}, fail: {str(outcome == 'error').lower()} }}, endless()))
        report({{ outcome, took: performance.now() - at }})
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run(until='', limit=6)
    assert report.ended == 'done', 'the page was left waiting'
    assert report.page['took'] < 2000
    if outcome == 'error':
        assert report.page['outcome']['error']['type'] == 'CommandFailed'
    else:
        assert report.page['outcome']['value']['chunks'] == 2


def test_an_upload_that_is_given_up_ends_the_command(project: Project) -> None:
    project.page(
        """
        import { upload } from 'socket:ipc'
        const controller = new AbortController()
        async function * source () { for (;;) { yield new Uint8Array(1000); await sleep(20) } }
        const pending = settle(upload('probe.upload', {}, source(), { signal: controller.signal }))
        await sleep(200)
        controller.abort()
        report({ aborted: await pending })
        async function * failing () { yield new Uint8Array(1000); throw new Error('the source broke') }
        report({ broken: await settle(upload('probe.upload', {}, failing())) })
        await sleep(300)
        done()
        """,
        calls='ipc://probe.*',
    )
    start = time.time()
    report = project.run()
    assert report.page['aborted']['error']['type'] == 'Aborted'
    assert report.page['broken']['error']['message'] == 'the source broke'
    ends = [hit for hit in report.hits if hit[0] == 'probe.upload']
    assert len(ends) == 2
    assert all(start < hit[4] < time.time() for hit in ends)
    assert report.state['under_way'] == 0


def test_mixed_traffic_stays_apart(project: Project) -> None:
    project.page(
        """
        import { call, stream, upload } from 'socket:ipc'
        const sum = async (source) => { let n = 0; for await (const item of source) n += item.length ?? 1; return n }
        const jobs = []
        for (let i = 0; i < 8; i++) {
          jobs.push(sum(stream('probe.raw', { size: 1048576 + i })), sum(stream('probe.items', { count: 100 + i })))
          jobs.push(upload('probe.upload', {}, new Uint8Array(500000 + i)).then((result) => result.size))
          jobs.push(call('probe.coroutine', { value: i }))
        }
        report({ results: await Promise.all(jobs) })
        done()
        """,
        calls='ipc://probe.*',
    )
    report = project.run()
    expected = [n for i in range(8) for n in (1048576 + i, 100 + i, 500000 + i, i + 1)]
    assert report.page['results'] == expected
    assert report.state['under_way'] == 0
