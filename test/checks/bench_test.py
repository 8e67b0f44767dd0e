#!/usr/bin/env python3
"""Tests of tools/bench: its arithmetic and its table. No time is measured here."""
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "test" / "interop")]

from runner import main  # noqa: E402
from runner.ratio import ABOVE, FIGURE, Row, Sample, of_floor, sample, summary  # noqa: E402
from runner.table import Line, closing, table  # noqa: E402
from runner.workloads import WORKLOADS  # noqa: E402

COST = Row("cpu", "connect", "us", at_most=1.6)
SPEED = Row("rate", "stream", "MB/s", at_least=0.8)


def line(row, *scores, judged=True):
    return Line(row, "kadmesh", summary(row, [Sample(1, score, 1) for score in scores]), judged)


class Arithmetic(unittest.TestCase):
    def test_a_figure_is_held_against_the_floors_before_and_after_it(self):
        self.assertEqual(summary(COST, [Sample(100, 300, 200)]).median, 2)

    def test_the_median_counts_and_the_range_is_told(self):
        s = summary(COST, [Sample(1, x, 1) for x in (1.2, 9.0, 1.4, 1.3, 1.1)])
        self.assertEqual((s.median, s.low, s.high), (1.3, 1.1, 9.0))

    def test_a_row_may_stand_above_its_floor_or_alone(self):
        self.assertEqual(Row("ms", "", "", ABOVE).score(15, 10), 5)
        self.assertEqual(Row("kib", "", "", FIGURE).score(12, None), 12)

    def test_a_workload_may_bring_its_floor_itself(self):
        self.assertEqual(sample(COST, {}, {"cpu": 3, of_floor("cpu"): 2}, {}).floor, 2)


class Verdicts(unittest.TestCase):
    def test_a_bound_itself_is_met(self):
        self.assertTrue(COST.meets(1.6) and SPEED.meets(0.8))
        self.assertFalse(COST.meets(1.61) or SPEED.meets(0.79))

    def test_the_last_line_counts_what_is_ours(self):
        lines = [line(COST, 1.5), line(COST, 2.0), line(SPEED, 0.9), line(COST, 9.0, judged=False)]
        self.assertEqual(closing(lines), "2 targets met, 1 missed")

    def test_a_target_without_a_figure_is_missed(self):
        self.assertEqual(closing([Line(COST, "kadmesh", None, True, "it broke")]), "0 targets met, 1 missed")

    def test_the_table_names_what_could_not_be_measured(self):
        text = table([line(COST, 1.5), Line(COST, "go", None, False, "its toolchain is not installed")])
        self.assertIn("its toolchain is not installed", text)
        self.assertEqual(len({row.index("<= 1.6") for row in text.splitlines() if "<= 1.6" in row}), 1)


class Register(unittest.TestCase):
    def test_workloads_and_rows_are_named_once(self):
        names = [w.name for w in WORKLOADS]
        rows = [row.title for w in WORKLOADS for row in w.rows]
        self.assertGreater(len(names), 0)
        self.assertEqual((len(set(names)), len(set(rows))), (len(names), len(rows)))

    def test_every_program_has_a_source(self):
        for name in main.PROGRAMS:
            floor = name.removesuffix("_floor")
            source = ROOT / "bench" / (f"floors/{floor}.cc" if floor != name else f"{name}.cc")
            self.assertTrue(source.exists(), source)


if __name__ == "__main__":
    unittest.main()
