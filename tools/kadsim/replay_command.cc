#include "kadsim/replay_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "kadsim/files.h"
#include "kadsim/help.h"
#include "kadsim/series.h"
#include "replay/output.h"
#include "replay/replay.h"

namespace kadmesh::kadsim {
namespace {

constexpr std::string_view kManual = R"(kadsim replay - run a recorded node again

SYNOPSIS
  kadsim replay CAPTURE [OPTION]...

DESCRIPTION
  Runs what `kadnode run --record CAPTURE` has written through the same code,
  without network, clock or disk, and checks that each turn puts out what it did
  then, bit for bit. Turn 0 builds the node; every other is one input. Needs the
  kadmesh that recorded, or one that behaves as it did.

OPTIONS
  --print             a line for each turn: its number, the seconds since the
                      start, the input, how much came out
  --outputs           and what came out, a line each
  --until TURN        stop behind that turn
  --break TURN        raise SIGTRAP before that turn, for the debugger:
                      gdb --args kadsim replay CAPTURE --break 812

EXIT STATUS
  0  every turn put out what it did then
  1  one did not, or the capture is damaged
  2  wrong arguments, or no capture
  6  the file cannot be read
)";

// What fits into memory in comfort: many times what kadnode records by itself.
constexpr std::uintmax_t kMostCaptureBytes = std::uintmax_t{4} * 1024 * 1024 * 1024;

struct Options {
  std::string capture;
  std::optional<std::uint64_t> until, stop_before;
  bool print = false, outputs = false, help = false;
};

int complain(int status, const std::string& what) {
  std::fprintf(stderr, "kadsim: %s\n", printable(what).c_str());
  return status;
}

Result<Options> parse(int argc, const char* const* argv) {
  Options options;
  CLI::App app;
  app.set_help_flag();
  app.add_flag("-h,--help", options.help);
  app.add_option("capture", options.capture);
  app.add_option("--until", options.until);
  app.add_option("--break", options.stop_before);
  app.add_flag("--print", options.print);
  app.add_flag("--outputs", options.outputs);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fail(Errc::invalid, std::string(error.what()) + "; see kadsim replay --help");
  }
  if (!options.help && options.capture.empty())
    return fail(Errc::invalid, "which capture? see kadsim replay --help");
  return options;
}

// --- a node that dies of an input says which one it was

std::array<char, 96> last_words;

void on_abort(int) {
  const ssize_t ignored = ::write(STDERR_FILENO, last_words.data(), std::strlen(last_words.data()));
  static_cast<void>(ignored);
}

void prepare_last_words(std::uint64_t turn) {
  std::snprintf(last_words.data(), last_words.size(), "kadsim: the node aborted in turn %llu\n",
                static_cast<unsigned long long>(turn));
}

// --- what is printed

std::string seconds(Duration time) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%lld.%06lld",
                static_cast<long long>(time.count() / 1'000'000'000),
                static_cast<long long>(time.count() % 1'000'000'000 / 1'000));
  return text.data();
}

std::string count(std::uint64_t number, const char* thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

std::string describe(const Replay::Next& next, Time start) {
  return std::to_string(next.turn) + " " + seconds(next.now.mono - start) + " " +
         (next.input ? to_text(*next.input) : "Start");
}

void print_turn(const Options& options, const std::string& line, const Replay& replay) {
  std::printf("%s -> %zu\n", line.c_str(), replay.outputs().size());
  if (!options.outputs) return;
  for (const std::string& output : replay.outputs()) std::printf("    %s\n", output.c_str());
}

int report_difference(const Replay::Difference& d, const std::string& turn,
                      const Options& options) {
  std::printf("turn %s\n", turn.c_str());
  std::printf("  output %zu, recorded: %s\n", d.output, d.recorded.c_str());
  std::printf("  output %zu, replayed: %s\n", d.output, d.replayed.c_str());
  std::printf("turn %llu differs; to look at it: gdb --args kadsim replay %s --break %llu\n",
              static_cast<unsigned long long>(d.turn), options.capture.c_str(),
              static_cast<unsigned long long>(d.turn));
  return kFailed;
}

std::string how_it_ends(const CaptureEnding& ending) {
  const std::string at = " at byte " + std::to_string(ending.offset);
  if (ending.kind == CaptureEnding::Kind::closed) return "the capture ends in order";
  if (ending.kind == CaptureEnding::Kind::limit) return "the capture ends at its limit";
  if (ending.kind == CaptureEnding::Kind::torn)
    return "the capture is torn" + at + ": by a crash, or it is still being written";
  return "the capture is damaged" + at + ": something has changed it";
}

int report_end(const Replay& replay) {
  std::string line = count(replay.matched(), "turn") + " matched";
  if (const auto unchecked = replay.turns() - replay.matched(); unchecked > 0)
    line += ", " + count(unchecked, "turn") + " ran whose outputs were not recorded";
  const bool whole = !replay.next();
  if (whole) line += "; " + how_it_ends(replay.ending());
  std::printf("%s\n", line.c_str());
  return whole && replay.ending().kind == CaptureEnding::Kind::damaged ? kFailed : kDone;
}

int run(Replay& replay, const Options& options) {
  const Time start = replay.next()->now.mono;
  while (const auto next = replay.next()) {
    if (options.until && next->turn > *options.until) break;
    const std::string line = describe(*next, start);
    prepare_last_words(next->turn);
    if (options.stop_before == next->turn) std::raise(SIGTRAP);
    replay.step();
    if (options.print || options.outputs) print_turn(options, line, replay);
    if (const auto& difference = replay.difference())
      return report_difference(*difference, line, options);
  }
  return report_end(replay);
}

}  // namespace

std::string_view replay_manual() { return kManual; }

int replay_main(int argc, const char* const* argv) {
  const auto options = parse(argc, argv);
  if (!options) return complain(kUsage, options.error().detail);
  if (options->help) return std::fwrite(kManual.data(), 1, kManual.size(), stdout), kDone;
  const auto capture = read_file(options->capture, kMostCaptureBytes);
  if (!capture) return complain(kMachine, capture.error().detail);
  auto replay = Replay::of(as_bytes(*capture));
  if (!replay) return complain(kUsage, options->capture + ": " + replay.error().detail);
  std::signal(SIGABRT, on_abort);
  return run(*replay, *options);
}

}  // namespace kadmesh::kadsim
