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
// How many of the really closest `said` names: of `wanted`, or as many as there are.
struct Hits {
  std::size_t found = 0, of = 0;
};
Hits hits(const World& world, std::string_view kad_protocol, ByteView key,
          std::span<const PeerId> said, std::size_t wanted);

// Whatever a node would hand out of a peer is where that peer listens, or did. Of peers that are
// not of this world, nothing at all.
std::string addresses(const World& world);

// Once nothing is under way: whoever is connected to a peer is connected by it, as often.
std::string connections(const World& world);
// The same while the network works on, which it does for `patience` at most: what only one side has
// at this moment must be gone, or had by both, at some moment of it.
std::string connections(World& world, Duration patience);

// Whoever is up and subscribes to the topic, the publisher aside, is due the message, once: how
// many those are, and who did not get it so. That nobody is due it is wrong, too. `delivered`: how
// often each node got it, by index.
struct Reach {
  std::size_t due = 0;
  std::string wrong{};
};
Reach reach(const World& world, std::string_view topic, World::Index publisher,
            std::span<const std::size_t> delivered);

}  // namespace kadmesh::oracle
