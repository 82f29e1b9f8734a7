"""What the tests of the relay are made of: addresses, peers, packets, and a relay that has some."""

from __future__ import annotations

from typing import Any

from socket_core import ANSWER, INTRO, JOIN, PING, PONG, PUBLISH, QUERY, STREAM, SYNC, encode
from socket_core._address import Address
from socket_core._cache import Cache
from socket_core._relay import Limits, Relay, RelayPeer

KEY = bytes(16)
OURS, THEIRS, MEMBERS = b'o' * 32, b't' * 32, b'm' * 32
US, FRIEND = b'u' * 32, b'f' * 32
STRANGER = Address('203.0.113.1', 9)
CONTROL = [PING, PONG, INTRO, JOIN, STREAM, SYNC, QUERY, ANSWER]
U32_MAX = 2**32 - 1
OPEN = Limits(**dict.fromkeys(('stranger', 'peer', 'group', 'total'), (U32_MAX, U32_MAX)))


def address(number: int) -> Address:
    return Address(f'192.0.2.{number}', 4000 + number)


def peer(number: int, **values: Any) -> RelayPeer:
    return RelayPeer(address(number), **{'trusted': True, **values})


def packet(number: int = 0, *, kind: int = PUBLISH, cluster: bytes = THEIRS, **values: Any) -> bytes:
    return encode(kind, cluster=cluster, clock=number, **values)


def relay_with(peers: int = 8, **values: Any) -> Relay:
    """A relay of our cluster and identity, with a cache and so many plain peers, that limits nobody."""
    relay = Relay(**{'cache': Cache(key=KEY), 'key': KEY, **values})
    relay.set_limits(OPEN)
    relay.set_clusters([OURS])
    relay.set_identities([US])
    relay.set_peers([peer(number) for number in range(1, peers + 1)])
    return relay


def flags_of(relay: Relay, data: bytes) -> int | None:
    """The flags of what is handed on, or None where nothing is."""
    _, deliveries = relay.receive([(data, address(1))], 1.0)
    return deliveries[0].flags if deliveries else None
