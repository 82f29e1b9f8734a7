"""A guest on a loop of the real pyuv: its timers and sockets and ours, side by side on one thread.

`packaging/pyuv/install` brings it; `docs/pyuv.md` says what these tests show.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
import time
import venv
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

from socket_core._udp import Closed, ClosedError, Datagram, Fired, Loop, LoopError, Timer, UdpSocket, handles_alive
from tests.support.skips import skip_loudly
from tests.support.udp import (
    ROOT,
    SECONDS,
    Inbox,
    environment,
    kernel_drops,
    place,
    plain_socket,
    run_code,
    start_sender,
)

T = TypeVar('T')
HAS_PYUV = importlib.util.find_spec('pyuv') is not None


@pytest.fixture
def pyuv() -> ModuleType:
    """The module, where it is installed."""
    need_pyuv()
    import pyuv  # type: ignore[import-not-found]

    return pyuv  # type: ignore[no-any-return]


def need_pyuv() -> None:
    """Skip the test where it is not."""
    if not HAS_PYUV:
        skip_loudly('pyuv is missing', 'packaging/pyuv/install .venv/bin/python')


class Host:
    """A pyuv loop that runs on a thread of its own, until it is stopped."""

    def __init__(self, pyuv: ModuleType) -> None:
        self.pyuv = pyuv
        self.loop = pyuv.Loop()
        self.stopper = pyuv.Async(self.loop, lambda handle: self.loop.stop())
        self.caller = pyuv.Async(self.loop, lambda handle: self.calls.popleft()())
        self.calls: deque[Callable[[], None]] = deque()
        self.thread = threading.Thread(target=self.loop.run)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Ends the run; what is open stays so."""
        self.stopper.send()
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()

    def call(self, function: Callable[[], T]) -> T:
        """Run a function on the loop's thread, as pyuv's own handles have to be made; its result or its exception."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self.calls.append(run)
        self.caller.send()
        return future.result(SECONDS)

    def join(self) -> Loop:
        """A guest on the running loop."""
        return self.call(lambda: Loop.from_pyuv(self.loop))

    def clear(self) -> None:
        """Close all that is pyuv's, and let the loop see it."""
        for handle in self.loop.handles:
            if not handle.closed:
                handle.close()
        for _ in range(10):
            self.loop.run(self.pyuv.UV_RUN_NOWAIT)  # never waits: a test that has failed may have left anything
        assert self.loop.handles == []


@pytest.fixture
def host(pyuv: ModuleType) -> Iterator[Host]:
    """A loop of pyuv's that is not running yet."""
    host = Host(pyuv)
    yield host
    if host.thread.is_alive():
        host.stop()
    host.clear()


def test_ours_and_theirs_on_one_loop(pyuv: ModuleType, host: Host) -> None:
    """40,000 datagrams for us, 150 for pyuv's socket and its timer, while the main thread spins: nothing is lost."""
    ticks: list[float] = []
    theirs_got: list[bytes] = []
    timer = pyuv.Timer(host.loop)
    timer.start(lambda handle: ticks.append(time.monotonic()), 0.001, 0.005)
    theirs = pyuv.UDP(host.loop)
    theirs.bind(('127.0.0.1', 0))
    theirs.start_recv(lambda handle, address, flags, data, error: theirs_got.append(data))

    guest = Loop.from_pyuv(host.loop, ring_bytes=64 << 20)
    ours = UdpSocket(guest, ('127.0.0.1', 0), receive_buffer=4 << 20)
    host.start()
    count = 40_000
    sender = start_sender(place(ours), count, rate=20_000, size=1158)
    sent = spins = 0
    end = time.monotonic() + 15
    while sender.poll() is None and time.monotonic() < end:
        spins += 1
        if sent < 150 and spins % 20 == 0:
            ours.send(sent.to_bytes(2, 'big'), theirs.getsockname())
            sent += 1
    assert sender.wait() == 0
    count -= kernel_drops(ours.address.port)  # none, where the machine has time
    inbox = Inbox(guest)
    numbers = [int.from_bytes(datagram.data[:4], 'big') for datagram in inbox.datagrams(count)]
    assert numbers == sorted(set(numbers))
    assert ours.stats.received == count
    while sent < 150:
        ours.send(sent.to_bytes(2, 'big'), theirs.getsockname())
        sent += 1
    while len(theirs_got) < 150 and time.monotonic() < end + 5:
        time.sleep(0.01)
    assert theirs_got == [number.to_bytes(2, 'big') for number in range(150)]
    assert len(ticks) > 5
    assert (ours.stats.dropped, ours.stats.errors) == (0, {})
    guest.close()
    # pyuv's loop goes on without us.
    before = len(ticks)
    while len(ticks) < before + 5 and time.monotonic() < end + 10:
        time.sleep(0.005)
    assert len(ticks) >= before + 5
    assert host.thread.is_alive()


