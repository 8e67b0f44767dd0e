// A scenario as a command plays it: the file, with what the command line changes.
#pragma once

#include "kadsim/options.h"
#include "kadsim/result.h"
#include "kadsim/scenario.h"

namespace kadmesh::kadsim {

// Errc::io for a file that cannot be read, Errc::invalid for what stands in it.
Result<Table> load(const Subject& subject);
Result<Scenario> load_scenario(const Subject& subject, const Table& table);
// "--nodes 50 --set gossip.d=8"
std::string options_text(const Subject& subject);
// Prints "kadsim: ..." to standard error; the exit status that goes with it.
int complain(const Error& error);
// Of a process of its own: a result, or how it died.
std::string encoded(const RunResult& result);
RunResult decoded(const std::string& output, const std::string& died, const Scenario& scenario,
                  std::uint64_t seed);
// Standard output is written out; false, and told, when that fails.
bool written_out();

}  // namespace kadmesh::kadsim
