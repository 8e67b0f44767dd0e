#include "kad/pool_row.h"

#include <algorithm>

#include "base/varint.h"
#include "kad/params.h"
#include "kad/wire.h"

namespace kadmesh {
namespace {

constexpr std::uint8_t kCounted = 0x00;  // failures follow

std::optional<std::uint32_t> take_failures(ByteView& value) {
  if (value.empty() || value.front() != kCounted) return 0;
  value = value.subspan(1);
  const auto read = get_varint(value);
  if (!read || !*read) return std::nullopt;
  value = value.subspan((*read)->size);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>((*read)->value, kMostPoolFailures));
}

}  // namespace

Row to_row(const PoolRow& peer) {
  Row row;
  row.kind = Kind::pool;
  row.key = to_bytes(peer.peer.bytes());
  row.place = place_of(row.key);
  row.value = {kCounted};
  put_varint(row.value, peer.failures);
  append(row.value, encode_addrs(peer.addrs));
  row.received = peer.served;
  row.expires = after(peer.served, kPoolTtl);
  return row;
}

std::optional<PoolRow> to_pool_row(const Row& row) {
  const auto peer = PeerId::from_bytes(row.key);
  ByteView value = row.value;
  const auto failures = take_failures(value);
  if (!peer || !failures) return std::nullopt;
  auto addrs = decode_addrs(value);
  if (addrs.empty()) return std::nullopt;
  return PoolRow{*peer, std::move(addrs), *failures, row.received};
}

}  // namespace kadmesh