def test_handles_may_be_opened_before_and_during_the_run(host: Host) -> None:
    with Loop.from_pyuv(host.loop) as guest:
        inbox = Inbox(guest)
        before = UdpSocket(guest, ('127.0.0.1', 0))
        before.send(b'early', before.address)
        host.start()
        assert inbox.datagram().data == b'early'
        with UdpSocket(guest, ('::1', 0)) as during, Timer(guest, 0.001) as timer:
            during.send(b'six', during.address)
            assert inbox.datagram().data == b'six'
            assert inbox.take(Fired)[0].timer is timer
        assert len(inbox.take(Closed, 2)) == 2
        before.close()
        assert inbox.take(Closed)[0].handle is before


def test_what_a_guest_is(host: Host) -> None:
    with Loop.from_pyuv(host.loop) as guest:
        assert guest.backend in ('poll', 'udp')
        assert not guest.closed
        assert guest.fileno() >= 0
        assert guest.fileno() != host.loop.fileno()
        host.start()
    assert guest.closed
    for call in (lambda: UdpSocket(guest), lambda: Timer(guest, 1)):
        with pytest.raises(ClosedError):
            call()  # type: ignore[no-untyped-call]


def test_walking_the_handles_of_the_loop(pyuv: ModuleType, host: Host) -> None:
    """pyuv looks into the memory behind every handle on its loop; ours are not among the ones that it shows."""
    with Loop.from_pyuv(host.loop) as guest:
        sockets = [UdpSocket(guest, ('127.0.0.1', 0)) for _ in range(5)]
        timers = [Timer(guest, 1000) for _ in range(5)]
        theirs = {host.stopper, host.caller}
        assert set(host.loop.handles) == theirs
        host.start()
        inbox = Inbox(guest)
        for number in range(200):
            assert host.call(lambda: set(host.loop.handles)) == theirs
            sockets[number % 5].send(b'x', sockets[0].address)
            inbox.datagram()
        for handle in (*sockets, *timers):
            handle.close()
        inbox.take(Closed, 10)
        assert host.call(lambda: set(host.loop.handles)) == theirs


def test_two_guests_on_one_loop(host: Host) -> None:
    """Each has its ring; or the second is refused by name."""
    with Loop.from_pyuv(host.loop) as one:
        host.start()
        try:
            two = host.join()
        except LoopError as error:
            assert str(error)
            return
        with two, UdpSocket(one, ('127.0.0.1', 0)) as first, UdpSocket(two, ('127.0.0.1', 0)) as second:
            first.send(b'to two', second.address)
            assert Inbox(two).datagram().data == b'to two'
            second.send(b'to one', first.address)
            assert Inbox(one).datagram().data == b'to one'
            assert one.drain() == two.drain() == []


def test_a_guest_after_a_guest(host: Host) -> None:
    host.start()
    for _ in range(50):
        with host.join() as guest, UdpSocket(guest, ('127.0.0.1', 0)) as ours:
            ours.send(b'x', ours.address)
            assert Inbox(guest).datagram().data == b'x'
    assert host.thread.is_alive()


def test_closing_while_pyuv_does_not_run(host: Host) -> None:
    """Nobody turns the loop: our handles are closed for their users at once, and for good when it turns again."""
    guest = Loop.from_pyuv(host.loop)
    ours = UdpSocket(guest, ('127.0.0.1', 0))
    to = place(ours)
    guest.close(0.2)
    assert guest.closed
    assert ours.closed
    with pytest.raises(ClosedError):
        ours.send(b'x', ours.address)
    host.start()
    end = time.monotonic() + SECONDS
    while any(handles_alive().values()) and time.monotonic() < end:
        time.sleep(0.002)
    with plain_socket('127.0.0.1', to[1]):
        pass


