"""The table of keys, and what is said of a file that does not fit it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.app.config import load
from socket_runtime.app.config.ini import parse
from socket_runtime.app.config.schema import ACCEPTED, ACCEPTED_PREFIXES, FREE, KEYS, Key
from socket_runtime.app.config.validate import Values, validate
from socket_runtime.app.config.values import (
    KINDS,
    MAX_APP_NAME,
    OWN_HEADERS,
    Size,
    is_bundle_identifier,
    is_name,
    is_version,
)
from socket_runtime.errors import ConfigError

LEAST = '[meta]\nbundle_identifier = com.example.app\n[build]\nname = app\n'

#: A value of each kind that is not the kind's first idea of a default.
SAMPLES = {
    'boolean': ('TRUE', True),
    'bundle identifier': ('org.Example.other-app', 'org.Example.other-app'),
    'choice': ('off', 'off'),
    'color': ('rgba(46, 46, 46, 1)', '#2E2E2E'),
    'command': ('node build.js', 'node build.js'),
    'header': ('"X-A: b; c"', 'X-A: b; c'),
    'index': ('/home.html', 'home.html'),
    'name': ('other', 'other'),
    'path': ('./a/b/', 'a/b'),
    'seconds': ('1.5', 1.5),
    'size': ('50%', Size(50, percent=True)),
    'string': ('some text', 'some text'),
    'url path': ('/admin/', '/admin/'),
    'variable': ('LANG', 'LANG'),
    'version': ('1.2.3-beta.1+5', '1.2.3-beta.1+5'),
}


def check(text: str) -> Values:
    return validate(parse(text))


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        check(text)
    return raised.value


# -- the table --------------------------------------------------------------------------------------


def test_the_table_is_sound() -> None:
    flat = [key.flat for key in KEYS]
    assert len(flat) == len(set(flat))
    assert not set(flat) & ACCEPTED
    assert not [name for name in flat if name.startswith(ACCEPTED_PREFIXES)]
    assert not [key for key in KEYS if key.section.partition('.')[0] in FREE]
    assert {key.kind for key in KEYS} == set(KINDS) == set(SAMPLES)


@pytest.mark.parametrize('key', KEYS, ids=lambda key: key.flat)
def test_every_key(key: Key) -> None:
    assert key.help.endswith('.')
    assert bool(key.accepts) == (key.kind == 'choice')
    assert not key.split or key.repeats
    if key.default:
        KINDS[key.kind](key.default)
        assert not key.repeats
        assert not key.required
    text, value = SAMPLES[key.kind]
    base = LEAST if not key.required else LEAST.replace(f'{key.name} = ', f'{key.name} = {text} ;')
    line = '' if key.required else f'[{key.section}]\n{key.name}{"[]" if key.repeats else ""} = {text}\n'
    found = check(base + line)
    assert found[key.flat] == ((value,) if key.repeats else value)
    assert not found.notices
    if not key.required and '.' in key.section:  # flattened, it is the same key
        section, _, rest = key.section.partition('.')
        flat = f'[{section}]\n{rest}_{key.name}{"[]" if key.repeats else ""} = {text}\n'
        assert check(base + flat).values == found.values


@pytest.mark.parametrize('key', [key for key in KEYS if key.aliases], ids=lambda key: key.flat)
def test_aliases(key: Key) -> None:
    for alias in key.aliases:
        assert check(f'{LEAST}[{key.section}]\n{alias} = #123456\n')[key.flat] == '#123456'
    both = f'{LEAST}[{key.section}]\n{key.name} = #123456\n{key.aliases[0]} = #123456\n'
    assert 'set twice' in refusal(both).message


def test_defaults_are_complete() -> None:
    found = check(LEAST)
    assert set(found.values) == {key.flat for key in KEYS}
    assert found['window_width'] == Size(800)
    assert found['webview_headers'] == ()
    assert set(found.tokens) == {'meta_bundle_identifier', 'build_name'}


# -- what is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('text', 'message', 'hint'),
    [
        ('[window]\nwidht = 1', 'there is no key widht in [window]', 'Did you mean width?'),
        ('[window]\nzzz = 1', 'there is no key zzz in [window]', 'Known here: width, height'),
        ('[windw]\nwidth = 1', 'there is no section [windw]', 'Did you mean [window]?'),
        ('[grant]\nfs.read[] = x', 'there is no section [grant]', 'Did you mean [grants]?'),
        ('[android]\nzzz = 1', 'there is no key zzz in [android]', ''),
    ],
)
def test_unknown_keys_name_the_nearest(text: str, message: str, hint: str) -> None:
    error = refusal(f'{LEAST}{text}\n')
    assert error.message == message
    assert error.hint.startswith(hint)
    assert error.line == 6


def test_a_key_without_a_section() -> None:
    assert refusal('name = x\n').message == 'name is in no section'


@pytest.mark.parametrize(
    ('section', 'line', 'message'),
    [
        ('meta', 'bundle_identifier = example', 'expected a reverse DNS name such as com.example.app'),
        ('build', 'name = two words', 'expected letters, digits'),
        ('meta', 'version = 1.2', 'expected a version such as 1.2.3'),
        ('window', 'width = 120%', 'expected pixels such as 800'),
        ('window', 'width = wide', "found 'wide'"),
        ('window', 'resizable = yes', 'expected true or false'),
        ('window', 'background_color_light = rgba(0, 0, 0, 0.5)', 'expected an opaque colour'),
        ('webview', 'hardware_acceleration = of', "expected auto, on or off, found 'of'"),
        ('webview', 'timeout = 0', 'expected seconds'),
        ('webview', 'root = admin', 'expected a path of the app'),
        ('webview', 'headers[] = nonsense', 'expected a header such as X-Name: value'),
        ('webview', 'headers[] = Access-Control-Allow-Origin: *', 'is set by the runtime alone'),
        ('build', 'copy = /etc', 'expected a path inside the project'),
        ('build', 'copy = ../other', 'expected a path inside the project'),
        ('build', 'output = a\\b', 'expected a path inside the project'),
        ('build', 'output = C:/x', 'expected a path inside the project'),
        ('build', 'env[] = A-B', 'expected the name of an environment variable'),
        ('python', 'main = ../../evil.py', 'expected a path inside the project'),
    ],
)
def test_wrong_values_say_what_was_expected(section: str, line: str, message: str) -> None:
    text = LEAST.replace('bundle_identifier = com.example.app', '').replace('name = app', '')
    error = refusal(f'{text}[{section}]\n{line}\n')
    assert message in error.message
    assert error.line == 6
    assert len(error.message) < 200


def test_a_wrong_choice_names_the_nearest() -> None:
    assert refusal(f'{LEAST}[webview]\nhardware_acceleration = of\n').hint == 'Did you mean off?'


def test_required_keys() -> None:
    missing = refusal('[build]\nname = app\n')
    assert missing.message == 'bundle_identifier in [meta] is missing'
    assert (missing.file, missing.line) == ('socket.ini', 0)
    assert refusal('[meta]\nbundle_identifier =\n[build]\nname = app\n').line == 2
    assert validate(parse(''), required=False)['build_name'] == ''


def test_one_value_where_one_is_meant() -> None:
    error = refusal(f'{LEAST}[window]\nwidth = 1\nwidth = 2\n')
    assert (error.message, error.line) == ('width is set twice', 7)
    assert 'line 6' in error.hint
    assert 'takes one value' in refusal(f'{LEAST}[window]\nwidth[] = 1\n').message


def test_several_values() -> None:
    found = check(f'{LEAST}env = HOME, USER PATH\nenv[] = LANG\n[build.watch]\nsources[] = a\nsources[] = b c\n')
    assert found['build_env'] == ('HOME', 'USER', 'PATH', 'LANG')
    assert found['build_watch_sources'] == ('a', 'b c')


def test_a_comment_cannot_cut_a_policy() -> None:
    for line in ("default-src 'self' ; img-src *", "default-src 'self' # why"):
        error = refusal(f'{LEAST}[webview]\nheaders[] = Content-Security-Policy: {line}\n')
        assert 'cuts the policy short' in error.message
    found = check(f'{LEAST}[webview]\nheaders[] = "Content-Security-Policy: default-src \'self\'; img-src *" ; why\n')
    assert found['webview_headers'] == ("Content-Security-Policy: default-src 'self'; img-src *",)


@pytest.mark.parametrize('name', sorted(OWN_HEADERS))
def test_headers_of_the_runtime_are_its_own(name: str) -> None:
    assert 'by the runtime alone' in refusal(f'{LEAST}[webview]\nheaders[] = "{name.title()}: x"\n').message


# -- what is taken without meaning ------------------------------------------------------------------


@pytest.mark.parametrize('name', sorted(ACCEPTED))
def test_the_originals_other_keys_are_accepted_with_a_notice(name: str) -> None:
    section, _, key = name.partition('_')
    found = check(f'{LEAST}[{section}]\n{key} = x\n')
    assert [str(notice) for notice in found.notices] == [f'socket.ini:6: {section}.{key} has no effect here']


def test_the_originals_free_sections_are_accepted_with_a_notice() -> None:
    text = '[webview.navigator.policies]\nallowed[] = "https://*"\n[webview.service-workers]\n/ = /worker.js\n'
    assert len(check(LEAST + text).notices) == 2


# -- free sections ----------------------------------------------------------------------------------


def test_the_environment() -> None:
    found = check(f'{LEAST}[env]\nDEV = true\nEMPTY =\n')
    assert found.variables == {'DEV': 'true', 'EMPTY': ''}
    assert 'expected the name' in refusal(f'{LEAST}[env]\nA-B = 1\n').message
    assert 'expected NAME = value' in refusal(f'{LEAST}[env.x]\nA = 1\n').message
    assert 'expected NAME = value' in refusal(f'{LEAST}[env]\nA[] = 1\n').message


def test_grants_keep_their_tokens() -> None:
    found = check(f'{LEAST}[grants]\nfs.read[] = $DATA/**\nfs.read[] = $TMP/**\n[grants.window]\nmanage = true\n')
    assert {name: [token.value for token in tokens] for name, tokens in found.grants.items()} == {
        'fs.read': ['$DATA/**', '$TMP/**'],
        'window.manage': ['true'],
    }
    assert 'only a comment' in refusal(f'{LEAST}[grants]\nfs.read[] = ; $DATA/**\n').message


# -- kinds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize('text', ['com.example.app', 'a.b', 'com.Example.My-App', 'co.1password.x', 'a.b.c.d.e'])
def test_bundle_identifiers(text: str) -> None:
    assert is_bundle_identifier(text)


@pytest.mark.parametrize(
    'text',
    [
        *('', 'app', '.a.b', 'a.b.', 'a..b', 'a.-b', 'a.b-', 'a_b.c', 'a.b/c', 'a.b:1', 'a.b@c', '1.2.3.4', 'a.1'),
        *('a.0x7f', 'a.xn--abc', 'é.b', 'a.' + 'b' * 64, 'a.' * 130 + 'b', 'a b.c', 'com.example.app\n'),
    ],
)
def test_what_cannot_be_the_host_of_an_origin(text: str) -> None:
    assert not is_bundle_identifier(text)


@pytest.mark.parametrize('text', ['app', 'a', 'My-App_2.0', 'x' * MAX_APP_NAME])
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize('text', ['', '.', '..', '.a', 'a.', '-a', 'a b', 'a/b', 'é', 'a\n', 'x' * (MAX_APP_NAME + 1)])
def test_what_cannot_be_a_file_name(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize('text', ['0.0.0', '1.0.0', '10.20.30', '1.0.0-a.b-c.1', '1.0.0+build.5'])
def test_versions(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize('text', ['1', '1.0', '1.0.0.0', '01.0.0', 'v1.0.0', '1.0.0-', '1.0.0+', '1.0.0 ', '1.0.x'])
def test_what_is_no_version(text: str) -> None:
    assert not is_version(text)


@given(st.integers(0, 32767))
def test_sizes_in_pixels(pixels: int) -> None:
    size = KINDS['size'](str(pixels))
    assert size.resolve(1) == pixels
    assert KINDS['size'](f'{pixels}px') == size
    assert str(size) == str(pixels)


@given(st.integers(0, 100), st.integers(1, 10000))
def test_sizes_in_percent(percent: int, screen: int) -> None:
    size = KINDS['size'](f'{percent}%')
    assert size.resolve(screen) == round(screen * percent / 100)
    assert str(size) == f'{percent}%'


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colors(parts: tuple[int, int, int]) -> None:
    red, green, blue = parts
    written = f'#{red:02X}{green:02X}{blue:02X}'
    for text in (written, written.lower(), f'rgb({red},{green},{blue})', f'RGBA( {red}, {green} ,{blue}, 1.0 )'):
        assert KINDS['color'](text) == written


@pytest.mark.parametrize('text', ['#ff', '#ggg', '#12345', 'red', 'rgb(1,2)', 'rgb(256,0,0)', 'rgba(0,0,0,0)', ''])
def test_what_is_no_color(text: str) -> None:
    with pytest.raises(ValueError, match='opaque colour'):
        KINDS['color'](text)


PATH_TEXT = st.text(st.sampled_from('ab./\\:~ '), max_size=12)


@given(PATH_TEXT)
def test_a_path_never_leaves_the_project(text: str) -> None:
    try:
        path = KINDS['path'](text)
    except ValueError:
        return
    base = Path('/project')
    assert (base / path).parts[:2] == ('/', 'project')
    assert '..' not in Path(path).parts
    assert '\\' not in path


@given(
    st.text(max_size=60) | st.sampled_from([sample for sample, _ in SAMPLES.values()]), st.sampled_from(sorted(KINDS))
)
def test_readers_raise_value_errors_only(text: str, kind: str) -> None:
    try:
        KINDS[kind](text)
    except ValueError as error:
        assert str(error)


def test_wrong_files_are_found_by_load(tmp_path: Path) -> None:
    (tmp_path / 'socket.ini').write_text(f'{LEAST}[window]\nwidht = 1\n')
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, debug=True)
    assert raised.value.file == str(tmp_path / 'socket.ini')
    assert raised.value.line == 6
    assert raised.value.exit_code == 3
