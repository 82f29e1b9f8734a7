"""Everything that needs Windows: the .NET types of Windows Forms and WebView2.

Imported by ``EdgeHost.run`` alone, after pywebview's Windows Forms module, which has loaded the assemblies.
Written against the real interfaces and not yet run. Each event is handed to an ``EdgeWindow``, and nothing is
decided here.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from threading import Semaphore
from typing import TYPE_CHECKING, Any

import System.Windows.Forms as WinForms
from Microsoft.Web.WebView2.Core import (
    CoreWebView2CapturePreviewImageFormat,
    CoreWebView2CustomSchemeRegistration,
    CoreWebView2Environment,
    CoreWebView2EnvironmentOptions,
    CoreWebView2PermissionState,
    CoreWebView2WebResourceContext,
    CoreWebView2WebResourceRequestSourceKinds,
)
from Microsoft.Web.WebView2.WinForms import WebView2
from System import Action, Array, Byte, IntPtr, String
from System.Collections.Generic import List
from System.Drawing import ColorTranslator
from System.IO import FileMode, FileStream, MemoryStream
from System.Runtime.InteropServices import Marshal
from System.Threading import SendOrPostCallback, SynchronizationContext
from System.Threading.Tasks import Task, TaskScheduler

from socket_runtime.host.edge.host import SCHEMES, browser_arguments

if TYPE_CHECKING:
    from socket_runtime.host.contract import HostOptions
    from socket_runtime.host.edge.host import EdgeHost
    from socket_runtime.host.edge.window import EdgeWindow

__all__ = ['MEMBERS', 'Core', 'Request', 'browser_class', 'screen_size', 'set_background', 'watch_form']

logger = logging.getLogger(__name__)

#: Every member of the WebView2 assemblies that is used here; a test looks them up in the assemblies that
#: pywebview brings. Constructors and overloads have the number of their parameters.
MEMBERS: dict[str, tuple[str, ...]] = {
    'CoreWebView2': (
        'AddScriptToExecuteOnDocumentCreatedAsync/1',
        'AddWebResourceRequestedFilter/3',
        'CapturePreviewAsync/2',
        'ContentLoading',
        'DownloadStarting',
        'Environment',
        'ExecuteScriptAsync/1',
        'FrameNavigationStarting',
        'Navigate/1',
        'NavigationCompleted',
        'NavigationStarting',
        'NewWindowRequested',
        'OpenDevToolsWindow/0',
        'PermissionRequested',
        'ProcessFailed',
        'Reload/0',
        'RemoveScriptToExecuteOnDocumentCreated/1',
        'Settings',
        'WebResourceRequested',
        'WindowCloseRequested',
    ),
    'CoreWebView2CapturePreviewImageFormat': ('Png',),
    'CoreWebView2ContentLoadingEventArgs': ('IsErrorPage', 'NavigationId'),
    'CoreWebView2ControllerOptions': ('IsInPrivateModeEnabled',),
    'CoreWebView2CustomSchemeRegistration': ('.ctor/1', 'AllowedOrigins', 'HasAuthorityComponent', 'TreatAsSecure'),
    'CoreWebView2Deferral': ('Complete/0',),
    'CoreWebView2DownloadStartingEventArgs': ('Cancel',),
    'CoreWebView2Environment': (
        'CreateAsync/3',
        'CreateCoreWebView2ControllerOptions/0',
        'CreateWebResourceResponse/4',
    ),
    'CoreWebView2EnvironmentOptions': ('.ctor/5',),
    'CoreWebView2HttpRequestHeaders': ('Contains/1', 'GetHeader/1'),
    'CoreWebView2InitializationCompletedEventArgs': ('InitializationException', 'IsSuccess'),
    'CoreWebView2NavigationCompletedEventArgs': ('IsSuccess', 'NavigationId', 'WebErrorStatus'),
    'CoreWebView2NavigationStartingEventArgs': ('Cancel', 'IsRedirected', 'NavigationId', 'Uri'),
    'CoreWebView2NewWindowRequestedEventArgs': ('Handled', 'Uri'),
    'CoreWebView2PermissionRequestedEventArgs': ('State',),
    'CoreWebView2PermissionState': ('Deny',),
    'CoreWebView2ProcessFailedEventArgs': ('ProcessFailedKind',),
    'CoreWebView2ProcessFailedKind': ('BrowserProcessExited', 'RenderProcessExited'),
    'CoreWebView2Settings': (
        'AreBrowserAcceleratorKeysEnabled',
        'AreDefaultContextMenusEnabled',
        'AreDevToolsEnabled',
        'AreHostObjectsAllowed',
        'IsBuiltInErrorPageEnabled',
        'IsGeneralAutofillEnabled',
        'IsPasswordAutosaveEnabled',
        'IsStatusBarEnabled',
        'IsSwipeNavigationEnabled',
        'IsWebMessageEnabled',
    ),
    'CoreWebView2WebErrorStatus': ('OperationCanceled',),
    'CoreWebView2WebResourceContext': ('All', 'Document'),
    'CoreWebView2WebResourceRequest': ('Content', 'Headers', 'Method', 'Uri'),
    'CoreWebView2WebResourceRequestSourceKinds': ('All',),
    'CoreWebView2WebResourceRequestedEventArgs': ('GetDeferral/0', 'Request', 'ResourceContext', 'Response'),
    'WebView2': (
        'CoreWebView2',
        'CoreWebView2InitializationCompleted',
        'DefaultBackgroundColor',
        'EnsureCoreWebView2Async/2',
    ),
}


class Request:
    """``scheme.NativeRequest`` upon ``CoreWebView2WebResourceRequestedEventArgs``."""

    def __init__(self, environment: Any, args: Any) -> None:
        self._environment = environment
        self._args = args
        self._deferral = args.GetDeferral()
        self.uri = str(args.Request.Uri)
        self.method = str(args.Request.Method)
        self.is_document = args.ResourceContext == CoreWebView2WebResourceContext.Document

    def header(self, name: str) -> str | None:
        headers = self._args.Request.Headers
        return str(headers.GetHeader(name)) if headers.Contains(name) else None

    def read(self, most: int) -> bytes:
        content = self._args.Request.Content
        if content is None:
            return b''
        buffer = Array.CreateInstance(Byte, most)
        count = content.Read(buffer, 0, most)
        return bytes(memoryview(buffer)[:count]) if count > 0 else b''

    def respond(self, status: int, phrase: str, headers: str, body: bytes) -> None:
        stream = MemoryStream(_net_bytes(body)) if body else None
        self._args.Response = self._environment.CreateWebResourceResponse(stream, status, phrase, headers)
        self._deferral.Complete()


def _net_bytes(data: bytes) -> Any:
    """``data`` as a .NET array, copied in one go: pythonnet itself would go byte by byte."""
    array = Array.CreateInstance(Byte, len(data))
    Marshal.Copy(IntPtr(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0), array, 0, len(data))
    return array


class Core:
    """``CoreWebView2``, and what ``EdgeWindow`` asks of it.

    Args:
        native: ``CoreWebView2``.
        scheduler: runs continuations on the GUI's thread.
    """

    def __init__(self, native: Any, scheduler: Any) -> None:
        self._native = native
        self._scheduler = scheduler

    def navigate(self, url: str) -> None:
        """Load ``url``."""
        self._native.Navigate(url)

    def reload(self) -> None:
        """Load the page anew."""
        self._native.Reload()

    def inspect(self) -> None:
        """Show the developer's tools."""
        self._native.OpenDevToolsWindow()

    def add_preload(self, script: str, registered: Callable[[str | None], None]) -> None:
        """Register a script for all documents to come."""
        self._then(self._native.AddScriptToExecuteOnDocumentCreatedAsync(script), registered)

    def remove_preload(self, name: str) -> None:
        """Take a script off."""
        self._native.RemoveScriptToExecuteOnDocumentCreated(name)

    def execute(self, program: str, done: Callable[[str | None], None]) -> None:
        """Run a program; ``done`` gets the JSON of its value."""
        self._then(self._native.ExecuteScriptAsync(program), done)

    def _then(self, task: Any, done: Callable[[str | None], None]) -> None:
        def finished(task: Any) -> None:
            done(None if task.IsFaulted or task.IsCanceled else str(task.Result))

        task.ContinueWith(Action[Task[String]](finished), self._scheduler)

    def capture(self, path: str, done: Callable[[bool], None]) -> None:
        """Write what the view shows to ``path``, as PNG."""
        stream = FileStream(path, FileMode.Create)

        def finished(task: Any) -> None:
            stream.Dispose()
            done(not (task.IsFaulted or task.IsCanceled))

        task = self._native.CapturePreviewAsync(CoreWebView2CapturePreviewImageFormat.Png, stream)
        task.ContinueWith(Action[Task](finished), self._scheduler)


