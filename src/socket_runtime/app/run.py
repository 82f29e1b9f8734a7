"""Running an app as the command line wishes: headless, with a picture, from a development server.

``run_app`` runs a project without a program of its own. An app's own Python program calls ``App.run``, which
comes here for the same wishes, so that ``ssc run`` treats both alike.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socket_runtime.app.config import Config, RunOptions, load, set_current
from socket_runtime.errors import LocalError, PageError, UsageError

if TYPE_CHECKING:
    from socket_runtime.app.application import App
    from socket_runtime.app.assets import Fetch

__all__ = ['main', 'run_app']

#: After the load event, pages still draw and report; a picture waits this long, in seconds.
SETTLE = 1.0
#: A picture that is not taken by then never will be, in seconds.
PICTURE_LIMIT = 30.0


def run_app(config: Config, **wishes: Any) -> int:
    """Run a project of web files; returns the exit code.

    Args:
        config: the project.
        wishes: fields of ``RunOptions``.

    Raises:
        LocalError: it cannot start, or its page failed while it loaded (``PageError``).
    """
    from socket_runtime.app.application import App

    set_current(config, RunOptions(**wishes))
    try:
        return App(config).run()
    finally:
        set_current(None)


def main(argv: Sequence[str]) -> int:
    """``python -m socket_runtime.app DIR``."""
    if len(argv) != 1 or argv[0].startswith('-'):
        sys.stderr.write('usage: python -m socket_runtime.app DIR\n')
        return UsageError.exit_code
    try:
        config = load(Path(argv[0]), debug=True)
        if config.python.main is not None:
            return run_program(config)
        return run_app(config)
    except LocalError as error:
        sys.stderr.write(f'error: {error}\n')
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def run_program(config: Config, options: RunOptions | None = None) -> int:
    """Run the app's own Python program (``[python] main``) in this process.

    Raises:
        LocalError: as ``run_app``.
    """
    import runpy

    assert config.python.main is not None
    set_current(config, options)
    program = str(config.python.main)
    former_argv, former_path = sys.argv, list(sys.path)
    sys.argv = [program]
    sys.path.insert(0, str(config.python.main.parent))
    try:
        runpy.run_path(program, run_name='__main__')
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        set_current(None)
        sys.argv, sys.path[:] = former_argv, former_path
    return 0


def dev_server(options: RunOptions) -> Fetch | None:
    """What reads the app's files from the development server, if one was named.

    Raises:
        PortError: nothing answers there.
    """
    if options.dev_server is None:
        return None
    from socket_runtime.app.devproxy import DevProxy

    host, port = options.dev_server
    proxy = DevProxy(host, port)
    proxy.check()
    return proxy.fetch


class Wishes:
    """What ``RunOptions`` asks of a running app; made by ``App.run`` before the host starts.

    Args:
        app: the app.
        options: the wishes.
    """

    def __init__(self, app: App, options: RunOptions) -> None:
        self._app = app
        self._options = options
        self._picture_taken: bool | None = None
        self._watcher: Any = None
        if options.screenshot is not None:
            app.on('loaded')(self._take_picture_later)
            app.on('ready')(self._limit_picture)
        if options.live_reload:
            app.on('ready')(self._watch)

    def _take_picture_later(self, window: Any) -> None:
        threading.Timer(SETTLE, self._take_picture, (window,)).start()

    def _take_picture(self, window: Any) -> None:
        if self._picture_taken is not None:
            return
        try:
            window.screenshot(str(self._options.screenshot))
            self._picture_taken = True
        except UsageError:
            self._picture_taken = False
        self._app.quit()

    def _limit_picture(self, app: App) -> None:
        def give_up() -> None:
            if self._picture_taken is None:
                self._picture_taken = False
                app.quit()

        timer = threading.Timer(PICTURE_LIMIT, give_up)
        timer.daemon = True
        timer.start()

    def _watch(self, app: App) -> None:
        from socket_runtime.app.livereload import Watcher

        folders = [app.config.resources, *app.config.build.watch]
        self._watcher = Watcher(folders, lambda _changed: self._reload())
        self._watcher.start()

    def _reload(self) -> None:
        for window in self._app.windows:
            window.reload()

    def conclude(self, code: int) -> int:
        """After the run: the exit code.

        Raises:
            PageError: the page failed while it loaded.
            UsageError: no picture could be taken.
        """
        if self._watcher is not None:
            self._watcher.stop()
        errors = self._app.page_errors
        if self._options.report_errors and errors and not code:
            raise PageError(
                f'the page failed: {errors[0]}',
                hint='The messages above tell where; the page itself, its modules and its policy are in '
                + str(self._app.config.resources),
            )
        if self._options.screenshot is not None and not self._picture_taken:
            raise UsageError(f'no picture of the window could be written to {self._options.screenshot}')
        return code
