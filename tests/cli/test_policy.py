"""``ssc policy``."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_project(ssc: Any, project: Path) -> None:
    result = ssc('policy', project)
    assert (result.code, result.err) == (0, '')
    lines = result.out.splitlines()
    assert lines[0] == 'hello 1.0.0 (socket://com.example.hello)'
    assert 'page index.html' in lines
    assert '  calls   ipc://fs.readFile  needs fs.read' in lines
    assert lines[-1] == '  fs.read[] = $RESOURCES/**'


def test_a_built_app_and_its_launcher(ssc: Any, project: Path) -> None:
    ssc('build', project)
    root = project / 'build' / 'linux' / 'hello-dev'
    expected = ssc('policy', project).out
    assert ssc('policy', root).out == expected
    assert ssc('policy', root / 'hello').out == expected
    assert (root / 'POLICY').read_text() == expected


def test_json(ssc: Any, project: Path) -> None:
    answer = ssc('policy', '--json', project).json
    assert answer['ok']
    assert answer['data']['origin'] == 'socket://com.example.hello'
    (page,) = answer['data']['pages']
    assert [call['url'] for call in page['calls']] == ['ipc://fs.readFile', 'ipc://os.info']
    assert answer['data']['grants'] == {'fs.read': ['$RESOURCES/**']}


def test_what_does_not_work_as_written(ssc: Any, project: Path) -> None:
    page = project / 'src' / 'index.html'
    page.write_text(page.read_text().replace('ipc://os.info', 'ipc://fs.writeFile ipc://os.ifno'))
    result = ssc('policy', project)
    assert result.code == 0
    assert '  calls   ipc://fs.writeFile  needs fs.write, which is NOT granted' in result.out
    assert 'warning: index.html: the policy allows fs.writeFile, which socket.ini does not grant' in result.out
    assert '  calls   ipc://os.ifno       unknown command' in result.out
    page.write_text('<body><meta http-equiv="Content-Security-Policy" content="connect-src ipc:">')
    result = ssc('policy', project)
    assert result.code == 9
    assert 'error: index.html:1: a policy in the body has no effect' in result.out
    assert not ssc('policy', '--json', project).json['ok']


def test_nothing_of_the_app_runs(ssc: Any, project: Path) -> None:
    marker = project / 'marker'
    with (project / 'socket.ini').open('a') as file:
        file.write('[python]\nmain = main.py\n')
    (project / 'main.py').write_text(f'open({str(marker)!r}, "w")\napp.command("notes.list")(print)\n')
    ini = project / 'socket.ini'
    ini.write_text(ini.read_text().replace('; script = "node build.js"', f'script = "touch {marker}"'))
    page = project / 'src' / 'index.html'
    page.write_text(page.read_text().replace('ipc://os.info', 'ipc://notes.*'))
    result = ssc('policy', project)
    assert result.code == 0
    assert 'ipc://notes.list' in result.out
    assert not marker.exists()  # E9


def test_bad_input(ssc: Any, tmp_path: Path) -> None:
    assert ssc('policy', tmp_path / 'none').code == 4
    assert ssc('policy', tmp_path).code == 4
