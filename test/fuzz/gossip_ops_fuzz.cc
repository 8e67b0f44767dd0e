// Covers: src/gossip/gossip.cc src/gossip/peers.cc src/gossip/topics.cc src/gossip/messages.cc
// Covers: src/gossip/heartbeat.cc src/gossip/backoff.cc src/gossip/message_cache.cc
//
// One router and up to eight peers, driven by whatever sequence of inputs the bytes spell; a naive
// model beside it says who is there, who subscribes, what was delivered and who is held.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "base/check.h"
#include "base/framing.h"
#include "gossip/gossip.h"
#include "gossip/params.h"
#include "gossip/signed_message.h"
#include "gossip/wire.h"

using namespace kadmesh;

namespace {

constexpr std::size_t kPeers = 8;
constexpr std::size_t kTopics = 4;

// 0 is the router.
const KeyPair& key(std::size_t n) {
  static const std::vector<KeyPair> keys = [] {
    std::vector<KeyPair> made;
    for (std::uint8_t i = 0; i <= kPeers; ++i) made.push_back(KeyPair::from_seed({i}));
    return made;
  }();
  return keys.at(n);
}

struct Input {
  ByteView rest;

  bool empty() const { return rest.empty(); }
  std::uint8_t byte() {
    if (rest.empty()) return 0;
    const std::uint8_t value = rest.front();
    rest = rest.subspan(1);
    return value;
  }
  std::size_t peer() { return 1 + byte() % kPeers; }
  Topic topic() { return std::string(1, static_cast<char>('a' + byte() % kTopics)); }
};

struct Model {
  struct Peer {
    std::set<Topic> topics;
    bool open = false;
    std::size_t unsent = 0;
  };
  std::map<PeerId, Peer> peers;
  std::set<Topic> joined;
  std::map<PeerId, bool> held;
};

class Run {
 public:
  explicit Run(Input in) : in_(in), rng_(1), gossip_(key(0), config(in_.byte()), turn()) {}

  void all() {
    while (!in_.empty()) {
      one();
      drain();
      compare();
    }
    leave_all();
  }

 private:
  static GossipConfig config(std::uint8_t bits) {
    GossipConfig config;
    config.flood_publish = (bits & 1) != 0;
    config.manual_validation = (bits & 2) != 0;
    if ((bits & 4) != 0) config.d = config.d_lo = config.d_hi = config.d_out = 0;
    if ((bits & 8) != 0) config.d = 3, config.d_lo = 2, config.d_hi = 4, config.d_out = 1;
    return config;
  }
  Turn turn() { return {{now_, WallTime{1s}}, rng_}; }
  const PeerId& peer_of(std::size_t n) const { return key(n).peer_id(); }

  void one() {
    using Op = void (Run::*)();
    static constexpr std::array<Op, 12> kOps{
        &Run::connect, &Run::disconnect, &Run::open, &Run::close_stream, &Run::join, &Run::leave,
        &Run::publish, &Run::say,        &Run::pass, &Run::judge,        &Run::sent, &Run::garbage};
    (this->*kOps[in_.byte() % kOps.size()])();
  }

