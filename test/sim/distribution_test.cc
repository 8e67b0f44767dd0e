#include "sim/distribution.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/fixed.h"

namespace kadmesh {
namespace {

// Sorted.
std::vector<Duration> drawn(const Distribution& from, std::size_t count = 20'001) {
  Luck luck(1);
  std::vector<Duration> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(draw(from, luck));
  std::ranges::sort(out);
  return out;
}
// Quantile, in milliseconds.
double ms(const std::vector<Duration>& sorted, double at) {
  const auto index = static_cast<std::size_t>(at * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[index].count()) / 1e6;
}
bool near(double value, double expected, double part = 0.05) {
  return value > expected * (1 - part) && value < expected * (1 + part);
}
double number(std::int64_t fixed) { return static_cast<double>(fixed) / 4294967296.0; }

}  // namespace

TEST_CASE("fixed: logarithm and power are right to seven digits") {
  CHECK(number(fixed::log2(10)) == doctest::Approx(3.321928095).epsilon(1e-7));
  CHECK(number(fixed::log2(1)) == 0);
  CHECK(number(fixed::log2(~std::uint64_t{0})) == doctest::Approx(64.0).epsilon(1e-7));
  CHECK(number(fixed::exp2(fixed::kOne / 2)) == doctest::Approx(1.414213562).epsilon(1e-7));
  CHECK(number(fixed::exp2(-3 * fixed::kOne)) == 0.125);
  CHECK(number(fixed::times(-3 * fixed::kOne / 2, 5 * fixed::kOne / 2)) == -3.75);
  CHECK(fixed::exp2(-40 * fixed::kOne) == 0);
}

TEST_CASE("distribution: exponential waits have its quantiles") {
  const auto waits = drawn(Exponential{100ms});
  CHECK(near(ms(waits, 0.5), 69.3));
  CHECK(near(ms(waits, 0.9), 230.3));
  CHECK(near(ms(waits, 0.99), 460.5, 0.1));
}

TEST_CASE("distribution: Weibull of shape 1/2 is the square of an exponential") {
  const auto waits = drawn(Weibull{100ms, 500});
  CHECK(near(ms(waits, 0.5), 48.05));
  CHECK(near(ms(waits, 0.9), 530.2, 0.1));
}

TEST_CASE("distribution: lognormal has its median, and one sigma on either side") {
  const auto waits = drawn(Lognormal{50ms, 400});
  CHECK(near(ms(waits, 0.5), 50));
  CHECK(near(ms(waits, 0.8413), 74.6));
  CHECK(near(ms(waits, 0.1587), 33.5));
}

TEST_CASE("distribution: uniform stays in its bounds, and reaches both") {
  const auto waits = drawn(Uniform{Duration(3), Duration(5)});
  CHECK(waits.front() == Duration(3));
  CHECK(waits.back() == Duration(5));
}

TEST_CASE("distribution: no draw is longer than ten years") {
  for (const Duration wait : drawn(Weibull{std::chrono::hours(24 * 365), 100}, 1000)) {
    CHECK(wait >= Duration::zero());
    CHECK(wait <= kLongestDraw);
  }
}

TEST_CASE("distribution: measured round trips are read, remarks left out, errors named by line") {
  const auto values = milliseconds_from_csv("# rtt\n12, 0.5\n\n80.000001;7 # far\r\n");
  REQUIRE(values.has_value());
  CHECK(*values == std::vector<Duration>{12ms, 500us, 80ms + Duration(1), 7ms});
  for (const char* bad : {"1\n2,x", "", "# none", "1,-2", "1e3", ".5", "99999999999999999999"})
    CHECK_FALSE(milliseconds_from_csv(bad).has_value());
  CHECK(milliseconds_from_csv("1\n2,x").error().detail.starts_with("line 2"));
}

}  // namespace kadmesh
