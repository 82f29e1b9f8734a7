"""Bytes and text from anywhere are an address in its one form, or an AddressError.

What is accepted is what the standard library's `ipaddress` accepts, and means the same; written again, it is read as
the same address, and as bytes it is what came in (F18).
"""

from __future__ import annotations

import ipaddress

from socket_core._address import ADDRESS_BYTES, Address, AddressError
from tests.fuzz.runner import main

TEXTS = (
    '192.0.2.1:9777',
    '[2001:db8::1]:9777',
    '[::ffff:192.0.2.1]:1',
    '[fe80::1%7]:65535',
    '[1:2:3:4:5:6:7::]:0',
    '[::]:0',
)
CORPUS = tuple(
    [b'\0' + text.encode() for text in TEXTS]
    + [b'\1' + Address.parse(text).to_bytes() for text in TEXTS]
    + [b'\1\6' + bytes(10) + b'\xff\xff\xc0\0\2\1' + b'\0\1']
)
DICTIONARY = (b'\1\4', b'\1\6', b'\xff\xff', b'::', b':', b'%', b']:', b'[', b'255', b'256', b'00', b'ffff', bytes(12))


def fuzz_one(data: bytes) -> None:
    if data[:1] == b'\1':
        wire(data[1:])
    else:
        written = data[1:].decode('utf-8', 'surrogateescape')
        text(written)
        host(written.rpartition(':')[0].strip('[]'))


def wire(data: bytes) -> None:
    try:
        address = Address.from_bytes(data)
    except AddressError:
        if len(data) == ADDRESS_BYTES and data[0] == 6:
            assert ipaddress.IPv6Address(data[1:17]).ipv4_mapped is not None
        return
    assert address.to_bytes() == data
    same_everywhere(address)


def text(written: str) -> None:
    try:
        address = Address.parse(written)
    except AddressError:
        return
    host, _, port = written.rpartition(':')
    theirs = ipaddress.ip_address(host.strip('[]').partition('%')[0])
    mapped = theirs.ipv4_mapped if isinstance(theirs, ipaddress.IPv6Address) else None
    assert ipaddress.ip_address(address.host.partition('%')[0]) == (mapped or theirs)
    assert address.port == int(port)
    same_everywhere(address)


def host(written: str) -> None:
    """As a host alone, the same is refused by both."""
    if '%' in written:
        return
    try:
        theirs = ipaddress.ip_address(written).packed
    except ValueError:
        theirs = None
    try:
        ours = Address(written, 1)
    except AddressError:
        assert theirs is None
    else:
        assert theirs is not None
        assert ours.family == 4 or ours.to_bytes()[1:17] == theirs


def same_everywhere(address: Address) -> None:
    again = Address.parse(str(address))
    assert (again, hash(again), str(again)) == (address, hash(address), str(address))
    assert Address(address.host, address.port) == address
    assert not address < again
    assert address.with_port(0).group() == address.group()


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
