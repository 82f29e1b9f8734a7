"""The relay: what is cached, sent on, handed on and dropped, and to whom things go."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from socket_core import (
    GROUP,
    INTRO,
    NO_ID,
    PING,
    PONG,
    PUBLISH,
    QUERY,
    encode,
    parse,
)
from socket_core._address import Address
from socket_core._cache import CLUSTER, FOREIGN, KEPT, KNOWN, OWN, REFUSED, Cache
from socket_core._relay import (
    CACHED,
    CHECKED,
    DEFAULT_ACTIONS,
    DO_CACHE,
    DO_DELIVER,
    DO_DELIVER_OWN,
    DO_FORWARD,
    FORWARDED,
    HASHED,
    Relay,
    RelayPeer,
)
from tests.core.relay_model import hops_of, id_of, with_hops
from tests.core.relay_parts import (
    CONTROL,
    FRIEND,
    KEY,
    MEMBERS,
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

# ---- Types and deliveries


@pytest.mark.parametrize('kind', CONTROL)
def test_control_packets_are_handed_on_unhashed_as_often_as_they_come(kind: int) -> None:
    relay = relay_with()
    data = packet(kind=kind)
    for _ in range(2):
        sends, deliveries = relay.receive([(data, STRANGER), (data, STRANGER)], 1.0)
        assert sends == [] and deliveries == [(0, CHECKED, None), (1, CHECKED, None)]
    assert relay.stats.control == 4 and relay.stats.fresh == 0 and len(relay.cache) == 0


@pytest.mark.parametrize('kind', [PUBLISH, GROUP])
def test_packets_that_do_not_concern_us_are_only_relayed(kind: int) -> None:
    relay = relay_with()
    sends, deliveries = relay.receive([(packet(kind=kind), address(1))], 1.0)
    assert len(sends) == 3 and deliveries == []
    assert relay.cache.find(id_of(packet(kind=kind))).kind == FOREIGN


@pytest.mark.parametrize('values', [{'cluster': OURS}, {'to': US}, {'cluster': OURS, 'to': US}])
def test_packets_that_concern_us_are_handed_on_once(values: dict[str, Any]) -> None:
    relay = relay_with()
    data = packet(**values)
    sends, deliveries = relay.receive([(data, address(1))], 1.0)
    assert len(sends) == 3, 'it is relayed all the same'
    assert deliveries == [(0, CHECKED | HASHED | CACHED | FORWARDED, id_of(data))]
    assert relay.cache.find(id_of(data)).kind == CLUSTER
    assert relay.receive([(data, address(2))], 1.0) == ([], [])


def test_to_nobody_is_not_to_us() -> None:
    relay = relay_with()
    relay.set_identities([NO_ID])
    relay.set_peers([peer(1), *(peer(number, identities=[NO_ID]) for number in range(2, 9))])
    assert flags_of(relay, packet(to=NO_ID)) is None


def test_flags_say_what_was_done() -> None:
    data = packet(cluster=OURS)
    assert flags_of(relay_with(peers=0), data) == CHECKED | HASHED | CACHED
    lone = Relay(key=KEY)
    lone.set_clusters([OURS])
    assert lone.cache is None
    assert flags_of(lone, data) == CHECKED | HASHED
    lone.set_peers([peer(2)])
    assert flags_of(lone, packet(1, cluster=OURS)) == CHECKED | HASHED | FORWARDED
    assert flags_of(relay_with(), packet(cluster=OURS, hops=16)) == CHECKED | HASHED | CACHED


def test_what_is_done_with_a_type_can_be_set() -> None:
    relay = relay_with()
    relay.set_actions({PUBLISH: DO_FORWARD, GROUP: DO_CACHE | DO_DELIVER, PING: DO_DELIVER_OWN, PONG: 0})
    batch = [
        packet(kind=kind, cluster=cluster) for kind in (PUBLISH, GROUP, PING, PONG, INTRO) for cluster in (OURS, THEIRS)
    ]
    sends, deliveries = relay.receive([(data, address(1)) for data in batch], 1.0)
    assert Counter(send.data[0] for send in sends) == {PUBLISH: 6}
    assert [delivery[:2] for delivery in deliveries] == [
        (2, CHECKED | HASHED | CACHED),
        (3, CHECKED | HASHED | CACHED),
        (4, CHECKED | HASHED),
    ]
    assert len(relay.cache) == 2 and relay.stats.ignored == 4
    relay.set_actions(DEFAULT_ACTIONS)
    assert flags_of(relay, packet(1, cluster=OURS)) == CHECKED | HASHED | CACHED | FORWARDED


def test_deliveries_come_in_the_order_of_the_datagrams_however_many() -> None:
    relay = relay_with()
    kinds = [PUBLISH, PING, GROUP, QUERY]
    batch = [(packet(number, kind=kinds[number % 4], cluster=OURS), address(1)) for number in range(1000)]
    sends, deliveries = relay.receive(batch, 1.0)
    assert [delivery.index for delivery in deliveries] == list(range(1000))
    assert len(sends) == 1500 and relay.stats.received == 1000
    assert [delivery.id for delivery in deliveries[::2]] == [id_of(data) for data, _ in batch[::2]]


@pytest.mark.parametrize('count', [0, 1, 2, 63, 64, 65, 128, 129])
def test_batches_of_any_length(count: int) -> None:
    relay = relay_with()
    sends, deliveries = relay.receive([(packet(number), address(number % 9 + 1)) for number in range(count)], 1.0)
    assert (len(sends), len(deliveries), relay.stats.fresh) == (3 * count, 0, count)


# ---- Seen and cached


def test_copies_are_duplicates_in_one_batch_and_in_the_next() -> None:
    relay = relay_with()
    one, other = packet(1, cluster=OURS), packet(2, cluster=OURS)
    sends, deliveries = relay.receive(
        [(one, address(1)), (one, address(2)), (other, address(3)), (one, address(1))], 1.0
    )
    assert [send.data for send in sends] == [with_hops(one, 2)] * 3 + [with_hops(other, 2)] * 3
    assert [delivery.index for delivery in deliveries] == [0, 2]
    assert relay.receive([(other, address(4))], 2.0) == ([], [])
    assert (relay.stats.fresh, relay.stats.duplicate) == (2, 3)


@pytest.mark.parametrize('later', [False, True])
def test_the_cache_notes_the_fewest_hops(later: bool) -> None:
    relay = relay_with()
    copies = [with_hops(packet(), hops) for hops in (5, 9, 2, 7)]
    for batch in [[data] for data in copies] if later else [copies]:
        relay.receive([(data, address(1)) for data in batch], 1.0)
    assert relay.cache.find(id_of(packet())).hops == 2
    assert relay.stats.cached == 1 and relay.stats.duplicate == 3


def test_a_copy_does_not_bring_back_what_the_cache_has_dropped() -> None:
    relay = relay_with()
    relay.receive([(packet(), address(1))], 1.0)
    assert relay.cache.remove(id_of(packet()))
    relay.receive([(packet(), address(2))], 1.0)
    assert len(relay.cache) == 0 and relay.stats.duplicate == 1


def test_what_the_cache_has_is_no_news_even_if_the_relay_never_saw_it() -> None:
    """An Answer's packets are put into the cache by hand."""
    relay = relay_with()
    relay.cache.insert(parse(packet(cluster=OURS)), now=0.5)
    for _ in range(2):
        assert relay.receive([(packet(cluster=OURS), address(1))], 1.0) == ([], [])
    assert relay.stats.duplicate == 2


