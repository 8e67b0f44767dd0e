#!/usr/bin/env python3
"""S5: peers turn into black holes during put and get: they are stopped, so their kernels still take
bytes and nobody answers. usage: dead_peers.py KADNODE"""
import time

from scene import Scene, main

# The scene wants the deadline within 100 ms either way; never before it, and this much after on a
# machine that does other work.
EARLY, LATE = 0.1, 2.5


class DeadPeers(Scene):
    def setUp(self):
        super().setUp()
        self.alice, self.bob, self.charlie = (self.nodes.start(n) for n in ("alice", "bob", "charlie"))
        for node in (self.bob, self.charlie):
            node.ask(f"connect {self.alice.addr}")
        both = {self.bob.id, self.charlie.id}
        self.soon(lambda: both <= self.alice.table(), 2, "they have met")

    def freeze_others(self):
        self.bob.freeze()
        self.charlie.freeze()

    def ends_at(self, pending, deadline):
        answer = pending.answer(deadline + 30)
        self.assertGreaterEqual(pending.took(), deadline - EARLY, answer)
        self.assertLessEqual(pending.took(), deadline + LATE, answer)
        return answer

    def leaks_nothing(self):
        """Thawed, the others answer what was asked; nothing of it may still be waited for."""
        seq = self.alice.seq
        self.bob.thaw()
        self.charlie.thaw()
        time.sleep(1)
        self.assertEqual(max(self.alice.answers), seq, "an answer came after the last")
        self.soon(lambda: self.alice.stats()["kad"]["requests_outstanding"] == 0, 2, "no request is left")

    def test_a_get_ends_at_its_deadline(self):
        self.freeze_others()
        answer = self.ends_at(self.alice.send("get /v/nowhere --timeout 3"), 3)
        self.assertEqual(answer["error"]["code"], "timeout")
        self.leaks_nothing()

    def test_also_at_the_usual_one(self):
        self.freeze_others()
        answer = self.ends_at(self.alice.send("get /v/nowhere"), 10)
        self.assertEqual(answer["error"]["code"], "timeout")
        self.leaks_nothing()

    def test_a_put_ends_by_its_deadline_and_stays_pending(self):
        # It looks for the closest for two thirds of its time; with nobody found it need not wait.
        self.freeze_others()
        pending = self.alice.send("put /v/kept value --timeout 3")
        result = pending.result()
        self.assertLessEqual(pending.took(), 3 + LATE)
        self.assertTrue(result["pending"])
        self.assertEqual(result["acknowledged"], 0)
        self.assertEqual(result["warning"]["code"], "timeout")
        self.leaks_nothing()

    def test_peers_that_freeze_while_they_are_asked(self):
        pending = [self.alice.send(f"get /v/nowhere-{i} --timeout 2") for i in range(3)]
        self.freeze_others()
        codes = [p.answer(40)["error"]["code"] for p in pending]
        self.assertTrue(set(codes) <= {"not_found", "timeout"}, codes)
        self.leaks_nothing()

    def test_afterwards_everything_works_as_before(self):
        self.freeze_others()
        self.alice.send("get /v/nowhere --timeout 2").answer()
        self.leaks_nothing()
        self.assertEqual(self.bob.ask("put /v/again works")["acknowledged"], 2)
        self.assertEqual(self.alice.ask("get /v/again")["value"], "works")

    def test_streams_return_to_what_they_were(self):
        def streams():
            return self.alice.stats()["swarm"]["streams"]
        time.sleep(1)
        before = streams()
        self.freeze_others()
        for _ in range(3):
            self.alice.send("get /v/nowhere --timeout 1").answer()
        self.bob.thaw()
        self.charlie.thaw()
        self.soon(lambda: streams() <= before, 2, f"{before} streams, as before")


if __name__ == "__main__":
    main()
