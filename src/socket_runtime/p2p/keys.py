"""An identity: one seed, one name, and what can be done with them.

An identity is a device or a group of devices. Its name (`id`) is its Ed25519 public key, 32 bytes, and stands as ``to``
in packets. Everything secret about it comes from a seed of 32 bytes:

* the Ed25519 key that signs (RFC 8032);
* the X25519 key that opens: the same scalar, in the curve's other form (`_edwards`). One key pair for a signature and
  an exchange is safe in this pairing (Thormarker, "On using the same key pair for Ed25519 and an X25519 based KEM",
  2021), and everything that is signed names its purpose, so that no signature can be taken for another;
* the post-quantum keys of `schemes.HybridScheme`, by HKDF under labels of their own.

A secret never shows: not in a repr, not in a traceback's text, and it cannot be pickled or copied. `reveal_seed` is
the one way out, for the keyring. Python cannot wipe memory; what is dropped is gone when it is overwritten.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Final, Never, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from socket_runtime.p2p import _edwards
from socket_runtime.p2p.entropy import SYSTEM, Entropy, require_entropy
from socket_runtime.p2p.errors import SealingError

__all__ = [
    'DOMAIN',
    'ID_BYTES',
    'SEED_BYTES',
    'SIGNATURE_BYTES',
    'Identity',
    'PublicIdentity',
    'create_keys',
    'derive',
    'label',
    'public_identity',
]

ID_BYTES: Final = 32
SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
DOMAIN: Final = b'socket-runtime/p2p/1/'
"""Begins everything that is signed, derived or bound here. The purpose follows, then a zero byte."""

# Identities that are known at one time: checked keys are kept for that many, about 1 kB each (F18).
_KNOWN_MAX: Final = 1024
_FINGERPRINT_BYTES: Final = 10


def label(purpose: bytes) -> bytes:
    """What separates one use of a key from all others."""
    return DOMAIN + purpose + b'\0'


def derive(secret: bytes, purpose: bytes, length: int = 32, context: bytes = b'', salt: bytes | None = None) -> bytes:
    """HKDF-SHA256 (RFC 5869) under a purpose; ``context`` follows the purpose in its ``info``."""
    return HKDF(SHA256(), length, salt, label(purpose) + context).derive(secret)


@final
class PublicIdentity:
    """What everybody may know of an identity. Had by `public_identity` or as `Identity.public`.

    Two of them are equal when their ids are.
    """

    __slots__ = ('_exchange', '_verifier', 'id')

    def __init__(self, *args: Never, **kwargs: Never) -> None:
        raise TypeError('public_identity(id) makes these')

    id: bytes
    _verifier: Ed25519PublicKey
    _exchange: X25519PublicKey | None

    @property
    def fingerprint(self) -> str:
        """80 bits of the id's hash for people to compare: four groups of four letters or digits."""
        digest = hashlib.sha256(label(b'fingerprint') + self.id).digest()[:_FINGERPRINT_BYTES]
        text = base64.b32encode(digest).decode('ascii').lower()
        return '-'.join(text[at : at + 4] for at in range(0, len(text), 4))

    @property
    def exchange_key(self) -> X25519PublicKey:
        """The X25519 key that messages to this identity are sealed with. Computed once, about 1 ms.

        Raises:
            ValueError: the id is no point of the curve's group of prime order.
        """
        if self._exchange is None:
            self._exchange = X25519PublicKey.from_public_bytes(_edwards.montgomery_u(self.id))
        return self._exchange

    def verify(self, purpose: bytes, body: bytes, signature: bytes) -> bool:
        """Whether this identity signed ``body`` for ``purpose``."""
        try:
            self._verifier.verify(signature, label(purpose) + body)
        except InvalidSignature:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicIdentity) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f'PublicIdentity({self.fingerprint})'

    def __reduce__(self) -> tuple[object, tuple[bytes]]:
        return public_identity, (self.id,)


@lru_cache(maxsize=_KNOWN_MAX)
def public_identity(id: bytes) -> PublicIdentity:
    """The identity that has this id.

    Raises:
        ValueError: not 32 bytes, a second spelling of a key, or a key of small order. Whether the point is on the
            curve shows at the first `PublicIdentity.verify` (which fails) or `PublicIdentity.exchange_key`.
    """
    if type(id) is not bytes or len(id) != ID_BYTES or not _edwards.is_canonical(id) or _edwards.has_small_order(id):
        raise ValueError('no id of an identity')
    identity = object.__new__(PublicIdentity)
    identity.id = id
    identity._verifier = Ed25519PublicKey.from_public_bytes(id)
    identity._exchange = None
    return identity


@final
class Identity:
    """A key pair. Made by `Identity.create` or `Identity.from_seed`.

    Attributes:
        public: what others may know.
    """

    __slots__ = ('_exchange', '_seed', '_signer', 'public')

    def __init__(self, *args: Never, **kwargs: Never) -> None:
        raise TypeError('Identity.create() or Identity.from_seed(seed) makes these')

    public: PublicIdentity
    _seed: bytes
    _signer: Ed25519PrivateKey
    _exchange: X25519PrivateKey

    @classmethod
    def create(cls, entropy: Entropy = SYSTEM) -> Identity:
        """A new identity."""
        return cls.from_seed(require_entropy(entropy).draw(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> Identity:
        """The identity of a seed of 32 bytes.

        Raises:
            SealingError: the seed is not 32 bytes.
        """
        if type(seed) is not bytes or len(seed) != SEED_BYTES:
            raise SealingError(f'a seed is {SEED_BYTES} bytes')
        identity = object.__new__(cls)
        identity._seed = seed
        identity._signer = Ed25519PrivateKey.from_private_bytes(seed)
        # X25519 clamps these 32 bytes as RFC 8032 does.
        identity._exchange = X25519PrivateKey.from_private_bytes(hashlib.sha512(seed).digest()[:32])
        identity.public = public_identity(identity._signer.public_key().public_bytes_raw())
        if identity.public._exchange is None:
            identity.public._exchange = identity._exchange.public_key()
        return identity

    @property
    def id(self) -> bytes:
        """The name: the Ed25519 public key, 32 bytes."""
        return self.public.id

    @property
    def exchange_key(self) -> X25519PrivateKey:
        """The X25519 key that opens what is sealed to this identity. An object that shows nothing."""
        return self._exchange

    def sign(self, purpose: bytes, body: bytes) -> bytes:
        """64 bytes, good for this purpose only."""
        return self._signer.sign(label(purpose) + body)

    def derive(self, purpose: bytes, length: int = 32) -> bytes:
        """A further secret of this identity."""
        return derive(self._seed, purpose, length)

    def reveal_seed(self) -> bytes:
        """The seed itself: who has it is this identity. For the keyring, and for members of a group."""
        return self._seed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and hmac.compare_digest(self._seed, other._seed)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f'Identity({self.public.fingerprint})'

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError('an identity is neither pickled nor copied; use reveal_seed() and from_seed()')


def create_keys(seed: bytes | None = None, *, entropy: Entropy = SYSTEM) -> Identity:
    """The seeds' ``Peer.createKeys()``: a new identity, or the one of a seed of 32 bytes.

    Raises:
        SealingError: the seed is not 32 bytes.
    """
    return Identity.create(entropy) if seed is None else Identity.from_seed(seed)
