"""Attack cases C and D from a real page: files of the app, files of the user, the desktop around."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from tests.e2e.harness import IDENTIFIER, ORIGIN, Project

pytestmark = pytest.mark.display

SECRET = 'the secret of the house'


def test_c1_no_path_leads_out_of_the_apps_files(project: Project, engine: bool) -> None:
    (project.folder / 'secret.txt').write_text(SECRET)
    project.file('sub/inner.txt', 'inner').file('.hidden', 'hidden')
    outside = project.folder / 'secret.txt'
    paths = [
        '../secret.txt', '..%2fsecret.txt', '..%2Fsecret.txt', '%2e%2e/secret.txt', '%2e%2e%2fsecret.txt',
        '%252e%252e%252fsecret.txt', '..\\secret.txt', '..%5csecret.txt', 'sub/../../secret.txt', 'sub/..%2f..%2fsecret.txt',
        '/' + str(outside), str(outside), '/'.join(('%2f', *outside.parts[1:])), '%2F' + str(outside)[1:],
        'file://' + str(outside), '\\\\localhost\\c$\\secret.txt', '%5c%5c?%5c' + str(outside), 'C:secret.txt',
        'C:%5csecret.txt', 'sub/./../..//secret.txt', '..;/secret.txt', '%c0%ae%c0%ae/secret.txt', '%00../secret.txt',
        'inner.txt%00.html', 'secret.txt', 'sub', 'sub/', '../socket.ini', 'socket/../../../socket.ini',
        'socket/%2e%2e/app/assets.py', 'socket/..%2fapp%2fassets.py', 'CON', 'nul.txt', 'index.html.', 'index.html%20',
        'index.html::$DATA', 'socket/',
    ]  # fmt: skip
    project.page(
        f"""
        const got = {{}}
        for (const path of {json.dumps(paths)}) got[path] = await ask('{ORIGIN}/' + path)
        got['inside'] = await ask('{ORIGIN}/sub/inner.txt')
        report({{ got: Object.fromEntries(Object.entries(got).map(([k, v]) => [k, [v.status, String(v.body).slice(0, 60)]])) }})
        done()
        """,
        calls="'self'",
    )
    report = project.run(engine_csp=engine)
    got = report.page['got']
    assert got.pop('inside') == [200, 'inner']
    for path, (status, body) in got.items():
        assert status in (0, 400, 404), path
        assert SECRET not in body
        assert str(project.folder) not in body


def test_c3_links_in_the_apps_files_are_not_followed(project: Project) -> None:
    secret = project.folder / 'secret'
    secret.mkdir()
    (secret / 'a.txt').write_text(SECRET)
    (project.src / 'file.txt').symlink_to(secret / 'a.txt')
    (project.src / 'folder').symlink_to(secret)
    (project.src / 'dangling.txt').symlink_to('/nowhere')
    os.mkfifo(project.src / 'fifo.txt')
    project.page(
        """
        const got = {}
        for (const path of ['file.txt', 'folder/a.txt', 'dangling.txt', 'fifo.txt', 'folder']) {
          got[path] = (await ask('/' + path)).status
        }
        report(got)
        done()
        """,
        calls="'self'",
    )
    assert project.run().page == dict.fromkeys(['file.txt', 'folder/a.txt', 'dangling.txt', 'fifo.txt', 'folder'], 404)


def test_c3_c12_files_that_are_none_and_links_that_lead_out(project: Project, engine: bool) -> None:
    data = project.data
    data.mkdir(parents=True)
    outside = project.folder / 'secret.txt'
    outside.write_text(SECRET)
    (data / 'in.txt').write_text('inside')
    (data / 'link.txt').symlink_to(outside)
    (data / 'good-link.txt').symlink_to('in.txt')
    (data / 'folder').symlink_to(project.folder)
    os.mkfifo(data / 'fifo')
    with (data / 'sparse').open('wb') as file:
        file.truncate(64 << 30)
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(data)
    try:
        server.bind('socket')
    finally:
        os.chdir(here)
    paths = {
        'inside': f'{data}/in.txt',
        'link': f'{data}/link.txt',
        'good link': f'{data}/good-link.txt',
        'folder link': f'{data}/folder/secret.txt',
        'dots': f'{data}/../../../../project/secret.txt',
        'fifo': f'{data}/fifo',
        'socket': f'{data}/socket',
        'sparse': f'{data}/sparse',
        'zero': '/dev/zero',
        'mem': '/proc/self/mem',
        'environ': '/proc/self/environ',
        'fd': '/proc/self/fd/0',
        'outside': str(outside),
        'outside missing': str(outside) + '.none',
        'profile': f'{data}/.webview/x',
        'ini': str(project.folder / 'socket.ini'),
    }
    project.ini('[grants]\nfs.read[] = $DATA/**\nfs.read[] = /dev/**\nfs.read[] = /proc/**')
    project.page(
        f"""
        const got = {{}}
        for (const [name, path] of Object.entries({json.dumps(paths)})) {{
          const start = performance.now()
          const {{ status, kind, body }} = await ask('ipc://fs.readFile?path=' + encodeURIComponent(path))
          got[name] = [status, kind === 'binary' ? String(body).slice(0, 40) : [body?.err?.type, body?.err?.missing ?? ''], performance.now() - start]
        }}
        report({{ got }})
        done()
        """,
        calls='ipc://fs.*',
    )
    report = project.run(engine_csp=engine)
    server.close()
    got = report.page['got']
    assert got.pop('inside')[:2] == [200, 'inside']
    assert got['good link'][0] == 403, 'links are followed only where socket.ini says so'
    for name, (status, body, milliseconds) in got.items():
        assert status >= 400, name
        assert SECRET not in str(body)
        assert milliseconds < 2000, name
    # what is not granted looks the same, whether it is there or not
    assert got['outside'][1] == [text.replace('.none', '') for text in got['outside missing'][1]]
    assert got['outside'][1][0] == 'Denied'
    assert got['outside'][1][1].startswith('[grants] fs.read[] = ')
    for name in ('link', 'folder link', 'dots', 'outside', 'profile', 'ini'):
        assert got[name][0] == 403, name


def test_denied_files_have_no_side_effect_and_one_line_in_the_log(project: Project, engine: bool) -> None:
    target = project.folder / 'new.txt'
    project.ini('[grants]\nfs.write[] = $DATA/**')
    project.page(
        f"""
        import fs from 'socket:fs/promises'
        report({{ outside: await settle(fs.writeFile('{target}', 'x')), inside: await settle(fs.writeFile('{project.data}/a.txt', 'x')) }})
        done()
        """,
        calls='ipc://fs.*',
    )
    report = project.run(engine_csp=engine)
    error = report.page['outside']['error']
    assert (error['type'], error['code']) == ('Denied', 'EPERM')
    assert error['missing'].startswith('[grants] fs.write[] = ')
    assert not target.exists()
    assert 'value' in report.page['inside'] or report.page['inside'] == {}
    assert (project.data / 'a.txt').read_text() == 'x'
    assert len(report.audit) == 1, report.audit


def test_c10_text_is_never_taken_for_a_page(project: Project, engine: bool) -> None:
    attack = '<!doctype html><script src="/attack.js"></script>'
    project.file('note.txt', attack).file('note.unknown', attack).file('note.md', attack).file('noext', attack)
    project.file('attack.js', 'parent.ran = true')
    project.page(
        """
        for (const path of ['note.txt', 'note.md', 'note.unknown', 'noext']) {
          const frame = document.createElement('iframe')
          frame.src = '/' + path
          document.body.append(frame)
        }
        await sleep(300)
        const script = await new Promise((resolve) => {
          const element = document.createElement('script')
          element.src = '/note.txt'
          element.onload = () => resolve('ran')
          element.onerror = () => resolve('refused')
          document.body.append(element)
        })
        const { headers } = await fetch('/note.txt')
        report({ ran: window.ran ?? false, script, nosniff: headers.get('X-Content-Type-Options') })
        done()
        """,
        calls="'self'",
    )
    report = project.run(engine_csp=engine)
    assert report.page == {'ran': False, 'script': 'refused', 'nosniff': 'nosniff'}


@pytest.mark.parametrize('way', ['blob', 'data', 'own', 'frame'])
def test_no_download_writes_to_the_users_folders(project: Project, way: str) -> None:
    """A link with ``download`` would have WebKit write a file of the page's choice without asking."""
    href = {
        'blob': "URL.createObjectURL(new Blob(['#!/bin/sh']))",
        'data': "'data:application/x-sh,x'",
        'own': "'/lib.js'",
        'frame': "'data:application/x-sh,x'",
    }[way]
    where = 'document'
    prepare = ''
    if way == 'frame':
        prepare = "const frame = document.createElement('iframe'); document.body.append(frame)\n"
        where = 'frame.contentDocument'
    project.page(
        f"""
        {prepare}
        const link = {where}.createElement('a')
        link.href = {href}
        link.download = 'evil.sh'
        {where}.body.append(link)
        link.click()
        await sleep(600)
        report({{ alive: (await ask('ipc://probe.act')).status }})
        done()
        """,
        calls='ipc://probe.act',
    )
    (project.home / 'Downloads').mkdir()
    report = project.run()
    assert report.page['alive'] == 200
    found = [str(path) for path in project.home.rglob('*') if path.name.startswith(('evil', 'lib.js'))]
    assert found == []


