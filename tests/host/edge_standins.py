"""Stand-ins for pywebview's Windows Forms module and for ``_net.py``, to run the WebView2 host without Windows."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from socket_runtime.host.contract import HostOptions, WindowSpec
from socket_runtime.host.edge.host import EdgeHost
from socket_runtime.host.edge.window import EdgeWindow
from tests.host.recorder import Loop, Recorder


class Registry:
    """WebView2's list of scripts: adding takes until ``answer`` is called."""

    def __init__(self) -> None:
        self.scripts: dict[str, str] = {}
        self.coming: list[Callable[[bool], None]] = []

    def add(self, script: str, registered: Callable[[str | None], None]) -> None:
        name = f'id {len(self.coming)}'

        def answer(good: bool) -> None:
            if good:
                self.scripts[name] = script
            registered(name if good else None)

        self.coming.append(answer)

    def remove(self, name: str) -> None:
        del self.scripts[name]


class Event:
    def __init__(self) -> None:
        self.handlers: list[Callable[[], Any]] = []
        self.is_set = False

    def __iadd__(self, handler: Callable[[], Any]) -> Event:
        self.handlers.append(handler)
        return self

    def set(self) -> bool:
        self.is_set = True
        return any(handler() is False for handler in self.handlers)


class PywebviewWindow:
    def __init__(self, uid: str, title: str, url: str | None, *, html: str, **options: Any) -> None:
        self.uid, self.title, self.options = uid, title, options
        self.html: str | None = html
        self.real_url: str | None = 'http://127.0.0.1/'
        names = ('initialized', 'before_show', 'closing', 'before_load', '_pywebviewready', 'loaded')
        self.events = SimpleNamespace(**{name: Event() for name in names})

    def _initialize(self, gui: Any) -> None:
        self.events.initialized.set()


class Core:
    """Stands in for ``_net.Core``."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.add_preload = self.registry.add
        self.remove_preload = self.registry.remove
        self.log: list[tuple[Any, ...]] = []
        self.programs: list[Callable[[str | None], None]] = []

    def navigate(self, url: str) -> None:
        self.log.append(('navigate', url))

    def reload(self) -> None:
        self.log.append(('reload',))

    def execute(self, program: str, done: Callable[[str | None], None]) -> None:
        self.log.append(('execute', program))
        self.programs.append(done)

    def capture(self, path: str, done: Callable[[bool], None]) -> None:
        done(path == 'good')

    def inspect(self) -> None:
        self.log.append(('inspect',))


class Net:
    """Stands in for ``_net.py``."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.watched: list[int] = []

    def browser_class(self, base: Any, host: EdgeHost) -> Any:
        net = self

        class Browser(base):  # type: ignore[misc]
            def __init__(self, form: Any, window: PywebviewWindow, cache_dir: str) -> None:
                host.loop_started(net.loop.post)
                self.ours = host.window_of(window)
                self.core = Core()
                # WebView2 comes later
                net.loop.post(lambda: self.ours.ready(self.core))

        return Browser

    def watch_form(self, window: EdgeWindow, form: Any) -> None:
        self.watched.append(window.id)

    def set_background(self, form: Any, color: str) -> None:
        form.color = color

    def screen_size(self) -> tuple[int, int]:
        return 1920, 1080


class Platform:
    """Stands in for ``webview.platforms.winforms``, as far as windows go."""

    def __init__(self) -> None:
        base = type('EdgeChrome', (), {})
        broken = lambda *_: pytest.fail('the bridge')  # noqa: E731
        self.Chromium = SimpleNamespace(EdgeChrome=base, inject_pywebview=broken, js_bridge_call=broken)
        self.BrowserView = SimpleNamespace(instances={})
        self.titles: list[str] = []

    def create_window(self, window: PywebviewWindow) -> None:
        form = SimpleNamespace(uid=window.uid, is_fullscreen=False, closed=False, fullscreens=0)
        form.Close = lambda: setattr(form, 'closed', True)
        form.toggle_fullscreen = lambda: setattr(form, 'is_fullscreen', not form.is_fullscreen)
        form.browser = self.Chromium.EdgeChrome(form, window, 'cache')
        self.BrowserView.instances[window.uid] = form
        assert window.html is None and window.real_url is None
        window.events.before_show.set()

    def set_title(self, title: str, uid: str) -> None:
        self.titles.append(title)

    def get_size(self, uid: str) -> tuple[int, int] | None:
        return (640, 480) if uid in self.BrowserView.instances else None

    def get_position(self, uid: str) -> tuple[int, int] | None:
        return (10, 20) if uid in self.BrowserView.instances else None

    def create_file_dialog(self, kind: int, *_: object) -> tuple[str, ...] | None:
        return (f'chosen {kind}',) if kind != 20 else None


class Webview:
    Window = PywebviewWindow
    FileDialog = SimpleNamespace(OPEN=10, SAVE=30, FOLDER=20)

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.windows: list[PywebviewWindow] = []
        self.settings: dict[str, Any] = {}
        self.started: dict[str, Any] = {}

    def create_window(self, *_: object, **__: object) -> None:
        pytest.fail('it would show the window at once on a thread that is not the main one')

    def start(self, **options: Any) -> None:
        self.started = options
        for window in list(self.windows):
            window._initialize(self.platform)
            self.platform.create_window(window)


class Made:
    """A host with one window whose WebView2 is there."""

    def __init__(self, **options: Any) -> None:
        self.app, self.net, self.platform = Recorder(), Net(), Platform()
        self.host = EdgeHost(self.app, HostOptions('socket://a', **options))
        self.window = self.host.create_window(WindowSpec('one', 'socket://a/index.html'))
        self.webview = Webview(self.platform)
        self.host.run_with(self.webview, self.platform, self.net)
        self.net.loop.run()
        self.host._running = True
        self.form = self.platform.BrowserView.instances['master']
        self.core: Core = self.form.browser.core

    def navigate(self, url: str = 'socket://a/index.html', number: int = 1) -> None:
        assert self.window.may_navigate(url, number, redirected=False)
