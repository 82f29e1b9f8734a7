"""The compiled core: bytes, sockets and memory, and nothing of apps or policy.

What lives here has to be fast or exact, and cannot be both in Python. It has three marks:

* It decides nothing. Which peers, which limits, who may do what: that comes from above, as plain values.
* It trusts nothing. A datagram from the network is read by `parse`, which raises `ProtocolError` for
  everything that is not a frame, in constant time, and never anything else.
* It copies nothing twice. A `Packet` is a view of the datagram that it was made from; its fields are read
  when they are asked for.

A mistake of the caller (a number out of range, an id of the wrong length) is a `ValueError` or a
`TypeError`; a mistake of the other side is a `ProtocolError`. The two are never mixed.

Other compiled modules may `cimport socket_core._packet`: its `.pxd` and `_frame.h` are installed, and
`frame_check` needs neither the GIL nor a Python object.

    >>> from socket_core import PUBLISH, encode, parse
    >>> datagram = encode(PUBLISH, cluster=bytes(32), message=b'hello', clock=7)
    >>> packet = parse(datagram)
    >>> packet.clock, packet.message
    (7, b'hello')
    >>> packet.data is datagram
    True
"""

from __future__ import annotations

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
    parse,
)

__all__ = [
    'ANSWER',
    'GROUP',
    'HEADER_BYTES',
    'ID_BYTES',
    'INTRO',
    'JOIN',
    'MESSAGE_MAX_BYTES',
    'NO_ID',
    'PACKET_MAX_BYTES',
    'PING',
    'PONG',
    'PUBLISH',
    'QUERY',
    'STREAM',
    'SYNC',
    'TYPE_NAMES',
    'VERSION',
    'Packet',
    'ProtocolError',
    'encode',
    'parse',
]
