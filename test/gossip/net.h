// Many routers, the wires between them and one clock: no swarm, no sockets. A frame takes the
// latency; connecting takes two.
#pragma once

#include <memory>
#include <tuple>

#include "router.h"

namespace kadmesh::testing {

class GossipNet {
 public:
  static constexpr Duration kLatency = 10ms;

  struct Member {
    Member(std::size_t n, const GossipConfig& config, Now now)
        : rng(1000 + n), gossip(key(n), config, Turn{now, rng}) {}
    Rng rng;
    Gossip gossip;
    std::vector<std::string> heard;  // the data of what was delivered
    std::map<PeerId, int> held;
  };

  std::size_t add(const GossipConfig& config = {}) {
    members_.push_back(std::make_unique<Member>(members_.size(), config, now()));
    return members_.size() - 1;
  }
  Member& member(std::size_t n) { return *members_.at(n); }
  Gossip& gossip(std::size_t n) { return member(n).gossip; }
  std::size_t size() const { return members_.size(); }

  // a dials b. Their streams open after `opening`.
  void connect(std::size_t a, std::size_t b, Duration opening = 2 * kLatency) {
    gossip(a).on_connected(turn(a), id(b), {}, true);
    gossip(b).on_connected(turn(b), id(a), {}, false);
    settle(a), settle(b);
    const Time at = after(time_, opening);
    at_time(at,
            [=, this] { gossip(a).on_stream_open(turn(a), id(b), "/meshsub/1.1.0"), settle(a); });
    at_time(at,
            [=, this] { gossip(b).on_stream_open(turn(b), id(a), "/meshsub/1.1.0"), settle(b); });
  }
  void disconnect(std::size_t a, std::size_t b) {
    gossip(a).on_disconnected(turn(a), id(b)), settle(a);
    gossip(b).on_disconnected(turn(b), id(a)), settle(b);
  }
  void connect_all() {
    for (std::size_t a = 0; a < size(); ++a)
      for (std::size_t b = a + 1; b < size(); ++b) connect(a, b);
  }

  void subscribe(std::size_t n, const Topic& topic = "t") {
    CHECK(gossip(n).subscribe(turn(n), topic).has_value());
    settle(n);
  }
  void subscribe_all() {
    for (std::size_t n = 0; n < size(); ++n) subscribe(n);
  }
  void unsubscribe(std::size_t n, const Topic& topic = "t") {
    gossip(n).unsubscribe(turn(n), topic);
    settle(n);
  }
  Result<Receipt> publish(std::size_t n, std::string_view data, const Topic& topic = "t") {
    auto receipt = gossip(n).publish(turn(n), topic, text_bytes(data));
    settle(n);
    return receipt;
  }

  void run_for(Duration wait) {
    const Time end = after(time_, wait);
    while (step(end)) {
    }
    time_ = end;
  }

  std::size_t times_heard(std::size_t n, std::string_view data) {
    return static_cast<std::size_t>(std::ranges::count(member(n).heard, data));
  }
  std::size_t mesh_size(std::size_t n, const Topic& topic = "t") {
    for (const TopicView& view : gossip(n).topics())
      if (view.topic == topic) return view.mesh.size();
    return 0;
  }
  bool meshed(std::size_t a, std::size_t b, const Topic& topic = "t") {
    for (const TopicView& view : gossip(a).topics())
      if (view.topic == topic) return std::ranges::count(view.mesh, id(b)) > 0;
    return false;
  }

 private:
  Now now() const { return {time_, WallTime{1s}}; }
  Turn turn(std::size_t n) { return {now(), member(n).rng}; }
  void at_time(Time when, std::function<void()> what) {
    events_.emplace(std::pair(when, next_event_++), std::move(what));
  }

  // The earliest of what is due by `end`.
  bool step(Time end) {
    Time next = events_.empty() ? kNever : events_.begin()->first.first;
    std::size_t whose = size();
    for (std::size_t n = 0; n < size(); ++n)
      if (gossip(n).next_timer() < next) next = gossip(n).next_timer(), whose = n;
    if (next > end) return false;
    time_ = std::max(time_, next);
    if (whose < size()) return gossip(whose).on_timer(turn(whose)), settle(whose), true;
    const auto what = std::move(events_.extract(events_.begin()).mapped());
    return what(), true;
  }

  void settle(std::size_t n) {
    while (auto action = gossip(n).poll()) std::visit([&](auto& a) { on(n, a); }, *action);
  }
  void on(std::size_t n, GossipSend& a) {
    at_time(after(time_, kLatency), [this, n, send = std::move(a)] { arrive(n, send); });
  }
  void on(std::size_t n, GossipDeliver& a) {
    member(n).heard.emplace_back(as_text(a.message.data));
  }
  void on(std::size_t n, GossipHold& a) { member(n).held[a.peer] += a.hold ? 1 : -1; }
  void on(std::size_t, GossipValidate&) { FAIL("nobody validates here"); }
  void on(std::size_t, GossipFault& a) { FAIL(to_string(a.why)); }
  void on(std::size_t, GossipSlow&) { FAIL("nobody is slow here"); }
  void on(std::size_t, GossipDial&) { FAIL("nobody is an explicit peer here"); }
  void on(std::size_t, GossipMeet&) { FAIL("nobody is exchanged here"); }
  void on(std::size_t, GossipPart&) { FAIL("nobody speaks of parts here"); }
  void on(std::size_t, GossipOffer&) { FAIL("nobody speaks of parts here"); }
  void on(std::size_t, GossipUnsent&) { FAIL("nothing waits here"); }
  void on(std::size_t, GossipKeep&) { FAIL("nobody keeps here"); }
  void on(std::size_t, GossipTrace&) { FAIL("nobody traces here"); }

  void arrive(std::size_t from, const GossipSend& send) {
    gossip(from).on_sent(turn(from), send.peer, send.frame->size());
    for (std::size_t n = 0; n < size(); ++n) {
      if (id(n) != send.peer) continue;
      ByteView in(*send.frame);
      FrameReader reader(Gossip::most_rpc());
      gossip(n).on_rpc(turn(n), id(from), reader.next(in).value().value());
      settle(n);
    }
  }

  Time time_{1h};
  std::vector<std::unique_ptr<Member>> members_;
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t next_event_ = 0;
};

}  // namespace kadmesh::testing
