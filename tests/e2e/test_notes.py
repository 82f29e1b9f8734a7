"""The example app as a user meets it: WebKitWebDriver types, clicks and looks."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import ROOT, runtime_folder
from tests.support.skips import skip_loudly

pytestmark = [
    pytest.mark.display,
    pytest.mark.timeout(40),
    pytest.mark.filterwarnings('ignore::DeprecationWarning:selenium.*'),  # within selenium itself
]

PROGRAM = Path(__file__).with_name('notes_app.py')
REPAINT = 'setInterval(() => { document.body.style.outline = `${Date.now() % 2}px solid transparent` }, 20)'
PNG = b'\x89PNG\r\n\x1a\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    notes = tmp_path / 'notes'
    notes.mkdir()
    (notes / 'Old.md').write_text('An old note\nwith a needle in it\n')
    (notes / 'Other.md').write_text('Nothing to see\n')
    return notes


@pytest.fixture
def driver(tmp_path: Path, folder: Path, display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    program = shutil.which('WebKitWebDriver')
    if program is None:
        skip_loudly('WebKitWebDriver is missing', 'apt-get install webkit2gtk-driver')
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.webkitgtk.options import Options
    from selenium.webdriver.webkitgtk.service import Service
    from selenium.webdriver.webkitgtk.webdriver import WebDriver

    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('XDG_RUNTIME_DIR', runtime_folder())
    monkeypatch.setenv('PYTHONPATH', str(ROOT / 'src'))
    for name in ('XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    options = Options()
    options.binary_location = sys.executable
    options.add_argument(str(PROGRAM))
    options.add_argument(str(folder))
    options.set_capability('browserName', 'socket-runtime')
    options.timeouts = {'pageLoad': 5000, 'script': 5000}
    driver = WebDriver(options=options, service=Service(program, log_output=str(tmp_path / 'driver.log')))
    yield driver
    try:
        driver.quit()
    except WebDriverException:
        pass  # the window went away first: a race that WebKitWebDriver loses now and then


def wait(driver: Any, condition: Callable[[], Any], what: str) -> Any:
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    gone = (NoSuchElementException, StaleElementReferenceException)
    return WebDriverWait(driver, 8, 0.05, ignored_exceptions=gone).until(lambda _: condition(), what)


def test_a_note_is_typed_saved_searched_and_deleted(driver: Any, folder: Path, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    def element(name: str) -> Any:
        return driver.find_element(By.ID, name)

    def items() -> list[str]:
        return [item.text for item in driver.find_elements(By.CSS_SELECTOR, '#list button')]

    wait(driver, lambda: len(items()) == 2, 'the list of notes')
    assert driver.current_url == 'socket://org.socketruntime.notes/'
    assert driver.title == 'Notes'

    element('add').click()
    element('name').send_keys('Shopping')
    element('text').send_keys('milk', Keys.ENTER, 'a <b>needle</b> & "thread"')
    element('save').click()
    wait(driver, lambda: 'Saved' in element('status').text, 'the note is saved')
    assert (folder / 'Shopping.md').read_text() == 'milk\na <b>needle</b> & "thread"'
    wait(driver, lambda: any('Shopping' in item for item in items()), 'the new note is listed')

    element('search').send_keys('needle')
    found = wait(driver, lambda: len(items()) == 2 and items(), 'two lines with the word')
    assert 'a <b>needle</b> & "thread"' in '\n'.join(found)
    assert 'with a needle in it' in '\n'.join(found)
    driver.find_elements(By.CSS_SELECTOR, '#list button')[0].click()
    wait(driver, lambda: element('name').get_attribute('value') == 'Old', 'the found note is shown')

    # without hardware acceleration WebKit takes the picture with the next repaint, and a still page has none
    driver.execute_script(REPAINT)
    picture = tmp_path / 'notes.png'
    assert driver.save_screenshot(str(picture))
    assert picture.read_bytes().startswith(PNG)
    assert picture.stat().st_size > 5000

    element('name').clear()
    element('name').send_keys('../escape')
    element('save').click()
    wait(driver, lambda: "argument 'name'" in element('status').text, 'a bad name is refused, with the reason')
    assert sorted(os.listdir(folder)) == ['Old.md', 'Other.md', 'Shopping.md']

    element('search').clear()
    element('search').send_keys(' ')
    wait(driver, lambda: len(items()) == 3, 'all notes are listed again')
    next(item for item in driver.find_elements(By.CSS_SELECTOR, '#list button') if 'Shopping' in item.text).click()
    wait(driver, lambda: element('name').get_attribute('value') == 'Shopping', 'the note is shown')
    element('remove').click()
    wait(driver, lambda: len(items()) == 2, 'the note is gone')
    assert not (folder / 'Shopping.md').exists()


def test_the_policy_holds_while_the_app_is_driven(driver: Any) -> None:
    wait(driver, lambda: driver.execute_script('return document.readyState') == 'complete', 'the page')
    ask = """
        const [uri, done] = arguments
        fetch(uri).then((response) => done(response.status), () => done(0))
    """
    assert driver.execute_async_script(ask, 'ipc://notes.list') == 200
    assert driver.execute_async_script(ask, 'ipc://fs.readFile?path=index.html') == 0
    assert driver.execute_script("try { return eval('1') } catch (error) { return error.name }") == 'EvalError'
    assert driver.execute_script('return typeof window.pywebview') == 'undefined'
