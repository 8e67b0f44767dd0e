"""The register of cases. A case is a name, a setup and an async function that raises when it fails."""

import dataclasses
import fnmatch
from typing import Awaitable, Callable

from .peer import Failure
from .scene import Scene


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    run: Callable[[Scene], Awaitable[None]]
    setup: Callable[[Scene], Awaitable[None]]
    seconds: float
    fresh: bool
    """Needs peers that no other case has used."""
    idle: bool
    """Mostly waits: runs beside everything else."""
    about_us: bool = False
    """Tests `us` alone, the other stack being handicapped: that two of the other fail excuses nothing."""


CASES = []


def case(name, on, seconds=30.0, fresh=False, idle=False, about_us=False):
    def register(run):
        if any(known.name == name for known in CASES):
            raise ValueError(f"two cases are called {name}")
        CASES.append(Case(name, run, on, seconds, fresh, idle, about_us))
        return run
    return register


def selected(patterns):
    """All without patterns. A pattern without a wildcard names a case or the beginning of some."""
    return [one for one in CASES if not patterns or any(matches(one.name, p) for p in patterns)]


def matches(name, pattern):
    return fnmatch.fnmatchcase(name, pattern) or (not set("*?[") & set(pattern) and name.startswith(pattern))


def expect(condition, problem):
    if not condition:
        raise Failure(problem)
