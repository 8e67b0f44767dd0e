// The rows that Kademlia keeps, and what may become one.
//
//   Kind::value       a record, ours or of others      for record_ttl
//   Kind::provider    who provides a key (ourselves:   for provider_ttl
//                     without addresses, they change)
//   Kind::publishing  a value that we put              until erased; received: when it was last
//   Kind::providing   a key that we provide            delivered, kNeverDelivered when it was not
//
// Each lies at the place of its key, and is ours until a charge says otherwise.
#pragma once

#include <optional>

#include "base/turn.h"
#include "kad/config.h"
#include "kad/subnet.h"
#include "kad/wire.h"
#include "store/record.h"

namespace kadmesh {

inline constexpr WallTime kNeverDelivered{};

// Errc::limit for a key or a value that no node would take.
Result<void> check_record_size(const KadConfig& config, ByteView key, ByteView value);
// What go takes as the name of content: 1 to 80 bytes.
Result<void> check_provider_key(ByteView key);
// The stored one is valid still, does not say the same, and is the better of the two.
bool better(const KadConfig& config, Turn turn, const Row& stored, const Bytes& value);

// The stored one is the same or, valid still, says so in another way.
bool says_the_same(const KadConfig& config, Turn turn, const Row& stored, const Bytes& value);

Row value_row(const KadConfig& config, Turn turn, const Bytes& key, const Bytes& value);
Row provider_row(const KadConfig& config, Turn turn, const Bytes& key, const PeerId& provider);
Row publishing_row(const Bytes& key, const Bytes& value, WallTime delivered);
Row providing_row(const Bytes& key, WallTime delivered);

// When a stored value goes; no later than one that comes now, whatever the clock was once.
WallTime kept_until(const KadConfig& config, Turn turn, const Row& stored);

// What is left of a row's life, in whole seconds and at least one: KadRecord::ttl. None for one
// that lasts for ever.
std::optional<std::uint32_t> ttl_of(Turn turn, const Row& row);

// Whom a row is charged to that `peer` wants kept: the public network that its connection shows,
// for ids cost nothing; itself, where that shows none. Of IPv6 a /32, which is what one holder is
// given, as a /48 costs nothing to who has one; 6to4 is the /24 of the IPv4 address in it (RFC
// 3056), all of Teredo is one /32. Never 0, which is ours.
std::uint64_t charge_of(const PeerId& peer, const std::optional<Subnet>& seen_in);

}  // namespace kadmesh
