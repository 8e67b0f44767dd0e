import asyncio
import itertools
import types
import unittest

from orchestrator import register
from orchestrator.case import Case
from orchestrator.matrix import FAILED, PASSED, UNSUPPORTED
from orchestrator.peer import Failure, Unsupported
from orchestrator.register import Entry
from orchestrator.runner import Runner
from orchestrator.scene import Link, Scene, links

LISTED = {("hard", "go"): Entry("hard", "go", "no API", "how to see it", "what was seen")}


async def nothing(scene):
    pass


def case(name, run, seconds=5, setup=nothing, **traits):
    return Case(name, run, setup, seconds, **traits)


def play(cases, listed=LISTED, pair=("kadmesh", "go"), progress=lambda result: None):
    runner = Runner({"kadmesh": ["none"], "go": ["none"]}, listed, progress=progress)
    return asyncio.run(runner.run(links(*pair), cases))


def fails_when(condition, error=Failure):
    async def run(scene):
        if condition(scene.link):
            raise error("as told")
    return run


def statuses(results):
    return [r.status for r in results]


class Directions(unittest.TestCase):
    def test_two_columns_for_two_stacks_and_one_for_a_stack_with_itself(self):
        self.assertEqual([link.column for link in links("kadmesh", "go")], ["go>", ">go"])
        self.assertEqual([link.column for link in links("go", "rust")], ["rust>go", "go>rust"])
        self.assertEqual([link.column for link in links("go", "go")], ["go>go"])

    def test_results_come_in_the_order_of_the_cases(self):
        results = play([case("one", nothing), case("two", nothing, fresh=True), case("three", nothing)])
        self.assertEqual([(r.case, r.column) for r in results[:3]], [("one", "go>"), ("one", ">go"), ("two", "go>")])


class Outcomes(unittest.TestCase):
    def test_a_case_that_raises_nothing_has_passed(self):
        self.assertEqual(statuses(play([case("easy", nothing)])), [PASSED, PASSED])

    def test_a_failure_is_a_failure_and_the_cases_after_it_are_still_played(self):
        results = play([case("bad", fails_when(lambda link: True)), case("good", nothing)])
        self.assertEqual(statuses(results), [FAILED, FAILED, PASSED, PASSED])

    def test_a_failing_setup_fails_each_of_its_cases(self):
        broken = fails_when(lambda link: True)
        results = play([case("a", nothing, setup=broken), case("b", nothing, setup=broken)])
        self.assertEqual(statuses(results), [FAILED] * 4)

    def test_a_failing_setup_is_not_tried_for_each_of_its_cases(self):
        tried = []

        async def broken(scene):
            tried.append(scene.link.column)
            raise Failure("as told")
        play([case("a", nothing, setup=broken), case("b", nothing, setup=broken)])
        self.assertEqual(sorted(tried), [">go", "go>"])

    def test_an_answer_without_its_fields_is_a_failure(self):
        async def careless(scene):
            return {}["rtts_us"]
        results = play([case("a", careless)])
        self.assertEqual(statuses(results), [FAILED, FAILED])
        self.assertIn("rtts_us", results[0].reason)

    def test_a_case_that_hangs_fails_at_its_deadline(self):
        results = play([case("slow", lambda scene: asyncio.sleep(60), seconds=0.01)])
        self.assertEqual(statuses(results), [FAILED, FAILED])
        self.assertIn("longer than 0.01 s", results[0].reason)


class Excuses(unittest.TestCase):
    def test_a_listed_case_that_fails_between_two_of_the_stack_is_unsupported(self):
        results = play([case("hard", fails_when(lambda link: True))])
        self.assertEqual(statuses(results), [UNSUPPORTED] * 2)

    def test_a_listed_case_that_passes_between_two_of_the_stack_has_failed(self):
        results = play([case("hard", fails_when(lambda link: link.us == "kadmesh"))])
        self.assertEqual(statuses(results), [FAILED] * 2)

    def test_a_listed_case_that_passes_has_passed(self):
        self.assertEqual(statuses(play([case("hard", nothing)])), [PASSED, PASSED])

    def test_an_unlisted_case_has_failed_even_where_the_api_is_missing(self):
        results = play([case("other", fails_when(lambda link: True, Unsupported))])
        self.assertEqual(statuses(results), [FAILED] * 2)
        self.assertIn("not in unsupported.json", results[0].reason)

    def test_a_listed_case_of_one_stack_with_itself_is_its_own_evidence(self):
        results = play([case("hard", fails_when(lambda link: True))], pair=("go", "go"))
        self.assertEqual(statuses(results), [UNSUPPORTED])

    def test_where_only_we_are_tested_the_other_stack_is_no_excuse(self):
        ours = case("hard", fails_when(lambda link: True), about_us=True)
        self.assertEqual(statuses(play([ours])), [FAILED] * 2)

    def test_unless_the_other_stack_cannot_play_its_part(self):
        ours = case("hard", fails_when(lambda link: True, Unsupported), about_us=True)
        self.assertEqual(statuses(play([ours])), [UNSUPPORTED] * 2)


