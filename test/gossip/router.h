// One router whose peers are the test's to play: it says RPCs in their names and reads what they
// are told.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/framing.h"
#include "gossip/gossip.h"
#include "gossip/params.h"
#include "gossip/signed_message.h"
#include "gossip/wire.h"

namespace kadmesh::testing {

// Everybody's keys: 0 is the router.
inline const KeyPair& key(std::size_t n) {
  static std::map<std::size_t, KeyPair> keys;
  if (const auto at = keys.find(n); at != keys.end()) return at->second;
  Ed25519Seed seed{};
  seed[0] = static_cast<std::uint8_t>(n);
  seed[1] = static_cast<std::uint8_t>(n >> 8);
  return keys.emplace(n, KeyPair::from_seed(seed)).first->second;
}
inline const PeerId& id(std::size_t n) { return key(n).peer_id(); }

inline Bytes text_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

inline Bytes number(std::uint8_t n) { return {0, 0, 0, 0, 0, 0, 0, n}; }

// A message as its author encodes it.
inline Bytes signed_message(std::size_t author, std::string_view data, std::uint8_t seqno = 1,
                            const Topic& topic = "t") {
  return gossip::encode_message({id(author), text_bytes(data), number(seqno), topic}, &key(author));
}
inline MessageId id_of(ByteView encoded) {
  return go_message_id(gossip::decode_message(encoded).value());
}

// All that a peer was told, in whatever RPCs.
struct Told {
  std::vector<gossip::SubOpts> subscriptions;
  std::vector<Topic> graft;
  std::vector<gossip::Prune> prune;
  std::vector<gossip::IHave> ihave;
  std::vector<MessageId> iwant, idontwant;
  std::optional<gossip::Extensions> extensions;
  std::vector<PartialMessage> parts;
  std::vector<std::string> messages;  // their data
  std::size_t rpcs = 0;

  bool nothing() const { return rpcs == 0; }
};

inline void take(Told& told, gossip::Rpc rpc) {
  ++told.rpcs;
  const auto move_all = [](auto& from, auto& to) {
    std::ranges::move(from, std::back_inserter(to));
  };
  move_all(rpc.subscriptions, told.subscriptions);
  move_all(rpc.graft, told.graft);
  move_all(rpc.prune, told.prune);
  move_all(rpc.ihave, told.ihave);
  move_all(rpc.iwant, told.iwant);
  move_all(rpc.idontwant, told.idontwant);
  if (rpc.extensions) told.extensions = rpc.extensions;
  if (rpc.partial) told.parts.push_back(*rpc.partial);
  for (const ByteView message : rpc.publish)
    told.messages.emplace_back(as_text(gossip::decode_message(message).value().data));
}

class Router {
 public:
  explicit Router(GossipConfig config = {}) : gossip(key(0), std::move(config), turn()) {}

  Turn turn() { return {{now, WallTime{1s}}, rng}; }

  // --- what peers do
  // Each from an address of its own.
  void connect(std::size_t n, bool outbound = false) {
    const auto home = Multiaddr::from_text("/ip4/10.1." + std::to_string(n / 256) + "." +
                                           std::to_string(n % 256) + "/tcp/1")
                          .value();
    gossip.on_connected(turn(), id(n), {&home, 1}, outbound);
    drain();
  }
  void open(std::size_t n, std::string_view protocol = "/meshsub/1.1.0") {
    gossip.on_stream_open(turn(), id(n), protocol);
    drain();
  }
  void join(std::size_t n, bool outbound = false) {
    connect(n, outbound);
    open(n);
  }
  void leave(std::size_t n) {
    gossip.on_disconnected(turn(), id(n));
    drain();
  }
  void break_stream(std::size_t n) {
    gossip.on_stream_closed(turn(), id(n), {Errc::reset, "the test's"});
    drain();
  }
  void say(std::size_t n, const gossip::Rpc& rpc) {
    for (const Bytes& framed : gossip::encode_rpc(rpc)) {
      ByteView in(framed);
      FrameReader reader(Gossip::most_rpc());
      say_raw(n, reader.next(in).value().value());
    }
  }
  void say_raw(std::size_t n, ByteView rpc) {
    gossip.on_rpc(turn(), id(n), rpc);
    drain();
  }
  void subscribe(std::size_t n, const Topic& topic = "t", bool on = true) {
    gossip::Rpc rpc;
    rpc.subscriptions.push_back({on, topic});
    say(n, rpc);
  }
  void graft(std::size_t n, const Topic& topic = "t") {
    gossip::Rpc rpc;
    rpc.graft.push_back(topic);
    say(n, rpc);
  }
  void prune(std::size_t n, std::optional<std::uint64_t> seconds, const Topic& topic = "t") {
    gossip::Rpc rpc;
    rpc.prune.push_back({topic, seconds});
    say(n, rpc);
  }
  void message(std::size_t n, ByteView encoded) {
    gossip::Rpc rpc;
    rpc.publish.push_back(encoded);
    say(n, rpc);
  }
  void ihave(std::size_t n, std::vector<MessageId> ids, const Topic& topic = "t") {
    gossip::Rpc rpc;
    rpc.ihave.push_back({topic, std::move(ids)});
    say(n, rpc);
  }
  void iwant(std::size_t n, std::vector<MessageId> ids) {
    gossip::Rpc rpc;
    rpc.iwant = std::move(ids);
    say(n, rpc);
  }
  void idontwant(std::size_t n, std::vector<MessageId> ids) {
    gossip::Rpc rpc;
    rpc.idontwant = std::move(ids);
    say(n, rpc);
  }
  // Connected, its stream open, and subscribed.
  void member(std::size_t n, bool outbound = false, std::string_view protocol = "/meshsub/1.1.0") {
    connect(n, outbound);
    open(n, protocol);
    subscribe(n);
  }

