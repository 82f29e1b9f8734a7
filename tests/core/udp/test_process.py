"""What happens to the process: it forks, ends, runs out of files, is interrupted. Programs of their own show it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.support.skips import skip_loudly
from tests.support.udp import environment, is_sanitized, run_code

posix = pytest.mark.skipif(sys.platform == 'win32', reason='Windows has no fork, and signals of another kind')

START = """
import gc, os, signal, sys, threading, time, warnings
from socket_core._udp import *
from socket_core._udp import handles_alive
from tests.support.udp import Inbox, open_files

backend = sys.argv[1]
loop = Loop(backend=backend)
ours = UdpSocket(loop, ('127.0.0.1', 0))
timer = Timer(loop, 0.001, 0.001)
ours.send(b'x', ours.address)
"""

# Each is what a program does last, or leaves undone.
ENDINGS = {
    'nothing is closed': '',
    'nothing is closed, events wait': 'ours.send_many([(bytes(1000), ours.address)] * 200); time.sleep(0.02)',
    'a relative is closed': 'ours.close()',
    'all is closed': 'loop.close()',
    'names are gone, cycles are left': 'cycle = [loop, ours]; cycle.append(cycle); del loop, ours, timer',
    'a thread drains': """
def drain():
    try:
        while True:
            loop.wait(1)
            for event in loop.drain():
                if isinstance(event, Datagram):
                    event.socket.send(event.data, event.address)
    except ClosedError:
        pass
threading.Thread(target=drain, daemon=True).start()
time.sleep(0.01)
""",
    'a thread waits': 'timer.stop(); threading.Thread(target=loop.wait, daemon=True).start(); time.sleep(0.01)',
    'threads send': """
def send():
    try:
        while True:
            ours.send_many([(bytes(100), ours.address)] * 10)
    except ClosedError:
        pass
for _ in range(2):
    threading.Thread(target=send, daemon=True).start()
time.sleep(0.01)
""",
    'an exception ends it': 'sys.excepthook = lambda *_: None; ours.send_many([(b"", ours.address)] * 50); raise ValueError',
    'sys.exit in a callback of atexit': 'import atexit; atexit.register(ours.close); atexit.register(loop.close)',
    'an object of a global holds it': 'class Holder:\n    def __del__(self):\n        self.socket.close(); self.loop.close()\nholder = Holder(); holder.socket = ours; holder.loop = loop; del ours, loop',
    'os._exit': 'os._exit(0)',
}


@pytest.mark.parametrize('ending', ENDINGS)
def test_the_interpreter_ends_with_handles_open(backend: str, ending: str) -> None:
    """Ended by itself, without a word, whatever was left undone. ResourceWarnings are off, as they are by default."""
    code = START + ENDINGS[ending]
    for _ in range(3):
        result = run_quietly(code, backend)
        expected = 1 if 'raise' in ENDINGS[ending] else 0
        assert (result.returncode, result.stdout, result.stderr) == (expected, '', ''), ending


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize('ending', ENDINGS)
def test_the_interpreter_ends_with_handles_open_fifty_times(backend: str, ending: str) -> None:
    for _ in range(50):
        result = run_quietly(START + ENDINGS[ending], backend)
        expected = 1 if 'raise' in ENDINGS[ending] else 0
        assert (result.returncode, result.stdout, result.stderr) == (expected, '', ''), ending


def test_a_loop_that_is_closed_leaves_no_warning(backend: str) -> None:
    result = run_code(START + 'timer.close(); ours.close(); loop.close()', backend)
    assert (result.returncode, result.stderr) == (0, '')


def run_quietly(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program as users do: with the default filter for warnings."""
    command = [sys.executable, '-X', 'faulthandler', '-c', code, *arguments]
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=150 if is_sanitized() else 15
    )


