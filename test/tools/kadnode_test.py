#!/usr/bin/env python3
"""kadnode, the program: what its line protocol, its one-shot commands, its control socket and its
exit status promise (doc/kadnode.md). usage: kadnode_test.py KADNODE [unittest's arguments]"""
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import termios
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenes"))
from nodes import KAD_PROTOCOL, LOOPBACK, Nodes, free_port, until  # noqa: E402

KADNODE = None
NOBODY = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"


class Case(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes(KADNODE)
        self.addCleanup(self.nodes.close)

    def dir(self, name="x"):
        return str(self.nodes.directory / name)

    def pair(self):
        alice, bob = self.nodes.start("alice"), self.nodes.start("bob")
        bob.ask(f"connect {alice.addr}")
        self.assertIsNotNone(until(lambda: alice.table() and bob.table(), 20))
        return alice, bob

    def asked(self, node):
        """Its statistics, by its control socket: its lines are busy."""
        return json.loads(self.nodes.run("stats", "--json", "--data-dir", str(node.data_dir)).stdout)["result"]

    def scraped(self, node):
        """What it tells Prometheus: samples by series, values as text."""
        with urllib.request.urlopen(metrics_url(node), timeout=20) as answer:
            text = answer.read().decode()
        return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    def client(self, node, *arguments, **more):
        """A one-shot command that joins at `node`."""
        return self.nodes.run(*arguments, "--kad-protocol", KAD_PROTOCOL, "--bootstrap", node.addr, **more)


METRICS = ("--metrics", "/ip4/127.0.0.1/tcp/0")


def metrics_url(node):
    _, _, host, _, port = node.of("ready")[0]["metrics"].split("/")
    return f"http://{host}:{port}/metrics"


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


class Lines(Case):
    def run_lines(self, text, *options):
        done = self.nodes.run("run", "--json", "--data-dir", self.dir(), "--listen", LOOPBACK, *options, input=text)
        return done.returncode, lines_of(done.stdout)

    def test_each_command_has_one_answer_in_order(self):
        status, lines = self.run_lines("id\n\n# a remark\nstats\nfrobnicate\nhelp get\nget\n")
        answers = [line for line in lines if "seq" in line]
        self.assertEqual([a["seq"] for a in answers], [1, 2, 3, 4, 5])
        self.assertEqual([a["command"] for a in answers], ["id", "stats", "frobnicate", "help", "get"])
        self.assertEqual([a["ok"] for a in answers], [True, True, False, True, False])
        self.assertEqual(answers[2]["error"]["code"], "invalid")
        self.assertIn("usage: get", answers[4]["error"]["detail"])
        self.assertEqual(status, 0)

    def test_the_first_line_says_who_and_where(self):
        _, lines = self.run_lines("id\n")
        self.assertEqual(lines[0]["event"], "ready")
        self.assertEqual(lines[0]["id"], lines[1]["result"]["id"])
        self.assertRegex(lines[0]["addrs"][0], r"^/ip4/127\.0\.0\.1/tcp/[1-9]\d*/p2p/12D3KooW\w+$")

    def test_the_identity_lasts(self):
        _, first = self.run_lines("")
        _, again = self.run_lines("")
        self.assertEqual(first[0]["id"], again[0]["id"])
        self.assertEqual(stat.S_IMODE(os.stat(self.dir() + "/identity").st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.dir()).st_mode), 0o700)

    def test_the_last_line_may_lack_its_newline_and_a_file_serves_as_input(self):
        script = self.nodes.directory / "script"
        script.write_text("id\nstats")
        with open(script) as lines:
            done = subprocess.run([KADNODE, "run", "--json", "--data-dir", self.dir(), "--listen", LOOPBACK],
                                  stdin=lines, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual([a["seq"] for a in lines_of(done.stdout) if "seq" in a], [1, 2])
        self.assertEqual(done.returncode, 0)

    def test_quit_leaves_at_once(self):
        status, lines = self.run_lines("quit\nid\n", "--stay")
        self.assertEqual([a["command"] for a in lines if "seq" in a], ["quit"])
        self.assertEqual(status, 0)

    def test_the_end_of_input_leaves_when_the_last_command_is_answered(self):
        port = free_port()  # nobody listens there
        status, lines = self.run_lines(f"connect /ip4/127.0.0.1/tcp/{port}\nid\n")
        self.assertEqual([a["ok"] for a in lines if "seq" in a], [False, True])
        self.assertEqual(status, 0)

    def test_it_may_stay_at_the_end_of_input(self):
        node = self.nodes.start("stays", "--stay")
        node.process.stdin.close()
        time.sleep(0.5)
        self.assertIsNone(node.process.poll())
        done = self.nodes.run("stats", "--data-dir", str(node.data_dir), "--json")
        self.assertTrue(json.loads(done.stdout)["ok"])
        self.assertEqual(node.stop(), 0)

    def test_a_signal_ends_it_in_order(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            node = self.nodes.start(f"signal-{number}")
            node.process.send_signal(number)
            self.assertEqual(node.ended(), 0)
            self.assertFalse((node.data_dir / "control.sock").exists())

    def test_leaving_waits_for_nobody(self):
        alice, bob = self.pair()
        for ended in (bob.stop, alice.stop):
            start = time.monotonic()
            self.assertEqual(ended(), 0)
            self.assertLess(time.monotonic() - start, 3)

    def test_a_signal_ends_a_command_that_runs_with_an_answer(self):
        alice, bob = self.pair()
        alice.freeze()
        pending = bob.send("get /v/nothing --timeout 60")
        self.assertIsNotNone(until(lambda: self.asked(bob)["kad"]["queries_running"], 20))
        bob.process.terminate()
        self.assertEqual(pending.answer(20)["error"]["code"], "closed")
        self.assertEqual(bob.ended(), 0)

    def test_a_reader_that_sleeps_does_not_stop_the_node(self):
        alice, bob = self.nodes.start("alice"), self.nodes.add("bob")
        process = subprocess.Popen([KADNODE, "run", "--json", "--data-dir", self.dir("bob"), "--listen", LOOPBACK,
                                    "--kad-protocol", KAD_PROTOCOL],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        process.stdin.write(f"subscribe news\nconnect {alice.addr}\n".encode())
        process.stdin.flush()
        alice.ask("subscribe news")
        self.assertIsNotNone(until(lambda: alice.mesh("news"), 20))
        size = 1000  # more in all than a pipe holds
        for i in range(200):
            alice.ask(f"publish news {i} {'x' * size}")
        self.assertIsNotNone(until(lambda: self.asked(bob)["gossip"]["delivered"] == 200, 30))
        received = []
        while len(received) < 200:
            line = json.loads(process.stdout.readline())
            if line.get("event") == "message":
                received.append(int(line["data"].split()[0]))
        self.assertEqual(received, list(range(200)))

    def test_bytes_of_any_kind_and_lines_of_any_length(self):
        noise = b"\x00\xff\x1b[2J garbage\n" + b"x" * 5 * 2**20 + b"\n" + b"y" * 4 * 2**20 + b"\n\xc3\x28'\nid\n"
        done = subprocess.run([KADNODE, "run", "--json", "--data-dir", self.dir(), "--listen", LOOPBACK], input=noise,
                              capture_output=True, timeout=60, check=True)
        answers = [line for line in lines_of(done.stdout.decode()) if "seq" in line]
        self.assertEqual([a["seq"] for a in answers], [1, 2, 3, 4, 5])
        self.assertEqual([a["error"]["code"] for a in answers[:4]], ["invalid", "limit", "invalid", "invalid"])
        self.assertTrue(answers[4]["ok"])
        self.assertLess(len(done.stdout), 10000)

    def test_a_reader_that_has_gone_ends_it_in_order(self):
        node = subprocess.Popen([KADNODE, "run", "--json", "--stay", "--data-dir", self.dir(), "--listen", LOOPBACK],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(node.kill)
        node.stdout.readline()
        node.stdout.close()
        _, errors = node.communicate(b"id\n", timeout=20)
        self.assertEqual(node.returncode, 6)
        self.assertIn(b"io: standard output: Broken pipe", errors)
        self.assertFalse((pathlib.Path(self.dir()) / "control.sock").exists())

    def test_logs_that_nobody_reads_do_not_stop_the_node(self):
        node = subprocess.Popen([KADNODE, "run", "--json", "--log", "debug", "--data-dir", self.dir(), "--listen", LOOPBACK],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for cleanup in (node.stdout.close, node.stderr.close, node.wait, node.kill):
            self.addCleanup(cleanup)
        addr = f"/ip4/127.0.0.1/tcp/{free_port()}"
        for _ in range(1000):  # a line each at least, more in all than a pipe holds
            node.stdin.write(f"connect {addr}\n".encode())
            node.stdin.flush()
            while b'"seq"' not in node.stdout.readline():
                pass
        node.stdin.close()
        self.assertGreater(len(node.stderr.read()), 65536)
        self.assertEqual(node.wait(20), 0)

    def test_text_is_for_people(self):
        done = self.nodes.run("run", "--data-dir", self.dir(), "--listen", LOOPBACK, input="id\nfrobnicate\n")
        self.assertRegex(done.stdout, r"(?m)^\* node 12D3KooW")
        self.assertRegex(done.stdout, r"(?m)^12D3KooW")
        self.assertRegex(done.stdout, r"(?m)^error: frobnicate: invalid: ")


class Commands(Case):
    def test_connect_succeeds_only_when_connected(self):
        alice, bob = self.nodes.start("alice"), self.nodes.start("bob")
        answer = bob.ask(f"connect {alice.addr}")
        self.assertEqual(answer["peer"], alice.id)
        self.assertIn(alice.id, bob.connected())
        self.assertTrue(bob.ask(f"connect {alice.addrs[0]}")["already"])
        self.assertEqual(bob.ask(f"connect {alice.id}")["peer"], alice.id)

    def test_names_are_not_looked_up_and_it_says_what_to_do(self):
        alice = self.nodes.start("alice", "--bootstrap", f"/dns4/seed.test/tcp/1/p2p/{NOBODY}")
        error = alice.fails("connect /dns4/localhost/tcp/9001")
        self.assertEqual(error["code"], "unsupported")
        self.assertIn("/dns4/localhost/tcp/9001", error["detail"])
        self.assertIn("give the host's /ip4 or /ip6", error["detail"])
        self.assertIn("give the host's /ip4 or /ip6", str(alice.ask("stats")["bootstrap"]))

    def test_connect_says_why_it_failed(self):
        alice, bob = self.nodes.start("alice"), self.nodes.start("bob")
        error = bob.fails(f"connect /ip4/127.0.0.1/tcp/{free_port()}")
        self.assertEqual(error["code"], "unreachable")
        self.assertIn("connection refused", error["detail"])
        self.assertIn("hint", error)
        error = bob.fails(f"connect {alice.addr}/p2p/{NOBODY}")
        self.assertIn("auth", error["code"] + error["detail"])
        self.assertEqual(bob.connected(), set())
        self.assertEqual(bob.fails("connect nonsense")["code"], "invalid")

    def test_connect_to_what_never_answers_ends_at_its_deadline(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            bob = self.nodes.start("bob")
            pending = bob.send(f"connect /ip4/127.0.0.1/tcp/{silent.getsockname()[1]} --timeout 1")
            self.assertEqual(pending.answer()["error"]["code"], "timeout")
            self.assertGreaterEqual(pending.took(), 0.95)
            self.assertLess(pending.took(), 5)

    def test_ping_measures(self):
        alice, bob = self.nodes.start("alice"), self.nodes.start("bob")
        rtts = bob.ask(f"ping {alice.addr} 3")["rtts_ms"]
        self.assertEqual(len(rtts), 3)
        self.assertTrue(all(0 < rtt < 5000 for rtt in rtts))

    def test_put_on_one_get_on_the_other(self):
        alice, bob = self.pair()
        put = alice.ask("put /v/name the value")
        self.assertGreaterEqual(put["acknowledged"], 1)
        self.assertEqual(bob.ask("get /v/name")["value"], "the value")
        self.assertEqual(bob.fails("get /v/missing")["code"], "not_found")

    def test_values_are_bytes(self):
        alice, bob = self.pair()
        alice.ask("put /v/binary --data-hex 00ff")
        self.assertEqual(bob.ask("get /v/binary")["value_hex"], "00ff")
        file = self.nodes.directory / "value"
        file.write_bytes(b"\x01" * 10000)
        alice.ask(f"put /v/file --file {file}")
        copy = self.nodes.directory / "copy"
        bob.ask(f"get /v/file --file {copy}")
        self.assertEqual(copy.read_bytes(), file.read_bytes())
        self.assertEqual(alice.fails("put /v/file --file /nonexistent")["code"], "io")

    def test_a_value_that_is_too_large_is_refused_before_anything_is_sent(self):
        alice, _ = self.pair()
        file = self.nodes.directory / "value"
        file.write_bytes(b"x" * 70 * 1024)
        self.assertEqual(alice.fails(f"put /v/large --file {file}")["code"], "limit")

    def test_a_namespace_without_validator_is_refused(self):
        node = self.nodes.start("public", "--kad-protocol", "/ipfs/kad/1.0.0")
        for line in ("put /v/name value", "get /v/name", "get nonsense"):
            error = node.fails(line)
            self.assertEqual(error["code"], "invalid")
            self.assertIn("--kad-protocol", error["detail"])

    def test_providers_are_found(self):
        alice, bob = self.pair()
        cid = alice.ask("provide 'some text'")["cid"]
        self.assertTrue(cid.startswith("Qm"))
        found = lambda: [p["peer"] for p in bob.ask(f"providers {cid}")["providers"]]  # noqa: E731
        self.assertIsNotNone(until(lambda: alice.id in found(), 20))

    def test_find_knows_addresses(self):
        alice, bob = self.pair()
        charlie = self.nodes.start("charlie")
        charlie.ask(f"connect {alice.addr}")
        self.assertIsNotNone(until(lambda: charlie.id in alice.table(), 20))
        self.assertIsNotNone(until(lambda: charlie.addr in bob.ask(f"find {charlie.id}")["addrs"], 20))
        self.assertEqual(bob.ask(f"connect {charlie.id}")["peer"], charlie.id)

    def test_closest_are_those_that_answered_by_distance(self):
        alice, bob = self.pair()
        found = lambda: [p["peer"] for p in bob.ask(f"closest {alice.id}")["closest"]]  # noqa: E731
        self.assertEqual(found(), [alice.id])
        answer = bob.ask("closest --hex 00ff")
        self.assertEqual(answer["key_hex"], "00ff")
        self.assertEqual(self.client(alice, "closest", "/v/a").returncode, 0)

    def test_a_traced_get_shows_its_walk_before_the_answer(self):
        alice, bob = self.pair()
        alice.ask("put /v/a x")
        bob.ask("get /v/a")
        self.assertEqual(bob.of("step"), [])
        bob.ask("get --trace /v/a")
        steps = bob.of("step")
        self.assertEqual([s["what"] for s in steps], ["asked", "answered", "converged"])
        self.assertEqual((steps[0]["peer"], steps[0]["question"]), (alice.id, "GET_VALUE"))

    def test_a_traced_client_keeps_the_value_alone_on_standard_output(self):
        alice = self.nodes.start("alice")
        alice.ask("put /v/a x")
        done = self.client(alice, "get", "/v/a", "--trace")
        self.assertEqual(done.stdout, "x")
        self.assertIn("asked", done.stderr)
        self.assertIn(alice.id, done.stderr)

    def test_messages_arrive_as_events(self):
        alice, bob = self.pair()
        for node in (alice, bob):
            node.ask("subscribe news")
        self.assertIsNotNone(until(lambda: alice.mesh("news") == {bob.id}, 20))
        receipt = alice.ask("publish news hello   world")
        self.assertEqual([p["peer"] for p in receipt["peers"]], [bob.id])
        self.assertTrue(bob.wait_for(lambda: bob.messages("news"), 20))
        event = bob.of("message")[0]
        self.assertEqual((event["topic"], event["from"], event["data"]), ("news", alice.id, "hello world"))

    def test_unsubscribe_ends_them(self):
        alice, bob = self.pair()
        for node in (alice, bob):
            node.ask("subscribe news")
        self.assertIsNotNone(until(lambda: alice.mesh("news") == {bob.id}, 20))
        bob.ask("unsubscribe news")
        self.assertIsNotNone(until(lambda: not alice.mesh("news"), 20))
        self.assertEqual(alice.fails("publish news anybody")["code"], "no_peers")

    def test_metrics_and_stats_agree(self):
        alice = self.nodes.start("alice", *METRICS)
        alice.ask("put /v/a x")
        alice.fails("get /v/none")
        figures = self.scraped(alice)
        queries = alice.ask("stats")["kad"]["queries"]
        self.assertEqual(figures['kadmesh_kad_queries_total{type="put",outcome="ok"}'], str(queries["put"]["ok"]))
        self.assertEqual(figures['kadmesh_kad_queries_total{type="get",outcome="no_peers"}'], "1")
        self.assertEqual(queries["get"]["failed"], {"no_peers": 1})
        self.assertLess(abs(float(figures["kadmesh_start_time_seconds"]) - time.time()), 60)

    def test_requests_of_peers_are_counted_where_they_are_served(self):
        alice, bob = self.nodes.start("alice", *METRICS), self.nodes.start("bob")
        bob.ask(f"connect {alice.addr}")
        self.assertIsNotNone(until(bob.table, 20))
        self.assertEqual(bob.ask("put /v/a x")["acknowledged"], 1)
        sent, served = bob.ask("stats")["kad"]["requests"], alice.ask("stats")["kad"]["inbound"]
        self.assertEqual(served["PUT_VALUE"], {"ok": 1, "failed": {}})
        self.assertEqual(sent["PUT_VALUE"]["ok"], 1)
        self.assertEqual(self.scraped(alice)['kadmesh_kad_inbound_requests_total{type="PUT_VALUE",outcome="ok"}'], "1")

    def test_metrics_are_for_those_who_know_where_they_ask(self):
        alice = self.nodes.start("alice", *METRICS, "--metrics-name", "alice.example")
        url = metrics_url(alice)
        silent = [socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(url).port)) for _ in range(40)]
        self.addCleanup(lambda: [s.close() for s in silent])
        for host, status in (("alice.example", 200), ("localhost:1", 200), ("evil.example", 421)):
            request = urllib.request.Request(url, headers={"Host": host})
            try:
                with urllib.request.urlopen(request, timeout=4) as answer:
                    self.assertEqual(answer.status, status)
                    self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
            except urllib.error.HTTPError as error:
                with error:
                    self.assertEqual(error.code, status)
                    self.assertIn("not asked by that name", error.read().decode())

    def test_why_answers_for_a_peer_and_for_a_stranger(self):
        alice, bob = self.pair()
        text = "\n".join(bob.ask(f"why {alice.id}")["why"])
        for word in ("connected:", "table:", "gossip:"):
            self.assertIn(word, text)
        self.assertIn("connected: no", "\n".join(bob.ask(f"why {NOBODY}")["why"]))

    def test_network_and_stats_agree(self):
        alice, bob = self.pair()
        network, stats = bob.network(), bob.stats()
        self.assertEqual([c["peer"] for c in network["connections"]], [alice.id])
        self.assertEqual(network["connections"][0]["direction"], "outbound")
        self.assertEqual(stats["swarm"]["connected_peers"], 1)
        self.assertEqual(sum(b["servers"] for b in stats["kad"]["buckets"]), stats["kad"]["table_servers"])
        self.assertEqual(network["bootstrap"]["state"], stats["bootstrap"]["state"])

    def test_alone_a_put_is_kept_and_a_get_says_so(self):
        node = self.nodes.start("alone")
        put = node.ask("put /v/name value")
        self.assertTrue(put["pending"])
        self.assertEqual(put["warning"]["code"], "no_peers")
        self.assertEqual(node.ask("get /v/name")["value"], "value")
        self.assertEqual(node.fails("get /v/other")["code"], "no_peers")
        self.assertEqual(node.fails("publish news hello")["code"], "no_peers")


class Once(Case):
    def test_the_identity_of_the_data_directory(self):
        first = self.nodes.run("id", "--data-dir", self.dir())
        self.assertRegex(first.stdout, r"^12D3KooW\w+\n$")
        again = self.nodes.run("id", "--data-dir", self.dir(), "--json")
        self.assertEqual(json.loads(again.stdout)["result"]["id"], first.stdout.strip())
        node = self.nodes.start("x")
        self.assertEqual(node.id, first.stdout.strip())

    def test_those_who_make_the_identity_at_once_agree(self):
        asking = [subprocess.Popen([KADNODE, "id", "--data-dir", self.dir()], stdout=subprocess.PIPE, text=True)
                  for _ in range(8)]
        self.assertEqual(len({client.communicate(timeout=60)[0] for client in asking}), 1)
        self.assertEqual([client.returncode for client in asking], 8 * [0])
        self.assertEqual(os.listdir(self.dir()), ["identity"])

    def test_a_client_puts_and_another_gets(self):
        alice = self.nodes.start("alice")
        put = self.client(alice, "put", "/v/name", "from", "outside", "--json")
        self.assertEqual(json.loads(put.stdout)["result"]["acknowledged"], 1, put.stderr)
        got = self.client(alice, "get", "/v/name")
        self.assertEqual((got.stdout, got.returncode), ("from outside", 0))

    def test_a_client_is_no_part_of_the_dht(self):
        alice = self.nodes.start("alice")
        self.client(alice, "put", "/v/name", "value")
        self.assertEqual(alice.table(), set())

    def test_each_failure_has_its_status(self):
        alice, port = self.nodes.start("alice"), free_port()
        missing = self.client(alice, "get", "/v/missing")
        self.assertEqual(missing.returncode, 3)
        self.assertRegex(missing.stderr, r"^kadnode: get: not_found: ")
        self.assertEqual(self.nodes.run("connect", f"/ip4/127.0.0.1/tcp/{port}").returncode, 1)
        self.assertEqual(self.nodes.run("connect", alice.addr).returncode, 0)
        self.assertEqual(self.nodes.run("get").returncode, 2)
        self.assertEqual(self.nodes.run("frobnicate").returncode, 2)
        self.assertEqual(self.nodes.run("put", "/v/name", "under /ipfs").returncode, 2)
        self.assertEqual(self.nodes.run("get", f"/pk/{NOBODY}").returncode, 5)
        self.assertEqual(self.client(alice, "put", "/v/x", "--file", "/nonexistent").returncode, 6)
        self.assertEqual(self.nodes.run("stats", "--data-dir", self.dir()).returncode, 7)
        self.assertEqual(self.nodes.run("id", "--identity", "/nonexistent/key").returncode, 6)
        alice.freeze()
        self.assertEqual(self.nodes.run("connect", alice.addr, "--timeout", "0.5").returncode, 4)

    def test_json_errors_are_on_standard_output(self):
        done = self.nodes.run("stats", "--data-dir", self.dir(), "--json")
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "unreachable")
        self.assertIn("--data-dir", json.loads(done.stdout)["error"]["detail"])

    def test_publish_waits_for_a_subscriber(self):
        alice = self.nodes.start("alice")
        alice.ask("subscribe news")
        done = self.client(alice, "publish", "news", "from outside")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(alice.wait_for(lambda: alice.messages("news"), 20))
        self.assertEqual(alice.messages("news"), ["from outside"])

    def test_publish_to_nobody_ends_at_its_deadline(self):
        alice = self.nodes.start("alice")
        self.assertEqual(self.client(alice, "publish", "news", "x", "--timeout", "1").returncode, 5)

    def test_subscribe_prints_until_it_is_interrupted(self):
        alice = self.nodes.start("alice")
        listener = subprocess.Popen([KADNODE, "subscribe", "news", "--json", "--kad-protocol", KAD_PROTOCOL,
                                     "--bootstrap", alice.addr], stdout=subprocess.PIPE, text=True)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        alice.ask("subscribe news")
        self.assertIsNotNone(until(lambda: alice.mesh("news"), 20))
        alice.ask("publish news hello")
        self.assertEqual(json.loads(listener.stdout.readline())["data"], "hello")
        listener.send_signal(signal.SIGINT)
        self.assertEqual(listener.wait(20), 0)

    def test_a_signal_ends_it_with_an_answer(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        client = subprocess.Popen([KADNODE, "connect", f"/ip4/127.0.0.1/tcp/{silent.getsockname()[1]}", "--json"],
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(client.communicate)
        self.addCleanup(client.kill)
        with silent.accept()[0]:  # it is at work
            client.send_signal(signal.SIGTERM)
            answer = json.loads(client.stdout.read())
        self.assertEqual((answer["command"], answer["error"]["code"]), ("connect", "closed"))
        self.assertEqual(client.wait(20), 1)

    def test_what_cannot_be_written_is_no_success(self):
        where = ["--data-dir", self.dir()]
        for arguments in (["--help"], ["id", *where], ["stats", "--json", *where], ["run", *where, "--listen", LOOPBACK]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([KADNODE, *arguments], stdin=subprocess.DEVNULL, stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 6, arguments)
            self.assertIn("io: standard output: No space left on device", done.stderr)

    def test_help_goes_to_standard_output(self):
        for arguments in (["--help"], ["run", "--help"], ["put", "--help"], ["help"], ["--version"]):
            done = self.nodes.run(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.endswith("\n"))


class Control(Case):
    def test_a_running_node_is_asked(self):
        alice, bob = self.pair()
        where = ["--data-dir", str(bob.data_dir)]
        stats = self.nodes.run("stats", "--json", *where)
        self.assertEqual(json.loads(stats.stdout)["result"]["id"], bob.id)
        self.assertIn(alice.id, self.nodes.run("network", *where).stdout)
        self.assertIn("connected:", self.nodes.run("why", alice.id, *where).stdout)

    def test_only_the_owner_may(self):
        node = self.nodes.start("node")
        self.assertEqual(stat.S_IMODE(os.stat(node.data_dir / "control.sock").st_mode), 0o600)

    def exchange(self, node, *requests):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(node.data_dir / "control.sock"))
            answers = s.makefile()
            for request in requests:
                s.sendall(request.encode() + b"\n")
                yield json.loads(answers.readline())

    def test_many_questions_on_one_connection_also_wrong_ones(self):
        node = self.nodes.start("node")
        requests = ['{"command":"stats"}', "nonsense", "[]", "[" * 60_000, "{}", '{"command":7}', '{"command":"why"}',
                    '{"command":"put /v/a b"}', '{"command":""}', '{"command":"network","text":true}']
        answers = list(self.exchange(node, *requests))
        self.assertEqual([a["ok"] for a in answers], [True] + 8 * [False] + [True])
        self.assertEqual({a["error"]["code"] for a in answers[1:-1]}, {"invalid"})
        self.assertIn("node " + node.id, answers[-1]["text"])
        self.assertNotIn("text", answers[0])

    def test_a_client_that_says_too_much_or_nothing_does_no_harm(self):
        node = self.nodes.start("node")
        flood, silent = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        with flood, silent:
            silent.connect(str(node.data_dir / "control.sock"))
            flood.connect(str(node.data_dir / "control.sock"))
            flood.settimeout(20)
            try:
                flood.sendall(b"x" * 1024 * 1024)
                self.assertEqual(flood.recv(1), b"")
            except (BrokenPipeError, ConnectionResetError):
                pass
            self.assertTrue(next(self.exchange(node, '{"command":"stats"}'))["ok"])

    def test_more_clients_than_it_serves_are_turned_away(self):
        node = self.nodes.start("node")
        with contextlib.ExitStack() as idle:
            for _ in range(16):
                s = idle.enter_context(socket.socket(socket.AF_UNIX))
                s.connect(str(node.data_dir / "control.sock"))
            turned_away = self.nodes.run("stats", "--json", "--data-dir", str(node.data_dir))
            self.assertEqual(turned_away.returncode, 1)
            self.assertEqual(json.loads(turned_away.stdout)["error"]["code"], "limit")
        self.assertIsNotNone(until(lambda: self.nodes.run("stats", "--data-dir", str(node.data_dir)).returncode == 0, 20))

    def test_a_socket_that_cannot_be_reached_is_not_taken_for_a_missing_node(self):
        done = self.nodes.run("stats", "--data-dir", "/dev/null")
        self.assertEqual(done.returncode, 6)
        self.assertIn("/dev/null/control.sock", done.stderr)

    def test_a_dead_nodes_socket_is_replaced(self):
        node = self.nodes.start("node")
        node.kill()
        self.assertTrue((node.data_dir / "control.sock").exists())
        gone = self.nodes.run("stats", "--data-dir", str(node.data_dir))
        self.assertEqual(gone.returncode, 7)
        node.start()
        self.assertEqual(self.nodes.run("stats", "--data-dir", str(node.data_dir)).returncode, 0)

    def test_a_node_that_hangs_is_not_waited_for(self):
        node = self.nodes.start("node")
        node.freeze()
        done = self.nodes.run("stats", "--data-dir", str(node.data_dir), "--timeout", "0.5")
        self.assertEqual(done.returncode, 4)

    def test_a_long_path_is_no_obstacle(self):
        node = self.nodes.start("long-" + "x" * 150)
        self.assertEqual(self.nodes.run("stats", "--data-dir", str(node.data_dir)).returncode, 0)


class Start(Case):
    def start_fails(self, *options):
        done = self.nodes.run("run", "--json", "--data-dir", self.dir(), *options, input="")
        self.assertEqual(done.returncode, 6)
        failed = json.loads(done.stdout)
        self.assertEqual(failed["event"], "failed")
        self.assertTrue(done.stderr.startswith("kadnode: "))
        return failed["error"]

    def test_a_taken_port_is_named(self):
        alice = self.nodes.start("alice")
        error = self.start_fails("--listen", f"/ip4/127.0.0.1/tcp/{alice.port}")
        self.assertEqual(error["code"], "io")
        self.assertIn(str(alice.port), error["detail"])

    def test_a_data_directory_serves_one_node(self):
        self.nodes.start("x")
        self.assertIn("--data-dir", self.start_fails("--listen", LOOPBACK)["detail"])

    def test_a_damaged_store_is_refused_with_a_way_out_and_set_aside_on_wish(self):
        alice = self.nodes.start("x")
        for number in range(50):
            alice.ask(f"put /v/{number} {'x' * 1000}")
        alice.stop()
        alice.start().ask("put /v/last x")
        alice.kill()
        store = alice.data_dir / "store.sqlite"
        with open(store, "r+b") as torn:
            torn.seek(4096)
            torn.write(b"\xff" * (store.stat().st_size - 4096))
        error = self.start_fails("--listen", LOOPBACK)
        self.assertEqual(error["code"], "malformed")
        self.assertIn("--set-aside-corrupt", error["detail"])
        alice.options.append("--set-aside-corrupt")
        alice.start()
        self.assertTrue((alice.data_dir / "store.sqlite.damaged").exists())
        self.assertIn("store.sqlite.damaged", alice.errors())
        self.assertEqual(alice.fails("get /v/1")["code"], "no_peers")

    def test_a_secret_that_others_can_read_is_not_used(self):
        key = self.nodes.directory / "key"
        self.nodes.run("id", "--identity", str(key))
        key.chmod(0o644)
        self.assertEqual(self.start_fails("--identity", str(key), "--listen", LOOPBACK)["code"], "invalid")

    def test_a_directory_that_cannot_be_made(self):
        done = self.nodes.run("run", "--data-dir", "/proc/kadnode", input="")
        self.assertEqual(done.returncode, 6)
        self.assertIn("/proc/kadnode", done.stderr)

    def test_port_0_listens_on_every_interface(self):
        done = self.nodes.run("run", "--json", "--data-dir", self.dir(), "--port", "0", input="")
        self.assertTrue(any(a.startswith("/ip4/127.0.0.1/tcp/") for a in lines_of(done.stdout)[0]["addrs"]))


class Logs(Case):
    def test_lines_are_json_where_output_is(self):
        alice = self.nodes.start("alice", "--log", "off,swarm=info")
        bob = self.nodes.start("bob")
        bob.ask(f"connect {alice.addr}")
        alice.stop()
        entries = lines_of(alice.errors())
        self.assertEqual({e["area"] for e in entries}, {"swarm"})
        self.assertIn(bob.id, [e.get("peer") for e in entries])
        for key in ("time", "level", "detail"):
            self.assertIn(key, entries[0])
        self.assertRegex(entries[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_a_key_log_has_a_line_a_connection(self):
        keylog = self.nodes.directory / "keys"
        alice = self.nodes.start("alice", "--keylog", str(keylog))
        bob = self.nodes.start("bob")
        bob.ask(f"connect {alice.addr}")
        self.assertIsNotNone(until(lambda: alice.connected(), 20))
        self.assertRegex(keylog.read_text(), r"^NOISE_XX( [0-9a-f]{64}){7}\n$")
        self.assertEqual(stat.S_IMODE(keylog.stat().st_mode), 0o600)


class Terminal(Case):
    """On a terminal: a pseudo-terminal plays the user's."""
    options = ()

    def setUp(self):
        super().setUp()
        self.master, slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        environment = {**os.environ, "TERM": "xterm", "HOME": str(self.nodes.directory)}
        # In a sanitized build: libedit does not free the name of an added function; we use no wcsdup.
        known_leaks = self.nodes.directory / "known-leaks"
        known_leaks.write_text("leak:wcsdup\n")
        environment["LSAN_OPTIONS"] = f"suppressions={known_leaks}:print_suppressions=0"
        self.shell = subprocess.Popen([KADNODE, "run", "--data-dir", self.dir(), "--listen", LOOPBACK, *self.options],
                                      stdin=slave, stdout=slave, stderr=slave, env=environment,
                                      start_new_session=True)
        self.addCleanup(self.shell.wait)
        self.addCleanup(self.shell.kill)
        os.close(slave)
        self.screen = ""
        self.shows("kadnode> ")

    def shows(self, text, timeout=20):
        """Reads the screen until `text` is on it; forgets what came before."""
        end = time.monotonic() + timeout
        while text not in self.screen:
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                self.fail(f"{text!r} did not appear; the screen: {self.screen!r}")
            self.screen += os.read(self.master, 4096).decode(errors="replace")
        before, _, self.screen = self.screen.partition(text)
        return before

    def type(self, keys):
        os.write(self.master, keys.encode())

    def typed(self, keys):
        self.type(keys)
        return self.shows("kadnode> ")


class Shell(Terminal):
    def test_a_command_is_typed_answered_and_kept(self):
        self.type("id\r")
        self.shows("12D3KooW")
        self.shows("kadnode> ")
        self.type("\x1b[A\r")  # the line before
        self.shows("12D3KooW")
        self.shows("kadnode> ")
        self.type("quit\r")
        self.assertEqual(self.shell.wait(20), 0)
        self.assertIn("id", (pathlib.Path(self.dir()) / "history").read_text())

    def test_tab_completes(self):
        self.type("netw\t\r")
        self.shows("routing table:")
        self.shows("kadnode> ")
        self.type("prov\t\t")
        self.shows("providers")

    def test_events_leave_the_line_that_is_typed(self):
        addr = re.search(r"/ip4/\S+", self.typed("id\r")).group().rsplit("/p2p/")[0]
        self.type("sta")
        bob = self.nodes.start("bob", "--kad-protocol", "/ipfs/kad/1.0.0")
        bob.ask(f"connect {addr}")
        self.shows("connected: " + bob.id)
        self.type("ts\r")
        self.shows("queries:")

    def test_ctrl_d_leaves_and_gives_the_terminal_back(self):
        self.type("\x04")
        self.assertEqual(self.shell.wait(20), 0)
        self.assertTrue(termios.tcgetattr(self.master)[3] & termios.ICANON)

    def test_a_signal_leaves_and_gives_the_terminal_back(self):
        self.shell.send_signal(signal.SIGINT)
        self.assertEqual(self.shell.wait(20), 0)
        self.assertTrue(termios.tcgetattr(self.master)[3] & termios.ICANON)


class ShellWithoutSeed(Terminal):
    """A seed that does not answer: what is logged leaves the typed line as well."""
    options = ("--bootstrap", "/ip4/127.0.0.1/tcp/1")

    def test_logs_leave_the_line_that_is_typed(self):
        self.type("net")
        self.shows("warning kad: unreachable: seed")
        self.type("work\r")
        self.shows("routing table:")


if __name__ == "__main__":
    KADNODE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