  // --- what the application does
  void subscribe_us(const Topic& topic = "t") {
    CHECK(gossip.subscribe(turn(), topic).has_value());
    drain();
  }
  void unsubscribe_us(const Topic& topic = "t") {
    gossip.unsubscribe(turn(), topic);
    drain();
  }
  Result<Receipt> publish(std::string_view data, const Topic& topic = "t") {
    auto receipt = gossip.publish(turn(), topic, text_bytes(data));
    drain();
    return receipt;
  }
  Result<Sent> send_parts(std::size_t n, PartialMessage what) {
    auto sent = gossip.send_partial(turn(), id(n), std::move(what));
    drain();
    return sent;
  }
  void judge(ValidationId which, Verdict verdict) {
    gossip.on_verdict(turn(), which, verdict);
    drain();
  }

  // --- time
  void pass(Duration wait) {
    const Time end = after(now, wait);
    while (gossip.next_timer() <= end) {
      now = std::max(now, gossip.next_timer());
      gossip.on_timer(turn());
      drain();
    }
    now = end;
  }
  void heartbeat() { pass(1s); }

  // --- what came of it
  // Since the last time that this was asked of the peer.
  Told told(std::size_t n) { return std::exchange(told_[id(n)], {}); }
  TopicView view(const Topic& topic = "t") const {
    for (TopicView& view : gossip.topics())
      if (view.topic == topic) return view;
    return {};
  }
  bool in_mesh(std::size_t n, const Topic& topic = "t") const {
    return std::ranges::count(view(topic).mesh, id(n)) > 0;
  }
  std::size_t mesh_size(const Topic& topic = "t") const { return view(topic).mesh.size(); }

  Time now{1h};
  Rng rng{7};
  Gossip gossip;
  std::vector<GossipDeliver> delivered;
  std::vector<GossipValidate> asked;
  std::vector<GossipFault> faults;
  std::vector<PeerId> slow, to_dial;
  std::vector<GossipMeet> met;
  std::vector<GossipUnsent> unsent;
  std::vector<GossipPart> parts;
  std::vector<GossipOffer> offers;
  std::vector<GossipKeep> kept;
  std::vector<TraceEvent> events;
  std::map<PeerId, int> held;
  std::vector<std::shared_ptr<const Bytes>> frames;  // all that were sent
  bool reads = true;                                 // whether peers take what is sent

 private:
  void drain() {
    while (auto action = gossip.poll()) std::visit([&](auto& a) { on(a); }, *action);
  }
  void on(GossipSend& a) {
    ByteView in(*a.frame);
    FrameReader reader(Gossip::most_rpc());
    const Bytes rpc = reader.next(in).value().value();
    CHECK(in.empty());
    take(told_[a.peer], gossip::decode_rpc(rpc).value());
    frames.push_back(a.frame);
    if (reads) gossip.on_sent(turn(), a.peer, a.frame->size());
  }
  void on(GossipValidate& a) { asked.push_back(a); }
  void on(GossipDeliver& a) { delivered.push_back(a); }
  void on(GossipFault& a) { faults.push_back(a); }
  void on(GossipSlow& a) { slow.push_back(a.peer); }
  void on(GossipDial& a) { to_dial.push_back(a.peer); }
  void on(GossipMeet& a) { met.push_back(a); }
  void on(GossipPart& a) { parts.push_back(a); }
  void on(GossipOffer& a) { offers.push_back(a); }
  void on(GossipUnsent& a) { unsent.push_back(a); }
  void on(GossipKeep& a) { kept.push_back(a); }
  void on(GossipTrace& a) { events.push_back(a.event); }
  void on(GossipHold& a) {
    held[a.peer] += a.hold ? 1 : -1;
    CHECK(held[a.peer] >= 0);
    CHECK(held[a.peer] <= 1);
  }

  std::map<PeerId, Told> told_;
};

}  // namespace kadmesh::testing
