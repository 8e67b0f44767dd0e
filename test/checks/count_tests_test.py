#!/usr/bin/env python3
"""count_tests: the closing line says what ran, and a run of nothing is a failure."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/count_tests"


def doctest(passed, failed=0, skipped=0):
    return (f"[doctest] doctest version is \"2.4.9\"\n"
            f"[doctest] test cases: {passed + failed} | {passed} passed | {failed} failed | {skipped} skipped\n")


def run(tests, *arguments):
    """(last line, exit status) for tests given as (meson's result, standard output)."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log.json"
        if tests is not None:
            log.write_text("".join(
                json.dumps({"name": "t", "result": r, "stdout": o}) + "\n" for r, o in tests))
        done = subprocess.run([sys.executable, TOOL, *arguments, log], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
        return done.stdout.splitlines()[-1], done.returncode


class CountTests(unittest.TestCase):
    def test_cases_of_all_programs_are_summed_and_a_script_is_one(self):
        self.assertEqual(run([("OK", doctest(8)), ("OK", doctest(3)), ("OK", "fine\n")]),
                         ("12 passed, 0 failed", 0))

    def test_a_failed_case_is_counted(self):
        self.assertEqual(run([("FAIL", doctest(8, 2))], "--status", "1"), ("8 passed, 2 failed", 1))

    def test_a_program_that_died_is_one_failure(self):
        self.assertEqual(run([("OK", doctest(8)), ("FAIL", '[doctest] run with "--help"\n')]),
                         ("8 passed, 1 failed", 1))
        self.assertEqual(run([("OK", doctest(8)), ("TIMEOUT", "")]), ("8 passed, 1 failed", 1))

    def test_a_sanitizer_report_after_the_last_case_is_a_failure(self):
        self.assertEqual(run([("FAIL", doctest(8))]), ("8 passed, 1 failed", 1))

    def test_an_early_exit_that_claims_success_is_a_failure(self):
        self.assertEqual(run([("OK", '[doctest] run with "--help"\n')]), ("0 passed, 1 failed", 1))

    def test_a_program_without_cases_is_a_failure_unless_the_run_was_filtered(self):
        self.assertEqual(run([("OK", doctest(8)), ("OK", doctest(0))]), ("8 passed, 1 failed", 1))
        self.assertEqual(run([("OK", doctest(8)), ("OK", doctest(0))], "--some"),
                         ("8 passed, 0 failed", 0))

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(run(None), ("0 passed, 1 failed", 1))
        self.assertEqual(run([]), ("0 passed, 1 failed", 1))
        self.assertEqual(run([("OK", doctest(0))], "--some"), ("0 passed, 1 failed", 1))

    def test_failure_of_meson_itself_is_a_failure(self):
        self.assertEqual(run([("OK", doctest(8))], "--status", "2"), ("8 passed, 1 failed", 1))

    def test_skipped_cases_are_shown_and_are_not_passed(self):
        self.assertEqual(run([("OK", doctest(8, 0, 2)), ("SKIP", "")]),
                         ("8 passed, 0 failed, 3 skipped", 0))


unittest.main()
