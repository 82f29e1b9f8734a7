"""Where random bytes come from: the system, and nowhere else, except in a simulator.

Everything here that needs chance takes an `Entropy` as an argument. Its default is the operating system's, which has no
state in this process: nothing to share after a fork, nothing to seed (F30). The simulator's is another type; the driver
of a real peer calls `require_system`, so a simulator's generator cannot slip into production by a default or a mistake.

HPKE draws its one-time keys inside ``cryptography``, from the system, always: sealed messages are never reproducible.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from typing import Final, final

from socket_runtime.p2p.errors import SealingError

__all__ = ['SYSTEM', 'Entropy', 'SeededEntropy', 'SystemEntropy', 'require_entropy', 'require_system']


class Entropy(ABC):
    """A source of random bytes."""

    __slots__ = ()

    @abstractmethod
    def draw(self, count: int) -> bytes:
        """``count`` fresh bytes."""


@final
class SystemEntropy(Entropy):
    """The operating system's generator."""

    __slots__ = ()

    def draw(self, count: int) -> bytes:
        """``count`` bytes of ``os.urandom``."""
        return os.urandom(count)


@final
class SeededEntropy(Entropy):
    """The same bytes for the same seed: for simulators and vectors, never for a real peer.

    Args:
        seed: any bytes. The stream is SHA-256(seed, counter) with the counter in 8 bytes.
    """

    __slots__ = ('_counter', '_left', '_seed')

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = 0
        self._left = b''

    def draw(self, count: int) -> bytes:
        """The next ``count`` bytes of the stream."""
        while len(self._left) < count:
            self._left += hashlib.sha256(self._seed + self._counter.to_bytes(8, 'big')).digest()
            self._counter += 1
        drawn, self._left = self._left[:count], self._left[count:]
        return drawn

    def __repr__(self) -> str:
        return 'SeededEntropy()'


SYSTEM: Final = SystemEntropy()
"""The one that production uses."""


def require_entropy(entropy: Entropy) -> Entropy:
    """The argument, if it is an `Entropy` at all and not, say, ``random.Random``.

    Raises:
        SealingError: it is something else.
    """
    if not isinstance(entropy, Entropy):
        raise SealingError('this is no source of random bytes', hint='Leave it out to use the system.')
    return entropy


def require_system(entropy: Entropy) -> SystemEntropy:
    """The argument, if it is the system's generator; called by whatever drives a real peer (F30).

    Raises:
        SealingError: it is another one.
    """
    if type(entropy) is not SystemEntropy:
        raise SealingError('a real peer takes its random bytes from the system only', hint='Pass entropy.SYSTEM.')
    return entropy
