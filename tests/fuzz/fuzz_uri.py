"""URIs: only the stated errors, and an accepted URI means one thing to every reader.

Invariant: ``parse_call``, ``parse_asset`` and ``parse_module`` raise nothing but ``BadRequest`` and
``NotFound``. An accepted call, written anew from its parts, parses to the same; its command stands in the
text as it is. An accepted asset's path, joined to a folder by POSIX or by Windows, stays below it.
"""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import quote, unquote

from socket_runtime.errors import BadRequest, NotFound
from socket_runtime.ipc.uri import module_from_asset, parse_asset, parse_call, parse_module
from tests.fuzz.runner import main
from tests.strategies import URI_PARTS

CORPUS = [
    b'ipc://fs.readFile?path=%2Fa%20b&seq=12&index=0',
    b'ipc://os.uptime',
    b'ipc://fs.readfile/?encoding=utf8',
    b'ipc://notes.list?x=%e2%82%ac+1',
    b'socket://com.example.app/a/b%20c/index.html?x=1#top',
    b'socket://com.example.app/',
    b'socket:fs/promises',
    b'socket://fs/promises',
    b'socket://com.example.app/%2e%2e/..%5cSOCKET~1.INI/con.txt/a.',
]
DICTIONARY = [part.encode('utf-8', 'surrogatepass') for part in URI_PARTS]


def fuzz_one(data: bytes) -> None:
    """One URI, as Latin-1, so that each byte becomes a character."""
    uri = data.decode('latin-1')
    _call(uri)
    _asset(uri)
    try:
        name = parse_module(uri)
    except (BadRequest, NotFound):
        return
    assert uri == 'socket:' + name
    assert '..' not in name


def _call(uri: str) -> None:
    try:
        call = parse_call(uri)
    except BadRequest:
        return
    assert uri.lower().startswith('ipc://' + call.command)
    query = dict(call.query, seq=call.seq) if call.seq else call.query
    anew = 'ipc://' + call.command
    if query:
        anew += '?' + '&'.join(f'{name}={quote(value, safe="")}' for name, value in query.items())
    assert parse_call(anew) == call
    # a plain reader, which splits and decodes without a thought, sees the same arguments
    pairs = [pair.split('=', 1) for pair in uri.partition('?')[2].split('&') if pair]
    assert {name: unquote(value) for name, value in pairs if name not in ('seq', 'index')} == call.query


def _asset(uri: str) -> None:
    try:
        asset = parse_asset(uri)
    except (BadRequest, NotFound):
        return
    for flavour in (PurePosixPath, PureWindowsPath):
        joined = flavour('root').joinpath(*asset.segments)
        assert joined.parts == ('root', *asset.segments)
        assert not joined.drive
        assert not joined.is_absolute()
    assert not any(PureWindowsPath(segment).is_reserved() for segment in asset.segments)
    assert not any(set(segment) & set('/\\:\0') or segment in ('.', '..') for segment in asset.segments)
    anew = f'socket://{asset.host}' + ''.join('/' + quote(segment, safe='') for segment in asset.segments)
    if asset.directory:
        anew += '/'
    if asset.query:
        anew += '?' + asset.query
    assert parse_asset(anew) == asset
    try:
        module_from_asset(asset)
    except NotFound:
        pass


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
