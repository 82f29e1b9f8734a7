"""One test of the whole contract between an app and a host, for every host.

``run_conformance('socket_runtime.host.qt:QtHost')`` runs the host in a process of its own, with a small app
and real pages, and returns a report: for each clause of ``host.contract`` ``True``, or a text that says what
was found instead. Nothing is asserted here: what a host is known not to keep is in that host's own test.

Run alone, it prints the report: ``python -m tests.host.conformance socket_runtime.host.gtk:GtkHost``.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from socket_runtime.errors import Aborted, TooLarge
from socket_runtime.host.contract import (
    Callbacks,
    Headers,
    Host,
    HostOptions,
    HostWindow,
    Request,
    Responder,
    WindowSpec,
)
from tests.host.processes import listening_ports, web_processes

__all__ = ['HostFactory', 'conduct', 'run_conformance']

Report = dict[str, bool | str]
HostFactory = Callable[[Callbacks, HostOptions], Host]

PAGES = Path(__file__).with_name('pages')
ORIGIN = 'socket://conformance.test'
WAIT_SECONDS = 10.0
BODY_LIMIT = 1 << 20
BIG = 8 << 20

#: Everything that could end a string, a line, a tag or a program, and a few that are merely odd.
TRICKY = '\'"`\\ </script> \u2028\u2029 \r\n\t ${x} \x7f é 漢 😀 */ // '


@dataclass
class Seen:
    """A request, as the host described it."""

    window: int
    uri: str
    method: str
    origin: str | None
    token: str | None
    thread: int


@dataclass
class App:
    """The small app: ``host.contract.Callbacks``, and a memory of all that was said."""

    main_thread: int = field(default_factory=threading.get_ident)
    log: list[tuple[Any, ...]] = field(default_factory=list)
    calls: list[Seen] = field(default_factory=list)
    assets: list[Seen] = field(default_factory=list)
    told: queue.Queue[tuple[int, dict[str, Any]]] = field(default_factory=queue.Queue)
    starts: int = 0
    keep_open: bool = True
    body_error: str = ''
    abort_seen: threading.Event = field(default_factory=threading.Event)
    streams: list[threading.Thread] = field(default_factory=list)

    def on_asset(self, window: int, request: Request, responder: Responder) -> None:
        self.assets.append(_seen(window, request))
        path = request.uri.split('://', 1)[-1].split(':', 1)[-1].split('?')[0].split('#')[0]
        name = 'stub.js' if path.strip('/').startswith('fs/') else path.partition('/')[2] or 'first.html'
        file = PAGES / name
        headers = [('Access-Control-Allow-Origin', ORIGIN), ('Cache-Control', 'no-store')]
        if file.parent != PAGES or not file.is_file():
            responder.send(404, (('Content-Type', 'text/plain'), *headers), b'no such page')
            return
        kind = 'text/html; charset=utf-8' if name.endswith('.html') else 'text/javascript; charset=utf-8'
        responder.send(200, (('Content-Type', kind), *headers), file.read_bytes())

    def on_call(self, window: int, request: Request, responder: Responder) -> None:
        seen = _seen(window, request)
        self.calls.append(seen)
        command = request.uri.split('://', 1)[1].split('?')[0].split('#')[0].strip('/').lower()
        handler = getattr(self, 'call_' + command.replace('.', '_'), None)
        if handler is None:
            responder.send(404, _headers('application/json'), b'{"err":{}}')
        else:
            handler(window, request, responder)

    def call_echo(self, window: int, request: Request, responder: Responder) -> None:
        try:
            body = request.read_body(BODY_LIMIT)
        except TooLarge as error:
            self.body_error = type(error).__name__
            responder.send(413, _headers('text/plain'), b'too large')
            return
        responder.send(200, _headers('application/octet-stream', ('Socket-Kind', 'binary')), body)

    def call_describe(self, window: int, request: Request, responder: Responder) -> None:
        data = {'uri': request.uri, 'method': request.method, 'token': request.header('socket-TOKEN')}
        responder.send(200, _headers('application/json'), json.dumps(data).encode())

    def call_teapot(self, window: int, request: Request, responder: Responder) -> None:
        responder.send(418, _headers('application/json'), b'{"err":{"name":"Teapot"}}')

    def call_empty(self, window: int, request: Request, responder: Responder) -> None:
        responder.send(204, _headers('text/plain'), b'')

    def call_ticks(self, window: int, request: Request, responder: Responder) -> None:
        sink = responder.stream(200, _headers('application/octet-stream'))

        def tick() -> None:
            for number in range(4):
                sink.write(b'%d' % number)
                time.sleep(0.15)
            sink.close()
            sink.close()

        self._stream(tick)

    def call_flood(self, window: int, request: Request, responder: Responder) -> None:
        sink = responder.stream(200, _headers('application/octet-stream'))
        big = 'big=1' in request.uri

        def pour() -> None:
            chunk = bytes(range(256)) * 256
            try:
                for _ in range(BIG // len(chunk) if big else 1 << 40):
                    sink.write(chunk)
                sink.close()
            except Aborted:
                self.abort_seen.set()

        self._stream(pour)

    def _stream(self, function: Callable[[], None]) -> None:
        thread = threading.Thread(target=function, daemon=True)
        self.streams.append(thread)
        thread.start()

    def call_tell(self, window: int, request: Request, responder: Responder) -> None:
        self.told.put((window, json.loads(request.read_body(1 << 20))))
        responder.send(200, _headers('application/json'), b'{}')

    def call_forbidden_call(self, window: int, request: Request, responder: Responder) -> None:
        responder.send(200, _headers('application/json'), b'{}')

    def on_navigate(self, window: int, url: str, new_window: bool) -> bool:
        self.log.append(('navigate', window, url, new_window))
        return url.startswith(ORIGIN + '/') and not new_window

    def on_start(self, window: int, url: str) -> str:
        self.starts += 1
        self.log.append(('start', window, url, self.starts))
        return f'globalThis.preloaded = (globalThis.preloaded || []).concat({self.starts});'

    def on_commit(self, window: int, url: str) -> None:
        self.log.append(('commit', window, url, len(self.calls)))

    def on_loaded(self, window: int) -> None:
        self.log.append(('loaded', window))

    def on_failed(self, window: int, url: str, message: str) -> None:
        self.log.append(('failed', window, url, message))

    def on_crashed(self, window: int, reason: str) -> None:
        self.log.append(('crashed', window, reason))

    def on_close(self, window: int) -> bool:
        self.log.append(('close', window))
        return not self.keep_open

    def on_closed(self, window: int) -> None:
        self.log.append(('closed', window))

    def on_window_event(self, window: int, name: str, detail: dict[str, object]) -> None:
        self.log.append(('event', window, name, dict(detail)))

    def count(self, *begin: Any) -> int:
        """How often something was said that begins so."""
        return sum(entry[: len(begin)] == begin for entry in list(self.log))


def _seen(window: int, request: Request) -> Seen:
    origin, token = request.header('Origin'), request.header('Socket-Token')
    return Seen(window, request.uri, request.method, origin, token, threading.get_ident())


def _headers(kind: str, *more: tuple[str, str]) -> Headers:
    return (
        ('Content-Type', kind),
        ('Cache-Control', 'no-store'),
        ('Access-Control-Allow-Origin', ORIGIN),
        ('Access-Control-Expose-Headers', '*'),
        ('Access-Control-Expose-Headers', 'Socket-Kind, Socket-Status'),
        *more,
    )


class Conductor:
    """Drives a host from a thread of its own, clause by clause."""

    def __init__(self, host: Host, app: App, window: HostWindow) -> None:
        self.host = host
        self.app = app
        self.window = window
        self.report: Report = {}

    # -- means ------------------------------------------------------------------------------------------

    def gui(self, function: Callable[[], Any]) -> Any:
        """The result of ``function``, run on the GUI's thread."""
        answer: queue.Queue[tuple[bool, Any]] = queue.Queue()

        def run() -> None:
            try:
                answer.put((True, function()))
            except Exception as error:  # handed to the thread that asked
                answer.put((False, error))

        self.host.post(run)
        good, value = answer.get(timeout=WAIT_SECONDS)
        if not good:
            raise value
        return value

    def wait(self, condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> bool:
        """Whether ``condition`` came true in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.01)
        return bool(condition())

    def told(self, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """What the page said next, with its window's number as ``window``."""
        try:
            window, data = self.app.told.get(timeout=seconds)
        except queue.Empty:
            return {}
        return {**data, 'window': window}

    def evaluate(self, body: str, argument: str = '', window: HostWindow | None = None) -> str | None:
        """``HostWindow.evaluate``, waited for."""
        answer: queue.Queue[str | None] = queue.Queue()
        target = window or self.window
        self.gui(lambda: target.evaluate(body, argument, answer.put))
        try:
            return answer.get(timeout=WAIT_SECONDS)
        except queue.Empty:
            return '<no answer>'

    def note(self, clause: str, good: bool, otherwise: object = 'no') -> None:
        """Write a clause's result down."""
        self.report[clause] = True if good else str(otherwise) or 'no'

    def run(self) -> None:
        """All clauses; whatever goes wrong is reported under the step's name."""
        for step in (
            self.first_page,
            self.streams,
            self.evaluation,
            self.navigation,
            self.preload,
            self.policy,
            self.isolation,
            self.second_window,
            self.geometry,
            self.picture,
            self.files,
            self.empty_page,
            self.crash,
            self.posting,
        ):
            try:
                step()
            except Exception as error:  # a report must come, whatever a host does
                self.report[step.__name__] = f'{type(error).__name__}: {error}'
        self.app.keep_open = False
        self.host.post(self.host.quit)

    # -- clauses ----------------------------------------------------------------------------------------

    def first_page(self) -> None:
        page = self.told()
        app = self.app
        self.note('page served', bool(page), app.log[-5:])
        self.note('module imports', page.get('module') == 'one two', page.get('module'))
        self.note('bare module imports', page.get('bare') == 'stub', page.get('bare'))
        self.note('secure context', page.get('secure') is True, page.get('secure'))
        self.note('origin', page.get('origin') == ORIGIN, page.get('origin'))
        self.note('preload first', page.get('preloaded') == [1], page.get('preloaded'))
        described = page.get('described', {})
        self.note('query kept', str(described.get('uri', '')).endswith('?path=%2Fa%20b%26&n=1'), described)
        self.note('method', described.get('method') == 'PUT', described.get('method'))
        self.note('request header', described.get('token') == 'abc', described.get('token'))
        call = next((seen for seen in app.calls if 'describe' in seen.uri), None)
        self.note('request origin', call is not None and call.origin == ORIGIN, call)
        self.note('response header', page.get('kind') == 'binary', page.get('kind'))
        self.note('status', page.get('status') == 418, page.get('status'))
        self.note('error body', page.get('error') == 'Teapot', page.get('error'))
        self.note('empty reply', page.get('empty') == 0, page.get('empty'))
        self.note('body', page.get('echo') == 'same', page.get('echo'))
        self.note('text body', page.get('text') == 'grüße', page.get('text'))
        self.note('body limit', app.body_error == 'TooLarge', app.body_error)
        self.note('frame has no preload', page.get('frame') is None and 'frame' in page, page.get('frame'))
        self.note('worker calls', page.get('worker') == 'ok', page.get('worker'))
        gui = {seen.thread for seen in app.calls + app.assets}
        self.note('one thread', gui == {self.gui(threading.get_ident)}, gui)
        commit = next((i for i, entry in enumerate(app.log) if entry[0] == 'commit'), -1)
        start = next((i for i, entry in enumerate(app.log) if entry[0] == 'start'), -1)
        self.note('start before commit', 0 <= start < commit, app.log[:6])
        self.note('commit before calls', commit >= 0 and app.log[commit][3] == 0, app.log[:6])
        asked = next((i for i, entry in enumerate(app.log) if entry[0] == 'navigate'), -1)
        self.note('asked before start', 0 <= asked < start, app.log[:6])
        self.note('loaded', self.wait(lambda: app.count('loaded', 0) == 1), app.log)

    def streams(self) -> None:
        self.evaluate('streams()')
        page = self.told()
        ticks = page.get('ticks', [])
        self.note('stream arrives live', len(ticks) == 4 and ticks[-1] - ticks[0] > 250, ticks)
        self.note('stream ends', page.get('ticksText') == '0123', page.get('ticksText'))
        self.note('big stream', page.get('flood') == BIG and page.get('order') is True, page)
        self.note('stream aborted', self.app.abort_seen.wait(WAIT_SECONDS), 'the writer was not told')
        for thread in self.app.streams:
            thread.join(WAIT_SECONDS)
        self.note('writers end', not any(thread.is_alive() for thread in self.app.streams))

    def evaluation(self) -> None:
        back = self.evaluate('return argument', TRICKY)
        self.note('evaluate keeps text', back is not None and json.loads(back) == TRICKY, back)
        back = self.evaluate('return {a: [1, null, argument.length]}', 'xy')
        self.note('evaluate gives JSON', back is not None and json.loads(back) == {'a': [1, None, 2]}, back)
        back = self.evaluate('throw new Error(argument)', 'x')
        self.note('evaluate failed is None', back is None, back)
        self.gui(lambda: self.window.evaluate('globalThis.silently = argument', 'yes'))
        self.note('evaluate without answer', self.evaluate('return silently') == '"yes"')
        long = 'ä' * 300_000
        back = self.evaluate('return argument.length', long)
        self.note('evaluate long text', back == '300000', back)

    def navigation(self) -> None:
        app = self.app
        for url in ('https://example.invalid/', 'ipc://echo?navigated=1', f'{ORIGIN}.evil/first.html'):
            self.evaluate('location.href = argument', url)
            asked = self.wait(lambda url=url: app.count('navigate', 0, url) or app.count('navigate', 0, _canon(url)), 5)
            self.note(f'asked for {url.partition("?")[0]}', asked, app.log[-3:])
        time.sleep(0.3)
        self.note('refused stays', self.evaluate('return location.pathname') == '"/first.html"')
        self.note('refused keeps state', self.evaluate('return silently') == '"yes"')
        self.note('no call by navigation', not any('navigated' in seen.uri for seen in app.calls), app.calls[-1:])
        self.evaluate('globalThis.opened = window.open(argument)', f'{ORIGIN}/second.html')
        asked = self.wait(lambda: any(e[0] == 'navigate' and e[3] and 'second' in e[2] for e in app.log), 5)
        # an engine may refuse a window without a click of the user before it asks anybody
        self.note('new window asks or is refused', asked or self.evaluate('return !opened') == 'true', app.log[-3:])
        self.note('no window opened', app.count('start', 0) == 1, app.count('start', 0))

    def empty_page(self) -> None:
        self.gui(lambda: self.window.load(f'{ORIGIN}/second.html?before'))
        self.told()
        calls = len(self.app.calls)
        self.evaluate('location.href = "about:blank"')
        self.note('asked for about:blank', self.wait(lambda: self.app.count('navigate', 0, 'about:blank'), 3))
        self.evaluate("return fetch('ipc://describe').catch(() => 0), 1")
        time.sleep(0.3)
        policed = len(self.app.calls) == calls or all(seen.origin == ORIGIN for seen in self.app.calls[calls:])
        self.note('about:blank has no other origin', policed, self.app.calls[calls:])

    def preload(self) -> None:
        app = self.app
        before = app.starts
        numbers = []
        for target in (f'{ORIGIN}/second.html', f'{ORIGIN}/second.html?x', '', '', f'{ORIGIN}/second.html?y'):
            if target:
                self.gui(lambda target=target: self.window.load(target))
            else:
                self.gui(self.window.reload)
            numbers.append(self.told().get('preloaded'))
        expected = [[number] for number in range(before + 1, before + 6)]
        self.note('preload anew for each', numbers == expected, f'{numbers} instead of {expected}')
        self.wait(lambda: app.count('loaded', 0) == 6)
        starts, commits = app.count('start', 0), app.count('commit', 0)
        self.note('commit for each start', starts == commits == 6, (starts, commits))
        self.evaluate('history.pushState(null, "", "/pushed.html")')
        self.evaluate('location.hash = "here"')
        time.sleep(0.3)
        self.note('no commit within a document', app.count('commit', 0) == 6, app.log[-3:])
        self.evaluate('location.href = argument', f'{ORIGIN}/second.html?by-page')
        self.note('page may navigate', self.told().get('preloaded') == [before + 6], app.log[-4:])
        self.gui(lambda: self.window.load(f'{ORIGIN}/missing.html'))
        settled = self.wait(lambda: app.count('failed', 0) or app.count('commit', 0) == 8)
        self.note('missing page settles', settled, app.log[-4:])
        self.gui(lambda: self.window.load(f'{ORIGIN}/second.html?again'))
        self.note('page after missing', bool(self.told().get('preloaded')), app.log[-4:])

    def policy(self) -> None:
        self.gui(lambda: self.window.load(f'{ORIGIN}/policy.html'))
        page = self.told()
        self.note('policy allows', page.get('allowed') == 'ok', page)
        self.note('engine refuses', page.get('forbidden') == 'refused', page)
        reached = any('forbidden' in seen.uri.lower() for seen in self.app.calls)
        self.note('refused call never arrives', not reached)
        self.note('preload under policy', bool(page.get('preloaded')), page)
        back = self.evaluate('return argument + 1', '2')
        self.note('evaluate under policy', back == '"21"', back)

    def isolation(self) -> None:
        found = self.evaluate(
            "return ['pywebview', 'qt', 'jsBridge', '_pywebviewAlert'].filter(name => name in globalThis)"
            '.concat(Object.keys(globalThis.webkit?.messageHandlers ?? {}))'
            ".concat(typeof globalThis.chrome?.webview === 'object' ? ['chrome.webview'] : [])"
        )
        self.note('no bridge', found == '[]', found)
        ports = listening_ports()
        self.note('no port', ports == [], ports)

    def second_window(self) -> None:
        app = self.app
        spec = WindowSpec('second', f'{ORIGIN}/second.html?two', width=300, height=200)
        second = self.gui(lambda: self.host.create_window(spec))
        page = self.told()
        self.note('second window', page.get('window') == second.id != self.window.id, page)
        call = app.calls[-1]
        self.note('identity is native', call.window == second.id, call)
        self.note('own preload', page.get('preloaded') == [app.starts], page)
        self.gui(second.destroy)
        self.note('destroy closes', self.wait(lambda: app.count('closed', second.id) == 1), app.log[-3:])
        self.note('destroy does not ask', app.count('close', second.id) == 0)
        self.note('first window lives', self.evaluate('return 1') == '1')

    def geometry(self) -> None:
        window = self.window
        self.gui(lambda: window.set_size(520, 410))
        resized = self.wait(lambda: self.gui(window.get_size) == (520, 410), 3)
        self.note('set size', resized, self.gui(window.get_size))
        event = self.wait(lambda: self.app.count('event', 0, 'resize') > 0, 3)
        self.note('resize event', event, self.app.log[-3:])
        self.gui(lambda: window.set_position(60, 70))
        self.note('move event', self.wait(lambda: self.app.count('event', 0, 'move') > 0, 3))
        x, y = self.gui(window.get_position)
        self.note('set position', abs(x - 60) < 40 and abs(y - 70) < 60, (x, y))
        for verb in (window.hide, window.show, window.focus, lambda: window.set_title('new "title"')):
            self.gui(verb)
        self.gui(lambda: window.set_background('#102030'))
        width, height = self.gui(self.host.screen_size)
        self.note('screen size', width >= 640 and height >= 480, (width, height))

    def picture(self) -> None:
        answer: queue.Queue[bool] = queue.Queue()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'window.png')
            self.gui(lambda: self.window.screenshot(path, answer.put))
            good = answer.get(timeout=WAIT_SECONDS)
            data = Path(path).read_bytes() if os.path.exists(path) else b''
        self.note('screenshot', good and data.startswith(b'\x89PNG') and len(data) > 100, (good, len(data)))

    def files(self) -> None:
        answer: queue.Queue[bool] = queue.Queue()
        with tempfile.NamedTemporaryFile() as file:
            self.gui(lambda: self.window.offer_file(file.fileno(), 'name', answer.put))
            try:
                taken = answer.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                self.note('file offer answered', False)
                return
        # this page has no file input, so no host can have handed the file over
        self.note('file offer answered', taken is False, taken)

    def crash(self) -> None:
        app = self.app
        victims = web_processes()
        if not victims:
            self.report['crash told'] = 'no process of the page found'
            return
        for process in victims:
            os.kill(process, signal.SIGKILL)
        self.note('crash told', self.wait(lambda: app.count('crashed', 0) == 1), app.log[-3:])
        self.note('evaluate after crash', self.evaluate('return 1') is None)
        self.gui(self.window.reload)
        self.note('reload after crash', bool(self.told().get('preloaded')), app.log[-4:])

    def posting(self) -> None:
        order: list[int] = []
        done = threading.Event()
        for number in range(50):
            self.host.post(lambda number=number: order.append(number))
        self.host.post_later(0.2, done.set)
        begin = time.monotonic()
        self.note('post later', done.wait(5) and time.monotonic() - begin > 0.15, time.monotonic() - begin)
        self.note('post in order', order == list(range(50)), order)


