import asyncio
import types
import unittest

from orchestrator.cases import thirty
from orchestrator.peer import Failure
from orchestrator.scene import Link, Scene


class Guest:
    """It finds everybody, and notes whom it was asked to find."""

    stack = "go"

    def __init__(self, connected, table):
        self.connected, self.table, self.sought = connected, table, []

    async def ask(self, cmd, seconds=10, **arguments):
        if cmd == "kad_find":
            self.sought.append(arguments["peer"])
        return {"connections": {"peers": [{"peer": text} for text in self.connected]},
                "kad_table": {"peers": self.table},
                "kad_find": {"addrs": ["/somewhere"]}}[cmd]


def resident(stack, name):
    return types.SimpleNamespace(stack=stack, id=name, addrs=["/somewhere"])


def network(guest):
    scene = Scene(Link("go", "js", "go", "js"), {})
    scene.nodes = [resident(stack, f"{stack}{i}") for i in range(3) for stack in ("go", "js")]
    scene.others = [guest]
    return scene


def found(scene, guest):
    """What the case says of the guest's search for js."""
    async def run():
        scene.visits = {"go": thirty.Visit(guest, await thirty.seeks_one_of_each(scene, guest), None, None)}
        await thirty.find_peer(scene)
    return asyncio.run(run())


class FindingPeers(unittest.TestCase):
    def test_those_are_sought_whom_the_guest_neither_is_connected_to_nor_has_in_its_table(self):
        guest = Guest(connected=["go0", "js2"], table=["js1", "go2"])
        scene = network(guest)
        found(scene, guest)
        self.assertEqual(guest.sought, ["go1", "js0"])
        self.assertEqual((scene.dialer, scene.listener.id), (guest, "js0"))

    def test_it_fails_where_the_guest_knows_all_of_a_stack(self):
        guest = Guest(connected=["js0", "js2"], table=["js1"])
        with self.assertRaisesRegex(Failure, "knows every resident of js"):
            found(network(guest), guest)
        self.assertEqual(guest.sought, ["go2"])


class Telling(unittest.TestCase):
    def test_the_guest_tells_of_what_it_could_not_do(self):
        guest = Guest([], [])
        for what, visit in (("find_peer", Failure("as told")), ("get", Failure("as told")),
                            ("get", thirty.Visit(guest, {}, Failure("as told"), None)),
                            ("providers", thirty.Visit(guest, {}, None, Failure("as told")))):
            scene = network(guest)
            scene.link, scene.visits = Link("go", "go", "go", "go"), {"go": visit}
            with self.subTest(what), self.assertRaisesRegex(Failure, "as told"):
                asyncio.run(getattr(thirty, what)(scene))
            self.assertIs(scene.dialer, guest)


if __name__ == "__main__":
    unittest.main()
