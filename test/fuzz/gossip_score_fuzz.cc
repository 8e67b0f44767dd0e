// Covers: src/gossip/score.cc src/gossip/delivery_records.cc src/gossip/ip_prefix.cc
//
// Whatever may happen to eight peers, in any order, against a naive model: it keeps the history and
// works every score out from the start of it whenever time passes. All factors are powers of two,
// so that the two agree to the last bit.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "fuzz_input.h"
#include "gossip/score.h"

using namespace kadmesh;

namespace {

constexpr std::size_t kPeers = 8;
constexpr std::size_t kMessages = 6;
constexpr Duration kSeenTtl = 10s;
const std::array<Topic, 3> kTopics{"a", "b", "c"};

// Two on one address, two more in its /64, two of IPv4, and what does not count.
const std::array<std::string, 8> kAddresses{
    "/ip6/2001:db8::1/tcp/1", "/ip6/2001:db8::1/tcp/2",  "/ip6/2001:db8::2/tcp/1",
    "/ip6/2001:db8::3/tcp/1", "/ip4/192.0.2.1/tcp/1",    "/ip4/192.0.2.1/tcp/2",
    "/ip4/127.0.0.1/tcp/1",   "/dns4/example.org/tcp/1",
};
// The same by hand.
const std::array<std::set<std::string>, 8> kBlocks{{
    {"2001:db8::1", "2001:db8::/64"},
    {"2001:db8::1", "2001:db8::/64"},
    {"2001:db8::2", "2001:db8::/64"},
    {"2001:db8::3", "2001:db8::/64"},
    {"192.0.2.1"},
    {"192.0.2.1"},
    {},
    {},
}};

const PeerId& peer_id(std::size_t n) {
  static const std::vector<PeerId> ids = [] {
    std::vector<PeerId> made;
    for (std::uint8_t i = 0; i < kPeers; ++i) made.push_back(PeerId::of_key(Bytes{i}));
    return made;
  }();
  return ids.at(n);
}

TopicScoreParams topic_params(std::uint32_t bits) {
  TopicScoreParams t;
  const auto on = [&](unsigned bit, double weight) { return (bits >> bit & 1) != 0 ? weight : 0; };
  t.weight = on(0, 1.5) + 0.5;
  t.time_in_mesh_weight = on(1, 2);
  t.time_in_mesh_cap = 8;
  t.first_deliveries_weight = on(2, 4);
  t.first_deliveries_cap = 2 + on(3, 6);
  t.mesh_deliveries_weight = on(4, -2);
  t.mesh_deliveries_threshold = 2;
  t.mesh_deliveries_cap = 2 + on(5, 2);
  t.mesh_deliveries_window = 100ms;
  t.mesh_deliveries_activation = 2s;
  t.mesh_failure_weight = on(6, -1);
  t.invalid_weight = on(7, -4);
  t.first_deliveries_decay = t.mesh_deliveries_decay = 0.5;
  t.mesh_failure_decay = t.invalid_decay = 0.5;
  return t;
}

ScoreParams peer_params(FuzzInput& in) {
  ScoreParams params;
  const std::uint32_t bits = in.u8();
  params.topics["a"] = topic_params(in.u8());
  params.topics["b"] = topic_params(in.u8());
  params.default_topic.reset();
  if ((bits & 1) != 0) params.default_topic = topic_params(in.u8());
  params.topic_score_cap = (bits & 2) != 0 ? 16 : 0;
  params.application_weight = 0.5;
  params.colocation_weight = (bits & 4) != 0 ? -2 : 0;
  params.colocation_threshold = 1 + (bits >> 3 & 1);
  params.behaviour_weight = (bits & 16) != 0 ? -1 : 0;
  params.behaviour_threshold = 2;
  params.slow_weight = (bits & 32) != 0 ? -0.5 : 0;
  params.slow_threshold = 1;
  params.behaviour_decay = params.slow_decay = 0.5;
  params.retain = 20s;
  params.silence_may_pay = true;
  return params;
}

struct Event {
  enum class Kind {
    connect,
    move,
    leave,
    graft,
    prune,
    validate,
    accept,
    reject,
    ignore,
    duplicate,
    invalid,
    penalise,
    slow,
    application,
    topic,
    refresh
  };
  Kind kind;
  Time at;
  std::size_t peer = 0, topic = 0, message = 0;
  double number = 0;
  std::vector<std::size_t> addresses;
  std::uint32_t bits = 0;
};
using Kind = Event::Kind;

struct Model {
  struct InTopic {
    bool mesh = false, active = false;
    Time since;
    Duration spent{};
    double first = 0, near = 0, failure = 0, invalid = 0;
  };
  struct Peer {
    bool there = true;
    Time until;
    std::map<Topic, InTopic> topics;
    std::set<std::string> blocks;
    double behaviour = 0, slow = 0;
  };

