"""Arguments of the wrong type or value: TypeError or ValueError, naming what is wrong, and nothing has happened."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socket_core import _udp
from socket_core._address import Address
from socket_core._udp import (
    Closed,
    Datagram,
    Dropped,
    Failed,
    Fired,
    Handle,
    Loop,
    LoopError,
    Timer,
    UdpError,
    UdpSocket,
    UdpStats,
    Writable,
)
from tests.support.udp import Inbox


@pytest.fixture
def ours(loop: Loop) -> Iterator[UdpSocket]:
    """A socket of the loop under test."""
    with UdpSocket(loop, ('127.0.0.1', 0)) as ours:
        yield ours


HERE = ('127.0.0.1', 9)
# A name in the message; the call; and arguments of a type that is wrong for it.
WRONG: dict[str, tuple[str, Callable[[Loop, UdpSocket, Timer, Any], object], list[object]]] = {
    'send data': ('data', lambda loop, ours, timer, x: ours.send(x, HERE), [None, 1, 'text', [b''], memoryview(b'')]),
    'send address': ('address', lambda loop, ours, timer, x: ours.send(b'', x), [1, 'text', b'', (), ('a',), (1, 2), ('127.0.0.1', '9'), ('127.0.0.1', 9, 0, 0, 0), [HERE], {}]),
    'send_many': ('datagrams', lambda loop, ours, timer, x: ours.send_many(x), [None, 1, object()]),
    'send_many item': ('data|address|pair', lambda loop, ours, timer, x: ours.send_many([(b'', HERE), x]), [None, b'', (b'',), ('', HERE), (b'', None), (b'', 'x'), (b'', HERE, 1), [1, 2]]),
    'send_copies': ('data', lambda loop, ours, timer, x: ours.send_copies(x, HERE), [None, 1, object(), [1], ['text'], [b'', None]]),
    'send_copies address': ('address', lambda loop, ours, timer, x: ours.send_copies([b''], x), [1, 'text', ()]),
    'connect': ('address', lambda loop, ours, timer, x: ours.connect(x), [1, 'text', b'', (), [HERE]]),
    'socket loop': ('loop', lambda loop, ours, timer, x: UdpSocket(x), [None, 1, object()]),
    'socket address': ('address', lambda loop, ours, timer, x: UdpSocket(loop, x), [None, 1, 'text', ()]),
    'socket relay': ('relay', lambda loop, ours, timer, x: UdpSocket(loop, relay=x), [1, object(), 'text']),
    'socket receive_buffer': ('receive_buffer', lambda loop, ours, timer, x: UdpSocket(loop, receive_buffer=x), [None, 'x', 1.5]),
    'timer loop': ('loop', lambda loop, ours, timer, x: Timer(x, 1), [None, 1, object()]),
    'timer delay': ('delay', lambda loop, ours, timer, x: Timer(loop, x), [None, 'x', [], 1j]),
    'timer again': ('repeat', lambda loop, ours, timer, x: timer.again(1, x), [None, 'x', []]),
    'join_group': ('group', lambda loop, ours, timer, x: ours.join_group(x), [None, 1, b'239.1.1.1', Address('239.1.1.1', 0)]),
    'leave_group': ('interface', lambda loop, ours, timer, x: ours.leave_group('239.1.1.1', x), [None, 1, b'']),
    'join_group source': ('source', lambda loop, ours, timer, x: ours.join_group('239.1.1.1', '', x), [None, 1, b'']),
    'ttl': ('ttl', lambda loop, ours, timer, x: setattr(ours, 'ttl', x), [None, 'x', 1.5, b'']),
    'receive_buffer': ('receive_buffer', lambda loop, ours, timer, x: setattr(ours, 'receive_buffer', x), [None, 'x', 1.5]),
    'multicast_interface': ('multicast_interface', lambda loop, ours, timer, x: setattr(ours, 'multicast_interface', x), [None, 1, b'']),
    'drain': ('limit', lambda loop, ours, timer, x: loop.drain(x), [None, 'x', 1.5]),
    'wait': ('timeout', lambda loop, ours, timer, x: loop.wait(x), ['x', [], 1j]),
    'close': ('timeout', lambda loop, ours, timer, x: loop.close(x), ['x', []]),
    'ring_bytes': ('ring_bytes', lambda loop, ours, timer, x: Loop(ring_bytes=x), [None, 'x', 1.5]),
}  # fmt: skip


@pytest.mark.parametrize('case', WRONG)
def test_wrong_types(loop: Loop, ours: UdpSocket, case: str) -> None:
    name, call, values = WRONG[case]
    with Timer(loop, 1000) as timer:
        for value in values:
            with pytest.raises(TypeError, match=name):
                call(loop, ours, timer, value)
        assert ours.stats.sent == 0
        assert list(loop.sockets) == [ours]


def test_wrong_backends() -> None:
    for wrong in ('', 'POLL', 'iocp', 'auto '):
        with pytest.raises(ValueError, match='backend'):
            Loop(backend=wrong)  # type: ignore[arg-type]
    for wrong in (None, 1, b'poll'):
        with pytest.raises((TypeError, ValueError), match='backend|str'):
            Loop(backend=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize('wrong', [-1, -(2**63), 2**31, 2**64])
def test_wrong_numbers(loop: Loop, ours: UdpSocket, wrong: int) -> None:
    if wrong < 0:
        with pytest.raises((ValueError, OverflowError)):
            loop.drain(wrong)
    for name in ('ttl', 'multicast_ttl'):
        with pytest.raises((ValueError, OverflowError, UdpError)):
            setattr(ours, name, wrong if wrong != -1 else -5)


def test_drain_of_nothing(loop: Loop, ours: UdpSocket) -> None:
    """Neither a limit of 0 nor one of more than there will ever be does harm."""
    for limit in (0, 1, 2**31 - 1):
        try:
            assert loop.drain(limit) == []
        except ValueError:
            assert limit == 0


@pytest.mark.parametrize('wrong', [float('nan'), -1.0, float('inf'), 1e300])
def test_odd_waits(loop: Loop, wrong: float) -> None:
    """Never longer than was meant: what is no time at all is refused or takes none; endless ends by a wake-up."""
    loop.wake()
    try:
        assert loop.wait(wrong) is False
    except (ValueError, OverflowError):
        loop.wait(0)


def test_attributes_are_not_written(loop: Loop, ours: UdpSocket, inbox: Inbox) -> None:
    ours.send(b'x', ours.address)
    datagram = inbox.datagram()
    for thing, names in (
        (ours, ['number', 'loop', 'closed', 'address', 'peer', 'queued_bytes', 'stats', 'nothing']),
        (loop, ['sockets', 'backend', 'closed', 'nothing']),
        (datagram, ['socket', 'address', 'data', 'flags', 'id', 'received', 'nothing']),
        (ours.stats, ['sent', 'errors', 'nothing']),
    ):
        for name in names:
            with pytest.raises((AttributeError, TypeError)):
                setattr(thing, name, None)
            with pytest.raises((AttributeError, TypeError)):
                delattr(thing, name)
    for name in ('ttl', 'broadcast', 'receive_buffer', 'multicast_loop', 'multicast_interface'):
        with pytest.raises((AttributeError, TypeError, NotImplementedError)):
            delattr(ours, name)


@pytest.mark.parametrize('kind', [Datagram, Writable, Failed, Dropped, Fired, Closed, Handle, UdpStats])
def test_nobody_makes_what_the_loop_makes(kind: type) -> None:
    """An object without its handle would be read as one that has it."""
    with pytest.raises(TypeError):
        kind()


@pytest.mark.parametrize(
    'kind', [UdpSocket, Timer, Loop, Datagram, Handle, Closed, Failed, Fired, Dropped, Writable, UdpStats]
)
def test_objects_that_were_never_initialised(kind: type) -> None:
    """``__new__`` without ``__init__``: errors of Python's, and no crash."""
    try:
        thing = kind.__new__(kind)
    except TypeError:
        return
    for name in dir(thing):
        if name.startswith('__') and name not in ('__repr__', '__hash__', '__enter__', '__str__'):
            continue
        try:
            value = getattr(thing, name)
            if callable(value):
                value()
        except Exception as error:
            assert not isinstance(error, SystemError), name
    del thing


