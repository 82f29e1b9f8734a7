"""Parsing and ids, without a socket.

    python -m benchmarks.core.peers.packets struct|struct-hashlib|ours|ours-each|ours-unhashed [--path NAME]

The frames are distinct and more than the second cache of a processor holds, and come in batches of 64.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.core.peers.lines import Work, converse, frame
from benchmarks.core.peers.python_relay import packet_id, parse

BATCH = 64
FRAMES = [frame(1, index) for index in range(48 * BATCH)]
BATCHES = [FRAMES[at : at + BATCH] for at in range(0, len(FRAMES), BATCH)]


def by_struct(count: int, seconds: float) -> int:
    """The header's fields as a tuple."""
    done = 0
    while done < count:
        for batch in BATCHES:
            [parse(data) for data in batch]
        done += len(FRAMES)
    return done


def by_struct_and_hashlib(count: int, seconds: float) -> int:
    """The fields and the id."""
    done = 0
    while done < count:
        for batch in BATCHES:
            [(parse(data), packet_id(data)) for data in batch]
        done += len(FRAMES)
    return done


def ours(ids: bool, each: bool) -> Work:
    """A `Packet` for each datagram; with its id already worked out, or not."""
    from socket_core import _packet

    parse_many = _packet.parse_many

    def work(count: int, seconds: float) -> int:
        done = 0
        while done < count:
            for batch in BATCHES:
                packets = parse_many(batch, ids=ids)
                if each:
                    [packet.id for packet in packets]
            done += len(FRAMES)
        return done

    return work


def main(mode: str, *arguments: str) -> None:
    """Answer in one of the modes."""
    works: dict[str, Callable[[], Work]] = {
        'struct': lambda: by_struct,
        'struct-hashlib': lambda: by_struct_and_hashlib,
        'ours': lambda: ours(True, False),
        'ours-each': lambda: ours(True, True),
        'ours-unhashed': lambda: ours(False, False),
    }
    if arguments[:1] == ('--path',):
        from socket_core import _packet

        _packet.force_sha256(arguments[1])
    converse(0, works[mode]())


if __name__ == '__main__':
    main(*sys.argv[1:])
