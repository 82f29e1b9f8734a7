"""A cluster: who shares its secret belongs to it.

The secret is 32 bytes and never on the wire. From it come, under separate labels, the cluster's id (which stands in
every packet, and tells nothing of the secret: F23) and its first key. A message to nobody in particular is sealed with
the cluster's current key.

Keys rotate. A new key is random, so that who has the secret and old keys cannot compute it; it travels in a sealed
message to each member who shall go on. Who cannot fetch it reads nothing newer, and opens no direct stream. Only
identities that the app has named *keepers* may rotate: anybody could cut the cluster in two otherwise.

A key has a life: from ``since`` (its messages bear that time or later) until ``until``. After that it neither opens old
messages nor seals new ones, and it is forgotten. That is the seed's expiry of data: what was not fetched in time stays
unreadable. Rotation limits who reads, not who writes: a message is judged by its sender's signature.

What a watcher of the network can tell, by design: that packets of one cluster belong together, which key (by a random
number) sealed a message, and which identities are written to. Not who writes, not what, not who listens.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, Never, final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from socket_runtime.p2p import _cbor
from socket_runtime.p2p.entropy import SYSTEM, Entropy, require_entropy
from socket_runtime.p2p.errors import BadRecord, SealingError, UnknownKeyError
from socket_runtime.p2p.keys import PublicIdentity, derive, label

__all__ = [
    'KEYS_MAX',
    'KEY_BYTES',
    'KEY_ID_BYTES',
    'NAME_MAX_BYTES',
    'ROTATION_EVENT',
    'SECRET_BYTES',
    'Cluster',
    'ClusterKey',
    'ClusterKeys',
]

SECRET_BYTES: Final = 32
KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8
NAME_MAX_BYTES: Final = 256
KEYS_MAX: Final = 64
"""Keys of one cluster that are kept, the newest; a keeper who rotates in a loop fills no more (F26)."""
EPOCH_MAX: Final = 2**32 - 1
ROTATION_EVENT: Final = ':cluster.key'
"""The event of the message that brings the next key. Apps' own events do not begin with a colon."""

# scrypt (RFC 7914): 16 MiB and some 30 ms for each guess of a name, once for us.
_NAME_N: Final = 1 << 14
_NEVER: Final = 0


@final
class Cluster:
    """A cluster's secret and id. Made by `create`, `from_name` or `from_secret`.

    Attributes:
        id: 32 bytes, in every packet.
    """

    __slots__ = ('_secret', 'id')

    def __init__(self, *args: Never, **kwargs: Never) -> None:
        raise TypeError('Cluster.create(), Cluster.from_name(name) or Cluster.from_secret(secret) makes these')

    id: bytes
    _secret: bytes

    @classmethod
    def create(cls, entropy: Entropy = SYSTEM) -> Cluster:
        """A cluster that nobody knows yet."""
        return cls.from_secret(require_entropy(entropy).draw(SECRET_BYTES))

    @classmethod
    def from_name(cls, name: str) -> Cluster:
        """The cluster of a name: who knows or guesses the name belongs to it.

        Raises:
            SealingError: the name is empty, too long, or no Unicode.
        """
        try:
            text = unicodedata.normalize('NFC', name).encode('utf-8')
        except UnicodeEncodeError:
            text = b''
        if not 0 < len(text) <= NAME_MAX_BYTES:
            raise SealingError(f'the name of a cluster is 1 to {NAME_MAX_BYTES} bytes of UTF-8')
        salt = label(b'cluster name')
        return cls.from_secret(hashlib.scrypt(text, salt=salt, dklen=SECRET_BYTES, n=_NAME_N, r=8, p=1))

    @classmethod
    def from_secret(cls, secret: bytes) -> Cluster:
        """The cluster of a secret of 32 bytes.

        Raises:
            SealingError: the secret is not 32 bytes.
        """
        if type(secret) is not bytes or len(secret) != SECRET_BYTES:
            raise SealingError(f'the secret of a cluster is {SECRET_BYTES} bytes')
        cluster = object.__new__(cls)
        cluster._secret = secret
        cluster.id = derive(secret, b'cluster id')
        return cluster

    def first_key(self) -> ClusterKey:
        """The key of epoch 0, which everybody in the cluster has, without end."""
        return ClusterKey(0, derive(self._secret, b'cluster key', context=self.id))

    def reveal_secret(self) -> bytes:
        """The secret itself: who has it belongs to the cluster. For the keyring, and for invitations."""
        return self._secret

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cluster) and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f'Cluster({self.id.hex()[:16]})'

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError('a cluster is neither pickled nor copied; use reveal_secret() and from_secret()')


