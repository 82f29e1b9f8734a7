"""Qt WebEngine, with pywebview's windows: a host of the Chromium class that runs on Linux.

    host.py      the app's side: windows made and closed, the loop
    window.py    one window: loads, navigation, crashes, the contract's verbs
    scheme.py    one request and its answers
    _qt.py       the subclasses of Qt's types, and nothing else

It is for tests: it shows on Linux how a page fares in Chromium, as it will in WebView2. It needs
``pip install PySide6 qtpy`` (700 MB), and is never chosen by itself. It runs for real in
``tests/host/test_qt.py``.

Where it differs from the contract, because Qt WebEngine (6.12) gives no way:

- Every reply to ``ipc:`` has the HTTP status 200; the true one is in the header ``Socket-Status``. A
  reply of 400 and more to ``socket:`` fails the load, without its body.
- Hosts are lower-cased and followed by ``/`` (``ipc://fs.readfile/?path=x``), ``socket:fs/promises``
  becomes ``socket://fs/promises``, and escapes of unreserved characters are undone by ``QUrl``.
- ``Request.header('Origin')`` is the native initiator, and thus also there where a page sends none.
- A profile belongs to one window, since a request names its profile but not its page. So windows do
  not share storage.
- The engine ignores a policy that comes as a header; only ``<meta>`` counts for it.
- A file cannot be offered: Chromium opens no file input without the user's own click.
"""

from __future__ import annotations

from socket_runtime.host.qt.host import QtHost

__all__ = ['QtHost']
