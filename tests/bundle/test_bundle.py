"""A build, step by step."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from socket_runtime.app.config import load
from socket_runtime.build.bundle import Builder, bundle_paths, is_current
from socket_runtime.build.script import split_command
from socket_runtime.errors import ConfigError, PageError, ProjectError, UsageError

INI = '[meta]\nbundle_identifier = com.example.app\n[build]\nname = app\n'
PAGE = (
    '<!DOCTYPE html><html><head><meta http-equiv="Content-Security-Policy" '
    'content="default-src \'self\'; connect-src ipc://fs.readFile ipc://os.*"></head><body></body></html>'
)


class Recorder:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[str] = []
        self.warned: list[str] = []
        self.steps = 0

    def say(self, text: str) -> None:
        self.said.append(text)

    def show(self, text: str) -> None:
        self.shown.append(text)

    def warn(self, text: str) -> None:
        self.warned.append(text)

    @contextmanager
    def progress(self, _label: str, _total: int) -> Iterator[Recorder]:
        yield self

    def advance(self, amount: int = 1) -> None:
        self.steps += amount


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / 'project'
    (folder / 'src' / 'deep').mkdir(parents=True)
    (folder / 'src' / 'index.html').write_text(PAGE)
    (folder / 'src' / 'deep' / 'a.txt').write_text('a')
    write(folder)
    return folder


def write(folder: Path, more: str = '') -> None:
    (folder / 'socket.ini').write_text(INI + more)


def builder(folder: Path, *, debug: bool = True, need_page: bool = True) -> tuple[Builder, Recorder]:
    recorder = Recorder()
    return Builder(load(folder, debug=debug), 'linux', recorder, need_page=need_page, quiet=True), recorder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_what_is_in_a_bundle(project: Path) -> None:
    make, recorder = builder(project)
    built = make.build()
    root = project / 'build' / 'linux' / 'app-dev'
    assert built.paths.root == root
    files = tree(root)
    assert set(files) == {
        *('POLICY', 'app', 'manifest.json', 'policy.json', 'socket.ini'),
        *('resources/index.html', 'resources/deep/a.txt'),
    }
    assert files['resources/index.html'].decode() == PAGE  # as it is: the policy is written out when it is served
    assert files['socket.ini'].decode() == INI
    assert recorder.warned == []
    assert recorder.steps == 2
    assert built.files == 6
    assert built.size == sum(len(data) for name, data in files.items() if name != 'manifest.json')


def test_the_manifest(project: Path) -> None:
    root = builder(project)[0].build().paths.root
    manifest = json.loads((root / 'manifest.json').read_text())
    files = manifest.pop('files')
    assert manifest == {
        'format': 'socket-runtime-bundle/1',
        'name': 'app',
        'version': '1.0.0',
        'bundle_identifier': 'com.example.app',
        'platform': 'linux',
        'debug': True,
    }
    content = tree(root)
    del content['manifest.json']
    assert files == {
        name: {'size': len(data), 'sha256': hashlib.sha256(data).hexdigest()} for name, data in content.items()
    }


def test_strings_and_grep_show_what_pages_may_call(project: Path) -> None:
    paths = builder(project)[0].build().paths
    for path in (paths.policy_text, paths.policy_json, paths.launcher):
        text = path.read_text()
        assert 'ipc://fs.readFile' in text
        assert 'ipc://os.uptime' in text
        assert 'ipc://os.*' not in text


def test_a_built_app_is_loaded_as_one(project: Path) -> None:
    root = builder(project, debug=False)[0].build().paths.root
    assert root.name == 'app'
    config = load(root, debug=True)
    assert config.bundled
    assert not config.debug
    assert config.start_file.read_text() == PAGE
    with pytest.raises(UsageError, match='is a built app'):
        bundle_paths(config, 'linux')


def test_the_launcher_runs_the_app_wherever_it_is_moved(project: Path, tmp_path: Path) -> None:
    """With a stand-in for ``socket_runtime.app`` that says what it was started with."""
    root = builder(project)[0].build().paths.root
    moved = tmp_path / 'my apps' / "it's here"
    moved.parent.mkdir()
    root.rename(moved)
    package = tmp_path / 'lib' / 'socket_runtime' / 'app'
    package.mkdir(parents=True)
    (package.parent / '__init__.py').write_text('')
    (package / '__init__.py').write_text('')
    (package / '__main__.py').write_text('import sys; print(sys.argv[1:])')
    environment = {**os.environ, 'PYTHONPATH': str(tmp_path / 'lib')}
    result = subprocess.run(
        [moved / 'app', '--automation', 'x'], env=environment, capture_output=True, text=True, check=True, cwd='/'
    )
    assert result.stdout == f'{[str(moved)]}\n'  # and nothing of what it was called with (D2, D11)


def test_two_builds_of_one_tree_are_the_same(project: Path, tmp_path: Path) -> None:
    first = tree(builder(project)[0].build().paths.root)
    other = tmp_path / 'elsewhere'
    project.rename(other)
    assert tree(builder(other)[0].build().paths.root) == first  # E11


def test_an_old_build_is_emptied_first(project: Path) -> None:
    make, _ = builder(project)
    make.build()
    (make.paths.resources / 'old.txt').write_text('x')
    make.build()
    assert not (make.paths.resources / 'old.txt').exists()


def test_what_no_build_has_made_is_not_removed(project: Path) -> None:
    make, _ = builder(project)
    make.paths.root.mkdir(parents=True)
    (make.paths.root / 'thesis.txt').write_text('x')
    with pytest.raises(ProjectError, match=r"holds 'thesis\.txt'"):
        make.build()
    assert (make.paths.root / 'thesis.txt').read_text() == 'x'


def test_a_link_in_the_bundles_place_is_not_followed(project: Path, tmp_path: Path) -> None:
    make, _ = builder(project)
    victim = tmp_path / 'victim'
    victim.mkdir()
    make.paths.root.parent.mkdir(parents=True)
    make.paths.root.symlink_to(victim)
    with pytest.raises(ProjectError, match='is in the way'):
        make.build()
    assert list(victim.iterdir()) == []


def test_files_put_there_before_the_first_build_are_no_obstacle(project: Path) -> None:
    make, _ = builder(project)
    make.paths.resources.mkdir(parents=True)
    (make.paths.resources / 'x.js').write_text('x')
    make.build()


# -- what stops a build -----------------------------------------------------------------------------


def test_a_missing_page(project: Path) -> None:
    (project / 'src' / 'index.html').unlink()
    make, _ = builder(project)
    with pytest.raises(ProjectError, match=r'index\.html is missing') as raised:
        make.build()
    assert 'ssc init' in raised.value.hint
    assert not make.paths.manifest.exists()
    builder(project, need_page=False)[0].build()  # a development server has it


def test_a_page_by_its_short_name(project: Path) -> None:
    write(project, '[webview]\nroot = /deep/page\n')
    (project / 'src' / 'deep' / 'page.html').write_text(PAGE)
    builder(project)[0].build()


def test_an_output_that_cannot_be_written(project: Path) -> None:
    (project / 'build').write_text('a file')
    with pytest.raises(ProjectError, match='cannot build'):
        builder(project)[0].build()


def test_a_missing_folder(project: Path) -> None:
    write(project, 'copy = none\n')
    with pytest.raises(ProjectError, match='there is no folder'):
        builder(project)[0].build()


def test_a_policy_that_comes_too_late(project: Path) -> None:
    meta = PAGE.partition('<meta')[2].partition('>')[0]
    (project / 'src' / 'late.html').write_text(f'<head><script src="/a.js"></script>\n<meta{meta}></head>')  # A4
    make, _ = builder(project)
    with pytest.raises(PageError, match=r'late\.html:2: the policy stands after a script') as raised:
        make.build()
    assert raised.value.exit_code == 9
    assert raised.value.hint
    assert not make.paths.manifest.exists()


def test_many_errors_are_counted(project: Path) -> None:
    for number in range(15):
        (project / 'src' / f'{number:02}.html').write_text(
            '<body><meta http-equiv="Content-Security-Policy" content="x">'
        )
    with pytest.raises(PageError) as raised:
        builder(project)[0].build()
    assert raised.value.message.count('\n') == 10
    assert raised.value.message.endswith('and 5 more')


def test_warnings(project: Path) -> None:
    (project / 'src' / 'free.html').write_text('<p>')
    (project / 'src' / 'socket').mkdir()
    (project / 'src' / 'socket' / 'fs.js').write_text('')
    (project / 'src' / 'link').symlink_to('/etc/passwd')
    make, recorder = builder(project)
    built = make.build()
    assert len(recorder.warned) == 3
    assert any('free.html: the page has no policy' in text for text in recorder.warned)
    assert any('hidden by the runtime' in text for text in recorder.warned)
    assert 'not copied: link: a link' in recorder.warned
    assert built.skipped == ('link: a link',)
    assert not (make.paths.resources / 'link').exists()


# -- the script -------------------------------------------------------------------------------------


def script(project: Path, source: str, more: str = '') -> str:
    (project / 'build.py').write_text(source)
    command = f'{sys.executable} build.py "an argument"'
    write(project, f"script = '{command}'\n{more}")
    return command


def test_the_script_is_shown_and_runs_before_the_copy(project: Path) -> None:
    source = (
        'import os, sys, pathlib\n'
        'out = pathlib.Path(os.environ["PREFIX"])\n'
        'out.joinpath("made.txt").write_text(f"{sys.argv[1:]} {os.environ[\'DEV\']} {os.getcwd()}")\n'
        'out.joinpath("index.html").write_text("from the script")\n'
    )
    command = script(project, source, '[env]\nDEV = 1\n')
    make, recorder = builder(project)
    make.build()
    assert recorder.shown == [f'script: {command}']
    assert (make.paths.resources / 'made.txt').read_text() == f"['an argument'] 1 {project}"
    assert (make.paths.resources / 'index.html').read_text() == PAGE


def test_a_script_that_fails(project: Path) -> None:
    script(project, 'raise SystemExit(3)')
    with pytest.raises(ProjectError, match='ended with 3'):
        builder(project)[0].build()
    script(project, 'import os; os.kill(os.getpid(), 9)')
    with pytest.raises(ProjectError, match='ended by signal 9'):
        builder(project)[0].build()


def test_a_script_that_does_not_start(project: Path) -> None:
    write(project, 'script = no-such-program\n')
    with pytest.raises(ProjectError, match='does not start: no-such-program'):
        builder(project)[0].build()


def test_no_shell_looks_at_the_script(project: Path) -> None:
    """E9: what stands in ``socket.ini`` is one program and its arguments."""
    marker = project / 'marker'
    write(project, f"script = 'true && touch {marker}'\n")
    with pytest.raises(ConfigError, match='runs without a shell'):
        builder(project)[0].build()
    write(project, f"script = 'true $(touch {marker}) `touch {marker}`'\n")
    builder(project)[0].build()
    assert not marker.exists()


def test_commands_are_split_by_quotes() -> None:
    assert split_command('node "a b.js" --x=\'1 2\'') == ['node', 'a b.js', '--x=1 2']
    assert split_command('') == []
    with pytest.raises(ConfigError, match='No closing quotation'):
        split_command('node "a')
    for text in ('a && b', 'a | b', 'a > b', 'a; b', 'a & b'):
        with pytest.raises(ConfigError, match='without a shell'):
            split_command(text)


# -- again ------------------------------------------------------------------------------------------


def test_building_again_over_a_running_app(project: Path) -> None:
    make, _ = builder(project)
    make.build()
    resources = make.paths.resources
    untouched = (resources / 'index.html').stat().st_mtime_ns
    (project / 'src' / 'deep' / 'a.txt').unlink()
    (project / 'src' / 'b.txt').write_text('b')
    (resources / 'by-hand.txt').write_text('x')
    make.rebuild()
    assert sorted(tree(resources)) == ['b.txt', 'by-hand.txt', 'index.html']
    assert (resources / 'index.html').stat().st_mtime_ns == untouched
    (project / 'src' / 'b.txt').write_text('c')
    make.rebuild()
    assert (resources / 'b.txt').read_text() == 'c'
    assert load(make.paths.root, debug=True).bundled


def test_is_it_current(project: Path) -> None:
    write(project, '[python]\nmain = main.py\n')
    (project / 'main.py').write_text('')
    make, _ = builder(project)
    config = load(project, debug=True)
    assert not is_current(config, make.paths)
    make.build()
    assert is_current(config, make.paths)
    later = make.paths.manifest.stat().st_mtime_ns + 10**9
    for name in ('socket.ini', 'src/deep/a.txt', 'src/deep', 'src', 'main.py'):
        before = (project / name).stat()
        os.utime(project / name, ns=(later, later))
        assert not is_current(config, make.paths), name
        os.utime(project / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert is_current(config, make.paths)


def test_a_python_program_comes_along(project: Path) -> None:
    write(project, '[python]\nmain = app/main.py\ninclude[] = app/lib\n')
    (project / 'app' / 'lib').mkdir(parents=True)
    (project / 'app' / 'main.py').write_text('')
    (project / 'app' / 'lib' / 'x.py').write_text('')
    (project / 'app' / 'lib' / '__pycache__').mkdir()
    root = builder(project)[0].build().paths.root
    assert sorted(tree(root / 'python')) == ['app/lib/x.py', 'app/main.py']
    config = load(root, debug=True)
    assert config.python.main == root / 'python' / 'app' / 'main.py'
    assert config.python.main.is_file()
    assert not (root / 'resources' / 'app').exists()  # pages do not read the program
