#!/usr/bin/env python3
"""check_purity: what reaches the machine is caught however it is called; plain C++ passes."""
import functools
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CXX = shlex.split(os.environ.get("CXX", "c++"))


def c_function(declaration, call):
    return f'#include <cstddef>\nextern "C" {declaration};\nvoid planted() {{ {call}; }}\n'


# What no core library may do: (library, symbol that the output must name, code that needs it).
PLANTED = [
    ("base", "clock_gettime", "#include <ctime>\nvoid planted() { timespec t; clock_gettime(CLOCK_MONOTONIC, &t); }\n"),
    ("base", "time", c_function("long time(long*)", "time(nullptr)")),
    ("node", "std::chrono::_V2::steady_clock::now()",
     "#include <chrono>\nlong planted() { return std::chrono::steady_clock::now().time_since_epoch().count(); }\n"),
    ("base", "getrandom", c_function("long getrandom(void*, std::size_t, unsigned)", "getrandom(nullptr, 0, 0)")),
    ("base", "randombytes_buf", c_function("void randombytes_buf(void*, std::size_t)", "randombytes_buf(nullptr, 0)")),
    ("base", "RAND_bytes", c_function("int RAND_bytes(unsigned char*, int)", "RAND_bytes(nullptr, 0)")),
    # These draw entropy of their own.
    ("base", "crypto_sign_keypair", c_function("int crypto_sign_keypair(unsigned char*, unsigned char*)", "crypto_sign_keypair(nullptr, nullptr)")),
    ("base", "EVP_PKEY_generate", c_function("int EVP_PKEY_generate(void*, void**)", "EVP_PKEY_generate(nullptr, nullptr)")),
    ("base", "std::random_device::_M_getval()", "#include <random>\nunsigned planted() { return std::random_device{}(); }\n"),
    ("transport", "socket", "#include <sys/socket.h>\nint planted() { return socket(AF_INET, SOCK_STREAM, 0); }\n"),
    ("base", "getaddrinfo", c_function("int getaddrinfo(const char*, const char*, const void*, void**)", "getaddrinfo(nullptr, nullptr, nullptr, nullptr)")),
    ("base", "pthread_create", "#include <pthread.h>\nint planted(pthread_t* t, void* (*f)(void*)) { return pthread_create(t, nullptr, f, nullptr); }\n"),
    ("sim", "std::thread::_M_start_thread(*)", "#include <thread>\nvoid planted() { std::thread([] {}).detach(); }\n"),
    ("node", "pthread_mutex_lock", "#include <mutex>\nvoid planted() { static std::mutex m; m.lock(); }\n"),
    ("store", "fopen", c_function("void* fopen(const char*, const char*)", 'fopen("", "")')),
    ("kad", "getenv", "#include <cstdlib>\nchar* planted() { return std::getenv(\"SEED\"); }\n"),
    ("kad", "std::cout", "#include <iostream>\nvoid planted() { std::cout << 1; }\n"),
    ("gossip", "pow", "#include <cmath>\ndouble planted(double x) { return std::pow(x, x); }\n"),
    # Fit for base, not for a floor above it.
    ("kad", "crypto_sign_detached", c_function("int crypto_sign_detached()", "crypto_sign_detached()")),
    ("gossip", "fprintf", "#include <cstdio>\nvoid planted(int i) { std::fprintf(stderr, \"%d\", i); }\n"),
    # A way round the floors: declared by hand, defined in driver.
    ("node", "kadmesh::now()", "namespace kadmesh { long now(); }\nlong planted() { return kadmesh::now(); }\n"),
]

PLAIN = """
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>
struct Shape { virtual ~Shape() = default; virtual int sides() const = 0; };
struct Square final : Shape { int sides() const override { return 4; } };
std::expected<int, std::string> plain(const std::string& s, const std::variant<int, std::string>& v) {
  static const std::map<std::string, int> kTable{{"a", 1}};
  std::set<int> set; std::unordered_map<std::string, std::deque<int>> names; std::vector<std::string> list;
  set.insert(std::get<int>(v)); names[s].push_back(*set.begin()); list.push_back(s + std::to_string(names.size()));
  std::function<int()> f = [shape = std::make_shared<Square>()] { return shape->sides(); };
  set.erase(3); names.erase(s);
  if (list.at(0) == s) return std::unexpected(s);
  return f() + static_cast<int>(kTable.count(s));
}
"""


