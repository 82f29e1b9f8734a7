"""Cases that want a network of their own, one function each; ``test_own_network.py`` runs them there.

The network has loopback, and two wires: ``east`` (10.99.0.1/24, fd99::1/64) to ``west``, and ``north`` (10.98.0.1/24,
fd98::1/64) to ``south``. West and south have no address: nobody answers for the others of those networks. No case can
be seen from outside, nor does it see others.

    unshare --net python -m tests.core.udp.network_cases NAME BACKEND
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from socket_core._address import Address
from socket_core._udp import Failed, Loop, UdpError, UdpSocket, Writable, handles_alive
from tests.support.udp import Inbox

SETUP = (
    'ip link set lo up',
    'ip link add east type veth peer name west',
    'ip link set east up',
    'ip link set west up',
    'ip address add 10.99.0.1/24 dev east',
    'ip address add fd99::1/64 dev east nodad',
    'ip link add north type veth peer name south',
    'ip link set north up',
    'ip link set south up',
    'ip address add 10.98.0.1/24 dev north',
    'ip address add fd98::1/64 dev north nodad',
)
# Before the interfaces are there: addresses hold at once.
BEFORE = {'ipv6/conf/all/accept_dad': 0, 'ipv6/conf/default/accept_dad': 0}
# And after: a neighbour that does not answer is given up after moments instead of seconds.
AFTER = {'ipv4/neigh/east/retrans_time_ms': 100, 'ipv4/neigh/east/mcast_solicit': 2}
NOBODY = ('10.99.0.77', 9)


def a_full_queue_is_refused_and_then_writable(loop: Loop) -> None:
    """The kernel holds what goes to a neighbour that does not answer, until its patience ends: our buffer is full."""
    inbox = Inbox(loop)
    with UdpSocket(loop, ('10.99.0.1', 0), send_buffer=4096, queue_bytes=20_000) as ours:
        accepted = 0
        while ours.send(bytes(1000), NOBODY):
            accepted += 1
            assert accepted < 1000, 'the queue has no end'
        assert accepted >= 20
        assert ours.queued_bytes <= 20_000 + 100 * 20
        assert ours.stats.refused == 1
        assert not ours.send(bytes(1000), NOBODY)
        assert ours.send_many([(bytes(1000), NOBODY)] * 5) == 0
        assert ours.send_copies([bytes(1000)] * 5, NOBODY) == 0
        assert ours.stats.refused == 12
        assert inbox.take(Writable)[0].socket is ours
        assert ours.send(b'again', ('10.99.0.1', 9))
        stats = ours.stats
        assert stats.refused == 12
    assert inbox.count(Writable) == 0, 'one for each time that the queue was full'


def part_of_a_batch_is_accepted(loop: Loop) -> None:
    """The count tells where to go on."""
    inbox = Inbox(loop)
    with UdpSocket(loop, ('10.99.0.1', 0), send_buffer=4096, queue_bytes=10_000) as ours:
        first = ours.send_many([(bytes(500), NOBODY)] * 100)
        assert 10 <= first < 100
        assert ours.stats.refused == 100 - first
        inbox.take(Writable)


def closing_with_a_full_queue(loop: Loop) -> None:
    """What was never sent is given up, and counted nowhere as sent."""
    ours = UdpSocket(loop, ('10.99.0.1', 0), send_buffer=4096, queue_bytes=50_000)
    accepted = 0
    while ours.send(bytes(1000), NOBODY):
        accepted += 1
    assert ours.stats.sent < accepted
    ours.close()


def receiving_goes_on_while_the_queue_is_full(loop: Loop) -> None:
    inbox = Inbox(loop)
    with (
        UdpSocket(loop, ('10.99.0.1', 0), send_buffer=4096, queue_bytes=10_000) as full,
        UdpSocket(loop, ('10.99.0.1', 0)) as other,
    ):
        while full.send(bytes(1000), NOBODY):
            pass
        for number in range(100):
            assert other.send(bytes([number]), full.address)
            assert inbox.datagram().data == bytes([number])


def a_neighbour_that_does_not_answer_is_told(loop: Loop) -> None:
    inbox = Inbox(loop)
    with UdpSocket(loop, ('10.99.0.1', 0)) as ours:
        assert ours.send(b'x', NOBODY)
        failed = inbox.take(Failed)[0]
        assert failed.error.name == 'EHOSTUNREACH', failed.error
        assert failed.address is not None
        assert failed.address.host == NOBODY[0]


def a_network_without_a_route(loop: Loop) -> None:
    inbox = Inbox(loop)
    for host, to in (('0.0.0.0', '198.51.100.1'), ('::', '2001:db8::1')):
        with UdpSocket(loop, (host, 0)) as ours:
            try:
                ours.send(b'x', (to, 9))
            except UdpError as error:
                name = error.name
            else:
                failed = inbox.take(Failed)[0]
                name = failed.error.name
                assert failed.address is not None
                assert failed.address.host == to
            assert name == 'ENETUNREACH', name
            assert ours.stats.errors == {'ENETUNREACH': 1}
            assert ours.stats.sent == 0


def a_link_that_goes_away(loop: Loop) -> None:
    """Sending fails by name; the sockets stay, and work when it is back."""
    inbox = Inbox(loop)
    with UdpSocket(loop, ('0.0.0.0', 0)) as ours, UdpSocket(loop, ('0.0.0.0', 0)) as other:
        command('ip link set east down')
        try:
            ours.send(b'x', NOBODY)
        except UdpError as error:
            assert error.name in ('ENETUNREACH', 'ENETDOWN'), error
        else:
            assert inbox.take(Failed)[0].error.name in ('ENETUNREACH', 'ENETDOWN')
        command('ip link set east up')
        assert ours.send(b'back', ('10.99.0.1', other.address.port))
        assert inbox.datagram().data == b'back'


def multicast_keeps_to_its_interface(loop: Loop) -> None:
    for wildcard, group, east, north in (
        ('0.0.0.0', '239.255.7.7', '10.99.0.1', '10.98.0.1'),
        ('::', 'ff02::7:7', 'fd99::1', 'north'),
    ):
        inbox = Inbox(loop)
        with UdpSocket(loop, (wildcard, 0)) as member, UdpSocket(loop, (wildcard, 0)) as sender:
            member.join_group(group, east)
            to = (group, member.address.port)
            sender.multicast_interface = north
            assert sender.send(b'north', to)
            sender.multicast_interface = east
            assert sender.send(b'east', to)
            assert inbox.datagram().data == b'east', group
            member.join_group(group, north)
            sender.multicast_interface = north
            assert sender.send(b'north', to)
            assert inbox.datagram().data == b'north', group
            member.leave_group(group, east)
            sender.multicast_interface = east
            sender.send(b'gone', to)
            sender.multicast_interface = north
            sender.send(b'end', to)
            assert inbox.datagram().data == b'end', group


def a_sender_keeps_multicast_from_its_own_machine(loop: Loop) -> None:
    """The option is the sender's; loopback itself cannot show it, since there every datagram comes back."""
    for wildcard, group, east in (('0.0.0.0', '239.255.7.7', '10.99.0.1'), ('::', 'ff02::7:7', 'east')):
        inbox = Inbox(loop)
        with UdpSocket(loop, (wildcard, 0)) as member, UdpSocket(loop, (wildcard, 0)) as sender:
            member.join_group(group, east)
            sender.multicast_interface = east
            sender.multicast_loop = False
            sender.send(b'not for us', (group, member.address.port))
            sender.multicast_loop = True
            sender.send(b'for us', (group, member.address.port))
            assert inbox.datagram().data == b'for us', group


