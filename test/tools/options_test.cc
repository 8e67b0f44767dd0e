#include "kadnode/options.h"

#include <doctest/doctest.h>

namespace kadmesh::kadnode {
namespace {

Result<Invocation> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "kadnode");
  return parse_arguments(static_cast<int>(arguments.size()), arguments.data());
}

template <class T>
T parsed(std::vector<const char*> arguments) {
  auto invocation = parse(std::move(arguments));
  REQUIRE_MESSAGE(invocation, (invocation ? "" : to_string(invocation.error())));
  REQUIRE(std::holds_alternative<T>(*invocation));
  return std::get<T>(*std::move(invocation));
}

std::string refusal(std::vector<const char*> arguments) {
  const auto invocation = parse(std::move(arguments));
  REQUIRE_FALSE(invocation);
  CHECK(invocation.error().code == Errc::invalid);
  return invocation.error().detail;
}

bool mentions(const std::string& text, const char* what) {
  return text.find(what) != std::string::npos;
}

TEST_CASE("options: run takes lists, a port and where to keep things") {
  const auto run = parsed<RunOptions>(
      {"run", "--listen", "/ip4/127.0.0.1/tcp/1", "--listen", "/ip4/127.0.0.1/tcp/2", "--bootstrap",
       "/ip4/127.0.0.1/tcp/3", "--data-dir", "/tmp/x", "--identity", "/tmp/key", "--kad-protocol",
       "/mine/kad/1.0.0", "--json", "--stay", "--timeout", "3", "--keylog", "/tmp/log"});
  CHECK(run.listen.size() == 2);
  CHECK(run.common.bootstrap.size() == 1);
  CHECK(run.common.data_dir == "/tmp/x");
  CHECK(run.common.identity == "/tmp/key");
  CHECK(run.common.kad_protocol == "/mine/kad/1.0.0");
  CHECK(run.common.timeout == 3s);
  CHECK(run.common.json);
  CHECK(run.stay);
  CHECK_FALSE(run.port.has_value());
}

TEST_CASE("options: a damaged store is set aside only on wish") {
  CHECK_FALSE(parsed<RunOptions>({"run"}).set_aside_corrupt);
  CHECK(parsed<RunOptions>({"run", "--set-aside-corrupt"}).set_aside_corrupt);
}

TEST_CASE("options: a node serves the DHT unless it is told otherwise") {
  CHECK(parsed<RunOptions>({"run"}).mode == KadMode::server);
  CHECK(parsed<RunOptions>({"run", "--mode", "client"}).mode == KadMode::client);
  CHECK(parsed<RunOptions>({"run", "--mode", "auto"}).mode == KadMode::automatic);
  CHECK(mentions(refusal({"run", "--mode", "both"}), "client, server or auto"));
}

TEST_CASE("options: metrics are for an address that can be listened on") {
  CHECK_FALSE(parsed<RunOptions>({"run"}).metrics);
  CHECK(parsed<RunOptions>({"run", "--metrics", "/ip4/127.0.0.1/tcp/1"}).metrics);
  CHECK(mentions(refusal({"run", "--metrics", "127.0.0.1:1"}), "an address is like"));
  CHECK(mentions(refusal({"run", "--metrics", "/dns4/x/tcp/1"}), "only /ip4 and /ip6"));
  const auto named = parsed<RunOptions>(
      {"run", "--metrics", "/ip4/127.0.0.1/tcp/1", "--metrics-name", "a", "--metrics-name", "b"});
  CHECK(named.metrics->names == std::vector<std::string>{"a", "b"});
  CHECK(mentions(refusal({"run", "--metrics-name", "a"}), "needs --metrics"));
}

TEST_CASE("options: a list takes one value an option, so that it swallows no command") {
  const auto once = parsed<OnceOptions>({"get", "--bootstrap", "/ip4/127.0.0.1/tcp/3", "/v/name"});
  CHECK(once.common.bootstrap.size() == 1);
  CHECK(std::get<GetCommand>(once.command.action).key == to_bytes(as_bytes("/v/name")));
}