def browser_class(base: Any, host: EdgeHost) -> Any:
    """pywebview's ``EdgeChrome`` with our environment and our events.

    Its constructor is replaced whole: it makes an environment without our schemes.
    """
    environments = _Environments(host)

    class Browser(base):  # type: ignore[misc]
        def __init__(self, form: Any, window: Any, cache_dir: str) -> None:
            context = SynchronizationContext.Current
            host.loop_started(lambda function: context.Post(SendOrPostCallback(lambda _state: function()), None))
            self.ours = host.window_of(window)
            self.pywebview_window = window
            self.form = form
            self.user_data_folder = cache_dir
            self.url = None
            self.js_results: dict[str, Any] = {}
            self.js_result_semaphore = Semaphore(0)
            self.syncContextTaskScheduler = TaskScheduler.FromCurrentSynchronizationContext()
            self.webview = WebView2()
            form.Controls.Add(self.webview)
            self.webview.Dock = WinForms.DockStyle.Fill
            self.webview.BringToFront()
            self.webview.DefaultBackgroundColor = ColorTranslator.FromHtml(window.background_color)
            self.webview.CoreWebView2InitializationCompleted += self.on_webview_ready
            environments.with_one(cache_dir, self.syncContextTaskScheduler, self._made, self.ours.not_ready)

        def _made(self, environment: Any) -> None:
            options = environment.CreateCoreWebView2ControllerOptions()
            options.IsInPrivateModeEnabled = host.options.storage is None
            self.webview.EnsureCoreWebView2Async(environment, options)

        def on_webview_ready(self, sender: Any, args: Any) -> None:
            if not args.IsSuccess:
                self.ours.not_ready(str(args.InitializationException))
                return
            native = sender.CoreWebView2
            _configure(native, host.options)
            _connect(self.ours, native)
            self.ours.ready(Core(native, self.syncContextTaskScheduler))

        def load_url(self, url: str) -> None:
            self.ours.load(url)

        def load_html(self, *_: object) -> None:
            """pywebview has no page to show here."""

    return Browser


