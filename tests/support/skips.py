"""Skips that nobody overlooks."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NoReturn

import pytest


def skip_loudly(lacking: str, remedy: str) -> NoReturn:
    """Skip the test that calls this, saying what is missing and how to get it."""
    pytest.skip(f'{lacking}; to run this: {remedy}')


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line of the list: the system (``sys.platform``) and the tests, as globs, and the reason."""

    system: str
    tests: str
    reason: str


def read_allowed(path: Path) -> list[Allowed]:
    """The skips that are known and accepted. Lines: ``system tests reason``; ``#`` begins a comment."""
    allowed = []
    for number, line in enumerate(path.read_text('utf-8').splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        fields = line.split(None, 2)
        if len(fields) != 3:
            raise ValueError(f'{path}:{number}: expected `system tests reason`')
        allowed.append(Allowed(*fields))
    return allowed


class SkipLedger:
    """Counts and lists what was skipped; with ``strict``, an unlisted skip fails the run."""

    def __init__(self, path: Path, *, strict: bool, system: str = sys.platform) -> None:
        self.path = path
        self.strict = strict
        self.allowed = [line for line in read_allowed(path) if fnmatchcase(system, line.system)]
        self.skipped: dict[str, str] = {}

    def note(self, test: str, reason: str) -> None:
        """Remember that ``test`` was skipped."""
        self.skipped[test] = reason.removeprefix('Skipped: ')

    def unlisted(self) -> list[str]:
        """The tests that nobody has allowed to be skipped."""
        return [test for test in self.skipped if not any(fnmatchcase(test, line.tests) for line in self.allowed)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, 'wasxfail'):
            self.note(report.nodeid, _reason(report.longrepr))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.note(report.nodeid, _reason(report.longrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if (
            self.strict
            and self.unlisted()
            and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.strict:
            return
        terminalreporter.section(f'{len(self.skipped)} skipped')
        unlisted = set(self.unlisted())
        for test, reason in self.skipped.items():
            terminalreporter.line(f'{"NOT ALLOWED" if test in unlisted else "allowed"}  {test}  {reason}')
        if unlisted:
            terminalreporter.line(
                f'Install what is missing, or add a line with the reason to {self.path.name}.', red=True
            )


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) and len(longrepr) == 3 else str(longrepr)
