"""What an app may do, read without running it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from socket_runtime.app.config import Config, load
from socket_runtime.build.programs import program_commands, program_files
from socket_runtime.build.report import known_commands, make_report
from socket_runtime.errors import ProjectError

INI = '[meta]\nbundle_identifier = com.example.app\n[build]\nname = app\n'
PAGE = (
    '<!DOCTYPE html><html><head><meta http-equiv="Content-Security-Policy" content="{policy}"></head>'
    '<body>{body}</body></html>'
)


def make(folder: Path, policy: str | None, more: str = '', body: str = '', **files: str) -> Config:
    (folder / 'src').mkdir()
    (folder / 'socket.ini').write_text(INI + more)
    page = '<h1>hello</h1>' if policy is None else PAGE.format(policy=policy, body=body)
    (folder / 'src' / 'index.html').write_text(page)
    for name, text in files.items():
        (folder / name.replace('__', '/').replace('_', '.')).write_text(text)
    return load(folder, debug=True)


def test_a_page_and_its_calls(tmp_path: Path) -> None:
    config = make(tmp_path, "default-src 'self'; connect-src ipc://fs.readFile ipc://OS.info")
    (page,) = make_report(config).pages
    assert page.path == 'index.html'
    assert [(call.name, call.grant, call.granted, call.known) for call in page.calls] == [
        ('fs.readFile', 'fs.read', True, True),
        ('os.info', '', True, True),
    ]
    assert not page.everything
    assert page.lints == ()


def test_patterns_are_written_out(tmp_path: Path) -> None:
    (page,) = make_report(make(tmp_path, 'connect-src ipc://os.*')).pages
    names = [call.name for call in page.calls]
    assert names == sorted(
        (name for name in known_commands(load(tmp_path, debug=True)) if name.startswith('os.')), key=str.lower
    )
    assert len(names) > 3
    assert 'ipc://os.*' not in page.policies[0]
    assert 'ipc://os.uptime' in page.policies[0]


def test_no_policy_allows_nothing(tmp_path: Path) -> None:
    report = make_report(make(tmp_path, None))
    assert report.pages[0].calls == ()
    assert report.pages[0].policies == ()
    assert [lint.error for lint in report.pages[0].lints] == [False]
    assert 'has no policy' in report.pages[0].lints[0].message
    assert '  calls   nothing' in list(report.lines())


def test_everything(tmp_path: Path) -> None:
    (page,) = make_report(make(tmp_path, 'connect-src ipc:')).pages
    assert page.everything
    assert {'fs.writeFile', 'process.spawn'} <= {call.name for call in page.calls}
    assert {call.name for call in page.calls if not call.granted} >= {'fs.writeFile', 'process.spawn'}


def test_the_policy_of_socket_ini_narrows(tmp_path: Path) -> None:
    more = '[webview]\nheaders[] = "Content-Security-Policy: connect-src ipc://os.info"\n'
    (page,) = make_report(make(tmp_path, 'connect-src ipc://os.*', more)).pages
    assert [call.name for call in page.calls] == ['os.info']
    assert len(page.policies) == 2


def test_a_command_that_is_allowed_and_not_granted(tmp_path: Path) -> None:
    (page,) = make_report(make(tmp_path, 'connect-src ipc://fs.writeFile')).pages
    (lint,) = page.lints
    assert not lint.error
    assert 'fs.writeFile' in lint.message
    assert lint.hint == 'Add [grants] fs.write[] = $DATA/**'


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    (page,) = make_report(make(tmp_path, 'connect-src ipc://fs.readFiel')).pages
    assert [(call.name, call.known) for call in page.calls] == [('fs.readFiel', False)]
    assert 'fs.readFile' in page.lints[0].hint


@pytest.mark.parametrize(
    ('page', 'message'),
    [
        (
            '<script src="a.js"></script><meta http-equiv="Content-Security-Policy" content="connect-src ipc:">',
            'after a script',
        ),
        ('<body><meta http-equiv="Content-Security-Policy" content="connect-src ipc:">', 'in the body'),
    ],
)
def test_a_policy_in_the_wrong_place_is_an_error(tmp_path: Path, page: str, message: str) -> None:
    config = make(tmp_path, None)
    (config.resources / 'index.html').write_text(page)  # A4
    (found,) = make_report(config).errors
    assert message in found[1].message


def test_a_policy_that_forbids_the_pages_own_modules(tmp_path: Path) -> None:
    body = '<script type="module" src="./lib/index.js?v=1"></script>'
    config = make(tmp_path, "default-src 'self'; connect-src ipc://fs.readFile", body=body)
    (config.resources / 'lib').mkdir()
    (config.resources / 'lib' / 'index.js').write_text('import { read } from "../read.js"\n')
    (config.resources / 'read.js').write_text("import'/loop.js'\nexport{a}from'socket:fs/promises'")
    (config.resources / 'loop.js').write_text(
        "import '../../../../etc/passwd'\nimport './loop.js'\nimport 'https://x/y.js'\n"
    )
    ((page, lint),) = make_report(config).errors
    assert page.path == 'index.html'
    assert 'socket:fs/promises' in lint.message
    assert 'socket:' in lint.hint


def test_several_pages_in_order(tmp_path: Path) -> None:
    config = make(tmp_path, 'connect-src ipc://os.info')
    (config.resources / 'a').mkdir()
    (config.resources / 'a' / 'B.HTM').write_text('<p>')
    (config.resources / 'a.txt').write_text('<p>')
    assert [page.path for page in make_report(config).pages] == ['a/B.HTM', 'index.html']


def test_the_report_is_the_same_wherever_the_app_stands(tmp_path: Path) -> None:
    texts = []
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        report = make_report(make(tmp_path / name, 'connect-src ipc://fs.*'))
        texts.append((report.to_json(), '\n'.join(report.lines())))
        assert json.loads(report.to_json())['origin'] == 'socket://com.example.app'
    assert texts[0] == texts[1]
    assert str(tmp_path) not in texts[0][0]


def test_every_command_is_a_line_that_grep_finds(tmp_path: Path) -> None:
    report = make_report(make(tmp_path, 'connect-src ipc://fs.readFile ipc://os.*'))
    lines = [line for line in report.lines() if line.startswith('  calls')]
    assert len(lines) == len(report.pages[0].calls)
    assert all(f'ipc://{call.name}' in line for call, line in zip(report.pages[0].calls, lines, strict=True))


# -- commands of the app's own program --------------------------------------------------------------

PROGRAM = """
from socket_runtime import App
app = App()
NAME = 'notes.computed'

