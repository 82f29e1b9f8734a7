"""What a page's policy becomes when it is served (A1, A4, A15), and what the author is told about it."""

from __future__ import annotations

import base64
import hashlib
import re
import time

import pytest
from hypothesis import given

from socket_runtime.errors import ConfigError, PageError
from socket_runtime.ipc.csp import CONSOLE, DEFAULT, FLOOR, MAX_POLICY, add_source, allows, parse_policies
from socket_runtime.ipc.page import MAX_METAS, Finding, lint_page, serve_page
from socket_runtime.ipc.tags import attribute, escape, tokens, unescape
from tests.strategies import COMMANDS, pages, policy_lists

FS = 'ipc://fs.promises.open ipc://fs.readFile ipc://fs.watch ipc://fs.writeFile'


def meta(policy: str) -> str:
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def found(page: str | bytes) -> list[str]:
    """The policies that the gate would enforce."""
    html = page if isinstance(page, bytes) else page.encode()
    return [policy.text for policy in serve_page(html, commands=()).policies]


# -- which policies a page has -------------------------------------------------------------------------

NONE = meta("connect-src 'none'")
POLICY = "connect-src 'none'"

#: Measured with WebKitGTK 2.50: whether the policy held for a script right behind it.
OBEYED = {
    'first': NONE,
    'in the head': f'<!doctype html><html lang=en><head><meta charset=utf-8>{NONE}</head><body>',
    'after the head': f'<head></head>{NONE}',
    'after the head, with a space': f'<head></head> \n{NONE}',
    'after a script': f'<script>1</script>{NONE}',
    'after a title': f'<title><b></title>{NONE}',
    'after noscript': f'<noscript></noscript>{NONE}',
    'after a comment': f'<!-- <body> -->{NONE}',
    'after an empty comment': f'<!-->{NONE}',
    'after another empty comment': f'<!--->{NONE}',
    'after a comment that ends oddly': f'<!-- x --!>{NONE}',
    'after a doctype with quotes': f'<!doctype html ">{NONE}',
    'after a bogus comment': f'<?xml version="1.0"?>{NONE}',
    'after an empty end tag': f'</>{NONE}',
    'after a lone end tag': f'</p></div>{NONE}',
    'after a template': f'<template><p></template>{NONE}',
    'after nested templates': f'<template><template></template></template>{NONE}',
    'after an escaped script': f'<script><!-- <script> </script> <body> --></script>{NONE}',
    'after a script that ends a comment': f'<script><!--></script>{NONE}',
    'after an escaped space': f'&#32;&Tab;{NONE}',
    'after a NUL character': f'\0{NONE}',
    'after a byte order mark': f'\ufeff{NONE}',
    'upper case': NONE.replace('meta', 'META').replace('http-equiv', 'HTTP-EQUIV').replace('content=', 'CONTENT='),
    'lower case': NONE.replace('Content-Security-Policy', 'content-security-policy'),
    'reversed': '<meta content="connect-src \'none\'" http-equiv=content-security-policy>',
    'escaped': '<meta http-equiv="Content&#45;Security-Policy" content="connect-src &#39;none&apos;">',
    'with slashes': '<meta/http-equiv="Content-Security-Policy"/content="connect-src \'none\'"/>',
    'with spaces': '<meta\n http-equiv\t=\f"Content-Security-Policy" content = "connect-src \'none\'" >',
    'without spaces': '<meta http-equiv="Content-Security-Policy"content="connect-src \'none\'">',
    'content twice': '<meta http-equiv="Content-Security-Policy" content="connect-src \'none\'" content="x">',
}
IGNORED = {
    'in the body': f'<body>{NONE}',
    'behind text': f'x{NONE}',
    'behind an entity': f'&nbsp;{NONE}',
    'behind a lone <': f'<{NONE}',
    'behind a div': f'<div>{NONE}',
    'behind the end of the body': f'</body>{NONE}',
    'behind the end of the page': f'</html>{NONE}',
    'behind </br>': f'</br>{NONE}',
    'behind noscript after the head': f'</head><noscript></noscript>{NONE}',
    'behind a frameset': f'<frameset>{NONE}',
    'in a template': f'<template>{NONE}</template>',
    'in a template that never ends': f'<template>{NONE}',
    'in a template within': f'<template><template></template>{NONE}</template>',
    'in noscript': f'<noscript>{NONE}</noscript>',
    'in a title': f'<title>{NONE}</title>',
    'in a style': f'<style>{NONE}</style>',
    'in a script': f'<script>{NONE}</script>',
    'in an escaped script': f'<script><!-- <script> </script>{NONE}--></script>',
    'in a script with a near end tag': f'<script></scriptx>{NONE}</script>',
    'in a comment': f'<!-- {NONE} -->',
    'in a comment that never ends': f'<!-- {NONE}',
    'in an attribute': f"<link title='{NONE.replace(chr(39), '')}'>",
    'unfinished': NONE[:-1],
    'unfinished value': '<meta http-equiv="Content-Security-Policy" content="connect-src \'none\'>',
    'with a space in the name': '<meta http-equiv=" Content-Security-Policy " content="connect-src \'none\'">',
    'report only': NONE.replace('Policy', 'Policy-Report-Only'),
    'without content': '<meta http-equiv="Content-Security-Policy">',
    'with empty content': meta(''),
    'http-equiv twice': '<meta http-equiv=x http-equiv="Content-Security-Policy" content="connect-src \'none\'">',
    'as a name': NONE.replace('http-equiv', 'name'),
    'UTF-16': NONE.encode('utf-16'),
}