class Networks(unittest.TestCase):
    def network(self, run, setup=nothing):
        return case("hard", run, setup=setup, everybody=True, large=True)

    def test_every_stack_asks_for_what_is_each_ones(self):
        results = play([self.network(nothing)])
        self.assertEqual({(r.asker, r.column) for r in results},
                         {(a, b) for a in ("kadmesh", "go") for b in ("kadmesh", "go")})
        self.assertEqual(statuses(results), [PASSED] * 4)

    def test_a_stack_that_cannot_be_in_it_is_left_out(self):
        present = []

        async def seen(scene):
            present.append(set(scene.commands))
        results = play([case("hard", nothing, setup=seen, everybody=True, large=True, absent=("go",))])
        self.assertEqual([(r.asker, r.column) for r in results], [("kadmesh", "kadmesh")])
        self.assertEqual(present, [{"kadmesh"}])
        self.assertEqual(play([case("hard", nothing, everybody=True, large=True, absent=("go", "kadmesh"))]), [])

    def test_forms_for_as_long_as_its_case_allows(self):
        async def slow(scene):
            await asyncio.sleep(0.05)
        for seconds, expected in ((0.01, FAILED), (5, PASSED)):
            hard = case("large", nothing, setup=slow, everybody=True, large=True, setup_seconds=seconds)
            self.assertEqual(set(statuses(play([hard]))), {expected})

    def test_is_formed_once_for_all_its_cases_and_pairs(self):
        scenes = set()

        async def seen(scene):
            scenes.add(scene)
        play([self.network(seen, seen), Case("two", seen, seen, 5, everybody=True, large=True)])
        self.assertEqual(len(scenes), 1)

    def test_a_pair_that_fails_spoils_nothing_for_the_others(self):
        results = play([self.network(fails_when(lambda link: link.dialer == "kadmesh" and link.listener == "go"))],
                       listed={})
        self.assertEqual([(r.asker, r.column) for r in results if r.status == FAILED], [("kadmesh", "go")])
        self.assertEqual(statuses(results).count(PASSED), 3)

    def test_that_does_not_form_fails_every_pair(self):
        results = play([self.network(nothing, fails_when(lambda link: True))], listed={})
        self.assertEqual(statuses(results), [FAILED] * 4)

    def test_a_pair_is_excused_only_where_a_network_of_the_stack_alone_fails_as_well(self):
        alone = self.network(fails_when(lambda link: link.listener == "go"))
        self.assertEqual(statuses(play([alone])).count(UNSUPPORTED), 2)
        mixed = self.network(fails_when(lambda link: "kadmesh" in (link.dialer, link.listener)))
        self.assertEqual(statuses(play([mixed])).count(FAILED), 3)

    def test_that_a_stack_fails_with_itself_among_others_excuses_nothing(self):
        times = itertools.count()
        crowded = self.network(fails_when(lambda link: link == Link("go", "go", "go", "go") and next(times) == 0))
        self.assertEqual(statuses(play([crowded])), [PASSED] * 3 + [FAILED])

    def test_the_large_are_played_when_all_others_are_done(self):
        order = []

        async def slowly(scene):
            await asyncio.sleep(0.01)
            order.append("small")

        async def large(scene):
            order.append("large")
        play([Case("a", large, nothing, 5, large=True), self.network(large), case("b", slowly)])
        self.assertEqual(order, ["small"] * 2 + ["large"] * 6)


def fake(stack, crash=None, story="", ended_badly=None):
    """A peer as the runner sees it."""
    async def crashed():
        return crash

    async def close():
        peer.story = lambda: "closed"
    peer = types.SimpleNamespace(stack=stack, crash=crashed, close=close, story=lambda: story, ended_badly=ended_badly,
                                 died=crash is not None)
    return peer


def crashing(*scripts, error=Failure):
    """Plays one script after the other, the last for ever: the peers of the scene, and whether the case fails."""
    turns = iter(scripts)
    last = [None]

    async def run(scene):
        last[0] = peers, fails = next(turns, last[0])
        scene.peers += peers
        if fails:
            raise error("as told")
    return run


PANIC = "go ended with code 2: panic: nil"


