"""The app that the end-to-end tests look at: a project's pages, commands that record being run, one report.

``python app_under_test.py PROJECT '{"report": "/tmp/report.json", ...}'`` shows a real window. It ends on the
console line ``DONE``, or after the time limit, and then writes what it has seen as JSON. The console line
``REPORT <json>`` adds to the page's own report. See ``harness.Run`` for the options.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from socket_runtime import App
from socket_runtime.app.config import RunOptions, load, set_current
from socket_runtime.errors import LocalError
from tests.e2e import machine, probes, scenarios


class Recorder(logging.Handler):
    """Everything that is seen while the app runs. Any thread may add to it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._lock = threading.Lock()
        self.seen: dict[str, Any] = {
            'hits': [], 'console': [], 'audit': [], 'log': [], 'refused': [], 'failed': [], 'crashed': [],
            'page': {}, 'notes': {}, 'ended': 'closed',
        }  # fmt: skip

    def add(self, kind: str, value: Any) -> None:
        """One more entry of a list."""
        with self._lock:
            self.seen[kind].append(value)

    def note(self, name: str, value: Any) -> None:
        """A fact that a scenario found."""
        with self._lock:
            self.seen['notes'][name] = value

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.name == 'socket_runtime.audit':
            self.add('audit', message)
        else:
            trace = str(record.exc_info[1]) if record.exc_info else ''
            self.add('log', [record.name, record.levelname, message, trace])
        if message.startswith('navigation refused: '):
            self.add('refused', message.removeprefix('navigation refused: '))


class Life:
    """Ends the app, once, and takes the last measurements while it is still whole."""

    def __init__(self, app: App, recorder: Recorder, options: dict[str, Any]) -> None:
        self.app = app
        self.recorder = recorder
        self.settle = options.get('settle', 0.05)
        #: called on the GUI's thread just before the app quits
        self.before_end: list[Callable[[], None]] = []
        self._ending = threading.Event()
        app.on('console')(self.console)
        app.on('ready')(lambda _app: app._post_later(options.get('limit', 10.0), lambda: self.end('limit')))

    def console(self, window: Any, level: str, text: str) -> None:
        self.recorder.add('console', [window.index if window else -1, level, text])
        if text.startswith('REPORT '):
            self.recorder.seen['page'].update(json.loads(text.removeprefix('REPORT ')))
        elif text == 'DONE':
            self.end('done')

    def end(self, how: str) -> None:
        """Quit, after ``settle`` seconds in which late effects may still show."""
        if not self._ending.is_set():
            self._ending.set()
            self.recorder.seen['ended'] = how
            self.app.post(lambda: self.app._post_later(self.settle, self._measure_and_quit))

    def _measure_and_quit(self) -> None:
        for function in self.before_end:
            function()
        self.recorder.seen['state'] = machine.state(self.app)
        self.app.quit()


def main(argv: list[str]) -> int:
    faulthandler.enable()
    options: dict[str, Any] = json.loads(argv[1])
    recorder = Recorder()
    logging.getLogger().addHandler(recorder)
    logging.getLogger('socket_runtime').setLevel(logging.DEBUG)
    start = time.monotonic()
    code = run(Path(argv[0]), options, recorder)
    recorder.seen.update(code=code, seconds=time.monotonic() - start, fds=len(os.listdir('/proc/self/fd')))
    Path(options['report']).write_text(json.dumps(recorder.seen, default=list), 'utf-8')
    return code


def run(project: Path, options: dict[str, Any], recorder: Recorder) -> int:
    try:
        config = load(project, debug=options.get('debug', True))
        set_current(config, RunOptions(report_errors=options.get('report_errors', False)))
        app = App(config)
        life = Life(app, recorder, options)
        app.on('failed')(lambda _window, url, message: recorder.add('failed', [url, message]))
        app.on('crashed')(lambda window, reason: recorder.add('crashed', [window.index, reason]))
        probes.register(app, recorder)
        if options.get('scenario'):
            getattr(scenarios, options['scenario'])(app, recorder, life, options)
        try:
            return app.run(
                headless=options.get('headless', False),
                automation=options.get('automation', False),
                engine_csp=options.get('engine_csp', True),
            )
        finally:
            recorder.seen['page_errors'] = app.page_errors
    except LocalError as error:
        recorder.note('error', {'type': type(error).__name__, 'message': error.message, 'hint': error.hint})
        sys.stderr.write(f'error: {error}\n')
        return error.exit_code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
