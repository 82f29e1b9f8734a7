"""What pages can have done: one module or folder per field, each with a table of commands.

Every module offers ``commands(context)``, the rows of its table. A row's grant is checked by the gate; its
scope (which path, which program, which host) by the service itself, at every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from socket_runtime.ipc.grants import Grants, RuntimeGrants

__all__ = ['ServiceContext']


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What a service knows of the app that it works for.

    Attributes:
        grants: the checked ``[grants]``.
        runtime_grants: what the user has picked since.
        roots: name of a variable of path patterns -> absolute folder; ``RESOURCES`` is always there.
        denied: the runtime's own files and folders, which no grant opens (C8).
        debug: in development.
        config: the app's configuration, for services that need more.
    """

    grants: Grants
    runtime_grants: RuntimeGrants
    roots: Mapping[str, Path]
    denied: tuple[Path, ...] = ()
    debug: bool = False
    config: Any = field(default=None, repr=False)
