// Two nodes over instant pipes in virtual time, the first of them recorded.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "replay/recorded_node.h"
#include "replay/replay.h"
#include "store/memory_store.h"
#include "transport/noise_keylog.h"

namespace kadmesh {

class Pair {
 public:
  enum Who : std::size_t { alice, bob };

  using Secrets = Recorder::Secrets;
  explicit Pair(std::size_t most = Recorder::kUsualMost, Secrets secrets = Secrets::kept);

  static Bytes text(std::string_view words) { return to_bytes(as_bytes(words)); }
  static NodeConfig config() {
    NodeConfig config;
    config.kad.protocol = "/pair/kad/1.0.0";
    config.kad.validators.set("v", std::make_shared<PassThroughValidator>());
    return config;
  }
  static Endpoint endpoint(Who who) {
    Endpoint endpoint;
    endpoint.host = {10, 0, 0, static_cast<std::uint8_t>(who + 1)};
    endpoint.port = 4001;
    return endpoint;
  }
  Multiaddr addr(Who who) const { return Multiaddr::tcp(endpoint(who)).with_peer(id(who)); }
  const PeerId& id(Who who) const { return (*members_[who].node)->identity().peer_id(); }
  const Node& node(Who who) const { return **members_[who].node; }
  Time in(Duration time) const { return after(now_.mono, time); }

  // One input, and everything that it sets off here and there.
  template <class Input>
  auto run(Who who, Input input) {
    if constexpr (std::is_void_v<decltype(members_[who].node->apply(now_, input))>) {
      members_[who].node->apply(now_, std::move(input));
      settle(who);
    } else {
      auto answer = members_[who].node->apply(now_, std::move(input));
      settle(who);
      return answer;
    }
  }
  // An operation to its end.
  template <class Input>
  Result<OpReport> done(Who who, Input input) {
    const OpId op = run(who, std::move(input));
    for (int i = 0; i < 2000 && !members_[who].done.contains(op); ++i) pass(10ms);
    REQUIRE(members_[who].done.contains(op));
    return members_[who].done.at(op);
  }
  // Lets time pass.
  void pass(Duration time) {
    deliver();
    now_ = {after(now_.mono, time), after(now_.wall, time)};
    for (const Who who : {alice, bob})
      if (node(who).next_timer() <= now_.mono) run(who, input::Timer{});
    deliver();
  }
  const std::vector<StreamKey>& streams(Who who) const { return members_[who].streams; }

  // What a busy afternoon leaves.
  void live() {
    REQUIRE(done(alice, input::ConnectAddr{addr(bob), in(5s)}));
    run(alice, input::Subscribe{"news"});
    run(bob, input::Subscribe{"news"});
    for (int i = 0; i < 20; ++i) pass(100ms);
    REQUIRE(done(alice, input::Put{text("/v/name"), text("a value"), in(5s)}));
    REQUIRE(done(bob, input::Get{text("/v/name"), in(5s)}));
    REQUIRE(done(alice, input::Ping{id(bob), in(5s)}));
    REQUIRE(run(alice, input::Publish{"news", text("from alice")}));
    REQUIRE(run(bob, input::Publish{"news", text("from bob")}));
    run(bob, input::Serve{"/echo"});
    const auto opened = done(alice, input::OpenStream{id(bob), {"/echo"}, text("hello"), in(5s)});
    REQUIRE(opened);
    const StreamKey key = std::get<StreamReport>(*opened).key;
    run(alice, input::Write{key, as_bytes("more")});
    run(alice, input::Finish{key});
    for (int i = 0; i < 20; ++i) pass(100ms);
    run(alice, input::Release{key});
    run(alice, input::DriverNotice{{Errc::limit, "a test"}});
  }
  // Ends the recording in order.
  Bytes capture() {
    run(alice, input::Shutdown{});
    members_[alice].node.reset();
    return std::move(capture_);
  }
  // What Noise's keys are made of where the recording is redacted.
  static Rng::Key noise_luck() {
    Rng::Key key;
    key.fill(0xa5);
    return key;
  }
  // All that came to alice, as it came.
  const std::vector<Bytes>& came() const { return came_; }
  // The secrets of every session, as bob has them.
  const std::vector<NoiseSecrets>& sessions() const { return sessions_; }
  // The next bytes that come to alice come with a bit changed.
  void garble() { garble_ = true; }
  // As it stands, in the middle of things.
  const Bytes& so_far() const { return capture_; }
  std::optional<Error> trouble() { return members_[alice].node->recorder()->trouble(); }

