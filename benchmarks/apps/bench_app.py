"""Our side: an app whose commands do next to nothing, so that what is measured is the way there and back.

bench_app.py PROJECT
"""

from __future__ import annotations

import os
import sys

from socket_runtime import App

app = App.from_project(sys.argv[1], debug=False)


@app.command('bench.echo', inline=True)
def echo(x: int = 0) -> int:
    """The small call, answered on the GUI's thread."""
    return x


@app.command('bench.thread')
def echo_on_thread(x: int = 0) -> int:
    """The small call, answered by a worker's thread: what an author gets who asks for nothing."""
    return x


@app.command('bench.body')
def body(body: bytes) -> bytes:
    """A body that comes back."""
    return body


@app.command('bench.upload')
def upload(body: bytes) -> int:
    """How many bytes came."""
    return len(body)


@app.command('bench.flood')
def flood(count: int) -> None:
    """``count`` events, one by one; the runtime makes batches of them."""
    window = app.windows[0]
    for number in range(count):
        window.emit('tick', number)


@app.command('bench.report')
def report(body: bytes) -> None:
    """A line to standard output, where the harness reads."""
    # one write with its end, so that nothing of another thread comes between
    os.write(1, body + b'\n')


if __name__ == '__main__':
    sys.exit(app.run())
