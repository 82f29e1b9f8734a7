"""The one web context that all windows of an app share, and its views.

One context means one network process, one sandbox and one place where our schemes are registered
(registering twice on a context is refused by WebKit). pywebview makes a context and a view of its own
for every window, by the names ``webkit.WebContext``, ``webkit.UserContentManager`` and
``webkit.WebView``; ``Seam`` stands in for that module and hands out ours.

The first view is made, and its page begins to load, before pywebview is even imported: starting the
web process takes a few hundred milliseconds on another core, and our imports hide behind it.
"""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Callable
from typing import Any

from socket_runtime.errors import WebviewError
from socket_runtime.host.contract import HostOptions
from socket_runtime.host.gtk._gi import WebKit

__all__ = ['PageView', 'SharedContext', 'has_gpu']

SCHEMES = ('socket', 'ipc')

_log = logging.getLogger('socket_runtime.host')


def has_gpu() -> bool:
    """Whether the kernel offers a render node. Without one, Mesa draws in software, and the web process
    then costs 50 MB more for no gain (docs/benchmarks.md)."""
    return bool(glob.glob('/dev/dri/renderD*'))


def _refuse_download(_context: Any, download: Any) -> None:
    _log.warning('download refused: %s', ascii((download.get_request().get_uri() or '')[:200])[1:-1])
    download.cancel()


def _is_installed(program: str) -> bool:
    """``shutil.which``, whose module would load three compression libraries into every app."""
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in os.get_exec_path())


class PageView(WebKit.WebView):  # type: ignore[misc]
    """A view that pywebview may show, but not steer.

    Its filler page is ignored, and so are its signal handlers: for navigation (it hands any link to the
    system's browser), loads (its bridge), requests (a call into Python for every file) and drops. Only the
    one stays that tells its own window when it is visible.
    """

    __gtype_name__ = 'SocketRuntimePageView'

    def load_html(self, *_: object) -> None:
        return None

    def connect(self, signal: str, *handler: Any) -> int:
        return self.listen(signal, *handler) if signal == 'notify::visible' else 0

    def listen(self, signal: str, *handler: Any) -> int:
        """``connect`` as GObject means it; for us."""
        return int(super().connect(signal, *handler))


class SharedContext:
    """Context, schemes and views.

    Args:
        options: what holds for the whole app.
        on_request: called with scheme, view and WebKit's request.
    """

    def __init__(self, options: HostOptions, on_request: Callable[[str, Any, Any], None]) -> None:
        self.options = options
        self._first_view: Any = None
        self._prepared: list[tuple[Any, Any]] = []
        self.session: Any = None
        self.context = self._make_context()
        self._register(on_request)

    def _make_context(self) -> Any:
        storage = self.options.storage
        if storage is None:
            context = WebKit.WebContext.new_ephemeral()
        else:
            # one by one: only the last folder of a whole path gets the mode, and the one above is the app's own
            for folder in (os.path.dirname(storage), storage):
                os.makedirs(folder, mode=0o700, exist_ok=True)
            manager = WebKit.WebsiteDataManager(
                base_data_directory=storage, base_cache_directory=os.path.join(storage, 'cache')
            )
            context = WebKit.WebContext.new_with_website_data_manager(manager)
        if self.options.sandbox:
            for tool in ('bwrap', 'xdg-dbus-proxy'):
                if not _is_installed(tool):
                    raise WebviewError(
                        f"the webview's sandbox needs {tool}",
                        hint='apt-get install bubblewrap xdg-dbus-proxy, or set [webview] sandbox = false',
                    )
            # later than this, WebKit ends the process
            context.set_sandbox_enabled(True)
        # a link with `download`, in a frame too, would write what it likes into the user's folders
        context.connect('download-started', _refuse_download)
        if self.options.automation:
            context.connect('automation-started', self._automation_started)
            context.set_automation_allowed(True)
        return context

    def _register(self, on_request: Callable[[str, Any, Any], None]) -> None:
        security = self.context.get_security_manager()
        for scheme in SCHEMES:
            # "local" and "display isolated", which the original used, break same-origin imports
            security.register_uri_scheme_as_secure(scheme)
            security.register_uri_scheme_as_cors_enabled(scheme)

        def handler(scheme: str) -> Callable[[Any], None]:
            return lambda request: on_request(scheme, request.get_web_view(), request)

        for scheme in SCHEMES:
            self.context.register_uri_scheme(scheme, handler(scheme))

    def prepare_view(self) -> tuple[Any, Any]:
        """Make a view and its content manager; pywebview's next window will get them."""
        manager = WebKit.UserContentManager()
        settings = WebKit.Settings()
        self._set(settings)
        # given at the birth: acceleration that is taken from a view of a running process ends that process
        properties: dict[str, Any] = {'user_content_manager': manager, 'settings': settings}
        if self.options.automation:
            properties['is_controlled_by_automation'] = True
        if self._first_view is None:
            properties['web_context'] = self.context
        else:
            # one web process for all windows: 18 MB a window instead of 51
            properties['related_view'] = self._first_view
        view = PageView(**properties)
        if self._first_view is None:
            self._first_view = view
        self._prepared.append((view, manager))
        return view, manager

    def forget(self, view: Any) -> None:
        """The view is gone; it can no longer be related to."""
        if view is self._first_view:
            self._first_view = None

    def configure(self, view: Any) -> None:
        """Our settings anew, once pywebview has set its own."""
        self._set(view.get_settings())

    def _set(self, settings: Any) -> None:
        hardware = self.options.hardware_acceleration
        if hardware == 'off' or (hardware == 'auto' and not has_gpu()):
            settings.set_hardware_acceleration_policy(WebKit.HardwareAccelerationPolicy.NEVER)
        settings.set_enable_developer_extras(self.options.developer)
        # a page from the cache would come back without its load, so without policy and token
        settings.set_enable_page_cache(False)
        settings.set_allow_file_access_from_file_urls(False)
        settings.set_allow_universal_access_from_file_urls(False)
        settings.set_javascript_can_access_clipboard(False)
        settings.set_enable_html5_local_storage(True)
        settings.set_enable_html5_database(True)
        settings.set_enable_back_forward_navigation_gestures(False)

    def _automation_started(self, _context: Any, session: Any) -> None:
        self.session = session
        info = WebKit.ApplicationInfo.new()
        info.set_name('socket-runtime')
        session.set_application_info(info)
        session.connect('create-web-view', lambda _session: self._first_view)

    def seam(self, real: Any) -> Seam:
        """What pywebview's GTK module is to see instead of ``WebKit2``."""
        return Seam(real, self)


class Seam:
    """Stands in for ``webview.platforms.gtk.webkit``: the same names, but our context and views."""

    def __init__(self, real: Any, shared: SharedContext) -> None:
        self._real = real
        self._shared = shared
        context = shared.context

        class WebContext:
            """pywebview's three ways to a context all lead to the shared one."""

            @staticmethod
            def new_ephemeral() -> Any:
                return context

            @staticmethod
            def get_default() -> Any:
                return context

            @staticmethod
            def new_with_website_data_manager(_manager: Any) -> Any:
                return context

        self.WebContext = WebContext

    def UserContentManager(self) -> Any:
        """The manager of the view that was prepared first."""
        return self._shared._prepared[0][1]

    def WebView(self, **_: Any) -> Any:
        """The view that was prepared first; it was made with that very manager."""
        return self._shared._prepared.pop(0)[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
