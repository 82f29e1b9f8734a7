"""Running ``[build] script``.

It is the one thing of a project that a build runs. A cloned project may have written anything there, so it
is shown before it runs, and no shell looks at it (E9): what stands in ``socket.ini`` is a program and its
arguments, and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from socket_runtime.build import Reporter
from socket_runtime.errors import ConfigError, ProjectError

__all__ = ['run_script', 'split_command']

#: What a shell would have done, and nobody does here.
_OPERATORS = frozenset({'&&', '||', '|', '&', '>', '>>', '<', '<<', '2>', '2>&1'})


def split_command(text: str) -> list[str]:
    """A program and its arguments, by the rules of quoting of a POSIX shell.

    Raises:
        ConfigError: a quote is open, or it needs a shell.
    """
    import shlex

    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f'[build] script: {error}: {text!r}') from error
    operator = next((part for part in parts if part in _OPERATORS or part.endswith(';')), None)
    if operator is not None:
        raise ConfigError(
            f'[build] script has {operator!r}, but runs without a shell',
            hint='Put the steps into a file and name that: script = "sh build.sh".',
        )
    return parts


def run_script(
    command: str, *, project: Path, resources: Path, variables: Mapping[str, str], reporter: Reporter, quiet: bool
) -> None:
    """Run it in the project's folder, with ``PREFIX`` naming the folder for the app's files.

    Args:
        command: as in ``socket.ini``.
        project: the working folder.
        resources: where the script may put files.
        variables: ``[env]``.
        reporter: shows the command.
        quiet: what it prints goes to standard error, so that standard output stays ours.

    Raises:
        ConfigError: the command cannot be understood.
        ProjectError: it does not start, or fails.
    """
    parts = split_command(command)
    if not parts:
        return
    import subprocess

    reporter.show(f'script: {command}')
    environment = {**os.environ, **variables, 'PREFIX': str(resources)}
    if not quiet:
        sys.stdout.flush()
    try:
        done = subprocess.run(
            parts,
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno() if quiet else None,
            check=False,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ProjectError(
            f'[build] script does not start: {parts[0]}: {reason}', hint='Is that program installed, and in PATH?'
        ) from error
    if done.returncode:
        ended = f'by signal {-done.returncode}' if done.returncode < 0 else f'with {done.returncode}'
        raise ProjectError(f'[build] script ended {ended}: {command}', hint='What it printed above tells why.')