def test_d8_the_clipboard_is_closed_to_scripts(project: Project) -> None:
    project.page(
        """
        const area = document.createElement('textarea')
        document.body.append(area)
        area.focus()
        const pasted = document.execCommand('paste')
        const read = await Promise.race([settle(navigator.clipboard?.readText?.() ?? Promise.reject(new Error('none'))), sleep(1000)])
        report({ pasted, value: area.value, read })
        done()
        """,
        calls="'self'",
    )
    report = project.run()
    assert report.page['pasted'] is False
    assert report.page['value'] == ''
    assert 'error' in report.page['read']


def test_d9_titles_are_shown_literally(project: Project) -> None:
    title = '<b>&amp;</b> %s\x1b[31m\n\u202eabc'
    project.page(
        f"""
        import {{ call }} from 'socket:ipc'
        await call('window.setTitle', {{ value: {json.dumps(title)} }})
        report({{ long: await settle(call('window.setTitle', {{ value: 'x'.repeat(5000) }})) }})
        done()
        """,
        calls='ipc://window.*',
    )
    report = project.run(scenario='second_window')
    assert report.notes['titles']['0'] == '<b>&amp;</b> %s [31m  abc'
    assert report.page['long']['error']['type'] == 'BadRequest'


@pytest.mark.parametrize('name', ['WEBKIT_INSPECTOR_SERVER', 'WEBKIT_INSPECTOR_HTTP_SERVER'])
def test_d11_a_finished_app_cannot_be_inspected_from_outside(project: Project, name: str) -> None:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    project.page('await sleep(300); done()', calls="'self'")
    report = project.run(debug=False, env={name: f'127.0.0.1:{port}'})
    assert report.state['ports'] == []


def test_the_apps_own_folders_are_private(project: Project) -> None:
    project.page('done()').run()
    for folder in (project.home / '.local/share' / IDENTIFIER, project.home / '.config' / IDENTIFIER):
        assert Path(folder).stat().st_mode & 0o777 == 0o700
