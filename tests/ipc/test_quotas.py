"""Quotas: counted by window and kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.errors import QuotaExceeded
from socket_runtime.ipc.quotas import MAX_CALLS, MAX_FILES, MAX_STREAMS, MAX_UPLOADS, Quotas

LIMITS = {'calls': MAX_CALLS, 'streams': MAX_STREAMS, 'uploads': MAX_UPLOADS, 'files': MAX_FILES}


@pytest.mark.parametrize(('kind', 'limit'), LIMITS.items())
def test_b6_the_limit_holds_and_comes_back(kind: str, limit: int) -> None:
    quotas = Quotas()
    for _ in range(limit):
        quotas.enter(0, kind)
    with pytest.raises(QuotaExceeded, match=f'too many {kind}'):
        quotas.enter(0, kind)
    assert quotas.count(0, kind) == limit
    quotas.enter(1, kind)
    quotas.leave(0, kind)
    quotas.enter(0, kind)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(LIMITS)))))
def test_counts_are_apart(entered: list[tuple[int, str]]) -> None:
    quotas = Quotas()
    for window, kind in entered:
        quotas.enter(window, kind)
    for window in range(3):
        for kind in LIMITS:
            assert quotas.count(window, kind) == entered.count((window, kind))
    for window, kind in entered:
        quotas.leave(window, kind)
    assert all(quotas.count(window, kind) == 0 for window in range(3) for kind in LIMITS)
