"""The three kinds of URI that a page can send us, each parsed once and strictly.

``ipc://fs.readFile?path=%2Fa&seq=7``   a call           ``parse_call``
``socket://com.example.app/index.html`` a file of ours   ``parse_asset``
``socket:fs/promises``                  a module         ``parse_module``

Nothing here is lenient: what is not in the one canonical form is refused, so that no two readers of
a URI can understand it differently (A17). Whoever comes later works with the parsed value and never
looks at the text again.

Source: RFC 3986 section 3; WHATWG URL, which keeps the host of a non-special scheme as it is written
(WebKit) where Chromium lower-cases it and adds a ``/``; attack cases A17, B4, C1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from socket_runtime.errors import BadRequest, NotFound

__all__ = [
    'MAX_NAME',
    'MAX_QUERY_NAMES',
    'MAX_SEGMENT',
    'MAX_SEGMENTS',
    'MAX_SEQ',
    'MAX_URI',
    'AssetUri',
    'CallUri',
    'is_command_name',
    'module_from_asset',
    'parse_asset',
    'parse_call',
    'parse_module',
]

MAX_URI = 64 * 1024  # characters of any URI; longer arguments travel in a body (B4)
MAX_NAME = 128  # characters of a command's or an argument's name (B4)
MAX_QUERY_NAMES = 64  # arguments in one query (B6)
MAX_SEQ = 32  # characters of `seq`, which is echoed (B3)
MAX_SEGMENT = 255  # UTF-8 bytes of one path segment: what file systems take (C1)
MAX_SEGMENTS = 64  # depth of an asset's path (C1)
MAX_HOST = 253  # characters of a host, as in DNS

_LABEL = r'[A-Za-z][A-Za-z0-9_-]*'
_COMMAND = rf'{_LABEL}(?:\.{_LABEL})*'
_QUERY_CHAR = r'[!-"$-~]'  # printable ASCII without `#`: a browser escapes all the rest

_IS_COMMAND = re.compile(_COMMAND).fullmatch
_IS_LABEL = re.compile(_LABEL).fullmatch
_CALL = re.compile(rf'ipc://({_COMMAND})/?(?:\?({_QUERY_CHAR}*))?').fullmatch
_SEQ = re.compile(rf'[A-Za-z0-9_-]{{1,{MAX_SEQ}}}').fullmatch
_INDEX = re.compile(r'[0-9]{1,10}').fullmatch
_BAD_ESCAPE = re.compile(r'%(?![0-9A-Fa-f]{2})').search
_ESCAPES = re.compile(r'(?:%[0-9A-Fa-f]{2})+')

_ASSET = re.compile(r'socket://([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?').fullmatch
_PRINTABLE = re.compile(r'[!-~]*').fullmatch
_ESCAPED_ESCAPE = re.compile(r'%[0-9A-Fa-f]{2}').search
_CONTROL = re.compile(r'[\x00-\x1f\x7f]').search
# Names that Windows gives to devices, in any folder and with any extension; the superscript digits too.
# Source: Microsoft, "Naming Files, Paths, and Namespaces".
_DEVICE = re.compile(
    r'(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*(?:\..*)?', re.I | re.S
).fullmatch
# The shape of a generated 8.3 name: a second name for a file, by which a rule on its first is gone round.
_SHORT_NAME = re.compile(r'[^.]{1,7}~[0-9]{1,6}(?:\.[^.]{0,3})?', re.S).fullmatch

_MODULE = re.compile(r'[a-z][a-z0-9_-]*(?:/[a-z][a-z0-9_-]*)*').fullmatch


@dataclass(frozen=True, slots=True)
class CallUri:
    """A canonical ``ipc:`` URI.

    Attributes:
        command: the command's name in lower case; the router knows the canonical spelling.
        query: the arguments, decoded, without ``seq`` and ``index``.
        seq: what the page wants to get back as ``id``; ``''`` when it sent none.
    """

    command: str
    query: dict[str, str]
    seq: str


@dataclass(frozen=True, slots=True)
class AssetUri:
    """A canonical ``socket:`` URI with an authority.

    Attributes:
        host: as written, not lower-cased: to WebKit another case is another origin.
        segments: the path, decoded, without empty or dot segments; ``()`` for the root.
        directory: the path ends in ``/`` (or is empty).
        query: what follows ``?``, not decoded; ``''`` when there is none. The fragment is dropped.
    """

    host: str
    segments: tuple[str, ...]
    directory: bool
    query: str


def is_command_name(name: str) -> bool:
    """Whether ``name`` is a well-formed command name (``fs.readFile``), in any case."""
    return len(name) <= MAX_NAME and _IS_COMMAND(name) is not None


def parse_call(uri: str) -> CallUri:
    """Parse the raw URI of a call: the hot way of every call.

    Accepted is ``ipc://<command>[/][?name=value&...]``: the scheme in lower case, the command of
    labels joined by dots, the ``/`` only because Chromium adds it. Values are percent-encoded strict
    UTF-8 (``+`` stays ``+``), names are never escaped.

    Raises:
        BadRequest: anything else, with the reason (A17, B3, B4).
    """
    if len(uri) > MAX_URI:
        raise BadRequest(f'the URI is longer than {MAX_URI} characters')
    match = _CALL(uri)
    if match is None:
        raise BadRequest(_why_not_a_call(uri))
    command, query = match.groups()
    if len(command) > MAX_NAME:
        raise BadRequest(f'the name of the command is longer than {MAX_NAME} characters')
    if query is None:
        return CallUri(command.lower(), {}, '')
    arguments = _parse_query(query)
    seq = arguments.pop('seq', '')
    if seq and _SEQ(seq) is None:
        raise BadRequest(f'seq is not 1 to {MAX_SEQ} letters, digits, "-" or "_"')
    # Accepted because the original's pages send it, and dropped: who asks is known natively (B9).
    index = arguments.pop('index', '0')
    if _INDEX(index) is None:
        raise BadRequest('index is not a number')
    return CallUri(command.lower(), arguments, seq)


def _parse_query(query: str) -> dict[str, str]:
    pairs = query.split('&', MAX_QUERY_NAMES)
    if len(pairs) > MAX_QUERY_NAMES:
        raise BadRequest(f'more than {MAX_QUERY_NAMES} arguments in the query')
    escaped = '%' in query
    arguments: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition('=')
        if not equals or len(name) > MAX_NAME or _IS_LABEL(name) is None:
            raise BadRequest('the query is not of the form name=value&...')
        if name in arguments:
            raise BadRequest(f'{name} is given twice')
        if not value and name in ('seq', 'index'):
            raise BadRequest(f'{name} is empty')
        arguments[name] = _decode(value) if escaped and '%' in value else value
    return arguments


def _decode(text: str) -> str:
    """Percent-decode once. ``text`` is ASCII, so each run of escapes is UTF-8 of its own."""
    if _BAD_ESCAPE(text) is not None:
        raise BadRequest('a "%" is not followed by two hexadecimal digits')
    try:
        decoded = _ESCAPES.sub(lambda run: bytes.fromhex(run[0].replace('%', '')).decode('utf-8'), text)
    except UnicodeDecodeError:
        raise BadRequest('the escapes are not UTF-8') from None
    if '\0' in decoded:
        raise BadRequest('a NUL character')
    return decoded


def _why_not_a_call(uri: str) -> str:
    """The reason for a URI that ``_CALL`` refused; only for the message."""
    if not uri.startswith('ipc://'):
        return 'the URI does not begin with ipc:// in lower case'
    if '#' in uri:
        return 'the URI has a fragment'
    if _PRINTABLE(uri) is None:
        return 'the URI has characters that must be percent-encoded'
    host = re.split(r'[/?]', uri[len('ipc://') :], maxsplit=1)[0]
    if '%' in host:
        return 'the name of the command is percent-encoded'
    if '@' in host or ':' in host:
        return 'the URI has user information or a port'
    if _IS_COMMAND(host) is None:
        return 'the name of the command is not of the form module.method'
    return 'the URI has a path'


def parse_asset(uri: str) -> AssetUri:
    """Parse ``socket://host/path?query#fragment``; the path is decoded exactly once (C1).

    The rules are the same on every system, so that an app which works on one works on all: a name
    that Windows would read as a device, a stream, a drive or a short name is refused everywhere.

    Raises:
        NotFound: the path could lead out of the folder or name something else than it says: dot
            and empty segments, separators or a second layer of escapes inside a segment, ``:``,
            trailing dots and spaces, devices, 8.3 names, too long or too deep.
        BadRequest: not such a URI at all, or escapes that are not UTF-8, or control characters.
    """
    if len(uri) > MAX_URI:
        raise BadRequest(f'the URI is longer than {MAX_URI} characters')
    if _PRINTABLE(uri) is None:
        raise BadRequest('the URI has characters that must be percent-encoded')
    match = _ASSET(uri)
    if match is None or len(match[1]) > MAX_HOST:
        raise BadRequest('the URI is not of the form socket://host/path')
    host, path, query = match[1], match[2] or '/', match[3] or ''
    raw = path[1:].split('/')
    directory = raw[-1] == ''
    if directory:
        raw.pop()
    if len(raw) > MAX_SEGMENTS:
        raise NotFound('the path is too deep')
    return AssetUri(host, tuple(_segment(part) for part in raw), directory, query)


def _segment(raw: str) -> str:
    """One decoded segment that names exactly one entry of one folder, on any system."""
    name = _decode(raw) if '%' in raw else raw
    if _CONTROL(name) is not None:
        raise BadRequest('a control character in the path')
    if name in ('', '.', '..') or '/' in name or '\\' in name:
        raise NotFound('the path leaves its folder')
    if ':' in name:
        raise NotFound('a drive or a stream in the path')
    if _ESCAPED_ESCAPE(name) is not None:
        raise NotFound('the path is escaped twice')
    if name[-1] in '. ':
        raise NotFound('a name ends in a dot or a space')
    if _DEVICE(name) is not None or _SHORT_NAME(name) is not None:
        raise NotFound('a name that has another meaning on Windows')
    if len(name.encode()) > MAX_SEGMENT:
        raise NotFound('a name is too long')
    return name


def parse_module(uri: str) -> str:
    """The module that ``socket:fs/promises`` names: ``'fs/promises'``.

    Raises:
        NotFound: well-formed, but no name that a module can have.
        BadRequest: not a ``socket:`` URI without an authority.
    """
    if len(uri) > MAX_URI or not uri.startswith('socket:') or _PRINTABLE(uri) is None:
        raise BadRequest('the URI is not of the form socket:module')
    name = uri[len('socket:') :]
    if name.startswith('/'):
        raise BadRequest('the URI has an authority or an absolute path')
    return _module(name)


def module_from_asset(asset: AssetUri) -> str:
    """The module that Chromium asks for as ``socket://fs/promises``: there the scheme is a standard
    one, so the first part of the name has become the host.

    Raises:
        NotFound: no name that a module can have.
    """
    if asset.query or (asset.directory and asset.segments):
        raise NotFound('no such module')
    return _module('/'.join((asset.host, *asset.segments)))


def _module(name: str) -> str:
    if len(name) > MAX_NAME or _MODULE(name) is None:
        raise NotFound('no such module')
    return name
