"""What engines do with each form of a source expression: measured, not read.

WebKitGTK 2.50.6, a page at ``socket://app``, the policy once as a header and once as ``<meta>`` (always
with one result), ``fetch`` of each URI; allowed means that the scheme's handler was called. Chromium 140
(Qt WebEngine) agrees but where ``CHROMIUM_DIFFERS`` says so.
"""

from __future__ import annotations

#: ``(policy, {uri: allowed})``; ``None`` stands for a page without a policy.
NATIVE_MATRIX: tuple[tuple[str | None, dict[str, bool]], ...]

#: Here the gate is stricter than WebKit, on purpose: a port never matches.
STRICTER = frozenset({'connect-src ipc://fs.readFile:*', 'connect-src ipc://*:*'})

#: ``(policy, uri)`` that Chromium allows and WebKit does not.
CHROMIUM_DIFFERS = frozenset({('connect-src ipc://fs.readFile', 'ipc://fs.readFile:80/')})

_FIRST = (
    'ipc://fs.readFile?p=1',
    'ipc://fs.writeFile',
    'ipc://net.connect',
    'ipc://fs/readFile?p=1',
    'ipc://fs/writeFile',
    'ipc://fs/readFile/x',
    'ipc://readFile.fs',
    'ipc:fs.readFile',
    'ipc://FS.READFILE',
    'ipc://fs.readFile:80/',
)
_FIRST_ROWS = """
A A A A A A A A A A |
A A A A A A A A A A | connect-src ipc:
. . . . . . . . . . | connect-src 'none'
. . . . . . . . . . | default-src 'none'
. . . . . . . . . . | connect-src *
. . . . . . . . . . | connect-src 'self'
. . . . . . . . . . | connect-src socket:
A A A A A A A . A . | connect-src ipc://*
A . . . . . . . A . | connect-src ipc://fs.readFile
A . . . . . . . A . | connect-src ipc://FS.readfile
. . . . . . . . . . | connect-src ipc://fs.*
. . . . . . . . . . | connect-src ipc:fs.readFile
. . . . . . . . . . | connect-src ipc://fs.readFile/*
. . . . . . . . . . | connect-src fs.readFile
. . . . . . A . . . | connect-src ipc://*.fs
. . . A A A . . . . | connect-src ipc://fs
. . . A A A . . . . | connect-src ipc://fs/
. . . A . . . . . . | connect-src ipc://fs/readFile
"""

_SECOND = (
    'ipc://fs.readFile?p=1',
    'ipc://fs.writeFile',
    'ipc://readFile.fs',
    'ipc://FS.READFILE',
    'ipc://fs',
    'ipc://fs.read_file',
    'ipc://x.fs.readFile',
    'ipc://fs.readFile/x',
)
_SECOND_ROWS = """
A . . A . . . A | connect-src ipc://fs.readFile:*
. . . . . . . . | connect-src ipc://fs.readFile:80
. . . . . . . A | connect-src ipc://fs.readFile/
A . . A . . . A | connect-src IPC://FS.readfile
A A A A A A A A | connect-src IPC:
. . . . . . . . | connect-src ipc://fs.read_file
. . . . . . . A | connect-src ipc://*/
A A A A A A A A | connect-src ipc://*:*
. . . . . . . . | connect-src ipc://*.*
. . . . . . . . | connect-src ipc://*:80
. . . . . . . . | connect-src ipc://fs.read*
. . . . . . . . | connect-src ipc://*fs.readFile
A . . A . . A A | connect-src ipc://*.readFile
. . . . . . A . | connect-src ipc://*.fs.readFile
. . . . . . . A | connect-src ipc://*.readfile/
. . . . . . . . | connect-src ipc://fs.readFile?x
. . . . . . . . | connect-src ipc://fs.readFile#x
. . . . . . . A | connect-src ipc://fs.readFile/?x
. . . . . . . . | connect-src ipc://fs%2EreadFile
. . . . . . . . | connect-src ipc://fs.readFile.
. . . . . . . . | connect-src ipc://.fs.readFile
. . . . . . . . | connect-src ipc://fs..readFile
. . . . . . . . | connect-src ipc://user@fs.readFile
. . . . . . . . | connect-src ipc://fs.readFile:
. . . . . . . . | connect-src ipc:/
. . . . . . . . | connect-src ipc://
. . . . . . . . | connect-src ipc:*
. . . . . . . . | connect-src i*:
. . . . . . . . | connect-src 'ipc://fs.readFile'
. . . . . . . . | connect-src *.readFile
. . . . . . . . | connect-src //fs.readFile
. . . . . . . . | connect-src http://fs.readFile
A A A A A A A A | connect-src 'none' ipc:
A A A A A A A A | connect-src ipc: 'none'
. . . . . . . . | connect-src 'NONE'
. . . . . . . . | connect-src 'none' 'none'
. . . . . . . . | connect-src 'none' 'self'
. . . . . . . . | connect-src
. . . . . . . . | connect-src; connect-src ipc:
. . . . . . . . | connect-src 'none'; connect-src ipc:
A A A A A A A A | connect-src ipc:;connect-src 'none'
A A A A A A A A | CONNECT-SRC ipc:
A A A A A A A A | connect-src\tipc:
A A A A A A A A | connect-src * ipc:
A A A A A A A A | connect-src 'unsafe-inline' ipc:
A . . A . . . A | connect-src 'self' ipc://fs.readFile
A . . A . . . A | connect-src ipc://1fs ipc://fs.readFile
A . . A . . . A | default-src 'none' 'unsafe-inline'; connect-src ipc://fs.readFile
A . . A . . . A | default-src 'unsafe-inline' 'none' ipc://fs.readFile
A . . A . . . A | connect-src ipc://fs.readFile, img-src *
. . . . . . . . | connect-src ipc://fs.readFile, connect-src ipc://fs.writeFile
. . . . . . . . | connect-src 'none', connect-src ipc:
A A A A A A A A | connect-src ipc:, connect-src ipc:
A . . A . . . A | connect-src ipc://fs.readFile,ipc:
A A A A A A A A | script-src 'unsafe-inline'
A A A A A A A A | connect_src ipc:
A A A A A A A A | connect-src\xa0ipc:
A A A A A A A A | connect-src ipc://fs.readFile é
"""


def _rows(uris: tuple[str, ...], table: str) -> list[tuple[str | None, dict[str, bool]]]:
    rows: list[tuple[str | None, dict[str, bool]]] = []
    for line in table.strip().splitlines():
        cells, _, policy = line.partition('|')
        policy = policy.strip(' ').replace('\\t', '\t')
        rows.append((policy or None, dict(zip(uris, (cell == 'A' for cell in cells.split()), strict=True))))
    return rows


NATIVE_MATRIX = (*_rows(_FIRST, _FIRST_ROWS), *_rows(_SECOND, _SECOND_ROWS))
