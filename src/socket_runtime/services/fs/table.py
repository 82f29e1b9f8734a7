"""The rows of ``fs.*``."""

from __future__ import annotations

from typing import Any

from socket_runtime.ipc.command import Command
from socket_runtime.services import ServiceContext
from socket_runtime.services.fs.directories import Directories
from socket_runtime.services.fs.files import Files
from socket_runtime.services.fs.handles import Handles
from socket_runtime.services.fs.metadata import Metadata
from socket_runtime.services.fs.scope import READ, WRITE, Scope
from socket_runtime.services.fs.streams import Streams
from socket_runtime.services.fs.watch import Watch

__all__ = ['FileService', 'commands']


class FileService:
    """All of ``fs.*`` for one app.

    Args:
        context: grants, roots and what is denied.

    Raises:
        ConfigError: a path pattern is malformed.
    """

    def __init__(self, context: ServiceContext) -> None:
        self.scope = Scope(context)
        self._files = Files(self.scope)
        self._directories = Directories(self.scope)
        self._metadata = Metadata(self.scope)
        self._streams = Streams(self.scope)
        self._handles = Handles(self.scope)
        self._watch = Watch(self.scope)

    def close_document(self, document: Any) -> None:
        """Close the files that a document has left open. To be called after its calls were cancelled."""
        self._handles.close_document(document)

    def close(self) -> None:
        """Close all files: the app ends."""
        self._handles.close_all()

    def commands(self) -> list[Command]:
        """The rows. None is inline: a disk may be slow, and a network's for ever."""
        return [*self._reading(), *self._writing(), *self._open_files()]

    def _reading(self) -> list[Command]:
        files, folders, metadata = self._files, self._directories, self._metadata
        return [
            Command('fs.readFile', files.read_file, READ, help='Read a file, or a part of it.'),
            Command('fs.readStream', self._streams.read_stream, READ, timeout=None, help='Read a file piece by piece.'),
            Command('fs.stat', metadata.stat, READ, help='What there is at a path, links followed.'),
            Command('fs.lstat', metadata.lstat, READ, help='What there is at a path, a link itself.'),
            Command('fs.readdir', folders.readdir, READ, help='List a folder.'),
            Command('fs.access', metadata.access, READ, help='Whether a path exists and may be used so.'),
            Command('fs.realpath', metadata.realpath, READ, help='The canonical path.'),
            Command('fs.readlink', metadata.readlink, READ, help='Where a link points to.'),
            Command('fs.watch', self._watch.watch, READ, timeout=None, help='Tell changes in a folder.'),
            Command('fs.roots', metadata.roots, help='The folders that grants name.'),
        ]

    def _writing(self) -> list[Command]:
        files, folders, metadata = self._files, self._directories, self._metadata
        return [
            Command('fs.writeFile', files.write_file, WRITE, help='Replace the content of a file.'),
            Command('fs.appendFile', files.append_file, WRITE, help='Add to the end of a file.'),
            Command('fs.writeStream', self._streams.write_stream, WRITE, help='Write a file piece by piece.'),
            Command('fs.mkdir', folders.mkdir, WRITE, help='Make a folder.'),
            Command('fs.mkdtemp', folders.mkdtemp, WRITE, help='Make a folder with a new name.'),
            Command('fs.rmdir', folders.rmdir, WRITE, help='Remove an empty folder.'),
            Command('fs.unlink', metadata.unlink, WRITE, help='Remove a file.'),
            Command('fs.rm', folders.rm, WRITE, timeout=None, help='Remove a file or a tree.'),
            Command('fs.rename', metadata.rename, WRITE, help='Move a file or folder.'),
            Command('fs.copyFile', files.copy_file, WRITE, timeout=None, help='Copy a file.'),
            Command('fs.cp', folders.cp, WRITE, timeout=None, help='Copy a file or a tree.'),
            Command('fs.symlink', metadata.symlink, WRITE, help='Make a symbolic link.'),
            Command('fs.link', metadata.link, WRITE, help='Make a hard link.'),
            Command('fs.chmod', metadata.chmod, WRITE, help='Change rights.'),
            Command('fs.utimes', metadata.utimes, WRITE, help='Change times.'),
            Command('fs.truncate', files.truncate, WRITE, help='Cut a file, or fill it up with zeros.'),
        ]

    def _open_files(self) -> list[Command]:
        handles = self._handles
        return [
            # The flags say which grants: fs.read, fs.write or both; the handler checks them.
            Command('fs.open', handles.open, help='Open a file.'),
            Command('fs.close', handles.close, help='Close an open file.'),
            Command('fs.read', handles.read, help='Read from an open file.'),
            Command('fs.write', handles.write, help='Write to an open file.'),
            Command('fs.fstat', handles.fstat, help='What is known of an open file.'),
            Command('fs.ftruncate', handles.ftruncate, help='Cut an open file, or fill it up with zeros.'),
            Command('fs.fsync', handles.fsync, help='Wait until an open file is on the disk.'),
        ]


def commands(context: ServiceContext) -> list[Command]:
    """The rows of ``fs.*``; use ``FileService`` to close what documents leave open."""
    return FileService(context).commands()
