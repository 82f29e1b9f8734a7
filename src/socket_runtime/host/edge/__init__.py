"""WebView2 on Windows, with pywebview's windows.

    host.py      the app's side: windows made and closed, the loop, the seam to pywebview
    window.py    one window: loads, navigation, crashes, the contract's verbs
    scheme.py    one request and its answers
    preload.py   which preload is registered, and when its document may come
    _net.py      the .NET types: pywebview's view with our environment, and every call into WebView2

**Written against the real interfaces, and not yet run on Windows**: the metadata of the WebView2 assemblies
that pywebview 6.2.1 brings, Microsoft's reference, and pywebview's source. Everything but ``_net.py`` is
tested with a stand-in for it; the members that ``_net.py`` uses are looked up in the assemblies' metadata
(``MEMBERS``), and what it uses of pywebview in its source.

What shaped it:

- Schemes are registered with the environment, which pywebview makes without asking. So its ``EdgeChrome`` is
  replaced by a subclass that makes the environment first, one for all windows.
- A preload is registered asynchronously, and for every frame. So ``preload.py`` holds a document's reply back
  until its preload is there, and the script looks whether it is in the top frame before it does anything.
- Hosts are lower-cased and followed by ``/``, as everywhere in Chromium.
- **A reply cannot be streamed**: WebView2 reads each reply's stream on one thread of its own and wants all of
  it at once (WebView2Feedback #3519). A streamed reply is collected until it is closed, and then sent; one
  that never ends, or grows beyond 64 MiB, never arrives. ``EdgeHost.streams`` is ``False`` for that reason.
- Nobody tells when a page gives a request up, so the writer of such a reply learns nothing.
- A file cannot be offered: Chromium opens no file input without the user's own click.
- The GUI's thread is not the main thread: pywebview makes one for Windows Forms.
"""

from __future__ import annotations

from socket_runtime.host.edge.host import EdgeHost

__all__ = ['EdgeHost']
