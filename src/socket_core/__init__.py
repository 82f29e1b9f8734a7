"""The compiled core: bytes, sockets and memory, and nothing of apps or policy.

What lives here has to be fast or exact, and cannot be both in Python. Five nouns, each of which may be used alone:

* `Address`: who. One canonical form, so that a peer has one address whatever socket it was heard on.
* `Packet`: what. `parse` and `encode` one, `parse_many` a batch, whose ids are hashed side by side in the lanes
  of a vector.
* `Cache`: what is kept, for how long, and what goes first. A slab of memory with its indexes, exactly accounted.
* `Relay`: what is done. The whole way of a packet (check, limit, id, seen?, cache, choose, send on) as one call that
  neither receives nor sends, nor looks at a clock. A simulator calls it as the loop does.
* `Loop`, `UdpSocket`, `Timer`: where it happens. libuv on a thread of its own, which never takes the GIL; Python
  gets what concerns it by a ring and one descriptor to watch.

They have three marks:

* They decide nothing. Which peers, which limits, which clusters: that comes from above, as plain tables.
* They trust nothing. A datagram is checked once, in constant time; what is no packet is a `ProtocolError`, or a
  counter where nobody waits for an answer, and never anything else. All memory has a bound.
* They copy nothing twice. A `Packet` is a view of the datagram that it was made from; the relay sends on from the
  buffer that it received into.

A mistake of the caller (a number out of range, an id of the wrong length) is a `ValueError` or a `TypeError`; what the
system refuses is a `UdpError`, which is an `OSError`; a mistake of the other side is a `ProtocolError`. They are never
mixed.

Below the `.pyx` files is plain C, which knows nothing of Python and therefore cannot wait for it: `_sha256*` hashes,
`_store*` is the cache, `_relay_*` the way of a packet, `_engine*`, `_net*`, `_ring` and `_wake` the loop. Other
compiled modules may `cimport` ours: the `.pxd` files and headers are installed. docs/core.md tells the rest.

    >>> from socket_core import PUBLISH, encode, parse
    >>> datagram = encode(PUBLISH, cluster=bytes(32), message=b'hello', clock=7)
    >>> packet = parse(datagram)
    >>> packet.clock, packet.message
    (7, b'hello')
    >>> packet.data is datagram
    True
"""

from __future__ import annotations

from socket_core._address import (
    ADDRESS_BYTES,
    Address,
    AddressError,
)
from socket_core._cache import (
    CLUSTER,
    DEFAULT_BUDGET_BYTES,
    FOREIGN,
    KEPT,
    KNOWN,
    OWN,
    PREFIX_BYTES,
    REFUSED,
    Cache,
    Cached,
    CacheStats,
    Summary,
)
from socket_core._packet import (
    ANSWER,
    GROUP,
    HEADER_BYTES,
    ID_BYTES,
    INTRO,
    JOIN,
    MESSAGE_MAX_BYTES,
    NO_ID,
    PACKET_MAX_BYTES,
    PING,
    PONG,
    PUBLISH,
    QUERY,
    STREAM,
    SYNC,
    TYPE_NAMES,
    VERSION,
    Packet,
    ProtocolError,
    encode,
    force_sha256,
    packet_id,
    parse,
    parse_many,
    sha256_many,
    sha256_path,
    sha256_paths,
)
from socket_core._relay import (
    BLOCKED_MAX,
    CACHED,
    CHECKED,
    DEFAULT_ACTIONS,
    DO_CACHE,
    DO_DELIVER,
    DO_DELIVER_OWN,
    DO_FORWARD,
    FANOUT_MAX,
    FORWARDED,
    HASHED,
    IDS_MAX,
    NEAREST_MAX,
    PEER_IDS_MAX,
    PEERS_MAX,
    Delivery,
    Limits,
    Offender,
    Relay,
    RelayPeer,
    RelayStats,
    Send,
)
from socket_core._udp import (
    LIBUV_VERSION,
    Closed,
    ClosedError,
    Datagram,
    Dropped,
    Failed,
    Fired,
    Handle,
    Loop,
    LoopError,
    Timer,
    UdpError,
    UdpSocket,
    UdpStats,
    Writable,
    handles_alive,
)

__all__ = [
    'ADDRESS_BYTES',
    'ANSWER',
    'BLOCKED_MAX',
    'CACHED',
    'CHECKED',
    'CLUSTER',
    'DEFAULT_ACTIONS',
    'DEFAULT_BUDGET_BYTES',
    'DO_CACHE',
    'DO_DELIVER',
    'DO_DELIVER_OWN',
    'DO_FORWARD',
    'FANOUT_MAX',
    'FOREIGN',
    'FORWARDED',
    'GROUP',
    'HASHED',
    'HEADER_BYTES',
    'IDS_MAX',
    'ID_BYTES',
    'INTRO',
    'JOIN',
    'KEPT',
    'KNOWN',
    'LIBUV_VERSION',
    'MESSAGE_MAX_BYTES',
    'NEAREST_MAX',
    'NO_ID',
    'OWN',
    'PACKET_MAX_BYTES',
    'PEERS_MAX',
    'PEER_IDS_MAX',
    'PING',
    'PONG',
    'PREFIX_BYTES',
    'PUBLISH',
    'QUERY',
    'REFUSED',
    'STREAM',
    'SYNC',
    'TYPE_NAMES',
    'VERSION',
    'Address',
    'AddressError',
    'Cache',
    'CacheStats',
    'Cached',
    'Closed',
    'ClosedError',
    'Datagram',
    'Delivery',
    'Dropped',
    'Failed',
    'Fired',
    'Handle',
    'Limits',
    'Loop',
    'LoopError',
    'Offender',
    'Packet',
    'ProtocolError',
    'Relay',
    'RelayPeer',
    'RelayStats',
    'Send',
    'Summary',
    'Timer',
    'UdpError',
    'UdpSocket',
    'UdpStats',
    'Writable',
    'encode',
    'force_sha256',
    'handles_alive',
    'packet_id',
    'parse',
    'parse_many',
    'sha256_many',
    'sha256_path',
    'sha256_paths',
]
