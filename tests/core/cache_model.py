"""The rules of the cache once more, in plain Python: what `Cache` is held against, packet by packet.

The model knows nothing of pages and tables, so it cannot know when memory is short. It is told what the cache did about
it, and how many packets went, and says whether that was right: each one must have been the next whose turn it was.
Where the rules leave a choice, it asks the cache which one it took.

Times are in milliseconds, and exact for terms of less than four minutes; longer ones are counted in coarser steps.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache

from socket_core import HEADER_BYTES, NO_ID, PUBLISH, Packet, encode, parse
from socket_core._address import Address
from socket_core._cache import CLUSTER, FOREIGN, KEPT, KNOWN, OWN, REFUSED, Cache

HOPS_MAX = 17
#: Packets that are listed under one nextId.
LISTED_MAX = 4
#: A group has so many sources of its own; all others of it count as one more.
SOURCES_PER_GROUP = 64
#: No packet makes more than so many others go.
EVICTIONS_MAX = 512
#: Of a cell: the frame without the head that it can be told from, and the footer.
CELL_BYTES = HEADER_BYTES - 6 + 34
CELL_STEP = 8

#: A network group, and whose share in it: an address, a /64, or one for all the rest.
Source = tuple[str, str]
COMMON: Source = ('', '')


@cache
def network_of(host: str, bits: int) -> str:
    return str(ipaddress.ip_network((host, bits), strict=False))


def cost_of(packet: Packet) -> int:
    """What it counts for, in bytes: it is kept exact to eight."""
    return CELL_BYTES + -(-len(packet.message) // CELL_STEP) * CELL_STEP


@cache
def sources_room(budget: int) -> int:
    """How many sources a cache tells apart, with the one that all the rest share: how many is no rule, so it is seen."""
    cache = Cache(budget, key=bytes(16))
    most = 0
    for number in range(budget // 256):
        some = parse(encode(PUBLISH, cluster=NO_ID, clock=number))
        cache.insert(some, source=Address(f'10.{number >> 8}.{number & 255}.1', 1), now=0)
        if cache.stats.sources == most:
            break
        most = cache.stats.sources
    return most


@dataclass(eq=False)
class Kept:
    """A packet in the cache, or one that wants to be there."""

    packet: Packet
    kind: int
    hops: int
    source: Source | None
    postage: int
    expires: int = 0
    id: bytes = field(init=False)
    cost: int = field(init=False)

    def __post_init__(self) -> None:
        self.id, self.cost = self.packet.id, cost_of(self.packet)


class CacheModel:
    """What `cache` ought to be. Shares are parts of the budget, as those that the cache was made with."""

    def __init__(
        self,
        cache: Cache,
        budget: int,
        *,
        life: int,
        postage: int = 8,
        source_share: float = 0.04,
        group_share: float = 0.08,
        own_share: float = 0.5,
        cluster_share: float = 0.75,
        group_bits: tuple[int, int] = (24, 48),
    ) -> None:
        shares = (source_share, group_share, own_share, cluster_share)
        self.source_limit, self.group_limit, self.own_limit, self.cluster_limit = (
            budget * round(share * 1000) // 1000 for share in shares
        )
        self.cache, self.life, self.postage, self.group_bits = cache, life, postage, group_bits
        self.sources_room = sources_room(budget)
        self.now = 0
        # All terms are equally long, so that this is the order of age and that in which terms end.
        self.packets: dict[bytes, Kept] = {}
        self.held: dict[Source, int] = {}
        self.held_by_kind = {OWN: 0, CLUSTER: 0, FOREIGN: 0}
        self.listed: dict[bytes, list[Kept]] = {}
        self.counts = dict.fromkeys(('inserted', 'known', 'refused', 'evicted', 'expired', 'removed'), 0)

    # ---- Whose it is ----

    def source_of(self, address: Address | None) -> Source | None:
        """Whose share a packet from there takes from, as things are now."""
        if address is None:
            return None
        v4 = address.family == 4
        group = network_of(address.host, self.group_bits[0 if v4 else 1])
        source = group, network_of(address.host, 32 if v4 else 64)
        if source not in self.held and len(self.members(group)) >= SOURCES_PER_GROUP:
            source = group, 'rest'
        full = len(self.held.keys() - {COMMON}) + 1 >= self.sources_room
        return COMMON if full and source not in self.held else source

    def members(self, group: str) -> list[Source]:
        return [source for source in self.held if source[0] == group]

    def held_by(self, sources: Iterable[Source]) -> int:
        return sum(self.held.get(source, 0) for source in sources)

    def charge(self, source: Source | None, bytes_more: int) -> None:
        if source is not None:
            self.held[source] = self.held.get(source, 0) + bytes_more
            if not self.held[source]:
                del self.held[source]

    # ---- Who gives way ----

    def victims(self, new: Kept) -> list[Kept]:
        """Who gives way to it first, when memory is short: one of these. Nobody: it is refused."""
        kinds = (FOREIGN, CLUSTER) if new.kind == CLUSTER else (FOREIGN,)
        if new.source is not None:
            members = self.members(new.source[0])
            if self.held.get(new.source, 0) + new.cost > self.source_limit:
                return self.oldest_of_largest([new.source], kinds)
            if self.held_by(members) + new.cost > self.group_limit:
                return self.oldest_of_largest(members, kinds)
        if new.kind == CLUSTER and self.held_by_kind[CLUSTER] + new.cost > self.cluster_limit:
            return self.farthest(CLUSTER, new.hops)
        found = self.of_those_over() or self.farthest(FOREIGN, new.hops if new.kind == FOREIGN else 0)
        if not found and new.kind != FOREIGN:
            found = self.farthest(CLUSTER, new.hops if new.kind == CLUSTER else 0)
        return found

    def of_those_over(self) -> list[Kept]:
        """Foreign packets of the source, or else the group, that holds most beyond its share."""
        sources = [source for source, held in self.held.items() if held > self.source_limit]
        if found := self.oldest_of_largest(sources, (FOREIGN,)):
            return found
        groups: dict[str, int] = {}
        for source, held in self.held.items():
            groups[source[0]] = groups.get(source[0], 0) + held
        over = [(held, group) for group, held in groups.items() if held > self.group_limit]
        while over and not found:
            most = max(over)[0]
            for group in [group for held, group in over if held == most]:
                found += self.oldest_of_largest(self.members(group), (FOREIGN,))
            over = [(held, group) for held, group in over if held < most]
        return found

    def oldest_of_largest(self, sources: Collection[Source], kinds: tuple[int, ...]) -> list[Kept]:
        """Of those sources that have such packets, the ones that hold most: the oldest of each."""
        for kind in kinds:
            oldest: dict[Source, Kept] = {}
            for kept in self.packets.values() if sources else ():
                if kept.kind == kind and kept.source in sources:
                    oldest.setdefault(kept.source, kept)
            if oldest:
                most = max(self.held[source] for source in oldest)
                return [kept for source, kept in oldest.items() if self.held[source] == most]
        return []

    def farthest(self, kind: int, hops: int) -> list[Kept]:
        """Most hops, but not fewer than so many; then the oldest."""
        some = [kept for kept in self.packets.values() if kept.kind == kind and kept.hops >= hops]
        return [max(some, key=lambda kept: kept.hops)] if some else []

    # ---- Coming and going ----

    def insert(self, packet: Packet, kind: int, address: Address | None, now: int, outcome: int, evicted: int) -> None:
        """The cache said `outcome`, and so many packets went."""
        self.now = max(self.now, now)
        new = Kept(packet, kind, min(packet.hops, HOPS_MAX), None, self.postage)
        address = None if kind == OWN else address
        known = self.packets.get(packet.id)
        if known is not None:
            assert (outcome, evicted) == (self.see_again(known, new), 0)
        elif kind == OWN and self.held_by_kind[OWN] + new.cost > self.own_limit:
            assert (outcome, evicted) == (REFUSED, 0)
        else:
            assert self.displace(new, address, evicted), 'somebody went whose turn it was not'
            new.source = self.source_of(address)
            if outcome == REFUSED:
                assert evicted == EVICTIONS_MAX or not self.victims(new), 'refused, and there was somebody to go'
            else:
                assert outcome == KEPT
                self.charge(new.source, new.cost)
                self.shelve(new)
                self.list_under_next(new)
        self.counts[('inserted', 'known', 'refused')[outcome]] += 1
        self.counts['evicted'] += evicted

    def displace(self, new: Kept, address: Address | None, count: int) -> bool:
        """Whether so many can have gone, each when it was its turn. Between equals, all ways are tried."""
        if count == 0:
            return True
        new.source = self.source_of(address)
        gone = [victim for victim in self.victims(new) if victim.id not in self.cache]
        for victim in gone[:-1]:
            listed = {next_id: list(some) for next_id, some in self.listed.items()}
            before = dict(self.packets), dict(self.held), dict(self.held_by_kind), listed
            self.drop(victim)
            if self.displace(new, address, count - 1):
                return True
            self.packets, self.held, self.held_by_kind, self.listed = before
        if gone:
            self.drop(gone[-1])
        return bool(gone) and self.displace(new, address, count - 1)

    def see_again(self, known: Kept, new: Kept) -> int:
        """Fewer hops and a kind that is preferred count from now on, for a new term; nothing else does."""
        kind, hops = min(known.kind, new.kind), min(known.hops, new.hops)
        changes = kind != known.kind
        if changes and kind == OWN and self.held_by_kind[OWN] + known.cost > self.own_limit:
            return REFUSED
        if changes or hops != known.hops:
            self.unshelve(known)
            known.kind, known.hops = kind, hops
            self.shelve(known)
        if changes:
            known.postage = self.postage
            self.list_under_next(known)
            if kind == OWN:
                self.charge(known.source, -known.cost)
                known.source = None
        return KNOWN

    def shelve(self, kept: Kept) -> None:
        kept.expires = self.now + self.life
        self.packets[kept.id] = kept
        self.held_by_kind[kept.kind] += kept.cost

    def unshelve(self, kept: Kept) -> None:
        del self.packets[kept.id]
        self.held_by_kind[kept.kind] -= kept.cost

    def list_under_next(self, kept: Kept) -> None:
        """Four at most under one nextId; of others, one of those that are preferred least gives up its place."""
        if kept.packet.next_id == NO_ID:
            return
        listed = self.listed.setdefault(kept.packet.next_id, [])
        if kept in listed:
            return
        if len(listed) == LISTED_MAX:
            least = max(other.kind for other in listed)
            if least <= kept.kind:
                return
            there = {cached.id for cached in self.cache.previous(kept.packet.next_id)}
            (replaced,) = (other for other in listed if other.kind == least and other.id not in there)
            listed.remove(replaced)
        listed.append(kept)

    def drop(self, kept: Kept) -> None:
        self.unshelve(kept)
        self.charge(kept.source, -kept.cost)
        listed = self.listed.get(kept.packet.next_id, [])
        if kept in listed:
            listed.remove(kept)

    def remove(self, id: bytes) -> bool:
        kept = self.packets.get(id)
        if kept is not None:
            self.drop(kept)
            self.counts['removed'] += 1
        return kept is not None

    def expire(self, now: int, ended: list[tuple[Packet, bool]], limit: int) -> None:
        """The cache said that these packets' terms have ended, and which of them are kept for another one."""
        self.now = max(self.now, now)
        for packet, again in ended:
            kept, soonest = self.packets[packet.id], next(iter(self.packets.values()))
            assert kept.expires == soonest.expires <= self.now
            assert packet == kept.packet.with_hops(kept.hops)
            kept.postage -= 1
            assert again == (kept.postage > 0)
            if again:
                self.unshelve(kept)
                self.shelve(kept)
            else:
                self.drop(kept)
                self.counts['expired'] += 1
        assert len(ended) == limit or (self.next_expiry() or now + 1) > self.now

    def next_expiry(self) -> int | None:
        return next((kept.expires for kept in self.packets.values()), None)
