// The program's arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kadsim/plan.h"

namespace kadmesh::kadsim {

// The scenario as a command names it: a file, and what is different from it.
struct Subject {
  std::filesystem::path file;
  std::vector<std::string> settings;  // of --set and --nodes, as apply_setting takes them
};
struct RunOptions {
  Subject subject;
  std::uint64_t seed = 1;
  std::filesystem::path out;         // empty: results/NAME-SEED
  std::optional<std::string> trace;  // the filter; "" for every turn
  bool quiet = false;
};
struct SweepOptions {
  Subject subject;
  Seeds seeds{1, 100};
  Shard shard;
  std::vector<Variation> variations;
  std::size_t jobs = 0;  // 0: as many as there are processors
  std::chrono::seconds limit{600};
  std::filesystem::path out;  // empty: results/NAME-sweep
  bool resume = false;        // what is there already is not played again
  bool quiet = false;
};
struct MergeOptions {
  std::vector<std::filesystem::path> folders;
  std::filesystem::path out;
};
struct ShrinkOptions {
  Subject subject;
  std::uint64_t seed = 1;
  std::size_t tries = 500;
  std::chrono::seconds limit{600};
  std::filesystem::path out;  // empty: NAME-shrunk.toml
  bool quiet = false;
};
struct PrintText {  // --help, --version
  std::string text;
};
using Invocation = std::variant<RunOptions, SweepOptions, MergeOptions, ShrinkOptions, PrintText>;

// Errc::invalid, with what to type instead.
Result<Invocation> parse_arguments(int argc, const char* const* argv);

}  // namespace kadmesh::kadsim
