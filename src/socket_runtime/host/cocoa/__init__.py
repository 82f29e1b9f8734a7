"""WKWebView on macOS, with pywebview's windows.

    host.py      the app's side: windows made and closed, the loop, the seam to pywebview
    window.py    one window: loads, navigation, crashes, the contract's verbs
    scheme.py    one request and its answers: the states of a scheme task
    _objc.py     the subclasses of Objective-C's types, and every call into the system

**Written against the real interfaces, and not yet run on macOS**: WebKit's headers, the metadata of
PyObjC's WebKit and Cocoa packages, and the source of pywebview 6.2.1. Everything but ``_objc.py`` is
tested with a stand-in for it; ``_objc.py``'s selectors are checked against their arguments, and what it
uses of pywebview against its source.

What shaped it:

- Scheme handlers belong on the configuration before the view is made, since the view copies it. So the
  name ``WebKit`` in pywebview's module is replaced, and its ``WKWebViewConfiguration`` is ours. (A
  subclass in place of ``BrowserView.WebKitHost`` would call itself for ever: pywebview names that class
  in ``super()``.)
- A scheme task that was stopped, or has ended, raises when it is touched. ``TaskAnswer`` knows.
- Nothing that a page says about itself is looked at: each window has handlers of its own.
- A file cannot be offered: WebKit takes paths for a file input, not descriptors, and what was checked
  need not be what a path names later (C4). The caller streams it.
- Without storage, nothing is kept. With it, the system chooses where: since macOS 14 one store for each
  folder that is asked for, before that one for the app.
"""

from __future__ import annotations

from socket_runtime.host.cocoa.host import CocoaHost

__all__ = ['CocoaHost']
