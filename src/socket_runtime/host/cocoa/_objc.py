"""Everything that needs macOS: delegates and handlers as Objective-C classes, and calls into the system.

Imported by ``CocoaHost.run`` alone, after pywebview's Cocoa module. Written against the real interfaces and
not yet run. Each class hands what it is told to a ``CocoaWindow``, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import AppKit
import Foundation
import objc
import WebKit
from PyObjCTools import AppHelper
from webview.platforms import cocoa

from socket_runtime.host._parts import ascii_literal
from socket_runtime.host.contract import HostOptions

if TYPE_CHECKING:
    from socket_runtime.host.cocoa.host import CocoaHost
    from socket_runtime.host.cocoa.window import CocoaWindow

__all__ = [
    'adopt',
    'app_delegate_class',
    'call_after',
    'call_later',
    'call_script',
    'is_fullscreen',
    'load',
    'make_configuration',
    'resize',
    'screen_size',
    'set_preload',
    'snapshot',
]

SCHEMES = ('socket', 'ipc')

_cocoa: Any = cocoa

# WebKit's and AppKit's constants, by value: not every PyObjC has every name
_CANCEL, _ALLOW = 0, 1
_DENY = 2
_AT_DOCUMENT_START = 0
_PNG = 4
_FULL_SCREEN_MASK = 1 << 14
_TERMINATE_CANCEL = 0


class SocketRuntimeTask:
    """``scheme.NativeTask`` upon a ``WKURLSchemeTask``."""

    def __init__(self, task: Any, ended: Callable[[], None]) -> None:
        request = task.request()
        self._task = task
        self._ended = ended
        self._url = request.URL()
        self.uri = str(self._url.absoluteString())
        self.method = str(request.HTTPMethod() or 'GET')
        self.headers = {str(name): str(value) for name, value in dict(request.allHTTPHeaderFields() or {}).items()}

    def body(self) -> Callable[[int], bytes] | None:
        request = self._task.request()
        data = request.HTTPBody()
        if data is not None:
            rest = [bytes(data)]
            return lambda _most: rest.pop() if rest else b''
        stream = request.HTTPBodyStream()
        if stream is None:
            return None
        stream.open()

        def read(most: int) -> bytes:
            count, buffer = stream.read_maxLength_(None, most)
            if count > 0:
                return bytes(buffer[:count])
            stream.close()
            return b''

        return read

    def respond(self, status: int, fields: dict[str, str]) -> None:
        response = Foundation.NSHTTPURLResponse.alloc().initWithURL_statusCode_HTTPVersion_headerFields_(
            self._url, status, 'HTTP/1.1', fields
        )
        self._task.didReceiveResponse_(response)

    def data(self, chunk: bytes) -> None:
        self._task.didReceiveData_(Foundation.NSData.dataWithBytes_length_(chunk, len(chunk)))

    def finish(self) -> None:
        self._task.didFinish()
        self._ended()


class SocketRuntimeSchemeHandler(Foundation.NSObject, protocols=[objc.protocolNamed('WKURLSchemeHandler')]):  # type: ignore[misc,call-arg]
    """``WKURLSchemeHandler`` of one scheme of one window."""

    @objc.python_method  # type: ignore[untyped-decorator]
    def serve(self, scheme: str, window: CocoaWindow) -> Any:
        """Tell whom to hand requests to; returns the handler."""
        self.scheme = scheme
        self.ours = window
        return self

    def webView_startURLSchemeTask_(self, webview: Any, task: Any) -> None:
        window = self.ours
        window.task_started(self.scheme, task, SocketRuntimeTask(task, lambda: window.task_finished(task)))

    def webView_stopURLSchemeTask_(self, webview: Any, task: Any) -> None:
        self.ours.task_stopped(task)


class SocketRuntimePageDelegate(_cocoa.BrowserView.BrowserDelegate):  # type: ignore[misc]
    """``WKNavigationDelegate`` and ``WKUIDelegate``. pywebview's panels (alert, confirm, prompt, file
    input) are inherited; all that concerns loads is ours."""

    @objc.python_method  # type: ignore[untyped-decorator]
    def serve(self, window: CocoaWindow) -> Any:
        """Tell whose delegate this is; returns it."""
        self.ours = window
        return self

    def webView_decidePolicyForNavigationAction_decisionHandler_(self, webview: Any, action: Any, handler: Any) -> None:
        frame = action.targetFrame()
        allowed = not action.shouldPerformDownload() and self.ours.may_navigate(
            _text(action.request().URL()),
            main_frame=frame is not None and bool(frame.isMainFrame()),
            new_window=frame is None,
        )
        handler(_ALLOW if allowed else _CANCEL)

    def webView_decidePolicyForNavigationResponse_decisionHandler_(
        self, webview: Any, response: Any, handler: Any
    ) -> None:
        handler(_ALLOW if response.canShowMIMEType() else _CANCEL)

    def webView_createWebViewWithConfiguration_forNavigationAction_windowFeatures_(
        self, webview: Any, configuration: Any, action: Any, features: Any
    ) -> Any:
        self.ours.may_navigate(_text(action.request().URL()), main_frame=False, new_window=True)

    def webView_didStartProvisionalNavigation_(self, webview: Any, navigation: Any) -> None:
        self.ours.started(_text(webview.URL()))

    def webView_didCommitNavigation_(self, webview: Any, navigation: Any) -> None:
        self.ours.committed(_text(webview.URL()))

    def webView_didFinishNavigation_(self, webview: Any, navigation: Any) -> None:
        self.ours.loaded()

    def webView_didFailProvisionalNavigation_withError_(self, webview: Any, navigation: Any, error: Any) -> None:
        self._tell(webview, error)

    def webView_didFailNavigation_withError_(self, webview: Any, navigation: Any, error: Any) -> None:
        self._tell(webview, error)

    @objc.python_method  # type: ignore[untyped-decorator]
    def _tell(self, webview: Any, error: Any) -> None:
        self.ours.failed(
            _text(webview.URL()), str(error.localizedDescription()), str(error.domain()), int(error.code())
        )

    def webViewWebContentProcessDidTerminate_(self, webview: Any) -> None:
        self.ours.crashed()

    def webViewDidClose_(self, webview: Any) -> None:
        self.ours.destroy()

    def webView_requestMediaCapturePermissionForOrigin_initiatedByFrame_type_decisionHandler_(
        self, webview: Any, origin: Any, frame: Any, kind: int, handler: Any
    ) -> None:
        handler(_DENY)


class SocketRuntimeWindowDelegate(_cocoa.BrowserView.WindowDelegate):  # type: ignore[misc]
    """``NSWindowDelegate``: pywebview's, which also tells us."""

    @objc.python_method  # type: ignore[untyped-decorator]
    def serve(self, window: CocoaWindow) -> Any:
        """Tell whose delegate this is; returns it."""
        self.ours = window
        return self

    def windowWillClose_(self, notification: Any) -> None:
        objc.super(SocketRuntimeWindowDelegate, self).windowWillClose_(notification)
        self.ours.closed()

    def windowDidResize_(self, notification: Any) -> None:
        objc.super(SocketRuntimeWindowDelegate, self).windowDidResize_(notification)
        width, height = self.ours.get_size()
        self.ours.event('resize', width=width, height=height)
        self.ours.event('maximize' if notification.object().isZoomed() else 'restore')

    def windowDidMove_(self, notification: Any) -> None:
        objc.super(SocketRuntimeWindowDelegate, self).windowDidMove_(notification)
        x, y = self.ours.get_position()
        self.ours.event('move', x=x, y=y)

    def windowDidMiniaturize_(self, notification: Any) -> None:
        objc.super(SocketRuntimeWindowDelegate, self).windowDidMiniaturize_(notification)
        self.ours.event('minimize')

    def windowDidDeminiaturize_(self, notification: Any) -> None:
        objc.super(SocketRuntimeWindowDelegate, self).windowDidDeminiaturize_(notification)
        self.ours.event('restore')

    def windowDidBecomeKey_(self, notification: Any) -> None:
        objc.super(SocketRuntimeWindowDelegate, self).windowDidBecomeKey_(notification)
        self.ours.event('focus')

    def windowDidResignKey_(self, notification: Any) -> None:
        self.ours.event('blur')


