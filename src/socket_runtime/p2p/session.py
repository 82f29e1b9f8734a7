"""A direct stream: datagrams between two peers that have shaken hands, for a few microseconds each.

::

    datagram   3 | receiver's index 4 | counter 8 | ciphertext and tag

They travel as the message of a Stream packet, which is neither cached nor relayed. Each direction has a key of its own,
and each datagram a counter that is its nonce (4 zero bytes, then the counter in 8, least first, as in Noise). The head
is authenticated with it. A datagram may be lost, come late within the `WINDOW`, and never twice (F7).

Keys move on by themselves: every 2**20 datagrams the key of a direction is replaced by HKDF of itself, and the old one
is kept only for datagrams that come late. The counter says which key it is, so nothing is negotiated. A new exchange of
one-time keys is a new handshake: the driver makes one when `Session.wants_renewal`, and drops a stream that `is_over`.

A stream holds no buffer and no timer; there is nothing to flood but the two counters in it.
"""

from __future__ import annotations

import struct
from typing import Final, Never

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from socket_core import MESSAGE_MAX_BYTES
from socket_runtime.p2p.errors import NotReceived, SealingError
from socket_runtime.p2p.keys import PublicIdentity, derive
from socket_runtime.p2p.replay import ReplayWindow

__all__ = [
    'DATA',
    'DATAGRAM_MAX_BYTES',
    'FIRST',
    'INDEX_BYTES',
    'OVERHEAD',
    'SECOND',
    'Session',
    'receiver_index',
]

FIRST: Final = 1
SECOND: Final = 2
DATA: Final = 3
"""What the first byte of a Stream packet's message says."""

INDEX_BYTES: Final = 4
_HEAD_BYTES: Final = 1 + INDEX_BYTES + 8
_TAG_BYTES: Final = 16
OVERHEAD: Final = _HEAD_BYTES + _TAG_BYTES
"""Bytes that a datagram has beyond its data: 29."""
DATAGRAM_MAX_BYTES: Final = MESSAGE_MAX_BYTES - OVERHEAD
"""Data of one datagram: 995 bytes."""

GENERATION_BITS: Final = 20
"""A key is good for 2**20 datagrams: 1 GB, far below what ChaCha20-Poly1305 allows (2**36 for this integrity)."""
GENERATIONS_AHEAD: Final = 4
"""How many keys a datagram may be ahead: a few derivations at most for a forged counter (F7)."""
COUNTER_MAX: Final = 1 << 60
RENEW_AFTER_MS: Final = 15 * 60 * 1000
END_AFTER_MS: Final = 60 * 60 * 1000

_HEAD: Final = struct.Struct('>BIQ')
_NONCE: Final = struct.Struct('<4xQ')
_Cipher = ChaCha20Poly1305


class _Direction:
    """The keys of one direction: the one of the moment, and the one before."""

    __slots__ = ('_key', 'cipher', 'generation', 'previous')

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.generation = 0
        self.cipher = _Cipher(key)
        self.previous: _Cipher | None = None

    def ahead(self, steps: int) -> bytes:
        """The key so many generations later."""
        key = self._key
        for _ in range(steps):
            key = derive(key, b'stream rekey')
        return key

    def move(self, steps: int) -> None:
        """Go on by so many generations; older keys than the previous one are gone."""
        self.previous = self.cipher if steps == 1 else _Cipher(self.ahead(steps - 1))
        self._key = self.ahead(steps)
        self.cipher = _Cipher(self._key)
        self.generation += steps

    def __repr__(self) -> str:
        return f'_Direction(generation={self.generation})'


