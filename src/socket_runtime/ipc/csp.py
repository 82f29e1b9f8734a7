"""Content Security Policy, as far as it decides about calls.

A page names what it may call as it names every other source: ``connect-src ipc://fs.readFile``. The
engine checks that by itself; the gate checks it again from the same text, so this module matches as
WebKit does (measured with WebKitGTK 2.50; the table is ``tests/ipc/native_matrix.py``) and is never
more generous:

================================  ===============================================================
source expression                 allows
================================  ===============================================================
``ipc:``, ``ipc://*``             every command
``ipc://fs.readFile``             this command, in any case
``ipc://*.list``                  ``notes.list``, ``a.b.list``, but not ``list``
``ipc://fs.*``                    ours: every command below ``fs.``. Engines never match a ``*`` at the
                                  end, so it is expanded before a page is served (``expand``)
``*``, ``'self'``, ``socket:``    nothing here: their scheme is not ``ipc``
with a path or a port             nothing: calls have neither. (WebKit lets ``:*`` pass; we do not.)
with ``_``                        nothing: not a character of hosts in CSP, and WebKit drops the whole
                                  expression
================================  ===============================================================

Source: CSP Level 3, sections 2.2 (parsing), 2.3.1 (source lists), 6.1 (``connect-src``,
``default-src``), 6.7.2 (matching).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from socket_runtime.errors import ConfigError

__all__ = [
    'CONSOLE',
    'DEFAULT',
    'FLOOR',
    'MAX_POLICIES',
    'MAX_POLICY',
    'NOT_IN_META',
    'Policy',
    'add_source',
    'allows',
    'can_be_named',
    'expand',
    'missing_line',
    'parse_policies',
    'parse_policy',
    'pattern_prefix',
]

MAX_POLICY = 64 * 1024  # characters of one policy
MAX_POLICIES = 32  # policies of one header or one <meta>

#: Holds for every response of ours: no plug-ins, no base or form that leads elsewhere, frames only from
#: the app itself. It says nothing of scripts and connections, which are the page's own affair.
FLOOR = "object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'self' blob: data:; frame-ancestors 'self'"

#: For pages that have no policy of their own: they load from the app alone, run no inline script and no
#: ``eval`` (A15), and may call nothing (A1) but the one-way console.
DEFAULT = (
    "default-src 'self' socket: data: blob:; connect-src 'self' ipc://console.write; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' socket:"
)

#: The one call that every page may make, as a source expression.
CONSOLE = 'ipc://console.write'

#: Directives without effect in a ``<meta>`` (CSP3 section 3.3): they must not gain one in a header.
NOT_IN_META = frozenset({'frame-ancestors', 'report-uri', 'sandbox'})

# ASCII whitespace as the Infra standard has it; `str.split()` would also split at U+000B, U+001C, ...
_WS = '\t\n\f\r '
_TOKEN = re.compile(r'[^\t\n\f\r ]+')
_CALL_DIRECTIVES = ('connect-src', 'default-src')
_HOST = r'[a-z0-9-]+(?:\.[a-z0-9-]+)*'  # CSP3 section 2.3.1, host-char: no underscore
_IS_HOST = re.compile(_HOST).fullmatch
_PATTERN = re.compile(rf'ipc://({_HOST}\.)\*', re.I | re.A).fullmatch
_HEADER_TOKEN = re.compile(r'[!-+\--:<-~]+').fullmatch  # printable, neither a comma nor a semicolon


class _Calls:
    """Which commands a source list allows, in a form that answers quickly (the gate has 10 us)."""

    __slots__ = ('everything', 'exact', 'prefixes', 'suffixes')

    def __init__(self, sources: Iterable[str]) -> None:
        self.everything = False
        exact, prefixes, suffixes = set(), [], []
        for source in sources:
            source = source.lower()
            if source in ('ipc:', 'ipc://*'):
                self.everything = True
            elif not source.startswith('ipc://'):
                continue
            elif _IS_HOST(host := source[6:]):
                exact.add(host)
            elif host.startswith('*.') and _IS_HOST(host[2:]):
                suffixes.append(host[1:])
            elif host.endswith('.*') and _IS_HOST(host[:-2]):
                prefixes.append(host[:-1])
        self.exact = frozenset(exact)
        self.suffixes = tuple(suffixes)
        self.prefixes = tuple(prefixes)

    def match(self, command: str) -> bool:
        name = command.lower()
        return (
            self.everything
            or name in self.exact
            or name.endswith(self.suffixes)
            # what `expand` could not write out is not allowed unexpanded either
            or (name.startswith(self.prefixes) and '_' not in name)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    Attributes:
        directives: name in lower case -> source expressions as written.
        text: what it was parsed from.
    """

    directives: Mapping[str, tuple[str, ...]] = field(hash=False)
    text: str
    _calls: _Calls | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sources = self.call_sources()
        object.__setattr__(self, '_calls', None if sources is None else _Calls(sources))

    def call_sources(self) -> tuple[str, ...] | None:
        """The list that calls are judged by: ``connect-src``, else ``default-src`` (CSP3 section 6.1.2);
        ``None`` when this policy does not restrict them."""
        for name in _CALL_DIRECTIVES:
            if name in self.directives:
                return self.directives[name]
        return None

    def allows_call(self, command: str) -> bool:
        """Whether this policy alone lets ``command`` (in any case) pass."""
        return self._calls is None or self._calls.match(command)

    def without(self, names: Iterable[str]) -> Policy:
        """The same policy without the directives ``names``."""
        dropped = frozenset(names)
        kept = {name: sources for name, sources in self.directives.items() if name not in dropped}
        return self if len(kept) == len(self.directives) else Policy(MappingProxyType(kept), _serialize(kept))

    def header(self) -> str:
        """The policy as it can stand in a header: one line of printable ASCII without commas."""
        return _serialize(self.directives)


