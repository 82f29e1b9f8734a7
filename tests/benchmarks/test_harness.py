"""The harness's own parts: what it weighs, finds, ends, sums up and prints. Nothing here is timed."""

from __future__ import annotations

import mmap
import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks import bars, harness
from benchmarks.harness import BenchError, Display, Memory, Program, Running
from tests.support.skips import skip_loudly

MB = 1_000_000


def test_memory_of_self_is_ordered() -> None:
    own = harness.memory(os.getpid())
    assert 0 < own.uss <= own.pss <= own.rss


def test_memory_of_self_sees_what_is_touched() -> None:
    before = harness.memory(os.getpid())
    with mmap.mmap(-1, 50 * MB) as block:
        block.write(b'x' * (50 * MB))
        after = harness.memory(os.getpid())
    assert 49 < after.rss - before.rss < 60
    # these two also move when other programs that share pages with this one come and go
    assert after.pss - before.pss > 25
    assert after.uss - before.uss > 25


def test_memory_of_nobody_raises() -> None:
    with pytest.raises(OSError, match='No such file'):
        harness.memory(2**22 + 1)


def test_pages_are_counted_once() -> None:
    # a child shares nearly all pages with its parent: together they have little more than one alone
    if (alone := harness.memory_counted_once([os.getpid()])) is None:
        skip_loudly('only root may see which pages are the same', 'run the tests as root')
    with mmap.mmap(-1, 50 * MB) as block:
        block.write(b'x' * (50 * MB))
        child = os.fork()
        if child == 0:
            time.sleep(30)
            os._exit(0)
        both = harness.memory_counted_once([os.getpid(), child])
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert both is not None
    assert 49 < both - alone < 65


def test_memories_add_up() -> None:
    assert Memory(1, 2, 3) + Memory(10, 20, 30) == Memory(11, 22, 33)


@pytest.fixture
def bare_display(tmp_path: Path) -> Display:
    """A display whose server was not started: enough for programs that show nothing."""
    display = Display()
    display.name, display.home = ':0', tmp_path
    return display


def python(code: str) -> Program:
    return Program('python', (sys.executable, '-u', '-c', code))


def test_running_reads_lines_and_results(bare_display: Display) -> None:
    code = """print('noise'); print('xx DCL 123 y'); print('BENCH {"a": 1.5}'); input()"""
    with Running(python(code), bare_display) as running:
        assert running.line('DCL') == '123 y'
        assert running.result() == {'a': 1.5}


def test_running_answers_what_it_is_told(bare_display: Display) -> None:
    with Running(python("print('GOT', input())"), bare_display) as running:
        running.tell('word')
        assert running.line('GOT') == 'word'


def test_running_says_why_it_ended(bare_display: Display) -> None:
    with (
        Running(python("raise SystemExit('the reason')"), bare_display) as running,
        pytest.raises(BenchError, match='the reason'),
    ):
        running.line('DCL')


def test_running_gives_up_waiting(bare_display: Display) -> None:
    with (
        Running(python('input()'), bare_display) as running,
        pytest.raises(BenchError, match='did not say DCL in 0 s'),
    ):
        running.line('DCL', timeout=0.2)


def test_running_raises_an_error_of_the_page(bare_display: Display) -> None:
    code = """print('BENCH {"error": "TypeError: no"}'); input()"""
    with Running(python(code), bare_display) as running, pytest.raises(BenchError, match='TypeError: no'):
        running.result()