class Session:
    """One direct stream. Made by `handshake`.

    Attributes:
        peer: the other side.
        index: our number for it; datagrams to us bear it.
        confirmed: whether the other side has shown that it has the keys. The responder's is false until the first
            datagram opened; nothing is sent until then, and nothing said by such a stream changes anything.
        started: ms since 1970, our time.
    """

    __slots__ = (
        '_counter',
        '_receiving',
        '_sending',
        '_their_index',
        '_window',
        'confirmed',
        'index',
        'peer',
        'started',
    )

    def __init__(
        self,
        peer: PublicIdentity,
        index: int,
        their_index: int,
        send_key: bytes,
        receive_key: bytes,
        now_ms: int,
        *,
        confirmed: bool,
    ) -> None:
        self.peer = peer
        self.index = index
        self.confirmed = confirmed
        self.started = now_ms
        self._their_index = their_index
        self._sending = _Direction(send_key)
        self._receiving = _Direction(receive_key)
        self._window = ReplayWindow()
        self._counter = 0

    def seal(self, data: bytes) -> bytes:
        """The datagram for some data, of 0 to `DATAGRAM_MAX_BYTES`. Empty data confirms, and keeps a mapping alive.

        Raises:
            SealingError: too much data, or the stream is not confirmed, or used up.
        """
        counter = self._counter
        sending = self._sending
        if len(data) > DATAGRAM_MAX_BYTES or not self.confirmed or counter >= COUNTER_MAX:
            raise SealingError(
                'the stream cannot send this',
                hint=f'At most {DATAGRAM_MAX_BYTES} bytes, and only after the other side was heard.',
            )
        if counter >> GENERATION_BITS != sending.generation:
            sending.move(1)
        self._counter = counter + 1
        head = _HEAD.pack(DATA, self._their_index, counter)
        return head + sending.cipher.encrypt(_NONCE.pack(counter), data, head)

    def open(self, datagram: bytes) -> bytes:
        """The data of a datagram that is the other side's, whole and new.

        Raises:
            NotReceived: for any reason whatever. The stream goes on.
        """
        if len(datagram) < OVERHEAD:
            raise NotReceived
        head = datagram[:_HEAD_BYTES]
        kind, index, counter = _HEAD.unpack(head)
        receiving = self._receiving
        if kind != DATA or index != self.index or counter >= COUNTER_MAX or not self._window.is_new(counter):
            raise NotReceived
        steps = (counter >> GENERATION_BITS) - receiving.generation
        try:
            if steps == 0:
                data = receiving.cipher.decrypt(_NONCE.pack(counter), datagram[_HEAD_BYTES:], head)
            else:
                data = self._open_of_other_generation(steps, counter, datagram[_HEAD_BYTES:], head)
        except InvalidTag:
            raise NotReceived from None
        self._window.mark(counter)
        self.confirmed = True
        return data

    def wants_renewal(self, now_ms: int) -> bool:
        """Whether it is time for a new handshake: after 15 minutes. The initiator makes it."""
        return now_ms - self.started >= RENEW_AFTER_MS

    def is_over(self, now_ms: int) -> bool:
        """Whether the stream must not be used any longer: after an hour."""
        return now_ms - self.started >= END_AFTER_MS

    def _open_of_other_generation(self, steps: int, counter: int, sealed: bytes, head: bytes) -> bytes:
        receiving = self._receiving
        if steps == -1 and receiving.previous is not None:
            return receiving.previous.decrypt(_NONCE.pack(counter), sealed, head)
        if not 0 < steps <= GENERATIONS_AHEAD:
            raise InvalidTag
        # The stream moves on only when the datagram has opened: a forged counter moves nothing.
        data = _Cipher(receiving.ahead(steps)).decrypt(_NONCE.pack(counter), sealed, head)
        receiving.move(steps)
        return data

    def __repr__(self) -> str:
        return f'Session({self.peer!r}, index={self.index:08x}, confirmed={self.confirmed})'

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError('a stream is neither pickled nor copied')


def receiver_index(message: bytes) -> int | None:
    """Which of our streams or attempts a Stream packet's message is for; ``None`` for a first message or junk."""
    if len(message) < 1 + 2 * INDEX_BYTES:
        return None
    if message[0] == DATA:
        return int.from_bytes(message[1 : 1 + INDEX_BYTES], 'big')
    if message[0] == SECOND:
        return int.from_bytes(message[1 + INDEX_BYTES : 1 + 2 * INDEX_BYTES], 'big')
    return None
