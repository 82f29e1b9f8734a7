"""What an app may do, worked out from its pages and its ``socket.ini`` without running it.

For each page: its policies as they are served, the commands that they let it call, the grant that each of
those needs, and what will not work as written. ``ssc policy`` shows it, a build keeps it in the bundle, and
what ``lint_page`` calls an error stops the build (A4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from socket_runtime.app.config import Config
from socket_runtime.build.copying import find_files
from socket_runtime.build.programs import program_commands
from socket_runtime.errors import LocalError, PageError

if TYPE_CHECKING:
    from socket_runtime.ipc.command import Command

__all__ = ['CallReport', 'PageReport', 'Report', 'known_commands', 'make_report']

#: Larger pages are refused when they are served, too. Bytes.
MAX_PAGE = 16 * 1024 * 1024

#: Scripts that are read for the modules that they import: number, and bytes of each.
MAX_SCRIPTS = 500
MAX_SCRIPT = 8 * 1024 * 1024

_PAGE_SUFFIXES = ('.html', '.htm')
_SCRIPT_SOURCE = re.compile(rb"""<script\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]{1,512})""", re.IGNORECASE)
_IMPORT = re.compile(rb"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\s]{1,512})["']""")


@dataclass(frozen=True, slots=True)
class CallReport:
    """A command that a page's policy lets it call.

    Attributes:
        name: the command.
        grant: the grant that it needs, ``''`` for none.
        granted: ``socket.ini`` has that grant.
        known: there is such a command; the program may still add it.
        help: what it does.
    """

    name: str
    grant: str = ''
    granted: bool = True
    known: bool = True
    help: str = ''

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            'command': self.name,
            'url': f'ipc://{self.name}',
            'grant': self.grant or None,
            'granted': self.granted,
            'known': self.known,
            'help': self.help,
        }


@dataclass(frozen=True, slots=True)
class Lint:
    """Something in a page that will not work as written. ``error``: it stops a build."""

    line: int
    message: str
    hint: str
    error: bool = False

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {'line': self.line, 'message': self.message, 'hint': self.hint, 'error': self.error}


