#include "kad/rows.h"

#include <array>

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

bool better(const KadConfig& config, Turn turn, const Row& stored, const Bytes& value) {
  if (stored.value == value) return false;
  if (!config.validators.validate(stored.key, stored.value, turn.now.wall)) return false;
  const std::array both{value, stored.value};
  return config.validators.select(stored.key, both) == 1;
}

Row value_row(const KadConfig& config, Turn turn, const Bytes& key, const Bytes& value) {
  return {Kind::value, key, {}, value, turn.now.wall, after(turn.now.wall, config.record_ttl)};
}

Row provider_row(const KadConfig& config, Turn turn, const Bytes& key, const PeerId& provider) {
  return {Kind::provider,
          key,
          to_bytes(provider.bytes()),
          {},
          turn.now.wall,
          after(turn.now.wall, config.provider_ttl)};
}

Row publishing_row(const Bytes& key, const Bytes& value, WallTime delivered) {
  return {Kind::publishing, key, {}, value, delivered, WallTime::max()};
}

Row providing_row(const Bytes& key, WallTime delivered) {
  return {Kind::providing, key, {}, {}, delivered, WallTime::max()};
}

}  // namespace kadmesh
