#include <cstdio>

#include "kadsim/commands.h"
#include "kadsim/files.h"
#include "kadsim/help.h"
#include "kadsim/player.h"
#include "kadsim/progress.h"
#include "kadsim/shrink.h"
#include "kadsim/subject.h"
#include "kadsim/worker.h"

namespace kadmesh::kadsim {
namespace {

namespace fs = std::filesystem;

// In a process of its own, which may crash: that is often what is being shrunk.
Result<RunResult> play_apart(const Scenario& scenario, std::uint64_t seed,
                             std::chrono::seconds limit) {
  Workers workers(1, limit);
  RETURN_IF_ERROR(workers.start({0, [&] { return encoded(play(scenario, seed)); }}));
  for (;;)
    if (const auto done = workers.wait(std::chrono::seconds(1)))
      return decoded(done->output, done->died, scenario, seed);
}

Result<int> shrink_and_write(const ShrinkOptions& options) {
  ASSIGN_OR_RETURN(Table table, load(options.subject));
  ASSIGN_OR_RETURN(const Scenario scenario, load_scenario(options.subject, table));
  ASSIGN_OR_RETURN(const RunResult whole, play_apart(scenario, options.seed, options.limit));
  const std::string failure = whole.failure();
  if (failure.empty()) {
    std::printf("nothing to shrink: %s passes with seed %llu\n", scenario.name.c_str(),
                static_cast<unsigned long long>(options.seed));
    return written_out() ? kNothing : kMachine;
  }
  if (!whole.fails_as(failure)) {
    std::printf("nothing to shrink: '%s' judged nothing\n", printable(failure).c_str());
    return written_out() ? kNothing : kMachine;
  }
  Progress progress(Progress::usual(options.quiet));
  progress.say("fails: " + printable(failure));
  const auto attempt = [&](const Table& candidate) {
    const auto understood = load_scenario(options.subject, candidate);
    if (!understood) return false;
    const auto result = play_apart(*understood, options.seed, options.limit);
    return result && result->fails_as(failure);
  };
  const std::string before = size_of(table);
  const Shrunk least =
      shrink(std::move(table), attempt, options.tries, [&](std::size_t tried, const Table& now) {
        progress.say("after " + std::to_string(tried) + " runs: " + size_of(now));
      });
  const fs::path file =
      options.out.empty() ? fs::path(scenario.name + "-shrunk.toml") : options.out;
  RETURN_IF_ERROR(write_file(file, to_toml(least.scenario)));
  std::printf("from %s\nto   %s\nstill fails: %s\n%zu runs; kadsim run %s --seed %llu\n",
              before.c_str(), size_of(least.scenario).c_str(), printable(failure).c_str(),
              least.tried, shell_word(file.string()).c_str(),
              static_cast<unsigned long long>(options.seed));
  return written_out() ? kDone : kMachine;
}

}  // namespace

int shrink(const ShrinkOptions& options) {
  const auto status = shrink_and_write(options);
  return status ? *status : complain(status.error());
}

}  // namespace kadmesh::kadsim
