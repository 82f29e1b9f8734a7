"""``socket.ini``: what an app is called, what it shows, and what it may do.

Four steps, each in a module that knows nothing of the next, so that each can be tested alone:

    text --ini--> tokens --validate--> values --config--> Config
                            ^
                         schema (the table of keys), values (the kinds of values)

``ini`` reads lines and keeps where each one stood. ``validate`` knows which keys there are and of what
kind, and refuses what it does not know: a mistyped ``conect_src`` that is silently skipped is an app
that allows something else than its author reads. ``config`` looks at the folder and works out paths and
the origin. All errors are ``ConfigError`` with file, line, what was found and what was expected.

The file is the author's, but a cloned project's file is a stranger's (E9): sizes are bounded, paths stay
inside the project, the build script is shown before it runs, and nothing runs by reading it.

Only the grants are understood elsewhere: ``ipc.grants`` owns that table, as it is the gate's.
"""

from __future__ import annotations

from socket_runtime.app.config._current import RunOptions, current, current_options, set_current
from socket_runtime.app.config.config import (
    BUNDLE_FORMAT,
    CONFIG_NAME,
    BuildConfig,
    Config,
    PythonConfig,
    WebviewConfig,
    WindowConfig,
    for_script,
    load,
)
from socket_runtime.app.config.validate import Notice
from socket_runtime.app.config.values import Size

__all__ = [
    'BUNDLE_FORMAT',
    'CONFIG_NAME',
    'BuildConfig',
    'Config',
    'Notice',
    'PythonConfig',
    'RunOptions',
    'Size',
    'WebviewConfig',
    'WindowConfig',
    'current',
    'current_options',
    'for_script',
    'load',
    'set_current',
]
