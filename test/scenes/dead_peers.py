#!/usr/bin/env python3
"""S5: peers turn into black holes during put and get: they are stopped, so their kernels still take
bytes and nobody answers. usage: dead_peers.py KADNODE"""
import time

from scene import Scene, allowed, main

# The scene wants the deadline within 100 ms either way: so early at the most, later on a busy machine.
EARLY, LATE = 0.1, allowed(0.1)


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
        for node in (self.bob, self.charlie):
            node.thaw()
            self.alice.ask(f"ping {node.id}")  # its late answers have come before this one
        self.assertEqual(self.alice.answered, list(range(1, self.alice.seq + 1)), "one answer a command")
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
        for line, outcomes in (("get /v/nowhere", {"not_found", "timeout"}), ("put /v/kept value", {"stored", "timeout"})):
            pending = self.alice.send(line + " --timeout 2")
            self.freeze_others()
            self.assertIn(self.outcome(pending.answer(40)), outcomes)
            self.assertLessEqual(pending.took(), 2 + LATE)
            self.leaks_nothing()

    @staticmethod
    def outcome(answer):
        if not answer["ok"]:
            return answer["error"]["code"]
        return answer["result"]["warning"]["code"] if answer["result"]["pending"] else "stored"

    def test_afterwards_everything_works_as_before(self):
        self.freeze_others()
        self.alice.send("get /v/nowhere --timeout 2").answer()
        self.leaks_nothing()
        self.assertEqual(self.bob.ask("put /v/again works")["acknowledged"], 2)
        self.assertEqual(self.alice.ask("get /v/again")["value"], "works")

    @staticmethod
    def steady(read):
        """A number once it has stayed the same: what follows a meeting is over."""
        same, last = 0, read()
        while same < 25:
            time.sleep(0.02)
            now = read()
            same, last = (same + 1, now) if now == last else (0, now)
        return last

    def test_streams_return_to_what_they_were(self):
        def streams():
            return self.alice.stats()["swarm"]["streams"]
        before = self.steady(streams)
        self.freeze_others()
        for _ in range(3):
            self.alice.send("get /v/nowhere --timeout 1").answer()
        self.leaks_nothing()
        self.soon(lambda: streams() <= before, 2, f"{before} streams, as before")


if __name__ == "__main__":
    main()
