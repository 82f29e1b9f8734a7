"""Events from Python to a page: in order, in batches, none lost, none too many."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socket_runtime.app import events
from socket_runtime.app.events import EventQueue
from socket_runtime.errors import UsageError
from tests import strategies


def is_finite(value: Any) -> bool:
    """JSON has no infinity; it becomes null."""
    return 'Infinity' not in json.dumps(value)


class Page:
    """Takes batches; the GUI's thread is the test's own. ``slow`` pages have to be asked to take the next one."""

    def __init__(self, *, slow: bool = False) -> None:
        self.slow = slow
        self.batches: list[list[list[Any]]] = []
        self.waiting: list[Callable[[str | None], None]] = []
        self.jobs: list[Callable[[], None]] = []
        self.queue = EventQueue(self.jobs.append, self.deliver)

    def deliver(self, batch: str, done: Callable[[str | None], None]) -> None:
        self.batches.append(json.loads(batch))
        if self.slow:
            self.waiting.append(done)
        else:
            self.jobs.append(lambda: done('1'))

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()

    @property
    def events(self) -> list[list[Any]]:
        return [event for batch in self.batches for event in batch]


def test_events_wait_for_the_load() -> None:
    page = Page()
    page.queue.emit('a', 1)
    page.work()
    assert page.events == []
    page.queue.start()
    page.work()
    page.queue.emit('b')
    page.work()
    assert page.events == [['a', 1], ['b', None]]


def test_what_comes_while_one_batch_is_under_way_goes_together() -> None:
    page = Page(slow=True)
    page.queue.start()
    for number in range(100):
        page.queue.emit('n', number)
        page.work()
    assert [len(batch) for batch in page.batches] == [1]
    page.waiting.pop()('1')
    assert [len(batch) for batch in page.batches] == [1, 99]
    page.waiting.pop()('99')
    page.work()
    page.queue.emit('n', 100)
    page.work()
    assert [detail for _, detail in page.events] == list(range(101))


@pytest.mark.parametrize('answer', ['1', None])
def test_a_page_that_leaves_in_the_middle_does_not_stop_the_next_one(answer: str | None) -> None:
    page = Page(slow=True)
    page.queue.start()
    page.queue.emit('lost with the page')
    page.work()
    page.queue.stop()
    page.queue.emit('for the next page')
    page.waiting.pop()(answer)
    page.work()
    assert len(page.events) == 1
    page.queue.start()
    page.work()
    assert page.events[1:] == [['for the next page', None]]


def test_the_next_page_may_be_there_before_the_former_one_has_answered() -> None:
    page = Page(slow=True)
    page.queue.start()
    page.queue.emit('a')
    page.work()
    page.queue.stop()
    page.queue.start()
    page.queue.emit('b')
    page.work()
    assert len(page.batches) == 1
    page.waiting.pop()(None)
    assert page.events == [['a', None], ['b', None]]


def test_batches_are_bounded() -> None:
    page = Page()
    for number in range(10_000):
        page.queue.emit('n', number)
    page.queue.emit('large', 'x' * (3 << 20))
    page.queue.emit('after')
    page.queue.start()
    page.work()
    assert max(map(len, page.batches)) == events._BATCH_EVENTS
    assert [name for name, _ in page.events[-2:]] == ['large', 'after']
    assert len(page.events) == 10_002


def test_b6_the_guis_thread_is_told_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, 'MAX_QUEUED', 10)
    page = Page()
    for number in range(10):
        page.queue.emit('n', number)
    with pytest.raises(UsageError, match='10 events wait'):
        page.queue.emit('n', 10)


def test_b6_other_threads_wait_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, 'MAX_QUEUED', 10)
    page = Page()
    thread = threading.Thread(target=lambda: [page.queue.emit('n', n) for n in range(35)], daemon=True)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    page.queue.start()
    deadline = time.monotonic() + 5
    while thread.is_alive() and time.monotonic() < deadline:
        page.work()
    page.work()
    assert [detail for _, detail in page.events] == list(range(35))


def test_closing_lets_everybody_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, 'MAX_QUEUED', 2)
    page = Page()
    thread = threading.Thread(target=lambda: [page.queue.emit('n') for _ in range(10)], daemon=True)
    thread.start()
    thread.join(0.05)
    page.queue.close()
    thread.join(5)
    assert not thread.is_alive()
    assert page.events == []


def test_a_detail_without_json_form_is_the_callers_mistake() -> None:
    page = Page()
    page.queue.start()
    with pytest.raises(TypeError):
        page.queue.emit('a', object())
    page.queue.emit('b')
    page.work()
    assert page.events == [['b', None]]


@settings(deadline=None)
@given(st.lists(st.tuples(strategies.text_values(), strategies.json_values().filter(is_finite)), max_size=30))
def test_b3_names_and_details_arrive_as_they_are(sent: list[tuple[str, Any]]) -> None:
    page = Page()
    page.queue.start()
    for name, detail in sent:
        page.queue.emit(name, detail)
    page.work()
    assert page.events == [[name, detail] for name, detail in sent]


@settings(deadline=None)
@given(st.lists(st.sampled_from(['emit', 'start', 'stop', 'answer', 'work']), max_size=60))
def test_whatever_happens_order_holds_and_only_what_was_under_way_is_lost(steps: list[str]) -> None:
    page = Page(slow=True)
    count = 0
    for step in steps:
        match step:
            case 'emit':
                page.queue.emit('n', count)
                count += 1
            case 'start':
                page.queue.start()
            case 'stop':
                page.queue.stop()
            case 'answer' if page.waiting:
                page.waiting.pop(0)('1')
            case _:
                page.work()
        assert len(page.waiting) <= 1, 'one batch at a time'
    page.queue.start()
    for _ in range(count + 2):
        page.work()
        if page.waiting:
            page.waiting.pop(0)('1')
    assert [detail for _, detail in page.events] == list(range(count))
