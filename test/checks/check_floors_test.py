#!/usr/bin/env python3
"""check_floors: a planted violation of each rule is caught, and what the rules allow is not."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/check_floors"

# A small tree that obeys: one file a floor, each including what it may.
GOOD = {
    "base/crypto.cc": '#include "base/crypto.h"\n#include <sodium.h>\n#include <openssl/evp.h>\n',
    "base/crypto.h": "#pragma once\n#include <cstdint>\n#include <chrono>\n",
    "base/keys.cc": '#include "base/crypto.h"\n#include "keys.pb.h"\n',
    "base/peer_record.cc": '#include "peer_record.pb.h"\n',
    "transport/noise_handshake.cc": '#include <sodium.h>\n#include "base/crypto.h"\n#include "noise.pb.h"\n',
    "store/record.h": '#include "base/crypto.h"\n',
    "store/validator.h": '#include "store/record.h"\n',
    "store/sqlite_store.h": '#include "store/record.h"\n',
    "store/sqlite_store.cc": '#include "store/sqlite_store.h"\n#include <sqlite3.h>\n#include <unistd.h>\n',
    "kad/kad.h": '#include "store/record.h"\n#include "store/validator.h"\n',
    "kad/wire.cc": '#include "kad/kad.h"\n#include "kad.pb.h"\n',
    "gossip/gossip.h": '#include "base/crypto.h"\n',
    "node/node.h": '#include "kad/kad.h"\n#include "gossip/gossip.h"\n#include "transport/x.h"\n',
    "driver/host.cc": '#include "node/node.h"\n#include <asio.hpp>\n#include <thread>\n'
                      '#include "store/sqlite_store.h"\n',
    "sim/world.h": '#include "node/node.h"\n',
}

# (rule, file, line that breaks it)
PLANTED = [
    ("floors", "base/bytes.h", '#include "kad/kad.h"'),
    ("floors", "transport/swarm.h", '#include "node/node.h"'),
    ("floors", "transport/swarm.h", '#include "kad/kad.h"'),
    ("floors", "transport/swarm.h", '#include "gossip/gossip.h"'),
    ("floors", "kad/lookup.cc", '#include "transport/swarm.h"'),
    ("floors", "kad/lookup.cc", '#include "gossip/gossip.h"'),
    ("floors", "kad/lookup.cc", '#  include <gossip/gossip.h>'),
    ("floors", "gossip/mesh.h", '#include "kad/kad.h"'),
    ("floors", "gossip/mesh.h", '#include "transport/swarm.h"'),
    ("floors", "store/record.h", '#include "kad/kad.h"'),
    ("floors", "kad/lookup.cc", '#include "store/memory_store.h"'),
    ("floors", "node/node.h", '#include "driver/host.h"'),
    ("floors", "node/node.h", '#include "sim/world.h"'),
    ("floors", "driver/host.h", '#include "sim/world.h"'),
    ("floors", "sim/world.h", '#include "driver/host.h"'),
    ("floors", "util/strings.h", "#pragma once"),
    ("own_headers", "driver/host.h", '#include "../sim/world.h"'),
    ("own_headers", "kad/lookup.h", '#include "kad.h"'),
    ("own_headers", "node/node.h", '#include "tools/kadnode.h"'),
    ("own_headers", "node/node.h", "#include HEADER"),
    ("asio", "node/node.cc", "#include <asio.hpp>"),
    ("asio", "sim/world.cc", "#include <asio/ip/tcp.hpp>"),
    ("generated", "kad/lookup.cc", '#include "kad.pb.h"'),
    ("generated", "kad/wire.h", '#include "kad.pb.h"'),
    ("generated", "gossip/mesh.cc", "#include <google/protobuf/message_lite.h>"),
    ("sqlite", "store/memory_store.cc", "#include <sqlite3.h>"),
    ("sqlite", "driver/host.cc", "#include <sqlite3.h>"),
    ("sqlite", "sim/world.cc", "#include <sqlite3.h>"),
    ("sqlite", "store/sqlite_store.h", "#include <sqlite3.h>"),
    ("sqlite", "store/memory_store.cc", '#include "store/sqlite_statement.h"'),
    ("sqlite", "sim/disk.cc", '#include "store/sqlite_store.h"'),
    ("sqlite", "node/node.cc", '#include "store/sqlite_store.h"'),
    ("crypto", "kad/key.cc", "#include <openssl/sha.h>"),
    ("crypto", "transport/yamux.cc", "#include <sodium.h>"),
    ("crypto", "transport/noise.h", "#include <sodium/crypto_sign.h>"),
    ("crypto", "driver/host.cc", "#include <sodium.h>"),
    ("machine", "base/rng.cc", "#include <random>"),
    ("machine", "base/address.cc", "#include <arpa/inet.h>"),
    ("machine", "node/node.cc", "#include <thread>"),
    ("machine", "sim/world.cc", "#include <time.h>"),
    ("machine", "kad/lookup.h", "\t#\tinclude\t<mutex>"),
]


def check(tree):
    """(output, exit status) of the checker on a tree given as {name: text}."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree.items():
            path = pathlib.Path(folder) / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, TOOL, folder], stdout=subprocess.PIPE, text=True)
        return done.stdout, done.returncode


class CheckFloors(unittest.TestCase):
    def test_a_tree_that_obeys_passes(self):
        output, status = check(GOOD)
        self.assertEqual((output.splitlines()[-1], status), (f"{len(GOOD)} passed, 0 failed", 0), output)

    def test_each_planted_violation_is_caught_once_by_its_rule_at_its_line(self):
        for rule, name, line in PLANTED:
            with self.subTest(rule=rule, name=name, line=line):
                text = "// First line.\n" + line + "\n"
                output, status = check({**GOOD, name: text})
                found = [l for l in output.splitlines() if l.startswith("src/")]
                self.assertEqual((len(found), status), (1, 1), output)
                self.assertTrue(found[0].startswith(f"src/{name}:"), output)
                self.assertTrue(found[0].endswith(f"[{rule}]"), output)
                if not name.startswith("util/"):
                    self.assertTrue(found[0].startswith(f"src/{name}:2:"), output)
                self.assertIn("1 failed", output.splitlines()[-1])

    def test_every_rule_is_planted(self):
        rules = re.search(r"^RULES = \((.*)\)$", TOOL.read_text(), re.M)[1].split(", ")
        self.assertEqual({rule for rule, _, _ in PLANTED}, set(rules))

    def test_finding_nothing_to_check_is_a_failure(self):
        self.assertEqual(check({})[1], 1)
        self.assertEqual(check({"base/bytes.h": "#pragma once\n"})[1], 1)


unittest.main()
