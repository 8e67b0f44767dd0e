// The runs of one scenario under many seeds and variants, as a sweep's folder keeps them.
//
// A folder of a shard, of several merged and of the whole are of one form: the same runs give the
// same bytes, whoever played them in whatever order.
//
//   runs.jsonl   a run a line (result.h, without the series), variant by variant, seeds ascending
//   sweep.json   what was swept, and how many passed
//   runs.csv     a run a line, a column a figure
//   report.html
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kadsim/result.h"

namespace kadmesh::kadsim {

struct Sweep {
  std::string scenario{};  // its name
  std::string about{};
  std::string file{};                   // as it was given, for commands
  std::vector<std::string> settings{};  // that every run had: "nodes=50", as --set takes them
  std::string source{};                 // the scenario's text
  std::vector<std::string> variants{};  // in their order; "" for the scenario as it stands
  std::vector<RunResult> runs{};        // see sort()
};

struct Spread {
  double least = 0, median = 0, most = 0;
};
// All seeds of one variant.
struct VariantResult {
  std::string variant{};
  std::uint64_t passed = 0, failed = 0;
  std::map<std::string, Spread> figures{};
  std::map<std::string, Operations> operations{};
  Histogram delivery_latency{}, delivery_hops{}, mesh_degree{};
};

// Variant by variant, seeds ascending.
void sort(Sweep& sweep);
std::vector<VariantResult> by_variant(const Sweep& sweep);
std::string seeds_text(const Sweep& sweep);  // "1..1000", or how many of what range
// "Bob reads it within 500 ms (took 612 ms)"
std::string failure_line(const RunResult& run);
// The one command that plays it again.
std::string run_command(const Sweep& sweep, const RunResult& run);
std::string to_csv(const Sweep& sweep);

// Errc::invalid: of another scenario, or played by another version. Errc::malformed: two results of
// one run that differ.
Result<Sweep> merge(std::vector<Sweep> parts);

Result<void> write_sweep(const Sweep& sweep, const std::filesystem::path& folder);
Result<Sweep> read_sweep(const std::filesystem::path& folder);

}  // namespace kadmesh::kadsim
