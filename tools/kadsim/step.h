// What happens in a scenario, and when.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "kadsim/fields.h"
#include "kadsim/selector.h"

namespace kadmesh::kadsim {

enum class Verb {
  start,
  connect,
  disconnect,
  ping,
  ready,
  put,
  get,
  provide,
  find_providers,
  find,
  closest,
  subscribe,
  unsubscribe,
  publish,
  backfill,
  partition,
  cut,
  heal,
  kill,
  restart,
  freeze,
  thaw,
};
std::string_view name(Verb verb);
std::span<const std::pair<std::string_view, Verb>> verbs();

// `repeat` times from `at` on, `every` so often: one Step is all of them. Which keys a verb has is
// in step.cc; the others keep these values.
struct Step {
  Verb verb{};
  Duration at{};
  std::size_t repeat = 1;
  Duration every{};
  Selector who, to;
  std::vector<Selector> groups;  // of a partition
  std::string label;             // `as`: what expectations call it
  std::string key, value, topic;
  std::size_t keys = 1;  // "{r}" in a key is a number below it
  std::uint64_t size = 0;
  std::size_t live = 1;
  bool bare = false;
  bool keep_store = true;
  Duration limit = std::chrono::seconds(10);
  // Seeds the step's own draws: of its text, so that no other step's coming or going changes them.
  std::uint64_t luck = 0;
  std::string text;  // one line, for the trace
  unsigned line = 0;
};

inline constexpr std::size_t kMostRepeats = 10'000'000;

Result<Step> read_step(std::string_view file, const Value& value, const Population& population);

// "/v/{n}-{r}-{node}" for one repetition by one node.
std::string filled(std::string_view pattern, std::size_t repetition, std::uint64_t drawn,
                   NodeIndex node);

}  // namespace kadmesh::kadsim
