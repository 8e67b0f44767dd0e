#!/usr/bin/env python3
"""S8: three clients of a hub; three messages 500 ms apart, then five at once.
usage: gossip_counts.py KADNODE"""
import time

from scene import Scene, allowed, main

TOPIC = "space"


class GossipCounts(Scene):
    def setUp(self):
        super().setUp()
        self.hub = self.nodes.start("hub")
        self.clients = [self.nodes.start(f"client-{i}") for i in range(3)]
        for node in (self.hub, *self.clients):
            node.ask(f"subscribe {TOPIC}")
        for node in self.clients:
            node.ask(f"connect {self.hub.addr}")
        self.soon(lambda: self.hub.mesh(TOPIC) == {c.id for c in self.clients}, 2, "the hub's mesh has all")
        for node in self.clients:
            self.soon(lambda n=node: self.hub.id in n.mesh(TOPIC), 2, f"the hub is in {node}'s mesh")

    def all_receive(self, messages, sender):
        for node in (self.hub, *self.clients):
            if node is not sender:
                self.assertTrue(node.wait_for(lambda n=node: len(n.messages(TOPIC)) >= len(messages), allowed(1)),
                                f"{node} has {node.messages(TOPIC)}")
        time.sleep(1)  # for what should not come
        for node in (self.hub, *self.clients):
            self.assertEqual(sorted(node.messages(TOPIC)), [] if node is sender else sorted(messages), str(node))

    def test_exact_counts(self):
        sender = self.clients[0]
        slow, burst = [f"slow-{i}" for i in range(3)], [f"burst-{i}" for i in range(5)]
        for message in slow:
            sender.ask(f"publish {TOPIC} {message}")
            time.sleep(0.5)
        pending = [sender.send(f"publish {TOPIC} {message}") for message in burst]
        for p in pending:
            self.assertEqual({peer["sent"] for peer in p.result()["peers"]}, {"queued"})
        self.all_receive(slow + burst, sender)
        self.assertEqual(sender.stats()["gossip"]["published"], 8)
        self.assertEqual(self.hub.stats()["gossip"]["meshes"], [{"topic": TOPIC, "peers": 3, "subscribers": 3}])
        for node in (self.hub, *self.clients[1:]):
            self.assertEqual(node.stats()["gossip"]["delivered"], 8)

    def test_duplicates_are_counted_and_not_delivered(self):
        # A ring: each of the three hears each message also from the third.
        for a, b in ((0, 1), (1, 2), (2, 0)):
            self.clients[a].ask(f"connect {self.clients[b].addr}")
        for node in self.clients:
            self.soon(lambda n=node: len(n.mesh(TOPIC)) == 3, 2, f"{node}'s mesh has all")
        sender = self.clients[0]
        messages = [f"message-{i}" for i in range(5)]
        for message in messages:
            sender.ask(f"publish {TOPIC} {message}")
        self.all_receive(messages, sender)
        self.assertGreater(sum(n.stats()["gossip"]["duplicates"] for n in (self.hub, *self.clients)), 0)

    def test_all_speak_at_once(self):
        said = {node: [f"{node}-{i}" for i in range(5)] for node in (self.hub, *self.clients)}
        pending = [node.send(f"publish {TOPIC} {m}") for node in said for m in said[node]]
        for p in pending:
            p.result()
        for node in said:
            wanted = sorted(m for other in said if other is not node for m in said[other])
            self.assertTrue(node.wait_for(lambda n=node, w=wanted: sorted(n.messages(TOPIC)) == w, allowed(1)),
                            f"{node} has {node.messages(TOPIC)}")


if __name__ == "__main__":
    main()
