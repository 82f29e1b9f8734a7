"""Bytes read as decisions, so that a fuzzer of bytes can try whole sequences of calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Value = TypeVar('Value')


class Tape:
    """Reads ``data`` from its beginning; past the end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def __bool__(self) -> bool:
        """Whether there is something left."""
        return self.at < len(self.data)

    def take(self, count: int) -> bytes:
        """The next bytes, fewer where there are no more."""
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def number(self, below: int) -> int:
        """0 to ``below - 1``; one byte where that is enough for it, otherwise two."""
        return int.from_bytes(self.take(1 if below <= 256 else 2), 'big') % below

    def choose(self, values: Sequence[Value]) -> Value:
        """One of them."""
        return values[self.number(len(values))]
