#include "node/identify_wire.h"

#include <algorithm>

#include "base/proto_scan.h"
#include "identify.pb.h"

namespace kadmesh {
namespace {

constexpr std::size_t kMostElements = 1024;

std::string text(ByteView view) { return std::string(as_text(view)); }

void set(std::string& target, const std::string& received) {
  target = received.substr(0, kMostAgent);
}

Result<void> merge_protocols(IdentifyMessage& so_far, const pb::Identify& received) {
  if (so_far.protocols.size() + static_cast<std::size_t>(received.protocols_size()) >
      kMostProtocols)
    return fail(Errc::limit,
                "identify: more than " + std::to_string(kMostProtocols) + " protocols");
  for (const std::string& protocol : received.protocols())
    if (!protocol.empty() && protocol.size() <= kMostProtocolName)
      so_far.protocols.push_back(protocol);
  return {};
}

void merge_addrs(IdentifyMessage& so_far, const pb::Identify& received) {
  for (const std::string& bytes : received.listen_addrs()) {
    if (so_far.listen_addrs.size() == kMostListenAddrs) return;
    if (auto addr = Multiaddr::from_bytes(as_bytes(bytes)))
      so_far.listen_addrs.push_back(*std::move(addr));
  }
}

Bytes serialized(const pb::Identify& message) {
  const std::string bytes = message.SerializeAsString();
  return to_bytes(as_bytes(bytes));
}

pb::Identify without_record(const IdentifyMessage& message) {
  pb::Identify out;
  out.set_protocol_version(message.protocol_version);
  out.set_agent_version(message.agent);
  if (message.public_key) out.set_public_key(text(*message.public_key));
  if (message.observed) out.set_observed_addr(text(message.observed->bytes()));
  for (const Multiaddr& addr : message.listen_addrs) out.add_listen_addrs(text(addr.bytes()));
  for (const std::string& protocol : message.protocols) out.add_protocols(protocol);
  return out;
}

}  // namespace

Result<void> merge_identify(IdentifyMessage& so_far, ByteView message) {
  RETURN_IF_ERROR(scan_message(message, MessageShape{}, {kMostIdentifyIn, kMostElements}));
  pb::Identify received;
  if (!received.ParseFromArray(message.data(), static_cast<int>(message.size())))
    return fail(Errc::malformed, "identify: not an Identify message");
  RETURN_IF_ERROR(merge_protocols(so_far, received));
  merge_addrs(so_far, received);
  if (received.has_public_key()) so_far.public_key = to_bytes(as_bytes(received.public_key()));
  if (received.has_signed_peer_record())
    so_far.signed_record = to_bytes(as_bytes(received.signed_peer_record()));
  if (auto observed = Multiaddr::from_bytes(as_bytes(received.observed_addr())))
    so_far.observed = *std::move(observed);
  if (received.has_agent_version()) set(so_far.agent, received.agent_version());
  if (received.has_protocol_version()) set(so_far.protocol_version, received.protocol_version());
  return {};
}

std::vector<Bytes> encode_identify(IdentifyMessage message) {
  pb::Identify first = without_record(message);
  while (first.ByteSizeLong() > kMostIdentifyOut && first.listen_addrs_size() > 0)
    first.mutable_listen_addrs()->RemoveLast();
  if (!message.signed_record) return {serialized(first)};
  pb::Identify both = first;
  both.set_signed_peer_record(text(*message.signed_record));
  if (both.ByteSizeLong() <= kMostInOne) return {serialized(both)};
  pb::Identify record;
  record.set_signed_peer_record(text(*message.signed_record));
  return {serialized(first), serialized(record)};
}

}  // namespace kadmesh
