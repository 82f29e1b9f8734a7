"""``shell.*``: D1, and the desktop's own way with a handler that the test registers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from socket_runtime.errors import BadRequest, CommandFailed, Denied, RemoteError
from socket_runtime.services import shell as shell_module
from tests.services.bench import Bench
from tests.support.skips import skip_loudly

MakeBench = Callable[..., Bench]


class Desktop:
    """Takes what would have been opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.revealed: list[str] = []


@pytest.fixture
def desktop() -> Desktop:
    return Desktop()


@pytest.fixture
def app(make: MakeBench, desktop: Desktop) -> Bench:
    """May open the web, mail and ``tel:``, and show files."""
    grants = {
        'fs.read': ('$DATA/**',),
        'shell.open': ('https:', 'mailto:', 'tel:'),
        'shell.reveal': True,
    }
    return make(
        grants,
        more=lambda context: shell_module.commands(
            context, opener=desktop.opened.append, revealer=desktop.revealed.append
        ),
    )


@pytest.mark.parametrize(
    'url',
    [
        'https://example.org',
        'https://example.org/',
        'HTTPS://Example.org:8443/a/b?c=d&e=%20#f',
        'https://[::1]/',
        "https://example.org/it's_(a)~page!",
        'mailto:a@example.org',
        'mailto:?subject=Hi&body=a%20b&cc=x@example.org',
        'tel:+15551234',
    ],
)
def test_D1_what_is_opened(app: Bench, desktop: Desktop, url: str) -> None:
    app.run('shell.open', url=url)
    assert desktop.opened == [url]


D1 = {
    'file': 'file:///etc/passwd',
    'file without slashes': 'file:/etc/passwd',
    'smb': 'smb://host/share',
    'javascript': 'javascript:alert(1)',
    'data': 'data:text/html,x',
    'vbscript': 'vbscript:x',
    'ms-msdt': 'ms-msdt:/id%20PCWDiagnostic',
    'ms-officecmd': 'ms-officecmd:x',
    'search-ms': 'search-ms:query=x',
    'our own': 'socket://app/x',
    'ipc': 'ipc://fs.readFile',
    'http, which was not granted': 'http://example.org/',
    'ftp': 'ftp://example.org/',
    'ssh with a flag': 'ssh://-oProxyCommand=x/',
    'another program': 'steam://run/1',
    'flag': '-flag',
    'two flags': '--help',
    'flag, then scheme': '-x https://example.org',
    'path': '/etc/passwd',
    'relative path': 'etc/passwd',
    'drive': 'C:\\Windows\\System32\\calc.exe',
    'UNC': '\\\\host\\share\\x.exe',
    'program': 'calc.exe',
    'empty': '',
    'scheme alone': 'https:',
    'no host': 'https:///x',
    'host is a flag': 'https:-flag',
    'user': 'https://user@example.org/',
    'user and password': 'https://example.org:x@evil.example/',
    'blank': 'https://example.org/a b',
    'leading blank': ' https://example.org/',
    'newline': 'https://example.org/\n--flag',
    'NUL': 'https://example.org/\0',
    'quote': 'https://example.org/"&calc',
    'backtick': 'https://example.org/`id`',
    'less than': 'https://example.org/<x>',
    'caret': 'https://example.org/^x',
    'pipe': 'https://example.org/|x',
    'backslash': 'https:\\\\example.org',
    'not ASCII': 'https://ex\u00e4mple.org/',
    'right to left': 'https://example.org/\u202egpj.exe',
    'long': 'https://example.org/' + 'x' * 9000,
    'mail with a file': 'mailto:?attach=/etc/passwd',
    'mail with a file, written otherwise': 'mailto:a@b?subject=x&ATTACHMENT=/etc/passwd',
    'mail with an escaped field': 'mailto:?%61ttach=/etc/passwd',
}


@pytest.mark.parametrize('url', D1.values(), ids=D1)
def test_D1_what_is_never_opened(app: Bench, desktop: Desktop, url: str) -> None:
    call = app.call('shell.open')
    with pytest.raises(RemoteError) as caught:
        call.command.handler(url=url)
    assert isinstance(caught.value, BadRequest | Denied)
    assert desktop.opened == []


