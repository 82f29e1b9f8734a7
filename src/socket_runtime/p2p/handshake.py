"""How two peers agree on the keys of a direct stream: two messages, one exchange of one-time keys.

It is the Noise pattern ``IKpsk0`` (Noise revision 34; 25519, ChaChaPoly, SHA256), with three additions of our own,
which is why its name is not Noise's:

* a peer's static key is sent and hashed as its id, the Ed25519 public key; exchanges use the X25519 key of that id;
* the clear head of each message is hashed before the message;
* each message ends in a *gate*: HMAC-SHA256 under a key that members of the cluster have, 16 bytes. Who is no member is
  turned away for two microseconds of work, before any curve is touched (as WireGuard's mac1).

The pre-shared key and the gate's come from one of the cluster's keys, named in the first message: who was left out of a
rotation opens no stream once the older keys have ended. The prologue is the cluster's id.

::

    first    1 | sender's index 4 | cluster key id 8 | e 32 | id 32+16 | time 8+16 | gate 16     = 133 bytes
    second   2 | sender's index 4 | receiver's index 4 | e 32 | 0+16 | gate 16                   =  73 bytes

The second is shorter than the first, so an answer never amplifies. The time (ms since 1970) in the first must rise for
each initiator, so a recorded one is not answered twice; even if it were, who replays it cannot compute the keys. The
responder counts the initiator as present only when the first datagram of the stream has opened, and sends none before.

What it gives: both are sure of the other's id and of one transcript; nobody outside the cluster learns an id; what was
said stays secret when long-term keys are stolen later (the exchange of one-time keys enters the stream's keys). What it
does not: who steals the responder's key can read ids in recorded first messages if it has the cluster's key too.

`docs/identity.md` has every step with its bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections import OrderedDict
from collections.abc import Container
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from socket_runtime.p2p.cluster import KEY_ID_BYTES, ClusterKey, ClusterKeys
from socket_runtime.p2p.entropy import SYSTEM, Entropy, require_entropy
from socket_runtime.p2p.errors import BadHandshake, SealingError
from socket_runtime.p2p.keys import ID_BYTES, Identity, PublicIdentity, label, public_identity
from socket_runtime.p2p.session import FIRST, INDEX_BYTES, SECOND, Session

__all__ = ['FIRST_BYTES', 'INITIATORS_MAX', 'SECOND_BYTES', 'Initiator', 'Responder', 'goes_first']

FIRST_BYTES: Final = 133
SECOND_BYTES: Final = 73
INITIATORS_MAX: Final = 4096
"""Initiators whose last time is remembered, the latest (F7, F18)."""
FORGET_AFTER_MS: Final = 10 * 60 * 1000
"""After that long an initiator's clock may have gone back, and it is heard again."""

_NAME: Final = b'StreamRelay_IKpsk0_25519_ChaChaPoly_SHA256/1'
_FIRST_HEAD: Final = 1 + INDEX_BYTES + KEY_ID_BYTES
_SECOND_HEAD: Final = 1 + 2 * INDEX_BYTES
_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16
_GATE_BYTES: Final = 16
_TIME: Final = struct.Struct('>Q')
_NONCE: Final = bytes(12)


class _Symmetric:
    """Noise's symmetric state: the hash of all that was said, the chaining key, and the cipher key of the moment.

    A cipher key is used once here, so its nonce is always 0: each token that is encrypted has mixed a new key before.
    """

    __slots__ = ('_chain', '_hash', '_key')

    def __init__(self, cluster: bytes, responder: bytes) -> None:
        self._hash = self._chain = hashlib.sha256(_NAME).digest()
        self._key = b''
        self.mix_hash(label(b'stream') + cluster)
        self.mix_hash(responder)

    def copy(self) -> _Symmetric:
        other = object.__new__(_Symmetric)
        other._hash, other._chain, other._key = self._hash, self._chain, self._key
        return other

    def mix_hash(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        self._chain, self._key = _expand(self._chain, secret, 2)

    def mix_key_and_hash(self, secret: bytes) -> None:
        self._chain, mixed, self._key = _expand(self._chain, secret, 3)
        self.mix_hash(mixed)

    def mix_exchange(self, own: X25519PrivateKey, other: X25519PublicKey) -> None:
        self.mix_key(own.exchange(other))

    def encrypt_and_hash(self, data: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self._key).encrypt(_NONCE, data, self._hash)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, sealed: bytes) -> bytes:
        data = ChaCha20Poly1305(self._key).decrypt(_NONCE, sealed, self._hash)
        self.mix_hash(sealed)
        return data

    def split(self) -> tuple[bytes, bytes]:
        to_responder, to_initiator = _expand(self._chain, b'', 2)
        return to_responder, to_initiator

    def __repr__(self) -> str:
        return '_Symmetric()'


