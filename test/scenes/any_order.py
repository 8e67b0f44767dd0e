#!/usr/bin/env python3
"""S3: the trio in every start order; the seed late; the seed killed and restarted.
usage: any_order.py KADNODE"""
import itertools
import time

from nodes import free_port
from scene import Scene, main


class AnyOrder(Scene):
    def add_trio(self):
        """Alice at an address that the others have as their seed; none is started."""
        addr = f"/ip4/127.0.0.1/tcp/{free_port()}"
        self.alice = self.nodes.add("alice", listen=addr)
        self.bob, self.charlie = (self.nodes.add(n, bootstrap=[addr]) for n in ("bob", "charlie"))

    def converged(self):
        others = {self.bob.id, self.charlie.id}
        return (others <= self.alice.table() and self.alice.id in self.bob.table() and
                self.alice.id in self.charlie.table())

    def converges(self, what):
        self.soon(self.converged, 5, what)
        self.soon(lambda: self.charlie.addr in self.bob.ask(f"find {self.charlie.id}")["addrs"], 5,
                  "Bob finds Charlie")

    def test_seed_late(self):
        self.add_trio()
        self.bob.start()
        self.charlie.start()
        time.sleep(30)
        self.alice.start()
        self.converges("the seed came 30 s late")

    def test_seed_restarted(self):
        self.add_trio()
        for node in (self.alice, self.bob, self.charlie):
            node.start()
        self.converges("all are started")
        before = self.alice.id
        self.alice.kill()
        self.soon(lambda: self.alice.id not in self.bob.connected() | self.charlie.connected(), 5, "Alice is gone")
        self.alice.start()
        self.assertEqual(self.alice.id, before)
        self.converges("Alice is back")


def order_test(order):
    def test(self):
        self.add_trio()
        for name in order:
            getattr(self, name).start()
        self.converges("the last of " + ", ".join(order) + " has started")
    return test


for names in itertools.permutations(("alice", "bob", "charlie")):
    setattr(AnyOrder, "test_" + "_".join(names), order_test(names))

if __name__ == "__main__":
    main()
