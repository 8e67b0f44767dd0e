// What a run comes to: everything that the results folder shows and that a sweep keeps. Nothing in
// it depends on the machine or on how long it took, so one seed has one result.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kadsim/histogram.h"
#include "kadsim/series.h"

namespace kadmesh::kadsim {

inline constexpr std::string_view kVersion = "kadsim 0.1.0";

struct Verdict {
  std::string says{};  // the expectation
  bool passed = false;
  std::string detail{};  // what was found
  bool judged = true;    // false: there was nothing to judge, which is a failure of its own kind
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// Operations of one kind, or of one label.
struct Operations {
  std::uint64_t started = 0, succeeded = 0;
  std::uint64_t lost = 0;  // with their node
  std::uint64_t exact = 0,
                compared = 0;  // lookups that missed nobody, of those with somebody to miss
  std::map<std::string, std::uint64_t> failures{};  // by error
  Histogram latency{};                              // us, of those that succeeded
  Histogram hops{};                                 // of walks
  Histogram asked{};                                // peers asked in a walk
};

// Of a run with adversaries: how much of the nodes' routing tables is theirs.
struct Captured {
  std::uint64_t count = 0;                            // of adversaries
  std::uint64_t requests = 0;                         // that they were asked
  std::uint64_t servers = 0, theirs = 0;              // in all tables together
  std::uint64_t worst_servers = 0, worst_theirs = 0;  // in the table of which the greatest share is
};

struct RunResult {
  std::string scenario{};
  std::string variant{};  // "gossip.d=8", as --set takes it; empty for the scenario as it stands
  std::uint64_t seed = 0;
  std::size_t nodes = 0;
  Duration duration{};
  std::uint64_t trace_hash = 0;
  std::uint64_t events = 0;
  // Empty, or how the program died: the run has no other figures then.
  std::string crash{};
  std::vector<Verdict> verdicts{};

  std::map<std::string, Operations> operations{};  // by kind
  std::uint64_t published = 0, deliveries_due = 0, deliveries = 0, delivered_twice = 0,
                duplicates = 0;
  std::uint64_t deliveries_made = 0;  // of those that were due
  Histogram delivery_latency{};       // us
  Histogram delivery_hops{};
  Histogram mesh_degree{};                         // of each node's mesh, at the end
  std::map<std::string, std::uint64_t> traffic{};  // bytes received, by protocol
  // Servers in the bucket of each common prefix length, over all nodes; and how many nodes.
  std::vector<std::uint64_t> buckets{};
  std::uint64_t tables = 0;
  std::uint64_t bucket_size = 20;
  Captured adversaries{};
  Series series{};

  bool passed() const;
  // The crash, or the first verdict that failed, one that judged something before one that did not;
  // empty when it passed.
  std::string failure() const;
  // Whether it fails in that way, among others: what judged nothing does not.
  bool fails_as(const std::string& failure) const;
};

// Figures with a name each, for tables: "delivery_p50_ms" -> 34.5.
std::map<std::string, double> figures(const RunResult& result);

// One line of JSON, with the series or without; and back. Errc::malformed.
std::string to_json(const RunResult& result, bool with_series);
// For people: the same, indented, with the figures first.
std::string summary_json(const RunResult& result);
Result<RunResult> run_from_json(std::string_view json);

}  // namespace kadmesh::kadsim
