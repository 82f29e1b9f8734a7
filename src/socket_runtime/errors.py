"""What can go wrong, in two families.

A mistake is either *ours to mend* or *somebody else's doing*, and the two must never be confused:

``SocketRuntimeError``
    ``LocalError``: the app's author or user made a mistake. Says what is wrong and how to mend it, and
    owns the exit code that the command line ends with.

    =====================  ====  ==============================================================
    ``UsageError``           2   the command line was called wrongly
    ``ConfigError``          3   ``socket.ini`` is wrong: file, line and what was expected
    ``ProjectError``         4   the project lacks a file that it needs (``index.html``)
    ``PortError``            5   a port is in use, or nothing answers on it
    ``DisplayError``         6   there is no display, and none can be started
    ``WebviewError``         7   a package of the system's webview is missing
    ``IncompatibleError``    8   a part that we rely upon has changed (pywebview's attributes)
    ``PageError``            9   the page threw while it loaded, or its policy forbids its own parts
    =====================  ====  ==============================================================

    ``RemoteError``: a page (or, in other rooms, a peer) misbehaved or asked for what it may not have.
    Owns an HTTP-like status, is answered to the page as ``err``, and never ends the program.

    ===================  ======  ==============================================================
    ``BadRequest``        400    not a canonical call: URI, arguments or body
    ``Denied``            403    the gate said no; names the missing line
    ``NotFound``          404    no such command, stream or file of the app
    ``Timeout``           408    the command took longer than it may
    ``TooLarge``          413    a body or reply above its limit
    ``QuotaExceeded``     429    too many calls or streams at once from one window
    ``Aborted``           499    the page gave the call up
    ``CommandFailed``     500    the command raised; details only in development (B8)
    ===================  ======  ==============================================================

Source: house rules "two families of errors"; the result's shape is the original's
``{message, name, type, code}``.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    'Aborted',
    'BadRequest',
    'CommandFailed',
    'ConfigError',
    'Denied',
    'DisplayError',
    'IncompatibleError',
    'LocalError',
    'NotFound',
    'PageError',
    'PortError',
    'ProjectError',
    'QuotaExceeded',
    'RemoteError',
    'SocketRuntimeError',
    'Timeout',
    'TooLarge',
    'UsageError',
    'WebviewError',
]


class SocketRuntimeError(Exception):
    """Root of every error that this package raises on purpose."""


class LocalError(SocketRuntimeError):
    """A mistake of the app's author or user.

    Args:
        message: what is wrong, one sentence.
        hint: how to mend it, one sentence or command; may be empty.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = '') -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f'{self.message}\n{self.hint}' if self.hint else self.message


class UsageError(LocalError):
    """The command line, or a function of the API, was called wrongly."""

    exit_code = 2


class ConfigError(LocalError):
    """``socket.ini`` is wrong.

    Args:
        message: what was found and what was expected.
        file: the file's path, as text.
        line: 1-based line, or 0 when the error belongs to the whole file.
        hint: how to mend it.
    """

    exit_code = 3

    def __init__(self, message: str, *, file: str = '', line: int = 0, hint: str = '') -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = f'{self.file}:{self.line}: ' if self.line else f'{self.file}: ' if self.file else ''
        return place + super().__str__()


class ProjectError(LocalError):
    """The project lacks something that it needs."""

    exit_code = 4


class PortError(LocalError):
    """A port is in use, or nothing listens on the one that was named."""

    exit_code = 5


class DisplayError(LocalError):
    """There is no display to put a window on."""

    exit_code = 6


class WebviewError(LocalError):
    """The system's webview, or its Python binding, is missing or broken."""

    exit_code = 7


class IncompatibleError(LocalError):
    """A part that we rely upon is not the one that we know."""

    exit_code = 8


class PageError(LocalError):
    """The app's own page failed while it loaded."""

    exit_code = 9


class RemoteError(SocketRuntimeError):
    """A page misbehaved, or asked for what it may not have.

    Args:
        message: what the page is told.
        code: an errno-like name (``'ENOENT'``) where one fits, else ``''``.
        details: further fields of ``err``, JSON-able.
    """

    status: ClassVar[int] = 500
    name: ClassVar[str] = 'Error'

    def __init__(self, message: str, *, code: str = '', **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = details

    def to_err(self) -> dict[str, Any]:
        """The ``err`` of a result: ``{message, name, type, code?, ...details}``."""
        err = {'message': self.message, 'name': self.name, 'type': type(self).__name__}
        if self.code:
            err['code'] = self.code
        return {**err, **self.details}


class BadRequest(RemoteError):
    """Not a canonical call."""

    status = 400
    name = 'TypeError'


class Denied(RemoteError):
    """The gate said no.

    Args:
        message: names the command, and the line that would allow it.
        missing: the exact line that is missing, e.g. ``connect-src ipc://fs.readFile``.
    """

    status = 403
    name = 'NotAllowedError'

    def __init__(self, message: str, *, missing: str = '', code: str = 'EPERM') -> None:
        super().__init__(message, code=code, **({'missing': missing} if missing else {}))
        self.missing = missing


class NotFound(RemoteError):
    """No such command, stream or file."""

    status = 404
    name = 'NotFoundError'


class Timeout(RemoteError):
    """The command took longer than it may."""

    status = 408
    name = 'TimeoutError'


class TooLarge(RemoteError):
    """A body or a reply is above its limit."""

    status = 413
    name = 'RangeError'


class QuotaExceeded(RemoteError):
    """Too many calls or streams at once from one window (B6)."""

    status = 429
    name = 'QuotaExceededError'


class Aborted(RemoteError):
    """The page gave the call up."""

    status = 499
    name = 'AbortError'


class CommandFailed(RemoteError):
    """The command itself failed: an operating-system error, or an exception in the app's code."""

    status = 500
    name = 'Error'
