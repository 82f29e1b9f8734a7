"""Anything from the network is a frame or a ProtocolError, and a frame is encoded as it came."""

from __future__ import annotations

from socket_core import HEADER_BYTES, NO_ID, PACKET_MAX_BYTES, PUBLISH, ProtocolError, encode, parse
from tests.fuzz.runner import main

CORPUS = (
    encode(PUBLISH, cluster=NO_ID),
    encode(PUBLISH, cluster=bytes(range(32)), clock=7, index=1, hops=2, message=b'hello' * 100),
    encode(PUBLISH, cluster=NO_ID, message=bytes(1024)),
)
DICTIONARY = (b'\x01\x01', b'\x0a\x01', b'\x0b\x01', b'\x01\x02', bytes(HEADER_BYTES), bytes(PACKET_MAX_BYTES))


def fuzz_one(data: bytes) -> None:
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


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
