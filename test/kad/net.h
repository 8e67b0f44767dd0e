// A few whole Kads and the least that must lie between them: connections that open by a dial,
// identify a moment later, requests that arrive, stores that answer. All in virtual time.
//
// A node may be off (dials are refused), silent (connected or not, nothing it is sent is ever
// answered), or a client (identify does not list the protocol).
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kad/kad.h"
#include "kad/wire.h"
#include "people.h"
#include "store/memory_store.h"

namespace kadmesh::testing {

template <class... F>
struct Cases : F... {
  using F::operator()...;
};
template <class... F>
Cases(F...) -> Cases<F...>;

class Net {
 public:
  using Number = std::uint32_t;
  static constexpr Duration kLatency = 5ms;  // one way
  static constexpr Duration kDisk = 1ms;

  struct Node {
    explicit Node(const PeerId& of) : id(of) {}

    PeerId id;
    MemoryStore store{StoreLimits{}};
    std::unique_ptr<Kad> kad;
    bool off = false, silent = false, client = false, identifies = true;
    bool full = false;  // its disk: what is saved is refused
    std::set<PeerId> links, held;
    std::map<KadRequestId, std::uint64_t> asking;  // requests that were not answered or withdrawn
    std::map<KadInboundId, std::function<void(std::optional<Bytes>)>> answering;
    std::map<KadOp, Result<KadReport>> done;
    std::map<KadOp, Time> done_at;
    std::map<KadOp, std::vector<WalkStep>> steps;
    std::vector<PeerId> told;  // providers found on the way
    std::vector<Time> dials;
    std::size_t requests = 0, cancels = 0, refusals = 0;
    std::size_t puts = 0;  // of others, that came here
  };

