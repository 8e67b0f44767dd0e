// What only somebody who sees every node can say. Each of these asks all nodes that are up; an
// empty text means that all is well, any other says what is not, and where.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.h"

namespace kadmesh::oracle {

// The servers of that DHT which are really closest to the key, nearest first.
std::vector<PeerId> closest(const World& world, std::string_view kad_protocol, ByteView key,
                            std::size_t count);
// How many of the really closest `said` names, of as many as it names or there are.
struct Hits {
  std::size_t found = 0, of = 0;
};
Hits hits(const World& world, std::string_view kad_protocol, ByteView key,
          std::span<const PeerId> said);

// Whatever a node would hand out of a peer is where that peer listens, or did. Of peers that are
// not of this world, nothing at all.
std::string addresses(const World& world);

// Once nothing is under way: whoever is connected to a peer is connected by it, as often.
std::string connections(const World& world);

// Whoever is up and subscribes to the topic has got the message, once.
// `delivered`: how often each node did, by index.
std::string reach(const World& world, std::string_view topic, World::Index publisher,
                  std::span<const std::size_t> delivered);

}  // namespace kadmesh::oracle