@posix
class TestFork:
    """A child has no loop thread: all that it gets is ClosedError. The parent does not notice."""

    def check(self, backend: str, code: str) -> None:
        result = run_code(FORK + code, backend)
        assert (result.returncode, result.stdout, result.stderr) == (0, 'parent goes on\n', ''), result.stderr

    def test_a_child_is_told(self, backend: str) -> None:
        self.check(
            backend,
            """
for call in (
    lambda: ours.send(b'x', ours.address), lambda: ours.send_many([(b'x', ('127.0.0.1', 9))]),
    lambda: ours.pause(), lambda: ours.connect(None), lambda: timer.again(1), lambda: timer.stop(),
    lambda: UdpSocket(loop), lambda: Timer(loop, 1), lambda: ours.receive_buffer, lambda: loop.fileno(),
):
    try:
        call()
    except ClosedError:
        pass
    else:
        raise AssertionError('no ClosedError')
assert ours.closed and timer.closed and loop.closed
assert not any(handles_alive().values()), handles_alive()
for call in (lambda: loop.drain(), lambda: loop.wait(0.01), lambda: loop.wake()):
    try:
        assert not call()
    except ClosedError:
        pass
timer.close()
ours.close()
loop.close()
""",
        )

    def test_a_child_that_does_nothing(self, backend: str) -> None:
        self.check(backend, 'del ours, timer, loop; gc.collect(); done()')

    def test_a_child_that_ends_in_the_long_way(self, backend: str) -> None:
        """With the interpreter's own end: finalizers run, and touch nothing of the parent's."""
        self.check(backend, 'long_way = True')

    def test_a_child_has_a_loop_of_its_own(self, backend: str) -> None:
        self.check(
            backend,
            """
with Loop(backend=backend) as mine, UdpSocket(mine, ('127.0.0.1', 0)) as own:
    for _ in range(100):
        own.send(b'own', own.address)
        assert Inbox(mine).datagram().data == b'own'
assert not any(handles_alive().values()), handles_alive()
""",
        )

    def test_multiprocessing(self, backend: str) -> None:
        result = run_code(
            START
            + """
import multiprocessing
def child(number):
    try:
        ours.send(b'x', ours.address)
    except ClosedError:
        return number
with multiprocessing.get_context('fork').Pool(2) as pool:
    assert pool.map(child, range(8)) == list(range(8))
ours.send(b'y', ours.address)
inbox = Inbox(loop)
while inbox.datagram().data != b'y':
    pass
timer.close(); ours.close(); loop.close()
""",
            backend,
        )
        assert (result.returncode, result.stderr) == (0, '')

    def test_a_subprocess_does_not_inherit_the_sockets(self, backend: str) -> None:
        result = run_code(
            START
            + """
import subprocess
command = [sys.executable, '-c', 'from tests.support.udp import open_files; print(dict(open_files()))']
listed = subprocess.run(command, close_fds=False, capture_output=True, text=True, check=True).stdout
assert 'socket:' not in listed and 'eventfd' not in listed and 'eventpoll' not in listed, listed
timer.close(); ours.close(); loop.close()
""",
            backend,
        )
        assert (result.returncode, result.stderr) == (0, '')

    def test_forks_under_traffic(self, backend: str) -> None:
        """Whatever the loop's thread is in the middle of, a child never hangs on a lock of its."""
        result = run_code(
            START
            + """
stop = False
def send():
    while not stop:
        ours.send_many([(bytes(500), ours.address)] * 20)
        loop.drain()
threads = [threading.Thread(target=send) for _ in range(2)]
for thread in threads:
    thread.start()
warnings.simplefilter('ignore', DeprecationWarning)  # 3.12: of threads and forks, which is what is tested
for _ in range(100):
    child = os.fork()
    if not child:
        signal.alarm(5)
        try:
            ours.send(b'x', ours.address)
        except ClosedError:
            gc.collect()
            loop.close()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
stop = True
for thread in threads:
    thread.join()
timer.close(); ours.close(); loop.close()
""",
            backend,
        )
        assert (result.returncode, result.stderr) == (0, '')


FORK = (
    START
    + """
warnings.simplefilter('ignore', DeprecationWarning)
long_way = False
def done():
    os._exit(0)
inbox = Inbox(loop)
inbox.datagram()
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
    ours.send(b'after', ours.address)
    assert inbox.datagram().data == b'after'
    inbox.take(Fired)
    timer.close()
    ours.close()
    loop.close()
    assert not any(handles_alive().values()), handles_alive()
    print('parent goes on', flush=True)
    sys.exit()
signal.alarm(10)
import atexit
def failed(*error):
    sys.__excepthook__(*error)
    os._exit(1)
sys.excepthook = failed
atexit.register(lambda: None if long_way else os._exit(0))
"""
)


OPEN_LOOPS = """
import os, resource, sys
from socket_core._udp import Loop, UdpError, UdpSocket, handles_alive
from tests.support.udp import open_files

def files():
    return sum(open_files().values())

before = files()
worked = failed = 0
for extra in range(16):
    loop = ours = None
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + extra, 20000))
    try:
        loop = Loop(backend=sys.argv[1])
        ours = UdpSocket(loop, ('127.0.0.1', 0))
        ours.send(b'x', ours.address)
        assert loop.wait(5)
        worked += 1
    except UdpError as error:
        assert error.name == 'EMFILE', error
        failed += 1
    finally:
        if ours is not None:
            ours.close()
        if loop is not None:
            loop.close()
    del loop, ours
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    assert not any(handles_alive().values()), handles_alive()
"""


