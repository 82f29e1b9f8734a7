"""Relays on real sockets: a few nodes on loopback, each with a loop, a cache and a relay of its own.

Nothing here calls into a relay but to set its tables and to publish: what happens between nodes, happens on the loops'
threads.
"""

from __future__ import annotations

import gc
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest

from socket_core import GROUP, PING, PUBLISH, STREAM, encode, parse
from socket_core._cache import Cache
from socket_core._relay import DEFAULT_ACTIONS, DO_CACHE, DO_DELIVER, DO_FORWARD, Limits, Relay, RelayPeer
from socket_core._udp import CACHED, CHECKED, FORWARDED, HASHED, Datagram, Dropped, Loop, UdpSocket
from tests.support.udp import SECONDS, Inbox, plain_socket

CLUSTER, OTHER = bytes([1]) * 32, bytes([2]) * 32
# More than any test sends.
FREELY = Limits(stranger=(10**6, 10**6), peer=(10**6, 10**6), group=(10**6, 10**6), total=(10**6, 10**6))


class Node:
    """A loop, a socket, a relay and a cache."""

    def __init__(
        self, backend: str, *, fanout: int = 3, life: float = 3600.0, postage: int = 8, ring: int = 1 << 20
    ) -> None:
        self.loop = Loop(backend=backend, ring_bytes=ring)  # type: ignore[arg-type]
        self.cache = Cache(life=life, postage=postage)
        self.relay = Relay(self.cache, fanout=fanout)
        self.relay.set_limits(FREELY)
        self.socket = UdpSocket(
            self.loop, ('127.0.0.1', 0), relay=self.relay, receive_buffer=4 << 20, queue_bytes=4 << 20
        )
        self.inbox = Inbox(self.loop)

    def knows(self, *others: Node) -> None:
        """Replace its table of peers."""
        self.relay.set_peers([RelayPeer(other.socket.address, trusted=True) for other in others])

    def publish(self, message: bytes, cluster: bytes = CLUSTER, **fields: object) -> bytes:
        """Publish a packet, and send it to those that the relay names; its id."""
        packet = parse(encode(PUBLISH, cluster=cluster, message=message, **fields))  # type: ignore[arg-type]
        _, found, sends = self.relay.publish(packet, time.monotonic())
        for send in sends:
            self.socket.send(send.data, send.address)
        return found

    def mark(self) -> None:
        """Returns when all is delivered that came before; it is kept in the inbox."""
        before = []
        with plain_socket() as theirs:
            frame = encode(PING, cluster=bytes(32), message=b'mark')
            theirs.sendto(frame, (self.socket.address.host, self.socket.address.port))
            while (datagram := self.inbox.datagram()).data != frame:
                before.append(datagram)
        self.inbox.events[Datagram][:0] = before

    def close(self) -> None:
        """Close the loop, and with it the socket."""
        self.loop.close()


@pytest.fixture
def make(backend: str) -> Iterator[Callable[..., list[Node]]]:
    """Makes so many nodes; they are closed at the end."""
    with ExitStack() as stack:

        def make(count: int, **options: object) -> list[Node]:
            nodes = [Node(backend, **options) for _ in range(count)]  # type: ignore[arg-type]
            for node in nodes:
                stack.callback(node.close)
            return nodes

        yield make


