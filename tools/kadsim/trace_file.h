// trace.txt: a line a turn, and one for each thing that the scenario did.
//
//   3600.005000000 n17 bytes c5 1234 9f86d081884c7d65 > 3 wrote 230 dialed 0 closed 0 reported 1
//   # 0.005 {do = "kill", who = "alice"}
//
// A filter is words: a line is written when it fits every one of them. node=3 (again for more),
// kind=bytes (again for more), and any other word as a part of the line.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sim/trace.h"

namespace kadmesh::kadsim {

struct LineFilter {
  TurnFilter turns;
  std::vector<std::string> words;

  // Errc::invalid says what a filter is like.
  static Result<LineFilter> parse(std::string_view text);
  bool wants(const TurnRecord& record, const std::string& line) const;
};

class TraceFile {
 public:
  TraceFile() = default;  // takes nothing
  static Result<TraceFile> open(const std::filesystem::path& file, std::string_view filter);

  void turn(const TurnRecord& record);
  void step(Duration now, const std::string& what);
  // Errc::io when not everything could be written.
  Result<void> close();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::filesystem::path path_;
  LineFilter filter_;
};

}  // namespace kadmesh::kadsim