def test_init_twice(loop: Loop, ours: UdpSocket, inbox: Inbox) -> None:
    """A second ``__init__`` is refused, and the first goes on."""
    for call in (lambda: ours.__init__(loop), lambda: loop.__init__()):  # type: ignore[misc]
        try:
            call()  # type: ignore[no-untyped-call]
        except (TypeError, RuntimeError, ValueError):
            pass
    ours.send(b'x', ours.address)
    assert inbox.datagram().data == b'x'


def test_final_is_final() -> None:
    for kind in (UdpSocket, Timer, Loop, Datagram, Closed, UdpStats):
        with pytest.raises(TypeError):
            type('Own', (kind,), {})


def test_nothing_is_pickled_or_copied(loop: Loop, ours: UdpSocket) -> None:
    import copy
    import pickle

    for thing in (ours, loop):
        for call in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                call(thing)


def test_from_pyuv_wants_a_loop_of_pyuvs() -> None:
    for wrong in (None, 1, object(), 'loop', Loop, type('Loop', (), {'__module__': 'pyuv._cpyuv'})()):
        with pytest.raises((TypeError, LoopError)):
            Loop.from_pyuv(wrong)


def test_data_of_a_subclass_and_of_other_buffers(loop: Loop, ours: UdpSocket, inbox: Inbox) -> None:
    class Own(bytes):
        """Still bytes."""

    assert ours.send(Own(b'own'), ours.address)
    assert inbox.datagram().data == b'own'
    try:
        ours.send(bytearray(b'array'), ours.address)  # type: ignore[arg-type]
    except TypeError:
        return
    assert inbox.datagram().data == b'array'


