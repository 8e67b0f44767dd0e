import unittest
from unittest import mock

from orchestrator import main
from orchestrator.case import matches, selected
from orchestrator.build import NoToolchain, NotBuilt
from orchestrator.matrix import FAILED, SKIPPED


class MissingStacks(unittest.TestCase):
    def test_a_missing_toolchain_is_said_and_skipped(self):
        result = main.not_built("go", NoToolchain("go: go is not installed"), in_ci=False)
        self.assertEqual((result.status, result.reason), (SKIPPED, "go: go is not installed"))

    def test_in_ci_it_is_a_failure(self):
        self.assertEqual(main.not_built("go", NoToolchain("gone"), in_ci=True).status, FAILED)

    def test_a_broken_build_is_a_failure_anywhere(self):
        self.assertEqual(main.not_built("go", NotBuilt("broken"), in_ci=False).status, FAILED)


class Builds(unittest.TestCase):
    def test_a_stack_that_cannot_be_built_does_not_keep_others_from_it(self):
        made = {"go": ["go"], "js": NotBuilt("js: broken"), "rust": PermissionError("denied"), "py": ["py"]}
        with mock.patch.object(main.build, "peer_command", side_effect=lambda name, *_: raised(made[name])):
            commands, problems = main.build_all(list(made), main.parse([]))
        self.assertEqual(commands, {"go": ["go"], "py": ["py"]})
        self.assertEqual({name: str(p) for name, p in problems.items()},
                         {"js": "js: broken", "rust": "rust: denied"})


def raised(value):
    if isinstance(value, Exception):
        raise value
    return value


class Options(unittest.TestCase):
    def test_we_are_played_against_each_stack(self):
        self.assertEqual(main.wanted_pairs(main.parse(["--stacks", "go,js"])), [("kadmesh", "go"), ("kadmesh", "js")])

    def test_a_pattern_without_a_wildcard_is_a_beginning(self):
        self.assertTrue(matches("kad-pk", "kad"))
        self.assertTrue(matches("kad-pk", "*-pk"))
        self.assertFalse(matches("kad-pk", "pk"))
        self.assertFalse(matches("kad-pk", "kad?"))

    def test_a_long_case_is_played_only_when_asked_for(self):
        for patterns in ([], ["kad-kept-ten-minutes"]):
            self.assertFalse([case for case in selected(patterns) if case.long])
        self.assertEqual([case.name for case in selected(["kad-kept-ten*"], long=True)], ["kad-kept-ten-minutes"])
        self.assertEqual(main.main(["--only", "kad-kept-ten-minutes"]), 2)

    def test_a_pair_is_played_instead(self):
        self.assertEqual(main.wanted_pairs(main.parse(["--pair", "go,rust"])), [("go", "rust")])


if __name__ == "__main__":
    unittest.main()
