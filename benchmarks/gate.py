"""The gate's decision: from the raw URI to the command that may run, or to the denial that names the missing line.

All of it runs before a body is read and before the command does: parsing of the URI, origin, accept, document and
token, every policy of the document, the grant. The header look-ups are the real ones of libsoup through PyGObject,
because they are part of the price. The clock is the process's own CPU time, so that neighbours do not count.
`tests/benchmarks/test_gate.py` runs the same cases under pytest-benchmark.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks import command, harness
from benchmarks.bars import Row, Values, absolute, middle
from benchmarks.harness import BenchError

ROUNDS = 9
LOOP = 20_000
ORIGIN = 'socket://org.example.bench'
ALLOWED = 'allowed'
# Every command of the policy's pattern stands in the policy by name, as it is served to the engine.
COMMANDS = 120


class Asker:
    """A request with libsoup's headers, as the host hands it on."""

    method = 'GET'

    def __init__(self, uri: str, headers: Mapping[str, str]) -> None:
        self.uri = uri
        self._headers = _soup(headers)

    def header(self, name: str) -> str | None:
        """As ``host.gtk.scheme.GtkRequest`` has it."""
        found: str | None = self._headers.get_one(name)  # type: ignore[attr-defined]
        return found

    def read_body(self, limit: int) -> bytes:
        """The gate must not come here."""
        raise AssertionError('the gate read a body')


def _soup(headers: Mapping[str, str]) -> object:
    try:
        import gi

        gi.require_version('Soup', '3.0')
        from gi.repository import Soup
    except (ImportError, ValueError) as error:
        raise BenchError(f'libsoup cannot be used from Python ({error}): pip install -e .[gtk]') from error
    made: object = Soup.MessageHeaders.new(Soup.MessageHeadersType.REQUEST)
    for name, value in headers.items():
        made.append(name, value)  # type: ignore[attr-defined]
    return made


def _nothing(x: int = 0) -> int:
    return x


def cases() -> dict[str, Callable[[], None]]:
    """What is timed, by name. Each decides once."""
    from socket_runtime.errors import RemoteError
    from socket_runtime.ipc.command import Command, Commands
    from socket_runtime.ipc.csp import expand, parse_policies
    from socket_runtime.ipc.document import Document
    from socket_runtime.ipc.gate import Gate
    from socket_runtime.ipc.grants import Grants
    from socket_runtime.ipc.uri import parse_call

    # What is denied is logged; writing the line to a file is not the gate's.
    audit = logging.getLogger('socket_runtime.audit')
    audit.addHandler(logging.NullHandler())
    audit.propagate = False
    commands = Commands()
    for number in range(COMMANDS):
        commands.add(Command(f'bench.c{number}', _nothing))
    commands.add(Command('bench.granted', _nothing, grant='fs.read'))
    commands.add(Command('other.denied', _nothing))
    commands.add(Command('bench.ungranted', _nothing, grant='window.manage'))
    gate = Gate(commands, Grants(), ORIGIN)
    names = [f'bench.c{number}' for number in range(COMMANDS)] + ['bench.granted', 'bench.ungranted']
    text = expand("default-src 'self'; connect-src 'self' ipc://bench.*", names)
    # The page's own <meta>, the [webview] header, and the floor.
    policies = (*parse_policies(text), *parse_policies('connect-src ipc://*'), *parse_policies("object-src 'none'"))
    document = Document(0, 1, ORIGIN + '/index.html', '0' * 32, policies)
    headers = {
        'Origin': ORIGIN,
        'Accept': '*/*',
        'Referer': ORIGIN + '/index.html',
        'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5',
        'Socket-Token': '0' * 32,
    }

    def decide(uri: str, changes: Mapping[str, str] | None = None, allowed: bool = True) -> Callable[[], None]:
        asker = Asker(uri, headers | dict(changes or {}))

        def run() -> None:
            try:
                gate.check(parse_call(asker.uri).command, asker, document)
            except RemoteError:
                if allowed:
                    raise
            else:
                if not allowed:
                    raise AssertionError(f'{uri} was allowed')

        return run

    def first() -> Callable[[], None]:
        asker = Asker('ipc://bench.c7?x=1', headers)

        def run() -> None:
            fresh = Document(0, 1, document.url, document.token, policies)
            gate.check(parse_call(asker.uri).command, asker, fresh)

        return run

    return {
        ALLOWED: decide('ipc://bench.c7?x=1&y=some%20words&seq=R12345'),
        'allowed, with a grant': decide('ipc://bench.granted?path=%2Fa%2Fb'),
        'allowed, first of a document': first(),
        'denied, origin': decide('ipc://bench.c7', {'Origin': 'https://example.org'}, False),
        'denied, token': decide('ipc://bench.c7', {'Socket-Token': '1' * 32}, False),
        'denied, policy': decide('ipc://other.denied', None, False),
        'denied, grant': decide('ipc://bench.ungranted', None, False),
        'denied, not a call': decide('ipc://bench.c7/x?x', None, False),
    }


def measure(rounds: int = ROUNDS) -> Values:
    """Rounds of all cases, interleaved."""

    def work(decide: Callable[[], None]) -> Callable[[], Mapping[str, float]]:
        def run() -> Mapping[str, float]:
            begin = time.process_time()
            for _ in range(LOOP):
                decide()
            return {'decision_us': (time.process_time() - begin) / LOOP * 1e6}

        return run

    return harness.interleave({name: work(decide) for name, decide in cases().items()}, rounds, warm_up=1)


def judge(values: Values) -> list[Row]:
    """The bar: it holds for every way through the gate, the slowest counts."""
    slowest = max(values, key=lambda name: statistics.median(values[name]['decision_us']), default='')
    return [
        absolute("gate's decision, allowed", middle(values, ALLOWED, 'decision_us'), 'us', at_most=10),
        absolute(f"gate's decision, slowest: {slowest}", middle(values, slowest, 'decision_us'), 'us', at_most=10),
    ]


if __name__ == '__main__':
    sys.exit(command.main(__doc__, ROUNDS, measure, judge))
