#include "sim/distribution.h"

#include <algorithm>
#include <string>

#include "sim/fixed.h"

namespace kadmesh {
namespace {

// value * factor (Q32), at most kLongestDraw.
Duration scaled(Duration value, std::int64_t factor) {
  const std::int64_t whole = factor >> 32, part = factor & 0xFFFFFFFF;
  if (whole > 0 && value > kLongestDraw / whole) return kLongestDraw;
  // The duration's own halves, so that no product leaves 64 bits.
  const auto ns = static_cast<std::uint64_t>(value.count()),
             bits = static_cast<std::uint64_t>(part);
  const std::uint64_t high = (ns >> 32) * bits, low = ((ns & 0xFFFFFFFF) * bits) >> 32;
  return std::min(kLongestDraw, value * whole + Duration(high + low));
}

// Exponential with mean 1, Q32: -ln of a number in (0, 1].
std::int64_t unit_exponential(Luck& luck) {
  const std::uint64_t part = (luck.next() >> 16) + 1;  // of 2^48
  return fixed::times(48 * fixed::kOne - fixed::log2(part), fixed::kLn2);
}

// Normal with deviation 1, Q32: twelve uniforms have variance 1 and mean 6.
std::int64_t unit_normal(Luck& luck) {
  std::int64_t sum = -6 * fixed::kOne;
  for (int i = 0; i < 6; ++i) {
    const std::uint64_t two = luck.next();
    sum += static_cast<std::int64_t>(two >> 32) + static_cast<std::int64_t>(two & 0xFFFFFFFF);
  }
  return sum;
}

Duration draw_from(const Always& of, Luck&) { return of.value; }
Duration draw_from(const Uniform& of, Luck& luck) {
  return of.least + luck.up_to(of.most - of.least);
}
Duration draw_from(const Exponential& of, Luck& luck) {
  return scaled(of.mean, unit_exponential(luck));
}
Duration draw_from(const Weibull& of, Luck& luck) {
  const std::int64_t e = unit_exponential(luck);
  if (e <= 0) return Duration::zero();
  const std::int64_t log = fixed::log2(static_cast<std::uint64_t>(e)) - 32 * fixed::kOne;
  const std::int64_t power = log / std::max<std::int64_t>(of.shape_milli, 1) * 1000;
  return scaled(of.scale, fixed::exp2(power));
}
Duration draw_from(const Lognormal& of, Luck& luck) {
  const std::int64_t power = unit_normal(luck) / 1000 * of.sigma_milli;
  return scaled(of.median, fixed::exp2(fixed::times(power, fixed::kLog2E)));
}
Duration draw_from(const Measured& of, Luck& luck) { return luck.pick(of.values); }

bool separates(char c) { return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == ';'; }

// "12", "12.5", up to a day.
Result<Duration> milliseconds(std::string_view word) {
  constexpr std::int64_t kMost = 86'400'000;
  std::int64_t whole = 0, ns = 0, unit = 1'000'000;
  std::size_t at = 0;
  for (; at < word.size() && word[at] != '.'; ++at) {
    if (word[at] < '0' || word[at] > '9' || whole > kMost) return fail(Errc::malformed);
    whole = whole * 10 + (word[at] - '0');
  }
  const std::size_t digits = at;
  for (++at; at < word.size(); ++at) {
    if (word[at] < '0' || word[at] > '9') return fail(Errc::malformed);
    ns += (word[at] - '0') * (unit /= 10);
  }
  if (digits == 0 || whole > kMost) return fail(Errc::malformed);
  return std::chrono::milliseconds(whole) + Duration(ns);
}

Result<void> read_line(std::string_view line, std::vector<Duration>& values) {
  line = line.substr(0, line.find('#'));
  while (!line.empty()) {
    const auto begin = std::ranges::find_if_not(line, separates);
    const auto end = std::find_if(begin, line.end(), separates);
    if (begin == end) break;
    ASSIGN_OR_RETURN(const Duration value, milliseconds({begin, end}));
    if (values.size() == kMostMeasured) return fail(Errc::limit);
    values.push_back(value);
    line = {end, line.end()};
  }
  return {};
}

}  // namespace

Duration draw(const Distribution& from, Luck& luck) {
  const Duration drawn = std::visit([&](const auto& of) { return draw_from(of, luck); }, from);
  return std::clamp(drawn, Duration::zero(), kLongestDraw);
}

Result<std::vector<Duration>> milliseconds_from_csv(std::string_view text) {
  std::vector<Duration> values;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (auto read = read_line(text.substr(0, end), values); !read)
      return fail(read.error().code, "line " + std::to_string(number) +
                                         ": expected milliseconds, at most a day each, and no more "
                                         "than a million of them");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (values.empty()) return fail(Errc::malformed, "no value at all");
  return values;
}

}  // namespace kadmesh
