"""Single functions of the core, for pytest-benchmark and for a look at one of them while it is being changed.

pytest tests/benchmarks/test_core_functions.py --benchmark-enable
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from benchmarks.core.peers.lines import frame

Case = Callable[[], object]

BATCH = 64
# What the cache of the cases holds: not full, so that nothing is evicted.
HELD = 10_000
NOW = 1000.0


def of_packets() -> dict[str, Case]:
    """Frames, their fields and ids. A batch has 64."""
    from socket_core import _packet

    data = frame(1, 1)
    packet = _packet.parse(data)
    datagrams = [frame(1, index) for index in range(BATCH)]
    cluster, message = bytes(32), bytes(1024)
    return {
        'parse': lambda: _packet.parse(data),
        'parse, all fields': lambda: fields_of(_packet.parse(data)),
        'parse, id': lambda: _packet.parse(data).id,
        'packet_id': lambda: _packet.packet_id(data),
        'parse_many, 64': lambda: _packet.parse_many(datagrams),
        'sha256_many, 64': lambda: _packet.sha256_many(datagrams),
        'encode': lambda: _packet.encode(_packet.PUBLISH, cluster=cluster, message=message, clock=7),
        'with_hops': lambda: packet.with_hops(3),
    }


def fields_of(packet: object) -> list[object]:
    """All fields of a frame."""
    names = ('type', 'hops', 'clock', 'index', 'cluster', 'previous_id', 'next_id', 'to', 'message')
    return [getattr(packet, name) for name in names]


def of_addresses() -> dict[str, Case]:
    """Addresses."""
    from socket_core._address import Address

    one, other = Address('192.0.2.1', 80), Address('192.0.2.1', 81)
    wire = one.to_bytes()
    return {
        'Address': lambda: Address('192.0.2.1', 80),
        'Address.from_bytes': lambda: Address.from_bytes(wire),
        'Address, equal and hash': lambda: (one == other, hash(one)),
        'Address.host': lambda: other.host,
    }


def of_caches() -> dict[str, Case]:
    """A cache with 10,000 packets, whose summary is made anew or asked."""
    from socket_core._address import Address
    from socket_core._cache import Cache
    from socket_core._packet import parse

    source, cache = Address('192.0.2.1', 80), Cache(source_share=1.0, group_share=1.0)
    packets = [parse(frame(1, index)) for index in range(HELD)]
    cache.insert_many(packets, source=source, now=NOW)
    ids = itertools.cycle([packet.id for packet in packets])
    followers = itertools.cycle([packet.next_id for packet in packets])
    unknown, key = bytes(32), bytes(16)
    summary = cache.summary()
    return {
        'Cache, contains': lambda: next(ids) in cache,
        'Cache, does not contain': lambda: unknown in cache,
        'Cache.find': lambda: cache.find(next(ids)),
        'Cache.previous': lambda: cache.previous(next(followers)),
        'Cache.insert, known': lambda: cache.insert(packets[0], source=source, now=NOW),
        'Cache.fewest_hops': lambda: cache.fewest_hops(3),
        'Cache.stats': lambda: cache.stats,
        'Cache.summary': cache.summary,
        'Summary.fingerprint, all': lambda: summary.fingerprint(key),
        'Summary.split, 16': lambda: summary.split(16),
    }


def of_relays() -> dict[str, Case]:
    """A relay that is fed by hand, as a simulator does: a batch of 64 new frames, on to 3 of 16 peers."""
    from socket_core._address import Address
    from socket_core._cache import Cache
    from socket_core._relay import Limits, Relay, RelayPeer

    relay = Relay(Cache(source_share=1.0, group_share=1.0))
    most = (2**32 - 1, 2**32 - 1)
    relay.set_limits(Limits(stranger=most, peer=most, group=most, total=most))
    relay.set_peers([RelayPeer(Address('192.0.2.1', port)) for port in range(1, 17)])
    source, clock = Address('192.0.2.2', 1), itertools.count()

    def receive() -> object:
        number = next(clock)
        return relay.receive([(frame(number, index), source) for index in range(BATCH)], NOW)

    return {'Relay.receive, 64 new': receive}


def cases() -> dict[str, Case]:
    """All functions by name; each works on the same data whenever it is called, or on new data of the same kind."""
    return of_packets() | of_addresses() | of_caches() | of_relays()
