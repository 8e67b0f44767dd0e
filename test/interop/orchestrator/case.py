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
    fresh: bool = False
    """Needs peers that no other case has used."""
    idle: bool = False
    """Mostly waits: runs beside everything else."""
    about_us: bool = False
    """Tests `us` alone, the other stack being handicapped: that two of the other fail excuses nothing."""
    everybody: bool = False
    """Played in one network of all stacks, once for every ordered pair of them: who asks, whose it is."""
    dialer: str = ""
    """The only stack that can be the dialer, which has what the case is about; empty: any."""
    large: bool = False
    """So many peers that nothing else is played meanwhile."""
    long: bool = False
    """Takes minutes: played only when --long asks for it."""
    setup_seconds: float = 120.0
    """What the setup may take; of cases that share one, the first says it."""
    absent: tuple = ()
    """Stacks that cannot be in its network: where it is defined stands why."""

    def suits(self, link):
        return self.dialer in ("", link.dialer)


CASES = []


def case(name, on, seconds=30.0, **traits):
    def register(run):
        if any(known.name == name for known in CASES):
            raise ValueError(f"two cases are called {name}")
        CASES.append(Case(name, run, on, seconds, **traits))
        return run
    return register


def selected(patterns, long=False):
    """All without patterns. A pattern without a wildcard names a case or the beginning of some."""
    return [one for one in CASES if (long or not one.long)
            and (not patterns or any(matches(one.name, p) for p in patterns))]


def matches(name, pattern):
    return fnmatch.fnmatchcase(name, pattern) or (not set("*?[") & set(pattern) and name.startswith(pattern))


def expect(condition, problem):
    if not condition:
        raise Failure(problem)
