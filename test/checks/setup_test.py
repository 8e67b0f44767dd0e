#!/usr/bin/env python3
"""tools/setup: installs exactly what is missing, and asks the system for nothing when nothing is."""
import os
import pathlib
import subprocess
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/setup"

DPKG_QUERY = """#!/bin/sh
for package in $INSTALLED; do echo "$package installed"; done
for package in $REMOVED; do echo "$package config-files"; done
exit 1
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >> "$CALLS"
"""


def listed(*sets):
    return subprocess.run([TOOL, "--list", *sets], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.split()


class Setup(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.bin = pathlib.Path(self.folder.name)
        self.calls = self.bin / "calls"
        self.put("dpkg-query", DPKG_QUERY)
        self.put("apt-get", APT_GET)
        self.put("sudo", '#!/bin/sh\nexec "$@"\n')

    def put(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run_setup(self, *arguments, installed=(), removed=()):
        return subprocess.run([TOOL, *arguments], text=True, stdout=subprocess.PIPE, env={
            "PATH": f"{self.bin}:{os.environ['PATH']}", "CALLS": str(self.calls),
            "INSTALLED": " ".join(installed), "REMOVED": " ".join(removed)})

    def installs(self):
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def test_nothing_missing_calls_nothing(self):
        self.assertEqual(self.run_setup("build", installed=listed("build")).returncode, 0)
        self.assertEqual(self.installs(), [])

    def test_a_missing_package_is_installed_alone_after_one_update(self):
        rest = [p for p in listed("build") if p not in ("ccache", "g++")]
        self.assertEqual(self.run_setup(installed=rest).returncode, 0)
        update, install = self.installs()
        self.assertTrue(update.endswith("update"), update)
        self.assertTrue(install.endswith("install --no-install-recommends ccache g++"), install)

    def test_a_removed_package_whose_configuration_stayed_is_missing(self):
        rest = [p for p in listed("build") if p != "meson"]
        self.assertEqual(self.run_setup("--missing", installed=rest, removed=["meson"]).stdout, "meson\n")
        self.assertEqual(self.installs(), [])

    def test_all_is_the_union_of_the_sets(self):
        self.assertEqual(listed("all"), listed("build", "check", "interop", "bench"))

    def test_an_unknown_set_is_refused(self):
        self.assertEqual(self.run_setup("biuld").returncode, 2)
        self.assertEqual(self.installs(), [])


unittest.main()
