#!/usr/bin/env python3
"""check_kademlia_doc: a planted error of each kind is caught, and a page that is true passes."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/check_kademlia_doc"

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
TREE = {
    "src/kad/params.h": PARAMS,
    "src/kad/config.h": "struct C {\n  Scope scope = Scope::any;  // why\n  Duration ttl = 48h;\n};\n",
    "src/kad/lookup.h": "",
    "test/kad/lookup_test.cc": 'TEST_CASE("lookup: one") {}\n'
                               'TEST_CASE_FIXTURE(Some,\n                  "lookup: of two "\n  "lines") {}\n',
    "test/interop/kad.py": '@case("kad-get", on=five)\n',
    "scenarios/dht.toml": 'says = "values are there"\n',
    "doc/kademlia.md": PAGE,
}

# (what is replaced in the page, by what, line, a part of what is said)
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


def check(tree):
    """(lines of output, exit status) of the check on a tree given as {name: text}."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, TOOL, folder], stdout=subprocess.PIPE, text=True)
        return done.stdout.splitlines(), done.returncode


class CheckKademliaDoc(unittest.TestCase):
    def test_a_page_that_is_true_passes(self):
        output, status = check(TREE)
        self.assertEqual(output, ["check_kademlia_doc: 8 files, 4 tests, 6 constants in 1 pages",
                                  "1 passed, 0 failed"])
        self.assertEqual(status, 0)

    def test_each_planted_error_is_caught_once_at_its_line(self):
        for old, new, line, said in PLANTED:
            with self.subTest(new=new):
                self.assertIn(old, PAGE)
                output, status = check({**TREE, "doc/kademlia.md": PAGE.replace(old, new, 1)})
                found = [text for text in output if text.startswith("doc/")]
                self.assertEqual((len(found), status), (1, 1), output)
                self.assertTrue(found[0].startswith(f"doc/kademlia.md:{line}: "), output)
                self.assertIn(said, found[0])
                self.assertEqual(output[-1], "0 passed, 1 failed")

    def test_a_constant_that_is_in_no_table_is_caught(self):
        new = PARAMS + "inline constexpr std::size_t kNew = 7;\n"
        output, status = check({**TREE, "src/kad/params.h": new})
        self.assertEqual((output[0], status), ("src/kad/params.h: kNew is in no table", 1))

    def test_a_test_that_went_and_a_value_that_changed_are_caught_in_the_second_page_too(self):
        second = {"doc/kademlia-tests.md": '- `kad/lookup_test.cc`: "lookup: three"\n'}
        output, status = check({**TREE, **second})
        self.assertEqual((output[-1], status), ("1 passed, 1 failed", 1))

    def test_finding_nothing_to_check_is_a_failure(self):
        self.assertEqual(check({})[1], 1)
        without = {name: text for name, text in TREE.items() if name != "src/kad/params.h"}
        self.assertEqual(check({**without, "doc/kademlia.md": "# Kademlia\n"})[1], 1)


unittest.main()
