"""What can go wrong between peers, in the two families of `socket_runtime.errors`.

``LocalError``, this app's own mistake:

=======================  ========================================================================
``SealingError``         what was to be sealed or signed cannot be: a value, a name, a key, a limit
``UnknownKeyError``      a key is not known (yet) that this would need
``CryptographyError``    the installed ``cryptography`` cannot do what was asked; says what to install
=======================  ========================================================================

``PeerError``, a ``RemoteError``: somebody else's doing. Owns a penalty, in points of the sender's score.

=======================  =======  ===============================================================
``NotOpened``               1     a message did not open: wrong key, place, age or signature, tampered, or seen
``NotReceived``             1     a datagram of a stream did not open: tampered, too old, or seen
``BadBody``                 1     a control packet or a fragment is malformed; its address may be forged
``BadHandshake``            5     a handshake is malformed, or not by whom it must be
``BadRecord``               10    a group's record is malformed, unsigned, or breaks the rules
=======================  =======  ===============================================================

``NotOpened`` never says why, neither in its text nor by its type (F21): who can see the difference between "no such
key" and "wrong signature" learns something about the plaintext.
"""

from __future__ import annotations

from typing import ClassVar

from socket_runtime.errors import IncompatibleError, LocalError, RemoteError

__all__ = [
    'BadBody',
    'BadHandshake',
    'BadRecord',
    'CryptographyError',
    'NotOpened',
    'NotReceived',
    'PeerError',
    'SealingError',
    'UnknownKeyError',
]


class SealingError(LocalError):
    """What was to be sealed or signed cannot be."""


class UnknownKeyError(SealingError):
    """A key is needed that is not known."""


class CryptographyError(IncompatibleError):
    """The installed ``cryptography`` lacks a part."""


class PeerError(RemoteError):
    """A peer sent what it should not have."""

    status = 400
    name = 'DataError'
    penalty: ClassVar[int] = 1


class NotOpened(PeerError):
    """A sealed message did not open, for whatever reason."""

    def __init__(self) -> None:
        super().__init__('the message could not be opened')


class NotReceived(PeerError):
    """A datagram of a direct stream did not open, for whatever reason."""

    def __init__(self) -> None:
        super().__init__('the datagram could not be opened')


class BadBody(PeerError):
    """A control packet or a fragment is none.

    Args:
        reason: one of a few fixed words, never text of the sender's (F28).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f'the packet was refused: {reason}')
        self.reason = reason


class BadHandshake(PeerError):
    """A handshake is malformed, or by somebody else, for whatever reason."""

    penalty = 5

    def __init__(self) -> None:
        super().__init__('the handshake was refused')


class BadRecord(PeerError):
    """A record is not one.

    Args:
        reason: one of a few fixed words, never text of the sender's (F28).
    """

    penalty = 10

    def __init__(self, reason: str) -> None:
        super().__init__(f'the record was refused: {reason}')
        self.reason = reason