@pytest.mark.parametrize('page', OBEYED.values(), ids=OBEYED.keys())
def test_obeyed(page: str) -> None:
    assert found(page) == [POLICY]


@pytest.mark.parametrize('page', IGNORED.values(), ids=IGNORED.keys())
def test_ignored(page: str | bytes) -> None:
    html = page if isinstance(page, bytes) else page.encode()
    served = serve_page(html, commands=COMMANDS)
    assert served.policies == ()
    assert served.body == html
    assert served.header == f'{FLOOR}, {DEFAULT}'


@pytest.mark.parametrize('inner', ['<svg>', '<math>', '<select>'])
def test_a_policy_behind_what_only_a_parser_knows(inner: str) -> None:
    """Refused with advice, rather than guessed; with the policy first there is no doubt."""
    template = f'<template>{inner}</template>'
    with pytest.raises(PageError, match='line 2'):
        serve_page(f'<head>\n{template}{NONE}'.encode(), commands=())
    assert [f.error for f in lint_page(f'{template}{NONE}'.encode())][:1] == [True]
    assert found(f'<head>{NONE}{template}</head><body>') == [POLICY]


# -- serving -------------------------------------------------------------------------------------------


def test_a1_a_page_without_policy() -> None:
    html = b'<!doctype html><p>hello'
    served = serve_page(html, commands=COMMANDS)
    assert served == type(served)(html, f'{FLOOR}, {DEFAULT}', ())
    assert not allows(served.policies, 'console.write')


def test_expansion_in_page_and_header() -> None:
    page = (
        '<!doctype html><head><title>é</title>\r\n'
        + meta("connect-src 'self' ipc://fs.*; img-src data:")
        + '<p>ipc://fs.*'
    )
    served = serve_page(page.encode(), commands=COMMANDS)
    expected = f"connect-src 'self' {FS} {CONSOLE}; img-src data:"
    assert served.body.decode() == page.replace("connect-src 'self' ipc://fs.*; img-src data:", expected)
    assert served.header == f'{FLOOR}, {expected}'
    assert [p.text for p in served.policies] == [f"connect-src 'self' {FS}; img-src data:"]


def test_every_policy_of_the_page_counts() -> None:
    page = meta('connect-src ipc://os.*, connect-src ipc:') + meta('default-src ipc://os.uptime ipc://fs.readFile')
    served = serve_page(page.encode(), commands=COMMANDS)
    assert len(served.policies) == 3
    assert allows(served.policies, 'os.uptime')
    assert not allows(served.policies, 'fs.readFile')
    assert served.header.count(', ') == 3


