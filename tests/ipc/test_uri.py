"""Attack cases A17, B3, B4, C1: one canonical form, everything else refused."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.errors import BadRequest, NotFound
from socket_runtime.ipc.uri import (
    MAX_NAME,
    MAX_QUERY_NAMES,
    MAX_SEGMENT,
    MAX_SEGMENTS,
    MAX_SEQ,
    MAX_URI,
    AssetUri,
    CallUri,
    is_command_name,
    module_from_asset,
    parse_asset,
    parse_call,
    parse_module,
)
from tests.strategies import calls, odd_uris

# -- calls ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('uri', 'expected'),
    [
        ('ipc://ping', CallUri('ping', {}, '')),
        ('ipc://os.uptime', CallUri('os.uptime', {}, '')),
        ('ipc://fs.readFile', CallUri('fs.readfile', {}, '')),
        ('ipc://FS.READFILE/', CallUri('fs.readfile', {}, '')),
        ('ipc://fs.readfile/?path=/a', CallUri('fs.readfile', {'path': '/a'}, '')),
        ('ipc://a-b.c_d1', CallUri('a-b.c_d1', {}, '')),
        ('ipc://fs.readFile?seq=a-_9', CallUri('fs.readfile', {}, 'a-_9')),
        ('ipc://fs.readFile?index=0&seq=R1&path=x', CallUri('fs.readfile', {'path': 'x'}, 'R1')),
        ('ipc://a?x=', CallUri('a', {'x': ''}, '')),
        ('ipc://a?x=1+2&y=a%20b', CallUri('a', {'x': '1+2', 'y': 'a b'}, '')),
        ('ipc://a?x=b=c', CallUri('a', {'x': 'b=c'}, '')),
        ('ipc://a?x=%26%3D%23%25%2F', CallUri('a', {'x': '&=#%/'}, '')),
        ('ipc://a?x=%2541', CallUri('a', {'x': '%41'}, '')),  # decoded once only
        ('ipc://a?x=%C3%A4%e2%82%ac%F0%9f%98%80', CallUri('a', {'x': 'ä€😀'}, '')),
        ('ipc://a?x={[1]}|^`"', CallUri('a', {'x': '{[1]}|^`"'}, '')),
        ('ipc://a?x=1&X=2', CallUri('a', {'x': '1', 'X': '2'}, '')),
        ('ipc://a?Seq=%21', CallUri('a', {'Seq': '!'}, '')),  # only the exact name is ours
    ],
)
def test_call(uri: str, expected: CallUri) -> None:
    assert parse_call(uri) == expected


NOT_CALLS = {
    'empty': '',
    'A17 scheme in upper case': 'IPC://fs.readFile',
    'A17 scheme in mixed case': 'Ipc://fs.readFile',
    'another scheme': 'socket://fs.readFile',
    'no authority': 'ipc:fs.readFile',
    'one slash': 'ipc:/fs.readFile',
    'three slashes': 'ipc:///fs.readFile',
    'no command': 'ipc://',
    'only a slash': 'ipc:///',
    'leading space': ' ipc://ping',
    'trailing newline': 'ipc://ping\n',
    'inner newline': 'ipc://pi\nng',
    'A17 dot segments': 'ipc://fs.readFileSync/../writeFile',
    'path': 'ipc://fs/readFile',
    'two slashes after': 'ipc://fs.readFile//',
    'A17 escaped dot': 'ipc://fs%2ewriteFile',
    'A17 escaped letter': 'ipc://fs.%77riteFile',
    'A17 user': 'ipc://user@fs.readFile',
    'A17 user and password': 'ipc://u:p@fs.readFile',
    'port': 'ipc://fs.readFile:80',
    'empty port': 'ipc://fs.readFile:',
    'fragment': 'ipc://fs.readFile#x',
    'empty fragment': 'ipc://fs.readFile#',
    'fragment after query': 'ipc://fs.readFile?a=1#x',
    'B4 dunder': 'ipc://__class__',
    'B4 private': 'ipc://_private',
    'B4 attribute walk': 'ipc://a.b.__globals__',
    'B4 private part': 'ipc://a._b',
    'B4 numeric': 'ipc://1',
    'B4 numeric part': 'ipc://a.1',
    'B4 1 MB name': 'ipc://' + 'a' * 1_000_000,
    'B4 long name': 'ipc://' + 'a' * (MAX_NAME + 1),
    'B4 many parts': 'ipc://' + '.'.join('a' * (MAX_NAME // 2 + 2)),
    'empty part': 'ipc://a..b',
    'leading dot': 'ipc://.a',
    'trailing dot': 'ipc://a.',
    'leading hyphen': 'ipc://-a',
    'not ASCII': 'ipc://fs.réad',
    'full-width': 'ipc://\uff46s.readFile',
    'Kelvin sign': 'ipc://\u212aey',
    'digit of another script': 'ipc://a\u0661',
    'backslash': 'ipc://fs\\readFile',
    'wildcard': 'ipc://fs.*',
    'space': 'ipc://fs readFile',
    'empty query': 'ipc://a?',
    'empty query after slash': 'ipc://a/?',
    'empty pair': 'ipc://a?x=1&',
    'empty pair within': 'ipc://a?x=1&&y=2',
    'no value': 'ipc://a?x',
    'no name': 'ipc://a?=1',
    'A17 name given twice': 'ipc://a?x=1&x=2',
    'A17 name given twice, escaped': 'ipc://a?x=1&%78=2',
    'escaped name': 'ipc://a?%78=2',
    'B4 dunder argument': 'ipc://a?__class__=1',
    'private argument': 'ipc://a?_x=1',
    'numeric argument': 'ipc://a?1=1',
    'bracketed argument': 'ipc://a?x[]=1',
    'long argument name': 'ipc://a?' + 'x' * (MAX_NAME + 1) + '=1',
    'many arguments': 'ipc://a?' + '&'.join(f'x{i}=1' for i in range(MAX_QUERY_NAMES + 1)),
    'second question mark in name': 'ipc://a??x=1',
    'raw space in value': 'ipc://a?x=a b',
    'raw umlaut in value': 'ipc://a?x=ä',
    'raw NUL': 'ipc://a?x=\0',
    'raw DEL': 'ipc://a?x=\x7f',
    'NUL': 'ipc://a?x=%00',
    'NUL within': 'ipc://a?x=a%00b',
    'overlong NUL': 'ipc://a?x=%c0%80',
    'overlong slash': 'ipc://a?x=%c0%af',
    'overlong, three bytes': 'ipc://a?x=%e0%80%af',
    'lone surrogate': 'ipc://a?x=%ed%a0%80',
    'surrogate pair': 'ipc://a?x=%ed%a0%bd%ed%b8%80',
    'above Unicode': 'ipc://a?x=%f4%90%80%80',
    'lone continuation': 'ipc://a?x=%80',
    'cut sequence': 'ipc://a?x=%e2%82',
    'sequence cut by a letter': 'ipc://a?x=%e2a%82%ac',
    'Latin-1': 'ipc://a?x=%ff',
    'bad escape': 'ipc://a?x=%zz',
    'short escape': 'ipc://a?x=%a',
    'lone percent': 'ipc://a?x=%',
    'spaced escape': 'ipc://a?x=% 41',
    'signed escape': 'ipc://a?x=%+1',
    'JavaScript escape': 'ipc://a?x=%u0041',
    'B3 empty seq': 'ipc://a?seq=',
    'B3 seq with a quote': "ipc://a?seq='",
    'B3 seq with markup': 'ipc://a?seq=%3C/script%3E',
    'B3 seq with U+2028': 'ipc://a?seq=%e2%80%a8',
    'B3 seq with a newline': 'ipc://a?seq=1%0a',
    'B3 long seq': 'ipc://a?seq=' + '1' * (MAX_SEQ + 1),
    'seq twice': 'ipc://a?seq=1&seq=1',
    'empty index': 'ipc://a?index=',
    'negative index': 'ipc://a?index=-1',
    'index in words': 'ipc://a?index=one',
    'index of another script': 'ipc://a?index=%d9%a1',
    'long index': 'ipc://a?index=' + '1' * 11,
    'too long': 'ipc://a?x=' + 'y' * MAX_URI,
}


@pytest.mark.parametrize('uri', NOT_CALLS.values(), ids=NOT_CALLS.keys())
def test_not_a_call(uri: str) -> None:
    with pytest.raises(BadRequest) as raised:
        parse_call(uri)
    assert raised.value.message
    assert len(raised.value.message) < 200  # never echoes what was sent


@pytest.mark.parametrize(
    ('uri', 'reason'),
    [
        ('IPC://a', 'lower case'),
        ('ipc://a#b', 'fragment'),
        ('ipc://a%2eb', 'percent-encoded'),
        ('ipc://a@b', 'user information'),
        ('ipc://a/b', 'path'),
        ('ipc://a.', 'module.method'),
        ('ipc://a?x=ä', 'percent-encoded'),
        ('ipc://a?x=1&x=2', 'twice'),
        ('ipc://a?x=%ff', 'UTF-8'),
    ],
)
def test_reason(uri: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        parse_call(uri)


def test_limits_are_inclusive() -> None:
    assert parse_call('ipc://' + 'a' * MAX_NAME).command == 'a' * MAX_NAME
    assert parse_call('ipc://a?' + 'x' * MAX_NAME + '=1').query == {'x' * MAX_NAME: '1'}
    assert len(parse_call('ipc://a?' + '&'.join(f'x{i}=1' for i in range(MAX_QUERY_NAMES))).query) == MAX_QUERY_NAMES
    assert parse_call('ipc://a?seq=' + '1' * MAX_SEQ).seq == '1' * MAX_SEQ
    head = 'ipc://a?x='
    assert parse_call(head + 'y' * (MAX_URI - len(head))).query['x'][-1] == 'y'


@given(calls())
def test_call_round_trip(call: tuple[str, str, dict[str, str], str]) -> None:
    uri, command, arguments, seq = call
    assert parse_call(uri) == CallUri(command.lower(), arguments, seq)
    assert is_command_name(command)


@given(odd_uris())
def test_only_stated_errors(uri: str) -> None:
    for parse in (parse_call, parse_asset, parse_module):
        try:
            parse(uri)
        except (BadRequest, NotFound):
            pass


@given(odd_uris())
def test_an_accepted_call_says_what_it_seems_to(uri: str) -> None:
    """Whoever greps for ``ipc://fs.readFile`` finds the calls of that command, and only those."""
    try:
        call = parse_call(uri)
    except BadRequest:
        return
    rest = uri.removeprefix('ipc://')
    assert rest.lower().startswith(call.command)
    assert rest[len(call.command) :][:1] in ('', '/', '?')


