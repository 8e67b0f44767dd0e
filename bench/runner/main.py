"""The command line of tools/bench."""

import argparse
import asyncio
import fnmatch
import os
import pathlib
import subprocess
import sys

from orchestrator import build
from orchestrator import stack as stacks
from orchestrator.peer import Failure, Unsupported

from . import parts
from .process import Broken
from .ratio import FIGURE, sample, summary
from .table import Line, closing, table
from .workload import QUICK, Bench, Sizes
from .workloads import WORKLOADS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OTHERS = ("go", "rust", "js")
PROGRAMS = ("ask", "connect", "stream", "ping", "host", "crowd", "link", "dht", "find_node", "subscribers",
            "handshake_floor", "signature_floor",
            "pipe_floor", "ping_pong_floor", "idle_floor", "start_floor", "wheel_floor", "calendar", "packets", "simulation")
COMPARISONS = ("opendht",)
"""Programs of other libraries, which are built where those are installed."""


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench", description="Measures kadmesh against the floors of bench/floors and against other stacks.")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN",
                        help="workloads or parts whose name matches (shell pattern, may be given again)")
    parser.add_argument("--parts", action="store_true", help="the parts of bench/parts instead, each by itself")
    parser.add_argument("--quick", action="store_true", help="a look, not a measurement: little work, once")
    parser.add_argument("--repeats", type=int, default=5, help="of floor, figure, floor")
    parser.add_argument("--stacks", default=",".join(OTHERS), metavar="go,rust,js", help="the stacks to compare with")
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build-bench")
    parser.add_argument("--list", action="store_true", help="name the workloads and stop")
    return parser.parse_args(arguments)


def build_ours(build_dir, programs):
    """As the library is installed: the project's default build type."""
    if not (build_dir / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(build_dir), "-Dbenchmarks=true"], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    build_targets(build_dir, [f"bench/{name}" for name in programs])


def build_targets(build_dir, targets):
    done = subprocess.run(["ninja", "-C", str(build_dir), *targets], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("\n".join(done.stdout.splitlines()[-30:]))


def build_comparisons(build_dir):
    """What there is a rule for: the library that it compares with was there when the rules were made."""
    rules = subprocess.run(["ninja", "-C", str(build_dir), "-t", "targets", "all"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    known = {line.split(":")[0] for line in rules.splitlines()}
    wanted = [f"bench/{name}" for name in COMPARISONS if f"bench/{name}" in known]
    if wanted:
        build_targets(build_dir, wanted)


def build_peers(wanted, build_dir):
    """Commands by stack; a stack that cannot be built is named, and its lines stay empty."""
    commands, missing = {}, {}
    for name in (stacks.US, *wanted):
        try:
            commands[name] = build.peer_command(name, build_dir, build.cache_root())
        except build.NotBuilt as problem:
            missing[name] = "its toolchain is not installed" if isinstance(problem, build.NoToolchain) else "not built"
            print(f"without {name}: {problem}", file=sys.stderr)
    return commands, missing


async def samples(workload, measure, bench, repeats):
    """Floor, figure, floor, figure, floor …: each figure lies between two measurements of its floor."""
    floor = no_floor if workload.floor is None or workload.absent(bench) else workload.floor
    out, before = [], await floor(bench)
    for _ in range(workload.repeats or repeats):
        figure = await measure(bench)
        after = await floor(bench)
        out.append((before, figure, after))
        before = after
    return out


async def no_floor(_):
    return {}


async def lines_of(workload, name, measure, bench, repeats, judged):
    try:
        triples = await samples(workload, measure, bench, repeats)
    except (Broken, Failure, Unsupported, OSError) as problem:
        return [Line(row, name, None, judged, str(problem)) for row in workload.rows]
    absent = workload.absent(bench)
    return [line_of(row, name, [sample(row, *t) for t in triples], judged, absent) for row in workload.rows]


def line_of(row, name, samples_of, judged, absent):
    """A ratio without a floor is no figure, and nobody's fault: `absent` says why."""
    if absent and row.basis != FIGURE:
        return Line(row, name, None, False, absent)
    return Line(row, name, summary(row, samples_of), judged)


async def measure_all(bench, wanted, missing, options):
    lines = []
    repeats = 1 if options.quick else options.repeats
    for workload in wanted:
        of_workload = []
        if workload.ours:
            of_workload += await lines_of(workload, stacks.US, workload.ours, bench, repeats, True)
        for name in [n for n in options.stacks.split(",") if n and workload.theirs]:
            if name in missing or stacks.US in missing and workload.ours is None:
                of_workload += [Line(row, name, None, False, missing.get(name, "no peer")) for row in workload.rows]
                continue
            of_workload += await lines_of(workload, name, lambda b, n=name: workload.theirs(b, n), bench,
                                          repeats, False)
        of_workload.sort(key=lambda line: workload.rows.index(line.row))
        print(table(of_workload), end="\n\n", file=sys.stderr, flush=True)
        lines += of_workload
    return lines


def take_precedence():
    """What else the machine does should not be measured; without the right to that, medians must do."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    except PermissionError:
        pass


def measure_parts(options):
    wanted = parts.wanted(options.only)
    if options.list:
        print("\n".join(wanted))
        return 0
    if not wanted:
        sys.exit("no such part")
    build_ours(options.build_dir, [f"part_{name}" for name in wanted])
    take_precedence()
    repeats, seconds = (1, 0.02) if options.quick else (options.repeats, 0.2)
    try:
        print(parts.table(parts.measure(options.build_dir / "bench", wanted, repeats, seconds)))
    except parts.Broken as problem:
        sys.exit(str(problem))
    return 0


def main(arguments=None):
    options = parse(arguments)
    if options.parts:
        return measure_parts(options)
    wanted = [w for w in WORKLOADS
              if not options.only or any(fnmatch.fnmatchcase(w.name, pattern) for pattern in options.only)]
    if options.list:
        print("\n".join(w.name for w in wanted))
        return 0
    if not wanted:
        sys.exit("no such workload")
    build_ours(options.build_dir, PROGRAMS)
    build_comparisons(options.build_dir)
    commands, missing = build_peers([n for n in options.stacks.split(",") if n], options.build_dir)
    take_precedence()
    bench = Bench(options.build_dir / "bench", commands, QUICK if options.quick else Sizes())
    lines = asyncio.run(measure_all(bench, wanted, missing, options))
    print(table(lines))
    print(closing(lines))
    return 0
