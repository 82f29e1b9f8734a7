"""A stranger's web server on 127.0.0.1: the foreign origin of the attack tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Evil:
    """What the server was asked, and where it is.

    Attributes:
        origin: ``http://127.0.0.1:<port>``.
        requests: ``(method, path, headers)`` in order.
    """

    def __init__(self, server: ThreadingHTTPServer, app_origin: str, script: str) -> None:
        self.origin = f'http://127.0.0.1:{server.server_address[1]}'
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.app_origin = app_origin
        self.script = script

    def page(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a path."""
        tag = query.get('tag', [''])[0]
        headers = {
            'Content-Type': 'text/html; charset=utf-8',
            'Access-Control-Allow-Origin': '*',
            'Access-Control-Allow-Headers': '*',
        }
        match path:
            case '/frame' | '/top':
                body = f'<!doctype html><title>evil</title><body><script src="/frame.js?tag={tag}"></script>'
                if path == '/top':
                    body += ''.join(f'<img src="ipc://probe.act?tag=evil-img-{n}">' for n in range(2))
            case '/nest':
                body = f'<iframe src="{self.app_origin}/frame.html?tag={tag}"></iframe>'
            case '/frame.js':
                headers['Content-Type'] = 'text/javascript'
                body = self.script
            case '/redirect':
                return 302, {'Location': query['to'][0], **headers}, b''
            case _:
                body = ''
        return 200, headers, body.encode()


@contextmanager
def evil_server(app_origin: str, script: str) -> Iterator[Evil]:
    """Serve until the block ends.

    Args:
        app_origin: the attacked app's.
        script: what ``/frame.js`` answers.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            evil.requests.append((self.command, self.path, dict(self.headers)))
            length = int(self.headers.get('Content-Length') or 0)
            self.rfile.read(length)
            parts = urlsplit(self.path)
            status, headers, body = evil.page(parts.path, parse_qs(parts.query))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_OPTIONS = do_GET

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    evil = Evil(server, app_origin, script)
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
    thread.start()
    try:
        yield evil
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