def test_closing_after_pyuv_was_stopped(host: Host) -> None:
    """From another thread than the one that ran it: that waits, says so in the end, and goes on when the loop does."""
    guest = Loop.from_pyuv(host.loop)
    ours = UdpSocket(guest, ('127.0.0.1', 0))
    host.start()
    ours.send(b'x', ours.address)
    assert guest.wait(SECONDS)
    host.stop()
    with pytest.raises(LoopError, match='pyuv'):
        guest.close(0.1)
    assert guest.closed
    assert ours.closed
    for _ in range(3):
        host.loop.run(host.pyuv.UV_RUN_NOWAIT)
    guest.close(0.1)
    assert not any(handles_alive().values())


def test_traffic_while_the_guest_closes(host: Host) -> None:
    host.start()
    for _ in range(10):
        guest = host.join()
        sockets = [UdpSocket(guest, ('127.0.0.1', 0)) for _ in range(4)]
        for ours in sockets:
            ours.send_many([(bytes(500), other.address) for other in sockets] * 20)
        guest.close()
        assert all(ours.closed for ours in sockets)
        assert not any(handles_alive().values())


def test_callbacks_of_pyuv_use_our_handles(pyuv: ModuleType, host: Host) -> None:
    """On the loop's own thread: nothing there may wait for that thread."""
    with Loop.from_pyuv(host.loop) as guest:
        ours = UdpSocket(guest, ('127.0.0.1', 0))
        errors: list[BaseException] = []
        done = threading.Event()
        turns = 0

        def tick(handle: Any) -> None:
            nonlocal turns
            try:
                turns += 1
                ours.send(turns.to_bytes(2, 'big'), ours.address)
                for event in guest.drain():
                    assert isinstance(event, (Datagram, Closed, Fired))
                with UdpSocket(guest, ('127.0.0.1', 0)) as other, Timer(guest, 0):
                    other.send(b'x', ours.address)
                    other.connect(ours.address)
                    ours.pause()
                    ours.resume()
                if turns == 200:
                    handle.close()
                    done.set()
            except BaseException as error:
                errors.append(error)
                handle.close()
                done.set()

        timer = pyuv.Timer(host.loop)
        timer.start(tick, 0, 0.001)
        host.start()
        assert done.wait(SECONDS)
        assert errors == []


def test_the_guest_is_closed_by_a_callback_of_pyuv(pyuv: ModuleType, host: Host) -> None:
    guest = Loop.from_pyuv(host.loop)
    ours = UdpSocket(guest, ('127.0.0.1', 0))
    done = threading.Event()
    errors: list[BaseException] = []

    def close(handle: Any) -> None:
        try:
            guest.close()
        except BaseException as error:
            errors.append(error)
        handle.close()
        done.set()

    timer = pyuv.Timer(host.loop)
    timer.start(close, 0, 0)
    host.start()
    assert done.wait(SECONDS)
    assert errors == []
    assert ours.closed
    end = time.monotonic() + 5
    while any(handles_alive().values()) and time.monotonic() < end:
        time.sleep(0.005)


# Each is what a program does to the two loops, in the wrong order or not at all; it may be told so, and may not crash.
ORDERS = {
    'ours first': 'guest.close(); uv.stop(); stopper.send(); thread.join(); stopper.close(); uv.run(); del uv',
    'theirs is stopped first': 'stopper.send(); thread.join(); close(guest); stopper.close(); uv.run(); del uv, guest',
    'theirs is dropped first': 'stopper.send(); thread.join(); stopper.close(); uv.run(pyuv.UV_RUN_NOWAIT); del stopper, uv; gc.collect(); ours.send(b"x", ours.address); close(guest)',
    'all names are dropped': 'stopper.send(); thread.join(); del ours, timer, guest, stopper, uv; gc.collect()',
    'nothing is closed': 'stopper.send(); thread.join()',
    'it is still running': 'pass',
    'a daemon goes on': 'for _ in range(50): ours.send(b"x", ours.address)',
    'in another order': 'uv.stop(); stopper.send(); thread.join(); ours.close(); close(guest); timer.close(); stopper.close(); del uv; gc.collect()',
}

