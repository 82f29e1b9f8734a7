"""Pages: any bytes are served, and nothing but the policies' values is touched.

Invariant: ``serve_page`` raises nothing but ``ConfigError`` and ``PageError``, ``lint_page`` nothing at all.
Serving what was served changes nothing more; the header is one printable line and allows what the gate
allows, plus the console; a page that nowhere says ``http-equiv`` is served as it is, with no policy.
"""

from __future__ import annotations

import re

from socket_runtime.errors import ConfigError, PageError
from socket_runtime.ipc.csp import DEFAULT, allows, parse_policies
from socket_runtime.ipc.page import lint_page, serve_page
from tests.fuzz.runner import main
from tests.strategies import COMMANDS, PAGE_PARTS, SOURCES

_META = '<meta http-equiv="Content-Security-Policy" content="{}">'
CORPUS = [
    b'<!doctype html><html><head><meta charset=utf-8>'
    + _META.format("default-src 'self'; connect-src ipc://fs.*").encode(),
    _META.format('connect-src ipc://os.*, sandbox').encode() + b'<script type=module>import "socket:fs"</script><body>',
    b"<title>x</title><meta content='connect-src &apos;self&#39; ipc://*' http-equiv=content-security-policy/>",
    b'<script><!-- <script> </script> ' + _META.format('connect-src ipc:').encode() + b'--></script>',
    b'<template><svg></template><noscript>' + _META.format('img-src x').encode() + b'</noscript></head> <p>',
]
DICTIONARY = [
    word.encode() for word in (*PAGE_PARTS, *SOURCES, _META, 'connect-src ', 'default-src ', 'http-equiv', 'content=')
]


def fuzz_one(data: bytes) -> None:
    """One page."""
    for finding in lint_page(data, commands=COMMANDS, modules_used=['fs'], configured=["script-src 'self'"]):
        assert finding.message
        assert 0 <= finding.line <= data.count(b'\n') + 1
    try:
        served = serve_page(data, commands=COMMANDS, floor='')
    except (ConfigError, PageError):
        return
    again = serve_page(served.body, commands=COMMANDS, floor='')
    assert again.body == served.body
    assert again.header == served.header
    assert re.fullmatch('[ -~]*', served.header)  # empty where no name of a directive could stand in a header
    if not served.policies:
        assert served.header == DEFAULT
        return
    assert b'http-equiv' in data.lower()
    header = parse_policies(served.header)
    for command in COMMANDS:
        assert allows(served.policies, command) == allows(header, command) or command == 'console.write'


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
