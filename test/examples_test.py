#!/usr/bin/env python3
"""Installs kadmesh into a folder of its own and builds the examples against that, as a stranger's
project would: by Meson's dependency() and by pkg-config alone. Then plays them. Every header that is
installed belongs to the public face, and compiles alone.

usage: examples_test.py SOURCE_ROOT BUILD_DIR
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
COMPILER = os.environ.get("CXX", "c++").split()
INCLUDE = re.compile(r'^#include "(.+)"', re.M)
# What users are told to include. What these include is installed, too, and nothing else.
FACES = ["driver/host.h", "driver/identity_file.h", "driver/metrics_listener.h", "driver/metrics_text.h",
         "node/node.h", "store/ipns.h", "store/memory_store.h", "store/sqlite_store.h", "kad/policies.h",
         "base/framing.h", "base/multibase.h", "gossip/trace_format.h", "sim/world.h", "sim/oracle.h"]


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, timeout=600, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options).stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.work = pathlib.Path(cls.folder.name)
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.work / "root")
        found = sorted((cls.work / "root").rglob("*.pc"))
        cls.env = dict(os.environ, PKG_CONFIG_PATH=str(found[0].parent),
                       PKG_CONFIG_SYSROOT_DIR="")
        for file in found:
            prefix = file.read_text().splitlines()[0].removeprefix("prefix=")
            file.write_text(file.read_text().replace(prefix, f"{cls.work}/root{prefix}", 1))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def play(self, program):
        with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as server:
            try:
                address = server.stdout.readline().strip()
                self.assertEqual(run(program, address).strip(), "hello")
            finally:
                server.terminate()

    def build(self, example):
        folder = self.work / "build" / example
        run("meson", "setup", folder, SOURCE / "examples" / example, env=self.env)
        run("ninja", "-C", folder)
        return folder / example

    def flags(self, library, *kinds):
        return run("pkg-config", *kinds, library, env=self.env).split()

    def test_meson_dependency(self):
        self.play(self.build("echo"))

    def test_pkg_config(self):
        flags = self.flags("kadmesh", "--cflags", "--libs", "--static")
        run(*COMPILER, "-std=c++23", SOURCE / "examples/echo/echo.cc", "-o", self.work / "echo", *flags)
        self.play(self.work / "echo")

    def test_a_simulation_plays_the_same_run_for_the_same_seed(self):
        program = self.build("simulation")
        self.assertRegex(run(program, "1"), r"^hello after \d+ ms; run \d+\n$")
        self.assertEqual(run(program, "1"), run(program, "1"))
        self.assertNotEqual(run(program, "1"), run(program, "2"))

    def installed(self):
        (folder,) = (self.work / "root").rglob("include/kadmesh")
        return folder, {str(header.relative_to(folder)) for header in folder.rglob("*") if header.is_file()}

    def test_what_is_installed_is_the_public_face(self):
        public, unread = set(), list(FACES)
        while unread:
            header = unread.pop()
            if header not in public:
                public.add(header)
                unread += INCLUDE.findall((SOURCE / "src" / header).read_text())
        self.assertEqual(public, self.installed()[1])

    def test_each_header_compiles_alone(self):
        flags = self.flags("kadmesh_sim", "--cflags")
        folder, headers = self.installed()
        for header in sorted(headers):
            with self.subTest(header):
                run(*COMPILER, *flags, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++",
                    "-include", folder / header, os.devnull)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
