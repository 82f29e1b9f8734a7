"""Commands: names (B4), signatures, arguments at the door, and the context of a call."""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.errors import BadRequest, UsageError
from socket_runtime.ipc.command import MAX_NAME, Binary, Call, Command, Commands, HostFile
from socket_runtime.ipc.grants import Grants
from tests.strategies import command_names

if TYPE_CHECKING:
    from socket_runtime.ipc.streams import Upload


def nothing() -> None: ...


def call_of(command: Command | None = None) -> Call:
    return Call(command or Command('a', nothing), 'R1', 1, None, Grants())


# -- the registry --------------------------------------------------------------------------------------


def test_registry_finds_by_lower_case_and_keeps_the_spelling() -> None:
    table = Commands([Command('fs.readFile', nothing), Command('Ping', nothing)])
    found = table.get('fs.readfile')
    assert found is not None and found.name == 'fs.readFile'
    assert table.get('fs.readFile') is None
    assert table.names() == ('Ping', 'fs.readFile')
    assert len(table) == 2 and {row.name for row in table} == {'Ping', 'fs.readFile'}


@pytest.mark.parametrize(
    'name',
    [
        '',
        '__class__',
        '_private',
        'a._private',
        'a.b.__globals__',
        'a.__init__.__globals__',
        'a__b',
        'a_',
        'a.b_',
        '1',
        '42',
        'a.1',
        'a.',
        '.a',
        'a..b',
        'a/b',
        'a b',
        'a%2eb',
        'ä',
        'a\n',
        'a\0',
        'x' * (MAX_NAME + 1),
        'x' * 1_000_000,
    ],
    ids=lambda name: ascii(name[:30]),
)
def test_B4_names_that_cannot_be_registered(name: str) -> None:
    table = Commands()
    with pytest.raises(UsageError) as caught:
        table.add(Command(name, nothing))
    assert len(str(caught.value)) < 400
    assert len(table) == 0


@pytest.mark.parametrize('name', ['__class__', '_rows', 'get', 'names', 'a.b.__globals__', 'x' * 1_000_000, '7', ''])
def test_B4_names_that_nobody_registered_are_nothing(name: str) -> None:
    assert Commands([Command('a.b', nothing)]).get(name) is None


@given(command_names('_'))
def test_B4_a_name_is_either_found_as_registered_or_refused(name: str) -> None:
    table = Commands()
    try:
        table.add(Command(name, nothing))
    except UsageError:
        assert len(table) == 0
    else:
        found = table.get(name.lower())
        assert found is not None and found.name == name
        assert not any(part.startswith('_') or '__' in part for part in name.split('.'))


@pytest.mark.parametrize(('first', 'second'), [('a.b', 'a.b'), ('fs.readFile', 'fs.readfile'), ('Ping', 'pInG')])
def test_names_that_collide(first: str, second: str) -> None:
    table = Commands([Command(first, nothing)])
    with pytest.raises(UsageError, match='already'):
        table.add(Command(second, nothing))
    assert table.names() == (first,)


def test_handler_must_be_callable() -> None:
    with pytest.raises(UsageError, match='cannot be called'):
        Commands([Command('a', 'no function')])  # type: ignore[arg-type]


# -- signatures ----------------------------------------------------------------------------------------


async def coroutine(x: int) -> int:
    return x


def generator() -> Iterator[int]:
    yield 1


def byte_generator() -> Generator[bytes, None, None]:
    yield b''


def returns_iterator(path: str) -> Iterator[bytes]:
    return iter([path.encode()])


async def async_generator() -> AsyncIterator[bytes]:
    yield b''


def returns_async_iterator() -> AsyncIterator[dict[str, bytes]]:
    return NotImplemented


def returns_list_of_iterators() -> list[Iterator[bytes]]:
    return []


class Callable1:
    def __call__(self, x: int) -> int:
        return x


class Callable2:
    async def __call__(self, x: int) -> int:
        return x


class Methods:
    def sync(self, x: int) -> int:
        return x

    async def later(self, x: int) -> int:
        return x


