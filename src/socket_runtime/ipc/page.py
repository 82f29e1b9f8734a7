"""The policy of a page: found in its HTML, written out for the engine, and checked before it is shipped.

A page states its policy in ``<meta http-equiv="Content-Security-Policy">``. ``serve_page`` finds those
that a browser obeys, writes ``ipc://fs.*`` out into exact commands, and makes the header that says the
same: the header holds from the first byte on, wherever the ``<meta>`` stands (A4), and our other replies
carry it too. ``lint_page`` tells the author what will not work as written.

Source: CSP Level 3 section 3.3 (``<meta>``); HTML standard section 4.2.5.3 (``http-equiv``), 13.2.6.4.1
to 13.2.6.4.6 (what is in the head).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from socket_runtime.errors import ConfigError, PageError
from socket_runtime.ipc.csp import (
    CONSOLE,
    DEFAULT,
    FLOOR,
    NOT_IN_META,
    Policy,
    add_source,
    can_be_named,
    expand,
    parse_policies,
    pattern_prefix,
)
from socket_runtime.ipc.tags import Span, Token, attribute, escape, tokens

__all__ = ['MAX_METAS', 'Finding', 'ServedPage', 'lint_page', 'serve_page']

MAX_METAS = 16  # policies that one page may state

_POLICY = 'content-security-policy'
# What may stand in the head without ending it. `noscript` only before `</head>`.
_HEAD_TAGS = frozenset(
    {'base', 'basefont', 'bgsound', 'head', 'html', 'link', 'meta', 'noframes', 'script', 'style', 'template', 'title'}
)
# Inside these a browser's parser follows other rules, which this scan does not know.
_OTHER_RULES = frozenset({'math', 'select', 'svg'})

# Other types are data blocks, which do not run.
_SCRIPT_TYPES = frozenset({'', 'module', 'importmap', 'text/javascript', 'application/javascript', 'speculationrules'})


@dataclass(frozen=True, slots=True)
class ServedPage:
    """A page as it is sent.

    Attributes:
        body: the page; only its policies have been rewritten.
        header: the value of ``Content-Security-Policy``.
        policies: what the gate judges calls by: those of ``socket.ini`` and the page's own, expanded.
            Empty for a page without any, whatever the header says.
    """

    body: bytes
    header: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a page that will not work as it is written.

    Attributes:
        line: 1-based line in the page; 0 when it belongs to none.
        message: what is wrong.
        hint: how to mend it.
        error: the page breaks, so that a build stops; otherwise a warning.
    """

    line: int
    message: str
    hint: str
    error: bool = False


@dataclass(frozen=True, slots=True)
class _Meta:
    """A ``<meta>`` that states a policy."""

    start: int
    content: str
    span: Span | None
    place: str  # 'head', 'body' or 'template'
    after_script: bool


@dataclass(frozen=True, slots=True)
class _Script:
    start: int
    source: str | None
    text: str
    nonce: str
    kind: str  # the `type` attribute, in lower case


@dataclass(slots=True)
class _Scan:
    """What a walk through a page's tags has found."""

    text: str
    metas: list[_Meta] = field(default_factory=list)
    scripts: list[_Script] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)  # `noscript` elements that hold a policy
    doubtful: int = -1  # a policy whose place only a full parser could tell
    ran_script: bool = False
    _lines: list[int] | None = None

    def line(self, offset: int) -> int:
        if self._lines is None:
            self._lines = [match.start() for match in re.finditer('\n', self.text)]
        return bisect_left(self._lines, offset) + 1


def _scan(html: bytes, *, whole: bool) -> _Scan:
    """Find the policies, and of the ``whole`` page also scripts and policies that have no effect."""
    scan = _Scan(html.decode('latin-1'))
    place, after_head, templates, doubt = 'head', False, 0, False
    script: Token | None = None
    for token in tokens(scan.text):
        if token.kind == 'raw':
            _note_raw(scan, token, script)
            continue
        if not templates and place == 'head' and _ends_head(token, after_head):
            place = 'body'
            if not whole:
                break
        if token.kind == 'start':
            if token.name == 'template':
                templates += 1
            elif token.name == 'script':
                script = None if templates else token
            elif token.name in _OTHER_RULES:
                doubt = doubt or (templates > 0 and place == 'head')
            elif token.name == 'meta' and _states_policy(scan.text, token):
                if doubt and place == 'head' and scan.doubtful < 0:
                    scan.doubtful = token.start
                _note_meta(scan, token, 'template' if templates else place)
        elif token.kind == 'end':
            if token.name == 'template':
                templates = max(0, templates - 1)
            elif token.name == 'head':
                after_head = True
    return scan


