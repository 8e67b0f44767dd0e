#include "node/identify_wire.h"

#include <doctest/doctest.h>

namespace kadmesh {
namespace {

IdentifyMessage about(std::size_t addrs, std::size_t record) {
  IdentifyMessage message;
  message.public_key = Bytes(36, 1);
  message.agent = "kadmesh/0.1.0";
  message.protocol_version = "ipfs/0.1.0";
  message.protocols = {"/a", "/b"};
  for (std::size_t i = 0; i < addrs; ++i)
    message.listen_addrs.push_back(*Multiaddr::from_text(
        "/dns4/a-rather-long-name-of-a-host.example.org/tcp/" + std::to_string(i + 1)));
  if (record > 0) message.signed_record = Bytes(record, 7);
  return message;
}

IdentifyMessage merged(const std::vector<Bytes>& messages) {
  IdentifyMessage out;
  for (const Bytes& message : messages) REQUIRE(merge_identify(out, message).has_value());
  return out;
}

}  // namespace

TEST_CASE("identify: a small message and its record travel as one, and come back whole") {
  const auto messages = encode_identify(about(3, 200));
  REQUIRE(messages.size() == 1);
  const IdentifyMessage back = merged(messages);
  CHECK(back.listen_addrs == about(3, 0).listen_addrs);
  CHECK(back.protocols == about(0, 0).protocols);
  CHECK(back.agent == "kadmesh/0.1.0");
  CHECK(back.signed_record == Bytes(200, 7));
}

TEST_CASE("identify: a record that would pass 2 KiB goes alone into the second message") {
  const auto messages = encode_identify(about(3, 2000));
  REQUIRE(messages.size() == 2);
  CHECK(merged({messages[0]}).public_key == Bytes(36, 1));
  CHECK(merged({messages[1]}).listen_addrs.empty());
  CHECK(merged(messages).signed_record == Bytes(2000, 7));
}

TEST_CASE("identify: no message passes what rust reads; addresses are left out from the end") {
  const auto messages = encode_identify(about(200, 500));
  for (const Bytes& message : messages) CHECK(message.size() <= 4096);
  CHECK(merged(messages).listen_addrs.front() == about(1, 0).listen_addrs.front());
}

TEST_CASE("H27: protocols are capped over all messages of one exchange") {
  IdentifyMessage many;
  for (int i = 0; i < 400; ++i) many.protocols.push_back("/p/" + std::to_string(i));
  const Bytes message = encode_identify(many).front();
  IdentifyMessage out;
  CHECK(merge_identify(out, message).has_value());
  CHECK(merge_identify(out, message).error().code == Errc::limit);
  CHECK(out.protocols.size() <= kMostProtocols);
}

TEST_CASE("identify: an address that cannot be read is dropped alone; text may be any bytes") {
  // listenAddrs = ff ff, listenAddrs = /ip4/1.2.3.4/tcp/1, agentVersion = c3 28 (no UTF-8)
  const Bytes message = *from_hex(
      "1202ffff"
      "1208"
      "0401020304060001"
      "3202c328");
  IdentifyMessage out;
  REQUIRE(merge_identify(out, message).has_value());
  REQUIRE(out.listen_addrs.size() == 1);
  CHECK(out.listen_addrs[0].text() == "/ip4/1.2.3.4/tcp/1");
  CHECK(out.agent == "\xc3\x28");
}

}  // namespace kadmesh
