"""``fs.readdir``, ``fs.mkdir``, ``fs.rm`` and their kin: folders and trees.

A tree is walked by held folders, and every name in it is asked of the scope again: what the scope does not
cover is not listed, not copied, and stops a removal before it begins.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.ipc.command import Call
from socket_runtime.services.fs.failure import LinkMet, failing
from socket_runtime.services.fs.files import copy_place
from socket_runtime.services.fs.folder import Folder
from socket_runtime.services.fs.metadata import check_mode, shown, type_name
from socket_runtime.services.fs.paths import canonical
from socket_runtime.services.fs.scope import READ, WRITE, Place, Scope

__all__ = ['Directories']

MAX_ENTRIES = 100_000  # B6: names in one answer or one removal
MAX_DEPTH = 128  # B6: folders in folders; each level holds a descriptor
MKDTEMP_TRIES = 100
_LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'


class _Budget:
    """Counts the names of one walk."""

    __slots__ = ('_call', '_left')

    def __init__(self, call: Call) -> None:
        self._call = call
        self._left = MAX_ENTRIES

    def take(self) -> None:
        """One more name.

        Raises:
            TooLarge: there are more than ``MAX_ENTRIES``.
            Aborted: the call was given up.
        """
        self._left -= 1
        if self._left < 0:
            raise TooLarge(f'the folder has more than {MAX_ENTRIES} entries')
        if self._call.is_cancelled:
            raise Aborted('given up by the page')


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TooLarge(f'folders are nested more than {MAX_DEPTH} deep')


def _entry_type(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return 'symlink'
    if entry.is_dir(follow_symlinks=False):
        return 'directory'
    if entry.is_file(follow_symlinks=False):
        return 'file'
    try:
        return type_name(entry.stat(follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return 'unknown'


class Directories:
    """The handlers of this field."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    # -- listing ---------------------------------------------------------------------------------------

    def readdir(self, call: Call, path: str, recursive: bool = False) -> list[dict[str, Any]]:
        """Entries as ``{name, type, parent}``, in no particular order; links are not followed."""
        found: list[dict[str, Any]] = []
        with failing('scandir', path), self._scope.place(call, (READ,), path) as place:
            with _child(place.folder, place.name) as folder:
                self._list(call, folder, place.parts, path.rstrip('/') or '/', found, 0 if recursive else None)
        return found

    def _list(
        self,
        call: Call,
        folder: Folder,
        parts: tuple[str, ...],
        parent: str,
        found: list[dict[str, Any]],
        depth: int | None,
    ) -> None:
        """``depth`` is ``None`` to list this folder alone."""
        _check_depth(depth or 0)
        folders: list[str] = []
        with folder.entries() as entries:
            for entry in entries:
                if not self._scope.allows(call, READ, (*parts, entry.name)):
                    continue
                if len(found) >= MAX_ENTRIES:
                    raise TooLarge(f'{parent!r} has more than {MAX_ENTRIES} entries; list its folders one by one')
                kind = _entry_type(entry)
                found.append({'name': shown(entry.name), 'type': kind, 'parent': parent})
                if kind == 'directory' and depth is not None:
                    folders.append(entry.name)
        if call.is_cancelled:
            raise Aborted('given up by the page')
        for name in folders:
            below = f'{parent.rstrip("/")}/{shown(name)}'
            try:
                with _child(folder, name) as child:
                    if not self._scope.is_closed(READ, child):
                        self._list(call, child, (*parts, name), below, found, (depth or 0) + 1)
            except FileNotFoundError:
                continue  # gone since it was listed

    # -- making ----------------------------------------------------------------------------------------

    def mkdir(self, call: Call, path: str, recursive: bool = False, mode: int = 0o777) -> dict[str, bool]:
        """``created`` is false when ``recursive`` finds the folder already there."""
        check_mode(mode)
        with failing('mkdir', path):
            if recursive:
                with self._scope.place(call, (WRITE,), path, make=mode) as place:
                    return {'created': self._make_one(place, mode)}
            with self._scope.place(call, (WRITE,), path, follow=False) as place:
                if place.name == '.':
                    raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
                place.folder.mkdir(place.name, mode)
        return {'created': True}

    @staticmethod
    def _make_one(place: Place, mode: int) -> bool:
        """Make the folder; ``False`` when it is there."""
        try:
            if place.name != '.':
                place.folder.mkdir(place.name, mode)
                return True
        except FileExistsError:
            if not stat.S_ISDIR(place.stat().st_mode):
                raise
        return False

    def mkdtemp(self, call: Call, prefix: str) -> dict[str, str]:
        """A new folder whose path begins with ``prefix``, readable by its owner alone."""
        with failing('mkdtemp', prefix):
            for _ in range(MKDTEMP_TRIES):
                path = prefix + ''.join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(6))
                with self._scope.place(call, (WRITE,), path, follow=False) as place:
                    try:
                        place.folder.mkdir(place.name, 0o700)
                    except FileExistsError:
                        continue
                    return {'path': path}
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    # -- removing --------------------------------------------------------------------------------------

    def rmdir(self, call: Call, path: str) -> None:
        with failing('rmdir', path), self._scope.place(call, (WRITE,), path, follow=False) as place:
            self._refuse_root(place)
            place.folder.rmdir(place.name)

    def rm(self, call: Call, path: str, recursive: bool = False, force: bool = False) -> None:
        """Remove a file, or with ``recursive`` a tree. ``force``: what is missing is no error.

        Nothing is removed when anything in the tree is out of scope.
        """
        with failing('rm', path):
            try:
                with self._scope.place(call, (WRITE,), path, follow=False) as place:
                    self._remove(call, place, recursive)
            except FileNotFoundError:
                if not force:
                    raise

    def _remove(self, call: Call, place: Place, recursive: bool) -> None:
        if not stat.S_ISDIR(place.stat().st_mode):
            place.folder.unlink(place.name)
            return
        if not recursive:
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        self._refuse_root(place)
        with _child(place.folder, place.name) as folder:
            budget = _Budget(call)
            self._check_tree(call, folder, place.parts, place.given, budget, 1)
            self._clear(call, folder, place.parts, 1)
        place.folder.rmdir(place.name)

    def _check_tree(
        self, call: Call, folder: Folder, parts: tuple[str, ...], given: str, budget: _Budget, depth: int
    ) -> None:
        _check_depth(depth)
        if self._scope.is_closed(WRITE, folder):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        for name, is_folder in _names(folder):
            budget.take()
            below = f'{given}/{shown(name)}'
            self._scope.check_path(call, WRITE, (*parts, name), below)
            if is_folder:
                with _child(folder, name) as child:
                    self._check_tree(call, child, (*parts, name), below, budget, depth + 1)

    def _clear(self, call: Call, folder: Folder, parts: tuple[str, ...], depth: int) -> None:
        _check_depth(depth)
        for name, is_folder in _names(folder):
            if call.is_cancelled:
                raise Aborted('given up by the page')
            if not self._scope.allows(call, WRITE, (*parts, name)):
                continue  # came in between; the rmdir of its folder will say so
            if is_folder:
                with _child(folder, name) as child:
                    self._clear(call, child, (*parts, name), depth + 1)
                folder.rmdir(name)
            else:
                folder.unlink(name)

    @staticmethod
    def _refuse_root(place: Place) -> None:
        if place.name == '.':
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    # -- copying ---------------------------------------------------------------------------------------

    def cp(self, call: Call, src: str, dest: str, recursive: bool = False) -> None:
        """Copy a file or, with ``recursive``, what the scope of reading covers of a tree, into ``dest``.

        A link in the tree becomes a link of the same target, which must be inside the scope of writing.
        """
        with failing('cp', src, dest):
            with (
                self._scope.place(call, (READ,), src) as source,
                self._scope.place(call, (WRITE,), dest) as target,
            ):
                if not stat.S_ISDIR(source.stat().st_mode):
                    copy_place(call, self._scope, source, target, exclusive=False)
                    return
                if not recursive:
                    raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
                if target.parts[: len(source.parts)] == source.parts:
                    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
                self._copy_tree(call, source, target, _Budget(call), 1)

    def _copy_tree(self, call: Call, source: Place, target: Place, budget: _Budget, depth: int) -> None:
        _check_depth(depth)
        with _child(source.folder, source.name) as here:
            if self._scope.is_closed(READ, here):
                return
            self._make_one(target, 0o777)
            with _child(target.folder, target.name) as there:
                for name, is_folder in _names(here):
                    budget.take()
                    if not self._scope.allows(call, READ, (*source.parts, name)):
                        continue
                    below = Place(here, name, (*source.parts, name), f'{source.given}/{shown(name)}')
                    goal = Place(there, name, (*target.parts, name), f'{target.given}/{shown(name)}')
                    self._scope.check_path(call, WRITE, goal.parts, goal.given)
                    if is_folder:
                        self._copy_tree(call, below, goal, budget, depth + 1)
                    elif stat.S_ISLNK(below.stat().st_mode):
                        self._copy_link(call, below, goal)
                    else:
                        copy_place(call, self._scope, below, goal, exclusive=False)

    def _copy_link(self, call: Call, source: Place, target: Place) -> None:
        goal = source.folder.readlink(source.name)
        self._scope.check_path(call, WRITE, canonical(goal, target.parts[:-1]), goal)
        target.folder.symlink(goal, target.name)


def _names(folder: Folder) -> list[tuple[str, bool]]:
    """Names in a folder, and whether each is a folder itself."""
    with folder.entries() as entries:
        some = itertools.islice(entries, MAX_ENTRIES + 1)
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in some]


@contextmanager
def _child(folder: Folder, name: str) -> Iterator[Folder]:
    """The folder ``name``, held while the block runs.

    Raises:
        OSError: ``ELOOP`` when a link has taken its place (C4).
    """
    try:
        child = folder.child(name)
    except LinkMet:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
    try:
        yield child
    finally:
        child.close()
