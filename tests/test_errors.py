"""The two families of errors: what each tells, and that nobody belongs to both."""

from __future__ import annotations

import json

import pytest

from socket_runtime import errors
from socket_runtime.errors import ConfigError, Denied, LocalError, NotFound, RemoteError, SocketRuntimeError

KINDS = [getattr(errors, name) for name in errors.__all__]
LOCAL = [kind for kind in KINDS if issubclass(kind, LocalError) and kind is not LocalError]
REMOTE = [kind for kind in KINDS if issubclass(kind, RemoteError) and kind is not RemoteError]


def test_every_error_is_of_one_family() -> None:
    assert {*LOCAL, *REMOTE, LocalError, RemoteError, SocketRuntimeError} == set(KINDS)
    assert not set(LOCAL) & set(REMOTE)
    assert all(issubclass(kind, SocketRuntimeError) for kind in KINDS)


def test_exit_codes_are_distinct_and_none_is_success() -> None:
    codes = [kind.exit_code for kind in LOCAL]
    assert sorted(codes) == list(range(2, 2 + len(codes)))
    assert LocalError.exit_code == 1


def test_statuses_are_distinct() -> None:
    statuses = [kind.status for kind in REMOTE]
    assert len(set(statuses)) == len(statuses)
    assert all(400 <= status < 600 for status in statuses)


@pytest.mark.parametrize('kind', LOCAL)
def test_a_local_error_shows_its_hint(kind: type[LocalError]) -> None:
    assert str(kind('it is broken')) == 'it is broken'
    assert str(kind('it is broken', hint='mend it')) == 'it is broken\nmend it'


def test_a_config_error_shows_its_place() -> None:
    assert str(ConfigError('no such key', file='socket.ini', line=3)) == 'socket.ini:3: no such key'
    assert str(ConfigError('empty', file='socket.ini', hint='Write it.')) == 'socket.ini: empty\nWrite it.'
    assert str(ConfigError('empty')) == 'empty'


@pytest.mark.parametrize('kind', REMOTE)
def test_a_remote_error_is_told_in_the_original_shape(kind: type[RemoteError]) -> None:
    err = kind('no').to_err()
    assert (err['message'], err['name'], err['type']) == ('no', kind.name, kind.__name__)
    assert json.loads(json.dumps(err)) == err


def test_details_are_told() -> None:
    assert NotFound('gone', code='ENOENT', path='/a').to_err() == {
        'message': 'gone',
        'name': 'NotFoundError',
        'type': 'NotFound',
        'code': 'ENOENT',
        'path': '/a',
    }


def test_a_denial_names_what_is_missing() -> None:
    denied = Denied('not allowed', missing='connect-src ipc://fs.readFile')
    assert denied.to_err()['missing'] == denied.missing == 'connect-src ipc://fs.readFile'
    assert 'missing' not in Denied('never').to_err()
