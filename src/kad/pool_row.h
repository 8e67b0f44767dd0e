// A peer of the bootstrap pool as it is kept in the store.
//
//   Kind::pool   key: the peer's id · received: when it last served us · expires: kPoolTtl later
//                value := 0x00 failures addresses        failures: varint, addresses: wire.h
//
// A value that begins otherwise is a list of addresses alone, as kadmesh wrote it before it counted
// failures: an address has at least one byte, so no list begins with 0x00.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/multiaddr.h"
#include "base/peer_id.h"
#include "store/record.h"

namespace kadmesh {

struct PoolRow {
  PeerId peer;
  std::vector<Multiaddr> addrs;
  std::uint32_t failures = 0;  // since it last served us
  WallTime served;
};

Row to_row(const PoolRow& peer);
// None for rubbish, and for a peer without an address.
std::optional<PoolRow> to_pool_row(const Row& row);

}  // namespace kadmesh
