"""Query and Answer: the bodies of an exchange (the seed's STATE_6). The essay is in `bodies`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from socket_core import ANSWER, ID_BYTES, NO_ID, QUERY
from socket_runtime.p2p._body import FIELDS_MAX_BYTES, Body, Reader, is_id, require
from socket_runtime.p2p.directory import GROUP_QUERY, query_for
from socket_runtime.p2p.errors import BadBody

__all__ = [
    'ANNOUNCED_MAX',
    'APP_DATA_MAX_BYTES',
    'OTHERS_MAX',
    'Announced',
    'Answer',
    'AppData',
    'GroupQuestion',
    'PacketQuestion',
    'Query',
]

ANNOUNCED_MAX: Final = 16
"""Packets that one Answer may bring: each is a datagram to whoever asked (F1)."""
OTHERS_MAX: Final = 3
"""And packets that were not asked for, those with the fewest hops."""
APP_DATA_MAX_BYTES: Final = FIELDS_MAX_BYTES - 1

_TAIL: Final = 1
_OF_PACKETS: Final = 1
_OF_THE_APP: Final = 3


@dataclass(frozen=True, slots=True)
class PacketQuestion:
    """Which packet comes with this one?

    Attributes:
        id: a packet's.
        tail: towards the past: this packet, and its previousId as the suggestion; otherwise the ones that follow it.
        limit: how many at most, 1 to 16.
    """

    id: bytes
    tail: bool = False
    limit: int = 1

    def __post_init__(self) -> None:
        require(is_id(self.id), 'ids are 32 bytes')
        require(0 < self.limit <= ANNOUNCED_MAX, f'an Answer brings 1 to {ANNOUNCED_MAX} packets')


@dataclass(frozen=True, slots=True)
class GroupQuestion:
    """Is there a group for this identity? On the wire what `directory.query_for` makes.

    Attributes:
        id: the identity's.
    """

    id: bytes

    def __post_init__(self) -> None:
        require(is_id(self.id), 'ids are 32 bytes')


@dataclass(frozen=True, slots=True)
class AppData:
    """An app's own question or answer: bytes that mean nothing here, sealed by whoever asks.

    Attributes:
        data: 1 to 887 bytes.
    """

    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        require(
            type(self.data) is bytes and 0 < len(self.data) <= APP_DATA_MAX_BYTES,
            f"an app's question or answer is 1 to {APP_DATA_MAX_BYTES} bytes",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Body):
    """Do you have this?

    Attributes:
        request_id: 32 random bytes.
        question: what is asked.
    """

    TYPE: ClassVar[int] = QUERY
    request_id: bytes = field(repr=False)
    question: PacketQuestion | GroupQuestion | AppData

    def __post_init__(self) -> None:
        require(is_id(self.request_id), 'a requestId is 32 bytes')

    def _write(self) -> bytes:
        question = self.question
        if isinstance(question, GroupQuestion):
            return query_for(question.id)
        if isinstance(question, AppData):
            return bytes((_OF_THE_APP,)) + question.data
        return bytes((_OF_PACKETS, question.tail * _TAIL, question.limit)) + question.id

    @classmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        kind = reader.number(1)
        question: PacketQuestion | GroupQuestion | AppData
        if kind == _OF_PACKETS:
            tail, limit = bool(reader.flags(_TAIL)), reader.number(1)
            if not 0 < limit <= ANNOUNCED_MAX:
                raise BadBody('list')
            question = PacketQuestion(reader.id(), tail, limit)
        elif kind == GROUP_QUERY:
            question = GroupQuestion(reader.id())
        elif kind == _OF_THE_APP:
            question = AppData(reader.rest())
        else:
            raise BadBody('question')
        return cls(request_id=request_id, question=question)


@dataclass(frozen=True, slots=True)
class Announced:
    """Packets that are sent beside this Answer, each as the datagram that it is.

    They are not inside: a packet of 1,166 bytes does not fit into a message of 1,024; its id covers its own header; and
    as a datagram it takes the way of all packets through the core, which hashes it before anything is believed (F13).
    The list says which of them were asked for. What it does not name came by itself, and an Answer to no Query of ours
    is dropped.

    Attributes:
        ids: of the packets that were asked for, 0 to 16, in the order of the chain.
        others: of further ones with the fewest hops, 0 to 3.
        suggestion: the id to ask for next, or zeros.
        of_groups: whether they are Group packets; those come without others and without a suggestion.
    """

    ids: tuple[bytes, ...] = field(default=(), repr=False)
    others: tuple[bytes, ...] = field(default=(), repr=False)
    suggestion: bytes = field(default=NO_ID, repr=False)
    of_groups: bool = False

    def __post_init__(self) -> None:
        named = (*self.ids, *self.others)
        require(all(map(is_id, named)) and (self.suggestion == NO_ID or is_id(self.suggestion)), 'ids are 32 bytes')
        require(len(set(named)) == len(named), 'a packet is announced once')
        require(len(self.ids) <= ANNOUNCED_MAX, f'an Answer brings at most {ANNOUNCED_MAX} packets')
        require(len(self.others) <= OTHERS_MAX, f'and at most {OTHERS_MAX} others')
        require(
            not self.of_groups or (not self.others and self.suggestion == NO_ID),
            'groups come without others and without a suggestion',
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Body):
    """What there is.

    Attributes:
        request_id: the Query's.
        answer: the packets that come beside it, or the app's own bytes.
    """

    TYPE: ClassVar[int] = ANSWER
    request_id: bytes = field(repr=False)
    answer: Announced | AppData

    def __post_init__(self) -> None:
        require(is_id(self.request_id), 'a requestId is 32 bytes')

    def _write(self) -> bytes:
        answer = self.answer
        if isinstance(answer, AppData):
            return bytes((_OF_THE_APP,)) + answer.data
        kind = GROUP_QUERY if answer.of_groups else _OF_PACKETS
        head = bytes((kind, len(answer.ids), len(answer.others))) + answer.suggestion
        return head + b''.join((*answer.ids, *answer.others))

    @classmethod
    def _read(cls, request_id: bytes, reader: Reader) -> Self:
        kind = reader.number(1)
        if kind == _OF_THE_APP:
            return cls(request_id=request_id, answer=AppData(reader.rest()))
        if kind not in (_OF_PACKETS, GROUP_QUERY):
            raise BadBody('question')
        count, more, suggestion = reader.number(1), reader.number(1), reader.take(ID_BYTES)
        if count > ANNOUNCED_MAX or more > OTHERS_MAX:
            raise BadBody('list')
        announced = Announced(reader.ids(count), reader.ids(more), suggestion, kind == GROUP_QUERY)
        return cls(request_id=request_id, answer=announced)
