// A Sybil of GossipSub's evaluation report (arXiv 2007.02754; its authors' own:
// github.com/libp2p/gossipsub-hardening, test/badboy.go): it subscribes to whatever a peer
// subscribes to, grafts in the same RPC, and forwards only as much as it likes. It tells nobody
// what it has, serves nothing, and prunes nobody.
//
//   Adversary one(world, Sybil::script({.drops_ppm = 500'000}, 7), like);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>

#include "sim/adversary.h"
#include "sim/distribution.h"
#include "sim/luck.h"

namespace kadmesh {

struct SybilConduct {
  std::uint32_t drops_ppm = 1'000'000;    // of the messages that it could forward
  std::set<PeerId> censors{};             // only these authors' are dropped; empty: everybody's
  Time turns{};                           // until then it forwards everything, and promises nothing
  std::optional<Distribution> regraft{};  // from a PRUNE to the next GRAFT; none: it stays away
  std::size_t promises = 0;  // messages that there are not, told of to each peer every second
};

class Sybil : public std::enable_shared_from_this<Sybil> {
 public:
  static Adversary::Script script(SybilConduct conduct, std::uint64_t seed);
  Sybil(SybilConduct conduct, std::uint64_t seed) : conduct_(std::move(conduct)), luck_(seed) {}

 private:
  void hear(Adversary& self, const PeerId& from, const gossip::Rpc& rpc);
  void join(Adversary& self, const PeerId& peer, const Topic& topic);
  void opened(Adversary& self, const PeerId& peer);
  void pruned(Adversary& self, const PeerId& by, const Topic& topic);
  void graft_again(Adversary& self, const PeerId& peer, const Topic& topic);
  void take(Adversary& self, const PeerId& from, ByteView message);
  bool attacks(const Adversary& self) const;
  bool drops(const PeerId* author);
  bool fresh(Time now, ByteView message);
  void promise(Adversary& self);
  void promise(Adversary& self, const Topic& topic);

  SybilConduct conduct_;
  Luck luck_;
  std::map<Topic, std::set<PeerId>> mesh_;
  std::map<PeerId, std::set<Topic>> subscribed_;
  // Digests of what came in this span of time and the one before: it is not forwarded again.
  std::unordered_set<std::uint64_t> seen_, seen_before_;
  Time rotates_{};
  bool promising_ = false;
};

}  // namespace kadmesh
