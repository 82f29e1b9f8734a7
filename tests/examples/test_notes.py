"""The notes example, without a display: its own page's policy, the gate, its commands."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from socket_runtime import BadRequest, Denied, NotFound
from socket_runtime.app.testing import TestClient

NOTES = Path(__file__).parents[2] / 'examples' / 'notes' / 'notes.py'


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The first page of the app, with an empty folder of notes."""
    for name in ('XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME'):
        monkeypatch.setenv(name, str(tmp_path / name))
    app = runpy.run_path(str(NOTES))['make_app'](tmp_path / 'notes')
    with app.test_client() as client:
        yield client


def test_saves_lists_and_reads(page: TestClient) -> None:
    note = page.call('notes.save', name='Shopping', text='bread\nmilk and honey')
    assert note['words'] == 4
    assert [entry['name'] for entry in page.call('notes.list')] == ['Shopping']
    assert page.call('notes.read', name='Shopping') == 'bread\nmilk and honey'
    assert page.events == [('notes-changed', {'name': 'Shopping'})]


def test_searches_all_words_in_a_line(page: TestClient) -> None:
    page.call('notes.save', name='One', text='milk\nbread and milk')
    page.call('notes.save', name='Two', text='Milk, bread')
    hits = list(page.stream('notes.search', words='bread milk'))
    assert [(hit['name'], hit['line']) for hit in hits] == [('One', 2), ('Two', 1)]


@pytest.mark.parametrize('name', ['', '../secret', '/etc/passwd', '.hidden', 'a/b', 'x' * 100, 'a\0b'])
def test_a_name_cannot_lead_out_of_the_folder(page: TestClient, name: str) -> None:
    with pytest.raises(BadRequest):
        page.call('notes.read', name=name)


def test_a_missing_note_is_told_as_such(page: TestClient) -> None:
    with pytest.raises(NotFound, match='Nothing'):
        page.call('notes.read', name='Nothing')
    assert page.call('notes.remove', name='Nothing') is None


def test_the_page_may_do_nothing_else(page: TestClient) -> None:
    with pytest.raises(Denied) as denied:
        page.call('fs.readFile', path='index.html')
    assert denied.value.missing == 'connect-src ipc://fs.readFile'