ORDER = """
import gc, sys, threading, time, warnings
warnings.simplefilter('ignore', ResourceWarning)
import pyuv
from socket_core._udp import *

def close(loop):
    try:
        loop.close(0.2)
    except LoopError as error:
        assert 'pyuv' in str(error)

uv = pyuv.Loop()
guest = Loop.from_pyuv(uv)
ours = UdpSocket(guest, ('127.0.0.1', 0))
timer = Timer(guest, 0.001, 0.001)
stopper = pyuv.Async(uv, lambda handle, uv=uv: uv.stop())
thread = threading.Thread(target=uv.run, daemon=True)
thread.start()
ours.send(b'x', ours.address)
assert guest.wait(10)
"""


@pytest.mark.parametrize('order', ORDERS)
def test_orders_of_closing(order: str) -> None:
    need_pyuv()
    for _ in range(2):
        result = run_code(ORDER + ORDERS[order])
        assert (result.returncode, result.stderr) == (0, ''), f'{order}: {result.stderr}'


def test_the_default_loop(pyuv: ModuleType) -> None:
    """It is the process' own, and a guest is as welcome there."""
    result = run_code(
        """
import pyuv
from socket_core._udp import Loop, UdpSocket
uv = pyuv.Loop.default_loop()
with Loop.from_pyuv(uv) as guest, UdpSocket(guest, ('127.0.0.1', 0)) as ours:
    ours.send(b'x', ours.address)
    timer = pyuv.Timer(uv)
    timer.start(lambda handle: (handle.close(), uv.stop()), 0.05, 0)
    uv.run()
    assert guest.drain()[0].data == b'x'
"""
    )
    assert (result.returncode, result.stderr) == (0, '')


def test_without_a_thread(pyuv: ModuleType) -> None:
    """The program turns pyuv's loop itself, and drains between the turns."""
    uv = pyuv.Loop()
    guest = Loop.from_pyuv(uv)
    inbox = Inbox(guest)
    ours = UdpSocket(guest, ('127.0.0.1', 0))
    got = 0
    ours.send(b'x', ours.address)
    for _ in range(5000):
        uv.run(pyuv.UV_RUN_NOWAIT)
        inbox.pump()
        for datagram in inbox.take(Datagram, inbox.count(Datagram)):
            got += 1
            if got < 500:
                ours.send(datagram.data, datagram.address)
        if got == 500:
            break
    assert got == 500
    ours.close()
    uv.run(pyuv.UV_RUN_NOWAIT)
    guest.close(0.2)
    for _ in range(3):
        uv.run(pyuv.UV_RUN_NOWAIT)
    assert uv.handles == []


def test_the_largest_datagrams_do_not_end_pyuv(pyuv: ModuleType, host: Host) -> None:
    """pyuv aborts the process for a datagram that was cut off; its buffer holds the largest of both families."""
    got: list[int] = []
    for family, size in (('127.0.0.1', 65507), ('::1', 65527)):
        theirs = pyuv.UDP(host.loop)
        theirs.bind((family, 0))
        theirs.start_recv(lambda handle, address, flags, data, error: got.append(len(data)))
        with plain_socket(family) as sender:
            sender.sendto(bytes(size), theirs.getsockname()[:2])
    host.start()
    end = time.monotonic() + 5
    while len(got) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    assert sorted(got) == [65507, 65527]


def test_other_things_are_no_loops_of_pyuvs(pyuv: ModuleType) -> None:
    class Own(pyuv.Loop):  # type: ignore[misc, name-defined]
        """A subclass is one, whatever its layout."""

        __slots__ = ('extra',)

    class Fake:
        """Something that calls itself so."""

    Fake.__name__ = Fake.__qualname__ = 'Loop'
    Fake.__module__ = 'pyuv._cpyuv'
    for wrong in (None, pyuv, pyuv.Loop, pyuv.Timer(pyuv.Loop()), Fake(), object()):
        with pytest.raises((TypeError, LoopError)):
            Loop.from_pyuv(wrong)
    uv = Own()
    try:
        guest = Loop.from_pyuv(uv)
    except (TypeError, LoopError):
        return
    with UdpSocket(guest, ('127.0.0.1', 0)) as ours:
        ours.send(b'x', ours.address)
        for _ in range(10):
            uv.run(pyuv.UV_RUN_NOWAIT)
    guest.close(0.2)
    for _ in range(3):
        uv.run(pyuv.UV_RUN_NOWAIT)


def test_a_loop_that_was_never_initialised(pyuv: ModuleType) -> None:
    """Its memory says nothing; looked at, it is refused."""
    with pytest.raises((TypeError, LoopError)):
        Loop.from_pyuv(object.__new__(type('Loop', (), {})))


