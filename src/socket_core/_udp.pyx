"""UDP on a loop of libuv that never takes the GIL, and hands what it hears to Python in batches.

Why a thread of its own: where some thread of Python computes, another one that wants the GIL waits for it up to five
milliseconds, each time. A loop that asks for it once for every datagram then delivers 3 in 100 of 40,000 datagrams a
second, and one that asks once for every batch, 72. So the loop's thread is C, all of it: it receives, calls the relay
(`_handler.h`), sends on what the relay says, and writes what concerns Python into a ring. Python is woken once, and
takes all that is there, at its own pace; `Loop.drain()` is the only way from one to the other.

    loop's thread: recvmmsg -> relay -> sendmmsg        Python: fileno() readable -> drain() -> a list of events
                                  `-> ring -> wake `------------^

A program's own loop watches `Loop.fileno()`: `asyncio` by `add_reader`, GLib by `unix_fd_add`. It is readable as long
as `drain()` has something. Where there is no such thing (Windows), or no loop, a thread waits in `Loop.wait()`.

Sending goes the other way round: the thread that calls `send` makes the call of the system.

There are two backends. `poll`, on Linux, makes the calls of the system itself, and so may read and send many datagrams
at once and have the kernel join and split them. `udp`, for every system, lets libuv read. Python cannot tell them
apart.

    >>> from socket_core import Loop, UdpSocket
    >>> with Loop() as loop:
    ...     ours = UdpSocket(loop, ('127.0.0.1', 0))
    ...     taken = ours.send(b'hello', ours.address)
    ...     there_is_something = loop.wait(5.0)
    ...     [event.data for event in loop.drain()]
    [b'hello']
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.weakref cimport PyWeakref_NewRef
from libc.math cimport ceil
from libc.stdint cimport UINT64_MAX, int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cimport cython

from socket_core._address cimport Address, address_is_multicast, address_of, address_t, fill_address
from socket_core._engine cimport *
from socket_core._handler cimport (
    DELIVERY_CACHED,
    DELIVERY_CHECKED,
    DELIVERY_FORWARDED,
    DELIVERY_HASHED,
    outgoing_t,
)
from socket_core._packet cimport Packet, put_id, view
from socket_core._relay cimport Relay
from socket_core.uv cimport (
    UV_EBADF,
    UV_ECANCELED,
    UV_EMSGSIZE,
    UV_ENOTSUP,
    UV_ETIMEDOUT,
    uv_err_name_r,
    uv_loop_size,
    uv_loop_t,
    uv_strerror_r,
    uv_version_string,
)

import os
import sys
import time

__all__ = [
    'CACHED',
    'CHECKED',
    'Closed',
    'ClosedError',
    'Datagram',
    'Dropped',
    'FORWARDED',
    'Failed',
    'Fired',
    'HASHED',
    'Handle',
    'LIBUV_VERSION',
    'Loop',
    'LoopError',
    'Timer',
    'UdpError',
    'UdpSocket',
    'UdpStats',
    'Writable',
    'handles_alive',
]

CHECKED = DELIVERY_CHECKED
HASHED = DELIVERY_HASHED
CACHED = DELIVERY_CACHED
FORWARDED = DELIVERY_FORWARDED
LIBUV_VERSION = uv_version_string().decode()

# The loop's clock is that of time.monotonic(), but on Windows, where older Pythons have another one.
cdef double clock_shift = 0.0 if sys.platform != 'win32' else time.monotonic() - net_clock() * 1e-9

# A main thread in wait() looks so often whether a signal has come: Ctrl-C is to work.
cdef uint64_t SIGNALS_NS = 200_000_000

BACKENDS = {'auto': BACKEND_AUTO, 'poll': BACKEND_POLL, 'udp': BACKEND_UDP}


include '_udp_errors.pxi'
include '_udp_events.pxi'
include '_udp_handles.pxi'
include '_udp_socket.pxi'
include '_udp_pyuv.pxi'


cdef uint64_t nanoseconds(object seconds) except? 0xFFFFFFFFFFFFFFFF:
    """Of a time to wait; None: for ever."""
    if seconds is None:
        return UINT64_MAX
    if not isinstance(seconds, (int, float)):
        raise TypeError(f'timeout must be a number or None, not {seconds.__class__.__name__}')
    cdef double value = seconds
    if value != value:
        raise ValueError('timeout must be a number')
    # Longer than a program runs is for ever: some systems cannot count on from there.
    return UINT64_MAX if value > LONGEST_DELAY else <uint64_t>(max(value, 0.0) * 1e9)


cdef size_t ring_size(object value) except 0:
    """The power of two that holds so many bytes."""
    if not isinstance(value, int):
        raise TypeError(f'ring_bytes must be int, not {value.__class__.__name__}')
    if not 1 <= value <= RING_MOST_BYTES:
        raise ValueError(f'ring_bytes must be 1 to {RING_MOST_BYTES}')
    cdef size_t size = RING_LEAST_BYTES
    while size < <size_t>value:
        size *= 2
    return size


@cython.final
@cython.auto_pickle(False)
cdef class Loop:
    """A libuv loop on a thread of its own, started with the first handle; or a guest of pyuv's (`from_pyuv`).

    All methods may be called from any thread; `drain` by one after another.

    Args:
        ring_bytes: how much may wait for `drain()`, rounded up to a power of two, 256 KiB to 1 GiB. A datagram takes 48
            bytes more than it has, and 32 for its id. Memory is touched only as it is needed.
        backend: `'poll'` (Linux), `'udp'` (everywhere), or `'auto'`, the better one of this system.

    Raises:
        UdpError: the system has no descriptor for it (EMFILE), or not this backend (ENOTSUP).
        ValueError: a wrong number or name.
    """

    def __init__(self, *, ring_bytes=1048576, backend='auto'):
        if self.engine is not NULL:
            raise TypeError('this Loop has been made already')
        self.handles = {}
        self.relays = {}
        sweep_remains()
        check(engine_new(&self.engine, ring_size(ring_bytes), backend_number(backend)), f'no loop {backend!r}')
        remember(self)

    @classmethod
    def from_pyuv(cls, loop, *, ring_bytes=1048576):
        """Join a loop of pyuv (`pyuv.Loop`): no thread of our own, its thread runs our callbacks, without the GIL.

        Both have to use the same libuv, since it is one and the same structure that they work on: that is checked.
        This is to be called as pyuv's own handles are made: on the thread that runs the loop, or before it runs; and
        a loop stays with the thread that first ran it. All else may be done from any thread. Handles open when the
        loop runs, and their constructors do not wait for that; an error that only shows then is an event `Failed`,
        followed by `Closed`. A handle keeps the loop alive, as pyuv's do; this object alone does not.

        Close it before the loop of pyuv goes. On the thread that runs the loop, and before it has first run, `close()`
        does not wait: its handles are closed when the loop runs on.

        Args:
            loop: the `pyuv.Loop`. It is kept until this one is closed.
            ring_bytes: as for the constructor.

        Raises:
            LoopError: pyuv is not there, or brings another libuv; the text says how to build it.
            TypeError: `loop` is no `pyuv.Loop`.
        """
        sweep_remains()
        cdef Loop made = cls.__new__(cls)
        cdef uv_loop_t *raw = loop_of_pyuv(loop)
        made.handles = {}
        made.relays = {}
        check(engine_new_guest(&made.engine, ring_size(ring_bytes), BACKEND_AUTO, raw), 'cannot join the loop of pyuv')
        made.host = loop
        remember(made)
        return made

    cdef int alive(self) except -1:
        cdef int state
        if self.engine is NULL:
            raise closed_error('Loop')
        state = engine_state(self.engine)
        if state == ENGINE_FORKED:
            raise closed_error('this loop is the parent\'s, and in this process it')
        if state == ENGINE_ENDING or state == ENGINE_ENDED:
            raise closed_error('Loop')
        return 0

    cdef int readable(self) except -1:
        """Raise ClosedError where there is nothing to drain, nor ever was: what has ended may still be drained."""
        if self.engine is NULL or engine_state(self.engine) == ENGINE_FORKED:
            self.alive()
        return 0

    def fileno(self):
        """A descriptor that is readable when `drain()` has something, and not else. Only watch it.

        Raises:
            UdpError: this system has none (ENOTSUP, Windows): have a thread in `wait()`.
            ClosedError: it is closed.
        """
        self.alive()
        cdef int fd = engine_fd(self.engine)
        if fd < 0:
            raise error_of(UV_ENOTSUP, 'this system has no descriptor to watch, wait() in a thread')
        return fd

    def drain(self, limit=1024):
        """What has come, oldest first: a list of `Datagram`, `Writable`, `Failed`, `Dropped`, `Fired` and `Closed`.

        Never waits. What is left behind `limit` keeps `fileno()` readable. After `close()` it still gives what came
        before, the `Closed` of every handle among it.

        Args:
            limit: at most so many, 1 and more. Where other threads compute, each turn of a main loop may cost five
                milliseconds until it has the GIL again; so few at a time may be too few.

        Raises:
            ClosedError: in the child of a fork.
            ValueError: `limit` is less than 1.
        """
        if not isinstance(limit, int):
            raise TypeError(f'limit must be int, not {limit.__class__.__name__}')
        if limit < 1:
            raise ValueError('limit must be at least 1')
        cdef size_t most = <size_t>min(limit, sys.maxsize)
        self.readable()
        # Made before, and let go after, so that nothing of Python's runs while the ring is held.
        cdef list events = []
        cdef list let_go = []
        with self.reading:
            self.take(events, let_go, most)
        return events

    cdef Handle find(self, uint32_t number):
        """The handle's object; None where it is gone."""
        known = self.handles.get(number)
        return known if known is None or isinstance(known, Handle) else known()

    cdef int take(self, list events, list let_go, size_t most) except -1:
        """From the ring into the list. The object of a handle is looked up once for a run of records."""
        cdef const record_t *record
        cdef Handle handle = None
        cdef uint32_t number = 0
        cdef size_t found = 0
        while found < most:
            record = engine_next(self.engine)
            if record is NULL:
                break
            if record.kind == RING_DROPPED:
                events.append(dropped_of(record))
            else:
                if record.handle != number:
                    number = record.handle
                    handle = self.find(number)
                    let_go.append(handle)
                if record.kind == RING_DATAGRAM:
                    if handle is not None:
                        events.append(datagram_of(<UdpSocket>handle, record))
                else:
                    if handle is not None:
                        events.append(event_of(handle, record))
                    if record.kind == RING_CLOSED:
                        let_go.append(self.handles.pop(number, None))
                        let_go.append(self.relays.pop(number, None))
            found += 1
            engine_taken(self.engine, record)
        engine_rest(self.engine, found)
        return 0

    def wait(self, timeout=None):
        """Wait until `drain()` has something, without the GIL. Several threads may wait.

        Args:
            timeout: seconds at most; None: for ever.

        Returns:
            Whether there is something. False when the time is over, `wake()` was called, or the loop was closed.

        Raises:
            ClosedError: it is closed, and `drain()` has nothing left.
        """
        cdef uint64_t end = UINT64_MAX
        cdef uint64_t left = nanoseconds(timeout)
        cdef uint64_t now = net_clock()
        cdef uint64_t part
        cdef bint woken
        self.readable()
        if engine_state(self.engine) == ENGINE_ENDED and not engine_filled(self.engine):
            raise closed_error('Loop')
        if engine_filled(self.engine):
            return True  # without letting the GIL go, which would cost a wait for its return
        cdef bint is_main = in_main_thread()
        if left != UINT64_MAX:
            end = now + left
        while True:
            part = end - now if end != UINT64_MAX else UINT64_MAX
            if is_main and part > SIGNALS_NS:
                part = SIGNALS_NS
            with nogil:
                woken = engine_wait(self.engine, part)
                now = net_clock()
            PyErr_CheckSignals()
            if woken or now >= end:
                break
        return engine_filled(self.engine)

    def wake(self):
        """Make one `wait()` return: one that waits now, or else the next. From any thread, or a signal's handler.

        For a closed loop it does nothing.
        """
        if not self.closed:
            engine_wake(self.engine)

    @property
    def sockets(self):
        """The sockets that are open, in the order in which they were made: a tuple."""
        cdef list numbers = sorted(self.handles) if self.engine is not NULL else []
        cdef list found = [self.find(number) for number in numbers]
        return tuple(handle for handle in found if isinstance(handle, UdpSocket) and not handle.closed)

    @property
    def backend(self):
        """How it receives: `'poll'` or `'udp'`."""
        return engine_backend(self.engine).decode() if self.engine is not NULL else ''

    @property
    def closed(self):
        """Whether it has been closed, or is being closed."""
        return self.engine is NULL or engine_state(self.engine) >= ENGINE_ENDING

    def close(self, timeout=5.0):
        """Close all handles, and then the loop; and wait for that, and for its thread. Any number of times.

        What has come before may still be drained. It does not wait in the child of a fork, nor where it would wait for
        itself (`from_pyuv`).

        Args:
            timeout: seconds at most; None: for ever.

        Raises:
            LoopError: it has not ended in time. It goes on ending.
        """
        cdef uint64_t ns = nanoseconds(timeout)
        cdef int code
        if self.engine is NULL or engine_state(self.engine) == ENGINE_FORKED:
            return
        engine_close(self.engine)
        if not engine_may_wait(self.engine):
            return
        with nogil:
            code = engine_wait_end(self.engine, ns)
        if code == UV_ETIMEDOUT:
            what = 'the loop of pyuv does not run' if engine_is_guest(self.engine) else 'its thread is busy'
            raise LoopError(f'the loop has not ended in {timeout} seconds: {what}')
        # It keeps no handle any more: whoever lets all go has their memory back at once.
        cdef dict loose = {
            number: PyWeakref_NewRef(known, None)
            for number, known in list(self.handles.items())
            if isinstance(known, Handle)
        }
        with self.reading:
            for number in loose:
                if number in self.handles:
                    self.handles[number] = loose[number]

    def __enter__(self):
        self.alive()
        return self

    def __exit__(self, kind, error, trace):
        self.close()

    def __del__(self):
        if self.engine is NULL:
            return
        cdef int state = engine_state(self.engine)
        if state == ENGINE_RUNNING:
            warn_of(self, '')
        if state == ENGINE_RUNNING or state == ENGINE_ENDING:
            engine_close(self.engine)
            if not engine_is_guest(self.engine):
                with nogil:
                    engine_wait_end(self.engine, DROPPED_NS)
        cdef Remains remains = Remains.__new__(Remains)
        remains.engine = self.engine
        remains.kept = (self.relays, self.host)
        self.engine = NULL
        if not remains.sweep():
            all_remains.append(remains)

    def __repr__(self):
        return f'<Loop {self.backend}{" of pyuv" if self.host is not None else ""}{" closed" if self.closed else ""}>'


