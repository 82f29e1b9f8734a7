"""The one gate. Every way from a page into native code passes ``Gate.check``.

It decides from three things, and the strictest wins: the policy of the committed document, the grants
of ``socket.ini``, and the native identity of the asker. The order matters: what is cheap and says
nothing comes first, the body of the request is not even touched here (a Blob body ends WebKitGTK's
host process), and whoever may not ask at all does not learn which commands exist.

1. the URI was canonical (``uri.parse_call``; A17)                          400
2. ``Origin`` is the app's own: the engine sets it, pages cannot (A5, A6)    403
3. not a navigation: no ``text/html`` in ``Accept`` (A11)                    403
4. the asking window's committed document is ours, and its token is right   403
5. every policy of that document allows the command, and there is one (A1)  403, names the missing line
6. the command exists                                                        404
7. ``socket.ini`` grants what the command needs                              403, names the missing line

A command with ``floor`` skips 5 and 7: there is one, ``console.write``, which takes bounded text and
tells nothing.
"""

from __future__ import annotations

import logging
from _operator import _compare_digest  # hmac would import OpenSSL (3.8 MB)

from socket_runtime.errors import Denied, NotFound
from socket_runtime.ipc.command import Command, Commands
from socket_runtime.ipc.csp import allows, missing_line
from socket_runtime.ipc.document import Document
from socket_runtime.ipc.grants import Grants, RuntimeGrants
from socket_runtime.ipc.transport import Asker

__all__ = ['Gate', 'audit']

_audit = logging.getLogger('socket_runtime.audit')

#: How much of a page's own string a log line may hold (F28).
_LOGGED = 200


class Gate:
    """Decides about calls; see the module.

    Args:
        commands: the table of all that can be called.
        grants: what ``socket.ini`` grants.
        origin: the app's origin, ``socket://<bundle id>``.
        runtime_grants: what the user has picked since the start.
    """

    def __init__(
        self, commands: Commands, grants: Grants, origin: str, runtime_grants: RuntimeGrants | None = None
    ) -> None:
        self._commands = commands
        self._grants = grants
        self._runtime_grants = runtime_grants
        self._origin = origin

    def check(self, name: str, asker: Asker, document: Document | None) -> Command:
        """The command ``name`` (lower case), if ``asker`` may call it now.

        Args:
            document: the committed document of the window that the host says asks.

        Raises:
            Denied: with ``missing`` where a line would allow it.
            NotFound: the page might call it, but there is no such command.
        """
        if asker.header('Origin') != self._origin:
            raise self._denied(name, 'only pages of the app itself may call commands')
        if 'text/html' in (asker.header('Accept') or ''):
            raise self._denied(name, 'a command is called with fetch, not by navigation')
        if document is None:
            raise self._denied(name, 'this window shows no page of the app')
        # as bytes: text that is not ASCII cannot be compared, and a frame may send some
        if not _compare_digest((asker.header('Socket-Token') or '').encode(errors='replace'), document.token.encode()):
            raise self._denied(name, 'the call does not come from the top document of this window')
        command = self._commands.get(name)
        if command is not None and command.floor:
            return command
        if command is None:
            self._refuse_unknown(name, document)
            raise NotFound('no such command')
        if not document.allows(name):
            missing = missing_line(document.policies, command.name)
            raise self._denied(
                name,
                _no_policy(command.name, missing) if not document.policies else _forbidden(command.name, missing),
                missing,
            )
        if command.grant is not None and not self._granted(command.grant, document.window):
            missing = self._grants.missing_line(command.grant)
            raise self._denied(name, f'ipc://{command.name} needs a grant: add `{missing}` to socket.ini', missing)
        return command

    def _granted(self, grant: str, window: int) -> bool:
        picked = self._runtime_grants
        return self._grants.has(grant) or (picked is not None and picked.has(grant, window))

    def _refuse_unknown(self, name: str, document: Document) -> None:
        # not cached: the names are the page's own
        if not allows(document.policies, name):
            missing = missing_line(document.policies, name)
            raise self._denied(name, f'ipc://{name} is not allowed by the policy of this page', missing)

    def _denied(self, name: str, message: str, missing: str = '') -> Denied:
        error = Denied(message, missing=missing)
        audit(name, error)
        return error


def audit(name: str, error: Denied) -> None:
    """The one line of the audit log about a call that was denied; nothing of the page's can forge another (F28)."""
    what = error.missing or error.message
    _audit.warning('denied ipc://%s: %s', _shown(name), _shown(what))


def _shown(text: str) -> str:
    return ascii(text[:_LOGGED])[1:-1] if not text.isprintable() or len(text) > _LOGGED else text


def _forbidden(name: str, missing: str) -> str:
    return (
        f"ipc://{name} is not allowed by the policy of this page: add `{missing}` to the page's Content-Security-Policy"
    )


def _no_policy(name: str, missing: str) -> str:
    return f'ipc://{name} is not allowed, since this page has no policy: add `{missing}` to its head'
