// kadsim: see `kadsim --help`, and doc/simulation.md for scenarios.
#include <csignal>
#include <cstdio>
#include <string_view>

#include "kadsim/commands.h"
#include "kadsim/help.h"
#include "kadsim/replay_command.h"
#include "kadsim/subject.h"

namespace {

using namespace kadmesh::kadsim;

struct Do {
  int operator()(const RunOptions& options) const { return run(options); }
  int operator()(const SweepOptions& options) const { return sweep(options); }
  int operator()(const MergeOptions& options) const { return merge(options); }
  int operator()(const ShrinkOptions& options) const { return shrink(options); }
  int operator()(const PrintText& text) const {
    std::printf("%s\n", text.text.c_str());
    return written_out() ? kDone : kMachine;
  }
};

}  // namespace

int main(int argc, char** argv) {
  // A reader of our output who leaves is an error of write(), to be told and acted on.
  std::signal(SIGPIPE, SIG_IGN);
  if (argc > 1 && std::string_view(argv[1]) == "replay") return replay_main(argc - 1, argv + 1);
  const auto invocation = parse_arguments(argc, argv);
  if (!invocation) return complain(invocation.error());
  return std::visit(Do(), *invocation);
}