class _Environments:
    """The one environment of the app, made when the first window needs it."""

    def __init__(self, host: EdgeHost) -> None:
        self._host = host
        self._environment: Any = None
        self._waiting: list[tuple[Callable[[Any], None], Callable[[str], None]]] = []

    def with_one(self, folder: str, scheduler: Any, made: Callable[[Any], None], failed: Callable[[str], None]) -> None:
        """Call ``made`` with the environment, or ``failed`` with the reason why there is none."""
        if self._environment is not None:
            made(self._environment)
            return
        self._waiting.append((made, failed))
        if len(self._waiting) > 1:
            return
        task = CoreWebView2Environment.CreateAsync(None, folder, _environment_options(self._host.options))
        task.ContinueWith(Action[Task[CoreWebView2Environment]](self._finished), scheduler)

    def _finished(self, task: Any) -> None:
        waiting, self._waiting = self._waiting, []
        if task.IsFaulted or task.IsCanceled:
            for _made, failed in waiting:
                failed(str(task.Exception))
            return
        self._environment = task.Result
        for made, _failed in waiting:
            made(self._environment)


def _environment_options(options: HostOptions) -> Any:
    registrations = List[CoreWebView2CustomSchemeRegistration]()
    for scheme in SCHEMES:
        registration = CoreWebView2CustomSchemeRegistration(scheme)
        registration.TreatAsSecure = True
        registration.HasAuthorityComponent = True
        origins = List[String]()
        origins.Add(options.origin)
        registration.AllowedOrigins = origins
        registrations.Add(registration)
    return CoreWebView2EnvironmentOptions(browser_arguments(options), None, None, False, registrations)


