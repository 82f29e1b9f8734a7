"""WebKitGTK 4.1 on GTK 3, with pywebview's windows.

    context.py   the one sandboxed web context, its schemes, its views; the seam to pywebview
    host.py      the app's side: windows made and closed, the loop, requests by view
    window.py    one view: loads, navigation, crashes, files handed to the page
    scheme.py    one request and its answers: bytes, or a pipe for streams

A page's request comes in by the context's scheme handler, on the GUI's thread, with the view that made
it. The view is the identity: nothing that the page says about itself is looked at here.

Measured facts that shaped this (WebKitGTK 2.50.6): the body of a Blob ends the process when it is
fetched, so ``GtkRequest.read_body`` comes last; streams are read in slices of 8 KiB at about 70 MB/s, so
files go by the page's file input at several hundred; the sandbox can be set only before the first
process starts; a page restored from the page cache never loads, so that cache is off.
"""

from __future__ import annotations

from socket_runtime.host.gtk.host import GtkHost

__all__ = ['GtkHost']
