// A few nodes in a World with the verbs that stories are told in.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string_view>

#include "sim/world.h"

namespace kadmesh {

struct Town : World {
  explicit Town(std::uint64_t seed = 1) : World(seed) {}
  ~Town() { CHECK_MESSAGE(check_invariants().empty(), check_invariants()); }

  static NodeConfig config() {
    NodeConfig config;
    config.kad.protocol = "/town/kad/1.0.0";
    config.kad.validators.set("v", std::make_shared<PassThroughValidator>());
    return config;
  }
  static Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }

  Index citizen() { return add_listening(config()); }
  Index citizen_with_seed(const Multiaddr& seed) {
    NodeConfig with = config();
    with.kad.seeds = {seed};
    return add_listening(std::move(with));
  }

  // --- commands
  OpId connect(Index who, const Multiaddr& to, Duration limit = kDefaultDeadline) {
    return start(who, [&](Node& n, Turn t, Time by) { return n.connect(t, to, by); }, limit);
  }
  OpId put(Index who, std::string_view key, std::string_view value,
           Duration limit = kDefaultDeadline) {
    return start(
        who, [&](Node& n, Turn t, Time by) { return n.put(t, text(key), text(value), by); }, limit);
  }
  OpId get(Index who, std::string_view key, Duration limit = kDefaultDeadline) {
    return start(who, [&](Node& n, Turn t, Time by) { return n.get(t, text(key), by); }, limit);
  }
  OpId find(Index who, Index whom) {
    return start(who, [&](Node& n, Turn t, Time by) { return n.find_peer(t, id(whom), by); });
  }
  OpId closest(Index who, std::string_view target) {
    return start(who,
                 [&](Node& n, Turn t, Time by) { return n.find_closest(t, text(target), by); });
  }
  void subscribe(Index who, const Topic& topic) {
    command(who, [&](Node& n, Turn t) { n.subscribe(t, topic); });
  }
  Result<Receipt> publish(Index who, const Topic& topic, std::string_view words) {
    return command(who, [&](Node& n, Turn t) { return n.publish(t, topic, text(words)); });
  }
  void meet(Index who, Index whom) {
    const OpId op = connect(who, bare_addr(whom));
    REQUIRE(run_until([&] { return result(who, op) != nullptr; }, 2s));
    const OpDone& done = *result(who, op);
    REQUIRE_MESSAGE(done.result.has_value(), to_string(done.result.error()));
  }

  // --- questions
  const PeerId& id(Index who) const { return node(who).identity().peer_id(); }
  bool ended(Index who, OpId op) const { return result(who, op) != nullptr; }
  const Error& error(Index who, OpId op) const { return result(who, op)->result.error(); }
  template <class T>
  const T& report(Index who, OpId op) const {
    const OpDone* done = result(who, op);
    REQUIRE(done != nullptr);
    REQUIRE_MESSAGE(done->result.has_value(), to_string(done->result.error()));
    return std::get<T>(std::get<KadReport>(*done->result));
  }
  const TableEntry* entry(Index who, Index whom) {
    tables_.push_back(node(who).kad().table());
    for (const TableEntry& entry : tables_.back())
      if (entry.contact.peer == id(whom)) return &entry;
    return nullptr;
  }
  bool knows(Index who, Index whom) {
    const TableEntry* e = entry(who, whom);
    return e && e->standing == Standing::server;
  }
  bool in_mesh(Index who, Index whom, const Topic& topic) const {
    for (const TopicView& view : node(who).gossip().topics())
      if (view.topic == topic) return std::ranges::count(view.mesh, id(whom)) > 0;
    return false;
  }
  std::size_t messages(Index who) const {
    return static_cast<std::size_t>(std::ranges::count_if(reports(who), [](const Report& report) {
      return std::holds_alternative<MessageDelivered>(report);
    }));
  }

 private:
  std::deque<std::vector<TableEntry>> tables_;
};

}  // namespace kadmesh
