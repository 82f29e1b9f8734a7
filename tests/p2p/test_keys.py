"""Identities: vectors of the RFCs and of libsodium, refused points, purposes of signatures, and what never shows."""

from __future__ import annotations

import copy
import hashlib
import pickle
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.p2p import _edwards, keys
from socket_runtime.p2p.entropy import SYSTEM, Entropy, SeededEntropy, SystemEntropy, require_entropy, require_system
from socket_runtime.p2p.errors import SealingError
from socket_runtime.p2p.keys import Identity, PublicIdentity, create_keys, derive, public_identity
from tests.p2p import reference
from tests.p2p.support import ALICE, BOB, seed

# RFC 8032, 7.1: seed, public key, message, signature.
RFC_8032 = [
    (
        '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
        'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
        '',
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ),
    (
        '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
        '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
        '72',
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ),
    (
        'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
        'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
        'af82',
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ),
]
# libsodium, test/default/ed25519_convert.c: seed, Ed25519 public key, X25519 public key.
LIBSODIUM = (
    '421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee',
    'b5076a8474a832daee4dd5b4040983b6623b5f344aca57d4d6ee4baf3f259e6e',
    'f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50',
)
BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    4 * pow(5, -1, reference.P) % reference.P,
)


def point_of_order_8() -> tuple[int, int]:
    """Any point of the curve times the order of the big group."""
    y = 2
    while True:
        point = reference.lift(y)
        if point is not None:
            small = reference.times(_edwards.ORDER, point)
            if reference.times(4, small) != (0, 1):
                return small
        y += 1


SMALL = [reference.times(number, point_of_order_8()) for number in range(8)]


@pytest.mark.parametrize(('secret', 'public', 'message', 'signature'), RFC_8032)
def test_signatures_are_those_of_rfc_8032(
    secret: str, public: str, message: str, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = Identity.from_seed(bytes.fromhex(secret))
    assert identity.id.hex() == public
    monkeypatch.setattr(keys, 'label', lambda purpose: b'')
    assert identity.sign(b'', bytes.fromhex(message)).hex() == signature
    assert identity.public.verify(b'', bytes.fromhex(message), bytes.fromhex(signature))


def test_exchanges_are_those_of_rfc_7748() -> None:
    # RFC 7748, 6.1.
    alice = X25519PrivateKey.from_private_bytes(
        bytes.fromhex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
    )
    bob = X25519PublicKey.from_public_bytes(
        bytes.fromhex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f')
    )
    assert alice.public_key().public_bytes_raw().hex() == (
        '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
    )
    assert alice.exchange(bob).hex() == '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'


def test_conversion_is_libsodiums() -> None:
    secret, public, converted = (bytes.fromhex(text) for text in LIBSODIUM)
    identity = Identity.from_seed(secret)
    assert identity.id == public
    assert _edwards.montgomery_u(public) == converted
    assert identity.public.exchange_key.public_bytes_raw() == converted
    assert identity.exchange_key.public_key().public_bytes_raw() == converted


@given(st.binary(min_size=32, max_size=32))
def test_both_halves_convert_alike(secret: bytes) -> None:
    identity = Identity.from_seed(secret)
    private = X25519PrivateKey.from_private_bytes(hashlib.sha512(secret).digest()[:32])
    assert _edwards.montgomery_u(identity.id) == private.public_key().public_bytes_raw()


def test_the_eight_points_of_small_order_are_refused() -> None:
    assert len(set(SMALL)) == 8
    spelt = {reference.spelt(point) for point in SMALL}
    # Every spelling: both signs, and y + p where that fits.
    for point in SMALL:
        for y in (point[1], point[1] + reference.P):
            if y < 1 << 255:
                spelt |= {y.to_bytes(32, 'little'), (y | 1 << 255).to_bytes(32, 'little')}
    assert len(spelt) == 14
    for each in spelt:
        assert _edwards.has_small_order(each)
        with pytest.raises(ValueError, match='no id'):
            public_identity(each)
        with pytest.raises(ValueError, match='no public key'):
            _edwards.montgomery_u(each)


def test_a_point_of_small_order_would_have_signed_everything() -> None:
    # What the refusal is for: with the neutral point as key, one signature fits every message.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    neutral = reference.spelt((0, 1))
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b'anything')


@pytest.mark.parametrize('y', [reference.P, reference.P + 5, reference.P + 18, 2**255 - 1])
@pytest.mark.parametrize('sign', [0, 1 << 255])
def test_second_spellings_are_refused(y: int, sign: int) -> None:
    with pytest.raises(ValueError, match='no id'):
        public_identity((y | sign).to_bytes(32, 'little'))


@pytest.mark.parametrize('point', SMALL[1:], ids=str)
def test_points_outside_the_big_group_get_nothing_sealed(point: tuple[int, int]) -> None:
    # Another id with the same exchange key as an honest one.
    mixed = reference.spelt(reference.add(reference.times(12345, BASE), point))
    identity = public_identity(mixed)
    with pytest.raises(ValueError, match='no public key'):
        identity.exchange_key  # noqa: B018


