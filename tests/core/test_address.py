"""Addresses: one canonical form, held against the standard library's `ipaddress`; and everything that is none."""

from __future__ import annotations

import copy
import gc
import ipaddress
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import socket_core
from socket_core._address import ADDRESS_BYTES, Address, AddressError
from tests import strategies


def canonical(ip: Any) -> Any:
    """As `ipaddress` has it, an IPv4-mapped address being IPv4."""
    return getattr(ip, 'ipv4_mapped', None) or ip


def by_ipaddress(host: str) -> Any:
    try:
        return canonical(ipaddress.ip_address(host))
    except ValueError:
        return None


addresses = st.builds(lambda ip, port: Address(str(ip), port), strategies.ip_addresses(), strategies.ports())


@given(strategies.ip_addresses(), strategies.ports())
def test_every_spelling_is_one_address(ip: Any, port: int) -> None:
    spellings = [
        Address(text, port) for text in (ip.compressed, ip.exploded, ip.compressed.upper(), str(canonical(ip)))
    ]
    assert len(set(spellings)) == 1
    address = spellings[0]
    assert address.host == canonical(ip).compressed
    assert (address.family, address.port, address.scope) == (canonical(ip).version, port, 0)


@given(strategies.odd_hosts())
def test_any_text_is_an_address_to_us_when_it_is_to_the_standard_library(host: str) -> None:
    expected = None if '%' in host else by_ipaddress(host)
    try:
        found = Address(host, 1)
    except AddressError:
        assert expected is None or '%' in host
    else:
        assert '%' in host or found.host == expected.compressed


