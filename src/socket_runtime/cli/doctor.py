"""``ssc doctor``: can an app run on this machine, and if not, what gets it there?

Every check stands by itself and none changes anything. What an app cannot do without is ``needed``;
the rest is for tests and for comfort.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from socket_runtime._version import __version__
from socket_runtime.cli.console import Console
from socket_runtime.errors import IncompatibleError, WebviewError

__all__ = ['Check', 'arguments', 'checks', 'run']

OLDEST_PYTHON = (3, 11)

#: From this version on PyGObject imports asyncio by itself (+8.5 MB for every app, measured).
HEAVY_PYGOBJECT = (3, 50)

#: Part -> its package, by package manager. Only names that are known to exist.
_PACKAGES: dict[str, dict[str, str]] = {
    'webkit': {
        'apt-get': 'gir1.2-webkit2-4.1',
        'dnf': 'webkit2gtk4.1',
        'pacman': 'webkit2gtk-4.1',
        'zypper': 'typelib-1_0-WebKit2-4_1',
    },
    'gtk': {'apt-get': 'gir1.2-gtk-3.0', 'dnf': 'gtk3', 'pacman': 'gtk3', 'zypper': 'typelib-1_0-Gtk-3_0'},
    'gi': {'apt-get': 'python3-gi', 'dnf': 'python3-gobject', 'pacman': 'python-gobject', 'zypper': 'python3-gobject'},
    'bwrap': dict.fromkeys(('apt-get', 'dnf', 'pacman', 'zypper'), 'bubblewrap'),
    'xdg-dbus-proxy': dict.fromkeys(('apt-get', 'dnf', 'pacman', 'zypper'), 'xdg-dbus-proxy'),
    'Xvfb': {'apt-get': 'xvfb', 'dnf': 'xorg-x11-server-Xvfb', 'pacman': 'xorg-server-xvfb'},
    'WebKitWebDriver': {'apt-get': 'webkit2gtk-driver'},
    'node': {'apt-get': 'nodejs', 'dnf': 'nodejs', 'pacman': 'nodejs', 'zypper': 'nodejs'},
}
_INSTALL = {
    'apt-get': 'apt-get install',
    'dnf': 'dnf install',
    'pacman': 'pacman -S',
    'zypper': 'zypper install',
}


@dataclass(frozen=True, slots=True)
class Check:
    """One part that was looked for.

    Attributes:
        name: of the part.
        ok: it is there and good.
        found: what was found, a version or a path; or what is wrong.
        needed: no app runs without it.
        fix: a command or a sentence that mends it.
        package: of the system, to be installed together with others.
        use: what it is for.
    """

    name: str
    ok: bool
    found: str = ''
    needed: bool = True
    fix: str = ''
    package: str = ''
    use: str = ''

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            'name': self.name,
            'ok': self.ok,
            'found': self.found,
            'needed': self.needed,
            'fix': self.fix,
            'package': self.package,
            'use': self.use,
        }


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: none but the common ones."""


def run(args: argparse.Namespace, console: Console) -> int:
    """Check, and show the result.

    Returns:
        0, or ``WebviewError``'s code when no app could run.
    """
    found = list(checks())
    able = all(check.ok for check in found if check.needed)
    manager = _manager()
    missing = sorted({check.package for check in found if check.package and not check.ok})
    install = f'{_INSTALL[manager]} {" ".join(missing)}' if manager and missing else ''
    code = 0 if able else WebviewError.exit_code
    data = {'able': able, 'version': __version__, 'checks': [check.to_dict() for check in found], 'install': install}
    console.result('doctor', data, _lines(found, able, install), exit_code=code)
    return code


def checks() -> Iterator[Check]:
    """Look for every part, one after the other."""
    yield _python()
    yield _module('msgspec', "pip install 'msgspec>=0.19'", use='arguments of commands')
    yield _pywebview()
    if sys.platform == 'darwin':
        yield _module('WebKit', 'pip install pyobjc-framework-WebKit', use="the system's webview")
    elif sys.platform == 'win32':
        yield _module('clr', 'pip install pythonnet', use="the system's webview")
    else:
        yield from _webkitgtk()
        yield from _tools()
        yield _display()
    yield _tool('node', needed=False, use='tests of the JavaScript modules')
    yield _module('PySide6', 'pip install PySide6', needed=False, use='tests in a Chromium-class engine')
    yield _module('selenium', "pip install 'selenium>=4.20'", needed=False, use='tests driven by WebDriver')
    yield _module('bleak', "pip install 'socket-runtime[bluetooth]'", needed=False, use='Bluetooth')
    yield _module('cryptography', "pip install 'socket-runtime[p2p]'", needed=False, use='peer-to-peer')


def _python() -> Check:
    version = '.'.join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= OLDEST_PYTHON
    return Check('Python', ok, f'{version} ({sys.executable})', fix='Install Python 3.11 or newer.')


def _module(name: str, fix: str, *, needed: bool = True, use: str = '') -> Check:
    """A Python package, looked for without importing it."""
    try:
        present = find_spec(name) is not None
    except (ImportError, ValueError):
        present = False
    return Check(name, present, _version(name) if present else 'missing', needed, '' if present else fix, use=use)