def _serialize(directives: Mapping[str, tuple[str, ...]]) -> str:
    # A token with a comma or a control character matches nothing; dropped, it matches nothing either.
    return '; '.join(
        ' '.join((name, *filter(_HEADER_TOKEN, sources))) for name, sources in directives.items() if _HEADER_TOKEN(name)
    )


def parse_policy(text: str) -> Policy:
    """One serialized policy (CSP3 section 2.2.1).

    The first of two directives with one name wins, and a directive that is not ASCII is skipped.

    Raises:
        ConfigError: it is longer than ``MAX_POLICY``.
    """
    if len(text) > MAX_POLICY:
        raise ConfigError(
            f'a Content-Security-Policy is longer than {MAX_POLICY} characters',
            hint='Name whole modules (ipc://fs.*) instead of single commands.',
        )
    directives: dict[str, tuple[str, ...]] = {}
    for part in text.split(';'):
        tokens = _TOKEN.findall(part)
        if not tokens or not part.isascii():
            continue
        directives.setdefault(tokens[0].lower(), tuple(tokens[1:]))
    return Policy(MappingProxyType(directives), text)


def parse_policies(value: str) -> tuple[Policy, ...]:
    """The policies of a header's value, separated by commas (CSP3 section 2.2.2); empty ones do not count.

    Used for a ``<meta>`` as well: engines split there too, whatever the standard says.

    Raises:
        ConfigError: one is too long, or there are more than ``MAX_POLICIES``.
    """
    parts = value.split(',', MAX_POLICIES)
    if len(parts) > MAX_POLICIES:
        raise ConfigError(f'more than {MAX_POLICIES} policies in one Content-Security-Policy')
    return tuple(policy for policy in map(parse_policy, parts) if policy.directives)


def allows(policies: Sequence[Policy], command: str) -> bool:
    """Whether a document with ``policies`` may call ``command``: none forbids it, and at least one speaks
    of calls at all. No policy means that nothing is allowed (A1)."""
    return any(p.call_sources() is not None for p in policies) and all(p.allows_call(command) for p in policies)


