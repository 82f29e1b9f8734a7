"""A workbench for services: an app's folders on the real disk, and calls as the router makes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from socket_runtime.ipc.command import Call, Command, Commands
from socket_runtime.ipc.grants import Grants, RuntimeGrants
from socket_runtime.services import ServiceContext
from socket_runtime.services.fs import FileService


class Document:
    """Stands for the committed document of a window."""


@dataclass
class Bench:
    """One app.

    Attributes:
        home: everything is below; ``resources``, ``data``, ``tmp`` and ``outside`` are folders in it.
        grants: ``[grants]``.
        denied: names below ``home`` that no grant opens.
        more: rows beside those of ``fs.*``, made from the context.
    """

    home: Path
    grants: Mapping[str, tuple[str, ...] | bool]
    denied: tuple[str, ...] = ()
    more: Callable[[ServiceContext], Iterable[Command]] | None = None
    roots: dict[str, Path] = field(init=False)
    runtime: RuntimeGrants = field(init=False)
    files: FileService = field(init=False)
    table: Commands = field(init=False)
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        for name in ('resources', 'data', 'tmp', 'outside'):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self.roots = {name.upper(): self.home / name for name in ('resources', 'data', 'tmp')}
        self.roots['HOME'] = self.home
        self.runtime = RuntimeGrants()
        self.checked = Grants(self.grants)
        self.context = ServiceContext(
            grants=self.checked,
            runtime_grants=self.runtime,
            roots=self.roots,
            denied=tuple(self.home / name for name in self.denied),
        )
        self.files = FileService(self.context)
        self.table = Commands(self.files.commands())
        if self.more is not None:
            self.table.extend(self.more(self.context))
        self.document = Document()

    @property
    def data(self) -> Path:
        """The folder of ``$DATA``."""
        return self.home / 'data'

    @property
    def outside(self) -> Path:
        """A folder that no grant covers by itself."""
        return self.home / 'outside'

    def call(
        self,
        name: str,
        *,
        window: int = 1,
        document: object | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        """The context of one call."""
        command = self.table.get(name.lower())
        assert command is not None, name
        given = headers or {}
        return Call(
            command=command,
            id='R1',
            window=window,
            document=self.document if document is None else document,
            grants=self.checked,
            headers=given.get,
        )

    def run(self, name: str, *, on: Call | None = None, body: object = None, **arguments: Any) -> Any:
        """Call a command as the router does, arguments through JSON; the handler's own result."""
        call = on or self.call(name)
        command = call.command
        bound = command.bind(None, json.dumps(arguments).encode()) if arguments else command.bind({}, None)
        shape = command.shape
        if shape.call is not None:
            bound[shape.call] = call
        for role in (shape.body, shape.upload):
            if role is not None:
                bound[role] = body
        result = command.handler(**bound)
        if shape.kind == 'sync' and not hasattr(result, 'data') and not hasattr(result, 'fd'):
            msgspec.json.encode(result)  # what pages get has a JSON form
        return result

    def read(self, path: str | Path, **arguments: Any) -> bytes:
        """``fs.readFile``, as bytes."""
        return bytes(self.run('fs.readFile', path=str(path), **arguments).data)
