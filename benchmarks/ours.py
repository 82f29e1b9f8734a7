"""Our side under test: the projects that are measured, written below ``build/bench``."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import BUILD, ROOT, BenchError, Display, Program, Running
from benchmarks.peers import _make, localhost_http

NAME = 'ours'
PLACE = BUILD / 'bench'
APPS = Path(__file__).with_name('apps')
SIZE = 64 << 20
IDENTIFIER = 'org.example.bench'
ORIGIN = f'socket://{IDENTIFIER}'

# The page just calls `fs.readFile`; small calls go by plain fetch, as the original's documentation shows them.
ADAPTER = """
import fs from 'socket:fs/promises'
const sent = body => ({ method: 'POST', body, headers: { 'Content-Type': 'application/octet-stream' } })
const peer = {
  size: SIZE,
  uploadSize: SIZE,
  echo: async n => (await fetch('ipc://bench.echo?x=' + n)).json(),
  thread: async n => (await fetch('ipc://bench.thread?x=' + n)).json(),
  post: async text => (await fetch('ipc://bench.body', sent(text))).text(),
  read: async () => (await fs.readFile('FILE')).byteLength,
  http: async () => (await (await fetch('http://127.0.0.1:PORT/file')).arrayBuffer()).byteLength,
  upload: async bytes => (await (await fetch('ipc://bench.upload', sent(bytes))).json()).data,
  report: line => fetch('ipc://bench.report', sent(line)),
  events: 100000,
  listen: seen => addEventListener('tick', seen),
  flood: count => fetch('ipc://bench.flood?count=' + count)
}
"""

INI = """[meta]
bundle_identifier = {identifier}
title = Bench

[build]
name = bench
copy = src

[webview]
hardware_acceleration = {acceleration}

[grants]
fs.read[] = {file}
"""

INDEX = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; script-src 'self' socket:;
 connect-src ipc://bench.* ipc://fs.* http://127.0.0.1:*">
<title>Bench</title>
<script type="module" src="/page.js"></script>
"""


def data_file(size: int = SIZE) -> Path:
    """The file that is read: zeros do, because nothing on the way compresses."""
    path = PLACE / f'{size >> 20}MiB.bin'
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.stat().st_size != size:
        path.write_bytes(bytes(size))
    return path


def hello_project(acceleration: str = 'auto') -> Path:
    """The hello world, with one script that says when the document is ready."""
    place = PLACE / f'hello-{acceleration}'
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(APPS / 'hello', place)
    if acceleration != 'auto':
        with (place / 'socket.ini').open('a', encoding='utf-8') as file:
            file.write(f'\n[webview]\nhardware_acceleration = {acceleration}\n')
    return place


def template_project() -> Path:
    """What ``ssc init`` writes, with the same script more.

    Raises:
        BenchError: it failed.
    """
    place = PLACE / 'template'
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    _make.make([sys.executable, '-m', 'socket_runtime', 'init', place], ROOT / 'src', 60)
    index = place / 'src' / 'index.html'
    text = index.read_text('utf-8')
    if '</head>' not in text:
        raise BenchError(f'{index} has no </head> to put a script before')
    index.write_text(text.replace('</head>', '  <script src="/dcl.js"></script>\n  </head>'), 'utf-8')
    shutil.copyfile(APPS / 'hello' / 'src' / 'dcl.js', index.parent / 'dcl.js')
    return place


def bench_project(page: str, file: Path, port: int, acceleration: str = 'auto') -> Path:
    """The project of a measuring page."""
    place = PLACE / f'page-{page}'
    shutil.rmtree(place, ignore_errors=True)
    (place / 'src').mkdir(parents=True)
    ini = INI.format(identifier=IDENTIFIER, acceleration=acceleration, file=file)
    (place / 'socket.ini').write_text(ini, 'utf-8')
    adapter = ADAPTER.replace('SIZE', str(SIZE)).replace('FILE', str(file)).replace('PORT', str(port))
    (place / 'src' / 'page.js').write_text(_make.script(page, adapter), 'utf-8')
    (place / 'src' / 'index.html').write_text(INDEX, 'utf-8')
    return place


def hello_program(acceleration: str = 'auto') -> Program:
    """``python -m socket_runtime.app DIR``."""
    names = {'auto': NAME, 'on': f'{NAME}, acceleration on', 'off': f'{NAME}, acceleration off'}
    argv = (sys.executable, '-m', 'socket_runtime.app', str(hello_project(acceleration)))
    return Program(names[acceleration], argv)


def template_program() -> Program:
    """The template of ``ssc init``."""
    return Program(f'{NAME}, ssc init', (sys.executable, '-m', 'socket_runtime.app', str(template_project())))


@contextlib.contextmanager
def start(display: Display, page: str, acceleration: str = 'auto') -> Iterator[Running]:
    """A measuring page; for ``bulk`` with a web server beside it, which the same page reads from too."""
    file = data_file()
    with contextlib.ExitStack() as stack:
        port = 1
        if page == 'bulk':
            port = int(stack.enter_context(localhost_http.server(display, file, ORIGIN)).line('PORT'))
        project = bench_project(page, file, port, acceleration)
        program = Program(NAME, (sys.executable, str(APPS / 'bench_app.py'), str(project)), cwd=ROOT)
        yield stack.enter_context(Running(program, display))
