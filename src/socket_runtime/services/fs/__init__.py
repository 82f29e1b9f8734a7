"""``fs.*``: files and folders, within the scopes that ``socket.ini`` grants.

A path goes one way only: to its canonical form, lexically; through the grants; and then, name by name,
from the granted folder's descriptor to its goal, following no link (C1, C3, C4). No check by path is
followed by a use by path.

A hard link cannot be told from the file that it is: whoever can make one inside a scope could as well
copy the file there. ``fs.link`` therefore wants its source in both scopes.
"""

from __future__ import annotations

from socket_runtime.services.fs.table import FileService, commands

__all__ = ['FileService', 'commands']
