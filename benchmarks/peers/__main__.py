"""Fetch and build the peers."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.harness import BenchError
from benchmarks.peers import ALL


def main(arguments: list[str] | None = None) -> int:
    """Fetch and build the named peers, or all; 1 where one could not be made."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.peers', description=__doc__)
    parser.add_argument('names', nargs='*', help=f'some of: {", ".join(ALL)} (default: all)')
    names = parser.parse_args(arguments).names or list(ALL)
    failed = 0
    for name in names:
        if name not in ALL:
            parser.error(f'there is no peer {name!r}')
        begin = time.monotonic()
        try:
            ALL[name].fetch()
            ALL[name].build()
        except BenchError as error:
            failed += 1
            print(f'{name}: {error}', file=sys.stderr)
        else:
            print(f'{name}: ready ({time.monotonic() - begin:.0f} s)')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
