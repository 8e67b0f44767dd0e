import os
import pathlib
import tempfile
import unittest
from unittest import mock

from orchestrator import build

SCRIPT = """#!/bin/sh
echo build >> "$PEER_CACHE/builds"
printf '#!/bin/sh\\n' > "$1/peer" && chmod +x "$1/peer"
"""


class Building(unittest.TestCase):
    def setUp(self):
        where = tempfile.TemporaryDirectory()
        self.addCleanup(where.cleanup)
        self.root = pathlib.Path(where.name) / "cache"
        self.folder = pathlib.Path(where.name) / "peers" / "fake"
        self.root.mkdir()
        self.folder.mkdir(parents=True)
        patch = mock.patch.multiple(build, PEERS=self.folder.parent, ROOT=self.folder.parent)
        patch.start()
        self.addCleanup(patch.stop)
        self.script(SCRIPT)

    def script(self, text):
        (self.folder / "build").write_text(text)
        (self.folder / "build").chmod(0o755)

    def builds(self):
        return len((self.root / "cache-fake" / "builds").read_text().splitlines())

    def test_an_unchanged_peer_is_built_once(self):
        first = build.build("fake", self.root)
        self.assertEqual(build.build("fake", self.root), first)
        self.assertEqual(self.builds(), 1)
        self.assertTrue(os.access(first[0], os.X_OK))

    def test_a_changed_source_is_built_again(self):
        build.build("fake", self.root)
        (self.folder / "source").write_text("new")
        build.build("fake", self.root)
        self.assertEqual(self.builds(), 2)

    def test_what_a_build_leaves_beside_the_sources_changes_nothing(self):
        before = build.fingerprint(self.folder)
        (self.folder / "node_modules").mkdir()
        (self.folder / "node_modules" / "thing").write_text("x")
        self.assertEqual(build.fingerprint(self.folder), before)

    def test_a_missing_toolchain_is_told_from_a_broken_build(self):
        self.script("#!/bin/sh\necho no compiler; exit 3\n")
        with self.assertRaisesRegex(build.NoToolchain, "no compiler"):
            build.build("fake", self.root)
        self.script("#!/bin/sh\necho broken; exit 1\n")
        with self.assertRaisesRegex(build.NotBuilt, "broken") as caught:
            build.build("fake", self.root)
        self.assertNotIsInstance(caught.exception, build.NoToolchain)

    def test_a_build_that_failed_is_tried_again(self):
        self.script("#!/bin/sh\n[ -e $PEER_CACHE/second ] || { touch $PEER_CACHE/second; exit 1; }\n"
                    "touch $1/peer; chmod +x $1/peer\n")
        with self.assertRaises(build.NotBuilt):
            build.build("fake", self.root)
        build.build("fake", self.root)

    def test_a_build_that_makes_no_peer_has_failed(self):
        self.script("#!/bin/sh\nexit 0\n")
        with self.assertRaisesRegex(build.NotBuilt, "made no peer"):
            build.build("fake", self.root)


if __name__ == "__main__":
    unittest.main()
