#!/usr/bin/env python3
"""S16: everything by commands that are piped in, and everything read back by a program.
usage: scripted.py KADNODE"""
import json
import pathlib
import subprocess

import scene
from nodes import KAD_PROTOCOL, LOOPBACK, free_port
from scene import Scene, main


class Scripted(Scene):
    def script(self, name, *lines, options=()):
        """A node that runs a whole script and leaves at its end: (exit status, answers, events)."""
        done = subprocess.run(
            [scene.KADNODE, "run", "--json", "--data-dir", str(self.nodes.directory / name), "--listen", LOOPBACK,
             "--kad-protocol", KAD_PROTOCOL, *options],
            input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120, check=False)
        said = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, [s for s in said if "seq" in s], [s for s in said if "event" in s]

    def test_a_script_from_start_to_end(self):
        alice = self.nodes.start("alice")
        alice.ask("subscribe space")
        status, answers, events = self.script(
            "bob", f"connect {alice.addr}", "put /v/members bob", "get /v/members", "id", "quit")
        self.assertEqual(status, 0)
        self.assertEqual([a["seq"] for a in answers], [1, 2, 3, 4, 5])
        self.assertTrue(all(a["ok"] for a in answers), answers)
        self.assertEqual(answers[2]["result"]["value"], "bob")
        self.assertEqual(answers[3]["result"]["id"], events[0]["id"])
        self.assertEqual(alice.ask("get /v/members")["value"], "bob")

    def test_ids_are_extracted_and_members_are_added(self):
        alice = self.nodes.start("alice")
        members = []
        for name in ("bob", "charlie"):
            _, answers, events = self.script(name, "id", f"connect {alice.addr}")
            self.assertEqual(answers[0]["result"]["id"], events[0]["id"])
            self.assertTrue(answers[1]["ok"])
            members.append(answers[0]["result"]["id"])
            alice.ask(f"put /v/members-{name} {members[-1]} --timeout 1")
        self.assertEqual(len(set(members)), 2)
        for name, member in zip(("bob", "charlie"), members):
            self.assertEqual(alice.ask(f"get /v/members-{name}")["value"], member)

    def test_connect_reports_success_only_when_connected(self):
        alice = self.nodes.start("alice")
        _, answers, events = self.script(
            "bob", f"connect /ip4/127.0.0.1/tcp/{free_port()}", "network", f"connect {alice.addr}", "network")
        refused, before, connected, after = answers
        self.assertFalse(refused["ok"])
        self.assertEqual(refused["error"]["code"], "unreachable")
        self.assertEqual(before["result"]["connections"], [])
        self.assertTrue(connected["ok"])
        self.assertEqual([c["peer"] for c in after["result"]["connections"]], [alice.id])
        self.assertEqual([e["peer"] for e in events if e["event"] == "connected"], [alice.id])

    def test_the_end_of_input_is_selectable(self):
        status, answers, _ = self.script("leaves", "id")
        self.assertEqual((status, len(answers)), (0, 1))
        stays = self.nodes.start("stays", "--stay")
        stays.ask("id")
        stays.process.stdin.close()
        bob = self.nodes.start("bob")
        self.assertEqual(bob.ask(f"connect {stays.addr}")["peer"], stays.id)
        self.assertEqual(stays.stop(), 0)

    def test_a_script_file_in_a_shell_pipeline(self):
        alice = self.nodes.start("alice")
        script = pathlib.Path(self.nodes.directory / "script")
        script.write_text(f"# join, then look around\nconnect {alice.addr}\n\nnetwork\n")
        with open(script) as lines:
            done = subprocess.run([scene.KADNODE, "run", "--json", "--data-dir", str(self.nodes.directory / "bob"),
                                   "--listen", LOOPBACK], stdin=lines, capture_output=True, text=True, timeout=120,
                                  check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines() if '"seq"' in line]
        self.assertEqual(answers[-1]["result"]["connections"][0]["peer"], alice.id)


if __name__ == "__main__":
    main()
