"""A command: a Python function that a page may call by name, and what one call of it knows.

The registry is explicit: a name that nobody added does not exist, and no part of a name is ever looked
up as an attribute (B4). Arguments are checked by the handler's annotations before it runs:

====================  ==================================================================
annotation            the parameter takes
====================  ==================================================================
``bytes``             the binary body of the request (``bytes | None`` makes it optional)
``Upload``            the stream that the page uploads (``ipc.streams``)
``Call``              the context of this call
anything else         one argument, converted and checked by msgspec
====================  ==================================================================

A function that returns ``Iterator[...]`` or ``AsyncIterator[...]`` counts as a generator, too; items of
``bytes`` make a raw stream. msgspec is imported at the first call that has arguments.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import threading
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from socket_runtime.errors import BadRequest, UsageError
from socket_runtime.ipc.csp import can_be_named

if TYPE_CHECKING:
    from socket_runtime.ipc.grants import Grants

__all__ = ['Binary', 'Call', 'Command', 'Commands', 'HostFile', 'Kind', 'Shape', 'SizedStream']

Kind: TypeAlias = Literal['sync', 'async', 'generator', 'async generator']

MAX_NAME = 128  # B4: a longer name is nobody's
MAX_BODY = 64 * 1024 * 1024  # bytes of a request's body
DEFAULT_TIMEOUT = 32.0  # seconds; the original's 32,000 ms
MIN_INT, MAX_INT = -(2**63), 2**63 - 1  # numbers beyond make system calls raise OverflowError
MAX_ECHO = 64  # characters of a page's own text that an error message repeats

RESERVED = frozenset({'seq', 'index'})  # query names that belong to the protocol

_SEGMENT = '[A-Za-z](?:[A-Za-z0-9-]|_(?=[A-Za-z0-9-]))*'  # no leading, trailing or double underscore (B4)
_NAME = re.compile(rf'{_SEGMENT}(?:\.{_SEGMENT})*')
_IDENTIFIER = re.compile(r'[^\W\d]\w*')
_ITERATOR = re.compile(r'(Async)?(?:Iterator|Generator)\b(?:\[\s*(bytes\s*[,\]])?)?')

_EMPTY: Mapping[str, Any] = types.MappingProxyType({})
_cancel_lock = threading.Lock()  # guards the cancel state of every call; held for a few instructions only


class _UploadMark:
    """Stands for ``ipc.streams.Upload`` where a handler's module imports it for typing only."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A handler's result that goes to the page as raw bytes."""

    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class HostFile:
    """A handler's result: an open file whose content the page may have.

    Attributes:
        fd: readable descriptor, positioned at 0; whoever takes the result closes it.
        size: bytes, as of the opening.
        mtime: seconds since 1970, or ``None``.
    """

    fd: int
    size: int
    mtime: float | None = None


class SizedStream:
    """A raw stream whose length is known before it begins, so that the page can tell a whole one from one
    that broke off: engines take both for the end.

    Args:
        items: yields the bytes.
        size: how many there will be, in all.
    """

    __slots__ = ('_items', 'size')

    def __init__(self, items: Iterator[bytes], size: int) -> None:
        self._items = items
        self.size = size

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._items)

    def close(self) -> None:
        """Give the rest up."""
        close = getattr(self._items, 'close', None)
        if close is not None:
            close()


@dataclass(frozen=True, slots=True)
class Shape:
    """What a handler's signature says, worked out once.

    Attributes:
        kind: how the handler runs.
        body: name of the ``bytes`` parameter, or ``None``.
        body_required: the body parameter has no default.
        upload: name of the ``Upload`` parameter, or ``None``.
        call: name of the ``Call`` parameter, or ``None``.
        arguments: annotations of all other parameters, by name.
        required: those of them that have no default.
        binary_items: a generator whose items are ``bytes`` (a raw stream instead of records).
    """

    kind: Kind
    body: str | None
    body_required: bool
    upload: str | None
    call: str | None
    arguments: Mapping[str, Any]
    required: frozenset[str]
    binary_items: bool

    @property
    def plain(self) -> bool:
        """The handler takes no arguments from the page but for a body or upload."""
        return not self.arguments


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table of commands.

    Attributes:
        name: in its canonical spelling; calls match it without regard to case.
        handler: what runs; a function, coroutine function, generator or async generator.
        grant: the ``[grants]`` name that ``socket.ini`` must have, or ``None``.
        inline: runs on the GUI's thread, hence takes less than 0.2 ms and never waits.
        timeout: seconds, or ``None`` for no limit.
        floor: allowed even to documents without any policy (``console.write`` alone).
        max_body: bytes of the request's body.
        help: one line for ``ssc policy`` and the documentation.
    """

    name: str
    handler: Callable[..., Any]
    grant: str | None = None
    inline: bool = False
    timeout: float | None = DEFAULT_TIMEOUT
    floor: bool = False
    max_body: int = MAX_BODY
    help: str = ''
    _locals: Mapping[str, Any] = field(default_factory=lambda: _EMPTY, init=False, repr=False, compare=False)
    _shape: Shape | None = field(default=None, init=False, repr=False, compare=False)
    _binder: _Binder | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        scope = _enclosing_names(self.handler)
        if scope:
            object.__setattr__(self, '_locals', scope)

    @property
    def shape(self) -> Shape:
        """What the handler's signature says; worked out at the first use.

        Raises:
            UsageError: the signature cannot be called by name, or an annotation cannot be understood.
        """
        shape = self._shape
        if shape is None:
            shape = _derive_shape(self)
            object.__setattr__(self, '_shape', shape)
        return shape

    def bind(self, query: Mapping[str, str] | None, json_body: bytes | None) -> dict[str, Any]:
        """The handler's keyword arguments, converted and checked by its annotations.

        The body, upload and ``Call`` parameters are not among them: whoever calls the handler adds those.

        Args:
            query: decoded pairs of the URI, without ``seq`` and ``index``; text becomes numbers,
                booleans and ``None`` where the annotation asks for them.
            json_body: one JSON object of all arguments, checked strictly; or ``None``.

        Raises:
            BadRequest: an argument is unknown, missing or wrong; the message names it.
            UsageError: the handler's signature is unusable.
        """
        shape = self.shape
        if not query and json_body is None:
            if not shape.required:
                return {}
            query = {}
        if query and json_body is not None:
            raise BadRequest(f'{self.name}: arguments belong in the query or in the body, not in both')
        if not shape.arguments and json_body is None and query:
            raise BadRequest(f'{self.name}: unknown argument {_quoted(next(iter(query)))}')
        binder = self._binder
        if binder is None:
            binder = _Binder(self.name, shape)
            object.__setattr__(self, '_binder', binder)
        return binder.convert(query or {}) if json_body is None else binder.decode(json_body)