def test_what_the_cache_refuses_is_relayed_all_the_same() -> None:
    relay = relay_with(cache=Cache(256 * 1024, key=KEY))
    own = [parse(packet(number, cluster=OURS, message=bytes(1000))) for number in range(2000)]
    outcomes = [relay.publish(each, 1.0)[0] for each in own]
    assert outcomes[0] == KEPT and outcomes[-1] == REFUSED
    refused = relay.stats.refused
    for number in range(1000):
        sends, _ = relay.receive([(packet(number, message=bytes(1000)), address(1))], 1.0)
        assert len(sends) == 3
    assert relay.stats.cached + relay.stats.refused == 3000
    assert len(relay.cache) <= 256 and refused > 1000


def test_two_relays_may_share_a_cache() -> None:
    cache = Cache(key=KEY)
    one, other = relay_with(cache=cache), relay_with(cache=cache)
    one.receive([(packet(), address(1))], 1.0)
    other.receive([(packet(), address(1))], 1.0)
    assert one.cache is other.cache is cache
    assert (one.stats.fresh, other.stats.fresh, other.stats.duplicate, len(cache)) == (1, 0, 1, 1)


# ---- Hops


@pytest.mark.parametrize(('cluster', 'step'), [(OURS, 2), (THEIRS, 1)])
def test_hops_grow_by_one_and_in_our_cluster_by_two(cluster: bytes, step: int) -> None:
    for hops in range(20):
        relay = relay_with()
        sends, _ = relay.receive([(packet(cluster=cluster, hops=hops), address(1))], 1.0)
        if hops + step <= 16:
            assert [hops_of(send.data) for send in sends] == [hops + step] * 3
        else:
            assert sends == [] and relay.stats.hops_exceeded == 1
        kept = relay.cache.find(id_of(packet(cluster=cluster)))
        assert kept.hops == hops_of(kept.packet.data) == min(hops, 17), 'the cache has those that it came with'


