"""Our side: the compiled core, as receiver, sender and relay.

    python -m benchmarks.core.peers.ours count|batches|read|counted|asyncio|relay|send|send-copies [PORT...]
        [--path NAME] [--gro] [--spin]

| mode | what happens to a datagram |
|---|---|
| `count` | the loop's thread receives and checks it; a relay that has nothing to do with it drops it |
| `batches` | Python gets it from `drain`, in a batch |
| `read` | the same, and Python reads the bytes of each |
| `counted` | the same as `batches`, but the socket is never paused: packets come at their own pace |
| `asyncio` | the same as `batches`, where asyncio watches the loop's file descriptor |
| `relay` | check, id, seen?, cache, and on to three of the ports, where there are any |

In `count` and `relay` Python has no part in it, so the clock is that of the other threads: this one only looks now and
then whether all has come. In the other modes all threads of the process count.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.core.peers.lines import BUFFER, Work, converse, frame, spin
from socket_core._address import Address
from socket_core._packet import GROUP, PING, PUBLISH, force_sha256
from socket_core._udp import Datagram, Loop, UdpSocket

if TYPE_CHECKING:
    from socket_core._relay import Relay

# More than can be in the socket's buffer, so that the ring never drops what was queued beforehand.
RING_BYTES = 4 * 1024 * 1024
# The default, with the Python thread that hinders: what the ring must hold is what comes in a few switch intervals.
DEFAULT_RING_BYTES = 1024 * 1024
UNLIMITED = (2**32 - 1, 2**32 - 1)
# Seldom: each look takes a processor from the loop where there are few.
LOOK_SECONDS = 0.002


def others_cpu_ns() -> int:
    """CPU time of all threads of this process but this one."""
    own, total = threading.get_native_id(), 0
    for name in os.listdir('/proc/self/task'):
        if int(name) != own:
            # The kernel's number for the CPU clock of a thread: ~tid << 3, 4 for a thread, 2 for its scheduled time.
            try:
                total += time.clock_gettime_ns((~int(name) << 3) | 6)
            except OSError:
                continue
    return total


def settled(count: int, seconds: float, seen: Callable[[], int]) -> int:
    """Wait without haste until `count` have been seen and the other threads have come to rest; how many there were."""
    end = time.monotonic() + seconds
    while (now := seen()) < count and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
    cpu = others_cpu_ns()
    while True:
        time.sleep(LOOK_SECONDS)
        before, cpu = cpu, others_cpu_ns()
        if cpu == before:
            return now


def drop(loop: Loop, gro: bool) -> tuple[UdpSocket, Work]:
    """Receive, check, and nothing else: no type asks for anything."""
    from socket_core._relay import Relay

    relay = Relay()
    relay.set_actions(dict.fromkeys(range(PING, GROUP + 1), 0))
    return relaying(loop, relay, lambda: relay.stats.ignored, gro)


def relaying(loop: Loop, relay: Relay, done: Callable[[], int], gro: bool = False) -> tuple[UdpSocket, Work]:
    """Feed a relay from a socket that listens only while it is asked to. `done` tells what became of the packets."""
    from socket_core._relay import Limits

    relay.set_limits(Limits(stranger=UNLIMITED, peer=UNLIMITED, group=UNLIMITED, total=UNLIMITED))
    own = UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=BUFFER, send_buffer=BUFFER, relay=relay, gro=gro)
    own.pause()

    def work(count: int, seconds: float) -> int:
        begin = done()
        own.resume()
        packets = settled(count, seconds, lambda: done() - begin)
        own.pause()
        return packets

    return own, work


def relay(loop: Loop, ports: list[int]) -> tuple[UdpSocket, Work]:
    """The whole hot way. One source may fill the cache: the benchmark has one sender only."""
    from socket_core._cache import Cache
    from socket_core._relay import DO_CACHE, DO_FORWARD, Relay, RelayPeer

    made = Relay(Cache(source_share=1.0, group_share=1.0))
    made.set_actions({PUBLISH: DO_CACHE | DO_FORWARD})
    made.set_peers([RelayPeer(Address('127.0.0.1', port)) for port in ports])
    return relaying(loop, made, lambda: made.stats.cached)


def batches(loop: Loop, read: bool, gro: bool) -> tuple[UdpSocket, Work]:
    """Wait and drain, in this thread."""
    own = UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=BUFFER, gro=gro)
    own.pause()

    def work(count: int, seconds: float) -> int:
        done, size = 0, 0
        end = time.monotonic() + seconds
        own.resume()
        while done < count and loop.wait(max(0.0, end - time.monotonic())):
            batch = loop.drain()
            if read:
                for event in batch:
                    if isinstance(event, Datagram):
                        size += len(event.data)
            done += len(batch)
        own.pause()
        return done

    return own, work


def counted(loop: Loop) -> tuple[UdpSocket, Work]:
    """As `batches`, but only datagrams count, and the socket is never paused: packets come at their own pace."""
    own = UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=BUFFER)

    def work(count: int, seconds: float) -> int:
        done = 0
        end = time.monotonic() + seconds
        while done < count and loop.wait(max(0.0, end - time.monotonic())):
            done += sum(type(event) is Datagram for event in loop.drain())
        return done

    return own, work


def by_asyncio(loop: Loop) -> tuple[UdpSocket, Work]:
    """asyncio watches the loop's file descriptor."""
    own = UdpSocket(loop, ('127.0.0.1', 0), receive_buffer=BUFFER, gro=False)
    own.pause()
    watching = asyncio.new_event_loop()
    state = {'done': 0, 'wanted': 0}

    def readable() -> None:
        state['done'] += len(loop.drain())
        if state['done'] >= state['wanted']:
            watching.stop()

    watching.add_reader(loop.fileno(), readable)

    def work(count: int, seconds: float) -> int:
        state.update(done=0, wanted=count)
        own.resume()
        giving_up = watching.call_later(seconds, watching.stop)
        watching.run_forever()
        giving_up.cancel()
        own.pause()
        return state['done']

    return own, work


