"""pyuv, as receiver and sender.

python -m benchmarks.core.peers.pyuv_loop receive|send [PORT]
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import pyuv

from benchmarks.core.peers.lines import Work, bound, converse, frame


def receive(loop: Any, handle: Any) -> Work:
    """Run the loop until enough came."""
    state = {'count': 0, 'wanted': 0}

    def received(handle: Any, address: Any, flags: int, data: bytes | None, error: int | None) -> None:
        if data is not None:
            state['count'] += 1
            if state['count'] == state['wanted']:
                loop.stop()

    handle.start_recv(received)
    giving_up = pyuv.Timer(loop)

    def work(count: int, seconds: float) -> int:
        state.update(count=0, wanted=count)
        # The loop has stood still, and so has its clock.
        loop.update_time()
        giving_up.start(lambda timer: loop.stop(), seconds, 0)
        loop.run()
        giving_up.stop()
        return state['count']

    return work


def send(handle: Any, port: int) -> Work:
    """Send at once, one call for each."""
    frames, target = [frame(0, index) for index in range(64)], ('127.0.0.1', port)

    def work(count: int, seconds: float) -> int:
        try_send = handle.try_send
        for data in itertools.islice(itertools.cycle(frames), count):
            try_send(target, data)
        return count

    return work


def main(mode: str, *ports: str) -> None:
    """Answer in one of the modes."""
    own, loop = bound(), pyuv.Loop()
    handle = pyuv.UDP(loop)
    own.setblocking(False)
    handle.open(own.fileno())
    converse(own.getsockname()[1], send(handle, int(ports[0])) if mode == 'send' else receive(loop, handle))


if __name__ == '__main__':
    main(*sys.argv[1:])
