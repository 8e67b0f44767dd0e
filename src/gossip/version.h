// What a peer speaks, as agreed on our stream to it.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace kadmesh::gossip {

enum class Version {
  floodsub,  // messages and subscriptions, no control
  v10,
  v11,  // PRUNE has a backoff and names other peers
  v12,  // IDONTWANT
  v13,  // extensions
};

// None: not spoken here.
inline std::optional<Version> version_of(std::string_view protocol) {
  constexpr std::array kSpoken{
      std::pair("/meshsub/1.3.0", Version::v13), std::pair("/meshsub/1.2.0", Version::v12),
      std::pair("/meshsub/1.1.0", Version::v11), std::pair("/meshsub/1.0.0", Version::v10),
      std::pair("/floodsub/1.0.0", Version::floodsub)};
  for (const auto& [name, version] : kSpoken)
    if (protocol == name) return version;
  return std::nullopt;
}

}  // namespace kadmesh::gossip
