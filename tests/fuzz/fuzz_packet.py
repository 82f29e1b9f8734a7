"""Anything from the network is a frame or a ProtocolError, and a frame is encoded as it came.

Cut into datagrams at `CUT`, it is the same one by one and all together, and the digests are those of `hashlib` in every
way that this processor has to hash.
"""

from __future__ import annotations

from hashlib import sha256

from socket_core import HEADER_BYTES, NO_ID, PACKET_MAX_BYTES, PUBLISH, ProtocolError, encode, parse
from socket_core._packet import Packet, force_sha256, packet_id, parse_many, sha256_many, sha256_paths
from tests.fuzz.runner import main

CUT = b'\xc7\xee'

CORPUS = (
    encode(PUBLISH, cluster=NO_ID),
    encode(PUBLISH, cluster=bytes(range(32)), clock=7, index=1, hops=2, message=b'hello' * 100),
    encode(PUBLISH, cluster=NO_ID, message=bytes(1024)),
    CUT.join(encode(PUBLISH, cluster=NO_ID, clock=clock, hops=clock) for clock in range(5)),
)
DICTIONARY = (CUT, b'\x01\x01', b'\x0a\x01', b'\x0b\x01', b'\x01\x02', bytes(HEADER_BYTES), bytes(PACKET_MAX_BYTES))


def fuzz_one(data: bytes) -> None:
    datagrams = data.split(CUT)
    packets = parse_many(datagrams)
    assert len(packets) == len(datagrams)
    for datagram, packet in zip(datagrams, packets, strict=True):
        one(datagram, packet)
    digests = [sha256(datagram).digest() for datagram in datagrams]
    for path in (*sha256_paths(), None):
        force_sha256(path)
        assert sha256_many(datagrams) == digests, path


def one(data: bytes, found: Packet | ProtocolError) -> None:
    """``found`` is what stands for ``data`` among many."""
    try:
        packet = parse(data)
    except ProtocolError as error:
        assert error.reason in ('short', 'long', 'version', 'type')
        assert isinstance(found, ProtocolError)
        assert found.reason == error.reason
        return
    assert found == packet
    identity = sha256(data[:2] + bytes(4) + data[6:]).digest()
    assert found.id == packet.id == packet_id(bytearray(data)) == identity
    assert packet.with_hops(packet.hops ^ 1).id == identity
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
