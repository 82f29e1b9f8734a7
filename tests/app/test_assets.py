"""The app's own files and the ``socket:`` modules, as a page asks for them."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from socket_runtime.app.assets import MODULES, Asset, Assets
from socket_runtime.errors import NotFound
from socket_runtime.ipc.document import Documents
from tests import strategies
from tests.ipc.asking import ORIGIN, Answer, Ask, Workers

POLICY = '<meta http-equiv="Content-Security-Policy" content="default-src \'self\' socket:; connect-src ipc://notes.*">'
COMMANDS = ('console.write', 'notes.list', 'notes.read')


class Server:
    """Assets of a folder, asked by one window."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.workers = Workers()
        self.documents = Documents(ORIGIN, lambda _: None)
        self.bad: list[str] = []
        self.assets = Assets(
            ORIGIN, folder, self.documents, lambda: COMMANDS, self.workers, on_bad_page=self.bad.append, **options
        )

    def ask(self, path: str) -> Answer:
        """A path of the app, or a whole URL."""
        answer = Answer()
        uri = ORIGIN + path if path.startswith('/') else path
        self.assets.handle(0, Ask(uri, headers={'Origin': None}), answer)
        self.workers.run_until(lambda: answer.status != 0)
        return answer

    def load(self, path: str) -> Answer:
        """Show a page."""
        self.documents.begin(0)
        answer = self.ask(path)
        self.documents.commit(0, ORIGIN + path)
        return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    resources = tmp_path / 'resources'
    (resources / 'sub').mkdir(parents=True)
    (resources / 'index.html').write_text(f'<!doctype html><head>{POLICY}</head><body>')
    (resources / 'bare.html').write_text('<!doctype html>')
    (resources / 'about.html').write_text(f'<head>{POLICY}</head>')
    (resources / 'sub/index.html').write_text('sub')
    (resources / 'a.js').write_text('1')
    (resources / 'é ü.txt').write_text('umlauts')
    (resources / 'large.bin').write_bytes(bytes(1 << 20))
    (tmp_path / 'secret.txt').write_text('secret')
    return resources


@pytest.fixture
def server(folder: Path) -> Server:
    return Server(folder)


@pytest.mark.parametrize(
    ('path', 'kind'),
    [
        ('/', 'text/html; charset=utf-8'),
        ('/index.html', 'text/html; charset=utf-8'),
        ('/about', 'text/html; charset=utf-8'),
        ('/sub/', 'text/html; charset=utf-8'),
        ('/a.js?v=1#x', 'text/javascript; charset=utf-8'),
        ('/%C3%A9%20%C3%BC.txt', 'text/plain; charset=utf-8'),
        ('/large.bin', 'application/octet-stream'),
        ('/socket/ipc.js', 'text/javascript; charset=utf-8'),
    ],
)
def test_files_are_served_with_type_and_protection(server: Server, path: str, kind: str) -> None:
    answer = server.ask(path)
    assert answer.status == 200
    assert answer.headers['Content-Type'] == kind
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'
    assert answer.headers['Access-Control-Allow-Origin'] == ORIGIN
    assert "object-src 'none'" in answer.headers['Content-Security-Policy']


@pytest.mark.parametrize(
    'path',
    ['/none', '/sub', '/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/sub/..%5c..%5csecret.txt', '//secret.txt',
     '/a.js/', '/a.js/x', '/socket', '/socket/', '/socket/../app/assets.py', '/socket/none.js', '/%00', '/x' * 100,
     '/socket/%2e%2e/errors.py'],
)  # fmt: skip
def test_c1_everything_else_is_not_found(server: Server, path: str) -> None:
    answer = server.ask(path)
    assert answer.status in (400, 404)
    assert b'secret' not in answer.body.replace(b'secret.txt', b'')
    assert 'Content-Security-Policy' in answer.headers


def test_c3_links_and_other_files_are_not_found(server: Server, folder: Path) -> None:
    (folder / 'link.txt').symlink_to(folder.parent / 'secret.txt')
    (folder / 'inner.txt').symlink_to('a.js')
    (folder / 'up').symlink_to(folder.parent)
    os.mkfifo(folder / 'fifo')
    for path in ('/link.txt', '/inner.txt', '/up/secret.txt', '/fifo'):
        assert server.ask(path).status == 404, path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(strategies.odd_uris())
def test_whatever_is_asked_nothing_outside_is_served(server: Server, folder: Path, uri: str) -> None:
    answer = server.ask(uri if uri.startswith('/') or ':' in uri else '/' + uri)
    assert answer.status in (200, 400, 404)
    assert answer.body != b'secret'


def test_a_page_brings_its_policy_as_header_and_as_meta(server: Server) -> None:
    answer = server.load('/index.html')
    expanded = 'connect-src ipc://notes.list ipc://notes.read'
    assert expanded in answer.headers['Content-Security-Policy']
    assert expanded.encode() in answer.body
    document = server.documents.current(0)
    assert document is not None
    assert document.allows('notes.list') and not document.allows('fs.readfile')


def test_a4_what_a_page_loads_carries_the_pages_policy(server: Server) -> None:
    """A worker has no policy but the one that its script came with."""
    policy = server.load('/index.html').headers['Content-Security-Policy']
    for path in ('/a.js', '/large.bin', '/none.js', 'socket:ipc', '/socket/ipc.js'):
        assert server.ask(path).headers['Content-Security-Policy'] == policy, path


