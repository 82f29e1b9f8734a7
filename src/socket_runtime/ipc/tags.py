"""A small HTML tokenizer: just enough to find the tags that a browser would find.

It follows the tokenization of the HTML standard (section 13.2.5) for everything that decides where a tag
begins and ends: comments, bogus comments, quoting, character references in attributes, raw text, and the
escaped states of scripts. It builds no tree. Offsets are those of the page's bytes, since the text is the
bytes read as Latin-1; time is linear.

The standard library's ``html.parser`` is not used: it differs from browsers exactly where it matters here
(``--!>``, ``<!-- <script>``, ``&`` in attributes), and changes from one release to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ['Span', 'Token', 'attribute', 'escape', 'tokens', 'unescape']

_SKIP = re.compile(r'[\t\n\f\r /]*')
_NAME = re.compile(r'[^\t\n\f\r />]+')
_ATTRIBUTE = re.compile(r'([^\t\n\f\r />][^\t\n\f\r />=]*)(?:[\t\n\f\r ]*(=)[\t\n\f\r ]*)?')
_UNQUOTED = re.compile(r'[^\t\n\f\r >]+')
_COMMENT_END = re.compile(r'--!?>')
_LETTER = re.compile(r'[A-Za-z]')
# NUL does not count: engines drop it, though the standard would have it end the head.
_TEXT = re.compile(r'[^\0\t\n\f\r ]')
_SCRIPT = re.compile(r'<!--|-->|<(/?)script(?=[\t\n\f\r />])', re.I)
# Elements whose content is text up to their end tag. `noscript` is one because scripts always run here.
_RAW = {
    name: re.compile(rf'</{name}(?=[\t\n\f\r />])', re.I)
    for name in ('title', 'textarea', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'noscript')
}
_REFERENCE = re.compile(r'&(?:#([0-9]+);?|#[xX]([0-9A-Fa-f]+);?|([A-Za-z][A-Za-z0-9]*)(;?))')


@dataclass(frozen=True, slots=True)
class Span:
    """Where an attribute's value stands: ``start`` to ``end`` without its quotes; ``quote`` is ``''``
    where there are none. An attribute without a value has an empty span after its name."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: ``start`` and ``end`` tags; ``text`` other than white space; ``raw``, the content of an
            element like ``script``.
        name: the tag's name in lower case, for ``raw`` that of the element; ``''`` for text.
        start, end: offsets in the page.
        attributes: of a start tag; the first of two with one name wins.
    """

    kind: Literal['start', 'end', 'text', 'raw']
    name: str
    start: int
    end: int
    attributes: dict[str, Span]


def tokens(text: str) -> Iterator[Token]:
    """The tokens of ``text``, a page's bytes decoded as Latin-1."""
    at, size = 0, len(text)
    if text.startswith('\xef\xbb\xbf'):
        at = 3  # the byte order mark is no text
    while at < size:
        less = text.find('<', at)
        stop = size if less < 0 else less
        if stop > at and _is_text(text[at:stop]):
            yield Token('text', '', at, stop, {})
        if less < 0:
            return
        token, at = _markup(text, less)
        if token is None:
            continue
        yield token
        if token.kind == 'start':
            end = _raw_end(text, token.name, at)
            if end is not None:
                yield Token('raw', token.name, at, end, {})
                at = end


def _is_text(text: str) -> bool:
    return _TEXT.search(unescape(text, in_attribute=False) if '&' in text else text) is not None


def _markup(text: str, less: int) -> tuple[Token | None, int]:
    """What begins with the ``<`` at ``less``: its token, if it has one, and where it ends."""
    following = text[less + 1 : less + 3]
    if _LETTER.match(following):
        return _tag(text, less, 'start')
    if following[:1] == '/' and _LETTER.match(following, 1):
        return _tag(text, less, 'end')
    if following == '/' or following[:1] not in ('!', '?', '/'):
        return Token('text', '', less, less + 1, {}), less + 1
    if text.startswith('<!--', less):
        return None, _comment_end(text, less + 4)
    greater = text.find('>', less)  # a doctype or a bogus comment: quotes mean nothing there
    return None, len(text) if greater < 0 else greater + 1


def _comment_end(text: str, at: int) -> int:
    for abrupt in ('>', '->'):
        if text.startswith(abrupt, at):
            return at + len(abrupt)
    match = _COMMENT_END.search(text, at)
    return len(text) if match is None else match.end()


