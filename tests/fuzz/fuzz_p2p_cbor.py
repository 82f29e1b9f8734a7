"""CBOR: only ``ValueError``, and what is read is written the same.

Invariant: ``decode`` raises nothing but ``ValueError``; the value that it gives encodes to the very bytes that were
read, so no two byte strings mean one value.
"""

from __future__ import annotations

from socket_runtime.p2p import _cbor
from tests.fuzz.runner import main
from tests.p2p.test_cbor import EXAMPLES, REFUSED

CORPUS = [bytes.fromhex(text) for text in (*(text for _, text in EXAMPLES), *REFUSED.values())]
DICTIONARY = [bytes((first,)) for first in range(0, 256, 8)] + [b'\x81' * 40, b'\xa1\x61a' * 40, b'\xff' * 8]


def fuzz_one(data: bytes) -> None:
    """One value, and one map of fields."""
    try:
        value = _cbor.decode(data)
    except ValueError:
        pass
    else:
        assert _cbor.encode(value) == data
    keys = frozenset(range(1, 1 + (data[0] & 7 if data else 0)))
    try:
        fields = _cbor.decode_fields(data, keys)
    except ValueError:
        return
    assert fields.keys() == keys
    assert _cbor.encode_fields(fields) == data


if __name__ == '__main__':
    main(fuzz_one, CORPUS, DICTIONARY)
