"""The parts: programs of Google Benchmark, one a floor. What each benchmark takes, and how many times
what its floor takes that was measured beside it."""

import dataclasses
import fnmatch
import json
import statistics
import subprocess
from typing import Optional

from .ratio import sized
from .table import columns, number

PROGRAMS = ("base", "noise", "yamux", "kad", "gossip", "store")
FLOOR = "floor_"
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
HEAD = ("part", "benchmark", "CPU time", "floor", "ratio", "range")


class Broken(Exception):
    """A program did not print what it is there for."""


@dataclasses.dataclass(frozen=True)
class Part:
    program: str
    name: str
    times: tuple
    """CPU nanoseconds of one operation, of each repetition."""
    floors: Optional[tuple]
    """The same of its floor."""

    @property
    def ratios(self):
        """Of each repetition to the floor's in the same turn."""
        return [time / floor for time, floor in zip(self.times, self.floors)]

    def cells(self):
        head = (self.program, self.name, sized(statistics.median(self.times)))
        if self.floors is None:
            return (*head, "-", "-", "-")
        return (*head, sized(statistics.median(self.floors)), number(statistics.median(self.ratios)),
                f"{number(min(self.ratios))}..{number(max(self.ratios))}")


def place(run):
    """Where it stands in its source: repetitions come in any order."""
    return run["family_index"], run["per_family_instance_index"], run["repetition_index"]


def parts(program, output):
    """Of what a program printed as JSON; a floor is no part, and belongs to one."""
    try:
        runs = [run for run in json.loads(output)["benchmarks"] if run["run_type"] == "iteration"]
        runs.sort(key=place)
    except (ValueError, KeyError) as problem:
        raise Broken(f"{program}: no figures: {problem}") from None
    times = {}
    for run in runs:
        if run.get("error_occurred"):
            raise Broken(f"{program}: {run['name']}: {run.get('error_message', 'failed')}")
        times.setdefault(run["name"], []).append(run["cpu_time"] * NANOSECONDS[run["time_unit"]])
    for name in times:
        if name.startswith(FLOOR) and name.removeprefix(FLOOR) not in times:
            raise Broken(f"{program}: {name} is the floor of nothing")
    floors = {name: tuple(times[FLOOR + name]) for name in times if FLOOR + name in times}
    return [Part(program, name, tuple(of), floors.get(name)) for name, of in times.items()
            if not name.startswith(FLOOR)]


def table(all_parts):
    return columns([HEAD] + [part.cells() for part in all_parts])


def wanted(patterns):
    return [name for name in PROGRAMS if not patterns or any(fnmatch.fnmatchcase(name, p) for p in patterns)]


def measure(folder, programs, repeats, seconds):
    """Repetitions of figures and floors take turns, so what disturbs one disturbs the other."""
    out = []
    for program in programs:
        done = subprocess.run(
            [str(folder / f"part_{program}"), "--benchmark_format=json", f"--benchmark_min_time={seconds}",
             f"--benchmark_repetitions={repeats}", "--benchmark_enable_random_interleaving=true"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Broken(f"{program}: {done.stderr.strip() or done.returncode}")
        out += parts(program, done.stdout)
    return out
