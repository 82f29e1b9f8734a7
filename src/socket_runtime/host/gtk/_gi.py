"""The GObject libraries, imported in one place so that what is missing is said once and well."""

from __future__ import annotations

from socket_runtime.errors import WebviewError

__all__ = ['GLib', 'Gdk', 'Gio', 'Gtk', 'Soup', 'WebKit']

#: Debian's and Ubuntu's names; other distributions are in ``ssc doctor``.
PACKAGES = 'gir1.2-webkit2-4.1 gir1.2-gtk-3.0'

try:
    import gi
except ImportError as error:
    raise WebviewError(
        f'PyGObject cannot be imported: {error}',
        hint="Install it: pip install 'socket-runtime[gtk]' (or your system's python3-gi)",
    ) from error

try:
    gi.require_version('Gdk', '3.0')
    gi.require_version('Gtk', '3.0')
    gi.require_version('Soup', '3.0')
    gi.require_version('WebKit2', '4.1')
    from gi.repository import Gdk, Gio, GLib, Gtk, Soup
    from gi.repository import WebKit2 as WebKit
except (ValueError, ImportError) as error:
    raise WebviewError(f'WebKitGTK is missing: {error}', hint=f'Install it: apt-get install {PACKAGES}') from error
