"""``ssc doctor``, on this machine and on one that lacks things."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from socket_runtime.cli import doctor
from socket_runtime.errors import IncompatibleError

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='the parts that are looked for are those of Linux')

NEEDED = {'Python', 'msgspec', 'pywebview', 'PyGObject', 'Gtk', 'WebKit2', 'bwrap', 'xdg-dbus-proxy', 'display'}


def by_name() -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.checks()}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No display, and no program in PATH but a package manager."""
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    monkeypatch.setattr(doctor.shutil, 'which', {'apt-get': '/usr/bin/apt-get'}.get)


@pytest.mark.timeout(60)
def test_every_check_says_what_it_found() -> None:
    checks = by_name()
    assert {name for name, check in checks.items() if check.needed} <= NEEDED
    for check in checks.values():
        assert check.found
        if not check.ok:
            assert check.fix or check.package or not check.needed


@pytest.mark.timeout(60)
def test_the_exit_code_is_the_answer(ssc: Any) -> None:
    result = ssc('doctor', '--json')
    answer = result.json
    able = all(check['ok'] for check in answer['data']['checks'] if check['needed'])
    assert answer['data']['able'] is able
    assert result.code == answer['exit_code'] == (0 if able else 7)
    assert ('apps can run here' in ssc('doctor').out) is able


@pytest.mark.usefixtures('bare')
@pytest.mark.timeout(60)
def test_what_is_missing_and_how_to_get_it(ssc: Any) -> None:
    result = ssc('doctor')
    assert result.code == 7
    assert 'apps can NOT run here yet' in result.out
    (line,) = [line for line in result.out.splitlines() if line.startswith('To get what is missing:')]
    assert 'apt-get install ' in line
    for package in ('bubblewrap', 'xdg-dbus-proxy', 'xvfb', 'webkit2gtk-driver'):
        assert package in line
    assert 'MISSING display' in result.out
    assert 'neither DISPLAY nor WAYLAND_DISPLAY is set' in result.out
    answer = ssc('doctor', '--json').json
    assert answer['data']['install'] == line.partition(':')[2].strip()


@pytest.mark.usefixtures('bare')
def test_a_display_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('DISPLAY', ':9876')
    monkeypatch.setattr(doctor, '_display_opens', lambda: False)
    check = doctor._display()
    assert not check.ok
    assert check.found == 'DISPLAY=:9876: cannot be opened'
    monkeypatch.setattr(doctor.shutil, 'which', lambda name: f'/usr/bin/{name}')
    assert doctor._display().ok  # --headless makes one
    monkeypatch.setattr(doctor, '_display_opens', lambda: True)
    assert doctor._display().found == 'DISPLAY=:9876'


def test_without_pygobject(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'gi', None)
    (check,) = doctor._webkitgtk()
    assert (check.name, check.ok, check.needed) == ('PyGObject', False, True)
    assert "pip install 'socket-runtime[gtk]'" in check.fix


def test_without_webkitgtk(monkeypatch: pytest.MonkeyPatch) -> None:
    repository = SimpleNamespace(enumerate_versions=lambda _name: ['4.0'])
    gi = SimpleNamespace(
        version_info=(3, 50, 1),
        __version__='3.50.1',
        Repository=SimpleNamespace(get_default=lambda: repository),
    )
    monkeypatch.setitem(sys.modules, 'gi', gi)  # type: ignore[arg-type]
    monkeypatch.setattr(doctor.shutil, 'which', lambda name: name if name == 'apt-get' else None)
    heavy, gtk, webkit = doctor._webkitgtk()
    assert heavy.found == '3.50.1, 3.50 and later cost 8.5 MB more'
    assert (gtk.ok, gtk.found, gtk.package) == (False, 'has 4.0, not 3.0', 'gir1.2-gtk-3.0')
    assert (webkit.ok, webkit.package) == (False, 'gir1.2-webkit2-4.1')
    repository.enumerate_versions = lambda _name: []
    assert [check.found for check in doctor._webkitgtk()][1:] == ['missing', 'missing']


def test_a_pywebview_that_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(_platform: str) -> Any:
        raise IncompatibleError('pywebview changed: webview.start is gone', hint='...')

    monkeypatch.setattr('socket_runtime.host._seam.import_pywebview', changed)
    check = doctor._pywebview()
    assert not check.ok
    assert 'is gone' in check.found
    assert 'pip install' in check.fix


def test_without_pywebview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, 'find_spec', lambda _name: None)
    assert not doctor._pywebview().ok
    assert doctor._module('msgspec', 'fix').to_dict() == {
        'name': 'msgspec',
        'ok': False,
        'found': 'missing',
        'needed': True,
        'fix': 'fix',
        'package': '',
        'use': '',
    }


def test_packages_are_named_for_managers_that_are_known() -> None:
    assert set(doctor._INSTALL) >= {manager for names in doctor._PACKAGES.values() for manager in names}


def test_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    doctor._python()
    doctor._display()
    list(doctor._tools())
    assert list(tmp_path.iterdir()) == []