  // --- inputs, and what the model makes of them
  void connect() {
    const PeerId& peer = peer_of(in_.peer());
    if (model_.peers.contains(peer)) return;
    model_.peers[peer];
    gossip_.on_connected(turn(), peer, {}, in_.byte() % 2 == 0);
  }
  void disconnect() { drop(peer_of(in_.peer())); }
  void drop(PeerId peer) {
    model_.peers.erase(peer);
    gossip_.on_disconnected(turn(), peer);
  }
  void open() {
    const PeerId& peer = peer_of(in_.peer());
    const bool v10 = in_.byte() % 4 == 0;
    const auto at = model_.peers.find(peer);
    if (at == model_.peers.end() || at->second.open) return;
    at->second.open = true;
    at->second.unsent = 0;
    gossip_.on_stream_open(turn(), peer, v10 ? "/meshsub/1.0.0" : "/meshsub/1.1.0");
  }
  void close_stream() {
    const PeerId& peer = peer_of(in_.peer());
    if (const auto at = model_.peers.find(peer); at != model_.peers.end()) at->second.open = false;
    gossip_.on_stream_closed(turn(), peer, {Errc::reset, {}});
  }
  void join() {
    const Topic topic = in_.topic();
    model_.joined.insert(topic);
    KAD_CHECK(gossip_.subscribe(turn(), topic).has_value());
  }
  void leave() {
    const Topic topic = in_.topic();
    model_.joined.erase(topic);
    gossip_.unsubscribe(turn(), topic);
  }
  void publish() {
    const Topic topic = in_.topic();
    std::size_t subscribers = 0;
    for (const auto& [peer, state] : model_.peers) subscribers += state.topics.count(topic);
    const auto receipt = gossip_.publish(turn(), topic, Bytes(size()));
    KAD_CHECK(receipt.has_value() == (subscribers > 0));
    if (!receipt) return;
    KAD_CHECK(receipt->peers.size() <= subscribers);
    for (const auto& to : receipt->peers)
      KAD_CHECK(to.sent != Sent::no_stream || !model_.peers.at(to.peer).open);
    published_.push_back(receipt->id);
  }
  // Small, or so large that a few fill a peer's budget.
  std::size_t size() {
    const std::size_t small = in_.byte();
    return small == 255 ? 300'000 : small;
  }
  void pass() {
    now_ = after(now_, in_.byte() * 50ms);
    while (gossip_.next_timer() <= now_) gossip_.on_timer(turn());
  }
  void judge() {
    const Verdict verdict = static_cast<Verdict>(in_.byte() % 3);
    if (asked_.empty()) return;
    const std::size_t which = in_.byte() % asked_.size();
    gossip_.on_verdict(turn(), asked_[which], verdict);
    asked_.erase(asked_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  void sent() {
    const PeerId& peer = peer_of(in_.peer());
    if (const auto at = model_.peers.find(peer); at != model_.peers.end())
      gossip_.on_sent(turn(), peer, std::exchange(at->second.unsent, 0));
  }
  void garbage() {
    const std::size_t peer = in_.peer();
    const std::size_t most = in_.byte();  // before it is known how much is left
    const ByteView bytes = in_.rest.first(std::min(most, in_.rest.size()));
    in_.rest = in_.rest.subspan(bytes.size());
    hear(peer, bytes);
  }

  // An RPC of a peer's, a few elements of every kind.
  void say() {
    const std::size_t from = in_.peer();
    gossip::Rpc rpc;
    std::vector<Bytes> messages;
    for (std::uint8_t count = in_.byte() % 8; count > 0; --count) element(rpc, messages);
    for (const Bytes& message : messages) rpc.publish.push_back(message);
    for (const Bytes& framed : gossip::encode_rpc(rpc)) {
      ByteView in(framed);
      FrameReader reader(Gossip::most_rpc());
      hear(from, reader.next(in).value().value());
    }
  }
  void element(gossip::Rpc& rpc, std::vector<Bytes>& messages) {
    const std::uint8_t kind = in_.byte() % 7;
    if (kind == 0) rpc.subscriptions.push_back({true, in_.topic()});
    if (kind == 1) rpc.subscriptions.push_back({false, in_.topic()});
    if (kind == 2) rpc.graft.push_back(in_.topic());
    if (kind == 3) rpc.prune.push_back({in_.topic(), std::uint64_t{1} << in_.byte() % 64});
    if (kind == 4) rpc.ihave.push_back({in_.topic(), {some_id()}});
    if (kind == 5) rpc.iwant.push_back(some_id());
    if (kind == 6) messages.push_back(message());
  }
  MessageId some_id() {
    if (!published_.empty() && in_.byte() % 2 == 0)
      return published_[in_.byte() % published_.size()];
    return go_message_id(gossip::decode_message(message()).value());
  }
  // Few authors and numbers, so that the same come again; signed once, for that takes longest.
  Bytes message() {
    const std::size_t author = in_.byte() % (kPeers + 1);
    const std::uint8_t number = in_.byte() % 16;
    const bool forged = in_.byte() % 16 == 0;
    const Topic topic = in_.topic();
    static std::map<std::tuple<std::size_t, std::uint8_t, bool, Topic>, Bytes> made;
    Bytes& encoded = made[{author, number, forged, topic}];
    if (encoded.empty())
      encoded = gossip::encode_message(
          {key(author).peer_id(), {number}, {0, 0, 0, 0, 0, 0, 0, number}, topic},
          &key(forged ? 1 : author));
    return encoded;
  }

  void hear(std::size_t from, ByteView bytes) {
    const PeerId& peer = peer_of(from);
    const auto at = model_.peers.find(peer);
    gossip_.on_rpc(turn(), peer, bytes);
    const auto rpc = gossip::decode_rpc(bytes);
    if (rpc && at != model_.peers.end()) learn(peer, at->second, *rpc);
  }
  // A GRAFT implies a SUBSCRIBE if it is taken, which the model reads off the router.
  void learn(const PeerId& peer, Model::Peer& state, const gossip::Rpc& rpc) {
    for (const gossip::SubOpts& change : rpc.subscriptions) {
      const bool room = state.topics.size() < gossip::kMostTopicsOfPeer;
      if (!change.subscribe) state.topics.erase(change.topic);
      if (change.subscribe && (room || model_.joined.contains(change.topic)))
        state.topics.insert(change.topic);
    }
    for (const Topic& topic : rpc.graft)
      if (model_.joined.contains(topic) && subscribes(peer, topic)) state.topics.insert(topic);
  }
  bool subscribes(const PeerId& peer, const Topic& topic) const {
    for (const TopicView& view : gossip_.topics())
      if (view.topic == topic) return std::ranges::count(view.subscribers, peer) > 0;
    return false;
  }

  // --- actions
  void drain() {
    while (auto action = gossip_.poll()) std::visit([&](auto& a) { on(a); }, *action);
  }
  void on(GossipSend& a) {
    Model::Peer& to = model_.peers.at(a.peer);
    KAD_CHECK(to.open);
    to.unsent += a.frame->size();
    KAD_CHECK(to.unsent <= gossip::kControlBudget);
  }
  void on(GossipValidate& a) { asked_.push_back(a.id); }
  // Once within seen_ttl of its coming, and a verdict may take its time.
  void on(GossipDeliver& a) {
    KAD_CHECK(model_.joined.contains(a.message.topic));
    KAD_CHECK(a.message.from != key(0).peer_id());
    const auto [at, fresh] = last_delivered_.try_emplace(a.id, now_);
    const Duration apart = GossipConfig{}.seen_ttl - gossip::kValidationTimeout;
    KAD_CHECK(fresh || after(at->second, apart) <= now_);
    at->second = now_;
  }
  void on(GossipHold& a) {
    KAD_CHECK(model_.held[a.peer] != a.hold);
    model_.held[a.peer] = a.hold;
  }
  void on(GossipFault& a) { KAD_CHECK(model_.peers.contains(a.peer)); }
  void on(GossipDial&) { KAD_CHECK(false); }
  void on(GossipMeet& a) { KAD_CHECK(!model_.peers.contains(a.peer)); }
  void on(GossipUnsent&) {}
  void on(GossipPart&) {}
  void on(GossipOffer&) {}
  void on(GossipTrace&) { KAD_CHECK(false); }  // neither
  void on(GossipKeep&) { KAD_CHECK(false); }   // not asked for
  void on(GossipSlow& a) { KAD_CHECK(model_.peers.at(a.peer).open); }

  // --- the router against the model
  void compare() {
    std::set<PeerId> peers;
    for (const auto& [peer, state] : model_.peers) peers.insert(peer);
    KAD_CHECK(std::ranges::equal(peers, gossip_.peers()));
    std::set<Topic> joined;
    for (const TopicView& view : gossip_.topics()) {
      compare(view);
      if (view.subscribed) joined.insert(view.topic);
    }
    KAD_CHECK(joined == model_.joined);
    for (std::size_t i = 0; i < kPeers; ++i) {
      const PeerId& peer = key(i).peer_id();
      KAD_CHECK((gossip_.why(peer, now_) == "not connected") == !peers.contains(peer));
    }
    compare_holds();
    compare_bounds();
  }
  void compare(const TopicView& view) {
    std::set<PeerId> subscribers;
    for (const auto& [peer, state] : model_.peers)
      if (state.topics.contains(view.topic)) subscribers.insert(peer);
    KAD_CHECK(std::ranges::equal(subscribers, view.subscribers));
    KAD_CHECK(std::ranges::includes(view.subscribers, view.mesh));
    KAD_CHECK(std::ranges::includes(view.subscribers, view.fanout));
    KAD_CHECK(view.subscribed ? view.fanout.empty() : view.mesh.empty());
    KAD_CHECK(gossip_.config().d_hi > 0 || view.mesh.empty());
    KAD_CHECK(view.subscribed || !view.subscribers.empty());
  }
  void compare_holds() {
    for (const auto& [peer, held] : model_.held) {
      const auto at = model_.peers.find(peer);
      const bool shares =
          at != model_.peers.end() && std::ranges::any_of(at->second.topics, [&](const Topic& t) {
            return model_.joined.contains(t);
          });
      KAD_CHECK(held == shares);
    }
  }
  void compare_bounds() const {
    const GossipStats stats = gossip_.stats();
    KAD_CHECK(stats.validating <= gossip::kMostValidating);
    KAD_CHECK(stats.cached <= gossip::kMostCached && stats.seen <= gossip::kMostSeen);
    KAD_CHECK(stats.backoffs <= gossip::kMostBackoffs && stats.asking <= gossip::kMostAsking);
    KAD_CHECK(stats.topics <= kPeers * gossip::kMostTopicsOfPeer + kTopics);
  }

  // Everybody goes, and after an hour and a half nothing is left.
  void leave_all() {
    for (std::size_t n = 1; n <= kPeers; ++n) drop(peer_of(n));
    for (const Topic& topic : std::exchange(model_.joined, {})) gossip_.unsubscribe(turn(), topic);
    for (int i = 0; i < 20; ++i) {
      now_ = after(now_, 5min);
      gossip_.on_timer(turn());
    }
    drain();
    compare();
    const GossipStats s = gossip_.stats();
    KAD_CHECK(s.peers + s.topics + s.seen + s.cached + s.validating + s.backoffs + s.asking == 0);
  }

  Input in_;
  Time now_{1h};
  Rng rng_;
  Gossip gossip_;
  Model model_;
  std::vector<MessageId> published_;
  std::vector<ValidationId> asked_;
  std::map<MessageId, Time> last_delivered_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostOps = 1'000;  // bytes: longer ones only take longer
  Run({ByteView(data, std::min(size, kMostOps))}).all();
  return 0;
}