def send(loop: Loop, port: int, copies: bool, gso: bool) -> tuple[UdpSocket, Work]:
    """64 at once, from this thread; then until the loop has sent what was queued."""
    own = UdpSocket(loop, ('127.0.0.1', 0), send_buffer=BUFFER, gro=gso)
    target = Address('127.0.0.1', port)
    frames = [frame(0, index) for index in range(64)]
    pairs = [(data, target) for data in frames]

    def work(count: int, seconds: float) -> int:
        done = 0
        end = time.monotonic() + seconds
        while done < count and time.monotonic() < end:
            left = count - done
            if copies:
                done += own.send_copies(frames if left >= len(frames) else frames[:left], target)
            else:
                done += own.send_many(pairs if left >= len(pairs) else pairs[:left])
        while own.queued_bytes and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
        return done

    return own, work


def main(arguments: list[str]) -> None:
    """Answer in one of the modes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('mode')
    parser.add_argument('ports', nargs='*', type=int)
    parser.add_argument('--path')
    parser.add_argument('--gro', action='store_true')
    parser.add_argument('--spin', action='store_true')
    options = parser.parse_args(arguments)
    if options.path:
        force_sha256(options.path)
    if options.spin:
        spin()
    with Loop(ring_bytes=DEFAULT_RING_BYTES if options.mode == 'counted' else RING_BYTES) as loop:
        made = {
            'count': lambda: drop(loop, options.gro),
            'batches': lambda: batches(loop, False, options.gro),
            'read': lambda: batches(loop, True, options.gro),
            'counted': lambda: counted(loop),
            'asyncio': lambda: by_asyncio(loop),
            'relay': lambda: relay(loop, options.ports),
            'send': lambda: send(loop, options.ports[0], False, options.gro),
            'send-copies': lambda: send(loop, options.ports[0], True, options.gro),
        }
        own, work = made[options.mode]()
        alone = options.mode in ('count', 'relay')
        converse(own.address.port, work, others_cpu_ns if alone else time.process_time_ns)


if __name__ == '__main__':
    main(sys.argv[1:])
