// usage: storm FIRST LAST
// Plays the storm of every seed from FIRST to LAST; stops at the first in which something is wrong,
// which it prints, and ends with 1. Last line: `N passed, N failed`.
#include <cstdio>
#include <cstdlib>

#include "sim/storm/storm.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: storm FIRST LAST\n", stderr);
    return 2;
  }
  const std::uint64_t first = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t last = std::strtoull(argv[2], nullptr, 10);
  std::uint64_t passed = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const std::string wrong = kadmesh::Storm(seed).play();
    if (!wrong.empty()) {
      std::printf("seed %llu: %s\n%llu passed, 1 failed\n", static_cast<unsigned long long>(seed),
                  wrong.c_str(), static_cast<unsigned long long>(passed));
      return 1;
    }
    ++passed;
  }
  std::printf("%llu passed, 0 failed\n", static_cast<unsigned long long>(passed));
  return passed > 0 ? 0 : 2;
}
