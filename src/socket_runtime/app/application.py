"""The app: commands, windows and the life from ``run`` to its exit code."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from socket_runtime._version import __version__
from socket_runtime.app.config import Config, current, current_options, load
from socket_runtime.errors import ProjectError, UsageError
from socket_runtime.host.contract import Host, HostOptions, WindowSpec
from socket_runtime.ipc.command import Command, Commands

# What a page needs is imported in `_wire`, while the engine's processes start: not before (docs/benchmarks.md).
if TYPE_CHECKING:
    from socket_runtime.app.assets import Fetch
    from socket_runtime.app.testing import TestClient
    from socket_runtime.app.window import Window
    from socket_runtime.ipc.document import Document

__all__ = ['App']

F = TypeVar('F', bound=Callable[..., Any])
_log = logging.getLogger('socket_runtime.app')

#: The app's own events, for ``App.on``.
EVENTS = ('ready', 'loaded', 'failed', 'crashed', 'closing', 'closed', 'message', 'console', 'exit')

_PLATFORMS = {'linux': 'linux', 'darwin': 'darwin', 'win32': 'win32'}
_ARCHITECTURES = {'x86_64': 'x64', 'amd64': 'x64', 'aarch64': 'arm64', 'arm64': 'arm64', 'i686': 'ia32'}


class App:
    """An app: its pages in a folder, its commands in Python.

    ::

        from socket_runtime import App

        app = App.from_project('.')

        @app.command('notes.list')
        def list_notes(folder: str = '') -> list[str]:
            ...

        app.run()

    Args:
        config: as ``app.config.load`` reads it from ``socket.ini``; without one, what ``ssc run`` set, or
            ``socket.ini`` beside the program.

    Raises:
        ConfigError, ProjectError: the project is not usable.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or current() or _beside_program()
        self.origin = self.config.origin
        self.commands = Commands()
        self.exit_code = 0
        self.page_errors: list[str] = []
        self._own: set[str] = set()
        self._listeners: dict[str, list[Callable[..., Any]]] = {name: [] for name in EVENTS}
        self._windows: dict[int, Window] = {}
        self._host: Host | None = None
        self._gui_thread = 0
        self._wired = False
        self._fetch: Fetch | None = None
        self._host_name: str | None = None
        self._options: dict[str, Any] = {}

    @classmethod
    def from_project(cls, path: str | os.PathLike[str], *, debug: bool | None = None) -> App:
        """The app of a project's folder (with ``socket.ini``), or of a build.

        A program that ``ssc`` started in that folder gets the configuration that it was started with.
        """
        started = current()
        if started is not None and Path(path).resolve().is_relative_to(started.project.resolve()):
            return cls(started)
        return cls(load(Path(path), debug=True if debug is None else debug))

    # -- what the author writes ------------------------------------------------------------------------

    def command(
        self,
        name: str,
        *,
        grant: str | None = None,
        inline: bool = False,
        timeout: float | None = 32.0,
        max_body: int = 64 << 20,
    ) -> Callable[[F], F]:
        """Make a function callable from pages, as ``ipc://<name>``, under the same gate as everything else.

        Its parameters are the call's arguments, checked by their annotations before it runs; one of type
        ``bytes`` takes a binary body, one of type ``Upload`` what the page streams, one of type ``Call``
        the call itself. It may be a plain function (runs on a thread), ``async`` (runs on the asyncio
        loop) or a generator of either sort (streams to the page; of ``bytes``: raw).

        Args:
            grant: a grant of ``socket.ini`` that it needs besides the page's policy.
            inline: run on the GUI's thread; for what takes less than 0.2 ms and never waits.
            timeout: seconds until the page is told ``Timeout``; ``None`` for no limit.
            max_body: bytes that the request's body may have.

        Raises:
            UsageError: the name is malformed or taken.
        """

        def add(function: F) -> F:
            self.commands.add(
                Command(
                    name,
                    function,
                    grant=grant,
                    inline=inline,
                    timeout=timeout,
                    max_body=max_body,
                    help=(function.__doc__ or '').partition('\n')[0],
                )
            )
            self._own.add(name)
            return function

        return add

    def on(self, event: str) -> Callable[[F], F]:
        """Call a function at one of the app's events; on the GUI's thread, so it must not wait.

        ``ready(app)``, ``loaded(window)``, ``failed(window, url, message)``, ``crashed(window, reason)``,
        ``closing(window)`` (``False`` keeps it open), ``closed(window)``, ``message(window, name, value)``
        (a page's ``window.send``), ``console(window, level, text)`` (on a worker's thread), ``exit(code)``.
        """
        if event not in self._listeners:
            raise UsageError(f'there is no event {event!r}', hint='There are: ' + ', '.join(EVENTS))

        def add(function: F) -> F:
            self._listeners[event].append(function)
            return function

        return add

    def folder(self, name: str) -> Path:
        """One of the app's folders, by the name that grants use: ``DATA``, ``CONFIG``, ``CACHE``, ``TMP``, ...

        Raises:
            UsageError: there is no such name.
        """
        from socket_runtime.app.folders import app_folders

        folders = app_folders(self.config.bundle_identifier.lower(), self.config.resources, self.config.debug)
        if name not in folders:
            raise UsageError(f'there is no folder {name!r}', hint='There are: ' + ', '.join(folders))
        return folders[name]

    @property
    def windows(self) -> list[Window]:
        """The open windows, oldest first."""
        return list(self._windows.values())

    def create_window(self, url: str = '', **options: Any) -> Window:
        """Open a window on one of the app's pages.

        Args:
            url: a path of the app's files; empty for the index.
            options: fields of ``WindowSpec`` (title, width, height, resizable, ...); what is not given comes
                from ``socket.ini``'s ``[window]``.

        Raises:
            UsageError: the app does not run yet, or an option is unknown.
        """
        if self._host is None:
            raise UsageError('windows are created once the app runs', hint="Use @app.on('ready')")
        spec = self._spec(url, options)
        if not self.on_gui_thread:
            done = threading.Event()
            made: list[Window] = []

            def make() -> None:
                made.append(self._make_window(spec))
                done.set()

            self.post(make)
            done.wait()
            return made[0]
        return self._make_window(spec)

    def emit(self, name: str, detail: Any = None) -> None:
        """Send an event to the pages of all windows; see ``Window.emit``."""
        for window in self.windows:
            window.emit(name, detail)

    def quit(self, code: int = 0, *, after: float = 0.0) -> None:
        """End the app, ``after`` seconds from now; ``run`` returns ``code``. Any thread."""
        self.exit_code = code
        if (host := self._host) is not None:
            host.post_later(after, host.quit)

    def run(
        self,
        *,
        headless: bool = False,
        host: str | None = None,
        automation: bool = False,
        fetch: Fetch | None = None,
        engine_csp: bool = True,
    ) -> int:
        """Show the first window and run until the last one is closed; on the main thread.

        Args:
            headless: on a display of its own (Xvfb), where there is none or nobody should see it.
            host: ``gtk | cocoa | edge | qt`` instead of the system's own.
            automation: let a WebDriver drive the app; for tests.
            fetch: read the app's files from elsewhere (development server).
            engine_csp: ``False`` leaves the policy to the gate alone; for tests of the gate.

        Returns:
            the exit code: what ``quit`` was given, else 0.

        Raises:
            LocalError: it cannot start; says why, and how to mend it.
        """
        from socket_runtime.app.run import Wishes, dev_server

        if threading.current_thread() is not threading.main_thread():
            raise UsageError('App.run is called on the main thread')
        options = current_options()
        wishes = Wishes(self, options)
        self._fetch = fetch or dev_server(options)
        display = None
        if (headless or options.headless) and sys.platform == 'linux':
            from socket_runtime.host.virtual_display import VirtualDisplay

            display = VirtualDisplay()
        try:
            code = self._run(host, automation or options.automation, engine_csp)
        finally:
            if display is not None:
                display.close()
        return wishes.conclude(code)

    # -- the run ---------------------------------------------------------------------------------------

    def _run(self, host_name: str | None, automation: bool, engine_csp: bool) -> int:
        from socket_runtime.app.callbacks import AppCallbacks
        from socket_runtime.host import make_host

        config = self.config
        if self._fetch is None and not config.start_file.is_file():
            raise ProjectError(
                f'{config.start_file} is missing',
                hint='Write it, or begin with: ssc init',
            )
        self._gui_thread = threading.get_ident()
        options = HostOptions(
            origin=self.origin,
            hardware_acceleration=config.webview.hardware_acceleration,
            sandbox=config.webview.sandbox,
            storage=str(self.folder('DATA') / '.webview') if config.webview.storage else None,
            developer=config.debug,
            automation=automation,
            engine_csp=engine_csp,
        )
        gc.disable()  # until the first page has loaded: a start makes much and drops nothing
        host = self._host = make_host(AppCallbacks(self), options, host_name)
        try:
            # the engine's processes start now, on another core; nothing calls back before `host.run`
            self._make_window(self._spec('', {}))
            self._wire(engine_csp)
            self.post(self._tell_ready)
            host.run()
        finally:
            self._host = None
            gc.enable()
            if self._wired:
                self.pool.close()
            self._tell_all('exit', self.exit_code)
        return self.exit_code

    def _wire(self, engine_csp: bool = True) -> None:
        """Bring the parts together: services, gate, router, assets."""
        from socket_runtime.app.assets import Assets
        from socket_runtime.app.pool import Pool
        from socket_runtime.app.wiring import service_commands
        from socket_runtime.ipc.document import Documents
        from socket_runtime.ipc.gate import Gate
        from socket_runtime.ipc.results import Replies
        from socket_runtime.ipc.router import Router

        if not self._wired:
            self.services = service_commands(self)
            self.commands.extend(self.services.commands)
        config = self.config
        self.grants = self.services.grants
        self.pool = Pool(self.post, self._post_later)
        gate = Gate(self.commands, self.grants, self.origin, self.services.runtime_grants)
        replies = Replies(self.origin)
        self.router = Router(gate, self.pool, replies, self.grants, self._offer_file, debug=config.debug)
        self.router.services = self
        self.documents = Documents(self.origin, self._document_gone)
        self.assets = Assets(
            self.origin,
            config.resources,
            self.documents,
            self.commands.names,
            self.pool,
            index=config.webview.default_index,
            configured=config.webview.policies,
            extra_headers=config.webview.headers,
            fetch=self._fetch,
            engine_csp=engine_csp,
            on_bad_page=self.page_errors.append,
        )
        self._wired = True

    def _spec(self, url: str, options: dict[str, Any]) -> WindowSpec:
        window = self.config.window
        assert self._host is not None
        screen = self._host.screen_size()
        values: dict[str, Any] = {
            'title': self.config.title,
            'width': window.width.resolve(screen[0]),
            'height': window.height.resolve(screen[1]),
            'min_width': window.min_width.resolve(screen[0]),
            'min_height': window.min_height.resolve(screen[1]),
            'resizable': window.resizable,
            'frameless': window.frameless,
            'fullscreen': window.fullscreen,
            'maximized': window.maximized,
            'on_top': window.on_top,
            'background': window.background_light,
        }
        try:
            return WindowSpec(**{**values, **options}, url=self.url(url))
        except TypeError as error:
            raise UsageError(f'create_window: {error}') from error

    def _make_window(self, spec: WindowSpec) -> Window:
        from socket_runtime.app.window import Window

        assert self._host is not None
        native = self._host.create_window(spec)
        window = self._windows[native.id] = Window(self, native, spec)
        return window

    def url(self, path: str) -> str:
        """The whole URL of one of the app's pages.

        Raises:
            UsageError: ``path`` leads out of the app.
        """
        if path.startswith(self.origin + '/'):
            return path
        if ':' in path.partition('/')[0] or path.startswith('//'):
            raise UsageError(f'{path!r} is not a page of the app', hint='Name a path of its files: about.html')
        return f'{self.origin}/{path.lstrip("/")}' if path else self.config.start_url

    # -- threads ---------------------------------------------------------------------------------------

    @property
    def on_gui_thread(self) -> bool:
        """Whether the caller is on the GUI's thread."""
        return threading.get_ident() == self._gui_thread

    def post(self, function: Callable[[], None]) -> None:
        """Run ``function`` on the GUI's thread, soon. Any thread may call this; after the end it does
        nothing."""
        if (host := self._host) is not None:
            host.post(function)

    def _post_later(self, seconds: float, function: Callable[[], None]) -> None:
        if (host := self._host) is not None:
            host.post_later(seconds, function)

    # -- what the callbacks tell -----------------------------------------------------------------------

    def _tell_all(self, event: str, *arguments: Any) -> list[Any]:
        results: list[Any] = []
        for listener in self._listeners[event]:
            try:
                results.append(listener(*arguments))
            except Exception:  # the outermost door of the author's own code
                _log.exception('a listener of %r failed', event)
        return results

    def tell(self, window: int, name: str, detail: Any) -> None:
        """Send an event to one window's page, if it is there; what is too much is dropped here, since the
        GUI's thread must not wait."""
        if (target := self._windows.get(window)) is not None:
            try:
                target.emit(name, detail)
            except UsageError:
                _log.debug('event %s dropped: the page does not take any', name)

    def _tell_ready(self) -> None:
        self._tell_all('ready', self)

    def page_changed(self, window: int) -> None:
        if (target := self._windows.get(window)) is not None:
            target.page_changed()

    def page_loaded(self, window: int) -> None:
        if (target := self._windows.get(window)) is None:
            return

        if not gc.isenabled():
            gc.freeze()  # what the start has made stays; the collector need not look at it again
            gc.enable()

        def loaded() -> None:
            target.page_loaded()
            self._tell_all('loaded', target)

        target.when_loaded(loaded)

    def page_failed(self, window: int, url: str, message: str) -> None:
        target = self._windows.get(window)
        if target is None or target.is_loading:
            self.page_errors.append(f'{url}: {message}')
        _log.error('the page %s could not be loaded: %s', ascii(url[:200])[1:-1], message)
        self._tell_all('failed', target, url, message)

    def page_crashed(self, window: int, reason: str) -> None:
        _log.error('the web process of window %d ended (%s); reload() starts it anew', window, reason)
        if (target := self._windows.get(window)) is not None:
            target.page_changed()
            self._tell_all('crashed', target, reason)

    def console(self, window: int, level: str, text: str) -> None:
        """A line of a page's console; on a worker's thread."""
        target = self._windows.get(window)
        if level in ('uncaught', 'policy') and (target is None or target.is_loading):
            self.page_errors.append(text.partition('\n')[0])
        self._tell_all('console', target, level, text)

    def may_close(self, window: int) -> bool:
        return False not in self._tell_all('closing', self._windows.get(window))

    def window_closed(self, window: int) -> None:
        target = self._windows.pop(window, None)
        if target is not None:
            target.events.close()
            self.services.runtime_grants.revoke_window(window)
            self._tell_all('closed', target)

    def _document_gone(self, document: Document) -> None:
        self.router.document_gone(document)
        self.services.document_gone(document)

    def _offer_file(self, window: int, fd: int, name: str, done: Callable[[bool], None]) -> None:
        target = self._windows.get(window)
        if target is None:
            done(False)
        else:
            target._native.offer_file(fd, name, done)

    # -- services.window.WindowControl -----------------------------------------------------------------

    def window(self, number: int) -> Window | None:
        """The window of that number."""
        return self._windows.get(number)

    def window_numbers(self) -> list[int]:
        """The numbers of the open windows."""
        return list(self._windows)

    def open_window(self, url: str, options: dict[str, Any]) -> int:
        """``window.create`` of a page."""
        return self.create_window(url, **options).index

    def screen_size(self) -> tuple[int, int]:
        """The main screen's size in pixels."""
        assert self._host is not None
        return self._host.screen_size()

    def send(self, source: int, target: int | None, event: str, value: Any) -> None:
        """``window.send`` of a page: to one window, or to all others and the app."""
        for number in [target] if target is not None else [n for n in self._windows if n != source]:
            self.tell(number, event, value)
        if target is None:
            self._tell_all('message', self._windows.get(source), event, value)

    def grant_path(self, path: str, *, write: bool) -> None:
        """Grant the app's pages exactly this path, picked by the user, until the app ends (C6)."""
        self.services.grant_path(path, write=write)

    def facts(self) -> dict[str, Any]:
        """What pages may know of the app and the runtime."""
        config = self.config
        machine = os.uname().machine if hasattr(os, 'uname') else os.environ.get('PROCESSOR_ARCHITECTURE', '')
        return {
            'name': config.name,
            'title': config.title,
            'version': config.version,
            'bundleIdentifier': config.bundle_identifier,
            'debug': config.debug,
            'pid': os.getpid(),
            'cwd': str(config.resources),
            'argv': [config.program_name],
            'env': {name: os.environ[name] for name in config.build.env if name in os.environ},
            'platform': _PLATFORMS.get(sys.platform, sys.platform),
            'arch': _ARCHITECTURES.get(machine.lower(), machine),
            'runtimeVersion': __version__,
            'pythonVersion': '.'.join(map(str, sys.version_info[:3])),
        }

    # -- tests of apps ---------------------------------------------------------------------------------

    def test_client(self, policy: str | Iterable[str] | None = None, *, page: str = '') -> TestClient:
        """A page without a display, for tests: it calls commands through the same gate and router.

        Args:
            policy: sources of the page's ``connect-src``, such as ``'ipc://notes.*'``; ``None`` loads the page
                itself, with the policy that is in it.
            page: which page; empty for the index.
        """
        from socket_runtime.app.testing import TestClient

        return TestClient(self, policy, page)


def _beside_program() -> Config:
    """The configuration of the program that is being run: ``socket.ini`` beside it, or defaults."""
    program = Path(getattr(sys.modules.get('__main__'), '__file__', None) or 'app.py').resolve()
    if (program.parent / 'socket.ini').is_file():
        return load(program.parent, debug=True)
    return Config.for_script(program)