@app.command('notes.list')
def notes(): ...

@app.command(name='notes.save', grant='notes.write')
async def save(): ...

@app.command(NAME)
def computed(): ...

raise SystemExit('nobody runs me')
"""


def test_commands_are_read_from_the_programs_text(tmp_path: Path) -> None:
    config = make(
        tmp_path, 'connect-src ipc://notes.*', '[python]\nmain = main.py\ninclude[] = more\n', main_py=PROGRAM
    )
    (tmp_path / 'more').mkdir()
    (tmp_path / 'more' / 'x.py').write_text("app.command('more.x')(print)")
    (tmp_path / 'more' / 'broken.py').write_text('def (')
    (tmp_path / 'more' / 'zero.py').write_bytes(b'\0')
    assert program_commands(config) == {'notes.list': None, 'notes.save': 'notes.write', 'more.x': None}
    assert [name for _, name in program_files(config)] == ['main.py', 'more/broken.py', 'more/x.py', 'more/zero.py']
    report = make_report(config)
    assert [(call.name, call.grant, call.granted) for call in report.pages[0].calls] == [
        ('notes.list', '', True),
        ('notes.save', 'notes.write', False),
    ]
    assert report.program == 'main.py'
    assert 'main.py' in list(report.lines())[1]


def test_the_programs_own_grants_are_believed(tmp_path: Path) -> None:
    more = '[python]\nmain = main.py\n[grants]\nnotes.write = true\n'
    report = make_report(make(tmp_path, 'connect-src ipc://notes.*', more, main_py=PROGRAM))
    assert {call.name: call.granted for call in report.pages[0].calls} == {'notes.list': True, 'notes.save': True}


def test_a_program_that_is_missing(tmp_path: Path) -> None:
    config = make(tmp_path, None, '[python]\nmain = main.py\n')
    with pytest.raises(ProjectError, match=r'main\.py is missing'):
        make_report(config)


def test_the_commands_are_those_of_a_running_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from socket_runtime import App
    from socket_runtime.app.wiring import service_commands

    for name in ('XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'TMPDIR'):
        monkeypatch.setenv(name, str(tmp_path / 'home'))
    config = make(tmp_path, None)
    (tmp_path / 'home').mkdir()
    known = known_commands(config)
    assert list((tmp_path / 'home').iterdir()) == []  # looking changes nothing
    rows = service_commands(App(config)).commands
    assert known == {row.name: (row.grant, row.help) for row in rows}
