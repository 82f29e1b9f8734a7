"""From tokens to values: every key is known, of its kind, and given once; or the error says where and what.

Nothing here looks at the disk, and no value is worked out from another: that is ``config``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from socket_runtime.app.config.ini import Token
from socket_runtime.app.config.schema import ACCEPTED, ACCEPTED_PREFIXES, KEYS, Key
from socket_runtime.app.config.values import KINDS
from socket_runtime.errors import ConfigError

__all__ = ['Notice', 'Values', 'validate']

#: Most grants in a file (E9).
MAX_GRANTS = 1024

_BY_NAME = {name: key for key in KEYS for name in (key.flat, *(f'{key.section}_{alias}' for alias in key.aliases))}
_SEPARATOR = re.compile(r'[\s,]+')
_POLICY_HEADERS = ('content-security-policy', 'content-security-policy-report-only')


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the author should know, and that is no error."""

    message: str
    file: str
    line: int

    def __str__(self) -> str:
        return f'{self.file}:{self.line}: {self.message}'


@dataclass(slots=True)
class Values:
    """What a file says, in the order of its kinds.

    Attributes:
        values: flattened name -> value, or tuple of values where the key repeats. Complete: defaults filled in.
        tokens: flattened name -> where it was (first) set; absent for a default.
        grants: dotted grant -> its tokens, in order.
        variables: the ``[env]`` section.
        notices: keys without effect.
    """

    values: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    grants: dict[str, list[Token]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def validate(tokens: Iterable[Token], *, file: str = 'socket.ini', required: bool = True) -> Values:
    """Check all tokens against the schema.

    Args:
        tokens: of one file, overrides behind it.
        file: its name, for what is missing from it.
        required: insist on the keys that every project must have.

    Raises:
        ConfigError: the first thing that is wrong.
    """
    found = Values()
    lists: dict[str, list[Any]] = {}
    for token in tokens:
        if _free(token, found):
            continue
        key = _BY_NAME.get(token.name)
        if key is None:
            _unknown_or_accepted(token, found)
            continue
        if key.repeats:
            lists.setdefault(key.flat, []).extend(_items(key, token))
            found.tokens.setdefault(key.flat, token)
        else:
            _set_once(key, token, found)
    for key in KEYS:
        _complete(key, found, lists, file, required)
    return found


def _free(token: Token, found: Values) -> bool:
    """Take a token of a section with names of the author's choice."""
    section, dot, name = token.path.partition('.')
    if not dot:
        return False
    if section == 'grants':
        if sum(len(tokens) for tokens in found.grants.values()) >= MAX_GRANTS:
            raise token.error(f'more than {MAX_GRANTS} grants')
        if token.cut and not token.value:
            raise token.error(f'{name} has no value, only a comment')
        found.grants.setdefault(name, []).append(token)
        return True
    if section == 'env':
        if '.' in name or token.repeat:
            raise token.error(f'expected NAME = value in [env], found {token.path}')
        try:
            found.variables[KINDS['variable'](name)] = token.value
        except ValueError as error:
            raise token.error(f'expected {error}, found {name!r}') from error
        return True
    return False


def _set_once(key: Key, token: Token, found: Values) -> None:
    if token.repeat:
        raise token.error(f'{key.name} takes one value: write {key.name} = ..., without []')
    before = found.tokens.get(key.flat)
    if before is not None:
        raise token.error(
            f'{key.name} is set twice', f'It is already set in line {before.line}: remove one of the two.'
        )
    found.tokens[key.flat] = token
    if token.value:
        found.values[key.flat] = _read(key, token.value, token)


def _items(key: Key, token: Token) -> Iterator[Any]:
    texts = _SEPARATOR.split(token.value) if key.split else [token.value]
    if key.kind == 'header' and token.cut and token.value.lower().startswith(_POLICY_HEADERS):
        raise token.error('the comment cuts the policy short', 'Put the whole header in quotes: "Name: value; value".')
    for text in texts:
        if text:
            yield _read(key, text, token)


def _read(key: Key, text: str, token: Token) -> Any:
    if key.accepts and text not in key.accepts:
        choice = ', '.join(key.accepts[:-1]) + f' or {key.accepts[-1]}'
        raise token.error(f'{key.name}: expected {choice}, found {text!r}', _nearest(text, key.accepts))
    try:
        return KINDS[key.kind](text)
    except ValueError as error:
        shown = text if len(text) <= 60 else f'{text[:57]}...'
        raise token.error(f'{key.name}: expected {error}, found {shown!r}') from error


def _complete(key: Key, found: Values, lists: dict[str, list[Any]], file: str, required: bool) -> None:
    if key.repeats:
        found.values[key.flat] = tuple(lists.get(key.flat, ()))
        return
    if key.flat in found.values:
        return
    if key.required and required:
        token = found.tokens.get(key.flat)
        raise ConfigError(
            f'{key.name} in [{key.section}] is missing',
            file=file,
            line=token.line if token else 0,
            hint=f'Add it: {key.help}',
        )
    found.values[key.flat] = KINDS[key.kind](key.default) if key.default else ''


def _unknown_or_accepted(token: Token, found: Values) -> None:
    if token.name in ACCEPTED or token.name.startswith(ACCEPTED_PREFIXES):
        found.notices.append(Notice(f'{token.path} has no effect here', token.file, token.line))
        return
    sections = {key.section for key in KEYS} | {'env', 'grants'}
    if token.section not in sections and not any(name.startswith(f'{token.section}_') for name in ACCEPTED):
        hint = _nearest(token.section, sections, '[{}]')
        raise token.error(
            f'there is no section [{token.section}]' if token.section else f'{token.key} is in no section', hint
        )
    names = [key.name for key in KEYS if key.section == token.section]
    hint = _nearest(token.key, names) or (f'Known here: {", ".join(names)}.' if names else '')
    raise token.error(f'there is no key {token.key} in [{token.section}]', hint)


def _nearest(word: str, names: Iterable[str], shape: str = '{}') -> str:
    import difflib  # only for a mistake, and not cheap to import

    close = difflib.get_close_matches(word, sorted(names), n=1)
    return f'Did you mean {shape.format(close[0])}?' if close else ''
