"""The services of an app: their commands, their folders, and what they give up with a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from socket_runtime.app.folders import app_folders, make_own
from socket_runtime.ipc.command import Command
from socket_runtime.ipc.document import Document
from socket_runtime.ipc.grants import KNOWN_GRANTS, GrantInfo, Grants, RuntimeGrants
from socket_runtime.services import ServiceContext, console, process, shell, system, window
from socket_runtime.services.fs import FileService

if TYPE_CHECKING:
    from socket_runtime.app.application import App

__all__ = ['Services', 'service_commands', 'service_rows']

#: What a grant is that only the app's own program names: ``true``, or values that the program knows.
_OWN_GRANT = GrantInfo('names', "the app's own", when_true=('true',))


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
    """Make the services of ``app``, and its own folders.

    Raises:
        ConfigError: a grant is unknown or wrong.
        ProjectError: a folder cannot be made, or is another user's.
    """
    config = app.config
    own = {row.grant: _OWN_GRANT for row in app.commands if row.grant is not None and row.grant not in KNOWN_GRANTS}
    folders = app_folders(config.bundle_identifier.lower(), config.resources, config.debug)
    make_own(folders)
    context = ServiceContext(
        grants=config.grant_table(own),
        runtime_grants=RuntimeGrants(),
        roots=folders,
        # the engine's profile and the app's own settings are nobody's files (C8)
        denied=tuple(path for path in (folders['DATA'] / '.webview', config.file) if path is not None),
        debug=config.debug,
        config=config,
    )
    files = FileService(context)
    rows = service_rows(context, files, app.console)
    return Services(rows, context.grants, folders, context.runtime_grants, (files.close_document,))


def service_rows(
    context: ServiceContext, files: FileService, listener: console.Listener | None = None
) -> tuple[Command, ...]:
    """Every row of every service; nothing is run by asking for them.

    Args:
        files: the file service, which keeps what documents have open.
        listener: told of each line of a page's console.
    """
    return (
        *console.commands(listener),
        *window.commands(),
        *files.commands(),
        *system.commands(context),
        *process.commands(context),
        *shell.commands(context),
    )
