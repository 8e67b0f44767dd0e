// Kademlia's messages (libp2p specs, kad-dht/README.md, "RPC messages"), without their length
// prefix.
//
// Reading. Elements, depth and bytes are counted before anything is decoded. A peer whose id cannot
// be read is dropped alone, and so is an address that cannot be read, is empty or too long, or ends
// in the id of another peer; its own trailing id is cut off. No error for more peers than we take:
// the rest is not looked at.
//
// Writing. The type is always written, also when it is 0. Answers stay below kMostAnswer: rust
// reads no more than 16 KiB. What does not fit is left out from the back, and of each peer at most
// kMostAddrsHandedOut addresses go out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/multiaddr.h"
#include "base/peer_id.h"
#include "kad/kad_type.h"
#include "kad/params.h"

namespace kadmesh {

// Of the sender of a message to the peer that it names.
enum class Connectedness : std::int32_t {
  not_connected = 0,
  connected = 1,
  can_connect = 2,
  cannot_connect = 3,
};

struct KadPeer {
  PeerId id;
  std::vector<Multiaddr> addrs;
  Connectedness connection = Connectedness::not_connected;
  friend bool operator==(const KadPeer&, const KadPeer&) = default;
};

struct KadRecord {
  Bytes key, value;
  Bytes time_received;  // RFC 3339, by whoever stores it; never to be trusted
  // Seconds that its sender would keep it (rust-libp2p; go says nothing). rust's 0 is none.
  std::optional<std::uint32_t> ttl{};
  friend bool operator==(const KadRecord&, const KadRecord&) = default;
};

struct KadMessage {
  KadType type{};
  Bytes key;
  std::optional<KadRecord> record;
  std::vector<KadPeer> closer;
  std::vector<KadPeer> providers;
  friend bool operator==(const KadMessage&, const KadMessage&) = default;
};

// How much of a message is looked at.
struct KadWireLimits {
  std::size_t most_bytes = kMostReply;
  std::size_t most_closer = 40;  // 2k
  std::size_t most_providers = kMostProviders;
};

// Errc::limit beyond a bound that no honest peer reaches, Errc::malformed for bytes that are no
// message, Errc::unsupported for a type that is none of ours.
Result<KadMessage> decode_kad(ByteView bytes, const KadWireLimits& limits);

Bytes encode_request(const KadMessage& message);
// Leaves out what would make it longer than kMostAnswer: first of the peers. A record is never cut:
// with one that is longer by itself, peers get what they would have had beside a small one.
Bytes encode_answer(const KadMessage& message);

// A list of addresses as one value of the store: each with its length before it.
Bytes encode_addrs(const std::vector<Multiaddr>& addrs);
// What can be read of it, at most kMostAddrs.
std::vector<Multiaddr> decode_addrs(ByteView value);

}  // namespace kadmesh