@pytest.mark.parametrize('hops', [17, 18, 255, 65_536, 2**31, U32_MAX - 1, U32_MAX])
def test_hops_do_not_overflow(hops: int) -> None:
    relay = relay_with()
    for cluster in (OURS, THEIRS):
        sends, _ = relay.receive([(packet(cluster=cluster, hops=hops), address(1))], 1.0)
        assert sends == []
        assert relay.cache.find(id_of(packet(cluster=cluster))).hops == 17
    assert relay.stats.hops_exceeded == 2


def test_nothing_but_the_hops_is_changed() -> None:
    relay = relay_with()
    data = packet(7, cluster=OURS, index=9, previous_id=FRIEND, next_id=US, to=US, message=bytes(range(256)) * 4)
    sends, _ = relay.receive([(data, address(1))], 1.0)
    assert {send.data for send in sends} == {data[:2] + b'\0\0\0\2' + data[6:]}
    assert data == packet(
        7, cluster=OURS, index=9, previous_id=FRIEND, next_id=US, to=US, message=bytes(range(256)) * 4
    )


def test_f8_a_copy_with_its_hops_used_up_does_not_stop_the_true_one() -> None:
    """The attacker is faster, and passes the packet on with hops that nobody forwards."""
    relay = relay_with()
    data = packet(cluster=OURS)
    sends, deliveries = relay.receive([(with_hops(data, U32_MAX), address(1)), (with_hops(data, 16), address(1))], 1.0)
    assert sends == [] and len(deliveries) == 1
    sends, deliveries = relay.receive([(with_hops(data, 3), address(2)), (with_hops(data, 1), address(3))], 1.0)
    assert [hops_of(send.data) for send in sends] == [5, 5, 5], 'sent on once,'
    assert deliveries == [], 'and not handed on again'
    assert relay.cache.find(id_of(data)).hops == 1
    stats = relay.stats
    assert (stats.fresh, stats.revived, stats.duplicate) == (1, 1, 2)


@pytest.mark.parametrize(
    'change',
    [
        {'kind': GROUP},
        {'clock': 8},
        {'index': 1},
        {'index': U32_MAX},
        {'cluster': MEMBERS},
        {'previous_id': FRIEND},
        {'next_id': FRIEND},
        {'to': FRIEND},
        {'to': NO_ID},
        {'message': b'something els'},
        {'message': b'something else.'},
    ],
)
def test_f8_f9_who_alters_a_packet_makes_another_and_the_true_one_is_still_accepted(change: dict[str, Any]) -> None:
    fields = {'kind': PUBLISH, 'clock': 7, 'cluster': OURS, 'to': US, 'message': b'something else'}

    def made(**values: Any) -> bytes:
        return encode(values.pop('kind'), **values)

    true, altered = made(**fields), made(**{**fields, **change})
    relay = relay_with()
    assert len(relay.receive([(altered, address(1))], 1.0)[0]) == 3
    sends, deliveries = relay.receive([(true, address(2))], 1.0)
    assert len(sends) == 3 and [delivery.id for delivery in deliveries] == [id_of(true)]
    assert relay.cache.find(id_of(true)).packet.data == true
    assert relay.stats.fresh == 2 and id_of(true) != id_of(altered)