# -- assets --------------------------------------------------------------------------------------------

HOST = 'com.example.app'
APP = 'socket://' + HOST


@pytest.mark.parametrize(
    ('uri', 'expected'),
    [
        (APP, AssetUri(HOST, (), True, '')),
        (APP + '/', AssetUri(HOST, (), True, '')),
        (APP + '/index.html', AssetUri(HOST, ('index.html',), False, '')),
        (APP + '/a/b/', AssetUri(HOST, ('a', 'b'), True, '')),
        (APP + '/a?x=1&y=%zz#top', AssetUri(HOST, ('a',), False, 'x=1&y=%zz')),
        (APP + '?x=1', AssetUri(HOST, (), True, 'x=1')),
        (APP + '#x?y', AssetUri(HOST, (), True, '')),
        (APP + '/a%20b/%C3%A4.txt', AssetUri(HOST, ('a b', 'ä.txt'), False, '')),
        (APP + '/100%25', AssetUri(HOST, ('100%',), False, '')),
        (APP + '/100%25ok', AssetUri(HOST, ('100%ok',), False, '')),
        (APP + '/.hidden/...x', AssetUri(HOST, ('.hidden', '...x'), False, '')),
        (APP + '/[a]*.txt', AssetUri(HOST, ('[a]*.txt',), False, '')),
        (APP + '/%23%3F', AssetUri(HOST, ('#?',), False, '')),
        (APP + '/console.js', AssetUri(HOST, ('console.js',), False, '')),
        (APP + '/com10.txt', AssetUri(HOST, ('com10.txt',), False, '')),
        (APP + '/back~up.txt', AssetUri(HOST, ('back~up.txt',), False, '')),
        ('socket://Com.Example', AssetUri('Com.Example', (), True, '')),
    ],
)
def test_asset(uri: str, expected: AssetUri) -> None:
    assert parse_asset(uri) == expected


