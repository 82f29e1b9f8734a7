"""Grants: what ``[grants]`` of ``socket.ini`` lets an app do at all, whatever a page's policy says.

Path patterns (C7):

=================  ==================================================================================
pattern            what it matches
=================  ==================================================================================
``$DATA/a.txt``    exactly this path; ``?``, ``[`` and ``{`` mean themselves
``$DATA/*``        what lies directly in the folder, but for names with a leading dot; not the folder
``$DATA/*.txt``    the same, of names that end so
``$DATA/.*``       names with a leading dot, directly in the folder
``$DATA/**``       the folder itself and all below it, but for names with a leading dot on the way
``$DATA/``         the same as ``$DATA/**``
``$DATA/**/x``     every ``x`` below the folder, at any depth, and in it
``$DATA/.git/**``  a name with a leading dot, once written, is as good as any other
no pattern         nothing
=================  ==================================================================================

A variable's value is literal, whatever characters it has (C6). What a user picks in a dialog or drops on
a window is a literal grant of exactly that path, kept in ``RuntimeGrants`` and never in a file.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from socket_runtime.errors import ConfigError, QuotaExceeded

__all__ = [
    'KNOWN_GRANTS',
    'VARIABLES',
    'Anchor',
    'GrantInfo',
    'Grants',
    'PathScope',
    'RuntimeGrants',
    'is_never_opened',
    'missing_line',
    'path_parts',
]

GrantKind: TypeAlias = Literal['paths', 'names', 'hosts', 'flag']
GrantValue: TypeAlias = 'tuple[str, ...] | bool'

MAX_RUNTIME_GRANTS = 10_000  # B6: paths picked or dropped; each is an act of the user

WINDOWS = sys.platform == 'win32'

VARIABLES: Mapping[str, str] = types.MappingProxyType(
    {
        'RESOURCES': "the app's own files, never writable",
        'DATA': "the app's own data",
        'CONFIG': "the app's own settings",
        'CACHE': 'what the app can make anew',
        'TMP': 'a private temporary folder',
        'HOME': "the user's home folder",
        'DOCUMENTS': "the user's documents",
        'DOWNLOADS': "the user's downloads",
        'DESKTOP': "the user's desktop",
        'CWD': 'the working folder, in development only',
    }
)


@dataclass(frozen=True, slots=True)
class GrantInfo:
    """What a grant's name means.

    Attributes:
        kind: ``'paths'`` (patterns as above), ``'names'``, ``'hosts'`` or ``'flag'`` (true or false).
        help: one line for ``ssc policy`` and the documentation.
        default: what holds when ``socket.ini`` does not mention the name.
        example: the value that a message shows.
        when_true: what ``true`` stands for where a list is expected; empty where it is an error.
    """

    kind: GrantKind
    help: str
    default: GrantValue = ()
    example: str = ''
    when_true: tuple[str, ...] = ()


KNOWN_GRANTS: Mapping[str, GrantInfo] = types.MappingProxyType(
    {
        'fs.read': GrantInfo('paths', 'files and folders to read', ('$RESOURCES/**',), '$DATA/**'),
        'fs.write': GrantInfo('paths', 'files and folders to write', (), '$DATA/**'),
        'fs.follow_symlinks': GrantInfo('flag', 'follow symbolic links, each target checked anew', False),
        'process.spawn': GrantInfo('names', 'programs to run, by name or absolute path', (), 'git'),
        'process.env': GrantInfo('names', 'environment variables to read and to set for programs', (), 'LANG'),
        'shell.open': GrantInfo(
            'names', 'URL schemes to open in other programs', (), 'https:', when_true=('https:', 'mailto:')
        ),
        'shell.reveal': GrantInfo('flag', 'show readable files in the file manager', False),
        'window.manage': GrantInfo('flag', 'open, close and change windows', False),
    }
)

# D1: schemes that run code, reach the disk or the network of the house; no configuration opens them.
NEVER_OPENED = frozenset(
    'about afp blob chrome cifs data file filesystem ftp gopher help ipc jar javascript ldap ldaps livescript mhtml '
    'mocha nfs node npm res search search-ms sftp shell smb socket ssh telnet vbscript view-source vnc'.split()
)


def is_never_opened(scheme: str) -> bool:
    """May no configuration open URLs of this scheme, given in lower case? (D1)"""
    return scheme in NEVER_OPENED or scheme.startswith('ms-')


_ENV_NAME = r'[A-Za-z_][A-Za-z0-9_]*\*?|\*'
_SCHEME = r'[a-z][a-z0-9+.-]*:'
_HOST = r'(?:\*|(?:\*\.)?[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?:\*|\d{1,5}(?:-\d{1,5})?))?'


# -- the grants of an app ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grants:
    """The checked ``[grants]`` section.

    Args:
        given: name -> patterns, or true or false. ``false`` grants nothing, also against a default.
        extra: grants that the app itself defines for its own commands.
        file: for messages.
        lines: name -> line in ``file``, for messages.

    Raises:
        ConfigError: an unknown name, or a value that its kind does not take.
    """

    given: Mapping[str, Sequence[str] | bool] = field(default_factory=dict)
    extra: Mapping[str, GrantInfo] = field(default_factory=dict)
    file: str = field(default='', compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    _table: Mapping[str, GrantValue] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {**KNOWN_GRANTS, **self.extra}
        table: dict[str, GrantValue] = {name: info.default for name, info in known.items()}
        for name, value in self.given.items():
            try:
                if name not in known:
                    raise ValueError(f'there is no grant {name!r}; known are {", ".join(sorted(known))}')
                table[name] = _checked(name, known[name], value)
            except ValueError as error:
                raise ConfigError(
                    f'[grants] {error}', file=self.file, line=self.lines.get(name, 0), hint=_hint(name, known)
                ) from None
        object.__setattr__(self, '_table', types.MappingProxyType(table))

    def has(self, name: str) -> bool:
        """Is anything at all granted under this name? Unknown names are not."""
        return bool(self._table.get(name))

    def patterns(self, name: str) -> tuple[str, ...]:
        """The patterns under this name; none for a flag."""
        value = self._table.get(name, ())
        return value if isinstance(value, tuple) else ()

    def missing_line(self, name: str, value: str = '') -> str:
        """The line of ``socket.ini`` that would grant ``value``."""
        return missing_line(name, value, self.extra)

    def items(self) -> tuple[tuple[str, GrantValue], ...]:
        """All grants with their values, defaults included, sorted by name."""
        return tuple(sorted(self._table.items()))


def missing_line(name: str, value: str = '', extra: Mapping[str, GrantInfo] | None = None) -> str:
    """The line of ``socket.ini`` that would grant ``value``, e.g. ``[grants] fs.write[] = $DATA/**``."""
    info = (extra or {}).get(name) or KNOWN_GRANTS.get(name)
    if info is None or info.kind == 'flag':
        return f'[grants] {name} = true'
    return f'[grants] {name}[] = {value or info.example}'.rstrip()


def _hint(name: str, known: Mapping[str, GrantInfo]) -> str:
    return f'For example: {missing_line(name, extra=known)}' if name in known else ''


def _checked(name: str, info: GrantInfo, value: Sequence[str] | bool) -> GrantValue:
    if info.kind == 'flag':
        if not isinstance(value, bool):
            raise ValueError(f'{name} is true or false, not {_listed(value)}')
        return value
    if isinstance(value, bool):
        if value and not info.when_true:
            raise ValueError(f'{name} needs values: true would be everything')
        return info.when_true if value else ()
    if isinstance(value, str):
        raise ValueError(f'{name} is a list: write {name}[] = {value}')
    for text in value:
        _check_value(name, info.kind, text)
    return tuple(value)


def _check_value(name: str, kind: GrantKind, text: str) -> None:
    if not text or text != text.strip() or any(ord(letter) < 32 for letter in text):
        raise ValueError(f'{name} has an empty value, or one with control characters or blanks at its ends')
    if kind == 'paths':
        pattern = _parse_pattern(text)
        if name == 'fs.write' and pattern.variable == 'RESOURCES':
            raise ValueError(f'{name} cannot have {text!r}: the files of the app itself are never writable')
    elif kind == 'hosts' and not re.fullmatch(_HOST, text):
        raise ValueError(f'{name} has {text!r}, which is no host, host:port or host:from-to')
    elif name == 'shell.open' and (not re.fullmatch(_SCHEME, text) or is_never_opened(text[:-1])):
        raise ValueError(f'{name} has {text!r}, which is no scheme that may be opened, such as https:')
    elif name == 'process.env' and not re.fullmatch(_ENV_NAME, text):
        raise ValueError(f'{name} has {text!r}, which is no name of a variable; * may only end it')
    elif name == 'process.spawn' and _split(text) != (text,) and not os.path.isabs(text):
        raise ValueError(f'{name} has {text!r}; write the name of a program, or its absolute path')


def _listed(value: object) -> str:
    return ', '.join(map(repr, value)) if isinstance(value, (list, tuple)) else repr(value)


# -- paths ------------------------------------------------------------------------------------------


class Anchor(NamedTuple):
    """Where to begin opening an allowed path.

    Attributes:
        path: a folder that the app's author, the system or the user named; opened as it is, links in it
            followed.
        rest: the names from there on, to be walked one by one without following any link.
    """

    path: str
    rest: tuple[str, ...]


def path_parts(path: str | os.PathLike[str], *, windows: bool = WINDOWS) -> tuple[str, ...]:
    """The names of an absolute path, lexically: ``.`` dropped and ``..`` applied. On Windows the drive
    or share comes first.

    Raises:
        ValueError: the path is not absolute.
    """
    text = os.fspath(path)
    prefix: tuple[str, ...] = ()
    if windows:
        import ntpath

        drive, text = ntpath.splitdrive(text.replace('/', '\\'))
        if not drive or not text.startswith('\\'):
            raise ValueError(f'{os.fspath(path)!r} is not absolute')
        prefix = (drive.upper(),)
    elif not text.startswith('/'):
        raise ValueError(f'{text!r} is not absolute')
    parts: list[str] = []
    for part in _split(text, windows=windows):
        if part == '..':
            del parts[-1:]
        elif part not in ('', '.'):
            parts.append(part)
    return prefix + tuple(parts)


def _split(text: str, *, windows: bool = WINDOWS) -> tuple[str, ...]:
    return tuple(text.replace('\\', '/').split('/') if windows else text.split('/'))


_Segment: TypeAlias = 'str | re.Pattern[str] | None'  # a literal name, a name with `*`, or `**`


class _Pattern(NamedTuple):
    variable: str  # '' for an absolute path
    base: str  # the absolute literal folder in front of the first `*`; '' for a variable
    segments: tuple[_Segment, ...]


def _parse_pattern(text: str, *, windows: bool = WINDOWS) -> _Pattern:
    head, *rest = _split(text, windows=windows)
    if head.startswith('$'):
        if head[1:] not in VARIABLES:
            raise ValueError(f'{text!r} begins with an unknown variable; known are {_dollars()}')
        variable = head[1:]
    elif head == '' or (windows and re.fullmatch('[A-Za-z]:', head)):
        variable = ''
    else:
        raise ValueError(f'{text!r} is not absolute; begin it with / or one of {_dollars()}')
    if rest and rest[-1] == '':
        rest[-1] = '**'
    if '' in rest or '.' in rest or '..' in rest:
        raise ValueError(f'{text!r} has an empty, "." or ".." part')
    if any('**' in part and part != '**' for part in rest):
        raise ValueError(f'{text!r}: ** stands alone between two /')
    base = ''
    if not variable:
        # The folder that opening begins at: all names before the first `*`, and at most all but the last.
        count = next((number for number, part in enumerate(rest) if '*' in part), max(len(rest) - 1, 0))
        base = (head + '/' + '/'.join(rest[:count])).rstrip('/') or '/'
        rest = rest[count:]
    return _Pattern(variable, base, tuple(_compile_segment(part) for part in rest))


def _dollars() -> str:
    return ', '.join(f'${name}' for name in VARIABLES)


def _compile_segment(part: str) -> _Segment:
    if part == '**':
        return None
    if '*' not in part:
        return _fold(part)
    body = '.*'.join(re.escape(_fold(piece)) for piece in part.split('*'))
    return re.compile(('(?!\\.)' if part.startswith('*') else '') + body, re.DOTALL)


def _fold(name: str) -> str:
    return name.lower() if WINDOWS else name


def _matches(segments: tuple[_Segment, ...], names: Sequence[str]) -> bool:
    """Does the pattern match all of ``names``? Linear in both: positions are a set, nothing is tried twice."""
    end = len(segments)
    positions = _skip(segments, {0})
    for name in names:
        following: set[int] = set()
        for position in positions:
            if position == end:
                continue
            segment = segments[position]
            if segment is None:
                if not name.startswith('.'):
                    following.add(position)
            elif segment == name if isinstance(segment, str) else segment.fullmatch(name):
                following.add(position + 1)
        positions = _skip(segments, following)
        if not positions:
            return False
    return end in positions


def _skip(segments: tuple[_Segment, ...], positions: set[int]) -> set[int]:
    """``**`` also stands for no name at all."""
    for position in sorted(positions):
        while position < len(segments) and segments[position] is None:
            position += 1
            positions.add(position)
    return positions


class _Rule(NamedTuple):
    anchor: str
    prefix: tuple[str, ...]
    segments: tuple[_Segment, ...]


class PathScope:
    """The paths that some patterns match.

    Args:
        roots: variable name -> absolute folder. A pattern whose variable has no folder matches nothing.
        patterns: as in the table at the top.

    Raises:
        ConfigError: a pattern is malformed.
    """

    __slots__ = ('_rules', 'variables')

    def __init__(self, roots: Mapping[str, str | os.PathLike[str]], patterns: Iterable[str]) -> None:
        rules: list[_Rule] = []
        variables: list[str] = []
        for text in patterns:
            try:
                pattern = _parse_pattern(text)
                if pattern.variable and pattern.variable not in roots:
                    continue
                anchor = os.fspath(roots[pattern.variable]) if pattern.variable else pattern.base
                rules.append(_Rule(anchor, tuple(map(_fold, path_parts(anchor))), pattern.segments))
            except ValueError as error:
                raise ConfigError(f'[grants] {error}') from None
            if pattern.variable and pattern.variable not in variables:
                variables.append(pattern.variable)
        self._rules = tuple(rules)
        self.variables = tuple(variables)

    def allows(self, parts: Sequence[str]) -> bool:
        """Does a pattern match the path of these names (as ``path_parts`` gives them)?"""
        return self.anchor(parts) is not None

    def anchor(self, parts: Sequence[str]) -> Anchor | None:
        """Where to begin opening the path, or ``None`` when no pattern matches it."""
        folded = tuple(map(_fold, parts)) if WINDOWS else tuple(parts)
        for rule in self._rules:
            count = len(rule.prefix)
            if folded[:count] == rule.prefix and _matches(rule.segments, folded[count:]):
                return Anchor(rule.anchor, tuple(parts[count:]))
        return None


# -- what the user picks while the app runs ---------------------------------------------------------


class _Literal(NamedTuple):
    grant: str
    window: int | None
    parts: tuple[str, ...]
    real: str
    tree: bool


class RuntimeGrants:
    """Literal grants of single paths, made by dialogs and drops (C6). Any thread may use it."""

    __slots__ = ('_items', '_lock')

    def __init__(self) -> None:
        self._items: dict[tuple[str, int | None, tuple[str, ...]], _Literal] = {}
        self._lock = threading.Lock()

    def allow(self, grant: str, path: str | os.PathLike[str], *, window: int | None = None, tree: bool = False) -> None:
        """Grant exactly ``path``; its characters mean themselves.

        Links in it are resolved now, once: what the user saw is what is granted, and a link that
        changes later leads nowhere else.

        Args:
            grant: ``'fs.read'`` or ``'fs.write'``.
            path: absolute.
            window: only for this window, or for all of the app's.
            tree: also all below it, names with a leading dot included; for folders that a user picked.

        Raises:
            ValueError: the path is not absolute.
            QuotaExceeded: there are ``MAX_RUNTIME_GRANTS`` already.
        """
        item = _Literal(grant, window, tuple(map(_fold, path_parts(path))), os.path.realpath(path), tree)
        key = (grant, window, item.parts)
        with self._lock:
            if key not in self._items and len(self._items) >= MAX_RUNTIME_GRANTS:
                raise QuotaExceeded('too many files have been picked or dropped')
            former = self._items.get(key)
            self._items[key] = item if former is None or not former.tree else former

    def revoke_window(self, window: int) -> None:
        """Forget what was granted to a window that is gone."""
        with self._lock:
            self._items = {key: item for key, item in self._items.items() if item.window != window}

    def has(self, grant: str, window: int) -> bool:
        """Has this window any literal grant of this name?"""
        with self._lock:
            return any(name == grant and owner in (None, window) for name, owner, _ in self._items)

    def anchor(self, grant: str, window: int, parts: Sequence[str]) -> Anchor | None:
        """Where to begin opening the path, or ``None`` when the window has no literal grant of it."""
        folded = tuple(map(_fold, parts))
        with self._lock:
            for owner in (window, None):
                exact = self._items.get((grant, owner, folded))
                if exact is not None:
                    return _literal_anchor(exact, ())
                for count in range(len(folded) - 1, 0, -1):
                    above = self._items.get((grant, owner, folded[:count]))
                    if above is not None and above.tree:
                        return _literal_anchor(above, tuple(parts[count:]))
        return None


def _literal_anchor(item: _Literal, rest: tuple[str, ...]) -> Anchor:
    folder, name = os.path.split(item.real)
    return Anchor(folder, (name, *rest)) if name else Anchor(item.real, rest)
