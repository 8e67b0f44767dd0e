// How long something takes, drawn: session times, latencies, pauses. In whole numbers throughout.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sim/luck.h"

namespace kadmesh {

// Always that.
struct Always {
  Duration value{};
};
// Every value in [least, most] alike.
struct Uniform {
  Duration least{}, most{};
};
// Without memory: the wait for what happens at a constant rate.
struct Exponential {
  Duration mean{};
};
// scale * E^(1/shape), E exponential with mean 1. Below 1000 most are short and a few very long, as
// sessions of peers are (Stutzbach and Rejaie 2006 found shapes of 0.3 to 0.6).
struct Weibull {
  Duration scale{};
  std::uint32_t shape_milli = 500;
};
// median * e^(sigma * N): round trips of a wide network. N is the sum of twelve uniforms, so no
// draw is further than six sigma from the median.
struct Lognormal {
  Duration median{};
  std::uint32_t sigma_milli = 500;
};
// Measured values, each as likely as any other.
struct Measured {
  std::vector<Duration> values;  // not empty
};
using Distribution = std::variant<Always, Uniform, Exponential, Weibull, Lognormal, Measured>;

// None is longer, whatever was drawn: sums of it stay far from the end of the clock.
inline constexpr Duration kLongestDraw = std::chrono::hours(24 * 365 * 10);

// Never negative.
Duration draw(const Distribution& from, Luck& luck);

// A million values: more than any table of measured round trips holds.
inline constexpr std::size_t kMostMeasured = 1'000'000;
// Milliseconds with an optional fraction, separated by commas, blanks or line ends; what stands
// behind a '#' up to the end of its line is a remark. Errc::malformed names the line.
Result<std::vector<Duration>> milliseconds_from_csv(std::string_view text);

}  // namespace kadmesh
