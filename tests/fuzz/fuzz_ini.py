"""``socket.ini``: only ``ConfigError``, and it always says where.

Invariant: parsing, validating and resolving raise nothing but ``ConfigError``; a line that is named exists;
what was read is read the same from text and from bytes, and every value can be written in quotes and read
back; the origin of an accepted file has a host that is a lower-case name, and no path leaves the project.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from socket_runtime.app.config.config import _check_grants, _resolve
from socket_runtime.app.config.ini import parse
from socket_runtime.app.config.schema import ACCEPTED, KEYS
from socket_runtime.app.config.validate import validate
from socket_runtime.errors import ConfigError
from tests.fuzz.runner import main

LEAST = b'[meta]\nbundle_identifier = com.Example.app\n[build]\nname = app\n'
CORPUS = [
    LEAST,
    LEAST + b'copy = pages\noutput = out\nenv = A, B\n[.watch]\nsources[] = lib ; why\n[env]\nX = "1 # 2"\n',
    LEAST + b'[webview]\nheaders[] = "Content-Security-Policy: default-src \'self\'; img-src *"\nroot = /a/\n',
    LEAST + b'[window]\nwidth = 50%\nbackgroundColorDark = rgba(1, 2, 3, 1)\nbackground_color_light = #fff # w\n',
    LEAST + b'[grants]\nfs.read[] = $DATA/**\nwindow.manage = true\nprocess.spawn[] = git\nshell.open = true\n',
    LEAST + b'[permissions]\nallow_camera = false\n[webview.navigator.policies]\nallowed[] = https://*\n',
    b"\xef\xbb\xbf[meta]\r\nbundle_identifier=a.b\r\n[build]\r\nname='x'\r\nscript = \"a 'b' c\"\r\n",
]
DICTIONARY = [
    *(f'{key.name} = {key.default}\n'.encode() for key in KEYS),
    *(f'[{section}]\n'.encode() for section in sorted({key.section for key in KEYS})),
    *(name.encode() for name in sorted(ACCEPTED)[:10]),
    *(
        b'[grants]\n',
        b'[env]\n',
        b'[.',
        b'[]',
        b' = ',
        b'"',
        b"'",
        b' ; ',
        b' # ',
        b'\n',
        b'\r\n',
        b'\xef\xbb\xbf',
        b'\xff',
    ),
    *(
        b'$RESOURCES/',
        b'$DATA',
        b'**',
        b'..',
        b'/',
        b'\\',
        b'%',
        b'#fff',
        b'true',
        b'\xe2\x80\xa8',
        b'\0',
        b'xn--',
        b'.',
    ),
]

PROJECT = Path('/project')
_HOST = re.compile(r'[a-z0-9-]+(?:\.[a-z0-9-]+)+')


def fuzz_one(data: bytes) -> None:
    """See the module."""
    try:
        tokens = parse(data)
    except ConfigError as error:
        assert 0 <= error.line <= data.count(b'\n') + 1
        return
    assert parse(data.decode('utf-8')) == tokens
    for token in tokens:
        assert 1 <= token.line <= data.count(b'\n') + 1
        quote = "'" if '"' in token.value else '"'
        if quote not in token.value:
            (again,) = parse(f'{token.key} = {quote}{token.value}{quote}')
            assert again.value == token.value
    try:
        values = validate(tokens)
        config = _resolve(values, PROJECT, file=None, debug=True)
        _check_grants(config)
    except ConfigError as error:
        assert error.message
        assert 0 <= error.line <= data.count(b'\n') + 1
        return
    assert _HOST.fullmatch(config.origin.removeprefix('socket://'))
    folders = (config.build.copy, config.build.output, config.resources, *config.build.watch, *config.python.include)
    for path in folders:
        assert PROJECT in (path, *path.parents)
        assert '..' not in PurePosixPath(path).parts
    assert not {name.lower() for name, _ in config.webview.headers} & {'content-security-policy', 'content-type'}


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
