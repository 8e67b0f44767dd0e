#!/usr/bin/env python3
"""S6: Alice publishes five items; Bob joins afterwards and asks her for them.
usage: backfill.py KADNODE"""
import time

from scene import Scene, allowed, main

TOPIC = "space"
ITEMS = [f"item-{i}" for i in range(5)]


class Backfill(Scene):
    def setUp(self):
        super().setUp()
        self.alice = self.nodes.start("alice", "--backfill")
        self.alice.ask(f"subscribe {TOPIC}")
        for item in ITEMS:
            self.assertEqual(self.alice.ask(f"publish {TOPIC} {item}")["peers"], [])
        self.bob = self.nodes.start("bob", "--backfill")
        self.bob.ask(f"subscribe {TOPIC}")

    def test_a_latecomer_gets_all_once_and_what_is_new_by_the_mesh(self):
        asked = self.bob.send(f"backfill {TOPIC} {self.alice.addr}")
        report = asked.result()
        self.assertLess(asked.took(), allowed(3))
        self.assertEqual((report["told"], report["taken"], report["complete"]), (5, 5, True))
        self.soon(lambda: self.bob.messages(TOPIC) == ITEMS, 3, "all five, in order")
        self.assertTrue(all(e["backfilled"] for e in self.bob.of("message", topic=TOPIC)))
        self.soon(lambda: self.bob.id in self.alice.mesh(TOPIC), 2, "Bob is in Alice's mesh")
        self.alice.ask(f"publish {TOPIC} post")
        self.soon(lambda: "post" in self.bob.messages(TOPIC), 1, "the new post")
        self.assertFalse(self.bob.of("message", data="post")[0]["backfilled"])
        again = self.bob.ask(f"backfill {TOPIC} {self.alice.id}")
        self.assertEqual((again["taken"], again["duplicates"]), (0, 6))
        on = self.bob.ask(f"backfill {TOPIC} {self.alice.id} {again['next_hex']}")
        self.assertEqual(on["told"], 0)
        time.sleep(1)  # for what should not come
        self.assertEqual(self.bob.messages(TOPIC), [*ITEMS, "post"])
        self.assertEqual(self.alice.messages(TOPIC), [])
        self.assertEqual(self.alice.stats()["gossip"]["published"], 6)

    def test_who_was_told_tells_a_third_without_republishing(self):
        self.bob.ask(f"backfill {TOPIC} {self.alice.addr}")
        self.alice.stop()
        cleo = self.nodes.start("cleo")
        cleo.ask(f"subscribe {TOPIC}")
        self.assertEqual(cleo.ask(f"backfill {TOPIC} {self.bob.addr}")["taken"], 5)
        self.soon(lambda: cleo.messages(TOPIC) == ITEMS, 3, "all five, from Bob")
        self.assertEqual({e["from"] for e in cleo.of("message")}, {self.alice.id})
        self.assertEqual({e["received_from"] for e in cleo.of("message")}, {self.bob.id})

    def test_refusals_are_fast_and_say_why(self):
        cleo = self.nodes.start("cleo")  # keeps nothing
        cleo.ask(f"subscribe {TOPIC}")
        self.assertEqual(self.bob.fails(f"backfill {TOPIC} {cleo.addr}")["code"], "unsupported")
        self.assertEqual(self.bob.fails(f"backfill other {self.alice.addr}")["code"], "invalid")
        self.bob.ask("subscribe other")
        error = self.bob.fails(f"backfill other {self.alice.addr}")
        self.assertEqual(error["code"], "not_found")
        self.assertIn("unknown_topic", error["detail"])
        error = self.bob.fails(f"backfill {TOPIC} {self.alice.addr} 00ff")
        self.assertIn("unknown_cursor", error["detail"])


if __name__ == "__main__":
    main()
