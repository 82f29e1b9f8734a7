"""The one place that writes."""

from __future__ import annotations

import io
import json

import pytest

from socket_runtime.cli.console import Console
from socket_runtime.errors import ConfigError, PortError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(**options: bool) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Console(out, err, **options), out, err


def use(written: Console) -> None:
    written.say('said')
    written.show('shown')
    written.detail('detail')
    written.warn('warned')
    written.result('test', {'a': 1}, ['result'])


def test_what_goes_where() -> None:
    for options, out, err in (
        ({}, 'said\nshown\nresult\n', 'warning: warned\n'),
        ({'verbose': True}, 'said\nshown\ndetail\nresult\n', 'warning: warned\n'),
        ({'quiet': True}, 'result\n', 'shown\nwarning: warned\n'),
        ({'quiet': True, 'verbose': True}, 'result\n', 'shown\nwarning: warned\n'),
    ):
        written, to_out, to_err = console(**options)
        use(written)
        assert (to_out.getvalue(), to_err.getvalue()) == (out, err), options


def test_json_is_one_object_on_standard_output() -> None:
    written, out, err = console(json=True)
    use(written)
    assert err.getvalue() == 'shown\n'
    assert json.loads(out.getvalue()) == {
        'command': 'test',
        'ok': True,
        'exit_code': 0,
        'data': {'a': 1},
        'warnings': ['warned'],
    }
    assert out.getvalue().count('\n') == 1
    written, out, _ = console(json=True)
    written.result('test', {}, exit_code=9)
    assert json.loads(out.getvalue())['ok'] is False


def test_errors() -> None:
    written, out, err = console()
    written.fail(ConfigError('wrong', file='socket.ini', line=3, hint='mend it'))
    written.fail(ConfigError('wrong', file='socket.ini'))
    written.fail(PortError('nobody'))
    assert out.getvalue() == ''
    assert err.getvalue() == ('error: socket.ini:3: wrong\n  mend it\nerror: socket.ini: wrong\nerror: nobody\n')
    written, out, err = console(json=True)
    written.fail(ConfigError('wrong', file='socket.ini', line=3))
    assert json.loads(out.getvalue())['error'] == {
        'type': 'ConfigError',
        'message': 'wrong',
        'hint': '',
        'file': 'socket.ini',
        'line': 3,
    }


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    written, out, err = console()
    written.say('a\x1b[31mb\r\x07\x9b\u202e')
    written.warn('\x1b]0;title\x07')
    written.fail(PortError('\x1b[2J', hint='\x1b[H'))
    text = out.getvalue() + err.getvalue()
    assert not set(text) & {'\x1b', '\r', '\x07', '\x9b', '\u202e'}
    assert out.getvalue() == 'a\\x1b[31mb\\r\\x07\\x9b\\u202e\n'


def test_colors_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('NO_COLOR', raising=False)
    monkeypatch.setenv('TERM', 'xterm')
    err = Terminal()
    written = Console(io.StringIO(), err)
    written.fail(PortError('\x1b[2Jx'))
    assert err.getvalue() == '\x1b[31merror:\x1b[0m \\x1b[2Jx\n'
    for name, value in (('NO_COLOR', '1'), ('TERM', 'dumb')):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert written.paint('x', 'red', err) == 'x'
    assert written.paint('x', 'red', io.StringIO()) == 'x'


def test_progress_is_for_terminals() -> None:
    err = Terminal()
    with Console(io.StringIO(), err).progress('copying', 1000) as bar:
        for _ in range(1000):
            bar.advance()
    drawn = err.getvalue().split('\r')
    assert drawn[1].startswith('copying [....')
    assert '100%' in drawn[-3]
    assert drawn[-2].isspace()
    assert len(drawn) <= 105  # not once for each step
    for options in ({'quiet': True}, {'json': True}):
        err = Terminal()
        with Console(io.StringIO(), err, **options).progress('copying', 0) as bar:
            bar.advance()
        assert err.getvalue() == ''
    written, _, plain = console()
    with written.progress('copying', 2) as bar:
        bar.advance(2)
    assert plain.getvalue() == ''


def test_a_terminal_that_cannot_show_everything() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding='ascii')
    Console(out, out).say('été')
    assert raw.getvalue() == b'\\xe9t\\xe9\n'


def test_a_stream_that_is_closed() -> None:
    out = io.StringIO()
    out.close()
    assert not Console.is_terminal(out)
