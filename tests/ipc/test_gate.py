"""The gate decides, in order, and says what is missing."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.errors import Denied, NotFound
from socket_runtime.ipc.command import Command, Commands
from socket_runtime.ipc.document import Document
from socket_runtime.ipc.gate import Gate
from socket_runtime.ipc.grants import Grants, RuntimeGrants
from tests import strategies
from tests.ipc.asking import ORIGIN, Ask, shown


def nothing() -> None:
    raise AssertionError('the gate runs nothing')


COMMANDS = Commands(
    [
        Command('fs.readFile', nothing, grant='fs.read'),
        Command('fs.writeFile', nothing, grant='fs.write'),
        Command('notes.list', nothing),
        Command('window.close', nothing, grant='window.manage'),
        Command('console.write', nothing, floor=True),
    ]
)
GATE = Gate(COMMANDS, Grants({}), ORIGIN)


def refusal(name: str, document: Document | None, **headers: str | None) -> Denied:
    real = {key.replace('_', '-'): value for key, value in headers.items()}
    with pytest.raises(Denied) as caught:
        GATE.check(name, Ask(f'ipc://{name}', document, headers=real), document)
    return caught.value


def test_what_is_allowed_passes() -> None:
    document = shown('connect-src ipc://notes.list')
    assert GATE.check('notes.list', Ask('ipc://notes.list', document), document).name == 'notes.list'


@pytest.mark.parametrize(
    'origin',
    [None, 'null', '', 'socket://com.example.app.evil', 'socket://com.example', 'https://com.example.app', ORIGIN + '/',
     ORIGIN.upper(), 'socket://evil', f' {ORIGIN}', f'{ORIGIN}, {ORIGIN}'],
)  # fmt: skip
def test_a5_other_origins_are_refused(origin: str | None) -> None:
    document = shown()
    assert refusal('notes.list', document, Origin=origin).missing == ''
    assert refusal('console.write', document, Origin=origin).missing == ''


@pytest.mark.parametrize('accept', ['text/html', 'text/html,application/xhtml+xml,*/*;q=0.8'])
def test_a11_navigations_are_refused(accept: str) -> None:
    document = shown()
    refusal('notes.list', document, Accept=accept)
    refusal('console.write', document, Accept=accept)


@pytest.mark.parametrize('token', [None, '', '0' * 32, 'é', 'x' * 10000])
def test_b1_calls_without_the_documents_token_are_refused(token: str | None) -> None:
    document = shown()
    refusal('notes.list', document, Socket_Token=token)
    refusal('console.write', document, Socket_Token=token)


def test_b1_another_documents_token_is_none() -> None:
    first, second = shown(), shown()
    assert first.token != second.token
    refusal('notes.list', second, Socket_Token=first.token)


def test_a8_a_window_without_a_document_of_ours_is_refused() -> None:
    refusal('notes.list', None)
    refusal('console.write', None)


def test_a1_no_policy_allows_nothing_but_the_floor() -> None:
    document = shown(None)
    error = refusal('notes.list', document)
    assert error.missing == '<meta http-equiv="Content-Security-Policy" content="connect-src ipc://notes.list">'
    assert error.missing in error.message
    assert GATE.check('console.write', Ask('ipc://console.write', document), document).floor


@pytest.mark.parametrize('policy', ["img-src 'self'", "default-src 'self'", 'connect-src https:', "connect-src 'none'"])
def test_a2_policies_that_do_not_name_the_command_refuse_it(policy: str) -> None:
    error = refusal('notes.list', shown(policy))
    assert error.missing == 'connect-src ipc://notes.list'
    assert f'`{error.missing}`' in error.message


def test_grants_are_asked_for_last_and_named() -> None:
    document = shown('connect-src ipc:')
    error = refusal('window.close', document)
    assert error.missing == '[grants] window.manage = true'
    assert error.missing in error.message
    # who may not call it at all is told that first
    assert refusal('window.close', shown("connect-src 'none'")).missing == 'connect-src ipc://window.close'


def test_defaults_of_grants_hold_until_they_are_taken_away() -> None:
    document = shown('connect-src ipc:')
    ask = Ask('ipc://fs.readFile', document)
    assert GATE.check('fs.readfile', ask, document)
    closed = Gate(COMMANDS, Grants({'fs.read': False}), ORIGIN)
    with pytest.raises(Denied) as caught:
        closed.check('fs.readfile', ask, document)
    assert caught.value.missing.startswith('[grants] fs.read[] = ')


def test_c6_what_the_user_has_picked_opens_the_command_for_that_window() -> None:
    picked = RuntimeGrants()
    gate = Gate(COMMANDS, Grants({}), ORIGIN, picked)
    documents = shown(window=0), shown(window=1)
    picked.allow('fs.write', '/home/somebody/a.txt', window=1)
    with pytest.raises(Denied):
        gate.check('fs.writefile', Ask('ipc://fs.writeFile', documents[0]), documents[0])
    assert gate.check('fs.writefile', Ask('ipc://fs.writeFile', documents[1]), documents[1])


def test_unknown_commands_are_told_only_to_those_who_might_call_them() -> None:
    with pytest.raises(NotFound):
        document = shown('connect-src ipc:')
        GATE.check('no.such', Ask('ipc://no.such', document), document)
    assert refusal('no.such', shown('connect-src ipc://notes.list')).missing == 'connect-src ipc://no.such'


def test_the_body_is_not_touched() -> None:
    document = shown(None)
    ask = Ask('ipc://notes.list', document, 'POST', b'x')
    with pytest.raises(Denied):
        GATE.check('notes.list', ask, document)
    assert ask.body_reads == 0


def test_f28_one_line_of_the_audit_log_that_cannot_be_forged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, 'socket_runtime.audit')
    refusal('notes.list', shown("connect-src 'none'"))
    assert caplog.messages == ['denied ipc://notes.list: connect-src ipc://notes.list']
    caplog.clear()
    refusal('a' * 5000, shown("connect-src 'none'"))
    assert len(caplog.messages) == 1
    assert len(caplog.messages[0]) < 500
    caplog.clear()
    refusal('x\ndenied ipc://other: y\x1b[31m', shown("connect-src 'none'"))
    assert len(caplog.messages) == 1
    assert caplog.messages[0].isprintable()


@given(strategies.policy_lists(), strategies.command_names())
def test_whatever_the_policy_the_gate_never_allows_more_than_it_says(policy: str, name: str) -> None:
    """A page is let through only where each of its policies, asked by itself, would."""
    commands = Commands([Command(name, nothing)])
    document = shown(policy)
    try:
        Gate(commands, Grants({}), ORIGIN).check(name.lower(), Ask(f'ipc://{name}', document), document)
    except Denied as error:
        assert error.missing
    else:
        assert document.policies
        assert all(one.allows_call(name) for one in document.policies)
        assert any(one.call_sources() is not None for one in document.policies)


@given(
    st.dictionaries(
        st.sampled_from(['Origin', 'Accept', 'Socket-Token', 'Referer', 'Host', 'Socket-Stream']), st.text(max_size=40)
    )
)
def test_no_header_but_the_right_ones_opens_anything(headers: dict[str, str]) -> None:
    document = shown()
    changed = {'Origin', 'Socket-Token'} & headers.keys()
    try:
        GATE.check('notes.list', Ask('ipc://notes.list', document, headers=headers), document)
    except Denied:
        assert changed or 'text/html' in headers.get('Accept', '')
    else:
        assert headers.get('Origin', ORIGIN) == ORIGIN
        assert headers.get('Socket-Token', document.token) == document.token
