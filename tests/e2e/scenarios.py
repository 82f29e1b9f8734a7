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


def note_token(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Put the first document's token into the report, to look for where it must not be."""

    def loaded(window: Any) -> None:
        document = app.documents.current(window.index)
        recorder.note('token', document.token if document else '')

    app.on('loaded')(loaded)


def navigate_to_redirect(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """The app lets its window go to a stranger's ``/redirect``, and asks as usual about the rest."""
    usual = AppCallbacks.on_navigate

    def on_navigate(self: AppCallbacks, window: int, url: str, new_window: bool) -> bool:
        return '/redirect?' in url or usual(self, window, url, new_window)

    AppCallbacks.on_navigate = on_navigate  # type: ignore[method-assign]


def end_when_away(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """The window may go to a stranger; once it is there, see what it has of ours, and end."""
    navigate_anywhere(app, recorder, life, options)
    look = "return typeof globalThis[Symbol.for('socket.runtime')] + ' ' + ('pywebview' in globalThis)"

    def loaded(window: Any) -> None:
        document = app.documents.current(window.index)
        if document is None:
            recorder.note('document', None)
            # time for the stranger's scripts
            app._post_later(0.4, lambda: window._native.evaluate(look, '', looked))

    def looked(result: str | None) -> None:
        recorder.note('runtime', (result or '').strip('"'))
        life.end('done')

    app.on('loaded')(loaded)
