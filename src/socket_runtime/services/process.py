"""``process.*``: this process, and programs that a page may run.

A program is run by its granted name with a list of arguments; there is no shell in between, and no string
is ever taken apart. It runs in a session of its own, so that ending it ends what it has started, too.
"""

from __future__ import annotations

import binascii
import codecs
import errno
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from socket_runtime.errors import BadRequest, Denied, QuotaExceeded, Timeout, TooLarge
from socket_runtime.ipc.command import Call, Command
from socket_runtime.ipc.grants import Grants
from socket_runtime.services import ServiceContext
from socket_runtime.services.fs.failure import failing
from socket_runtime.services.fs.folder import Folder
from socket_runtime.services.fs.scope import READ, Scope

__all__ = ['Plan', 'Processes', 'commands']

MAX_PROCESSES = 16  # B6: programs of one window at a time
MAX_ARGUMENTS = 4096
MAX_TEXT = 128 * 1024  # bytes of all arguments and variables together; Linux takes no single one longer
MAX_INPUT = 16 * 1024 * 1024  # characters for the program's standard input
MAX_OUTPUT = 16 * 1024 * 1024  # bytes that ``process.exec`` holds, as both outputs together
SPAWN = 'process.spawn'
ENV = 'process.env'

# Variables that make a program load or run something else than what was granted; a second line of defence
# behind patterns such as ``*``.
_LOADERS = ('LD_', 'DYLD_', 'PYTHON', 'PERL5', 'RUBY', 'GIT_CONFIG', 'BASH_FUNC_')
_LOADER = frozenset(
    'PATH PATHEXT COMSPEC IFS ENV BASH_ENV SHELLOPTS PS4 PROMPT_COMMAND EDITOR VISUAL PAGER BROWSER NODE_OPTIONS '
    'JAVA_TOOL_OPTIONS GCONV_PATH GTK_MODULES GTK_PATH GIO_EXTRA_MODULES QT_PLUGIN_PATH GIT_SSH GIT_SSH_COMMAND '
    'GIT_EXEC_PATH GIT_EXTERNAL_DIFF GIT_PAGER GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_ASKPASS SSH_ASKPASS '
    'GIT_PROXY_COMMAND GIT_TEMPLATE_DIR'.split()
)


def commands(context: ServiceContext) -> list[Command]:
    """The rows of ``process.*``."""
    processes = Processes(context)
    return [
        Command('process.memory', memory, inline=True, help='Bytes of memory that this process holds.'),
        Command('process.env', processes.env, ENV, inline=True, help='The granted environment variables.'),
        Command('process.spawn', processes.spawn, SPAWN, timeout=None, help='Run a program, output as it comes.'),
        Command('process.exec', processes.exec, SPAWN, timeout=None, help='Run a program, output at its end.'),
    ]


