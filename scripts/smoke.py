"""Use what is installed, once through every door of the core; `scripts/check_wheel.py` runs this where a wheel is new.

It needs nothing but the packages, and no network but the loopback.
"""

from __future__ import annotations

import sys
import time

import socket_core
from socket_core import _address, _cache, _packet, _relay, _udp
from socket_runtime import __version__
from socket_runtime.cli.main import main as ssc

LIMIT_SECONDS = 10.0
MESSAGE = b'hello'


def a_packet() -> _packet.Packet:
    datagram = socket_core.encode(socket_core.PUBLISH, cluster=bytes(32), clock=7, message=MESSAGE)
    packet = socket_core.parse(datagram)
    assert (packet.clock, packet.message) == (7, MESSAGE)
    return packet


def check_address() -> None:
    address = _address.Address('::ffff:192.0.2.1', 9777)
    assert address.host == '192.0.2.1'
    assert _address.Address.from_bytes(address.to_bytes()) == address


def check_cache() -> None:
    cache = _cache.Cache(1 << 20)
    packet = a_packet()
    assert cache.insert(packet, now=0.0) == _cache.KEPT
    assert cache.insert(packet, now=0.0) == _cache.KNOWN
    assert len(cache) == 1


def check_relay() -> None:
    """A packet comes in, is cached, and goes on to the one peer that there is."""
    cache = _cache.Cache(1 << 20)
    relay = _relay.Relay(cache)
    peer, sender = _address.Address('192.0.2.1', 1), _address.Address('192.0.2.2', 2)
    relay.set_peers([_relay.RelayPeer(peer)])
    sends, _ = relay.receive([(a_packet().data, sender)], now=1.0)
    assert [send.address for send in sends] == [peer]
    assert socket_core.parse(sends[0].data).hops == 1
    assert len(cache) == 1


def check_udp() -> None:
    """A datagram goes to another socket, and comes back."""
    with _udp.Loop() as loop:
        one = _udp.UdpSocket(loop, ('127.0.0.1', 0))
        two = _udp.UdpSocket(loop, ('127.0.0.1', 0))
        one.send(MESSAGE, two.address)
        end = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < end:
            loop.wait(0.1)
            for event in loop.drain():
                if not isinstance(event, _udp.Datagram):
                    continue
                if event.socket is one:
                    assert (event.data, event.address) == (MESSAGE, two.address)
                    return
                two.send(event.data, event.address)
    raise AssertionError(f'no echo within {LIMIT_SECONDS} s')


def main() -> int:
    check_address()
    check_cache()
    check_relay()
    check_udp()
    assert not any(_udp.handles_alive().values()), _udp.handles_alive()
    assert ssc(['--version']) == 0
    print('all well with', socket_core.__file__, __version__, 'and libuv', _udp.LIBUV_VERSION)
    return 0


if __name__ == '__main__':
    sys.exit(main())
