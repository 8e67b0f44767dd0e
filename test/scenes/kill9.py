#!/usr/bin/env python3
"""A node that is killed with signal 9 under load, tens of times: nothing that it acknowledged is
lost, and its store is never damaged. What it gave to the kernel is written all the same: what a
loss of power takes is in test/sim/kill_test.cc. usage: kill9.py KADNODE"""
import pathlib
import random
import shutil
import sqlite3
import time
import unittest

from nodes import free_port
from scene import Scene, main

KILLS = 30
KEYS = 200


class Kill9(Scene):
    def setUp(self):
        super().setUp()
        self.luck = random.Random(9)
        self.versions, self.acknowledged = 0, {}
        self.alice = self.nodes.add("alice", listen=f"/ip4/127.0.0.1/tcp/{free_port()}")
        self.alice.start()

    def put(self, by):
        self.versions += 1
        key, value = f"/v/{self.versions % KEYS}", f"{self.versions:08}"  # the later is the better
        return by.send(f"put {key} {value}"), key, value

    def load_and_kill(self, by, kept):
        """Puts one after another, a few ahead of their answers; killed somewhere on the way."""
        until, under_way = time.monotonic() + self.luck.uniform(0.02, 0.4), []
        while time.monotonic() < until:
            under_way.append(self.put(by))
            while sum(1 for sent, _, _ in under_way if sent.seq not in by.answers) > 8:
                time.sleep(0.001)
        self.alice.kill()
        for sent, key, value in under_way:
            answer = by.answers.get(sent.seq) if by is self.alice else (0, sent.answer())
            if answer and answer[1]["ok"] and kept(answer[1]["result"]):
                self.acknowledged[key] = max(value, self.acknowledged.get(key, ""))

    def stored(self):
        """What is on the disk now, read from a copy: recovery is left to the node."""
        copy = pathlib.Path(self.nodes.directory) / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for name in ("store.sqlite", "store.sqlite-wal"):
            if (self.alice.data_dir / name).exists():
                shutil.copy(self.alice.data_dir / name, copy / name)
        base = sqlite3.connect(copy / "store.sqlite")
        self.addCleanup(base.close)
        self.assertEqual(base.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        rows = base.execute("SELECT key, value FROM rows WHERE kind = 1").fetchall()
        base.close()
        return {key.decode(): value.decode() for key, value in rows}

    def check(self):
        rows = self.stored()
        lost = {k: v for k, v in self.acknowledged.items() if rows.get(k, "") < v}
        self.assertEqual(lost, {})

    def test_nothing_that_it_put_itself_is_lost(self):
        for _ in range(KILLS):
            self.load_and_kill(self.alice, lambda put: put["stored_locally"])
            self.check()
            self.alice.start()
        self.assertGreater(len(self.acknowledged), KEYS // 2)
        for key, value in self.acknowledged.items():
            self.assertGreaterEqual(self.alice.ask(f"get {key}")["value"], value)

    def test_nothing_that_it_took_from_a_peer_is_lost(self):
        bob = self.nodes.start("bob")
        for _ in range(KILLS // 3):
            bob.ask(f"connect {self.alice.addr}")
            self.soon(lambda: self.alice.id in bob.table(), 5, "Bob knows that Alice serves")
            self.load_and_kill(bob, lambda put: put["acknowledged"] == 1)
            self.check()
            self.alice.start()
        self.assertGreater(len(self.acknowledged), KEYS // 10)


if __name__ == "__main__":
    main()
