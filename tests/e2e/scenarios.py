"""What some runs need on Python's side: each function adds to the app under test before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from socket_runtime.app.callbacks import AppCallbacks

if TYPE_CHECKING:
    from socket_runtime import App
    from tests.e2e.app_under_test import Life, Recorder

Options = dict[str, Any]


def navigate_anywhere(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """As if the app let its windows and frames go wherever they like, but for commands."""
    AppCallbacks.on_navigate = lambda self, window, url, new_window: not url.startswith('ipc:')  # type: ignore[method-assign]


def navigate_to_commands(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """As if nothing at all were refused."""
    AppCallbacks.on_navigate = lambda self, window, url, new_window: True  # type: ignore[method-assign]
