#!/usr/bin/env python3
"""Installs kadmesh into a folder of its own and builds the examples against that, as a stranger's
project would: by Meson's dependency() and by pkg-config alone. Then plays the echo between two
processes.

usage: examples_test.py SOURCE_ROOT BUILD_DIR
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
COMPILER = os.environ.get("CXX", "c++").split()


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, timeout=600, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options).stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.work = pathlib.Path(cls.folder.name)
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.work / "root")
        (found,) = (cls.work / "root").rglob("kadmesh.pc")
        cls.env = dict(os.environ, PKG_CONFIG_PATH=str(found.parent),
                       PKG_CONFIG_SYSROOT_DIR="")
        prefix = found.read_text().splitlines()[0].removeprefix("prefix=")
        found.write_text(found.read_text().replace(prefix, f"{cls.work}/root{prefix}", 1))

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

    def test_meson_dependency(self):
        run("meson", "setup", self.work / "build", SOURCE / "examples/echo", env=self.env)
        run("ninja", "-C", self.work / "build")
        self.play(self.work / "build/echo")

    def test_pkg_config(self):
        flags = run("pkg-config", "--cflags", "--libs", "--static", "kadmesh", env=self.env).split()
        run(*COMPILER, "-std=c++23", SOURCE / "examples/echo/echo.cc", "-o", self.work / "echo", *flags)
        self.play(self.work / "echo")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
