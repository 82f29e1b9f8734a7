"""The server: threads, kept connections, no delay, one write for head and small body, the file by sendfile.

server.py FILE [ORIGIN]      prints PORT <number>; ORIGIN may read the answers from another page
"""

from __future__ import annotations

import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FILE = Path(sys.argv[1])
ORIGIN = sys.argv[2] if len(sys.argv) > 2 else ''


class Handler(BaseHTTPRequestHandler):
    """Answers what the measuring pages ask."""

    protocol_version = 'HTTP/1.1'
    # Without both of these Nagle's rule and the delayed ACK make 44 ms of every call.
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def _head(self, length: int, kind: str) -> None:
        self.send_response(200)
        self.send_header('Content-Length', str(length))
        self.send_header('Content-Type', kind)
        self.send_header('Cache-Control', 'no-store')
        if ORIGIN:
            self.send_header('Access-Control-Allow-Origin', ORIGIN)
        self.end_headers()

    def _answer(self, body: bytes, kind: str = 'application/json') -> None:
        self._head(len(body), kind)
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self) -> None:
        """Pages, the echo and the file."""
        path, _, query = self.path.partition('?')
        if path == '/echo':
            self._answer(b'{"data":%d}' % int(query.removeprefix('x=')))
        elif path == '/file':
            with FILE.open('rb') as file:
                size = os.fstat(file.fileno()).st_size
                self._head(size, 'application/octet-stream')
                self.wfile.flush()
                self.connection.sendfile(file)
        elif path.endswith('.html'):
            from benchmarks.peers import localhost_http

            self._answer(localhost_http.page(path[1:-5]).encode(), 'text/html')
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """A body back, or its length."""
        body = self.rfile.read(int(self.headers['Content-Length'] or 0))
        if self.path == '/upload':
            self._answer(b'%d' % len(body))
        else:
            self._answer(body, 'application/octet-stream')


class Server(ThreadingHTTPServer):
    """One thread a connection; they end with the program."""

    daemon_threads = True
    request_queue_size = socket.SOMAXCONN


if __name__ == '__main__':
    serving = Server(('127.0.0.1', 0), Handler)
    print(f'PORT {serving.server_port}', flush=True)
    serving.serve_forever()