def test_configured_policies() -> None:
    configured = ["connect-src ipc://fs.*, script-src 'self'", 'frame-ancestors x']
    served = serve_page(meta('connect-src ipc://fs.readFile').encode(), commands=COMMANDS, configured=configured)
    assert [p.text.strip() for p in served.policies] == [
        f'connect-src {FS}', "script-src 'self'", 'frame-ancestors x', 'connect-src ipc://fs.readFile',
    ]  # fmt: skip
    assert served.header == ', '.join(
        [FLOOR, f'connect-src {FS} {CONSOLE}', "script-src 'self'", 'frame-ancestors x',
         f'connect-src ipc://fs.readFile {CONSOLE}']
    )  # fmt: skip
    alone = serve_page(b'<p>', commands=COMMANDS, configured=['connect-src ipc://ping'])
    assert alone.header == f'{FLOOR}, connect-src ipc://ping {CONSOLE}'
    assert allows(alone.policies, 'ping')


def test_what_has_no_effect_in_a_meta_gets_none_in_the_header() -> None:
    page = meta("sandbox; frame-ancestors 'none'; report-uri /x; connect-src ipc://ping")
    served = serve_page(page.encode(), commands=COMMANDS)
    assert served.header == f'{FLOOR}, connect-src ipc://ping {CONSOLE}'
    only = serve_page(meta('sandbox').encode(), commands=COMMANDS)
    assert only.header == f'{FLOOR}, {DEFAULT}'
    assert only.policies == ()


def test_none_stays_none() -> None:
    served = serve_page(NONE.encode(), commands=COMMANDS)
    assert served.body == NONE.encode()
    assert served.header == f"{FLOOR}, connect-src 'none'"


def test_policies_over_several_lines_make_one_header_line() -> None:
    served = serve_page(meta("\n  default-src 'self';\r\n  connect-src ipc://ping\n").encode(), commands=COMMANDS)
    assert served.header == f"{FLOOR}, default-src 'self'; connect-src ipc://ping {CONSOLE}"
    assert served.body.decode() == meta(f"\n  default-src 'self';\r\n  connect-src ipc://ping {CONSOLE}\n")


@pytest.mark.parametrize(
    ('written', 'rewritten'),
    [
        ('content="img-src &quot;x&amp;y&quot;; connect-src ipc://os.*"',
         'content="img-src &quot;x&amp;y&quot;; connect-src ipc://os.uptime ipc://console.write"'),
        ("content='connect-src &apos;self&#39; ipc://os.*'",
         "content='connect-src &#39;self&#39; ipc://os.uptime ipc://console.write'"),
        ("content=connect-src&#32;ipc://os.*", 'content="connect-src ipc://os.uptime ipc://console.write"'),
        ("content=connect-src&#x20ipc://os.*;x/", None),
        ('content="report-uri /?a=1&copy=2&lt; ; connect-src a"',
         'content="report-uri /?a=1&amp;copy=2&lt; ; connect-src a ipc://console.write"'),
        ('content="img-src \xe4\xff; connect-src a"', 'content="img-src \xe4\xff; connect-src a ipc://console.write"'),
        ('content="img-src &#0;\0; connect-src a"', 'content="img-src \xef\xbf\xbd\xef\xbf\xbd; connect-src a ipc://console.write"'),
    ],
)  # fmt: skip
def test_rewriting_keeps_the_bytes(written: str, rewritten: str | None) -> None:
    before, after = '<meta http-equiv=Content-Security-Policy ', '><title>\xff</title>'
    html = (before + written + after).encode('latin-1')
    served = serve_page(html, commands=COMMANDS)
    if rewritten is not None:
        expected = rewritten.replace('&lt;', '<')
        assert served.body == (before + expected + after).encode('latin-1')
    again = serve_page(served.body, commands=COMMANDS)
    assert (again.body, again.header) == (served.body, served.header)


def metas_of(html: bytes) -> list[str]:
    """The contents of all policy metas, wherever they are: read with the tokenizer alone."""
    text = html.decode('latin-1')
    return [
        attribute(text, token, 'content') or ''
        for token in tokens(text)
        if token.name == 'meta' and (attribute(text, token, 'http-equiv') or '').lower() == 'content-security-policy'
    ]


def test_limits() -> None:
    assert len(found(NONE * MAX_METAS)) == MAX_METAS
    with pytest.raises(PageError, match='more than'):
        serve_page((NONE * (MAX_METAS + 1)).encode(), commands=())
    with pytest.raises(ConfigError, match='longer'):
        serve_page(meta('a' * (MAX_POLICY + 1)).encode(), commands=())


