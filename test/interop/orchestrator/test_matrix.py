import unittest

from orchestrator import matrix
from orchestrator.matrix import FAILED, PASSED, SKIPPED, UNSUPPORTED, Result


def result(case, column, status, reason=""):
    return Result(case, column, status, reason)


class Closing(unittest.TestCase):
    def test_counts_what_passed_and_failed(self):
        results = [result("a", "go>", PASSED), result("a", ">go", PASSED), result("b", "go>", FAILED)]
        self.assertEqual(matrix.closing(results), "2 passed, 1 failed")

    def test_an_unsupported_case_is_skipped_and_not_passed(self):
        results = [result("a", "go>", PASSED), result("b", "go>", UNSUPPORTED), result("c", "go>", SKIPPED)]
        self.assertEqual(matrix.closing(results), "1 passed, 0 failed, 2 skipped")

    def test_is_the_last_line_of_the_report_and_alone_on_it(self):
        self.assertEqual(matrix.report([result("a", "go>", PASSED)]).splitlines()[-1], "1 passed, 0 failed")


class ExitCode(unittest.TestCase):
    def test_is_zero_when_all_passed(self):
        self.assertEqual(matrix.exit_code([result("a", "go>", PASSED)]), 0)

    def test_one_failure_is_enough(self):
        self.assertEqual(matrix.exit_code([result("a", "go>", PASSED), result("a", ">go", FAILED)]), 1)

    def test_a_run_that_passed_nothing_has_failed(self):
        self.assertEqual(matrix.exit_code([]), 1)
        self.assertEqual(matrix.exit_code([result("build", "go", SKIPPED)]), 1)

    def test_unsupported_cases_fail_nothing(self):
        self.assertEqual(matrix.exit_code([result("a", "go>", PASSED), result("b", "go>", UNSUPPORTED)]), 0)


class Table(unittest.TestCase):
    def test_has_a_row_for_each_case_and_a_column_for_each_direction(self):
        lines = matrix.table([result("ping", "go>", PASSED), result("ping", ">go", FAILED),
                              result("reset", "go>", UNSUPPORTED)]).splitlines()
        self.assertEqual([line.split() for line in lines],
                         [["go>", ">go"], ["ping", "ok", "FAIL"], ["reset", "unsup", matrix.NOT_RUN]])

    def test_columns_stand_below_each_other(self):
        lines = matrix.table([result("a-long-name", "rust>", PASSED), result("b", ">rust", PASSED)]).splitlines()
        self.assertEqual(len({len(line) for line in lines}), 1)


    def test_who_asked_is_a_row_and_the_networks_have_a_table_of_their_own(self):
        asked = [Result("find", owner, PASSED, asker=asker) for asker in ("go", "js") for owner in ("go", "js")]
        first, second = matrix.tables([result("ping", "go>", PASSED), *asked])
        self.assertEqual([line.split() for line in first.splitlines()], [["go>"], ["ping", "ok"]])
        self.assertEqual([line.split() for line in second.splitlines()],
                         [["go", "js"], ["find", "by", "go", "ok", "ok"], ["find", "by", "js", "ok", "ok"]])

    def test_of_no_results_there_is_still_a_table(self):
        self.assertEqual(matrix.closing([]), matrix.report([]).splitlines()[-1])


class Reasons(unittest.TestCase):
    def test_each_failure_and_each_unsupported_case_is_named_with_its_reason(self):
        text = matrix.report([result("a", "go>", FAILED, "silence"), result("b", ">js", UNSUPPORTED, "no API")])
        self.assertIn("failed a [go>]: silence", text)
        self.assertIn("unsupported b [>js]: no API", text)

    def test_a_case_that_was_played_again_is_named_with_why_though_it_passed(self):
        again = Result("a", ">go", PASSED, again="go ended with code 2: panic: nil")
        text = matrix.report([again, result("b", ">go", PASSED)])
        self.assertIn("passed a [>go]: again: go ended with code 2: panic: nil", text)
        self.assertNotIn("passed b", text)
        self.assertEqual([line.split() for line in matrix.table([again]).splitlines()], [[">go"], ["a", "again"]])
        self.assertEqual((matrix.closing([again]), matrix.exit_code([again])), ("1 passed, 0 failed", 0))

    def test_one_that_failed_again_too(self):
        again = Result("a", ">go", FAILED, "silence", again="go ended with code 2: panic: nil")
        text = matrix.report([again])
        self.assertIn("failed a [>go]: silence; again: go ended with code 2: panic: nil", text)
        self.assertIn("FAIL", matrix.table([again]))

    def test_in_a_network_who_asked_is_named_too(self):
        failed = Result("find", "go", FAILED, "silence", asker="js")
        self.assertIn("failed find by js [go]: silence", matrix.report([failed]))


if __name__ == "__main__":
    unittest.main()
