"""The relay's values, and the mistakes that its caller can make."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from socket_core import FANOUT_MAX, NEAREST_MAX, PING, Delivery, Offender, RelayStats, Send, parse
from socket_core._address import Address
from socket_core._relay import (
    BLOCKED_MAX,
    CHECKED,
    DEFAULT_ACTIONS,
    DO_CACHE,
    DO_DELIVER,
    DO_DELIVER_OWN,
    IDS_MAX,
    PEER_IDS_MAX,
    PEERS_MAX,
    Limits,
    Relay,
    RelayPeer,
)
from tests.core.relay_parts import (
    OURS,
    STRANGER,
    THEIRS,
    U32_MAX,
    US,
    address,
    flags_of,
    packet,
    peer,
    relay_with,
)

# ---- Mistakes


@pytest.mark.parametrize(
    ('values', 'error'),
    [
        ({'fanout': 5}, ValueError),
        ({'fanout': -1}, ValueError),
        ({'nearest': 0}, ValueError),
        ({'nearest': 65}, ValueError),
        ({'max_hops': 17}, ValueError),
        ({'seen_bytes': 8191}, ValueError),
        ({'seen_bytes': 2**26 + 1}, ValueError),
        ({'key': bytes(15)}, ValueError),
        ({'key': 'sixteen letters.'}, TypeError),
        ({'fanout': '3'}, TypeError),
        ({'cache': {}}, TypeError),
    ],
)
def test_numbers_out_of_range(values: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Relay(**values)


@pytest.mark.parametrize(
    ('items', 'error'),
    [
        ([b'data'], TypeError),
        ([(b'data',)], TypeError),
        ([(bytearray(200), STRANGER)], TypeError),
        ([(b'data', '192.0.2.1:9')], TypeError),
        ([(b'data', ('nonsense', 9))], ValueError),
        ([(b'data', ('192.0.2.1', 65_536))], ValueError),
        (None, TypeError),
    ],
)
@pytest.mark.parametrize('before', [0, 100])
def test_where_one_is_no_datagram_none_is_looked_at(items: Any, error: type[Exception], before: int) -> None:
    relay = relay_with()
    with pytest.raises(error):
        relay.receive(items if items is None else [(packet(), STRANGER)] * before + items, 1.0)
    assert relay.stats.received == 0


@pytest.mark.parametrize('now', [-1.0, float('nan'), float('inf'), 1e300])
def test_time_is_seconds(now: float) -> None:
    relay = relay_with()
    for call in (lambda: relay.receive([], now), lambda: relay.tick(now), lambda: relay.publish(parse(packet()), now)):
        with pytest.raises(ValueError, match='now'):
            call()
    with pytest.raises(TypeError):
        relay.tick('now')


@pytest.mark.parametrize('name', ['set_clusters', 'set_identities'])
@pytest.mark.parametrize(
    ('ids', 'error'), [([bytes(31)], ValueError), ([bytes(33)], ValueError), (['x' * 32], TypeError), (7, TypeError)]
)
def test_ids_of_another_kind(name: str, ids: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        getattr(relay_with(), name)(ids)


def test_tables_have_limits_and_the_old_one_holds() -> None:
    relay = relay_with(peers=1)
    many = [RelayPeer((f'10.{number >> 8}.{number & 255}.1', 1)) for number in range(PEERS_MAX + 1)]
    ids = [number.to_bytes(32, 'big') for number in range(PEER_IDS_MAX + 1)]
    with pytest.raises(ValueError, match='4096'):
        relay.set_peers(many)
    with pytest.raises(ValueError, match='65536'):
        relay.set_peers([peer(2, clusters=ids[:40_000]), peer(3, identities=ids[40_000:])])
    with pytest.raises(ValueError, match='one address'):
        relay.set_peers([peer(2), peer(3), peer(2)])
    with pytest.raises(ValueError, match='4096'):
        relay.set_clusters(ids[: IDS_MAX + 1])
    with pytest.raises(ValueError, match='4096'):
        relay.set_identities(ids[: IDS_MAX + 1])
    with pytest.raises(ValueError, match='65536'):
        relay.set_blocked([Address('192.0.2.1', port) for port in range(65_536)] + [STRANGER])
    for wrong in ([STRANGER], ['peer'], [None]):
        with pytest.raises(TypeError, match='RelayPeer'):
            relay.set_peers(wrong)
    sends, deliveries = relay.receive([(packet(cluster=OURS), STRANGER)], 1.0)
    assert [send.address for send in sends] == [address(1)] and len(deliveries) == 1
    # And up to the limit they work.
    relay.set_clusters(ids[:IDS_MAX])
    relay.set_peers([*many[1:-1], peer(1, clusters=ids[: PEER_IDS_MAX // 2], identities=ids[PEER_IDS_MAX // 2 : -1])])
    relay.set_blocked([Address('192.0.2.99', port) for port in range(BLOCKED_MAX)])
    for number in (1, 2, 20_000, 32_767):
        sends, deliveries = relay.receive([(packet(number, cluster=ids[number]), STRANGER)], 1.0)
        assert sends[0].address == address(1) and len(deliveries) == (number < IDS_MAX)
    assert relay.stats.used_bytes < 16 * 2**20


@pytest.mark.parametrize(
    ('actions', 'error'),
    [
        ({0: 1}, ValueError),
        ({11: 1}, ValueError),
        ({PING: 16}, ValueError),
        ({PING: -1}, ValueError),
        ({'1': 1}, TypeError),
    ],
)
def test_unknown_types_and_actions(actions: Any, error: type[Exception]) -> None:
    relay = relay_with()
    with pytest.raises(error):
        relay.set_actions(actions)
    assert flags_of(relay, packet(kind=PING)) == CHECKED


# ---- Values


def test_peers_are_values() -> None:
    one = RelayPeer(('192.0.2.1', 5), socket=2, forward=False, trusted=True, clusters=[OURS, THEIRS], identities={US})
    assert (one.address, one.socket, one.forward, one.trusted) == (Address('192.0.2.1', 5), 2, False, True)
    assert (one.clusters, one.identities) == ((OURS, THEIRS), (US,))
    same = pickle.loads(pickle.dumps(one))
    assert one == same == copy.deepcopy(one) and hash(one) == hash(same)
    assert one != RelayPeer(('192.0.2.1', 5)) and one != 'peer'
    assert (
        repr(one)
        == "RelayPeer(Address('192.0.2.1', 5), socket=2, forward=False, trusted=True, 2 clusters, 1 identities)"
    )
    with pytest.raises(AttributeError):
        one.forward = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ('values', 'error'),
    [
        ({'address': ('192.0.2.1', 0)}, ValueError),
        ({'address': 'here'}, TypeError),
        ({'socket': -1}, ValueError),
        ({'socket': U32_MAX}, ValueError),
        ({'socket': '1'}, TypeError),
        ({'clusters': [bytes(31)]}, ValueError),
        ({'identities': ['x' * 32]}, TypeError),
        ({'clusters': 5}, TypeError),
    ],
)
def test_what_is_no_peer(values: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        RelayPeer(**{'address': STRANGER, **values})


def test_limits_are_values() -> None:
    limits = Limits(stranger=(1, 2))
    assert limits.stranger == (1, 2) and limits.peer == Limits().peer
    assert limits == pickle.loads(pickle.dumps(limits)) != Limits() and hash(limits) == hash(Limits(stranger=(1, 2)))
    assert repr(limits).startswith('Limits(stranger=(1, 2), peer=(')
    for wrong, error in (
        ((1,), TypeError),
        ([1, 2], TypeError),
        ((-1, 2), ValueError),
        ((1, 2**32), ValueError),
        (5, TypeError),
    ):
        with pytest.raises(error):
            Limits(peer=wrong)
    with pytest.raises(TypeError):
        relay_with().set_limits(5)


def test_what_comes_out_is_named() -> None:
    relay = relay_with()
    sends, deliveries = relay.receive([(packet(cluster=OURS), STRANGER), (b'', STRANGER)], 1.0)
    data, where, socket = sends[0]
    assert (data, where, socket) == (sends[0].data, sends[0].address, sends[0].socket)
    assert pickle.loads(pickle.dumps(deliveries)) == deliveries
    assert (relay.stats.received, relay.stats.bytes) == (2, len(packet()))
    assert repr(deliveries[0]).startswith('socket_core._relay.Delivery(index=0, flags=15, id=')
    with pytest.raises(TypeError):
        DEFAULT_ACTIONS[PING] = DO_CACHE | DO_DELIVER | DO_DELIVER_OWN  # type: ignore[index]


def test_what_a_relay_answers_has_public_types() -> None:
    relay = relay_with()
    sends, deliveries = relay.receive([(packet(cluster=OURS), address(1)), (b'', address(2))], 1.0)
    assert sends and {type(send) for send in sends} == {Send}
    assert [type(delivery) for delivery in deliveries] == [Delivery]
    assert [type(offender) for offender in relay.offenders()] == [Offender]
    assert type(relay.stats) is RelayStats


def test_how_many_peers_are_chosen_has_limits() -> None:
    Relay(fanout=FANOUT_MAX, nearest=NEAREST_MAX)
    for values in ({'fanout': FANOUT_MAX + 1}, {'nearest': NEAREST_MAX + 1}):
        with pytest.raises(ValueError, match=next(iter(values))):
            Relay(**values)