  ScoreParams params;
  Time next_refresh;
  std::map<std::size_t, Peer> peers;
  std::map<std::size_t, double> application;
  std::set<std::size_t> sweeps;  // refreshes, by their place in the history, that came when due

  Model(const ScoreParams& p, Time start) : params(p), next_refresh(start + 1s) {}

  static Model of(const ScoreParams& params, Time start, const std::vector<Event>& history) {
    Model model(params, start);
    for (std::size_t i = 0; i < history.size(); ++i) model.happens(history, i);
    return model;
  }

  const TopicScoreParams* scored(const Topic& topic) const {
    if (params.topics.contains(topic)) return &params.topics.at(topic);
    return params.default_topic ? &*params.default_topic : nullptr;
  }
  InTopic* in(std::size_t peer, const Topic& topic) {
    return peers.contains(peer) && scored(topic) ? &peers[peer].topics[topic] : nullptr;
  }

  void happens(const std::vector<Event>& all, std::size_t i) {
    const Event& e = all[i];
    const Topic& topic = kTopics[e.topic];
    const bool known = peers.contains(e.peer);
    switch (e.kind) {
      case Kind::connect:
        peers[e.peer].there = true;
        return move(e);
      case Kind::move:
        return move(e);
      case Kind::leave:
        return leave(e);
      case Kind::graft:
        return graft(e, topic);
      case Kind::prune:
        if (InTopic* t = in(e.peer, topic)) out(*t, topic);
        return;
      case Kind::validate:
      case Kind::ignore:
        return;  // found in the history
      case Kind::accept:
        return accept(all, i, topic);
      case Kind::reject:
        return reject(all, i, topic);
      case Kind::duplicate:
        return duplicate(all, i, topic);
      case Kind::invalid:
        return blame(e.peer, topic);
      case Kind::penalise:
        if (known) peers[e.peer].behaviour += e.number;
        return;
      case Kind::slow:
        if (known) peers[e.peer].slow += 1;
        return;
      case Kind::application:
        application[e.peer] = e.number;
        return;
      case Kind::topic:
        return change(topic, topic_params(e.bits));
      case Kind::refresh:
        if (e.at < next_refresh) return;
        sweeps.insert(i);
        return refresh(e.at);
    }
  }

  void move(const Event& e) {
    if (!peers.contains(e.peer)) return;
    peers[e.peer].blocks.clear();
    for (const std::size_t address : e.addresses)
      for (const std::string& block : kBlocks[address]) peers[e.peer].blocks.insert(block);
  }
  void leave(const Event& e) {
    if (!peers.contains(e.peer) || !peers[e.peer].there) return;
    Peer& peer = peers[e.peer];
    bool good = score(e.peer) > 0, faults = peer.behaviour + peer.slow > 0;
    for (auto& [topic, t] : peer.topics) {
      t.first = 0;
      out(t, topic);
      faults |= t.failure + t.invalid > 0;
    }
    peer.there = false;
    peer.until = e.at + params.retain;
    if (good || (!faults && score(e.peer) >= 0)) peers.erase(e.peer);
  }
  void graft(const Event& e, const Topic& topic) {
    if (!peers.contains(e.peer) || !peers[e.peer].there) return;
    InTopic* t = in(e.peer, topic);
    if (t && !t->mesh) t->mesh = true, t->active = false, t->since = e.at, t->spent = {};
  }
  void out(InTopic& t, const Topic& topic) const {
    const double missing = scored(topic)->mesh_deliveries_threshold - t.near;
    if (t.mesh && t.active && missing > 0) t.failure += missing * missing;
    t.mesh = t.active = false;
  }

