// The messages of one exchange, framed as on its stream, merged one after another; beside them a
// naive reader that knows the fields' numbers and nothing else.
// Covers: src/node/identify_wire.cc
#include <algorithm>
#include <span>

#include "base/check.h"
#include "base/framing.h"
#include "base/proto_scan.h"
#include "node/identify_wire.h"

using namespace kadmesh;

namespace {

std::string text(ByteView bytes) { return std::string(as_text(bytes)); }

void take_protocol(IdentifyMessage& model, ByteView name) {
  if (!name.empty() && name.size() <= kMostProtocolName) model.protocols.push_back(text(name));
}
void take_addr(IdentifyMessage& model, ByteView bytes) {
  const auto addr = Multiaddr::from_bytes(bytes);
  if (addr && model.listen_addrs.size() < kMostListenAddrs) model.listen_addrs.push_back(*addr);
}

// `message` has been accepted, so it is protobuf.
void naive_merge(IdentifyMessage& model, ByteView message) {
  Bytes observed;
  while (!message.empty()) {
    const ProtoField field = take_field(message).value();
    if (!field.is_bytes) continue;
    if (field.number == 1) model.public_key = to_bytes(field.body);
    if (field.number == 2) take_addr(model, field.body);
    if (field.number == 3) take_protocol(model, field.body);
    if (field.number == 4) observed = to_bytes(field.body);
    if (field.number == 5) model.protocol_version = text(field.body).substr(0, kMostAgent);
    if (field.number == 6) model.agent = text(field.body).substr(0, kMostAgent);
    if (field.number == 8) model.signed_record = to_bytes(field.body);
  }
  if (const auto addr = Multiaddr::from_bytes(observed)) model.observed = *addr;
}

void check_bounds(const IdentifyMessage& message) {
  KAD_CHECK(message.protocols.size() <= kMostProtocols);
  KAD_CHECK(message.listen_addrs.size() <= kMostListenAddrs);
  KAD_CHECK(message.agent.size() <= kMostAgent && message.protocol_version.size() <= kMostAgent);
}

// What would be said of it is read as what was meant, but for addresses that had no room, and is
// said again in the same bytes.
void round_trip(const IdentifyMessage& message) {
  IdentifyMessage again;
  const std::vector<Bytes> said = encode_identify(message);
  for (const Bytes& part : said)
    if (part.size() > kMostIdentifyIn || !merge_identify(again, part)) return;
  KAD_CHECK(said.size() <= 2);
  KAD_CHECK(encode_identify(again) == said);
  KAD_CHECK(again.listen_addrs.size() <= message.listen_addrs.size());
  KAD_CHECK(std::ranges::equal(again.listen_addrs,
                               std::span(message.listen_addrs).first(again.listen_addrs.size())));
  again.listen_addrs = message.listen_addrs;
  KAD_CHECK(again == message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView in(data, size);
  FrameReader frames(kMostIdentifyIn);
  IdentifyMessage heard, model;
  for (auto next = frames.next(in); next && *next; next = frames.next(in)) {
    if (merge_identify(heard, **next)) naive_merge(model, **next);
    KAD_CHECK(heard == model);
    check_bounds(heard);
  }
  round_trip(heard);
  return 0;
}