@functools.wraps(coroutine)
def wrapper(*args: Any, **kwargs: Any) -> Any:
    return coroutine(*args, **kwargs)


@pytest.mark.parametrize(
    ('handler', 'kind', 'binary'),
    [
        (nothing, 'sync', False),
        (coroutine, 'async', False),
        (generator, 'generator', False),
        (byte_generator, 'generator', True),
        (returns_iterator, 'generator', True),
        (async_generator, 'async generator', True),
        (returns_async_iterator, 'async generator', False),
        (returns_list_of_iterators, 'sync', False),
        (Callable1(), 'sync', False),
        (Callable2(), 'async', False),
        (Methods().sync, 'sync', False),
        (Methods().later, 'async', False),
        (functools.partial(coroutine, x=3), 'async', False),
    ],
)
def test_kind(handler: Callable[..., Any], kind: str, binary: bool) -> None:
    command = Command('a', handler)
    assert (command.shape.kind, command.shape.binary_items) == (kind, binary)
    assert command.shape is command.shape


@pytest.mark.parametrize('handler', [Callable1(), Methods().sync, functools.partial(coroutine), wrapper])
def test_arguments_of_every_sort_of_callable(handler: Callable[..., Any]) -> None:
    command = Command('a', handler)
    assert command.bind({'x': '7'}, None) == {'x': 7}
    with pytest.raises(BadRequest, match="'x'"):
        command.bind({'x': 'seven'}, None)


def test_parameters_that_take_the_request_itself() -> None:
    def handler(call: Call, body: bytes, name: str, optional: bytes | None = None) -> None: ...

    with pytest.raises(UsageError, match='more than one'):
        _ = Command('a', handler).shape

    def writes(call: Call, path: str, body: bytes = b'') -> None: ...

    shape = Command('a', writes).shape
    assert (shape.call, shape.body, shape.body_required, shape.upload) == ('call', 'body', False, None)
    assert dict(shape.arguments) == {'path': str} and shape.required == {'path'} and not shape.plain

    def uploads(path: str, upload: Upload, call: Call) -> None: ...

    shape = Command('a', uploads).shape
    assert (shape.upload, shape.body, shape.call) == ('upload', None, 'call')

    def both(upload: Upload, body: bytes) -> None: ...

    with pytest.raises(UsageError, match='more than one'):
        _ = Command('a', both).shape

    def optional(body: bytes | None = None) -> None: ...

    shape = Command('a', optional).shape
    assert shape.body == 'body' and not shape.body_required and shape.plain


def test_the_real_upload_class_is_known() -> None:
    from socket_runtime.ipc.streams import Upload as Real

    def handler(file: Any) -> None: ...

    handler.__annotations__['file'] = Real
    assert Command('a', handler).shape.upload == 'file'


def test_types_defined_beside_a_local_handler() -> None:
    @dataclass
    class Note:
        title: str
        stars: int = 0

    Size = Literal['small', 'big']

    def handler(note: Note, sizes: list[Size]) -> None: ...

    command = Command('notes.add', handler)
    bound = command.bind(None, b'{"note": {"title": "x"}, "sizes": ["big"]}')
    assert bound == {'note': Note('x'), 'sizes': ['big']}
    with pytest.raises(BadRequest, match=r"'note\.stars'.*[Ee]xpected int, got str"):
        command.bind(None, b'{"note": {"title": "x", "stars": "many"}, "sizes": []}')


def test_types_of_an_outer_scope_that_the_handler_closes_over() -> None:
    class Point(msgspec.Struct):
        x: int

    def make() -> Command:
        def handler(point: Point) -> Point:
            return Point(point.x)

        return Command('a', handler)

    assert make().bind(None, b'{"point": {"x": 1}}') == {'point': Point(1)}


