import hashlib
import types
import unittest

from orchestrator import gathering
from orchestrator.base58 import decode_base58
from orchestrator.peer import Failure

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def name(number):
    """Some text in base58."""
    return "Q" + "".join(ALPHABET[byte % 58] for byte in hashlib.sha256(str(number).encode()).digest())


def nodes(count, *stacks):
    return [types.SimpleNamespace(stack=stacks[i % len(stacks)], id=name(i)) for i in range(count)]


class Closest(unittest.TestCase):
    def test_is_by_the_xor_of_the_hashes(self):
        ids = [name(i) for i in range(40)]
        hashed = {text: hashlib.sha256(decode_base58(text)).digest() for text in ids}
        goal = hashlib.sha256(b"key").digest()
        distance = {text: bytes(a ^ b for a, b in zip(goal, hashed[text])) for text in ids}
        self.assertEqual(gathering.closest(b"key", ids), sorted(ids, key=distance.get)[:20])

    def test_a_key_is_closest_to_itself(self):
        ids = [name(i) for i in range(40)]
        self.assertEqual(gathering.closest(decode_base58(ids[7]), ids, 1), [ids[7]])


class FarFromSome(unittest.TestCase):
    def test_the_key_has_a_holder_to_be_of_none_of_those_who_will_ask(self):
        residents, guests = nodes(30, "go", "rust", "js", "py", "kadmesh"), nodes(5, "guest")
        key, far = gathering.far_from_some(gathering.keys(lambda n: b"%d" % n), residents, guests)
        self.assertEqual(far.keys(), {"go", "rust", "js", "py", "kadmesh"})
        holders = gathering.closest(key, [node.id for node in residents + guests])
        self.assertFalse({node.id for node in far.values()} & set(holders))
        self.assertTrue(all(node.stack == name for name, node in far.items()))

    def test_a_key_near_to_all_of_a_stack_is_refused(self):
        residents = nodes(30, "go", "rust", "js", "py", "kadmesh")
        near = {key: set(gathering.closest(key, [node.id for node in residents])) for key in map(b"%d".__mod__, range(50))}
        refused = [key for key, ids in near.items()
                   if any(ids >= {n.id for n in some} for some in gathering.by_stack(residents).values())]
        self.assertTrue(refused, "the test has no such key")
        with self.assertRaises(Failure):
            gathering.far_from_some(refused, residents, [])

    def test_where_everybody_holds_everything_there_is_none(self):
        with self.assertRaises(Failure):
            gathering.far_from_some([b"a", b"b"], nodes(10, "go"), [])


class Strangers(unittest.TestCase):
    def test_are_one_of_each_stack_whom_nobody_has_told_of(self):
        residents = nodes(6, "go", "js")
        found = gathering.strangers(residents, {residents[4].id, residents[1].id})
        self.assertEqual(found, {"go": residents[2], "js": residents[5]})

    def test_a_stack_that_is_known_to_the_last_has_none(self):
        residents = nodes(6, "go", "js")
        self.assertEqual(gathering.strangers(residents, {node.id for node in residents[::2]}), {"js": residents[5]})


if __name__ == "__main__":
    unittest.main()
