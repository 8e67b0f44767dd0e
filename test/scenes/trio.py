#!/usr/bin/env python3
"""S1: three nodes of which two dial the third by an address without a peer id; the third makes a
space. usage: trio.py KADNODE"""
import time

from scene import Scene, allowed, main

SPACE = "space-1"


class Trio(Scene):
    def setUp(self):
        super().setUp()
        self.alice, self.bob, self.charlie = (self.nodes.start(n) for n in ("alice", "bob", "charlie"))

    def meet(self):
        start = time.monotonic()
        for node in (self.alice, self.bob, self.charlie):
            node.ask(f"subscribe {SPACE}")
        for node in (self.bob, self.charlie):
            self.assertEqual(node.ask(f"connect {self.alice.addr}")["peer"], self.alice.id)
        both = {self.bob.id, self.charlie.id}
        self.soon(lambda: both <= self.alice.connected(), 2, "Alice is connected to both")
        self.soon(lambda: both <= self.alice.table(), 2, "both are in Alice's table")
        self.soon(lambda: self.alice.mesh(SPACE) == both, 2, "both are in Alice's mesh")
        for node in (self.bob, self.charlie):
            self.soon(lambda n=node: self.alice.id in n.table() and self.alice.id in n.mesh(SPACE), 2,
                      f"Alice is in {node}'s table and mesh")
        self.assertLess(time.monotonic() - start, allowed(2))

    def test_handshakes_tables_and_meshes(self):
        self.meet()

    def test_alice_creates_a_space(self):
        self.meet()
        start = time.monotonic()
        self.alice.ask("subscribe space-2")
        self.assertEqual(len(self.alice.ask(f"publish {SPACE} 'a space is made'")["peers"]), 2)
        self.assertEqual(self.alice.fails("get /v/index")["code"], "not_found")
        for i in range(3):
            self.assertEqual(self.alice.ask(f"put /v/channel-{i} general")["acknowledged"], 2)
        self.assertLess(time.monotonic() - start, allowed(1))
        for node in (self.bob, self.charlie):
            self.assertTrue(node.wait_for(lambda n=node: n.messages(SPACE) == ["a space is made"], allowed(1)))
            self.assertEqual(node.ask("get /v/channel-2")["value"], "general")

    def test_bob_and_charlie_find_each_other(self):
        self.meet()
        start = time.monotonic()
        for a, b in ((self.bob, self.charlie), (self.charlie, self.bob)):
            self.soon(lambda a=a, b=b: b.addr in a.ask(f"find {b.id}")["addrs"], 5, f"{a} finds {b}")
            self.assertEqual(a.ask(f"connect {b.id}")["peer"], b.id)
        self.assertLess(time.monotonic() - start, allowed(5))


if __name__ == "__main__":
    main()