def _ends_head(token: Token, after_head: bool) -> bool:
    if token.kind == 'start':
        return token.name not in _HEAD_TAGS and (after_head or token.name != 'noscript')
    return token.kind == 'text' or token.name in ('body', 'html', 'br')


def _states_policy(text: str, token: Token) -> bool:
    return 'http-equiv' in token.attributes and (attribute(text, token, 'http-equiv') or '').lower() == _POLICY


def _note_meta(scan: _Scan, token: Token, place: str) -> None:
    content = attribute(scan.text, token, 'content') or ''
    scan.metas.append(_Meta(token.start, content, token.attributes.get('content'), place, scan.ran_script))


def _note_raw(scan: _Scan, token: Token, script: Token | None) -> None:
    content = scan.text[token.start : token.end]
    if token.name == 'noscript' and _POLICY in content.lower():
        scan.hidden.append(token.start)
    elif token.name == 'script' and script is not None:
        kind = (attribute(scan.text, script, 'type') or '').strip().lower()
        nonce = attribute(scan.text, script, 'nonce') or ''
        scan.scripts.append(_Script(script.start, attribute(scan.text, script, 'src'), content, nonce, kind))
        scan.ran_script = scan.ran_script or kind in _SCRIPT_TYPES


# -- serving -------------------------------------------------------------------------------------------


def serve_page(
    html: bytes, *, commands: Iterable[str], configured: Sequence[str] = (), floor: str = FLOOR
) -> ServedPage:
    """Make a page ready to be sent.

    Args:
        html: the page, UTF-8. (In another encoding no policy is found, so nothing is allowed.)
        commands: canonical names that ``ipc://fs.*`` can stand for.
        configured: policies of ``socket.ini`` that hold for every page.
        floor: the policy that holds for every reply of ours.

    Raises:
        ConfigError: a policy is too long, or too many stand in one text.
        PageError: more than ``MAX_METAS`` policies, or one whose place in the head cannot be told.
    """
    names = tuple(commands)
    scan = _scan(html, whole=False)
    if scan.doubtful >= 0:
        raise PageError(
            f'line {scan.line(scan.doubtful)}: the policy of the page stands after a <template> with <svg>, '
            '<math> or <select> in the head',
            hint='Put the policy first in the head.',
        )
    metas = [meta for meta in scan.metas if meta.place == 'head' and meta.content and meta.span is not None]
    if len(metas) > MAX_METAS:
        raise PageError(f'the page states more than {MAX_METAS} policies', hint='Make one of them.')
    policies: list[Policy] = []
    header: list[str] = [floor]
    for text in configured:
        expanded = expand(text, names)
        policies += parse_policies(expanded)
        header += [policy.header() for policy in parse_policies(add_source(expanded, CONSOLE))]
    pieces, at = [], 0
    for meta in metas:
        expanded = expand(meta.content, names)
        served = add_source(expanded, CONSOLE)
        policies += _of_meta(expanded)
        header += [policy.header() for policy in _of_meta(served)]
        if served != meta.content and meta.span is not None:
            start, end, value = _replacement(meta.span, served)
            pieces += [html[at:start], value]
            at = end
    if not policies:
        header.append(DEFAULT)
    return ServedPage(b''.join((*pieces, html[at:])), ', '.join(filter(None, header)), tuple(policies))


def _of_meta(text: str) -> list[Policy]:
    """The policies of a ``<meta>``: what has no effect there must not get one in our header."""
    kept = (policy.without(NOT_IN_META) for policy in parse_policies(text))
    return [policy for policy in kept if policy.directives]


def _replacement(span: Span, value: str) -> tuple[int, int, bytes]:
    """Where and what to write so that the attribute has ``value``; its own quotes are kept."""
    if span.quote:
        return span.start, span.end, escape(value, span.quote)
    return span.start, span.end, b'"' + escape(value, '"') + b'"'


# -- linting -------------------------------------------------------------------------------------------

