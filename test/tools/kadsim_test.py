#!/usr/bin/env python3
"""kadsim, the program: what its commands, its results and its exit status promise
(doc/simulation.md). usage: kadsim_test.py KADSIM [unittest's arguments]"""
import csv
import html.parser
import json
import os
import pathlib
import pty
import shlex
import subprocess
import sys
import tempfile
import unittest

KADSIM = None
ROOT = pathlib.Path(__file__).resolve().parents[2]

HEAD = """name = "two"
about = "Two <b>nodes</b>."
nodes = 2
names = ["alice", "bob"]
duration = "5s"
[join]
seeds = "alice"
"""
SPEAK = """
[[step]]
at = "0s"
do = "subscribe"
who = "all"
topic = "news"
[[step]]
at = "3s"
do = "publish"
who = "alice"
topic = "news"
as = "said"
[[step]]
at = "3s"
do = "put"
who = "bob"
key = "/v/k"
value = "v"
as = "put"
[[expect]]
says = "the message arrives"
what = "delivered"
of = "said"
within = "1s"
"""
# Holds under some seeds only: which of two is drawn.
PLANTED = """
[[step]]
at = "1s"
do = "kill"
who = "random 1"
[[step]]
at = "2s"
do = "get"
who = "alice"
key = "/v/k"
as = "asked"
[[expect]]
says = "Alice may ask"
what = "result"
of = "asked"
is = "any"
"""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def scenario(self, text, name="two.toml"):
        (self.folder / name).write_text(text)
        return name

    def kadsim(self, *arguments, status=0):
        done = subprocess.run([KADSIM, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                              timeout=300, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def rows(self, name):
        return list(csv.DictReader(self.bytes(name).decode().splitlines()))

    def bytes(self, name):
        return (self.folder / name).read_bytes()


class Run(Case):
    def test_it_says_what_held_and_writes_a_folder(self):
        done = self.kadsim("run", self.scenario(HEAD + SPEAK), "--seed", 7, "--out", "out")
        self.assertIn("two: seed 7, 2 nodes", done.stdout)
        self.assertIn("passed  the message arrives", done.stdout)
        self.assertTrue(done.stdout.endswith("out/report.html\n"))
        self.assertEqual(sorted(os.listdir(self.folder / "out")),
                         ["operations.csv", "report.html", "series.csv", "summary.json"])
        summary = json.loads(self.bytes("out/summary.json"))
        self.assertEqual((summary["seed"], summary["nodes"], summary["passed"]), (7, 2, True))
        self.assertRegex(summary["version"], r"^kadsim \d+\.\d+\.\d+$")
        self.assertRegex(summary["trace_hash"], r"^[0-9a-f]{16}$")
        self.assertIn("the message arrives", [v["says"] for v in summary["verdicts"]])
        self.assertEqual(summary["gossip"]["deliveries"], 1)

    def test_the_usual_folder_names_scenario_and_seed(self):
        self.kadsim("run", self.scenario(HEAD), "--seed", 3)
        self.assertTrue((self.folder / "results/two-3/summary.json").exists())

    def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(self):
        name = self.scenario(HEAD + SPEAK)
        for out, seed in (("a", 1), ("b", 1), ("c", 2)):
            self.kadsim("run", name, "--seed", seed, "--out", out, "--trace", "")
        for file in ("summary.json", "series.csv", "operations.csv", "trace.txt", "report.html"):
            self.assertEqual(self.bytes(f"a/{file}"), self.bytes(f"b/{file}"), file)
        hashes = [json.loads(self.bytes(f"{out}/summary.json"))["trace_hash"] for out in "ac"]
        self.assertNotEqual(*hashes)

    def test_a_failed_expectation_is_told_and_is_status_1(self):
        name = self.scenario(HEAD + SPEAK.replace('"1s"', '"1us"'))
        done = self.kadsim("run", name, "--out", "out", status=1)
        self.assertIn("FAILED  the message arrives (0 of 1 deliveries", done.stdout)
        self.assertFalse(json.loads(self.bytes("out/summary.json"))["passed"])

    def test_the_command_line_changes_the_scenario(self):
        name = self.scenario(HEAD + SPEAK)
        self.kadsim("run", name, "--nodes", 5, "--set", "link.latency=40ms", "--out", "out")
        summary = json.loads(self.bytes("out/summary.json"))
        self.assertEqual(summary["nodes"], 5)
        self.assertGreaterEqual(summary["figures"]["delivery_p50_ms"], 39)
        done = self.kadsim("run", name, "--set", "gossip.dd=5", status=2)
        self.assertIn("gossip.dd: no such key (d?)", done.stderr)

    def test_the_series_are_numbers_in_columns(self):
        self.kadsim("run", self.scenario(HEAD + SPEAK), "--out", "out")
        rows = self.rows("out/series.csv")
        self.assertGreater(len(rows), 20)
        self.assertEqual(float(rows[-1]["running"]), 2)
        self.assertEqual(float(rows[-1]["mesh_mean"]), 1)
        self.assertEqual(sorted(rows, key=lambda row: float(row["time_s"])), rows)
        operations = [(o["operation"], o["label"], o["node"], o["result"]) for o in self.rows("out/operations.csv")]
        self.assertIn(("put", "put", "bob", "ok"), operations)

    def test_a_trace_has_what_its_filter_wants(self):
        name = self.scenario(HEAD + SPEAK)
        self.kadsim("run", name, "--out", "all", "--trace", "")
        self.kadsim("run", name, "--out", "some", "--trace", "node=1 kind=bytes")
        lines = [line for line in self.bytes("all/trace.txt").decode().splitlines()]
        some = [line for line in self.bytes("some/trace.txt").decode().splitlines() if not line.startswith("#")]
        self.assertEqual([line for line in lines if " n1 bytes " in line], some)
        self.assertTrue(some)
        self.assertIn('do = "publish"', "\n".join(line for line in lines if line.startswith("#")))
        done = self.kadsim("run", name, "--trace", "kind=wishes", status=2)
        self.assertIn("the kinds are boot, command, timer", done.stderr)

    def test_on_a_terminal_it_shows_how_far_it_is(self):
        name = self.scenario(HEAD.replace('"5s"', '"3000s"') + SPEAK)
        master, slave = pty.openpty()
        done = subprocess.run([KADSIM, "run", name, "--nodes", "12", "--out", "out"], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=slave, timeout=300, check=False)
        os.close(slave)
        shown = os.read(master, 65536).decode()
        os.close(master)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(shown, r"\[=*>? *\] +\d+%  [\d.]+ of 3000.0 s virtual  [\d.]+ [kM] events/s")


class Report(Case):
    def page(self, file):
        text = self.bytes(file).decode()
        found = {}

        class Reader(html.parser.HTMLParser):
            here = ("", {})

            def handle_starttag(self, tag, attributes):
                self.here = (tag, dict(attributes))
                for name, value in attributes:
                    if name in ("src", "href"):
                        found["outside"] = value

            def handle_endtag(self, tag):
                self.here = ("", {})

            def handle_data(self, text):
                if self.here[0] == "script" and self.here[1].get("id") == "data":
                    found["data"] = text
        Reader().feed(text)
        self.assertNotIn("outside", found)
        self.assertNotRegex(text, r"https?://(?!www\.w3\.org/2000/svg)")
        return json.loads(found["data"])

    def test_a_page_has_everything_in_it(self):
        self.kadsim("run", self.scenario(HEAD + SPEAK), "--seed", 7, "--out", "out")
        data = self.page("out/report.html")
        self.assertEqual(data["run"]["seed"], 7)
        self.assertEqual(data["command"], "kadsim run two.toml --seed 7")
        self.assertRegex(data["version"], r"^kadsim \d")
        self.assertIn('name = "two"', data["source"])
        self.assertEqual(data["about"], "Two <b>nodes</b>.")
        self.assertNotIn(b"Two <b>", self.bytes("out/report.html"))
        self.assertTrue(data["run"]["gossip"]["latency_us"])
        self.assertTrue(data["run"]["series"]["rows"])

    def test_a_sweep_has_its_variants_side_by_side(self):
        self.kadsim("sweep", self.scenario(HEAD + SPEAK), "--seeds", "1..3", "--vary", "link.latency=5ms,50ms",
                    "--out", "out", "--quiet")
        variants = self.page("out/report.html")["sweep"]["variants"]
        self.assertEqual([v["variant"] for v in variants], ["link.latency=5ms", "link.latency=50ms"])
        fast, slow = (v["figures"]["delivery_p50_ms"]["median"] for v in variants)
        self.assertLess(fast * 5, slow)


class Sweep(Case):
    def test_a_failing_seed_comes_with_the_command_that_plays_it(self):
        name = self.scenario(HEAD + PLANTED)
        done = self.kadsim("sweep", name, "--seeds", "1..12", "--jobs", 2, "--out", "out", status=1)
        lines = done.stdout.splitlines()
        commands = [line.strip() for line in lines if line.startswith("  kadsim run ")]
        passed, failed = (int(n) for n in lines[-1].split() if n.isdigit())
        self.assertEqual(passed + failed, 12)
        self.assertEqual(len(commands), failed)
        self.assertGreater(passed, 0)
        self.assertGreater(failed, 0)
        words = shlex.split(commands[0])
        again = self.kadsim(*words[1:], "--out", "again", status=1)
        self.assertIn("FAILED  Alice may ask (none was begun)", again.stdout)

    def test_a_variant_is_part_of_the_command(self):
        name = self.scenario(HEAD + SPEAK)
        done = self.kadsim("sweep", name, "--seeds", 4, "--vary", "link.latency=1ms,2s", "--out", "out", status=1)
        self.assertIn("FAILED  seed 4 with link.latency=2s: the message arrives", done.stdout)
        self.assertIn("  kadsim run two.toml --seed 4 --set link.latency=2s\n", done.stdout)

    def test_shards_merge_to_the_whole(self):
        name = self.scenario(HEAD + PLANTED)
        options = ("--seeds", "1..7", "--vary", "kad.k=10,20", "--quiet")
        self.kadsim("sweep", name, *options, "--out", "whole", status=1)
        for i in (1, 2, 3):
            self.kadsim("sweep", name, *options, "--shard", f"{i}/3", "--jobs", 1, "--out", f"part-{i}", status=1)
        done = self.kadsim("merge", "part-3", "part-1", "part-2", "--out", "merged", status=1)
        for file in ("runs.jsonl", "runs.csv", "sweep.json", "report.html"):
            self.assertEqual(self.bytes(f"whole/{file}"), self.bytes(f"merged/{file}"), file)
        self.assertRegex(done.stdout.splitlines()[-1], r"^\d+ passed, \d+ failed$")

    def test_a_sweep_goes_on_where_it_was(self):
        name = self.scenario(HEAD + PLANTED)
        self.kadsim("sweep", name, "--seeds", "1..7", "--vary", "kad.k=10,20", "--out", "whole", status=1)
        self.kadsim("sweep", name, "--seeds", "2..4", "--vary", "kad.k=20", "--resume", "--out", "part", status=1)
        lines = (self.folder / "part/runs.jsonl").read_text().splitlines()
        crashed = json.loads(lines[0])
        crashed["crash"] = "took longer than 1 s"
        # What is there is believed: a figure that no run has stays.
        kept = json.loads(lines[1])
        kept["events"] = 12345
        (self.folder / "part/runs.jsonl").write_text("\n".join(map(json.dumps, (crashed, kept))) + "\n")
        self.kadsim("sweep", name, "--seeds", "1..7", "--vary", "kad.k=10,20", "--resume", "--out", "part", status=1)
        whole, part = ({(run["variant"], run["seed"]): run for run in map(json.loads, open(self.folder / f"{of}/runs.jsonl"))}
                       for of in ("whole", "part"))
        self.assertEqual(whole.keys(), part.keys())
        differ = [which for which in whole if whole[which] != part[which]]
        self.assertEqual(differ, [("kad.k=20", kept["seed"])])
        other = self.scenario(HEAD + SPEAK)
        done = self.kadsim("sweep", other, "--resume", "--seeds", 1, "--out", "part", status=2)
        self.assertIn("--resume: these are sweeps of different scenarios", done.stderr)

    def test_what_does_not_belong_together_does_not_merge(self):
        self.kadsim("sweep", self.scenario(HEAD), "--seeds", 1, "--out", "a")
        self.kadsim("sweep", self.scenario(HEAD + SPEAK), "--seeds", 2, "--out", "b")
        done = self.kadsim("merge", "a", "b", "--out", "c", status=2)
        self.assertIn("different scenarios", done.stderr)
        self.assertIn("nowhere/sweep.json: No such file", self.kadsim("merge", "nowhere", "--out", "c", status=6).stderr)
        (self.folder / "a/runs.jsonl").write_text("{}\n")
        self.assertIn("a/runs.jsonl: line 1: no result", self.kadsim("merge", "a", "--out", "c", status=6).stderr)

    def test_a_run_that_takes_too_long_is_a_failure(self):
        name = self.scenario(HEAD.replace('"5s"', '"3000d"'))
        done = self.kadsim("sweep", name, "--seeds", 1, "--limit", 1, "--out", "out", status=1)
        self.assertIn("no end within 1 s of real time", done.stdout)


class Shrink(Case):
    def test_it_keeps_only_what_the_failure_needs(self):
        noise = "".join(f'[[step]]\nat = "{i}s"\ndo = "get"\nwho = "random 2"\nkey = "/v/{i}"\n' for i in range(4))
        late = '[[expect]]\nsays = "it is quick"\nwhat = "result"\nof = "put"\nwithin = "1us"\n'
        name = self.scenario(HEAD.replace("nodes = 2", "nodes = 9") + noise + SPEAK + late)
        done = self.kadsim("shrink", name, "--seed", 5, "--out", "small.toml", "--quiet")
        self.assertIn("still fails: it is quick", done.stdout)
        command = done.stdout.splitlines()[-1].split("; ")[1]
        self.assertEqual(command, "kadsim run small.toml --seed 5")
        again = self.kadsim(*command.split()[1:], status=1)
        self.assertIn("FAILED  it is quick", again.stdout)
        small = (self.folder / "small.toml").read_text()
        self.assertIn("nodes = 2", small)
        self.assertEqual((small.count("[[step]]"), small.count("[[expect]]")), (1, 1))

    def test_a_run_that_passes_cannot_be_shrunk(self):
        done = self.kadsim("shrink", self.scenario(HEAD + SPEAK), "--seed", 1, status=3)
        self.assertIn("nothing to shrink: two passes with seed 1", done.stdout)


class BadInput(Case):
    def refused(self, *arguments, says, status=2):
        done = self.kadsim(*arguments, status=status)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("kadsim: "), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)

    def test_arguments(self):
        name = self.scenario(HEAD)
        self.refused(says="a command is missing; see kadsim --help")
        self.refused("walk", says="no command is called 'walk'")
        self.refused("run", says="which scenario?")
        self.refused("run", name, "--seed", "one", says="--seed one: a whole number")
        self.refused("run", name, "--nodes", "0", says="--nodes 0: a whole number from 1")
        self.refused("run", name, "--set", "x", says="a setting is like gossip.d=8")
        self.refused("run", name, "--frobnicate", says="--frobnicate")
        self.refused("sweep", name, "--seeds", "9..1", says="the last is before the first")
        self.refused("sweep", name, "--shard", "3/2", says="a shard is like 1/8")
        self.refused("sweep", name, "--vary", "kad.k", says="it is like gossip.d=4,6,8")
        self.refused("sweep", name, "--vary", "kad.k=1,x", says="with kad.k=x: two.toml: kad.k: this is a text")
        self.refused("merge", "a", says="merge needs --out")
        self.refused("shrink", name, says="shrink needs --seed")

    def test_files(self):
        self.refused("run", "nowhere.toml", says="nowhere.toml: No such file", status=6)
        self.refused("run", ".", says="a directory", status=6)
        self.refused("run", self.scenario(HEAD), "--out", "/dev/null/x", says="/dev/null/x", status=6)
        (self.folder / "binary.toml").write_bytes(b"\xff\xfe\x00name")
        self.refused("run", "binary.toml", says="binary.toml:1: ")

    def test_only_regular_files_are_read_and_only_so_much_of_them(self):
        csv = HEAD + '[link]\nlatency = {csv = "%s"}\n'
        self.refused("run", self.scenario(csv % "/dev/zero"), says="/dev/zero: no regular file")
        os.mkfifo(self.folder / "pipe")
        self.refused("run", self.scenario(csv % "pipe"), says="pipe: no regular file")
        self.refused("run", "pipe", says="pipe: no regular file", status=6)
        for name, most in (("big.csv", 64 << 20), ("big.toml", 4 << 20), ("big.capture", 4 << 30)):
            with open(self.folder / name, "wb") as file:
                file.truncate(most + 1)
            says = f"{most + 1} bytes; at most {most} are read"
            if name == "big.csv":
                self.refused("run", self.scenario(csv % name), says=says)
            else:
                self.refused("replay" if "capture" in name else "run", name, says=says, status=6)

    def test_nothing_is_written_through_a_link(self):
        (self.folder / "out").mkdir()
        (self.folder / "mine").write_text("mine")
        for name in ("summary.json", "summary.json.part", "trace.txt"):
            (self.folder / "out" / name).symlink_to("../mine")
        self.kadsim("run", self.scenario(HEAD), "--out", "out", "--trace", "", status=0)
        self.assertEqual(self.bytes("mine"), b"mine")
        self.assertFalse((self.folder / "out/summary.json").is_symlink())
        self.assertEqual([name for name in os.listdir(self.folder / "out") if ".part-" in name], [])

    def test_a_foreign_sweep_says_nothing_to_the_terminal(self):
        self.kadsim("sweep", self.scenario(HEAD), "--seeds", 1, "--out", "a")
        head = json.loads(self.bytes("a/sweep.json"))
        head["version"] = "\x1b[2Jevil"
        (self.folder / "a/sweep.json").write_text(json.dumps(head))
        self.refused("merge", "a", "--out", "c", says="made by ?[2Jevil")

    def test_scenarios(self):
        for text, says in (
                ("name = ", "two.toml:1: "),
                (HEAD + "[[step]]\nat = \"1s\"\ndo = \"dance\"\n", "two.toml:10: step.do: 'dance' is not one of start, "),
                (HEAD + "[[step]]\nat = 1\ndo = \"heal\"\n", "two.toml:9: step.at: this is a whole number; it takes a text"),
                (HEAD + "[[step]]\nat = \"9s\"\ndo = \"heal\"\n", "two.toml:8: step.at: after the end of the run"),
                (HEAD + "[[expect]]\nwhat = \"luck\"\n", "two.toml:9: expect.what: 'luck' is not one of delivered, "),
                (HEAD + "[link]\nlatncy = \"1ms\"\n", "two.toml:9: link.latncy: no such key (latency?)"),
                (HEAD + "[link]\nlatency = {csv = \"no.csv\"}\n", "no.csv: No such file"),
                (HEAD + "[kad]\nk = 0\n", "two.toml:9: kad.k: 0; it takes a whole number from 1 to 1000"),
                (HEAD + "step = 3\n", "two.toml:8: join.step: no such key"),
        ):
            self.refused("run", self.scenario(text), says=says)

    def test_nothing_is_printed_where_nobody_reads(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([KADSIM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 6)
        self.assertIn("standard output", done.stderr)


class Scenarios(unittest.TestCase):
    def test_every_scenario_of_the_project_passes(self):
        files = sorted((ROOT / "scenarios").glob("s*.toml"))
        self.assertGreaterEqual(len(files), 8)
        with tempfile.TemporaryDirectory() as folder:
            for file in files:
                self.passes(folder, file)

    def test_those_with_known_results_pass_when_small(self):
        files = sorted((ROOT / "scenarios" / "reference").glob("*.toml"))
        self.assertEqual(len(files), 3)
        with tempfile.TemporaryDirectory() as folder:
            for file in files:
                self.passes(folder, file, "--nodes", "100")

    def passes(self, folder, file, *more):
        done = subprocess.run([KADSIM, "run", str(file), "--out", folder, "--quiet", *more], capture_output=True,
                              text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    KADSIM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=1)
