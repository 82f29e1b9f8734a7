"""Anything from the network is a frame or a ProtocolError, and a frame is encoded as it came."""

from __future__ import annotations

from socket_core import NO_ID, PUBLISH, ProtocolError, encode, parse

SEEDS = (
    encode(PUBLISH, cluster=NO_ID),
    encode(PUBLISH, cluster=bytes(range(32)), clock=7, index=1, hops=2, message=b'hello' * 100),
    encode(PUBLISH, cluster=NO_ID, message=bytes(1024)),
)


def one_input(data: bytes) -> None:
    try:
        packet = parse(data)
    except ProtocolError as error:
        assert error.reason in ('short', 'long', 'version', 'type')
        return
    again = encode(
        packet.type,
        cluster=packet.cluster,
        message=packet.message,
        hops=packet.hops,
        clock=packet.clock,
        index=packet.index,
        previous_id=packet.previous_id,
        next_id=packet.next_id,
        to=packet.to,
    )
    assert again == data == packet.data