def test_constraints_in_annotations() -> None:
    def handler(count: Annotated[int, msgspec.Meta(ge=0, le=9)]) -> None: ...

    command = Command('a', handler)
    assert command.bind({'count': '9'}, None) == {'count': 9}
    with pytest.raises(BadRequest, match="'count'.*<= 9"):
        command.bind({'count': '10'}, None)


@pytest.mark.parametrize(
    'source',
    [
        'def handler(x: NoSuchType) -> None: ...',
        'def handler(x: "list[") -> None: ...',
        'def handler(x, /) -> None: ...',
        'def handler(*x) -> None: ...',
        'def handler(**x) -> None: ...',
        'def handler(_x: int) -> None: ...',
        'def handler(seq: str) -> None: ...',
        'def handler(index: int = 0) -> None: ...',
        'class handler:\n  __signature__ = 3',
    ],
)
def test_signatures_that_are_refused(source: str) -> None:
    names: dict[str, Any] = {}
    exec('from __future__ import annotations\n' + source, names)
    with pytest.raises(UsageError, match="'notes.list'|notes.list"):
        Command('notes.list', names['handler']).bind({'x': '1'}, None)


def test_a_type_that_cannot_be_checked_is_the_authors_mistake() -> None:
    @dataclass
    class One:
        a: int

    @dataclass
    class Two:
        b: int

    def handler(x: One | Two) -> None: ...

    with pytest.raises(UsageError, match='cannot be checked'):
        Command('a', handler).bind({'x': '1'}, None)


# -- arguments -----------------------------------------------------------------------------------------


def typed(
    path: str,
    count: int = 1,
    ratio: float = 0.5,
    deep: bool = False,
    tags: list[str] = [],  # noqa: B006 - never changed
    other: dict[str, int] | None = None,
    anything: Any = None,
) -> None: ...


TYPED = Command('typed', typed)


@pytest.mark.parametrize(
    ('query', 'expected'),
    [
        ({'path': 'x'}, {'path': 'x'}),
        ({'path': ''}, {'path': ''}),
        ({'path': 'null'}, {'path': 'null'}),
        ({'path': '12'}, {'path': '12'}),
        ({'path': 'x', 'count': '-12'}, {'path': 'x', 'count': -12}),
        ({'path': 'x', 'count': '3.0'}, {'path': 'x', 'count': 3}),
        ({'path': 'x', 'ratio': '2'}, {'path': 'x', 'ratio': 2.0}),
        ({'path': 'x', 'deep': 'true'}, {'path': 'x', 'deep': True}),
        ({'path': 'x', 'deep': '0'}, {'path': 'x', 'deep': False}),
        ({'path': 'x', 'other': 'null'}, {'path': 'x', 'other': None}),
        ({'path': 'x', 'anything': '[1]'}, {'path': 'x', 'anything': '[1]'}),
    ],
)
def test_query(query: dict[str, str], expected: dict[str, Any]) -> None:
    assert TYPED.bind(query, None) == expected


WRONG_QUERIES = {
    'missing': ({}, "'path' is missing"),
    'missing with others': ({'count': '1'}, "'path' is missing"),
    'unknown': ({'path': 'x', 'no': '1'}, "unknown argument 'no'"),
    'dunder': ({'path': 'x', '__class__': '1'}, "unknown argument '__class__'"),
    'case counts': ({'PATH': 'x'}, 'argument'),
    'no int': ({'path': 'x', 'count': 'many'}, "'count': Expected int"),
    'empty int': ({'path': 'x', 'count': ''}, "'count'"),
    'blank int': ({'path': 'x', 'count': ' 1'}, "'count'"),
    'int of other digits': ({'path': 'x', 'count': '\u0661'}, "'count'"),
    'fraction': ({'path': 'x', 'count': '1.5'}, "'count'"),
    'big int': ({'path': 'x', 'count': '9' * 30}, "'count'"),
    'huge int': ({'path': 'x', 'count': '9' * 100_000}, "'count'"),
    'nan': ({'path': 'x', 'ratio': 'nan'}, "'ratio'"),
    'infinity': ({'path': 'x', 'ratio': '-inf'}, "'ratio'"),
    'no bool': ({'path': 'x', 'deep': 'yes'}, "'deep'"),
    'list as text': ({'path': 'x', 'tags': '["a"]'}, "'tags'"),
    'long name': ({'path': 'x', 'n' * 100_000: '1'}, 'unknown argument'),
}


