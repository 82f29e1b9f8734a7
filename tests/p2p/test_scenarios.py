"""The seed's scenarios A, B and C, from key to opened message; what the network would carry is handed over here.

Each `Device` has an identity, a sealer, a directory and nothing of anybody else's. `publish` stands for a Group packet
that reached everybody who listens, `tell` for a sealed message.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from socket_runtime.p2p.cluster import ClusterKeys
from socket_runtime.p2p.directory import Conversation, GroupDirectory, query_for
from socket_runtime.p2p.errors import NotOpened
from socket_runtime.p2p.group import (
    KEY_EVENT,
    RECORD_EVENT,
    GroupRecord,
    authorise,
    key_value,
    make_record,
    read_key_value,
    read_record,
)
from socket_runtime.p2p.keys import Identity, PublicIdentity
from socket_runtime.p2p.seal import Opened, Sealer
from tests.p2p.support import CLUSTER, NOW

NOTHING = bytes(32)


class Device:
    """One device with the app on it."""

    def __init__(self) -> None:
        self.identity = Identity.create()
        self.sealer = Sealer(self.identity, ClusterKeys(CLUSTER))
        self.directory = GroupDirectory()
        self.now = NOW

    @property
    def public(self) -> PublicIdentity:
        return self.identity.public

    def say(self, text: str, to: Conversation) -> tuple[bytes, bytes]:
        """A message as the network would see it: recipient's id and sealed bytes."""
        self.now += 1
        recipient = to.recipient(self.directory, self.now)
        return recipient.id, self.sealer.seal('chat', text, now_ms=self.now, to=recipient)

    def tell(self, other: Device, event: str, value: Any) -> None:
        """A sealed message of the groups' own events, and what the other does with it."""
        self.now += 1
        sealed = self.sealer.seal(event, value, now_ms=self.now, to=other.public)
        other.hear(other.sealer.open(sealed, now_ms=other.now, to=other.identity.id, previous_id=NOTHING))

    def hear(self, message: Opened) -> None:
        if message.event == KEY_EVENT:
            group, record = read_key_value(message.value, CLUSTER.id, now_ms=self.now)
            self.sealer.add(group)
        else:
            record = read_record(message.value['record'], CLUSTER.id, now_ms=self.now, published=False)
        self.directory.learn(record, keep=True)

    def reads(self, packet: tuple[bytes, bytes]) -> str | None:
        """The text, or ``None`` where the device cannot read it."""
        to, sealed = packet
        try:
            text: str = self.sealer.open(sealed, now_ms=self.now + 10, to=to, previous_id=NOTHING).value
        except NotOpened:
            return None
        return text


def make_group(
    maker: Device, others: Iterable[Device], *, advertised: bool, stands_for: bool = True
) -> tuple[Identity, GroupRecord]:
    """A group of devices: each agrees on its own device, one makes the record and hands the group to the others."""
    group = Identity.create()
    members = [maker, *others]
    for device in members:
        device.now += 100
    agreed = [
        authorise(device.identity, group.id, CLUSTER.id, now_ms=device.now, stands_for=stands_for) for device in members
    ]
    record = make_record(group, CLUSTER.id, 'mine', agreed, now_ms=maker.now, advertised=advertised)
    maker.sealer.add(group)
    maker.directory.learn(record, keep=True)
    for device in members[1:]:
        maker.tell(device, KEY_EVENT, key_value(group, record))
    return group, record


def publish(record: GroupRecord, *listeners: Device) -> None:
    for device in listeners:
        device.directory.learn(read_record(record.data, CLUSTER.id, now_ms=device.now, published=True))


def test_scenario_a_all_devices_of_one_person() -> None:
    phone, tablet, laptop, friend = (Device() for _ in range(4))
    talk = Conversation(phone.public)

    # They met by the phone's own identity; the others read nothing.
    first = friend.say('hello', talk)
    assert [device.reads(first) for device in (phone, tablet, laptop)] == ['hello', None, None]

    # The group is made, synchronised, advertised; the running conversation moves by itself.
    group, record = make_group(phone, (tablet, laptop), advertised=True)
    publish(record, friend)
    assert talk.moved(friend.directory, friend.now) == group.public
    second = friend.say('to all of you', talk)
    assert second[0] == group.id
    assert [device.reads(second) for device in (phone, tablet, laptop)] == ['to all of you'] * 3
    assert friend.reads(second) is None

    # Somebody who was not there asks the network about a device that he knows.
    stranger = Device()
    for answer in friend.directory.answer(query_for(laptop.identity.id), friend.now):
        stranger.directory.learn(read_record(answer, CLUSTER.id, now_ms=stranger.now, published=True))
    assert stranger.directory.recipient_for(laptop.public, stranger.now) == group.public

    # A fourth device is given the group. It reads; but nobody finds the group by it.
    watch = Device()
    phone.tell(watch, KEY_EVENT, key_value(group, record))
    assert watch.reads(friend.say('also here', talk)) == 'also here'
    assert stranger.directory.recipient_for(watch.public, stranger.now) == watch.public

    # The tablet is lost. A new group without it, with the watch in it, takes over.
    renewed, renewed_record = make_group(phone, (laptop, watch), advertised=True)
    publish(renewed_record, friend)
    assert talk.moved(friend.directory, phone.now) == renewed.public
    friend.now = phone.now
    third = friend.say('not for thieves', talk)
    assert [device.reads(third) for device in (phone, laptop, watch)] == ['not for thieves'] * 3
    assert tablet.reads(third) is None

    # The lost tablet still has the old group's key, and tries to get the conversation back.
    stolen = make_record(group, CLUSTER.id, 'mine', record.members, now_ms=phone.now + 1000, version=99)
    publish(stolen, friend)
    assert talk.recipient(friend.directory, friend.now) == renewed.public