 private:
  struct Member {
    std::unique_ptr<RecordedNode> node;
    MemoryStore store{StoreLimits{}};
    std::map<OpId, Result<OpReport>> done;
    std::vector<StreamKey> streams;
  };
  struct End {
    Who who;
    ConnId id;
    friend auto operator<=>(const End&, const End&) = default;
  };

  void make(Who who) {
    Rng luck(who + 1);
    const KeyPair identity = KeyPair::make(luck);
    std::optional<Recorder> recorder;
    if (who == alice)
      recorder.emplace([this](ByteView bytes) { return append(capture_, bytes), Result<void>(); },
                       most_, secrets_);
    const Rng::Key key{static_cast<std::uint8_t>(who + 1)};
    NodeConfig with = config();
    if (who == alice && secrets_ == Secrets::left_out) with.swarm.noise_luck = noise_luck();
    with.swarm.keylog = who == bob;
    members_[who].node = std::make_unique<RecordedNode>(identity, with, key, now_, recorder);
    settle(who);
  }
  void settle(Who who) {
    while (auto action = members_[who].node->poll())
      std::visit([&](auto& a) { perform(who, a); }, *action);
  }
  void deliver() {
    while (!waiting_.empty()) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }
  void perform(Who who, DialPipe& dial) {
    const Who other = who == alice ? bob : alice;
    if (dial.to != endpoint(other))
      return run(who, input::DialFailed{dial.id, {Errc::refused, "nobody"}});
    Endpoint local = endpoint(who);
    local.port = 9999;
    waiting_.emplace_back([this, who, other, id = dial.id, local] {
      const ConnId theirs = run(other, input::Accepted{endpoint(other), local});
      links_.insert_or_assign(End{who, id}, End{other, theirs});
      links_.insert_or_assign(End{other, theirs}, End{who, id});
      run(who, input::Dialed{id, local});
    });
  }
  void perform(Who who, WritePipe& write) {
    waiting_.emplace_back([this, who, id = write.id, bytes = std::move(write.bytes)] {
      run(who, input::Written{id, bytes.size()});
      if (const auto to = links_.find(End{who, id}); to != links_.end()) arrive(to->second, bytes);
    });
  }
  void arrive(End to, Bytes bytes) {
    if (to.who == alice) came_.push_back(bytes);
    if (to.who == alice && std::exchange(garble_, false)) bytes.back() ^= 1;
    // In two pieces: messages are cut off.
    const ByteView all(bytes);
    run(to.who, input::Received{to.id, all.first(all.size() / 2)});
    run(to.who, input::Received{to.id, all.subspan(all.size() / 2)});
  }
  void perform(Who who, ClosePipe& close) {
    waiting_.emplace_back([this, from = End{who, close.id}] {
      const auto to = links_.find(from);
      if (to == links_.end()) return;
      const End end = to->second;
      links_.erase(end);
      links_.erase(from);
      if (members_[end.who].node)
        run(end.who, input::Closed{end.id, {Errc::closed, "by the other"}});
    });
  }
  // While actions are performed: the input is nested, as in the driver.
  void perform(Who who, ListenPipe& listen) {
    members_[who].node->apply(now_, input::Listening{listen.id, {Multiaddr::tcp(listen.at)}});
  }
  void perform(Who who, StoreOp& op) {
    auto result = members_[who].store.run(now_.wall, {std::move(op.request)}).front();
    waiting_.emplace_back([this, who, id = op.id, result = std::move(result)]() mutable {
      run(who, input::Stored{id, std::move(result)});
    });
  }
  void perform(Who who, Report& report) {
    if (auto* done = std::get_if<OpDone>(&report))
      members_[who].done.emplace(done->op, std::move(done->result));
    if (const auto* incoming = std::get_if<StreamIncoming>(&report))
      members_[who].streams.push_back(incoming->key);
  }
  void perform(Who, ReadPipe&) {}
  void perform(Who, StopListening&) {}
  void perform(Who, KeyLogLine& log) {
    const auto secrets = parse_keylog_line(log.line);
    REQUIRE(secrets);
    sessions_.push_back(*secrets);
  }

  const std::size_t most_;
  const Secrets secrets_;
  Bytes capture_;
  std::vector<Bytes> came_;
  std::vector<NoiseSecrets> sessions_;
  bool garble_ = false;
  Now now_{Time(1h), WallTime(1'700'000'000s)};
  std::array<Member, 2> members_;
  std::map<End, End> links_;
  std::deque<std::function<void()>> waiting_;
};

inline Pair::Pair(std::size_t most, Secrets secrets) : most_(most), secrets_(secrets) {
  for (const Who who : {alice, bob}) make(who);
  for (const Who who : {alice, bob}) run(who, input::Listen{endpoint(who)});
}

}  // namespace kadmesh
