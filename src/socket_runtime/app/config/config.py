"""What an app is: the checked values of ``socket.ini``, resolved against the project's folder.

``Config`` is frozen; whoever runs the app with other wishes loads it again with overrides. The origin is
worked out here and nowhere else, so that the gate, the pages and the hosts cannot disagree about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from socket_runtime.app.config.ini import Token, read
from socket_runtime.app.config.schema import FREE
from socket_runtime.app.config.validate import Notice, Values, validate
from socket_runtime.app.config.values import MAX_APP_NAME, Size
from socket_runtime.errors import ConfigError, ProjectError, UsageError

if TYPE_CHECKING:
    from socket_runtime.ipc.grants import GrantInfo, Grants

__all__ = [
    'BUNDLE_FORMAT',
    'CONFIG_NAME',
    'BuildConfig',
    'Config',
    'PythonConfig',
    'WebviewConfig',
    'WindowConfig',
    'default_identifier',
    'for_script',
    'load',
]

#: Several values, or yes or no.
GrantValue: TypeAlias = 'tuple[str, ...] | bool | str'

CONFIG_NAME = 'socket.ini'

#: What ``manifest.json`` of a bundle calls itself; counts up when the layout changes.
BUNDLE_FORMAT = 'socket-runtime-bundle/1'

#: A larger manifest is none (E4). Bytes.
MAX_MANIFEST = 16 * 1024 * 1024

#: Folders of a bundle.
RESOURCES_FOLDER = 'resources'
PYTHON_FOLDER = 'python'

_WIDTH, _HEIGHT, _MIN_WIDTH, _MIN_HEIGHT = Size(800), Size(600), Size(200), Size(100)


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """``[build]``. Paths are absolute.

    Attributes:
        copy: the folder with the pages.
        output: the folder for bundles.
        script: the command to run first, ``''`` for none.
        headless: never show a window.
        env: environment variables that a page may read, given the grant.
        variables: ``[env]``, added to the script's environment.
        watch: what to watch besides the pages.
    """

    copy: Path
    output: Path
    script: str = ''
    headless: bool = False
    env: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    watch: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class WebviewConfig:
    """``[webview]``.

    Attributes:
        root: path of the first page, ``/`` or ``/admin/``.
        default_index: the file that answers for a folder.
        headers: ``(name, value)`` sent with every file of the app, but for policies.
        policies: the values of the ``Content-Security-Policy`` headers, as written.
        watch: watch the resources while running in development.
        reload: reload the page on a change.
        hardware_acceleration: ``'auto' | 'on' | 'off'``.
        sandbox: run the web process in the engine's sandbox.
        storage: keep localStorage and the like from run to run.
        timeout: seconds that a command may take which sets none of its own.
    """

    root: str = '/'
    default_index: str = 'index.html'
    headers: tuple[tuple[str, str], ...] = ()
    policies: tuple[str, ...] = ()
    watch: bool = False
    reload: bool = True
    hardware_acceleration: str = 'auto'
    sandbox: bool = True
    storage: bool = True
    timeout: float = 32.0


@dataclass(frozen=True, slots=True)
class WindowConfig:
    """``[window]``: the first window. Colours are ``#RRGGBB``."""

    width: Size = _WIDTH
    height: Size = _HEIGHT
    min_width: Size = _MIN_WIDTH
    min_height: Size = _MIN_HEIGHT
    resizable: bool = True
    frameless: bool = False
    fullscreen: bool = False
    maximized: bool = False
    on_top: bool = False
    background_light: str = '#FFFFFF'
    background_dark: str = '#1E1E1E'

    @property
    def background(self) -> str:
        """The colour where nothing is known of the desktop."""
        return self.background_light


