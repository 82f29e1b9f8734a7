"""The services of an app: their commands, their folders, and what they give up with a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from socket_runtime.app.folders import app_folders, make_own
from socket_runtime.ipc.command import Command
from socket_runtime.ipc.document import Document
from socket_runtime.ipc.grants import Grants, RuntimeGrants
from socket_runtime.services import ServiceContext

if TYPE_CHECKING:
    from socket_runtime.app.application import App

__all__ = ['Services', 'service_commands']


@dataclass(frozen=True, slots=True)
class Services:
    """What an app's services are.

    Attributes:
        commands: every row of every service.
        grants: the app's grants, checked.
        folders: the variables of path grants.
        runtime_grants: what the user has picked since the start.
    """

    commands: tuple[Command, ...]
    grants: Grants
    folders: dict[str, Path]
    runtime_grants: RuntimeGrants
    _document_gone: tuple[Callable[[Document], None], ...]

    def document_gone(self, document: Document) -> None:
        """Give up what a document has open."""
        for give_up in self._document_gone:
            give_up(document)

    def grant_path(self, path: str, *, write: bool) -> None:
        """Grant exactly this path, as the user has picked it (C6); a folder with all below it."""
        for grant in ('fs.read', 'fs.write') if write else ('fs.read',):
            self.runtime_grants.allow(grant, path, tree=Path(path).is_dir())


def service_commands(app: App) -> Services:
    """Make the services of ``app``.

    Raises:
        ConfigError: a grant is unknown or wrong.
    """
    from socket_runtime.services import console, process, shell, system, window
    from socket_runtime.services.fs import FileService

    config = app.config
    grants = config.grant_table()
    folders = app_folders(config.bundle_identifier.lower(), config.resources, config.debug)
    make_own(folders)
    runtime_grants = RuntimeGrants()
    context = ServiceContext(
        grants=grants,
        runtime_grants=runtime_grants,
        roots=folders,
        # the engine's profile and the app's own settings are nobody's files (C8)
        denied=tuple(path for path in (folders['DATA'] / '.webview', config.file) if path is not None),
        debug=config.debug,
        config=config,
    )
    files = FileService(context)
    rows = [
        *console.commands(app.console),
        *window.commands(),
        *files.commands(),
        *system.commands(context),
        *process.commands(context),
        *shell.commands(context),
    ]
    return Services(tuple(rows), grants, folders, runtime_grants, (files.close_document,))
