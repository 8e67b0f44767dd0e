#!/usr/bin/env python3
"""S2: Alice makes a space with nobody there; Bob comes later. usage: alone.py KADNODE"""
from scene import Scene, allowed, main


class Alone(Scene):
    def setUp(self):
        super().setUp()
        self.alice = self.nodes.start("alice")

    def create(self):
        self.alice.ask("subscribe space")
        said = self.alice.send("publish space hello")
        self.assertEqual(said.answer()["error"]["code"], "no_peers")
        put = self.alice.send("put /v/index 'space 1'")
        self.assertEqual(put.result()["warning"]["code"], "no_peers")
        self.assertTrue(put.result()["stored_locally"])
        self.assertLess(said.took() + put.took(), allowed(0.1))

    def test_local_success_is_at_once_and_says_that_nobody_is_there(self):
        self.create()
        self.assertEqual(self.alice.ask("get /v/index")["value"], "space 1")
        missing = self.alice.send("get /v/other")
        self.assertEqual(missing.answer()["error"]["code"], "no_peers")
        self.assertLess(missing.took(), allowed(0.1))

    def reaches_bob(self):
        bob = self.nodes.start("bob")
        bob.ask(f"connect {self.alice.addr}")
        self.soon(lambda: bob.ask("get /v/index")["local"], 5, "the record is at Bob's")
        self.alice.kill()  # what Bob now reads is his own
        self.assertEqual(bob.ask("get /v/index")["value"], "space 1")

    def test_the_record_reaches_bob_when_he_comes(self):
        self.create()
        self.reaches_bob()

    def test_also_when_alice_was_restarted_meanwhile(self):
        self.create()
        self.alice.kill()
        self.alice.start()
        self.reaches_bob()


if __name__ == "__main__":
    main()
