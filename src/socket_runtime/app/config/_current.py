"""The config and the wishes that ``ssc run`` hands to a Python program which runs in its own process.

``App()`` of such a program asks here first; a program that was started by itself finds nothing and works
out its own. Set once, before the program runs, on the main thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socket_runtime.app.config.config import Config

__all__ = ['RunOptions', 'current', 'current_options', 'set_current']


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run an app, as the command line said; the names are those of ``run_app``.

    Attributes:
        headless: run without showing a window on the user's display.
        screenshot: write what the first window shows to this PNG file, and end.
        dev_server: ``(host, port)`` that the app's files are fetched from.
        live_reload: reload the page when a file has changed.
        automation: let a WebDriver drive the app (tests).
        report_errors: print what the page reports, and end with ``PageError`` when it throws at load.
    """

    headless: bool = False
    screenshot: Path | None = None
    dev_server: tuple[str, int] | None = None
    live_reload: bool = False
    automation: bool = False
    report_errors: bool = True


_config: Config | None = None
_options = RunOptions()


def set_current(config: Config | None, options: RunOptions | None = None) -> None:
    """Preset the config, and how to run, for the program that is about to run in this process."""
    global _config, _options
    _config = config
    _options = options if options is not None else RunOptions()


def current() -> Config | None:
    """The preset config, or ``None``."""
    return _config


def current_options() -> RunOptions:
    """How the command line wants the app to run; all defaults where it did not say."""
    return _options