class SocketRuntimeAppDelegate(_cocoa.BrowserView.AppDelegate):  # type: ignore[misc]
    """``NSApplicationDelegate``: the system's Quit closes the windows, so that ``run`` returns."""

    host: CocoaHost

    def applicationShouldTerminate_(self, app: Any) -> int:
        self.host.may_quit()
        return _TERMINATE_CANCEL


def app_delegate_class(host: CocoaHost) -> Any:
    """The class that pywebview is to make the app's delegate from."""
    SocketRuntimeAppDelegate.host = host
    return SocketRuntimeAppDelegate


def make_configuration(window: CocoaWindow, options: HostOptions) -> Any:
    """The configuration for a window's view: our schemes and our store, before the view is made."""
    configuration = WebKit.WKWebViewConfiguration.alloc().init()
    for scheme in SCHEMES:
        handler = SocketRuntimeSchemeHandler.alloc().init().serve(scheme, window)
        configuration.setURLSchemeHandler_forURLScheme_(handler, scheme)
    configuration.setWebsiteDataStore_(_store(options))
    configuration.preferences().setValue_forKey_(options.developer, 'developerExtrasEnabled')
    return configuration


def _store(options: HostOptions) -> Any:
    stores = WebKit.WKWebsiteDataStore
    if options.storage is None:
        return stores.nonPersistentDataStore()
    if not hasattr(stores, 'dataStoreForIdentifier_'):
        return stores.defaultDataStore()
    import uuid

    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f'{options.origin}#{options.storage}'))
    return stores.dataStoreForIdentifier_(Foundation.NSUUID.alloc().initWithUUIDString_(name))


