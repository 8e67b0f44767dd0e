#include "kadsim/sweep.h"

#include <algorithm>
#include <set>

#include "kadsim/files.h"
#include "kadsim/plan.h"
#include "kadsim/report_page.h"
#include "kadsim/result_json.h"

namespace kadmesh::kadsim {
namespace {

// A scenario's text, every character of it escaped; and what memory likes.
constexpr std::uintmax_t kMostHeadBytes = std::uintmax_t{64} * 1024 * 1024;
constexpr std::uintmax_t kMostRunsBytes = std::uintmax_t{4} * 1024 * 1024 * 1024;

std::size_t place(const Sweep& sweep, const std::string& variant) {
  return static_cast<std::size_t>(std::ranges::find(sweep.variants, variant) -
                                  sweep.variants.begin());
}

Spread spread(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {values.front(), median, values.back()};
}

void merge_into(Operations& into, const Operations& more) {
  into.started += more.started;
  into.succeeded += more.succeeded;
  into.lost += more.lost;
  into.exact += more.exact;
  into.compared += more.compared;
  for (const auto& [error, count] : more.failures) into.failures[error] += count;
  into.latency.merge(more.latency);
  into.hops.merge(more.hops);
  into.asked.merge(more.asked);
}

void count(const RunResult& run, VariantResult& into,
           std::map<std::string, std::vector<double>>& values) {
  ++(run.passed() ? into.passed : into.failed);
  if (!run.crash.empty()) return;
  for (const auto& [name, value] : figures(run)) values[name].push_back(value);
  for (const auto& [kind, ops] : run.operations) merge_into(into.operations[kind], ops);
  into.delivery_latency.merge(run.delivery_latency);
  into.delivery_hops.merge(run.delivery_hops);
  into.mesh_degree.merge(run.mesh_degree);
}

std::string to_sweep_json(const Sweep& sweep) {
  const auto passed = std::ranges::count_if(sweep.runs, &RunResult::passed);
  Json out{{"version", kVersion},
           {"scenario", sweep.scenario},
           {"about", sweep.about},
           {"file", sweep.file},
           {"settings", sweep.settings},
           {"variants", sweep.variants},
           {"seeds", seeds_text(sweep)},
           {"passed", passed},
           {"failed", static_cast<std::ptrdiff_t>(sweep.runs.size()) - passed},
           {"source", sweep.source}};
  return out.dump(2) + "\n";
}

Result<Sweep> from_sweep_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("version") != kVersion)
      return fail(Errc::invalid, "made by " + json.at("version").get<std::string>() + "; this is " +
                                     std::string(kVersion));
    Sweep out;
    out.scenario = json.at("scenario");
    out.about = json.at("about");
    out.file = json.at("file");
    out.settings = json.at("settings").get<std::vector<std::string>>();
    out.variants = json.at("variants").get<std::vector<std::string>>();
    out.source = json.at("source");
    return out;
  } catch (const nlohmann::json::exception& error) {
    return fail(Errc::malformed, std::string("no sweep: ") + error.what());
  }
}

Result<void> read_runs(const std::string& lines, Sweep& into) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    ++number;
    auto run = run_from_json(std::string_view(lines).substr(at, end - at));
    if (!run)
      return fail(Errc::malformed, "line " + std::to_string(number) + ": " + run.error().detail);
    into.runs.push_back(*std::move(run));
    at = end + 1;
  }
  return {};
}

}  // namespace

void sort(Sweep& sweep) {
  std::ranges::sort(sweep.runs, {}, [&](const RunResult& run) {
    return std::pair(place(sweep, run.variant), run.seed);
  });
}

std::vector<VariantResult> by_variant(const Sweep& sweep) {
  std::vector<VariantResult> out;
  for (const std::string& variant : sweep.variants) {
    VariantResult result{.variant = variant};
    std::map<std::string, std::vector<double>> values;
    for (const RunResult& run : sweep.runs)
      if (run.variant == variant) count(run, result, values);
    for (auto& [name, all] : values) result.figures[name] = spread(std::move(all));
    out.push_back(std::move(result));
  }
  return out;
}

std::string seeds_text(const Sweep& sweep) {
  std::set<std::uint64_t> seeds;
  for (const RunResult& run : sweep.runs) seeds.insert(run.seed);
  if (seeds.empty()) return "none";
  const std::uint64_t first = *seeds.begin(), last = *seeds.rbegin();
  if (first == last) return std::to_string(first);
  const std::string range = std::to_string(first) + ".." + std::to_string(last);
  return seeds.size() == last - first + 1 ? range : std::to_string(seeds.size()) + " of " + range;
}

