"""What can be set on a socket; each is read back from the system, and not from what was written."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from socket_core._udp import ClosedError, Loop, UdpError, UdpSocket
from tests.support.udp import Inbox, place, plain_socket

GROUP = '239.255.7.7'


@pytest.fixture
def ours(loop: Loop, host: str) -> Iterator[UdpSocket]:
    """A socket of the loop under test."""
    with UdpSocket(loop, (host, 0)) as ours:
        yield ours


@pytest.mark.parametrize('name', ['receive_buffer', 'send_buffer'])
def test_buffers_grow_and_shrink(ours: UdpSocket, name: str) -> None:
    before = getattr(ours, name)
    assert before > 0
    setattr(ours, name, 65536)
    small = getattr(ours, name)
    assert small >= 65536
    setattr(ours, name, 131072)
    assert getattr(ours, name) > small
    setattr(ours, name, 1)  # the system has a least size of its own
    assert 0 < getattr(ours, name) < small
    setattr(ours, name, 2**31 - 1)  # and a largest
    assert getattr(ours, name) >= 131072
    for wrong in (0, -1, 2**31, 2**64):
        with pytest.raises((ValueError, OverflowError)):
            setattr(ours, name, wrong)


def test_buffers_of_the_constructor(loop: Loop) -> None:
    with (
        UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=100_000, send_buffer=50_000) as ours,
        UdpSocket(loop, ('127.0.0.1', 0)) as default,
    ):
        assert 100_000 <= ours.receive_buffer <= 200_000
        assert 50_000 <= ours.send_buffer <= 100_000
        assert default.receive_buffer != ours.receive_buffer


@pytest.mark.parametrize('name', ['receive_buffer', 'send_buffer', 'queue_bytes'])
@pytest.mark.parametrize('wrong', [-1, 2**63, 2**64])
def test_sizes_that_make_no_sense(loop: Loop, name: str, wrong: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        UdpSocket(loop, ('127.0.0.1', 0), **{name: wrong})  # type: ignore[arg-type]


def test_ttl(ours: UdpSocket) -> None:
    for ttl in (1, 64, 255):
        ours.ttl = ttl
        assert ours.ttl == ttl
    for wrong in (0, 256, -1, 2**40):
        with pytest.raises((ValueError, OverflowError, UdpError)):
            ours.ttl = wrong
    assert ours.ttl == 255


def test_multicast_ttl_and_loop(ours: UdpSocket) -> None:
    assert ours.multicast_ttl == 1
    assert ours.multicast_loop is True
    for ttl in (1, 2, 255, 0):
        ours.multicast_ttl = ttl
        assert ours.multicast_ttl == ttl
    for wrong in (256, -2, 2**40):
        with pytest.raises((ValueError, OverflowError, UdpError)):
            ours.multicast_ttl = wrong
    ours.multicast_loop = False
    assert ours.multicast_loop is False
    ours.multicast_loop = True
    assert ours.multicast_loop is True


def test_broadcast_is_off(ours: UdpSocket) -> None:
    assert ours.broadcast is False


@pytest.mark.skipif(sys.platform != 'linux', reason='shared ports are balanced on Linux only')
def test_a_port_is_shared(loop: Loop, inbox: Inbox, host: str) -> None:
    """Each sender goes to one of the sockets, always the same one, and all of them get some."""
    with UdpSocket(loop, (host, 0), reuse_port=True, receive_buffer=1 << 20) as first, ExitStack() as stack:
        others = [UdpSocket(loop, (host, first.address.port), reuse_port=True) for _ in range(3)]
        sockets = [first, *map(stack.enter_context, others)]
        senders = [stack.enter_context(plain_socket(host)) for _ in range(64)]
        for _ in range(3):
            for sender in senders:
                sender.sendto(b'x', place(first))
        got = Counter((datagram.address.port, datagram.socket.number) for datagram in inbox.datagrams(3 * 64))
        assert set(got.values()) == {3}
        assert {number for _, number in got} == {socket.number for socket in sockets}


@pytest.mark.skipif(sys.platform != 'linux', reason='as above')
def test_a_port_is_not_shared_with_those_who_did_not_ask(loop: Loop, host: str) -> None:
    with UdpSocket(loop, (host, 0), reuse_port=True) as ours:
        with pytest.raises(UdpError, match='EADDRINUSE|in use') as caught:
            UdpSocket(loop, (host, ours.address.port))
        assert caught.value.name == 'EADDRINUSE'


def test_an_address_is_used_again(loop: Loop, host: str) -> None:
    """The port of a closed socket is free at once; whoever waits for Closed may rely on it."""
    with UdpSocket(loop, (host, 0)) as ours:
        port = ours.address.port
    inbox = Inbox(loop)
    from socket_core._udp import Closed

    inbox.take(Closed)
    with UdpSocket(loop, (host, port)) as again:
        assert again.address.port == port


class TestMulticast:
    """On the loopback interface, by IPv4. Loopback knows no groups of IPv6: ``test_own_network.py`` has an interface."""

    @pytest.fixture
    def member(self, loop: Loop) -> Iterator[UdpSocket]:
        with UdpSocket(loop, ('0.0.0.0', 0)) as member:
            yield member

    @pytest.fixture
    def sender(self, loop: Loop) -> Iterator[UdpSocket]:
        with UdpSocket(loop, ('127.0.0.1', 0)) as sender:
            sender.multicast_interface = '127.0.0.1'
            assert sender.multicast_interface == '127.0.0.1'
            yield sender

    @pytest.mark.parametrize('interface', ['127.0.0.1', 'lo', '1'], ids=['address', 'name', 'number'])
    def test_members_hear_it(self, member: UdpSocket, sender: UdpSocket, inbox: Inbox, interface: str) -> None:
        to = (GROUP, member.address.port)
        member.join_group(GROUP, interface)
        assert sender.send(b'member', to)
        assert inbox.datagram().data == b'member'
        member.leave_group(GROUP, interface)
        sender.send(b'gone', to)
        sender.send(b'end', ('127.0.0.1', member.address.port))
        assert inbox.datagram().data == b'end'

    def test_joining_twice_and_leaving_what_was_not_joined(self, member: UdpSocket) -> None:
        member.join_group(GROUP, '127.0.0.1')
        with pytest.raises(UdpError) as caught:
            member.join_group(GROUP, '127.0.0.1')
        assert caught.value.name == 'EADDRINUSE'
        member.leave_group(GROUP, '127.0.0.1')
        with pytest.raises(UdpError) as caught:
            member.leave_group(GROUP, '127.0.0.1')
        assert caught.value.name == 'EADDRNOTAVAIL'
        member.join_group(GROUP, '127.0.0.1')

    @pytest.mark.parametrize('wrong', ['', '127.0.0.1', '::1', 'group', '239.1.1', '256.1.1.1', 'ff02::\0', 'é'])
    def test_what_is_no_group(self, member: UdpSocket, wrong: str) -> None:
        for change in (member.join_group, member.leave_group):
            with pytest.raises(ValueError):
                change(wrong)

    def test_a_group_of_the_other_family(self, loop: Loop, member: UdpSocket) -> None:
        with pytest.raises((ValueError, UdpError)):
            member.join_group('ff02::7')
        with UdpSocket(loop, ('::1', 0)) as six, pytest.raises((ValueError, UdpError)):
            six.join_group(GROUP, '127.0.0.1')
        with pytest.raises(ValueError, match='source|famil'):
            member.join_group('232.7.7.7', '127.0.0.1', '::1')

    @pytest.mark.parametrize(
        'wrong', ['no-such-interface', '203.0.113.9', 'lo\0', 'é', 'x' * 300, '::1%nothing', '99999']
    )
    def test_interfaces_that_are_not_there(self, member: UdpSocket, wrong: str) -> None:
        with pytest.raises((ValueError, UdpError)):
            member.join_group(GROUP, wrong)
        with pytest.raises((ValueError, UdpError)):
            member.multicast_interface = wrong
        assert member.multicast_interface == ''

    def test_only_one_source_is_heard(self, loop: Loop, inbox: Inbox) -> None:
        with (
            UdpSocket(loop, ('0.0.0.0', 0)) as member,
            UdpSocket(loop, ('127.0.0.1', 0)) as wanted,
            UdpSocket(loop, ('127.0.0.2', 0)) as other,
        ):
            member.join_group('232.7.7.7', '127.0.0.1', '127.0.0.1')
            to = ('232.7.7.7', member.address.port)
            for sender in (wanted, other):
                sender.multicast_interface = '127.0.0.1'
            other.send(b'other', to)
            wanted.send(b'wanted', to)
            assert inbox.datagram().data == b'wanted'
            member.leave_group('232.7.7.7', '127.0.0.1', '127.0.0.1')


def test_options_of_a_closed_socket(loop: Loop) -> None:
    ours = UdpSocket(loop, ('127.0.0.1', 0))
    ours.close()
    for name, value in {
        'receive_buffer': 65536, 'send_buffer': 65536, 'ttl': 5, 'broadcast': True, 'multicast_ttl': 5,
        'multicast_loop': False, 'multicast_interface': '127.0.0.1',
    }.items():  # fmt: skip
        with pytest.raises(ClosedError):
            setattr(ours, name, value)
        if name != 'multicast_interface':
            with pytest.raises(ClosedError):
                getattr(ours, name)
    for call in (ours.join_group, ours.leave_group):
        with pytest.raises(ClosedError):
            call('239.1.1.1')