class Commands:
    """The explicit registry: every name that a page can reach is in here, and nothing else."""

    __slots__ = ('_rows',)

    def __init__(self, commands: Iterable[Command] = ()) -> None:
        self._rows: dict[str, Command] = {}
        self.extend(commands)

    def add(self, command: Command) -> None:
        """Add one row.

        Raises:
            UsageError: the name is not canonical, or taken, also in another spelling of case.
        """
        name = command.name
        if len(name) > MAX_NAME or not _NAME.fullmatch(name):
            raise UsageError(
                f'{_quoted(name)} cannot be the name of a command',
                hint='Use letters, digits, "-" and single "_" inside, in parts joined by dots: notes.list',
            )
        if not can_be_named(name):
            raise UsageError(
                f'no policy could allow the command {name!r}: a Content-Security-Policy takes no "_" in a host',
                hint='Write the words together instead: notes.listAll',
            )
        if not callable(command.handler):
            raise UsageError(f'the handler of the command {name!r} cannot be called')
        former = self._rows.get(name.lower())
        if former is not None:
            raise UsageError(
                f'there already is a command {former.name!r}'
                + ('' if former.name == name else f', and {name!r} differs from it in case only'),
                hint='Calls match names without regard to case, so each needs one of its own.',
            )
        self._rows[name.lower()] = command

    def extend(self, commands: Iterable[Command]) -> None:
        """Add several rows; stops at the first that cannot be added.

        Raises:
            UsageError: as for ``add``.
        """
        for command in commands:
            self.add(command)

    def get(self, lower_name: str) -> Command | None:
        """The command of that name, already in lower case."""
        return self._rows.get(lower_name)

    def names(self) -> tuple[str, ...]:
        """All canonical names, sorted."""
        return tuple(sorted(command.name for command in self._rows.values()))

    def __iter__(self) -> typing.Iterator[Command]:
        return iter(tuple(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)


def _no_header(_name: str) -> str | None:
    return None


@dataclass(slots=True, eq=False)
class Call:
    """The context of one call.

    Attributes:
        command: the row that is called.
        id: the page's ``seq``, or ``''``; an echo, never identity.
        window: the asking window as the host knows it (B9).
        document: the asking window's committed document.
        grants: of the app.
        headers: answers one request header by its case-insensitive name.
        services: whatever the app wants its handlers to reach.
    """

    command: Command
    id: str
    window: int
    document: Any
    grants: Grants
    headers: Callable[[str], str | None] = _no_header
    services: Any = None
    _event: threading.Event | None = field(default=None, init=False, repr=False)
    _callbacks: list[Callable[[], object]] | None = field(default=None, init=False, repr=False)
    _cancelled: bool = field(default=False, init=False, repr=False)

    def header(self, name: str) -> str | None:
        """One request header, or ``None``."""
        return self.headers(name)

    @property
    def is_cancelled(self) -> bool:
        """The page has given the call up, or its document is gone."""
        return self._cancelled

    @property
    def cancelled(self) -> threading.Event:
        """Set once the call is cancelled; for handlers that wait. Made at the first use."""
        with _cancel_lock:
            if self._event is None:
                self._event = threading.Event()
                if self._cancelled:
                    self._event.set()
            return self._event

    def cancel(self) -> None:
        """Tell the handler that nobody waits for it. Any thread may call this; again does nothing."""
        with _cancel_lock:
            if self._cancelled:
                return
            self._cancelled = True
            event, callbacks = self._event, self._callbacks
            self._callbacks = None
        if event is not None:
            event.set()
        for callback in callbacks or ():
            callback()

    def on_cancel(self, function: Callable[[], object]) -> Callable[[], None]:
        """Have ``function`` called once the call is cancelled, at once if it already is.

        It runs on the cancelling thread, often the GUI's: it must not wait. Returns a function that
        takes it back.
        """
        with _cancel_lock:
            if not self._cancelled:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(function)
                return lambda: self._forget(function)
        function()
        return lambda: None

    def _forget(self, function: Callable[[], object]) -> None:
        with _cancel_lock:
            if self._callbacks is not None and function in self._callbacks:
                self._callbacks.remove(function)


# -- signatures -------------------------------------------------------------------------------------


def _inner(handler: Callable[..., Any]) -> Any:
    """The function whose annotations and globals describe ``handler``."""
    while True:
        if isinstance(handler, functools.partial):
            handler = handler.func
        elif isinstance(handler, types.MethodType):
            handler = handler.__func__
        elif hasattr(handler, '__wrapped__'):
            handler = handler.__wrapped__
        elif not isinstance(handler, type) and not hasattr(handler, '__code__'):
            call: Any = type(handler).__call__  # an object that can be called
            return call if hasattr(call, '__code__') else handler
        else:
            return handler


def _enclosing_names(handler: Callable[..., Any]) -> dict[str, Any]:
    """Names of the function that defines ``handler`` which its annotations use.

    ``from __future__ import annotations`` leaves text behind, and a class that was defined beside a
    local handler can only be found in that frame, while it is alive: when the command is made.
    """
    function = _inner(handler)
    code = getattr(function, '__code__', None)
    if code is None or '<locals>' not in getattr(function, '__qualname__', ''):
        return {}
    texts = [text for text in getattr(function, '__annotations__', {}).values() if isinstance(text, str)]
    if not texts:
        return {}
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None and code not in frame.f_code.co_consts:
        frame = frame.f_back
    if frame is None:
        return {}
    wanted = {name for text in texts for name in _IDENTIFIER.findall(text)}
    return {name: value for name, value in frame.f_locals.items() if name in wanted}


def _derive_shape(command: Command) -> Shape:
    handler = command.handler
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError, NameError) as error:
        raise UsageError(f'the handler of the command {command.name!r} has no usable signature: {error}') from None
    special: dict[str, str] = {}
    arguments: dict[str, Any] = {}
    required: set[str] = set()
    body_required = False
    for parameter in signature.parameters.values():
        _check_parameter(command.name, parameter)
        hint = _resolve(command, parameter.name, parameter.annotation)
        role = _role(hint)
        needed = parameter.default is parameter.empty
        if role is None:
            arguments[parameter.name] = hint
            if needed:
                required.add(parameter.name)
        elif role in special or (role != 'call' and special.keys() & {'body', 'upload'}):
            raise UsageError(f"the command {command.name!r} has more than one parameter for the request's {role}")
        else:
            special[role] = parameter.name
            body_required = body_required or (role == 'body' and needed)
    returns = _iterator(signature.return_annotation)
    kind = _kind(handler, returns)
    return Shape(
        kind=kind,
        body=special.get('body'),
        body_required=body_required,
        upload=special.get('upload'),
        call=special.get('call'),
        arguments=types.MappingProxyType(arguments),
        required=frozenset(required),
        binary_items='generator' in kind and returns is not None and returns[2] is not None,
    )


