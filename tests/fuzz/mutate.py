"""Inputs for the fuzz targets without a fuzzer: seeds, mutated at random, the same in every run.

python -m tests.fuzz.mutate tests.fuzz.fuzz_packet 60
"""

from __future__ import annotations

import importlib
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MAX_BYTES = 4096
# Bytes that stand at borders: of numbers, of text, of URIs, policies and ini files.
BORDERS = b'\x00\x01\x7f\x80\xff\n\r\t "\'#%&*,/:;<=>?@[\\]^`{|}~'


def corpus(name: str) -> list[bytes]:
    """The kept inputs of a target (``fuzz_<name>.py``), those that broke it once among them."""
    return [path.read_bytes() for path in sorted((FOLDER / 'corpus' / name).glob('*')) if path.is_file()]


def mutate(data: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One to eight changes: bytes flipped, borders put in, pieces cut, doubled or taken from another seed."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(result) + 1)
        end = min(len(result), start + chance.randint(0, 32))
        kind = chance.randrange(6)
        if kind == 0 and start < len(result):
            result[start] ^= 1 << chance.randrange(8)
        elif kind == 1:
            result[start:start] = bytes(chance.choices(BORDERS, k=chance.randint(1, 4)))
        elif kind == 2:
            del result[start:end]
        elif kind == 3:
            result[start:start] = result[start:end]
        elif kind == 4:
            other = chance.choice(seeds)
            cut = chance.randrange(len(other) + 1)
            result[start:end] = other[cut : cut + 64]
        else:
            result[start:start] = chance.randbytes(chance.randint(1, 8))
    return bytes(result[:MAX_BYTES])


def inputs(seeds: Sequence[bytes], seed: int = 1) -> Iterator[bytes]:
    """The seeds as they are, then mutations of them without end."""
    seeds = [b'', *seeds]
    yield from seeds
    chance = random.Random(seed)
    while True:
        yield mutate(chance.choice(seeds), seeds, chance)


def run(one_input: Callable[[bytes], None], seeds: Sequence[bytes], seconds: float) -> int:
    """Feed the target for ``seconds``; returns the number of inputs. An exception says which input it was."""
    end = time.monotonic() + seconds
    count = 0
    for data in inputs(seeds):
        try:
            one_input(data)
        except BaseException as error:
            error.add_note(f'input: {data!r}')
            raise
        count += 1
        if count > len(seeds) and time.monotonic() >= end:
            break
    return count


def main(arguments: list[str]) -> int:
    module = importlib.import_module(arguments[0])
    name = arguments[0].rpartition('.fuzz_')[2]
    count = run(module.one_input, [*getattr(module, 'SEEDS', ()), *corpus(name)], float(arguments[1]))
    print(f'{name}: {count} inputs, nothing found')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