NOT_ASSETS_404 = {
    'dot dot': '/../secret',
    'dot dot within': '/a/../b',
    'dot dot at the end': '/a/..',
    'dot': '/./a',
    'escaped dots': '/%2e%2e/a',
    'half escaped dots': '/.%2E/a',
    'escaped slash': '/..%2fa',
    'escaped slash in a name': '/a%2Fb',
    'escaped backslash': '/a%5cb',
    'raw backslash': '/..\\a',
    'twice escaped dots': '/%252e%252e/a',
    'twice escaped slash': '/..%252fa',
    'thrice escaped': '/%25252e',
    'empty segment': '//etc/passwd',
    'empty segment within': '/a//b',
    'two slashes at the end': '/a//',
    'UNC': '/\\\\host\\share',
    'UNC with slashes': '///host/share',
    'extended path': '/\\\\%3f\\C:\\x',
    'device path': '/%5c%5c.%5cx',
    'drive': '/C:/x',
    'drive-relative': '/C:x',
    'escaped drive': '/C%3a/x',
    'old drive': '/C|/x:y',
    'file URL': '/file:///etc/passwd',
    'alternate stream': '/a.txt::$DATA',
    'trailing dot': '/a.',
    'trailing space': '/a%20',
    'trailing dots within': '/a./b',
    'three dots': '/...',
    'only a space': '/%20',
    'device': '/con',
    'device in upper case': '/AUX',
    'device with extension': '/nul.txt',
    'device with two extensions': '/prn.tar.gz',
    'device with space': '/con%20.txt',
    'serial port': '/com1',
    'printer port': '/a/LPT9.log/b',
    'superscript port': '/com%C2%B9',
    'console input': '/CONIN$',
    'short name': '/SOCKET~1.INI',
    'short name without extension': '/progra~1/x',
    'long name': '/' + 'a' * (MAX_SEGMENT + 1),
    'long name in bytes': '/' + '%C3%A4' * (MAX_SEGMENT // 2 + 1),
    'deep': '/a' * (MAX_SEGMENTS + 1),
}


@pytest.mark.parametrize('path', NOT_ASSETS_404.values(), ids=NOT_ASSETS_404.keys())
def test_c1_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        parse_asset(APP + path)


NOT_ASSETS_400 = {
    'empty': '',
    'scheme in upper case': 'SOCKET://a/b',
    'file URL': 'file:///etc/passwd',
    'no authority': 'socket:fs',
    'absolute path': 'socket:/a',
    'empty host': 'socket:///a',
    'user': 'socket://u@a/b',
    'port': 'socket://a:80/b',
    'escaped host': 'socket://a%2eb/',
    'host with dots at its ends': 'socket://.a./',
    'dot host': 'socket://../x',
    'backslash host': 'socket://a\\b/',
    'IPv6': 'socket://[::1]/',
    'long host': 'socket://' + 'a' * 254 + '/',
    'NUL': APP + '/a%00.html',
    'newline': APP + '/a%0ab',
    'DEL': APP + '/%7f',
    'raw space': APP + '/a b',
    'raw umlaut': APP + '/ä',
    'raw umlaut in fragment': APP + '/a#ä',
    'trailing newline': APP + '/a\n',
    'bad escape': APP + '/%zz',
    'cut escape': APP + '/a%2',
    'overlong dot': APP + '/%c0%ae%c0%ae/a',
    'overlong slash': APP + '/..%c0%afa',
    'Latin-1': APP + '/%e4',
    'surrogate': APP + '/%ed%a0%80',
    'too long': APP + '/' + 'a/' * MAX_URI,
}


@pytest.mark.parametrize('uri', NOT_ASSETS_400.values(), ids=NOT_ASSETS_400.keys())
def test_not_an_asset(uri: str) -> None:
    with pytest.raises(BadRequest):
        parse_asset(uri)


def assert_harmless(asset: AssetUri) -> None:
    """Joined to a folder, the path names something below it and nothing else, on each kind of system."""
    for flavour in (PurePosixPath, PureWindowsPath):
        joined = flavour('root').joinpath(*asset.segments)
        assert joined.parts == ('root', *asset.segments)
        assert not joined.is_absolute()
        assert not joined.drive
    for segment in asset.segments:
        assert segment not in ('', '.', '..')
        assert not PureWindowsPath(segment).is_reserved()
        assert not set(segment) & set('/\\:\0')


@given(odd_uris())
def test_an_accepted_asset_is_harmless(uri: str) -> None:
    try:
        asset = parse_asset(uri)
    except (BadRequest, NotFound):
        return
    assert_harmless(asset)


@given(st.lists(st.text(st.characters(exclude_categories=['Cs']), min_size=1, max_size=9), max_size=5), st.booleans())
def test_asset_round_trip(names: list[str], directory: bool) -> None:
    """A file's name, escaped by anyone, comes back as itself or is refused."""
    uri = APP + ''.join('/' + quote(name, safe='') for name in names) + ('/' if directory else '')
    try:
        asset = parse_asset(uri)
    except (BadRequest, NotFound):
        return
    assert asset == AssetUri(HOST, tuple(names), directory or not names, '')
    assert_harmless(asset)


# -- modules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['fs', 'fs/promises', 'path/win32', 'internal/a-b_c1'])
def test_module(name: str) -> None:
    assert parse_module('socket:' + name) == name
    assert module_from_asset(parse_asset('socket://' + name)) == name


def test_module_in_chromium() -> None:
    assert module_from_asset(parse_asset('socket://fs/')) == 'fs'


@pytest.mark.parametrize(
    'uri',
    ['socket:', 'socket:FS', 'socket:fs/', 'socket:fs//promises', 'socket:../x', 'socket:fs/../x', 'socket:%66s',
     'socket:fs?x', 'socket:fs#x', 'socket:fs.js', 'socket:\\fs', 'socket:1', 'socket:_x', 'socket:' + 'a' * 200],
)  # fmt: skip
def test_no_such_module(uri: str) -> None:
    with pytest.raises(NotFound):
        parse_module(uri)


@pytest.mark.parametrize(
    'uri', ['', 'fs', 'SOCKET:fs', 'socket:/fs', 'socket://fs', 'node:fs', 'socket:f s', 'socket:fé', 'socket:fs\n']
)
def test_not_a_module(uri: str) -> None:
    with pytest.raises(BadRequest):
        parse_module(uri)


@pytest.mark.parametrize(
    'uri', ['socket://fs/promises/', 'socket://fs/promises?x', 'socket://com.example.app/', 'socket://FS']
)
def test_asset_that_is_no_module(uri: str) -> None:
    with pytest.raises(NotFound):
        module_from_asset(parse_asset(uri))
