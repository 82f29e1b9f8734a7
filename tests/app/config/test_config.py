"""From values to ``Config``: paths, the origin, grants, bundles, and apps without a file."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from socket_runtime.app.config import (
    BUNDLE_FORMAT,
    Config,
    RunOptions,
    Size,
    current,
    current_options,
    for_script,
    load,
    set_current,
)
from socket_runtime.app.config.config import default_identifier
from socket_runtime.app.config.values import is_bundle_identifier, is_name
from socket_runtime.errors import ConfigError, ProjectError, UsageError

LEAST = '[meta]\nbundle_identifier = com.Example.App\n[build]\nname = hello\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, more: str = '') -> None:
    (folder / 'socket.ini').write_text(LEAST + more)


def test_the_least(project: Path) -> None:
    config = load(project, debug=True)
    assert config.origin == 'socket://com.example.app'
    assert config.start_url == 'socket://com.example.app/'
    assert config.start_file == project / 'src' / 'index.html'
    assert config.resources == config.build.copy == project / 'src'
    assert (config.name, config.title, config.program_name) == ('hello', 'hello', 'hello-dev')
    assert load(project, debug=False).program_name == 'hello'
    assert config.file == project / 'socket.ini'
    assert not config.bundled
    assert config.notices == ()


def test_it_is_frozen(project: Path) -> None:
    config = load(project, debug=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.name = 'other'  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.grants['fs.read'] = True  # type: ignore[index]


def test_everything(project: Path) -> None:
    write(
        project,
        'copy = pages\noutput = out\nscript = make it\nheadless = true\nenv = HOME\n[env]\nDEV = 1\n'
        '[build.watch]\nsources[] = lib\n'
        '[webview]\nroot = /app/\ndefault_index = main.html\nheaders[] = X-A: b\nsandbox = false\nstorage = false\n'
        'headers[] = "content-security-policy: default-src \'self\'; img-src *"\ntimeout = 2.5\nwatch = true\n'
        '[.watch]\nreload = false\n'
        '[window]\nwidth = 50%\nframeless = true\nbackground_color_dark = #000\n[python]\nmain = app/main.py\n',
    )
    config = load(project, debug=True)
    build, webview, window = config.build, config.webview, config.window
    assert (build.copy, build.output, build.script) == (project / 'pages', project / 'out', 'make it')
    assert (build.headless, build.env, dict(build.variables)) == (True, ('HOME',), {'DEV': '1'})
    assert build.watch == (project / 'lib',)
    assert webview.headers == (('X-A', 'b'),)
    assert webview.policies == ("default-src 'self'; img-src *",)
    assert (webview.sandbox, webview.storage, webview.watch, webview.reload) == (False, False, True, False)
    assert webview.timeout == 2.5
    assert (window.width, window.frameless, window.background_dark) == (Size(50, percent=True), True, '#000000')
    assert window.background == '#FFFFFF'
    assert config.start_url == 'socket://com.example.app/app/'
    assert config.start_file == project / 'pages' / 'app' / 'main.html'
    assert config.python.main == project / 'app' / 'main.py'


def test_a_root_that_is_a_file(project: Path) -> None:
    write(project, '[webview]\nroot = /admin.html\n')
    assert load(project, debug=True).start_file == project / 'src' / 'admin.html'


def test_missing_folder_and_file(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match='there is no folder'):
        load(tmp_path / 'none', debug=True)
    with pytest.raises(ProjectError, match=r'there is no socket\.ini') as raised:
        load(tmp_path, debug=True)
    assert 'ssc init' in raised.value.hint


@pytest.mark.parametrize(
    'lines',
    ['copy = .\n', 'output = .\n', 'copy = a\noutput = a\n', 'copy = a\noutput = a/b\n', 'copy = a/b\noutput = a\n'],
)
def test_a_build_never_empties_what_is_the_authors(project: Path, lines: str) -> None:
    write(project, lines)
    with pytest.raises(ConfigError, match='must be two folders'):
        load(project, debug=True)


def test_errors_are_short_to_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, 'nonsense\n')
    monkeypatch.chdir(project)
    with pytest.raises(ConfigError) as raised:
        load('.', debug=True)
    assert str(raised.value).startswith("socket.ini:5: expected key = value, found 'nonsense'")


# -- overrides --------------------------------------------------------------------------------------


def test_overrides_replace_what_the_file_says(project: Path) -> None:
    write(project, '[window]\nwidth = 1\n[grants]\nfs.read[] = $DATA/**\nfs.read[] = $TMP/**\n')
    overrides = ('window.width=900', 'webview.hardware_acceleration=off', 'grants.fs.read[]=$CACHE/**')
    config = load(project, debug=True, overrides=overrides)
    assert config.window.width == Size(900)
    assert config.webview.hardware_acceleration == 'off'
    assert config.grants == {'fs.read': ('$CACHE/**',)}


def test_wrong_overrides(project: Path) -> None:
    for text in ('width=1', 'window.width', '=x'):
        with pytest.raises(UsageError, match='is no override'):
            load(project, debug=True, overrides=[text])
    with pytest.raises(ConfigError) as raised:
        load(project, debug=True, overrides=['window.widht=1'])
    assert (raised.value.file, raised.value.hint) == ('override', 'Did you mean width?')


# -- grants -----------------------------------------------------------------------------------------


def test_grants(project: Path) -> None:
    write(project, '[grants]\nfs.read[] = $DATA/**\nfs.read[] = $TMP/a#b\nfs.write[] =\n'.replace('a#b', 'ab'))
    write(project, '[grants]\nfs.read[] = $DATA/**\nfs.read[] = "$TMP/a#b"\nfs.write[] =\nwindow.manage = true\n')
    config = load(project, debug=True)
    assert config.grants == {'fs.read': ('$DATA/**', '$TMP/a#b'), 'fs.write': (), 'window.manage': True}
    assert config.grant_lines == {'fs.read': 6, 'fs.write': 8, 'window.manage': 9}
    table = config.grant_table()
    assert table.patterns('fs.read') == ('$DATA/**', '$TMP/a#b')
    assert table.has('window.manage')
    assert not table.has('fs.write')


def test_without_grants_pages_read_the_apps_files_only(project: Path) -> None:
    table = load(project, debug=True).grant_table()
    assert table.patterns('fs.read') == ('$RESOURCES/**',)
    assert [name for name, value in table.items() if value] == ['fs.read']


@pytest.mark.parametrize(
    ('lines', 'message', 'line'),
    [
        ('fs.raed[] = $DATA/**', "there is no grant 'fs.raed'", 6),
        ('window.manage[] = yes', 'true or false', 6),
        ('fs.write[] = $RESOURCES/**', 'never writable', 6),
        ('fs.read = $DATA/**', 'is a list', 6),
        ('fs.read = true', 'true would be everything', 6),
        ('fs.read = false\nfs.read[] = $DATA/**', 'set twice', 7),
        ('shell.open[] = "javascript:"', 'no scheme that may be opened', 6),
    ],
)
def test_wrong_grants(project: Path, lines: str, message: str, line: int) -> None:
    write(project, f'[grants]\n{lines}\n')
    with pytest.raises(ConfigError, match=message) as raised:
        load(project, debug=True)
    assert raised.value.line == line


def test_a_program_may_define_grants_of_its_own(project: Path) -> None:
    from socket_runtime.ipc.grants import GrantInfo

    write(project, '[grants]\nnotes.write = true\n[python]\nmain = main.py\n')
    config = load(project, debug=True)
    assert config.grant_table({'notes.write': GrantInfo('flag', 'write notes')}).has('notes.write')
    with pytest.raises(ConfigError, match='there is no grant'):
        config.grant_table()
    write(project, '[grants]\nfs.write[] = $RESOURCES/**\n[python]\nmain = main.py\n')
    with pytest.raises(ConfigError, match='never writable'):  # the known ones are checked all the same
        load(project, debug=True)


# -- bundles ----------------------------------------------------------------------------------------


def manifest(folder: Path, **values: object) -> None:
    (folder / 'manifest.json').write_text(json.dumps({'format': BUNDLE_FORMAT, **values}))


def test_a_bundle_knows_what_it_was_built_for(project: Path) -> None:
    write(project, '[python]\nmain = app/main.py\n')
    manifest(project, debug=False)
    config = load(project, debug=True)
    assert config.bundled
    assert not config.debug  # whoever runs it cannot turn the inspector on (D11)
    assert config.resources == project / 'resources'
    assert config.python.main == project / 'python' / 'app' / 'main.py'
    manifest(project, debug=True)
    assert load(project, debug=False).debug


def test_somebody_elses_manifest_is_none_of_ours(project: Path) -> None:
    for text in ('{"manifest_version": 3}', '[]', 'nonsense', '[' * 100_000, '"x"'):
        (project / 'manifest.json').write_text(text)
        assert not load(project, debug=True).bundled


def test_a_bundle_of_another_format(project: Path) -> None:
    manifest(project, format='socket-runtime-bundle/2')
    with pytest.raises(ProjectError, match='this version reads'):
        load(project, debug=True)


# -- apps without a file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('path', 'name', 'identifier'),
    [
        ('/x/notes.py', 'notes', 'com.example.notes'),
        ('/x/My Notes!.py', 'My-Notes', 'com.example.my-notes'),
        ('/x/package/__main__.py', 'package', 'com.example.package'),
        ('/x/2048.py', '2048', 'com.example.app-2048'),
        ('/x/été.py', 't', 'com.example.t'),
        ('/x/___.py', 'app', 'com.example.app'),
        ('/x/xn--a.py', 'xn-a', 'com.example.xn-a'),
        ('/x/' + 'long' * 40 + '.py', ('long' * 16), 'com.example.' + ('long' * 16)[:63]),
    ],
)
def test_a_script_names_its_app(path: str, name: str, identifier: str) -> None:
    config = for_script(Path(path))
    assert (config.name, config.bundle_identifier) == (name, identifier)
    assert is_name(config.name)
    assert is_bundle_identifier(config.bundle_identifier)
    assert config.resources == Path(path).parent / 'src'
    assert config.file is None
    assert config.debug
    assert config == Config.for_script(path)


@pytest.mark.parametrize('name', ['a', 'A.B', '-', '..', 'xn--x', '9', 'x' * 200, 'é'])
def test_default_identifiers_are_identifiers(name: str) -> None:
    assert is_bundle_identifier(default_identifier(name))


# -- the current config -----------------------------------------------------------------------------


def test_what_the_command_line_hands_to_a_program(project: Path) -> None:
    assert current() is None
    assert current_options() == RunOptions()
    config = load(project, debug=True)
    options = RunOptions(headless=True, dev_server=('localhost', 8000))
    set_current(config, options)
    try:
        assert current() is config
        assert current_options() is options
    finally:
        set_current(None)
    assert current() is None
    assert current_options() == RunOptions()


def test_reading_a_config_imports_little(project: Path) -> None:
    heavy = ('argparse', 'asyncio', 'difflib', 'hashlib', 'http.client', 'msgspec', 'ssl', 'subprocess')
    code = (
        f'import sys; from socket_runtime.app.config import load; load({str(project)!r}, debug=True)\n'
        f'print([name for name in {heavy} if name in sys.modules])'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == '[]'
