#!/usr/bin/env python3
"""Every way into a node is a value that a recording can hold: each method of Node that takes a Turn is
called by one of the inputs, and each input is one that a capture knows."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def methods(header):
    """Names of the methods of Node that take a turn."""
    body = re.search(r"^class Node \{(.*?)^ private:", header, re.DOTALL | re.MULTILINE)[1]
    return re.findall(r"(\w+)\(Turn turn\b", body)


def unrecorded(node_header, input_header):
    """Overloads count: as many inputs as methods of a name."""
    calls = re.findall(r"\bnode\.(\w+)\(t\b", input_header)
    return sorted({name for name in methods(node_header) if calls.count(name) != methods(node_header).count(name)})


def unlisted(input_header):
    """Inputs that are no alternative of NodeInput."""
    space = re.search(r"namespace input \{(.*?)\}  // namespace input", input_header, re.DOTALL)[1]
    listed = re.search(r"using NodeInput =\s*std::variant<(.*?)>;", input_header, re.DOTALL)[1]
    return sorted(set(re.findall(r"^struct (\w+)", space, re.MULTILINE)) - set(re.findall(r"input::(\w+)", listed)))


class Inputs(unittest.TestCase):
    def setUp(self):
        self.node = (ROOT / "src/node/node.h").read_text()
        self.input = (ROOT / "src/node/input.h").read_text()

    def test_every_method_that_takes_a_turn_has_an_input(self):
        self.assertGreater(len(methods(self.node)), 30)
        self.assertEqual(unrecorded(self.node, self.input), [])

    def test_every_input_can_be_recorded(self):
        self.assertEqual(unlisted(self.input), [])

    def test_a_method_without_an_input_is_found(self):
        more = self.node.replace("  void on_timer(Turn turn);", "  void on_timer(Turn turn);\n  void on_rain(Turn turn);")
        self.assertEqual(unrecorded(more, self.input), ["on_rain"])
        overload = self.node.replace("  void on_timer(Turn turn);", "  void on_timer(Turn turn);\n  void on_timer(Turn turn, int);")
        self.assertEqual(unrecorded(overload, self.input), ["on_timer"])

    def test_an_input_that_no_capture_knows_is_found(self):
        more = self.input.replace("}  // namespace input", "struct Rain {\n};\n}  // namespace input")
        self.assertEqual(unlisted(more), ["Rain"])


if __name__ == "__main__":
    unittest.main()