@functools.cache
def compiled(code):
    """The object file of `code`."""
    with tempfile.NamedTemporaryFile(suffix=".o") as file:
        subprocess.run([*CXX, "-std=c++23", "-O1", "-x", "c++", "-c", "-", "-o", file.name],
                       input=code, text=True, check=True)
        return pathlib.Path(file.name).read_bytes()


class CheckPurity(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name)
        (self.tree / "build").mkdir()
        (self.tree / "tools").mkdir()
        (self.tree / "src/driver").mkdir(parents=True)
        (self.tree / "src/driver/meson.build").touch()
        for name in ("check_purity", "purity_allow.txt"):
            shutil.copy(ROOT / "tools" / name, self.tree / "tools")

    def floor(self, name):
        (self.tree / "src" / name).mkdir(exist_ok=True)
        (self.tree / "src" / name / "meson.build").touch()

    def archive(self, library, code):
        """Compiles `code` into libkadmesh_<library>.a of the tree's build directory."""
        built = self.tree / "build" / f"libkadmesh_{library}.a"
        built.unlink(missing_ok=True)
        (self.tree / "build" / f"{library}.o").write_bytes(compiled(code))
        subprocess.run(["ar", "rc", built, self.tree / "build" / f"{library}.o"], check=True)
        return built

    def check(self):
        done = subprocess.run([sys.executable, self.tree / "tools/check_purity", self.tree / "build"],
                              stdout=subprocess.PIPE, text=True)
        return done.stdout, done.returncode

    def assert_caught(self, output, status, library, symbol):
        self.assertEqual(status, 1, output)
        self.assertTrue(output.splitlines()[-1].endswith(" 1 failed"), output)
        wanted = f"libkadmesh_{library}.a: {symbol.split('*')[0]}"
        self.assertTrue(any(l.startswith(wanted) for l in output.splitlines()), output)

    def test_each_planted_call_is_caught(self):
        for library, symbol, code in PLANTED:
            with self.subTest(library=library, symbol=symbol):
                planted = self.archive(library, code)
                self.assert_caught(*self.check(), library, symbol)
                planted.unlink()

    def test_plain_code_passes_on_every_floor(self):
        for library in ("base", "kad", "sim"):
            self.archive(library, PLAIN)
        output, status = self.check()
        self.assertEqual((output.splitlines()[-1], status), ("3 passed, 0 failed", 0), output)

    def test_a_symbol_of_another_core_library_is_fine_and_of_driver_is_not(self):
        needs = "namespace kadmesh { long now(); }\nlong needs() { return kadmesh::now(); }\n"
        defines = "namespace kadmesh { long now() { return 1; } }\nvoid f(void* p) { delete static_cast<int*>(p); }\n"
        self.archive("node", needs)
        base = self.archive("base", defines)
        self.assertEqual(self.check()[1], 0)
        base.unlink()
        self.archive("driver", defines)
        self.assert_caught(*self.check(), "node", "kadmesh::now()")

    def test_the_driver_may_do_all_of_it(self):
        self.archive("base", PLAIN)
        self.archive("driver", PLANTED[0][2])
        self.assertEqual(self.check()[1], 0)

    def test_nothing_to_check_is_a_failure(self):
        self.assertEqual(self.check()[1], 1)
        self.archive("base", "")
        self.assertEqual(self.check()[1], 1)

    def test_a_floor_without_an_archive_is_a_failure(self):
        self.archive("base", PLAIN)
        self.floor("kad")
        output, status = self.check()
        self.assertEqual((output.splitlines()[-1], status), ("1 passed, 1 failed", 1), output)


unittest.main()