def missing_line(policies: Sequence[Policy], command: str) -> str:
    """What would allow ``command``: ``connect-src ipc://fs.readFile``, or the whole ``<meta>`` for a
    document that has no policy at all."""
    line = f'connect-src ipc://{command}'
    return line if policies else f'<meta http-equiv="Content-Security-Policy" content="{line}">'


def can_be_named(command: str) -> bool:
    """Whether a policy can name ``command`` by itself: CSP's hosts know letters, digits, ``-`` and dots."""
    return command.isascii() and _IS_HOST(command.lower()) is not None


def pattern_prefix(source: str) -> str | None:
    """``'fs.'`` for ``ipc://fs.*``, our own extension; ``None`` for any other source expression."""
    match = _PATTERN(source)
    return None if match is None else match[1].lower()


def expand(text: str, commands: Iterable[str]) -> str:
    """Write ``ipc://fs.*`` out, in ``connect-src`` and ``default-src``: engines only know exact names.

    Args:
        text: a policy, or several separated by commas.
        commands: canonical names of all commands that there are.

    Returns: ``text`` with each pattern replaced by the commands that it stands for, sorted, none twice;
    nothing else is changed. A pattern that stands for nothing disappears, and an emptied list becomes
    ``'none'``.
    """
    if '.*' not in text:
        return text
    names = sorted({name.lower(): name for name in commands if can_be_named(name)}.values())
    policies = (';'.join(_expand_directive(part, names) for part in policy.split(';')) for policy in text.split(','))
    return ','.join(policies)


def _expand_directive(part: str, names: Sequence[str]) -> str:
    tokens = [match.span() for match in _TOKEN.finditer(part)]
    if not tokens or not part.isascii() or part[slice(*tokens[0])].lower() not in _CALL_DIRECTIVES:
        return part
    present = {part[start:end].lower() for start, end in tokens[1:]}
    out = [part[: tokens[0][1]]]
    at, kept = tokens[0][1], 0
    for start, end in tokens[1:]:
        prefix = pattern_prefix(part[start:end])
        if prefix is None:
            out.append(part[at:end])
            kept += 1
        else:
            meant = (f'ipc://{name}' for name in names if name.lower().startswith(prefix))
            found = [source for source in meant if source.lower() not in present]
            if found:
                present.update(source.lower() for source in found)
                out.append(part[at:start] + ' '.join(found))
                kept += 1
        at = end
    if len(tokens) > 1 and not kept:
        out.append(" 'none'")
    return ''.join(out) + part[at:]


def add_source(text: str, source: str) -> str:
    """Let a policy that restricts calls, but does not forbid them all, allow ``source`` too.

    It goes into ``connect-src``; where only ``default-src`` restricts, a ``connect-src`` is made from
    that list. ``'none'``, an empty list, a policy that does not restrict calls, and one that allows
    ``source`` already are left as they are.

    Args:
        text: a policy, or several separated by commas; the source is added to each.
        source: an ``ipc://`` source expression.

    Raises:
        ConfigError: a policy is too long.
    """
    return ','.join(_add_source(part, source) for part in text.split(','))


def _add_source(text: str, source: str) -> str:
    policy = parse_policy(text)
    sources = [s for s in policy.call_sources() or () if s.lower() != "'none'"]
    if not sources or source.lower() in map(str.lower, sources) or policy.allows_call(source.removeprefix('ipc://')):
        return text
    if 'connect-src' not in policy.directives:
        end = text.rstrip(_WS)
        return f'{end}{"" if end.endswith(";") else ";"} connect-src {" ".join(sources)} {source}'
    parts = text.split(';')
    for index, part in enumerate(parts):
        tokens = _TOKEN.findall(part)
        if tokens and tokens[0].lower() == 'connect-src' and part.isascii():
            end = part.rstrip(_WS)
            parts[index] = f'{end} {source}{part[len(end) :]}'
            break  # the first wins
    return ';'.join(parts)
