#include "kadsim/subject.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "kadsim/help.h"
#include "kadsim/toml_file.h"

namespace kadmesh::kadsim {

Result<Table> load(const Subject& subject) {
  ASSIGN_OR_RETURN(Table table, read_toml(subject.file));
  for (const std::string& setting : subject.settings)
    RETURN_IF_ERROR(apply_setting(table, setting));
  return table;
}

Result<Scenario> load_scenario(const Subject& subject, const Table& table) {
  return read_scenario(table, subject.file);
}

std::string options_text(const Subject& subject) {
  std::string out;
  for (const std::string& setting : subject.settings)
    out.append(out.empty() ? "" : " ").append("--set ").append(shell_word(setting));
  return out;
}

int complain(const Error& error) {
  std::fprintf(stderr, "kadsim: %s\n", printable(error.detail).c_str());
  return error.code == Errc::io || error.code == Errc::malformed ? kMachine : kUsage;
}

std::string encoded(const RunResult& result) { return to_json(result, false); }

RunResult decoded(const std::string& output, const std::string& died, const Scenario& scenario,
                  std::uint64_t seed) {
  std::string crash = died;
  if (crash.empty()) {
    auto result = run_from_json(output);
    if (result) return *std::move(result);
    crash = "an answer that is none: " + result.error().detail;
  }
  RunResult out;
  out.scenario = scenario.name;
  out.seed = seed;
  out.nodes = scenario.population.count;
  out.duration = scenario.duration;
  out.crash = std::move(crash);
  return out;
}

bool written_out() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  std::fprintf(stderr, "kadsim: standard output: %s\n", std::strerror(errno));
  return false;
}

}  // namespace kadmesh::kadsim
