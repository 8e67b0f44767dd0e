#include "kadnode/render.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kadnode/json_text.h"

namespace kadmesh::kadnode {
namespace {

using Json = nlohmann::json;

PeerId peer() { return *PeerId::from_text("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"); }
Multiaddr addr() { return *Multiaddr::from_text("/ip4/127.0.0.1/tcp/9001"); }
Bytes bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

Json json(std::string_view command, Result<Answer> answer) {
  return Json::parse(json_of(7, Outcome{command, std::move(answer)}));
}
std::string text(std::string_view command, Result<Answer> answer) {
  return text_of(Outcome{command, std::move(answer)});
}
Json json(const Event& event) { return Json::parse(json_of(event)); }

GetAnswer got(Bytes value) {
  return {{bytes("/v/a"), std::move(value), 2, true, {3, 2, 1, 1, true, 12ms}}, {}};
}
MessageEvent message(Bytes data) {
  return {{peer(), {peer(), std::move(data), bytes("12345678"), "news"}, bytes("id")}};
}

TEST_CASE("render: an answer has its number, its command and its result") {
  const Json out = json("connect", ConnectReport{peer(), ConnId{1}, addr(), false});
  CHECK(out ==
        Json{{"seq", 7},
             {"ok", true},
             {"command", "connect"},
             {"result",
              {{"peer", peer().text()}, {"addr", "/ip4/127.0.0.1/tcp/9001"}, {"already", false}}}});
}

TEST_CASE("render: an error has a code for programs and words for people") {
  const Json out = json("get", fail(Errc::not_found, "nobody has it"));
  CHECK(out["ok"] == false);
  CHECK(out["error"]["code"] == "not_found");
  CHECK(out["error"]["detail"] == "nobody has it");
  CHECK_FALSE(out.contains("result"));
  CHECK(text("get", fail(Errc::not_found, "nobody has it")) == "get: not_found: nobody has it");
}

TEST_CASE("render: an error says what to do where something can be done") {
  CHECK(json("get", fail(Errc::no_peers))["error"]["hint"].get<std::string>().find("--bootstrap") !=
        std::string::npos);
  CHECK(text("connect", fail(Errc::unreachable, "x")).find("does the peer run") !=
        std::string::npos);
  CHECK_FALSE(json("get", fail(Errc::not_found))["error"].contains("hint"));
}

TEST_CASE("render: bytes that are no text come in hexadecimal") {
  CHECK(json("get", got(bytes("grüße")))["result"]["value"] == "grüße");
  const Json binary = json("get", got({0xff, 0x00}))["result"];
  CHECK(binary["value_hex"] == "ff00");
  CHECK_FALSE(binary.contains("value"));
  CHECK(json(message({0xc0, 0x80}))["data_hex"] == "c080");
}

TEST_CASE("render: a value keeps every character in JSON, and is one line of text") {
  const std::string value = "a\n\"b\"\x1b[2J";
  CHECK(json("get", got(bytes(value)))["result"]["value"] == value);
  CHECK(text("get", got(bytes(value))).starts_with("a\\x0a\"b\"\\x1b[2J\n"));
  CHECK(json_of(1, Outcome{"get", got(bytes(value))}).find('\n') == std::string::npos);
}

TEST_CASE("render: what a peer sends cannot steer a terminal") {
  CHECK(printable("a\x1b[31m\x07") == "a\\x1b[31m\\x07");
  CHECK(printable("\xc2\x9b[31m") == "\\xc2\\x9b[31m");
  CHECK(printable("é\xff") == "é\\xff");
  CHECK(text_of(Event(message(bytes("\x1b]0;x\x07")))).find('\x1b') == std::string::npos);
  CHECK(text_of(Event(IdentifiedEvent{peer(), "x\ny", {}, false})).find('\n') == std::string::npos);
}

TEST_CASE("render: a put that nobody took says so") {
  PutReport report;
  report.stored_locally = report.pending = true;
  CHECK(json("put", report)["result"]["warning"]["code"] == "no_peers");
  CHECK(text("put", report).find("no_peers") != std::string::npos);
  report.pending = false;
  report.acknowledged = report.contacted = 2;
  CHECK_FALSE(json("put", report)["result"].contains("warning"));
  CHECK(text("put", report).starts_with("stored at 2 of 2 peers and here"));
}

TEST_CASE("render: the closest peers come in their order, with their addresses") {
  ClosestReport report{bytes("k"), {{peer(), {{addr(), Source::hint}}}}, {3, 2, 1, 2, true, 12ms}};
  const Json out = json("closest", report)["result"];
  CHECK(out["key_hex"] == "6b");
  CHECK(out["closest"] == Json{{{"peer", peer().text()}, {"addrs", {addr().text()}}}});
  CHECK(out["walk"]["hops"] == 2);
  CHECK(text("closest", report).starts_with("1 closest peer (asked 3, answered 2, 2 hops in"));
}

TEST_CASE("render: statistics by type name their errors, and have every type") {
  StatsAnswer stats{.self = peer(),
                    .now = {},
                    .up = 1s,
                    .node = {},
                    .buckets = {},
                    .meshes = {},
                    .stored_rows = 0,
                    .stored_bytes = 0};
  QueryStats& gets = stats.node.kad.queries[static_cast<std::size_t>(QueryType::get)];
  gets.ended.ok = 3;
  gets.ended.failed[static_cast<std::size_t>(Errc::not_found)] = 2;
  gets.took_ms.add(3);
  gets.hops[2] = 3;
  stats.node.kad.requests[static_cast<std::size_t>(KadType::find_node)].sent = 9;
  InboundStats& inbound = stats.node.kad.inbound;
  inbound.ended[static_cast<std::size_t>(KadType::put_value)].ok = 5;
  inbound.ended[static_cast<std::size_t>(KadType::put_value)]
      .failed[static_cast<std::size_t>(Errc::refused)] = 1;
  inbound.unread.failed[static_cast<std::size_t>(Errc::malformed)] = 4;
  const Json kad = json("stats", stats)["result"]["kad"];
  CHECK(kad["queries"].size() == kQueryTypes);
  CHECK(kad["queries"]["get"]["ok"] == 3);
  CHECK(kad["queries"]["get"]["failed"] == Json{{"not_found", 2}});
  CHECK(kad["queries"]["get"]["took_ms"]["counts"][3] == 1);
  CHECK(kad["queries"]["get"]["took_ms"]["bounds"][3] == 4);
  CHECK(kad["queries"]["get"]["hops"][2] == 3);
  CHECK(kad["requests"]["FIND_NODE"]["sent"] == 9);
  CHECK(kad["requests"].size() == kKadTypes);
  CHECK(kad["inbound"].size() == kKadTypes + 1);
  CHECK(kad["inbound"]["PUT_VALUE"] == Json{{"ok", 5}, {"failed", {{"refused", 1}}}});
  CHECK(kad["inbound"]["unread"]["failed"] == Json{{"malformed", 4}});
}

TEST_CASE("render: the table is shown by bucket") {
  NetworkAnswer network{peer(), {Time(10s), {}}, {}, {}, {}, {}};
  for (const unsigned bucket : {0u, 0u, 3u}) {
    TableEntry entry{{peer(), {}}, Standing::server, true, Time(1s), Time{}, 0, bucket};
    network.table.push_back(entry);
  }
  const Json table = json("network", network)["result"]["table"];
  REQUIRE(table.size() == 2);
  CHECK(table[0]["bucket"] == 0);
  CHECK(table[0]["peers"].size() == 2);
  CHECK(table[1]["bucket"] == 3);
  CHECK(table[1]["peers"][0]["standing"] == "server");
  CHECK(table[1]["peers"][0]["age_ms"] == 9000);
}

TEST_CASE("render: a message says where it came from and who wrote it") {
  const Json out = json(message(bytes("hello")));
  CHECK(out["event"] == "message");
  CHECK(out["topic"] == "news");
  CHECK(out["from"] == peer().text());
  CHECK(out["data"] == "hello");
  CHECK(out["size"] == 5);
  CHECK(text_of(Event(message(bytes("hello")))) == "[news] " + peer().text() + ": hello");
}

TEST_CASE("render: a step says what happened to whom, and how near that is") {
  const StepEvent heard{{WalkStep::What::heard, Time(3s), peer(), 7, peer(), {}, {}}, 12ms};
  CHECK(json(heard) == Json{{"event", "step"},
                            {"what", "heard"},
                            {"at_ms", 12.0},
                            {"peer", peer().text()},
                            {"shared_bits", 7},
                            {"from", peer().text()}});
  const StepEvent failed{
      {WalkStep::What::failed, Time(3s), peer(), 7, {}, {}, Error{Errc::reset, "a\nb"}}, 12ms};
  CHECK(json(failed)["cause"]["code"] == "reset");
  CHECK(text_of(Event(failed)) ==
        "    12 ms failed    " + peer().text() + " (7 bits): reset: a\\x0ab");
  CHECK(json(StepEvent{{.what = WalkStep::What::converged}, 1ms}).size() == 3);
}

TEST_CASE("render: every event names itself") {
  CHECK(json(ReadyEvent{peer(), {addr()}, "/tmp/x", "/mine/kad"})["event"] == "ready");
  CHECK_FALSE(json(ReadyEvent{peer(), {addr()}, "/tmp/x", "/mine/kad"}).contains("metrics"));
  CHECK(json(ReadyEvent{peer(), {addr()}, "/tmp/x", "/mine/kad", addr()})["metrics"] ==
        addr().text());
  CHECK(json(PeerConnected{peer(), addr(), true})["direction"] == "outbound");
  CHECK(json(PeerDisconnected{peer(), {Errc::closed, "bye"}})["cause"]["code"] == "closed");
  CHECK(json(BootstrapEvent{{Bootstrap::joined, 2, 0, kNever, {}}})["state"] == "joined");
  CHECK(json(DroppedEvent{3})["count"] == 3);
  CHECK(Json::parse(json_of_failure({Errc::io, "x"}))["event"] == "failed");
}

TEST_CASE("render: each kind of failure keeps its exit status") {
  CHECK(exit_status(Answer(QuitAnswer{})) == 0);
  CHECK(exit_status(Errc::refused) == 1);
  CHECK(exit_status(Errc::invalid) == 2);
  CHECK(exit_status(Errc::not_found) == 3);
  CHECK(exit_status(Errc::timeout) == 4);
  CHECK(exit_status(Errc::no_peers) == 5);
  CHECK(exit_status(Errc::io) == 6);
}

TEST_CASE("json: a string is quoted and escaped") { CHECK(json_text("a\"\n") == R"("a\"\n")"); }

}  // namespace
}  // namespace kadmesh::kadnode
