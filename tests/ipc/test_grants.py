"""Grants: what they take, the table of path patterns (C7), and what users pick (C6)."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.errors import ConfigError, QuotaExceeded
from socket_runtime.ipc import grants as grants_module
from socket_runtime.ipc.grants import (
    KNOWN_GRANTS,
    VARIABLES,
    Anchor,
    GrantInfo,
    Grants,
    PathScope,
    RuntimeGrants,
    missing_line,
    path_parts,
)

ROOTS = {'RESOURCES': '/app/res', 'DATA': '/home/u/data', 'HOME': '/home/u'}


def scope(*patterns: str) -> PathScope:
    return PathScope(ROOTS, patterns)


def allows(pattern: str, path: str) -> bool:
    return scope(pattern).allows(path_parts(path))


# -- the section ---------------------------------------------------------------------------------------


def test_defaults() -> None:
    grants = Grants()
    assert grants.patterns('fs.read') == ('$RESOURCES/**',)
    assert grants.has('fs.read')
    for name in KNOWN_GRANTS:
        if name != 'fs.read':
            assert not grants.has(name), name
            assert grants.patterns(name) == ()


def test_given_values_replace_defaults() -> None:
    grants = Grants({'fs.read': ('$DATA/**',), 'window.manage': True, 'process.spawn': ['git', '/bin/ls']})
    assert grants.patterns('fs.read') == ('$DATA/**',)
    assert grants.has('window.manage') and grants.patterns('window.manage') == ()
    assert grants.patterns('process.spawn') == ('git', '/bin/ls')


@pytest.mark.parametrize('value', [False, ()])
def test_C7_nothing_is_granted_by_an_empty_list(value: Any) -> None:
    grants = Grants({'fs.read': value})
    assert not grants.has('fs.read') and grants.patterns('fs.read') == ()
    assert not PathScope(ROOTS, grants.patterns('fs.read')).allows(path_parts('/app/res/x'))


def test_true_for_links_means_web_and_mail() -> None:
    assert Grants({'shell.open': True}).patterns('shell.open') == ('https:', 'mailto:')


def test_unknown_names_have_nothing() -> None:
    assert not Grants().has('fs.everything')
    assert Grants().patterns('__class__') == ()


def test_an_app_may_define_grants_of_its_own() -> None:
    extra = {'notes.edit': GrantInfo('flag', 'change notes', False), 'notes.sync': GrantInfo('hosts', 'where to')}
    grants = Grants({'notes.edit': True, 'notes.sync': ('example.org:443',)}, extra)
    assert grants.has('notes.edit') and grants.patterns('notes.sync') == ('example.org:443',)
    assert grants.missing_line('notes.edit') == '[grants] notes.edit = true'


WRONG = {
    'unknown': ({'fs.reed': True}, 'no grant.*fs.read'),
    'flag as list': ({'window.manage': ('true',)}, 'true or false'),
    'paths as true': ({'fs.write': True}, 'everything'),
    'programs as true': ({'process.spawn': True}, 'everything'),
    'text instead of a list': ({'fs.read': '$DATA/**'}, 'is a list'),
    'empty value': ({'fs.read': ('',)}, 'empty'),
    'blanks': ({'fs.read': (' $DATA/**',)}, 'blanks'),
    'control character': ({'fs.read': ('$DATA/a\nb',)}, 'control'),
    'NUL': ({'fs.read': ('$DATA/\0',)}, 'control'),
    'unknown variable': ({'fs.read': ('$DOWNLOAD/**',)}, 'DOWNLOADS'),
    'variable in the middle': ({'fs.read': ('x/$DATA',)}, 'not absolute'),
    'relative': ({'fs.read': ('data/**',)}, 'not absolute'),
    'star first': ({'fs.read': ('*',)}, 'not absolute'),
    'dot dot': ({'fs.read': ('$DATA/../x',)}, '"\\.\\."'),
    'dot': ({'fs.read': ('$DATA/./x',)}, '"\\.\\."'),
    'double slash': ({'fs.read': ('$DATA//x',)}, 'empty'),
    'stars beside others': ({'fs.read': ('$DATA/a**',)}, 'stands alone'),
    'three stars': ({'fs.read': ('$DATA/***',)}, 'stands alone'),
    'writable app files': ({'fs.write': ('$RESOURCES/**',)}, 'never writable'),
    'relative program': ({'process.spawn': ('bin/git',)}, 'absolute path'),
    'variable with a blank': ({'process.env': ('A B',)}, 'variable'),
    'star within a variable': ({'process.env': ('A*B',)}, 'variable'),
    'D1 file': ({'shell.open': ('file:',)}, 'scheme'),
    'D1 smb': ({'shell.open': ('smb:',)}, 'scheme'),
    'D1 javascript': ({'shell.open': ('javascript:',)}, 'scheme'),
    'D1 data': ({'shell.open': ('data:',)}, 'scheme'),
    'D1 ms-msdt': ({'shell.open': ('ms-msdt:',)}, 'scheme'),
    'D1 ms-settings': ({'shell.open': ('ms-settings:',)}, 'scheme'),
    'D1 upper case': ({'shell.open': ('FILE:',)}, 'scheme'),
    'D1 flag': ({'shell.open': ('-flag',)}, 'scheme'),
    'D1 URL': ({'shell.open': ('https://example.org',)}, 'scheme'),
    'D1 star': ({'shell.open': ('*',)}, 'scheme'),
}


@pytest.mark.parametrize(('given_', 'text'), WRONG.values(), ids=WRONG)
def test_wrong_values(given_: dict[str, Any], text: str) -> None:
    name = next(iter(given_))
    with pytest.raises(ConfigError, match=text) as caught:
        Grants(given_, file='socket.ini', lines={name: 7})
    assert str(caught.value).startswith('socket.ini:7: [grants] ')


def test_wrong_hosts() -> None:
    extra = {'udp': GrantInfo('hosts', 'peers')}
    for value in ('a b', 'http://x', 'x:', 'x:1-', '*.*', 'x:123456'):
        with pytest.raises(ConfigError):
            Grants({'udp': (value,)}, extra)
    for value in ('*', '*.example.org:443', '[::1]:80-90', '10.0.0.1:*'):
        Grants({'udp': (value,)}, extra)


def test_missing_line() -> None:
    assert missing_line('fs.write') == '[grants] fs.write[] = $DATA/**'
    assert missing_line('fs.write', '$DATA/x') == '[grants] fs.write[] = $DATA/x'
    assert missing_line('window.manage') == '[grants] window.manage = true'
    assert missing_line('process.spawn', 'git') == '[grants] process.spawn[] = git'


@pytest.mark.parametrize('name', KNOWN_GRANTS)
def test_the_missing_line_is_one_that_the_section_takes(name: str) -> None:
    line = missing_line(name)
    key, _, value = line.removeprefix('[grants] ').partition(' = ')
    given_: Any = True if value == 'true' else (value,)
    assert Grants({key.removesuffix('[]'): given_}).has(name)


def test_grants_are_values() -> None:
    grants = Grants({'fs.read': ('$DATA/**',)})
    with pytest.raises(AttributeError):
        grants.given = {}  # type: ignore[misc]
    assert dict(grants.items())['fs.write'] == ()


# -- the table of patterns -----------------------------------------------------------------------------

# pattern, path below $DATA, whether it matches; what the module's own table says, row by row
TABLE: list[tuple[str, str, bool]] = [
    # exactly this path
    ('$DATA/a.txt', '/a.txt', True),
    ('$DATA/a.txt', '/a.txt/b', False),
    ('$DATA/a.txt', '/A.txt', False),
    ('$DATA/a.txt', '', False),
    ('$DATA/a?.txt', '/a?.txt', True),
    ('$DATA/a?.txt', '/ab.txt', False),
    ('$DATA/[ab].txt', '/[ab].txt', True),
    ('$DATA/[ab].txt', '/a.txt', False),
    ('$DATA/{a,b}', '/{a,b}', True),
    ('$DATA/{a,b}', '/a', False),
    ('$DATA/a.c', '/abc', False),
    ('$DATA', '', True),
    ('$DATA', '/a', False),
    # `*` does not cross `/` nor match a leading dot
    ('$DATA/*', '/a', True),
    ('$DATA/*', '/a b\u2028ü', True),
    ('$DATA/*', '/a\nb', True),
    ('$DATA/*', '/a/b', False),
    ('$DATA/*', '', False),
    ('$DATA/*', '/.a', False),
    ('$DATA/*', '/...', False),
    ('$DATA/*.txt', '/a.txt', True),
    ('$DATA/*.txt', '/.txt', False),
    ('$DATA/*.txt', '/a.txt.exe', False),
    ('$DATA/*.txt', '/a/b.txt', False),
    ('$DATA/a*', '/a', True),
    ('$DATA/a*', '/a.b', True),
    ('$DATA/a*b*c', '/a-b-c', True),
    ('$DATA/a*b*c', '/acb', False),
    ('$DATA/*/b', '/a/b', True),
    ('$DATA/*/b', '/b', False),
    ('$DATA/*/b', '/.a/b', False),
    ('$DATA/.*', '/.a', True),
    ('$DATA/.*', '/a', False),
    ('$DATA/.*', '/.a/b', False),
    # `**` crosses folders but not names with a leading dot, and also stands for no name
    ('$DATA/**', '', True),
    ('$DATA/**', '/a', True),
    ('$DATA/**', '/a/b/c', True),
    ('$DATA/**', '/.a', False),
    ('$DATA/**', '/a/.b', False),
    ('$DATA/**', '/.a/b', False),
    ('$DATA/**/x', '/x', True),
    ('$DATA/**/x', '/a/b/x', True),
    ('$DATA/**/x', '/a/.b/x', False),
    ('$DATA/**/x', '/a/x/y', False),
    ('$DATA/**/.git', '/a/.git', True),
    ('$DATA/**/*.md', '/a/b.md', True),
    ('$DATA/**/*.md', '/a/.b.md', False),
    ('$DATA/a/**/b/**', '/a/b', True),
    ('$DATA/a/**/b/**', '/a/1/2/b/3', True),
    ('$DATA/a/**/b/**', '/a/1', False),
    ('$DATA/.git/**', '/.git', True),
    ('$DATA/.git/**', '/.git/config', True),
    ('$DATA/.git/**', '/.git/.x', False),
    # a trailing slash is the folder itself and all below
    ('$DATA/', '', True),
    ('$DATA/', '/a/b', True),
    ('$DATA/', '/.a', False),
    ('$DATA/a/', '/a', True),
    ('$DATA/a/', '/a/b', True),
    ('$DATA/a/', '/ab', False),
]


@pytest.mark.parametrize(('pattern', 'below', 'expected'), TABLE, ids=lambda value: repr(value))
def test_C7_table(pattern: str, below: str, expected: bool) -> None:
    assert allows(pattern, ROOTS['DATA'] + below) is expected


@pytest.mark.parametrize('pattern', ['$DATA/**', '$DATA/', '$DATA/*', '$DATA'])
@pytest.mark.parametrize('path', ['/home/u', '/home/u/database', '/home/u/database/x', '/', '/app/res/x', '/home'])
def test_C7_beside_the_folder(pattern: str, path: str) -> None:
    assert not allows(pattern, path)


@pytest.mark.parametrize(
    ('pattern', 'path', 'expected', 'anchor'),
    [
        ('/srv/pub/**', '/srv/pub/a/b', True, Anchor('/srv/pub', ('a', 'b'))),
        ('/srv/pub/**', '/srv/pub', True, Anchor('/srv/pub', ())),
        ('/srv/pub/', '/srv/pub/x', True, Anchor('/srv/pub', ('x',))),
        ('/srv/pub/x.txt', '/srv/pub/x.txt', True, Anchor('/srv/pub', ('x.txt',))),
        ('/srv/*/x', '/srv/a/x', True, Anchor('/srv', ('a', 'x'))),
        ('/srv', '/srv', True, Anchor('/', ('srv',))),
        ('/**', '/etc/passwd', True, Anchor('/', ('etc', 'passwd'))),
        ('/', '/etc/passwd', True, Anchor('/', ('etc', 'passwd'))),
        ('/**', '/home/u/.ssh/id', False, None),
        ('/srv/pub/**', '/srv/public', False, None),
    ],
)
def test_absolute_patterns(pattern: str, path: str, expected: bool, anchor: Anchor | None) -> None:
    assert allows(pattern, path) is expected
    assert scope(pattern).anchor(path_parts(path)) == anchor


def test_opening_begins_at_the_variables_folder() -> None:
    found = scope('$DATA/pub/**').anchor(path_parts('/home/u/data/pub/x'))
    assert found == Anchor('/home/u/data', ('pub', 'x'))  # so that a link in place of `pub` is not followed


def test_a_variable_without_folder_grants_nothing() -> None:
    assert not scope('$CWD/**').allows(path_parts('/'))
    assert scope('$CWD/**', '$DATA/**').variables == ('DATA',)


@pytest.mark.parametrize('root', ['/odd/[x]*/?', '/odd/**', '/odd/$HOME'])
def test_C6_a_variables_value_is_literal(root: str) -> None:
    odd = PathScope({'DATA': root}, ['$DATA/**'])
    assert odd.allows(path_parts(root + '/a'))
    for other in ('/odd/x/y/a', '/odd/y/a', '/odd/[x]y/z/a', '/home/u/a'):
        assert not odd.allows(path_parts(other))


def test_every_variable_can_be_named() -> None:
    Grants({'fs.read': tuple(f'${name}/**' for name in VARIABLES)})


NAMES = st.text(string.ascii_lowercase + '.*?[]^$\\ ', min_size=1, max_size=6).filter(
    lambda name: name not in ('.', '..') and '**' not in name
)


@given(
    st.lists(NAMES | st.just('**'), min_size=1, max_size=5),
    st.lists(NAMES.map(lambda name: name.replace('*', 'x')), max_size=6),
)
def test_C7_matching_agrees_with_a_plain_regular_expression(pattern: list[str], names: list[str]) -> None:
    """The oracle: one regular expression over the whole path, written down from the table."""
    text = ''
    for part in pattern:
        if part == '**':
            text += r'(?:/(?!\.)[^/]+)*'
        else:
            text += '/' + (r'(?!\.)' if part.startswith('*') else '')
            text += '[^/]*'.join(re.escape(piece) for piece in part.split('*'))
    expected = re.fullmatch(text, ''.join('/' + name for name in names)) is not None
    assert scope('$DATA/' + '/'.join(pattern)).allows((*path_parts(ROOTS['DATA']), *names)) is expected


def test_matching_takes_no_exponential_time() -> None:
    hostile = scope('$DATA/' + '/'.join(['**', 'a'] * 20) + '/b')
    assert not hostile.allows((*path_parts(ROOTS['DATA']), *['a'] * 400))


# -- names of paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('path', 'parts'),
    [
        ('/', ()),
        ('//', ()),
        ('/a/b', ('a', 'b')),
        ('//a///b/', ('a', 'b')),
        ('/a/./b/../c', ('a', 'c')),
        ('/../../a', ('a',)),
        ('/a\\b', ('a\\b',)),
    ],
)
def test_path_parts(path: str, parts: tuple[str, ...]) -> None:
    assert path_parts(path, windows=False) == parts


@pytest.mark.parametrize(
    ('path', 'parts'),
    [
        ('C:\\', ('C:',)),
        ('c:/Users\\u', ('C:', 'Users', 'u')),
        ('C:\\a\\..\\..\\b', ('C:', 'b')),
        ('\\\\host\\share\\x', ('\\\\HOST\\SHARE', 'x')),
    ],
)
def test_path_parts_of_windows(path: str, parts: tuple[str, ...]) -> None:
    assert path_parts(path, windows=True) == parts


@pytest.mark.parametrize(('path', 'windows'), [('a', False), ('', False), ('C:x', True), ('\\x', True), ('/x', True)])
def test_paths_that_are_not_absolute(path: str, windows: bool) -> None:
    with pytest.raises(ValueError, match='not absolute'):
        path_parts(path, windows=windows)


# -- what users pick -----------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['[a].txt', '*', '**', 'a*b', '?', '{a,b}', '$HOME', '-rf', ' x ', 'x\ny'])
def test_C6_a_picked_file_is_exactly_this_file(tmp_path: Path, name: str) -> None:
    picked = RuntimeGrants()
    picked.allow('fs.read', tmp_path / name)
    anchor = picked.anchor('fs.read', 1, path_parts(tmp_path / name))
    assert anchor == Anchor(str(tmp_path.resolve()), (name,))
    for other in ('a.txt', 'a', 'x', 'ab', 'axb', name + 'x', name + '/x', ''):
        assert picked.anchor('fs.read', 1, path_parts(f'{tmp_path}/{other}')) is None
    assert picked.anchor('fs.write', 1, path_parts(tmp_path / name)) is None


def test_a_picked_folder_is_a_tree(tmp_path: Path) -> None:
    picked = RuntimeGrants()
    picked.allow('fs.write', tmp_path / 'a*', tree=True)
    assert picked.anchor('fs.write', 1, path_parts(tmp_path / 'a*')) == Anchor(str(tmp_path), ('a*',))
    assert picked.anchor('fs.write', 1, path_parts(tmp_path / 'a*/.x/y')) == Anchor(str(tmp_path), ('a*', '.x', 'y'))
    assert picked.anchor('fs.write', 1, path_parts(tmp_path / 'ab/y')) is None
    picked.allow('fs.write', tmp_path / 'a*')  # picked again as a file of its own: the tree stays
    assert picked.anchor('fs.write', 1, path_parts(tmp_path / 'a*/y')) is not None


def test_what_a_window_was_given_is_its_own(tmp_path: Path) -> None:
    picked = RuntimeGrants()
    parts = path_parts(tmp_path / 'x')
    picked.allow('fs.read', tmp_path / 'x', window=1)
    assert picked.anchor('fs.read', 1, parts) and picked.has('fs.read', 1)
    assert picked.anchor('fs.read', 2, parts) is None and not picked.has('fs.read', 2)
    picked.revoke_window(1)
    assert picked.anchor('fs.read', 1, parts) is None
    picked.allow('fs.read', tmp_path / 'x')
    assert picked.anchor('fs.read', 2, parts) and picked.has('fs.read', 9)


def test_a_picked_link_is_what_it_led_to_when_it_was_picked(tmp_path: Path) -> None:
    (tmp_path / 'real').write_text('seen')
    (tmp_path / 'secret').write_text('not seen')
    link = tmp_path / 'link'
    link.symlink_to('real')
    picked = RuntimeGrants()
    picked.allow('fs.read', link)
    link.unlink()
    link.symlink_to('secret')
    assert picked.anchor('fs.read', 1, path_parts(link)) == Anchor(str(tmp_path.resolve()), ('real',))


def test_B6_picked_paths_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants_module, 'MAX_RUNTIME_GRANTS', 3)
    picked = RuntimeGrants()
    for number in (0, 1, 2, 2):
        picked.allow('fs.read', tmp_path / str(number))
    with pytest.raises(QuotaExceeded):
        picked.allow('fs.read', tmp_path / '3')


def test_relative_paths_cannot_be_picked() -> None:
    with pytest.raises(ValueError, match='not absolute'):
        RuntimeGrants().allow('fs.read', 'x')


def test_scope_speed(benchmark: Any) -> None:
    wide = scope('$RESOURCES/**', '$HOME/Documents/**/*.md', '$DATA/**')
    parts = path_parts('/home/u/data/notes/2024/today.md')
    assert benchmark(wide.allows, parts)
