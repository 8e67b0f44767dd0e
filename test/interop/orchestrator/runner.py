"""Plays cases: groups them into scenes, runs scenes side by side, and asks the register about failures."""

import asyncio
import itertools
import time

from . import matrix
from . import peer as peers
from .again import Again
from .matrix import Result
from .peer import Failure, Unsupported
from .scene import Link, Scene, pairs

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
        """Plays the cases on one scene, and on a new one after each failure."""
        results, left, again = [], list(cases), Again()
        while left:
            scene = Scene(link, self.commands)
            try:
                left = await self._play_on(scene, left, again, results)
            finally:
                ended_badly = await scene.close()
            if ended_badly and results[-1].status == matrix.PASSED:
                self._spoil(results[-1], ended_badly)
        return results

    async def _play_on(self, scene, cases, again, results):
        """Plays until one fails, of a failing setup all; returns what is left to play."""
        start = time.monotonic()
        if problem := await attempt(cases[0].setup(scene), cases[0].setup_seconds, "setup"):
            return await self._fail(scene, cases, problem, again, results, start)
        for at, case in enumerate(cases):
            start, scene.notes = time.monotonic(), []
            if problem := await attempt(case.run(scene), case.seconds, case.name):
                return await self._fail(scene, [case], problem, again, results, start) + cases[at + 1:]
            results.append(outcome(scene, case, scene.link.column, start, again.why(case)))
            self.progress(results[-1])
        return []

    async def _fail(self, scene, cases, problem, again, results, start):
        """Records that these have failed, but for those that are to be played once more, which it returns."""
        crash, story, ended_badly = await scene.crash(), scene.tell(), await scene.close()
        repeated = [] if ended_badly else again.grants(cases, problem, crash)
        for case in cases:
            if case not in repeated:
                result = outcome(scene, case, scene.link.column, start, again.why(case))
                result.status, result.reason, result.story, story = matrix.FAILED, str(problem), story, ""
                await self._tell_failure(result, case, scene.link, problem, ended_badly)
                results.append(result)
        return repeated

    async def _play_everybody(self, links, cases):
        """Every case for every pair of stacks, in one network: a pair that fails spoils nothing for the next."""
        named = matrix.in_order(name for link in links for name in (link.us, link.other))
        stacks = [name for name in named if name not in cases[0].absent]
        games = [(case, link) for case in cases for link in pairs(stacks)]
        results, left, again = {}, games, Again()
        while left:
            present = {name: command for name, command in self.commands.items() if name in stacks}
            scene = Scene(Link(stacks[0], stacks[-1], stacks[0], stacks[-1]), present)
            left = await self._play_network(scene, left, again, results)
        return [results[game] for game in games]

    async def _play_network(self, scene, games, again, results):
        """Returns what is to be played once more, in a new network."""
        try:
            broken = await attempt(games[0][0].setup(scene), games[0][0].setup_seconds, "setup")
            problems = {game: await self._play_pair(scene, game, broken, again, results) for game in games}
            crash = await scene.crash()
        finally:
            ended_badly = await scene.close()
        repeated = []
        for game, problem in problems.items():
            if problem and not ended_badly and again.grants([game], problem, crash):
                repeated.append(game)
            elif problem:
                await self._tell_failure(results[game], *game, problem, ended_badly)
        if ended_badly and (last := results[games[-1]]).status == matrix.PASSED:
            self._spoil(last, ended_badly)
        return repeated

    async def _play_pair(self, scene, game, broken, again, results):
        (case, link), start = game, time.monotonic()
        if broken:
            scene.link = link
        else:
            scene.turn_to(link)
        problem = broken or await attempt(case.run(scene), case.seconds, case.name)
        results[game] = result = outcome(scene, case, link.listener, start, again.why(game), asker=link.dialer)
        if problem:
            result.status, result.reason, result.story = matrix.FAILED, str(problem), scene.tell()
        else:
            self.progress(result)
        return problem

    def _spoil(self, result, ended_badly):
        result.status, result.reason = matrix.FAILED, str(ended_badly)
        self.progress(result)

    async def _tell_failure(self, result, case, link, problem, ended_badly):
        """Where one of ours ended badly nothing is excused."""
        if ended_badly is None:
            await self._excuse(result, link, case, problem)
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
        again, repeated = Again(), True
        while repeated:
            scene = Scene(Link(stack, stack, stack, stack), {stack: self.commands[stack]})
            try:
                problem = (await attempt(case.setup(scene), case.setup_seconds, "setup")
                           or await attempt(case.run(scene), case.seconds, case.name))
                crash = problem and await scene.crash()
            finally:
                await scene.close()
            repeated = again.grants([case], problem, crash)
        return problem


def outcome(scene, case, column, start, again, asker=""):
    """So far it has passed."""
    return Result(case.name, column, matrix.PASSED, seconds=time.monotonic() - start, notes=scene.notes,
                  asker=asker, again=again)


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
