"""What some runs need on Python's side: each function adds to the app under test before it runs."""

from __future__ import annotations

import gc
import json
import os
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from socket_runtime.app import assets
from socket_runtime.app.callbacks import AppCallbacks
from socket_runtime.ipc.page import ServedPage
from tests.e2e import machine

if TYPE_CHECKING:
    from socket_runtime import App
    from tests.e2e.app_under_test import Life, Recorder

Options = dict[str, Any]


def navigate_anywhere(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """As if the app let its windows and frames go wherever they like, but for commands."""
    AppCallbacks.on_navigate = lambda self, window, url, new_window: not url.startswith('ipc:')  # type: ignore[method-assign]


def navigate_to_commands(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """As if nothing at all were refused."""
    AppCallbacks.on_navigate = lambda self, window, url, new_window: True  # type: ignore[method-assign]


def note_token(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Put the first document's token into the report, to look for where it must not be."""

    def loaded(window: Any) -> None:
        document = app.documents.current(window.index)
        recorder.note('token', document.token if document else '')

    app.on('loaded')(loaded)


def navigate_to_redirect(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """The app lets its window go to a stranger's ``/redirect``, and asks as usual about the rest."""
    usual = AppCallbacks.on_navigate

    def on_navigate(self: AppCallbacks, window: int, url: str, new_window: bool) -> bool:
        return '/redirect?' in url or usual(self, window, url, new_window)

    AppCallbacks.on_navigate = on_navigate  # type: ignore[method-assign]


def end_when_away(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """The window may go to a stranger; once it is there, see what it has of ours, and end."""
    navigate_anywhere(app, recorder, life, options)
    look = "return typeof globalThis[Symbol.for('socket.runtime')] + ' ' + ('pywebview' in globalThis)"

    def loaded(window: Any) -> None:
        document = app.documents.current(window.index)
        if document is None:
            recorder.note('document', None)
            # time for the stranger's scripts
            app._post_later(0.4, lambda: window._native.evaluate(look, '', looked))

    def looked(result: str | None) -> None:
        recorder.note('runtime', (result or '').strip('"'))
        life.end('done')

    app.on('loaded')(loaded)


def navigate_to_redirect_and_reload(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """The same, noting what is shown, and starting the page anew when its process has ended."""
    navigate_to_redirect(app, recorder, life, options)
    committed: list[str] = []
    recorder.note('committed', committed)
    usual = AppCallbacks.on_commit

    def on_commit(self: AppCallbacks, window: int, url: str) -> None:
        committed.append(url)
        usual(self, window, url)

    AppCallbacks.on_commit = on_commit  # type: ignore[method-assign]
    app.on('crashed')(lambda window, _reason: app._post_later(0.1, lambda: life.end('done')))


_ASK_ALL = """
const asked = JSON.parse(argument).map((uri) => fetch(uri).then((response) => response.status, () => 0))
return Promise.all(asked)
"""


def ask_under_policies(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Show one page after the other and ask for the same URIs in each, by a program of the host's, which no
    policy keeps from running. Notes a list of statuses for each page; 0 is a request that failed.

    Options: ``pages`` (how many: ``0.html`` ...), ``uris`` (for each page), ``raw`` (serve pages as they are).
    """
    statuses: list[list[int]] = []
    recorder.note('statuses', statuses)
    if options['raw']:
        assets.serve_page = lambda html, **_: ServedPage(html, '', ())

    def loaded(window: Any) -> None:
        argument = json.dumps(options['uris'][len(statuses)])
        window._native.evaluate(_ASK_ALL, argument, lambda result: answered(window, result))

    def answered(window: Any, result: str | None) -> None:
        statuses.append(json.loads(result or 'null'))
        if len(statuses) == options['pages']:
            life.end('done')
        else:
            window.load(f'{len(statuses)}.html')

    app.on('loaded')(loaded)


def second_window(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """A second window with ``second.html``, once the first page has loaded; notes titles at the end."""

    def loaded(window: Any) -> None:
        if window.index == 0 and len(app.windows) == 1:
            app.create_window('second.html')

    def note_titles() -> None:
        recorder.note('titles', {str(window.index): window._native._native.get_title() for window in app.windows})

    app.on('loaded')(loaded)
    life.before_end.append(note_titles)


def emit_nasty(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Events whose names and details could break out of a program."""

    def loaded(window: Any) -> None:
        for text in options['nasty']:
            window.emit(text, [text, 'x' + text])
        window.emit('end')

    app.on('loaded')(loaded)


def measure_lag(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Note how late a timer of 10 ms comes on the GUI's thread, in seconds."""
    lags: list[float] = []
    recorder.note('lags', lags)
    step = 0.01

    def tick(due: float) -> None:
        now = time.monotonic()
        lags.append(now - due)
        app._post_later(step, lambda: tick(now + step))

    app.on('ready')(lambda _app: tick(time.monotonic()))


def open_secret(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """``probe.openSecret`` has the app open a file that is none of the page's business, many times."""
    opened: list[int] = []

    @app.command('probe.openSecret', inline=True)
    def open_many() -> None:
        opened.extend(os.open(options['secret'], os.O_RDONLY) for _ in range(200))
        recorder.note('opened', opened)


def emit_early(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Events before the first page has loaded, and as soon as a page is about to leave."""
    app.on('ready')(lambda _app: app.emit('early', 'before the load'))
    usual = AppCallbacks.on_commit
    commits: list[str] = []

    def on_commit(self: AppCallbacks, window: int, url: str) -> None:
        usual(self, window, url)
        commits.append(url)
        if len(commits) == 2:
            app.emit('early', 'between two pages')

    AppCallbacks.on_commit = on_commit  # type: ignore[method-assign]


def windows_come_and_go(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Open, close the first, open again, close, open: each page must work."""

    def loaded(window: Any) -> None:
        if window.index == 3:
            app._post_later(0.8, lambda: life.end('done'))
            return
        app.create_window('second.html')
        app._post_later(0.8, window.close)

    app.on('loaded')(loaded)


def reload_when_crashed(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Reload a page whose process has ended, and send it an event; one was under way before, too."""

    def crashed(window: Any, _reason: str) -> None:
        window.reload()
        window.emit('again', 'after the crash')

    app.on('crashed')(crashed)


def kill_web_process(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """``probe.killMe`` ends the asker's web process; the app ends two seconds later."""

    @app.command('probe.killMe', inline=True)
    def kill() -> None:
        for pid in machine.web_processes(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    app.on('crashed')(lambda _window, _reason: app._post_later(2.0, lambda: life.end('done')))


def reload_when_looping(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Reload a page half a second after it has begun to loop; end when it commits again."""
    lags: list[float] = []
    asked: list[float] = []

    def tick(due: float) -> None:
        now = time.monotonic()
        lags.append(now - due)
        recorder.note('lag', max(lags))
        app._post_later(0.05, lambda: tick(now + 0.05))

    def loaded(window: Any) -> None:
        if not asked:
            app._post_later(0.5, lambda: reload(window))
            tick(time.monotonic())
        else:
            recorder.note('reloaded after', time.monotonic() - asked[0])
            life.end('done')

    def reload(window: Any) -> None:
        asked.append(time.monotonic())
        window.reload()

    app.on('loaded')(loaded)


def close_when_looping(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Close the window of a page that loops."""
    app.on('ready')(lambda _app: app._post_later(1.5, app.windows[0].close))


def soak(app: App, recorder: Recorder, life: Life, options: Options) -> None:
    """Navigate again and again, sampling at twenty points, and then let ``calls.html`` make its calls, which
    samples by ``probe.sample``."""
    samples: list[dict[str, Any]] = []
    recorder.note('samples', samples)
    recorder.seen['hits'] = deque(maxlen=0)  # the recorder's own growth is not what is looked for
    count = 0

    def sample(kind: str) -> None:
        gc.collect()
        state = machine.state(app)
        samples.append(
            {
                'kind': kind,
                'count': count,
                'host': state['memory'],
                'web': state['web_memory'],
                'fds': state['fds'],
                'open': machine.open_files(os.getpid()),
                'threads': len(state['threads']),
                'under_way': state['under_way'],
            }
        )

    @app.command('probe.sample', inline=True)
    def sample_calls() -> None:
        sample('calls')

    def loaded(window: Any) -> None:
        nonlocal count
        window.emit('hello', count)
        if '/calls' in (window._native.view.get_uri() or ''):
            return
        if count % max(1, options['navigations'] // 20) == 0:
            sample('navigations')
        count += 1
        window.load('calls.html' if count > options['navigations'] else f'{"ab"[count % 2]}.html?{count % 7}')

    app.on('loaded')(loaded)
