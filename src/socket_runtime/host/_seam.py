"""pywebview, imported leanly and checked before it is relied upon.

pywebview gives windows, dialogs and the GUI's loop on every system. Two of its habits do not suit us,
and both are met here, once for all hosts:

- ``import webview`` pulls in bottle, wsgiref and ssl for an HTTP server that we never start, webbrowser with
  subprocess for links that we never hand on, and back-ports of what Python has had since 3.11 (15 MB and
  95 ms measured; 6.7 MB without). Other modules stand in for them while it is imported.
- it injects a bridge (``window.pywebview``) that resolves dotted names of Python objects for any frame
  and outside the page's policy. Both functions that make it are replaced (``attacks.md``, lessons).

We also rely on names that are not its public interface, so its version is pinned and every name is
looked up at start: a change is one clear error instead of a surprise later.
"""

from __future__ import annotations

import importlib
import sys
import typing
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from socket_runtime.errors import IncompatibleError, WebviewError

__all__ = ['check_attributes', 'import_pywebview', 'prepare_window', 'remove_bridge']

#: The minor versions of pywebview whose inner names were read and tested.
SUPPORTED = ('6.2.',)

#: What pywebview touches of modules that it needs for its server and for links, when it is imported.
_UNUSED_PARTS: dict[str, tuple[str, ...]] = {
    'bottle': ('ServerAdapter',),
    'http.cookies': ('SimpleCookie',),
    'random': (),
    'socketserver': ('ThreadingMixIn',),
    'ssl': (),
    'tempfile': (),
    'webbrowser': (),
    'wsgiref': (),
    'wsgiref.simple_server': ('WSGIRequestHandler', 'WSGIServer', 'make_server'),
}

_PACKAGE_NAMES = ('windows', 'start', 'create_window', '_state', 'settings')
_WINDOW_NAMES = ('_initialize', 'events', 'html', 'real_url')


def import_pywebview(platform: str) -> tuple[ModuleType, ModuleType]:
    """Import pywebview and one of its platform modules (``gtk``, ``cocoa``, ``edgechromium``, ...), without
    its server.

    Returns: the package, and the platform's module.

    Raises:
        WebviewError: it is not installed, or the platform's parts are missing.
        IncompatibleError: its version is not one that we know.
    """
    full_name = f'webview.platforms.{platform}'
    if full_name in sys.modules:
        return sys.modules['webview'], sys.modules[full_name]
    stand_ins = {name: _stand_in(name, parts) for name, parts in _UNUSED_PARTS.items() if name not in sys.modules}
    if 'typing_extensions' not in sys.modules:
        # all that pywebview takes from there, Python has had itself since 3.11; the back-ports cost 3.6 MB
        stand_ins['typing_extensions'] = typing
    sys.modules.update(stand_ins)
    try:
        import webview

        _check_version()
        backend = importlib.import_module(full_name)
    except ImportError as error:
        raise WebviewError(
            f'pywebview cannot be imported: {error}', hint="Install it: pip install 'pywebview>=6.2,<6.3'"
        ) from error
    finally:
        # whoever needs the real ssl later gets the real one
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
    check_attributes(webview, _PACKAGE_NAMES)
    return webview, backend


def _stand_in(name: str, parts: tuple[str, ...]) -> ModuleType:
    module = ModuleType(name)
    module.__doc__ = 'Stands in while pywebview is imported; its HTTP server is never started.'
    for part in parts:
        setattr(module, part, object)
    return module


def _check_version() -> None:
    from webview._version import __version__ as version

    if not str(version).startswith(SUPPORTED):
        raise IncompatibleError(
            f'pywebview {version} is installed; this runtime knows {SUPPORTED[-1]}x only',
            hint="Install the known one: pip install 'pywebview>=6.2,<6.3'",
        )


def check_attributes(owner: Any, names: Sequence[str]) -> None:
    """Make sure that every dotted name exists below ``owner`` (a module of pywebview).

    Raises:
        IncompatibleError: names the first one that does not.
    """
    for dotted in names:
        value = owner
        for part in dotted.split('.'):
            if not hasattr(value, part):
                raise IncompatibleError(
                    f'pywebview changed: {getattr(owner, "__name__", owner)}.{dotted} is gone',
                    hint="Install the known version: pip install 'pywebview>=6.2,<6.3'",
                )
            value = getattr(value, part)


def remove_bridge(platform: Any) -> None:
    """Replace pywebview's bridge in one of its platform modules by nothing.

    ``inject_pywebview`` still has to mark the window as loaded: pywebview's own methods wait for that.
    """
    check_attributes(platform, ('inject_pywebview', 'js_bridge_call'))

    def mark_loaded(renderer: str, window: Any) -> None:
        for event in (window.events.before_load, window.events._pywebviewready, window.events.loaded):
            event.set()

    platform.inject_pywebview = mark_loaded
    platform.js_bridge_call = _refuse


def _refuse(window: Any, name: str, param: Any, value_id: str) -> None:
    return None


def prepare_window(window: Any, ready: Callable[[], None]) -> None:
    """Keep pywebview from loading or serving anything for ``window``; ``ready`` runs before it is shown.

    A ``socket:`` URL given to pywebview would start its HTTP server (it takes every scheme but http,
    https and file for a local path), so it gets a word of HTML, and that is taken away again.
    """
    check_attributes(window, _WINDOW_NAMES)

    def initialized() -> None:
        window.html = None
        window.real_url = None

    window.events.initialized += initialized
    window.events.before_show += ready
