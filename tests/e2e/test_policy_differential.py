"""Our reading of policies against the engine's: the same page, the same requests, the same answer.

The engine's decision is whether ``fetch`` gets any reply at all. One run shows a few hundred pages, one for
each policy.
"""

from __future__ import annotations

import html
import random
from pathlib import Path

import pytest

from socket_runtime.ipc.csp import allows, expand, parse_policies
from tests.e2e.harness import Project
from tests.ipc.native_matrix import NATIVE_MATRIX, STRICTER

pytestmark = pytest.mark.display

#: Commands that the generated policies speak of; no two differ in case only.
COMMANDS = (
    'fs.readFile', 'fs.writeFile', 'net.connect', 'readFile.fs', 'x.fs.readFile', 'notes.list', 'fs', 'fs.promises.open',
    'A.b-c.d', 'notes.read_all',
)  # fmt: skip

SOURCES = (
    "'self'", "'none'", "'NONE'", '*', 'ipc:', 'IPC:', 'ipc://*', 'ipc://*.readFile', 'ipc://*.fs', 'ipc://*.*',
    'ipc://fs.*', 'IPC://FS.*', 'ipc://fs.promises.*', 'ipc://nothing.*', 'ipc://fs.readFile', 'ipc://FS.readfile',
    'ipc://fs.readFile/', 'ipc://fs.readFile/*', 'ipc://fs.readFile:80', 'ipc:fs.readFile', 'ipc://fs/readFile',
    'ipc://notes.read_all', 'ipc://notes.list', 'ipc://a.B-C.d', 'ipc://fs', 'ipc://', 'ipc:/', 'ipc:*', 'fs.readFile',
    'socket:', 'https:', 'data:', 'wss://example.com', "'unsafe-inline'", "'nonce-abc'", "'report-sample'",
    'https://example.com/a?b=1', 'ipc://fs.readFile?x', 'ipc://fs.readFile#x', 'ipc://fs%2EreadFile', 'ipc://fs.readFile.',
    'ipc://fs..readFile', 'ipc://x@fs.readFile', "'ipc://fs.readFile'", 'é', 'ipc://fs.readFilé', '"x"',
)  # fmt: skip
DIRECTIVES = ('connect-src',) * 4 + (
    'default-src',
    'Connect-Src',
    'img-src',
    'script-src',
    'connect_src',
    'DEFAULT-SRC',
)
SPACES = (' ', '  ', '\t', '\n')
SEPARATORS = (';', '; ', ' ;', ';;', ',', ', ')

#: Cells of the table that come out differently in a page of ours. A URI without a host passes ``ipc://*`` here
#: (WebKit: a lone ``*`` is not compared with the host); it is no call (A17), so that the gate answers 400.
DIFFERS = {('connect-src ipc://*', 'ipc:fs.readFile')}

#: ``(policy, command)`` on which the gate and the engine disagree, and why. None is known.
EXPLAINED: dict[tuple[str, str], str] = {}


def generated(count: int, seed: int) -> list[str]:
    """Policies of one or several directives, mostly meaningful."""
    random_ = random.Random(seed)
    policies = []
    for _ in range(count):
        parts = []
        for number in range(random_.choice((1, 1, 1, 2, 2, 3))):
            if number:
                parts.append(random_.choice(SEPARATORS))
            parts.append(random_.choice(DIRECTIVES))
            for source in random_.choices(SOURCES, k=random_.choice((0, 1, 1, 2, 2, 3, 5))):
                parts += [random_.choice(SPACES), source]
        policies.append(''.join(parts))
    return policies


def ask(folder: Path, policies: list[str | None], uris: list[list[str]], *, raw: bool, engine: bool) -> list[list[int]]:
    """What every policy makes of its URIs: the status of each reply, 0 where there is none."""
    project = Project(folder)
    for number, policy in enumerate(policies):
        meta = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">' if policy else ''
        project.file(
            f'{number}.html', f'<!doctype html><html><head><meta charset="utf-8">{meta}</head><body></body></html>'
        )
    (project.src / '0.html').rename(project.src / 'index.html')
    report = project.run(
        scenario='ask_under_policies', pages=len(policies), uris=uris, raw=raw, engine_csp=engine, limit=30
    )
    statuses: list[list[int]] = report.notes['statuses']
    return statuses


def test_the_table_of_measurements_still_holds(tmp_path: Path) -> None:
    policies = [policy for policy, _ in NATIVE_MATRIX]
    asked = ask(tmp_path, policies, [list(uris) for _, uris in NATIVE_MATRIX], raw=True, engine=True)
    for (policy, expected), statuses in zip(NATIVE_MATRIX, asked, strict=True):
        for uri, status in zip(expected, statuses, strict=True):
            assert bool(status) == expected[uri] or (policy, uri) in DIFFERS, (policy, uri)


def test_parsing_and_matching_are_the_engines(tmp_path: Path) -> None:
    """The text as it stands in the page, but for ``ipc://fs.*``, which no engine knows."""
    policies = [expand(policy, COMMANDS) for policy in generated(250, seed=2026)]
    asked = ask(tmp_path, [*policies], [[f'ipc://{c}' for c in COMMANDS]] * len(policies), raw=True, engine=True)
    different = []
    for policy, statuses in zip(policies, asked, strict=True):
        parsed = parse_policies(policy)
        for command, status in zip(COMMANDS, statuses, strict=True):
            ours = all(one.allows_call(command) for one in parsed)
            if ours != bool(status) and policy not in STRICTER and (policy, command) not in EXPLAINED:
                different.append((policy, command, ours))
    assert different == []


def test_as_served_the_gate_decides_as_the_engine_does(tmp_path: Path) -> None:
    """The whole way, twice: what the engine lets through, and what the gate lets through without it."""
    policies = generated(150, seed=7)
    commands = ['probe.act', 'probe.whoami', 'fs.readFile', 'fs.writeFile', 'window.list', 'notes.list', 'nothing']
    served = [policy.replace('notes', 'probe').replace('net.connect', 'probe.act') for policy in policies]
    uris = [[f'ipc://{c}' for c in commands]] * len(policies)
    by_engine = ask(tmp_path / 'a', [*served], uris, raw=False, engine=True)
    by_gate = ask(tmp_path / 'b', [*served], uris, raw=False, engine=False)
    different = []
    for policy, engines, gates in zip(served, by_engine, by_gate, strict=True):
        speaks_of_calls = any(one.call_sources() is not None for one in parse_policies(policy))
        for command, by_the_engine, by_the_gate in zip(commands, engines, gates, strict=True):
            # the one difference, on purpose: where no policy speaks of calls, the engine allows all (A1)
            expected = by_the_engine != 0 and speaks_of_calls
            if expected != (by_the_gate != 403) and command != 'fs.writeFile':  # that lacks its grant, too
                different.append((policy, command, by_the_engine, by_the_gate))
    assert different == []
    assert sum(status != 403 for row in by_gate for status in row) > 50, 'the policies allow next to nothing'


def test_one_policy_more_never_allows_more() -> None:
    for first in generated(200, seed=3):
        for second in generated(3, seed=len(first)):
            for command in COMMANDS:
                one, both = parse_policies(first), parse_policies(f'{first},{second}')
                restricts = any(policy.call_sources() is not None for policy in one)
                if restricts and allows(both, command):
                    assert allows(one, command), (first, second, command)
