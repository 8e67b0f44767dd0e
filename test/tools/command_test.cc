#include "kadnode/command.h"

#include <doctest/doctest.h>

#include "base/multibase.h"
#include "kadnode/arguments.h"
#include "kadnode/help.h"
#include "kadnode/key_text.h"

namespace kadmesh::kadnode {
namespace {

constexpr const char* kPeer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

Words words(std::string_view line) {
  auto split = split_words(line);
  REQUIRE(split);
  return *split;
}

template <class Action>
Action parsed(std::string_view line) {
  const auto command = parse_command(words(line));
  REQUIRE_MESSAGE(command, (command ? "" : to_string(command.error())));
  const auto* action = std::get_if<Action>(&command->action);
  REQUIRE(action);
  return *action;
}

std::string refusal(std::string_view line) {
  const auto command = parse_command(words(line));
  REQUIRE_FALSE(command);
  CHECK(command.error().code == Errc::invalid);
  return command.error().detail;
}

std::string text(const Bytes& bytes) { return std::string(as_text(bytes)); }

TEST_CASE("command: a target is an address or a peer") {
  const auto by_addr = parsed<ConnectCommand>("connect /ip4/127.0.0.1/tcp/9001");
  CHECK(std::get<Multiaddr>(by_addr.to).text() == "/ip4/127.0.0.1/tcp/9001");
  const auto by_peer = parsed<ConnectCommand>(std::string("connect ") + kPeer);
  CHECK(std::get<PeerId>(by_peer.to).text() == kPeer);
  CHECK(refusal("connect 127.0.0.1:9001").find("usage: connect ADDR|PEER") != std::string::npos);
  CHECK(refusal("connect /ip4/127.0.0.1/tcp/99999").find("usage") != std::string::npos);
}

TEST_CASE("command: put takes the rest of the line, a file or hexadecimal") {
  const auto put = parsed<PutCommand>("put /v/name a value  here");
  CHECK(text(put.key) == "/v/name");
  CHECK(text(put.value.bytes) == "a value here");
  CHECK(parsed<PutCommand>("put --hex 2f762f61 --data-hex 00ff").key == to_bytes(as_bytes("/v/a")));
  CHECK(parsed<PutCommand>("put --hex 2f762f61 --data-hex 00ff").value.bytes == Bytes{0, 0xff});
  CHECK(parsed<PutCommand>("put /v/a --file /tmp/x").value.file == "/tmp/x");
  CHECK(parsed<PutCommand>("put --file=/tmp/x /v/a").value.file == "/tmp/x");
  CHECK(parsed<PutCommand>("put /v/a -- --hex").value.bytes == to_bytes(as_bytes("--hex")));
}

TEST_CASE("command: put without exactly one value is refused") {
  CHECK(refusal("put /v/a").starts_with("a value is missing"));
  CHECK(refusal("put /v/a x --file y").starts_with("--file and a value"));
  CHECK(refusal("put /v/a --data-hex 0g").find("not hexadecimal") != std::string::npos);
  CHECK(refusal("put /v/a --file").starts_with("--file needs a value"));
  CHECK(refusal("put").starts_with("an argument is missing"));
}

TEST_CASE("command: an empty value is a value") {
  CHECK(parsed<PutCommand>("put /v/a \"\"").value.bytes.empty());
}

TEST_CASE("command: the keys of a public key and of a name hold the peer's id, given as text") {
  const Bytes key = parsed<GetCommand>(std::string("get /pk/") + kPeer).key;
  CHECK(text(key).starts_with("/pk/"));
  CHECK(key.size() == 4 + 38);
  CHECK(text(parse_record_key("/pk/nobody")) == "/pk/nobody");
  CHECK(parse_record_key(std::string("/ipns/") + kPeer).size() == 6 + 38);
}

TEST_CASE("command: content is a CIDv0, a multihash or text to be hashed") {
  // SHA-256 of "hello", by FIPS 180-4.
  const std::string hello = "12202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  CHECK(to_hex(parsed<ProvideCommand>("provide hello").multihash) == hello);
  CHECK(to_hex(parsed<ProvideCommand>("provide " + hello).multihash) == hello);
  CHECK(to_hex(parsed<ProvideCommand>("provide --hex " + hello).multihash) == hello);
  const std::string cid = to_base(Base::base58, *from_hex(hello));
  REQUIRE(cid.starts_with("Qm"));
  CHECK(to_hex(parsed<ProvidersCommand>("providers " + cid).multihash) == hello);
  CHECK(to_hex(parsed<ProvideCommand>("provide --text " + cid).multihash) != hello);
  CHECK(parsed<ProvidersCommand>("providers hello 3").most == 3);
}

TEST_CASE("command: what is closest is asked of a peer, a record's key, content or any bytes") {
  const auto target = [](const std::string& key) {
    return parsed<ClosestCommand>("closest " + key).target;
  };
  CHECK(target(kPeer) == to_bytes(PeerId::from_text(kPeer)->bytes()));
  CHECK(target("/v/a") == to_bytes(as_bytes("/v/a")));
  CHECK(target("hello") == parse_content_key("hello"));
  CHECK(target("--hex 00ff") == Bytes{0x00, 0xff});
  CHECK(refusal("closest --hex 0g").find("not hexadecimal") != std::string::npos);
  CHECK(refusal("closest").find("usage: closest [--hex] [--trace] KEY") != std::string::npos);
}

TEST_CASE("command: those that walk can be traced, the others not") {
  const std::string peer(kPeer);
  for (const std::string line : {"get --trace /v/a", "put /v/a --trace x", "provide --trace x",
                                 "providers x --trace", "closest --trace x"})
    CHECK(parse_command(*split_words(line))->trace);
  CHECK(parse_command({"find", "--trace", peer})->trace);
  CHECK_FALSE(parse_command({"find", peer})->trace);
  CHECK(refusal("stats --trace").find("unknown option --trace") != std::string::npos);
}

TEST_CASE("command: counts have bounds") {
  CHECK(parsed<PingCommand>(std::string("ping ") + kPeer).count == 1);
  CHECK(parsed<PingCommand>(std::string("ping ") + kPeer + " 100").count == 100);
  for (const char* count : {"0", "101", "-1", "1x", "99999999999999999999"})
    CHECK(refusal(std::string("ping ") + kPeer + " " + count).find("no number from 1 to 100") !=
          std::string::npos);
}

TEST_CASE("command: each may have a timeout of its own") {
  const auto command = parse_command({"get", "/v/a", "--timeout", "2.5"});
  REQUIRE(command);
  CHECK(command->timeout == 2500ms);
  CHECK_FALSE(parse_command({"get", "/v/a"})->timeout.has_value());
  for (const char* wrong : {"0", "-1", "3601", "1s", "", "nan", "inf"})
    CHECK_FALSE(parse_timeout(wrong));
}

TEST_CASE("command: what it does not know it names, with its usage") {
  CHECK(refusal("frobnicate").find("'frobnicate'") != std::string::npos);
  CHECK(refusal("get /v/a --quick").starts_with("unknown option --quick"));
  CHECK(refusal("provide --file x y").starts_with("unknown option --file"));
  CHECK(refusal("get --hex=1 00").starts_with("--hex takes no value"));
  CHECK(refusal("stats now").find("'now' is one argument too many") != std::string::npos);
}

TEST_CASE("command: a line has a command, or says what is wrong with it under a short name") {
  CHECK_FALSE(parse_line("  # nothing"));
  CHECK(parse_line("get /v/a")->name == "get");
  CHECK(parse_line("get /v/a")->command);
  CHECK(parse_line(" put 'x")->name == "put");
  CHECK_FALSE(parse_line("put 'x")->command);
  const auto noise = parse_line(std::string(1'000'000, '\0'));
  CHECK(noise->name.size() < 100);
  CHECK(noise->command.error().detail.size() < 200);
}

TEST_CASE("help: every command is in the manual, and has a text of its own") {
  for (const CommandInfo& info : commands()) {
    CHECK(manual().find("\n  " + std::string(info.name) + " ") != std::string::npos);
    CHECK(help_text(info.name).starts_with(info.name));
  }
  CHECK(parsed<HelpCommand>("help get").about == "get");
  CHECK(refusal("help frobnicate").find("no command") != std::string::npos);
}

TEST_CASE("help: no line is wider than a terminal") {
  std::string all = manual() + run_manual();
  for (const CommandInfo& info : commands()) all += help_text(info.name) + "\n";
  std::size_t start = 0;
  for (std::size_t end; (end = all.find('\n', start)) != std::string::npos; start = end + 1)
    CHECK_MESSAGE(end - start <= 80, all.substr(start, end - start));
}

}  // namespace
}  // namespace kadmesh::kadnode
