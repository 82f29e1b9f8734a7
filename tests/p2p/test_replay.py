"""The first time, and no other: windows of counters and ids of messages, against plain sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.p2p import replay
from socket_runtime.p2p.errors import SealingError
from socket_runtime.p2p.replay import WINDOW, ReplayWindow, SeenMessages


@given(st.lists(st.integers(0, 3 * WINDOW), max_size=60))
def test_the_window_is_a_set_with_an_end(counters: list[int]) -> None:
    window, seen = ReplayWindow(), set[int]()
    for counter in counters:
        highest = max(seen, default=-1)
        expected = counter not in seen and counter > highest - WINDOW
        assert window.is_new(counter) is expected
        if expected:
            window.mark(counter)
            seen.add(counter)
            assert window.highest == max(seen)
        assert not window.is_new(counter)


def test_the_edges_of_the_window() -> None:
    window = ReplayWindow()
    window.mark(0)
    window.mark(WINDOW)
    assert not window.is_new(0)
    assert window.is_new(1)
    window.mark(1)
    assert not window.is_new(1)
    window.mark(10 * WINDOW)
    assert not window.is_new(9 * WINDOW)
    assert window.is_new(9 * WINDOW + 1)
    window.mark((1 << 60) - 1)
    assert not window.is_new((1 << 60) - WINDOW - 1)
    assert window.is_new((1 << 60) - WINDOW)
    assert window._bits.bit_length() <= WINDOW


def sender(number: int) -> bytes:
    return number.to_bytes(32, 'big')


def message(number: int) -> bytes:
    return number.to_bytes(16, 'big') + bytes(16)


def test_an_id_comes_once_for_each_sender() -> None:
    seen = SeenMessages()
    assert seen.is_first(sender(1), message(1), 5)
    assert not seen.is_first(sender(1), message(1), 5)
    assert not seen.is_first(sender(1), message(1), 6)
    assert seen.is_first(sender(1), message(2), 5)
    assert seen.is_first(sender(2), message(1), 5)
    assert len(seen) == 3


def test_old_ids_go_first_and_leave_a_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, 'IDS_PER_SENDER_MAX', 3)
    seen = SeenMessages()
    for number in (30, 10, 20, 40):
        assert seen.is_first(sender(1), message(number), number)
    assert len(seen) == 3
    for number in (10, 20, 30, 40):
        assert not seen.is_first(sender(1), message(number), number)
    # What is not newer than the one that was forgotten counts as seen, new or not.
    assert not seen.is_first(sender(1), message(9), 9)
    assert seen.is_first(sender(1), message(11), 11)
    # Others have horizons of their own.
    assert seen.is_first(sender(2), message(1), 1)


def test_a_sender_who_floods_spoils_only_its_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, 'IDS_MAX', 100)
    seen = SeenMessages()
    for number in range(20):
        assert seen.is_first(sender(1), message(number), number)
    for number in range(1000):
        seen.is_first(sender(2), message(number), number)
    assert len(seen) == 100
    assert not any(seen.is_first(sender(1), message(number), number) for number in range(20))


def test_many_senders_push_out_the_silent_and_never_the_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, 'SENDERS_MAX', 10)
    seen = SeenMessages()
    for known in (1, 2):
        seen.is_first(sender(known), message(0), 0)
    seen.pin(sender(1))
    for number in range(100, 200):
        seen.is_first(sender(number), message(0), 0)
    assert len(seen) == 10
    assert not seen.is_first(sender(1), message(0), 0)
    assert seen.is_first(sender(2), message(0), 0)
    for number in range(4):
        seen.pin(sender(1000 + number))
    with pytest.raises(SealingError, match='pinned'):
        seen.pin(sender(2000))
    seen.pin(sender(1))
    seen.unpin(sender(1))
    seen.pin(sender(2000))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 20)), max_size=40))
def test_a_restart_changes_nothing(events: list[tuple[int, int, int]]) -> None:
    seen = SeenMessages()
    for each, number, time in events:
        seen.is_first(sender(each), message(number), time)
    again = SeenMessages.restored(seen.snapshot())
    assert again.snapshot() == seen.snapshot()
    assert len(again) == len(seen)
    for each, number, time in events:
        assert not again.is_first(sender(each), message(number), time)


def test_a_horizon_survives_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, 'IDS_PER_SENDER_MAX', 1)
    seen = SeenMessages()
    for number in (1, 2):
        seen.is_first(sender(1), message(number), number)
    again = SeenMessages.restored(seen.snapshot())
    assert not again.is_first(sender(1), message(1), 1)


@pytest.mark.parametrize('data', ['', '00', '8100', '81830000 80', '8183412000 80', '818358200000', 'a0ff'])
def test_what_is_no_snapshot_is_said(data: str) -> None:
    with pytest.raises(SealingError, match='no snapshot'):
        SeenMessages.restored(bytes.fromhex(data))
