#include "kad/rows.h"

#include <algorithm>
#include <array>
#include <limits>

namespace kadmesh {

Result<void> check_record_size(const KadConfig& config, ByteView key, ByteView value) {
  if (key.size() > kMostRecordKey)
    return fail(Errc::limit, "a key of " + std::to_string(key.size()) + " bytes; at most " +
                                 std::to_string(kMostRecordKey));
  if (key.size() + value.size() > config.most_value)
    return fail(Errc::limit, "key and value of " + std::to_string(key.size() + value.size()) +
                                 " bytes; at most " + std::to_string(config.most_value));
  return {};
}

Result<void> check_provider_key(ByteView key) {
  if (key.empty()) return fail(Errc::invalid, "an empty provider key");
  if (key.size() > kMostProviderKey)
    return fail(Errc::limit, "a provider key of " + std::to_string(key.size()) +
                                 " bytes; at most " + std::to_string(kMostProviderKey));
  return {};
}

bool says_the_same(const KadConfig& config, Turn turn, const Row& stored, const Bytes& value) {
  if (stored.value == value) return true;
  const Validators& validators = config.validators;
  return validators.validate(stored.key, stored.value, turn.now.wall) &&
         validators.same(stored.key, stored.value, value);
}

bool better(const KadConfig& config, Turn turn, const Row& stored, const Bytes& value) {
  const Validators& validators = config.validators;
  if (!validators.validate(stored.key, stored.value, turn.now.wall)) return false;
  if (validators.same(stored.key, stored.value, value)) return false;
  const std::array both{value, stored.value};
  return validators.select(stored.key, both) == 1;
}

Row value_row(const KadConfig& config, Turn turn, const Bytes& key, const Bytes& value) {
  const WallTime now = turn.now.wall;
  return {Kind::value, key, {}, value, now, after(now, config.record_ttl), place_of(key)};
}

Row provider_row(const KadConfig& config, Turn turn, const Bytes& key, const PeerId& provider) {
  const WallTime now = turn.now.wall;
  Bytes member = to_bytes(provider.bytes());
  return {Kind::provider, key, std::move(member), {}, now, after(now, config.provider_ttl),
          place_of(key)};
}

Row publishing_row(const Bytes& key, const Bytes& value, WallTime delivered) {
  return {Kind::publishing, key, {}, value, delivered, WallTime::max(), place_of(key)};
}

Row providing_row(const Bytes& key, WallTime delivered) {
  return {Kind::providing, key, {}, {}, delivered, WallTime::max(), place_of(key)};
}

WallTime kept_until(const KadConfig& config, Turn turn, const Row& stored) {
  return std::min(stored.expires, after(turn.now.wall, config.record_ttl));
}

std::optional<std::uint32_t> ttl_of(Turn turn, const Row& row) {
  if (row.expires == WallTime::max()) return std::nullopt;
  const std::int64_t left = (row.expires - turn.now.wall) / 1s;
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, kMost));
}

namespace {

Bytes network_of(const Subnet& seen_in) {
  const auto& p = seen_in.prefix;
  if (!seen_in.v6) return {4, p[0], p[1], p[2]};
  if (p[0] == 0x20 && p[1] == 0x02) return {4, p[2], p[3], p[4]};
  return {6, p[0], p[1], p[2], p[3]};
}

}  // namespace

std::uint64_t charge_of(const PeerId& peer, const std::optional<Subnet>& seen_in) {
  return std::max<std::uint64_t>(1,
                                 seen_in ? place_of(network_of(*seen_in)) : place_of(peer.bytes()));
}

}  // namespace kadmesh