  Time now{};
  WallTime wall_start{1'700'000'000s};

  static KadConfig open_config() {
    KadConfig config;
    config.validators.set("v", std::make_shared<PassThroughValidator>());
    return config;
  }

  Net& add(Number number, KadConfig config = open_config()) {
    auto& node = nodes_.emplace(peer(number), Node(peer(number))).first->second;
    start(node, std::move(config));
    run_for(0s);
    return *this;
  }
  Net& add(std::initializer_list<Number> numbers) {
    for (const Number number : numbers) add(number);
    return *this;
  }
  // A new Kad on the old store, as after a crash.
  void restart(Number number, KadConfig config = open_config()) {
    Node& node = at(number);
    turn_off(number);
    node.off = false;
    start(node, std::move(config));
    run_for(0s);
  }
  void turn_off(Number number) {
    Node& node = at(number);
    node.off = true;
    for (const PeerId& other : std::set<PeerId>(node.links)) disconnect(node.id, other);
    node.asking.clear();
    node.answering.clear();
  }

  Node& operator[](Number number) { return at(number); }
  Kad& kad(Number number) { return *at(number).kad; }
  Turn turn() { return {{now, wall_start + now.time_since_epoch()}, rng_}; }

  // `from` dials `to`, and has authenticated it.
  void connect(Number from, Number to) {
    link(at(from), at(to), home(to));
    run_for(0s);
  }
  void disconnect(Number a, Number b) {
    disconnect(peer(a), peer(b));
    run_for(0s);
  }

  void run_for(Duration time) { run_to(after(now, time)); }
  // Until the operation is done; how long that took.
  Duration run_until_done(Number number, KadOp op, Duration most = 60s) {
    const Time begun = now, end = after(now, most);
    while (!at(number).done.contains(op) && now < end) tick(end);
    REQUIRE(at(number).done.contains(op));
    return now - begun;
  }
  template <class Report>
  Report report(Number number, KadOp op) {
    run_until_done(number, op);
    const auto& result = at(number).done.at(op);
    INFO((result ? std::string() : to_string(result.error())));
    REQUIRE(result.has_value());
    return std::get<Report>(*result);
  }
  Errc error(Number number, KadOp op) {
    run_until_done(number, op);
    const auto& result = at(number).done.at(op);
    REQUIRE_FALSE(result.has_value());
    return result.error().code;
  }

  template <class Command>
  auto does(Number number, Command command) {
    auto result = command(*at(number).kad);
    run_for(0s);
    return result;
  }

  KadOp get(Number number, std::string_view key, Duration deadline = 10s) {
    return does(number, [&](Kad& kad) {
      return kad.get(turn(), to_bytes(as_bytes(key)), after(now, deadline));
    });
  }
  KadOp put(Number number, std::string_view key, std::string_view value, Duration deadline = 10s) {
    return does(number, [&](Kad& kad) {
      return kad.put(turn(), to_bytes(as_bytes(key)), to_bytes(as_bytes(value)),
                     after(now, deadline));
    });
  }
  bool in_table(Number of, Number other) {
    for (const TableEntry& entry : kad(of).table())
      if (entry.contact.peer == peer(other)) return entry.standing == Standing::server;
    return false;
  }
  std::optional<Row> stored(Number number, std::string_view key, Kind kind = Kind::value) {
    const WallTime wall = turn().now.wall;
    const auto rows = at(number).store.run(wall, {Load{kind, to_bytes(as_bytes(key))}}).front();
    return rows->empty() ? std::nullopt : std::optional(rows->front());
  }

 private:
  Node& at(Number number) { return nodes_.at(peer(number)); }
  bool linked(const Node& a, const PeerId& b) const { return a.links.contains(b); }
  // The Kad of before a restart is not told what was meant for it.
  void later(Duration wait, const PeerId& who, std::function<void(Node&)> what) {
    const Kad* const whom = nodes_.at(who).kad.get();
    events_.emplace(after(now, wait), [this, who, whom, what = std::move(what)] {
      Node& node = nodes_.at(who);
      if (!node.off && node.kad.get() == whom) what(node);
    });
  }

  void start(Node& node, KadConfig config) {
    node.client = config.mode == KadMode::client;
    node.held.clear();
    node.kad = std::make_unique<Kad>(node.id, std::move(config), turn());
    for (Number number = 0; number < 100'000; ++number) {
      if (peer(number) != node.id) continue;
      node.kad->on_own_addrs(turn(), {home(number)});
      return;
    }
  }

  void link(Node& from, Node& to, const Multiaddr& addr) {
    if (linked(from, to.id)) return;
    from.links.insert(to.id);
    to.links.insert(from.id);
    from.kad->on_connected(turn(), to.id, Dialable(addr, Source::dialed));
    to.kad->on_connected(turn(), from.id, std::nullopt);
    identify(from.id, to);
    identify(to.id, from);
  }
  // `whom` learns about `about`.
  void identify(const PeerId& about, Node& whom) {
    later(3 * kLatency, whom.id, [this, about](Node& node) {
      const Node& other = nodes_.at(about);
      if (!linked(node, about) || other.silent) return;
      if (!other.identifies) return node.kad->on_unidentified(turn(), about);
      node.kad->on_identified(turn(), about, !other.client, {addr_of(about)});
    });
  }
  Dialable addr_of(const PeerId& id) {
    Number number = 0;
    while (peer(number) != id) ++number;
    return Dialable(home(number), Source::identify);
  }
  void disconnect(const PeerId& a, const PeerId& b) {
    for (const auto& [one, other] : {std::pair(a, b), std::pair(b, a)}) {
      Node& node = nodes_.at(one);
      if (node.links.erase(other) == 0 || node.off) continue;
      node.kad->on_disconnected(turn(), other);
    }
  }

  // Whoever listens at one of the addresses, or is connected.
  Node* reach(const Node& from, const Contact& to, Multiaddr& at_addr) {
    const auto found = nodes_.find(to.peer);
    if (found == nodes_.end()) return nullptr;
    if (linked(from, to.peer)) return &found->second;
    for (const Dialable& addr : to.addrs) {
      if (found->second.off || addr.addr() != addr_of(to.peer).addr()) continue;
      at_addr = addr.addr();
      return &found->second;
    }
    return nullptr;
  }

  void ask(Node& from, KadRequest request) {
    ++from.requests;
    const KadRequestId id = request.id;
    from.asking[id] = 1;
    const auto fail_after = [&](Duration wait, Error cause) {
      later(wait, from.id, [this, id, cause](Node& node) {
        if (node.asking.erase(id) > 0) node.kad->on_request_failed(turn(), id, cause);
      });
    };
    CHECK(request.deadline > now);
    fail_after(request.deadline - now, {Errc::timeout, "no answer"});
    Multiaddr addr = home(0);
    Node* const to = reach(from, request.to, addr);
    if (to == nullptr) return fail_after(kLatency, {Errc::unreachable, "refused"});
    if (to->silent) return;
    if (!linked(from, to->id)) link(from, *to, addr);
    if (to->client) return fail_after(2 * kLatency, {Errc::unsupported, "no such protocol"});
    const PeerId asker = from.id;
    later(kLatency, to->id,
          [this, id, asker, message = request.message, expects = request.expects_reply](
              Node& node) { serve(node, asker, id, message, expects); });
  }

  void serve(Node& node, const PeerId& asker, KadRequestId id, const Bytes& message, bool expects) {
    if (node.silent) return;
    const auto back = [this, asker, id, expects](std::optional<Bytes> answer) {
      later(kLatency, asker, [this, id, expects, answer](Node& from) {
        if (from.asking.erase(id) == 0) return;
        if (answer || !expects)
          from.kad->on_reply(turn(), id, answer.value_or(Bytes{}));
        else
          from.kad->on_request_failed(turn(), id, {Errc::reset, "the stream was reset"});
      });
    };
    if (!expects) back(std::nullopt);
    if (decode_kad(message, {message.size(), 0, 0})->type == KadType::put_value) ++node.puts;
    const KadInboundId inbound = node.kad->on_request(turn(), asker, message);
    node.answering.emplace(
        inbound, expects ? std::function<void(std::optional<Bytes>)>(back)
                         : [](const std::optional<Bytes>& none) { CHECK_FALSE(none); });
  }

  void act(Node& node, KadAction action) {
    std::visit(
        Cases{[&](KadRequest& a) { ask(node, std::move(a)); },
              [&](KadCancel& a) {
                ++node.cancels;
                CHECK(node.asking.erase(a.id) == 1);
              },
              [&](KadReply& a) { answer(node, a.id, std::move(a.message)); },
              [&](KadRefuse& a) {
                ++node.refusals;
                answer(node, a.id, std::nullopt);
              },
              [&](KadStore& a) { store(node, std::move(a)); }, [&](KadDial& a) { dial(node, a); },
              [&](KadProvider& a) { node.told.push_back(a.provider.peer); },
              [&](KadStep& a) { node.steps[a.op].push_back(std::move(a.step)); },
              [&](KadDone& a) {
                CHECK(node.done.emplace(a.op, std::move(a.report)).second);  // once
                node.done_at.emplace(a.op, now);
              },
              [&](KadHold& a) {
                if (a.hold)
                  CHECK(node.held.insert(a.peer).second);
                else
                  CHECK(node.held.erase(a.peer) == 1);
              }},
        action);
  }
  void answer(Node& node, KadInboundId id, std::optional<Bytes> message) {
    const auto to = node.answering.extract(id);
    REQUIRE_FALSE(to.empty());  // once
    to.mapped()(std::move(message));
  }
  void store(Node& node, KadStore action) {
    const WallTime wall = turn().now.wall;
    const bool refused = node.full && std::holds_alternative<Save>(action.request);
    auto result = refused ? StoreResult(fail(Errc::io, "the disk is full"))
                          : node.store.run(wall, {std::move(action.request)}).front();
    later(kDisk, node.id, [this, id = action.id, result = std::move(result)](Node& n) {
      n.kad->on_stored(turn(), id, result);
    });
  }
  void dial(Node& node, const KadDial& dial) {
    node.dials.push_back(now);
    const Multiaddr seed = dial.seed;
    Node* to = nullptr;
    for (auto& [id, other] : nodes_)
      if (addr_of(id).addr() == seed.without_peer() && !other.off) to = &other;
    if (to != nullptr && to->silent) {
      later(dial.deadline - now, node.id, [this, seed](Node& n) {
        n.kad->on_seed_dialed(turn(), seed, fail(Errc::timeout, "no answer"));
      });
      return;
    }
    const std::optional<PeerId> found = to ? std::optional(to->id) : std::nullopt;
    later(2 * kLatency, node.id, [this, seed, found](Node& n) {
      if (!found || nodes_.at(*found).off)
        return n.kad->on_seed_dialed(turn(), seed, fail(Errc::unreachable, "refused"));
      link(n, nodes_.at(*found), seed.without_peer());
      n.kad->on_seed_dialed(turn(), seed, *found);
    });
  }

  bool drain() {
    bool moved = false;
    for (auto& [id, node] : nodes_)
      while (auto action = node.off ? std::nullopt : node.kad->poll()) {
        act(node, *std::move(action));
        moved = true;
      }
    return moved;
  }
  // The next thing that happens, at `end` at the latest.
  void tick(Time end) {
    while (drain()) {
    }
    Time next = events_.empty() ? kNever : events_.begin()->first;
    for (const auto& [id, node] : nodes_)
      if (!node.off) next = std::min(next, node.kad->next_timer());
    now = std::max(now, std::min(next, end));
    if (!events_.empty() && events_.begin()->first <= now) {
      const auto what = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      what();
    } else {
      for (auto& [id, node] : nodes_)
        if (!node.off && node.kad->next_timer() <= now) {
          node.kad->on_timer(turn());
          REQUIRE(node.kad->next_timer() > now);  // H65: no timer is due for ever
        }
    }
    while (drain()) {
    }
  }
  void run_to(Time end) {
    do {
      tick(end);
    } while (now < end || (!events_.empty() && events_.begin()->first <= end));
  }

  Rng rng_{1};
  std::map<PeerId, Node> nodes_;
  std::multimap<Time, std::function<void()>> events_;
};

}  // namespace kadmesh::testing
