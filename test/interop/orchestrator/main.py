"""The command line of tools/interop."""

import argparse
import asyncio
import concurrent.futures
import json
import os
import pathlib
import sys
import time

from . import build, cases, matrix, register, stack  # noqa: F401  (cases registers itself)
from . import peer as peers
from .case import CASES, selected
from .runner import Runner
from .scene import links


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="interop", description="Plays kadmesh against the peers of other stacks.")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN",
                        help="cases whose name matches or begins so (shell pattern, may be given again)")
    parser.add_argument("--stacks", default=",".join(stack.OTHERS), metavar="go,rust,js,py",
                        help="the stacks to play against")
    parser.add_argument("--pair", metavar="A,B", help="play stack A against stack B instead of kadmesh")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE.json", help="write the results there")
    parser.add_argument("--peer", action="append", default=[], metavar="STACK=PATH",
                        help="play this program instead of building the stack's peer (may be given again)")
    parser.add_argument("--build-dir", type=pathlib.Path, default=build.ROOT / "build",
                        help="the Meson build directory that holds the kadmesh peer")
    parser.add_argument("--jobs", type=int, default=3, help="scenes that run side by side")
    parser.add_argument("--slow", type=float, default=1.0, metavar="FACTOR", help="multiply every deadline")
    parser.add_argument("--long", action="store_true",
                        help="play also the cases that take more than ten minutes (kad-kept-ten-minutes)")
    parser.add_argument("--verbose", action="store_true", help="tell of each case as it ends")
    return parser.parse_args(arguments)


def wanted_pairs(options):
    if options.pair:
        first, second = options.pair.split(",")
        return [(first, second)]
    return [(stack.US, name) for name in options.stacks.split(",") if name]


def build_all(names, options):
    """Commands by stack, and the reason for each stack that has none."""
    commands = {name: [path] for name, path in (given.split("=", 1) for given in options.peer)}
    problems, root = {}, build.cache_root()
    wanted = [name for name in names if name not in commands]
    with concurrent.futures.ThreadPoolExecutor(len(wanted) or 1) as pool:  # they download more than they compute
        for name, made in zip(wanted, pool.map(lambda name: build_one(name, options, root), wanted)):
            (problems if isinstance(made, build.NotBuilt) else commands)[name] = made
    return commands, problems


def build_one(name, options, root):
    """The command, or the NotBuilt that says why there is none."""
    start = time.monotonic()
    try:
        command = build.peer_command(name, options.build_dir, root)
    except build.NotBuilt as problem:
        return problem
    except OSError as problem:
        return build.NotBuilt(f"{name}: {problem}")
    took = time.monotonic() - start
    if took > 5:
        print(f"built the {name} peer in {took:.0f} s", flush=True)
    return command


def not_built(name, problem, in_ci):
    """A missing toolchain is no failure on a machine that never promised one; CI did."""
    excused = isinstance(problem, build.NoToolchain) and not in_ci
    return matrix.Result("build", name, matrix.SKIPPED if excused else matrix.FAILED, str(problem))


async def play(options, pairs, commands, progress):
    runner = Runner(commands, register.load(), options.jobs, progress)
    wanted = [link for us, other in pairs for link in links(us, other)]
    return await runner.run(wanted, selected(options.only, options.long))


def write_report(path, results, seconds):
    rows = [{"case": r.case, "asker": r.asker, "column": r.column, "status": r.status, "reason": r.reason,
             "again": r.again, "seconds": round(r.seconds, 2), "notes": r.notes} for r in results]
    path.write_text(json.dumps({"closing": matrix.closing(results), "seconds": round(seconds), "results": rows},
                               indent=1, ensure_ascii=False) + "\n")


def tell(options, result):
    if result.status == matrix.FAILED:
        print(f"FAIL {result.row} [{result.column}] after {result.seconds:.1f} s: {result.why}\n{result.story}\n",
              flush=True)
    elif options.verbose or result.again:
        said = "; ".join([*result.notes, *([f"again: {result.again}"] if result.again else [])])
        print(f"{matrix.MARKS[result.status]} {result.row} [{result.column}] {result.seconds:.1f} s"
              + (f": {said}" if said else ""), flush=True)


def main(arguments=None):
    options = parse(arguments)
    if options.list:
        for case in CASES:
            print(f"{case.name:26} {case.run.__doc__}{' (--long)' if case.long else ''}")
        return 0
    if not selected(options.only, options.long):
        hint = ": such cases are played with --long" if selected(options.only, long=True) else ""
        print(f"no case is called {options.only}{hint}", file=sys.stderr)
        return 2
    peers.slowness = options.slow
    start, pairs = time.monotonic(), wanted_pairs(options)
    names = matrix.in_order(name for pair in pairs for name in pair)
    commands, problems = build_all(names, options)
    results = [not_built(name, problem, os.environ.get("CI") == "true") for name, problem in problems.items()]
    playable = [pair for pair in pairs if set(pair) <= set(commands)]
    results += asyncio.run(play(options, playable, commands, lambda result: tell(options, result)))
    seconds = time.monotonic() - start
    if options.report:
        write_report(options.report, results, seconds)
    print(matrix.report(results))
    return matrix.exit_code(results)
