#include <algorithm>
#include <cstdio>
#include <set>
#include <thread>

#include "kadsim/commands.h"
#include "kadsim/help.h"
#include "kadsim/player.h"
#include "kadsim/progress.h"
#include "kadsim/subject.h"
#include "kadsim/sweep.h"
#include "kadsim/worker.h"

namespace kadmesh::kadsim {
namespace {

namespace fs = std::filesystem;

// A variant that no run can play is an error before the first run.
Result<std::map<std::string, Scenario>> scenarios(const SweepOptions& options, const Table& table,
                                                  const std::vector<std::string>& variants) {
  std::map<std::string, Scenario> out;
  for (const std::string& variant : variants) {
    Table changed = table;
    RETURN_IF_ERROR(apply_variant(changed, variant));
    auto scenario = load_scenario(options.subject, changed);
    if (!scenario)
      return fail(scenario.error().code,
                  (variant.empty() ? "" : "with " + variant + ": ") + scenario.error().detail);
    out.emplace(variant, *std::move(scenario));
  }
  return out;
}

class Sweeping {
 public:
  // `sweep`: with what was played before.
  Sweeping(const SweepOptions& options, Sweep sweep, std::map<std::string, Scenario> scenarios,
           std::vector<PlannedRun> runs, fs::path folder)
      : sweep_(std::move(sweep)),
        scenarios_(std::move(scenarios)),
        runs_(std::move(runs)),
        folder_(std::move(folder)),
        before_(sweep_.runs.size()),
        workers_(
            options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency()),
            options.limit),
        progress_(Progress::usual(options.quiet)) {}

  Result<Sweep> play_all() {
    std::size_t next = 0;
    while (next < runs_.size() || !workers_.idle()) {
      while (next < runs_.size() && !workers_.full()) RETURN_IF_ERROR(begin(next++));
      if (auto done = workers_.wait(std::chrono::milliseconds(200))) end(*std::move(done));
      progress_.sweep(sweep_.runs.size() - before_, runs_.size(), failed_);
      if (sweep_.runs.size() > written_ && Clock::now() >= write_next_) RETURN_IF_ERROR(write());
    }
    progress_.clear();
    RETURN_IF_ERROR(write());
    return std::move(sweep_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kWriteEvery{10};

  // What there is so far. A large sweep takes its time to write, and little of all of it.
  Result<void> write() {
    const Clock::time_point begun = Clock::now();
    sort(sweep_);
    RETURN_IF_ERROR(write_sweep(sweep_, folder_));
    written_ = sweep_.runs.size();
    const Clock::duration took = Clock::now() - begun;
    write_next_ = Clock::now() + std::max<Clock::duration>(kWriteEvery, 20 * took);
    return {};
  }

  Result<void> begin(std::size_t index) {
    const PlannedRun& planned = runs_[index];
    const Scenario& scenario = scenarios_.at(planned.variant);
    return workers_.start({index, [&planned, &scenario] {
                             RunResult result = play(scenario, planned.seed);
                             result.variant = planned.variant;
                             return encoded(result);
                           }});
  }

  void end(Finished done) {
    const PlannedRun& planned = runs_[done.id];
    RunResult result =
        decoded(done.output, done.died, scenarios_.at(planned.variant), planned.seed);
    result.variant = planned.variant;
    if (!result.passed()) tell(result);
    sweep_.runs.push_back(std::move(result));
  }

  // At once: a long sweep is often looked at before it ends.
  void tell(const RunResult& result) {
    ++failed_;
    progress_.clear();
    std::printf("FAILED  seed %llu%s%s: %s\n  %s\n", static_cast<unsigned long long>(result.seed),
                result.variant.empty() ? "" : " with ", printable(result.variant).c_str(),
                printable(failure_line(result)).c_str(),
                printable(run_command(sweep_, result)).c_str());
    std::fflush(stdout);
  }

  Sweep sweep_;
  std::map<std::string, Scenario> scenarios_;
  std::vector<PlannedRun> runs_;
  fs::path folder_;
  std::size_t before_, written_ = 0;
  Clock::time_point write_next_ = Clock::now() + kWriteEvery;
  Workers workers_;
  Progress progress_;
  std::size_t failed_ = 0;
};

// A run that crashed, or took too long, is played again.
Result<Sweep> with_what_is_there(Sweep sweep, const fs::path& folder) {
  std::error_code none;
  if (!fs::exists(folder / "sweep.json", none)) return sweep;
  ASSIGN_OR_RETURN(Sweep before, read_sweep(folder));
  std::erase_if(before.runs, [](const RunResult& run) { return !run.crash.empty(); });
  std::vector<Sweep> both;
  both.push_back(std::move(sweep));
  both.push_back(std::move(before));
  auto all = merge(std::move(both));
  if (!all) return fail(all.error().code, "--resume: " + all.error().detail);
  return *std::move(all);
}

std::vector<PlannedRun> still_to_play(const std::vector<PlannedRun>& runs, const Sweep& sweep) {
  std::set<std::pair<std::string, std::uint64_t>> played;
  for (const RunResult& run : sweep.runs) played.emplace(run.variant, run.seed);
  std::vector<PlannedRun> out;
  for (const PlannedRun& run : runs)
    if (!played.contains({run.variant, run.seed})) out.push_back(run);
  return out;
}

int conclude(const Sweep& sweep, const fs::path& folder) {
  const auto passed = std::ranges::count_if(sweep.runs, &RunResult::passed);
  const auto failed = static_cast<std::ptrdiff_t>(sweep.runs.size()) - passed;
  std::printf("%s\n%td passed, %td failed\n", (folder / "report.html").c_str(), passed, failed);
  if (!written_out()) return kMachine;
  return failed == 0 && passed > 0 ? kDone : kFailed;
}

Result<int> sweep_and_write(const SweepOptions& options) {
  ASSIGN_OR_RETURN(const Table table, load(options.subject));
  ASSIGN_OR_RETURN(auto all, variants(options.variations));
  ASSIGN_OR_RETURN(auto understood, scenarios(options, table, all));
  ASSIGN_OR_RETURN(auto runs, plan(options.variations, options.seeds, options.shard));
  const Scenario& first = understood.begin()->second;
  const fs::path folder =
      options.out.empty() ? fs::path("results") / (first.name + "-sweep") : options.out;
  Sweep sweep{first.name,
              first.about,
              options.subject.file.string(),
              options.subject.settings,
              to_toml(table),
              std::move(all),
              {}};
  if (options.resume) {
    ASSIGN_OR_RETURN(sweep, with_what_is_there(std::move(sweep), folder));
    runs = still_to_play(runs, sweep);
  }
  Sweeping sweeping(options, std::move(sweep), std::move(understood), std::move(runs), folder);
  ASSIGN_OR_RETURN(const Sweep done, sweeping.play_all());
  return conclude(done, folder);
}

Result<int> merge_and_write(const MergeOptions& options) {
  std::vector<Sweep> parts;
  for (const fs::path& folder : options.folders) {
    ASSIGN_OR_RETURN(Sweep part, read_sweep(folder));
    parts.push_back(std::move(part));
  }
  ASSIGN_OR_RETURN(const Sweep whole, merge(std::move(parts)));
  RETURN_IF_ERROR(write_sweep(whole, options.out));
  return conclude(whole, options.out);
}

}  // namespace

int sweep(const SweepOptions& options) {
  const auto status = sweep_and_write(options);
  return status ? *status : complain(status.error());
}

int merge(const MergeOptions& options) {
  const auto status = merge_and_write(options);
  return status ? *status : complain(status.error());
}

}  // namespace kadmesh::kadsim