# ---- To whom


def test_a_packet_goes_to_three_peers_and_never_back() -> None:
    relay = relay_with(peers=5)
    for number in range(300):
        source = address(number % 5 + 1)
        sends, _ = relay.receive([(packet(number), source)], 1.0)
        chosen = {send.address for send in sends}
        assert len(chosen) == 3 and source not in chosen


@pytest.mark.parametrize('count', range(6))
def test_with_few_peers_it_goes_to_those(count: int) -> None:
    relay = relay_with(peers=count)
    sends, _ = relay.receive([(packet(), STRANGER)], 1.0)
    assert len({send.address for send in sends}) == min(count, 3)
    sends, _ = relay.receive([(packet(1), address(1))], 1.0)
    assert len(sends) == min(max(count - 1, 0), 3)


@pytest.mark.parametrize('fanout', range(5))
def test_the_number_of_peers_can_be_set(fanout: int) -> None:
    sends, _ = relay_with(fanout=fanout).receive([(packet(number), STRANGER) for number in range(64)], 1.0)
    assert len(sends) == 64 * fanout


def test_one_port_of_a_host_is_another_peer() -> None:
    relay = relay_with(peers=0)
    relay.set_peers([RelayPeer(('192.0.2.1', port)) for port in (1, 2)])
    sends, _ = relay.receive([(packet(), Address('192.0.2.1', 1))], 1.0)
    assert [send.address.port for send in sends] == [2]


def test_peers_who_cannot_be_sent_to_are_left_out_whatever_they_want() -> None:
    relay = relay_with(peers=0)
    relay.set_peers([peer(1, forward=False, clusters=[THEIRS], identities=[FRIEND]), peer(2), peer(3, forward=False)])
    for number in range(20):
        sends, _ = relay.receive([(packet(number, to=FRIEND), STRANGER)], 1.0)
        assert [send.address for send in sends] == [address(2)]


def test_the_recipient_comes_first_then_members_then_others() -> None:
    relay = relay_with(peers=0)
    relay.set_peers(
        [
            *(peer(number) for number in range(1, 30)),
            peer(31, clusters=[THEIRS]),
            peer(32, clusters=[OURS, THEIRS]),
            peer(33, identities=[US, FRIEND]),
        ]
    )
    others = Counter()
    for number in range(400):
        sends, _ = relay.receive([(packet(number, to=FRIEND), STRANGER)], 1.0)
        chosen = [send.address for send in sends]
        assert chosen[0] == address(33) and set(chosen[1:]) == {address(31), address(32)}
        sends, _ = relay.receive([(packet(number, cluster=OURS), STRANGER)], 1.0)
        assert sends[0].address == address(32)
        others.update(send.address for send in sends[1:])
    assert set(others) == {address(number) for number in range(1, 17)}, 'the rest are the nearest 16'
    assert min(others.values()) > 15, 'and all of them have their turn'
    sends, _ = relay.receive([(packet(9000, to=FRIEND), address(33))], 1.0)
    assert address(33) not in {send.address for send in sends}


def test_ids_that_begin_alike_are_told_apart() -> None:
    """Peers choose the ids that they announce; all of an id counts."""
    relay = relay_with(peers=0)
    alike = [b'the same' * 3 + number.to_bytes(8, 'big') for number in range(600)]
    relay.set_clusters(alike[:300])
    relay.set_peers([peer(1), peer(2), peer(3), peer(4, clusters=alike[100:400])])
    for number, name in enumerate(alike):
        sends, deliveries = relay.receive([(packet(number, cluster=name), STRANGER)], 1.0)
        assert len(deliveries) == (number < 300)
        if 100 <= number < 400:
            assert sends[0].address == address(4)
    assert relay.stats.fresh == 600


def test_recipients_of_our_own_cluster_are_not_sent_to_twice() -> None:
    relay = relay_with(peers=0)
    relay.set_peers(
        [peer(number, clusters=[THEIRS, THEIRS], identities=[FRIEND, FRIEND]) for number in (1, 2)] + [peer(3)]
    )
    for number in range(20):
        sends, _ = relay.receive([(packet(number, to=FRIEND), STRANGER)], 1.0)
        assert sorted(send.address for send in sends) == [address(1), address(2), address(3)]
        assert sends[2].address == address(3)


