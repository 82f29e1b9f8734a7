"""The kinds of values that ``socket.ini`` knows, and how their text is read.

Each reader takes the text of one value and returns what it means, or raises ``ValueError`` with what
was expected, in words that complete "expected ...". Nothing here looks at the disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ['KINDS', 'Size', 'is_bundle_identifier', 'is_name', 'is_version']

#: Longest name of an app: it becomes a file name on every system. Characters.
MAX_APP_NAME = 64

#: Longest bundle identifier: it becomes the host of the app's origin, as long as a DNS name may be.
MAX_IDENTIFIER = 253

#: Largest window edge in pixels that is taken for meant.
MAX_PIXELS = 32767

#: Longest time for a command in seconds.
MAX_SECONDS = 3600.0

#: Headers that the runtime sets itself: a second one from ``socket.ini`` could open what the gate closes.
OWN_HEADERS = frozenset(
    {
        'access-control-allow-credentials',
        'access-control-allow-headers',
        'access-control-allow-methods',
        'access-control-allow-origin',
        'access-control-expose-headers',
        'content-encoding',
        'content-length',
        'content-type',
        'set-cookie',
        'transfer-encoding',
        'x-content-type-options',
    }
)

_NAME = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?')
_LABEL = re.compile(r'[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?')
_NUMBER_LABEL = re.compile(r'[0-9]+|0[xX][0-9A-Fa-f]*')
_VERSION = re.compile(
    r'(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})'
    r'(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?'
)
_PIXELS = re.compile(r'([0-9]{1,5})(?:px)?')
_PERCENT = re.compile(r'([0-9]{1,3}(?:\.[0-9]{1,3})?)%')
_HEX_COLOR = re.compile(r'#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})')
_RGB_COLOR = re.compile(
    r'rgba?\(\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*,\s*([0-9]{1,3})\s*(?:,\s*(1|1\.0+|100%)\s*)?\)', re.IGNORECASE
)
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*(.*)")
_VARIABLE = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
_SECONDS = re.compile(r'[0-9]{1,6}(?:\.[0-9]{1,6})?')


@dataclass(frozen=True, slots=True)
class Size:
    """A window's edge: pixels, or a share of the screen.

    Attributes:
        value: CSS pixels, or percent.
        percent: ``value`` is percent.
    """

    value: float
    percent: bool = False

    def resolve(self, available: int) -> int:
        """In CSS pixels, on a screen whose edge is ``available`` pixels."""
        return round(available * self.value / 100) if self.percent else round(self.value)

    def __str__(self) -> str:
        return f'{self.value:g}%' if self.percent else f'{self.value:g}'


def is_name(text: str) -> bool:
    """May an app be called so? It becomes file names: letters, digits, ``-``, ``_`` and ``.``."""
    return len(text) <= MAX_APP_NAME and _NAME.fullmatch(text) is not None


def is_bundle_identifier(text: str) -> bool:
    """Is it a reverse DNS name that can also be the host of ``socket://<it>``?

    A last part that is a number would make engines read the host as an IPv4 address, and ``xn--`` parts
    would make them decode it.
    """
    labels = text.split('.')
    return (
        len(text) <= MAX_IDENTIFIER
        and len(labels) >= 2
        and all(_LABEL.fullmatch(label) and not label.lower().startswith('xn--') for label in labels)
        and labels[0][0].isalpha()
        and not _NUMBER_LABEL.fullmatch(labels[-1])
    )


def is_version(text: str) -> bool:
    """Is it a version by semver.org, such as ``1.2.3`` or ``1.2.3-beta.1``?"""
    return len(text) <= MAX_APP_NAME and _VERSION.fullmatch(text) is not None


def _string(text: str) -> str:
    return text


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(f'letters, digits, "-", "_" and ".", at most {MAX_APP_NAME} of them')
    return text


def _bundle_identifier(text: str) -> str:
    if not is_bundle_identifier(text):
        raise ValueError('a reverse DNS name such as com.example.app')
    return text


def _version(text: str) -> str:
    if not is_version(text):
        raise ValueError('a version such as 1.2.3')
    return text


def _boolean(text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise ValueError('true or false')
    return text.lower() == 'true'


def _seconds(text: str) -> float:
    if not _SECONDS.fullmatch(text) or not 0 < float(text) <= MAX_SECONDS:
        raise ValueError(f'seconds, more than 0 and at most {MAX_SECONDS:g}')
    return float(text)


def _size(text: str) -> Size:
    if (pixels := _PIXELS.fullmatch(text)) and int(pixels[1]) <= MAX_PIXELS:
        return Size(int(pixels[1]))
    if (percent := _PERCENT.fullmatch(text)) and float(percent[1]) <= 100:
        return Size(float(percent[1]), percent=True)
    raise ValueError('pixels such as 800, or a share of the screen such as 50%')


def _color(text: str) -> str:
    if found := _HEX_COLOR.fullmatch(text):
        digits = found[1] if len(found[1]) == 6 else ''.join(digit * 2 for digit in found[1])
        return f'#{digits.upper()}'
    if (found := _RGB_COLOR.fullmatch(text)) and all(int(part) <= 255 for part in found.groups()[:3]):
        red, green, blue = (int(part) for part in found.groups()[:3])
        return f'#{red:02X}{green:02X}{blue:02X}'
    raise ValueError('an opaque colour such as #2E2E2E or rgba(46, 46, 46, 1)')


def _path(text: str) -> str:
    """A path inside the project: a cloned project must not copy from, or build over, the rest of the disk."""
    parts = text.removesuffix('/').removeprefix('./').split('/')
    if not text or '\\' in text or ':' in text or any(part in ('', '..') for part in parts):
        raise ValueError('a path inside the project, relative, with "/" and without ".."')
    return '/'.join(part for part in parts if part != '.') or '.'


def _url_path(text: str) -> str:
    parts = text.split('/')
    if not text.startswith('/') or '..' in parts or any(char in text for char in '\\?#% '):
        raise ValueError('a path of the app such as / or /admin/')
    return text


def _index(text: str) -> str:
    if text.startswith('/'):
        return _url_path(text).removeprefix('/')
    return _url_path(f'/{text}').removeprefix('/')


def _header(text: str) -> str:
    found = _HEADER.fullmatch(text)
    if found is None:
        raise ValueError('a header such as X-Name: value')
    if found[1].lower() in OWN_HEADERS:
        raise ValueError(f'another header: {found[1]} is set by the runtime alone')
    return f'{found[1]}: {found[2]}'


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError('the name of an environment variable')
    return text


#: Kind of value -> its reader.
KINDS: dict[str, Callable[[str], Any]] = {
    'boolean': _boolean,
    'bundle identifier': _bundle_identifier,
    'choice': _string,
    'color': _color,
    'command': _string,
    'header': _header,
    'index': _index,
    'name': _name,
    'path': _path,
    'seconds': _seconds,
    'size': _size,
    'string': _string,
    'url path': _url_path,
    'variable': _variable,
    'version': _version,
}
