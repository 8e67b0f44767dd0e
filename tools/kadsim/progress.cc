#include "kadsim/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "kadsim/quantities.h"

namespace kadmesh::kadsim {
namespace {

constexpr auto kOnTerminal = std::chrono::milliseconds(100);
constexpr auto kInLines = std::chrono::seconds(10);
constexpr std::size_t kBarWidth = 28;

std::string of(Duration now, Duration end) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f of %.1f s virtual", static_cast<double>(now.count()) / 1e9,
                static_cast<double>(end.count()) / 1e9);
  return text;
}

std::string per_second(double rate) {
  char text[48];
  if (rate >= 1e6)
    std::snprintf(text, sizeof text, "%.2f M events/s", rate / 1e6);
  else
    std::snprintf(text, sizeof text, "%.0f k events/s", rate / 1e3);
  return text;
}

}  // namespace

std::string bar(double share, std::size_t width) {
  const auto full =
      static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  std::string out(full, '=');
  if (full < width) out.append(">").append(width - full - 1, ' ');
  return "[" + out + "]";
}

Progress::Style Progress::usual(bool quiet) {
  if (quiet) return Style::none;
  return ::isatty(STDERR_FILENO) == 1 ? Style::terminal : Style::lines;
}

Progress::Progress(Style style) : style_(style), last_(begin_) {}

Progress::~Progress() { clear(); }

bool Progress::due() {
  if (style_ == Style::none) return false;
  return Clock::now() - last_ >=
         (style_ == Style::terminal ? Clock::duration(kOnTerminal) : Clock::duration(kInLines));
}

void Progress::show(double share, const std::string& text) {
  if (style_ == Style::terminal)
    std::fprintf(stderr, "\r%s %3.0f%%  %s\033[K", bar(share, kBarWidth).c_str(), share * 100,
                 text.c_str());
  else
    std::fprintf(stderr, "%3.0f%%  %s\n", share * 100, text.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::run(Duration now, Duration end, std::uint64_t events) {
  if (!due()) return;
  const auto time = Clock::now();
  const double passed = std::chrono::duration<double>(time - last_).count();
  rate_ = static_cast<double>(events - last_events_) / std::max(passed, 1e-9);
  last_ = time;
  last_events_ = events;
  show(static_cast<double>(now.count()) / static_cast<double>(end.count()),
       of(now, end) + "  " + per_second(rate_));
}

void Progress::sweep(std::size_t done, std::size_t all, std::size_t failed) {
  if (!due()) return;
  last_ = Clock::now();
  const double passed = std::chrono::duration<double>(last_ - begin_).count();
  const double share =
      static_cast<double>(done) / static_cast<double>(std::max<std::size_t>(1, all));
  std::string text = std::to_string(done) + " of " + std::to_string(all) + " runs, " +
                     std::to_string(failed) + " failed";
  if (done > 0 && done < all) {
    const auto left = std::chrono::duration<double>(passed / share - passed);
    text.append(", ").append(readable(std::chrono::duration_cast<Duration>(left))).append(" to go");
  }
  show(share, text);
}

void Progress::say(const std::string& line) {
  if (style_ == Style::none) return;
  clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

void Progress::clear() {
  if (style_ == Style::terminal && shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

}  // namespace kadmesh::kadsim
