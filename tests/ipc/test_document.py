"""Documents: born with a load, judged by what was served at the committed URL."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socket_runtime.ipc.csp import parse_policies
from socket_runtime.ipc.document import Document, Documents, new_token
from tests.ipc.asking import ORIGIN, shown

STRICT = parse_policies("connect-src 'none'")
OPEN = parse_policies('connect-src ipc:')
A, B = f'{ORIGIN}/a.html', f'{ORIGIN}/b.html'


@pytest.fixture
def gone() -> list[Document]:
    return []


@pytest.fixture
def documents(gone: list[Document]) -> Documents:
    return Documents(ORIGIN, gone.append)


def load(documents: Documents, url: str = A, window: int = 0) -> Document | None:
    documents.begin(window)
    documents.serve(window, url, OPEN, 'connect-src ipc:')
    return documents.commit(window, url)


def test_tokens_are_random() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch('[0-9a-f]{32}', token) for token in tokens)


def test_a_document_has_what_it_was_served_with(documents: Documents) -> None:
    token = documents.begin(3)
    documents.serve(3, A, OPEN, 'header')
    document = documents.commit(3, A)
    assert document is not None
    assert (document.window, document.url, document.token, document.header) == (3, A, token, 'header')
    assert document.policies == OPEN
    assert documents.current(3) is document
    assert documents.current(0) is None


def test_policies_are_those_of_the_committed_url(documents: Documents) -> None:
    """Frames of the former document load meanwhile, and WebKit tells late where a load goes."""
    documents.begin(0)
    documents.serve(0, B, OPEN, 'open')
    documents.serve(0, A, STRICT, 'strict')
    documents.serve(0, f'{ORIGIN}/c.html', OPEN, 'open')
    document = documents.commit(0, A)
    assert document is not None and document.policies == STRICT


def test_fragments_are_no_difference(documents: Documents) -> None:
    documents.begin(0)
    documents.serve(0, A, OPEN, '')
    document = documents.commit(0, f'{A}#here')
    assert document is not None and document.policies == OPEN


def test_a1_a_page_that_was_never_served_has_no_policy(documents: Documents) -> None:
    documents.begin(0)
    document = documents.commit(0, A)
    assert document is not None and document.policies == ()
    assert not document.allows('notes.list')


def test_frames_of_a_shown_document_change_nothing(documents: Documents) -> None:
    document = load(documents)
    documents.serve(0, A, STRICT, 'strict')
    assert documents.current(0) is document
    assert document is not None and document.policies == OPEN


@pytest.mark.parametrize(
    'url', ['https://example.com/', 'about:blank', f'{ORIGIN}.evil/a.html', f'blob:{ORIGIN}/x', 'socket://other/a.html',
            ORIGIN, '', 'data:text/html,x']
)  # fmt: skip
def test_a8_a_stranger_in_the_window_is_no_document(documents: Documents, gone: list[Document], url: str) -> None:
    former = load(documents)
    documents.begin(0)
    assert documents.commit(0, url) is None
    assert documents.current(0) is None
    assert gone == [former]


def test_a_commit_without_a_load_is_no_document(documents: Documents) -> None:
    assert documents.commit(0, A) is None
    load(documents)
    assert documents.commit(0, A) is None


def test_the_former_document_stays_until_the_next_is_committed(documents: Documents, gone: list[Document]) -> None:
    former = load(documents)
    token = documents.begin(0)
    documents.serve(0, B, STRICT, 'strict')
    assert documents.current(0) is former
    assert former is not None and token != former.token
    documents.fail(0)
    assert documents.current(0) is former
    assert gone == []
    later = load(documents, B)
    assert gone == [former]
    assert later is not None and later.generation > former.generation


def test_windows_are_apart(documents: Documents, gone: list[Document]) -> None:
    first, second = load(documents, A, 0), load(documents, B, 1)
    assert first is not None and second is not None
    assert first.token != second.token
    documents.close(0)
    assert gone == [first]
    assert documents.current(1) is second
    documents.close(0)
    assert gone == [first]


def test_the_header_for_what_is_no_page(documents: Documents) -> None:
    assert documents.header(0) == ''
    documents.begin(0)
    assert documents.header(0) == ''
    documents.serve(0, A, OPEN, 'first')
    assert documents.header(0) == 'first'  # of the page on its way: its scripts may come before the commit is told
    documents.commit(0, A)
    assert documents.header(0) == 'first'
    documents.begin(0)
    assert documents.header(0) == 'first'  # nothing was served yet: the former document still asks


def test_b6_a_load_remembers_a_bounded_number_of_pages(documents: Documents) -> None:
    documents.begin(0)
    documents.serve(0, A, OPEN, 'x')
    for number in range(1000):
        documents.serve(0, f'{ORIGIN}/{number}.html', STRICT, 'y')
    document = documents.commit(0, A)
    assert document is not None and document.policies == OPEN


def test_decisions_are_those_of_the_policy_however_often_asked() -> None:
    document = shown('connect-src ipc://a.b')
    for _ in range(3):
        assert document.allows('a.b')
        assert not document.allows('a.c')


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(['begin', 'serve', 'commit', 'fail', 'close']),
            st.integers(0, 2),
            st.sampled_from([A, B, 'https://evil/']),
        ),
        max_size=40,
    )
)
def test_whatever_happens_no_token_is_shared_and_every_document_goes_once(steps: list[tuple[str, int, str]]) -> None:
    gone: list[Document] = []
    documents = Documents(ORIGIN, gone.append)
    made: list[Document] = []
    for step, window, url in steps:
        match step:
            case 'begin':
                documents.begin(window)
            case 'serve':
                documents.serve(window, url, OPEN, 'x')
            case 'commit':
                document = documents.commit(window, url)
                made += [document] if document else []
            case 'fail':
                documents.fail(window)
            case _:
                documents.close(window)
        current = documents.current(window)
        assert current is None or current.window == window
        assert current is None or current.url.startswith(ORIGIN + '/')
    assert len({document.token for document in made}) == len(made)
    live = [document for window in range(3) if (document := documents.current(window))]
    assert sorted(map(id, gone + live)) == sorted(map(id, made))
