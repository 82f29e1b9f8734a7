"""Hosts: the system's own webview behind one small contract.

    contract.py   what a host does for the app, and what the app answers
    _seam.py      pywebview, imported leanly and checked
    headless.py   no webview at all: tests of apps
    virtual_display.py   a display of our own where there is none (Xvfb)
    gtk/          Linux and the BSDs: WebKitGTK
    cocoa/        macOS: WKWebView (written against the real classes; not yet run there)
    edge/         Windows: WebView2 (likewise)
    qt/           Qt WebEngine: a Chromium-class engine for tests on Linux

A host carries bytes and shows windows. It knows no command, no policy and no file: those are on the other
side of ``contract.Callbacks``. Packages of different systems never import one another, and nothing here is
imported before an app asks for a host.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socket_runtime.host.contract import Callbacks, Host, HostOptions

__all__ = ['make_host']

#: Variables that have WebKitGTK open a port for debuggers (D11).
INSPECTORS = ('WEBKIT_INSPECTOR_SERVER', 'WEBKIT_INSPECTOR_HTTP_SERVER')


def make_host(callbacks: Callbacks, options: HostOptions, name: str | None = None) -> Host:
    """The host of this system, or the one that ``name`` asks for (``gtk | cocoa | edge | qt``).

    Raises:
        DisplayError, WebviewError, IncompatibleError: it cannot work here; says why.
    """
    if name is None:
        name = {'darwin': 'cocoa', 'win32': 'edge'}.get(sys.platform, 'gtk')
    if name == 'gtk':
        if not (options.developer or options.automation):
            # before WebKit is imported: it opens the port then, whatever its views are told
            for variable in INSPECTORS:
                os.environ.pop(variable, None)
        from socket_runtime.host.gtk import GtkHost

        return GtkHost(callbacks, options)
    if name == 'cocoa':
        from socket_runtime.host.cocoa import CocoaHost

        return CocoaHost(callbacks, options)
    if name == 'edge':
        from socket_runtime.host.edge import EdgeHost

        return EdgeHost(callbacks, options)
    from socket_runtime.host.qt import QtHost

    return QtHost(callbacks, options)
