"""Runs a fuzz target for a while: by plain mutation of its corpus, or with atheris where that is installed.

A target is a module with

``fuzz_one(data: bytes) -> None``
    raises (``AssertionError``, or whatever should never come out) when its invariant is broken;
``CORPUS``
    inputs to begin with;
``DICTIONARY``
    byte strings that mean something to the parser;

and ends in ``if __name__ == '__main__': main(fuzz_one, CORPUS, DICTIONARY)``, so that
``python -m tests.fuzz.fuzz_uri --seconds 5`` runs it. ``--input FILE`` repeats one failure.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Target = Callable[[bytes], None]

MAX_INPUT = 4096  # bytes; what is wrong with long inputs is wrong with shorter ones too, and those run faster


def run(
    fuzz_one: Target,
    corpus: Sequence[bytes],
    dictionary: Sequence[bytes] = (),
    *,
    seconds: float,
    seed: int | None = None,
) -> int:
    """Try the corpus, then mutations of it for ``seconds``; returns the number of inputs tried.

    A failure is the target's own exception, with the input and the seed as notes.
    """
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    chance = random.Random(seed)
    pool = list(corpus) or [b'']
    end = time.monotonic() + seconds
    tried = 0
    while tried < len(pool) or time.monotonic() < end:
        data = pool[tried] if tried < len(corpus) else mutate(chance.choice(pool), pool, dictionary, chance)
        try:
            fuzz_one(data)
        except BaseException as error:
            error.add_note(f'input: {data!r}\nseed: {seed}, input number {tried}')
            raise
        tried += 1
    return tried


def mutate(data: bytes, pool: Sequence[bytes], dictionary: Sequence[bytes], chance: random.Random) -> bytes:
    """One to five random changes of ``data``."""
    mutated = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randint(0, len(mutated))
        end = min(len(mutated), at + chance.randint(1, 16))
        kind = chance.randrange(7)
        if kind == 0:
            mutated[at:at] = chance.randbytes(chance.randint(1, 4))
        elif kind == 1:
            del mutated[at:end]
        elif kind == 2 and at < len(mutated):
            mutated[at] ^= 1 << chance.randrange(8)
        elif kind == 3:
            other = chance.choice(pool)
            start = chance.randint(0, len(other))
            mutated[at:end] = other[start : start + chance.randint(1, 64)]
        elif kind == 4:
            mutated[at:at] = mutated[at:end] * chance.randint(1, 4)
        elif dictionary:
            mutated[at : chance.choice((at, end))] = chance.choice(dictionary)
    return bytes(mutated[:MAX_INPUT])


def main(fuzz_one: Target, corpus: Sequence[bytes], dictionary: Sequence[bytes] = ()) -> None:
    """The command line of a target."""
    parser = argparse.ArgumentParser(description=(sys.modules[fuzz_one.__module__].__doc__ or '').partition('\n')[0])
    parser.add_argument('--seconds', type=float, default=10.0, help='how long (default 10)')
    parser.add_argument('--seed', type=int, help='of the mutations, to repeat a run')
    parser.add_argument('--input', type=Path, help='try this one file only')
    parser.add_argument('--keep', type=Path, help='a folder for what atheris finds interesting, to go on from')
    parser.add_argument('--plain', action='store_true', help='plain mutation even where atheris is installed')
    options = parser.parse_args()
    if options.input is not None:
        fuzz_one(options.input.read_bytes())
        print('1 input, no failure')
    elif not options.plain and importlib.util.find_spec('atheris') is not None:
        _run_atheris(fuzz_one, corpus, dictionary, options.seconds, options.keep)
    else:
        tried = run(fuzz_one, corpus, dictionary, seconds=options.seconds, seed=options.seed)
        print(f'{tried} inputs, no failure')


def _run_atheris(
    fuzz_one: Target, corpus: Sequence[bytes], dictionary: Sequence[bytes], seconds: float, keep: Path | None
) -> None:
    """Coverage-guided; ends the process, with status 0 when nothing was found."""
    import tempfile

    import atheris

    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder, 'corpus')
        seeds.mkdir()
        for number, data in enumerate(corpus):
            Path(seeds, f'{number:04}').write_bytes(data)
        words = Path(folder, 'words')
        words.write_text(''.join(f'"{_escaped(word)}"\n' for word in dictionary if word))
        _instrument(atheris)
        folders = [str(seeds)]
        if keep is not None:
            # What is new goes into the first one.
            keep.mkdir(parents=True, exist_ok=True)
            folders.insert(0, str(keep))
        limits = [f'-max_total_time={max(1, round(seconds))}', f'-max_len={MAX_INPUT}', f'-dict={words}']
        atheris.Setup([sys.argv[0], *limits, f'-artifact_prefix={Path.cwd()}/', *folders], fuzz_one)
        atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return ''.join(f'\\x{byte:02x}' for byte in word)


def _instrument(atheris: object) -> None:
    """Give the modules under test coverage, although they are imported already."""
    from types import FunctionType, ModuleType

    for name, module in list(sys.modules.items()):
        if not name.startswith('socket_runtime.') or not isinstance(module, ModuleType):
            continue
        for value in vars(module).values():
            if isinstance(value, FunctionType) and value.__module__ == name:
                atheris.instrument_func(value)  # type: ignore[attr-defined]
