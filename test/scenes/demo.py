#!/usr/bin/env python3
"""What tools/demo shows once kadnode is built. usage: demo.py KADNODE

Three nodes meet, store, find and talk; then two of them stop answering. Each step says how long it
took. Last line: `N passed, N failed`; the exit status is 0 only if none failed.
"""
import json
import signal
import socket
import sys
import time
import traceback

from nodes import CommandFailed, Gone, Nodes, until

KAD_PROTOCOL = "/kadmesh-demo/kad/1.0.0"
PORTS = {"Alice": 9001, "Bob": 9002, "Charlie": 9003}
TOPIC = "demo"
DEADLINE = 10


class Failed(Exception):
    pass


class Checks:
    """The steps, each with its time and its verdict; one that fails stops no other."""

    def __init__(self):
        self.passed = self.failed = 0

    def step(self, what, run, *arguments):
        start = time.monotonic()
        try:
            said, ok = run(*arguments), True
        except (CommandFailed, Failed, Gone) as error:
            said, ok = error, False
        ms = (time.monotonic() - start) * 1000
        self.passed += ok
        self.failed += not ok
        print(f"  {'ok  ' if ok else 'FAIL'} {ms:8.1f} ms  {what}: {said}", flush=True)
        return ok


def check(condition, why):
    if not condition:
        raise Failed(why)


def soon(condition, what, seconds=20):
    check(until(condition, seconds, step=0.002) is not None, f"{what}: not within {seconds} s")


def short(peer):
    return "…" + peer[-6:]


def taken_ports():
    """Those of ours that somebody else listens on."""
    taken = []
    for name, port in PORTS.items():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError as error:
                taken.append(f"port {port} of 127.0.0.1, which {name} needs: {error.strerror}")
    return taken


# --- the steps
class Demo:
    def __init__(self, nodes, checks):
        self.nodes, self.step = nodes, checks.step

    def run(self):
        print("\nThree nodes start", flush=True)
        # Each is made before any is started: a step that fails then still leaves all to speak of.
        for name, port in PORTS.items():
            setattr(self, name.lower(), self.nodes.add(name, listen=f"/ip4/127.0.0.1/tcp/{port}"))
        self.all = [self.alice, self.bob, self.charlie]
        for node in self.all:
            if not self.step(f"{node} listens on 127.0.0.1:{PORTS[node.name]}", self.start, node):
                return
        self.meet()
        self.store()
        self.talk()
        self.go_dark()

    def start(self, node):
        node.start()
        node.ask(f"subscribe {TOPIC}")
        return f"peer {short(node.id)}"

    def meet(self):
        print("\nBob and Charlie connect to Alice by /ip4/127.0.0.1/tcp/9001, without knowing who is there", flush=True)
        for node in (self.bob, self.charlie):
            self.step(f"{node} shakes hands with Alice", self.handshake, node)
        self.step("every routing table holds who it should", self.tables)
        self.step(f"every mesh of the topic '{TOPIC}' has formed", self.meshes)
        self.step("Bob finds Charlie by the DHT", self.find)

    def handshake(self, node):
        pending = node.send("connect /ip4/127.0.0.1/tcp/9001")
        check(pending.result()["peer"] == self.alice.id, "somebody else answered")
        return f"authenticated as {short(self.alice.id)} in {pending.took() * 1000:.1f} ms"

    def tables(self):
        expected = {self.alice: {self.bob.id, self.charlie.id}, self.bob: {self.alice.id}, self.charlie: {self.alice.id}}
        soon(lambda: all(peers <= node.table() for node, peers in expected.items()), "the tables")
        return "; ".join(f"{node} has {self.names(node.table())}" for node in expected)

    def meshes(self):
        both = {self.bob.id, self.charlie.id}
        soon(lambda: both <= self.alice.mesh(TOPIC) and self.alice.id in self.bob.mesh(TOPIC)
             and self.alice.id in self.charlie.mesh(TOPIC), "the meshes")
        return "; ".join(f"{node} with {self.names(node.mesh(TOPIC))}" for node in self.all)

    def find(self):
        soon(lambda: self.charlie.addr in self.bob.ask(f"find {self.charlie.id}")["addrs"], "Charlie's address")
        return self.charlie.addr

    def names(self, peers):
        known = {node.id: node.name for node in self.all}
        return " and ".join(sorted(known.get(p, short(p)) for p in peers)) or "nobody"

    def store(self):
        print("\nThe DHT", flush=True)
        self.step("Bob puts /v/greeting", self.put)
        self.step("Charlie gets it", self.get)
        self.step("a key that nobody has is NotFound at once", self.missing)

    def put(self):
        put = self.bob.ask("put /v/greeting 'hello from Bob'")
        check(put["acknowledged"] >= 1, f"nobody acknowledged: {put}")
        return f"{put['acknowledged']} of {put['contacted']} peers acknowledged"

    def get(self):
        got = self.charlie.ask("get /v/greeting")
        check(got["value"] == "hello from Bob", f"it is {got['value']!r}")
        return f"'{got['value']}'"

    def missing(self):
        pending = self.charlie.send("get /v/nobody-has-this")
        answer = pending.answer()
        check(not answer["ok"] and answer["error"]["code"] == "not_found", json.dumps(answer))
        check(pending.took() < 2, f"but only after {pending.took():.1f} s")
        return answer["error"]["code"]

    def talk(self):
        print("\nThe topic: a message of each reaches the other two", flush=True)
        for sender in self.all:
            self.step(f"{sender} speaks", self.speak, sender)

    def speak(self, sender):
        text = f"I am {sender}"
        sender.ask(f"publish {TOPIC} {text}")
        others = [node for node in self.all if node is not sender]
        for node in others:
            check(node.wait_for(lambda n=node: text in n.messages(TOPIC), 20), f"{node} did not hear it")
        check(all(node.messages(TOPIC).count(text) == 1 for node in others), "it was delivered twice")
        return "heard by " + " and ".join(map(str, others))

    def go_dark(self):
        print("\nBob and Charlie are stopped (SIGSTOP): their connections stay, nobody answers", flush=True)
        for node in (self.bob, self.charlie):
            node.freeze()
        try:
            self.step(f"Alice's get ends at its deadline of {DEADLINE} s", self.get_in_the_dark)
        finally:
            for node in (self.bob, self.charlie):
                node.thaw()
        self.step("they go on, and Alice asks them again", self.get_again)

    def get_in_the_dark(self):
        pending = self.alice.send("get /v/in-the-dark")
        answer = pending.answer(DEADLINE + 20)
        check(not answer["ok"] and answer["error"]["code"] == "timeout", json.dumps(answer))
        check(abs(pending.took() - DEADLINE) < 1, f"it took {pending.took():.2f} s")
        return f"{answer['error']['code']} after {pending.took():.2f} s"

    def get_again(self):
        soon(lambda: self.alice.ask("get /v/greeting")["value"] == "hello from Bob", "the value")
        return "'hello from Bob'"


def main(kadnode):
    # Ended from outside, it ends its nodes as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if taken := taken_ports():
        print("\n".join("demo: " + what for what in taken))
        print(f"0 passed, {len(taken)} failed")
        return 1
    checks = Checks()
    with Nodes(kadnode, KAD_PROTOCOL) as nodes:
        try:
            Demo(nodes, checks).run()
        except (Exception, KeyboardInterrupt):  # noqa: BLE001: whatever it is, the closing line comes
            traceback.print_exc(file=sys.stdout)
            checks.failed += 1
    print(f"\n{checks.passed} passed, {checks.failed} failed", flush=True)
    return 0 if checks.failed == 0 and checks.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
