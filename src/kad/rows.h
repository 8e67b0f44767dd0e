// The rows that Kademlia keeps, and what may become one.
//
//   Kind::value       a record, ours or of others      for record_ttl
//   Kind::provider    who provides a key (ourselves:   for provider_ttl
//                     without addresses, they change)
//   Kind::publishing  a value that we put              until erased; received: when it was last
//   Kind::providing   a key that we provide            delivered, kNeverDelivered when it was not
#pragma once

#include "base/turn.h"
#include "kad/config.h"
#include "kad/wire.h"
#include "store/record.h"

namespace kadmesh {

inline constexpr WallTime kNeverDelivered{};

// Errc::limit for a key or a value that no node would take.
Result<void> check_record_size(const KadConfig& config, ByteView key, ByteView value);
// What go takes as the name of content: 1 to 80 bytes.
Result<void> check_provider_key(ByteView key);
// The stored one is valid still, is another, and is the better of the two.
bool better(const KadConfig& config, Turn turn, const Row& stored, const Bytes& value);

Row value_row(const KadConfig& config, Turn turn, const Bytes& key, const Bytes& value);
Row provider_row(const KadConfig& config, Turn turn, const Bytes& key, const PeerId& provider);
Row publishing_row(const Bytes& key, const Bytes& value, WallTime delivered);
Row providing_row(const Bytes& key, WallTime delivered);

}  // namespace kadmesh
