// Several swarms, the wires between them and one clock: everything that a node adds to a swarm is
// the test's to play. Connecting takes a round trip, as TCP does.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "transport/pipe.h"
#include "transport/swarm.h"

namespace kadmesh {

class SwarmNet {
 public:
  struct Node {
    Node(std::uint64_t seed, const SwarmConfig& config, Now now, std::optional<KeyPair> given)
        : rng(seed),
          key(given ? *std::move(given) : KeyPair::make(rng)),
          swarm(key, config, Turn{now, rng}) {}
    Rng rng;
    KeyPair key;
    Swarm swarm;
    std::vector<SwarmEvent> events;  // of which on_event did not say true
    std::function<bool(Turn, const SwarmEvent&)> on_event;
    std::function<void(Turn)> after_events;
    std::set<ConnId> pipes;  // that the driver has open
    std::size_t actions = 0;
    std::size_t keylog = 0;
  };

  explicit SwarmNet(WireOptions wire = {}, std::uint64_t seed = 1) : wire_(wire), seed_(seed) {}

  // Listens at 10.0.0.<n>:4001, n from 1.
  std::size_t add(const SwarmConfig& config = {}, std::optional<KeyPair> key = std::nullopt) {
    const std::uint64_t seed = seed_ * 1000 + nodes_.size();
    nodes_.push_back(std::make_unique<Node>(seed, config, now(), std::move(key)));
    return nodes_.size() - 1;
  }

  Node& node(std::size_t n) { return *nodes_.at(n); }
  Swarm& swarm(std::size_t n) { return node(n).swarm; }
  const PeerId& id(std::size_t n) { return node(n).key.peer_id(); }
  Turn turn(std::size_t n) { return {now(), node(n).rng}; }
  Now now() const { return {time_, WallTime{}}; }
  Time time() const { return time_; }
  Time in(Duration wait) const { return after(time_, wait); }
  Duration rtt() const { return 2 * wire_.latency; }

  static Endpoint endpoint(std::size_t n, std::uint16_t port = 4001) {
    Endpoint at;
    at.host = {10, 0, static_cast<std::uint8_t>(n / 250), static_cast<std::uint8_t>(n % 250 + 1)};
    at.port = port;
    return at;
  }
  static Multiaddr addr(std::size_t n, std::uint16_t port = 4001) {
    return Multiaddr::tcp(endpoint(n, port));
  }
  // Nobody answers there; and nobody listens there.
  void black_hole(const Endpoint& at) { silent_.insert(at); }
  void revive(const Endpoint& at) { silent_.erase(at); }

  DialId dial(std::size_t from, std::size_t to, Duration deadline = 10s) {
    const std::vector addrs{addr(to)};
    return swarm(from).dial(turn(from), id(to), addrs, in(deadline));
  }
  // Connected and quiet, with the events of it forgotten.
  void connect(std::size_t from, std::size_t to) {
    dial(from, to);
    run_for(5 * rtt());
    REQUIRE(swarm(from).connected(id(to)));
    REQUIRE(swarm(to).connected(id(from)));
    forget_events();
  }
  void forget_events() {
    for (auto& node : nodes_) node->events.clear();
  }

