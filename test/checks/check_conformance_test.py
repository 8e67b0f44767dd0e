#!/usr/bin/env python3
"""check_conformance: a planted error of each kind is caught, and a page that is true passes."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/check_conformance"

PARAMS = """
inline constexpr std::size_t kMost = 16 * 1024 - 64;  // kOld = 1;
inline constexpr Duration kStall = 1s;
inline constexpr std::size_t kQuarter = kMost / 4;
inline constexpr std::size_t kMany = 10'000;
"""
PAGE = """# Kademlia

- `lookup.h`, `src/kad/lookup.h` and `kad/lookup_test.cc`, which says: "whatever".
- `kad/lookup_test.cc`: "lookup: one", "lookup: of two
  lines"; `interop/kad.py`: "kad-get"; `scenarios/dht.toml`: "values are there"

### Bounds: `kad/params.h`

| Constant | Value | Why |
|---|---|---|
| `kMost` | 16 KiB - 64 | rust |
| `kStall` | 1000 ms | ours |
| `kQuarter` | 4080 | ours |
| `kMany` | 10000 | ours |

### Settings: `kad/config.h`

| Setting | Value | Why |
|---|---|---|
| `scope` | `Scope::any` | ours |
| `ttl` | 2 d | the specification |

## Behind the tables

| `kStall` | is no constant here | |
"""
GOSSIP = """# GossipSub

### Bounds: `params.h`

| `kMost` | 3 | ours |

- `mesh.h`; `gossip/mesh_test.cc`: "mesh: one"; `open`: "mesh: two", "mesh: of three
  lines"
"""
TREE = {
    "src/kad/params.h": PARAMS,
    "src/kad/config.h": "struct C {\n  Scope scope = Scope::any;  // why\n  Duration ttl = 48h;\n};\n",
    "src/kad/lookup.h": "",
    "test/kad/lookup_test.cc": 'TEST_CASE("lookup: one") {}\n'
                               'TEST_CASE_FIXTURE(Some,\n                  "lookup: of two "\n  "lines") {}\n',
    "test/interop/kad.py": '@case("kad-get", on=five)\n',
    "scenarios/dht.toml": 'says = "values are there"\n',
    "doc/kademlia.md": PAGE,
    "src/gossip/params.h": "inline constexpr int kMost = 3;\n",
    "src/gossip/mesh.h": "",
    "test/gossip/mesh_test.cc": 'TEST_CASE("mesh: one") {}\n',
    "doc/gossipsub.md": GOSSIP,
}

# (what is replaced in the page of Kademlia, by what, line, a part of what is said)
PLANTED = [
    ("`src/kad/lookup.h`", "`src/kad/loookup.h`", 3, "no file src/kad/loookup.h"),
    ("`kad/lookup_test.cc`: ", "`kad/walk_test.cc`: ", 4, "no file kad/walk_test.cc"),
    ('"lookup: one"', '"lookup: won"', 4, 'no test "lookup: won"'),
    ("of two\n  lines", "of two\n  lives", 4, 'no test "lookup: of two lives"'),
    ('"kad-get"', '"kad-put"', 5, 'no test "kad-put"'),
    ('"values are there"', '"values are gone"', 5, 'no test "values are gone"'),
    ("16 KiB - 64", "16 KiB", 11, "kMost is 16 * 1024 - 64"),
    ("1000 ms", "1000", 12, "kStall is 1s"),
    ("4080", "4096", 13, "kQuarter is kMost / 4"),
    ("`Scope::any`", "`Scope::wan`", 20, "scope is Scope::any"),
    ("2 d", "2 h", 21, "ttl is 48h"),
    ("| `ttl`", "| `tll`", 21, "src/kad/config.h has no constant tll"),
]
# The same of GossipSub's.
PLANTED_THERE = [
    ("`mesh.h`", "`lookup.h`", 7, "no file lookup.h"),
    ('"mesh: one"', '"lookup: one"', 7, 'no test "lookup: one"'),
    ("| 3 |", "| 4 |", 5, "kMost is 3"),
    ('"mesh: two"', '"mesh: one"', 7, '"mesh: one" is no longer open: test/gossip/mesh_test.cc has it'),
    ('"mesh: of three', '"lookup: of two', 7, "is no longer open: test/kad/lookup_test.cc has it"),
]


def check(tree):
    """(lines of output, exit status) of the check on a tree given as {name: text}."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, TOOL, folder], stdout=subprocess.PIPE, text=True)
        return done.stdout.splitlines(), done.returncode


class CheckConformance(unittest.TestCase):
    def test_pages_that_are_true_pass(self):
        output, status = check(TREE)
        self.assertEqual(output, ["kademlia: 8 files, 4 tests, 6 constants, 0 open in 1 pages",
                                  "gossipsub: 3 files, 1 tests, 1 constants, 2 open in 1 pages",
                                  "2 passed, 0 failed"])
        self.assertEqual(status, 0)

    def assert_caught(self, page, text, planted):
        for old, new, line, said in planted:
            with self.subTest(new=new):
                self.assertIn(old, text)
                output, status = check({**TREE, page: text.replace(old, new, 1)})
                found = [text for text in output if text.startswith("doc/")]
                self.assertEqual((len(found), status), (1, 1), output)
                self.assertTrue(found[0].startswith(f"{page}:{line}: "), output)
                self.assertIn(said, found[0])
                self.assertEqual(output[-1], "1 passed, 1 failed")

    def test_each_planted_error_is_caught_once_at_its_line(self):
        self.assert_caught("doc/kademlia.md", PAGE, PLANTED)

    def test_so_it_is_with_the_other_protocol_s_page_and_what_is_open_there(self):
        self.assert_caught("doc/gossipsub.md", GOSSIP, PLANTED_THERE)

    def test_a_constant_that_is_in_no_table_is_caught(self):
        for header, before in (("src/kad/params.h", PARAMS), ("src/gossip/params.h", TREE["src/gossip/params.h"])):
            new = before + "inline constexpr std::size_t kNew = 7;\n"
            output, status = check({**TREE, header: new})
            self.assertIn(f"{header}: kNew is in no table", output)
            self.assertEqual(status, 1)

    def test_a_test_that_went_and_a_value_that_changed_are_caught_in_the_second_page_too(self):
        second = {"doc/kademlia-tests.md": '- `kad/lookup_test.cc`: "lookup: three"\n'}
        output, status = check({**TREE, **second})
        self.assertEqual((output[-1], status), ("2 passed, 1 failed", 1))

    def test_finding_nothing_to_check_is_a_failure(self):
        self.assertEqual(check({})[1], 1)
        without = {name: text for name, text in TREE.items() if name != "src/kad/params.h"}
        self.assertEqual(check({**without, "doc/kademlia.md": "# Kademlia\n"})[1], 1)
        self.assertEqual(check({name: text for name, text in TREE.items() if name != "doc/gossipsub.md"})[1], 1)


unittest.main()
