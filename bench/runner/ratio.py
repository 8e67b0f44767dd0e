"""The arithmetic: floor, figure, floor, again and again; what is left of it is a median and a range."""

import dataclasses
import statistics
from typing import Optional

RATIO, ABOVE, FIGURE = "ratio", "above", "figure"


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table for each stack: a figure, how it is held against its floor, the target."""
    key: str
    """Of the number in what the workload and its floor print."""
    title: str
    unit: str
    basis: str = RATIO
    """RATIO: figure / floor. ABOVE: figure - floor. FIGURE: the figure alone."""
    at_most: Optional[float] = None
    at_least: Optional[float] = None

    def score(self, figure, floor):
        if self.basis == FIGURE:
            return figure
        return figure - floor if self.basis == ABOVE else figure / floor

    def meets(self, score):
        """None where there is no target."""
        if self.at_most is None and self.at_least is None:
            return None
        return score <= self.at_most if self.at_most is not None else score >= self.at_least

    def target(self):
        limit = self.at_most if self.at_most is not None else self.at_least
        if limit is None:
            return "-"
        sign = "<=" if self.at_most is not None else ">="
        return f"{sign} {limit:g}{'' if self.basis == RATIO else ' ' + self.unit}"


@dataclasses.dataclass(frozen=True)
class Sample:
    """A figure between two measurements of its floor (A-B-A); None where the row needs no floor."""
    before: Optional[float]
    figure: float
    after: Optional[float]

    @property
    def floor(self):
        return None if self.before is None else (self.before + self.after) / 2


@dataclasses.dataclass(frozen=True)
class Summary:
    figure: float
    floor: Optional[float]
    median: float
    low: float
    high: float


def of_floor(key):
    """The name under which a workload that measures its floor beside itself says it."""
    return f"floor of {key}"


def sample(row, before, figure, after):
    if of_floor(row.key) in figure:
        before = after = {row.key: figure[of_floor(row.key)]}
    return Sample(before.get(row.key), figure[row.key], after.get(row.key))


def summary(row, samples):
    scores = [row.score(s.figure, s.floor) for s in samples]
    floors = [s.floor for s in samples if s.floor is not None]
    return Summary(figure=statistics.median(s.figure for s in samples),
                   floor=statistics.median(floors) if floors else None,
                   median=statistics.median(scores), low=min(scores), high=max(scores))


def sized(nanoseconds):
    """With the unit that keeps it above one."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"
