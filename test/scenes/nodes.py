"""kadnode processes for tests, scenes and the demo: started, commanded over their pipes, ended.

A Node is one `kadnode run --json`; its lines are read by a thread and stamped with the time at
which they came. Every process that was started here is ended here, by its id, also on failure.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

LOOPBACK = "/ip4/127.0.0.1/tcp/0"
KAD_PROTOCOL = "/kadmesh-scenes/kad/1.0.0"  # a network of our own: nobody else is met


class CommandFailed(Exception):
    def __init__(self, node, line, error):
        super().__init__(f"{node}: {line}: {error['code']}: {error['detail']}")
        self.code = error["code"]
        self.detail = error["detail"]


class Gone(Exception):
    """The process has ended, or did not answer in time."""


class Pending:
    """A command that was sent; result() waits for its answer."""

    def __init__(self, node, seq, line):
        self.node, self.seq, self.line = node, seq, line
        self.sent = time.monotonic()

    def answer(self, timeout=60):
        found = self.node.wait_for(lambda: self.node.answers.get(self.seq), timeout)
        if not found:
            raise Gone(f"{self.node}: no answer to `{self.line}` within {timeout} s\n{self.node.errors()}")
        return found[1]

    def result(self, timeout=60):
        answer = self.answer(timeout)
        if not answer["ok"]:
            raise CommandFailed(self.node, self.line, answer["error"])
        return answer["result"]

    def took(self):
        """Seconds from sending to the answer, which must be here."""
        return self.node.answers[self.seq][0] - self.sent


class Node:
    def __init__(self, name, binary, data_dir, options):
        self.name, self.binary, self.data_dir, self.options = name, str(binary), data_dir, options
        self.process = None

    def __str__(self):
        return self.name

    def start(self):
        self.answers, self.answered, self.events, self.seq = {}, [], [], 0
        self.changed = threading.Condition()
        self.log = open(self.data_dir.with_suffix(".log"), "ab")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "run", "--json", "--data-dir", self.data_dir, *self.options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.reader = threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        ready = self.wait_for(lambda: self.of("ready") + self.of("failed"), 30)
        if not ready or ready[0]["event"] == "failed":
            self.kill()
            why = ready[0]["error"] if ready else "it did not become ready within 30 s"
            raise Gone(f"{self} did not start: {why}\n{self.errors()}")
        self.id, self.addrs = ready[0]["id"], ready[0]["addrs"]
        return self

    def read(self, pipe):
        for line in pipe:
            now, what = time.monotonic(), json.loads(line)
            with self.changed:
                if "seq" in what:
                    self.answered.append(what["seq"])
                    self.answers[what["seq"]] = (now, what)
                else:
                    self.events.append((now, what))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, condition, timeout):
        """What `condition` gives, once that is true; false at the end of `timeout` seconds."""
        with self.changed:
            return self.changed.wait_for(condition, timeout)

    # --- addresses
    @property
    def addr(self):
        """Where it listens, without the peer id."""
        return self.addrs[0].rsplit("/p2p/", 1)[0]

    @property
    def port(self):
        return int(self.addr.rsplit("/", 1)[1])

    # --- commands
    def send(self, line):
        self.seq += 1
        pending = Pending(self, self.seq, line)
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Gone(f"{self} has ended\n{self.errors()}") from None
        return pending

    def ask(self, line, timeout=60):
        return self.send(line).result(timeout)

    def fails(self, line, timeout=60):
        """The error of a command that must fail."""
        pending = self.send(line)
        answer = pending.answer(timeout)
        assert not answer["ok"], f"{self}: `{line}` succeeded: {answer}"
        return answer["error"]

    # --- events
    def of(self, kind, **members):
        """Events of that kind with those members, oldest first."""
        wanted = {"event": kind, **members}
        return [e for _, e in self.events if all(e.get(k) == v for k, v in wanted.items())]

    def at(self, kind, **members):
        """When the first such event came."""
        wanted = {"event": kind, **members}
        return next(t for t, e in self.events if all(e.get(k) == v for k, v in wanted.items()))

    def messages(self, topic):
        return [e["data"] for e in self.of("message", topic=topic)]

    # --- what it is doing
    def network(self):
        return self.ask("network")

    def connected(self):
        return {c["peer"] for c in self.network()["connections"]}

    def table(self):
        """Servers of its routing table."""
        return {p["peer"] for bucket in self.network()["table"] for p in bucket["peers"]
                if p["standing"] == "server"}

    def mesh(self, topic):
        return {p for t in self.network()["topics"] if t.get("topic") == topic for p in t["mesh"]}

    def stats(self):
        return self.ask("stats")

    # --- its process
    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self):
        """At once, as a crash would."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        return self.ended()

    def stop(self):
        """In order; its exit status."""
        if self.process and self.process.poll() is None:
            self.thaw()
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.ended()

    def ended(self):
        if not self.process:
            return None
        status = self.process.wait()
        self.reader.join(5)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()
        return status

    def errors(self):
        return self.data_dir.with_suffix(".log").read_text(errors="replace")[-4000:]


class Nodes:
    """Nodes of one test, in a directory of its own that goes with it."""

    def __init__(self, binary, kad_protocol=KAD_PROTOCOL):
        self.binary, self.kad_protocol, self.all = pathlib.Path(binary).resolve(), kad_protocol, []
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="kadnode-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for node in self.all:
            if node.process and node.process.poll() is None:
                node.process.kill()  # a stopped process dies of it as well
        for node in self.all:
            node.ended()
        shutil.rmtree(self.directory, ignore_errors=True)

    def add(self, name, *options, listen=LOOPBACK, bootstrap=()):
        """A node that is yet to be started."""
        options = ["--kad-protocol", self.kad_protocol, "--listen", listen, *options]  # the last one counts
        for addr in bootstrap:
            options += ["--bootstrap", addr]
        node = Node(name, self.binary, self.directory / name, options)
        self.all.append(node)
        return node

    def start(self, name, *options, **where):
        return self.add(name, *options, **where).start()

    def run(self, *arguments, input=None, timeout=60):
        """One run of the program that ends by itself."""
        return subprocess.run([self.binary, *arguments], input=input, capture_output=True, text=True,
                              timeout=timeout, check=False)


def until(condition, timeout, step=0.02):
    """Seconds until `condition` held; None if it did not within `timeout`."""
    start = time.monotonic()
    while True:
        if condition():
            return time.monotonic() - start
        if time.monotonic() - start > timeout:
            return None
        time.sleep(step)


def free_port():
    """One that nobody had a moment ago: for nodes that must come back where they were."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
