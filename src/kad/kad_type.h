// The types of Kademlia's messages (libp2p specs, kad-dht/README.md, "RPC messages").
#pragma once

#include <cstdint>
#include <string_view>

namespace kadmesh {

enum class KadType : std::int32_t {
  put_value = 0,
  get_value = 1,
  add_provider = 2,
  get_providers = 3,
  find_node = 4,
  ping = 5,
};
std::string_view name(KadType type);  // "FIND_NODE"

}  // namespace kadmesh
