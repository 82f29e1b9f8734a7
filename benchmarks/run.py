"""Everything with one command: fetch and build the peers, run all benchmarks, print one table of what must be reached.

python -m benchmarks.run [--quick] [--json FILE] [NAME...]
"""

from __future__ import annotations

import argparse
import sys
from types import ModuleType
from typing import Any

from benchmarks import bars, bulk, calls, events, gate, harness, imports, memory, startup
from benchmarks.bars import Row
from benchmarks.core import busy, cache, packet, receive, reconcile, relay, send, versions
from benchmarks.core import imports as core_imports
from benchmarks.peers import ALL, original, tauri
from benchmarks.peers.__main__ import main as make_peers

BENCHMARKS: dict[str, ModuleType] = {
    'calls': calls,
    'bulk': bulk,
    'events': events,
    'gate': gate,
    'memory': memory,
    'startup': startup,
    'imports': imports,
    'core.receive': receive,
    'core.send': send,
    'core.busy': busy,
    'core.relay': relay,
    'core.packet': packet,
    'core.cache': cache,
    'core.reconcile': reconcile,
    'core.imports': core_imports,
}
# Names that stand for several. Those of the core open no window and need none of the peers that do.
GROUPS = {'core': [name for name in BENCHMARKS if name.startswith('core.')]}


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, or all.

    Returns 1 where a bar is not met or not shown, 2 where a benchmark could not run at all.
    """
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.run', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('names', nargs='*', help=f'some of: {", ".join([*BENCHMARKS, *GROUPS])} (default: all)')
    parser.add_argument('--quick', action='store_true', help='two rounds of everything: a look, no measurement')
    parser.add_argument('--no-peers', action='store_true', help='do not fetch and build peers; use those that exist')
    parser.add_argument('--json', metavar='FILE', help='also write all values and the bars as JSON')
    options = parser.parse_args(arguments)
    names = [name for asked in options.names or BENCHMARKS for name in GROUPS.get(asked, [asked])]
    for name in names:
        if name not in BENCHMARKS:
            parser.error(f'there is no benchmark {name!r}')
    record: dict[str, Any] = {'machine': harness.machine()}
    if set(names) - set(GROUPS['core']):
        if not options.no_peers:
            make_peers(list(ALL))
        record['machine'] |= {'original': original.VERSION, 'tauri': tauri.version()}
    if set(names) & set(GROUPS['core']):
        record['machine'] |= versions()
    rows: list[Row] = []
    broken = False
    for name in names:
        benchmark = BENCHMARKS[name]
        print(f'\n## {name}\n', flush=True)
        try:
            values = benchmark.measure(2 if options.quick else benchmark.ROUNDS)
        except harness.BenchError as error:
            print(f'{name}: {error}', file=sys.stderr)
            values, broken = {}, True
        found = benchmark.judge(values)
        rows += found
        record[name] = bars.as_json(values, found)
        print(bars.show_values(values), flush=True)
    print('\n## All bars\n')
    print(bars.show(rows))
    print('\n' + '\n'.join(f'{key}: {value}' for key, value in record['machine'].items()))
    if options.json:
        harness.save(options.json, record)
    if broken:
        return 2
    return 0 if all(row.verdict == 'met' for row in rows) else 1


if __name__ == '__main__':
    sys.exit(main())
