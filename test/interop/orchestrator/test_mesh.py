import asyncio
import collections
import types
import unittest

from orchestrator import sparse
from orchestrator.cases import mesh
from orchestrator.counts import Counts
from orchestrator.peer import Failure
from orchestrator.scene import Link, Scene


def event(message, author, id="00"):
    return {"data": f"{message.text}   ".encode().hex(), "size": message.size, "from": author, "message_id": id}


def network(change=lambda nodes, messages: None):
    """Two stacks, one node each, that have heard what the other has published; then something is changed."""
    nodes = [types.SimpleNamespace(stack=stack, id=f"id of {stack}", messages=[]) for stack in ("go", "js")]
    messages = mesh.plan(2)[:20]
    for message in messages:
        nodes[1 - message.author].messages.append(event(message, nodes[message.author].id))
    change(nodes, messages)
    scene = Scene(Link("go", "js", "go", "js"), {})
    scene.nodes, scene.played = nodes, mesh.Played(messages, mesh.ids_by_text(nodes), [])
    return scene


def judged(change):
    asyncio.run(mesh.mesh_of_24(network(change)))


class Planning(unittest.TestCase):
    def test_a_thousand_of_all_sizes_from_everybody(self):
        messages = mesh.plan(mesh.NODES)
        self.assertEqual(len(messages), 1000)
        self.assertEqual({m.size for m in messages}, {*mesh.LARGE, *mesh.MIDDLING, *mesh.SMALL})
        by_author = collections.Counter(m.author for m in messages)
        self.assertEqual(len(by_author), mesh.NODES)
        self.assertLess(max(by_author.values()) - min(by_author.values()), 4)
        stacks = {m.author % 4 for m in messages if m.size == max(mesh.LARGE)}
        self.assertEqual(stacks, {0, 1, 2, 3})

    def test_the_graph_is_sparse_and_the_same_from_both_sides(self):
        linked = sparse.neighbours(mesh.NODES, mesh.OFFSETS)
        self.assertEqual({len(others) for others in linked}, {8})
        self.assertTrue(all(one in linked[other] for one, others in enumerate(linked) for other in others))


class Judging(unittest.TestCase):
    def test_each_once_is_right(self):
        judged(lambda nodes, messages: None)

    def test_what_is_missing_doubled_or_altered_is_told(self):
        for problem, change in (
                ("js node got nothing of 1 of", lambda nodes, _: nodes[1].messages.pop()),
                ("js node got more than once 1 of", lambda nodes, _: nodes[1].messages.append(nodes[1].messages[0])),
                ("js node got other than it was 1 of", lambda nodes, _: nodes[1].messages[0].update(size=1)),
                ("js node got other than it was 1 of", lambda nodes, _: nodes[1].messages[0].update({"from": "x"}))):
            with self.subTest(problem), self.assertRaisesRegex(Failure, problem):
                judged(change)

    def test_ids_that_differ_are_told(self):
        def change(nodes, messages):
            message = next(m for m in messages if m.author == 0)
            nodes[0].messages.append(event(message, nodes[0].id, id="01"))
        with self.assertRaisesRegex(Failure, "1 messages of go have several ids"):
            judged(change)


class Counting(unittest.TestCase):
    def test_what_a_stack_does_not_count_is_not_judged(self):
        found = Counts("rust", {"copies_in": 7}) - Counts("rust", {"copies_in": 2})
        found.exactly("copies_in", 5)
        found.at_least("idontwant_out", 1)
        for judge in (lambda: found.exactly("copies_in", 4), lambda: found.at_least("copies_in", 6)):
            with self.assertRaisesRegex(Failure, "rust counts 5 copies_in"):
                judge()


if __name__ == "__main__":
    unittest.main()