# A grandchild that leaves the session, as a sandbox does: only its environment still tells whose it is.
LEAVER = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print('CHILD', os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep(60)
"""


def test_processes_that_leave_are_found_and_ended(bare_display: Display) -> None:
    with Running(python(LEAVER), bare_display) as running:
        child = int(running.line('CHILD'))
        assert child in running.processes()
        assert child not in harness.descendants(running.process.pid)
        weight = harness.weigh(running)
        assert weight.total.pss > weight.main.pss > 0
    assert harness.marked(running.mark) == []


def test_each_start_has_a_temporary_folder_of_its_own(bare_display: Display) -> None:
    code = "import os; print('AT', os.environ['TMPDIR'], os.environ['HOME'], flush=True); input()"
    with Running(python(code), bare_display) as one, Running(python(code), bare_display) as two:
        first, second = one.line('AT').split(), two.line('AT').split()
    assert first[0] != second[0]
    assert first[1] == second[1] == str(bare_display.home)
    assert not Path(first[0]).exists()


def test_interleave_rotates_throws_the_warm_up_away_and_leaves_failures_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, 'wait_until_idle', lambda: True)
    order = []

    def work(name: str) -> dict[str, float]:
        order.append(name)
        if name == 'bad' and len(order) > 3:
            raise BenchError('broke')
        return {'v': len(order)}

    results = harness.interleave({n: lambda n=n: work(n) for n in ('a', 'b', 'bad')}, 2, warm_up=1)  # type: ignore[misc]
    assert order == ['a', 'b', 'bad', 'b', 'bad', 'a', 'a', 'b']
    assert results == {'a': {'v': [6.0, 7.0]}, 'b': {'v': [4.0, 8.0]}}
    assert 'bad: left out: broke' in capsys.readouterr().err


def test_summary() -> None:
    assert harness.summary([3, 1, 2]) == harness.Summary(2, 1, 3, 3)
    assert harness.summary([1, 2]).median == 1.5
    with pytest.raises(BenchError):
        harness.summary([])


@pytest.mark.parametrize(
    ('value', 'text'), [(0.4567, '0.457'), (12.34, '12.3'), (123.4, '123'), (6449.6, '6,450'), (0, '0')]
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert harness.figure(value) == text


def test_table() -> None:
    assert harness.table(['a', 'long'], [['x', 1], ['yyy', 22]]).splitlines() == [
        '| a   | long |',
        '| --- | ---: |',
        '| x   |    1 |',
        '| yyy |   22 |',
    ]


def test_machine_is_described() -> None:
    found = harness.machine()
    assert found['cores'].isdigit()
    assert 'GB' in found['memory']
    assert all(found.values())


VALUES = {'ours': {'ms': [1.0, 2.0, 3.0]}, 'peer': {'ms': [5.0]}}


def test_bars_that_stand_by_themselves() -> None:
    own = bars.middle(VALUES, 'ours', 'ms')
    assert bars.absolute('w', own, 'ms', at_most=2).verdict == 'met'
    assert bars.absolute('w', own, 'ms', at_most=1.9).verdict == 'not met'
    assert bars.absolute('w', own, 'ms', at_least=2).verdict == 'met'
    assert bars.absolute('w', own, 'ms', at_least=3).ratio == '0.67x'
    assert bars.absolute('w', None, 'ms', at_least=3).verdict == 'not shown'


def test_bars_against_a_peer() -> None:
    own, peer = bars.middle(VALUES, 'ours', 'ms'), bars.middle(VALUES, 'peer', 'ms')
    row = bars.against('w', own, peer, 'peer', 'ms', at_most=0.4)
    assert (row.verdict, row.ratio, row.bar) == ('met', '0.40x', 'at most 0.4x peer')
    assert bars.against('w', own, peer, 'peer', 'ms', at_least=0.5).verdict == 'not met'
    assert bars.faster('w', own, peer, 'peer', 'ms', 2).ratio == '2.50x'
    assert bars.faster('w', own, peer, 'peer', 'ms', 2).verdict == 'met'
    assert bars.faster('w', own, peer, 'peer', 'ms', 3).verdict == 'not met'


def test_a_missing_side_is_not_shown() -> None:
    own = bars.middle(VALUES, 'ours', 'ms')
    assert bars.middle(VALUES, 'nobody', 'ms') is None
    row = bars.against('w', own, None, 'nobody', 'ms', at_most=1)
    assert (row.verdict, row.ratio) == ('not shown', 'no nobody')
    assert bars.faster('w', None, own, 'peer', 'ms', 2).verdict == 'not shown'


def test_results_become_json_and_tables() -> None:
    rows = [bars.absolute('w', bars.middle(VALUES, 'ours', 'ms'), 'ms', at_most=2)]
    assert bars.as_json(VALUES, rows)['bars'][0]['verdict'] == 'met'
    assert '2 [1-3]' in bars.show_values(VALUES)
    assert bars.show(rows).splitlines()[2].endswith('met |')