@dataclass(frozen=True, slots=True)
class PythonConfig:
    """``[python]``. Paths are absolute.

    Attributes:
        main: the program to run, or ``None``.
        include: what it needs besides in a bundle.
    """

    main: Path | None = None
    include: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """An app.

    Attributes:
        name: of the program.
        title: of the app and of its first window.
        bundle_identifier: as written; its lower-case form is the origin's host.
        project: the project's folder, or the bundle's.
        resources: the folder that ``socket://<id>/`` serves. Need not exist yet.
        file: the ``socket.ini``, or ``None`` for an app without one.
        debug: development: inspector, error details, ``-dev`` names.
        bundled: ``project`` is a built bundle.
        grants: the ``[grants]`` section, name -> values or true or false; see ``grant_table``.
        grant_lines: name -> line of its first value.
        notices: what the author should know.
    """

    name: str
    title: str
    version: str
    bundle_identifier: str
    project: Path
    resources: Path
    build: BuildConfig
    webview: WebviewConfig = WebviewConfig()
    window: WindowConfig = WindowConfig()
    python: PythonConfig = PythonConfig()
    grants: Mapping[str, GrantValue] = field(default_factory=lambda: MappingProxyType({}))
    grant_lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ''
    copyright: str = ''
    maintainer: str = ''
    lang: str = 'en-us'
    file: Path | None = None
    debug: bool = False
    bundled: bool = False
    notices: tuple[Notice, ...] = ()

    @property
    def origin(self) -> str:
        """``socket://<bundle identifier in lower case>``: the one identity of all the app's pages."""
        return f'socket://{self.bundle_identifier.lower()}'

    @property
    def start_url(self) -> str:
        """The page that the first window opens."""
        return self.origin + self.webview.root

    @property
    def start_file(self) -> Path:
        """The file behind ``start_url``."""
        path = self.webview.root.strip('/')
        if not self.webview.root.endswith('/'):
            return self.resources / path
        return self.resources / path / (self.webview.default_index or 'index.html')

    @property
    def program_name(self) -> str:
        """The name in files: with ``-dev`` in development, so that both can live side by side."""
        return f'{self.name}-dev' if self.debug else self.name

    def grant_table(self, extra: Mapping[str, GrantInfo] | None = None) -> Grants:
        """The grants as the gate reads them.

        Args:
            extra: grants that the app itself defines for its own commands.

        Raises:
            ConfigError: a name that nobody defines, or a value that it does not take.
        """
        from socket_runtime.ipc.grants import Grants

        file = _shown(self.file) if self.file else ''
        return Grants(self.grants, extra=extra or {}, file=file, lines=self.grant_lines)

    @staticmethod
    def for_script(path: Path | str, *, debug: bool = True) -> Config:
        """See the function of that name."""
        return for_script(path, debug=debug)


def for_script(path: Path | str, *, debug: bool = True) -> Config:
    """The config of a Python app that has no ``socket.ini``: all defaults, named after its file.

    The pages are in ``src`` beside the program, as in every project.
    """
    script = Path(path).absolute()
    stem = script.parent.name if script.stem == '__main__' else script.stem
    name = re.sub(r'[^A-Za-z0-9]+', '-', stem)[:MAX_APP_NAME].strip('-') or 'app'
    values = validate((), required=False)
    values.values['build_name'] = name
    values.values['meta_bundle_identifier'] = default_identifier(name)
    return _resolve(values, script.parent, file=None, debug=debug)


def default_identifier(name: str) -> str:
    """``com.example.<name>``, whatever characters the app's name has."""
    label = re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')
    if not label[:1].isalpha() or label.startswith('xn--'):
        label = f'app-{label}'
    return f'com.example.{label[:63].strip("-")}'


def load(project: Path | str, *, debug: bool, overrides: Sequence[str] = ()) -> Config:
    """Read the ``socket.ini`` of a project or of a built bundle.

    Args:
        project: its folder.
        debug: development. A bundle knows by itself what it was built for, and then this is not asked.
        overrides: ``section.key=value`` texts that replace what the file says.

    Raises:
        ProjectError: there is no such folder, or no ``socket.ini`` in it.
        ConfigError: the file is wrong.
        UsageError: an override is no ``section.key=value``.
    """
    folder = Path(project).absolute()
    file = folder / CONFIG_NAME
    if not folder.is_dir():
        raise ProjectError(f'there is no folder {project}')
    if not file.is_file():
        raise ProjectError(f'there is no {CONFIG_NAME} in {project}', hint='Make a project with: ssc init')
    tokens = _override(read(file, name=_shown(file)), overrides)
    values = validate(tokens, file=_shown(file))
    manifest = _manifest(folder)
    if manifest is not None:
        config = _resolve(values, folder, file=file, debug=manifest.get('debug') is True, bundled=True)
    else:
        config = _resolve(values, folder, file=file, debug=debug)
    _check_grants(config)
    return config


