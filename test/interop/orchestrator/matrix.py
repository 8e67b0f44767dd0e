"""What came out: the matrix, the reasons, the closing line and the exit code."""

import dataclasses

PASSED, FAILED, UNSUPPORTED, SKIPPED = "passed", "failed", "unsupported", "skipped"

MARKS = {PASSED: "ok", FAILED: "FAIL", UNSUPPORTED: "unsup", SKIPPED: "skip"}
NOT_RUN, AGAIN = ".", "again"


@dataclasses.dataclass
class Result:
    case: str
    column: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    story: str = ""
    notes: list = dataclasses.field(default_factory=list)
    asker: str = ""
    """In a network of all stacks: which of them asked. The column is then the stack whose it was."""

    again: str = ""
    """How the peer of another stack ended by itself on whose account the case was played once more."""

    @property
    def mark(self):
        return AGAIN if self.again and self.status == PASSED else MARKS[self.status]

    @property
    def why(self):
        return "; ".join(part for part in (self.reason, self.again and f"again: {self.again}") if part)

    @property
    def row(self):
        return f"{self.case} by {self.asker}" if self.asker else self.case


def in_order(values):
    return list(dict.fromkeys(values))


def table(results):
    """Rows are cases, columns stack and direction, both in the order of their first result."""
    rows, columns = in_order(r.row for r in results), in_order(r.column for r in results)
    marks = {(r.row, r.column): r.mark for r in results}
    first = max([len(row) for row in rows], default=0)
    widths = [max(len(column), 5) for column in columns]
    lines = [" " * first + "".join("  " + c.rjust(w) for c, w in zip(columns, widths))]
    for row in rows:
        cells = (marks.get((row, c), NOT_RUN).rjust(w) for c, w in zip(columns, widths))
        lines.append(row.ljust(first) + "".join("  " + cell for cell in cells))
    return "\n".join(lines)


def count(results, *statuses):
    return sum(1 for r in results if r.status in statuses)


def closing(results):
    """An unsupported case was not passed: it counts as skipped, and is named above with its reason."""
    line = f"{count(results, PASSED)} passed, {count(results, FAILED)} failed"
    skipped = count(results, UNSUPPORTED, SKIPPED)
    return line + (f", {skipped} skipped" if skipped else "")


def exit_code(results):
    """A run that passed nothing has shown nothing."""
    return 0 if count(results, PASSED) and not count(results, FAILED) else 1


def reasons(results, status):
    """Of those that passed only what was played again has one."""
    return [f"{status} {r.row} [{r.column}]: {r.why}" for r in results
            if r.status == status and (status != PASSED or r.again)]


def tables(results):
    """The networks of all stacks have other columns, so they have a table of their own."""
    kinds = [r for r in results if not r.asker], [r for r in results if r.asker]
    return [table(kind) + "\n" for kind in kinds if kind] or [table([]) + "\n"]


def report(results):
    parts = tables(results)
    for status in (SKIPPED, UNSUPPORTED, PASSED, FAILED):
        parts += reasons(results, status)
    parts.append(closing(results))
    return "\n".join(parts)
