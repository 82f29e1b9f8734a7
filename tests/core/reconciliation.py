"""Two caches find out what each of them lacks, by questions about ranges of ids: an example, and a measure of its cost.

The two take turns. Whoever is told the other's fingerprint of a range, and has another one, answers with the ids that
it has there, where they are few, and else with its own fingerprints of parts of it. Whoever is told ids answers with
those that the other lacks. Bytes are counted as a plain encoding would have them; the real one is the business of
whoever writes Sync packets.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from socket_core._cache import PREFIX_BYTES, Summary

#: How many parts a range is split into, and how many ids are named rather than summed up.
PARTS = 8
FEW = 2

Range = tuple[bytes, bytes | None]


@dataclass(frozen=True)
class Claim:
    """What one side says of a range: the fingerprint of its ids there, or all of them, or those that the other lacks."""

    range: Range
    fingerprint: bytes = b''
    ids: tuple[bytes, ...] = ()
    is_answer: bool = False

    @property
    def wire_bytes(self) -> int:
        """A byte of kind, the upper bound with its length (the lower one is known), and what is said."""
        said = len(self.fingerprint) or 2 + PREFIX_BYTES * len(self.ids)
        return 2 + len(self.range[1] or b'') + said


@dataclass
class Side:
    """One of the two: its summary, and what it has found that it lacks."""

    summary: Summary
    key: bytes
    lacks: set[bytes] = field(default_factory=set)

    def ids(self, range: Range) -> list[bytes]:
        return self.summary.ids(*range, limit=1 << 32)

    def claim(self, range: Range) -> Claim:
        if self.summary.count(*range) <= FEW:
            return Claim(range, ids=tuple(self.ids(range)))
        return Claim(range, self.summary.fingerprint(self.key, *range))

    def hear(self, claim: Claim) -> list[Claim]:
        """The answers: none, where the range is settled."""
        if not claim.fingerprint:
            ours = set() if claim.is_answer else set(self.ids(claim.range))
            self.lacks |= set(claim.ids) - set(self.ids(claim.range))
            they_lack = sorted(ours - set(claim.ids))
            return [Claim(claim.range, ids=tuple(they_lack), is_answer=True)] if they_lack else []
        if self.summary.fingerprint(self.key, *claim.range) == claim.fingerprint:
            return []
        low, high = claim.range
        bounds = [low, *self.summary.split(PARTS, low, high)]
        return [self.claim(part) for part in zip(bounds, [*bounds[1:], high], strict=True)]


@dataclass
class Outcome:
    """What each side lacks, and what it took to find out."""

    first_lacks: set[bytes]
    second_lacks: set[bytes]
    messages: int
    wire_bytes: int


def reconcile(first: Summary, second: Summary, key: bytes) -> Outcome:
    """Until both know what they lack. The first one begins."""
    speaker, hearer = Side(first, key), Side(second, key)
    outcome = Outcome(speaker.lacks, hearer.lacks, 0, 0)
    said = [speaker.claim((b'', None))]
    while said:
        outcome.messages += 1
        outcome.wire_bytes += sum(claim.wire_bytes for claim in said)
        said = [answer for claim in said for answer in hearer.hear(claim)]
        speaker, hearer = hearer, speaker
    return outcome
