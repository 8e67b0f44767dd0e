#!/usr/bin/env python3
"""S4: put on one node, get on the other. usage: put_and_get.py KADNODE"""
from scene import Scene, allowed, main


class PutAndGet(Scene):
    def setUp(self):
        super().setUp()
        self.alice, self.bob = self.nodes.start("alice"), self.nodes.start("bob")
        self.bob.ask(f"connect {self.alice.addr}")
        self.soon(lambda: self.bob.id in self.alice.table() and self.alice.id in self.bob.table(), 2, "they have met")

    def test_put_on_one_get_on_the_other(self):
        for writer, reader in ((self.alice, self.bob), (self.bob, self.alice)):
            put = writer.send(f"put /v/from-{writer} hello")
            self.assertEqual(put.result()["acknowledged"], 1)
            got = reader.send(f"get /v/from-{writer}")
            self.assertEqual(got.result()["value"], "hello")
            self.assertLess(put.took(), allowed(0.5))
            self.assertLess(got.took(), allowed(0.5))

    def test_a_missing_key_is_not_found(self):
        for node in (self.alice, self.bob):
            missing = node.send("get /v/missing")
            self.assertEqual(missing.answer()["error"]["code"], "not_found")
            self.assertLess(missing.took(), allowed(0.5))

    def test_of_two_puts_the_validators_winner_is_read_on_both(self):
        # /v/ prefers the greatest by bytes; the lesser is put first on one side, last on the other.
        for key, first, second in (("up", "a", "b"), ("down", "b", "a")):
            self.alice.ask(f"put /v/{key} {first}")
            self.bob.send(f"put /v/{key} {second}").answer()  # may be refused: a better one is there
            for node in (self.alice, self.bob):
                self.assertEqual(node.ask(f"get /v/{key}")["value"], "b", f"{key} at {node}")


if __name__ == "__main__":
    main()
