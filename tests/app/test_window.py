"""``Window``: what Python can do with a window, on the host without a screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from socket_runtime import App, Window
from socket_runtime.app.testing import TestClient
from socket_runtime.errors import UsageError

PAGE = '<meta http-equiv="Content-Security-Policy" content="default-src \'self\'; connect-src ipc://window.*">'


@pytest.fixture
def page(tmp_path: Path) -> Iterator[TestClient]:
    """The only page of an app that may steer windows."""
    (tmp_path / 'src').mkdir()
    (tmp_path / 'src' / 'index.html').write_text(PAGE)
    (tmp_path / 'socket.ini').write_text(
        '[meta]\nbundle_identifier = com.example.t\ntitle = First\n[build]\nname = t\n'
    )
    with App.from_project(tmp_path).test_client() as client:
        yield client


def test_the_first_window_is_as_configured(page: TestClient) -> None:
    assert isinstance(page.window, Window)
    assert (page.window.index, page.window.title, page.window.size) == (0, 'First', (800, 600))


def test_a_page_steers_its_own_window(page: TestClient) -> None:
    page.call('window.setTitle', value='Second')
    page.call('window.setSize', width=640, height=480)
    assert page.call('window.getTitle') == page.window.title == 'Second'
    assert page.call('window.getSize') == {'width': 640, 'height': 480}
    assert page.window.size == (640, 480)


def test_another_thread_may_steer_it_too(page: TestClient) -> None:
    done = threading.Event()

    def steer() -> None:
        page.window.size = (320, 240)
        done.set()

    threading.Thread(target=steer).start()
    assert page.events == []  # lets the window's thread work
    page.call('window.getSize')
    assert done.wait(5)
    assert page.window.size == (320, 240)


def test_it_shows_pages_of_the_app_alone(page: TestClient) -> None:
    with pytest.raises(UsageError, match='not a page of the app'):
        page.window.load('https://example.com/')


def test_without_a_screen_there_is_no_picture(page: TestClient, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='picture'):
        page.window.screenshot(str(tmp_path / 'window.png'))