def _configure(native: Any, options: HostOptions) -> None:
    settings = native.Settings
    # the ways from a page into the host that no policy rules
    settings.IsWebMessageEnabled = False
    settings.AreHostObjectsAllowed = False
    settings.AreBrowserAcceleratorKeysEnabled = options.developer
    settings.AreDefaultContextMenusEnabled = options.developer
    settings.AreDevToolsEnabled = options.developer
    # an error page would be a document without policy
    settings.IsBuiltInErrorPageEnabled = False
    settings.IsGeneralAutofillEnabled = False
    settings.IsPasswordAutosaveEnabled = False
    settings.IsStatusBarEnabled = False
    settings.IsSwipeNavigationEnabled = False
    for scheme in SCHEMES:
        native.AddWebResourceRequestedFilter(
            f'{scheme}:*', CoreWebView2WebResourceContext.All, CoreWebView2WebResourceRequestSourceKinds.All
        )


def _connect(window: EdgeWindow, native: Any) -> None:
    def starting(_sender: Any, args: Any) -> None:
        allowed = window.may_navigate(str(args.Uri), int(args.NavigationId), redirected=bool(args.IsRedirected))
        args.Cancel = not allowed

    def frame_starting(_sender: Any, args: Any) -> None:
        args.Cancel = not window.may_navigate_frame(str(args.Uri))

    def new_window(_sender: Any, args: Any) -> None:
        args.Handled = True
        window.asked_new_window(str(args.Uri))

    def permission(_sender: Any, args: Any) -> None:
        args.State = CoreWebView2PermissionState.Deny

    def download(_sender: Any, args: Any) -> None:
        args.Cancel = True

    def completed(_sender: Any, args: Any) -> None:
        window.completed(int(args.NavigationId), success=bool(args.IsSuccess), status=str(args.WebErrorStatus))

    def loading(_sender: Any, args: Any) -> None:
        window.content_loading(int(args.NavigationId), error_page=bool(args.IsErrorPage))

    native.NavigationStarting += _guard(starting)
    native.FrameNavigationStarting += _guard(frame_starting)
    native.NewWindowRequested += _guard(new_window)
    native.PermissionRequested += _guard(permission)
    native.DownloadStarting += _guard(download)
    native.ContentLoading += _guard(loading)
    native.NavigationCompleted += _guard(completed)
    native.ProcessFailed += _guard(lambda _sender, args: window.process_failed(str(args.ProcessFailedKind)))
    native.WindowCloseRequested += _guard(lambda _sender, _args: window.destroy())
    native.WebResourceRequested += _guard(lambda _sender, args: window.requested(Request(native.Environment, args)))


def watch_form(window: EdgeWindow, form: Any) -> None:
    """Have ``window`` told what happens to its form."""

    def changed(_sender: Any, _args: Any) -> None:
        window.moved_or_resized(str(form.WindowState))

    form.Resize += _guard(changed)
    form.Move += _guard(changed)
    form.Activated += _guard(lambda _sender, _args: window.event('focus'))
    form.Deactivate += _guard(lambda _sender, _args: window.event('blur'))
    form.FormClosed += _guard(lambda _sender, _args: window.closed())


def _guard(handler: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """The outermost door of an event: Windows Forms would show a dialog and end the program."""

    def guarded(sender: Any, args: Any) -> None:
        try:
            handler(sender, args)
        except Exception:
            logger.exception('an event of the window failed')
            if hasattr(args, 'Cancel'):
                # what could not be judged is not allowed
                args.Cancel = True

    return guarded


def set_background(form: Any, color: str) -> None:
    """The colour behind the page."""
    form.browser.webview.DefaultBackgroundColor = ColorTranslator.FromHtml(color)


def screen_size() -> tuple[int, int]:
    """The main screen's size in pixels."""
    bounds = WinForms.Screen.PrimaryScreen.Bounds
    return bounds.Width, bounds.Height
