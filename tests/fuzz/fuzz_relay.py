"""A relay that hears anything, from anybody, at any time, sends only frames, and only to its peers.

The input is a tape of calls. Every datagram is counted once; what goes on is one of those that came in, a hop further;
no copy goes back to whom it came from; and the cache stays whole (F12, F15).
"""

from __future__ import annotations

from socket_core import MESSAGE_MAX_BYTES, PUBLISH, ProtocolError, encode, parse
from socket_core._address import Address
from socket_core._cache import Cache
from socket_core._relay import CHECKED, DO_CACHE, DO_FORWARD, HASHED, Delivery, Limits, Relay, RelayPeer, Send
from tests.fuzz.runner import main
from tests.fuzz.tape import Tape

BUDGET_BYTES = 256 * 1024
MAX_HOPS = 4
HOURS_6 = 6 * 3600.0
CLUSTERS = [bytes([number]) * 32 for number in range(3)]
HOSTS = ('192.0.2.1', '192.0.2.2', '198.51.100.7', '2001:db8::1', '2001:db8::2', '::ffff:192.0.2.1')
ADDRESSES = [Address(host, port) for host in HOSTS for port in (1, 65535)]
# What is counted of a datagram: one of these.
OUTCOMES = ('malformed_short', 'malformed_long', 'malformed_version', 'malformed_type', 'blocked', 'limited', 'ignored')
OUTCOMES += ('control', 'fresh', 'duplicate', 'revived')

PEERS = b'\x03\x05' + bytes(range(10))
HEAR = b'\x00\x02' + b'\x01\x05\x00\x07\x01\x02\x00\x20hello' + b'\x00\x03\x0012'
CORPUS = [
    PEERS + HEAR,
    PEERS + HEAR * 3 + b'\x02\x00\x01\x02\x03' + b'\x06\xff' + b'\x01' * 4,
    PEERS + b'\x05\x00\x01' * 2 + HEAR * 4 + b'\x08',
    PEERS + b'\x04\x02\x01\x02' + HEAR + b'\x07\x05\x0f' + HEAR,
]
DICTIONARY = [PEERS, HEAR, b'\x00\x3f', b'\x06\xff', b'\x01\x01', b'\x08']


class Run:
    """One relay and its tape."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.now = 1.0
        self.cache = Cache(BUDGET_BYTES, key=bytes(16))
        self.relay = Relay(self.cache, max_hops=MAX_HOPS, seen_bytes=8192, key=bytes(16))
        self.relay.set_clusters(CLUSTERS[:1])
        self.peers: set[Address] = set()
        self.ids: set[bytes] = set()
        self.heard = 0
        self.relays_what_is_published = True

    def datagram(self) -> bytes:
        tape = self.tape
        if tape.number(2) == 0:
            return tape.take(tape.number(2048))
        kind, clock, hops = 1 + tape.number(10), tape.number(8), tape.number(8)
        cluster = tape.choose(CLUSTERS)
        message = tape.take(tape.number(MESSAGE_MAX_BYTES + 1))
        return encode(kind, cluster=cluster, clock=clock, hops=hops, message=message)

    def receive(self) -> None:
        heard = [(self.datagram(), self.tape.choose(ADDRESSES)) for _ in range(self.tape.number(80))]
        sends, deliveries = self.relay.receive(heard, self.now)
        self.heard += len(heard)
        for datagram, _ in heard:
            try:
                self.ids.add(parse(datagram).id)
            except ProtocolError:
                continue
        for delivery in deliveries:
            self.check_delivery(delivery, heard)
        assert [delivery.index for delivery in deliveries] == sorted({delivery.index for delivery in deliveries})
        self.check_sends(sends)
        from_one = {source for _, source in heard}
        assert len(from_one) != 1 or all(send.address not in from_one for send in sends)

    def check_delivery(self, delivery: Delivery, heard: list[tuple[bytes, Address]]) -> None:
        datagram = heard[delivery.index][0]
        if delivery.flags & CHECKED:
            packet = parse(datagram)
            assert bool(delivery.flags & HASHED) == (delivery.id is not None)
            assert delivery.id in (None, packet.id)

    def check_sends(self, sends: list[Send]) -> None:
        for send in sends:
            packet = parse(send.data)
            assert packet.id in self.ids
            assert packet.hops <= MAX_HOPS
            assert send.address in self.peers

    def publish(self) -> None:
        message = self.tape.take(self.tape.number(64))
        packet = parse(encode(PUBLISH, cluster=self.tape.choose(CLUSTERS), message=message))
        try:
            _, identity, sends = self.relay.publish(packet, self.now)
        except ValueError:
            assert not self.relays_what_is_published
            return
        assert identity == packet.id
        self.ids.add(identity)
        self.check_sends(sends)

    def tick(self) -> None:
        due, sends = self.relay.tick(self.now)
        assert due is None or due > self.now
        self.check_sends(sends)

    def set_peers(self) -> None:
        peers: dict[Address, RelayPeer] = {}
        for kind in self.tape.take(self.tape.number(8)):
            address = self.tape.choose(ADDRESSES)
            peers[address] = RelayPeer(address, trusted=bool(kind & 1), forward=not kind & 2)
        self.relay.set_peers(peers.values())
        self.peers = set(peers)

    def set_blocked(self) -> None:
        self.relay.set_blocked([self.tape.choose(ADDRESSES).with_port(0) for _ in range(self.tape.number(4))])

    def set_limits(self) -> None:
        rates = (self.tape.number(256), self.tape.number(256))
        self.relay.set_limits(Limits(stranger=rates, peer=rates, group=rates, total=rates))

    def wait(self) -> None:
        self.now += self.tape.number(256) * self.tape.choose((0.001, 1.0, HOURS_6 / 16))

    def set_actions(self) -> None:
        kind, actions = 1 + self.tape.number(10), self.tape.number(16)
        self.relay.set_actions({kind: actions})
        self.relays_what_is_published = kind == PUBLISH and bool(actions & (DO_CACHE | DO_FORWARD))

    def offenders(self) -> None:
        assert len(self.relay.offenders(limit=4)) <= 4

    def check(self) -> None:
        stats = self.relay.stats
        assert stats.received == self.heard == sum(getattr(stats, name) for name in OUTCOMES)
        self.cache.check()
        assert self.cache.stats.used_bytes <= BUDGET_BYTES


CALLS = (
    Run.receive,
    Run.tick,
    Run.publish,
    Run.set_peers,
    Run.set_blocked,
    Run.set_limits,
    Run.wait,
    Run.set_actions,
    Run.offenders,
)


def fuzz_one(data: bytes) -> None:
    tape = Tape(data)
    run = Run(tape)
    while tape:
        tape.choose(CALLS)(run)
    run.check()


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
