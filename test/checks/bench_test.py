#!/usr/bin/env python3
"""Tests of tools/bench: its arithmetic, its tables, and what it understands of the parts. No time is measured here."""
import asyncio
import json
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "test" / "interop")]

from runner import gossip, main, parts  # noqa: E402
from runner.process import Broken  # noqa: E402
from runner.ratio import ABOVE, FIGURE, Row, Sample, of_floor, sample, sized, summary  # noqa: E402
from runner.table import Line, closing, table  # noqa: E402
from runner.workload import Workload
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


def lines_of(absent, floor=None):
    """Of a workload that takes four where its floor, measured before and after, takes two."""
    async def ours(_):
        return {"cpu": 4, "kib": 85}

    async def of_floor(_):
        return {"cpu": 2}

    rows = (COST, Row("kib", "memory", "KiB", FIGURE, at_most=100))
    workload = Workload("get", rows, ours, None, floor or of_floor, absent=lambda _: absent)
    return asyncio.run(main.lines_of(workload, "kadmesh", ours, None, 2, True))


class Floors(unittest.TestCase):
    def test_a_figure_stands_beside_its_floor(self):
        cost, memory = lines_of("")
        self.assertEqual((cost.summary.median, cost.verdict, memory.verdict), (2, "MISSED", "met"))

    def test_without_its_floor_a_ratio_is_neither_met_nor_missed_and_says_why(self):
        lines = lines_of("OpenDHT is not installed")
        self.assertIn("OpenDHT is not installed", table(lines))
        self.assertEqual(closing(lines), "1 targets met, 0 missed")

    def test_a_floor_that_is_absent_is_not_run(self):
        async def none(_):
            raise AssertionError("there is no such program")
        self.assertEqual(lines_of("not installed", none)[1].summary.figure, 85)

    def test_a_floor_that_breaks_is_a_target_missed(self):
        async def broken(_):
            raise Broken("it ended")
        self.assertEqual(closing(lines_of("", broken)), "0 targets met, 2 missed")


class Register(unittest.TestCase):
    def test_workloads_and_rows_are_named_once(self):
        names = [w.name for w in WORKLOADS]
        rows = [row.title for w in WORKLOADS for row in w.rows]
        self.assertGreater(len(names), 0)
        self.assertEqual((len(set(names)), len(set(rows))), (len(names), len(rows)))

    def test_every_program_has_a_source(self):
        for name in main.PROGRAMS + main.COMPARISONS:
            floor = name.removesuffix("_floor")
            source = ROOT / "bench" / (f"floors/{floor}.cc" if floor != name else f"{name}.cc")
            self.assertTrue(source.exists(), source)


def printed(*runs):
    """As Google Benchmark prints it: every repetition, in any order, and sums of them that are not for us."""
    places = {name: n for n, name in enumerate(dict.fromkeys(name for name, _, _ in runs))}
    entries = [dict(name=name, run_type="iteration", iterations=1, real_time=9e9, cpu_time=time, time_unit=unit,
                    family_index=places[name], per_family_instance_index=0, repetition_index=n)
               for n, (name, time, unit) in enumerate(runs)]
    entries.reverse()
    entries += [dict(name=f"{name}_mean", run_name=name, run_type="aggregate", aggregate_name="mean", cpu_time=0,
                     time_unit=unit) for name, _, unit in runs]
    return json.dumps({"context": {}, "benchmarks": entries})


class Gossip(unittest.TestCase):
    def test_each_of_ten_has_three_links_and_reaches_all(self):
        beside = {n: {m for link in gossip.TEN for m in link if n in link} - {n} for n in range(10)}
        self.assertEqual({len(neighbours) for neighbours in beside.values()}, {3})
        reached = {0}
        for _ in range(10):
            reached |= set().union(*(beside[n] for n in reached))
        self.assertEqual(len(reached), 10)

    def test_what_was_sent_is_that_of_the_peers_alone(self):
        listing = '''ESTAB 0 0 127.0.0.1:1 127.0.0.1:2 users:(("a",pid=7,fd=3)) cubic bytes_sent:100 bytes_received:9
ESTAB 0 0 127.0.0.1:2 127.0.0.1:1 users:(("b",pid=77,fd=3)) cubic bytes_sent:1000
ESTAB 0 0 127.0.0.1:3 127.0.0.1:4 users:(("c",pid=8,fd=4)) cubic bytes_received:5
ESTAB 0 0 127.0.0.1:5 127.0.0.1:6 users:(("a",pid=7,fd=4)) cubic bytes_sent:20'''
        self.assertEqual(gossip.sent_of(listing, {7, 8}), 120)


class Parts(unittest.TestCase):
    def test_a_part_is_held_against_its_floor_repetition_by_repetition(self):
        (part,) = parts.parts("base", printed(("sign/64", 30, "us"), ("floor_sign/64", 20e3, "ns"),
                                              ("sign/64", 60, "us"), ("floor_sign/64", 60e3, "ns")))
        self.assertEqual((part.name, part.ratios), ("sign/64", [1.5, 1]))
        self.assertEqual(part.cells(), ("base", "sign/64", "45 us", "40 us", "1.25", "1.00..1.50"))

    def test_a_part_may_have_no_floor(self):
        (part,) = parts.parts("base", printed(("print", 1.5, "ms")))
        self.assertEqual(part.cells(), ("base", "print", "1.5 ms", "-", "-", "-"))

    def test_what_a_program_did_not_print_is_not_made_up(self):
        failed = dict(name="sign", run_type="iteration", error_occurred=True, error_message="no key",
                      family_index=0, per_family_instance_index=0, repetition_index=0)
        for output in ("", "{}", json.dumps({"benchmarks": [failed]}), printed(("floor_sign", 1, "ns"))):
            with self.assertRaises(parts.Broken):
                parts.parts("base", output)

    def test_the_table_has_a_line_for_each(self):
        text = parts.table(parts.parts("base", printed(("a", 1, "ns"), ("long_name", 2, "ns"))))
        self.assertEqual([line.split()[:2] for line in text.splitlines()[1:]], [["base", "a"], ["base", "long_name"]])

    def test_times_have_the_unit_that_keeps_them_above_one(self):
        self.assertEqual([sized(x) for x in (0.5, 999, 1500, 2e6, 3e9)], ["0.5 ns", "999 ns", "1.5 us", "2 ms", "3 s"])

    def test_programs_are_chosen_by_pattern(self):
        self.assertEqual(parts.wanted([]), list(parts.PROGRAMS))
        self.assertEqual(parts.wanted(["k*", "no"]), ["kad"])

    def test_every_program_has_a_source_and_every_floor_its_part(self):
        for program in parts.PROGRAMS:
            names = re.findall(r"^BENCHMARK\((\w+)\)(.*);", (ROOT / f"bench/parts/{program}.cc").read_text(), re.M)
            self.assertTrue(names, program)
            for name, arguments in names:
                if name.startswith(parts.FLOOR):
                    self.assertIn((name.removeprefix(parts.FLOOR), arguments), names)


if __name__ == "__main__":
    unittest.main()
