"""Where `setup.py` looks for libuv, and what it says when there is none."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.skips import skip_loudly


@pytest.fixture(scope='module')
def setup_py(root: Path) -> ModuleType:
    """``setup.py``, as a module: nothing is built by importing it."""
    if importlib.util.find_spec('setuptools') is None:
        skip_loudly('setuptools is missing', "pip install -e '.[dev]'")
    spec = importlib.util.spec_from_file_location('setup_py', root / 'setup.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def install(folder: Path, library: str, version: str = '1.50') -> Path:
    """A libuv as it is after `make install`, without anything in it."""
    major, minor = version.split('.')
    (folder / 'include' / 'uv').mkdir(parents=True)
    header = f'#define UV_VERSION_MAJOR {major}\n#define UV_VERSION_MINOR {minor}\n#define UV_VERSION_PATCH 7\n'
    (folder / 'include' / 'uv' / 'version.h').write_text(header)
    (folder / library).parent.mkdir(exist_ok=True)
    (folder / library).touch()
    return folder


def pkg_config(folder: Path, body: str) -> dict[str, str]:
    """The environment of a machine whose pkg-config is a stand-in."""
    program = folder / 'pkg-config'
    program.write_text(f'#!/bin/sh\n{body}\n')
    program.chmod(0o755)
    return {'PATH': f'{folder}{os.pathsep}{os.environ["PATH"]}'}


KNOWS = """
for last in "$@"; do :; done
case "$*" in
*static*) exit 1 ;;
--modversion*) echo 1.44.2 ;;
--cflags*) echo -I/opt/uv/include ;;
--libs*) echo -L/opt/uv/lib -luv ;;
esac
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='the stand-in is a script of the shell')
def test_pkg_config_is_asked(setup_py: ModuleType, tmp_path: Path) -> None:
    libuv = setup_py.find_libuv(pkg_config(tmp_path, KNOWS))
    assert libuv.version == (1, 44)
    assert libuv.include_dirs == ['/opt/uv/include']
    assert libuv.link_args == ['-L/opt/uv/lib', '-luv']


@pytest.mark.skipif(sys.platform == 'win32', reason='the stand-in is a script of the shell')
@pytest.mark.parametrize(
    ('body', 'said'),
    [
        ('exit 1', 'pkg-config does not know libuv'),
        ('echo 1.40.0', 'libuv 1.40 is too old'),
    ],
)
def test_without_libuv_it_says_how_to_get_it(setup_py: ModuleType, tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(setup_py.LibuvError, match=said) as raised:
        setup_py.find_libuv(pkg_config(tmp_path, body))
    for way in ('apt-get install libuv1-dev', 'brew install libuv', 'vcpkg install libuv', 'LIBUV_DIR'):
        assert way in str(raised.value)


def test_without_pkg_config_it_says_so(setup_py: ModuleType) -> None:
    with pytest.raises(setup_py.LibuvError, match='no-such-program is missing'):
        setup_py.find_libuv({'PKG_CONFIG': 'no-such-program', 'PATH': ''})


@pytest.mark.skipif(sys.platform == 'win32', reason='archives are the rule there')
@pytest.mark.parametrize('library', ['lib/libuv.so', 'lib64/libuv.so', 'lib/libuv.a', 'lib/libuv_a.a'])
def test_a_folder_can_be_named(setup_py: ModuleType, tmp_path: Path, library: str) -> None:
    folder = install(tmp_path, library)
    libuv = setup_py.find_libuv({'LIBUV_DIR': str(folder), 'PKG_CONFIG': 'no-such-program'})
    assert libuv.version == (1, 50)
    assert libuv.include_dirs == [str(folder / 'include')]
    assert libuv.link_args[0] == str(folder / library)
    assert bool(libuv.link_args[1:]) == library.endswith('.so')


@pytest.mark.skipif(sys.platform == 'win32', reason='archives are the rule there')
def test_an_archive_can_be_asked_for(setup_py: ModuleType, tmp_path: Path) -> None:
    folder = install(tmp_path, 'lib/libuv.so')
    (folder / 'lib' / 'libuv.a').touch()
    libuv = setup_py.find_libuv({'LIBUV_DIR': str(folder), 'LIBUV_STATIC': '1'})
    assert libuv.link_args == [str(folder / 'lib' / 'libuv.a')]


def test_windows_links_the_archive_and_what_it_needs(
    setup_py: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install(tmp_path, 'lib/libuv.lib')
    monkeypatch.setattr(sys, 'platform', 'win32')
    libuv = setup_py.find_libuv({'LIBUV_DIR': str(folder)})
    assert libuv.link_args[0] == str(folder / 'lib/libuv.lib')
    assert {'ws2_32.lib', 'iphlpapi.lib', 'userenv.lib'} <= set(libuv.link_args)


def test_a_folder_without_it_is_refused(setup_py: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(setup_py.LibuvError, match='no include/uv/version'):
        setup_py.find_libuv({'LIBUV_DIR': str(tmp_path)})
    install(tmp_path, 'share/nothing')
    with pytest.raises(setup_py.LibuvError, match='no library'):
        setup_py.find_libuv({'LIBUV_DIR': str(tmp_path)})


def test_a_folder_with_an_old_one_is_refused(setup_py: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(setup_py.LibuvError, match='too old'):
        setup_py.find_libuv({'LIBUV_DIR': str(install(tmp_path, 'lib/libuv.a', '1.13'))})


def test_a_module_is_built_anew_when_a_header_of_a_header_changes(
    setup_py: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    names = {'_relay.pyx', *setup_py.MODULES['_relay']}
    found = setup_py.headers([f'{setup_py.CORE}/{name}' for name in names])
    assert {'_address.h', '_frame.h', '_handler.h', '_relay.h', '_store.h', '_cache.pxd'} <= {
        Path(name).name for name in found
    }


def test_modules_can_be_chosen(setup_py: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CORE_MODULES', '_cache,_packet')
    assert [extension.name for extension in setup_py.extensions()] == ['socket_core._cache', 'socket_core._packet']
    monkeypatch.setenv('CORE_MODULES', '_cash')
    with pytest.raises(SystemExit, match='no module _cash'):
        setup_py.extensions()


def test_own_c_has_a_name_of_its_own(setup_py: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(setup_py.MODULES, '_cache', ['_relay.c'])
    with pytest.raises(SystemExit, match=r'_relay\.c'):
        setup_py.extensions()
