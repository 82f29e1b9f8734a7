"""The room as a whole: its names, what it costs to import, and its errors."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from socket_runtime import p2p
from socket_runtime.errors import IncompatibleError, LocalError, RemoteError
from socket_runtime.p2p import errors

SOURCE = Path(__file__).resolve().parent.parent.parent / 'src'
MODULES = sorted(path.stem for path in (SOURCE / 'socket_runtime' / 'p2p').glob('*.py') if path.stem != '__init__')
# What an app without peers must not pay for.
HEAVY = ('cryptography', 'hashlib', 'hmac', 'unicodedata', 'socket_core', 'base64', 'heapq')


def imported_by(code: str) -> set[str]:
    script = f'import sys; before = set(sys.modules); {code}; print(*sorted(set(sys.modules) - before))'
    environment = {**os.environ, 'PYTHONPATH': str(SOURCE)}
    result = subprocess.run([sys.executable, '-c', script], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize(
    'code', ['import socket_runtime', 'import socket_runtime.p2p', 'import socket_runtime.p2p.errors']
)
def test_who_has_no_peers_pays_nothing(code: str) -> None:
    loaded = imported_by(code)
    assert sorted(name for name in loaded if name.partition('.')[0] in HEAVY) == []


def test_who_has_peers_gets_no_driver_with_it() -> None:
    """Keys and messages need neither a loop nor a network."""
    loaded = imported_by('from socket_runtime.p2p import Sealer, Initiator, GroupDirectory')
    assert 'cryptography' in loaded
    assert not loaded & {'asyncio', 'ssl', 'socket', 'http', 'subprocess', 'msgspec', 'cbor2'}


@pytest.mark.parametrize('name', p2p.__all__)
def test_every_name_can_be_had_and_is_explained(name: str) -> None:
    value = getattr(p2p, name)
    home = importlib.import_module(f'socket_runtime.p2p.{p2p._HOMES[name]}')
    assert getattr(home, name) is value
    assert name in home.__all__
    assert name in dir(p2p)
    if inspect.isclass(value) or inspect.isroutine(value):
        assert inspect.getdoc(value)


def test_other_names_are_not_there() -> None:
    assert sorted(p2p._HOMES) == sorted(p2p.__all__)
    with pytest.raises(AttributeError, match='nothing'):
        p2p.nothing  # noqa: B018


@pytest.mark.parametrize('module', MODULES)
def test_public_members_of_every_module_are_explained(module: str) -> None:
    found = importlib.import_module(f'socket_runtime.p2p.{module}')
    assert found.__doc__
    for name in found.__all__:
        value = getattr(found, name)
        if not inspect.isclass(value):
            assert not inspect.isroutine(value) or inspect.getdoc(value), name
            continue
        assert inspect.getdoc(value), name
        for member, what in vars(value).items():
            if not member.startswith('_') and (inspect.isroutine(what) or isinstance(what, property | classmethod)):
                assert inspect.getdoc(what), f'{name}.{member}'


def test_without_cryptography_it_is_said_what_to_install() -> None:
    code = (
        'sys.modules["cryptography"] = None\n'
        'from socket_runtime.errors import LocalError\n'
        'import socket_runtime.p2p as p2p\n'
        'try: p2p.Sealer\n'
        'except LocalError as error: assert "socket-runtime[p2p]" in str(error), error\n'
        'else: raise SystemExit("no error")\n'
    )
    imported_by(f'exec({code!r})')


def test_an_old_cryptography_is_named() -> None:
    code = (
        'sys.modules["cryptography.hazmat.primitives.hpke"] = None\n'
        'from socket_runtime.errors import LocalError\n'
        'import socket_runtime.p2p as p2p\n'
        'try: p2p.Sealer\n'
        'except LocalError as error: assert "cryptography>=47" in str(error), error\n'
        'else: raise SystemExit("no error")\n'
    )
    imported_by(f'exec({code!r})')


def test_errors_are_of_one_family_each() -> None:
    found = {name: getattr(errors, name) for name in errors.__all__}
    for name, kind in found.items():
        assert issubclass(kind, LocalError) is not issubclass(kind, RemoteError), name
    assert issubclass(errors.CryptographyError, IncompatibleError)
    assert (errors.BadRecord.penalty, errors.BadHandshake.penalty, errors.NotOpened.penalty) == (10, 5, 1)
    for kind in (errors.NotOpened, errors.NotReceived, errors.BadHandshake):
        assert kind().to_err()['message'] == str(kind())
        assert kind().status == 400
