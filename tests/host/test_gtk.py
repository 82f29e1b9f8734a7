"""The GTK host: the whole contract, in a real window, and what it relies upon of pywebview."""

from __future__ import annotations

import pytest

from socket_runtime.host.gtk.host import RELIED_UPON
from tests.host.conformance import run_conformance
from tests.host.pywebview_source import defined_names, source_of


@pytest.mark.display
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_whole_contract() -> None:
    report = run_conformance('socket_runtime.host.gtk:GtkHost')
    assert {clause: found for clause, found in report.items() if found is not True} == {}
    assert len(report) > 60


def test_pywebview_has_what_we_rely_upon() -> None:
    assert set(RELIED_UPON) - defined_names(source_of('gtk').body) == set()