def _check_parameter(command: str, parameter: inspect.Parameter) -> None:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise UsageError(
            f'the command {command!r} has a parameter {str(parameter).split(":")[0]!r} that cannot be given by name',
            hint='Write each argument as a parameter of its own.',
        )
    if parameter.name.startswith('_') or parameter.name in RESERVED:
        raise UsageError(f'the command {command!r} may not have a parameter {parameter.name!r}')


def _resolve(command: Command, name: str, annotation: Any) -> Any:
    """The type that an annotation stands for."""
    if annotation is inspect.Parameter.empty:
        return Any
    function = _inner(command.handler)
    scope = getattr(function, '__globals__', {})
    known = {'Call': Call, 'Upload': _UploadMark}
    names = {key: value for key, value in known.items() if key not in scope}
    closure = getattr(function, '__closure__', None) or ()
    for key, cell in zip(getattr(getattr(function, '__code__', None), 'co_freevars', ()), closure, strict=False):
        try:
            names[key] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    names.update(command._locals)
    holder = types.SimpleNamespace(__annotations__={name: annotation})
    try:
        return typing.get_type_hints(holder, scope, names, include_extras=True)[name]
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        raise UsageError(
            f'the annotation of the parameter {name!r} of the command {command.name!r} cannot be understood: {error}',
            hint='Types of arguments must be importable when the command runs, not for type checking only.',
        ) from None


