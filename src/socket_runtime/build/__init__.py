"""From a project to a bundle: a folder that holds an app, complete but for Python itself.

::

    build/linux/hello-dev/
        hello           the launcher
        socket.ini      as it was
        resources/      what ``socket://<id>/`` serves
        python/         the app's own program, if ``[python] main`` names one
        policy.json     what each page may do, worked out
        POLICY          the same for people: ``grep ipc://`` shows every command that a page may call
        manifest.json   name, version, format, and the SHA-256 of every file above

``bundle`` drives the steps; ``copying`` brings files over, bounded and without following links; ``script``
runs ``[build] script``; ``report`` reads the pages' policies; ``programs`` finds the commands that a Python
program adds, without running it. Building runs nothing of the project but that one script, and shows it
first (E9).

A build changes nothing in the project but its output folder, and of that only what looks like a bundle.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ['Progress', 'Reporter']


class Progress(Protocol):
    """How far long work has come."""

    def advance(self, amount: int = 1) -> None:
        """``amount`` more is done."""
        ...


class Reporter(Protocol):
    """Who hears of a build's steps; the command line's console is one."""

    def say(self, text: str) -> None:
        """A step."""
        ...

    def show(self, text: str) -> None:
        """What must be seen before it happens, whatever else is silenced."""
        ...

    def warn(self, text: str) -> None:
        """Something that is no error and should be known."""
        ...

    def progress(self, label: str, total: int) -> AbstractContextManager[Progress]:
        """Long work of ``total`` steps begins; it ends with the ``with`` block."""
        ...
