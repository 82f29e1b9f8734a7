"""The formats of bodies and fragments are fixed: what was written once is read for ever, and written alike."""

from __future__ import annotations

import pytest

from socket_core import parse
from socket_runtime.p2p.fragments import Reassembly
from tests.p2p.bodies import EVERY, read
from tests.p2p.make_body_vectors import FOLDER, MESSAGE, fixed


def kept(name: str) -> bytes:
    return (FOLDER / f'{name}.bin').read_bytes()


def test_all_of_them_are_there() -> None:
    assert sorted(path.stem for path in FOLDER.glob('*.bin')) == sorted(fixed())


@pytest.mark.parametrize('name', sorted(fixed()))
def test_they_are_made_alike(name: str) -> None:
    assert fixed()[name] == kept(name)


@pytest.mark.parametrize('name', sorted(EVERY))
def test_they_are_read(name: str) -> None:
    control = read(kept(name))
    assert control.verify()
    assert control.body == EVERY[name]


def test_the_message_is_whole() -> None:
    into = Reassembly()
    found = [each for number in (1, 2, 0) for each in into.add(parse(kept(f'fragment-{number}')), 'one', 0)]
    assert [(each.id, each.message) for each in found] == [(kept('fragments-id'), MESSAGE)]
