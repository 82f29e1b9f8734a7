"""The ways to seal bytes to an identity: one interface, a number on the wire for each.

=======  ==================  =====================================================================  ========
number   class               what it is                                                             adds
=======  ==================  =====================================================================  ========
1        (`seal`)            ChaCha20-Poly1305 under the cluster's key, for nobody in particular     48 bytes
2        ``HpkeScheme``      HPKE base mode: X25519, HKDF-SHA256, ChaCha20-Poly1305 (RFC 9180)       48 bytes
3        ``HybridScheme``    HPKE with ML-KEM-768 and X25519 together, safe if either of them is   1136 bytes
128-255  apps' own           subclasses of `Scheme`                                                own
=======  ==================  =====================================================================  ========

The number itself is one byte more. What a message is bound to (cluster, recipient, causal parent) goes into HPKE's
``info``, as RFC 9180, 8.1 asks of single-shot users; it enters the key schedule, so a ciphertext at another place has
another key. The protocol's draft said associated data: the effect is the same, and ``info`` is what ``cryptography``
offers in public.

A scheme opens or returns ``None``. It never says why not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import TYPE_CHECKING, ClassVar, Final, final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from socket_runtime.p2p.errors import BadRecord, CryptographyError, SealingError, UnknownKeyError
from socket_runtime.p2p.keys import SIGNATURE_BYTES, Identity, PublicIdentity

try:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
except ImportError:  # before 47
    raise CryptographyError('the installed cryptography has no HPKE', hint='pip install "cryptography>=47"') from None

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

__all__ = ['APP_SCHEMES', 'CLUSTER_SCHEME', 'HPKE', 'HpkeScheme', 'HybridScheme', 'Scheme']

CLUSTER_SCHEME: Final = 1
"""The number of the cluster's own scheme, which needs no identity and is part of `seal`."""
APP_SCHEMES: Final = range(128, 256)

_TAG_BYTES: Final = 16
_X25519_BYTES: Final = 32


class Scheme(ABC):
    """A way to seal to an identity.

    Attributes:
        number: on the wire; apps take one of `APP_SCHEMES`.
        overhead: how many bytes `seal` adds.
    """

    number: ClassVar[int]
    overhead: ClassVar[int]

    @abstractmethod
    def seal(self, plaintext: bytes, recipient: PublicIdentity, info: bytes) -> bytes:
        """``plaintext`` for ``recipient``, bound to ``info``.

        Raises:
            SealingError: this recipient cannot be sealed to.
        """

    @abstractmethod
    def open(self, sealed: bytes, identity: Identity, info: bytes) -> bytes | None:
        """The plaintext, or ``None``. Raises nothing for any bytes."""


@final
class HpkeScheme(Scheme):
    """HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305."""

    number = 2
    overhead = _X25519_BYTES + _TAG_BYTES
    _SUITE: ClassVar = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)

    def seal(self, plaintext: bytes, recipient: PublicIdentity, info: bytes) -> bytes:
        """A one-time X25519 key (32 bytes), then the ciphertext with its tag."""
        try:
            key = recipient.exchange_key
        except ValueError:
            raise SealingError('nobody can have this id: it is no point of the group') from None
        return self._SUITE.encrypt(plaintext, key, info)

    def open(self, sealed: bytes, identity: Identity, info: bytes) -> bytes | None:
        """The plaintext, or ``None``."""
        try:
            return self._SUITE.decrypt(sealed, identity.exchange_key, info)
        except (InvalidTag, ValueError):
            return None


HPKE: Final = HpkeScheme()
"""The scheme that is used where none is named."""