  // --- of a message, from the history before `i`
  // Where what is known of it begins: the last time that it was validated, or accepted out of the
  // blue, unless a refresh found it too old. history.size(): not known.
  std::size_t begins(const std::vector<Event>& all, std::size_t i) const {
    std::size_t found = all.size();
    for (std::size_t k = 0; k < i; ++k) {
      const Event& e = all[k];
      if (sweeps.contains(k) && found < k && all[found].at + kSeenTtl <= e.at) found = all.size();
      if (e.message != all[i].message) continue;
      if (e.kind == Kind::validate || (e.kind == Kind::accept && found == all.size())) found = k;
    }
    return found;
  }
  // The first verdict since then; `i` when there is none.
  static std::size_t verdict(const std::vector<Event>& all, std::size_t from, std::size_t i) {
    for (std::size_t k = from; k < i; ++k) {
      const Kind kind = all[k].kind;
      const bool judges = kind == Kind::accept || kind == Kind::reject || kind == Kind::ignore;
      if (judges && all[k].message == all[i].message) return k;
    }
    return i;
  }
  // Who sent it from `from` to before `i`.
  static std::set<std::size_t> senders(const std::vector<Event>& all, std::size_t from,
                                       std::size_t i) {
    std::set<std::size_t> found;
    for (std::size_t k = from; k < i; ++k)
      if (all[k].kind == Kind::duplicate && all[k].message == all[i].message)
        found.insert(all[k].peer);
    return found;
  }

  void accept(const std::vector<Event>& all, std::size_t i, const Topic& topic) {
    const Event& e = all[i];
    const std::size_t from = begins(all, i);
    if (from < all.size() && verdict(all, from, i) != i) return;
    if (from < all.size())
      for (const std::size_t peer : senders(all, from, i))
        if (peer != e.peer) near(peer, topic);
    if (InTopic* t = in(e.peer, topic))
      t->first = std::min(t->first + 1, scored(topic)->first_deliveries_cap);
    near(e.peer, topic);
  }
  void reject(const std::vector<Event>& all, std::size_t i, const Topic& topic) {
    const std::size_t from = begins(all, i);
    if (from < all.size() && verdict(all, from, i) != i) return;
    blame(all[i].peer, topic);
    if (from == all.size()) return;
    for (const std::size_t peer : senders(all, from, i)) blame(peer, topic);
  }
  void duplicate(const std::vector<Event>& all, std::size_t i, const Topic& topic) {
    const Event& e = all[i];
    const std::size_t from = begins(all, i);
    if (from == all.size()) return;
    const std::size_t judged = verdict(all, from, i);
    if (judged == i) return;
    if (all[judged].kind == Kind::reject) return blame(e.peer, topic);
    if (all[judged].kind == Kind::ignore || all[judged].peer == e.peer) return;
    if (senders(all, from, i).contains(e.peer) || !scored(topic)) return;
    if (e.at <= all[judged].at + scored(topic)->mesh_deliveries_window) near(e.peer, topic);
  }
  void near(std::size_t peer, const Topic& topic) {
    InTopic* t = in(peer, topic);
    if (t && t->mesh) t->near = std::min(t->near + 1, scored(topic)->mesh_deliveries_cap);
  }
  void blame(std::size_t peer, const Topic& topic) {
    if (InTopic* t = in(peer, topic)) t->invalid += 1;
  }

  void change(const Topic& topic, const TopicScoreParams& to) {
    params.topics[topic] = to;
    for (auto& [n, peer] : peers)
      if (peer.topics.contains(topic)) {
        InTopic& t = peer.topics[topic];
        t.first = std::min(t.first, to.first_deliveries_cap);
        t.near = std::min(t.near, to.mesh_deliveries_cap);
      }
  }