@final
class ClusterKey:
    """One key of a cluster.

    Args:
        epoch: its number, 0 for the first.
        key: 32 bytes.
        since: ms since 1970; messages that it sealed bear this time or a later one.
        until: ms since 1970, or 0: from then on it opens and seals nothing.

    Attributes:
        id: 8 bytes that tell this key from others on the wire, and nothing about it.
    """

    __slots__ = ('_key', 'epoch', 'id', 'since', 'until')

    def __init__(self, epoch: int, key: bytes, since: int = 0, until: int = _NEVER) -> None:
        if len(key) != KEY_BYTES or not 0 <= epoch <= EPOCH_MAX or since < 0 or 0 != until <= since:
            raise SealingError('no key of a cluster')
        self.epoch = epoch
        self.since = since
        self.until = until
        self._key = key
        self.id = derive(key, b'cluster key id', KEY_ID_BYTES)

    def lives(self, now_ms: int) -> bool:
        """Whether it may still be used."""
        return self.until == _NEVER or now_ms < self.until

    def one_time(self, salt: bytes) -> ChaCha20Poly1305:
        """The cipher of one message: its key is derived with the message's own random salt, so nonces never meet."""
        return ChaCha20Poly1305(derive(self._key, b'cluster message', salt=salt))

    def derive(self, purpose: bytes) -> bytes:
        """A further secret that lives as long as this key (for direct streams)."""
        return derive(self._key, purpose)

    def to_value(self) -> dict[str, Any]:
        """What the message that brings this key carries. Secret."""
        return {'epoch': self.epoch, 'key': self._key, 'since': self.since, 'until': self.until}

    def __repr__(self) -> str:
        return f'ClusterKey(epoch={self.epoch}, id={self.id.hex()})'

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError('a key is neither pickled nor copied')