def _canon(url: str) -> str:
    """As Chromium writes it."""
    head, sep, tail = url.partition('?')
    return head + '/' + sep + tail


def conduct(factory: HostFactory, options: HostOptions | None = None) -> Report:
    """Run ``factory``'s host in this process; returns the report when the host's loop has ended."""
    app = App()
    host = factory(app, options or HostOptions(ORIGIN, sandbox=False))
    window = host.create_window(WindowSpec('first', f'{ORIGIN}/first.html', width=640, height=480))
    conductor = Conductor(host, app, window)
    thread = threading.Thread(target=conductor.run, daemon=True)
    host.post(thread.start)
    host.run()
    thread.join(WAIT_SECONDS)
    report = conductor.report
    report['run returns'] = True
    report['closed told once'] = app.count('closed', 0) == 1 or f'{app.count("closed", 0)} times'
    return report


def run_conformance(
    host_factory: str,
    *,
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
    seconds: float = 120.0,
) -> Report:
    """The report of ``module:Class``, run in a process of its own.

    Raises:
        RuntimeError: the process ended without a report; says what it printed.
    """
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'report.json')
        command = [python, '-m', 'tests.host.conformance', host_factory, path]
        variables = {**os.environ, 'PYTHONPATH': f'{root / "src"}{os.pathsep}{root}', **(environment or {})}
        process = subprocess.Popen(
            command, cwd=root, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        if not os.path.exists(path):
            raise RuntimeError(f'no report (exit {process.returncode}):\n{output.decode(errors="replace")[-4000:]}')
        report: Report = json.loads(Path(path).read_text())
        report['exit'] = process.returncode == 0 or f'{process.returncode}: {output.decode(errors="replace")[-500:]}'
        return report


def main(arguments: list[str]) -> None:
    """``module:Class [file]``: run it, print the report, and write it to the file."""
    module, _, name = arguments[0].partition(':')
    report = conduct(getattr(importlib.import_module(module), name))
    text = json.dumps(report, indent=1)
    if len(arguments) > 1:
        Path(arguments[1]).write_text(text)
    else:
        print(text)


if __name__ == '__main__':
    main(sys.argv[1:])