def _role(hint: Any) -> str | None:
    """What a parameter takes besides arguments: ``'body'``, ``'upload'``, ``'call'`` or ``None``."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [member for member in typing.get_args(hint) if member is not types.NoneType]
        hint = inner[0] if len(inner) == 1 else hint
    if hint is bytes:
        return 'body'
    if hint is Call:
        return 'call'
    if hint is _UploadMark:
        return 'upload'
    if isinstance(hint, type) and hint.__name__ == 'Upload' and hint.__module__ == f'{__package__}.streams':
        return 'upload'
    return None


def _kind(handler: Callable[..., Any], returns: re.Match[str] | None) -> Kind:
    target: Any = handler
    if not inspect.isroutine(handler) and not isinstance(handler, functools.partial):
        target = type(handler).__call__
    if inspect.isasyncgenfunction(target):
        return 'async generator'
    if inspect.isgeneratorfunction(target):
        return 'generator'
    if inspect.iscoroutinefunction(target):
        return 'async'
    if returns is not None:  # checks something first and returns a generator then
        return 'async generator' if returns[1] else 'generator'
    return 'sync'


def _iterator(annotation: Any) -> re.Match[str] | None:
    """Says a return annotation that this gives items? Read as text, since it need not be importable."""
    text = annotation if isinstance(annotation, str) else str(annotation)
    return _ITERATOR.match(text.removeprefix('collections.abc.').removeprefix('typing.'))


# -- arguments --------------------------------------------------------------------------------------


class _Binder:
    """Checks one command's arguments with msgspec."""

    __slots__ = ('_convert', '_decode', '_errors', '_fields', '_model', '_name', '_unset')

    def __init__(self, name: str, shape: Shape) -> None:
        import msgspec  # the first call with arguments pays for it, a plain start does not

        self._name = name
        self._fields = tuple(shape.arguments)
        self._unset = msgspec.UNSET
        self._errors = (msgspec.DecodeError, UnicodeDecodeError)
        # UNSET stands for "not given": the handler's own default then applies, whatever it is.
        needed = [(key, hint) for key, hint in shape.arguments.items() if key in shape.required]
        optional = [(key, hint, msgspec.UNSET) for key, hint in shape.arguments.items() if key not in shape.required]
        try:
            self._model = msgspec.defstruct(
                'Arguments', [*needed, *optional], kw_only=True, forbid_unknown_fields=True, gc=False
            )
            self._decode = msgspec.json.Decoder(self._model).decode
            self._convert = msgspec.convert
        except (TypeError, NameError, ValueError) as error:
            raise UsageError(
                f'the arguments of the command {name!r} cannot be checked: {error}',
                hint='Use plain types, dataclasses, TypedDicts, enums or msgspec Structs.',
            ) from None

    def convert(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Arguments from the URI's query, where everything is text."""
        try:
            given = self._convert(query, self._model, strict=False)
        except self._errors as error:
            raise self._refusal(str(error)) from None
        return self._pick(given)

    def decode(self, body: bytes) -> dict[str, Any]:
        """Arguments from a JSON body."""
        try:
            given = self._decode(body)
        except self._errors as error:
            raise self._refusal(str(error)) from None
        except RecursionError:
            raise BadRequest(f'{self._name}: the body is nested too deeply') from None
        return self._pick(given)

    def _pick(self, given: Any) -> dict[str, Any]:
        unset = self._unset
        arguments = {key: value for key in self._fields if (value := getattr(given, key)) is not unset}
        for key, value in arguments.items():
            kind = type(value)
            if (kind is int and not MIN_INT <= value <= MAX_INT) or (kind is float and not isfinite(value)):
                raise BadRequest(f'{self._name}: argument {_quoted(key)}: the number is out of range')
        return arguments

    def _refusal(self, text: str) -> BadRequest:
        """msgspec's words as ours, with the argument's name in front."""
        message, _, place = text.partition(' - at `')
        place = place.rstrip('`').removeprefix('$').removeprefix('.')
        if not place:
            missing = re.fullmatch(r'Object missing required field `(.*)`', message, re.DOTALL)
            if missing:
                return BadRequest(f'{self._name}: the argument {_quoted(missing[1])} is missing')
            unknown = re.fullmatch(r'Object contains unknown field `(.*)`', message, re.DOTALL)
            if unknown:
                return BadRequest(f'{self._name}: unknown argument {_quoted(unknown[1])}')
            return BadRequest(f'{self._name}: the body is not one JSON object of arguments: {_short(message)}')
        return BadRequest(f'{self._name}: argument {_quoted(place)}: {_short(message.replace("`", ""))}')


def _short(text: str) -> str:
    return text if len(text) <= 4 * MAX_ECHO else text[: 4 * MAX_ECHO] + '…'


def _quoted(text: object) -> str:
    """A name that somebody else chose, cut and with control characters escaped."""
    return repr(str(text)[:MAX_ECHO])