class Again(unittest.TestCase):
    """Only in the direction go> does anything happen."""

    def outcome(self, *scripts, listed={}, setup=nothing, **traits):
        only = case("hard", crashing(*scripts), setup=setup, dialer="go", **traits)
        [result] = play([only], listed=listed)
        return result

    def test_a_case_that_failed_beside_a_crash_of_another_stack_is_played_once_more_and_says_so(self):
        result = self.outcome(([fake("go", PANIC)], True), ([fake("go")], False))
        self.assertEqual((result.status, result.again), (PASSED, PANIC))

    def test_a_second_crash_fails_it(self):
        count = itertools.count()
        result = self.outcome(*(([fake("go", f"{PANIC} {next(count)}")], True) for _ in range(2)), ([], False))
        self.assertEqual((result.status, result.again), (FAILED, f"{PANIC} 0"))

    def test_so_does_any_other_failure_the_second_time(self):
        result = self.outcome(([fake("go", PANIC)], True), ([fake("go")], True), ([], False))
        self.assertEqual((result.status, result.reason, result.again), (FAILED, "as told", PANIC))

    def test_a_failure_without_a_crash_is_not_played_again(self):
        result = self.outcome(([fake("go"), fake("kadmesh")], True), ([], False))
        self.assertEqual((result.status, result.again), (FAILED, ""))

    def test_nor_is_one_where_one_of_ours_ended(self):
        ours = fake("kadmesh", "kadmesh ended with code 6", ended_badly=Failure("kadmesh ended"))
        self.assertEqual(self.outcome(([ours], True), ([], False)).status, FAILED)
        self.assertEqual(self.outcome(([ours, fake("go", PANIC)], True), ([], False)).status, FAILED)
        crashed = fake("kadmesh", "kadmesh ended with code 6")
        self.assertEqual(self.outcome(([crashed], True), ([], False)).status, FAILED)

    def test_who_crashes_and_fails_nothing_is_not_asked_about(self):
        result = self.outcome(([fake("go", PANIC)], False), ([], True))
        self.assertEqual((result.status, result.again), (PASSED, ""))

    def test_a_missing_api_is_no_crash(self):
        only = case("hard", crashing(([fake("go", PANIC)], True), ([], False), error=Unsupported), dialer="go")
        self.assertEqual(statuses(play([only], listed={})), [FAILED])

    def test_a_setup_that_failed_beside_a_crash_is_tried_once_more_for_all_its_cases(self):
        setup = crashing(([fake("go", PANIC)], True), ([], False))
        results = play([case(name, nothing, setup=setup, dialer="go") for name in "ab"])
        self.assertEqual([(r.status, r.again) for r in results], [(PASSED, PANIC)] * 2)
        setup = crashing(([fake("go", PANIC)], True))
        results = play([case(name, nothing, setup=setup, dialer="go") for name in "ab"])
        self.assertEqual(statuses(results), [FAILED] * 2)

    def test_the_cases_beside_it_are_played_once(self):
        played = []

        async def noted(scene):
            played.append(scene)
        results = play([case("a", noted, dialer="go"),
                        case("b", crashing(([fake("go", PANIC)], True), ([], False)), dialer="go"),
                        case("c", noted, dialer="go")])
        self.assertEqual([(r.case, r.status, r.again) for r in results],
                         [("a", PASSED, ""), ("b", PASSED, PANIC), ("c", PASSED, "")])
        self.assertEqual(len(set(played)), 2)
        self.assertEqual(len(played), 2)

    def test_each_is_told_once(self):
        told = []
        only = case("hard", crashing(([fake("go", PANIC)], True), ([], False)), dialer="go")
        play([only], progress=told.append)
        self.assertEqual([(r.status, r.again) for r in told], [(PASSED, PANIC)])

    def test_that_a_stack_crashed_once_by_itself_is_no_evidence_that_it_cannot(self):
        async def run(scene):
            if scene.link.us != "go":
                raise Failure("as told")
            if next(times) == 0:
                scene.peers.append(fake("go", PANIC))
                raise Failure("crashed")
        times = itertools.count()
        self.assertEqual(statuses(play([case("hard", run, dialer="go")])), [FAILED])

    def test_of_a_network_only_what_failed_is_played_again_in_a_new_one(self):
        played = []

        async def run(scene):
            played.append((scene.link.dialer, scene.link.listener))
            if len(played) == 2:
                scene.peers.append(fake("go", PANIC))
                raise Failure("as told")
        scenes = set()

        async def setup(scene):
            scenes.add(scene)
        told = []
        results = play([case("hard", run, setup=setup, everybody=True, large=True)], listed={}, progress=told.append)
        self.assertEqual([(r.asker, r.column) for r in results], played[:4])
        self.assertEqual([(r.asker, r.column) for r in told], [played[0], *played[2:]])
        self.assertEqual([(r.status, r.again) for r in results], [(PASSED, ""), (PASSED, PANIC)] + [(PASSED, "")] * 2)
        self.assertEqual((played[4:], len(scenes)), ([played[1]], 2))

    def test_a_network_that_crashes_again_fails(self):
        setup = crashing(([fake("go", PANIC)], True))
        results = play([case("hard", nothing, setup=setup, everybody=True, large=True)], listed={})
        self.assertEqual([(r.status, r.again) for r in results], [(FAILED, PANIC)] * 4)

    def test_nor_is_a_network_in_which_one_of_ours_ended(self):
        ours = fake("kadmesh", "kadmesh ended with code 6", ended_badly=Failure("kadmesh ended"))
        setup = crashing(([ours, fake("go", PANIC)], True), ([], False))
        results = play([case("hard", nothing, setup=setup, everybody=True, large=True)], listed={})
        self.assertEqual([(r.status, r.again) for r in results], [(FAILED, "")] * 4)


