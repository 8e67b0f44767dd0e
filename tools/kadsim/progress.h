// How far it is, for whoever waits: a line that moves on a terminal, a line now and then elsewhere.
// On standard error, so that results can be piped.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace kadmesh::kadsim {

class Progress {
 public:
  enum class Style { terminal, lines, none };

  // By what standard error is; `quiet`: none.
  static Style usual(bool quiet);

  explicit Progress(Style style);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void run(Duration now, Duration end, std::uint64_t events);
  void sweep(std::size_t done, std::size_t all, std::size_t failed);
  void say(const std::string& line);  // stays
  void clear();                       // before something else is printed

 private:
  using Clock = std::chrono::steady_clock;

  bool due();
  void show(double share, const std::string& text);

  Style style_;
  Clock::time_point begin_ = Clock::now(), last_;
  std::uint64_t last_events_ = 0;
  double rate_ = 0;
  bool shown_ = false;
};

// "[=========>          ]"
std::string bar(double share, std::size_t width);

}  // namespace kadmesh::kadsim
