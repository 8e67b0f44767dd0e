// Which runs a sweep is made of: each seed under each variant.
//
//   shard I/N   every N-th run of the list, from the I-th on (from 1): shards share no run and
//               together have all, whatever order they run in
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "kadsim/value.h"

namespace kadmesh::kadsim {

// More fill no report that anybody reads, and no list that memory likes.
inline constexpr std::uint64_t kMostRuns = 10'000'000;

struct Seeds {
  std::uint64_t first = 1, last = 1;
  std::uint64_t count() const { return last - first + 1; }
};
struct Shard {
  std::uint64_t index = 1, of = 1;
};
// key=a,b,c: each a value as TOML has it, or a text.
struct Variation {
  std::string key;
  std::vector<std::string> values;
};
struct PlannedRun {
  std::string variant;  // "kad.alpha=3 nodes=50", in the order of the options
  std::uint64_t seed;
  friend bool operator==(const PlannedRun&, const PlannedRun&) = default;
};

Result<Seeds> parse_seeds(std::string_view text);  // "1..1000", "7"
Result<Shard> parse_shard(std::string_view text);  // "2/8"
Result<Variation> parse_variation(std::string_view text);

// Errc::limit beyond kMostRuns. Variant by variant, seeds ascending.
Result<std::vector<std::string>> variants(const std::vector<Variation>& variations);
Result<std::vector<PlannedRun>> plan(const std::vector<Variation>& variations, Seeds seeds,
                                     Shard shard);

// "gossip.d=8": applied to a scenario. Errc::invalid.
Result<void> apply_setting(Table& scenario, std::string_view setting);
// A variant is settings with spaces between; none of them has one inside.
Result<void> apply_variant(Table& scenario, std::string_view variant);
// Only with characters that a shell leaves alone; otherwise in quotes.
std::string shell_word(std::string_view text);
// "--set gossip.d=8 --set nodes=50"
std::string as_options(std::string_view variant);

}  // namespace kadmesh::kadsim