def multicast_by_the_name_of_an_interface(loop: Loop) -> None:
    inbox = Inbox(loop)
    with UdpSocket(loop, ('::', 0)) as member, UdpSocket(loop, ('::', 0)) as sender:
        for number, name in enumerate(('east', '::%east', 'fe80::1%east')):
            group = f'ff02::7:{8 + number}'
            member.join_group(group, name)
            sender.multicast_interface = name
            assert sender.multicast_interface == name
            sender.send(b'by name', (group, member.address.port))
            assert inbox.datagram().data == b'by name'


def link_local_addresses_need_their_scope(loop: Loop) -> None:
    """Two interfaces may have the same address; the scope says which is meant, both ways."""
    local, index = '', 0
    for line in Path('/proc/net/if_inet6').read_text().splitlines():
        digits, number, _, _, _, name = line.split()
        if name == 'east' and digits.startswith('fe80'):
            local = ':'.join(digits[at : at + 4] for at in range(0, 32, 4))
            index = int(number, 16)
    inbox = Inbox(loop)
    with (
        UdpSocket(loop, Address(local, 0, index)) as ours,
        UdpSocket(loop, Address(local, 0, index)) as other,
    ):
        assert ours.address.scope == index
        ours.send(b'scoped', other.address)
        datagram = inbox.datagram()
        assert datagram.address == ours.address
        other.send(b'answer', datagram.address)
        assert inbox.datagram().data == b'answer'


def broadcast_reaches_the_wire(loop: Loop) -> None:
    inbox = Inbox(loop)
    with UdpSocket(loop, ('0.0.0.0', 0), broadcast=True) as ours, UdpSocket(loop, ('0.0.0.0', 0)) as other:
        assert ours.send(b'all', ('10.99.0.255', other.address.port))
        assert inbox.datagram().data == b'all'
        ours.broadcast = False
        try:
            ours.send(b'all', ('10.99.0.255', other.address.port))
        except UdpError as error:
            assert error.name == 'EACCES'
        else:
            assert inbox.take(Failed)[0].error.name == 'EACCES'


def command(line: str) -> None:
    """Run a command of the system's; what it says goes where this process' does."""
    subprocess.run(line.split(), check=True)


def apply(settings: dict[str, int]) -> None:
    """Write settings of the kernel, of this network alone."""
    for name, value in settings.items():
        Path('/proc/sys/net', name).write_text(str(value))


CASES: dict[str, Callable[[Loop], None]] = {
    case.__name__: case
    for case in (
        a_full_queue_is_refused_and_then_writable,
        part_of_a_batch_is_accepted,
        closing_with_a_full_queue,
        receiving_goes_on_while_the_queue_is_full,
        a_neighbour_that_does_not_answer_is_told,
        a_network_without_a_route,
        a_link_that_goes_away,
        multicast_keeps_to_its_interface,
        a_sender_keeps_multicast_from_its_own_machine,
        multicast_by_the_name_of_an_interface,
        link_local_addresses_need_their_scope,
        broadcast_reaches_the_wire,
    )
}


def main(name: str, backend: str) -> int:
    """Set the network up and run one case in it."""
    apply(BEFORE)
    for line in SETUP:
        command(line)
    apply(AFTER)
    with Loop(backend=backend) as loop:  # type: ignore[arg-type]
        CASES[name](loop)
    return 1 if any(handles_alive().values()) else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
