"""An app's life: what it says when something is wrong, what survives, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.e2e import machine
from tests.e2e.harness import ORIGIN, ROOT, Project, runtime_folder

pytestmark = pytest.mark.display


def test_the_console_is_on_the_terminal_with_control_characters_shown(project: Project) -> None:
    project.page(
        r"""
        console.log('plain', 1, { a: [1, { b: 2n }] }, null, undefined, [new Map()], () => 1, new Error('text').message)
        console.warn('a warning')
        console.error(new TypeError('an error'))
        console.log('\x1b[2J\x1b]0;title\x07 \r overwritten \x9b31m \u202ereversed\u2028line')
        console.log('two\nlines')
        console.log('x'.repeat(100000).length, 'y'.repeat(20000))
        console.log({ get broken () { throw new Error('no') } }, new Proxy({}, { ownKeys () { throw new Error('no') } }))
        const loop = {}
        loop.self = loop
        console.log(loop)
        for (let i = 0; i < 2000; i++) console.log('many', i)
        await sleep(300)
        done()
        """
    )
    report = project.run()
    out, err = report.stdout, report.stderr
    assert 'plain 1 { a: [1, { b: 2n }] } null undefined' in out
    assert 'a warning' in err and 'a warning' not in out
    assert 'TypeError: an error' in err
    assert '\\u001b[2J\\u001b]0;title\\u0007 \\u000d overwritten \\u009b31m \\u202ereversed\\u2028line' in out
    assert not set(out + err) & set('\x1b\x07\x9b\r\u202e\u2028')
    assert 'two\nlines' in out
    assert max(map(len, out.splitlines())) < 17000
    numbers = [int(line.split()[1]) for line in out.splitlines() if line.startswith('many ')]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 2000 or 'lines of the console were dropped' in err


@pytest.mark.parametrize(
    ('script', 'message'),
    [
        ("throw new Error('broken at load')", 'broken at load'),
        ('undefinedName()', 'undefinedName'),
        ("Promise.reject(new Error('nobody caught it'))", 'nobody caught it'),
        ('this is no program', 'SyntaxError'),
        ("import './missing.js'", 'could not load <script>'),
    ],
)
def test_a_page_that_fails_at_load_ends_with_a_message_and_code_9(project: Project, script: str, message: str) -> None:
    report = project.page(f'{script}').file('late.js', '').run(report_errors=True, until='limit', limit=5)
    assert report.code == 9
    assert report.notes['error']['type'] == 'PageError'
    assert message in report.stderr
    assert report.notes['error']['hint']


def test_a_missing_picture_is_told_but_is_no_failure(project: Project) -> None:
    report = project.page(body='<img src="/none.png">').run(report_errors=True, until='limit', limit=0.7)
    assert report.code == 0
    assert 'could not load <img>' in report.stderr


def test_a_policy_that_forbids_the_pages_own_modules_is_told(project: Project) -> None:
    policy = "default-src 'none'; script-src 'self'; connect-src ipc://probe.act"
    report = project.page("import 'socket:ipc'", policy=policy).run(report_errors=True, until='limit', limit=5)
    assert report.code == 9
    assert 'socket:' in report.notes['error']['message'] + report.stderr
    assert 'add `socket:` to script-src' in report.stderr


def test_a_policy_that_cannot_be_understood_is_told(project: Project) -> None:
    project.page('done()', head='<meta http-equiv="Content-Security-Policy" content="connect-src ipc:">' * 20)
    report = project.run(report_errors=True, until='limit', limit=5)
    assert report.code == 9
    assert 'policies' in report.stderr


@pytest.mark.parametrize(
    ('wrong', 'right'), [('fs/promisies', 'fs/promises'), ('proces', 'process'), ('ipcs', 'ipc'), ('zzzzzz', '')]
)
def test_an_unknown_module_says_what_was_meant(project: Project, wrong: str, right: str) -> None:
    report = project.page(f"import x from 'socket:{wrong}'").run(report_errors=True, until='limit', limit=5)
    assert report.code == 9
    assert f'There is no module socket:{wrong}.' in report.stderr
    assert (f'Did you mean socket:{right}?' in report.stderr) == bool(right)


def test_a_missing_index_is_told_at_once(project: Project) -> None:
    report = project.run(until='')
    assert report.code == 4
    assert 'index.html is missing' in report.stderr
    assert 'ssc init' in report.stderr


def test_no_display_is_told(project: Project) -> None:
    report = project.page('done()').run(until='', env={'DISPLAY': ':4711', 'WAYLAND_DISPLAY': ''})
    assert report.code == 6
    assert '--headless' in report.stderr


def test_headless_brings_its_own_display(project: Project) -> None:
    report = project.page('report({ size: [screen.width, screen.height] }); done()').run(
        headless=True, env={'DISPLAY': '', 'WAYLAND_DISPLAY': ''}
    )
    assert report.page['size'] == [1280, 800]
    assert report.code == 0


def test_a_page_that_is_not_there_leaves_the_window_where_it_was(project: Project) -> None:
    project.page(
        """
        location = '/none.html'
        await sleep(400)
        report({ here: location.href, status: (await ask('ipc://probe.act')).status })
        done()
        """,
        calls='ipc://probe.act',
    )
    report = project.run(until='', limit=3)
    assert report.ended == 'done' or any('/none.html' in str(line) for line in report.log)


def test_a_dead_web_process_can_be_started_anew(project: Project) -> None:
    project.page(
        """
        import { on } from 'socket:ipc'
        const run = ask('ipc://probe.act?tag=alive')
        on('again', async (detail) => { report({ run: (await run).status, detail }); done() })
        """,
        calls='ipc://probe.act',
    )
    process = project.start(scenario='reload_when_crashed', limit=10)
    deadline = time.monotonic() + 8
    while not (found := machine.web_processes(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    os.kill(found[0], signal.SIGKILL)
    report = project.finish(process)
    assert report.ended == 'done'
    assert report.crashed == [[0, 'crashed']]
    assert report.tags('probe.act') == ['alive', 'alive']
    assert report.page == {'run': 200, 'detail': 'after the crash'}
    assert report.state['under_way'] == 0


def test_a_crash_gives_up_what_was_under_way(project: Project) -> None:
    project.page(
        """
        fetch('ipc://probe.slow?seconds=20&tag=slow')
        fetch('ipc://probe.idle')
        fetch('ipc://probe.upload', { method: 'POST' })
        await sleep(200)
        await ask('ipc://probe.killMe')
        """,
        calls='ipc://probe.*',
    )
    report = project.run(scenario='kill_web_process', limit=6)
    assert {hit[0] for hit in report.hits if hit[2] != 'start'} == {'probe.slow', 'probe.idle', 'probe.upload'}
    assert report.state['under_way'] == 0


LOOP = """
import { call } from 'socket:ipc'
if (sessionStorage.looped) {
  report({ back: (await ask('ipc://probe.act?tag=back')).status })
  done()
} else {
  sessionStorage.looped = 'yes'
  await ask('ipc://probe.act?tag=looping')
  for (;;) {}
}
"""


def test_a_page_that_loops_for_ever_can_be_reloaded(project: Project) -> None:
    report = project.page(LOOP, calls='ipc://probe.act').run(scenario='reload_when_looping', limit=12)
    # the session's storage went with the process, or not; either way the page began anew
    assert report.tags('probe.act').count('looping') >= 1
    assert report.notes['reloaded after'] < 6
    assert report.notes['lag'] < 0.2, "the page's loop must not block the app"


def test_a_page_that_loops_for_ever_can_be_closed(project: Project) -> None:
    start = time.monotonic()
    report = project.page(LOOP, calls='ipc://probe.act').run(scenario='close_when_looping', until='closed', limit=12)
    assert report.code == 0
    assert time.monotonic() - start < 8


def test_nothing_is_left_behind(project: Project) -> None:
    """The web processes end with the app, also when it is killed."""
    project.page('report({ up: true }); await sleep(20000)', calls="'self'")
    for how in (signal.SIGTERM, signal.SIGKILL):
        process = project.start(limit=20)
        deadline = time.monotonic() + 8
        while not machine.web_processes(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        children = machine.descendants(process.pid)
        assert children
        process.send_signal(how)
        process.communicate(timeout=10)
        deadline = time.monotonic() + 8
        while (left := [pid for pid in children if is_alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [machine.name_of(pid) for pid in left] == []


def is_alive(pid: int) -> bool:
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_storage_is_kept_from_run_to_run_unless_it_is_not_wanted(project: Project) -> None:
    project.page(
        "report({ before: localStorage.kept ?? null }); localStorage.kept = 'yes'; await sleep(300); done()",
        calls="'self'",
    )
    assert project.run().page['before'] is None
    assert project.run().page['before'] == 'yes'
    project.ini('[webview]\nstorage = false')
    assert project.run().page['before'] is None


def test_a_script_of_ones_own_runs_an_app(project: Project) -> None:
    """``App.from_project`` beside a program, as in the README."""
    project.page("import { call } from 'socket:ipc'\nconsole.log('said', await call('hello.greet', { name: 'you' }))\n"
                 "await call('application.exit')", calls='ipc:')  # fmt: skip
    project.folder.joinpath('socket.ini').write_text(project._ini)
    program = project.folder / 'hello.py'
    program.write_text(
        'from socket_runtime import App\n'
        "app = App.from_project('.')\n"
        "@app.command('hello.greet')\n"
        'def greet(name: str) -> str:\n'
        "    return f'Hello, {name}'\n"
        'raise SystemExit(app.run())\n'
    )
    environment = {
        **os.environ, 'PYTHONPATH': str(ROOT / 'src'), 'HOME': str(project.home), 'XDG_RUNTIME_DIR': runtime_folder()
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, program], cwd=project.folder, env=environment, capture_output=True, text=True, timeout=15
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, 'said Hello, you\n', '')
    assert ORIGIN not in done.stdout
