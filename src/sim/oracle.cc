#include "sim/oracle.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "kad/key.h"

namespace kadmesh::oracle {
namespace {

std::string at(World::Index node) { return "node " + std::to_string(node); }

std::map<PeerId, World::Index> everybody(const World& world) {
  std::map<PeerId, World::Index> out;
  for (World::Index i = 0; i < world.nodes(); ++i) out.emplace(world.peer(i), i);
  return out;
}

bool serves(const World& world, World::Index node, std::string_view kad_protocol) {
  const Node& one = world.node(node);
  return world.up(node) && one.serving() && one.config().kad.protocol == kad_protocol;
}

bool subscribes(const World& world, World::Index node, std::string_view topic) {
  return std::ranges::any_of(world.node(node).gossip().topics(), [&](const TopicView& view) {
    return view.subscribed && view.topic == topic;
  });
}

std::string wrong_address(const World& world, const std::map<PeerId, World::Index>& all,
                          const Contact& contact) {
  const auto who = all.find(contact.peer);
  for (const Dialable& addr : contact.addrs) {
    if (addr.source() == Source::hint) continue;
    if (who != all.end() && addr.addr() == world.bare_addr(who->second)) continue;
    return addr.addr().text() + " of " + contact.peer.text() + ", which never listened there";
  }
  return {};
}

}  // namespace

std::vector<PeerId> closest(const World& world, std::string_view kad_protocol, ByteView key,
                            std::size_t count) {
  const KadId target = KadId::of(key);
  std::map<Distance, PeerId> servers;
  for (World::Index i = 0; i < world.nodes(); ++i)
    if (serves(world, i, kad_protocol))
      servers.emplace(distance(KadId::of(world.peer(i)), target), world.peer(i));
  std::vector<PeerId> out;
  for (const auto& [away, peer] : servers)
    if (out.size() < count) out.push_back(peer);
  return out;
}

Hits hits(const World& world, std::string_view kad_protocol, ByteView key,
          std::span<const PeerId> said, std::size_t wanted) {
  const std::vector<PeerId> real = closest(world, kad_protocol, key, wanted);
  Hits out{.of = real.size()};
  for (const PeerId& peer : real)
    if (std::ranges::find(said, peer) != said.end()) ++out.found;
  return out;
}

std::string addresses(const World& world) {
  const auto all = everybody(world);
  for (World::Index i = 0; i < world.nodes(); ++i) {
    if (!world.up(i)) continue;
    for (const TableEntry& entry : world.node(i).kad().table())
      if (std::string wrong = wrong_address(world, all, entry.contact); !wrong.empty())
        return at(i) + " hands out " + wrong;
  }
  return {};
}

namespace {

// Who has more connections to whom than the other way round.
using Lone = std::set<std::pair<World::Index, World::Index>>;

Result<Lone> lone_connections(const World& world) {
  const auto all = everybody(world);
  std::map<std::pair<World::Index, World::Index>, int> unmatched;
  for (World::Index i = 0; i < world.nodes(); ++i) {
    if (!world.up(i)) continue;
    for (const ConnectionInfo& info : world.node(i).connections()) {
      const auto other = all.find(info.peer);
      if (other == all.end())
        return fail(Errc::protocol, at(i) + " is connected to a stranger, " + info.peer.text());
      unmatched[std::minmax(i, other->second)] += i < other->second ? 1 : -1;
    }
  }
  Lone lone;
  for (const auto& [pair, count] : unmatched)
    if (count != 0) lone.insert(count > 0 ? pair : std::pair(pair.second, pair.first));
  return lone;
}

std::string text_of(const Lone& lone) {
  if (lone.empty()) return {};
  const auto& [who, whom] = *lone.begin();
  return at(who) + " has a connection to " + at(whom) + " that only it has";
}

}  // namespace

std::string connections(const World& world) {
  const auto lone = lone_connections(world);
  return lone ? text_of(*lone) : lone.error().detail;
}

std::string connections(World& world, Duration patience) {
  auto lone = lone_connections(world);
  for (Duration waited{}; lone && !lone->empty() && waited < patience; waited += 1s) {
    world.run_for(1s);
    const auto now = lone_connections(world);
    if (!now) return now.error().detail;
    std::erase_if(*lone, [&](const auto& pair) { return !now->contains(pair); });
  }
  return lone ? text_of(*lone) : lone.error().detail;
}

Reach reach(const World& world, std::string_view topic, World::Index publisher,
            std::span<const std::size_t> delivered) {
  Reach out;
  for (World::Index i = 0; i < world.nodes(); ++i) {
    if (i == publisher || !world.up(i) || !subscribes(world, i, topic)) continue;
    ++out.due;
    if (delivered[i] != 1 && out.wrong.empty())
      out.wrong = at(i) + " got the message " + std::to_string(delivered[i]) + " times";
  }
  if (out.due == 0) out.wrong = "nobody was due the message";
  return out;
}

}  // namespace kadmesh::oracle
