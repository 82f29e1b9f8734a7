"""The peers' parts that need nothing fetched: their pages, their marks of freshness, their complaints."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness import PEERS, ROOT, BenchError
from benchmarks.peers import ALL, _make, localhost_http, pywebview_js_api


def test_each_peer_can_be_fetched_built_and_started() -> None:
    for name, peer in ALL.items():
        assert all(callable(getattr(peer, verb)) for verb in ('fetch', 'build', 'start')), name
        assert peer.NAME


def test_nothing_of_a_peer_lies_among_the_committed_files() -> None:
    assert PEERS == ROOT / 'build' / 'peers'
    ignored = (ROOT / '.gitignore').read_text('utf-8').splitlines()
    assert {'build/', '/build/'} & set(ignored)


@pytest.mark.parametrize('page', ['calls', 'bulk', 'events'])
def test_a_measuring_page_has_its_three_parts(page: str) -> None:
    text = pywebview_js_api.html(page)
    assert text.index('async function latency') < text.index('const peer =') < text.index('await measure(peer')
    assert 'SIZE' not in text
    assert 'SIZE' not in localhost_http.page(page)


def test_freshness_follows_the_sources(tmp_path: Path) -> None:
    source, target = tmp_path / 'a.c', tmp_path / 'a'
    source.write_text('one')
    mark = _make.stamp([source], 'flags')
    assert not _make.is_fresh(target, mark)
    target.write_text('made')
    _make.set_fresh(target, mark)
    assert _make.is_fresh(target, mark)
    assert not _make.is_fresh(target, _make.stamp([source], 'other flags'))
    source.write_text('two')
    assert not _make.is_fresh(target, _make.stamp([source], 'flags'))


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(BenchError, match='no-such-program: not found; install thepackage'):
        _make.need('no-such-program', packages='thepackage')


def test_a_failing_command_shows_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match='(?s)failed .3.*last words'):
        _make.make(['sh', '-c', 'echo last words; exit 3'], tmp_path)
