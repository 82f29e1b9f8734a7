"""HPKE and the edges of the curves written down once more, from the RFCs and with other means, to compare with.

Slow and plain. Nothing here is imported from `socket_runtime`.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def extract(salt: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), material, 'sha256')


def expand(key: bytes, info: bytes, length: int) -> bytes:
    out, block = b'', b''
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes((len(out) // 32 + 1,)), 'sha256')
        out += block
    return out[:length]


def labeled_extract(suite: bytes, salt: bytes, name: bytes, material: bytes) -> bytes:
    return extract(salt, b'HPKE-v1' + suite + name + material)


def labeled_expand(suite: bytes, key: bytes, name: bytes, info: bytes, length: int) -> bytes:
    return expand(key, length.to_bytes(2, 'big') + b'HPKE-v1' + suite + name + info, length)


def decap_x25519(enc: bytes, private: X25519PrivateKey) -> bytes:
    """RFC 9180, 4.1, KEM 0x0020."""
    suite = b'KEM\x00\x20'
    shared = private.exchange(X25519PublicKey.from_public_bytes(enc))
    prk = labeled_extract(suite, b'', b'eae_prk', shared)
    context = enc + private.public_key().public_bytes_raw()
    return labeled_expand(suite, prk, b'shared_secret', context, 32)


def decap_xwing(enc: bytes, lattice: MLKEM768PrivateKey, curve: X25519PrivateKey) -> bytes:
    """draft-connolly-cfrg-xwing-kem, 5.3."""
    first = lattice.decapsulate(enc[:1088])
    second = curve.exchange(X25519PublicKey.from_public_bytes(enc[1088:]))
    own = curve.public_key().public_bytes_raw()
    return hashlib.sha3_256(first + second + enc[1088:] + own + b'\\.//^\\').digest()


def open_base(shared: bytes, kem: int, ciphertext: bytes, info: bytes, aad: bytes = b'') -> bytes:
    """RFC 9180, 5.1 in base mode and 5.2 at sequence number 0; HKDF-SHA256, ChaCha20-Poly1305."""
    suite = b'HPKE' + kem.to_bytes(2, 'big') + b'\x00\x01\x00\x03'
    psk_id_hash = labeled_extract(suite, b'', b'psk_id_hash', b'')
    info_hash = labeled_extract(suite, b'', b'info_hash', info)
    context = b'\0' + psk_id_hash + info_hash
    secret = labeled_extract(suite, shared, b'secret', b'')
    key = labeled_expand(suite, secret, b'key', context, 32)
    nonce = labeled_expand(suite, secret, b'base_nonce', context, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, aad)


def open_x25519(sealed: bytes, private: X25519PrivateKey, info: bytes, aad: bytes = b'') -> bytes:
    """What HPKE with X25519 sealed."""
    return open_base(decap_x25519(sealed[:32], private), 0x0020, sealed[32:], info, aad)


# The curve in affine coordinates.


def add(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = left, right
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def times(number: int, point: tuple[int, int]) -> tuple[int, int]:
    result = (0, 1)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def lift(y: int) -> tuple[int, int] | None:
    """A point with this y, if there is one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    for root in (x, x * pow(2, (P - 1) // 4, P) % P):
        if root * root % P == square:
            return root, y
    return None


def spelt(point: tuple[int, int]) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, 'little')