  // All events and actions of this instant.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::size_t n = 0; n < nodes_.size(); ++n) busy |= step(n);
    }
    for (const auto& node : nodes_) {
      REQUIRE(node->swarm.counters().connections == node->pipes.size());  // H71, at every step
    }
  }
  void run_until(Time end) {
    settle();
    for (;;) {
      const Time next = std::max(time_, soonest());
      if (next > end) break;
      time_ = next;
      happen();
      settle();
    }
    time_ = end;
  }
  void run_for(Duration wait) { run_until(after(time_, wait)); }
  template <class Condition>
  bool run_until(Condition met, Duration most) {
    const Time end = in(most);
    settle();
    while (!met()) {
      const Time next = std::max(time_, soonest());
      if (next > end) return false;
      time_ = next;
      happen();
      settle();
    }
    return true;
  }

  template <class Event>
  std::vector<Event> all(std::size_t n) {
    std::vector<Event> found;
    for (const SwarmEvent& event : node(n).events) {
      if (const auto* one = std::get_if<Event>(&event)) found.push_back(*one);
    }
    return found;
  }
  template <class Event>
  Event only(std::size_t n) {
    auto found = all<Event>(n);
    REQUIRE(found.size() == 1);
    return found.front();
  }

  // The wire of the n-th connection that was dialed.
  Pipe& pipe(std::size_t n) { return wires_.at(n)->pipe; }
  std::size_t pipes() const { return wires_.size(); }

  void close_all() {
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      swarm(n).close_all(turn(n), {Errc::closed, "the test is over"});
    }
    run_for(10 * rtt());
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      const auto left = swarm(n).counters();
      CHECK(left.connections == 0);
      CHECK(left.opening == 0);
      CHECK(left.dial_jobs == 0);
      CHECK(left.streams == 0);
      CHECK(left.buffered_bytes == 0);
      CHECK(swarm(n).next_timer() == kNever);
    }
  }

 private:
  struct Wire {
    Wire(WireOptions options, std::uint64_t seed, std::size_t from, ConnId conn, std::size_t to)
        : pipe(options, seed), dialer(from), dialer_conn(conn), listener(to) {}
    Pipe pipe;
    std::size_t dialer;
    ConnId dialer_conn;
    std::size_t listener;
    std::optional<ConnId> listener_conn;
  };
  struct Planned {
    enum class What : std::uint8_t { accept, dialed, refused } what;
    Wire* wire;
    Endpoint at;
  };

  bool step(std::size_t n) {
    Node& one = node(n);
    bool busy = false;
    while (auto event = one.swarm.poll_event()) {
      busy = true;
      if (!one.on_event || !one.on_event(turn(n), *event)) one.events.push_back(*std::move(event));
    }
    if (one.after_events) one.after_events(turn(n));
    return perform_all(n) || busy;
  }
  bool perform_all(std::size_t n) {
    bool busy = false;
    while (auto action = swarm(n).poll_action()) {
      busy = true;
      ++node(n).actions;
      std::visit([&](auto& act) { perform(n, act); }, *action);
    }
    return busy;
  }

  void perform(std::size_t n, const DialPipe& dial) {
    node(n).pipes.insert(dial.id);
    if (silent_.contains(dial.to)) return;
    for (std::size_t to = 0; to < nodes_.size(); ++to) {
      if (endpoint(to) == dial.to) return plan_connect(n, dial.id, to);
    }
    refusals_.emplace(in(rtt()), std::pair(n, dial.id));
  }
  void plan_connect(std::size_t n, ConnId id, std::size_t to) {
    wires_.push_back(std::make_unique<Wire>(wire_, ++wire_seed_, n, id, to));
    planned_.emplace(in(rtt()), Planned{Planned::What::dialed, wires_.back().get(), {}});
    planned_.emplace(in(rtt() + wire_.latency),
                     Planned{Planned::What::accept, wires_.back().get(), {}});
  }
  void perform(std::size_t n, WritePipe& write) {
    if (auto [wire, end] = find(n, write.id); wire)
      wire->pipe.write(end, time_, std::move(write.bytes));
  }
  void perform(std::size_t, const ReadPipe&) { FAIL("no peer here asks more than it reads"); }
  void perform(std::size_t n, const ClosePipe& close) {
    CHECK(node(n).pipes.erase(close.id) == 1);
    auto [wire, end] = find(n, close.id);
    if (!wire) return;
    if (close.abort) {
      wire->pipe.cut();
    } else {
      wire->pipe.close(end, time_);
    }
  }
  void perform(std::size_t n, const KeyLogLine&) { ++node(n).keylog; }

  std::pair<Wire*, Pipe::End> find(std::size_t n, ConnId id) {
    for (const auto& wire : wires_) {
      if (wire->dialer == n && wire->dialer_conn == id) return {wire.get(), Pipe::End::a};
      if (wire->listener == n && wire->listener_conn == id) return {wire.get(), Pipe::End::b};
    }
    return {nullptr, Pipe::End::a};
  }

  Time soonest() const {
    Time next = kNever;
    for (const auto& node : nodes_) next = std::min(next, node->swarm.next_timer());
    if (timer) next = std::min(next, timer());
    for (const auto& wire : wires_) next = std::min(next, wire->pipe.next());
    if (!planned_.empty()) next = std::min(next, planned_.begin()->first);
    if (!refusals_.empty()) next = std::min(next, refusals_.begin()->first);
    return next;
  }

  // One input: what is due first.
  void happen() {
    if (!planned_.empty() && planned_.begin()->first <= time_) return connect_step();
    if (!refusals_.empty() && refusals_.begin()->first <= time_) return refuse_step();
    for (const auto& wire : wires_) {
      if (auto delivery = wire->pipe.poll(time_)) return deliver(*wire, *delivery);
    }
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (swarm(n).next_timer() <= time_) return swarm(n).on_timer(turn(n));
    }
    if (on_timer && timer() <= time_) on_timer();
  }
  void connect_step() {
    const Planned plan = planned_.begin()->second;
    planned_.erase(planned_.begin());
    Wire& wire = *plan.wire;
    if (plan.what == Planned::What::dialed) {
      swarm(wire.dialer)
          .on_dialed(turn(wire.dialer), wire.dialer_conn, endpoint(wire.dialer, 50000));
    } else if (!wire.pipe.ended()) {
      accept(wire);
    }
  }
  void accept(Wire& wire) {
    const ConnId id = swarm(wire.listener)
                          .on_accepted(turn(wire.listener), endpoint(wire.listener),
                                       endpoint(wire.dialer, 50000));
    wire.listener_conn = id;
    node(wire.listener).pipes.insert(id);
  }
  void refuse_step() {
    const auto [n, id] = refusals_.begin()->second;
    refusals_.erase(refusals_.begin());
    if (node(n).pipes.erase(id) == 1) {
      swarm(n).on_dial_failed(turn(n), id, {Errc::refused, "connection refused"});
    }
  }
  void deliver(Wire& wire, Pipe::Delivery& delivery) {
    const bool to_dialer = delivery.to == Pipe::End::a;
    const std::size_t n = to_dialer ? wire.dialer : wire.listener;
    if (!to_dialer && !wire.listener_conn) return;
    const ConnId id = to_dialer ? wire.dialer_conn : *wire.listener_conn;
    std::visit([&](auto& what) { hand_over(n, id, what); }, delivery.what);
  }
  void hand_over(std::size_t n, ConnId id, const Pipe::Arrived& what) {
    swarm(n).on_bytes(turn(n), id, what.bytes);
  }
  void hand_over(std::size_t n, ConnId id, const Pipe::Written& what) {
    swarm(n).on_written(turn(n), id, what.count);
  }
  void hand_over(std::size_t n, ConnId id, const Pipe::Ended& what) {
    if (node(n).pipes.erase(id) == 1) swarm(n).on_closed(turn(n), id, {what.how, "the wire ended"});
  }

 public:
  // A component of the test that has deadlines of its own.
  std::function<Time()> timer;
  std::function<void()> on_timer;

 private:
  WireOptions wire_;
  std::uint64_t seed_;
  std::uint64_t wire_seed_ = 0;
  Time time_{1h};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Wire>> wires_;
  std::multimap<Time, Planned> planned_;
  std::multimap<Time, std::pair<std::size_t, ConnId>> refusals_;
  std::set<Endpoint> silent_;
};

// The usual case: 0 and 1, not yet connected.
class TwoSwarms : public SwarmNet {
 public:
  explicit TwoSwarms(WireOptions wire = {}) : SwarmNet(wire) {
    add();
    add();
  }
};

}  // namespace kadmesh
