"""The way to a development server: this machine only, GET only, bounded (E7)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.app import devproxy
from socket_runtime.app.devproxy import DevProxy
from socket_runtime.errors import CommandFailed, NotFound, PortError, TooLarge, UsageError

FILES = {
    '/': ('text/html; charset=utf-8', b'<h1>hello</h1>'),
    '/a%20b/%C3%A9.js': ('text/javascript', b'export {}'),
    '/plain': ('', b'x'),
    '/split': ('text/html\x01', b'x'),
}


class Handler(BaseHTTPRequestHandler):
    seen: list[tuple[str, str, dict[str, str]]]

    def do_GET(self) -> None:
        path = self.path.partition('?')[0]
        self.seen.append((self.command, self.path, dict(self.headers.items())))
        if path == '/moved':
            self.send_response(302)
            self.send_header('Location', 'http://example.com/')
            self.end_headers()
        elif path == '/packed':
            self.answer('text/plain', b'x', ('Content-Encoding', 'gzip'))
        elif path == '/short':
            self.answer('text/plain', b'x', ('Content-Length', '10'))
        elif path == '/broken':
            self.send_error(500)
        elif path in FILES:
            self.answer(*FILES[path])
        else:
            self.send_error(404)

    def answer(self, content_type: str, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        if content_type:
            self.send_header('Content-Type', content_type)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    Handler.seen = []
    httpd = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    yield httpd.server_address[1]
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@contextmanager
def answering(data: bytes) -> Iterator[int]:
    """A server that answers one connection with ``data``, whatever it is asked."""
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(data)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def unused_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_file(server: int) -> None:
    proxy = DevProxy('localhost', server)
    proxy.check()
    assert proxy.request('/') == (200, 'text/html; charset=utf-8', b'<h1>hello</h1>')
    asset = proxy.fetch('/')
    assert (asset.content_type, asset.body) == ('text/html; charset=utf-8', b'<h1>hello</h1>')


def test_what_the_server_is_asked(server: int) -> None:
    DevProxy('LOCALHOST', server).fetch('/a b/é.js', 'v=1&x=%20')
    ((method, path, headers),) = Handler.seen
    assert (method, path) == ('GET', '/a%20b/%C3%A9.js?v=1&x=%20')
    assert headers == {
        'Host': f'localhost:{server}',
        'Accept': '*/*',
        'Accept-Encoding': 'identity',
        'Connection': 'close',
    }


def test_types_that_are_missing_or_odd(server: int) -> None:
    proxy = DevProxy('127.0.0.1', server)
    assert proxy.fetch('/plain').content_type == 'application/octet-stream'
    assert proxy.fetch('/split').content_type == 'application/octet-stream'


def test_what_the_server_will_not_give(server: int) -> None:
    proxy = DevProxy('localhost', server)
    with pytest.raises(NotFound):
        proxy.fetch('/nothing.js')
    with pytest.raises(CommandFailed, match='answers 500'):
        proxy.fetch('/broken')
    with pytest.raises(CommandFailed, match='compresses'):
        proxy.fetch('/packed')


def test_redirects_are_not_followed(server: int) -> None:
    with pytest.raises(CommandFailed, match='answers 302'):
        DevProxy('localhost', server).fetch('/moved')
    assert len(Handler.seen) == 1


@pytest.mark.parametrize(
    ('path', 'query'),
    [
        ('relative', ''),
        ('/../etc/passwd', ''),
        ('/a/..', ''),
        ('/./a', ''),
        ('/a\\b', ''),
        ('//example.com/', ''),
        ('/\ud800', ''),
        ('/', 'a b'),
        ('/', 'a\r\nHost: evil'),
        ('/', 'a#b'),
        ('/', 'é'),
        ('/' + 'x' * devproxy.MAX_PATH, ''),
    ],
)
def test_paths_that_are_never_asked_for(server: int, path: str, query: str) -> None:
    with pytest.raises(NotFound):
        DevProxy('localhost', server).request(path, query)
    assert Handler.seen == []


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_target_is_one_word_below_the_root(path: str, query: str) -> None:
    try:
        target = devproxy._target(f'/{path}', query)
    except NotFound:
        return
    assert target.isascii()
    assert target.startswith('/')
    assert not target.startswith('//')
    assert not set(' \r\n\t\\#') & set(target)
    assert '..' not in target.partition('?')[0].split('/')


@pytest.mark.parametrize(
    'host',
    ['example.com', '0.0.0.0', '192.168.0.1', '10.0.0.1', '127.0.0.256', '127.1', '::', '', 'localhost.evil.com'],
)
def test_other_machines_are_refused_unasked(host: str) -> None:
    with pytest.raises(UsageError, match='is not this machine'):
        DevProxy(host, 80)


def test_hosts_of_this_machine() -> None:
    assert DevProxy('localhost', 1).url == 'http://localhost:1'
    assert DevProxy('127.0.0.1', 1).url == 'http://127.0.0.1:1'
    assert DevProxy('[::1]', 1).url == DevProxy('::1', 1).url == 'http://[::1]:1'
    for port in (0, 65536, -1):
        with pytest.raises(UsageError, match='is no port'):
            DevProxy('localhost', port)


def test_nobody_listens() -> None:
    proxy = DevProxy('localhost', unused_port())
    with pytest.raises(PortError, match='nothing answers at http://localhost') as raised:
        proxy.check()
    assert raised.value.exit_code == 5
    assert '--port' in raised.value.hint
    with pytest.raises(PortError):
        proxy.request('/')
    with pytest.raises(NotFound):
        proxy.fetch('/index.js')
    for page in ('/', '/index.html', '/admin'):
        asset = proxy.fetch(page)
        assert asset.content_type == 'text/html; charset=utf-8'
        assert b'nothing answers' in asset.body
        assert b'<script' not in asset.body


def test_somebody_else_listens() -> None:
    with (
        answering(b'220 mail.example.com ESMTP\r\n') as port,
        pytest.raises(PortError, match='gives no proper answer'),
    ):
        DevProxy('127.0.0.1', port).request('/')


def test_a_file_that_ends_early(server: int) -> None:
    with pytest.raises(PortError, match='gives no proper answer'):
        DevProxy('localhost', server).request('/short')


def test_a_file_without_end(monkeypatch: pytest.MonkeyPatch, server: int) -> None:
    monkeypatch.setattr(devproxy, 'MAX_BODY', 13)
    with pytest.raises(TooLarge):
        DevProxy('localhost', server).request('/')
    monkeypatch.setattr(devproxy, 'MAX_BODY', 14)
    assert DevProxy('localhost', server).request('/')[0] == 200


def test_a_server_that_takes_too_long(monkeypatch: pytest.MonkeyPatch, server: int) -> None:
    monkeypatch.setattr(devproxy, 'TOTAL_TIMEOUT', -1.0)
    with pytest.raises(CommandFailed, match='takes too long') as raised:
        DevProxy('localhost', server).request('/')
    assert raised.value.code == 'ETIMEDOUT'


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devproxy, 'STEP_TIMEOUT', 0.1)
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CommandFailed, match='takes too long'):
            DevProxy('127.0.0.1', port).request('/')
