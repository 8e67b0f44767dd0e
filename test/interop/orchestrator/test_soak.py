import asyncio
import time
import types
import unittest

from orchestrator.cases import soak
from orchestrator.peer import Failure
from orchestrator.scene import Link, Scene
from orchestrator.sparse import neighbours


def member(number, stack):
    return soak.Member(number, stack, types.SimpleNamespace(id=f"{stack}{number}", messages=[]))


def played():
    """A go node and a js node that have said and heard the last, and scored each other."""
    members = [member(0, "go"), member(1, "js")]
    for reader, author in (members, reversed(members)):
        reader.peer.messages.append({"data": f"{soak.last(author)}-0".encode().hex(), "message_id": author.stack})
    found = soak.Soak(members, neighbours(2, (1,)))
    found.lowest, found.highest = {("go", "js"): (0.0, 1.0), ("js", "go"): (0.0, 1.0)}, {"go": 3.0, "js": 3.0}
    return found


def judged(change):
    scene = Scene(Link("go", "js", "go", "js"), {})
    scene.played = played()
    change(scene.played)
    asyncio.run(soak.judged(scene))


class Judging(unittest.TestCase):
    def test_all_is_well(self):
        judged(lambda soak: None)

    def test_what_is_not_is_told(self):
        for problem, change in (
                ("js 1 lacks the last of go 0", lambda found: found.members[1].peer.messages.clear()),
                ("js 1 got 1 messages more than once",
                 lambda found: found.members[1].peer.messages.append(found.members[1].peer.messages[0])),
                ("go scored a peer of js -0.50 after 7 s", lambda found: found.lowest.update({("go", "js"): (-0.5, 7)})),
                ("go scored nobody above 0", lambda found: found.highest.update(go=0))):
            with self.subTest(problem), self.assertRaisesRegex(Failure, problem):
                judged(change)

    def test_who_has_left_need_not_be_reached(self):
        def change(found):
            found.members[1].peer.messages.clear()
            found.members[1].subscribed = False
        judged(change)


class Restarting(unittest.TestCase):
    def test_who_blames_others_for_its_past_must_have_none(self):
        for stack, may in (("go", False), ("rust", False), ("js", True), ("kadmesh", True)):
            one = member(0, stack)
            one.spoke = time.monotonic()
            self.assertEqual(one.may_restart, may, stack)
            one.spoke -= soak.QUIET_SECONDS
            self.assertTrue(one.may_restart, stack)


if __name__ == "__main__":
    unittest.main()
