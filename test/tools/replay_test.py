#!/usr/bin/env python3
"""kadnode run --record and kadsim replay: a live node, written down and run again.
usage: replay_test.py KADNODE KADSIM [unittest's arguments]"""
import pathlib
import re
import signal
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenes"))
from nodes import Gone, Nodes, until  # noqa: E402

KADNODE = KADSIM = None
CID = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"


class Case(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes(KADNODE)
        self.addCleanup(self.nodes.close)
        self.capture = self.nodes.directory / "alice.capture"

    def recorded(self, *options, bobs=()):
        """Alice, recorded, and Bob, who know each other and a topic."""
        alice = self.nodes.start("alice", "--record", str(self.capture), *options)
        bob = self.nodes.start("bob", *bobs)
        alice.ask("subscribe news")
        bob.ask("subscribe news")
        alice.ask(f"connect {bob.addr}")
        self.assertIsNotNone(until(lambda: alice.table() and bob.table(), 20))
        return alice, bob

    def talk(self, alice, bob):
        alice.ask("put /v/of-alice 'a value'")
        bob.ask("put /v/of-bob 'another'")
        self.assertEqual(alice.ask("get /v/of-bob")["value"], "another")
        self.assertEqual(bob.ask("get /v/of-alice")["value"], "a value")
        alice.ask(f"provide {CID}")
        bob.ask(f"providers {CID}")
        alice.ask(f"ping {bob.id}")
        alice.ask(f"find {bob.id}")
        alice.ask("publish news 'from alice'")
        bob.ask("publish news 'from bob'")
        self.assertIsNotNone(until(lambda: alice.of("message") and bob.of("message"), 20))

    def replay(self, *options, capture=None):
        return subprocess.run([KADSIM, "replay", str(capture or self.capture), *options],
                              capture_output=True, text=True, timeout=100, check=False)

    def matched(self, text):
        return int(re.search(r"^(\d+) turns? matched", text, re.MULTILINE)[1])


class Replay(Case):
    def test_a_live_node_replays_bit_for_bit(self):
        alice, bob = self.recorded()
        self.talk(alice, bob)
        self.assertEqual(alice.stop(), 0)
        self.assertEqual(bob.stop(), 0)
        done = self.replay()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(self.matched(done.stdout), 60)
        self.assertRegex(done.stdout, r"^\d+ turns matched; the capture ends in order\n$")

    def test_a_redacted_capture_replays_and_holds_no_key(self):
        keylog = self.nodes.directory / "bob.keylog"
        alice, bob = self.recorded("--redact", bobs=("--keylog", str(keylog)))
        self.talk(alice, bob)
        keys = [(alice.data_dir / "identity").read_bytes()[-64:-32]]
        for line in keylog.read_text().splitlines():
            keys += [bytes.fromhex(field) for field in line.split()[3:]]
        self.assertGreaterEqual(len(keys), 6)
        self.assertEqual(alice.stop(), 0)
        done = self.replay()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(self.matched(done.stdout), 60)
        content = self.capture.read_bytes()
        self.assertTrue(content.startswith(b"This file holds no keys"))
        for key in keys:
            self.assertNotIn(key, content)
            self.assertNotIn(key.hex().encode(), content)
        self.assertEqual(stat.S_IMODE(self.capture.stat().st_mode), 0o600)

    def test_the_file_is_its_owners_alone_and_says_what_it_is(self):
        alice, _ = self.recorded()
        self.assertEqual(stat.S_IMODE(self.capture.stat().st_mode), 0o600)
        self.assertTrue(self.capture.read_bytes().startswith(b"This file holds secrets: "))
        self.assertEqual(alice.stop(), 0)
        with self.assertRaisesRegex(Gone, "File exists"):
            self.nodes.start("again", "--record", str(self.capture))

    def test_what_a_killed_node_left_replays(self):
        alice, bob = self.recorded()
        self.talk(alice, bob)
        alice.process.send_signal(signal.SIGKILL)
        alice.process.wait(20)
        done = self.replay()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(self.matched(done.stdout), 60)
        self.assertIn("torn at byte %d" % self.capture.stat().st_size, done.stdout)

    def test_it_stops_at_its_limit_and_the_node_goes_on(self):
        alice, bob = self.recorded("--record-limit", "1")
        payload = self.nodes.directory / "payload"
        payload.write_bytes(bytes(200_000))
        for _ in range(8):
            alice.ask(f"publish news --file {payload}")
        self.talk(alice, bob)
        self.assertEqual(alice.stop(), 0)
        self.assertIn("recording has stopped at its limit of 1048576 bytes", alice.errors())
        self.assertLessEqual(self.capture.stat().st_size, 1 << 20)
        done = self.replay()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("ends at its limit", done.stdout)

    def test_damage_is_named_and_all_before_it_replays(self):
        alice, bob = self.recorded()
        self.talk(alice, bob)
        self.assertEqual(alice.stop(), 0)
        whole = self.matched(self.replay().stdout)
        damaged = self.nodes.directory / "damaged"
        content = bytearray(self.capture.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        done = self.replay(capture=damaged)
        self.assertRegex(done.stdout, r"the capture is (damaged|torn) at byte \d+")
        # A length that became larger than the file looks like a tail that was never written.
        self.assertEqual(done.returncode, 0 if "torn" in done.stdout else 1)
        self.assertLess(0, self.matched(done.stdout))
        self.assertLess(self.matched(done.stdout), whole)

    def test_turns_can_be_printed_and_stopped_at(self):
        alice, bob = self.recorded()
        self.talk(alice, bob)
        self.assertEqual(alice.stop(), 0)
        turns = self.matched(self.replay().stdout)
        lines = self.replay("--print").stdout.splitlines()
        self.assertEqual(len(lines), turns + 1)
        self.assertRegex(lines[0], r"^0 0\.000000 Start -> \d+$")
        self.assertTrue(any(re.match(r"^\d+ \d+\.\d{6} Received id=\d+ bytes=\d+ B", line) for line in lines))
        self.assertEqual(self.matched(self.replay("--until", "10").stdout), 11)
        stopped = self.replay("--break", "10", "--print")
        self.assertEqual(stopped.returncode, -signal.SIGTRAP)

    def test_no_secret_is_printed(self):
        alice, _ = self.recorded("--keylog", str(self.nodes.directory / "keys"))
        alice.ask("put /v/key 'the-value-itself'")
        self.assertEqual(alice.stop(), 0)
        shown = self.replay("--outputs").stdout
        self.assertNotIn("the-value-itself", shown)
        self.assertNotRegex(shown, r"[0-9a-f]{32}")
        self.assertNotRegex(shown, r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_what_is_no_capture_is_refused(self):
        other = self.nodes.directory / "other"
        other.write_text("something else")
        self.assertEqual(self.replay(capture=other).returncode, 2)
        self.assertEqual(self.replay(capture=self.nodes.directory / "nowhere").returncode, 6)
        self.assertEqual(self.replay("--frobnicate").returncode, 2)


if __name__ == "__main__":
    KADNODE, KADSIM = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
