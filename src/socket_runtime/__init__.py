"""Socket Runtime for Python: apps of HTML, CSS and JavaScript in the system's own webview.

::

    from socket_runtime import App

    app = App.from_project('.')

    @app.command('hello.greet')
    def greet(name: str) -> str:
        return f'Hello, {name}'

    app.run()

The page calls it with ``await ipc.call('hello.greet', { name: 'you' })`` (``import ipc from 'socket:ipc'``), if its
Content-Security-Policy has ``connect-src ipc://hello.greet``, and is told the missing line if not.

The rooms of the house: ``app`` (what you use), ``ipc`` (the way of a call, and the gate), ``services`` (files,
processes, windows), ``host`` (one webview per system), ``js`` (the ``socket:`` modules), ``cli`` and ``build``
(the ``ssc`` command). ``docs/architecture.md`` shows who may import whom.

Names are imported when they are first used, so that ``import socket_runtime`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socket_runtime._version import __version__

if TYPE_CHECKING:
    from socket_runtime.app.application import App
    from socket_runtime.app.window import Window
    from socket_runtime.errors import (
        Aborted,
        BadRequest,
        CommandFailed,
        ConfigError,
        Denied,
        LocalError,
        NotFound,
        RemoteError,
        SocketRuntimeError,
    )
    from socket_runtime.ipc.command import Binary, Call
    from socket_runtime.ipc.streams import Upload

__all__ = [
    'Aborted',
    'App',
    'BadRequest',
    'Binary',
    'Call',
    'CommandFailed',
    'ConfigError',
    'Denied',
    'LocalError',
    'NotFound',
    'RemoteError',
    'SocketRuntimeError',
    'Upload',
    'Window',
    '__version__',
]

_HOMES = {
    'App': 'app.application',
    'Window': 'app.window',
    'Binary': 'ipc.command',
    'Call': 'ipc.command',
    'Upload': 'ipc.streams',
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    import importlib

    value = getattr(importlib.import_module(f'{__name__}.{_HOMES.get(name, "errors")}'), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
