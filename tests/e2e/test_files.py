"""``socket:fs`` in a real page: large files, streams, watching, folders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.e2e.harness import Project

pytestmark = pytest.mark.display

MIB = 1 << 20
GRANTS = '[grants]\nfs.read[] = $RESOURCES/**\nfs.read[] = $DATA/**\nfs.write[] = $DATA/**'


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


HEX = """
const hex = async (bytes) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)),
  (byte) => byte.toString(16).padStart(2, '0')).join('')
"""


@pytest.fixture
def data(project: Project) -> Path:
    project.data.mkdir(parents=True)
    project.ini(GRANTS)
    return project.data


@pytest.mark.timeout(40)
def test_a_large_file_is_handed_over_as_it_is(project: Project, data: Path, engine: bool) -> None:
    content = os.urandom(64 * MIB)
    (data / 'large.bin').write_bytes(content)
    project.page(
        f"""
        import fs from 'socket:fs/promises'
        {HEX}
        const path = '{data}/large.bin'
        const response = await fetch('ipc://fs.readFile?path=' + encodeURIComponent(path), {{ headers: {{ 'Socket-Bulk': 'file' }} }})
        report({{ kind: response.headers.get('Socket-Kind'), size: response.headers.get('Socket-File-Size') }})
        const start = performance.now()
        const bytes = await fs.readFile(path)
        report({{ took: performance.now() - start, length: bytes.length, hash: await hex(bytes) }})
        const part = await fetch(`ipc://fs.readFile?path=${{encodeURIComponent(path)}}&offset=1000&length=100`)
        report({{ part: await hex(await part.arrayBuffer()), partKind: part.headers.get('Socket-Kind') }})
        done()
        """,
        calls='ipc://fs.*',
    )
    report = project.run(engine_csp=engine, limit=25)
    page = report.page
    assert (page['kind'], page['size']) == ('file', str(64 * MIB))
    assert page['length'] == 64 * MIB
    assert page['hash'] == digest(content)
    assert page['took'] < 3000
    assert (page['partKind'], page['part']) == ('binary', digest(content[1000:1100]))


@pytest.mark.timeout(40)
def test_many_large_files_at_once_are_not_mixed_up(project: Project, data: Path) -> None:
    contents = [os.urandom(2 * MIB + i) for i in range(40)]
    for number, content in enumerate(contents):
        (data / f'{number}.bin').write_bytes(content)
        os.utime(data / f'{number}.bin', (1000, 1000))
    project.page(
        f"""
        import fs from 'socket:fs/promises'
        {HEX}
        const read = async (i) => hex(await fs.readFile(`{data}/${{i}}.bin`))
        const first = await Promise.all(Array.from({{ length: 40 }}, (_, i) => read(i)))
        const second = []
        for (let i = 0; i < 40; i++) second.push(await read(39 - i))
        report({{ first, second: second.reverse() }})
        await sleep(200)
        done()
        """,
        calls='ipc://fs.*',
    )
    report = project.run(limit=25)
    expected = [digest(content) for content in contents]
    assert report.page['first'] == expected
    assert report.page['second'] == expected
    assert report.state['under_way'] == 0
    assert report.state['fds'] < 60


def test_a_handed_over_file_never_becomes_another_one(project: Project, data: Path) -> None:
    """The page keeps the File, says that it has read it, and looks again after other files were opened: the
    descriptor that the File stood for may have become one of those, of the same age even."""
    mine, other = os.urandom(2 * MIB), os.urandom(2 * MIB)
    (data / 'mine.bin').write_bytes(mine)
    secret = project.folder / 'secret.bin'
    secret.write_bytes(other)
    for path in (data / 'mine.bin', secret):
        os.utime(path, (1000, 1000))
    project.page(
        f"""
        {HEX}
        const runtime = globalThis[Symbol.for('socket.runtime')]
        const url = 'ipc://fs.readFile?path=' + encodeURIComponent('{data}/mine.bin')
        const response = await fetch(url, {{ headers: {{ 'Socket-Bulk': 'file' }} }})
        const number = response.headers.get('Socket-File')
        const file = await runtime.takeFile(number)
        await fetch(url, {{ method: 'POST', headers: {{ 'Socket-File-Done': number }} }})
        await ask('ipc://probe.openSecret')
        const seen = await settle(file.arrayBuffer().then(hex))
        report({{ seen }})
        done()
        """,
        calls='ipc:',
    )
    report = project.run(scenario='open_secret', secret=str(secret))
    assert report.notes['opened']
    assert report.page['seen'].get('value') != digest(other)


def test_files_are_written_read_and_streamed(project: Project, data: Path) -> None:
    project.page(
        f"""
        import fs from 'socket:fs/promises'
        import {{ createReadStream, createWriteStream }} from 'socket:fs'
        {HEX}
        const bytes = crypto.getRandomValues(new Uint8Array(60000))
        const large = new Uint8Array(5 << 20).map((_, i) => i * 7 >> 3)
        await fs.mkdir('{data}/a/b', {{ recursive: true }})
        await fs.writeFile('{data}/a/b/one.bin', bytes)
        await fs.writeFile('{data}/a/b/text é #1.txt', 'text é')
        await fs.appendFile('{data}/a/b/text é #1.txt', '!')
        await fs.writeFile('{data}/a/large.bin', large)
        const names = (await fs.readdir('{data}/a/b')).sort()
        const stats = await fs.stat('{data}/a/large.bin')
        let size = 0
        for await (const chunk of createReadStream('{data}/a/large.bin')) size += chunk.length
        const out = createWriteStream('{data}/a/copy.bin')
        for (let at = 0; at < large.length; at += 65536) {{
          if (!out.write(large.subarray(at, at + 65536))) await new Promise((resolve) => out.once('drain', resolve))
        }}
        await new Promise((resolve) => {{ out.once('finish', resolve); out.end() }})
        report({{
          names, text: await fs.readFile('{data}/a/b/text é #1.txt', 'utf8'), size, statSize: stats.size,
          same: await hex(bytes) === await hex(await fs.readFile('{data}/a/b/one.bin')),
          copied: await hex(large) === await hex(await fs.readFile('{data}/a/copy.bin')),
          missing: await settle(fs.readFile('{data}/none')),
          folder: await settle(fs.readFile('{data}/a'))
        }})
        await fs.rm('{data}/a', {{ recursive: true }})
        report({{ gone: await settle(fs.stat('{data}/a')) }})
        done()
        """,
        calls='ipc://fs.*',
    )
    report = project.run()
    page = report.page
    assert page['names'] == ['one.bin', 'text é #1.txt']
    assert page['text'] == 'text é!'
    assert page['size'] == page['statSize'] == 5 * MIB
    assert page['same'] and page['copied']
    assert page['missing']['error']['code'] == 'ENOENT'
    assert page['folder']['error']['code'] == 'EISDIR'
    assert page['gone']['error']['code'] == 'ENOENT'
    assert not (data / 'a').exists()
    assert report.state['under_way'] == 0


def test_a_paused_read_stream_waits(project: Project, data: Path) -> None:
    with (data / 'large.bin').open('wb') as file:
        file.truncate(1 << 30)
    project.page(
        f"""
        import {{ createReadStream }} from 'socket:fs'
        const stream = createReadStream('{data}/large.bin', {{ highWaterMark: 262144 }})
        let size = 0
        for await (const chunk of stream) {{
          size += chunk.length
          if (size > 3 << 20) break
          await sleep(1)
        }}
        await sleep(300)
        report({{ size }})
        done()
        """,
        calls='ipc://fs.*',
    )
    report = project.run()
    assert report.page['size'] < 8 * MIB  # the engine may join what has come meanwhile into one piece
    assert report.state['web_memory']['pss'] < 150 * 1024
    assert report.state['under_way'] == 0


def test_changes_are_told(project: Project, data: Path) -> None:
    project.page(
        f"""
        import fs from 'socket:fs/promises'
        const controller = new AbortController()
        const seen = []
        const watching = (async () => {{
          for await (const event of fs.watch('{data}', {{ signal: controller.signal }})) seen.push(event)
        }})()
        await sleep(300)
        await fs.writeFile('{data}/new.txt', 'x')
        await fs.rename('{data}/new.txt', '{data}/renamed.txt')
        await fs.unlink('{data}/renamed.txt')
        await sleep(500)
        controller.abort()
        report({{ seen, outcome: await settle(watching) }})
        await sleep(1500)
        done()
        """,
        calls='ipc://fs.*',
    )
    report = project.run()
    names = {event['filename'] for event in report.page['seen']}
    assert {'new.txt', 'renamed.txt'} <= names
    assert report.state['under_way'] == 0


def test_a_file_that_grows_while_it_is_read_is_no_disaster(project: Project, data: Path) -> None:
    (data / 'log.txt').write_bytes(b'x' * (3 * MIB))
    project.page(
        f"""
        import fs from 'socket:fs/promises'
        const sizes = []
        for (let i = 0; i < 20; i++) {{
          const [outcome] = await Promise.all([settle(fs.readFile('{data}/log.txt')), fs.appendFile('{data}/log.txt', 'y')])
          sizes.push(outcome.value?.length ?? outcome.error.message)
        }}
        report({{ sizes }})
        done()
        """,
        calls='ipc://fs.*',
    )
    sizes = project.run().page['sizes']
    assert all(isinstance(size, int) and 3 * MIB <= size <= 3 * MIB + 20 for size in sizes), sizes