def _version(module: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(module)
    except PackageNotFoundError:
        return 'found'


def _pywebview() -> Check:
    """pywebview, and whether the parts of it that are not its public interface are those that we know."""
    fix = "pip install 'pywebview>=6.2,<6.3'"
    if find_spec('webview') is None:
        return Check('pywebview', False, 'missing', fix=fix)
    from socket_runtime.host._seam import check_attributes, import_pywebview

    platform = {'darwin': 'cocoa', 'win32': 'edgechromium'}.get(sys.platform, 'gtk')
    version = _version('pywebview')
    try:
        _, module = import_pywebview(platform)
        check_attributes(module, ('inject_pywebview', 'js_bridge_call', *_relied_upon(platform)))
    except IncompatibleError as error:
        return Check('pywebview', False, error.message, fix=fix)
    except (WebviewError, ValueError) as error:
        # the system's webview is missing, which has its own check
        return Check('pywebview', True, f'{version}; its inner names cannot be checked: {str(error).splitlines()[0]}')
    return Check('pywebview', True, f'{version}, its inner names as expected')


def _relied_upon(platform: str) -> tuple[str, ...]:
    if platform != 'gtk':
        return ()
    from socket_runtime.host.gtk.host import RELIED_UPON

    return RELIED_UPON


def _webkitgtk() -> Iterator[Check]:
    pip = "pip install 'socket-runtime[gtk]' (compiles; on Debian it needs libgirepository1.0-dev, gcc and pkg-config)"
    try:
        import gi
    except ImportError as error:
        # a package of the system's Python is no use to another Python
        package = _package('gi') if sys.prefix == sys.base_prefix else ''
        yield Check('PyGObject', False, f'cannot be imported: {error}', fix=pip, package=package)
        return
    version = tuple(gi.version_info[:2])
    heavy = (
        f', {HEAVY_PYGOBJECT[0]}.{HEAVY_PYGOBJECT[1]} and later cost 8.5 MB more' if version >= HEAVY_PYGOBJECT else ''
    )
    yield Check('PyGObject', True, f'{gi.__version__}{heavy}')
    for name, wanted, part in (('Gtk', '3.0', 'gtk'), ('WebKit2', '4.1', 'webkit')):
        versions = gi.Repository.get_default().enumerate_versions(name)
        if wanted not in versions:
            found = f'has {", ".join(versions)}, not {wanted}' if versions else 'missing'
            fix = f"Install your system's {name} {wanted} with its typelib."
            yield Check(name, False, found, fix=fix, package=_package(part), use="the system's webview")
        else:
            yield Check(name, True, _typelib_version(gi, name, wanted), use="the system's webview")


def _typelib_version(gi: Any, name: str, wanted: str) -> str:
    try:
        gi.require_version(name, wanted)
        from gi import repository

        module = getattr(repository, name)
        return f'{module.get_major_version()}.{module.get_minor_version()}.{module.get_micro_version()}'
    except (ImportError, ValueError, AttributeError) as error:
        return f'{wanted} ({error})'


def _tools() -> Iterator[Check]:
    off = 'or set [webview] sandbox = false'
    for name in ('bwrap', 'xdg-dbus-proxy'):
        yield _tool(name, needed=True, use=f'the sandbox of the web process; {off}')
    yield _tool('Xvfb', needed=False, use='--headless')
    yield _tool('WebKitWebDriver', needed=False, use='tests driven by WebDriver')


def _tool(name: str, *, needed: bool, use: str) -> Check:
    path = shutil.which(name)
    if path is not None:
        return Check(name, True, path, needed, use=use)
    return Check(name, False, 'missing', needed, package=_package(name), use=use)


def _display() -> Check:
    """A display to put windows on, or the means to make one."""
    names = [f'{name}={os.environ[name]}' for name in ('WAYLAND_DISPLAY', 'DISPLAY') if os.environ.get(name)]
    virtual = shutil.which('Xvfb') is not None
    if names and _display_opens():
        return Check('display', True, ', '.join(names))
    problem = f'{", ".join(names)}: cannot be opened' if names else 'neither DISPLAY nor WAYLAND_DISPLAY is set'
    if virtual:
        return Check('display', True, f'{problem}; --headless makes one', use='windows')
    fix = 'Start it in a desktop session; for --headless install Xvfb.'
    return Check('display', False, problem, fix=fix, package=_package('Xvfb'), use='windows')


def _display_opens() -> bool:
    try:
        import gi

        gi.require_version('Gdk', '3.0')
        from gi.repository import Gdk
    except (ImportError, ValueError):
        return True  # what is missing has its own check
    display = Gdk.Display.open(os.environ.get('DISPLAY') or os.environ['WAYLAND_DISPLAY'])
    if display is None:
        return False
    display.close()
    return True


def _manager() -> str:
    """The system's package manager, ``''`` for one that we know no names for."""
    return next((name for name in _INSTALL if shutil.which(name)), '')


def _package(part: str) -> str:
    return _PACKAGES[part].get(_manager(), '')


def _lines(found: list[Check], able: bool, install: str) -> Iterator[str]:
    width = max(len(check.name) for check in found)
    for check in found:
        mark = 'ok' if check.ok else 'MISSING' if check.needed else 'absent'
        use = f'  ({check.use})' if check.use and not check.ok else ''
        yield f'{mark:8}{check.name:{width}}  {check.found}{use}'
        if check.fix and not check.ok:
            yield f'{"":8}{"":{width}}  {check.fix}'
    yield ''
    if install:
        yield f'To get what is missing:  {install}'
    yield f'Socket Runtime {__version__}: ' + ('apps can run here.' if able else 'apps can NOT run here yet.')
