"""From an Ed25519 public key to the X25519 key of the same identity, and which points are refused.

The two curves are one curve in two forms. The birational map of RFC 7748, 4.1 takes the Edwards point (x, y) to
u = (1 + y) / (1 - y). The private side needs no map: RFC 8032 makes the Ed25519 scalar from the first half of
SHA-512(seed), clamped just as X25519 clamps it.

Refused, as libsodium's ``crypto_sign_ed25519_pk_to_curve25519`` does:

* encodings with y >= p, or with a sign bit on x = 0: a second spelling of a point would be a second name of one peer;
* the eight points of small order: with one of them as public key, a signature that fits every message can be made, and
  every exchange gives zero;
* points off the curve, or outside the group of prime order: they have another identity with the same X25519 key.

Public values only, so nothing here needs constant time. One conversion takes about a millisecond and is cached by
`PublicIdentity`.
"""

from __future__ import annotations

from typing import Final

__all__ = ['ORDER', 'PRIME', 'has_small_order', 'is_canonical', 'montgomery_u']

PRIME: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, PRIME) % PRIME
_ROOT_OF_MINUS_1: Final = pow(2, (PRIME - 1) // 4, PRIME)
_SIGN: Final = 1 << 255
# y of the points of order 1, 2, 4 (both) and 8 (all four): two values of y share the order 8.
_ORDER_8_Y: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y: Final = frozenset({0, 1, PRIME - 1, _ORDER_8_Y, PRIME - _ORDER_8_Y})

# Extended coordinates: X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032, 5.1.4).
_Point = tuple[int, int, int, int]


def _y_of(public: bytes) -> int:
    return int.from_bytes(public, 'little') & (_SIGN - 1)


def is_canonical(public: bytes) -> bool:
    """Whether these 32 bytes spell y in the one way. The sign of x = 0 is a matter of small order."""
    return _y_of(public) < PRIME


def has_small_order(public: bytes) -> bool:
    """Whether this is one of the eight points of order 1, 2, 4 or 8, in any spelling."""
    return _y_of(public) % PRIME in _SMALL_ORDER_Y


def montgomery_u(public: bytes) -> bytes:
    """The X25519 public key, 32 bytes, of an Ed25519 public key, 32 bytes.

    Raises:
        ValueError: the key is not canonical, not on the curve, or not of the prime order.
    """
    if len(public) != 32 or not is_canonical(public) or has_small_order(public):
        raise ValueError('no public key')
    point = _decompress(public)
    if point is None or not _has_prime_order(point):
        raise ValueError('no public key')
    y = _y_of(public)
    return ((1 + y) * pow(1 - y, -1, PRIME) % PRIME).to_bytes(32, 'little')


def _decompress(public: bytes) -> _Point | None:
    """RFC 8032, 5.1.3."""
    y = _y_of(public)
    over, under = (y * y - 1) % PRIME, (_D * y * y + 1) % PRIME
    x = over * pow(under, 3, PRIME) * pow(over * pow(under, 7, PRIME), (PRIME - 5) // 8, PRIME) % PRIME
    square = under * x * x % PRIME
    if square == PRIME - over:
        x = x * _ROOT_OF_MINUS_1 % PRIME
    elif square != over:
        return None
    if x & 1 != public[31] >> 7:
        x = PRIME - x
    return x, y, 1, x * y % PRIME


def _double(point: _Point) -> _Point:
    x, y, z, _ = point
    a, b = x * x, y * y
    h = a + b
    e = h - (x + y) * (x + y)
    g = a - b
    f = 2 * z * z + g
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _add(left: _Point, right: _Point) -> _Point:
    x1, y1, z1, t1 = left
    x2, y2, z2, t2 = right
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * _D * t1 * t2 % PRIME, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _has_prime_order(point: _Point) -> bool:
    """Whether ORDER times the point is the neutral one."""
    product = point
    for digit in format(ORDER, 'b')[1:]:
        product = _double(product)
        if digit == '1':
            product = _add(product, point)
    x, y, z, _ = product
    return x == 0 and y == z
