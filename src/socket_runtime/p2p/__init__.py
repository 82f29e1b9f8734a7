"""Peers that find, reach and remember each other, and can trust what they are told: Stream Relay.

The network is made of strangers. A packet passes through devices of people who have nothing to do with it, lies there
for days, and comes back in pieces, out of order, twice, or changed. So this room has one question for everything that
it is handed: *what would it mean if whoever sent this were my worst enemy?* The core has answered a part of it: a
packet is well-formed, and its id is the hash of what it says. Here begins what only the ends of the way can know.

Who somebody is
    An identity is a key pair and nothing else; a device has one, a group of devices has one (`keys`, `group`). There is
    no registry. That an id is a certain person is for people to say to each other, by comparing fingerprints.

Who belongs together
    A cluster is whoever shares a secret (`cluster`). Its id, its keys and the gate of its direct streams are derived
    from the secret under separate labels; its keys rotate, and who is not given the next one reads nothing newer.

What is said
    A message is signed by its sender over its content *and its place* (cluster, recipient, causal parent), then sealed
    to the recipient (`seal`, `schemes`). The app gets what opened, verified, is in time and is new (`replay`), or
    nothing at all, and never a reason. Between two peers that are both there, one exchange of one-time keys
    (`handshake`) makes a stream whose datagrams cost microseconds (`session`).

To whom it is said
    People have several devices, and change them. A group's record, which every member has signed, lets a conversation
    move from the device that was met to all devices of its owner (`directory`).

How it is built
    Without input or output. Time and random bytes are arguments (`entropy`), bytes go in and come out, and nothing
    here sleeps, opens a socket, or knows a path. What fails is of one of two families (`errors`): a `SealingError` is
    ours to mend, a `PeerError` is somebody else's doing and has a penalty. Secrets have no repr, no pickle, no copy.
    What is signed has one spelling (`_cbor`). Every limit has a name, and says which attack it is for.

``cryptography`` is imported when the first of these names is used, and not before: an app without peers pays nothing.
It is in the extra ``socket-runtime[p2p]``.

    >>> from socket_runtime.p2p import Cluster, ClusterKeys, Sealer, create_keys
    >>> keys = ClusterKeys(Cluster.create())
    >>> alice, bob = create_keys(), create_keys()
    >>> sealed = Sealer(alice, keys).seal('greeting', 'hello', now_ms=1_000, to=bob.public)
    >>> Sealer(bob, keys).open(sealed, now_ms=2_000, to=bob.id, previous_id=bytes(32)).value
    'hello'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socket_runtime.p2p.cluster import Cluster, ClusterKey, ClusterKeys
    from socket_runtime.p2p.directory import Conversation, GroupDirectory
    from socket_runtime.p2p.entropy import SYSTEM, Entropy
    from socket_runtime.p2p.errors import (
        BadHandshake,
        BadRecord,
        CryptographyError,
        NotOpened,
        NotReceived,
        PeerError,
        SealingError,
        UnknownKeyError,
    )
    from socket_runtime.p2p.group import GroupRecord, Member, authorise, make_record, read_record
    from socket_runtime.p2p.handshake import Initiator, Responder
    from socket_runtime.p2p.keys import Identity, PublicIdentity, create_keys, public_identity
    from socket_runtime.p2p.schemes import HPKE, HpkeScheme, HybridScheme, Scheme
    from socket_runtime.p2p.seal import Opened, Sealer
    from socket_runtime.p2p.session import Session

_HOMES = {
    'BadHandshake': 'errors',
    'BadRecord': 'errors',
    'Cluster': 'cluster',
    'ClusterKey': 'cluster',
    'ClusterKeys': 'cluster',
    'Conversation': 'directory',
    'CryptographyError': 'errors',
    'Entropy': 'entropy',
    'GroupDirectory': 'directory',
    'GroupRecord': 'group',
    'HPKE': 'schemes',
    'HpkeScheme': 'schemes',
    'HybridScheme': 'schemes',
    'Identity': 'keys',
    'Initiator': 'handshake',
    'Member': 'group',
    'NotOpened': 'errors',
    'NotReceived': 'errors',
    'Opened': 'seal',
    'PeerError': 'errors',
    'PublicIdentity': 'keys',
    'Responder': 'handshake',
    'SYSTEM': 'entropy',
    'Scheme': 'schemes',
    'Sealer': 'seal',
    'SealingError': 'errors',
    'Session': 'session',
    'UnknownKeyError': 'errors',
    'authorise': 'group',
    'create_keys': 'keys',
    'make_record': 'group',
    'public_identity': 'keys',
    'read_record': 'group',
}

__all__ = [
    'HPKE',
    'SYSTEM',
    'BadHandshake',
    'BadRecord',
    'Cluster',
    'ClusterKey',
    'ClusterKeys',
    'Conversation',
    'CryptographyError',
    'Entropy',
    'GroupDirectory',
    'GroupRecord',
    'HpkeScheme',
    'HybridScheme',
    'Identity',
    'Initiator',
    'Member',
    'NotOpened',
    'NotReceived',
    'Opened',
    'PeerError',
    'PublicIdentity',
    'Responder',
    'Scheme',
    'Sealer',
    'SealingError',
    'Session',
    'UnknownKeyError',
    'authorise',
    'create_keys',
    'make_record',
    'public_identity',
    'read_record',
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    import importlib

    try:
        value = getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)
    except ModuleNotFoundError as error:
        if (error.name or '').partition('.')[0] != 'cryptography':
            raise
        from socket_runtime.p2p.errors import CryptographyError

        raise CryptographyError('peers need the package cryptography', hint='pip install socket-runtime[p2p]') from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