def test_bytes_off_the_curve_neither_verify_nor_get_anything_sealed() -> None:
    y = next(y for y in range(2, 100) if reference.lift(y) is None)
    identity = public_identity(y.to_bytes(32, 'little'))
    assert not identity.verify(b'message', b'', bytes(64))
    with pytest.raises(ValueError, match='no public key'):
        identity.exchange_key  # noqa: B018


@pytest.mark.parametrize('data', [b'', bytes(31), bytes(33), bytearray(ALICE.id), 'x' * 32, None, 7], ids=repr)
def test_what_is_no_id_is_a_value_error(data: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        public_identity(data)  # type: ignore[arg-type]


def test_a_signature_is_good_for_its_purpose_and_body_only() -> None:
    signature = ALICE.sign(b'one', b'body')
    assert ALICE.public.verify(b'one', b'body', signature)
    assert not ALICE.public.verify(b'two', b'body', signature)
    assert not ALICE.public.verify(b'one', b'Body', signature)
    assert not ALICE.public.verify(b'on', b'e\0body', signature)
    assert not BOB.public.verify(b'one', b'body', signature)
    for wrong in (b'', signature[:-1], signature + b'\0', bytes(64)):
        assert not ALICE.public.verify(b'one', b'body', wrong)


def test_the_other_spelling_of_a_signature_is_refused() -> None:
    # s + L is the same number to a careless verifier (RFC 8032, 5.1.7).
    signature = ALICE.sign(b'one', b'')
    s = int.from_bytes(signature[32:], 'little') + _edwards.ORDER
    assert not ALICE.public.verify(b'one', b'', signature[:32] + s.to_bytes(32, 'little'))


def test_derived_secrets_are_separate() -> None:
    secrets = {derive(seed('x'), b'a'), derive(seed('x'), b'b'), derive(seed('y'), b'a'), ALICE.derive(b'a')}
    secrets |= {derive(seed('x'), b'a', salt=b's'), derive(seed('x'), b'a', context=b'c')}
    assert len(secrets) == 6
    assert len(ALICE.derive(b'a', 64)) == 64


def test_seeds_are_32_bytes() -> None:
    for wrong in (b'', bytes(31), bytes(33), 'x' * 32):
        with pytest.raises(SealingError):
            create_keys(wrong)  # type: ignore[arg-type]
    assert create_keys(seed('alice')) == ALICE
    assert create_keys() != create_keys()
    assert create_keys(entropy=SeededEntropy(b'1')) == create_keys(entropy=SeededEntropy(b'1'))


def test_identities_compare_by_seed_and_public_ones_by_id() -> None:
    again = Identity.from_seed(seed('alice'))
    assert again == ALICE
    assert hash(again) == hash(ALICE)
    assert again != BOB
    assert again.public == ALICE.public == public_identity(ALICE.id)
    assert ALICE.public != BOB.public
    assert ALICE != ALICE.public
    assert {ALICE.public: 1}[public_identity(ALICE.id)] == 1


def test_secrets_neither_show_nor_travel() -> None:
    secret = ALICE.reveal_seed()
    for text in (repr(ALICE), str(ALICE), f'{ALICE}', repr([ALICE.exchange_key]), repr(ALICE.public)):
        assert secret.hex() not in text
        assert repr(secret)[2:-1] not in text
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match='neither pickled nor copied'):
            way(ALICE)
    assert not hasattr(ALICE, '__dict__')
    assert pickle.loads(pickle.dumps(ALICE.public)) is ALICE.public


def test_identities_are_made_by_their_makers_only() -> None:
    for kind in (Identity, PublicIdentity):
        with pytest.raises(TypeError, match='makes these'):
            kind(bytes(32))


def test_fingerprints_are_for_people() -> None:
    assert ALICE.public.fingerprint != BOB.public.fingerprint
    assert len(ALICE.public.fingerprint) == 19
    assert ALICE.public.fingerprint.count('-') == 3


def test_only_the_systems_generator_drives_a_real_peer() -> None:
    class Cheat(Entropy):
        def draw(self, count: int) -> bytes:
            return bytes(count)

    assert require_system(SYSTEM) is SYSTEM
    for wrong in (SeededEntropy(b'seed'), Cheat()):
        assert require_entropy(wrong) is wrong
        with pytest.raises(SealingError, match='system only'):
            require_system(wrong)
    with pytest.raises(SealingError, match='no source'):
        create_keys(entropy=random.Random(1))  # type: ignore[arg-type]
    assert len(SystemEntropy().draw(33)) == 33
    assert SYSTEM.draw(32) != SYSTEM.draw(32)


def test_seeded_entropy_is_one_stream() -> None:
    whole, parts = SeededEntropy(b'x'), SeededEntropy(b'x')
    assert whole.draw(100) == parts.draw(1) + parts.draw(64) + parts.draw(0) + parts.draw(35)
    assert 'x' not in repr(whole)
