"""Which paths a page may use, and the one way to them.

``Scope.place`` leads from a page's path to a held folder and a name in it: canonical form, grants, then
name by name from the granted folder without following a link. ``Scope.open_file`` goes on to a descriptor
of a regular file. Nothing is asked of the disk before the grants have said yes, so that "denied" looks the
same whether a file exists or not.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from socket_runtime.errors import BadRequest, Denied
from socket_runtime.ipc.command import Call
from socket_runtime.ipc.grants import WINDOWS, Anchor, PathScope, path_parts
from socket_runtime.services import ServiceContext
from socket_runtime.services.fs.failure import LinkMet
from socket_runtime.services.fs.folder import Folder
from socket_runtime.services.fs.paths import canonical, to_path
from socket_runtime.services.fs.pseudo import is_pseudo

__all__ = ['READ', 'WRITE', 'OpenFlags', 'Place', 'Scope', 'parse_flags']

READ = 'fs.read'
WRITE = 'fs.write'

MAX_LINKS = 40  # as Linux; a cycle ends here
OWN_ROOTS = ('DATA', 'CONFIG', 'CACHE', 'TMP')  # made at the first write, readable by their owner alone
_PROBES = ('a1b2c3d4e5f60718', 'name0.probe')  # stand for any name without a leading dot

_CASELESS = sys.platform in ('win32', 'darwin')
_KINDS = {stat.S_IFIFO: 'FIFO', stat.S_IFSOCK: 'socket', stat.S_IFCHR: 'device', stat.S_IFBLK: 'device'}


class OpenFlags(NamedTuple):
    """What a flag string such as ``'w+'`` means. ``bits`` go to the system; truncation is done later."""

    bits: int
    read: bool
    write: bool
    truncate: bool
    exclusive: bool

    @property
    def grants(self) -> tuple[str, ...]:
        """The scopes that an opened path must be in."""
        return (*((WRITE,) if self.write else ()), *((READ,) if self.read else ()))


_BINARY = getattr(os, 'O_BINARY', 0)
_SYNC = getattr(os, 'O_SYNC', 0)
_R, _W, _RW = os.O_RDONLY | _BINARY, os.O_WRONLY | _BINARY, os.O_RDWR | _BINARY
_NEW, _ADD = os.O_CREAT, os.O_CREAT | os.O_APPEND
# Source: Node, fs documentation, "File system flags".
_FLAGS = {
    'r': OpenFlags(_R, True, False, False, False),
    'rs': OpenFlags(_R | _SYNC, True, False, False, False),
    'r+': OpenFlags(_RW, True, True, False, False),
    'rs+': OpenFlags(_RW | _SYNC, True, True, False, False),
    'w': OpenFlags(_W | _NEW, False, True, True, False),
    'wx': OpenFlags(_W | _NEW | os.O_EXCL, False, True, True, True),
    'w+': OpenFlags(_RW | _NEW, True, True, True, False),
    'wx+': OpenFlags(_RW | _NEW | os.O_EXCL, True, True, True, True),
    'a': OpenFlags(_W | _ADD, False, True, False, False),
    'ax': OpenFlags(_W | _ADD | os.O_EXCL, False, True, False, True),
    'as': OpenFlags(_W | _ADD | _SYNC, False, True, False, False),
    'a+': OpenFlags(_RW | _ADD, True, True, False, False),
    'ax+': OpenFlags(_RW | _ADD | os.O_EXCL, True, True, False, True),
    'as+': OpenFlags(_RW | _ADD | _SYNC, True, True, False, False),
}


def parse_flags(flags: str) -> OpenFlags:
    """The meaning of ``'r'``, ``'w'``, ``'a+'``, ...

    Raises:
        BadRequest: no such flags.
    """
    found = _FLAGS.get(flags)
    if found is None:
        raise BadRequest(f'{flags[:16]!r} are no flags to open a file with; known are {", ".join(_FLAGS)}')
    return found


class Place:
    """A held folder and a name in it: where a path leads to. Used with ``with``.

    Attributes:
        folder: held open until the block ends.
        name: in that folder; ``'.'`` when the path is a granted folder itself.
        parts: canonical names of the whole path, followed links replaced.
        given: the path as the page gave it.
    """

    __slots__ = ('folder', 'given', 'name', 'parts')

    def __init__(self, folder: Folder, name: str, parts: tuple[str, ...], given: str) -> None:
        self.folder = folder
        self.name = name
        self.parts = parts
        self.given = given

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_error: object) -> None:
        self.folder.close()

    def stat(self) -> os.stat_result:
        """What the system says of it, a link itself not followed."""
        return self.folder.itself() if self.name == '.' else self.folder.stat(self.name)


class _Roots:
    """Files and folders that are closed, known by path and by identity: neither another spelling nor a
    bind mount nor a hard link leads to them (C8)."""

    __slots__ = ('_parts', '_paths')

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._paths = tuple(os.fspath(path) for path in paths)
        spellings = {*self._paths, *(os.path.realpath(path) for path in self._paths)}
        self._parts = tuple(_folded(path_parts(path)) for path in sorted(spellings))

    def covers(self, parts: Sequence[str]) -> bool:
        """Is this path one of them, or below one?"""
        folded = _folded(parts)
        return any(folded[: len(denied)] == denied for denied in self._parts)

    def below(self, parts: Sequence[str]) -> bool:
        """Is one of them at or below this path?"""
        folded = _folded(parts)
        return any(denied[: len(folded)] == folded for denied in self._parts)

    def identities(self) -> frozenset[tuple[int, int]]:
        """Device and inode of those that exist now."""
        found = set()
        for path in self._paths:
            try:
                state = os.stat(path)
            except OSError:  # not made yet, or not for us to see: the names still count
                continue
            found.add((state.st_dev, state.st_ino))
        return frozenset(found)


def _folded(parts: Sequence[str]) -> tuple[str, ...]:
    """Names as file systems without regard to case see them, where those are usual."""
    if not _CASELESS:
        return tuple(parts)
    import unicodedata

    return tuple(unicodedata.normalize('NFC', part).casefold() for part in parts)


class Scope:
    """The paths of one app.

    Args:
        context: grants, roots and what is denied.

    Raises:
        ConfigError: a pattern is malformed.
    """

    def __init__(self, context: ServiceContext) -> None:
        self._grants = context.grants
        self._runtime = context.runtime_grants
        self._roots = {name: os.fspath(path) for name, path in context.roots.items()}
        self._scopes = {name: PathScope(self._roots, context.grants.patterns(name)) for name in (READ, WRITE)}
        self._denied = _Roots(context.denied)
        self._readonly = _Roots([self._roots['RESOURCES']])
        self._base = path_parts(self._roots['RESOURCES'])
        self._own = frozenset(self._roots[name] for name in OWN_ROOTS if name in self._roots)
        self._follow = context.grants.has('fs.follow_symlinks')
        self._debug = context.debug

    # -- names only ------------------------------------------------------------------------------------

    def parts(self, path: str) -> tuple[str, ...]:
        """The canonical names of a page's path; relative ones begin in ``$RESOURCES``.

        Raises:
            BadRequest, Denied, OSError: as ``paths.canonical``.
        """
        return canonical(path, self._base)

    def check(self, call: Call, grants: Sequence[str], path: str) -> tuple[str, ...]:
        """The canonical names of ``path``, if all of ``grants`` cover it. Does not touch the disk.

        Raises:
            Denied: names the missing line.
        """
        parts = self.parts(path)
        self._admit(call.window, grants, parts, path)
        return parts

    def allows(self, call: Call, grant: str, parts: tuple[str, ...]) -> bool:
        """Is the path of these names in the scope?"""
        return self._anchor(call.window, grant, parts) is not None

    def roots(self) -> dict[str, str]:
        """The folders of the variables that grants name, by the variable's name in lower case."""
        names = {name for scope in self._scopes.values() for name in scope.variables}
        return {name.lower(): path for name, path in self._roots.items() if name in names}

    def is_closed(self, grant: str, folder: Folder) -> bool:
        """Is this folder, whatever its path, one that no grant opens? For walks through trees."""
        state = folder.itself()
        return (state.st_dev, state.st_ino) in self._identities((grant,))

    def check_move(self, call: Call, source: Place, target: Place, tree: bool) -> None:
        """Moving a file must not open it to more than it was open to.

        Raises:
            Denied: the target is in a scope that the source is not in, or what no grant opens is below.
        """
        if tree and (self._denied.below(source.parts) or self._readonly.below(source.parts)):
            raise _own_data(source.given)
        tails: list[tuple[str, ...]] = [()]
        if tree:
            tails += [(probe,) for probe in _PROBES] + [(_PROBES[0], probe) for probe in _PROBES]
        for grant in (READ, WRITE):
            for tail in tails:
                gained = self.allows(call, grant, target.parts + tail)
                if gained and not self.allows(call, grant, source.parts + tail):
                    raise self._refusal(grant, source.parts, source.given)

    def check_path(self, call: Call, grant: str, parts: tuple[str, ...], given: str) -> None:
        """As ``check``, of canonical names.

        Raises:
            Denied: names the missing line.
        """
        self._admit(call.window, (grant,), parts, given)

    def _anchor(self, window: int, grant: str, parts: tuple[str, ...]) -> Anchor | None:
        if self._closed(grant, parts):
            return None
        anchor = self._scopes[grant].anchor(parts)
        if anchor is None:
            anchor = self._runtime.anchor(grant, window, parts)
            if anchor is not None and self._closed(grant, path_parts(anchor.path) + anchor.rest):
                return None
        return anchor

    def _closed(self, grant: str, parts: tuple[str, ...]) -> bool:
        return self._denied.covers(parts) or (grant == WRITE and self._readonly.covers(parts))

    def _identities(self, grants: Sequence[str]) -> frozenset[tuple[int, int]]:
        """What must not be met on the way: by another name it is the same thing."""
        closed = self._denied.identities()
        return closed | self._readonly.identities() if WRITE in grants else closed

    def _admit(self, window: int, grants: Sequence[str], parts: tuple[str, ...], given: str) -> Anchor:
        first: Anchor | None = None
        for grant in grants:
            anchor = self._anchor(window, grant, parts)
            if anchor is None:
                raise self._refusal(grant, parts, given)
            first = first or anchor
        assert first is not None  # every caller asks for one grant at least
        return first

    def _refusal(self, grant: str, parts: tuple[str, ...], given: str) -> Denied:
        if self._denied.covers(parts):
            return _own_data(given)
        if grant == WRITE and self._readonly.covers(parts):
            return Denied(f'{given!r} is one of the files of the app itself, which are never writable')
        line = self._grants.missing_line(grant, self._suggestion(parts, given))
        verb = 'read' if grant == READ else 'write'
        return Denied(f'the app may not {verb} {given!r}: add `{line}` to socket.ini', missing=line)

    def _suggestion(self, parts: tuple[str, ...], given: str) -> str:
        """The pattern of exactly this path, by the deepest variable; no path that the page does not know."""
        best, text = 0, ''
        for name, root in self._roots.items():
            prefix = path_parts(root)
            if len(prefix) > best and parts[: len(prefix)] == prefix:
                best, text = len(prefix), '/'.join((f'${name}', *parts[len(prefix) :]))
        if text:
            return text
        return to_path(parts) if self._debug or os.path.isabs(given) else ''

    # -- on the disk -----------------------------------------------------------------------------------

    def place(
        self, call: Call, grants: Sequence[str], path: str, *, follow: bool = True, make: int | None = None
    ) -> Place:
        """Where ``path`` leads to, if all of ``grants`` cover it.

        Args:
            follow: the last name may be a link; where links are granted it is followed. Without, the
                link itself is meant.
            make: make missing folders on the way, with these rights, where the scope covers them, too.

        Raises:
            Denied: not covered, or a link is met without ``fs.follow_symlinks``.
            OSError: a folder on the way is missing, is no folder or may not be passed.
        """
        parts = self.parts(path)
        for _ in range(MAX_LINKS):
            anchor = self._admit(call.window, grants, parts, path)
            met = self._walk(call, anchor, grants, parts, path, follow, make)
            if isinstance(met, Place):
                return met
            if not self._follow:
                line = self._grants.missing_line('fs.follow_symlinks')
                raise Denied(f'there is a symbolic link in {path!r}: add `{line}` to socket.ini', missing=line)
            parts = met
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

    def _walk(
        self,
        call: Call,
        anchor: Anchor,
        grants: Sequence[str],
        parts: tuple[str, ...],
        given: str,
        follow: bool,
        make: int | None,
    ) -> Place | tuple[str, ...]:
        """The place, or the names that a link on the way leads to."""
        denied = self._identities(grants)
        folder = self._open_anchor(anchor, grants)
        names = anchor.rest
        index = 0
        try:
            if denied:
                _refuse_identity(folder.itself(), denied, given)
            for index, name in enumerate(names[:-1]):
                try:
                    child = folder.child(name)
                except FileNotFoundError:
                    if make is None:
                        raise
                    self._admit(call.window, grants, parts[: len(parts) - len(names) + index + 1], given)
                    child = _make_child(folder, name, make)
                folder.close()
                folder = child
                if denied:
                    _refuse_identity(folder.itself(), denied, given)
            if not names:
                return Place(folder, '.', parts, given)
            index = len(names) - 1
            if follow or denied:
                self._look(folder, names[-1], denied, given, follow)
            return Place(folder, names[-1], parts, given)
        except LinkMet as link:
            folder.close()
            return self._behind(link.target, parts, len(parts) - len(names) + index)
        except BaseException:
            folder.close()
            raise

    @staticmethod
    def _look(folder: Folder, name: str, denied: frozenset[tuple[int, int]], given: str, follow: bool) -> None:
        try:
            state = folder.stat(name)
        except FileNotFoundError:
            return  # to be made, or for the caller to miss
        _refuse_identity(state, denied, given)
        if follow:
            folder.raise_link(name, state)

    def _behind(self, target: str, parts: tuple[str, ...], index: int) -> tuple[str, ...]:
        """The names of a path whose name at ``index`` is a link to ``target``."""
        if not self._follow:
            return parts
        return canonical(target, parts[:index]) + parts[index + 1 :]

    def _open_anchor(self, anchor: Anchor, grants: Sequence[str]) -> Folder:
        try:
            return Folder.open(anchor.path)
        except FileNotFoundError:
            if WRITE not in grants or anchor.path not in self._own:
                raise
        os.makedirs(anchor.path, 0o700, exist_ok=True)
        return Folder.open(anchor.path)

    def open_file(self, call: Call, path: str, flags: OpenFlags, mode: int = 0o666) -> tuple[int, os.stat_result]:
        """A descriptor of the regular file at ``path``, and what the system says of it.

        Raises:
            Denied: out of scope, a link, or neither file nor folder (C12).
            OSError: as ``open``; ``EISDIR`` for a folder.
        """
        with self.place(call, flags.grants, path) as place:
            return self.open_at(place, flags, mode)

    def open_at(self, place: Place, flags: OpenFlags, mode: int = 0o666) -> tuple[int, os.stat_result]:
        """``open_file`` for a place that was found."""
        try:
            _refuse_type(place.stat(), place.given)  # opening a device can already act on it
        except FileNotFoundError:
            pass
        try:
            fd = place.folder.open_file(place.name, flags.bits, mode & 0o777)
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link came in between (C4)
                line = self._grants.missing_line('fs.follow_symlinks')
                text = f'there is a symbolic link in {place.given!r}: add `{line}` to socket.ini'
                raise Denied(text, missing=line) from None
            raise
        try:
            state = os.fstat(fd)
            _refuse_type(state, place.given)
            _refuse_identity(state, self._identities(flags.grants), place.given)
            if flags.truncate and not flags.exclusive:
                os.ftruncate(fd, 0)
            if not WINDOWS:
                os.set_blocking(fd, True)
        except BaseException:
            os.close(fd)
            raise
        return fd, state


def _make_child(folder: Folder, name: str, mode: int) -> Folder:
    try:
        folder.mkdir(name, mode)
    except FileExistsError:  # somebody else was faster
        pass
    return folder.child(name)


def _refuse_identity(state: os.stat_result, denied: frozenset[tuple[int, int]], given: str) -> None:
    if (state.st_dev, state.st_ino) in denied:
        raise _own_data(given)


def _own_data(given: str) -> Denied:
    return Denied(f'{given!r} belongs to the runtime or to the app itself, and no grant opens it')


def _refuse_type(state: os.stat_result, given: str) -> None:
    """C12: nothing but regular files is read or written."""
    kind = stat.S_IFMT(state.st_mode)
    if kind == stat.S_IFDIR:
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if kind in _KINDS:
        raise Denied(f'{given!r} is a {_KINDS[kind]}: only regular files can be opened')
    if kind == stat.S_IFREG and is_pseudo(state.st_dev):
        raise Denied(f"{given!r} is one of the kernel's own files, which no grant opens")
