"""``window.*`` and ``application.*``: an app's windows, as its pages steer them.

A page steers its own window without a grant, as the policy allows; to reach another window it names it in
``window``, and the app needs the grant ``window.manage`` (B9: the asking window is known natively, the
number is only ever a target).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from socket_runtime.errors import BadRequest, Denied, NotFound
from socket_runtime.ipc.command import Call, Command

__all__ = ['WindowControl', 'commands']

MAX_TITLE = 1024  # D9
MAX_SIDE = 32767
LAST_LINES = 0.1  # seconds: what the page has just written to its console is still on its way


class WindowControl(Protocol):
    """What these commands need of the app; reached as ``call.services``."""

    def window(self, number: int) -> Any: ...
    def window_numbers(self) -> list[int]: ...
    def open_window(self, url: str, options: dict[str, Any]) -> int: ...
    def quit(self, code: int = 0, *, after: float = 0.0) -> None: ...
    def screen_size(self) -> tuple[int, int]: ...
    def facts(self) -> dict[str, Any]: ...
    def send(self, source: int, target: int | None, event: str, value: Any) -> None: ...


def _target(call: Call, number: int | None) -> Any:
    """The window to act upon: the asker's own, or another one with a grant."""
    if number is not None and number != call.window and not call.grants.has('window.manage'):
        missing = call.grants.missing_line('window.manage')
        raise Denied(f'to reach another window, add `{missing}` to socket.ini', missing=missing)
    window = call.services.window(call.window if number is None else number)
    if window is None:
        raise NotFound('no such window')
    return window


def _verb(name: str, help_text: str) -> Command:
    def handler(call: Call, window: int | None = None) -> None:
        getattr(_target(call, window), name)()

    return Command(f'window.{name}', handler, inline=True, help=help_text)


def _title(text: str) -> str:
    if len(text) > MAX_TITLE:
        raise BadRequest(f'a title may have {MAX_TITLE} characters')
    return ''.join(c if c.isprintable() else ' ' for c in text)


def _side(value: int) -> int:
    if not 1 <= value <= MAX_SIDE:
        raise BadRequest(f'a size is between 1 and {MAX_SIDE}')
    return value


def get_title(call: Call, window: int | None = None) -> str:
    return str(_target(call, window).title)


def set_title(call: Call, value: str, window: int | None = None) -> None:
    _target(call, window).title = _title(value)


def get_size(call: Call, window: int | None = None) -> dict[str, int]:
    width, height = _target(call, window).size
    return {'width': width, 'height': height}


def set_size(call: Call, width: int, height: int, window: int | None = None) -> None:
    _target(call, window).size = (_side(width), _side(height))


def get_position(call: Call, window: int | None = None) -> dict[str, int]:
    x, y = _target(call, window).position
    return {'x': x, 'y': y}


def set_position(call: Call, x: int, y: int, window: int | None = None) -> None:
    if max(abs(x), abs(y)) > MAX_SIDE:
        raise BadRequest(f'a position is within {MAX_SIDE}')
    _target(call, window).position = (x, y)


def get_background(call: Call, window: int | None = None) -> str:
    return str(_target(call, window).background)


def set_background(call: Call, color: str, window: int | None = None) -> None:
    import re

    if not re.fullmatch(r'#[0-9a-fA-F]{6}', color):
        raise BadRequest('a color is #RRGGBB')
    _target(call, window).background = color


def fullscreen(call: Call, on: bool = True, window: int | None = None) -> None:
    _target(call, window).set_fullscreen(on)


def navigate(call: Call, url: str, window: int | None = None) -> None:
    _target(call, window).load(url)


def pick_files(
    call: Call, kind: str = 'open', title: str = '', multiple: bool = False, name: str = '', window: int | None = None
) -> list[str]:
    """The system's file dialog. What the user picks is granted, exactly as picked (C6)."""
    if kind not in ('open', 'save', 'directory'):
        raise BadRequest('a dialog is open, save or directory')
    return list(_target(call, window).choose_files(kind, _title(title), multiple, name))


def send(call: Call, event: str, value: Any = None, window: int | None = None) -> None:
    if window is not None:
        _target(call, window)
    call.services.send(call.window, window, event, value)


def list_windows(call: Call) -> list[dict[str, Any]]:
    numbers = call.services.window_numbers()
    return [{'index': n, 'title': str(call.services.window(n).title), 'own': n == call.window} for n in numbers]


def create(
    call: Call,
    url: str = 'index.html',
    title: str = '',
    width: int = 800,
    height: int = 600,
    resizable: bool = True,
    frameless: bool = False,
    hidden: bool = False,
) -> dict[str, int]:
    options: dict[str, Any] = {
        'width': _side(width),
        'height': _side(height),
        'resizable': resizable,
        'frameless': frameless,
    }
    if title:
        options['title'] = _title(title)
    return {'index': call.services.open_window(url, {**options, 'hidden': hidden})}


def exit_app(call: Call, code: int = 0) -> None:
    call.services.quit(code & 0xFF, after=LAST_LINES)


def screen_size(call: Call) -> dict[str, int]:
    width, height = call.services.screen_size()
    return {'width': width, 'height': height}


def config(call: Call) -> dict[str, Any]:
    return dict(call.services.facts())


def commands() -> list[Command]:
    """The rows of ``window.*`` and ``application.*``."""
    verbs = {
        'close': 'Close the window.',
        'show': 'Show it.',
        'hide': 'Hide it.',
        'focus': 'Bring it to the front.',
        'maximize': 'Maximize it.',
        'minimize': 'Minimize it.',
        'restore': 'Back to its normal size.',
        'reload': 'Load its page anew.',
        'showInspector': 'Open the web inspector (development only).',
    }
    rows: list[tuple[str, Callable[..., Any], str]] = [
        ('window.getTitle', get_title, 'Its title.'),
        ('window.setTitle', set_title, 'Set its title.'),
        ('window.getSize', get_size, 'Its size in pixels.'),
        ('window.setSize', set_size, 'Set its size in pixels.'),
        ('window.getPosition', get_position, 'Its place on the screen.'),
        ('window.setPosition', set_position, 'Move it.'),
        ('window.getBackgroundColor', get_background, 'Its background.'),
        ('window.setBackgroundColor', set_background, 'Set its background, #RRGGBB.'),
        ('window.fullscreen', fullscreen, 'Full screen on or off.'),
        ('window.navigate', navigate, 'Load another page of the app.'),
        ('window.showFileSystemPicker', pick_files, 'Let the user pick files; what was picked is granted.'),
        ('window.send', send, 'Send an event to another window, or to all.'),
        ('window.list', list_windows, "The app's windows."),
        ('application.getWindows', list_windows, "The app's windows."),
        ('window.create', create, 'Open another window of the app.'),
        ('application.exit', exit_app, 'End the app.'),
        ('application.getScreenSize', screen_size, "The screen's size in pixels."),
        ('application.config', config, "The app's name, version and the like."),
    ]
    return [_verb(name, text) for name, text in verbs.items()] + [
        Command(name, handler, inline=True, help=text) for name, handler, text in rows
    ]
