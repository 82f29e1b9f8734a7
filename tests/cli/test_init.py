"""``ssc init``, and the template that it writes."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import pytest

from socket_runtime.app.config import load
from socket_runtime.app.config.schema import KEYS
from socket_runtime.build.report import make_report
from socket_runtime.ipc.csp import parse_policies

FILES = {'.gitignore', 'README.md', 'socket.ini', 'src/icon.png', 'src/index.css', 'src/index.html', 'src/index.js'}


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}


def test_a_new_folder(ssc: Any, tmp_path: Path) -> None:
    result = ssc('init', tmp_path / 'deep' / 'hello')
    assert result.code == 0
    assert files(tmp_path / 'deep' / 'hello') == FILES
    config = load(tmp_path / 'deep' / 'hello', debug=True)
    assert (config.name, config.title, config.bundle_identifier) == ('hello', 'hello', 'com.example.hello')
    assert config.notices == ()
    assert result.out.endswith('ssc build -r\n')


def test_the_folder_that_one_stands_in(ssc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / 'My App (2)'
    (folder / '.git').mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert ssc('init').code == 0
    assert load(folder, debug=True).name == 'My-App-2'


def test_a_name_of_ones_own(ssc: Any, tmp_path: Path) -> None:
    assert ssc('init', '-n', 'Other.App', tmp_path / 'x').code == 0
    config = load(tmp_path / 'x', debug=True)
    assert (config.name, config.bundle_identifier) == ('Other.App', 'com.example.other-app')


@pytest.mark.parametrize('name', ['two words', '../x', '"', '', '{{name}}', 'a\nb = c'])
def test_names_that_no_app_can_have(ssc: Any, tmp_path: Path, name: str) -> None:
    result = ssc('init', '--name', name, tmp_path / 'x')
    assert result.code == 2
    assert not (tmp_path / 'x').exists()


def test_only_an_empty_folder(ssc: Any, project: Path) -> None:
    before = (project / 'socket.ini').read_bytes()
    result = ssc('init', project)
    assert result.code == 4
    assert 'is not empty' in result.err
    assert (project / 'socket.ini').read_bytes() == before
    assert ssc('init', project / 'socket.ini').code == 4


def test_the_config_only(ssc: Any, tmp_path: Path) -> None:
    (tmp_path / 'page.html').write_text('')
    assert ssc('init', '--config', '-n', 'hello', tmp_path).code == 0
    assert files(tmp_path) == {'page.html', 'socket.ini'}
    assert ssc('init', '--config', tmp_path).code == 4


def test_json(ssc: Any, tmp_path: Path) -> None:
    answer = ssc('init', '--json', tmp_path / 'x').json
    assert answer['ok']
    assert answer['data'] == {'name': 'x', 'folder': str(tmp_path / 'x'), 'files': sorted(FILES)}


def test_a_folder_that_cannot_be_written(ssc: Any) -> None:
    assert ssc('init', '/proc/hello').code == 4


# -- the template -----------------------------------------------------------------------------------


def test_nothing_is_left_to_fill_in(project: Path) -> None:
    for name in FILES - {'src/icon.png'}:
        assert '{{' not in (project / name).read_text()


def test_the_pages_policy_is_strict_and_enough(project: Path) -> None:
    html = (project / 'src' / 'index.html').read_text()
    (content,) = re.findall(r'http-equiv="Content-Security-Policy"\s+content="([^"]*)"', html)
    assert 'unsafe' not in content  # A15
    (policy,) = parse_policies(content)
    assert policy.directives['default-src'] == ("'self'", 'socket:')
    (page,) = make_report(load(project, debug=True)).pages
    assert [call.name for call in page.calls] == ['fs.readFile', 'os.info']
    assert page.lints == ()
    assert not re.search(r'\son\w+=|<style|javascript:', html)


def test_the_icon_is_a_picture_of_256_pixels(project: Path) -> None:
    data = (project / 'src' / 'icon.png').read_bytes()
    assert data[:8] == b'\x89PNG\r\n\x1a\n'
    assert struct.unpack('>II', data[16:24]) == (256, 256)
    assert len(data) < 20_000


def test_the_keys_that_are_commented_out_exist(project: Path) -> None:
    known = {key.name for key in KEYS} | {'fs.write[]'}
    commented = re.findall(r'^; ([\w.\[\]]+) = ', (project / 'socket.ini').read_text(), re.MULTILINE)
    assert set(commented) <= known
    assert len(commented) > 3


def test_with_all_comments_taken_away_it_still_loads(project: Path) -> None:
    text = (project / 'socket.ini').read_text()
    (project / 'socket.ini').write_text(re.sub(r'^; ([\w.\[\]]+ = )', r'\1', text, flags=re.MULTILINE))
    config = load(project, debug=True)
    assert config.grant_table().has('fs.write')