  void refresh(Time now) {
    std::erase_if(peers, [&](const auto& p) { return !p.second.there && p.second.until <= now; });
    for (; next_refresh <= now; next_refresh += 1s)
      for (auto& [n, peer] : peers)
        if (peer.there) decay(peer, now);
  }
  void decay(Peer& peer, Time now) const {
    std::vector<double*> counters{&peer.behaviour, &peer.slow};
    for (auto& [topic, t] : peer.topics) {
      for (double* counter : {&t.first, &t.near, &t.failure, &t.invalid})
        counters.push_back(counter);
      if (!t.mesh) continue;
      t.spent = now - t.since;
      t.active = t.active || t.spent > scored(topic)->mesh_deliveries_activation;
    }
    for (double* counter : counters) *counter = *counter / 2 < 0.01 ? 0 : *counter / 2;
  }

  double score(std::size_t n) const {
    if (!peers.contains(n)) return 0;
    const Peer& peer = peers.at(n);
    double sum = 0;
    for (const auto& [topic, t] : peer.topics) sum += worth(t, *scored(topic));
    if (params.topic_score_cap > 0) sum = std::min(sum, params.topic_score_cap);
    if (application.contains(n)) sum += application.at(n) * params.application_weight;
    for (const std::string& block : peer.blocks) {
      double sharing = 0;
      for (const auto& [other, its] : peers) sharing += its.blocks.contains(block) ? 1 : 0;
      const double surplus = sharing - static_cast<double>(params.colocation_threshold);
      if (surplus > 0) sum += surplus * surplus * params.colocation_weight;
    }
    const double bad = peer.behaviour - params.behaviour_threshold;
    if (bad > 0) sum += bad * bad * params.behaviour_weight;
    if (peer.slow > params.slow_threshold)
      sum += (peer.slow - params.slow_threshold) * params.slow_weight;
    return sum;
  }
  static double worth(const InTopic& t, const TopicScoreParams& p) {
    double sum = t.first * p.first_deliveries_weight + t.failure * p.mesh_failure_weight +
                 t.invalid * t.invalid * p.invalid_weight;
    if (t.mesh)
      sum +=
          std::min(static_cast<double>(t.spent / 1s), p.time_in_mesh_cap) * p.time_in_mesh_weight;
    const double missing = p.mesh_deliveries_threshold - t.near;
    if (t.mesh && t.active && missing > 0) sum += missing * missing * p.mesh_deliveries_weight;
    return sum * p.weight;
  }
};

class Run {
 public:
  explicit Run(FuzzInput in)
      : in_(in), params_(peer_params(in_)), scores_(params_, kSeenTtl, now_) {}

  void all() {
    constexpr std::size_t kMostEvents = 120;  // the model takes their cube
    while (!in_.empty() && history_.size() < kMostEvents) {
      one();
      for (std::size_t n = 0; n < kPeers; ++n) last_[n] = scores_.score(peer_id(n));
    }
    compare();
    close();
  }

 private:
  static SipHash digest(std::size_t message) {
    return SipHash{static_cast<std::uint8_t>(message + 1)};
  }

  void one() {
    Event e{static_cast<Kind>(in_.below(17)), now_, {}, {}, {}, {}, {}, {}};
    if (e.kind > Kind::refresh) return pass();
    e.peer = in_.below(kPeers);
    e.message = in_.below(kMessages);
    // A message is of one topic.
    const bool of_message = e.kind >= Kind::validate && e.kind <= Kind::duplicate;
    e.topic = of_message ? e.message % kTopics.size() : in_.below(kTopics.size());
    if (e.kind == Kind::penalise) e.number = in_.below(8);
    if (e.kind == Kind::application) e.number = static_cast<double>(in_.below(64)) - 32;
    if (e.kind == Kind::topic) e.bits = in_.u8();
    if (e.kind == Kind::connect || e.kind == Kind::move)
      for (std::uint32_t n = in_.below(3); n > 0; --n) e.addresses.push_back(in_.below(8));
    tell(e);
    history_.push_back(e);
  }
  void pass() {
    compare();
    const std::uint32_t steps = in_.u8();
    now_ += steps < 128 ? steps * 10ms : (steps - 128) * 500ms;
  }

