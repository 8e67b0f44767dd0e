"""The table, and its last line."""

import dataclasses
from typing import Optional

from .ratio import FIGURE, Row, Summary

MET, MISSED, NO_TARGET = "met", "MISSED", "-"
HEAD = ("workload", "stack", "figure", "unit", "floor", "ratio", "range", "target", "verdict")


@dataclasses.dataclass(frozen=True)
class Line:
    row: Row
    stack: str
    summary: Optional[Summary]
    judged: bool = False
    """Whether the target is this line's: other stacks are there to compare."""
    why_not: str = ""
    """Why there is no summary."""

    @property
    def verdict(self):
        if not self.judged or self.row.meets(0) is None:
            return NO_TARGET
        if self.summary is None:
            return MISSED
        return MET if self.row.meets(self.summary.median) else MISSED

    def cells(self):
        title, s = self.row.title, self.summary
        target = self.row.target() if self.judged else "-"
        if s is None:
            return (title, self.stack, self.why_not or "no figure", "", "", "", "", target, self.verdict)
        alone = self.row.basis == FIGURE
        return (title, self.stack, number(s.figure), self.row.unit, "-" if s.floor is None else number(s.floor),
                "-" if alone else number(s.median), f"{number(s.low)}..{number(s.high)}", target, self.verdict)


def number(value):
    """Three digits that count, and no exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def columns(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def table(lines):
    rows = [HEAD] + [line.cells() for line in lines]
    # A reason stands in for the figures, and may run over their columns.
    widths = [max(len(r[i]) for r in rows if r[3] or i != 2) for i in range(len(HEAD))]
    out = []
    for cells in rows:
        if cells[3]:
            out.append("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())
        else:
            room = sum(widths[2:7]) + 2 * 4
            out.append("  ".join([cells[0].ljust(widths[0]), cells[1].ljust(widths[1]), cells[2][:room].ljust(room),
                                  cells[7].ljust(widths[7]), cells[8]]).rstrip())
    return "\n".join(out)


def closing(lines):
    verdicts = [line.verdict for line in lines]
    return f"{verdicts.count(MET)} targets met, {verdicts.count(MISSED)} missed"