def test_pyuv_is_not_needed() -> None:
    """Neither to import the core nor to be told that something is no loop of pyuv's."""
    result = run_code(
        """
import sys
sys.modules['pyuv'] = None
from socket_core._udp import Loop, LoopError
for wrong in (None, object()):
    try:
        Loop.from_pyuv(wrong)
    except (TypeError, LoopError) as error:
        assert 'pyuv' in str(error), error
    else:
        raise AssertionError
"""
    )
    assert (result.returncode, result.stderr) == (0, '')


BUNDLED = """
import pyuv
from socket_core._udp import Loop, LoopError, UdpSocket
from tests.support.udp import Inbox
uv = pyuv.Loop()
try:
    Loop.from_pyuv(uv)
except LoopError as error:
    print(error)
# Side by side they do not disturb each other.
with Loop() as own, UdpSocket(own, ('127.0.0.1', 0)) as ours:
    got = []
    theirs = pyuv.UDP(uv)
    theirs.bind(('127.0.0.1', 0))
    theirs.start_recv(lambda handle, address, flags, data, error: (got.append(data), handle.close()))
    ours.send(b'to pyuv', theirs.getsockname())
    uv.run()
    assert got == [b'to pyuv']
    ours.send(b'x', ours.address)
    assert Inbox(own).datagram().data == b'x'
"""


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_pyuv_with_a_libuv_of_its_own_is_refused(tmp_path: Path) -> None:
    """Built as `pip` builds it, with the libuv in its source: another library, whose loops we cannot share."""
    venv.create(tmp_path / 'venv', with_pip=True)
    python = tmp_path / 'venv' / 'bin' / 'python'
    recipe = ROOT / 'packaging' / 'pyuv'
    with_header = {**os.environ, 'CFLAGS': f"-include '{recipe / 'pyuv_compat.h'}'"}
    command = [
        str(python),
        '-m',
        'pip',
        'install',
        '--quiet',
        '--no-cache-dir',
        '--no-deps',
        '-r',
        str(recipe / 'requirements.txt'),
    ]
    subprocess.run(command, env=with_header, check=True)
    result = subprocess.run([str(python), '-c', BUNDLED], env=environment(), capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stderr) == (0, '')
    assert 'libuv' in result.stdout
    assert 'packaging/pyuv' in result.stdout or 'docs/pyuv' in result.stdout or 'system' in result.stdout


@pytest.mark.skipif(sys.platform == 'win32', reason='a script of bash')
class TestRecipe:
    """The script, with stand-ins for what it calls."""

    def run(self, tmp_path: Path, *, libuv: bool) -> subprocess.CompletedProcess[str]:
        for name, body in {
            'pkg-config': 'case "$*" in *--exists*) '
            + ('exit 0' if libuv else 'exit 1')
            + ';; *--cflags*) echo -I/uv ;; *) echo -L/uv ;; esac',
            'python': 'echo "$CFLAGS|$LDFLAGS|$DIST_EXTRA_CONFIG|$*"',
        }.items():
            path = tmp_path / name
            path.write_text(f'#!/bin/sh\n{body}\n')
            path.chmod(0o755)
        stand_ins = {'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'CFLAGS': '-O1'}
        script = ROOT / 'packaging' / 'pyuv' / 'install'
        return subprocess.run(['bash', str(script)], env=stand_ins, capture_output=True, text=True)

    def test_it_says_what_is_missing(self, tmp_path: Path) -> None:
        result = self.run(tmp_path, libuv=False)
        assert (result.returncode, result.stdout) == (3, '')
        assert 'libuv1-dev' in result.stderr

    def test_it_hands_the_header_to_the_compiler(self, tmp_path: Path) -> None:
        result = self.run(tmp_path, libuv=True)
        assert (result.returncode, result.stderr) == (0, '')
        install, check = result.stdout.splitlines()
        flags, link, config, arguments = install.split('|')
        assert flags == f"-include '{ROOT}/packaging/pyuv/pyuv_compat.h' -I/uv -O1"
        assert link.strip() == '-L/uv'
        assert Path(config).read_text().count('use-system-libuv') == 1
        assert '--no-cache-dir' in arguments and '--require-hashes' in arguments
        assert 'import pyuv' in check