def test_a1_a_page_without_policy_gets_one_that_allows_nothing(server: Server) -> None:
    policy = server.load('/bare.html').headers['Content-Security-Policy']
    assert "connect-src 'self' ipc://console.write;" in policy
    document = server.documents.current(0)
    assert document is not None and not document.allows('notes.list')


def test_pages_are_never_kept_by_the_engine(server: Server) -> None:
    """History's back would show one without asking for it, so without its policy."""
    assert server.ask('/index.html').headers['Cache-Control'] == 'no-store'
    assert server.ask('/a.js').headers['Cache-Control'] == 'no-cache'


def test_policies_of_the_configuration_hold_for_every_page(folder: Path) -> None:
    server = Server(folder, configured=('connect-src ipc://notes.list',), extra_headers=(('X-Own', 'yes'),))
    answer = server.load('/index.html')
    assert answer.headers['X-Own'] == 'yes'
    document = server.documents.current(0)
    assert document is not None
    assert document.allows('notes.list') and not document.allows('notes.read')


def test_the_gate_alone_leaves_nothing_to_the_engine(folder: Path) -> None:
    server = Server(folder, engine_csp=False)
    answer = server.load('/index.html')
    assert 'Content-Security-Policy' not in answer.headers
    assert b'content-security-policy' not in answer.body.lower()
    document = server.documents.current(0)
    assert document is not None and document.allows('notes.list') and not document.allows('fs.readfile')


def test_a_page_whose_policy_cannot_be_understood_is_not_shown(server: Server, folder: Path) -> None:
    (folder / 'bad.html').write_text(f'<head>{POLICY * 20}</head>secret')
    answer = server.load('/bad.html')
    assert answer.status == 500
    assert b'secret' not in answer.body
    assert len(server.bad) == 1 and 'policies' in server.bad[0]
    document = server.documents.current(0)
    assert document is None or not document.allows('notes.list')


# -- modules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['fs', 'fs/promises', 'ipc', 'process', 'path/posix', 'window'])
def test_a_module_leads_to_its_real_address(server: Server, name: str) -> None:
    body = server.ask(f'socket:{name}').body.decode()
    address = f'{ORIGIN}/socket/{name}.js'
    assert f"export * from '{address}'" in body
    real = server.ask(f'/socket/{name}.js')
    assert real.status == 200
    assert (f"export {{ default }} from '{address}'" in body) == (b'export default' in real.body)


def test_engines_with_standard_schemes_ask_otherwise(server: Server) -> None:
    assert server.ask('socket://fs/promises').body == server.ask('socket:fs/promises').body
    assert server.ask('socket://ipc/').body == server.ask('socket:ipc').body


@pytest.mark.parametrize(('name', 'meant'), [('fs/promisies', 'fs/promises'), ('proces', 'process'), ('qqqqqq', '')])
def test_an_unknown_module_throws_a_helpful_error(server: Server, name: str, meant: str) -> None:
    body = server.ask(f'socket:{name}').body.decode()
    assert body.startswith('throw new Error("')
    assert (f'Did you mean socket:{meant}?' in body) == bool(meant)


@pytest.mark.parametrize(
    'uri', ['socket:../app/assets', 'socket:fs/../../errors', 'socket:/etc/passwd', 'socket:fs.js', 'socket:%66s', 'socket:',
            'socket:preload', 'socket:"];x()//', 'socket:fs?x', 'socket:FS']
)  # fmt: skip
def test_odd_names_are_no_modules(server: Server, uri: str) -> None:
    answer = server.ask(uri)
    assert answer.status in (400, 404) or answer.body.startswith(b'throw new Error("There is no module')
    assert b'x()' not in answer.body


def test_every_module_of_ours_is_served_and_imports_only_what_is() -> None:
    import re

    server = Server(MODULES)
    for path in MODULES.rglob('*.js'):
        text = path.read_text('utf-8')
        for target in re.findall(r"""^(?:import|export) [^;]*?from '([^']+)'""", text, re.M):
            assert target.startswith('.'), (path, target)
            assert (path.parent / target).resolve().is_file(), (path, target)
        assert server.ask('/socket/' + str(path.relative_to(MODULES))).status == 200


# -- files from elsewhere ---------------------------------------------------------------------------------


def test_a_development_server_is_asked_on_a_worker(folder: Path) -> None:
    asked: list[tuple[str, str, bool]] = []
    main = threading.current_thread()

    def fetch(path: str, query: str) -> Asset:
        asked.append((path, query, threading.current_thread() is main))
        if path == '/none':
            raise NotFound('not there')
        if path == '/broken':
            raise OSError('cut')
        return Asset('text/html', POLICY.encode())

    server = Server(folder, fetch=fetch)
    assert server.load('/page?x=1').status == 200
    assert server.ask('/none').status == 404
    assert server.ask('/broken').status == 500
    assert server.ask('/sub/').status == 200
    assert asked == [('/page', 'x=1', False), ('/none', '', False), ('/broken', '', False), ('/sub/', '', False)]
    assert server.ask('/socket/ipc.js').status == 200
    document = server.documents.current(0)
    assert document is not None and document.allows('notes.list')


def test_a_folder_that_disappears_is_told(folder: Path, server: Server) -> None:
    folder.rename(folder.with_name('gone'))
    assert server.ask('/index.html').status == 404


def test_descriptors_do_not_leak(server: Server) -> None:
    def count() -> int:
        return len(os.listdir('/proc/self/fd'))

    paths = ('/', '/a.js', '/none', '/sub/none', '/large.bin', '/sub', '/../x')
    for path in paths:
        server.ask(path)
    before = count()
    for path in paths * 20:
        server.ask(path)
    assert count() == before
