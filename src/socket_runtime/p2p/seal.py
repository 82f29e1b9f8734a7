"""Messages: sealed before they are split, handed to the app only when opened and verified.

::

    sealed     scheme (1 byte) | what the scheme made of the plaintext
    plaintext  CBOR map { 1: event, 2: value, 3: time, 4: expiry or null, 5: sender, 6: signature }
    signature  Ed25519 over "socket-runtime/p2p/1/message" 00 | cluster | to | previousId | the map of 1 to 5

The signature is inside, so the network does not see who wrote; and it covers the recipient, the cluster and the causal
parent, so that a recipient cannot pass a message on as if it were written to somebody else or elsewhere (F21). The same
three and the scheme's number are bound to the ciphertext, so a relay cannot move it either (F8).

A message to nobody in particular is sealed under the cluster's key::

    1 | key id (8) | salt (24) | ciphertext and tag

with a one-time key, HKDF-SHA256(salt, cluster key), and a nonce of zeros: random nonces of 12 bytes, drawn by many
members under one key, would meet one day; salts of 24 bytes do not.

Times are ms since 1970 on the writers' own clocks. Whoever opens passes its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag

from socket_core import NO_ID
from socket_runtime.p2p import _cbor
from socket_runtime.p2p._text import is_plain
from socket_runtime.p2p.cluster import KEY_ID_BYTES, ClusterKeys
from socket_runtime.p2p.entropy import SYSTEM, Entropy, require_entropy
from socket_runtime.p2p.errors import NotOpened, SealingError
from socket_runtime.p2p.keys import ID_BYTES, SIGNATURE_BYTES, Identity, PublicIdentity, label, public_identity
from socket_runtime.p2p.replay import SeenMessages
from socket_runtime.p2p.schemes import CLUSTER_SCHEME, HPKE, Scheme

__all__ = [
    'AHEAD_MAX_MS',
    'EVENT_MAX_BYTES',
    'SEALED_MAX_BYTES',
    'TIME_MAX_MS',
    'Opened',
    'Sealer',
    'key_id_of',
    'overhead',
]

EVENT_MAX_BYTES: Final = 128
SEALED_MAX_BYTES: Final = 16 << 20
"""A message of 10 MB arrives whole; nothing greater is opened or made (F15)."""
AHEAD_MAX_MS: Final = 24 * 3600 * 1000
"""How far a sender's clock may be ahead: as far as one that is set to another zone (F7)."""
TIME_MAX_MS: Final = 2**53 - 1
"""The greatest time: what JavaScript counts exactly."""

_SALT_BYTES: Final = 24
_NONCE: Final = bytes(12)
_TAG_BYTES: Final = 16
_SIGNED_FIELDS: Final = frozenset({1, 2, 3, 4, 5})
_SENDER_MARK: Final = b'\x05\x58\x20'  # key 5, 32 bytes
_SIGNATURE_MARK: Final = b'\x06\x58\x40'  # key 6, 64 bytes
_SIGNATURE_AT: Final = -SIGNATURE_BYTES
_SIGNED_END: Final = _SIGNATURE_AT - len(_SIGNATURE_MARK)
_SENDER_AT: Final = _SIGNED_END - ID_BYTES
_BINDING: Final = label(b'seal')


@dataclass(frozen=True, slots=True)
class Opened:
    """A message that opened and whose signature is right. Its repr tells nothing of the content.

    Attributes:
        event: the name, as ``peer.on`` knows it.
        value: JSON's values, or bytes.
        time: when it was written, ms since 1970, by the sender's clock.
        expiry: when it ends, or ``None``.
        sender: who signed it.
        to: the recipient's id, or zeros.
        id: 32 bytes over all that was signed: the same however often the message was sealed or wrapped.
        scheme: the number of the scheme that it was sealed with.
    """

    event: str = field(repr=False)
    value: Any = field(repr=False)
    time: int
    expiry: int | None
    sender: PublicIdentity
    to: bytes = field(repr=False)
    id: bytes = field(repr=False)
    scheme: int