def _expand(chain: bytes, secret: bytes, count: int) -> list[bytes]:
    """Noise's HKDF, section 4.3."""
    mixed = hmac.digest(chain, secret, 'sha256')
    out: list[bytes] = []
    last = b''
    for number in range(1, count + 1):
        last = hmac.digest(mixed, last + bytes((number,)), 'sha256')
        out.append(last)
    return out


def _gate(key: ClusterKey, message: bytes) -> bytes:
    return hmac.digest(key.derive(b'stream gate'), message, 'sha256')[:_GATE_BYTES]


def _ephemeral(entropy: Entropy) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(entropy.draw(_KEY_BYTES))


def new_index(entropy: Entropy, taken: Container[int]) -> int:
    """A random number for a stream's datagrams that is not in use."""
    while True:
        index = int.from_bytes(entropy.draw(INDEX_BYTES), 'big')
        if index not in taken:
            return index


class Initiator:
    """The side that begins, and that knows the other's id.

    Args:
        identity: ours.
        peer: the other's.
        keys: the cluster's; its current key is used.
        now_ms: our time.
        taken: indexes of our streams and attempts.

    Attributes:
        message: the first message. Sending it again is of no use: begin anew.
        index: our number for the stream; the second message and all datagrams to us bear it.

    Raises:
        SealingError: the peer's id is no key.
        UnknownKeyError: the cluster's keys have ended.
    """

    __slots__ = ('_ephemeral', '_identity', '_key', '_peer', '_state', 'index', 'message')

    def __init__(
        self,
        identity: Identity,
        peer: PublicIdentity,
        keys: ClusterKeys,
        now_ms: int,
        *,
        taken: Container[int] = (),
        entropy: Entropy = SYSTEM,
    ) -> None:
        self._identity, self._peer, self._key = identity, peer, keys.current(now_ms)
        self._ephemeral = _ephemeral(require_entropy(entropy))
        self.index = new_index(entropy, taken)
        try:
            static = peer.exchange_key
        except ValueError:
            raise SealingError('nobody can have this id: it is no point of the group') from None
        state = _Symmetric(keys.cluster.id, peer.id)
        head = bytes((FIRST,)) + self.index.to_bytes(INDEX_BYTES, 'big') + self._key.id
        public = self._ephemeral.public_key().public_bytes_raw()
        state.mix_hash(head)
        state.mix_key_and_hash(self._key.derive(b'stream psk'))
        state.mix_hash(public)
        state.mix_key(public)
        state.mix_exchange(self._ephemeral, static)
        sealed_id = state.encrypt_and_hash(identity.id)
        state.mix_exchange(identity.exchange_key, static)
        message = head + public + sealed_id + state.encrypt_and_hash(_TIME.pack(now_ms))
        self.message = message + _gate(self._key, message)
        self._state: _Symmetric | None = state

    def finish(self, message: bytes, now_ms: int) -> Session:
        """The stream, from the second message. After a refusal the right one is still awaited.

        Raises:
            BadHandshake: it is not the answer of this peer to our first message, or it came before: a second stream
                with the same keys would use every nonce twice.
        """
        if self._state is None or len(message) != SECOND_BYTES or message[0] != SECOND:
            raise BadHandshake
        theirs = int.from_bytes(message[1 : 1 + INDEX_BYTES], 'big')
        if int.from_bytes(message[1 + INDEX_BYTES : _SECOND_HEAD], 'big') != self.index:
            raise BadHandshake
        if not hmac.compare_digest(_gate(self._key, message[:-_GATE_BYTES]), message[-_GATE_BYTES:]):
            raise BadHandshake
        keys = self._finish(self._state.copy(), message)
        if keys is None:
            raise BadHandshake
        self._state = None
        return Session(self._peer, self.index, theirs, keys[0], keys[1], now_ms, confirmed=True)

    def _finish(self, state: _Symmetric, message: bytes) -> tuple[bytes, bytes] | None:
        public = message[_SECOND_HEAD : _SECOND_HEAD + _KEY_BYTES]
        state.mix_hash(message[:_SECOND_HEAD])
        state.mix_hash(public)
        state.mix_key(public)
        try:
            ephemeral = X25519PublicKey.from_public_bytes(public)
            state.mix_exchange(self._ephemeral, ephemeral)
            state.mix_exchange(self._identity.exchange_key, ephemeral)
            state.decrypt_and_hash(message[_SECOND_HEAD + _KEY_BYTES : -_GATE_BYTES])
        except (InvalidTag, ValueError):
            return None
        return state.split()

    def __repr__(self) -> str:
        return f'Initiator({self._peer!r})'


