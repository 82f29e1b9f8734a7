"""Policies: only ``ConfigError``, and every rewriting keeps what a policy allows.

Invariant: parsing, ``expand`` and ``add_source`` raise nothing but ``ConfigError`` and are idempotent; the
decisions agree with ``reference`` below, which is written straight from the standard without any thought of
speed; they are the same before and after expansion and for the header form, and adding a source changes the
decision about that one call only.
"""

from __future__ import annotations

import re

from socket_runtime.errors import ConfigError
from socket_runtime.ipc.csp import CONSOLE, add_source, allows, expand, parse_policies
from tests.fuzz.runner import main
from tests.strategies import COMMANDS, DIRECTIVES, SOURCES

CORPUS = [
    b"default-src 'self' socket: data:; connect-src 'self' ipc://fs.* ipc://os.uptime",
    b"connect-src ipc://*.list IPC://FS.readfile, script-src 'self'",
    b"default-src 'none';connect-src 'none' ipc:",
    b'connect-src ipc://nothing.* ;; connect-src ipc://*',
    'connect-src ipc://fs.*\n é; default-src ipc://fs.promises.*\x0c'.encode(),
]
DICTIONARY = [word.encode() for word in (*SOURCES, *DIRECTIVES, ';', ',', ' ', '\t', '\n', '\x0b', '.*', 'ipc://')]

OTHER_CALLS = ('fs', 'fs.read_file', 'list', 'x.fs.readFile', 'nothing.x')


def fuzz_one(data: bytes) -> None:
    """One header's value."""
    text = data.decode('utf-8', 'replace')
    try:
        policies = parse_policies(text)
        expanded = expand(text, COMMANDS)
        after = parse_policies(expanded)
        added = add_source(expanded, CONSOLE)
        final = parse_policies(added)
    except ConfigError:
        return
    assert expand(expanded, COMMANDS) == expanded
    assert add_source(added, CONSOLE) == added
    header = parse_policies(', '.join(policy.header() for policy in after))
    for command in COMMANDS:
        allowed = allows(policies, command)
        assert allowed == reference(text, command)
        assert allowed == allows(after, command) == allows(header, command)
        assert allowed == allows(final, command) or command == 'console.write'
    for command in OTHER_CALLS:
        allowed = allows(after, command)
        assert allowed == reference(expanded, command) == allows(header, command) == allows(final, command)
        assert allows(policies, command) or not allowed


def reference(text: str, command: str) -> bool:
    """CSP3 sections 2.2.2, 2.2.1, 6.1.2 and 6.7.2, for one ``ipc`` URL with neither path nor port."""
    restricted = False
    for serialized in text.split(','):
        directives: dict[str, list[str]] = {}
        for token in serialized.split(';'):
            words = [word for word in re.split('[\t\n\f\r ]', token) if word]
            if words and token.isascii() and words[0].lower() not in directives:
                directives[words[0].lower()] = words[1:]
        sources = directives.get('connect-src', directives.get('default-src'))
        if sources is None:
            continue
        restricted = True
        if not any(_matches(source.lower(), command.lower()) for source in sources):
            return False
    return restricted


def _matches(source: str, command: str) -> bool:
    if source == 'ipc:':
        return True
    match = re.fullmatch(r'ipc://(\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.\*)', source)
    if match is None:
        return False
    host = match[1]
    if host == '*':
        return True
    if host.startswith('*.'):
        return command.endswith(host[1:])
    if host.endswith('.*'):  # ours
        return command.startswith(host[:-1]) and '_' not in command
    return command == host


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