@dataclass(frozen=True, slots=True)
class PageReport:
    """One page.

    Attributes:
        path: in the resources.
        policies: as they are served, patterns written out; empty: the page may call nothing.
        everything: it may call whatever there is, as ``connect-src ipc:`` says.
        calls: what it may call, sorted by name.
        lints: by line.
    """

    path: str
    policies: tuple[str, ...] = ()
    everything: bool = False
    calls: tuple[CallReport, ...] = ()
    lints: tuple[Lint, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            'page': self.path,
            'policies': list(self.policies),
            'everything': self.everything,
            'calls': [call.to_dict() for call in self.calls],
            'lints': [lint.to_dict() for lint in self.lints],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """An app.

    Attributes:
        config: it.
        pages: sorted by path.
        grants: every grant that is given, defaults included: name -> values, or ``True``.
        program: file name of the app's own Python program, which may do whatever Python may; or ``''``.
    """

    config: Config
    pages: tuple[PageReport, ...]
    grants: Mapping[str, tuple[str, ...] | bool]
    program: str = ''

    @property
    def errors(self) -> tuple[tuple[PageReport, Lint], ...]:
        """What stops a build."""
        return tuple((page, lint) for page in self.pages for lint in page.lints if lint.error)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, and for ``policy.json``; the same for the same app wherever it stands."""
        return {
            'name': self.config.name,
            'title': self.config.title,
            'version': self.config.version,
            'bundle_identifier': self.config.bundle_identifier,
            'origin': self.config.origin,
            'program': self.program or None,
            'pages': [page.to_dict() for page in self.pages],
            'grants': {name: value if value is True else list(value or ()) for name, value in self.grants.items()},
        }

    def to_json(self) -> str:
        """The text of ``policy.json``."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + '\n'

    def lines(self) -> Iterator[str]:
        """For people, and for ``grep ipc://``: one line for each command that a page may call."""
        config = self.config
        yield f'{config.title} {config.version} ({config.origin})'
        if self.program:
            yield f'  runs the Python program {self.program}, which may do whatever Python may'
        for page in self.pages:
            yield ''
            yield f'page {page.path}'
            yield from (f'  policy  {policy}' for policy in page.policies)
            if page.everything:
                yield '  calls   ipc:  every command that there is'
            elif not page.calls:
                yield '  calls   nothing'
            width = max((len(call.name) for call in page.calls), default=0) + len('ipc://')
            for call in page.calls:
                yield f'  calls   {f"ipc://{call.name}":{width}}  {_needs(call)}'.rstrip()
        yield ''
        yield 'grants'
        for name, value in self.grants.items():
            if value is True:
                yield f'  {name} = true'
            else:
                yield from (f'  {name}[] = {text}' for text in value or ())


def _needs(call: CallReport) -> str:
    if not call.known:
        return 'unknown command'
    if not call.grant:
        return call.help
    return f'needs {call.grant}' if call.granted else f'needs {call.grant}, which is NOT granted'


def make_report(config: Config, *, resources: Path | None = None) -> Report:
    """Read an app.

    Args:
        config: it.
        resources: where its pages are; ``config.resources`` where absent.

    Raises:
        ProjectError: files are missing, or there are too many.
        ConfigError: a grant is wrong.
        PageError: a page is too large.
    """
    folder = resources or config.resources
    grants = config.grant_table({name: _program_grant() for name in _own_grants(config)})
    commands = known_commands(config)
    pages = tuple(
        _page(folder, name, config, commands, grants.has)
        for name in find_files(folder).files
        if name.lower().endswith(_PAGE_SUFFIXES)
    )
    given = {name: value for name, value in grants.items() if value}
    program = config.python.main.name if config.python.main else ''
    return Report(config, pages, given, program)


def known_commands(config: Config) -> dict[str, tuple[str | None, str]]:
    """Every command that the app has: name -> the grant that it needs, and a line of help.

    Those of the program are found as far as its text tells.
    """
    commands = {row.name: (row.grant, row.help) for row in _service_rows(config)}
    for name, grant in program_commands(config).items():
        commands.setdefault(name, (grant, "the app's own"))
    return commands


def _service_rows(config: Config) -> tuple[Command, ...]:
    """The runtime's own commands. Their services are made, as an app makes them, and never run."""
    from socket_runtime.app.folders import app_folders
    from socket_runtime.app.wiring import service_rows
    from socket_runtime.ipc.grants import RuntimeGrants
    from socket_runtime.services import ServiceContext
    from socket_runtime.services.fs import FileService

    folders = app_folders(config.bundle_identifier.lower(), config.resources, config.debug)
    grants = config.grant_table({name: _program_grant() for name in _own_grants(config)})
    context = ServiceContext(grants, RuntimeGrants(), folders, debug=config.debug, config=config)
    return service_rows(context, FileService(context))


def _own_grants(config: Config) -> tuple[str, ...]:
    """Grants that only the app's program can know."""
    if config.python.main is None:
        return ()
    from socket_runtime.ipc.grants import KNOWN_GRANTS

    return tuple(name for name in config.grants if name not in KNOWN_GRANTS)


def _program_grant() -> Any:
    from socket_runtime.ipc.grants import GrantInfo

    return GrantInfo('names', "the app's own", when_true=('true',))


def _page(
    folder: Path, name: str, config: Config, commands: Mapping[str, tuple[str | None, str]], has: Any
) -> PageReport:
    from socket_runtime.ipc.csp import allows
    from socket_runtime.ipc.page import lint_page, serve_page

    path = folder / name
    if path.stat().st_size > MAX_PAGE:
        raise PageError(f'{name} is larger than {MAX_PAGE // 1024**2} MiB')
    html = path.read_bytes()
    configured = config.webview.policies
    # A program may add commands under names that its text does not tell: then names are not checked.
    checked = None if config.python.main is not None else commands
    lints = [
        Lint(finding.line, finding.message, finding.hint, finding.error)
        for finding in lint_page(
            html, commands=checked, modules_used=_modules(folder, name, html), configured=configured
        )
    ]
    try:
        served = serve_page(html, commands=commands, configured=configured)
    except LocalError as error:
        lints.append(Lint(0, error.message, error.hint, error=True))
        return PageReport(name, lints=tuple(lints))
    calls = [
        CallReport(command, grant or '', not grant or has(grant), help=text)
        for command, (grant, text) in commands.items()
        if allows(served.policies, command)
    ]
    calls += _unknown_calls(served.policies, {command.lower() for command in commands})
    lints += _missing_grants(calls, served.policies)
    return PageReport(
        path=name,
        policies=tuple(policy.header() for policy in served.policies),
        everything=allows(served.policies, 'no-such.command'),
        calls=tuple(sorted(calls, key=lambda call: call.name.lower())),
        lints=tuple(lints),
    )


def _unknown_calls(policies: Iterable[Any], known: set[str]) -> list[CallReport]:
    """Exact names that a policy allows and nobody is known to answer; a program may add them."""
    from socket_runtime.ipc.csp import allows, can_be_named

    found: dict[str, str] = {}
    for policy in policies:
        for source in policy.call_sources() or ():
            name = source.removeprefix('ipc://')
            if name != source and can_be_named(name) and name.lower() not in known:
                found.setdefault(name.lower(), name)
    listed = tuple(policies)
    return [CallReport(name, known=False) for name in found.values() if allows(listed, name)]


def _missing_grants(calls: Iterable[CallReport], policies: Iterable[Any]) -> Iterator[Lint]:
    """Commands that the page names, and that ``socket.ini`` does not grant."""
    from socket_runtime.ipc.grants import missing_line

    named = {source.lower() for policy in policies for source in policy.call_sources() or ()}
    refused: dict[str, list[str]] = {}
    for call in calls:
        if not call.granted and f'ipc://{call.name.lower()}' in named:
            refused.setdefault(call.grant, []).append(call.name)
    for grant, names in refused.items():
        listed = ', '.join(names[:3]) + (f' and {len(names) - 3} more' if len(names) > 3 else '')
        yield Lint(0, f'the policy allows {listed}, which socket.ini does not grant', f'Add {missing_line(grant)}')


def _modules(folder: Path, page: str, html: bytes) -> tuple[str, ...]:
    """The ``socket:`` modules that the page's scripts import, and theirs in turn.

    A search of the text, not a parser: enough to find a policy that forbids what the page needs.
    """
    base = Path(page).parent
    waiting = [_local(base, found.decode('utf-8', 'replace')) for found in _SCRIPT_SOURCE.findall(html)]
    seen: set[Path] = set()
    modules: set[str] = set()
    while waiting and len(seen) < MAX_SCRIPTS:
        script = waiting.pop()
        if script is None or script in seen:
            continue
        seen.add(script)
        for found in _IMPORT.findall(_read_script(folder / script)):
            target = found.decode('utf-8', 'replace')
            if target.startswith('socket:') and not target.startswith('socket:/'):
                modules.add(target.removeprefix('socket:'))
            else:
                waiting.append(_local(script.parent, target))
    return tuple(sorted(modules))


def _local(base: Path, target: str) -> Path | None:
    """The file of the app that ``target`` names in a file in ``base``; ``None`` for anything else."""
    if '://' in target or ':' in target.partition('/')[0]:
        return None
    path = target.partition('?')[0].partition('#')[0]
    parts: list[str] = [] if path.startswith('/') else [part for part in base.parts if part != '.']
    for part in path.split('/'):
        if part == '..':
            if not parts:
                return None
            parts.pop()
        elif part not in ('', '.'):
            parts.append(part)
    return Path(*parts) if parts else None


def _read_script(path: Path) -> bytes:
    try:
        with path.open('rb') as file:
            return file.read(MAX_SCRIPT)
    except OSError:
        return b''