class ClusterKeys:
    """The keys of one cluster that this device has.

    Args:
        cluster: the cluster.
        keepers: ids of the identities that may rotate its key; none by default.
    """

    __slots__ = ('_epoch', '_keys', 'cluster', 'keepers')

    def __init__(self, cluster: Cluster, keepers: frozenset[bytes] = frozenset()) -> None:
        self.cluster = cluster
        self.keepers = keepers
        first = cluster.first_key()
        self._keys: dict[bytes, ClusterKey] = {first.id: first}
        self._epoch = first.epoch  # the highest ever, also when its key is forgotten

    def current(self, now_ms: int) -> ClusterKey:
        """The newest key that has begun and lives: what is sealed now is sealed with it.

        Raises:
            UnknownKeyError: all have ended; the next one is still to come.
        """
        usable = [key for key in self._keys.values() if key.lives(now_ms) and key.since <= now_ms]
        if not usable:
            raise UnknownKeyError('every key of this cluster has ended', hint='Wait for the message with the next one.')
        return max(usable, key=_newness)

    def find(self, key_id: bytes, now_ms: int) -> ClusterKey | None:
        """The key of this id, if it is known and lives."""
        key = self._keys.get(key_id)
        return key if key is not None and key.lives(now_ms) else None

    def rotate(
        self, now_ms: int, *, since: int | None = None, until: int = _NEVER, entropy: Entropy = SYSTEM
    ) -> ClusterKey:
        """Make the next key and use it from ``since`` (now, if left out).

        Seal ``key.to_value()`` as event `ROTATION_EVENT` to each member that shall go on, and to nobody else.

        Raises:
            SealingError: ``until`` is not after ``since``.
        """
        begin = now_ms if since is None else since
        key = ClusterKey(self._epoch + 1, require_entropy(entropy).draw(KEY_BYTES), begin, until)
        self._add(key, now_ms)
        return key

    def accept(self, sender: PublicIdentity, value: Any, now_ms: int) -> ClusterKey:
        """Take the value of an opened message with the event `ROTATION_EVENT`.

        Raises:
            BadRecord: the sender is no keeper, or the value is no key of a later epoch that lives.
        """
        if sender.id not in self.keepers:
            raise BadRecord('keeper')
        key = _key_of(value)
        # One step at a time would not do: whoever was away for two rotations gets the last key only.
        if key.epoch == 0 or not key.lives(now_ms):
            raise BadRecord('epoch')
        return self._keys[key.id] if key.id in self._keys else self._add(key, now_ms)

    def end(self, key_id: bytes, until: int) -> None:
        """Give a key an end, for example the first one, some days after a rotation.

        Raises:
            UnknownKeyError: there is no such key.
        """
        key = self._keys.get(key_id)
        if key is None:
            raise UnknownKeyError('this cluster has no such key')
        self._keys[key_id] = ClusterKey(key.epoch, key._key, key.since, until)

    def forget_ended(self, now_ms: int) -> int:
        """Drop the keys that have ended; returns how many. What they sealed is unreadable from now on."""
        ended = [key.id for key in self._keys.values() if not key.lives(now_ms)]
        for key_id in ended:
            del self._keys[key_id]
        return len(ended)

    def reveal(self) -> bytes:
        """All keys with their times, to be kept over a restart. Secret, as the cluster's secret is."""
        return _cbor.encode([self._epoch, [key.to_value() for key in self]])

    @classmethod
    def restored(cls, cluster: Cluster, data: bytes, keepers: frozenset[bytes] = frozenset()) -> ClusterKeys:
        """What `reveal` gave. The first key is among them only if it was.

        Raises:
            SealingError: the bytes are nothing that `reveal` gives.
        """
        keys = cls(cluster, keepers)
        try:
            epoch, values = _cbor.decode(data)
            found = [_key_of(value) for value in values]
        except (BadRecord, TypeError, ValueError):
            raise SealingError('these bytes are no keys of a cluster') from None
        if type(epoch) is not int:
            raise SealingError('these bytes are no keys of a cluster')
        keys._keys = {key.id: key for key in found[-KEYS_MAX:]}
        keys._epoch = max([epoch, *(key.epoch for key in found)])
        return keys

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[ClusterKey]:
        return iter(sorted(self._keys.values(), key=_newness))

    def __repr__(self) -> str:
        return f'ClusterKeys({self.cluster!r}, {len(self._keys)} keys)'

    def _add(self, key: ClusterKey, now_ms: int) -> ClusterKey:
        self._keys[key.id] = key
        self._epoch = max(self._epoch, key.epoch)
        if len(self._keys) > KEYS_MAX:
            self.forget_ended(now_ms)
        while len(self._keys) > KEYS_MAX:
            del self._keys[min(self._keys.values(), key=_newness).id]
        return key


def _key_of(value: Any) -> ClusterKey:
    """The key that `ClusterKey.to_value` wrote."""
    if not isinstance(value, dict) or value.keys() != {'epoch', 'key', 'since', 'until'}:
        raise BadRecord('form')
    numbers = (value['epoch'], value['since'], value['until'])
    if any(type(number) is not int for number in numbers) or type(value['key']) is not bytes:
        raise BadRecord('form')
    try:
        return ClusterKey(value['epoch'], value['key'], value['since'], value['until'])
    except SealingError:
        raise BadRecord('form') from None


def _newness(key: ClusterKey) -> tuple[int, bytes]:
    # Keepers who rotate at once agree by the lower id.
    return key.epoch, bytes(255 - byte for byte in key.id)