def test_the_nearest_members_take_turns() -> None:
    relay = relay_with(peers=0, nearest=5)
    relay.set_peers([peer(number, clusters=[THEIRS]) for number in range(1, 40)])
    chosen = Counter()
    for number in range(200):
        chosen.update(send.address for send in relay.receive([(packet(number), STRANGER)], 1.0)[0])
    assert set(chosen) == {address(number) for number in range(1, 6)}


def test_the_choice_repeats_with_the_key_and_only_with_it() -> None:
    def chosen(key: bytes) -> list[Address]:
        relay = Relay(key=key)
        relay.set_peers([peer(number) for number in range(1, 17)])
        sends, _ = relay.receive([(packet(number), STRANGER) for number in range(100)], 1.0)
        return [send.address for send in sends]

    assert chosen(KEY) == chosen(KEY)
    assert chosen(KEY) != chosen(bytes(15) + b'1') != chosen(b'1' + bytes(15))
    assert Relay().receive([], 0.0) == ([], [])


def test_sends_name_the_socket_of_the_peer() -> None:
    relay = relay_with(peers=0)
    relay.set_peers([peer(1, socket=7), peer(2)])
    sends, _ = relay.receive([(packet(), STRANGER)], 1.0, socket=3)
    assert {send.address: send.socket for send in sends} == {address(1): 7, address(2): None}


def test_a_table_takes_effect_at_once() -> None:
    relay = relay_with()
    relay.set_peers([])
    assert relay.receive([(packet(1), STRANGER)], 1.0) == ([], [])
    relay.set_peers([peer(9)])
    relay.set_clusters([])
    sends, deliveries = relay.receive([(packet(2, cluster=OURS), STRANGER)], 1.0)
    assert [send.address for send in sends] == [address(9)] and deliveries == []
    relay.set_clusters([THEIRS])
    assert len(relay.receive([(packet(3), STRANGER)], 1.0)[1]) == 1


# ---- Blocked


def test_a_blocked_address_is_not_heard() -> None:
    relay = relay_with()
    relay.set_blocked([address(1)])
    batch = [
        (packet(1), address(1)),
        (b'rubbish', address(1)),
        (packet(2), address(1).with_port(1)),
        (packet(3), address(2)),
    ]
    relay.receive(batch, 1.0)
    assert (relay.stats.blocked, relay.stats.fresh, relay.stats.malformed_short) == (2, 2, 0)
    assert relay.offenders() == []


def test_port_zero_blocks_the_host() -> None:
    relay = relay_with()
    relay.set_blocked([Address('192.0.2.1', 0), Address('2001:db8::1', 0), Address('2001:db8::2', 5)])
    hosts = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2']
    batch = [(packet(number), Address(host, port)) for host in hosts for number, port in enumerate((1, 5, 65_535))]
    relay.receive(batch, 1.0)
    assert relay.stats.blocked == 7
    relay.set_blocked([])
    relay.receive(batch, 1.0)
    assert relay.stats.blocked == 7


# ---- Publish


def test_an_own_packet_is_kept_seen_and_sent_as_it_is() -> None:
    relay = relay_with()
    own = parse(packet(cluster=OURS, to=US))
    outcome, name, sends = relay.publish(own, 1.0)
    assert (outcome, name) == (KEPT, id_of(own.data))
    assert len({send.address for send in sends}) == 3 and all(send.data is own.data for send in sends)
    assert relay.cache.find(name).kind == OWN
    assert relay.receive([(with_hops(own.data, 2), address(1))], 1.0) == ([], []), 'it comes back'
    assert relay.stats.published == 3 and relay.stats.duplicate == 1 and relay.stats.forwarded == 0


def test_an_own_packet_goes_to_its_recipient_first() -> None:
    relay = relay_with(peers=0)
    relay.set_peers([peer(1), peer(2), peer(3, clusters=[OURS]), peer(4), peer(5, identities=[FRIEND])])
    for number in range(30):
        _, _, sends = relay.publish(parse(packet(number, cluster=OURS, to=FRIEND)), 1.0)
        assert [send.address for send in sends[:2]] == [address(5), address(3)] and len(sends) == 3