def _shown(file: Path) -> str:
    """As short as can be understood: relative to where the user stands."""
    try:
        return str(file.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(file)


def _override(tokens: Sequence[Token], overrides: Sequence[str]) -> list[Token]:
    given = []
    for number, text in enumerate(overrides, start=1):
        path, equals, value = text.partition('=')
        path = path.strip()
        repeat = path.endswith('[]')
        section, dot, key = path.removesuffix('[]').rpartition('.')
        if not equals or not dot:
            raise UsageError(f'{text!r} is no override', hint='Write section.key=value.')
        if section.split('.')[0] in FREE:  # the author's names have dots of their own
            section, _, key = path.removesuffix('[]').partition('.')
        given.append(Token(section, key, value.strip(), repeat, False, 'override', number))
    replaced = {token.name for token in given}
    return [token for token in tokens if token.name not in replaced] + given


def _grants(values: Values) -> tuple[dict[str, GrantValue], dict[str, int]]:
    """The ``[grants]`` section as ``ipc.grants.Grants`` takes it, and where each name stands.

    Raises:
        ConfigError: a name is set in two ways.
    """
    given: dict[str, GrantValue] = {}
    lines: dict[str, int] = {}
    for name, tokens in values.grants.items():
        last = tokens[-1]
        lines[name] = tokens[0].line
        if any(not token.repeat for token in tokens) and len(tokens) > 1:
            raise last.error(f'[grants] {name} is set twice', f'Write {name}[] = ... for each of several values.')
        if not last.repeat and last.value.lower() in ('true', 'false'):
            given[name] = last.value.lower() == 'true'
        elif last.repeat or not last.value:
            given[name] = tuple(token.value for token in tokens if token.value)
        else:
            given[name] = last.value  # refused by `Grants`, unless a program's own grant takes it
    return given, lines


def _check_grants(config: Config) -> None:
    """Every grant is one that the gate knows, with values of its kind.

    A Python program may define grants of its own, which nobody knows before it runs: then only the
    known names are checked here, and all of them by ``Config.grant_table`` once it has.
    """
    if not config.grants:
        return
    from socket_runtime.ipc.grants import KNOWN_GRANTS, Grants

    given = config.grants
    if config.python.main is not None:
        given = {name: value for name, value in given.items() if name in KNOWN_GRANTS}
    Grants(given, file=_shown(config.file) if config.file else '', lines=config.grant_lines)


def _manifest(folder: Path) -> dict[str, object] | None:
    """The bundle's manifest, or ``None`` where ``folder`` is a project."""
    try:
        with (folder / 'manifest.json').open('rb') as file:
            data = json.loads(file.read(MAX_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not str(data.get('format', '')).startswith('socket-runtime-bundle/'):
        return None
    if data['format'] != BUNDLE_FORMAT:
        raise ProjectError(f'the bundle is of the format {data["format"]}, this version reads {BUNDLE_FORMAT}')
    return data


def _resolve(values: Values, folder: Path, *, file: Path | None, debug: bool, bundled: bool = False) -> Config:
    name = values['build_name']
    build = BuildConfig(
        copy=folder / values['build_copy'],
        output=folder / values['build_output'],
        script=values['build_script'],
        headless=values['build_headless'],
        env=values['build_env'],
        variables=MappingProxyType(dict(values.variables)),
        watch=tuple(folder / path for path in values['build_watch_sources']),
    )
    python_root = folder / PYTHON_FOLDER if bundled else folder
    grants, lines = _grants(values)
    main = values['python_main']
    if not bundled:
        _check_folders(values, build, folder)
    return Config(
        name=name,
        title=values['meta_title'] or name,
        version=values['meta_version'],
        bundle_identifier=values['meta_bundle_identifier'],
        description=values['meta_description'],
        copyright=values['meta_copyright'],
        maintainer=values['meta_maintainer'],
        lang=values['meta_lang'],
        project=folder,
        resources=folder / RESOURCES_FOLDER if bundled else build.copy,
        file=file,
        debug=debug,
        bundled=bundled,
        build=build,
        webview=_webview(values),
        window=_window(values),
        python=PythonConfig(
            main=python_root / main if main else None,
            include=tuple(python_root / path for path in values['python_include']),
        ),
        grants=MappingProxyType(grants),
        grant_lines=MappingProxyType(lines),
        notices=tuple(values.notices),
    )


def _check_folders(values: Values, build: BuildConfig, folder: Path) -> None:
    """The output folder is emptied by a build and must hold nothing of the author's."""
    output = build.output
    if output == folder or output == build.copy or output in build.copy.parents or build.copy in output.parents:
        token = values.tokens.get('build_output') or values.tokens.get('build_copy')
        raise ConfigError(
            f'output {values["build_output"]!r} and copy {values["build_copy"]!r} must be two folders, '
            'neither inside the other nor the project itself',
            file=token.file if token else '',
            line=token.line if token else 0,
        )


def _webview(values: Values) -> WebviewConfig:
    headers, policies = [], []
    for line in values['webview_headers']:
        name, _, value = line.partition(': ')
        if name.lower() == 'content-security-policy':
            policies.append(value)
        else:
            headers.append((name, value))
    return WebviewConfig(
        root=values['webview_root'],
        default_index=values['webview_default_index'],
        headers=tuple(headers),
        policies=tuple(policies),
        watch=values['webview_watch'],
        reload=values['webview_watch_reload'],
        hardware_acceleration=values['webview_hardware_acceleration'],
        sandbox=values['webview_sandbox'],
        storage=values['webview_storage'],
        timeout=values['webview_timeout'],
    )


def _window(values: Values) -> WindowConfig:
    return WindowConfig(
        width=values['window_width'],
        height=values['window_height'],
        min_width=values['window_min_width'],
        min_height=values['window_min_height'],
        resizable=values['window_resizable'],
        frameless=values['window_frameless'],
        fullscreen=values['window_fullscreen'],
        maximized=values['window_maximized'],
        on_top=values['window_on_top'],
        background_light=values['window_background_color_light'],
        background_dark=values['window_background_color_dark'],
    )
