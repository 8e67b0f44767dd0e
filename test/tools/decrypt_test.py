#!/usr/bin/env python3
"""tools/decrypt: a connection of two kadnode processes, captured on its way between them, opens with
the key log of either. usage: decrypt_test.py KADNODE [unittest's arguments]"""
import os
import pathlib
import selectors
import socket
import struct
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "scenes"))
from nodes import Nodes, until  # noqa: E402

KADNODE = None
SEGMENT = 700  # bytes of a TCP segment: smaller than most messages of Noise, larger than some
SECRET = "nobody-may-read-this"


class Wire:
    """A relay to `port`: what passes is recorded as (from the dialer, bytes), a list a connection."""

    def __init__(self, port):
        self.port, self.connections = port, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addr = f"/ip4/127.0.0.1/tcp/{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                dialer = self.listener.accept()[0]
            except OSError:
                return
            listener = socket.create_connection(("127.0.0.1", self.port))
            self.connections.append(record := [])
            threading.Thread(target=self.relay, args=(dialer, listener, record), daemon=True).start()

    @staticmethod
    def relay(dialer, listener, record):
        with dialer, listener, selectors.DefaultSelector() as ready:
            ready.register(dialer, selectors.EVENT_READ, listener)
            ready.register(listener, selectors.EVENT_READ, dialer)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    record.append((key.fileobj is dialer, data))
                    key.data.sendall(data)


class Capture:
    """A pcap file of IPv4 packets as tcpdump would have written it."""

    def __init__(self):
        self.data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
        self.time = 1_700_000_000

    def add(self, source, destination, seq, syn, payload):
        tcp = struct.pack(">HHIIBBHHH", source, destination, seq % 2**32, 0, 5 << 4, 0x10 | syn << 1, 65535, 0, 0)
        size = 20 + len(tcp) + len(payload)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
        self.data += struct.pack("<IIII", self.time, 0, size, size) + ip + tcp + payload
        self.time += 1

    def add_connection(self, record, ports=(50000, 9001)):
        seq = {True: 2**32 - 100, False: 7}  # one of them wraps around
        for dialed in (True, False):
            self.add(*self.ends(ports, dialed), seq[dialed], 1, b"")
            seq[dialed] += 1
        for dialed, data in record:
            pieces = [(seq[dialed] + at, data[at:at + SEGMENT]) for at in range(0, len(data), SEGMENT)]
            seq[dialed] += len(data)
            for at, piece in pieces[1::2] + pieces[0::2] + pieces[:1]:  # out of order, and one again
                self.add(*self.ends(ports, dialed), at, 0, piece)

    @staticmethod
    def ends(ports, dialed):
        return ports if dialed else ports[::-1]


class Decrypt(unittest.TestCase):
    def setUp(self):
        self.nodes = Nodes(KADNODE)
        self.addCleanup(self.nodes.close)
        self.alice = self.nodes.start("alice", "--keylog", str(self.file("alice.keys")))
        self.bob = self.nodes.start("bob", "--keylog", str(self.file("bob.keys")))
        self.wire = Wire(self.alice.port)
        self.addCleanup(self.wire.listener.close)
        self.bob.ask(f"connect {self.wire.addr}")
        self.assertIsNotNone(until(lambda: self.alice.table() and self.bob.table(), 20))
        put = self.bob.ask(f"put /v/secret {SECRET} {'x' * 3000}")
        self.assertEqual(put["acknowledged"], 1)
        for node in (self.bob, self.alice):
            node.stop()

    def file(self, name):
        return self.nodes.directory / name

    def captured(self, *records):
        capture = Capture()
        for i, record in enumerate(records):
            capture.add_connection(record, (50000 + i, 9001))
        self.file("capture.pcap").write_bytes(capture.data)
        return capture

    def decrypt(self, keylog):
        return subprocess.run([ROOT / "tools/decrypt", self.file(keylog), self.file("capture.pcap")],
                              capture_output=True, text=True, timeout=60, check=False)

    @staticmethod
    def plain(output):
        """All that it shows, as bytes."""
        return b"".join(bytes.fromhex(line[8:56]) for line in output.splitlines() if line.startswith("  "))

    def test_either_key_log_opens_all_of_it(self):
        capture = self.captured(self.wire.connections[0])
        self.assertNotIn(SECRET.encode(), capture.data)
        for keylog in ("alice.keys", "bob.keys"):
            done = self.decrypt(keylog)
            self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "1 passed, 0 failed"), done.stderr)
            plain = self.plain(done.stdout)
            for told in (SECRET, "x" * 3000, "/yamux/1.0.0", "/ipfs/id/1.0.0"):
                self.assertIn(told.encode(), plain.replace(b"\n", b""))
            self.assertEqual(done.stdout.count("handshake payload"), 2)
            self.assertIn("127.0.0.1:50000 > 127.0.0.1:9001 message", done.stdout)
            self.assertIn("127.0.0.1:9001 > 127.0.0.1:50000 message", done.stdout)

    def test_a_connection_of_others_stays_closed(self):
        self.captured(self.wire.connections[0])
        self.file("other.keys").write_text("NOISE_XX" + 7 * (" " + "ab" * 32) + "\n")
        done = self.decrypt("other.keys")
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (1, "0 passed, 1 failed"))
        self.assertIn("its key is not in the key log", done.stdout)

    def test_what_was_changed_on_its_way_does_not_open(self):
        record = list(self.wire.connections[0])
        dialed, data = record[-1]
        record[-1] = (dialed, data[:-1] + bytes([data[-1] ^ 1]))
        self.captured(record)
        done = self.decrypt("bob.keys")
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 1 failed")
        self.assertIn("does not open", done.stdout)

    def test_each_connection_is_told_apart(self):
        self.captured(self.wire.connections[0], [(True, b"\x13/multistream/1.0.0\n")], self.wire.connections[0])
        done = self.decrypt("bob.keys")
        self.assertEqual(done.stdout.splitlines()[-1], "2 passed, 1 failed")

    def test_what_is_no_capture_is_named(self):
        self.file("capture.pcap").write_text("nonsense")
        done = self.decrypt("bob.keys")
        self.assertEqual(done.returncode, 1)
        self.assertIn("capture.pcap is no pcap file", done.stderr)


if __name__ == "__main__":
    KADNODE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