def test_an_own_packet_may_be_sent_again() -> None:
    relay = relay_with()
    first, again = (relay.publish(parse(packet(cluster=OURS)), now) for now in (1.0, 2.0))
    assert (first[0], again[0]) == (KEPT, KNOWN) and len(again[2]) == 3


def test_an_own_packet_that_cannot_be_kept_is_not_sent_and_the_caller_is_told() -> None:
    relay = relay_with(cache=Cache(256 * 1024, own_share=0.25, key=KEY))
    refused = 0
    for number in range(300):
        outcome, name, sends = relay.publish(parse(packet(number, cluster=OURS, message=bytes(1024))), 1.0)
        assert len(sends) == (0 if outcome == REFUSED else 3)
        assert (name in relay.cache) == (outcome != REFUSED)
        refused += outcome == REFUSED
    assert refused == relay.stats.refused > 200
    # It is not taken for seen either: it may yet come from somebody else.
    assert flags_of(relay, packet(299, cluster=OURS, message=bytes(1024))) is not None


def test_without_a_cache_own_packets_are_sent() -> None:
    relay = Relay(key=KEY)
    relay.set_peers([peer(1)])
    outcome, _, sends = relay.publish(parse(packet()), 1.0)
    assert outcome == KEPT and len(sends) == 1
    assert relay.receive([(packet(hops=1), address(1))], 1.0) == ([], []) and relay.stats.duplicate == 1


@pytest.mark.parametrize('kind', CONTROL)
def test_control_packets_are_not_published(kind: int) -> None:
    relay = relay_with()
    with pytest.raises(ValueError, match='not relayed'):
        relay.publish(parse(packet(kind=kind)), 1.0)
    assert relay.stats.published == 0


# ---- Ticks


def test_a_packet_is_sent_again_after_each_term_until_its_postage_is_used_up() -> None:
    relay = relay_with(cache=Cache(life=100.0, postage=8, key=KEY))
    relay.receive([(packet(hops=3), address(1))], 1000.0)
    now, terms = 1000.0, 0
    while (due := relay.tick(now))[0] is not None and len(relay.cache):
        assert due[1] == [], 'nothing is sent before its time'
        assert now < due[0] <= now + 101
        now = due[0]
        due, sends = relay.tick(now)
        if sends:
            terms += 1
            assert {hops_of(send.data) for send in sends} == {4} and len({send.address for send in sends}) == 3
            assert len(relay.cache) == (terms < 8)
    assert terms == 8 and relay.stats.rebroadcast == 24 and now >= 1790


def test_a_packet_without_hops_left_ends_its_terms_in_silence() -> None:
    relay = relay_with(cache=Cache(life=10.0, postage=2, key=KEY))
    relay.receive([(packet(1, hops=16), address(1)), (packet(2, cluster=OURS, hops=15), address(1))], 1.0)
    for now in (12.0, 23.0, 34.0):
        assert relay.tick(now)[1] == []
    assert len(relay.cache) == 0


def test_what_expired_in_a_long_sleep_is_sent_bit_by_bit() -> None:
    relay = relay_with(cache=Cache(life=10.0, postage=1, key=KEY))
    relay.receive([(packet(number), address(1)) for number in range(100)], 1.0)
    now, counts = 5000.0, []
    while len(relay.cache):
        due, sends = relay.tick(now)
        counts.append(len(sends))
        assert relay.tick(now) == (due, []) or not len(relay.cache)
        assert due is None or due >= now
        now = now + 0.1
    assert counts == [96, 96, 96, 12]


def test_the_next_tick_is_due_in_time_for_what_comes_after_it() -> None:
    """A loop asks once, and then not before it was told to."""
    relay = relay_with(cache=Cache(life=10.0, postage=1, key=KEY))
    due, _ = relay.tick(1.0)
    assert due is not None
    relay.receive([(packet(), address(1))], 1.5)
    sends: list[Any] = []
    while not sends:
        assert due <= 13.0
        due, sends = relay.tick(due)
    assert Relay(key=KEY).tick(1.0) == (None, [])