cdef int warn_of(object dropped, str place) except -1:
    """Of something that was dropped while it was open. It is kept by the warning only where that can say more."""
    tracemalloc = sys.modules.get('tracemalloc')
    source = dropped if tracemalloc is not None and tracemalloc.is_tracing() else None
    import warnings

    warnings.warn(f'{dropped!r} was dropped{place}; it is closed now', ResourceWarning, source=source)
    return 0


# How long a loop that is dropped is waited for: it ends at once, or something is wrong.
cdef uint64_t DROPPED_NS = 5_000_000_000


@cython.final
@cython.auto_pickle(False)
cdef class Remains:
    """What a loop leaves that was dropped before it ended, a guest of pyuv's mostly: kept until it has."""

    cdef engine_t *engine
    cdef object kept

    cdef bint sweep(self):
        if self.engine is NULL:
            return True
        cdef int state = engine_state(self.engine)
        if state == ENGINE_RUNNING or state == ENGINE_ENDING:
            return False
        engine_free(self.engine)
        self.engine = NULL
        self.kept = None
        return True


# Set when the interpreter ends.
cdef bint ending = False

# Weak references to the loops that there are.
all_loops = []
all_remains = []


cdef int remember(Loop loop) except -1:
    """So that it is closed when the interpreter ends; the first one asks for that."""
    if not all_loops:
        import atexit

        # It may have been asked for before: all loops may have gone, and have come again.
        atexit.unregister(_close_all)
        atexit.register(_close_all)
    all_loops[:] = [reference for reference in all_loops if reference() is not None]
    all_loops.append(PyWeakref_NewRef(loop, None))
    return 0


cdef int sweep_remains() except -1:
    all_remains[:] = [remains for remains in all_remains if not (<Remains>remains).sweep()]
    return 0


cdef int backend_number(object name) except -1:
    if name not in BACKENDS:
        raise ValueError(f'backend must be one of {", ".join(BACKENDS)}')
    return BACKENDS[name]


cdef bint in_main_thread():
    import threading

    return threading.current_thread() is threading.main_thread()


def handles_alive():
    """How many loops, sockets and timers are not closed in this process: 0 each when all is closed."""
    return {
        'loop': handles_alive_of(HANDLE_LOOP),
        'socket': handles_alive_of(HANDLE_SOCKET),
        'timer': handles_alive_of(HANDLE_TIMER),
    }


def _close_all():
    """When the interpreter ends: threads of ours are not to outlive it. Whoever left something open is not told now."""
    global ending
    ending = True
    for reference in list(all_loops):
        loop = reference()
        try:
            if loop is not None:
                loop.close(1.0)
        except LoopError:
            pass  # nothing more can be done


def _before_fork():
    engine_fork_prepare()


def _after_fork_in_parent():
    engine_fork_parent()


def _after_fork_in_child():
    engine_fork_child()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
