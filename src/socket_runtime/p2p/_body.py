"""What all bodies of control packets have in common: their head, their signature, and how they are read.

The bodies themselves are in `bodies` and `sync`; the essay is in `bodies`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final, Self

from socket_core import ADDRESS_BYTES, ID_BYTES, MESSAGE_MAX_BYTES, NO_ID, Address, AddressError, encode
from socket_runtime.p2p.errors import BadBody, SealingError
from socket_runtime.p2p.keys import SIGNATURE_BYTES, Identity
from socket_runtime.p2p.seal import TIME_MAX_MS

__all__ = ['FIELDS_MAX_BYTES', 'HEAD_BYTES', 'PURPOSE', 'Body', 'Reader', 'address_bytes', 'is_id', 'require']

PURPOSE: Final = b'control'
"""What control packets are signed for."""
HEAD_BYTES: Final = 8 + 2 * ID_BYTES
"""Time, sender and requestId: 72 bytes."""
FIELDS_MAX_BYTES: Final = MESSAGE_MAX_BYTES - HEAD_BYTES - SIGNATURE_BYTES
"""Room between the head and the signature: 888 bytes."""

_NO_ADDRESS: Final = bytes(ADDRESS_BYTES)


def require(condition: bool, what: str) -> None:
    """Said of what the caller has made.

    Raises:
        SealingError: it does not hold.
    """
    if not condition:
        raise SealingError(what)


def is_id(value: object) -> bool:
    """Whether this can be an id at all: 32 bytes, and not zeros."""
    return type(value) is bytes and len(value) == ID_BYTES and value != NO_ID


def address_bytes(address: Address | None) -> bytes:
    """19 bytes, zeros for one that is not known."""
    return _NO_ADDRESS if address is None else address.to_bytes()


class Body(ABC):
    """The fields of one type of control packet. Immutable; equal by what it says."""

    __slots__ = ()

    TYPE: ClassVar[int]
    request_id: bytes

    def encode(self, identity: Identity, *, cluster: bytes, now_ms: int, to: bytes = NO_ID, clock: int = 0) -> bytes:
        """The whole datagram, signed.

        Args:
            identity: the sender.
            cluster: the cluster that this is about.
            now_ms: the time that it bears, ms since 1970.
            to: the recipient's id; only a Ping may leave it out, to somebody whose id is not known yet.
            clock: the sender's Lamport clock.

        Raises:
            SealingError: an argument is out of its range, or the body is too long for a packet.
        """
        require(0 < now_ms <= TIME_MAX_MS, 'times are ms since 1970')
        require(to != NO_ID or self._may_be_to_nobody(), 'only a Ping may be to nobody in particular')
        fields = self._write()
        require(len(fields) <= FIELDS_MAX_BYTES, f'the fields of a body are at most {FIELDS_MAX_BYTES} bytes')
        head = now_ms.to_bytes(8, 'big') + identity.id + self.request_id
        try:
            signed = encode(self.TYPE, cluster=cluster, to=to, clock=clock, message=head + fields)
        except (TypeError, ValueError) as error:
            raise SealingError(f'the packet cannot be sent: {error}') from None
        return signed + identity.sign(PURPOSE, signed)

    @classmethod
    def _may_be_to_nobody(cls) -> bool:
        return False

    @abstractmethod
    def _write(self) -> bytes:
        """The fields between the head and the signature."""

    @classmethod
    @abstractmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        """The body of such fields; the reader's caller checks that nothing is left.

        Raises:
            BadBody: they are none.
        """


class Reader:
    """Bytes of a stranger, taken one after the other. Every method raises ``BadBody`` where they end too early."""

    __slots__ = ('_at', '_data')

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """So many bytes."""
        end = self._at + count
        if end > len(self._data):
            raise BadBody('short')
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def number(self, size: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(self.take(size), 'big')

    def flags(self, known: int) -> int:
        """A byte of flags, none of which is unknown."""
        flags = self.number(1)
        if flags & ~known:
            raise BadBody('flags')
        return flags

    def id(self) -> bytes:
        """An id that is not zeros."""
        taken = self.take(ID_BYTES)
        if taken == NO_ID:
            raise BadBody('id')
        return taken

    def ids(self, count: int) -> tuple[bytes, ...]:
        """So many ids."""
        return tuple(self.id() for _ in range(count))

    def address(self) -> Address | None:
        """An address that a packet can be sent to, or ``None`` for zeros."""
        taken = self.take(ADDRESS_BYTES)
        if taken == _NO_ADDRESS:
            return None
        try:
            address = Address.from_bytes(taken)
        except AddressError:
            raise BadBody('address') from None
        if not is_endpoint(address):
            raise BadBody('address')
        return address

    def known_address(self) -> Address:
        """An address that is there."""
        address = self.address()
        if address is None:
            raise BadBody('address')
        return address

    def zeros(self, count: int) -> None:
        """Bytes that say nothing."""
        if any(self.take(count)):
            raise BadBody('padding')

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._data):
            raise BadBody('long')


def is_endpoint(address: Address) -> bool:
    """Whether this names one host and one port; anything else is never told (F4)."""
    return not (address.port == 0 or address.is_unspecified or address.is_multicast or address.is_broadcast)