def adopt(window: CocoaWindow, browser: Any) -> Any:
    """Put our delegates on; returns what must be kept, since views hold their delegates weakly."""
    view = browser.webview
    controller = view.configuration().userContentController()
    for name in ('jsBridge', 'browserDelegate'):
        controller.removeScriptMessageHandlerForName_(name)
    page = SocketRuntimePageDelegate.alloc().init().serve(window)
    frame = SocketRuntimeWindowDelegate.alloc().init().serve(window)
    view.setNavigationDelegate_(page)
    view.setUIDelegate_(page)
    browser.window.setDelegate_(frame)
    # pywebview would do so at the end of its first load, which never comes
    browser.window.setContentView_(view)
    browser.window.makeFirstResponder_(view)
    if window.developer and view.respondsToSelector_('setInspectable:'):
        view.setInspectable_(True)
    return page, frame


def set_preload(view: Any, source: str) -> None:
    """Make ``source`` the one script that runs at the start of the next top document."""
    controller = view.configuration().userContentController()
    controller.removeAllUserScripts()
    script = WebKit.WKUserScript.alloc().initWithSource_injectionTime_forMainFrameOnly_(
        source, _AT_DOCUMENT_START, True
    )
    controller.addUserScript_(script)


def load(view: Any, url: str) -> None:
    """Navigate the top document."""
    target = Foundation.NSURL.URLWithString_(url)
    if target is not None:
        view.loadRequest_(Foundation.NSURLRequest.requestWithURL_(target))


def call_script(view: Any, body: str, argument: str, done: Callable[[object], None]) -> None:
    """Run ``body`` in the page's world with ``argument``, which travels as an object of its own: as ASCII
    JSON, since Objective-C's strings do not take every string of Python's."""

    def finished(result: Any, error: Any) -> None:
        done(None if error is not None or result is None else str(result))

    view.callAsyncJavaScript_arguments_inFrame_inContentWorld_completionHandler_(
        body, {'argument': ascii_literal(argument)}, None, WebKit.WKContentWorld.pageWorld(), finished
    )


def snapshot(view: Any, path: str, done: Callable[[bool], None]) -> None:
    """Write what the view shows to ``path``, as PNG."""

    def taken(image: Any, error: Any) -> None:
        data = None if image is None else image.TIFFRepresentation()
        picture = None if data is None else AppKit.NSBitmapImageRep.imageRepWithData_(data)
        png = None if picture is None else picture.representationUsingType_properties_(_PNG, {})
        done(png is not None and bool(png.writeToFile_atomically_(path, True)))

    view.takeSnapshotWithConfiguration_completionHandler_(None, taken)


def resize(browser: Any, width: int, height: int) -> None:
    """Resize, with the upper left corner where it is."""
    fixed = _cocoa.FixPoint
    browser.resize(width, height, fixed.NORTH | fixed.WEST)


def is_fullscreen(window: Any) -> bool:
    """Whether a window fills the screen now."""
    return bool(window.styleMask() & _FULL_SCREEN_MASK)


def screen_size() -> tuple[float, float]:
    """The main screen's size in points."""
    size = AppKit.NSScreen.mainScreen().frame().size
    return size.width, size.height


def call_after(function: Callable[[], None]) -> None:
    """Have ``function`` called by the main thread's loop."""
    AppHelper.callAfter(function)


def call_later(seconds: float, function: Callable[[], None]) -> None:
    """The same, after ``seconds``."""
    AppHelper.callLater(seconds, function)


def _text(url: Any) -> str:
    return '' if url is None else str(url.absoluteString())