std::string failure_line(const RunResult& run) {
  if (!run.crash.empty()) return run.crash;
  const auto at = std::ranges::find(run.verdicts, false, &Verdict::passed);
  if (at == run.verdicts.end()) return {};
  return at->detail.empty() ? at->says : at->says + " (" + at->detail + ")";
}

std::string run_command(const Sweep& sweep, const RunResult& run) {
  // A name may look like an option.
  const std::string file = sweep.file.starts_with('-') ? "./" + sweep.file : sweep.file;
  std::string out = "kadsim run " + shell_word(file) + " --seed " + std::to_string(run.seed);
  for (const std::string& setting : sweep.settings)
    out.append(" --set ").append(shell_word(setting));
  if (const std::string variant = as_options(run.variant); !variant.empty())
    out.append(" ").append(variant);
  return out;
}

std::string to_csv(const Sweep& sweep) {
  std::set<std::string> names;
  std::vector<std::map<std::string, double>> rows;
  for (const RunResult& run : sweep.runs) {
    rows.push_back(run.crash.empty() ? figures(run) : std::map<std::string, double>());
    for (const auto& [name, value] : rows.back()) names.insert(name);
  }
  std::string out = "variant,seed,passed,failure,trace_hash";
  for (const std::string& name : names) out.append(",").append(name);
  out.append("\n");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const RunResult& run = sweep.runs[i];
    out.append(csv_cell(run.variant)).append(",").append(std::to_string(run.seed));
    out.append(run.passed() ? ",1," : ",0,").append(csv_cell(failure_line(run)));
    out.append(",").append(hex(run.trace_hash));
    for (const std::string& name : names) {
      out.append(",");
      if (const auto at = rows[i].find(name); at != rows[i].end())
        out.append(number_text(at->second));
    }
    out.append("\n");
  }
  return out;
}

Result<Sweep> merge(std::vector<Sweep> parts) {
  if (parts.empty()) return fail(Errc::invalid, "nothing to merge");
  Sweep all = std::move(parts.front());
  for (Sweep& part : std::span(parts).subspan(1)) {
    if (part.source != all.source)
      return fail(Errc::invalid, "these are sweeps of different scenarios: " + all.scenario +
                                     " and " + part.scenario +
                                     (part.scenario == all.scenario ? ", changed" : ""));
    if (part.settings != all.settings)
      return fail(Errc::invalid, "these are sweeps with different settings (--set, --nodes)");
    for (std::string& variant : part.variants)
      if (place(all, variant) == all.variants.size()) all.variants.push_back(std::move(variant));
    std::ranges::move(part.runs, std::back_inserter(all.runs));
  }
  sort(all);
  std::vector<RunResult> once;
  for (RunResult& run : all.runs) {
    const bool again =
        !once.empty() && once.back().seed == run.seed && once.back().variant == run.variant;
    if (again && to_json(once.back(), false) != to_json(run, false))
      return fail(Errc::malformed, "two different results of seed " + std::to_string(run.seed) +
                                       ": they come from different programs");
    if (!again) once.push_back(std::move(run));
  }
  all.runs = std::move(once);
  return all;
}

Result<void> write_sweep(const Sweep& sweep, const std::filesystem::path& folder) {
  RETURN_IF_ERROR(make_folder(folder));
  std::string lines;
  for (const RunResult& run : sweep.runs) lines.append(to_json(run, false)).append("\n");
  RETURN_IF_ERROR(write_file(folder / "runs.jsonl", lines));
  RETURN_IF_ERROR(write_file(folder / "runs.csv", to_csv(sweep)));
  RETURN_IF_ERROR(write_file(folder / "report.html", sweep_page(sweep)));
  return write_file(folder / "sweep.json", to_sweep_json(sweep));
}

Result<Sweep> read_sweep(const std::filesystem::path& folder) {
  const auto named = [&](const char* file, const Error& error) {
    return fail(error.code, (folder / file).string() + ": " + error.detail);
  };
  ASSIGN_OR_RETURN(const std::string head, read_file(folder / "sweep.json", kMostHeadBytes));
  ASSIGN_OR_RETURN(const std::string lines, read_file(folder / "runs.jsonl", kMostRunsBytes));
  auto sweep = from_sweep_json(head);
  if (!sweep) return named("sweep.json", sweep.error());
  if (const auto read = read_runs(lines, *sweep); !read) return named("runs.jsonl", read.error());
  for (const RunResult& run : sweep->runs)
    if (place(*sweep, run.variant) == sweep->variants.size())
      return fail(Errc::malformed, (folder / "runs.jsonl").string() + ": seed " +
                                       std::to_string(run.seed) +
                                       " is of no variant of sweep.json");
  return sweep;
}

}  // namespace kadmesh::kadsim