_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*['"](socket:(?!/)[^'"\s]{1,128})['"]""")
_FOREIGN = re.compile(r'(?:https?|wss?|data|blob|ipc|filesystem|mediastream):', re.I)
_ELSEWHERE = re.compile(r'[a-z][a-z0-9+.-]*:|//', re.I)
_META_HINT = 'Put <meta http-equiv="Content-Security-Policy" content="..."> first in the <head>.'


def lint_page(
    html: bytes,
    *,
    commands: Iterable[str] | None = None,
    modules_used: Iterable[str] = (),
    configured: Sequence[str] = (),
) -> list[Finding]:
    """What will not work in a page as it is written, by line.

    Args:
        commands: canonical names of all commands; ``None`` leaves names unchecked.
        modules_used: modules (``fs/promises``) that the page's scripts import, as far as they are not
            in the page itself.
        configured: policies of ``socket.ini`` that hold for every page.
    """
    if html.startswith((b'\xff\xfe', b'\xfe\xff')):
        return [Finding(1, 'the page is UTF-16, so its policy is not found', 'Save it as UTF-8.', error=True)]
    scan = _scan(html, whole=True)
    findings = list(_lint_places(scan))
    names = None if commands is None else tuple(commands)
    stated: list[tuple[int, Policy]] = []
    try:
        stated += [(0, policy) for text in configured for policy in parse_policies(text)]
        for meta in scan.metas:
            if meta.place == 'head':
                found = parse_policies(meta.content)
                findings += _lint_policy_text(scan.line(meta.start), meta.content)
                stated += [(scan.line(meta.start), policy) for policy in found]
    except ConfigError as error:
        findings.append(Finding(1, error.message, error.hint, error=True))
        return findings
    policies = [policy for _, policy in stated]
    if not policies:
        findings.append(Finding(0, 'the page has no policy, so it may call nothing', _META_HINT))
    elif not any(policy.call_sources() is not None for policy in policies):
        hint = 'Add connect-src with the commands that the page calls, like ipc://fs.readFile.'
        line = stated[-1][0]
        findings.append(Finding(line, 'no policy has connect-src or default-src, so the page may call nothing', hint))
    for line, policy in stated:
        findings += _lint_sources(line, policy, names)
        findings += _lint_unsafe(line, policy)
        findings += _lint_scripts(scan, line, policy, modules_used)
    return sorted(findings, key=lambda finding: finding.line)


def _lint_places(scan: _Scan) -> Iterator[Finding]:
    for offset in scan.hidden:
        message = 'a policy in <noscript> has no effect: scripts always run here'
        yield Finding(scan.line(offset), message, _META_HINT, error=True)
    if scan.doubtful >= 0:
        message = 'a policy stands after a <template> with <svg>, <math> or <select> in the head'
        yield Finding(scan.line(scan.doubtful), message, _META_HINT, error=True)
    for meta in scan.metas:
        line = scan.line(meta.start)
        if meta.place == 'template':
            yield Finding(line, 'a policy in a <template> has no effect', _META_HINT, error=True)
        elif meta.place == 'body':
            yield Finding(line, 'a policy in the body has no effect', _META_HINT, error=True)
        elif meta.after_script:
            yield Finding(line, 'the policy stands after a script, which runs without it', _META_HINT, error=True)
        if not meta.content.strip():
            yield Finding(line, 'the policy has no content', 'Write it into content="...".', error=True)


def _lint_policy_text(line: int, text: str) -> Iterator[Finding]:
    for part in text.split(','):
        seen: set[str] = set()
        for directive in part.split(';'):
            name = (directive.split() or [''])[0].lower()
            if not name:
                continue
            if not directive.isascii():
                yield Finding(line, f'{name!a} is ignored: it is not plain ASCII', 'Retype it.', error=True)
            elif name in seen:
                yield Finding(line, f'the second {name} is ignored', 'Put all its sources into the first.')
            elif name in NOT_IN_META:
                yield Finding(line, f'{name} has no effect in a <meta>', 'State it in socket.ini, under [webview].')
            seen.add(name)


def _lint_sources(line: int, policy: Policy, commands: tuple[str, ...] | None) -> Iterator[Finding]:
    names = None if commands is None else {name.lower() for name in commands}
    for source in policy.call_sources() or ():
        if not source.lower().startswith('ipc:') or source.lower() in ('ipc:', 'ipc://*'):
            continue
        prefix, command = pattern_prefix(source), source[len('ipc://') :]
        if prefix is not None:
            if names is not None and not any(name.startswith(prefix) for name in names):
                yield Finding(line, f'there is no command for {source}', _near(prefix[:-1], names))
        elif command.startswith('*.') and can_be_named(command[2:]):
            if names is not None and not any(name.endswith(command[1:].lower()) for name in names):
                yield Finding(line, f'there is no command for {source}', 'Remove it.')
        elif not source.lower().startswith('ipc://') or not can_be_named(command):
            hint = 'Write ipc://module.method, or ipc://module.*; engines take letters, digits and "-" there, no "_".'
            yield Finding(line, f'{source} matches no call', hint)
        elif names is not None and command.lower() not in names:
            yield Finding(line, f'there is no command {command}', _near(command, commands or ()))


def _near(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    by_case = {known.lower(): known for known in names}
    near = get_close_matches(name.lower(), by_case, 1)
    return f'Did you mean ipc://{by_case[near[0]]}?' if near else 'Remove it, or register the command.'


def _script_sources(policy: Policy) -> tuple[str, ...] | None:
    """CSP3 section 6.8.3: what judges `<script>` elements."""
    for name in ('script-src-elem', 'script-src', 'default-src'):
        if name in policy.directives:
            return policy.directives[name]
    return None


def _lint_unsafe(line: int, policy: Policy) -> Iterator[Finding]:
    for name in ('script-src-elem', 'script-src', 'default-src'):
        sources = [source.lower() for source in policy.directives.get(name, ())]
        if name == 'default-src' and 'script-src' in policy.directives:
            continue
        for unsafe, what in (("'unsafe-inline'", 'inline scripts'), ("'unsafe-eval'", 'eval and new Function')):
            if unsafe in sources:
                hint = f'Remove it; {what} let injected text act with the rights of the page.'
                yield Finding(line, f'{name} has {unsafe}', hint)


def _lint_scripts(scan: _Scan, line: int, policy: Policy, modules_used: Iterable[str]) -> Iterator[Finding]:
    """The page's own parts that its policy forbids: the page would fail at load."""
    sources = _script_sources(policy)
    if sources is None:
        return
    where = f'the policy in line {line}' if line else 'the policy of socket.ini'
    modules = {f'socket:{name}': line for name in modules_used}
    for script in scan.scripts:
        at = scan.line(script.start)
        if script.kind not in _SCRIPT_TYPES:
            continue
        if script.source is not None:
            source = script.source.strip()
            if source.startswith('socket:') and not source.startswith('socket:/'):
                modules.setdefault(source, at)
            elif not _ELSEWHERE.match(source) and not _allows_own(sources, script.nonce):
                hint = "Add 'self' to its script-src."
                yield Finding(at, f'{where} forbids the script {source[:80]}', hint, error=True)
            continue
        for match in _IMPORT.finditer(script.text):
            modules.setdefault(match[1], at)
        if not _allows_inline(sources, script):
            hint = "Move it into a file of its own, and allow that by script-src 'self'."
            yield Finding(at, f'{where} forbids this inline script', hint, error=True)
    if modules and not _allows_modules(sources):
        module, at = next(iter(modules.items()))
        yield Finding(at, f'{where} forbids the module {module}', 'Add socket: to its script-src.', error=True)


