"""The gate's reading of a policy, against what engines were measured to do (A1, A2, A17)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.errors import BadRequest, ConfigError
from socket_runtime.ipc import csp
from socket_runtime.ipc.csp import (
    CONSOLE,
    DEFAULT,
    FLOOR,
    MAX_POLICIES,
    MAX_POLICY,
    add_source,
    allows,
    can_be_named,
    expand,
    missing_line,
    parse_policies,
    parse_policy,
)
from socket_runtime.ipc.uri import parse_call
from tests.ipc.native_matrix import CHROMIUM_DIFFERS, NATIVE_MATRIX, STRICTER
from tests.strategies import COMMANDS, command_names, policies, policy_lists


def gate_allows(policy: str | None, uri: str) -> bool:
    """What the gate makes of a call: canonical, and allowed by the policies."""
    try:
        command = parse_call(uri).command
    except BadRequest:
        return False
    return allows(parse_policies(policy or ''), command)


def restricts(policy: str | None) -> bool:
    return any(p.call_sources() is not None for p in parse_policies(policy or ''))


CELLS = [(policy, uri, allowed) for policy, row in NATIVE_MATRIX for uri, allowed in row.items()]


@pytest.mark.parametrize(('policy', 'uri', 'native'), CELLS, ids=[f'{p} | {u}' for p, u, _ in CELLS])
def test_native_matrix(policy: str | None, uri: str, native: bool) -> None:
    """Never more than the engine, and as much for every canonical call under a policy that speaks of calls."""
    expanded = expand(policy or '', [])
    ours = gate_allows(expanded, uri)
    assert native or not ours
    try:
        parse_call(uri)
    except BadRequest:
        return
    if restricts(policy) and policy not in STRICTER:
        assert ours == native


@pytest.mark.parametrize('policy', [p for p, _ in NATIVE_MATRIX if not restricts(p)])
def test_a1_a_policy_that_says_nothing_of_calls_allows_nothing(policy: str | None) -> None:
    assert not gate_allows(policy, 'ipc://fs.readFile')


@pytest.mark.parametrize('policy', sorted(STRICTER))
def test_ports_never_match(policy: str) -> None:
    assert not gate_allows(policy, 'ipc://fs.readFile')


@pytest.mark.parametrize(('policy', 'uri'), sorted(CHROMIUM_DIFFERS))
def test_what_chromium_would_let_pass(policy: str, uri: str) -> None:
    assert not gate_allows(policy, uri)


def test_a2_another_scheme() -> None:
    assert not gate_allows('connect-src https:', 'ipc://fs.readFile')


@pytest.mark.parametrize(
    ('source', 'allowed', 'denied'),
    [
        ('ipc://fs.*', ['fs.readFile', 'FS.a', 'fs.promises.open'], ['fs', 'fsx.a', 'os.fs.a', 'fs.read_file']),
        ('IPC://FS.*', ['fs.readFile'], ['os.x']),
        ('ipc://fs.promises.*', ['fs.promises.open'], ['fs.readFile', 'fs.promises']),
        ('ipc://*.list', ['notes.list', 'a.b.list'], ['list', 'notes.xlist', 'notes.list.x']),
        ('ipc://fs.*.x', [], ['fs.a.x']),
        ('ipc://*.*', [], ['fs.a']),
        ('ipc://.*', [], ['fs.a']),
        ('ipc://fs*', [], ['fs.a', 'fs', 'fs*']),
    ],
)
def test_our_extension(source: str, allowed: list[str], denied: list[str]) -> None:
    policy = parse_policy(f'connect-src {source}')
    assert all(policy.allows_call(name) for name in allowed)
    assert not any(policy.allows_call(name) for name in denied)


def test_every_policy_must_allow() -> None:
    one, two = parse_policy('connect-src ipc:'), parse_policy('default-src ipc://fs.readFile')
    other = parse_policy("script-src 'self'")
    assert allows([one, two, other], 'fs.readFile')
    assert not allows([one, two, other], 'fs.writeFile')
    assert not allows([other], 'fs.readFile')
    assert not allows([], 'fs.readFile')


def test_parsing() -> None:
    policy = parse_policy(" Connect-SRC\tipc://a \n'self' ;; ; connect-src ipc: ; img-src é ; x\x0by z;upgrade ")
    assert dict(policy.directives) == {'connect-src': ('ipc://a', "'self'"), 'x\x0by': ('z',), 'upgrade': ()}
    assert policy.call_sources() == ('ipc://a', "'self'")
    assert parse_policy('default-src a').call_sources() == ('a',)
    assert parse_policy('script-src a').call_sources() is None


def test_a_list_of_policies() -> None:
    assert [dict(p.directives) for p in parse_policies('a b, ,;,c')] == [{'a': ('b',)}, {'c': ()}]
    assert parse_policies('') == ()


def test_policies_are_values() -> None:
    assert parse_policy('a b') == parse_policy('a b')
    assert len({parse_policy('a b'), parse_policy('a b'), parse_policy('a c')}) == 2


def test_limits() -> None:
    parse_policy('a' * MAX_POLICY)
    with pytest.raises(ConfigError, match='longer'):
        parse_policy('a' * (MAX_POLICY + 1))
    assert len(parse_policies('a,' * (MAX_POLICIES - 1) + 'a')) == MAX_POLICIES
    with pytest.raises(ConfigError, match='more than'):
        parse_policies('a,' * MAX_POLICIES + 'a')


def test_header_is_one_clean_line() -> None:
    text = "connect-src\n  ipc://a\r\n\tipc://b\x01 'self'; img-src é; x\x0b y; sandbox; font-src a,b"
    assert parse_policy(text).header() == "connect-src ipc://a 'self'; sandbox; font-src"


def test_without() -> None:
    policy = parse_policy('sandbox; connect-src ipc:; report-uri /x')
    kept = policy.without(csp.NOT_IN_META)
    assert dict(kept.directives) == {'connect-src': ('ipc:',)}
    assert kept.allows_call('a')
    assert kept.without(csp.NOT_IN_META) is kept


# -- messages ------------------------------------------------------------------------------------------


def test_missing_line() -> None:
    line = 'connect-src ipc://fs.readFile'
    assert missing_line([parse_policy("connect-src 'self'")], 'fs.readFile') == line
    assert missing_line([parse_policy('script-src a')], 'fs.readFile') == line
    without_any = missing_line([], 'fs.readFile')
    assert line in without_any
    assert without_any.startswith('<meta http-equiv="Content-Security-Policy"')


@given(policies(), command_names())
def test_the_missing_line_helps(text: str, command: str) -> None:
    """Who adds the line to a policy that speaks of calls may call."""
    line = missing_line([parse_policy(text)], command)
    assert allows([parse_policy(line)], command)
    fixed = add_source(text, line.split()[1])
    parsed = parse_policy(fixed)
    sources = [s for s in parse_policy(text).call_sources() or () if s.lower() != "'none'"]
    if sources:
        assert allows([parsed], command)


# -- expansion -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('connect-src ipc://fs.*', 'connect-src ipc://fs.promises.open ipc://fs.readFile ipc://fs.watch ipc://fs.writeFile'),
        ('connect-src ipc://fs.promises.*', 'connect-src ipc://fs.promises.open'),
        ('Connect-Src  IPC://OS.* ; x y', 'Connect-Src  ipc://os.uptime ; x y'),
        ("default-src 'self'\n ipc://os.*\t;", "default-src 'self'\n ipc://os.uptime\t;"),
        ('connect-src ipc://os.* ipc://os.*', 'connect-src ipc://os.uptime'),
        ('connect-src ipc://OS.upTime ipc://os.*', 'connect-src ipc://OS.upTime'),
        ('connect-src ipc://os.* ipc://os.uptime', 'connect-src ipc://os.uptime'),
        ('connect-src ipc://nothing.*', "connect-src 'none'"),
        (" connect-src ipc://nothing.* ; script-src 'self'", " connect-src 'none' ; script-src 'self'"),
        ("connect-src 'self' ipc://nothing.*", "connect-src 'self'"),
        ('connect-src ipc://nothing.* https:', 'connect-src https:'),
        ('connect-src', 'connect-src'),
        ("script-src 'self'; img-src ipc://fs.*", "script-src 'self'; img-src ipc://fs.*"),
        ('connect-src ipc://*.fs ipc://f.*.s ipc://* ipc://fs.*x', 'connect-src ipc://*.fs ipc://f.*.s ipc://* ipc://fs.*x'),
        ('connect-src ipc://os.* é', 'connect-src ipc://os.* é'),
        ('connect-src ipc://os.*, connect-src ipc://net.*', 'connect-src ipc://os.uptime, connect-src ipc://net.connect'),
        ('connect-src ipc://fs', 'connect-src ipc://fs'),
    ],
)  # fmt: skip
def test_expand(text: str, expected: str) -> None:
    # the last name is none that a policy can state
    assert expand(text, [*reversed(COMMANDS), 'fs.read_file']) == expected


@given(policy_lists())
def test_expand_is_idempotent(text: str) -> None:
    once = expand(text, COMMANDS)
    assert expand(once, COMMANDS) == once


@given(policy_lists(), st.sampled_from(COMMANDS) | command_names('_'))
def test_expand_keeps_the_meaning(text: str, command: str) -> None:
    known = {name.lower() for name in COMMANDS}
    before, after = parse_policies(text), parse_policies(expand(text, COMMANDS))
    if command.lower() in known:
        assert allows(before, command) == allows(after, command)
    else:
        assert allows(before, command) or not allows(after, command)


@given(policy_lists())
def test_expand_touches_nothing_else(text: str) -> None:
    """With our patterns taken out of both, the texts are the same, but for the ``'none'`` of an emptied list."""
    expanded = expand(text, [])
    gone = re.compile(r'ipc://[a-z.]+\.\*(?![^\t\n\f\r ;,])', re.I)
    none = re.compile(r"[\t\n\f\r ]+('none')?")
    if gone.search(text) is None:
        assert expanded == text
    else:
        assert none.sub('', gone.sub('', expanded)) == none.sub('', gone.sub('', text))


# -- additions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ("connect-src 'self'", f"connect-src 'self' {CONSOLE}"),
        ("Connect-src 'self' ; x", f"Connect-src 'self' {CONSOLE} ; x"),
        ("default-src 'self'", f"default-src 'self'; connect-src 'self' {CONSOLE}"),
        ("default-src 'self';\n", f"default-src 'self'; connect-src 'self' {CONSOLE}"),
        ("default-src 'none' https:", f"default-src 'none' https:; connect-src https: {CONSOLE}"),
        ("default-src 'none'; connect-src ipc://a", f"default-src 'none'; connect-src ipc://a {CONSOLE}"),
        ('connect-src é; connect-src a', f'connect-src é; connect-src a {CONSOLE}'),
        ('connect-src a; connect-src b', f'connect-src a {CONSOLE}; connect-src b'),
        ('connect-src a, default-src b', f'connect-src a {CONSOLE}, default-src b; connect-src b {CONSOLE}'),
        ("connect-src 'none'", None),
        ("default-src 'NONE'", None),
        ('connect-src', None),
        ("script-src 'self'", None),
        ('connect-src ipc:', None),
        ('connect-src ipc://*', None),
        ('connect-src ipc://CONSOLE.write', None),
        ('', None),
    ],
)
def test_add_source(text: str, expected: str | None) -> None:
    assert add_source(text, CONSOLE) == (text if expected is None else expected)


@given(policy_lists(), command_names('_'))
def test_add_source_changes_only_that(text: str, command: str) -> None:
    before, once = parse_policies(text), add_source(text, CONSOLE)
    after = parse_policies(once)
    assert add_source(once, CONSOLE) == once
    if command.lower() != 'console.write':
        assert allows(before, command) == allows(after, command)
    for old, new in zip(before, after, strict=True):
        shared = {name: sources for name, sources in new.directives.items() if name in old.directives}
        assert shared.keys() == old.directives.keys()
        assert all(shared[name] == old.directives[name] for name in shared if name != 'connect-src')


@given(policies(), command_names('_'))
def test_the_header_means_the_same(text: str, command: str) -> None:
    policy = parse_policy(text)
    header = policy.header()
    assert re.fullmatch('[ -~]*', header)
    assert ',' not in header
    again = parse_policy(header)
    assert again.allows_call(command) == policy.allows_call(command)
    assert again.header() == header


@given(st.text())
def test_only_stated_errors(text: str) -> None:
    try:
        expand(add_source(text, CONSOLE), COMMANDS)
        parse_policies(text)
    except ConfigError:
        pass


def test_constants() -> None:
    assert not parse_policy(FLOOR).directives.keys() & {'connect-src', 'default-src', 'script-src'}
    default = parse_policy(DEFAULT)
    assert [name for name in COMMANDS if default.allows_call(name)] == ['console.write']
    assert not re.search('unsafe-eval', DEFAULT)
    assert "'unsafe-inline'" not in default.directives['script-src']  # A15
    assert parse_policy(FLOOR).header() == FLOOR
    assert default.header() == DEFAULT
    assert expand(DEFAULT, COMMANDS) == DEFAULT


def test_names_that_a_policy_can_state() -> None:
    assert can_be_named('fs.readFile')
    assert can_be_named('a-1.b')
    assert not can_be_named('fs.read_file')
    assert not can_be_named('\u212aey')