def crowded(count=50):
    scene = Scene(links("kadmesh", "go")[0], {})
    scene.peers = [fake("go", story=str(i)) for i in range(count)]
    return scene


class Stories(unittest.TestCase):
    def test_where_nobody_matters_yet_the_first_two_tell_and_who_was_waited_for(self):
        scene = crowded()
        with self.assertRaises(Failure), scene.telling(scene.peers[7]):
            raise Failure("as told")
        self.assertEqual(scene.tell(), "0\n1\n7")

    def test_who_succeeded_does_not_tell(self):
        scene = crowded()
        with scene.telling(scene.peers[7]):
            pass
        self.assertEqual(scene.tell(), "0\n1")

    def test_whoever_crashed_tells_as_well(self):
        scene = crowded()
        scene.dialer, scene.peers[3] = scene.peers[8], fake("go", PANIC, "3")
        self.assertEqual(scene.tell(), "8\n3")

    def test_a_pair_of_a_network_does_not_tell_the_story_of_the_pair_before(self):
        async def run(scene):
            scene.peers = [fake("go", story=str(i)) for i in range(50)]
            if scene.link.dialer == scene.link.listener:
                scene.dialer = scene.peers[9]
            raise Failure("as told")
        results = play([case("hard", run, everybody=True, large=True)], listed={})
        self.assertEqual([r.story for r in results], ["9", "0\n1", "0\n1", "9"])

    def test_of_a_network_that_did_not_form_is_told_once(self):
        async def setup(scene):
            scene.peers = [fake("go", story=str(i)) for i in range(50)]
            raise Failure("as told")
        results = play([case("hard", nothing, setup=setup, everybody=True, large=True)], listed={})
        self.assertEqual([r.story for r in results], ["0\n1", "", "", ""])

    def test_of_a_crowd_only_the_two_that_matter_tell(self):
        scene = crowded()
        scene.dialer = scene.peers[49]
        self.assertEqual(scene.tell(), "49")

    def test_are_told_before_the_peers_are_asked_to_end(self):
        for traits in ({}, dict(everybody=True, large=True)):
            results = play([case("hard", crashing(([fake("go", story="lives")], True)), **traits)], listed={})
            self.assertEqual({line for r in results for line in r.story.splitlines()}, {"lives"})

    def test_of_a_failing_setup_are_told_once(self):
        setup = crashing(([fake("go", story="lives")], True))
        results = play([case(name, nothing, setup=setup, dialer="go") for name in "ab"])
        self.assertEqual([r.story for r in results], ["lives", ""])

    def test_otherwise_all_do(self):
        scene = crowded(3)
        self.assertEqual((scene.tell(), scene.tell()), ("0\n1\n2", ""))


class OnlySome(unittest.TestCase):
    def test_a_case_for_one_dialer_is_played_in_its_column_alone(self):
        results = play([case("crawled", nothing, dialer="go"), case("any", nothing)])
        self.assertEqual([(r.case, r.column) for r in results], [("crawled", "go>"), ("any", "go>"), ("any", ">go")])
        self.assertEqual(play([case("crawled", nothing, dialer="rust", large=True)]), [])


class Register(unittest.TestCase):
    def test_the_committed_one_is_well_formed(self):
        self.assertIsInstance(register.load(), dict)

    def test_an_entry_without_its_evidence_is_refused(self):
        with self.assertRaises(ValueError):
            register.read('[{"case": "a", "stack": "go", "reason": "b", "command": "", "shown": "d"}]')
        with self.assertRaises(TypeError):
            register.read('[{"case": "a", "stack": "go", "reason": "b"}]')

    def test_an_entry_that_stands_twice_is_refused(self):
        entry = '{"case": "a", "stack": "go", "reason": "b", "command": "c", "shown": "d"}'
        with self.assertRaises(ValueError):
            register.read(f"[{entry}, {entry}]")

    def test_every_entry_names_a_case_that_exists(self):
        from orchestrator import cases  # noqa: F401
        from orchestrator.case import CASES
        self.assertLessEqual({name for name, _ in register.load()}, {case.name for case in CASES})


if __name__ == "__main__":
    unittest.main()