class Sealer:
    """One peer's sealing and opening in one cluster.

    Args:
        identity: who signs, and for whom is opened; further identities (groups) by `add`.
        keys: the cluster's keys.
        schemes: how may be sealed to an identity, and what is opened; the first is the one that is used.
        seen: the messages that were opened before, from the last run.

    Raises:
        SealingError: two schemes of one number, or a number that is taken.
    """

    def __init__(
        self,
        identity: Identity,
        keys: ClusterKeys,
        schemes: Iterable[Scheme] = (HPKE,),
        seen: SeenMessages | None = None,
        *,
        entropy: Entropy = SYSTEM,
    ) -> None:
        self.identity = identity
        self.keys = keys
        self.seen = SeenMessages() if seen is None else seen
        self._entropy = require_entropy(entropy)
        self._identities = {identity.id: identity}
        self._schemes: dict[int, Scheme] = {}
        for scheme in schemes:
            number = scheme.number
            if number in self._schemes or not CLUSTER_SCHEME < number < 256:
                raise SealingError(f'the scheme number {number} is taken or out of range')
            self._schemes[number] = scheme
        self._first = next(iter(self._schemes.values()), None)

    def add(self, identity: Identity) -> None:
        """Open for this identity too: a group whose key pair this device was given."""
        self._identities[identity.id] = identity

    def remove(self, identity_id: bytes) -> None:
        """Open for this identity no longer.

        Raises:
            SealingError: it is the peer's own.
        """
        if identity_id == self.identity.id:
            raise SealingError('a peer cannot give up its own identity')
        self._identities.pop(identity_id, None)

    def opens_for(self, to: bytes) -> bool:
        """Whether a packet with this ``to`` is for us: zeros, or one of our identities."""
        return to == NO_ID or to in self._identities

    def seal(
        self,
        event: str,
        value: Any = None,
        *,
        now_ms: int,
        to: PublicIdentity | None = None,
        expiry_ms: int | None = None,
        previous_id: bytes = NO_ID,
        scheme: int | None = None,
    ) -> bytes:
        """A message, ready to be split into packets with just this ``to`` and ``previousId``.

        Args:
            event: its name, 1 to 128 bytes of UTF-8 without control characters.
            value: ``None``, ``bool``, ``int``, ``float``, ``str``, ``bytes``, lists, and dicts with text keys.
            now_ms: the time that it bears.
            to: the device or group, or ``None`` for everybody in the cluster.
            expiry_ms: from when on nobody opens it.
            previous_id: id of the packet that it follows.
            scheme: number of the scheme to seal with, if not the first.

        Raises:
            SealingError: an argument is wrong, or the message would be greater than `SEALED_MAX_BYTES`.
            UnknownKeyError: the cluster's or the recipient's key is not known.
        """
        if len(previous_id) != ID_BYTES:
            raise SealingError('previousId is 32 bytes')
        route = self.keys.cluster.id + (NO_ID if to is None else to.id) + previous_id
        signed = _signed_fields(event, value, now_ms, expiry_ms, self.identity.id)
        signature = self.identity.sign(b'message', route + signed)
        plaintext = b'\xa6' + signed[1:] + _SIGNATURE_MARK + signature
        if to is None:
            sealed = self._seal_to_cluster(plaintext, route, now_ms)
        else:
            by = self._first if scheme is None else self._schemes.get(scheme)
            if by is None:
                raise SealingError('there is no such scheme')
            number = bytes((by.number,))
            sealed = number + by.seal(plaintext, to, _BINDING + number + route)
        if len(sealed) > SEALED_MAX_BYTES:
            raise SealingError(f'a message is at most {SEALED_MAX_BYTES} bytes')
        return sealed

    def open(
        self, sealed: bytes, *, now_ms: int, to: bytes, previous_id: bytes, cluster: bytes | None = None
    ) -> Opened:
        """The message, if it is for one of our identities, whole, in its place, in its time, and new.

        Args:
            sealed: the joined fragments.
            now_ms: this device's time.
            to, previous_id, cluster: the packets' fields; ``cluster`` is our own if left out.

        Raises:
            NotOpened: for any reason whatever.
        """
        opened = self._open(sealed, now_ms, to, previous_id, self.keys.cluster.id if cluster is None else cluster)
        if opened is None:
            raise NotOpened
        return opened

    # What follows returns ``None`` for every failure, so that no traceback has a frame with a plaintext in it.

    def _open(self, sealed: bytes, now_ms: int, to: bytes, previous_id: bytes, cluster: bytes) -> Opened | None:
        if not sealed or len(sealed) > SEALED_MAX_BYTES or cluster != self.keys.cluster.id:
            return None
        if len(to) != ID_BYTES or len(previous_id) != ID_BYTES:
            return None
        route = cluster + to + previous_id
        since = 0
        if to == NO_ID:
            found = self._open_of_cluster(sealed, route, now_ms)
            if found is None:
                return None
            plaintext, since = found
        else:
            identity, scheme = self._identities.get(to), self._schemes.get(sealed[0])
            if identity is None or scheme is None:
                return None
            inner = scheme.open(sealed[1:], identity, _BINDING + sealed[:1] + route)
            if inner is None:
                return None
            plaintext = inner
        opened = _verified(plaintext, route, sealed[0])
        if opened is None or not since <= opened.time <= now_ms + AHEAD_MAX_MS:
            return None
        if opened.expiry is not None and opened.expiry <= now_ms:
            return None
        return opened if self.seen.is_first(opened.sender.id, opened.id, opened.time) else None

    def _seal_to_cluster(self, plaintext: bytes, route: bytes, now_ms: int) -> bytes:
        key = self.keys.current(now_ms)
        salt = self._entropy.draw(_SALT_BYTES)
        head = bytes((CLUSTER_SCHEME,)) + key.id + salt
        return head + key.one_time(salt).encrypt(_NONCE, plaintext, _BINDING + head + route)

    def _open_of_cluster(self, sealed: bytes, route: bytes, now_ms: int) -> tuple[bytes, int] | None:
        key_id = key_id_of(sealed)
        key = None if key_id is None else self.keys.find(key_id, now_ms)
        if key is None:
            return None
        end = 1 + KEY_ID_BYTES + _SALT_BYTES
        head = sealed[:end]
        try:
            plaintext = key.one_time(head[1 + KEY_ID_BYTES :]).decrypt(_NONCE, sealed[end:], _BINDING + head + route)
        except InvalidTag:
            return None
        return plaintext, key.since


