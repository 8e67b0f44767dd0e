// What the node did, for whoever runs it: lines on standard error, as text or as JSON objects, each
// with its time (UTC), level and area.
//
//   2026-11-22T10:55:00.123Z warning kad 12D3Koo… seed /ip4/…: refused: nobody listens there
//   {"time":"2026-11-22T10:55:00.123Z","level":"warning","area":"kad","peer":"…","code":"refused",
//    "detail":"…"}
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "node/report.h"

namespace kadmesh::kadnode {

enum class LogLevel { debug, info, warning, off };

struct LogLevels {
  LogLevel usual = LogLevel::warning;
  std::map<std::string, LogLevel, std::less<>> areas;

  // LEVEL[,AREA=LEVEL]..., each AREA one of log_areas(). Errc::invalid.
  static Result<LogLevels> from_text(std::string_view text);
  LogLevel of(std::string_view area) const;
};
// "swarm", "kad", "gossip", "identify", "store", "driver", "node".
bool is_log_area(std::string_view area);

class Log {
 public:
  Log(LogLevels levels, bool json);
  ~Log();

  // From here on lines go to `write`, without a newline, instead of to standard error; null: back.
  void divert(std::function<void(std::string)> write);

  void write(LogLevel level, std::string_view area, const std::optional<PeerId>& peer,
             const Error& what);
  void write(LogLevel level, std::string_view area, const std::optional<PeerId>& peer,
             std::string_view what);
  // What a report of the node says, if it is for logs.
  void write(const Report& report);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kadmesh::kadnode
