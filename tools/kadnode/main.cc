// kadnode: see `kadnode --help`, and doc/kadnode.md for its JSON.
#include <clocale>
#include <csignal>
#include <cstdio>

#include "kadnode/once.h"
#include "kadnode/options.h"
#include "kadnode/render.h"
#include "kadnode/run.h"
#include "kadnode/standard_output.h"

int main(int argc, char** argv) {
  using namespace kadmesh::kadnode;
  // A reader of our output who leaves is an error of write(), to be told and acted on.
  std::signal(SIGPIPE, SIG_IGN);
  std::setlocale(LC_CTYPE, "");  // for what is typed at the terminal
  auto invocation = parse_arguments(argc, argv);
  if (!invocation) {
    std::fprintf(stderr, "kadnode: %s\n", printable(invocation.error().detail).c_str());
    return kUsageStatus;
  }
  if (const auto* text = std::get_if<PrintText>(&*invocation)) {
    std::printf("%s\n", text->text.c_str());
    return written_out() ? 0 : kStartStatus;
  }
  if (const auto* run = std::get_if<RunOptions>(&*invocation)) return run_node(*run);
  return run_once(std::get<OnceOptions>(*std::move(invocation)));
}