@posix
class TestNoMoreFiles:
    """EMFILE at every place where a file is opened: an error with its name, and nothing is left half open."""

    def test_opening_sockets(self, backend: str) -> None:
        result = run_code(
            START
            + """
import resource
timer.close()
before = sum(open_files().values())
resource.setrlimit(resource.RLIMIT_NOFILE, (before + 20, 20000))
for _ in range(20):
    sockets = []
    try:
        while True:
            sockets.append(UdpSocket(loop, ('127.0.0.1', 0)))
    except UdpError as error:
        assert error.name == 'EMFILE', error
        assert 5 <= len(sockets) <= 20, len(sockets)
    inbox = Inbox(loop)
    ours.send(b'still here', ours.address)
    while inbox.datagram().data != b'still here':
        pass
    for socket in sockets:
        socket.close()
    inbox.take(Closed, len(sockets))
    del sockets
assert sum(open_files().values()) == before, (before, open_files())
ours.close()
loop.close()
assert not any(handles_alive().values()), handles_alive()
""",
            backend,
        )
        assert (result.returncode, result.stderr) == (0, '')

    @pytest.mark.parametrize('extra', range(12))
    def test_opening_the_first_loop(self, backend: str, extra: int) -> None:
        """libuv makes what all loops of a process share with the first one, and aborts where it cannot."""
        result = run_code(OPEN_LOOPS.replace('range(16)', '[int(sys.argv[2])]'), backend, str(extra))
        assert (result.returncode, result.stderr) == (0, '')

    def test_opening_more_loops(self, backend: str) -> None:
        """A loop needs several files; it may fail at each of them, and gives back what it had."""
        warm = 'with Loop(backend=sys.argv[1]) as loop, UdpSocket(loop) as ours: pass\ndel loop, ours\n'
        end = 'assert worked and failed, (worked, failed)\nassert files() == before, (before, files())\n'
        code = OPEN_LOOPS.replace('before = files()', warm + 'before = files()')
        result = run_code(code + end, backend)
        assert (result.returncode, result.stderr) == (0, '')


@posix
class TestSignals:
    """They go to Python's main thread, and end what it waits for."""

    def test_an_interrupt_ends_wait_at_once(self, backend: str) -> None:
        code = (
            START
            + """
timer.close()
inbox = Inbox(loop)
inbox.datagram()
inbox.take(Closed)
print('waits', flush=True)
try:
    loop.wait()
except KeyboardInterrupt:
    print('interrupted', flush=True)
ours.send(b'goes on', ours.address)
assert inbox.datagram().data == b'goes on'
ours.close()
loop.close()
"""
        )
        with subprocess.Popen(
            [sys.executable, '-c', code, backend],
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == 'waits\n'
            time.sleep(0.1)
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=10)
        assert (program.returncode, out, err) == (0, 'interrupted\n', '')

    def test_a_handler_that_does_not_raise_leaves_wait_waiting(self, backend: str) -> None:
        """As of PEP 475: the wait goes on for the rest of its time."""
        result = run_code(
            START
            + """
timer.close()
inbox = Inbox(loop)
inbox.datagram()
inbox.take(Closed)
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
started = time.monotonic()
assert not loop.wait(0.5)
assert time.monotonic() - started >= 0.49
assert seen
threading.Timer(0.1, ours.send, [b'x', ours.address]).start()
assert loop.wait(10)
signal.setitimer(signal.ITIMER_REAL, 0)
ours.close()
loop.close()
""",
            backend,
        )
        assert (result.returncode, result.stderr) == (0, '')

    def test_signals_do_not_disturb_the_loops_thread(self, backend: str) -> None:
        result = run_code(
            START
            + """
timer.close()
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
inbox = Inbox(loop)
inbox.datagram()
for number in range(2000):
    ours.send(number.to_bytes(2, 'big'), ours.address)
    assert inbox.datagram().data == number.to_bytes(2, 'big')
signal.setitimer(signal.ITIMER_REAL, 0)
ours.close()
loop.close()
""",
            backend,
        )
        assert (result.returncode, result.stderr) == (0, '')


def test_the_core_works_in_a_thread_of_any_kind(backend: str) -> None:
    """A loop that was made in a thread that is gone."""
    result = run_code(
        """
import sys, threading
from socket_core._udp import Loop, UdpSocket
from tests.support.udp import Inbox
made = []
def make():
    loop = Loop(backend=sys.argv[1])
    made.extend((loop, UdpSocket(loop, ('127.0.0.1', 0))))
thread = threading.Thread(target=make)
thread.start()
thread.join()
loop, ours = made
ours.send(b'x', ours.address)
assert Inbox(loop).datagram().data == b'x'
ours.close()
loop.close()
""",
        backend,
    )
    assert (result.returncode, result.stderr) == (0, '')


@pytest.mark.skipif(sys.platform == 'win32', reason='no such limit')
def test_threads_that_cannot_be_started(backend: str) -> None:
    """RLIMIT_NPROC does not hold for root, so the address space is what runs out here."""
    if is_sanitized():
        skip_loudly('a sanitizer has the address space', 'run it without')
    result = run_code(
        """
import resource, sys
from pathlib import Path
from socket_core._udp import Loop, UdpError, UdpSocket, handles_alive
size = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + (3 << 20), resource.RLIM_INFINITY))
try:
    loop = Loop(backend=sys.argv[1])
    with loop, UdpSocket(loop, ('127.0.0.1', 0)):
        pass
except (MemoryError, UdpError, RuntimeError) as error:
    text = str(error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert not any(handles_alive().values()), handles_alive()
with Loop(backend=sys.argv[1]) as loop, UdpSocket(loop, ('127.0.0.1', 0)) as ours:
    ours.send(b'x', ours.address)
    assert loop.wait(5)
""",
        backend,
    )
    assert (result.returncode, result.stderr) == (0, ''), result.stderr
