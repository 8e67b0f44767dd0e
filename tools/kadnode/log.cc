#include "kadnode/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "kadnode/json_text.h"
#include "kadnode/render.h"

namespace kadmesh::kadnode {
namespace {

constexpr std::array kAreas{"swarm", "kad", "gossip", "identify", "store", "driver", "node"};
constexpr std::array kLevels{std::pair{"debug", LogLevel::debug}, std::pair{"info", LogLevel::info},
                             std::pair{"warning", LogLevel::warning},
                             std::pair{"off", LogLevel::off}};

Result<LogLevel> level_of(std::string_view text) {
  for (const auto& [name, level] : kLevels)
    if (text == name) return level;
  return fail(Errc::invalid, "'" + std::string(text) + "' is no level: debug, info, warning, off");
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

LogLevel level_of(Notice::Level level) {
  switch (level) {
    case Notice::Level::debug:
      return LogLevel::debug;
    case Notice::Level::info:
      return LogLevel::info;
    case Notice::Level::warning:
      break;
  }
  return LogLevel::warning;
}

struct Line {
  std::string_view area;
  const std::optional<PeerId>& peer;
  std::string_view code, detail;
};

std::string as_text(const Line& line) {
  return fmt::format("{}{}{}: {}{}{}", line.area, line.peer ? " " : "",
                     line.peer ? line.peer->text() : "", line.code, line.code.empty() ? "" : ": ",
                     printable(line.detail));
}

// The members behind time and level.
std::string as_json(const Line& line) {
  std::string out = "\"area\":" + json_text(line.area);
  if (line.peer) out += ",\"peer\":" + json_text(line.peer->text());
  if (!line.code.empty()) out += ",\"code\":" + json_text(line.code);
  return out + ",\"detail\":" + json_text(printable(line.detail));
}

// To standard error, or to whoever draws what is there.
class LineSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  std::function<void(std::string)> divert;

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (divert)
      divert(std::string(line.data(), line.size()));
    else
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }
  void flush_() override { std::fflush(stderr); }
};

}  // namespace

bool is_log_area(std::string_view area) { return std::ranges::count(kAreas, area) > 0; }

Result<LogLevels> LogLevels::from_text(std::string_view text) {
  LogLevels levels;
  for (std::string_view rest = text;;) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const std::size_t equals = part.find('=');
    ASSIGN_OR_RETURN(const LogLevel level,
                     level_of(part.substr(equals == part.npos ? 0 : equals + 1)));
    const std::string_view area = part.substr(0, equals);
    if (equals == part.npos)
      levels.usual = level;
    else if (is_log_area(area))
      levels.areas.insert_or_assign(std::string(area), level);
    else
      return fail(Errc::invalid,
                  "'" + std::string(area) +
                      "' is no area: swarm, kad, gossip, identify, store, driver, node");
    if (part.size() == rest.size()) return levels;
    rest.remove_prefix(part.size() + 1);
  }
}

LogLevel LogLevels::of(std::string_view area) const {
  const auto at = areas.find(area);
  return at == areas.end() ? usual : at->second;
}

struct Log::State {
  State(LogLevels which, bool as_json)
      : levels(std::move(which)),
        json(as_json),
        sink(std::make_shared<LineSink>()),
        logger("kadnode", sink) {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        json ? R"({"time":"%Y-%m-%dT%T.%eZ","level":"%l",%v})" : "%Y-%m-%dT%T.%eZ %l %v",
        spdlog::pattern_time_type::utc, ""));
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }

  void write(LogLevel level, const Line& line) {
    if (level < levels.of(line.area)) return;
    logger.log(to_spdlog(level), "{}", json ? as_json(line) : as_text(line));
  }

  LogLevels levels;
  bool json;
  std::shared_ptr<LineSink> sink;
  spdlog::logger logger;
};

Log::Log(LogLevels levels, bool json) : state_(std::make_unique<State>(std::move(levels), json)) {}
Log::~Log() = default;

void Log::divert(std::function<void(std::string)> write) {
  state_->sink->divert = std::move(write);
}

void Log::write(LogLevel level, std::string_view area, const std::optional<PeerId>& peer,
                const Error& what) {
  state_->write(level, {area, peer, name(what.code), what.detail});
}

void Log::write(LogLevel level, std::string_view area, const std::optional<PeerId>& peer,
                std::string_view what) {
  state_->write(level, {area, peer, {}, what});
}

void Log::write(const Report& report) {
  if (const auto* n = std::get_if<Notice>(&report))
    return write(level_of(n->level), n->area, n->peer, n->what);
  if (const auto* c = std::get_if<PeerConnected>(&report))
    return write(LogLevel::info, "swarm", c->peer,
                 (c->opened_by_us ? "connected to " : "connected from ") + c->remote.text());
  if (const auto* d = std::get_if<PeerDisconnected>(&report))
    return write(LogLevel::info, "swarm", d->peer,
                 Error{d->cause.code, "disconnected: " + d->cause.detail});
  if (const auto* b = std::get_if<BootstrapChanged>(&report))
    return write(LogLevel::info, "kad", std::nullopt,
                 "bootstrap: " + std::string(name(b->status.state)) + ", " +
                     std::to_string(b->status.live) + " live");
  if (const auto* i = std::get_if<PeerIdentified>(&report))
    return write(LogLevel::debug, "identify", i->peer, std::string_view("identified"));
  if (const auto* done = std::get_if<OpDone>(&report); done && !done->result)
    write(LogLevel::debug, "node", std::nullopt, done->result.error());
}

}  // namespace kadmesh::kadnode
