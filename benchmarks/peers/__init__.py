"""The peers: other ways to show a page and to call native code from it.

Each module has ``fetch()`` (get what is not ours), ``build()`` (make it below ``build/peers``, quick where it is
already made) and ``program(page)`` or ``start(display, page)`` (one of the pages ``hello``, ``calls``, ``bulk``,
``events``; not each peer has each). Nothing that is fetched or built is ever committed.

    python -m benchmarks.peers            fetch and build all
    python -m benchmarks.peers tauri      ... or only those named
"""

from __future__ import annotations

from benchmarks.peers import bare_c, localhost_http, original, pywebview_js_api, tauri

ALL = {
    'bare_c': bare_c,
    'pywebview_js_api': pywebview_js_api,
    'localhost_http': localhost_http,
    'original': original,
    'tauri': tauri,
}

__all__ = ['ALL', 'bare_c', 'localhost_http', 'original', 'pywebview_js_api', 'tauri']
