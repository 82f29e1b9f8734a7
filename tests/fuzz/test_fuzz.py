"""Each fuzz target for two seconds, and proof that the runner would notice a failure."""

from __future__ import annotations

import importlib
import random
from pathlib import Path

import pytest

from tests.fuzz import runner

FOLDER = Path(__file__).parent
TARGETS = sorted(path.stem for path in FOLDER.glob('fuzz_*.py'))
SECONDS = 2.0


@pytest.mark.parametrize('name', TARGETS)
def test_target(name: str) -> None:
    target = importlib.import_module(f'tests.fuzz.{name}')
    corpus = [*target.CORPUS, *kept(name)]
    assert runner.run(target.fuzz_one, corpus, target.DICTIONARY, seconds=SECONDS) > 3 * len(target.CORPUS)


def kept(name: str) -> list[bytes]:
    """Inputs that broke the target once."""
    folder = FOLDER / 'corpus' / name.removeprefix('fuzz_')
    return [path.read_bytes() for path in sorted(folder.glob('*')) if path.is_file()]


def test_a_failure_is_found_and_can_be_repeated() -> None:
    def fuzz_one(data: bytes) -> None:
        assert b'bug' not in data

    def attempt() -> tuple[str, ...]:
        with pytest.raises(AssertionError) as raised:
            runner.run(fuzz_one, [b'abcdef'], [b'bug'], seconds=SECONDS, seed=7)
        return tuple(raised.value.__notes__)

    notes = attempt()
    assert 'bug' in notes[0]
    assert 'seed: 7' in notes[0]
    assert attempt() == notes


def test_the_whole_corpus_is_tried() -> None:
    seen: list[bytes] = []
    assert runner.run(seen.append, [b'a', b'b'], seconds=0) == 2
    assert seen == [b'a', b'b']


def test_mutations_are_bounded() -> None:
    chance = random.Random(1)
    data = b'x' * runner.MAX_INPUT
    for _ in range(1000):
        data = runner.mutate(data, [data], [b'y' * 100], chance)
        assert len(data) <= runner.MAX_INPUT