@final
class HybridScheme(Scheme):
    """HPKE with the KEM MLKEM768-X25519 ("X-Wing"): secret as long as one of the two halves is.

    For what must stay secret longer than X25519 may hold against a quantum computer. The signature inside remains
    Ed25519: it has to hold today only.

    The public key, 1216 bytes, cannot be computed from an id. Its owner hands out a `key_record`, signed; others
    `learn` it. Both private halves come from the identity's seed, under labels of their own.

    Raises:
        CryptographyError: the installed ``cryptography`` has no ML-KEM.
    """

    number = 3
    overhead = 1088 + _X25519_BYTES + _TAG_BYTES
    RECORD_BYTES: ClassVar[int] = 1184 + _X25519_BYTES + SIGNATURE_BYTES
    LEARNT_MAX: ClassVar[int] = 1024
    """Keys of others that are kept, 1.3 kB each, the last used (F18)."""

    def __init__(self) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric import mlkem
            from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

            mlkem.MLKEM768PrivateKey.from_seed_bytes(bytes(64))
        except (ImportError, AttributeError, UnsupportedAlgorithm):
            raise CryptographyError(
                'the installed cryptography has no ML-KEM-768',
                hint='pip install "cryptography>=48" (a wheel of PyPI, or a build with OpenSSL 3.5 or AWS-LC)',
            ) from None
        self._mlkem = mlkem
        self._private_type = MLKEM768X25519PrivateKey
        self._public_type = MLKEM768X25519PublicKey
        self._suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
        self._learnt: OrderedDict[bytes, MLKEM768X25519PublicKey] = OrderedDict()
        self._own: OrderedDict[bytes, MLKEM768X25519PrivateKey] = OrderedDict()

    def key_record(self, identity: Identity) -> bytes:
        """The identity's public key for this scheme with its signature, `RECORD_BYTES`."""
        lattice, curve = self._halves(identity)
        key = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        return key + identity.sign(b'hybrid key', key)

    def learn(self, owner: PublicIdentity, record: bytes) -> None:
        """Take somebody's key record.

        Raises:
            BadRecord: it is not one, or not the owner's.
        """
        if len(record) != self.RECORD_BYTES:
            raise BadRecord('form')
        key, signature = record[:-SIGNATURE_BYTES], record[-SIGNATURE_BYTES:]
        if not owner.verify(b'hybrid key', key, signature):
            raise BadRecord('signature')
        try:
            lattice = self._mlkem.MLKEM768PublicKey.from_public_bytes(key[:-_X25519_BYTES])
            public = self._public_type(lattice, X25519PublicKey.from_public_bytes(key[-_X25519_BYTES:]))
        except ValueError:
            raise BadRecord('key') from None
        self._learnt[owner.id] = public
        self._learnt.move_to_end(owner.id)
        if len(self._learnt) > self.LEARNT_MAX:
            self._learnt.popitem(last=False)

    def knows(self, owner: PublicIdentity) -> bool:
        """Whether `seal` can be used for this recipient."""
        return owner.id in self._learnt

    def seal(self, plaintext: bytes, recipient: PublicIdentity, info: bytes) -> bytes:
        """The KEM's ciphertext (1120 bytes), then the message's with its tag.

        Raises:
            UnknownKeyError: no record of the recipient was learnt.
            SealingError: the recipient's X25519 half is a point of small order.
        """
        key = self._learnt.get(recipient.id)
        if key is None:
            raise UnknownKeyError(
                'the post-quantum key of this recipient is not known', hint='Ask for its key record, or seal with HPKE.'
            )
        self._learnt.move_to_end(recipient.id)
        try:
            return self._suite.encrypt(plaintext, key, info)
        except ValueError:
            raise SealingError('the post-quantum key of this recipient cannot be used') from None

    def open(self, sealed: bytes, identity: Identity, info: bytes) -> bytes | None:
        """The plaintext, or ``None``."""
        if len(sealed) < self.overhead:
            return None
        private = self._own.get(identity.id)
        if private is None:
            private = self._own[identity.id] = self._private_type(*self._halves(identity))
            if len(self._own) > self.LEARNT_MAX:
                self._own.popitem(last=False)
        try:
            return self._suite.decrypt(sealed, private, info)
        except (InvalidTag, ValueError):
            return None

    def _halves(self, identity: Identity) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        lattice = self._mlkem.MLKEM768PrivateKey.from_seed_bytes(identity.derive(b'hybrid ml-kem-768', 64))
        return lattice, X25519PrivateKey.from_private_bytes(identity.derive(b'hybrid x25519'))