def test_D1_a_denial_names_the_line(app: Bench) -> None:
    with pytest.raises(Denied) as caught:
        app.run('shell.open', url='http://example.org/')
    assert caught.value.missing == '[grants] shell.open[] = http:'
    with pytest.raises(Denied) as caught:
        app.run('shell.open', url='file:///etc/passwd')
    assert caught.value.missing == ''  # no line would help


def test_reveal(app: Bench, desktop: Desktop) -> None:
    (app.data / 'x').write_bytes(b'')
    app.run('shell.reveal', path=f'{app.data}/./x')
    assert desktop.revealed == [f'{app.data}/x']
    with pytest.raises(CommandFailed, match='ENOENT'):
        app.run('shell.reveal', path=f'{app.data}/-no')
    (app.outside / 'x').write_bytes(b'')
    (app.data / 'out').symlink_to(app.outside)
    for path in (f'{app.outside}/x', f'{app.data}/out/x'):
        with pytest.raises(Denied):
            app.run('shell.reveal', path=path)
    assert len(desktop.revealed) == 1


OPEN_FOR_REAL = """
import sys
from socket_runtime.errors import CommandFailed
from socket_runtime.services import shell
try:
    (shell._open if sys.argv[1] == 'open' else shell._reveal)(sys.argv[2])
except CommandFailed as error:
    print(error.message)
    sys.exit(3)
"""


def for_real(tmp_path: Path, verb: str, what: str, mime: str = '') -> tuple[int, str]:
    """Run the system's own way in a process with no desktop but the test's; exit code and what was opened."""
    if find_spec('gi') is None:
        skip_loudly('PyGObject is missing', "pip install 'socket-runtime[gtk]'")
    folder = tmp_path / 'share' / 'applications'
    folder.mkdir(parents=True)
    opened = tmp_path / 'opened'
    handler = tmp_path / 'handler.sh'
    handler.write_text(f'#!/bin/sh\nprintf "%s|" "$#" "$@" > {opened}.new && mv {opened}.new {opened}\n')
    handler.chmod(0o755)
    entry = f'[Desktop Entry]\nType=Application\nName=Test\nExec={handler} %u\nMimeType={mime};\n'
    (folder / 'test.desktop').write_text(entry)
    (folder / 'mimeapps.list').write_text(f'[Default Applications]\n{mime}=test.desktop\n')
    environment = {
        'PATH': os.environ['PATH'],
        'HOME': str(tmp_path),
        'XDG_DATA_HOME': str(tmp_path / 'share'),
        'XDG_CONFIG_HOME': str(tmp_path / 'config'),
        'XDG_DATA_DIRS': str(tmp_path / 'none'),
        'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent',
        'PYTHONPATH': str(Path(__file__).resolve().parents[2] / 'src'),
    }
    result = subprocess.run(
        [sys.executable, '-c', OPEN_FOR_REAL, verb, what], env=environment, capture_output=True, text=True, timeout=15
    )
    assert result.returncode in (0, 3), result.stderr
    for _ in range(100):
        if opened.exists() or result.returncode:
            break
        subprocess.run(['sleep', '0.05'], check=True)
    return result.returncode, opened.read_text() if opened.exists() else result.stdout


@pytest.mark.skipif(sys.platform != 'linux', reason='other systems have no program that a test may register')
class TestLinux:
    """Through Gio, as the app does it."""

    def test_a_url_arrives_as_one_argument(self, tmp_path: Path) -> None:
        url = "https://example.org/a?b=c&d=%20;$x'(y)"
        assert for_real(tmp_path, 'open', url, 'x-scheme-handler/https') == (0, f'1|{url}|')

    def test_no_program_for_it(self, tmp_path: Path) -> None:
        code, text = for_real(tmp_path, 'open', 'tel:1', 'x-scheme-handler/https')
        assert code == 3 and 'no program' in text

    def test_revealing_without_a_file_manager_opens_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / 'a b').mkdir()
        code, text = for_real(tmp_path, 'reveal', str(tmp_path / 'a b' / 'x'), 'inode/directory')
        assert code == 0 and text.startswith('1|') and text.rstrip('|/').endswith('/a b')
