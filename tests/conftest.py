"""What every test may use: a display of its own, the project's root, loud skips, and a limit of 20 seconds.

* A test marked ``display`` finds ``DISPLAY`` set to an Xvfb of this session. ``TEST_DISPLAY=:0`` uses a real one.
  GTK opens its display when it is imported, so such tests import it inside the test, or in a child process.
* A test that cannot run says what it lacks and how to get it (``tests.support.skips.skip_loudly``). With
  ``CI=true`` every skip is listed at the end, and one that is not in ``tests/allowed_skips.txt`` fails the run.
* Apps keep their data below the session's own folder, and not in the home of whoever runs the tests.
* Each test has 20 seconds; ``@pytest.mark.timeout(60)`` says otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.display import start_display
from tests.support.skips import SkipLedger

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption('--soak', action='store_true', help='run the tests of 10,000 rounds and more, too')


def pytest_configure(config: pytest.Config) -> None:
    in_ci = os.environ.get('CI', '').lower() in ('1', 'true')
    # A limit per example measures the machine's other work; the test's own limit holds anyway.
    settings.register_profile('project', deadline=None, derandomize=in_ci, print_blob=True)
    settings.load_profile('project')
    config.pluginmanager.register(SkipLedger(ROOT / 'tests' / 'allowed_skips.txt', strict=in_ci))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption('--soak'):
        soaking = [item for item in items if item.get_closest_marker('soak')]
        if soaking:
            config.hook.pytest_deselected(items=soaking)
            items[:] = [item for item in items if not item.get_closest_marker('soak')]
    for item in items:
        if item.get_closest_marker('display'):
            item.add_marker(pytest.mark.usefixtures('display'))
            names = item.fixturenames  # type: ignore[attr-defined]  # only functions have it, and only they are marked
            if 'display' not in names:
                names.insert(0, 'display')


@pytest.fixture(scope='session')
def display() -> Iterator[str]:
    """The display of this session, e.g. ``:99``; it is also in ``os.environ``, for child processes."""
    with start_display(os.environ.get('TEST_DISPLAY', '')) as name:
        yield name


@pytest.fixture(scope='session', autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The base folders of the XDG specification lead into the session's temporary folder."""
    home = tmp_path_factory.mktemp('xdg')
    with pytest.MonkeyPatch.context() as patch:
        for name in ('DATA', 'CONFIG', 'CACHE', 'STATE'):
            patch.setenv(f'XDG_{name}_HOME', str(home / name.lower()))
        yield


@pytest.fixture(scope='session')
def root() -> Path:
    """The project's root."""
    return ROOT
