"""Plays cases: groups them into scenes, runs scenes side by side, and asks the register about failures."""

import asyncio
import itertools
import time

from . import matrix
from . import peer as peers
from .matrix import Result
from .peer import Failure, Unsupported
from .scene import Link, Scene, pairs

SETUP_SECONDS = 120.0


class Runner:
    """`commands` maps each stack that can be played to the command of its peer."""

    def __init__(self, commands, register, width=3, progress=lambda result: None):
        self.commands, self.register, self.progress = commands, register, progress
        self._width = asyncio.Semaphore(width)
        self._alone = {}

    async def run(self, links, cases):
        """The large ones come last, one after the other, each with the machine for itself."""
        small, large = ([case for case in cases if case.large is wanted] for wanted in (False, True))
        jobs = [self._job(link, group) for link in links for group in grouped(suiting(small, link))]
        results = list(itertools.chain(*await asyncio.gather(*jobs)))
        for group in grouped([case for case in large if case.everybody]):
            results += await self._play_everybody(links, group)
        for link, group in [(link, group) for link in links for group in grouped(suiting(large, link))]:
            results += await self._play(link, group)
        return in_order(results, cases, links)

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
                self._spoil(results[-1], ended_badly)
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

    async def _play_everybody(self, links, cases):
        """Every case for every pair of stacks, in one network: a pair that fails spoils nothing for the next."""
        stacks = matrix.in_order(name for link in links for name in (link.us, link.other))
        scene = Scene(Link(stacks[0], stacks[-1], stacks[0], stacks[-1]), self.commands)
        try:
            broken = await attempt(cases[0].setup(scene), SETUP_SECONDS, "setup")
            played = [await self._play_pair(scene, case, link, broken) for case in cases for link in pairs(stacks)]
        finally:
            ended_badly = await scene.close()
        for result, link, case, problem in played:
            if problem:
                if ended_badly is None:
                    await self._excuse(result, link, case, problem)
                self.progress(result)
        results = [result for result, *_ in played]
        if ended_badly and results[-1].status == matrix.PASSED:
            self._spoil(results[-1], ended_badly)
        return results

    async def _play_pair(self, scene, case, link, broken):
        scene.link, scene.notes, start = link, [], time.monotonic()
        problem = broken or await attempt(case.run(scene), case.seconds, case.name)
        result = Result(case.name, link.listener, matrix.PASSED, seconds=time.monotonic() - start,
                        notes=scene.notes, asker=link.dialer)
        if problem:
            result.status, result.reason = matrix.FAILED, str(problem)
            result.story = scene.dialer.story() if scene.dialer else ""
        else:
            self.progress(result)
        return result, link, case, problem

    def _spoil(self, result, ended_badly):
        result.status, result.reason = matrix.FAILED, str(ended_badly)
        self.progress(result)

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
            alone = problem if self._among_themselves(link, case) else await self._fails_alone(stack, case)
            if alone is None:
                result.reason += f" (listed as unsupported, but passes between two {stack} peers)"
                continue
            result.status, result.reason = matrix.UNSUPPORTED, f"{entry.reason} ({entry.command}: {alone})"
            return
        if isinstance(problem, Unsupported):
            result.reason += " (not in unsupported.json)"

    def _among_themselves(self, link, case):
        """A pair of one stack in a network of many has others to thank or to blame."""
        return link.dialer == link.listener and (not case.everybody or len(self.commands) == 1)

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


def suiting(cases, link):
    return [case for case in cases if not case.everybody and case.suits(link)]


def in_order(results, cases, links):
    """Of the cases, and within a case of the links; those of a network come in the order in which it was asked."""
    rows = {case.name: n for n, case in enumerate(cases)}
    columns = {link.column: n for n, link in enumerate(links)}
    return sorted(results, key=lambda r: (rows[r.case], 0 if r.asker else columns[r.column]))


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
