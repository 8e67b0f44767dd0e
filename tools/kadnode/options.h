// The program's arguments.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kad/config.h"
#include "kadnode/command.h"
#include "kadnode/log.h"
#include "kadnode/session.h"

namespace kadmesh::kadnode {

// Of every mode.
struct Options {
  std::vector<Multiaddr> bootstrap;
  std::string kad_protocol = "/ipfs/kad/1.0.0";
  std::filesystem::path data_dir;
  std::optional<std::filesystem::path> identity, keylog;
  Duration timeout = 10s;
  bool json = false;
  LogLevels log;
};
struct RunOptions {
  Options common;
  std::vector<Multiaddr> listen;
  std::optional<std::uint16_t> port;  // set whenever `listen` is empty
  KadMode mode = KadMode::server;
  bool stay = false;
  bool backfill = false;
  bool set_aside_corrupt = false;
  std::optional<std::filesystem::path> record;
  bool redact = false;
  std::optional<std::filesystem::path> gossip_trace;
  std::optional<MetricsAt> metrics;
  std::size_t record_limit = std::size_t{256} * 1024 * 1024;  // bytes
};
struct OnceOptions {
  Options common;
  Command command;
};
struct PrintText {  // --help, --version
  std::string text;
};
using Invocation = std::variant<RunOptions, OnceOptions, PrintText>;

// Errc::invalid, with what to type instead.
Result<Invocation> parse_arguments(int argc, const char* const* argv);

}  // namespace kadmesh::kadnode
