"""Reading the text of ``socket.ini``: lines in, tokens out, nothing understood.

The syntax is the original runtime's:

- ``[section]`` begins a section, dots make sub-sections, and ``[.sub]`` extends the section before it;
- ``key = value`` sets, ``key[] = value`` adds one more value;
- ``;`` and ``#`` begin a comment, on a line of their own or behind a value;
- a value in ``"..."`` or ``'...'`` is taken as it stands, comment characters included.

Every token is flattened to ``section_key``, so ``[build.script] forward_arguments`` and
``[build] script_forward_arguments`` are one key, and keeps its file and line, so that whoever finds it
wrong later can say where it stands.

Where the original silently cut or skipped, this reader refuses. ``headers[] = Content-Security-Policy:
default-src 'self'; img-src *`` without quotes would lose half a policy, and a grant with a ``#`` in a
path half a path, without a word: a comment behind a value therefore needs a space before it, and the
glued form is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from socket_runtime.errors import ConfigError

__all__ = ['MAX_BYTES', 'MAX_LINE', 'MAX_TOKENS', 'Token', 'parse', 'read']

#: A larger file is no configuration (E9: a cloned project's file is not trusted). Bytes.
MAX_BYTES = 256 * 1024

#: Longest line in characters: room for a long policy header (E9).
MAX_LINE = 16 * 1024

#: Most ``key = value`` lines in a file (E9).
MAX_TOKENS = 4096

#: Longest section, and longest key, in characters (E9).
MAX_NAME = 128

_SECTION = re.compile(r'[A-Za-z0-9_$/*-]+(?:\.[A-Za-z0-9_$/*-]+)*')
_KEY = re.compile(r'[!$-&(-:<>-Z\\^-~]+')  # visible ASCII without = [ ] " ' ; #
_CONTROL = re.compile(r'[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_COMMENT = re.compile(r'[;#]')
_HEX = frozenset('0123456789abcdefABCDEF')
_QUOTES = ('"', "'")
_QUOTE_HINT = 'Put the whole value in quotes, or put a space before the comment.'


@dataclass(frozen=True, slots=True)
class Token:
    """One ``key = value`` line.

    Attributes:
        section: the full section, dotted; ``''`` before the first section.
        key: the key without ``[]``.
        value: the value without quotes and comment.
        repeat: the line was ``key[] = value``.
        cut: a comment stood behind the (unquoted) value.
        file: where it was read.
        line: 1-based.
    """

    section: str
    key: str
    value: str
    repeat: bool
    cut: bool
    file: str
    line: int

    @property
    def name(self) -> str:
        """The flattened name: ``build_script_forward_arguments``."""
        return self.path.replace('.', '_')

    @property
    def path(self) -> str:
        """The dotted name: ``build.script.forward_arguments``."""
        return f'{self.section}.{self.key}' if self.section else self.key

    def error(self, message: str, hint: str = '') -> ConfigError:
        """A ``ConfigError`` that points here."""
        return ConfigError(message, file=self.file, line=self.line, hint=hint)


def read(path: Path, *, name: str = '') -> tuple[Token, ...]:
    """Read and parse one file.

    Args:
        path: the file.
        name: what to call it in errors; its path where empty.

    Raises:
        ConfigError: it cannot be read, is too large, is not UTF-8, or is no ini.
    """
    shown = name or str(path)
    try:
        with path.open('rb') as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f'cannot be read: {error.strerror or error}', file=shown) from error
    return parse(data, file=shown)


def parse(source: str | bytes, *, file: str = 'socket.ini') -> tuple[Token, ...]:
    """Parse a whole file.

    Args:
        source: its text, or its bytes in UTF-8 (a byte order mark is skipped).
        file: its name in errors and tokens.

    Raises:
        ConfigError: and nothing else, whatever the source is.
    """
    if len(source) > MAX_BYTES:
        raise ConfigError(f'is larger than {MAX_BYTES // 1024} KiB', file=file)
    return tuple(_tokens(_decode(source, file), file))


def _decode(source: str | bytes, file: str) -> str:
    if isinstance(source, str):
        return source.removeprefix('\ufeff')
    try:
        return source.decode('utf-8').removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        line = source.count(b'\n', 0, error.start) + 1
        raise ConfigError('is not UTF-8 here', file=file, line=line, hint='Save the file as UTF-8.') from error


def _tokens(text: str, file: str) -> Iterator[Token]:
    section = ''
    count = 0
    for number, raw in enumerate(text.split('\n'), start=1):
        line = raw.removesuffix('\r')
        if len(line) > MAX_LINE:
            raise ConfigError(f'is longer than {MAX_LINE} characters', file=file, line=number)
        if _CONTROL.search(line):
            raise ConfigError('holds a control character', file=file, line=number)
        line = line.strip()
        if not line or line[0] in ';#':
            continue
        if line[0] == '[':
            section = _section(line, section, file, number)
            continue
        count += 1
        if count > MAX_TOKENS:
            raise ConfigError(f'has more than {MAX_TOKENS} keys', file=file, line=number)
        yield _token(line, section, file, number)


def _section(line: str, before: str, file: str, number: int) -> str:
    inner, bracket, rest = line[1:].partition(']')
    inner, rest = inner.strip(), rest.strip()
    if not bracket or (rest and rest[0] not in ';#'):
        raise ConfigError(f'expected [section], found {_shown(line)}', file=file, line=number)
    extends = inner.startswith('.')
    name = inner.removeprefix('.')
    if not _SECTION.fullmatch(name):
        raise ConfigError(
            f'{_shown(inner)} is no name of a section',
            file=file,
            line=number,
            hint='Such as [build] or [build.script].',
        )
    if extends and not before:
        raise ConfigError(f'[.{name}] has no section before it to extend', file=file, line=number)
    section = f'{before}.{name}' if extends else name
    if len(section) > MAX_NAME:
        raise ConfigError(f'the section is longer than {MAX_NAME} characters', file=file, line=number)
    return section


def _token(line: str, section: str, file: str, number: int) -> Token:
    left, equals, right = line.partition('=')
    if not equals:
        raise ConfigError(
            f'expected key = value, found {_shown(line)}', file=file, line=number, hint='A comment begins with ; or #.'
        )
    left = left.rstrip()
    key = left.removesuffix('[]').rstrip()
    if not _KEY.fullmatch(key) or len(key) > MAX_NAME or key.startswith('.') or key.endswith('.'):
        raise ConfigError(f'{_shown(left)} is no name of a key', file=file, line=number)
    value, cut = _value(right.strip(), file, number)
    return Token(section, key, value, left.endswith('[]'), cut, file, number)


def _value(text: str, file: str, line: int) -> tuple[str, bool]:
    """The value without quotes and comment, and whether a comment was cut off an unquoted value."""
    if text[:1] in _QUOTES:
        return _quoted(text, file, line), False
    for found in _COMMENT.finditer(text):
        at = found.start()
        if at == 0 and text[0] == '#' and text[1:2] in _HEX:
            continue  # a colour: `#fff` is a value in the original too, where a comment never begins a value
        if at and not text[at - 1].isspace():
            raise ConfigError(
                f'{text[at]!r} right behind a value: is it part of it, or the begin of a comment?',
                file=file,
                line=line,
                hint=_QUOTE_HINT,
            )
        value = text[:at].rstrip()
        if value.count('"') % 2:
            raise ConfigError(
                f'{text[at]!r} inside quotes that begin in mid-value', file=file, line=line, hint=_QUOTE_HINT
            )
        return value, True
    return text, False


def _quoted(text: str, file: str, line: int) -> str:
    quote = text[0]
    value, closing, rest = text[1:].partition(quote)
    rest = rest.strip()
    if not closing:
        raise ConfigError(f'the quote {quote} is not closed', file=file, line=line)
    if rest and rest[0] not in ';#':
        other = _QUOTES[quote == '"']
        raise ConfigError(
            f'unexpected {_shown(rest)} behind the closing quote',
            file=file,
            line=line,
            hint=f'There are no escapes: a value with {quote} in it goes into {other}...{other}.',
        )
    return value


def _shown(text: str) -> str:
    """``text`` short and quoted, for an error."""
    return repr(text if len(text) <= 40 else f'{text[:37]}...')