def key_id_of(sealed: bytes) -> bytes | None:
    """Which of the cluster's keys a message to nobody in particular needs, or ``None`` for all others.

    A peer that does not have it can ask its members for the next key. Anybody can write anything here.
    """
    if len(sealed) < 1 + KEY_ID_BYTES + _SALT_BYTES + _TAG_BYTES or sealed[0] != CLUSTER_SCHEME:
        return None
    return sealed[1 : 1 + KEY_ID_BYTES]


def overhead(event: str, *, scheme: Scheme | None = None, expires: bool = False) -> int:
    """How many bytes a sealed message has beyond its value's own encoding.

    Args:
        event: the name.
        scheme: what it is sealed with; ``None`` for the cluster's key.
        expires: whether it has an expiry.
    """
    fields = _signed_fields(event, None, 1 << 40, 1 << 41 if expires else None, NO_ID)
    sealing = KEY_ID_BYTES + _SALT_BYTES + _TAG_BYTES if scheme is None else scheme.overhead
    return 1 + sealing + len(fields) - 1 + len(_SIGNATURE_MARK) + SIGNATURE_BYTES


def _signed_fields(event: str, value: Any, time: int, expiry: int | None, sender: bytes) -> bytes:
    if not is_plain(event, EVENT_MAX_BYTES):
        raise SealingError(f'an event is 1 to {EVENT_MAX_BYTES} bytes of text without control characters')
    if not 0 <= time <= TIME_MAX_MS or (expiry is not None and not time < expiry <= TIME_MAX_MS):
        raise SealingError('times are ms since 1970, and the expiry is after now')
    try:
        return _cbor.encode_fields({1: event, 2: value, 3: time, 4: expiry, 5: sender})
    except (TypeError, ValueError) as error:
        raise SealingError(f'the value cannot be sent: {error}') from None


def _verified(plaintext: bytes, route: bytes, scheme: int) -> Opened | None:
    """The message in a plaintext, if its sender signed it. Nothing is parsed before."""
    marks = plaintext[_SENDER_AT - 3 : _SENDER_AT], plaintext[_SIGNED_END:_SIGNATURE_AT]
    if plaintext[:1] != b'\xa6' or marks != (_SENDER_MARK, _SIGNATURE_MARK):
        return None
    try:
        sender = public_identity(plaintext[_SENDER_AT:_SIGNED_END])
    except ValueError:
        return None
    signed = route + b'\xa5' + plaintext[1:_SIGNED_END]
    if not sender.verify(b'message', signed, plaintext[_SIGNATURE_AT:]):
        return None
    try:
        fields = _cbor.decode_fields(signed[len(route) :], _SIGNED_FIELDS)
    except ValueError:
        return None
    event, value, time, expiry = fields[1], fields[2], fields[3], fields[4]
    if fields[5] != sender.id:  # a longer field 5 that ends as the right one would
        return None
    if not is_plain(event, EVENT_MAX_BYTES) or type(time) is not int or not 0 <= time <= TIME_MAX_MS:
        return None
    if expiry is not None and (type(expiry) is not int or not time < expiry <= TIME_MAX_MS):
        return None
    message_id = hashlib.sha256(label(b'message id') + signed).digest()
    return Opened(event, value, time, expiry, sender, route[ID_BYTES : 2 * ID_BYTES], message_id, scheme)