def test_sequences_that_misbehave(loop: Loop, ours: UdpSocket, inbox: Inbox) -> None:
    """A list that shrinks, and one that raises, while it is read."""

    class Raises(list[Any]):
        def __getitem__(self, at: object) -> object:
            raise KeyError(at)

        def __iter__(self) -> Iterator[object]:
            raise KeyError

        def __len__(self) -> int:
            return 5

    class Shrinks(tuple[Any, ...]):
        def __len__(self) -> int:
            return 1000

    for data in (Raises([(b'', HERE)]), Shrinks([(b'', HERE)])):
        try:
            assert ours.send_many(data) <= 1
        except (KeyError, TypeError, IndexError, ValueError):
            pass
    ours.send(b'after', ours.address)
    inbox.pump(1)
    while inbox.datagram().data != b'after':
        pass


def test_lists_that_are_changed_by_their_own_items(ours: UdpSocket) -> None:
    """What runs as Python code while a list is read may empty it."""
    datagrams: list[Any] = []

    class Host(str):
        def __hash__(self) -> int:
            datagrams.clear()
            return 1

        def __str__(self) -> str:
            datagrams.clear()
            return '127.0.0.1'

    class Port(int):
        def __index__(self) -> int:
            datagrams.clear()
            return 9

        __int__ = __index__

    datagrams += [(b'one', (Host('127.0.0.1'), Port(9))), (b'two' * 100, ('127.0.0.1', Port(9)))] * 50
    try:
        ours.send_many(datagrams)
    except (TypeError, ValueError, IndexError, RuntimeError):
        pass


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(st.binary(max_size=100), st.none(), st.integers(), st.text(max_size=5)),
    address=st.one_of(
        st.tuples(st.one_of(st.just('127.0.0.1'), st.text(max_size=10), st.none()), st.integers()),
        st.none(), st.text(max_size=5), st.tuples(), st.lists(st.integers(), max_size=3),
    ),
)  # fmt: skip
def test_any_argument_of_send(ours: UdpSocket, data: Any, address: Any) -> None:
    try:
        ours.send(data, address)
    except (TypeError, ValueError, OverflowError, UdpError):
        pass


def test_every_public_name_says_what_it_is() -> None:
    for name in _udp.__all__:
        thing = getattr(_udp, name)
        if isinstance(thing, (int, str)):
            continue
        assert inspect.getdoc(thing), name
        if isinstance(thing, type):
            for attribute, value in vars(thing).items():
                if not attribute.startswith('_') and (callable(value) or inspect.isgetsetdescriptor(value)):
                    assert inspect.getdoc(value), f'{name}.{attribute}'
