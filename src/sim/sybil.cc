#include "sim/sybil.h"

#include "gossip/signed_message.h"
#include "sim/trace.h"

namespace kadmesh {
namespace {

constexpr std::uint32_t kWhole = 1'000'000;
// A message has long been everywhere, and a Sybil of thousands remembers little.
constexpr Duration kRemembered = 10s;
constexpr Duration kPromiseEvery = 1s;
// As long as those of signed messages are: an author and a number.
constexpr std::size_t kIdSize = 46;

gossip::Rpc joining(const Topic& topic) {
  gossip::Rpc rpc;
  rpc.subscriptions.push_back({true, topic});
  rpc.graft.push_back(topic);
  return rpc;
}

MessageId drawn_id(Luck& luck) {
  MessageId id;
  id.reserve(kIdSize);
  while (id.size() < kIdSize) id.push_back(static_cast<std::uint8_t>(luck.next()));
  return id;
}

}  // namespace

Adversary::Script Sybil::script(SybilConduct conduct, std::uint64_t seed) {
  const auto one = std::make_shared<Sybil>(std::move(conduct), seed);
  return {.on_rpc = [one](Adversary& self, const PeerId& from,
                          const gossip::Rpc& rpc) { one->hear(self, from, rpc); },
          .on_pubsub = [one](Adversary& self, const PeerId& peer) { one->opened(self, peer); }};
}

void Sybil::hear(Adversary& self, const PeerId& from, const gossip::Rpc& rpc) {
  for (const gossip::SubOpts& sub : rpc.subscriptions) {
    if (sub.subscribe) {
      join(self, from, sub.topic);
      continue;
    }
    subscribed_[from].erase(sub.topic);
    mesh_[sub.topic].erase(from);
  }
  for (const Topic& topic : rpc.graft) mesh_[topic].insert(from);
  for (const gossip::Prune& prune : rpc.prune) pruned(self, from, prune.topic);
  for (const ByteView message : rpc.publish) take(self, from, message);
}

// What a peer says may come before our stream to it is open: opened() joins then.
void Sybil::join(Adversary& self, const PeerId& peer, const Topic& topic) {
  subscribed_[peer].insert(topic);
  if (self.say(peer, joining(topic))) mesh_[topic].insert(peer);
}

void Sybil::opened(Adversary& self, const PeerId& peer) {
  const std::set<Topic> topics = subscribed_[peer];
  for (const Topic& topic : topics) join(self, peer, topic);
  if (conduct_.promises > 0 && !promising_) promise(self);
}

void Sybil::pruned(Adversary& self, const PeerId& by, const Topic& topic) {
  mesh_[topic].erase(by);
  if (!conduct_.regraft) return;
  self.world().at(after(self.world().now().mono, draw(*conduct_.regraft, luck_)),
                  [&self, by, topic, alive = weak_from_this()] {
                    if (const auto one = alive.lock()) one->graft_again(self, by, topic);
                  });
}

void Sybil::graft_again(Adversary& self, const PeerId& peer, const Topic& topic) {
  if (!subscribed_[peer].contains(topic)) return;
  gossip::Rpc rpc;
  rpc.graft.push_back(topic);
  if (self.say(peer, rpc)) mesh_[topic].insert(peer);
}

void Sybil::take(Adversary& self, const PeerId& from, ByteView message) {
  const bool attacking = attacks(self);
  // Of the many who drop everything none need read it.
  if (attacking && conduct_.drops_ppm == kWhole && conduct_.censors.empty()) return;
  const auto read = gossip::decode_message(message);
  if (!read || !fresh(self.world().now().mono, message)) return;
  const PeerId* author = read->from ? &*read->from : nullptr;
  if (attacking && drops(author)) return;
  const Bytes framed = gossip::message_frame(message);
  for (const PeerId& peer : mesh_[Topic(read->topic)])
    if (peer != from && (!author || peer != *author)) self.say_raw(peer, framed);
}

bool Sybil::attacks(const Adversary& self) const {
  return self.world().now().mono >= conduct_.turns;
}

bool Sybil::drops(const PeerId* author) {
  if (!conduct_.censors.empty() && (!author || !conduct_.censors.contains(*author))) return false;
  return luck_.chance_ppm(conduct_.drops_ppm);
}

bool Sybil::fresh(Time now, ByteView message) {
  if (now >= rotates_) {
    seen_before_ = std::exchange(seen_, {});
    rotates_ = after(now, kRemembered);
  }
  const std::uint64_t digest = digest_of(message);
  return !seen_before_.contains(digest) && seen_.insert(digest).second;
}

// As long as there is anybody to promise it to.
void Sybil::promise(Adversary& self) {
  promising_ = !self.pubsub_peers().empty();
  if (!promising_) return;
  if (attacks(self))
    for (const auto& [topic, peers] : mesh_) promise(self, topic);
  self.world().at(after(self.world().now().mono, kPromiseEvery), [&self, alive = weak_from_this()] {
    if (const auto one = alive.lock()) one->promise(self);
  });
}

void Sybil::promise(Adversary& self, const Topic& topic) {
  gossip::Rpc rpc;
  gossip::IHave& have = rpc.ihave.emplace_back(topic);
  have.ids.reserve(conduct_.promises);
  for (std::size_t i = 0; i < conduct_.promises; ++i) have.ids.push_back(drawn_id(luck_));
  for (const PeerId& peer : self.pubsub_peers())
    if (subscribed_[peer].contains(topic)) self.say(peer, rpc);
}

}  // namespace kadmesh