def _tag(text: str, less: int, kind: Literal['start', 'end']) -> tuple[Token | None, int]:
    match = _NAME.match(text, less + (1 if kind == 'start' else 2))
    assert match is not None  # the caller has seen a letter
    name, at, size = match[0].lower(), match.end(), len(text)
    attributes: dict[str, Span] = {}
    while True:
        skipped = _SKIP.match(text, at)
        assert skipped is not None  # it matches nothing at all, too
        at = skipped.end()
        if at >= size:
            return None, size  # an unfinished tag is dropped
        if text[at] == '>':
            return Token(kind, name, less, at + 1, attributes), at + 1
        found = _ATTRIBUTE.match(text, at)
        assert found is not None  # neither white space nor "/" nor ">" is left here
        if found[2] is None:
            at = found.end(1)
            span = Span(at, at, '')
        else:
            at = found.end()
            quote = text[at : at + 1]
            if quote in ('"', "'"):
                end = text.find(quote, at + 1)
                if end < 0:
                    return None, size
                span, at = Span(at + 1, end, quote), end + 1
            else:
                value = _UNQUOTED.match(text, at)
                span = Span(at, at if value is None else value.end(), '')
                at = span.end
        attributes.setdefault(found[1].lower(), span)


def _raw_end(text: str, name: str, at: int) -> int | None:
    """Where the text of the element ``name`` that begins at ``at`` ends; ``None`` for other elements."""
    if name == 'script':
        return _script_end(text, at)
    if name == 'plaintext':
        return len(text)
    end_tag = _RAW.get(name)
    if end_tag is None:
        return None
    match = end_tag.search(text, at)
    return len(text) if match is None else match.start()


def _script_end(text: str, at: int) -> int:
    """The end of a script: after ``<!--``, a ``<script`` hides the next ``</script`` (13.2.5.15 to .29)."""
    plain, escaped, double_escaped = range(3)
    state = plain
    while (match := _SCRIPT.search(text, at)) is not None:
        # The dashes of `<!--` may at once be those of `-->`.
        at = match.start() + 2 if match[0] == '<!--' else match.end()
        if match[0] == '<!--':
            state = max(state, escaped)
        elif match[0] == '-->':
            state = plain
        elif match[1]:
            if state != double_escaped:
                return match.start()
            state = escaped
        elif state == escaped:
            state = double_escaped
    return len(text)


def attribute(text: str, token: Token, name: str) -> str | None:
    """The decoded value of one attribute; bytes that are not UTF-8 become lone surrogates."""
    span = token.attributes.get(name)
    if span is None:
        return None
    value = text[span.start : span.end].encode('latin-1').decode('utf-8', 'surrogateescape')
    return unescape(value.replace('\0', '\ufffd'))


def unescape(text: str, *, in_attribute: bool = True) -> str:
    """Resolve character references (13.2.5.72 to .80)."""
    if '&' not in text:
        return text
    from html.entities import html5  # 2,231 entries: only for pages that have a reference

    def resolve(match: re.Match[str]) -> str:
        decimal, hexadecimal, name, semicolon = match.groups()
        if name is None:
            # Absurdly long numbers are not even converted.
            digits = (decimal or hexadecimal).lstrip('0')[:8] or '0'
            number = int(digits, 10 if decimal else 16)
            return '\ufffd' if number == 0 or number > 0x10FFFF or 0xD800 <= number <= 0xDFFF else chr(number)
        if semicolon and name + ';' in html5:
            return html5[name + ';']
        if in_attribute:
            # `&copy=` and `&copyright` in an attribute are what they look like: parts of a URL.
            return html5[name] if name in html5 and text[match.end() : match.end() + 1] != '=' else match[0]
        for length in range(len(name), 1, -1):
            if name[:length] in html5:
                return html5[name[:length]] + name[length:] + semicolon
        return match[0]

    return _REFERENCE.sub(resolve, text)


def escape(value: str, quote: str) -> bytes:
    """``value`` as it stands between two ``quote``, in bytes; undoes ``attribute``."""
    escaped = value.replace('&', '&amp;').replace(quote, '&quot;' if quote == '"' else '&#39;')
    return escaped.encode('utf-8', 'surrogateescape')
