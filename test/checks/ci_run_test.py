#!/usr/bin/env python3
""".ci/run: every stage runs whatever the others do, and the last line is the sum of theirs."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAGES = dict(re.findall(r"^stage (\w+) (\S+)", (ROOT / ".ci/run").read_text(), re.M))


class CiRun(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name)
        for name in (".ci/run", "tools/environment.sh"):
            (self.tree / name).parent.mkdir()
            shutil.copy(ROOT / name, self.tree / name)
        for tool in STAGES.values():
            self.tool(tool, "echo 'Some output'; echo '2 passed, 0 failed'")
        self.tool("tools/setup", "")

    def tool(self, name, does):
        path = self.tree / name
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)

    def run_ci(self):
        done = subprocess.run(["bash", self.tree / ".ci/run"], input="9 passed, 9 failed\n",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        began = re.findall(r"^===== (\w+): ", done.stdout, re.M)
        return began, done.stdout.splitlines()[-1], done.returncode

    def counted(self, without=()):
        """How many stages count two cases: all but setup and those of the named tools."""
        return 2 * sum(tool not in {"tools/setup", *without} for tool in STAGES.values())

    def test_all_stages_run_and_are_summed(self):
        self.assertEqual(self.run_ci(), (list(STAGES), f"{self.counted()} passed, 0 failed", 0))

    def test_a_failed_stage_stops_no_other(self):
        self.tool("tools/check_floors", "echo '3 passed, 4 failed'; exit 1")
        self.assertEqual(self.run_ci(), (list(STAGES), f"{self.counted(['tools/check_floors']) + 3} passed, 4 failed", 1))

    def test_a_stage_that_dies_is_one_failure(self):
        self.tool("tools/lint", "exit 3")
        self.assertEqual(self.run_ci(), (list(STAGES), f"{self.counted(['tools/lint'])} passed, 1 failed", 1))

    def test_a_stage_that_claims_success_without_counting_is_a_failure(self):
        self.tool("tools/lint", "echo all is well")
        self.assertEqual(self.run_ci(), (list(STAGES), f"{self.counted(['tools/lint'])} passed, 1 failed", 1))

    def test_counted_failures_fail_the_run_whatever_the_exit_status(self):
        self.tool("tools/lint", "echo '1 passed, 1 failed'")
        self.assertEqual(self.run_ci(), (list(STAGES), f"{self.counted(['tools/lint']) + 1} passed, 1 failed", 1))

    def test_setup_counts_nothing_unless_it_fails(self):
        self.tool("tools/setup", "exit 1")
        self.assertEqual(self.run_ci(), (list(STAGES), f"{self.counted()} passed, 1 failed", 1))

    def test_no_stage_has_standard_input(self):
        self.tool("tools/lint", "echo '2 passed, 0 failed'; cat")
        self.assertEqual(self.run_ci(), (list(STAGES), f"{self.counted()} passed, 0 failed", 0))


unittest.main()
