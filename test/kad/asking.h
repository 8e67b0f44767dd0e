// Operations of one node without the node: the test answers for its peers and for its store.
#pragma once

#include <doctest/doctest.h>

#include "kad/bootstrap.h"
#include "kad/get_query.h"
#include "kad/queries.h"
#include "people.h"

namespace kadmesh::testing {

inline const Bytes kKey = bytes("/v/k");

// Operations of one node that knows some peers; the test answers for them.
struct Asking {
  PeerId self = peer(0);
  KadConfig config = [] {
    KadConfig c;
    c.validators.set("v", std::make_shared<PassThroughValidator>());
    return c;
  }();
  RoutingTable table{self, 20};
  Peers peers;
  Rng rng{1};
  Time now{};
  std::vector<Multiaddr> own_addrs;
  BootstrapMachine machine{self, {}, turn()};
  Rtts rtts{config.request_timeout};
  Qualities qualities;
  KadView view{self, config, table, peers, machine, own_addrs, rtts, qualities};
  Queries queries{view, rtts, qualities};

  std::vector<KadRequest> requests;
  std::vector<KadRequestId> cancels;
  std::vector<QueryStore> stores;
  std::vector<QueryEnded> ended;
  std::vector<WalkStep> steps;
  std::vector<std::string> order;  // of what was told

  explicit Asking(std::uint32_t count) {
    for (std::uint32_t i = 1; i <= count; ++i) {
      peers.connected(peer(i), std::nullopt);
      table.on_connected(peer(i), now);
    }
  }

  Turn turn() { return {{now, WallTime(100h)}, rng}; }
  void drain() {
    while (auto event = queries.poll()) {
      if (auto* request = std::get_if<KadRequest>(&*event)) {
        order.emplace_back("ask");
        requests.push_back(std::move(*request));
      } else if (auto* cancel = std::get_if<KadCancel>(&*event)) {
        order.emplace_back("cancel");
        cancels.push_back(cancel->id);
      } else if (auto* store = std::get_if<QueryStore>(&*event)) {
        stores.push_back(std::move(*store));
      } else if (auto* step = std::get_if<KadStep>(&*event)) {
        steps.push_back(std::move(step->step));
      } else if (auto* end = std::get_if<QueryEnded>(&*event)) {
        order.emplace_back("done");
        ended.push_back(std::move(*end));
      }
    }
  }
  std::size_t quorum = 0;
  KadOp get(Time deadline = at(10s), std::optional<Trail> trail = {}) {
    const KadOp op =
        queries.start(turn(), std::make_unique<GetQuery>(view, kKey, quorum, now, deadline),
                      Purpose::user, deadline, std::move(trail));
    drain();
    queries.on_stored(turn(), op, StoreTag::value, StoreRows{});
    drain();
    return op;
  }
  std::optional<Evidence> reply(const KadRequest& to, const KadMessage& message) {
    auto evidence = queries.on_reply(turn(), to.id, encode_answer(message));
    drain();
    return evidence;
  }
  void answer_all(const KadMessage& message) {
    for (const KadRequest& request : std::vector(std::exchange(requests, {})))
      reply(request, message);
  }
  // Others, whom nobody here will ask, have answered at once.
  void knows_the_network() {
    for (std::uint32_t i = 1000; i < 1020; ++i)
      rtts.answered(peer(i), Reach::warm, now, now + 10ms);
    now += 1s;
  }
  void pass(Time to) {
    while (queries.next_timer() <= to) {
      const Time before = queries.next_timer();
      now = std::max(now, before);
      queries.on_timer(turn());
      drain();
      REQUIRE(queries.next_timer() > now);
    }
    now = to;
  }
};

inline KadMessage holding(const Bytes& key, std::string_view value) {
  return {KadType::get_value, kKey, KadRecord{key, bytes(value), {}}, {}, {}};
}
inline const KadMessage kNothing{KadType::get_value, kKey, {}, {}, {}};

}  // namespace kadmesh::testing
