// The Identify message and its size rules (libp2p specs, identify/README.md).
//
// Several messages may come on one stream and merge: lists append, single fields are replaced.
// rust and litep2p read only the first, of at most 4096 bytes; go reads up to ten of 8 KiB. So ours
// is one message that is complete but for the signed record, which goes into a second when both
// together would pass kMostInOne.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/multiaddr.h"

namespace kadmesh {

inline constexpr std::size_t kMostIdentifyIn = 8 * 1024;  // one message, received
inline constexpr std::size_t kMostIdentifyMessages = 10;  // on one stream, received
inline constexpr std::size_t kMostIdentifyOut = 4096;     // one message, sent
inline constexpr std::size_t kMostInOne = 2048;           // with the record in the same message
inline constexpr std::size_t kMostProtocols = 512;        // of one peer, over all messages
inline constexpr std::size_t kMostProtocolName = 256;     // longer ones are dropped alone
inline constexpr std::size_t kMostListenAddrs = 64;       // of one peer, over all messages
inline constexpr std::size_t kMostAgent = 256;            // agent and version are cut to this

struct IdentifyMessage {
  std::optional<Bytes> public_key;  // PublicKey protobuf
  std::vector<Multiaddr> listen_addrs;
  std::vector<std::string> protocols;
  std::optional<Multiaddr> observed;
  std::string protocol_version, agent;
  std::optional<Bytes> signed_record;  // an envelope

  friend bool operator==(const IdentifyMessage&, const IdentifyMessage&) = default;
};

// Adds one received message to what came before. Errc::malformed; Errc::limit beyond the bounds;
// what came before then stands. An address that cannot be parsed is dropped alone.
Result<void> merge_identify(IdentifyMessage& so_far, ByteView message);

// One or two messages, unframed. Addresses are left out from the end until the first fits.
std::vector<Bytes> encode_identify(IdentifyMessage message);

}  // namespace kadmesh
