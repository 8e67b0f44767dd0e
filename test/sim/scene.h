// A world, and the few verbs and questions that stories about many nodes need.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "sim/world.h"

namespace kadmesh {

struct Scene : World {
  explicit Scene(std::uint64_t seed = 1) : World(seed) {}
  explicit Scene(WorldConfig config) : World(std::move(config)) {}
  ~Scene() override { CHECK_MESSAGE(check_invariants().empty(), check_invariants()); }

  static Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }

  // --- commands
  OpId put(Index who, std::string_view key, std::string_view value,
           Duration limit = kDefaultDeadline) {
    return start(
        who, [&](Node& n, Turn t, Time by) { return n.put(t, text(key), text(value), by); }, limit);
  }
  OpId get(Index who, std::string_view key, Duration limit = kDefaultDeadline) {
    return start(who, [&](Node& n, Turn t, Time by) { return n.get(t, text(key), by); }, limit);
  }
  OpId connect(Index who, Index whom) {
    return start(who, [&](Node& n, Turn t, Time by) { return n.connect(t, addr(whom), by); });
  }
  void subscribe_all(const Topic& topic) {
    for (Index i = 0; i < nodes(); ++i)
      if (up(i)) command(i, [&](Node& n, Turn t) { n.subscribe(t, topic); });
  }
  bool publish(Index who, const Topic& topic, std::string_view words) {
    return command(who, [&](Node& n, Turn t) { return n.publish(t, topic, text(words)); })
        .has_value();
  }

  // --- questions
  bool succeeded(Index who, OpId op) const {
    const OpDone* done = result(who, op);
    return done && done->result.has_value();
  }
  std::string got(Index who, OpId op) const {
    if (!succeeded(who, op)) return {};
    const auto& report = std::get<GetReport>(std::get<KadReport>(*result(who, op)->result));
    return std::string(as_text(report.value));
  }
  std::size_t peers(Index who) const { return node(who).stats().connected_peers; }
  std::size_t heard(Index who, std::string_view words) const {
    return static_cast<std::size_t>(std::ranges::count_if(reports(who), [&](const Report& report) {
      const auto* message = std::get_if<MessageDelivered>(&report);
      return message && as_text(message->delivery.message.data) == words;
    }));
  }
  // All of it, in the order in which it came.
  std::string all_heard(Index who) const {
    std::string out;
    for (const Report& report : reports(who))
      if (const auto* message = std::get_if<MessageDelivered>(&report))
        out += as_text(message->delivery.message.data);
    return out;
  }
  bool joined(Index who) const { return peers(who) > 0; }
  bool all(const std::function<bool(Index)>& holds) const {
    for (Index i = 0; i < nodes(); ++i)
      if (!holds(i)) return false;
    return true;
  }
};

}  // namespace kadmesh