def wait_until(condition: Callable[[], bool], about: Callable[[], object] = lambda: None) -> None:
    """Give the loops the time that they take."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, about()
        time.sleep(0.001)


def total(nodes: Sequence[Node], name: str) -> int:
    """One counter of all relays together."""
    return sum(getattr(node.relay.stats, name) for node in nodes)


def test_along_a_line(make: Callable[..., list[Node]]) -> None:
    """Each knows its two neighbours; hops count the relays, twice where the cluster is theirs."""
    nodes = make(5)
    for at, node in enumerate(nodes):
        node.knows(*nodes[max(0, at - 1) : at], *nodes[at + 1 : at + 2])
    for at in (1, 4):
        nodes[at].relay.set_clusters([CLUSTER])
    found = nodes[0].publish(b'hello')
    last = nodes[4].inbox.datagram()
    assert last.id == found
    assert last.packet().message == b'hello'
    assert last.address == nodes[3].socket.address
    for node, hops in zip(nodes, (0, 0, 2, 3, 4), strict=True):
        wait_until(lambda node=node: found in node.cache)  # type: ignore[misc]
        cached = node.cache.find(found)
        assert cached is not None
        assert cached.hops == hops, node
    # Told are the two whose cluster it is, once each.
    assert nodes[1].inbox.datagram().id == found
    for node in nodes:
        node.mark()
        assert node.inbox.count(Datagram) == 0


def test_in_a_full_mesh(make: Callable[..., list[Node]]) -> None:
    """Everybody sends it on once, to all but the one that it came from; each further copy is dropped."""
    nodes = make(4)
    for node in nodes:
        node.knows(*(other for other in nodes if other is not node))
        node.relay.set_clusters([CLUSTER])
    ids = [nodes[turn % 4].publish(turn.to_bytes(2, 'big')) for turn in range(100)]
    for at, node in enumerate(nodes):
        got = [datagram.id for datagram in node.inbox.datagrams(75)]
        assert sorted(got) == sorted(found for turn, found in enumerate(ids) if turn % 4 != at)
    wait_until(lambda: total(nodes, 'received') == 900, lambda: [node.relay.stats for node in nodes])
    assert (total(nodes, 'published'), total(nodes, 'forwarded')) == (300, 600)
    assert (total(nodes, 'fresh'), total(nodes, 'duplicate'), total(nodes, 'delivered')) == (300, 600, 300)
    assert sum(node.socket.stats.sent for node in nodes) == sum(node.socket.stats.received for node in nodes) == 900
    for node in nodes:
        node.mark()
        assert node.inbox.count(Datagram) == 0
        assert len(node.cache) == 100


def test_python_is_told_of_its_own_only(make: Callable[..., list[Node]]) -> None:
    sender, relay, ours = make(3)
    sender.knows(relay)
    relay.knows(ours)
    ours.relay.set_clusters([CLUSTER])
    ours.relay.set_identities([bytes([9]) * 32])
    for turn in range(50):
        sender.publish(turn.to_bytes(2, 'big'), OTHER)
        sender.publish(turn.to_bytes(2, 'big'), CLUSTER)
        sender.publish(turn.to_bytes(2, 'big'), OTHER, to=bytes([9]) * 32)
    got = ours.inbox.datagrams(100)
    assert Counter(datagram.packet().cluster for datagram in got) == {CLUSTER: 50, OTHER: 50}
    wait_until(lambda: len(ours.cache) == 150)
    for node in (sender, relay, ours):
        node.mark()
        assert node.inbox.count(Datagram) == 0
    assert relay.relay.stats.delivered == 1, 'the mark'


def test_flags_tell_what_was_done(make: Callable[..., list[Node]]) -> None:
    end, ours = make(2)
    ours.relay.set_clusters([CLUSTER])
    with plain_socket() as theirs:
        to = (ours.socket.address.host, ours.socket.address.port)

        def flags_of(kind: int, message: bytes) -> tuple[int, bool]:
            frame = encode(kind, cluster=CLUSTER, message=message)
            theirs.sendto(frame, to)
            datagram = ours.inbox.datagram()
            assert datagram.packet().message == message
            assert datagram.id in (None, parse(frame).id)
            return datagram.flags, datagram.id is not None

        assert flags_of(PING, b'1') == (CHECKED, False)
        assert flags_of(STREAM, b'2') == (CHECKED, False)
        assert flags_of(PUBLISH, b'3') == (CHECKED | HASHED | CACHED, True)
        ours.knows(end)
        assert flags_of(PUBLISH, b'4') == (CHECKED | HASHED | CACHED | FORWARDED, True)
        ours.relay.set_actions({**DEFAULT_ACTIONS, GROUP: DO_FORWARD | DO_DELIVER, PUBLISH: DO_CACHE | DO_DELIVER})
        assert flags_of(GROUP, b'5') == (CHECKED | HASHED | FORWARDED, True)
        assert flags_of(PUBLISH, b'6') == (CHECKED | HASHED | CACHED, True)


def test_a_datagram_is_handed_on_as_it_came(make: Callable[..., list[Node]]) -> None:
    """What a relay changes is what it sends on: Python reads the hops that the packet came with."""
    end, ours = make(2)
    ours.knows(end)
    ours.relay.set_clusters([CLUSTER])
    end.relay.set_clusters([CLUSTER])
    frame = encode(PUBLISH, cluster=CLUSTER, message=b'x', hops=3)
    with plain_socket() as theirs:
        theirs.sendto(frame, (ours.socket.address.host, ours.socket.address.port))
    datagram = ours.inbox.datagram()
    assert end.inbox.datagram().packet().hops == 5
    assert datagram.flags & FORWARDED
    assert datagram.data == frame


def test_hops_end(make: Callable[..., list[Node]]) -> None:
    """In a ring of nodes a packet goes no further than 16 hops, here 8 relays of its cluster."""
    nodes = make(5, fanout=1)
    for at, node in enumerate(nodes):
        node.knows(nodes[(at + 1) % 5])
        node.relay.set_clusters([CLUSTER])
    with plain_socket() as theirs:
        for hops in (0, 14, 15, 16, 17, 2**32 - 1):
            frame = encode(PUBLISH, cluster=CLUSTER, message=hops.to_bytes(4, 'big'), hops=hops)
            theirs.sendto(frame, (nodes[0].socket.address.host, nodes[0].socket.address.port))
            assert nodes[0].inbox.datagram().packet().message == hops.to_bytes(4, 'big')
            reached = 4 if hops == 0 else 1 if hops == 14 else 0
            for node in nodes[1 : 1 + reached]:
                assert node.inbox.datagram().packet().message == hops.to_bytes(4, 'big')
            for node in nodes:
                node.mark()
                assert node.inbox.count(Datagram) == 0


def test_what_is_no_frame_ends_in_a_counter(make: Callable[..., list[Node]]) -> None:
    (ours,) = make(1)
    good = encode(PUBLISH, cluster=CLUSTER, message=b'good')
    bad = {
        'malformed_short': [b'', b'\5', good[:141]],
        'malformed_long': [good.ljust(1167, b'x'), bytes(9000), bytes(65507)],
        'malformed_version': [good[:1] + b'\2' + good[2:]],
        'malformed_type': [b'\0' + good[1:], b'\13' + good[1:], b'\xff' + good[1:]],
    }
    rng = random.Random(1)
    with plain_socket() as theirs:
        to = (ours.socket.address.host, ours.socket.address.port)
        for datagrams in bad.values():
            for data in datagrams:
                theirs.sendto(data, to)
        for _ in range(300):
            theirs.sendto(b'\xff' + rng.randbytes(rng.randrange(1500)), to)
        ours.mark()
    stats = ours.relay.stats
    assert stats.received == ours.socket.stats.received == sum(map(len, bad.values())) + 301
    assert sum(getattr(stats, name) for name in bad) == stats.received - 1
    for name, datagrams in bad.items():
        assert getattr(stats, name) >= len(datagrams)
    assert ours.inbox.count(Datagram) == 0
    assert len(ours.cache) == 0


def test_tables_hold_at_once(make: Callable[..., list[Node]]) -> None:
    """From the next datagram on: each table, set and taken back, between two packets of one sender."""
    end, ours = make(2)
    end.relay.set_clusters([CLUSTER])
    turn = 0
    with plain_socket() as theirs:
        here = theirs.getsockname()

        def send() -> bytes:
            nonlocal turn
            turn += 1
            frame = encode(PUBLISH, cluster=CLUSTER, message=turn.to_bytes(4, 'big'))
            theirs.sendto(frame, (ours.socket.address.host, ours.socket.address.port))
            return frame[142:]

        for _ in range(20):
            ours.relay.set_blocked([])
            ours.relay.set_clusters([CLUSTER])
            ours.knows(end)
            message = send()
            assert ours.inbox.datagram().packet().message == message
            assert end.inbox.datagram().packet().message == message
            ours.knows()
            message = send()
            assert ours.inbox.datagram().packet().message == message
            ours.relay.set_clusters([])
            send()
            ours.mark()
            assert ours.inbox.count(Datagram) == 0
            ours.relay.set_clusters([CLUSTER])
            ours.relay.set_blocked([here])
            blocked = ours.relay.stats.blocked
            send()
            ours.mark()
            assert ours.inbox.count(Datagram) == 0
            assert ours.relay.stats.blocked == blocked + 1
        end.mark()
        assert end.inbox.count(Datagram) == 0


@pytest.mark.timeout(60)
def test_tables_are_swapped_under_traffic(make: Callable[..., list[Node]]) -> None:
    """Threads replace every table all the time while others send: every datagram is counted once, and nothing breaks."""
    nodes = make(3)
    addresses = [node.socket.address for node in nodes]
    stop = threading.Event()
    errors: list[BaseException] = []

    def guarded(work: Callable[[random.Random], None], seed: int) -> threading.Thread:
        def run() -> None:
            rng = random.Random(seed)
            try:
                while not stop.is_set():
                    work(rng)
            except BaseException as error:
                errors.append(error)
                stop.set()

        return threading.Thread(target=run)

    def swap(rng: random.Random) -> None:
        relay = rng.choice(nodes).relay
        ids = [rng.randbytes(32) for _ in range(rng.randrange(50))] + [CLUSTER] * rng.randrange(2)
        others = [RelayPeer(address, trusted=rng.random() < 0.5, clusters=ids[:5]) for address in addresses]
        relay.set_peers(rng.sample(others, rng.randrange(4)))
        relay.set_clusters(ids)
        relay.set_identities(ids)
        relay.set_blocked([('127.0.0.1', rng.randrange(1, 65536)) for _ in range(rng.randrange(100))])
        relay.set_actions(DEFAULT_ACTIONS)
        relay.set_limits(FREELY if rng.random() < 0.9 else Limits())
        assert relay.stats.received >= 0
        relay.offenders()

    def send(rng: random.Random) -> None:
        node = rng.choice(nodes)
        frames = [
            encode(PUBLISH, cluster=rng.choice((CLUSTER, OTHER)), message=rng.randbytes(rng.randrange(1024)))
            for _ in range(20)
        ]
        node.socket.send_many([(frame, rng.choice(addresses)) for frame in frames + frames[:5]])
        node.socket.send_many([(rng.randbytes(rng.randrange(1500)), rng.choice(addresses)) for _ in range(3)])
        node.publish(rng.randbytes(10))

    def drain(rng: random.Random) -> None:
        node = rng.choice(nodes)
        node.loop.wait(0.01)
        for event in node.loop.drain(rng.randrange(1, 300)):
            if isinstance(event, Datagram):
                event.packet()

    threads = [guarded(work, seed) for seed, work in enumerate((swap, swap, send, send, drain, drain))]
    for thread in threads:
        thread.start()
    stop.wait(2)
    stop.set()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    assert errors == []
    for node in nodes:
        node.relay.set_blocked([])
        node.relay.set_limits(FREELY)
        while node.loop.drain():
            pass
        node.inbox.events.clear()
    for node in nodes:
        node.mark()
        stats = node.relay.stats
        kinds = (
            'malformed_short', 'malformed_long', 'malformed_version', 'malformed_type', 'blocked', 'limited', 'ignored',
            'control', 'fresh', 'duplicate', 'revived',
        )  # fmt: skip
        assert sum(getattr(stats, name) for name in kinds) == stats.received
        assert abs(stats.received - node.socket.stats.received) <= 64, 'but for what is under way'
        assert stats.fresh > 0
        node.cache.check()


def test_a_relay_goes_on_while_python_does_not(make: Callable[..., list[Node]]) -> None:
    """What Python does not fetch is dropped and told; what is sent on, is sent on."""
    ours, end = make(2, ring=1)
    ours.knows(end)
    for node in (ours, end):
        node.relay.set_clusters([CLUSTER])
    count = 2000
    with plain_socket() as theirs:
        for number in range(count):
            frame = encode(PUBLISH, cluster=CLUSTER, message=number.to_bytes(4, 'big') * 250)
            theirs.sendto(frame, (ours.socket.address.host, ours.socket.address.port))
            if number % 50 == 49:
                wait_until(lambda number=number: end.relay.stats.fresh == number + 1, lambda: end.relay.stats)  # type: ignore[misc]
    assert ours.relay.stats.forwarded == count
    for node in (ours, end):
        assert len(node.cache) == count
        assert node.relay.stats.delivered == count
        dropped = node.socket.stats.dropped
        assert 0 < dropped < count
        assert len(node.inbox.datagrams(count - dropped)) == count - dropped
        node.mark()
        assert sum(event.count for event in node.inbox.take(Dropped, node.inbox.count(Dropped))) == dropped


def test_packets_are_sent_again_after_a_term(make: Callable[..., list[Node]]) -> None:
    """By the loop itself, at its time, until the postage is used up; Python has no part in it."""
    (ours,) = make(1, life=0.3, postage=3)
    with plain_socket() as theirs:
        ours.relay.set_peers([RelayPeer(theirs.getsockname())])
        found = ours.publish(b'again')
        copies = [theirs.recv(2000) for _ in range(4)]
        assert {parse(copy).id for copy in copies} == {found}
        wait_until(lambda: found not in ours.cache)
        assert ours.relay.stats.rebroadcast == 3


class TestShared:
    """One relay for several sockets, of one loop or of several."""

    def test_by_sockets_of_one_loop(self, backend: str) -> None:
        """A peer is reached through the socket that its mapping was made by, and the rest by the one it came from."""
        relay = Relay(Cache())
        relay.set_limits(FREELY)
        with Loop(backend=backend) as loop, plain_socket() as one, plain_socket() as two, ExitStack() as stack:  # type: ignore[arg-type]
            sockets = [
                stack.enter_context(UdpSocket(loop, ('127.0.0.1', 0), relay=relay, receive_buffer=1 << 20))
                for _ in range(4)
            ]
            relay.set_peers([
                RelayPeer(one.getsockname(), socket=sockets[3].number), RelayPeer(two.getsockname()),
                RelayPeer(('127.0.0.1', 9), socket=12345),
            ])  # fmt: skip
            with plain_socket() as sender:
                for number, ours in enumerate(sockets):
                    frame = encode(PUBLISH, cluster=CLUSTER, message=bytes([number]))
                    sender.sendto(frame, (ours.address.host, ours.address.port))
                    data, back = one.recvfrom(2000)
                    assert (data[142:], back[1]) == (bytes([number]), sockets[3].address.port)
                    data, back = two.recvfrom(2000)
                    assert (data[142:], back[1]) == (bytes([number]), ours.address.port)
            assert relay.stats.received == 4

    def test_by_several_loops(self, backend: str) -> None:
        """Duplicates are known across them."""
        relay = Relay(Cache())
        relay.set_limits(FREELY)
        relay.set_clusters([CLUSTER])
        with ExitStack() as stack:
            loops = [stack.enter_context(Loop(backend=backend)) for _ in range(3)]  # type: ignore[arg-type]
            sockets = [UdpSocket(loop, ('127.0.0.1', 0), relay=relay, receive_buffer=4 << 20) for loop in loops]
            with plain_socket() as end, plain_socket() as theirs:
                end.settimeout(0.01)
                relay.set_peers([RelayPeer(end.getsockname(), trusted=True)])
                sent = 0
                for number in range(500):
                    frame = encode(PUBLISH, cluster=CLUSTER, message=number.to_bytes(4, 'big') * 250)
                    for ours in sockets:
                        theirs.sendto(frame, (ours.address.host, ours.address.port))
                    try:
                        while True:
                            assert parse(end.recv(2000)).message[:4] == number.to_bytes(4, 'big')
                            sent += 1
                            break
                    except TimeoutError:
                        pass
                wait_until(lambda: relay.stats.received == 1500)
                assert (relay.stats.fresh, relay.stats.duplicate) == (500, 1000)
                assert relay.stats.forwarded == 500
            got = [datagram.id for loop in loops for datagram in loop.drain(10_000) if isinstance(datagram, Datagram)]
            assert len(got) == len(set(got)) == 500
            for ours in sockets:
                ours.close()

    def test_a_relay_that_nobody_holds(self, backend: str) -> None:
        """The socket keeps it, and its cache, until it is closed."""
        with Loop(backend=backend) as loop:  # type: ignore[arg-type]
            for _ in range(20):
                relay = Relay(Cache())
                relay.set_clusters([CLUSTER])
                relay.set_limits(FREELY)
                with UdpSocket(loop, ('127.0.0.1', 0), relay=relay) as ours, plain_socket() as theirs:
                    del relay
                    gc.collect()
                    inbox = Inbox(loop)
                    for number in range(20):
                        frame = encode(PUBLISH, cluster=CLUSTER, message=bytes([number]))
                        theirs.sendto(frame, (ours.address.host, ours.address.port))
                    inbox.datagrams(20)
                    frames = [encode(PUBLISH, cluster=CLUSTER, message=random.randbytes(1000)) for _ in range(50)]
                    ours.send_copies(frames, ours.address)  # under way when it is closed
                gc.collect()