class Responder:
    """The side that answers, for all initiators of one cluster.

    Args:
        identity: ours.
        keys: the cluster's.
    """

    __slots__ = ('_entropy', '_identity', '_keys', '_last')

    def __init__(self, identity: Identity, keys: ClusterKeys, *, entropy: Entropy = SYSTEM) -> None:
        self._identity, self._keys, self._entropy = identity, keys, require_entropy(entropy)
        self._last: OrderedDict[bytes, tuple[int, int]] = OrderedDict()

    def answer(self, message: bytes, now_ms: int, *, taken: Container[int] = ()) -> tuple[Session, bytes]:
        """The stream, not yet confirmed, and the second message, from a first one.

        Raises:
            BadHandshake: it is no first message for us by a member of the cluster, or an old one.
        """
        if len(message) != FIRST_BYTES or message[0] != FIRST:
            raise BadHandshake
        key = self._keys.find(message[1 + INDEX_BYTES : _FIRST_HEAD], now_ms)
        if key is None or not hmac.compare_digest(_gate(key, message[:-_GATE_BYTES]), message[-_GATE_BYTES:]):
            raise BadHandshake
        read = self._read(message, key)
        if read is None or not self._is_newer(read[1].id, read[2], now_ms):
            raise BadHandshake
        return self._second(*read[:2], message, key, now_ms, taken)

    def _read(self, message: bytes, key: ClusterKey) -> tuple[_Symmetric, PublicIdentity, int] | None:
        state = _Symmetric(self._keys.cluster.id, self._identity.id)
        public, rest = message[_FIRST_HEAD : _FIRST_HEAD + _KEY_BYTES], message[_FIRST_HEAD + _KEY_BYTES : -_GATE_BYTES]
        sealed_id, sealed_time = rest[: ID_BYTES + _TAG_BYTES], rest[ID_BYTES + _TAG_BYTES :]
        state.mix_hash(message[:_FIRST_HEAD])
        state.mix_key_and_hash(key.derive(b'stream psk'))
        state.mix_hash(public)
        state.mix_key(public)
        try:
            state.mix_exchange(self._identity.exchange_key, X25519PublicKey.from_public_bytes(public))
            peer = public_identity(state.decrypt_and_hash(sealed_id))
            state.mix_exchange(self._identity.exchange_key, peer.exchange_key)
            (time,) = _TIME.unpack(state.decrypt_and_hash(sealed_time))
        except (InvalidTag, ValueError):
            return None
        return state, peer, time

    def _second(
        self,
        state: _Symmetric,
        peer: PublicIdentity,
        message: bytes,
        key: ClusterKey,
        now_ms: int,
        taken: Container[int],
    ) -> tuple[Session, bytes]:
        theirs = message[1 : 1 + INDEX_BYTES]
        ephemeral, index = _ephemeral(self._entropy), new_index(self._entropy, taken)
        public = ephemeral.public_key().public_bytes_raw()
        their_ephemeral = X25519PublicKey.from_public_bytes(message[_FIRST_HEAD : _FIRST_HEAD + _KEY_BYTES])
        head = bytes((SECOND,)) + index.to_bytes(INDEX_BYTES, 'big') + theirs
        state.mix_hash(head)
        state.mix_hash(public)
        state.mix_key(public)
        state.mix_exchange(ephemeral, their_ephemeral)
        state.mix_exchange(ephemeral, peer.exchange_key)
        answer = head + public + state.encrypt_and_hash(b'')
        receive, send = state.split()
        session = Session(peer, index, int.from_bytes(theirs, 'big'), send, receive, now_ms, confirmed=False)
        return session, answer + _gate(key, answer)

    def _is_newer(self, initiator: bytes, time: int, now_ms: int) -> bool:
        last = self._last.get(initiator)
        if last is not None and time <= last[0] and now_ms - last[1] < FORGET_AFTER_MS:
            return False
        self._last[initiator] = time, now_ms
        self._last.move_to_end(initiator)
        if len(self._last) > INITIATORS_MAX:
            self._last.popitem(last=False)
        return True

    def __repr__(self) -> str:
        return f'Responder({self._identity!r})'


def goes_first(own: bytes, other: bytes) -> bool:
    """Whose stream is used when both began at once: the one that the lower id began."""
    return own < other