  void tell(const Event& e) {
    const PeerId& peer = peer_id(e.peer);
    const Topic& topic = kTopics[e.topic];
    std::vector<Multiaddr> remotes;
    remotes.reserve(e.addresses.size());
    for (const std::size_t n : e.addresses)
      remotes.push_back(Multiaddr::from_text(kAddresses[n]).value());
    switch (e.kind) {
      case Kind::connect:
        return scores_.connected(peer, remotes);
      case Kind::move:
        return scores_.moved(peer, remotes);
      case Kind::leave:
        return scores_.disconnected(peer, e.at);
      case Kind::graft:
        return scores_.grafted(peer, topic, e.at);
      case Kind::prune:
        return scores_.pruned(peer, topic);
      case Kind::validate:
        return scores_.validating(digest(e.message), e.at);
      case Kind::accept:
        return scores_.delivered(digest(e.message), topic, peer, e.at);
      case Kind::reject:
        return scores_.rejected(digest(e.message), topic, peer);
      case Kind::ignore:
        return scores_.ignored(digest(e.message));
      case Kind::duplicate:
        return scores_.duplicate(digest(e.message), topic, peer, e.at);
      case Kind::invalid:
        return scores_.invalid(peer, topic);
      case Kind::penalise:
        return scores_.penalise(peer, static_cast<std::size_t>(e.number));
      case Kind::slow:
        return scores_.too_slow(peer);
      case Kind::application:
        KAD_CHECK(scores_.set_application(peer, e.number));
        return;
      case Kind::topic:
        KAD_CHECK(scores_.set_topic(topic, topic_params(e.bits)));
        return;
      case Kind::refresh:
        return scores_.refresh(e.at);
    }
  }

  void compare() {
    const Model model = Model::of(params_, start_, history_);
    KAD_CHECK(scores_.next_refresh() == model.next_refresh);
    KAD_CHECK(scores_.size() == model.peers.size());
    std::set<std::string> blocks;
    std::size_t retained = 0;
    for (const auto& [n, peer] : model.peers) {
      blocks.insert(peer.blocks.begin(), peer.blocks.end());
      retained += peer.there ? 0 : 1;
    }
    KAD_CHECK(scores_.groups() == blocks.size() && scores_.retained() == retained);
    for (std::size_t n = 0; n < kPeers; ++n) compare(n, model);
  }
  void compare(std::size_t n, const Model& model) {
    const double score = scores_.score(peer_id(n));
    KAD_CHECK(score == model.score(n) && score == last_[n]);
    const ScoreView view = scores_.view(peer_id(n));
    KAD_CHECK(view.score == score);
    KAD_CHECK(view.topics_score + view.application.score + view.colocation.score +
                  view.behaviour.score + view.slow.score ==
              score);
    double sum = 0;
    for (const TopicScoreView& t : view.topics) {
      KAD_CHECK(t.p1.score + t.p2.score + t.p3.score + t.p3b.score + t.p4.score == t.score);
      sum += t.score;
    }
    KAD_CHECK(view.topics_score <= sum);
  }

  // Everybody goes, and after two retentions nothing is left.
  void close() {
    for (std::size_t n = 0; n < kPeers; ++n) scores_.disconnected(peer_id(n), now_);
    scores_.refresh(now_ + 40s);
    KAD_CHECK(scores_.size() + scores_.retained() + scores_.groups() + scores_.deliveries() == 0);
  }

  FuzzInput in_;
  ScoreParams params_;
  const Time start_{1h};
  Time now_ = start_;
  gossip::PeerScores scores_;
  std::vector<Event> history_;
  std::array<double, kPeers>
      last_{};  // asked for after each event, so that none is worked out late
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(FuzzInput(data, size)).all();
  return 0;
}
