"""What must be reached, and whether it was: one row for each bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.harness import Summary, figure, summary, table

# What a benchmark has measured: name of the program -> name of the value -> one value for each round.
Values = Mapping[str, Mapping[str, list[float]]]


@dataclass(frozen=True, slots=True)
class Row:
    """One bar.

    Attributes:
        what: what is measured.
        bar: what must be reached, in words.
        measured: our value with its unit.
        ratio: our value against the peer's, where the bar is one of a peer; else against the bar itself.
        verdict: ``met``, ``not met``, or ``not shown`` where a side of it was not measured.
    """

    what: str
    bar: str
    measured: str
    ratio: str
    verdict: str


def middle(values: Values, program: str, name: str) -> Summary | None:
    """The summary of one value, ``None`` where it was not measured."""
    found = values.get(program, {}).get(name)
    return summary(found) if found else None


def absolute(what: str, ours: Summary | None, unit: str, *, at_most: float = 0, at_least: float = 0) -> Row:
    """A bar that stands by itself."""
    limit = at_most or at_least
    bar = f'{"at most" if at_most else "at least"} {figure(limit)} {unit}'
    if ours is None:
        return Row(what, bar, '-', '-', 'not shown')
    good = ours.median <= at_most if at_most else ours.median >= at_least
    return Row(what, bar, f'{ours} {unit}', f'{ours.median / limit:.2f}x', 'met' if good else 'not met')


def against(
    what: str,
    ours: Summary | None,
    peer: Summary | None,
    name: str,
    unit: str,
    *,
    at_most: float = 0,
    at_least: float = 0,
) -> Row:
    """A bar that is a multiple of a peer's median."""
    limit = at_most or at_least
    bar = f'{"at most" if at_most else "at least"} {limit:g}x {name}'
    if ours is None or peer is None:
        missing = 'ours' if ours is None else name
        return Row(what, bar, f'{ours} {unit}' if ours else '-', f'no {missing}', 'not shown')
    ratio = ours.median / peer.median
    good = ratio <= at_most if at_most else ratio >= at_least
    measured = f'{ours} against {peer} {unit}'
    return Row(what, bar, measured, f'{ratio:.2f}x', 'met' if good else 'not met')


def faster(what: str, ours: Summary | None, peer: Summary | None, name: str, unit: str, times: float) -> Row:
    """A bar of a duration: the peer takes at least ``times`` as long."""
    row = against(what, ours, peer, name, unit, at_most=1 / times)
    ratio = f'{peer.median / ours.median:.2f}x' if ours and peer else row.ratio
    return Row(what, f'at least {times:g}x faster than {name}', row.measured, ratio, row.verdict)


def in_turns(
    what: str,
    values: Values,
    ours: str,
    peer: str,
    name: str,
    unit: str,
    *,
    at_most: float = 0,
    at_least: float = 0,
) -> Row:
    """A bar that is a multiple of a peer's, judged by the median of the ratios of each round.

    Both took their turn in every round, moments apart, so a slow moment of the machine is in both and falls out. With
    `at_least` the peer's value is so many times ours (of a duration: ours is so many times better).
    """
    limit = at_most or at_least
    bar = f'at most {limit:g}x {peer}' if at_most else f'{limit:g}x better than {peer}'
    own, other = values.get(ours, {}).get(name), values.get(peer, {}).get(name)
    if not own or not other:
        missing = 'ours' if not own else peer
        return Row(what, bar, f'{summary(own)} {unit}' if own else '-', f'no {missing}', 'not shown')
    pairs = zip(own, other, strict=True)
    ratio = summary([mine / theirs if at_most else theirs / mine for mine, theirs in pairs])
    good = ratio.median <= at_most if at_most else ratio.median >= at_least
    measured = f'{summary(own)} against {summary(other)} {unit}'
    return Row(what, bar, measured, f'{ratio.median:.2f}x', 'met' if good else 'not met')


def show(rows: list[Row]) -> str:
    """The table of the bars."""
    return table(
        ['what', 'bar', 'measured', 'ratio', 'verdict'],
        [(row.what, row.bar, row.measured, row.ratio, row.verdict) for row in rows],
    )


def show_values(values: Values) -> str:
    """The table of all that was measured, a row for each program."""
    names = list(dict.fromkeys(name for found in values.values() for name in found))
    rows = [
        [program, *(str(summary(found[name])) if found.get(name) else '-' for name in names)]
        for program, found in values.items()
    ]
    return table(['program', *names], rows)


def as_json(values: Values, rows: list[Row]) -> dict[str, Any]:
    """Both, to be written as JSON."""
    return {
        'values': {program: {name: list(found) for name, found in one.items()} for program, one in values.items()},
        'bars': [asdict(row) for row in rows],
    }


Measure = Callable[[int], dict[str, dict[str, list[float]]]]
