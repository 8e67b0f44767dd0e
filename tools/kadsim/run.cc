#include <cstdio>

#include "kadsim/commands.h"
#include "kadsim/files.h"
#include "kadsim/help.h"
#include "kadsim/player.h"
#include "kadsim/progress.h"
#include "kadsim/quantities.h"
#include "kadsim/report_page.h"
#include "kadsim/subject.h"
#include "kadsim/trace_file.h"

namespace kadmesh::kadsim {
namespace {

namespace fs = std::filesystem;

std::string command_of(const RunOptions& options) {
  std::string out = "kadsim run " + shell_word(options.subject.file.string()) + " --seed " +
                    std::to_string(options.seed);
  if (const std::string more = options_text(options.subject); !more.empty())
    out.append(" ").append(more);
  return out;
}

void print(const RunResult& result, Duration took, const fs::path& folder) {
  std::printf("%s: seed %llu, %zu nodes, %s of virtual time in %s, %llu events\n",
              result.scenario.c_str(), static_cast<unsigned long long>(result.seed), result.nodes,
              readable(result.duration).c_str(), readable(took).c_str(),
              static_cast<unsigned long long>(result.events));
  for (const Verdict& verdict : result.verdicts)
    std::printf("  %s  %s%s%s%s\n", verdict.passed ? "passed" : "FAILED",
                printable(verdict.says).c_str(), verdict.detail.empty() ? "" : " (",
                printable(verdict.detail).c_str(), verdict.detail.empty() ? "" : ")");
  std::printf("trace %016llx\n%s\n", static_cast<unsigned long long>(result.trace_hash),
              (folder / "report.html").c_str());
}

Result<void> write(const RunResult& result, const RunOptions& options, const Scenario& scenario,
                   const Table& table, const std::string& operations, const fs::path& folder) {
  RETURN_IF_ERROR(write_file(folder / "series.csv", result.series.to_csv()));
  RETURN_IF_ERROR(write_file(folder / "operations.csv", operations));
  RETURN_IF_ERROR(
      write_file(folder / "report.html",
                 run_page(result, {scenario.about, command_of(options), to_toml(table)})));
  return write_file(folder / "summary.json", summary_json(result));
}

Result<int> play_and_write(const RunOptions& options) {
  ASSIGN_OR_RETURN(const Table table, load(options.subject));
  ASSIGN_OR_RETURN(const Scenario scenario, load_scenario(options.subject, table));
  const fs::path folder =
      options.out.empty()
          ? fs::path("results") / (scenario.name + "-" + std::to_string(options.seed))
          : options.out;
  RETURN_IF_ERROR(make_folder(folder));
  TraceFile trace;
  if (options.trace) {
    ASSIGN_OR_RETURN(trace, TraceFile::open(folder / "trace.txt", *options.trace));
  }
  Progress progress(Progress::usual(options.quiet));
  std::string operations;
  Watch watch;
  watch.progress = [&](Duration now, Duration end, std::uint64_t events) {
    progress.run(now, end, events);
  };
  if (options.trace) {
    watch.turn = [&](const TurnRecord& record) { trace.turn(record); };
    watch.step = [&](Duration now, const std::string& what) { trace.step(now, what); };
  }
  watch.operations = [&](const Ledger& ledger) { operations = ledger.to_csv(scenario.population); };
  const auto begin = std::chrono::steady_clock::now();
  const RunResult result = play(scenario, options.seed, watch);
  const auto took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - begin);
  progress.clear();
  RETURN_IF_ERROR(trace.close());
  RETURN_IF_ERROR(write(result, options, scenario, table, operations, folder));
  print(result, took, folder);
  if (!written_out()) return kMachine;
  return result.passed() ? kDone : kFailed;
}

}  // namespace

int run(const RunOptions& options) {
  const auto status = play_and_write(options);
  return status ? *status : complain(status.error());
}

}  // namespace kadmesh::kadsim
