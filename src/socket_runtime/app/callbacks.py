"""The app's answers to its host: requests, loads, navigation, the life of windows.

Thin on purpose: each answer is one step to the part that knows. All of it runs on the GUI's thread.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socket_runtime.app.application import App
    from socket_runtime.host.contract import Request, Responder

__all__ = ['AppCallbacks']

_log = logging.getLogger('socket_runtime.app')


class AppCallbacks:
    """See ``host.contract.Callbacks``."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._preload = ''

    def on_asset(self, window: int, request: Request, responder: Responder) -> None:
        self._app.assets.handle(window, request, responder)

    def on_call(self, window: int, request: Request, responder: Responder) -> None:
        self._app.router.handle(self._app.documents.current(window), request, responder)

    def on_navigate(self, window: int, url: str, new_window: bool) -> bool:
        """Only the app's own pages are shown; anything else is refused (A8, A9), and told."""
        if not new_window and url.startswith(self._app.origin + '/'):
            return True
        _log.warning('navigation refused: %s', ascii(url[:200])[1:-1])
        self._app.tell(window, 'navigationrefused', {'url': url[:2048], 'newWindow': new_window})
        return False

    def on_start(self, window: int, url: str) -> str:
        token = self._app.documents.begin(window)
        if not self._preload:
            from socket_runtime.app.assets import MODULES

            self._preload = (MODULES / 'preload.js').read_text('utf-8')
        # both are JSON in ASCII, which is JavaScript as it stands (B3)
        config = {**self._app.facts(), 'index': window, 'origin': self._app.origin}
        return f'{self._preload.rstrip()}({json.dumps(token)},{json.dumps(config)})'

    def on_commit(self, window: int, url: str) -> None:
        document = self._app.documents.commit(window, url)
        if document is None and url != 'about:blank':
            _log.warning('window %d shows a page that is not of the app: %s', window, ascii(url[:200])[1:-1])
        self._app.page_changed(window)

    def on_loaded(self, window: int) -> None:
        self._app.page_loaded(window)

    def on_failed(self, window: int, url: str, message: str) -> None:
        self._app.documents.fail(window)
        self._app.page_failed(window, url, message)

    def on_crashed(self, window: int, reason: str) -> None:
        self._app.documents.close(window)
        self._app.page_crashed(window, reason)

    def on_close(self, window: int) -> bool:
        return self._app.may_close(window)

    def on_closed(self, window: int) -> None:
        self._app.documents.close(window)
        self._app.window_closed(window)

    def on_window_event(self, window: int, name: str, detail: dict[str, Any]) -> None:
        self._app.tell(window, name, detail)