@pytest.mark.parametrize(
    'host',
    [
        '', ' ', 'localhost', 'example.com', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.0x4', '1.2.3.-4',
        ' 1.2.3.4', '1.2.3.4 ', '1.2.3.4\n', '1.2.3.4\0', '1.2..4', '.1.2.3.4', '1.2.3.4.', '16909060', '0', '1.2.3.4/8',
        '[::1]', ':', ':::', '::1::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', '12345::',
        '::g', '1:', ':1', '::1.2.3', '::1.2.3.4:5', '1.2.3.4::', '::01.2.3.4', '1:2:3:4:5:6:7:1.2.3.4', '::1%', '::1%1',
        '1.2.3.4%1', '2001:db8::1%1', 'fe80::1%', 'fe80::1%0', 'fe80::1%01', 'fe80::1%-1', 'fe80::1%4294967296',
        'fe80::1%99999999999', 'fe80::1%no such interface', 'fe80::1%lo\0', 'fe80::1%1%1', 'fe80::1%' + 'x' * 10_000,
        '１.2.3.4', '１', '\udc80', 'é', '1' * 100_000, ':' * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_address(host: str) -> None:
    with pytest.raises(AddressError) as caught:
        Address(host, 1)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ('arguments', 'error'),
    [
        (('1.2.3.4', -1), AddressError), (('1.2.3.4', 65536), AddressError), (('1.2.3.4', 2**70), AddressError),
        (('1.2.3.4', '1'), TypeError), (('1.2.3.4', 1.0), TypeError), ((b'1.2.3.4', 1), TypeError), ((None, 1), TypeError),
        (('fe80::1', 1, -1), AddressError), (('fe80::1', 1, 2**32), AddressError), (('fe80::1', 1, '1'), TypeError),
        (('fe80::1%1', 1, 1), AddressError), (('2001:db8::1', 1, 1), AddressError), (('1.2.3.4', 1, 1), AddressError),
        (('::ffff:1.2.3.4', 1, 1), AddressError), (('1.2.3.4',), TypeError), ((), TypeError),
    ],
)  # fmt: skip
def test_values_of_another_kind(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        Address(*arguments)


def test_the_interface_by_number_and_by_name() -> None:
    by_number = Address('fe80::1%7', 5)
    assert by_number == Address('fe80::1', 5, scope=7) != Address('fe80::1', 5)
    assert (by_number.host, by_number.scope, str(by_number)) == ('fe80::1%7', 7, '[fe80::1%7]:5')
    number, name = socket.if_nameindex()[0]
    assert Address(f'fe80::1%{name}', 5).scope == number
    assert Address('ff02::1%7', 5).scope == Address('ff01::1%7', 5).scope == 7


@given(addresses)
def test_text_and_back(address: Address) -> None:
    assert Address.parse(str(address)) == address
    host, port = address
    assert Address(host, port) == address
    assert eval(repr(address), {'Address': Address}) == address


def test_text() -> None:
    assert str(Address('192.0.2.1', 9777)) == '192.0.2.1:9777'
    assert str(Address('2001:DB8:0:0:1:0:0:1', 9777)) == '[2001:db8::1:0:0:1]:9777'
    assert repr(Address('::', 0)) == "Address('::', 0)"


@pytest.mark.parametrize(
    'text',
    [
        '', ':', '1.2.3.4', '1.2.3.4:', '1.2.3.4:65536', '1.2.3.4:01', '1.2.3.4:+1', '1.2.3.4: 1', '1.2.3.4:１', '::1:80',
        '[::1]', '[::1]80', '[::1]:', '[1.2.3.4]:80', '[::1:80', '::1]:80', '[[::1]]:80', 'localhost:80', '1.2.3.4:1' + '0' * 5000,
    ],
)  # fmt: skip
def test_what_is_no_address_with_a_port(text: str) -> None:
    with pytest.raises(AddressError):
        Address.parse(text)


def test_only_text_is_parsed() -> None:
    with pytest.raises(TypeError, match='str'):
        Address.parse(b'1.2.3.4:1')  # type: ignore[arg-type]


@given(addresses)
def test_bytes_and_back(address: Address) -> None:
    data = address.to_bytes()
    assert len(data) == ADDRESS_BYTES == 19
    ip = ipaddress.ip_address(address.host)
    assert data == bytes((ip.version,)) + ip.packed.ljust(16, b'\0') + address.port.to_bytes(2, 'big')
    assert Address.from_bytes(data) == Address.from_bytes(memoryview(bytearray(data))) == address


def test_the_scope_is_not_on_the_wire() -> None:
    assert Address.from_bytes(Address('fe80::1%7', 5).to_bytes()) == Address('fe80::1', 5)


@given(
    st.binary(min_size=19, max_size=19)
    | st.builds(bytes.__add__, st.sampled_from((b'\4', b'\6')), st.binary(min_size=18, max_size=18))
)
def test_any_bytes_are_one_address_or_none(data: bytes) -> None:
    try:
        address = Address.from_bytes(data)
    except AddressError:
        mapped = data[0] == 6 and data[1:13] == bytes(10) + b'\xff\xff'
        assert data[0] not in (4, 6) or (data[0] == 4 and any(data[5:17])) or mapped
    else:
        assert address.to_bytes() == data


@pytest.mark.parametrize('index', range(5, 17))
def test_ipv4_is_followed_by_zeros(index: int) -> None:
    data = bytearray(Address('192.0.2.1', 5).to_bytes())
    data[index] = 1
    with pytest.raises(AddressError, match='zeros'):
        Address.from_bytes(data)


@pytest.mark.parametrize('family', [0, 1, 2, 3, 5, 7, 10, 255])
def test_other_families_are_refused(family: int) -> None:
    with pytest.raises(AddressError, match='family'):
        Address.from_bytes(bytes((family,)) + bytes(18))


def test_ipv4_written_as_ipv6_is_refused_from_outside() -> None:
    """Else one peer could pass for two (F18)."""
    with pytest.raises(AddressError, match='IPv4'):
        Address.from_bytes(b'\6' + ipaddress.ip_address('::ffff:1.2.3.4').packed + b'\0\5')


@pytest.mark.parametrize('data', [b'', bytes(18), bytes(20), b'\4' + bytes(100_000)])
def test_other_lengths_are_refused(data: bytes) -> None:
    with pytest.raises(AddressError, match='19'):
        Address.from_bytes(data)


def test_only_buffers_have_bytes() -> None:
    with pytest.raises(TypeError):
        Address.from_bytes('text')  # type: ignore[arg-type]


@given(addresses, addresses)
def test_order(one: Address, other: Address) -> None:
    def key(address: Address) -> tuple[int, int, int]:
        return address.family, int(ipaddress.ip_address(address.host)), address.port

    assert (one < other) == (key(one) < key(other))
    assert (one <= other) == (key(one) <= key(other))
    assert (one > other) == (key(one) > key(other))
    assert (one >= other) == (key(one) >= key(other))
    assert (one == other) == (key(one) == key(other))
    assert one != other or hash(one) == hash(other)


def test_the_scope_is_compared_last() -> None:
    by_scope = [Address('fe80::1%1', 5), Address('fe80::1%2', 5), Address('fe80::1%1', 6)]
    assert sorted(by_scope[index] for index in (2, 1, 0)) == by_scope


def test_other_things_are_not_compared() -> None:
    address = Address('1.2.3.4', 5)
    assert address != ('1.2.3.4', 5)
    with pytest.raises(TypeError):
        address < ('1.2.3.4', 5)  # type: ignore[operator]  # noqa: B015


def test_copies() -> None:
    address = Address('fe80::1%7', 5)
    assert pickle.loads(pickle.dumps(address)) == copy.deepcopy(address) == copy.copy(address) == address


@given(strategies.ip_addresses())
def test_what_an_address_is(ip: Any) -> None:
    address, ip = Address(str(ip), 5), canonical(ip)
    private = [ipaddress.ip_network(text) for text in ('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7')]
    assert address.is_loopback is ip.is_loopback
    assert address.is_link_local is ip.is_link_local
    assert address.is_multicast is ip.is_multicast
    assert address.is_unspecified is ip.is_unspecified
    assert address.is_private is any(ip in network for network in private if network.version == ip.version)
    assert address.is_broadcast is (str(ip) == '255.255.255.255')


@given(addresses, st.integers(0, 32), st.integers(0, 128))
def test_groups(address: Address, bits_v4: int, bits_v6: int) -> None:
    bits = bits_v4 if address.family == 4 else bits_v6
    network = ipaddress.ip_network(f'{address.host}/{bits}', strict=False)
    expected = bytes((address.family,)) + network.network_address.packed[: (bits + 7) // 8]
    assert address.group(bits_v4, bits_v6) == expected
    assert address.with_port(1).group(bits_v4, bits_v6) == expected


def test_the_usual_groups() -> None:
    assert Address('192.0.2.77', 5).group() == b'\4\xc0\x00\x02'
    assert Address('2001:db8:1:2::3', 5).group() == b'\6\x20\x01\x0d\xb8\x00\x01'


@pytest.mark.parametrize(('v4', 'v6'), [(33, 48), (-1, 48), (24, 129), (24, -1)])
def test_groups_of_more_bits_than_there_are(v4: int, v6: int) -> None:
    with pytest.raises(AddressError, match='bits'):
        Address('1.2.3.4', 5).group(v4, v6)


def test_another_port() -> None:
    address = Address('fe80::1%7', 5)
    assert address.with_port(6) == Address('fe80::1%7', 6)
    assert address.port == 5
    with pytest.raises(AddressError, match='port'):
        address.with_port(65536)


def test_an_address_does_not_change() -> None:
    address = Address('1.2.3.4', 5)
    for name in ('host', 'port', 'scope', 'family'):
        with pytest.raises(AttributeError):
            setattr(address, name, 1)
    with pytest.raises(TypeError, match='change'):
        address.__init__('5.6.7.8', 5)  # type: ignore[misc]
    with pytest.raises(TypeError):
        type('Derived', (Address,), {})  # type: ignore[misc]
    assert address == Address('1.2.3.4', 5)


def test_one_without_an_address_is_nothing_and_harmless() -> None:
    """Anybody can reach past the constructor."""
    empty = Address.__new__(Address)
    assert (empty.family, empty.host, empty.port, empty.group()[:1]) == (0, '', 0, b'\0')
    assert not any((empty.is_loopback, empty.is_private, empty.is_link_local, empty.is_multicast, empty.is_broadcast))
    assert str(empty) == ':0' and hash(empty) == hash(Address.__new__(Address))
    with pytest.raises(AddressError):
        Address.from_bytes(empty.to_bytes())


def test_hashes_are_keyed() -> None:
    """Who can choose addresses must not be able to choose those that fall on one place in a table."""
    code = 'from socket_core._address import Address; print(hash(Address("1.2.3.4", 5)))'
    path = str(Path(next(iter(socket_core.__path__))).parent)
    seen = {
        subprocess.run(
            [sys.executable, '-c', code],
            env={**os.environ, 'PYTHONPATH': path, 'PYTHONHASHSEED': seed},
            capture_output=True,
            text=True,
        ).stdout
        for seed in ('1', '2', '3')
    }
    assert len(seen) == 3 and '' not in seen


def test_refused_addresses_lose_nothing() -> None:
    def refuse() -> None:
        for bad in ('x', 'fe80::1%nope', '1.2.3.4.5'):
            with pytest.raises(AddressError):
                Address(bad, 1)
        with pytest.raises(AddressError):
            Address.from_bytes(bytes(19))

    refuse()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(500):
        refuse()
    gc.collect()
    assert sys.getallocatedblocks() - before < 200
