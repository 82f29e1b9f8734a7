"""The ways to seal: RFC 9180's own vector, a second implementation, and nothing but `None` for what does not open."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric import mlkem
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from socket_runtime.p2p.errors import BadRecord, CryptographyError, SealingError, UnknownKeyError
from socket_runtime.p2p.keys import public_identity
from socket_runtime.p2p.schemes import HPKE, HpkeScheme, HybridScheme, Scheme
from tests.p2p import reference
from tests.p2p.support import ALICE, BOB, CAROL, MALLORY, flipped
from tests.p2p.test_keys import BASE, SMALL

# RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode; the first encryption.
A_2_1 = {
    'private': '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
    'public': '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
    'enc': '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
    'shared_secret': '0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7',
    'info': '4f6465206f6e2061204772656369616e2055726e',
    'aad': '436f756e742d30',
    'ciphertext': '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
    'plaintext': '4265617574792069732074727574682c20747275746820626561757479',
}
V = {name: bytes.fromhex(text) for name, text in A_2_1.items()}
RECIPIENT = X25519PrivateKey.from_private_bytes(V['private'])
HYBRID = HybridScheme()
HYBRID.learn(BOB.public, HYBRID.key_record(BOB))
SCHEMES: list[Any] = [HPKE, HYBRID]


def test_rfc_9180_a_2_1() -> None:
    assert RECIPIENT.public_key().public_bytes_raw() == V['public']
    # The public API of `cryptography` takes no AAD, as the RFC advises; its own tests of this vector use this way.
    decrypt = openssl.hpke._decrypt_with_aad
    assert decrypt(HpkeScheme._SUITE, V['enc'] + V['ciphertext'], RECIPIENT, V['info'], V['aad']) == V['plaintext']


def test_the_reference_in_the_tests_agrees_with_the_rfc() -> None:
    assert reference.decap_x25519(V['enc'], RECIPIENT) == V['shared_secret']
    found = reference.open_x25519(V['enc'] + V['ciphertext'], RECIPIENT, V['info'], V['aad'])
    assert found == V['plaintext']


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_the_reference_opens_what_hpke_sealed(plaintext: bytes, info: bytes) -> None:
    sealed = HPKE.seal(plaintext, BOB.public, info)
    assert reference.open_x25519(sealed, BOB.exchange_key, info) == plaintext


def test_the_reference_opens_what_the_hybrid_scheme_sealed() -> None:
    sealed = HYBRID.seal(b'plaintext', BOB.public, b'info')
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(BOB.derive(b'hybrid ml-kem-768', 64))
    curve = X25519PrivateKey.from_private_bytes(BOB.derive(b'hybrid x25519'))
    shared = reference.decap_xwing(sealed[:1120], lattice, curve)
    assert reference.open_base(shared, 0x647A, sealed[1120:], b'info') == b'plaintext'


@pytest.mark.parametrize('scheme', SCHEMES, ids=lambda scheme: type(scheme).__name__)
class TestEveryScheme:
    def test_opens_for_the_recipient_and_nobody_else(self, scheme: Scheme) -> None:
        sealed = scheme.seal(b'plaintext', BOB.public, b'info')
        assert scheme.open(sealed, BOB, b'info') == b'plaintext'
        assert scheme.open(sealed, MALLORY, b'info') is None
        assert scheme.open(sealed, BOB, b'Info') is None
        assert scheme.open(sealed, BOB, b'') is None

    def test_adds_what_it_says(self, scheme: Scheme) -> None:
        for size in (0, 1, 960, 100_000):
            assert len(scheme.seal(bytes(size), BOB.public, b'')) == size + scheme.overhead

    def test_never_seals_alike(self, scheme: Scheme) -> None:
        assert scheme.seal(b'x', BOB.public, b'') != scheme.seal(b'x', BOB.public, b'')

    def test_refuses_every_changed_bit(self, scheme: Scheme) -> None:
        sealed = scheme.seal(b'', BOB.public, b'info')
        # Bit 255 of an X25519 key is ignored by RFC 7748, but not by the key schedule.
        step = 1 if len(sealed) < 100 else 37
        assert all(scheme.open(flipped(sealed, bit), BOB, b'info') is None for bit in range(0, len(sealed) * 8, step))

    def test_refuses_every_length(self, scheme: Scheme) -> None:
        sealed = scheme.seal(b'plaintext', BOB.public, b'info')
        for end in (0, 1, 15, 31, 32, 47, 48, len(sealed) - 1):
            assert scheme.open(sealed[:end], BOB, b'info') is None
        assert scheme.open(sealed + b'\0', BOB, b'info') is None

    @given(data=st.binary(max_size=1300))
    def test_refuses_any_bytes(self, scheme: Scheme, data: bytes) -> None:
        assert scheme.open(data, BOB, b'') is None

    def test_refuses_one_time_keys_of_small_order(self, scheme: Scheme) -> None:
        for point in (bytes(32), b'\1' + bytes(31)):
            assert scheme.open(point + bytes(16), BOB, b'') is None
            assert scheme.open(bytes(1088) + point + bytes(16), BOB, b'') is None


def test_nothing_is_sealed_to_an_id_that_nobody_can_have() -> None:
    mixed = public_identity(reference.spelt(reference.add(BASE, SMALL[1])))
    with pytest.raises(SealingError, match='nobody'):
        HPKE.seal(b'', mixed, b'')


def test_a_hybrid_key_has_to_be_known_and_signed_by_its_owner() -> None:
    scheme = HybridScheme()
    with pytest.raises(UnknownKeyError, match='not known'):
        scheme.seal(b'', CAROL.public, b'')
    record = scheme.key_record(CAROL)
    assert len(record) == scheme.RECORD_BYTES == 1280
    assert record == HybridScheme().key_record(CAROL)
    with pytest.raises(BadRecord, match='signature'):
        scheme.learn(ALICE.public, record)
    for bit in range(0, len(record) * 8, 97):
        with pytest.raises(BadRecord, match='signature'):
            scheme.learn(CAROL.public, flipped(record, bit))
    for wrong in (b'', record[:-1], record + b'\0'):
        with pytest.raises(BadRecord, match='form'):
            scheme.learn(CAROL.public, wrong)
    assert not scheme.knows(CAROL.public)
    scheme.learn(CAROL.public, record)
    assert scheme.knows(CAROL.public)
    assert scheme.open(scheme.seal(b'x', CAROL.public, b''), CAROL, b'') == b'x'


def test_a_hybrid_key_of_nonsense_is_refused_although_signed() -> None:
    # ML-KEM's coefficients are below 3329 (FIPS 203, 7.2).
    key = b'\xff' * 1184 + bytes(32)
    with pytest.raises(BadRecord, match='key'):
        HYBRID.learn(MALLORY.public, key + MALLORY.sign(b'hybrid key', key))
    # Good coefficients with a curve point of small order: nothing can be sealed to it, and nothing breaks.
    key = HYBRID.key_record(MALLORY)[:1184] + bytes(32)
    HYBRID.learn(MALLORY.public, key + MALLORY.sign(b'hybrid key', key))
    with pytest.raises(SealingError, match='cannot be used'):
        HYBRID.seal(b'', MALLORY.public, b'')


def test_learnt_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HybridScheme, 'LEARNT_MAX', 2)
    scheme = HybridScheme()
    for each in (ALICE, BOB):
        scheme.learn(each.public, scheme.key_record(each))
    scheme.seal(b'', ALICE.public, b'')
    scheme.learn(CAROL.public, scheme.key_record(CAROL))
    assert [scheme.knows(each.public) for each in (ALICE, BOB, CAROL)] == [True, False, True]


def test_without_ml_kem_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(seed: bytes) -> None:
        from cryptography.exceptions import UnsupportedAlgorithm

        raise UnsupportedAlgorithm('no')

    monkeypatch.setattr(mlkem, 'MLKEM768PrivateKey', type('Missing', (), {'from_seed_bytes': missing}))
    with pytest.raises(CryptographyError, match='>=48'):
        HybridScheme()


def test_schemes_are_pluggable() -> None:
    with pytest.raises(TypeError, match='abstract'):
        Scheme()  # type: ignore[abstract]