@pytest.mark.parametrize(('query', 'text'), WRONG_QUERIES.values(), ids=WRONG_QUERIES)
def test_wrong_query(query: dict[str, str], text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        TYPED.bind(query, None)
    assert text in caught.value.message
    assert len(caught.value.message) < 500
    assert 'object at 0x' not in caught.value.message and 'Struct' not in caught.value.message


@pytest.mark.parametrize(
    ('body', 'expected'),
    [
        (b'{"path": "x"}', {'path': 'x'}),
        (b'{"path": "x", "tags": ["a"], "other": {"b": 1}}', {'path': 'x', 'tags': ['a'], 'other': {'b': 1}}),
        (b'{"path": "\\u2028</script>", "ratio": 2}', {'path': '\u2028</script>', 'ratio': 2.0}),
        (
            b'{"path": "x", "other": null, "anything": {"a": [null]}}',
            {'path': 'x', 'other': None, 'anything': {'a': [None]}},
        ),
    ],
)
def test_json(body: bytes, expected: dict[str, Any]) -> None:
    assert TYPED.bind(None, body) == expected
    assert TYPED.bind({}, body) == expected


WRONG_BODIES = {
    'empty': (b'', 'JSON object'),
    'no JSON': (b'path=x', 'JSON object'),
    'array': (b'["x"]', 'JSON object'),
    'text': (b'"x"', 'JSON object'),
    'null': (b'null', 'JSON object'),
    'two': (b'{"path": "x"}{}', 'JSON object'),
    'no UTF-8': (b'{"path": "\xff"}', 'JSON object'),
    'lone surrogate': (b'{"path": "\\ud800"}', 'JSON object'),
    'not a number': (b'{"path": "x", "ratio": NaN}', 'JSON object'),
    'deep': (b'{"path": "x", "anything": ' + b'[' * 200_000 + b']' * 200_000 + b'}', 'nested too deeply'),
    'strict int': (b'{"path": "x", "count": "1"}', "'count': Expected int, got str"),
    'strict bool': (b'{"path": "x", "deep": 1}', "'deep': Expected bool, got int"),
    'null for text': (b'{"path": null}', "'path'"),
    'inner type': (b'{"path": "x", "tags": ["a", 3]}', "'tags[1]': Expected str, got int"),
    'big int': (b'{"path": "x", "count": 99999999999999999999}', "'count'"),
    'missing': (b'{}', "'path' is missing"),
    'unknown': (b'{"path": "x", "__init__": 1}', "unknown argument '__init__'"),
}


@pytest.mark.parametrize(('body', 'text'), WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_wrong_json(body: bytes, text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        TYPED.bind(None, body)
    assert text in caught.value.message
    assert len(caught.value.message) < 500


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_body_binds_or_is_refused(body: bytes) -> None:
    try:
        bound = TYPED.bind(None, body)
    except BadRequest as error:
        assert error.status == 400
    else:
        assert isinstance(bound['path'], str) and set(bound) <= set(typed.__annotations__)


@given(
    st.dictionaries(st.sampled_from(['path', 'count', 'ratio', 'deep', 'tags', 'x']) | st.text(), st.text(), max_size=5)
)
def test_any_query_binds_or_is_refused(query: dict[str, str]) -> None:
    try:
        bound = TYPED.bind(query, None)
    except BadRequest:
        return
    assert bound.keys() == query.keys() and isinstance(bound.get('count', 0), int)


def test_arguments_come_from_one_side() -> None:
    with pytest.raises(BadRequest, match='not in both'):
        TYPED.bind({'path': 'x'}, b'{"path": "y"}')


def test_a_handler_without_arguments() -> None:
    command = Command('a', nothing)
    assert command.bind(None, None) == command.bind({}, None) == command.bind(None, b'{}') == {}
    with pytest.raises(BadRequest, match="unknown argument 'x'"):
        command.bind({'x': '1'}, None)
    with pytest.raises(BadRequest, match="unknown argument 'x'"):
        command.bind(None, b'{"x": 1}')


def test_a_handler_without_annotations() -> None:
    def handler(a, b=2):  # type: ignore[no-untyped-def]
        return a

    command = Command('a', handler)
    assert command.bind({'a': '1'}, None) == {'a': '1'}
    assert command.bind(None, b'{"a": [1], "b": {}}') == {'a': [1], 'b': {}}


def test_the_special_parameters_are_no_arguments() -> None:
    def handler(call: Call, body: bytes) -> None: ...

    for name in ('call', 'body'):
        with pytest.raises(BadRequest, match='unknown argument'):
            Command('a', handler).bind({name: 'x'}, None)


def test_defaults_are_the_handlers_own() -> None:
    sentinel = object()

    def handler(x: int = sentinel, y: list[int] = [1, 2]) -> None: ...  # type: ignore[assignment]  # noqa: B006

    assert Command('a', handler).bind({'x': '1'}, None) == {'x': 1}


def test_a_plain_call_imports_no_msgspec() -> None:
    code = (
        'import sys; from socket_runtime.ipc.command import Command, Commands, Call; '
        'from socket_runtime.ipc.grants import Grants, PathScope, RuntimeGrants; '
        'c = Command("a", lambda: None); assert c.bind({}, None) == {}; assert c.bind(None, None) == {}; '
        'bad = {"msgspec", "asyncio", "subprocess", "ssl", "hashlib", "concurrent.futures"} & set(sys.modules); '
        'assert not bad, bad'
    )
    source = Path(__file__).resolve().parents[2] / 'src'
    result = subprocess.run(
        [sys.executable, '-c', code], env={'PYTHONPATH': str(source)}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


# -- the context of a call -----------------------------------------------------------------------------


def test_call_is_cancelled_once() -> None:
    call = call_of()
    told: list[str] = []
    forget = call.on_cancel(lambda: told.append('forgotten'))
    call.on_cancel(lambda: told.append('first'))
    forget()
    forget()
    assert not call.is_cancelled and not call.cancelled.is_set()
    call.cancel()
    call.cancel()
    assert call.is_cancelled and call.cancelled.is_set() and told == ['first']
    call.on_cancel(lambda: told.append('late'))()
    assert told == ['first', 'late']


def test_the_event_of_a_call_that_was_cancelled_before_is_set() -> None:
    call = call_of()
    call.cancel()
    assert call.cancelled.wait(0)


def test_cancelling_wakes_a_waiting_thread() -> None:
    call = call_of()
    woken = threading.Event()
    thread = threading.Thread(target=lambda: (call.cancelled.wait(10), woken.set()))
    thread.start()
    call.cancel()
    assert woken.wait(5)
    thread.join()


def test_headers() -> None:
    assert call_of().header('Socket-Bulk') is None
    call = Call(Command('a', nothing), '', 1, None, Grants(), {'Socket-Bulk': 'file'}.get)
    assert call.header('Socket-Bulk') == 'file'


def test_markers_are_values() -> None:
    assert Binary(b'x') == Binary(b'x') and HostFile(3, 4) == HostFile(3, 4, None)


def test_an_async_handler_runs_with_what_was_bound() -> None:
    command = Command('a', coroutine)
    assert asyncio.run(command.handler(**command.bind({'x': '5'}, None))) == 5


# -- how fast ------------------------------------------------------------------------------------------


def test_bind_small_query_speed(benchmark: Any) -> None:
    assert benchmark(TYPED.bind, {'path': '/a/b', 'count': '3'}, None) == {'path': '/a/b', 'count': 3}


def test_bind_nothing_speed(benchmark: Any) -> None:
    assert benchmark(Command('a', nothing).bind, None, None) == {}
