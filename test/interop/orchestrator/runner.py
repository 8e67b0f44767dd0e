"""Plays cases: groups them into scenes, runs scenes side by side, and asks the register about failures."""

import asyncio
import itertools
import time

from . import matrix
from . import peer as peers
from .matrix import Result
from .peer import Failure, Unsupported
from .scene import Link, Scene

SETUP_SECONDS = 120.0


class Runner:
    """`commands` maps each stack that can be played to the command of its peer."""

    def __init__(self, commands, register, width=3, progress=lambda result: None):
        self.commands, self.register, self.progress = commands, register, progress
        self._width = asyncio.Semaphore(width)
        self._alone = {}

    async def run(self, links, cases):
        jobs = [self._job(link, group) for link in links for group in grouped(cases)]
        results = list(itertools.chain(*await asyncio.gather(*jobs)))
        order = {(case.name, link.column): n for n, (case, link) in enumerate(itertools.product(cases, links))}
        return sorted(results, key=lambda r: order[r.case, r.column])

    async def _job(self, link, cases):
        if cases[0].idle:
            return await self._play(link, cases)
        async with self._width:
            return await self._play(link, cases)

    async def _play(self, link, cases):
        """Plays the cases on one scene, on a new one after each failure; a failing setup fails them all."""
        results, left = [], list(cases)
        while left:
            scene = Scene(link, self.commands)
            try:
                problem = await attempt(left[0].setup(scene), SETUP_SECONDS, "setup")
                played = left if problem else await self._play_on(scene, left, results)
                for case in played if problem else ():
                    await self._record(results, scene, case, problem, time.monotonic())
                left = left[len(played):]
            finally:
                ended_badly = await scene.close()
            if ended_badly and results[-1].status == matrix.PASSED:
                results[-1].status, results[-1].reason = matrix.FAILED, str(ended_badly)
                self.progress(results[-1])
        return results

    async def _play_on(self, scene, cases, results):
        """Plays until one fails; returns the cases played."""
        for at, case in enumerate(cases):
            start, scene.notes = time.monotonic(), []
            problem = await attempt(case.run(scene), case.seconds, case.name)
            await self._record(results, scene, case, problem, start)
            if problem:
                return cases[:at + 1]
        return cases

    async def _record(self, results, scene, case, problem, start):
        result = Result(case.name, scene.link.column, matrix.PASSED, seconds=time.monotonic() - start,
                        notes=scene.notes)
        if problem:
            result.status, result.reason, result.story = matrix.FAILED, str(problem), scene.tell()
            if await scene.close() is None:
                await self._excuse(result, scene.link, case, problem)
        results.append(result)
        self.progress(result)

    async def _excuse(self, result, link, case, problem):
        """A failure becomes `unsupported` where the register lists it and a stack alone fails as well."""
        for stack in matrix.in_order((link.dialer, link.listener)):
            entry = self.register.get((case.name, stack))
            if entry is None or not excusable(case, link, stack, problem):
                continue
            alone = problem if link.dialer == link.listener else await self._fails_alone(stack, case)
            if alone is None:
                result.reason += f" (listed as unsupported, but passes between two {stack} peers)"
                continue
            result.status, result.reason = matrix.UNSUPPORTED, f"{entry.reason} ({entry.command}: {alone})"
            return
        if isinstance(problem, Unsupported):
            result.reason += " (not in unsupported.json)"

    async def _fails_alone(self, stack, case):
        """Why the case fails between two peers of the stack; None: it passes. Played once a run."""
        key = (stack, case.name)
        if key not in self._alone:
            self._alone[key] = asyncio.ensure_future(self._play_alone(stack, case))
        return await self._alone[key]

    async def _play_alone(self, stack, case):
        scene = Scene(Link(stack, stack, stack, stack), {stack: self.commands[stack]})
        try:
            return (await attempt(case.setup(scene), SETUP_SECONDS, "setup")
                    or await attempt(case.run(scene), case.seconds, case.name))
        finally:
            await scene.close()


def excusable(case, link, stack, problem):
    """Where only `us` is tested, the other stack is excused for a missing API and for nothing else."""
    return not case.about_us or stack == link.us or isinstance(problem, Unsupported)


def grouped(cases):
    """Cases that share a setup share a scene, unless one wants it for itself."""
    groups = {}
    for case in cases:
        key = case.name if case.fresh else case.setup
        groups.setdefault(key, []).append(case)
    return list(groups.values())


async def attempt(work, seconds, what):
    """None, or why it failed."""
    try:
        await asyncio.wait_for(work, seconds * peers.slowness)
    except asyncio.TimeoutError:
        return Failure(f"{what} took longer than {seconds * peers.slowness:g} s")
    except (Failure, Unsupported) as problem:
        return problem
    except Exception as surprise:  # an answer without its fields, a program that does not start
        return Failure(f"{what}: {surprise!r}")
    return None
