"""Where datagrams go and where they cannot: peers, refusals of the system, errors that come back, counters of all that."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator

import pytest

from socket_core._address import Address
from socket_core._udp import Closed, Failed, Loop, UdpError, UdpSocket
from tests.support.udp import Inbox, free_port, place, plain_socket

# The system tells an unconnected socket of an ICMP answer on Linux only (IP_RECVERR).
linux = pytest.mark.skipif(sys.platform != 'linux', reason='Linux tells, other systems drop')


@pytest.fixture
def ours(loop: Loop, host: str) -> Iterator[UdpSocket]:
    """A socket of the loop under test."""
    with UdpSocket(loop, (host, 0)) as ours:
        yield ours


@pytest.mark.parametrize('form', [tuple, list, Address])
def test_addresses_are_pairs_or_values(ours: UdpSocket, host: str, form: type) -> None:
    with plain_socket(host) as theirs:
        port = theirs.getsockname()[1]
        if form is list:
            with pytest.raises(TypeError):
                ours.send(b'', [host, port])  # type: ignore[arg-type]
            return
        to = Address(host, port) if form is Address else (host, port)
        assert ours.send(b'one', to)
        assert ours.send_many([(b'two', to), (b'three', (host, port))]) == 2
        assert ours.send_copies([b'four'], to) == 1
        assert [theirs.recv(100) for _ in range(4)] == [b'one', b'two', b'three', b'four']


def test_the_bound_address_is_known(loop: Loop, host: str) -> None:
    with UdpSocket(loop, (host, 0)) as one:
        assert one.address.host == host
        assert one.address.port > 0
        assert one.peer is None
        with pytest.raises(UdpError) as caught:
            UdpSocket(loop, (host, one.address.port))
        assert caught.value.name == 'EADDRINUSE'
        assert caught.value.errno == errno.EADDRINUSE
        assert isinstance(caught.value, OSError)
        assert str(one.address.port) in str(caught.value)


def test_an_address_of_another_machine_is_refused(loop: Loop) -> None:
    for host in ('192.0.2.1', '2001:db8::1'):
        with pytest.raises(UdpError) as caught:
            UdpSocket(loop, (host, 0))
        assert caught.value.name == 'EADDRNOTAVAIL'
        assert host in str(caught.value)


def test_nothing_is_sent_without_an_address(ours: UdpSocket) -> None:
    with pytest.raises((ValueError, UdpError)):
        ours.send(b'whereto')
    assert ours.stats.sent == 0


@pytest.mark.parametrize('port', [0, 65536, -1])
def test_ports_that_none_can_have(ours: UdpSocket, host: str, port: int) -> None:
    with pytest.raises((ValueError, UdpError)):
        ours.send(b'', (host, port))
    assert ours.stats.sent == 0


@pytest.mark.parametrize(
    'name', ['localhost', '', '1.2.3', '1.2.3.4.5', '127.0.0.1\0', 'é', '127.0.0.1 ', '::g', '[::1]']
)
def test_names_are_not_looked_up(ours: UdpSocket, loop: Loop, name: str) -> None:
    with pytest.raises(ValueError):
        ours.send(b'', (name, 9))
    with pytest.raises(ValueError):
        UdpSocket(loop, (name, 0))


def test_a_socket_of_one_family_does_not_reach_the_other(ours: UdpSocket, host: str) -> None:
    other = '127.0.0.1' if ':' in host else '::1'
    with pytest.raises((ValueError, UdpError)):
        ours.send(b'', (other, 9))
    with pytest.raises((ValueError, UdpError)):
        ours.connect((other, 9))
    assert ours.stats.sent == 0


def test_a_socket_of_both_families(loop: Loop, inbox: Inbox) -> None:
    """IPv4 through an IPv6 socket: the address is shown, and may be given, as IPv4."""
    with UdpSocket(loop, ('::', 0)) as both, plain_socket() as four, plain_socket('::1') as six:
        four.sendto(b'4', ('127.0.0.1', both.address.port))
        six.sendto(b'6', ('::1', both.address.port))
        got = {datagram.data: datagram.address for datagram in inbox.datagrams(2)}
        assert got[b'4'] == Address('127.0.0.1', four.getsockname()[1])
        assert got[b'6'].host == '::1'
        for data, address in got.items():
            both.send(data, address)
        assert (four.recv(9), six.recv(9)) == (b'4', b'6')


def test_a_socket_of_ipv6_only(loop: Loop, inbox: Inbox) -> None:
    with UdpSocket(loop, ('::', 0), ipv6_only=True) as six:
        with UdpSocket(loop, ('0.0.0.0', six.address.port)) as four, plain_socket() as theirs:
            theirs.sendto(b'', ('127.0.0.1', four.address.port))
            assert inbox.datagram().socket is four


class TestConnected:
    """One peer: no address is needed, and nobody else is heard."""

    def test_it_sends_without_an_address(self, ours: UdpSocket, inbox: Inbox, host: str) -> None:
        with plain_socket(host) as theirs:
            peer = Address(host, theirs.getsockname()[1])
            ours.connect(peer)
            assert ours.peer == peer
            assert ours.send(b'one')
            assert ours.send(b'two', None)
            assert ours.send_many([]) == 0
            assert ours.send_copies([b'three', b'four'], peer) == 2
            assert [theirs.recv(100) for _ in range(4)] == [b'one', b'two', b'three', b'four']
            theirs.sendto(b'back', place(ours))
            assert inbox.datagram().address == peer

    def test_strangers_are_not_heard(self, ours: UdpSocket, inbox: Inbox, host: str) -> None:
        with plain_socket(host) as peer, plain_socket(host) as stranger:
            ours.connect((host, peer.getsockname()[1]))
            stranger.sendto(b'stranger', place(ours))
            peer.sendto(b'peer', place(ours))
            assert inbox.datagram().data == b'peer'
            assert ours.stats.received == 1

    def test_it_can_be_undone(self, ours: UdpSocket, inbox: Inbox, host: str) -> None:
        with plain_socket(host) as peer, plain_socket(host) as stranger:
            ours.connect((host, peer.getsockname()[1]))
            before = ours.address
            ours.connect(None)
            assert ours.peer is None
            assert ours.address.port == before.port
            stranger.sendto(b'stranger', place(ours))
            assert inbox.datagram().data == b'stranger'
            ours.send(b'to anybody', (host, stranger.getsockname()[1]))
            assert stranger.recv(100) == b'to anybody'
            with pytest.raises((ValueError, UdpError)):
                ours.send(b'whereto')

    def test_it_can_be_changed(self, ours: UdpSocket, host: str) -> None:
        with plain_socket(host) as one, plain_socket(host) as two:
            for theirs in (one, two, one, two):
                ours.connect((host, theirs.getsockname()[1]))
                ours.send(b'hello')
                assert theirs.recv(100) == b'hello'

    def test_undoing_nothing_is_no_mistake_or_a_named_one(self, ours: UdpSocket) -> None:
        try:
            ours.connect(None)
        except UdpError as error:
            assert error.name == 'ENOTCONN'
        assert ours.peer is None

    @linux
    def test_a_peer_that_is_gone_is_reported(self, ours: UdpSocket, inbox: Inbox, host: str) -> None:
        peer = Address(host, free_port(host))
        ours.connect(peer)
        assert ours.send(b'anybody there?')
        failed = inbox.take(Failed)[0]
        assert failed.socket is ours
        assert failed.error.name == 'ECONNREFUSED'
        assert failed.address in (peer, None)
        assert ours.stats.errors['ECONNREFUSED'] >= 1
        # The next one is not punished for it, nor is what comes in.
        ours.connect(None)
        with plain_socket(host) as theirs:
            assert ours.send(b'next', (host, theirs.getsockname()[1]))
            assert theirs.recv(100) == b'next'
            theirs.sendto(b'back', place(ours))
            assert inbox.datagram().data == b'back'


class TestErrorsThatComeBack:
    """ICMP: an event with the address, and never an exception of a call that has to do with somebody else."""

    pytestmark = linux

    def test_a_closed_port_is_named(self, ours: UdpSocket, inbox: Inbox, host: str) -> None:
        gone = Address(host, free_port(host))
        assert ours.send(b'anybody there?', gone)
        failed = inbox.take(Failed)[0]
        assert isinstance(failed.error, UdpError)
        assert failed.error.name == 'ECONNREFUSED'
        assert failed.error.errno == errno.ECONNREFUSED
        assert failed.address == gone
        assert failed.socket is ours
        assert ours.stats.errors == {'ECONNREFUSED': 1}
        assert ours.stats.sent == 1

    def test_others_are_not_disturbed(self, ours: UdpSocket, inbox: Inbox, host: str) -> None:
        """Between two sends to ports where nobody is, everything for others goes out, and everything of theirs comes in."""
        gone = [Address(host, free_port(host)) for _ in range(3)]
        with plain_socket(host) as theirs:
            here = (host, theirs.getsockname()[1])
            for number in range(200):
                assert ours.send(b'x', gone[number % 3])
                assert ours.send(number.to_bytes(2, 'big'), here)
                assert ours.send_many([(b'x', gone[0]), (b'', here), (b'x', gone[1]), (b'', here)]) == 4
                assert [theirs.recv(100) for _ in range(3)] == [number.to_bytes(2, 'big'), b'', b'']
                theirs.sendto(b'back', place(ours))
                assert inbox.datagram().data == b'back'
        assert ours.stats.sent == 200 * 6
        # The kernel keeps the last few errors only where they come faster than they are read.
        assert 0 < ours.stats.errors['ECONNREFUSED'] <= 600
        assert set(ours.stats.errors) == {'ECONNREFUSED'}
        for failed in inbox.take(Failed, inbox.count(Failed)):
            assert failed.address in gone

    def test_a_flood_of_errors_does_not_hang_the_loop(self, ours: UdpSocket, inbox: Inbox, host: str) -> None:
        gone = Address(host, free_port(host))
        for _ in range(50):
            ours.send_many([(b'', gone)] * 64)
        with plain_socket(host) as theirs:
            theirs.sendto(b'still here', place(ours))
            assert inbox.datagram().data == b'still here'


class TestUnreachable:
    """What the system refuses to send at all: an error of the call or an event, always counted, never a crash."""

    def test_broadcast_needs_the_flag(self, loop: Loop, inbox: Inbox) -> None:
        with UdpSocket(loop, ('0.0.0.0', 0)) as ours:
            assert not ours.broadcast
            assert refusal(ours, inbox, ('255.255.255.255', 9)) in ('EACCES', 'EPERM', 'ENETUNREACH')
            if sys.platform == 'linux':
                assert refusal(ours, inbox, ('127.255.255.255', 9)) == 'EACCES'

    def test_broadcast_with_the_flag(self, loop: Loop, inbox: Inbox) -> None:
        with UdpSocket(loop, ('0.0.0.0', 0), broadcast=True) as ours, UdpSocket(loop, ('0.0.0.0', 0)) as receiver:
            assert ours.broadcast
            ours.send(b'to all', ('127.255.255.255', receiver.address.port))
            assert inbox.datagram().data == b'to all'
            ours.broadcast = False
            assert not ours.broadcast
            assert refusal(ours, inbox, ('127.255.255.255', 9)) == 'EACCES'
            assert not receiver.broadcast
            receiver.broadcast = True
            assert receiver.broadcast

    def test_networks_without_a_route(self, loop: Loop, inbox: Inbox) -> None:
        # 240/4 is reserved: Linux has no route for it, or sends it where it is dropped.
        with UdpSocket(loop, ('127.0.0.1', 0)) as ours, UdpSocket(loop, ('127.0.0.1', 0)) as receiver:
            for to in (('198.51.100.1', 9), ('240.0.0.1', 9), ('0.0.0.0', 9)):
                refusal(ours, inbox, to, optional=True)
            ours.send(b'after', receiver.address)
            assert inbox.datagram().data == b'after'

    def test_a_batch_goes_on_behind_one_that_is_refused(self, loop: Loop, inbox: Inbox) -> None:
        with UdpSocket(loop, ('0.0.0.0', 0)) as ours, plain_socket() as theirs:
            here = theirs.getsockname()
            batch = [(b'1', here), (b'no', ('127.255.255.255', 9)), (b'2', here), (bytes(65507), here), (b'3', here)]
            try:
                assert ours.send_many(batch) == 5
            except UdpError as error:
                assert error.name == 'EACCES'  # either way is right, a third is not
            else:
                assert [theirs.recv(70000) for _ in range(4)] == [b'1', b'2', bytes(65507), b'3']
                assert ours.stats.sent == 4
                assert ours.stats.errors == {'EACCES': 1}


def refusal(ours: UdpSocket, inbox: Inbox, to: tuple[str, int], *, optional: bool = False) -> str:
    """How the system names its refusal, in the call or in an event; the datagram is counted as an error, not as sent."""
    before = ours.stats
    name = ''
    try:
        ours.send(b'x', to)
    except UdpError as error:
        name = error.name
    else:
        if optional:
            inbox.pump(0.05)
        if not optional or inbox.count(Failed):
            failed = inbox.take(Failed)[0]
            name = failed.error.name
            assert failed.address is None or failed.address.host == to[0] or to[0] == '0.0.0.0'  # which is this machine
    after = ours.stats
    if name:
        assert after.errors[name] == before.errors.get(name, 0) + 1
        if not optional:
            assert after.sent == before.sent
    return name


def test_closed_is_told_last(loop: Loop, inbox: Inbox) -> None:
    ours = UdpSocket(loop, ('127.0.0.1', 0))
    with plain_socket() as theirs:
        theirs.sendto(b'before', place(ours))
        assert inbox.datagram().data == b'before'
    ours.close()
    assert inbox.take(Closed)[0].handle is ours
    assert ours.closed
