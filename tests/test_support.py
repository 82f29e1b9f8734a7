"""The tests' own helpers: the display, and the ledger of skips."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.display import start_display
from tests.support.skips import SkipLedger, read_allowed

pytest_plugins = ['pytester']


def ledger(tmp_path: Path, text: str, **options: object) -> SkipLedger:
    path = tmp_path / 'allowed.txt'
    path.write_text(text)
    return SkipLedger(path, strict=True, **options)  # type: ignore[arg-type]


@pytest.mark.display
def test_marked_tests_have_a_display(display: str) -> None:
    assert os.environ['DISPLAY'] == display
    if program := subprocess.run(['sh', '-c', 'command -v xdpyinfo'], capture_output=True, text=True).stdout.strip():
        assert subprocess.run([program], capture_output=True).returncode == 0


def test_wanted_display_is_used_and_the_environment_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('DISPLAY', ':1')
    monkeypatch.delenv('GDK_BACKEND', raising=False)
    with start_display(':7') as name:
        assert (name, os.environ['DISPLAY'], os.environ['GDK_BACKEND']) == (':7', ':7', 'x11')
    assert os.environ['DISPLAY'] == ':1'
    assert 'GDK_BACKEND' not in os.environ


def test_ledger_knows_listed_from_unlisted(tmp_path: Path) -> None:
    skips = ledger(tmp_path, '# why\n\nlinux tests/a.py* no hardware\ndarwin tests/b.py* no GTK\n', system='linux')
    skips.note('tests/a.py::test_one', 'Skipped: no radio')
    skips.note('tests/b.py::test_two', 'no window')
    assert skips.unlisted() == ['tests/b.py::test_two']
    assert skips.skipped['tests/a.py::test_one'] == 'no radio'


def test_line_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'allowed.txt'
    path.write_text('linux tests/a.py\n')
    with pytest.raises(ValueError, match='allowed.txt:1'):
        read_allowed(path)


@pytest.mark.parametrize(('allowed', 'code'), [('', 1), ('* *test_x* known\n', 0)])
def test_unlisted_skip_fails_the_run(pytester: pytest.Pytester, root: Path, allowed: str, code: int) -> None:
    pytester.makeini(f'[pytest]\npythonpath = {root}\n')
    pytester.makefile('.txt', allowed=allowed or '# none')
    pytester.makeconftest(
        """
        from pathlib import Path
        from tests.support.skips import SkipLedger
        def pytest_configure(config):
            config.pluginmanager.register(SkipLedger(Path(__file__).parent / 'allowed.txt', strict=True))
        """
    )
    pytester.makepyfile(
        """
        import pytest
        def test_runs(): pass
        def test_x(): pytest.skip('no radio')
        @pytest.mark.xfail(reason='known')
        def test_y(): assert False
        """
    )
    result = pytester.runpytest_subprocess('-p', 'no:cacheprovider')
    assert result.ret == code
    result.stdout.fnmatch_lines(['*1 skipped*', f'{"allowed" if allowed else "NOT ALLOWED"}*test_x*no radio'])
