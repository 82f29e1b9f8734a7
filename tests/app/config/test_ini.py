"""The syntax of ``socket.ini``: what it means, where each token stands, and that nothing else comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.app.config.ini import MAX_BYTES, MAX_LINE, MAX_NAME, MAX_TOKENS, Token, parse, read
from socket_runtime.errors import ConfigError


def pairs(text: str) -> list[tuple[str, str]]:
    return [(token.path, token.value) for token in parse(text)]


def refusal(text: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        parse(text, file='socket.ini')
    assert raised.value.file == 'socket.ini'
    return raised.value


def test_sections_and_keys() -> None:
    text = 'loose = 1\n[build]\nname = hello\n\n[webview.watch]\n  reload=true\n'
    assert pairs(text) == [('loose', '1'), ('build.name', 'hello'), ('webview.watch.reload', 'true')]


def test_a_token_knows_its_names_and_its_place() -> None:
    token = parse('; first\n[build.script]\nforward_arguments = x ; why\n', file='a/socket.ini')[0]
    assert token == Token('build.script', 'forward_arguments', 'x', False, True, 'a/socket.ini', 3)
    assert token.name == 'build_script_forward_arguments'
    assert token.path == 'build.script.forward_arguments'
    error = token.error('wrong', 'mend it')
    assert (error.file, error.line, error.message, error.hint) == ('a/socket.ini', 3, 'wrong', 'mend it')


def test_a_dotted_section_extends_the_one_before() -> None:
    text = '[build]\na = 1\n[.script]\nb = 2\n[.deep]\nc = 3\n[meta]\nd = 4\n'
    assert [path for path, _ in pairs(text)] == ['build.a', 'build.script.b', 'build.script.deep.c', 'meta.d']


def test_repeated_keys() -> None:
    tokens = parse('[a]\nk[] = 1\nk[] = 2\nk [] = 3\nk = 4\n')
    assert [(token.key, token.value, token.repeat) for token in tokens] == [
        ('k', '1', True),
        ('k', '2', True),
        ('k', '3', True),
        ('k', '4', False),
    ]


@pytest.mark.parametrize(
    ('line', 'value', 'cut'),
    [
        ('k = a ; b', 'a', True),
        ('k = a # b', 'a', True),
        ('k = a\t; b', 'a', True),
        ('k = "a ; b"', 'a ; b', False),
        ("k = 'a # b' ; c", 'a # b', False),
        ('k = "a;b"# c', 'a;b', False),
        ('k = ""', '', False),
        ('k =', '', False),
        ('k = ; nothing', '', True),
        ('k = # nothing', '', True),
        ('k = #fff', '#fff', False),
        ('k = #fff # white', '#fff', True),
        ('k = a = b', 'a = b', False),
        ('k = it\'s "fine"', 'it\'s "fine"', False),
        ('k = "  kept  "', '  kept  ', False),
        ('k = "it\'s"', "it's", False),
        ('k = $DATA/**', '$DATA/**', False),
    ],
)
def test_values_and_comments(line: str, value: str, cut: bool) -> None:
    token = parse(f'[s]\n{line}\n')[0]
    assert (token.value, token.cut) == (value, cut)


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ("headers[] = Content-Security-Policy: default-src 'self'; img-src *", 'right behind a value'),
        ('k = $HOME/a#b/secret', 'right behind a value'),
        ('k = a;b', 'right behind a value'),
        ('k = say "a ; b"', 'inside quotes'),
        ('k = "open', 'is not closed'),
        ("k = 'open", 'is not closed'),
        ('k = "a" b', 'behind the closing quote'),
        ('k = "say "hi""', 'behind the closing quote'),
        ('no equals sign', 'expected key = value'),
        ('= value', 'is no name of a key'),
        ('[] = value', 'expected [section]'),
        ('a b = value', 'is no name of a key'),
        ('.a = value', 'is no name of a key'),
        ('[open', 'expected [section]'),
        ('[a] b', 'expected [section]'),
        ('[]', 'is no name of a section'),
        ('[a b]', 'is no name of a section'),
        ('[a..b]', 'is no name of a section'),
        ('k = a\x1b[31m', 'control character'),
        ('k = a\u2028b', 'control character'),
        ('k = a\rb', 'control character'),
    ],
)
def test_what_the_original_guessed_is_refused(line: str, message: str) -> None:
    error = refusal(f'[s]\n{line}\n')
    assert message in error.message
    assert error.line == 2


def test_a_dotted_section_needs_one_before() -> None:
    assert 'no section before it' in refusal('[.sub]\n').message


def test_section_headers_may_have_a_comment() -> None:
    assert pairs('[ a ] ; why\nk = 1') == [('a.k', '1')]


def test_line_ends_and_byte_order_mark() -> None:
    assert parse(b'\xef\xbb\xbf[a]\r\nk = 1\r\n') == parse('[a]\nk = 1\n')


def test_what_is_not_utf8_is_refused_with_its_line() -> None:
    error = refusal(b'[a]\nk = 1\nj = \xff\n')
    assert (error.line, error.hint) == (3, 'Save the file as UTF-8.')


def test_limits() -> None:
    assert 'larger than' in refusal(' ' * (MAX_BYTES + 1)).message
    assert 'longer than' in refusal('k = ' + 'x' * MAX_LINE).message
    assert refusal('k = 1\n' * (MAX_TOKENS + 1)).line == MAX_TOKENS + 1
    assert len(parse('k = 1\n' * MAX_TOKENS)) == MAX_TOKENS
    assert 'no name of a key' in refusal('k' * (MAX_NAME + 1) + ' = 1').message
    # a section cannot be made long piece by piece either
    assert 'longer than' in refusal('[a]\n' + '[.aaaaaaaaaaaaaaaaaaaaaaaaaa]\n' * 100).message


def test_reading_a_file(tmp_path: Path) -> None:
    file = tmp_path / 'socket.ini'
    file.write_text('[a]\nk = 1\n')
    assert read(file)[0].file == str(file)
    assert read(file, name='short')[0].file == 'short'
    with pytest.raises(ConfigError, match='cannot be read'):
        read(tmp_path)
    file.write_bytes(b'#' * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match='larger than'):
        read(file)


NAMES = st.from_regex(r'[A-Za-z0-9_$-]{1,12}', fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=['Cc', 'Cs', 'Zl', 'Zp'], exclude_characters='"'), max_size=30)
COMMENTS = st.sampled_from(['', ' ; a comment', ' # another "one"'])


@given(st.lists(st.tuples(NAMES, NAMES, VALUES, st.booleans(), COMMENTS), max_size=8))
def test_what_is_written_in_quotes_is_read_back(lines: list[tuple[str, str, str, bool, str]]) -> None:
    text = ''.join(
        f'[{section}]{comment}\n{key}{"[]" if repeat else ""} = "{value}"{comment}\n'
        for section, key, value, repeat, comment in lines
    )
    found = [(token.section, token.key, token.value, token.repeat, token.line) for token in parse(text)]
    assert found == [
        (section, key, value, repeat, 2 * number)
        for number, (section, key, value, repeat, _) in enumerate(lines, start=1)
    ]


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_nothing_but_config_errors(source: str | bytes) -> None:
    try:
        tokens = parse(source)
    except ConfigError as error:
        assert error.message
        return
    assert parse(source) == tokens
    for token in tokens:
        assert token.key
        assert token.line >= 1
        assert '\n' not in token.value


@given(st.text(st.sampled_from('ab=[]."\'#; \t$/'), max_size=40))
def test_an_unquoted_value_is_never_cut_unnoticed(value: str) -> None:
    """Either the whole value is read, or a comment with a space before it was cut off, or it is an error."""
    line = f'k = {value}'
    try:
        (token,) = parse(line)
    except ConfigError:
        return
    text = value.strip()
    if text[:1] in ('"', "'"):
        assert text[1:].startswith(token.value)
    elif token.cut:
        rest = text[len(token.value) :]
        assert rest.lstrip()[0] in '#;'
        assert not token.value or rest[0].isspace()
    else:
        assert token.value == text