TEST_CASE("options: a recording has a limit, and a limit needs a recording") {
  CHECK_FALSE(parsed<RunOptions>({"run"}).record.has_value());
  const auto run = parsed<RunOptions>({"run", "--record", "/tmp/capture", "--record-limit", "3"});
  CHECK(run.record == "/tmp/capture");
  CHECK(run.record_limit == 3 * 1024 * 1024);
  CHECK(parsed<RunOptions>({"run", "--record", "x"}).record_limit == 256 * 1024 * 1024);
  CHECK_FALSE(run.redact);
  CHECK(parsed<RunOptions>({"run", "--record", "x", "--redact"}).redact);
  CHECK(mentions(refusal({"run", "--redact"}), "needs --record"));
  CHECK(mentions(refusal({"run", "--record", "x", "--redact", "--keylog", "y"}), "exclude"));
  CHECK(mentions(refusal({"run", "--record-limit", "3"}), "needs --record"));
  CHECK(mentions(refusal({"run", "--record", "x", "--record-limit", "0"}), "MiB"));
  CHECK(mentions(refusal({"run", "--record", "x", "--record-limit", "3x"}), "MiB"));
}

TEST_CASE("options: without an address any free port is listened on") {
  CHECK(parsed<RunOptions>({"run"}).port == 0);
  CHECK(parsed<RunOptions>({"run", "--port", "9001"}).port == 9001);
  CHECK(mentions(refusal({"run", "--port", "65536"}), "0 to 65535"));
  CHECK(mentions(refusal({"run", "--port", "1", "--listen", "/ip4/127.0.0.1/tcp/1"}), "exclude"));
}

TEST_CASE("options: a command keeps its own options and the order of its words") {
  const auto once = parsed<OnceOptions>(
      {"put", "--timeout", "2", "--hex", "2f762f61", "-5", "get", "run", "--json"});
  const auto& put = std::get<PutCommand>(once.command.action);
  CHECK(put.key == to_bytes(as_bytes("/v/a")));
  CHECK(put.value.bytes == to_bytes(as_bytes("-5 get run")));
  CHECK(once.common.timeout == 2s);
  CHECK(once.common.json);
}

TEST_CASE("options: shared ones may stand before the command") {
  CHECK(parsed<OnceOptions>({"--json", "--data-dir", "/tmp/x", "stats"}).common.json);
}

TEST_CASE("options: a mistake is named") {
  CHECK(mentions(refusal({}), "a command is missing"));
  CHECK(mentions(refusal({"frobnicate"}), "'frobnicate'"));
  CHECK(mentions(refusal({"run", "--frobnicate"}), "--frobnicate"));
  CHECK(mentions(refusal({"run", "now"}), "now"));
  CHECK(mentions(refusal({"get", "/v/a", "--listen", "/ip4/127.0.0.1/tcp/1"}), "--listen"));
  CHECK(mentions(refusal({"run", "--bootstrap", "127.0.0.1:1"}), "like /ip4/"));
  CHECK(mentions(refusal({"run", "--kad-protocol", "kad"}), "slash"));
  CHECK(mentions(refusal({"quit"}), "kadnode run"));
  CHECK(mentions(refusal({"unsubscribe", "news"}), "kadnode run"));
}

TEST_CASE("options: help and version are there for all") {
  CHECK(mentions(parsed<PrintText>({"--help"}).text, "SYNOPSIS"));
  CHECK(mentions(parsed<PrintText>({"run", "--help"}).text, "--stay"));
  CHECK(parsed<PrintText>({"get", "--help"}).text.starts_with("get "));
  CHECK(parsed<PrintText>({"help", "put"}).text.starts_with("put "));
  CHECK(parsed<PrintText>({"help"}).text == parsed<PrintText>({"--help"}).text);
  CHECK(parsed<PrintText>({"--version"}).text.starts_with("kadnode "));
}

TEST_CASE("log: levels for all and for single areas") {
  const auto levels = LogLevels::from_text("info,kad=debug,gossip=off");
  REQUIRE(levels);
  CHECK(levels->of("swarm") == LogLevel::info);
  CHECK(levels->of("kad") == LogLevel::debug);
  CHECK(levels->of("gossip") == LogLevel::off);
  CHECK(LogLevels{}.of("kad") == LogLevel::warning);
  for (const char* wrong : {"", "loud", "kad=loud", "cad=info", "info,", "=info"})
    CHECK_FALSE(LogLevels::from_text(wrong));
}

}  // namespace
}  // namespace kadmesh::kadnode