def _has_nonce(sources: Iterable[str], nonce: str) -> bool:
    return bool(nonce) and f"'nonce-{nonce}'" in sources


def _allows_own(sources: Sequence[str], nonce: str) -> bool:
    """Whether a script from the app's origin may run. Whatever could be the app's own host may."""
    if _has_nonce(sources, nonce):
        return True
    lower = [source.lower() for source in sources]
    if "'strict-dynamic'" in lower:
        return False
    return any(s == "'self'" or not (s.startswith("'") or _FOREIGN.match(s)) for s in lower)


def _allows_modules(sources: Iterable[str]) -> bool:
    """``socket:fs`` has no host, so ``'self'`` does not match it (measured with WebKitGTK 2.50)."""
    return any(source.lower() in ('socket:', '*', 'socket://*') for source in sources)


def _allows_inline(sources: Sequence[str], script: _Script) -> bool:
    """CSP3 section 6.7.3.3, with the hashes of 6.7.3.4."""
    lower = [source.lower() for source in sources]
    if _has_nonce(sources, script.nonce):
        return True
    hashes = [source for source in sources if source.lower().startswith(("'sha256-", "'sha384-", "'sha512-"))]
    strict = bool(hashes) or any(s.startswith("'nonce-") or s == "'strict-dynamic'" for s in lower)
    if "'unsafe-inline'" in lower and not strict:
        return True
    if not hashes:
        return False
    import base64
    import hashlib

    content = script.text.encode('latin-1').replace(b'\r\n', b'\n').replace(b'\r', b'\n')
    for source in hashes:
        algorithm, _, value = source[1:-1].partition('-')
        digest = base64.b64encode(hashlib.new(algorithm.lower(), content).digest()).decode()
        if digest == value.replace('-', '+').replace('_', '/'):
            return True
    return False
