"""Replies: their shape, and what no reply may be."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given

from socket_runtime.errors import CommandFailed, Denied, NotFound, RemoteError
from socket_runtime.ipc.results import RECORD_HEARTBEAT, Replies, encode, encode_record
from tests import strategies
from tests.ipc.asking import ORIGIN

REPLIES = Replies(ORIGIN)
#: JSON has no infinity; it becomes null.
JSON = strategies.json_values().filter(lambda value: 'Infinity' not in json.dumps(value))


@dataclass
class Note:
    name: str
    words: int


class Hit(msgspec.Struct):
    line: int


def test_the_envelope_is_the_originals() -> None:
    status, _, body = REPLIES.data('fs.readFile', 'R1', {'a': [1, None]})
    assert status == 200
    assert json.loads(body) == {'source': 'fs.readFile', 'id': 'R1', 'data': {'a': [1, None]}}
    status, _, body = REPLIES.error('fs.readFile', '', NotFound('gone', code='ENOENT', path='x'))
    assert status == 404
    assert json.loads(body) == {
        'source': 'fs.readFile', 'id': '',
        'err': {'message': 'gone', 'name': 'NotFoundError', 'type': 'NotFound', 'code': 'ENOENT', 'path': 'x'},
    }  # fmt: skip


def test_every_class_of_error_has_its_own_status_and_name() -> None:
    kinds = RemoteError.__subclasses__()
    assert len(kinds) >= 8
    for kind in kinds:
        status, _, body = REPLIES.error('a.b', '', kind('message'))
        assert 400 <= status < 600
        assert json.loads(body)['err']['type'] == kind.__name__
    assert REPLIES.error('a', '', Denied('no', missing='x'))[0] == 403
    assert REPLIES.error('a', '', CommandFailed('no'))[0] == 500


@pytest.mark.parametrize(
    'reply',
    [REPLIES.data('a', '', 1), REPLIES.binary(b'x'), REPLIES.error('a', '', NotFound('x')), REPLIES.nothing(),
     (200, REPLIES.headers('application/octet-stream', 'stream-binary', ('Socket-Stream', 'x')), b'')],
)  # fmt: skip
def test_no_reply_can_be_run_shown_kept_or_read_by_strangers(reply: tuple[int, Any, bytes]) -> None:
    headers = reply[1]
    assert headers[0][0] == 'Content-Type'
    given_headers = dict(headers)
    assert len(given_headers) == len(headers)
    assert given_headers['Content-Type'] in ('application/json', 'application/octet-stream')
    assert given_headers['X-Content-Type-Options'] == 'nosniff'
    assert given_headers['Cache-Control'] == 'no-store'
    assert given_headers['Access-Control-Allow-Origin'] == ORIGIN


def test_what_commands_return_becomes_json() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert json.loads(encode([Note('a', 1), Hit(2), now, (1, 2), {'é': '😀\u2028</script>'}])) == [
        {'name': 'a', 'words': 1}, {'line': 2}, '2026-01-02T03:04:05Z', [1, 2], {'é': '😀\u2028</script>'}
    ]  # fmt: skip


@pytest.mark.parametrize('value', [object(), {1, object()}, lambda: 0, [open]])
def test_what_has_no_json_form_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize('value', ['\ud800', {'\udfff': 1}, ['a\ud800']])
def test_text_that_is_no_text_is_an_error(value: Any) -> None:
    """A file's name may hold bytes that are not UTF-8: Python has lone surrogates for those, JSON has nothing."""
    with pytest.raises((TypeError, ValueError)):
        encode(value)


@given(JSON)
def test_json_is_the_same_with_and_without_msgspec(value: Any) -> None:
    with_it = json.loads(encode(value))
    module = sys.modules.pop('msgspec')
    try:
        without = json.loads(encode(value))
    finally:
        sys.modules['msgspec'] = module
    assert with_it == without == value


@given(JSON)
def test_records_say_their_length(value: Any) -> None:
    record = encode_record(value)
    assert int.from_bytes(record[:4], 'big') == len(record) - 4
    assert json.loads(record[4:]) == {'data': value}


def test_the_last_record_may_be_an_error() -> None:
    record = encode_record(error=CommandFailed('x'))
    assert json.loads(record[4:])['err']['type'] == 'CommandFailed'
    assert RECORD_HEARTBEAT == bytes(4)
