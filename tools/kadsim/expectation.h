// What must come true in a run.
//
//   at    judged at that moment; the end of the run when no time is given
//   by    judged again and again from `from` on; passes once it holds, fails at `by`
#pragma once

#include <optional>
#include <span>
#include <string>

#include "kadsim/fields.h"
#include "kadsim/selector.h"

namespace kadmesh::kadsim {

enum class What {
  delivered,  // each subscriber got each message, once
  result,     // how the operations of a label ended
  success,    // share of operations that succeeded
  exact,      // share of the closest-peers lookups that missed nobody
  latency,    // a percentile of how long they took; of deliveries
  hops,       // a percentile of hops; of deliveries
  mesh,       // degree of each subscriber's mesh
  knows,      // in the routing table, as a server
  connected,
  in_mesh,
  captured,  // share of adversaries in each node's routing table
  stat,      // a counter of each node
};
std::string_view name(What what);

struct Expectation {
  What what{};
  std::string says;  // for people, and its name: unique in a scenario
  std::optional<Duration> at;
  std::optional<Duration> by;
  Duration from{};
  Selector who, whom;
  std::string than;  // the label or operation whose percentile, `times` over, is the bound
  std::optional<double> times;
  std::string of, topic, is = "ok", stat;
  std::optional<Duration> within, no_sooner, baseline;
  std::optional<double> at_least, at_most, equals;
  std::optional<std::string> value;
  std::optional<bool> pending;
  std::uint32_t share = 0;
  std::uint32_t below = 0;         // a share that must not be reached; 0: `share` must
  std::uint32_t due_at_least = 0;  // of the subscribers
  std::size_t percentile = 50;
  unsigned line = 0;

  // Judged again and again.
  bool watched() const { return by.has_value(); }
};

Result<Expectation> read_expectation(std::string_view file, const Value& value,
                                     const Population& population);

}  // namespace kadmesh::kadsim