@pytest.mark.parametrize(
    'part',
    ['<', '<!--', '<!-- -', '<a ', '<a b="', "<a b='", '<a b=', '<script><!--<script>', '&', '&#', '<template>', '</',
     '<meta http-equiv=x ', NONE, '<title>', '<a / ', '<!', '\n', '<script></script>'],
)  # fmt: skip
def test_time_is_linear(part: str) -> None:
    html = (part * (1_000_000 // len(part))).encode()
    started = time.perf_counter()
    try:
        serve_page(html, commands=())
    except PageError:
        pass
    lint_page(html)
    assert time.perf_counter() - started < 10


# -- properties ----------------------------------------------------------------------------------------


@given(pages())
def test_any_page(html: bytes) -> None:
    try:
        served = serve_page(html, commands=COMMANDS, configured=['connect-src ipc://fs.*'])
    except (ConfigError, PageError):
        return
    assert re.fullmatch('[ -~]+', served.header)
    again = serve_page(served.body, commands=COMMANDS, configured=['connect-src ipc://fs.*'])
    assert again.body == served.body
    assert again.header == served.header
    for name in COMMANDS:
        if name != 'console.write':
            assert allows(again.policies, name) == allows(served.policies, name)


@given(pages())
def test_header_and_page_say_the_same(html: bytes) -> None:
    """The engine enforces what the gate does, plus the console where calls are restricted."""
    try:
        served = serve_page(html, commands=COMMANDS, floor='')
    except (ConfigError, PageError):
        return
    if not served.policies:
        assert served.header == DEFAULT
        return
    header = parse_policies(served.header)
    enforced = [p.header() for old in served.policies for p in parse_policies(add_source(old.text, CONSOLE))]
    # a policy of control characters alone has no words left to send
    assert [p.header() for p in header] == [text for text in enforced if text]
    for name in COMMANDS:
        expected = allows(served.policies, name)
        assert allows(header, name) == expected or name == 'console.write'


@given(policy_lists())
def test_a_stated_policy_is_read_back(text: str) -> None:
    text = text.replace('\0', ' ')
    for quote in ('"', "'"):
        html = b'<meta http-equiv=content-security-policy content=' + quote.encode()
        html += escape(text, quote) + quote.encode() + b'>'
        assert metas_of(html) == [text]


@given(pages())
def test_nothing_but_policies_changes(html: bytes) -> None:
    try:
        served = serve_page(html, commands=COMMANDS)
    except (ConfigError, PageError):
        return
    assert without_policies(served.body) == without_policies(html)
    if not metas_of(html):
        assert served.body == html


def without_policies(html: bytes) -> str:
    """The page with the values of the policies' ``content`` cut out."""
    text = html.decode('latin-1')
    pieces, at = [], 0
    for token in tokens(text):
        span = token.attributes.get('content')
        value = attribute(text, token, 'http-equiv')
        if token.name == 'meta' and span is not None and (value or '').lower() == 'content-security-policy':
            outer = 1 if span.quote else 0
            pieces.append(text[at : span.start - outer])
            at = span.end + outer
    return ''.join([*pieces, text[at:]])


@given(pages())
def test_lint_never_fails(html: bytes) -> None:
    for finding in lint_page(html, commands=COMMANDS, modules_used=['fs'], configured=["script-src 'self'"]):
        assert finding.message
        assert finding.hint
        assert 0 <= finding.line <= html.count(b'\n') + 1


# -- character references ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'in_attribute', 'in_text'),
    [
        ('&amp;&lt;&#65;&#x41;&#X41', '&<AAA', '&<AAA'),
        ('&copy', '©', '©'),
        ('&copy=1', '&copy=1', '©=1'),
        ('&copying', '&copying', '©ing'),
        ('&copy;=', '©=', '©='),
        ('&notit;', '&notit;', '¬it;'),
        ('&notin;', '∉', '∉'),
        ('&nope;&;&#;&#x;&', '&nope;&;&#;&#x;&', '&nope;&;&#;&#x;&'),
        ('&#0;&#xD800;&#x110000;&#99999999999999999999;', '\ufffd' * 4, '\ufffd' * 4),
        ('&#00000000000065;', 'A', 'A'),
        ('&amp;lt;', '&lt;', '&lt;'),
    ],
)
def test_unescape(text: str, in_attribute: str, in_text: str) -> None:
    assert unescape(text) == in_attribute
    assert unescape(text, in_attribute=False) == in_text


# -- linting -------------------------------------------------------------------------------------------


def lint(page: str, **options: object) -> list[tuple[int, str, bool]]:
    findings = lint_page(page.encode(), **options)  # type: ignore[arg-type]
    return [(f.line, f.message, f.error) for f in findings]


GOOD = meta("default-src 'self' socket:; connect-src ipc://fs.* ipc://ping")


def test_a_good_page_has_no_findings() -> None:
    page = f'<!doctype html><head>{GOOD}<script src=index.js type=module></script></head><body>'
    assert lint(page, commands=COMMANDS, modules_used=['fs/promises']) == []


def test_a1_no_policy() -> None:
    assert lint('<p>x') == [(0, 'the page has no policy, so it may call nothing', False)]
    assert lint('<p>x', configured=['connect-src ipc:']) == []


def test_a_policy_that_says_nothing_of_calls() -> None:
    message = 'no policy has connect-src or default-src, so the page may call nothing'
    assert lint('\n' + meta('img-src x')) == [(2, message, False)]


@pytest.mark.parametrize(
    ('page', 'line', 'message'),
    [
        (f'<script src=a.js></script>\n{GOOD}', 2, 'after a script'),
        (f'<body>\n\n{GOOD}', 3, 'in the body has no effect'),
        (f'<template>{GOOD}</template>', 1, 'in a <template> has no effect'),
        (f'\n<noscript>{GOOD}</noscript>', 2, 'in <noscript> has no effect'),
        ('<meta http-equiv=content-security-policy>', 1, 'has no content'),
    ],
)
def test_a4_places(page: str, line: int, message: str) -> None:
    errors = [(at, text) for at, text, error in lint(page) if error]
    assert len(errors) == 1
    assert errors[0][0] == line
    assert message in errors[0][1]


def test_data_blocks_are_no_scripts() -> None:
    assert lint(f'<script type=application/json>{{}}</script>{GOOD}') == []
    assert lint(f'<template><script>x</script></template>{GOOD}') == []


@pytest.mark.parametrize(
    ('policy', 'message'),
    [
        ("connect-src a; script-src 'unsafe-inline'", "script-src has 'unsafe-inline'"),
        ("connect-src a; script-src 'self' 'UNSAFE-EVAL'", "script-src has 'unsafe-eval'"),
        ("default-src 'self' 'unsafe-inline'", "default-src has 'unsafe-inline'"),
        ("connect-src a; script-src-elem 'unsafe-inline'", "script-src-elem has 'unsafe-inline'"),
        ('connect-src a; connect-src b', 'the second connect-src is ignored'),
        ("connect-src a; frame-ancestors 'self'", 'frame-ancestors has no effect in a <meta>'),
        ('connect-src ipc://fs.read_file', 'ipc://fs.read_file matches no call'),
        ('connect-src ipc://fs/readFile', 'ipc://fs/readFile matches no call'),
        ('connect-src ipc:fs.readFile', 'ipc:fs.readFile matches no call'),
        ('connect-src ipc://fs.readFile:80', 'ipc://fs.readFile:80 matches no call'),
        ('connect-src ipc://fs.read*', 'ipc://fs.read* matches no call'),
        ('connect-src ipc://fs.raedFile', 'there is no command fs.raedFile'),
        ('connect-src ipc://sf.*', 'there is no command for ipc://sf.*'),
        ('connect-src ipc://*.nothing', 'there is no command for ipc://*.nothing'),
    ],
)
def test_warnings(policy: str, message: str) -> None:
    assert lint(meta(policy), commands=COMMANDS) == [(1, message, False)]


def test_hints_name_what_was_meant() -> None:
    finding = lint_page(meta('connect-src ipc://fs.raedfile').encode(), commands=COMMANDS)[0]
    assert finding == Finding(1, 'there is no command fs.raedfile', 'Did you mean ipc://fs.readFile?')


def test_names_are_only_checked_when_known() -> None:
    assert lint(meta('connect-src ipc://a.b ipc://c.*')) == []


def test_a_directive_that_is_not_ascii() -> None:
    findings = lint(meta('connect-src a; img-src é'))
    assert findings == [(1, "'img-src' is ignored: it is not plain ASCII", True)]


def test_utf_16() -> None:
    assert [f.error for f in lint_page(GOOD.encode('utf-16'))] == [True]


def test_a_policy_that_is_too_long() -> None:
    assert [f.error for f in lint_page(meta('a' * (MAX_POLICY + 1)).encode())] == [True]


INLINE = 'console.log("hi")'
DIGEST = base64.b64encode(hashlib.sha256(INLINE.encode()).digest()).decode()


@pytest.mark.parametrize(
    ('sources', 'script', 'forbidden'),
    [
        # measured with WebKitGTK 2.50
        ("'self' 'nonce-a'", '<script src=/own.js>', False),
        ('socket:', '<script src=own.js>', False),
        ('*', '<script src=own.js>', False),
        ('socket://app', '<script src=own.js>', False),
        ('app', '<script src=own.js>', False),
        ("'nonce-a'", '<script src=own.js>', True),
        ("'nonce-a'", '<script src=own.js nonce=a>', False),
        ("'none'", '<script src=own.js>', True),
        ('https: data: blob:', '<script src=./own.js>', True),
        ("'self' 'strict-dynamic' 'nonce-a'", '<script src=own.js>', True),
        ("'none'", '<script src=https://example.com/x.js>', False),  # not the page's own part
        ("'none'", '<script src=//example.com/x.js>', False),
        ("'self'", '<script src=socket:fs>', True),
        ('socket:', '<script src=socket:fs>', False),
        ("'self'", '<script type=module nonce=a>import "socket:fs"', True),
        ("'self'", f'<script>{INLINE}', True),
        ("'self' 'nonce-a'", f'<script nonce=a>{INLINE}', False),
        ("'self' 'nonce-a'", f'<script nonce=b>{INLINE}', True),
        (f"'self' 'sha256-{DIGEST}'", f'<script>{INLINE}', False),
        (f"'self' 'SHA256-{DIGEST.replace('+', '-').replace('/', '_')}'", f'<script>{INLINE}', False),
        (f"'self' 'sha384-{DIGEST}'", f'<script>{INLINE}', True),
        (f"'self' 'sha256-{DIGEST}'", f'<script> {INLINE}', True),
        ("'self'", '<script type=importmap>{}', True),
        ("'self'", '<script type=application/ld+json>{}', False),
    ],
)
def test_own_scripts(sources: str, script: str, forbidden: bool) -> None:
    page = f'{meta(f"connect-src a; script-src {sources}")}\n{script}</script>'
    errors = [(line, message) for line, message, error in lint(page) if error]
    assert bool(errors) == forbidden
    assert all(line == 2 and 'forbids' in message for line, message in errors)


@pytest.mark.parametrize(
    ('sources', 'forbidden'),
    [("'self'", True), ("'self' socket:", False), ('*', False), ('socket://*', False), ('socket://app', True)],
)
def test_modules(sources: str, forbidden: bool) -> None:
    page = meta(f"script-src 'none'; connect-src a; script-src-elem {sources}")
    errors = [message for _, message, error in lint(page, modules_used=['fs/promises']) if error]
    assert errors == (['the policy in line 1 forbids the module socket:fs/promises'] if forbidden else [])


@pytest.mark.parametrize(
    'code',
    ['import fs from "socket:fs"', "import{a}from'socket:fs'", 'import "socket:fs"', 'await import("socket:fs")',
     "export * from 'socket:fs'", "import * as fs from\n'socket:fs'"],
)  # fmt: skip
def test_imports_are_found(code: str) -> None:
    page = meta("script-src 'nonce-a'; connect-src a") + f'<script type=module nonce=a>{code}</script>'
    assert [message for _, message, error in lint(page) if error] == [
        'the policy in line 1 forbids the module socket:fs'
    ]


def test_a_configured_policy_may_forbid_too() -> None:
    page = f'{GOOD}<script src=a.js></script>'
    assert lint(page, configured=["script-src 'none'"]) == [
        (1, 'the policy of socket.ini forbids the script a.js', True)
    ]
