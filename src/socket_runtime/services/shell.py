"""``shell.*``: what the desktop does for an app: open a link, show a file.

D1: a URL is opened when its scheme is granted and it is in one plain form; paths, flags and the schemes
that run code never are.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from socket_runtime.errors import BadRequest, CommandFailed, Denied
from socket_runtime.ipc.command import Call, Command
from socket_runtime.ipc.grants import is_never_opened
from socket_runtime.services import ServiceContext
from socket_runtime.services.fs.failure import failing
from socket_runtime.services.fs.paths import to_path
from socket_runtime.services.fs.scope import READ, Scope

__all__ = ['check_url', 'commands']

MAX_URL = 8192  # D1
PATIENCE = 5  # seconds for the desktop to take something over
OPEN = 'shell.open'
REVEAL = 'shell.reveal'

# RFC 3986, and nothing that a shell or an argument parser could take for something else.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_HTTP = re.compile(r'https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:[/?#]|\Z)', re.IGNORECASE)
# RFC 6068's harmless fields; some mail programs take files of the disk by others (`attach`).
_MAIL_FIELDS = frozenset({'to', 'cc', 'bcc', 'subject', 'body', 'in-reply-to', 'references'})


def commands(
    context: ServiceContext,
    *,
    opener: Callable[[str], None] | None = None,
    revealer: Callable[[str], None] | None = None,
) -> list[Command]:
    """The rows of ``shell.*``.

    Args:
        opener: opens a checked URL; the system's own way by default.
        revealer: shows a checked path in the file manager; the system's own way by default.
    """
    scope = Scope(context)
    grants = context.grants
    open_now, reveal_now = opener or _open, revealer or _reveal

    def open_url(url: str) -> None:
        check_url(url, grants.patterns(OPEN), grants.missing_line)
        open_now(url)

    def reveal(call: Call, path: str) -> None:
        if not grants.has(REVEAL):
            line = grants.missing_line(REVEAL)
            raise Denied(f'the app may not show files: add `{line}` to socket.ini', missing=line)
        with failing('reveal', path), scope.place(call, (READ,), path, follow=False) as place:
            place.stat()
            goal = to_path(place.parts)
        reveal_now(goal)

    return [
        Command('shell.open', open_url, OPEN, help='Open a URL in the program that the user has chosen for it.'),
        Command('shell.reveal', reveal, REVEAL, help='Show a file in the file manager.'),
    ]


def check_url(url: str, schemes: tuple[str, ...], missing_line: Callable[[str, str], str]) -> None:
    """May this URL be handed to the desktop?

    Raises:
        BadRequest: it is no URL in plain form.
        Denied: its scheme is not granted; names the line where one would help.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if match is None:
        raise BadRequest('shell.open takes a URL with a scheme, written in ASCII with %-escapes, and nothing else')
    scheme = match[1].lower()
    if is_never_opened(scheme):
        raise Denied(f'URLs of the scheme {scheme[:32]!r} are never opened')
    if f'{scheme}:' not in schemes:
        line = missing_line(OPEN, f'{scheme}:')
        raise Denied(f'the app may not open {scheme[:32]!r} URLs: add `{line}` to socket.ini', missing=line)
    if scheme in ('http', 'https') and not _HTTP.match(url):
        raise BadRequest('shell.open takes an http or https URL with a host, and without user or password')
    if scheme == 'mailto':
        fields = url.partition('?')[2].split('&') if '?' in url else []
        if any(field.partition('=')[0].lower() not in _MAIL_FIELDS for field in fields):
            raise BadRequest(f'shell.open takes mailto URLs with these fields: {", ".join(sorted(_MAIL_FIELDS))}')


def _failed(what: str) -> CommandFailed:
    return CommandFailed(f'the desktop could not {what}')


def _open(url: str) -> None:
    if sys.platform == 'linux':
        _launch_uri(url)
    elif sys.platform == 'win32':
        os.startfile(url)  # a checked URL, no path
    else:
        _run('/usr/bin/open', url)  # begins with a scheme, so it can be no flag


def _reveal(path: str) -> None:
    if sys.platform == 'linux':
        if not _show_items(path):
            _launch_uri(Path(path).parent.as_uri())
    elif sys.platform == 'win32':
        _run(os.path.join(os.environ.get('SYSTEMROOT', r'C:\Windows'), 'explorer.exe'), f'/select,{path}')
    else:
        _run('/usr/bin/open', '-R', path)  # absolute, so it can be no flag


def _run(*command: str) -> None:
    import subprocess

    try:
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        raise _failed('be asked') from None


def _launch_uri(uri: str) -> None:
    from gi.repository import Gio, GLib

    try:
        Gio.AppInfo.launch_default_for_uri(uri, None)
    except GLib.Error:
        raise _failed('open this: there is no program for it') from None


def _show_items(path: str) -> bool:
    """Ask the file manager over D-Bus; ``False`` when none answers.

    Source: freedesktop.org, "File Manager DBus Interface".
    """
    from gi.repository import Gio, GLib

    try:
        bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        bus.call_sync(
            'org.freedesktop.FileManager1',
            '/org/freedesktop/FileManager1',
            'org.freedesktop.FileManager1',
            'ShowItems',
            GLib.Variant('(ass)', ([Path(path).as_uri()], '')),
            None,
            Gio.DBusCallFlags.NONE,
            PATIENCE * 1000,
            None,
        )
    except GLib.Error:
        return False
    return True