def memory() -> dict[str, int]:
    """``{rss}`` in bytes; ``maxRSS``, too, where the system tells."""
    answer: dict[str, int] = {}
    if sys.platform == 'linux':
        with failing('uv_resident_set_memory'), open('/proc/self/statm', 'rb') as file:
            answer['rss'] = int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    if sys.platform != 'win32':
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer['maxRSS'] = peak if sys.platform == 'darwin' else peak * 1024
        answer.setdefault('rss', answer['maxRSS'])
    return answer


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked request to run a program. ``folder`` is closed by whoever runs it."""

    command: str
    program: str
    arguments: list[str]
    folder: Folder
    env: dict[str, str]
    stdin: bytes


class Processes:
    """The handlers of this field.

    Args:
        context: the granted names are looked up on ``PATH`` now, once: what appears there later is another
            program.
    """

    def __init__(self, context: ServiceContext) -> None:
        self._grants = context.grants
        self._scope = Scope(context)
        self._programs = _resolve(context.grants.patterns(SPAWN))
        self._running: Counter[int] = Counter()
        self._lock = threading.Lock()

    def env(self, call: Call) -> dict[str, str]:
        """The environment variables that ``process.env`` grants."""
        patterns = self._grants.patterns(ENV)
        if not patterns:
            raise _denied(self._grants, ENV, 'the environment')
        return {name: value for name, value in _environment().items() if _matches(name, patterns)}

    def spawn(
        self,
        call: Call,
        command: str,
        args: list[str] | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        input: str = '',
        binary: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Run a program.

        Gives ``{type: 'stdout' | 'stderr', text}`` as it comes, with ``binary`` ``data`` (base64) instead of
        ``text``, and at the end ``{type: 'exit', code, signal}``. Cancelling the call ends the program.
        """
        self._program(command)  # before the first item is asked for, so that a refusal can still be told
        return self._spawn(call, command, args or [], cwd, env or {}, input, binary)

    def _spawn(
        self, call: Call, command: str, args: list[str], cwd: str | None, env: dict[str, str], text: str, binary: bool
    ) -> Iterator[dict[str, Any]]:
        from socket_runtime.services.running import Running

        with self._counted(call):
            running = Running(self._plan(call, command, args, cwd, env, text), call)
            try:
                decoders = {name: _decoder() for name in ('stdout', 'stderr')}
                for name, data in running.output():
                    if binary:
                        yield {'type': name, 'data': binascii.b2a_base64(data, newline=False).decode('ascii')}
                    elif shown := decoders[name].decode(data):
                        yield {'type': name, 'text': shown}
                if not binary:
                    for name, decoder in decoders.items():
                        if rest := decoder.decode(b'', True):
                            yield {'type': name, 'text': rest}
                code, signal = running.end()
                yield {'type': 'exit', 'code': code, 'signal': signal}
            finally:
                running.close()

    def exec(
        self,
        call: Call,
        command: str,
        args: list[str] | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        input: str = '',
        timeout: int = 0,
    ) -> dict[str, Any]:
        """Run a program to its end: ``{code, signal, stdout, stderr}``.

        Args:
            timeout: milliseconds, 0 for none; the program is ended then.

        Raises:
            TooLarge: it has written more than ``MAX_OUTPUT``; it was ended.
            Timeout: it took longer; it was ended.
        """
        from socket_runtime.services.running import Running

        if timeout < 0:
            raise BadRequest('process.exec: timeout is not negative')
        parts: dict[str, list[bytes]] = {'stdout': [], 'stderr': []}
        size = 0
        with self._counted(call):
            plan = self._plan(call, command, args or [], cwd, env or {}, input)
            running = Running(plan, call, timeout / 1000 or None)
            try:
                for name, data in running.output():
                    parts[name].append(data)
                    size += len(data)
                    if size > MAX_OUTPUT:
                        raise TooLarge(f'{command!r} has written more than {MAX_OUTPUT} bytes; use process.spawn')
                code, signal = running.end()
            except TimeoutError:
                raise Timeout(f'{command!r} took longer than {timeout} ms') from None
            finally:
                running.close()
        texts = {name: b''.join(chunks).decode('utf-8', 'replace') for name, chunks in parts.items()}
        return {'code': code, 'signal': signal, **texts}

    # -- checks ----------------------------------------------------------------------------------------

    def _program(self, command: str) -> str:
        """The file of a granted program.

        Raises:
            Denied: not granted, or granted and not there; names the line.
        """
        if command not in self._grants.patterns(SPAWN):
            raise _denied(self._grants, SPAWN, repr(command[:256]), command)
        path = self._programs.get(command)
        if path is None:
            with failing('spawn', command):
                raise FileNotFoundError(errno.ENOENT, 'no such program on PATH')
        return path

    def _plan(
        self, call: Call, command: str, args: list[str], cwd: str | None, env: Mapping[str, str], text: str
    ) -> Plan:
        program = self._program(command)
        if len(args) > MAX_ARGUMENTS or len(env) > MAX_ARGUMENTS:
            raise BadRequest(f'a program takes at most {MAX_ARGUMENTS} arguments here')
        texts = [*args, *env.keys(), *env.values()]
        if sum(map(len, texts)) > MAX_TEXT or len(text) > MAX_INPUT:
            raise TooLarge('the arguments or the input of the program are too long')
        if any('\0' in item for item in texts) or any(not name or '=' in name for name in env):
            raise BadRequest('arguments and variables have no NUL character, names of variables no "="')
        self._check_env(env)
        folder = self._folder(call, cwd)
        return Plan(command, program, args, folder, {**os.environ, **env}, text.encode('utf-8', 'replace'))

    def _check_env(self, env: Mapping[str, str]) -> None:
        patterns = self._grants.patterns(ENV)
        for name in env:
            if name.upper() in _LOADER or name.upper().startswith(_LOADERS):
                raise Denied(f'the variable {name[:64]!r} could make a program run something else; no grant allows it')
            if not _matches(name, patterns):
                raise _denied(self._grants, ENV, f'the variable {name[:64]!r}', name)

    def _folder(self, call: Call, cwd: str | None) -> Folder:
        """The folder to run in, within the scope of reading. A guard against mistakes and no fence: a granted
        program reaches files by itself."""
        path = '.' if cwd is None else cwd
        with failing('chdir', path), self._scope.place(call, (READ,), path) as place:
            return place.folder.child(place.name)

    def _counted(self, call: Call) -> _Counted:
        return _Counted(self._running, self._lock, call.window)


class _Counted:
    """One more running program of a window, for the time of a block (B6)."""

    def __init__(self, running: Counter[int], lock: threading.Lock, window: int) -> None:
        self._running = running
        self._lock = lock
        self._window = window

    def __enter__(self) -> None:
        with self._lock:
            if self._running[self._window] >= MAX_PROCESSES:
                raise QuotaExceeded(f'a window may run {MAX_PROCESSES} programs at once')
            self._running[self._window] += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._running[self._window] -= 1


def _denied(grants: Grants, grant: str, what: str, value: str = '') -> Denied:
    line = grants.missing_line(grant, value)
    return Denied(f'the app may not use {what}: add `{line}` to socket.ini', missing=line)


def _environment() -> dict[str, str]:
    """Our variables, as text that JSON can carry."""
    return {name: os.fsencode(value).decode('utf-8', 'replace') for name, value in os.environ.items()}


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(name == item or (item.endswith('*') and name.startswith(item[:-1])) for item in patterns)


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder('utf-8')('replace')


def _resolve(names: tuple[str, ...]) -> dict[str, str]:
    """Granted name -> file. What is not there, or cannot be run, is left out."""
    endings = ('.exe', '.com') if sys.platform == 'win32' else ('',)  # never .bat or .cmd: those go through a shell
    found: dict[str, str] = {}
    for name in names:
        folders = [''] if os.path.isabs(name) else [path for path in os.get_exec_path() if os.path.isabs(path)]
        for folder in folders:
            for ending in endings:
                path = os.path.join(folder, name)
                path += '' if path.lower().endswith(endings) else ending
                if name not in found and os.path.isfile(path) and os.access(path, os.X_OK):
                    found[name] = path
    return found