def test_scenario_a_a_device_alone_falls_silent_by_a_new_identity() -> None:
    """An unwanted contact knows one device. The app is installed anew: another identity, and nothing arrives."""
    tablet, pest = Device(), Device()
    talk = Conversation(tablet.public)
    assert tablet.reads(pest.say('buy!', talk)) == 'buy!'
    tablet_anew = Device()
    assert tablet_anew.reads(pest.say('buy more!', talk)) is None


def test_scenario_b_work_and_private() -> None:
    work, personal, friend, colleague, recruiter = (Device() for _ in range(5))

    # A private group of both phones, told to friends only; colleagues and the recruiter never learn of it.
    group, record = make_group(work, (personal,), advertised=False)
    work.tell(friend, RECORD_EVENT, {'record': record.data})

    from_friend = friend.say('lunch?', Conversation(personal.public))
    assert from_friend[0] == group.id
    assert [work.reads(from_friend), personal.reads(from_friend)] == ['lunch?'] * 2

    from_colleague = colleague.say('the report', Conversation(work.public))
    assert from_colleague[0] == work.identity.id
    assert [work.reads(from_colleague), personal.reads(from_colleague)] == ['the report', None]

    from_recruiter = recruiter.say('a better job', Conversation(personal.public))
    assert [work.reads(from_recruiter), personal.reads(from_recruiter)] == [None, 'a better job']

    # Nobody who asks the network is told, not even by those who know.
    for knowing in (work, personal, friend):
        assert knowing.directory.answer(query_for(work.identity.id), knowing.now) == []

    # A friend who is also a colleague keeps the work conversation where it is.
    pinned = friend.say('about work', Conversation(work.public, pinned=True))
    assert [work.reads(pinned), personal.reads(pinned)] == ['about work', None]


def test_scenario_c_a_social_network() -> None:
    broadcasters = [Device() for _ in range(3)]
    subscribers = [Device() for _ in range(5)]
    outsider = Device()

    # The network's group has its broadcast peers as members; every subscriber gets the full key pair.
    network, record = make_group(broadcasters[0], broadcasters[1:], advertised=True, stands_for=False)
    for device in subscribers:
        broadcasters[0].tell(device, KEY_EVENT, key_value(network, record))
    post = subscribers[0].say('hello, everybody', Conversation(network.public))
    assert post[0] == network.id
    assert [device.reads(post) for device in (*broadcasters, *subscribers[1:])] == ['hello, everybody'] * 7
    assert outsider.reads(post) is None
    # Who wrote it is known to all who read it, and to nobody else.
    opened = subscribers[1].sealer
    assert opened.opens_for(network.id)

    # A private conversation of two subscribers: each has a group of all own devices; the network makes a group of
    # the two groups, not advertised, and hands it to both.
    ada, ada_laptop, ben, ben_laptop = subscribers[0], Device(), subscribers[1], Device()
    adas, adas_record = make_group(ada, (ada_laptop,), advertised=True)
    bens, bens_record = make_group(ben, (ben_laptop,), advertised=True)
    pair = Identity.create()
    now = max(ada.now, ben.now)
    agreed = [
        authorise(group, pair.id, CLUSTER.id, now_ms=now, is_group=True, stands_for=False) for group in (adas, bens)
    ]
    pair_record = make_record(pair, CLUSTER.id, 'ada and ben', agreed, now_ms=now, advertised=False)
    for device in (ada, ada_laptop, ben, ben_laptop):
        device.now = now
        publish(adas_record, device)
        publish(bens_record, device)
        broadcasters[0].tell(device, KEY_EVENT, key_value(pair, pair_record))
    between = ada.say('just us', Conversation(pair.public))
    assert [device.reads(between) for device in (ada_laptop, ben, ben_laptop)] == ['just us'] * 3
    assert [device.reads(between) for device in (*subscribers[2:], *broadcasters, outsider)] == [None] * 7
    assert ada.directory.devices_of(pair.id, now) == {
        device.identity.id for device in (ada, ada_laptop, ben, ben_laptop)
    }
    # The pair does not stand for either of them: what is written to Ada alone goes to her devices, not to Ben.
    assert ben.directory.recipient_for(ada.public, now) == adas.public
    alone = ben.say('surprise', Conversation(ada_laptop.public))
    assert alone[0] == adas.id
    assert [ada.reads(alone), ada_laptop.reads(alone), ben_laptop.reads(alone)] == ['surprise', 'surprise', None]


def test_a_sender_is_known_by_its_device_in_a_group() -> None:
    one, other = Device(), Device()
    group, _ = make_group(one, (other,), advertised=False)
    to, sealed = other.say('x', Conversation(group.public))
    message = one.sealer.open(sealed, now_ms=one.now + 10, to=to, previous_id=NOTHING)
    assert message.sender == other.public
    with pytest.raises(NotOpened):
        one.sealer.open(sealed, now_ms=one.now + 10, to=to, previous_id=NOTHING)
