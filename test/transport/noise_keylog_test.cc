#include "transport/noise_keylog.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

NoiseSecrets some_secrets() { return {{1}, {2}, {3}, {4}, {5}, {6}, {7}}; }

}  // namespace

TEST_CASE("noise key log: a line is written in the documented order and reads back") {
  const std::string line = keylog_line(some_secrets());
  CHECK(line.size() == 8 + 7 * 65);
  CHECK(line.substr(0, 12) == "NOISE_XX 010");
  for (std::size_t i = 0; i < 7; ++i) CHECK(line[8 + 65 * i + 2] == static_cast<char>('1' + i));
  CHECK(parse_keylog_line(line) == some_secrets());
}

TEST_CASE("noise key log: a line that is not whole is refused") {
  const std::string line = keylog_line(some_secrets());
  for (std::size_t size = 0; size < line.size(); ++size)
    CHECK_FALSE(parse_keylog_line(line.substr(0, size)));
  CHECK_FALSE(parse_keylog_line(line + "0"));
  CHECK_FALSE(parse_keylog_line(line + "\n"));
  std::string odd = line;
  odd[100] = 'x';
  CHECK_FALSE(parse_keylog_line(odd));
}

}  // namespace kadmesh
