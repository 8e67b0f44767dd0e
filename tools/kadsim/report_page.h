// report.html: one file with everything in it, for a browser without a network.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "kadsim/result.h"
#include "kadsim/sweep.h"

namespace kadmesh::kadsim {

// report.html of this folder, in pieces; the data goes where it says @DATA@.
extern const std::span<const std::string_view> report_template;

// What a page says besides the figures.
struct PageNote {
  std::string about;    // of the scenario
  std::string command;  // that makes the same page
  std::string source;   // the scenario as it was played
};
std::string run_page(const RunResult& result, const PageNote& note);
std::string sweep_page(const Sweep& sweep);

}  // namespace kadmesh::kadsim
